/*
 * Unit tests of rules, run. See unit_run.h.
 */

#include "alertd/eval/unit_run.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/eval/rule_eval.h"
#include "alertd/eval/unit_compare.h"
#include "alertd/promql/memory_source.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    QUERY_BYTES_MAX = 256 * 1024 * 1024,
    STEPS_MAX = 1000 * 1000, /* evaluations of one group: years of minutes */
};

struct running_rule {
    const struct rule_group *group;
    const struct rule *rule;
    struct alert_set alerts;
    struct rule_output output;
};

struct run {
    const struct unit_file *file;
    const struct unit_group *group;
    struct running_rule *rules;
    size_t n_rules;
    struct memory_source memory;
    size_t *next_position; /* of each input: the first not yet visible */
    struct str *report;
    bool failed;
};

/* --- Setting up ---------------------------------------------------------------------------- */

static void add_group(struct run *run, const struct rule_group *group, size_t *capacity)
{
    run->rules = mem_grow(run->rules, capacity, run->n_rules + group->n_rules + 1,
                          sizeof(*run->rules));
    for (size_t i = 0; i < group->n_rules; i++)
        run->rules[run->n_rules++] = (struct running_rule){.group = group,
                                                           .rule = &group->rules[i]};
}

static bool is_ordered(const struct unit_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_group_order; i++)
        if (strcmp(file->group_order[i], name) == 0)
            return true;
    return false;
}

/* Groups named in group_eval_order first, in that order; then the rest as it stands. */
static void add_groups(struct run *run, const struct unit_rules *rules)
{
    size_t capacity = 0;

    for (size_t name = 0; name < run->file->n_group_order; name++)
        for (size_t i = 0; i < rules->n_files; i++)
            for (size_t k = 0; k < rules->files[i]->n_groups; k++)
                if (strcmp(rules->files[i]->groups[k].name, run->file->group_order[name]) == 0)
                    add_group(run, &rules->files[i]->groups[k], &capacity);
    for (size_t i = 0; i < rules->n_files; i++)
        for (size_t k = 0; k < rules->files[i]->n_groups; k++)
            if (!is_ordered(run->file, rules->files[i]->groups[k].name))
                add_group(run, &rules->files[i]->groups[k], &capacity);
}

static void show_samples_until(struct run *run, int64_t now_ms)
{
    const struct unit_group *group = run->group;

    for (size_t i = 0; i < group->n_inputs; i++) {
        const struct unit_input *input = &group->inputs[i];
        size_t *next = &run->next_position[i];

        for (; *next < input->n; ++*next) {
            int64_t t_ms = group->start_ms + (int64_t)*next * group->interval_ms;

            if (t_ms > now_ms)
                break;
            if (!input->positions[*next].gap)
                memory_source_add(&run->memory, input->labels, t_ms, input->positions[*next].value);
        }
    }
}

/* --- Evaluating ---------------------------------------------------------------------------- */

static void adopt(struct running_rule *running, struct rule_eval_result *result)
{
    struct alert_set before = running->alerts;
    struct rule_output output = running->output;

    running->alerts = result->alerts.after;
    running->output = result->output;
    result->alerts.after = before; /* both old ones are freed with the result */
    result->output = output;
}

static int eval_one(struct run *run, struct running_rule *running, int64_t now_ms)
{
    const struct promql_limits limits = {.subquery_step_ms = run->file->evaluation_interval_ms};
    const struct source source = memory_source_of(&run->memory);
    const struct rule_eval eval = {
        .group = running->group,
        .rule = running->rule,
        .source = &source,
        .now_ms = now_ms,
        .limits = &limits,
        .external_labels = run->group->external_labels,
        .external_url = run->group->external_url,
        .alerts = &running->alerts,
        .output = &running->output,
    };
    struct rule_eval_result result;
    struct err err = {0};
    char at[DURATION_TEXT_MAX];
    int r = rule_eval(&eval, &result, &err);

    if (r) {
        str_addf(run->report, "    rule: %s, time: %s, err: %s\n", running->rule->name,
                 duration_print(now_ms - run->group->start_ms, at), err.text);
        return r;
    }
    for (size_t i = 0; i < result.series.n; i++)
        memory_source_add(&run->memory, result.series.at[i].labels,
                          now_ms - running->group->query_offset_ms, result.series.at[i].value);
    adopt(running, &result);
    rule_eval_result_done(&result);
    return 0;
}

/* All rules at one instant; false when one failed, which ends the group. */
static bool eval_all(struct run *run, int64_t now_ms)
{
    bool ok = true;

    show_samples_until(run, now_ms);
    for (size_t i = 0; i < run->n_rules; i++)
        ok &= eval_one(run, &run->rules[i], now_ms) == 0;
    return ok;
}

/* --- Alert checks -------------------------------------------------------------------------- */

static void check_alerts(struct run *run, const struct unit_alert_test *test)
{
    struct unit_alert *got = NULL;
    size_t n = 0, capacity = 0;

    for (size_t i = 0; i < run->n_rules; i++) {
        const struct running_rule *running = &run->rules[i];

        if (!running->rule->is_alert || strcmp(running->rule->name, test->alertname) != 0)
            continue;
        for (size_t k = 0; k < running->alerts.n; k++) {
            const struct alert_entry *entry = &running->alerts.at[k];

            if (entry->alert.state != ALERT_FIRING)
                continue;
            got = mem_grow(got, &capacity, n + 1, sizeof(*got));
            got[n++] = (struct unit_alert){entry->labels, entry->annotations};
        }
    }
    run->failed |= !unit_compare_alerts(test, got, n, run->report);
    free(got);
}

/* Checks belong to the last evaluation at or before their time. */
static void check_alerts_at(struct run *run, int64_t since_start_ms)
{
    for (size_t i = 0; i < run->group->n_alert_tests; i++) {
        const struct unit_alert_test *test = &run->group->alert_tests[i];

        if (since_start_ms <= test->eval_ms &&
            test->eval_ms < since_start_ms + run->file->evaluation_interval_ms)
            check_alerts(run, test);
    }
}

/* --- Expression checks ----------------------------------------------------------------------- */

static void check_expr(struct run *run, const struct unit_expr_test *test)
{
    const struct source source = memory_source_of(&run->memory);
    const struct promql_query query = {
        .start_ms = run->group->start_ms + test->eval_ms,
        .end_ms = run->group->start_ms + test->eval_ms,
        .limits = {.subquery_step_ms = run->file->evaluation_interval_ms},
    };
    struct promql_value value;
    struct promql_expr *expr = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    char at[DURATION_TEXT_MAX];

    arena_init(&arena, QUERY_BYTES_MAX);
    int r = promql_parse(&arena, test->text, &expr, &err);
    if (!r)
        r = promql_eval(expr, &source, &query, &arena, &value, &err);
    if (!r && value.type != PROMQL_VECTOR && value.type != PROMQL_SCALAR)
        r = err_set(&err, UNIT_E_FILE, "rule result is not a vector or scalar");
    if (r) {
        str_addf(run->report, "    expr: \"%s\", time: %s, err: %s\n", test->text,
                 duration_print(test->eval_ms, at), err.text);
        run->failed = true;
        return;
    }
    run->failed |= !unit_compare_samples(test, &value, run->file->fuzzy, run->report);
}

/* --- The whole ------------------------------------------------------------------------------- */

static int64_t last_eval_ms(const struct unit_group *group)
{
    int64_t last_ms = 0;

    for (size_t i = 0; i < group->n_alert_tests; i++)
        if (group->alert_tests[i].eval_ms > last_ms)
            last_ms = group->alert_tests[i].eval_ms;
    for (size_t i = 0; i < group->n_expr_tests; i++)
        if (group->expr_tests[i].eval_ms > last_ms)
            last_ms = group->expr_tests[i].eval_ms;
    return last_ms;
}

static void run_steps(struct run *run)
{
    int64_t step_ms = run->file->evaluation_interval_ms;
    int64_t end_ms = last_eval_ms(run->group);

    if (end_ms / step_ms > STEPS_MAX) {
        str_addf(run->report, "    more than %d evaluations: make evaluation_interval longer\n",
                 (int)STEPS_MAX);
        run->failed = true;
        return;
    }
    for (int64_t since_ms = 0; since_ms <= end_ms; since_ms += step_ms) {
        if (!eval_all(run, run->group->start_ms + since_ms)) {
            run->failed = true;
            return;
        }
        check_alerts_at(run, since_ms);
    }
    show_samples_until(run, run->group->start_ms + end_ms);
    for (size_t i = 0; i < run->group->n_expr_tests; i++)
        check_expr(run, &run->group->expr_tests[i]);
}

bool unit_run(const struct unit_file *file,
              const struct unit_group *group,
              const struct unit_rules *rules,
              struct str *report)
{
    struct run run = {.file = file, .group = group, .report = report};

    if (group->refusal) {
        str_addf(report, "    not run: %s\n", group->refusal);
        return false;
    }
    run.next_position = mem_zalloc((group->n_inputs + 1) * sizeof(*run.next_position));
    add_groups(&run, rules);
    run_steps(&run);
    for (size_t i = 0; i < run.n_rules; i++) {
        alert_set_done(&run.rules[i].alerts);
        rule_output_done(&run.rules[i].output);
    }
    memory_source_done(&run.memory);
    free(run.rules);
    free(run.next_position);
    return !run.failed;
}
