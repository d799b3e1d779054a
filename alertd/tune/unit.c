/*
 * A unit test made of what happened. See unit.h.
 */

#include "alertd/tune/unit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/eval/rule_eval.h"
#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "alertd/promql/memory_source.h"
#include "alertd/tune/input.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"
#include "lib/model/quote.h"

enum {
    ARENA_BYTES = 64 << 20,
    AFTER_STEPS_MAX = 120, /* evaluations until it is over; longer ones are not waited for */
    STEPS_BEFORE = 2,      /* quiet ones */
    DISTANCES_MAX = 64,
};

struct unit {
    const struct unit_ask *ask;
    struct arena arena;
    struct inputs inputs;
    int64_t start_ms; /* of the test, on the clock of the past */
    int64_t base_ms;  /* the same on its own */
    size_t n_steps;   /* evaluations, the first at its start */
    int64_t distance_ms;
    size_t n_samples;
    struct memory_source samples; /* of the test */
    struct str series;            /* as text */
    struct alert_set alerts;
    struct str checks;
};

static void add_quoted(const char *text, struct str *out)
{
    quote_add(out, text, strlen(text));
}

/* --- when --- */

/* Does it look at the clock? Then the test has the time of what happened. */
static bool reads_clock(const struct promql_expr *expr)
{
    const struct promql_expr *child;

    if (expr->kind == PROMQL_CALL && (expr->call.fn->reads_time || expr->call.fn->date))
        return true;
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        if (reads_clock(child))
            return true;
    return false;
}

static int lay_time(struct unit *unit, struct err *reterr)
{
    const struct unit_ask *ask = unit->ask;
    int64_t interval_ms = ask->interval_ms;
    int64_t back_ms = 0;
    int64_t end_ms = ask->fired_ms + STEPS_BEFORE * interval_ms;

    int r = inputs_of(ask->rule->expr, &unit->arena, &unit->inputs, reterr);
    if (r != 0)
        return r == -EINVAL ? UNIT_E_NONE : r;
    for (size_t i = 0; i < unit->inputs.n; i++)
        if (unit->inputs.at[i].back_ms > back_ms)
            back_ms = unit->inputs.at[i].back_ms;
    int64_t before = (back_ms + interval_ms - 1) / interval_ms + STEPS_BEFORE;
    unit->start_ms = ask->active_ms - before * interval_ms;
    if (ask->resolved_ms != INT64_MAX &&
        ask->resolved_ms - ask->fired_ms <= AFTER_STEPS_MAX * interval_ms)
        end_ms = ask->resolved_ms;
    unit->n_steps = (size_t)((end_ms - unit->start_ms) / interval_ms) + 1;
    unit->base_ms = reads_clock(ask->rule->expr) ? unit->start_ms : 0;
    return 0;
}

/* --- its samples --- */

static int compare_distances(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return (*left > *right) - (*left < *right);
}

/* How far apart samples of a series mostly are, to the second; 0: there are none. */
static int64_t distance_of(const struct source_columns *columns)
{
    int64_t distances[DISTANCES_MAX];
    size_t n = columns->n < 1 ? 0 : columns->n - 1;

    n = n < DISTANCES_MAX ? n : DISTANCES_MAX;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        distances[i] = (columns->t_ms[i + 1] - columns->t_ms[i] + 500) / 1000 * 1000;
    qsort(distances, n, sizeof(*distances), compare_distances);
    return distances[n / 2];
}

static void lay_distance(struct unit *unit, int64_t usual_ms)
{
    int64_t interval_ms = unit->ask->interval_ms;
    int64_t span_ms = (int64_t)(unit->n_steps - 1) * interval_ms;

    /* An evaluation must fall on a sample. */
    unit->distance_ms = interval_ms;
    if (usual_ms > 0 && interval_ms % usual_ms == 0 && span_ms / usual_ms < UNIT_SAMPLES_MAX)
        unit->distance_ms = usual_ms;
    unit->n_samples = (size_t)(span_ms / unit->distance_ms) + 1;
}

static void add_value(double value, struct str *out)
{
    char text[FLOAT_TEXT_MAX];

    if (sample_is_stale(value)) {
        str_add(out, "stale");
        return;
    }
    (void)float_short(value, text);
    str_add(out, text);
}

static bool is_alike(double a, double b)
{
    return a == b || (isnan(a) && isnan(b) && sample_is_stale(a) == sample_is_stale(b));
}

/* `3x4 _x2 stale`: there: which values are. */
static void add_values(const double *values, const bool *there, size_t n, struct str *out)
{
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && there[end] == there[i] && (!there[i] || is_alike(values[end], values[i])))
            end++;
        bool is_stale = there[i] && sample_is_stale(values[i]);
        if (is_stale)
            end = i + 1; /* the notation has no several of it */
        str_add(out, i ? " " : "");
        if (!there[i])
            str_addc(out, '_');
        else
            add_value(values[i], out);
        if (end - i > 1)
            str_addf(out, "x%zu", there[i] ? end - i - 1 : end - i);
        i = end;
    }
}

static int add_series(struct unit *unit,
                      const struct labels *labels,
                      const struct source_columns *columns,
                      struct err *reterr)
{
    size_t n_before = unit->samples.n;
    MEM_AUTO double *values = mem_zalloc(unit->n_samples * sizeof(*values));
    MEM_AUTO bool *there = mem_zalloc(unit->n_samples * sizeof(*there));

    for (size_t i = 0; i < columns->n; i++) {
        int64_t since_ms = columns->t_ms[i] - unit->start_ms;
        if (since_ms <= -unit->distance_ms)
            continue;
        size_t at = since_ms <= 0 ? 0 : (size_t)((since_ms - 1) / unit->distance_ms) + 1;
        if (at >= unit->n_samples)
            break;
        values[at] = columns->values[i];
        there[at] = true;
    }
    for (size_t i = 0; i < unit->n_samples; i++)
        if (there[i])
            memory_source_add(&unit->samples, labels,
                              unit->base_ms + (int64_t)i * unit->distance_ms, values[i]);
    if (unit->samples.n == n_before)
        return 0; /* it has none, or another selector chose it too */
    if (unit->samples.n > UNIT_SERIES_MAX)
        return err_set(reterr, UNIT_E_NONE, "a test of more than %d series would be none to read",
                       UNIT_SERIES_MAX);
    STR_AUTO struct str name = STR_INIT(64 * 1024);
    STR_AUTO struct str text = STR_INIT(4 << 20);
    labels_print(labels, &name);
    add_values(values, there, unit->n_samples, &text);
    str_add(&unit->series, "      - series: ");
    quote_add(&unit->series, str_text(&name), name.len);
    str_addf(&unit->series, "\n        values: \"%s\"\n", str_text(&text));
    return 0;
}

/* usual_ms: how far apart samples are, at the least, is asked; NULL: they are taken. */
static int each_series(struct unit *unit,
                       const struct source *copy,
                       int64_t *usual_ms,
                       struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct source_columns columns = {0};
    int r = 0;

    arena_init(&arena, ARENA_BYTES);
    for (size_t k = 0; k < unit->inputs.n && r == 0; k++) {
        const struct source_query query = {.matchers = unit->inputs.at[k].matchers,
                                           .n_matchers = unit->inputs.at[k].n_matchers,
                                           .from_ms = INT64_MIN / 4,
                                           .to_ms = INT64_MAX / 4};
        struct source_selection selection = {0};
        r = copy->select(copy->self, &query, &arena, &selection, reterr);
        for (size_t i = 0; i < selection.n && r == 0; i++) {
            const struct source_match *match = &selection.matches[i];
            r = copy->read(copy->self, &query, match, &arena, &columns, reterr);
            if (r != 0)
                return r;
            int64_t distance_ms = distance_of(&columns);
            if (!usual_ms)
                r = add_series(unit, match->labels, &columns, reterr);
            else if (distance_ms > 0 && (*usual_ms == 0 || distance_ms < *usual_ms))
                *usual_ms = distance_ms;
        }
    }
    return r;
}

static int take_samples(struct unit *unit, const struct labels *like, struct err *reterr)
{
    struct memory_source copied = {0};
    const struct source copy = memory_source_of(&copied);
    int64_t usual_ms = 0;
    int64_t end_ms = unit->start_ms + (int64_t)(unit->n_steps - 1) * unit->ask->interval_ms;

    memory_source_done(&unit->samples);
    unit->samples = (struct memory_source){0};
    str_cut(&unit->series, 0);
    int r = inputs_copy(&unit->inputs, unit->ask->source, unit->start_ms, end_ms, like, &copied,
                        reterr);
    if (r == 0)
        r = each_series(unit, &copy, &usual_ms, reterr);
    lay_distance(unit, usual_ms);
    if (r == 0)
        r = each_series(unit, &copy, NULL, reterr);
    memory_source_done(&copied);
    return r;
}

/* --- what it comes to --- */

static void add_pairs(const char *name,
                      const struct labels *labels,
                      bool without_name,
                      struct str *out)
{
    bool is_first = true;

    str_addf(out, "%s: {", name);
    for (size_t i = 0; labels && i < labels->n; i++) {
        if (without_name && strcmp(labels->at[i].name, "alertname") == 0)
            continue;
        str_add(out, is_first ? "" : ", ");
        add_quoted(labels->at[i].name, out);
        str_add(out, ": ");
        add_quoted(labels->at[i].value, out);
        is_first = false;
    }
    str_add(out, "}\n");
}

static void add_check(struct unit *unit, size_t step)
{
    struct str *out = &unit->checks;
    char text[DURATION_TEXT_MAX];
    size_t n = 0;

    str_addf(out, "      - eval_time: %s\n        alertname: ",
             duration_print((int64_t)step * unit->ask->interval_ms, text));
    add_quoted(unit->ask->rule->name, out);
    str_add(out, "\n        exp_alerts:");
    for (size_t i = 0; i < unit->alerts.n; i++) {
        const struct alert_entry *entry = &unit->alerts.at[i];
        if (entry->alert.state != ALERT_FIRING)
            continue;
        str_add(out, n++ ? "" : "\n");
        str_add(out, "          - ");
        add_pairs("exp_labels", entry->labels, true, out);
        str_add(out, "            ");
        add_pairs("exp_annotations", entry->annotations, false, out);
    }
    if (n == 0)
        str_add(out, " []\n");
}

static bool fires_now(const struct unit *unit)
{
    for (size_t i = 0; i < unit->alerts.n; i++) {
        const struct alert_entry *entry = &unit->alerts.at[i];
        if (entry->alert.state == ALERT_FIRING && input_is_like(entry->labels, unit->ask->labels))
            return true;
    }
    return false;
}

static int evaluate(struct unit *unit, size_t step, struct err *reterr)
{
    const struct source source = memory_source_of(&unit->samples);
    const struct promql_limits limits = {0};
    const struct rule_output none = {0};
    struct rule rule = *unit->ask->rule;
    const struct rule_group group = {
        .name = "", .interval_ms = unit->ask->interval_ms, .rules = &rule, .n_rules = 1};
    const struct rule_eval eval = {
        .group = &group,
        .rule = &rule,
        .source = &source,
        .now_ms = unit->base_ms + (int64_t)step * unit->ask->interval_ms,
        .limits = &limits,
        .external_url = unit->ask->external_url,
        .alerts = &unit->alerts,
        .output = &none,
    };
    struct rule_eval_result result;
    int r = rule_eval(&eval, &result, reterr);

    if (r != 0)
        return r;
    for (size_t i = 0; i < result.series.n; i++)
        memory_source_add(&unit->samples, result.series.at[i].labels, eval.now_ms,
                          result.series.at[i].value);
    struct alert_set before = unit->alerts;
    unit->alerts = result.alerts.after;
    result.alerts.after = before;
    rule_eval_result_done(&result);
    return 0;
}

/* Quiet before, firing, over. *ret_is_so: it is as it was. */
static int run(struct unit *unit, bool *ret_is_so, struct err *reterr)
{
    size_t fires = (size_t)((unit->ask->fired_ms - unit->start_ms) / unit->ask->interval_ms);
    bool is_so = true;

    alert_set_done(&unit->alerts);
    unit->alerts = (struct alert_set){0};
    str_cut(&unit->checks, 0);
    for (size_t step = 0; step < unit->n_steps; step++) {
        int r = evaluate(unit, step, reterr);
        if (r != 0)
            return r;
        bool is_firing = fires_now(unit);
        bool is_over = step > fires && !is_firing;
        if (step + 1 == fires || step == fires)
            is_so &= is_firing == (step == fires);
        if (step + 1 == fires || step == fires || is_over)
            add_check(unit, step);
        if (is_over)
            break;
    }
    *ret_is_so = is_so;
    return 0;
}

static void add_file(const struct unit *unit, struct str *out)
{
    char interval[DURATION_TEXT_MAX];
    char distance[DURATION_TEXT_MAX];
    char start[CLOCK_TEXT_MAX];

    str_add(out, "rule_files: [");
    add_quoted(unit->ask->file, out);
    str_addf(out, "]\nevaluation_interval: %s\ntests:\n  - name: ",
             duration_print(unit->ask->interval_ms, interval));
    STR_AUTO struct str name = STR_INIT(512);
    str_addf(&name, "%.200s of %s", unit->ask->rule->name,
             clock_rfc3339(unit->ask->fired_ms, start));
    quote_add(out, str_text(&name), name.len);
    str_addf(out, "\n    interval: %s\n", duration_print(unit->distance_ms, distance));
    if (unit->base_ms != 0)
        str_addf(out, "    start_timestamp: %s\n", clock_rfc3339(unit->base_ms, start));
    str_add(out, "    input_series:\n");
    str_add(out, str_text(&unit->series));
    str_add(out, "    alert_rule_test:\n");
    str_add(out, str_text(&unit->checks));
}

static int make(struct unit *unit, struct err *reterr)
{
    bool is_so = false;
    int r = lay_time(unit, reterr);

    if (r == 0)
        r = take_samples(unit, unit->ask->labels, reterr);
    if (r == 0)
        r = run(unit, &is_so, reterr);
    if (r != 0 || is_so)
        return r;
    /* Labels were made anew, or others are needed to fire: all of them. */
    r = take_samples(unit, NULL, reterr);
    if (r == 0)
        r = run(unit, &is_so, reterr);
    if (r == 0 && !is_so)
        r = err_set(reterr, UNIT_E_NONE,
                    "with samples at an even distance it does not fire then: no test can be made "
                    "of this alert");
    return r;
}

int unit_write(const struct unit_ask *ask, struct str *out, struct err *reterr)
{
    struct unit unit = {.ask = ask, .series = STR_INIT(8 << 20), .checks = STR_INIT(4 << 20)};

    arena_init(&unit.arena, ARENA_BYTES);
    int r = make(&unit, reterr);
    if (r == 0)
        add_file(&unit, out);
    if (r == 0 && (unit.series.full || unit.checks.full || out->full))
        r = err_set(reterr, UNIT_E_NONE, "the test would be too long");
    memory_source_done(&unit.samples);
    alert_set_done(&unit.alerts);
    str_done(&unit.series);
    str_done(&unit.checks);
    arena_reset(&unit.arena);
    return r;
}
