/*
 * alertctl review: all rules by what they cost people, each with its one best change.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"

static void show_rule(const struct json *rule, bool color)
{
    double cost = 0;

    (void)json_get_float(rule, "cost", &cost, NULL);
    (void)printf("%6.1f  %5lld  %6lld  %s%s%s (%s)%s\n        %s\n", cost,
                 (long long)answer_count(rule, "pages"), (long long)answer_count(rule, "nights"),
                 color ? "\033[1m" : "", answer_words(rule, "rule"), color ? "\033[0m" : "",
                 answer_words(rule, "group"),
                 answer_count(rule, "noise") || answer_count(rule, "useful") ? ""
                                                                             : ", nobody judged it",
                 answer_words(rule, "words"));
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

    if (*answer_words(root, "reviewed_at"))
        (void)printf("Pages of 30 days; reviewed %s.\n\n", answer_words(root, "reviewed_at"));
    else
        (void)puts("Pages of 30 days; the first review comes ten minutes after a start "
                   "(--now asks for one).\n");
    (void)puts("  cost  pages  nights  rule, and what would help most");
    for (size_t i = 0; i < json_length(rules); i++)
        show_rule(json_at(rules, i), ctl->color);
    json_free(root);
    return status;
}
