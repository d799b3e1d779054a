/*
 * A rule that an action promises. See postmortem_rule.h.
 */

#include "alertd/api/postmortem_rule.h"

#include <string.h>

#include "alertd/api/postmortem_record.h"
#include "alertd/db/rule_db.h"
#include "alertd/eval/rule_eval.h"
#include "alertd/promql/memory_source.h"
#include "alertd/rule/group.h"
#include "lib/base/clock.h"

enum {
    BYTES_MAX = 128 * 1024 * 1024
};

/* `- alert: X` alone is a rule of a group of its own; every line moves in by its indent. */
static void wrap(const char *draft, struct str *out)
{
    if (strstr(draft, "groups:")) {
        str_add(out, draft);
        return;
    }
    str_add(out, "groups:\n- name: draft\n  interval: 15s\n  rules:\n");
    bool item = strncmp(draft + strspn(draft, " \t\r\n"), "- ", 2) == 0;

    for (bool first = true; *draft;) {
        size_t len = strcspn(draft, "\n");

        if (strspn(draft, " \t\r") < len) {
            str_add(out, item ? "  " : first ? "  - " : "    ");
            first = false;
        }
        str_addn(out, draft, len);
        str_addc(out, '\n');
        draft += len + (draft[len] == '\n');
    }
}

static int read_draft(const char *draft, struct rule_file **ret_file, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(128 * 1024);
    struct rule_file *file = NULL;

    wrap(draft, &text);
    int r = rule_file_parse("draft", str_text(&text), text.len, NULL, &file, reterr);

    if (r)
        return r;
    if (file->n_rules != 1 || !file->groups[0].rules[0].is_alert) {
        rule_file_unref(file);
        return err_set(reterr, RULE_E_FILE, "expected one alerting rule");
    }
    *ret_file = file;
    return 0;
}

int postmortem_rule_check(const char *draft, struct err *reterr)
{
    struct rule_file *file = NULL;
    int r = read_draft(draft, &file, reterr);

    if (!r)
        rule_file_unref(file);
    return r;
}

/* --- live? --- */

/* Spelled alike, whatever the white space. */
static bool same_expression(const struct rule *rule, const char *other, struct arena *arena)
{
    char *text = arena_strndup(arena, other, strlen(other));
    STR_AUTO struct str ours = STR_INIT(64 * 1024);
    STR_AUTO struct str theirs = STR_INIT(64 * 1024);
    struct promql_expr *expr = NULL;

    if (!text || promql_parse(arena, text, &expr, NULL))
        return false;
    promql_print(rule->expr, &ours);
    promql_print(expr, &theirs);
    return strcmp(str_text(&ours), str_text(&theirs)) == 0;
}

static int find_live(struct db_conn *conn,
                     const struct rule *rule,
                     struct arena *arena,
                     struct err *reterr)
{
    struct rule_group_row *groups = NULL;
    bool named = false;
    size_t n = 0;
    int r = rule_db_list(conn, clock_wall_ms(), arena, &groups, &n, reterr);

    for (size_t i = 0; !r && i < n; i++)
        for (size_t k = 0; k < groups[i].n_rules; k++) {
            const struct rule_row *row = &groups[i].rules[k];

            if (row->is_recording || strcmp(row->name, rule->name) != 0)
                continue;
            named = true;
            if (row->for_ms == rule->for_ms && same_expression(rule, row->expr, arena))
                return 0;
        }
    if (r)
        return r;
    return err_set(reterr, POSTMORTEM_RULE_E_NOT_LIVE,
                   named ? "rule %s is live, but with another expression or for"
                         : "no rule %s is live yet",
                   rule->name);
}

/* --- earlier? --- */

struct replay {
    const struct rule_file *file;
    struct memory_source memory;
    struct alert_set alerts;
    struct rule_output output;
    int64_t start_ms, end_ms;
    int64_t fired_ms;
};

static int64_t fired_in(const struct alert_set *alerts)
{
    int64_t first_ms = 0;

    for (size_t i = 0; i < alerts->n; i++) {
        int64_t fired_ms = alerts->at[i].alert.fired_at_ms;

        if (fired_ms != ALERT_NEVER && (!first_ms || fired_ms < first_ms))
            first_ms = fired_ms;
    }
    return first_ms;
}

static int step(struct replay *replay, int64_t now_ms, struct err *reterr)
{
    const struct promql_limits limits = {.subquery_step_ms = 60 * 1000};
    const struct source source = memory_source_of(&replay->memory);
    const struct rule_eval eval = {
        .group = &replay->file->groups[0],
        .rule = &replay->file->groups[0].rules[0],
        .source = &source,
        .now_ms = now_ms,
        .limits = &limits,
        .alerts = &replay->alerts,
        .output = &replay->output,
    };
    struct rule_eval_result result;
    int r = rule_eval(&eval, &result, reterr);

    if (r)
        return r;
    struct alert_set before = replay->alerts;

    replay->alerts = result.alerts.after;
    result.alerts.after = before;
    replay->fired_ms = fired_in(&replay->alerts);
    rule_eval_result_done(&result);
    return 0;
}

static int run(struct replay *replay, struct err *reterr)
{
    int64_t interval_ms = replay->file->groups[0].interval_ms;
    int64_t least_ms = (replay->end_ms - replay->start_ms) / POSTMORTEM_RULE_STEPS_MAX + 1;
    int r = 0;

    interval_ms = interval_ms < least_ms ? least_ms : interval_ms;
    for (int64_t now_ms = replay->start_ms; !r && !replay->fired_ms && now_ms < replay->end_ms;
         now_ms += interval_ms)
        r = step(replay, now_ms, reterr);
    if (!r && !replay->fired_ms) /* the last sample is looked at, wherever the steps fell */
        r = step(replay, replay->end_ms, reterr);
    return r;
}

static void add_series(struct replay *replay, const struct source_series *series)
{
    const struct labels *labels = labels_new(series->labels->at, series->labels->n);

    for (size_t i = 0; i < series->n; i++)
        memory_source_add(&replay->memory, labels, series->t_ms[i], series->values[i]);
    labels_unref(labels);
    if (!series->n)
        return;
    int64_t from_ms = series->t_ms[0];
    int64_t to_ms = series->t_ms[series->n - 1];

    if (!replay->start_ms || from_ms < replay->start_ms)
        replay->start_ms = from_ms;
    if (to_ms > replay->end_ms)
        replay->end_ms = to_ms;
}

static int replay_draft(struct db_conn *conn,
                        const char *incident,
                        struct replay *replay,
                        size_t *ret_n,
                        struct err *reterr)
{
    struct source_series *series = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, BYTES_MAX);
    int r = frozen_db_by_key(conn, incident, &arena, &series, ret_n, reterr);

    if (r)
        return r;
    for (size_t i = 0; i < *ret_n; i++)
        add_series(replay, &series[i]);
    if (*ret_n)
        r = run(replay, reterr);
    memory_source_done(&replay->memory);
    alert_set_done(&replay->alerts);
    rule_output_done(&replay->output);
    return r;
}

static int first_fire(struct db_conn *conn,
                      const char *incident,
                      const struct rule_file *file,
                      int64_t *ret_fired_ms,
                      size_t *ret_n,
                      struct err *reterr)
{
    struct replay replay = {.file = file};
    int r = replay_draft(conn, incident, &replay, ret_n, reterr);

    if (!r)
        *ret_fired_ms = replay.fired_ms;
    return r;
}

static int check_earlier(struct db_conn *conn,
                         const char *incident,
                         const struct rule_file *file,
                         struct arena *arena,
                         struct err *reterr)
{
    struct incident_alert *alerts = NULL;
    struct incident found;
    int64_t fired_ms = 0;
    int64_t then_ms = 0;
    size_t n_series = 0;
    size_t n = 0;
    int r = incident_db_get(conn, incident, arena, &found, reterr);

    if (!r)
        r = incident_db_alerts(conn, found.id, 500, arena, &alerts, &n, reterr);
    for (size_t i = 0; !r && i < n; i++)
        if (alerts[i].fired_at_ms && (!then_ms || alerts[i].fired_at_ms < then_ms))
            then_ms = alerts[i].fired_at_ms;
    if (!r)
        r = first_fire(conn, incident, file, &fired_ms, &n_series, reterr);
    if (r || !n_series || !then_ms)
        return r;
    if (fired_ms && fired_ms < then_ms)
        return 0;
    return err_set(reterr, POSTMORTEM_RULE_E_LATE,
                   fired_ms ? "over the frozen samples of %s it fires no earlier than the alert did"
                            : "over the frozen samples of %s it does not fire",
                   incident);
}

int postmortem_rule_is_live(const struct api *api,
                            const char *incident,
                            const char *draft,
                            struct err *reterr)
{
    struct rule_file *file = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, BYTES_MAX);
    int r = read_draft(draft, &file, reterr);

    if (r)
        return r;
    r = db_read_begin(api->state, &conn, reterr);
    if (!r) {
        r = find_live(conn, &file->groups[0].rules[0], &arena, reterr);
        if (!r)
            r = check_earlier(conn, incident, file, &arena, reterr);
        db_read_end(api->state, conn);
    }
    rule_file_unref(file);
    return r;
}

int postmortem_rule_first_fire(const struct api *api,
                               const char *incident,
                               const char *draft,
                               int64_t *ret_fired_ms,
                               size_t *ret_n_series,
                               struct err *reterr)
{
    struct rule_file *file = NULL;
    struct db_conn *conn = NULL;
    int r = read_draft(draft, &file, reterr);

    if (r)
        return r;
    r = db_read_begin(api->state, &conn, reterr);
    if (!r) {
        r = first_fire(conn, incident, file, ret_fired_ms, ret_n_series, reterr);
        db_read_end(api->state, conn);
    }
    rule_file_unref(file);
    return r;
}
