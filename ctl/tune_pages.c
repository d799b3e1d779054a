/*
 * What a setting would have paged. See tune_pages.h.
 */

#include "ctl/tune_pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/pages/print.h"
#include "alertd/pages/tuned.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/config_file.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    BODY_BYTES_MAX = 4 << 20,
};

enum ctl_exit tune_pages_config(const struct ctl *ctl,
                                const char *path,
                                const struct route_config **ret_config)
{
    const char *text = pages_plain_config();
    struct err err = {0};
    int r = path ? config_file_read(path, ret_config, &err)
                 : route_config_parse(text, strlen(text), NULL, NULL, NULL, ret_config, &err);

    return r ? ctl_fail(ctl, "%s", err.text) : CTL_OK;
}

/* --- here --- */

/* What is written behind the alerts, or as one more member of the object they are in. */
static void open_part(const struct ctl *ctl, struct str *out)
{
    if (ctl->json) {
        str_cut(out, out->len - 1);
        str_add(out, ",\"pages\":");
    } else {
        str_add(out, "\nPages, as it is:\n");
    }
}

static enum ctl_exit reckon(const struct ctl *ctl,
                            struct tune_past *past,
                            const struct tune_ask *ask,
                            const struct tune_result *result,
                            struct str *out)
{
    struct pages_plan plan = {
        .from_ms = ask->from_ms, .to_ms = ask->to_ms, .ack_after_ms = PAGES_ACK_USUAL_MS};
    const char *missing[TOLD_LIST_MAX];
    size_t n_missing = told_list(past->told, missing);
    struct tuned_alerts alerts = {0};
    struct pages pages = {0};
    struct err err = {0};
    enum ctl_exit status = tune_pages_config(ctl, ctl_option(ctl, "config"), &plan.config);

    if (status != CTL_OK)
        return status;
    tuned_alerts_add(&alerts, ask, result);
    int r = ctl_option(ctl, "others")
                ? tuned_alerts_add_others(&alerts, &past->reader, ask, result, &err)
                : 0;
    if (r == 0)
        r = pages_run(&plan, alerts.at, alerts.n, &pages, &err);
    if (r != 0) {
        status = ctl_fail(ctl, "%s", err.text);
    } else if (ctl->json) {
        struct json_out json = JSON_OUT(out);

        open_part(ctl, out);
        json_open(&json, '{');
        missing_json(past->told, "warnings", &json);
        pages_json(&plan, &pages, alerts.at, &json);
        json_close(&json, '}');
        str_addc(out, '}');
    } else {
        open_part(ctl, out);
        pages_show(&plan, &pages, out);
        if (told_list(past->told, missing) > n_missing) /* of other rules' alerts: not said yet */
            missing_add(past->told, out);
    }
    pages_done(&pages);
    tuned_alerts_done(&alerts);
    route_config_unref(plan.config);
    return status;
}

/* --- by alertd --- */

static void write_question(const struct ctl *ctl,
                           const struct tune_ask *ask,
                           const struct tune_result *result,
                           struct str *body)
{
    STR_AUTO struct str yaml = STR_INIT(BODY_BYTES_MAX);
    struct json_out json = JSON_OUT(body);
    char text[DURATION_TEXT_MAX];

    str_addf(&yaml, "groups:\n  - name: tune\n    interval: %s\n    rules:\n",
             duration_print(ask->interval_ms, text));
    rule_print(ask->rule, 6, &yaml);
    json_open(&json, '{');
    json_kv_string(&json, "yaml", str_text(&yaml));
    if (result->choice->way != SPLIT_PRESENCE)
        json_kv_float(&json, "threshold", result->thresholds[result->now.threshold]);
    json_kv_int(&json, "choice", (int64_t)ask->choice + 1);
    json_kv_int(&json, "for_ms", ask->for_ms);
    json_kv_bool(&json, "others", ctl_option(ctl, "others") != NULL);
    json_kv_time(&json, "from", ask->from_ms);
    json_kv_time(&json, "to", ask->to_ms);
    json_close(&json, '}');
}

static void show_answer(const struct json *root, struct str *out)
{
    const struct json *people = json_get(root, "people");
    char text[DURATION_TEXT_MAX];

    str_addf(out,
             "  %lld alerts -> %lld notifications -> %lld pages, %lld of them at night, %lld at "
             "weekends.\n",
             (long long)answer_count(root, "alerts"),
             (long long)answer_count(root, "notifications"),
             (long long)answer_count(root, "n_pages"), (long long)answer_count(root, "nights"),
             (long long)answer_count(root, "weekends"));
    str_addf(out, "  Supposed: somebody acknowledges %s after a page (%s).\n",
             duration_human(answer_count(root, "ack_after_ms"), text),
             answer_count(root, "answers") ? "this team's median"
                                           : "nothing is known of this team");
    str_addf(out, "  Longest quiet: %s.\n", duration_human(answer_count(root, "quiet_ms"), text));
    if (answer_text(root, "no_policy"))
        str_addf(out, "  There is no policy %s: a receiver that goes by it pages nobody.\n",
                 answer_text(root, "no_policy"));
    missing_add_of(root, out);
    if (json_length(people) > 0)
        str_addf(out, "\n  %-24s %7s %7s %9s %12s\n", "who", "pages", "nights", "weekends",
                 "most in 12 h");
    for (size_t i = 0; i < json_length(people); i++) {
        const struct json *person = json_at(people, i);
        const char *name = NULL;

        (void)json_get_string_or(person, "name", "", &name, NULL);
        str_addf(out, "  %-24s %7lld %7lld %9lld %12lld\n", name,
                 (long long)answer_count(person, "pages"),
                 (long long)answer_count(person, "nights"),
                 (long long)answer_count(person, "weekends"),
                 (long long)answer_count(person, "most_12h"));
    }
}

static enum ctl_exit ask_alertd(const struct ctl *ctl,
                                const struct tune_ask *ask,
                                const struct tune_result *result,
                                struct str *out)
{
    STR_AUTO struct str body = STR_INIT(BODY_BYTES_MAX);
    struct ctl alertd = *ctl;
    struct json *root = NULL;
    char *answer = NULL;
    struct err err = {0};

    write_question(ctl, ask, result, &body);
    alertd.url = ctl->alertd_url;
    const struct call call = {
        .method = "POST", .path = "/api/alertd/v1/tunings/pages", .body = str_text(&body)};
    enum ctl_exit status = call_text(&alertd, &call, &answer);

    if (status == CTL_OK &&
        json_parse_upto(answer, strlen(answer), CALL_REPLY_MAX, &root, &err) != 0)
        status = ctl_fail(ctl, "the answer is no JSON: %s", err.text);
    if (status == CTL_OK) {
        open_part(ctl, out);
        if (ctl->json)
            str_addf(out, "%s}", answer);
        else
            show_answer(root, out);
    }
    json_free(root);
    free(answer);
    return status;
}

enum ctl_exit tune_pages_add(const struct ctl *ctl,
                             struct tune_past *past,
                             const struct tune_ask *ask,
                             const struct tune_result *result,
                             struct str *out)
{
    const char *config = ctl_option(ctl, "config");

    if (!config)
        return CTL_OK;
    return strcmp(config, "server") == 0 ? ask_alertd(ctl, ask, result, out)
                                         : reckon(ctl, past, ask, result, out);
}
