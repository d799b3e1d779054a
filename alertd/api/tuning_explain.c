/*
 * Why a rule did or did not fire at an instant: what it saw at the evaluation of then, what the clock
 * of its `for` said, and how old the newest samples were that it looked at. See tuning.h.
 *
 * An evaluation happens at multiples of the group's interval, moved by its phase; what is asked about is the last one
 * before the instant.
 */

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alert/state.h"
#include "alertd/api/rules.h"
#include "alertd/api/tuning.h"
#include "alertd/promql/ast.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    SERIES_MAX = 5000,
    TOLD_MAX = 50,
    SELECTORS_MAX = 8,
    QUERY_BYTES_MAX = 64 << 20,
    WARM_UP_MS = 3600000,
};

struct seen {
    const struct labels *labels;
    struct alert alert;
    double value; /* at the evaluation; NaN: none */
    uint32_t step;
};

struct explaining {
    const struct tuning *tuning;
    const struct split_choice *choice;
    double threshold;
    struct tune_span span;
    struct seen *seen;
    size_t n, capacity;
};

static bool passes(const struct explaining *explaining, double value)
{
    switch (explaining->choice->op) {
    case SURFACE_ABOVE: return value > explaining->threshold;
    case SURFACE_AT_LEAST: return value >= explaining->threshold;
    case SURFACE_BELOW: return value < explaining->threshold;
    case SURFACE_AT_MOST: break;
    }
    return value <= explaining->threshold;
}

static int64_t time_of(const struct explaining *explaining, uint32_t step)
{
    return explaining->span.start_ms + (int64_t)step * explaining->span.step_ms;
}

/* --- the clock of each series --- */

static void step_to(const struct explaining *explaining,
                    struct seen *seen,
                    uint32_t step,
                    double value)
{
    const struct alert_timing timing = {.for_ms = explaining->tuning->for_ms,
                                        .keep_firing_for_ms = explaining->tuning->keep_ms};

    for (; seen->step < step; seen->step++)
        (void)alert_step(&seen->alert, &timing, ALERT_SEEN_FALSE, time_of(explaining, seen->step));
    (void)alert_step(&seen->alert, &timing,
                     passes(explaining, value) ? ALERT_SEEN_TRUE : ALERT_SEEN_FALSE,
                     time_of(explaining, step));
    seen->step = step + 1;
    seen->value = value;
}

static struct seen *seen_of(struct explaining *explaining, const struct labels *labels)
{
    for (size_t i = 0; i < explaining->n; i++)
        if (labels_equal(explaining->seen[i].labels, labels))
            return &explaining->seen[i];
    if (explaining->n == SERIES_MAX)
        return NULL;
    explaining->seen = mem_grow(explaining->seen, &explaining->capacity, explaining->n + 1,
                                sizeof(*explaining->seen));
    struct seen *seen = &explaining->seen[explaining->n++];

    *seen = (struct seen){.labels = labels_ref(labels), .alert = ALERT_INIT, .value = NAN};
    return seen;
}

static const struct labels *copy_of(const struct labels *labels)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    labels_builder_add_all(&builder, labels);
    labels_builder_delete(&builder, LABEL_NAME);
    return labels_builder_finish(&builder);
}

static int visit(void *arg,
                 const struct labels *labels,
                 uint32_t first,
                 const double *values,
                 size_t n,
                 struct err *reterr)
{
    struct explaining *explaining = arg;
    const struct labels *own = copy_of(labels);
    struct seen *seen = seen_of(explaining, own);

    labels_unref(own);
    if (!seen)
        return err_set(reterr, TUNED_E_LIMIT, "the rule has more than %d series", SERIES_MAX);
    for (size_t i = 0; i < n; i++)
        if (first + i >= seen->step)
            step_to(explaining, seen, first + (uint32_t)i, values[i]);
    return 0;
}

/* --- what was there to be read --- */

struct newest {
    int64_t at_ms;
    size_t n;
};

static int look_for_newest(const struct explaining *explaining,
                           const struct promql_expr *selector,
                           int64_t at_ms,
                           struct newest *ret_newest,
                           struct err *reterr)
{
    struct tuned_instant instant;
    const struct source source = tuned_past_at(explaining->tuning->api, &explaining->tuning->past,
                                               at_ms, &instant);
    struct source_selection selection = {0};
    struct source_columns columns = {0};
    struct arena arena;
    const struct source_query query = {
        .matchers = selector->selector.matchers,
        .n_matchers = selector->selector.n_matchers,
        .from_ms = at_ms - 86400000,
        .to_ms = at_ms,
        .newest_only = true,
    };

    *ret_newest = (struct newest){0};
    arena_init(&arena, QUERY_BYTES_MAX);
    int r = source.select(source.self, &query, &arena, &selection, reterr);
    for (size_t i = 0; i < selection.n && r == 0; i++) {
        r = source.read(source.self, &query, &selection.matches[i], &arena, &columns, reterr);
        if (r || columns.n == 0)
            continue;
        ret_newest->n++;
        if (columns.t_ms[columns.n - 1] > ret_newest->at_ms)
            ret_newest->at_ms = columns.t_ms[columns.n - 1];
    }
    arena_reset(&arena);
    return r;
}

static size_t find_selectors(const struct promql_expr *expr,
                             const struct promql_expr **found,
                             size_t n)
{
    if (expr->kind == PROMQL_SELECTOR && n < SELECTORS_MAX)
        found[n++] = expr;
    for (size_t i = 0; expr_child(expr, i); i++)
        n = find_selectors(expr_child(expr, i), found, n);
    return n;
}

static void write_read(const struct explaining *explaining, int64_t at_ms, struct json_out *out)
{
    const struct promql_expr *selectors[SELECTORS_MAX];
    const struct promql_expr *expr = explaining->tuning->tuned.rule->expr;
    size_t n = find_selectors(expr, selectors, 0);
    struct newest newest;

    json_key(out, "read");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (look_for_newest(explaining, selectors[i], at_ms, &newest, NULL))
            continue;
        json_open(out, '{');
        json_key(out, "selector");
        json_stringn(out, expr->text + selectors[i]->start,
                     selectors[i]->end - selectors[i]->start);
        json_kv_int(out, "series", (int64_t)newest.n);
        json_kv_time(out, "newest_at", newest.at_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* --- the answer --- */

static int by_state(const void *a, const void *b)
{
    const struct seen *left = a;
    const struct seen *right = b;

    if (left->alert.state != right->alert.state)
        return left->alert.state > right->alert.state ? -1 : 1;
    return labels_compare(left->labels, right->labels);
}

static void kv_when(struct json_out *out, const char *name, int64_t at_ms)
{
    json_kv_time(out, name, at_ms == ALERT_NEVER ? 0 : at_ms);
}

static void write_seen(const struct explaining *explaining,
                       const struct seen *seen,
                       struct json_out *out)
{
    const struct alert *alert = &seen->alert;
    int64_t for_ms = explaining->tuning->for_ms;
    int64_t step_ms = explaining->span.step_ms;
    bool is_pending = alert->state == ALERT_PENDING;
    int64_t held_ms = (for_ms + step_ms - 1) / step_ms * step_ms;

    json_open(out, '{');
    rules_json_labels(out, "labels", seen->labels);
    json_kv_float(out, "value", seen->value);
    json_kv_bool(out, "passes", passes(explaining, seen->value));
    json_kv_string(out, "state", alert_state_name(alert->state));
    kv_when(out, "active_at", alert->state == ALERT_INACTIVE ? ALERT_NEVER : alert->active_at_ms);
    kv_when(out, "fired_at", alert->state == ALERT_FIRING ? alert->fired_at_ms : ALERT_NEVER);
    kv_when(out, "fires_at", is_pending ? alert->active_at_ms + held_ms : ALERT_NEVER);
    kv_when(out, "kept_since",
            alert->state == ALERT_FIRING ? alert->keep_firing_since_ms : ALERT_NEVER);
    json_close(out, '}');
}

static void write_answer(struct explaining *explaining, int64_t at_ms, struct json_out *out)
{
    const struct tuning *tuning = explaining->tuning;
    uint32_t last = explaining->span.n_steps - 1;
    const struct alert_timing timing = {.for_ms = tuning->for_ms,
                                        .keep_firing_for_ms = tuning->keep_ms};
    size_t n_by_state[3] = {0};

    for (size_t i = 0; i < explaining->n; i++) {
        struct seen *seen = &explaining->seen[i];
        if (seen->step <= last)
            seen->value = NAN;
        for (; seen->step <= last; seen->step++)
            (void)alert_step(&seen->alert, &timing, ALERT_SEEN_FALSE,
                             time_of(explaining, seen->step));
        n_by_state[seen->alert.state]++;
    }
    if (explaining->n > 0)
        qsort(explaining->seen, explaining->n, sizeof(*explaining->seen), by_state);
    json_open(out, '{');
    json_kv_time(out, "at", at_ms);
    json_kv_time(out, "evaluated_at", time_of(explaining, last));
    json_kv_time(out, "next_at", time_of(explaining, last) + explaining->span.step_ms);
    json_kv_float(out, "threshold", explaining->threshold);
    json_kv_int(out, "n_series", (int64_t)explaining->n);
    json_kv_int(out, "firing", (int64_t)n_by_state[ALERT_FIRING]);
    json_kv_int(out, "pending", (int64_t)n_by_state[ALERT_PENDING]);
    json_key(out, "series");
    json_open(out, '[');
    for (size_t i = 0; i < explaining->n && i < TOLD_MAX; i++)
        write_seen(explaining, &explaining->seen[i], out);
    json_close(out, ']');
    write_read(explaining, time_of(explaining, last), out);
    told_json(tuning->past.told, out);
    json_close(out, '}');
}

static int evaluate(struct explaining *explaining, int64_t at_ms, struct err *reterr)
{
    const struct tuning *tuning = explaining->tuning;
    int64_t step_ms = tuning->tuned.interval_ms;
    int64_t phase_ms = tuning->tuned.phase_ms % step_ms;
    int64_t warm_ms = WARM_UP_MS + 2 * tuning->for_ms + tuning->keep_ms;
    struct tune_span *span = &explaining->span;
    struct tuned_over over;

    assert(explaining->choice); /* chosen, or who asks has been told why not */
    span->step_ms = step_ms;
    span->start_ms = (at_ms - warm_ms - phase_ms) / step_ms * step_ms + phase_ms;
    if (tuning->past.is_drill && tuning->past.when.from_ms > span->start_ms)
        span->start_ms = tuning->past.when.from_ms < at_ms ? tuning->past.when.from_ms : at_ms;
    span->n_steps = (uint32_t)((at_ms - span->start_ms) / step_ms) + 1;
    int r = tuning_over_begin(tuning, &over, reterr);
    if (r == 0)
        r = tuned_over_code(&over,
                            over.reader.read(over.reader.reader, explaining->choice->expr, span,
                                             explaining->choice->way == SPLIT_PRESENCE, visit,
                                             explaining, reterr),
                            reterr);
    tuned_over_done(&over);
    return r;
}

static int choose(struct explaining *explaining,
                  struct arena *arena,
                  const struct json *body,
                  int64_t *ret_at_ms,
                  struct err *reterr)
{
    const struct tuning *tuning = explaining->tuning;
    struct split_choice *choices = NULL;
    const char *at = NULL;
    size_t n = 0;

    if (json_get_string(body, "at", &at, reterr))
        return TUNED_E_BAD;
    if (clock_parse_rfc3339(at, ret_at_ms) || *ret_at_ms < WARM_UP_MS)
        return err_set(reterr, TUNED_E_BAD, "at: expected a time like 2026-11-03T02:10:00Z");
    int r = split_expr(tuning->tuned.rule->expr, arena, &choices, &n, reterr);
    if (r)
        return TUNED_E_LIMIT;
    if (tuning->choice >= n)
        return err_set(reterr, TUNED_E_BAD, "choice: the rule has %zu things to move", n);
    explaining->choice = &choices[tuning->choice];
    /* What lies within has no value of its own: whether the rule has one, then. */
    if (explaining->choice->way == SPLIT_AGAIN)
        explaining->choice = &choices[n - 1];
    explaining->threshold = tuning->has_setting && explaining->choice->way != SPLIT_PRESENCE
                                ? tuning->threshold
                                : explaining->choice->now;
    return 0;
}

void tuning_explain(const struct tuning *tuning,
                    const struct json *body,
                    struct http_response *response)
{
    struct explaining explaining = {.tuning = tuning};
    struct json_out out = JSON_OUT(&response->body);
    struct arena arena;
    struct err err = {0};
    int64_t at_ms = 0;

    arena_init(&arena, 16 << 20);
    int r = choose(&explaining, &arena, body, &at_ms, &err);
    if (r == 0)
        r = evaluate(&explaining, at_ms, &err);
    if (r)
        tuned_fail(response, tuning->past.told, r, &err);
    else
        write_answer(&explaining, at_ms, &out);
    for (size_t i = 0; i < explaining.n; i++)
        labels_unref(explaining.seen[i].labels);
    free(explaining.seen);
    arena_reset(&arena);
}
