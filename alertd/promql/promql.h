#pragma once

/*
 * PromQL, Prometheus 3's: text -> typed syntax tree -> values over a source.
 *
 *   text --lexer--> tokens --parser--> struct promql_expr (positions, types)
 *   expr + source + [start, end] step --eval--> struct promql_value
 *
 * Everything made lives in the arena the caller brings; its limit is the memory
 * limit of the query. An instant query is a range query of one step.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/source.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    PROMQL_E_SYNTAX = 1,  /* reterr has line and column */
    PROMQL_E_TYPE = 2,    /* well formed, but makes no sense: position and words */
    PROMQL_E_LIMIT = 3,   /* text, depth, samples, points, memory or time: words say which */
    PROMQL_E_EVAL = 4,    /* many-to-many matching, duplicate series ...: words */
    PROMQL_E_SEVERAL = 5, /* promql_eval_each() */
};

enum promql_type {
    PROMQL_SCALAR,
    PROMQL_VECTOR,
    PROMQL_MATRIX, /* range vector */
    PROMQL_STRING,
};

struct promql_expr; /* ast.h */

/* From now on limitk(), limit_ratio(), info() and the other functions may be called that
 * Prometheus has behind promql-experimental-functions. A matter of the whole process, as
 * there: no rule may be taken by one door and refused by the next. Called by main(),
 * before anything is parsed and any thread is there. */
void promql_allow_experimental(void);

/* text is NUL-terminated and must outlive the expr. */
int promql_parse(struct arena *arena,
                 const char *text,
                 struct promql_expr **ret_expr,
                 struct err *reterr);
enum promql_type promql_expr_type(const struct promql_expr *expr);
/* The canonical spelling, as Prometheus prints it. */
void promql_print(const struct promql_expr *expr, struct str *out);

/* The result of an instant query has an order that means something: sort(), topk ... */
bool promql_is_ordered(const struct promql_expr *expr);

/* The matchers of `text` when it is a plain selector, for match[]. They live in the arena.
 * 0, PROMQL_E_SYNTAX, PROMQL_E_TYPE (something else than a selector), PROMQL_E_LIMIT. */
int promql_parse_selector(struct arena *arena,
                          const char *text,
                          const struct matcher **ret_matchers,
                          size_t *ret_n,
                          struct err *reterr);

/* The comparison at the top of an alert's expression, when there is one:
 * `left OP number` (either way round, under and/unless: the left arm). For graphs
 * with a threshold line. False when there is none. *ret_left is part of expr. */
bool promql_threshold(const struct promql_expr *expr,
                      const struct promql_expr **ret_left,
                      double *ret_threshold);

struct promql_limits {
    size_t max_samples;       /* read by one query; 0: 500 million */
    size_t max_points;        /* steps of a range query; 0: 11,000 */
    int64_t lookback_ms;      /* 0: 5 min */
    int64_t subquery_step_ms; /* of [5m:]; 0: 1 min */
    /* A step sees no sample newer than so long before it: it had not come yet. Of an expression of which
     * promql_steps_may_lag(). */
    int64_t lag_ms;
    int64_t deadline_ms;     /* a monotonic instant, checked through now_fn; 0: none */
    int64_t (*now_fn)(void); /* for the deadline; the core reads no clock itself */
};

struct promql_query {
    int64_t start_ms, end_ms;
    int64_t step_ms; /* 0: instant at start_ms */
    /* Only these steps of a range query; n_steps 0: all. What depends on the whole (@ end(),
     * range()) does so all the same. */
    size_t first_step, n_steps;
    /* Only what the selectors' series of one part of so many give; n_parts 0: all. Of an expression of
     * which promql_series_are_apart(). */
    uint32_t part, n_parts;
    struct promql_limits limits;
    struct promql_explain *explain; /* explain.h: what each node costs; NULL: not asked */
    struct promql_memo *memo;       /* memo.h: of an instant query; NULL: everything is read */
    struct promql_hole *hole;       /* hole.h: not with the two above; NULL: none */
    struct told *told;              /* told.h: warnings that are PromQL's own; NULL: nobody asks */
};

struct promql_series {
    const struct labels *labels;
    size_t n;
    const int64_t *t_ms;
    const double *values; /* stale markers never appear here */
};

struct promql_value {
    enum promql_type type;        /* of an instant query; a range query gives a matrix */
    struct promql_series *series; /* vector: one point each; matrix: points each;
                                     scalar: one series without labels */
    size_t n;
    const char *string; /* type STRING */
    const char **warnings;
    size_t n_warnings;
    const char **infos;
    size_t n_infos;
    size_t n_samples; /* read, and of how many series (one read twice counts twice) */
    size_t n_series_read;
};

/* Vector results are in Prometheus' order: sort()/topk order where it means
 * something, otherwise as evaluated. Matrix results are sorted by labels. */
int promql_eval(const struct promql_expr *expr,
                const struct source *source,
                const struct promql_query *query,
                struct arena *arena,
                struct promql_value *ret_value,
                struct err *reterr);
/* A column of a range query: n values from step `first` on (of those that are evaluated), those that
 * are not there as stale markers. A loan. A result that is not 0 ends it. */
typedef int promql_take(
    void *arg, const struct labels *labels, size_t first, double *values, size_t n);
/* The same series in no order, each given as soon as it is made, so that there is room for one at a time
 * where the expression allows. 0, take()'s, as promql_eval(), or PROMQL_E_SEVERAL before anything was
 * given: they may have several names, and are to be had from promql_eval() alone. */
int promql_eval_each(const struct promql_expr *expr,
                     const struct source *source,
                     const struct promql_query *query,
                     struct arena *arena,
                     promql_take *take,
                     void *arg,
                     struct err *reterr);
/* The values at some steps of a range query, put behind those of the steps before, are what all
 * steps at once give. False: not in every case (see apart.c). */
bool promql_steps_are_apart(const struct promql_expr *expr);
/* Evaluated with a lag, each step of a range query gives what it gives alone over the samples that had
 * come by then. False: not in every case; within a subquery a sample is there or not by the step outside. */
bool promql_steps_may_lag(const struct promql_expr *expr);
/* What it gives of some of the series it selects, put beside what it gives of all others, is what it gives
 * of all: each comes of one, and of no two the same. False: not in every case. */
bool promql_series_are_apart(const struct promql_expr *expr);
/* The series by their labels. */
void promql_sort(struct promql_value *value);
