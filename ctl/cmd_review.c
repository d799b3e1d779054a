/*
 * alertctl review: all rules by what they cost people, each with its one best change.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"

static int64_t count_of(const struct json *root, const char *name)
{
    int64_t n = 0;

    (void)json_get_int_or(root, name, 0, &n, NULL);
    return n;
}

static const char *text_of(const struct json *root, const char *name)
{
    const char *text = NULL;

    (void)json_get_string_or(root, name, NULL, &text, NULL);
    return text ? text : "";
}

static void show_rule(const struct json *rule, bool color)
{
    double cost = 0;

    (void)json_get_float(rule, "cost", &cost, NULL);
    (void)printf("%6.1f  %5lld  %6lld  %s%s%s (%s)%s\n        %s\n", cost,
                 (long long)count_of(rule, "pages"), (long long)count_of(rule, "nights"),
                 color ? "\033[1m" : "", text_of(rule, "rule"), color ? "\033[0m" : "",
                 text_of(rule, "group"),
                 count_of(rule, "noise") || count_of(rule, "useful") ? "" : ", nobody judged it",
                 text_of(rule, "words"));
}

enum ctl_exit cmd_review(struct ctl *ctl)
{
    static const struct call get = {.method = "GET", .path = "/api/alertd/v1/review"};
    static const struct call post = {
        .method = "POST", .path = "/api/alertd/v1/review", .body = "{}"};
    struct json *root = NULL;
    char *body = NULL;
    enum ctl_exit status = CTL_OK;

    if (ctl_option(ctl, "now")) {
        status = call_text(ctl, &post, &body);
        free(body);
        if (status == CTL_OK)
            (void)puts("All rules are being looked at again; ask in a minute.");
        return status;
    }
    status = call_json(ctl, &get, &root);
    if (!root)
        return status;
    const struct json *rules = json_get(root, "rules");

    if (*text_of(root, "reviewed_at"))
        (void)printf("Pages of 30 days; reviewed %s.\n\n", text_of(root, "reviewed_at"));
    else
        (void)puts("Pages of 30 days; the first review comes ten minutes after a start "
                   "(--now asks for one).\n");
    (void)puts("  cost  pages  nights  rule, and what would help most");
    for (size_t i = 0; i < json_length(rules); i++)
        show_rule(json_at(rules, i), ctl->color);
    json_free(root);
    return status;
}
