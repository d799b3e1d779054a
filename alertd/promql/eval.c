/*
 * Evaluation: one function per kind of node, limits, messages.
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
#include "alertd/promql/told.h"
#include "lib/base/bug.h"

enum {
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
    told_add_note(eval->told, words);
    add_placed(eval, &eval->warnings, "warning", at, words);
}

void eval_pass_on(struct eval *eval, const struct promql_expr *at, const char *words)
{
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
