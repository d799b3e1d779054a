/*
 * Evaluation: one function per kind of node, limits, messages, and the public door.
 * See eval.h.
 */

#include "alertd/promql/eval.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/fn_body.h"
#include "lib/base/bug.h"

enum {
    SAMPLES_DEFAULT = 500000000,
    POINTS_DEFAULT = 11000,
    LOOKBACK_DEFAULT_MS = 5 * 60 * 1000,
    TICKS_PER_LOOK = 64,     /* series between two looks at the clock */
    WORK_PER_LOOK = 1 << 20, /* samples */
    NOTES_MAX = 100,
};

void eval_say(struct eval *eval, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    (void)err_set(eval->reterr, PROMQL_E_EVAL, "%s", words);
}

void eval_say_out_of_memory(struct eval *eval)
{
    (void)err_set(eval->reterr, PROMQL_E_LIMIT,
                  "the query needs more memory than the %zu MiB it may use; select fewer series, "
                  "a shorter time or a longer step",
                  eval->arena->limit >> 20);
}

int eval_look(struct eval *eval)
{
    const struct promql_limits *limits = &eval->limits;

    if (!limits->deadline_ms || !limits->now_fn)
        return 0;
    if (limits->now_fn() < limits->deadline_ms)
        return 0;
    (void)err_set(eval->reterr, PROMQL_E_LIMIT, "query timed out in expression evaluation");
    return PROMQL_E_LIMIT;
}

int eval_tick(struct eval *eval)
{
    return ++eval->ticks % TICKS_PER_LOOK ? 0 : eval_look(eval);
}

int eval_work(struct eval *eval, size_t samples)
{
    eval->work += samples;
    if (eval->work < WORK_PER_LOOK)
        return 0;
    eval->work = 0;
    return eval_look(eval);
}

/* --- Messages beside a result --------------------------------------------------------- */

static void place_at(const struct promql_expr *expr,
                     uint32_t at,
                     unsigned *ret_line,
                     unsigned *ret_column)
{
    struct err err = {0};

    (void)lexer_error(expr->text, at, 0, &err, "here");
    *ret_line = err.line;
    *ret_column = err.column;
}

/* Inside any parentheses: what is meant, not what encloses it. */
static void place_of(const struct promql_expr *expr, unsigned *ret_line, unsigned *ret_column)
{
    expr = expr_unwrap(expr);
    place_at(expr, expr->start, ret_line, ret_column);
}

/* Where a person looks for a failure: an operator stands for its sides. */
static void place_of_failure(const struct promql_expr *expr,
                             unsigned *ret_line,
                             unsigned *ret_column)
{
    uint32_t at = expr->kind == PROMQL_BINARY ? expr->binary.op_start : expr->start;

    place_at(expr, at, ret_line, ret_column);
}

/* The same words once, with the place that said them last; past a hundred nobody reads. */
static void add_note(struct eval *eval, struct note **list, const char *text, size_t words_len)
{
    struct note *note = *list;
    size_t n = 0;

    for (; note; note = note->next, n++)
        if (note->words_len == words_len && memcmp(note->text, text, words_len) == 0)
            break;
    if (note && strcmp(note->text, text) == 0)
        return;
    const char *kept = n < NOTES_MAX ? arena_strndup(eval->arena, text, strlen(text)) : NULL;
    if (!kept)
        return;
    if (note) {
        note->text = kept;
        return;
    }
    note = arena_alloc(eval->arena, sizeof(*note));
    if (!note)
        return;
    *note = (struct note){*list, kept, words_len};
    *list = note;
}

static void add_placed(struct eval *eval,
                       struct note **list,
                       const char *kind,
                       const struct promql_expr *at,
                       const char *words)
{
    char text[ERR_TEXT_MAX + 64];
    unsigned line;
    unsigned column;

    place_of(at, &line, &column);
    int len = snprintf(text, sizeof(text), "PromQL %s: %s", kind, words);
    (void)snprintf(text + len, sizeof(text) - (size_t)len, " (%u:%u)", line, column);
    add_note(eval, list, text, (size_t)len);
}

void eval_warn(struct eval *eval, const struct promql_expr *at, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    add_placed(eval, &eval->warnings, "warning", at, words);
}

void eval_inform(struct eval *eval, const struct promql_expr *at, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    add_placed(eval, &eval->infos, "info", at, words);
}

/* --- Nodes ----------------------------------------------------------------------------- */

static int eval_number(struct eval *eval, double number, struct value *ret_value)
{
    int r = scalar_new(eval, ret_value);

    if (r)
        return r;
    for (size_t i = 0; i < eval->grid.n; i++)
        ret_value->columns[0].values[i] = number;
    return 0;
}

static int eval_unary(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    int r = eval_expr(eval, expr->unary.of, ret_value);

    if (r || !expr->unary.minus)
        return r;
    for (size_t i = 0; i < ret_value->n; i++) {
        double *values = ret_value->columns[i].values;

        for (size_t j = 0; j < eval->grid.n; j++)
            if (!is_hole(values[j]))
                values[j] = -values[j];
    }
    if (ret_value->type != PROMQL_VECTOR || ret_value->one_name)
        return ret_value->type == PROMQL_VECTOR ? vector_drop_names(eval, ret_value) : 0;
    /* series that come to be called the same are an error, even at different steps */
    for (size_t i = 0; i < ret_value->n; i++)
        ret_value->columns[i].nameless = true;
    ret_value->one_name = true;
    return vector_merge(eval, ret_value, true);
}

static int eval_kind(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    switch (expr->kind) {
    case PROMQL_NUMBER: return eval_number(eval, expr->number.value, ret_value);
    case PROMQL_STRING_LITERAL:
        *ret_value = (struct value){.type = PROMQL_STRING, .string = expr->string};
        return 0;
    case PROMQL_SELECTOR: return eval_selector(eval, expr, ret_value);
    case PROMQL_SUBQUERY: UNREACHABLE("a range vector where a value stands");
    case PROMQL_CALL: return expr->call.fn->eval(eval, expr, ret_value);
    case PROMQL_AGGREGATE:
        return eval->memo && eval->grid.n == 1 ? eval_remembered(eval, expr, ret_value)
                                               : eval_aggregate(eval, expr, ret_value);
    case PROMQL_BINARY: return eval_binary(eval, expr, ret_value);
    case PROMQL_UNARY: return eval_unary(eval, expr, ret_value);
    case PROMQL_PAREN: UNREACHABLE("eval_expr() looks inside parentheses");
    }
    UNREACHABLE("expression kind");
}

/* The same at every step: all samples pinned by @, no function of the step's time. */
static bool is_fixed(const struct promql_expr *expr)
{
    const struct promql_expr *child;

    if (expr->kind == PROMQL_SELECTOR)
        return expr->selector.when.at != AT_NONE;
    if (expr->kind == PROMQL_SUBQUERY)
        return expr->subquery.when.at != AT_NONE;
    if (expr->kind == PROMQL_CALL && expr->call.fn->reads_time)
        return false;
    for (size_t i = 0; (child = expr_child(expr, i)); i++)
        if (!is_fixed(child))
            return false;
    return true;
}

/* Evaluated at one step, repeated at all. */
static int eval_fixed(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    size_t n = eval->grid.n;

    eval->grid.n = 1;
    int r = eval_kind(eval, expr, ret_value);
    eval->grid.n = n;
    for (size_t i = 0; !r && i < ret_value->n; i++) {
        double one = ret_value->columns[i].values[0];
        double *all = arena_array(eval->arena, n, sizeof(*all));

        if (!all)
            return eval_out_of_memory(eval);
        for (size_t j = 0; j < n; j++)
            all[j] = one;
        ret_value->columns[i].values = all;
    }
    return r;
}

int eval_blame(struct eval *eval, const struct promql_expr *expr, int code)
{
    if (code > 0 && eval->reterr && !eval->reterr->line)
        place_of_failure(expr, &eval->reterr->line, &eval->reterr->column);
    return code;
}

int eval_expr(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    bool fixed = eval->grid.n > 1 && expr->kind != PROMQL_NUMBER && is_fixed(expr);
    struct explain_frame frame = {0};

    if (eval->hole && hole_takes(eval->hole, expr))
        return hole_value(eval, expr, ret_value);
    if (expr->kind == PROMQL_PAREN)
        return eval_expr(eval, expr->paren, ret_value);
    if (eval->explain)
        explain_enter(eval, expr, &frame);
    int r = fixed ? eval_fixed(eval, expr, ret_value) : eval_kind(eval, expr, ret_value);
    if (eval->explain)
        explain_value(eval, &frame, r ? NULL : ret_value, fixed);
    return r ? eval_blame(eval, expr, r) : 0;
}

int eval_each(struct eval *eval, const struct promql_expr *expr, struct taker *taker)
{
    struct value value = {0};
    int r;

    expr = expr_unwrap(expr);
    /* who explains a query counts what each node made */
    bool at_once = eval->explain || (eval->grid.n > 1 && is_fixed(expr));
    if (eval->hole && hole_takes(eval->hole, expr)) {
        r = hole_each(eval, expr, taker);
    } else if (!at_once && expr->kind == PROMQL_SELECTOR) {
        r = eval_selector_each(eval, expr, taker);
    } else if (!at_once && expr->kind == PROMQL_CALL && expr->call.fn->eval == eval_window) {
        r = eval_window_each(eval, expr, taker);
    } else if (!at_once && is_filter(expr)) {
        r = eval_filter_each(eval, expr, taker);
    } else {
        r = eval_expr(eval, expr, &value);
        if (!r)
            r = vector_each(eval, &value, taker);
    }
    return r ? eval_blame(eval, expr, r) : 0;
}

/* --- Arguments ------------------------------------------------------------------------- */

int eval_scalar_arg(struct eval *eval,
                    const struct promql_expr *call,
                    size_t i,
                    const double **ret_values)
{
    struct value value = {0};
    int r = eval_expr(eval, call->call.args[i], &value);

    if (r)
        return r;
    assert(value.type == PROMQL_SCALAR && value.columns);
    *ret_values = value.columns[0].values;
    return 0;
}

int eval_vector_arg(struct eval *eval,
                    const struct promql_expr *call,
                    size_t i,
                    struct value *ret_value)
{
    return eval_expr(eval, call->call.args[i], ret_value);
}

const char *eval_string_arg(const struct promql_expr *call, size_t i)
{
    return expr_unwrap(call->call.args[i])->string;
}

/* --- The public door --------------------------------------------------------------------- */

static int take_notes(struct eval *eval,
                      const struct note *notes,
                      const char ***ret_texts,
                      size_t *ret_n)
{
    size_t n = 0;

    for (const struct note *at = notes; at; at = at->next)
        n++;
    const char **texts = arena_array(eval->arena, n ? n : 1, sizeof(*texts));
    if (!texts)
        return eval_out_of_memory(eval);
    *ret_texts = texts;
    *ret_n = n;
    for (; notes; notes = notes->next)
        texts[--n] = notes->text;
    return 0;
}

static const struct labels *final_labels(struct eval *eval, const struct column *column)
{
    static const struct label_filter all = {.choice = LABELS_ALL};

    if (!column->nameless || !labels_get(column->labels, LABEL_NAME))
        return column->labels;
    return filter_labels(eval, &all, column);
}

/* The points of a column. Without holes between them they share the steps' times. */
static int final_points(struct eval *eval,
                        const struct column *column,
                        const int64_t *steps,
                        struct promql_series *ret)
{
    double *values = column->values;
    size_t end = eval->grid.n;
    size_t first = 0;
    size_t n = 0;

    while (end > 0 && is_hole(values[end - 1]))
        end--;
    while (first < end && is_hole(values[first]))
        first++;
    for (size_t i = first; i < end; i++)
        n += !is_hole(values[i]);
    *ret = (struct promql_series){
        .labels = ret->labels, .n = n, .t_ms = steps + first, .values = values + first};
    if (n == end - first)
        return 0;
    int64_t *t_ms = arena_room(eval->arena, n, sizeof(*t_ms));
    if (!t_ms)
        return eval_out_of_memory(eval);
    for (size_t i = first, put = 0; i < end; i++)
        if (!is_hole(values[i])) {
            t_ms[put] = steps[i];
            values[first + put++] = values[i];
        }
    ret->t_ms = t_ms;
    return 0;
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const struct promql_series *)a)->labels,
                          ((const struct promql_series *)b)->labels);
}

void promql_sort(struct promql_value *value)
{
    qsort(value->series, value->n, sizeof(*value->series), by_labels);
}

static int finish_columns(struct eval *eval, struct value *value, struct promql_value *ret)
{
    int64_t *steps = arena_array(eval->arena, eval->grid.n, sizeof(*steps));
    struct promql_series *series = arena_array(eval->arena, value->n ? value->n : 1,
                                               sizeof(*series));

    if (!steps || !series)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < eval->grid.n; i++)
        steps[i] = grid_at(&eval->grid, i);
    for (size_t i = 0; i < value->n; i++) {
        struct promql_series made = {.labels = final_labels(eval, &value->columns[i])};
        int r = made.labels ? final_points(eval, &value->columns[i], steps, &made)
                            : eval_out_of_memory(eval);

        if (r)
            return r;
        if (made.n)
            series[ret->n++] = made;
    }
    ret->series = series;
    return 0;
}

/* The samples of the window that ends at to_ms, kept. */
static int finish_range(struct eval *eval,
                        const struct range_series *in,
                        int64_t from_ms,
                        int64_t to_ms,
                        struct promql_series *ret)
{
    const struct column column = {.labels = in->labels, .nameless = in->nameless};
    size_t from = 0;
    size_t to = in->n;

    while (from < to && in->t_ms[from] <= from_ms)
        from++;
    while (to > from && in->t_ms[to - 1] > to_ms)
        to--;
    ret->n = to - from;
    if (from == to)
        return 0;
    int64_t *t_ms = arena_array(eval->arena, ret->n, sizeof(*t_ms));
    double *values = arena_array(eval->arena, ret->n, sizeof(*values));
    ret->labels = final_labels(eval, &column);
    if (!t_ms || !values || !ret->labels)
        return eval_out_of_memory(eval);
    memcpy(t_ms, in->t_ms + from, ret->n * sizeof(*t_ms));
    memcpy(values, in->values + from, ret->n * sizeof(*values));
    ret->t_ms = t_ms;
    ret->values = values;
    return 0;
}

/* `foo[5m]` asked for by itself: the samples as they are. */
static int finish_ranges(struct eval *eval,
                         const struct promql_expr *expr,
                         struct promql_value *ret)
{
    struct ranges ranges;
    int r = eval_ranges(eval, expr, &ranges);

    if (r)
        return r;
    int64_t to_ms = ranges_end(&ranges, eval->grid.start_ms);
    ret->series = arena_array(eval->arena, ranges.n ? ranges.n : 1, sizeof(*ret->series));
    if (!ret->series)
        return eval_out_of_memory(eval);
    for (size_t i = 0; !r && i < ranges.n; i++) {
        struct range_series in;
        struct promql_series *series = &ret->series[ret->n];

        r = ranges_read(eval, &ranges, i, &in);
        if (!r)
            r = finish_range(eval, &in, to_ms - ranges.range_ms, to_ms, series);
        ret->n += !r && series->n > 0;
    }
    return r;
}

static int set_grid(struct eval *eval, const struct promql_query *query)
{
    size_t max_points = query->limits.max_points ? query->limits.max_points : POINTS_DEFAULT;

    eval->query = (struct grid){query->start_ms, 1, 1};
    if (query->step_ms > 0) {
        if (query->end_ms < query->start_ms) {
            (void)err_set(eval->reterr, PROMQL_E_EVAL, "the query ends before it starts");
            return PROMQL_E_EVAL;
        }
        uint64_t steps = (uint64_t)(query->end_ms - query->start_ms) / (uint64_t)query->step_ms;

        if (steps >= max_points) {
            (void)err_set(eval->reterr, PROMQL_E_LIMIT,
                          "exceeded maximum resolution of %zu points per timeseries. Try "
                          "increasing the value of the step parameter",
                          max_points);
            return PROMQL_E_LIMIT;
        }
        eval->query.step_ms = query->step_ms;
        eval->query.n = (size_t)steps + 1;
    }
    eval->grid = eval->query;
    if (query->n_steps > 0) {
        assert(query->first_step + query->n_steps <= eval->query.n);
        eval->grid.start_ms = grid_at(&eval->query, query->first_step);
        eval->grid.n = query->n_steps;
    }
    return 0;
}

static int evaluate(struct eval *eval,
                    const struct promql_expr *expr,
                    bool instant,
                    struct promql_value *ret)
{
    struct value value = {0};
    int r;

    ret->type = instant ? expr->type : PROMQL_MATRIX;
    if (expr->type == PROMQL_MATRIX)
        r = finish_ranges(eval, expr_unwrap(expr), ret);
    else
        r = eval_expr(eval, expr, &value);
    if (!r && expr->type == PROMQL_STRING)
        ret->string = value.string;
    else if (!r && expr->type != PROMQL_MATRIX)
        r = finish_columns(eval, &value, ret);
    if (!r && ret->type == PROMQL_MATRIX && ret->n)
        promql_sort(ret);
    return r;
}

int promql_eval(const struct promql_expr *expr,
                const struct source *source,
                const struct promql_query *query,
                struct arena *arena,
                struct promql_value *ret_value,
                struct err *reterr)
{
    struct eval eval = {.source = source,
                        .limits = query->limits,
                        .arena = arena,
                        .reterr = reterr,
                        .explain = query->explain};
    struct promql_value made = {0};
    bool instant = query->step_ms <= 0;

    if (instant && !query->explain)
        eval.memo = query->memo;
    if (!query->explain)
        eval.hole = query->hole;
    if (!eval.limits.max_samples)
        eval.limits.max_samples = SAMPLES_DEFAULT;
    if (!eval.limits.lookback_ms)
        eval.limits.lookback_ms = LOOKBACK_DEFAULT_MS;
    if (!instant && expr->type != PROMQL_SCALAR && expr->type != PROMQL_VECTOR) {
        (void)err_set(reterr, PROMQL_E_TYPE,
                      "invalid expression type \"%s\" for range query, must be Scalar or instant "
                      "Vector",
                      type_words(expr->type));
        return PROMQL_E_TYPE;
    }
    int r = set_grid(&eval, query);
    if (!r && eval.explain)
        r = explain_start(&eval, expr);
    if (!r)
        r = evaluate(&eval, expr, instant, &made);
    if (!r)
        r = take_notes(&eval, eval.warnings, &made.warnings, &made.n_warnings);
    if (!r)
        r = take_notes(&eval, eval.infos, &made.infos, &made.n_infos);
    if (r)
        return r;
    if (eval.explain)
        explain_finish(&eval);
    made.n_samples = eval.n_samples;
    made.n_series_read = eval.n_series;
    *ret_value = made;
    return 0;
}
