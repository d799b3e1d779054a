/*
 * Unit tests of rules, run. See unit_run.h.
 */

#include "alertd/eval/unit_run.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/eval/unit_compare.h"
#include "alertd/eval/unit_private.h"
#include "lib/base/mem.h"

enum {
    QUERY_BYTES_MAX = 256 * 1024 * 1024,
    STEPS_MAX = 1000 * 1000, /* evaluations of one group: years of minutes */
};

/* --- Setting up ---------------------------------------------------------------------------- */

static void add_group(struct unit_running *run,
                      const struct rule_file *file,
                      const struct rule_group *group,
                      size_t *capacity)
{
    run->rules = mem_grow(run->rules, capacity, run->n_rules + group->n_rules + 1,
                          sizeof(*run->rules));
    for (size_t i = 0; i < group->n_rules; i++)
        run->rules[run->n_rules++] = (struct unit_running_rule){
            .group = group, .rule = &group->rules[i], .source = file->source};
}

static bool is_ordered(const struct unit_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_group_order; i++)
        if (strcmp(file->group_order[i], name) == 0)
            return true;
    return false;
}

/* Groups named in group_eval_order first, in that order; then the rest as it stands. */
static void add_groups(struct unit_running *run, const struct unit_rules *rules)
{
    size_t capacity = 0;

    for (size_t name = 0; name < run->file->n_group_order; name++)
        for (size_t i = 0; i < rules->n_files; i++)
            for (size_t k = 0; k < rules->files[i]->n_groups; k++)
                if (strcmp(rules->files[i]->groups[k].name, run->file->group_order[name]) == 0)
                    add_group(run, rules->files[i], &rules->files[i]->groups[k], &capacity);
    for (size_t i = 0; i < rules->n_files; i++)
        for (size_t k = 0; k < rules->files[i]->n_groups; k++)
            if (!is_ordered(run->file, rules->files[i]->groups[k].name))
                add_group(run, rules->files[i], &rules->files[i]->groups[k], &capacity);
}

static void show_samples_until(struct unit_running *run, int64_t now_ms)
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

static void adopt(struct unit_running_rule *running, struct rule_eval_result *result)
{
    struct alert_set before = running->alerts;
    struct rule_output output = running->output;

    running->alerts = result->alerts.after;
    running->output = result->output;
    result->alerts.after = before; /* both old ones are freed with the result */
    result->output = output;
}

static void tell_rule(struct unit_running *run,
                      const struct unit_running_rule *running,
                      int64_t now_ms,
                      const struct err *err)
{
    STR_AUTO struct str words = STR_INIT(UNIT_REPORT_TEXT_MAX);

    str_addf(&words, "%s (%s:%u)", err->text, running->source, running->rule->node->line);
    unit_report_add(run->report, &(struct unit_failure){.kind = UNIT_FAILURE_RULE,
                                                        .eval_ms = now_ms - run->group->start_ms,
                                                        .subject = running->rule->name,
                                                        .words = str_text(&words)});
}

static int eval_one(struct unit_running *run, struct unit_running_rule *running, int64_t now_ms)
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
    int r = rule_eval(&eval, &result, &err);

    if (r) {
        tell_rule(run, running, now_ms, &err);
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
static bool eval_all(struct unit_running *run, int64_t now_ms)
{
    bool ok = true;

    run->now_ms = now_ms;
    show_samples_until(run, now_ms);
    for (size_t i = 0; i < run->n_rules; i++)
        ok &= eval_one(run, &run->rules[i], now_ms) == 0;
    return ok;
}

/* --- Alert checks -------------------------------------------------------------------------- */

/* The alert's annotations with those the rule has and that came out empty: promtool tells
 * them from absent ones. A new reference. */
static const struct labels *all_annotations(const struct rule *rule, const struct labels *texts)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    for (size_t i = 0; i < rule->n_annotations; i++)
        labels_builder_set(&builder, rule->annotations[i].name, "");
    labels_builder_add_all(&builder, texts);
    return labels_of_texts(builder.pairs, builder.n);
}

/* What is firing of one name, in all groups; *ret_known: some rule has that name. */
static struct unit_alert *firing(const struct unit_running *run,
                                 const char *alertname,
                                 size_t *ret_n,
                                 bool *ret_known)
{
    struct unit_alert *got = NULL;
    size_t n = 0, capacity = 0;

    *ret_known = false;
    for (size_t i = 0; i < run->n_rules; i++) {
        const struct unit_running_rule *running = &run->rules[i];

        if (!running->rule->is_alert || strcmp(running->rule->name, alertname) != 0)
            continue;
        *ret_known = true;
        for (size_t k = 0; k < running->alerts.n; k++) {
            const struct alert_entry *entry = &running->alerts.at[k];

            if (entry->alert.state != ALERT_FIRING)
                continue;
            got = mem_grow(got, &capacity, n + 1, sizeof(*got));
            got[n++] = (struct unit_alert){entry->labels,
                                           all_annotations(running->rule, entry->annotations)};
        }
    }
    *ret_n = n;
    return got;
}

static void tell_alerts(struct unit_running *run,
                        const struct unit_alert_test *test,
                        bool known,
                        struct str *words,
                        const struct str *diff)
{
    const char *near = known ? NULL : unit_why_near_name(run, test->alertname);

    if (!known)
        str_addf(words, "; no rule in these files has that name%s%s%s",
                 near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
    unit_report_add(run->report,
                    &(struct unit_failure){.kind = UNIT_FAILURE_ALERT,
                                           .check = (size_t)(test - run->group->alert_tests),
                                           .line = test->node->line,
                                           .column = test->node->column,
                                           .eval_ms = test->eval_ms,
                                           .subject = test->alertname,
                                           .words = str_text(words),
                                           .diff = str_text(diff)});
}

static void check_alerts(struct unit_running *run, const struct unit_alert_test *test)
{
    STR_AUTO struct str words = STR_INIT(UNIT_REPORT_TEXT_MAX);
    STR_AUTO struct str diff = STR_INIT(UNIT_REPORT_DIFF_MAX);
    struct unit_why_question question = {run, test};
    const struct unit_why why = {unit_why_tell, &question};
    bool known;
    size_t n;
    MEM_AUTO struct unit_alert *got = firing(run, test->alertname, &n, &known);

    if (!unit_compare_alerts(test, got, n, &why, &words, &diff))
        tell_alerts(run, test, known, &words, &diff);
    for (size_t i = 0; i < n; i++)
        labels_unref(got[i].annotations);
}

/* Checks belong to the last evaluation at or before their time. */
static void check_alerts_at(struct unit_running *run, int64_t since_start_ms)
{
    for (size_t i = 0; i < run->group->n_alert_tests; i++) {
        const struct unit_alert_test *test = &run->group->alert_tests[i];

        if (since_start_ms <= test->eval_ms &&
            test->eval_ms < since_start_ms + run->file->evaluation_interval_ms)
            check_alerts(run, test);
    }
}

/* --- Expression checks ----------------------------------------------------------------------- */

static void fail_expr(struct unit_running *run,
                      const struct unit_expr_test *test,
                      const struct yaml_node *at,
                      const char *words,
                      const char *diff)
{
    unit_report_add(run->report,
                    &(struct unit_failure){.kind = UNIT_FAILURE_EXPR,
                                           .check = (size_t)(test - run->group->expr_tests),
                                           .line = at->line,
                                           .column = at->column,
                                           .eval_ms = test->eval_ms,
                                           .subject = test->text,
                                           .words = words,
                                           .diff = diff});
}

/* An error of the expression, where it is in the test file. */
static void fail_expr_at(struct unit_running *run,
                         const struct unit_expr_test *test,
                         const struct err *err)
{
    const struct yaml_node *expr = yaml_get(test->node, "expr");
    struct yaml_node at = {.line = test->node->line, .column = test->node->column};
    size_t offset = 0;

    if (expr && err->line) {
        for (unsigned line = 1; line < err->line && test->text[offset]; offset++)
            line += test->text[offset] == '\n';
        yaml_place(expr, offset + (err->column ? err->column - 1 : 0), &at.line, &at.column);
    }
    fail_expr(run, test, &at, err->text, NULL);
}

static void check_expr(struct unit_running *run, const struct unit_expr_test *test)
{
    const struct source source = memory_source_of(&run->memory);
    const struct promql_query query = {
        .start_ms = run->group->start_ms + test->eval_ms,
        .end_ms = run->group->start_ms + test->eval_ms,
        .limits = {.subquery_step_ms = run->file->evaluation_interval_ms},
    };
    STR_AUTO struct str words = STR_INIT(UNIT_REPORT_TEXT_MAX);
    STR_AUTO struct str diff = STR_INIT(UNIT_REPORT_DIFF_MAX);
    struct promql_value value;
    struct promql_expr *expr = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, QUERY_BYTES_MAX);
    int r = promql_parse(&arena, test->text, &expr, &err);
    if (!r)
        r = promql_eval(expr, &source, &query, &arena, &value, &err);
    if (!r && value.type != PROMQL_VECTOR && value.type != PROMQL_SCALAR)
        r = err_set(&err, UNIT_E_FILE, "it gives neither a vector nor a scalar");
    if (r) {
        fail_expr_at(run, test, &err);
        return;
    }
    if (!unit_compare_samples(test, &value, run->file->fuzzy, &words, &diff))
        fail_expr(run, test, test->node, str_text(&words), str_text(&diff));
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

static void fail_group(struct unit_running *run, const char *words)
{
    unit_report_add(run->report, &(struct unit_failure){.kind = UNIT_FAILURE_GROUP,
                                                        .line = run->group->node->line,
                                                        .column = run->group->node->column,
                                                        .words = words});
}

static void run_steps(struct unit_running *run)
{
    int64_t step_ms = run->file->evaluation_interval_ms;
    int64_t end_ms = last_eval_ms(run->group);

    if (end_ms / step_ms > STEPS_MAX) {
        fail_group(run, "more than a million evaluations: make evaluation_interval longer");
        return;
    }
    for (int64_t since_ms = 0; since_ms <= end_ms; since_ms += step_ms) {
        if (!eval_all(run, run->group->start_ms + since_ms))
            return;
        check_alerts_at(run, since_ms);
    }
    show_samples_until(run, run->group->start_ms + end_ms);
    for (size_t i = 0; i < run->group->n_expr_tests; i++)
        check_expr(run, &run->group->expr_tests[i]);
}

bool unit_run(const struct unit_file *file,
              const struct unit_group *group,
              const struct unit_rules *rules,
              struct unit_report *report)
{
    struct unit_running run = {.file = file, .group = group, .report = report};

    if (group->refusal) {
        fail_group(&run, group->refusal);
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
    return report->n + report->n_untold == 0;
}
