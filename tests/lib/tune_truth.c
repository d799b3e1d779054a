/*
 * The slow truth beside the tuner. See tune_truth.h.
 */

#include "tests/lib/tune_truth.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alert/state.h"
#include "alertd/promql/ast.h"
#include "alertd/tune/grid.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"

enum {
    ARENA_BYTES = 1 << 30,
};

/* Where an alert's series is in the rule's result. */
struct line {
    const struct labels *labels;
    bool *is_there; /* by step */
};

struct truth {
    const struct tune_ask *ask;
    const struct tune_result *result;
    struct line *lines;
    size_t n_lines, capacity;
};

struct counts {
    struct surface_cell cell;
    uint32_t delays[SURFACE_INCIDENTS_MAX];
    struct episode *episodes;
    size_t n_episodes, capacity;
};

static const struct labels *without_name(const struct labels *labels)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    labels_builder_add_all(&builder, labels);
    labels_builder_delete(&builder, LABEL_NAME);
    return labels_builder_finish(&builder);
}

static struct line *find_line(struct truth *truth, const struct labels *labels)
{
    const struct labels *own = without_name(labels);

    for (size_t i = 0; i < truth->n_lines; i++)
        if (labels_equal(truth->lines[i].labels, own)) {
            labels_unref(own);
            return &truth->lines[i];
        }
    truth->lines = mem_grow(truth->lines, &truth->capacity, truth->n_lines + 1,
                            sizeof(*truth->lines));
    truth->lines[truth->n_lines] = (struct line){own, mem_zalloc(truth->result->span.n_steps)};
    return &truth->lines[truth->n_lines++];
}

static void forget_lines(struct truth *truth)
{
    for (size_t i = 0; i < truth->n_lines; i++) {
        labels_unref(truth->lines[i].labels);
        free(truth->lines[i].is_there);
    }
    truth->n_lines = 0;
}

/* The rule with a threshold in its place; where two vectors are compared, where the right one is
 * above 0, which is what the tuner says it looks at. */
static void add_text(const struct truth *truth, double threshold, struct str *out)
{
    const struct promql_expr *expr = truth->ask->rule->expr;
    const struct split_choice *choice = truth->result->choice;
    char number[FLOAT_TEXT_MAX];

    if (choice->way != SPLIT_VECTORS) {
        split_text(expr, choice, threshold, out);
        return;
    }
    const struct split_place *place = &choice->places[0];
    (void)float_go(threshold, number);
    str_addf(out, "%.*s%s * ((%.*s) > 0)%.*s", (int)(place->start - expr->start),
             expr->text + expr->start, number, (int)(place->end - place->start),
             expr->text + place->start, (int)(expr->end - place->end), expr->text + place->end);
}

static int evaluate(struct truth *truth,
                    const struct source *source,
                    double threshold,
                    struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str text = STR_INIT(PROMQL_TEXT_MAX);
    const struct tune_span *span = &truth->result->span;
    const struct promql_query query = {
        .start_ms = span->start_ms,
        .end_ms = span->start_ms + (int64_t)(span->n_steps - 1) * span->step_ms,
        .step_ms = span->step_ms,
        .limits = {.max_points = span->n_steps},
    };
    struct promql_expr *expr = NULL;
    struct promql_value value = {0};

    arena_init(&arena, ARENA_BYTES);
    add_text(truth, threshold, &text);
    int r = promql_parse(&arena, str_text(&text), &expr, reterr);
    if (r == 0)
        r = promql_eval(expr, source, &query, &arena, &value, reterr);
    for (size_t s = 0; s < value.n && r == 0; s++) {
        struct line *line = find_line(truth, value.series[s].labels);
        for (size_t i = 0; i < value.series[s].n; i++)
            line->is_there[(value.series[s].t_ms[i] - span->start_ms) / span->step_ms] = true;
    }
    return r ? err_prefix(reterr, r, "%s", str_text(&text)) : 0;
}

/* --- one cell --- */

static bool concerns(const struct backtest_incident *incident, const struct labels *labels)
{
    for (size_t i = 0; i < incident->n_matchers; i++) {
        const char *value = labels_get(labels, incident->matchers[i].name);
        if (!matcher_matches(&incident->matchers[i], value ? value : ""))
            return false;
    }
    return true;
}

/* It fired in [begin, end]. */
static void note_alert(const struct truth *truth,
                       const struct line *line,
                       uint32_t active,
                       uint32_t begin,
                       uint32_t end,
                       struct counts *counts)
{
    const struct tune_result *result = truth->result;
    bool is_counted = begin >= result->first_step;
    bool is_true = false;

    for (size_t i = 0; i < result->n_incidents; i++) {
        const struct surface_incident *bad = &result->incidents[i].when;
        if (begin > bad->end || end < bad->begin || !concerns(&result->incidents[i], line->labels))
            continue;
        uint32_t delay = begin > bad->begin ? begin - bad->begin : 0;
        counts->delays[i] = delay < counts->delays[i] ? delay : counts->delays[i];
        is_true = true;
    }
    if (!is_counted)
        return;
    counts->cell.alerts++;
    counts->cell.true_alerts += is_true;
    counts->episodes = mem_grow(counts->episodes, &counts->capacity, counts->n_episodes + 1,
                                sizeof(*counts->episodes));
    counts->episodes[counts->n_episodes++] = (struct episode){line->labels, active, begin, end + 1,
                                                              is_true};
}

static void step_line(const struct truth *truth,
                      const struct line *line,
                      const struct backtest_setting *setting,
                      struct counts *counts)
{
    const struct tune_result *result = truth->result;
    const struct alert_timing timing = {
        .for_ms = (int64_t)setting->for_steps * result->span.step_ms,
        .keep_firing_for_ms = (int64_t)setting->keep_steps * result->span.step_ms};
    struct alert alert = ALERT_INIT;
    uint32_t began = 0;
    int64_t active_ms = 0;

    for (uint32_t i = 0; i <= result->span.n_steps; i++) {
        bool is_last = i == result->span.n_steps; /* the time ends, and with it all */
        bool was_firing = alert.state == ALERT_FIRING;
        if (is_last)
            alert.state = ALERT_INACTIVE;
        else
            (void)alert_step(&alert, &timing,
                             line->is_there[i] ? ALERT_SEEN_TRUE : ALERT_SEEN_FALSE,
                             (int64_t)i * result->span.step_ms);
        bool is_firing = alert.state == ALERT_FIRING;
        if (is_firing && !was_firing) {
            began = i;
            active_ms = alert.active_at_ms;
        }
        if (was_firing && !is_firing)
            note_alert(truth, line, (uint32_t)(active_ms / result->span.step_ms), began, i - 1,
                       counts);
        counts->cell.firing_steps += is_firing && i >= result->first_step;
    }
}

static void step_all(const struct truth *truth,
                     const struct backtest_setting *setting,
                     struct counts *counts)
{
    counts->cell = (struct surface_cell){0};
    counts->n_episodes = 0;
    for (size_t i = 0; i < SURFACE_INCIDENTS_MAX; i++)
        counts->delays[i] = SURFACE_MISSED;
    for (size_t i = 0; i < truth->n_lines; i++)
        step_line(truth, &truth->lines[i], setting, counts);
}

static int check_cell(const struct truth *truth,
                      struct suggest_cell at,
                      struct counts *counts,
                      struct err *reterr)
{
    const struct tune_result *result = truth->result;
    const struct surface *surface = backtest_surface(result->backtest);
    const struct backtest_setting setting = {.for_steps = result->for_steps[at.for_index]};
    double threshold = result->thresholds[at.threshold];

    step_all(truth, &setting, counts);
    const struct surface_cell cell = surface_cell(surface, at.threshold, at.for_index);
    if (cell.alerts != counts->cell.alerts || cell.true_alerts != counts->cell.true_alerts ||
        cell.firing_steps != counts->cell.firing_steps)
        return err_set(
            reterr, EINVAL,
            "%.200s: %g for %u steps: %llu alerts, %llu true, %llu steps instead of %llu, %llu, "
            "%llu",
            truth->ask->rule->expr->text, threshold, setting.for_steps,
            (unsigned long long)cell.alerts, (unsigned long long)cell.true_alerts,
            (unsigned long long)cell.firing_steps, (unsigned long long)counts->cell.alerts,
            (unsigned long long)counts->cell.true_alerts,
            (unsigned long long)counts->cell.firing_steps);
    for (size_t i = 0; i < result->n_incidents; i++)
        if (surface_delay(surface, i, at.threshold, at.for_index) != counts->delays[i])
            return err_set(reterr, EINVAL, "%.200s: %g for %u steps: incident %zu after %u, not %u",
                           truth->ask->rule->expr->text, threshold, setting.for_steps, i,
                           surface_delay(surface, i, at.threshold, at.for_index),
                           counts->delays[i]);
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct episode *left = a;
    const struct episode *right = b;

    if (left->fired != right->fired)
        return left->fired < right->fired ? -1 : 1;
    return labels_compare(left->labels, right->labels);
}

static int check_episodes(const struct truth *truth, struct counts *counts, struct err *reterr)
{
    const struct tune_result *result = truth->result;
    const struct backtest_setting setting = {
        .for_steps = result->for_steps[result->now.for_index],
        .keep_steps = grid_for_steps(truth->ask->rule->keep_firing_for_ms,
                                     truth->ask->interval_ms)};
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);

    step_all(truth, &setting, counts);
    if (n != counts->n_episodes)
        return err_set(reterr, EINVAL, "%.200s: %zu episodes instead of %zu",
                       truth->ask->rule->expr->text, n, counts->n_episodes);
    if (n > 0)
        qsort(counts->episodes, n, sizeof(*counts->episodes), by_time);
    for (size_t i = 0; i < n; i++) {
        const struct episode *is = &episodes[i];
        const struct episode *should = &counts->episodes[i];
        if (is->active != should->active || is->fired != should->fired ||
            is->resolved != should->resolved || is->is_true != should->is_true ||
            !labels_equal(is->labels, should->labels))
            return err_set(reterr, EINVAL, "%.200s: episode %zu: %u %u %u instead of %u %u %u",
                           truth->ask->rule->expr->text, i, is->active, is->fired, is->resolved,
                           should->active, should->fired, should->resolved);
    }
    return 0;
}

static int check_threshold(struct truth *truth,
                           const struct source *source,
                           size_t threshold,
                           size_t every,
                           struct err *reterr)
{
    const struct tune_result *result = truth->result;
    struct counts counts = {0};

    int r = evaluate(truth, source, result->thresholds[threshold], reterr);
    for (size_t k = 0; k < result->n_fors && r == 0; k++)
        if (k % every == 0 || k == result->now.for_index)
            r = check_cell(truth, (struct suggest_cell){threshold, k}, &counts, reterr);
    if (r == 0 && threshold == result->now.threshold)
        r = check_episodes(truth, &counts, reterr);
    forget_lines(truth);
    free(counts.episodes);
    return r;
}

bool tune_truth_check(const struct source *source,
                      const struct tune_ask *ask,
                      const struct tune_result *result,
                      size_t every,
                      struct err *reterr)
{
    struct truth truth = {.ask = ask, .result = result};
    int r = 0;

    for (size_t j = 0; j < result->n_thresholds && r == 0; j++)
        if (j % every == 0 || j == result->now.threshold)
            r = check_threshold(&truth, source, j, every, reterr);
    free(truth.lines);
    return r == 0;
}
