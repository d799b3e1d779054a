/*
 * A candidate beside its rule: evaluated at the rule's own instants, behind what the group owes
 * people, and silent. See eval.h.
 *
 *   group committed --> each candidate: the same slot, its own state --> one job: rows
 *
 * Nothing of it reaches the pager, the store, incidents or reports. What goes wrong with it is
 * written in its own row; it has the time that is left until the group's next slot and not more.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/app/eval.h"
#include "alertd/db/trial_db.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    TRIAL_ALERTS_AT_ONCE = 1000,
    TEXT_BYTES_MAX = 1 << 20,
    INDENT = 6,
};

struct eval_trial {
    int64_t began_ms;
    bool is_seeded;
    struct rule_file *file;
    const struct rule *rule; /* NULL: it can't be read any more */
    struct err broken;       /* why */
    struct alert_set alerts; /* as committed */
};

/* A version's text stands alone: a file has it below two more lines. */
static void parse(struct eval_trial *trial, const char *yaml)
{
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);

    str_add(&text, "groups:\n  - name: canary\n    rules:\n");
    while (*yaml) {
        size_t len = strcspn(yaml, "\n");

        str_addf(&text, "%*s%.*s\n", INDENT, "", (int)len, yaml);
        yaml += len + (yaml[len] == '\n');
    }
    if (rule_file_parse("canary", str_text(&text), text.len, NULL, &trial->file, &trial->broken))
        return;
    if (trial->file->n_rules == 1 && trial->file->groups[0].rules[0].is_alert)
        trial->rule = &trial->file->groups[0].rules[0];
    else
        (void)err_set(&trial->broken, 1, "it is not one alert");
}

int eval_trial_load(struct db_conn *conn,
                    const struct trial_row *row,
                    struct eval_trial **ret_trial,
                    struct err *reterr)
{
    struct eval_trial *trial = mem_zalloc(sizeof(*trial));
    int r = trial_db_state(conn, row->rule_id, &trial->alerts, reterr);

    trial->began_ms = row->began_ms;
    trial->is_seeded = row->is_seeded;
    parse(trial, row->yaml);
    *ret_trial = trial;
    return r;
}

void eval_trial_free(struct eval_trial *trial)
{
    if (!trial)
        return;
    alert_set_done(&trial->alerts);
    rule_file_unref(trial->file);
    free(trial);
}

void eval_trial_skip(struct eval_trial *trial, int64_t gap_ms)
{
    for (size_t i = 0; trial && i < trial->alerts.n; i++)
        alert_skip(&trial->alerts.at[i].alert, gap_ms);
}

/* It begins where the rule is: what the rule waits for or fires since an hour is no news of it. */
static void seed(struct eval_trial *trial, const struct alert_set *current)
{
    for (size_t i = 0; i < current->n; i++)
        alert_set_add(&trial->alerts, &current->at[i]);
}

static int evaluate(struct loop_eval *loop,
                    const struct eval_group *group,
                    const struct eval_rule *rule,
                    int64_t left_ms,
                    struct rule_eval_result *result,
                    struct err *reterr)
{
    struct source source = store_source(loop->options.store);
    struct promql_limits limits = loop->options.limits;
    struct rule_group alone = *group->group;
    const struct rule_output none = {0};
    const struct rule_eval eval = {
        .group = &alone,
        .rule = rule->trial->rule,
        .rule_id = rule->id,
        .source = &source,
        .now_ms = group->slot_ms,
        .limits = &limits,
        .external_url = loop->options.external_url,
        .alerts = &rule->trial->alerts,
        .output = &none,
        .no_data_hold_ms = EVAL_NO_DATA_HOLD_MS,
    };

    if (!rule->trial->rule)
        return err_set(reterr, 1, "it can't be read any more: %.300s", rule->trial->broken.text);
    if (left_ms <= 0)
        return err_set(reterr, 1, "the group left it no time before its next evaluation");
    if (alone.limit == 0 || alone.limit > TRIAL_ALERTS_AT_ONCE)
        alone.limit = TRIAL_ALERTS_AT_ONCE;
    limits.deadline_ms = clock_mono_ms() +
                         (left_ms < loop->options.timeout_ms ? left_ms : loop->options.timeout_ms);
    limits.now_fn = clock_mono_ms;
    return rule_eval(&eval, result, reterr);
}

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    return trial_db_save(conn, arg, reterr);
}

static void run_trial(struct loop_eval *loop,
                      const struct eval_group *group,
                      struct eval_rule *rule)
{
    struct eval_trial *trial = rule->trial;
    int64_t left_ms = group->slot_ms + group->group->interval_ms - clock_wall_ms();
    static const struct alert_set nothing = {0};
    struct rule_eval_result result = {0};
    struct err words = {0};
    struct err err = {0};

    if (!trial->is_seeded)
        seed(trial, &rule->alerts);
    bool ok = evaluate(loop, group, rule, left_ms, &result, &words) == 0;
    struct trial_save save = {
        .rule_id = rule->id,
        .began_ms = trial->began_ms,
        .now_ms = group->slot_ms,
        .error = ok ? NULL : words.text,
        .before = trial->is_seeded ? &trial->alerts : &nothing,
        .after = ok ? &result.alerts.after : NULL,
        .current = &rule->alerts,
    };
    int r = db_write(loop->options.state, job_save, &save, &err);

    if (r)
        log_warn(loop->options.log, "eval", "a canary's evaluation could not be stored",
                 "group=\"%s\" rule=%lld error=\"%s\"", group->group->name, (long long)rule->id,
                 err.text);
    if (r == 0 && ok) {
        trial->is_seeded = true;
        alert_set_done(&trial->alerts);
        trial->alerts = result.alerts.after;
        result.alerts.after = (struct alert_set){0};
    }
    if (ok)
        rule_eval_result_done(&result);
}

void eval_trials(struct loop_eval *loop, struct eval_group *group)
{
    for (size_t i = 0; i < group->group->n_rules; i++)
        if (group->rules[i].trial)
            run_trial(loop, group, &group->rules[i]);
}
