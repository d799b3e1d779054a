#pragma once

/*
 * Evaluation, by columns.
 *
 * An expression is evaluated once for all steps of the query: a vector is a list of
 * columns, one per series, each with one float per step and a hole where the series
 * has no point. An instant query has one step. So the work on labels (grouping,
 * matching, renaming) is done once per set of series, and the work on numbers is loops
 * over arrays.
 *
 *                 step 0   step 1   step 2
 *     up{a="1"}      1        1      hole        struct column
 *     up{a="2"}    hole       0        1
 *
 * Invariants
 *  (1) no two columns of a vector have the same labels and a point at the same step;
 *  (2) the values of a column belong to whoever holds the vector: operators work in
 *      place;
 *  (3) a hole is the staleness marker's bit pattern, which no computation produces
 *      (a NaN that went through arithmetic is quiet, the marker is not).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/duration.h"
#include "alertd/promql/fn.h"
#include "alertd/promql/promql.h"
#include "alertd/promql/source.h"
#include "lib/model/sample.h"

/* The steps: start, start + step, ... */
struct grid {
    int64_t start_ms;
    int64_t step_ms;
    size_t n;
};

static inline int64_t grid_at(const struct grid *grid, size_t i)
{
    return grid->start_ms + (int64_t)i * grid->step_ms;
}

struct column {
    const struct labels *labels;
    bool nameless; /* the metric's name is gone, though labels may still hold it */
    double *values;
};

static inline bool is_hole(double value)
{
    return sample_is_stale(value);
}

static inline void make_holes(double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = sample_stale();
}

static inline bool has_point(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_hole(values[i]))
            return true;
    return false;
}

/* The samples of a selector's series, read one series after the other. */
struct reading {
    struct source_query query;
    struct source_selection selection;
    struct source_columns columns; /* of the series at hand */
};

/* One series of a range vector: its samples, no staleness markers among them. */
struct range_series {
    const struct labels *labels;
    bool nameless;
    size_t n;
    const int64_t *t_ms;
    const double *values;
};

struct value {
    enum promql_type type;
    struct column *columns; /* VECTOR; a SCALAR has one, without labels and holes */
    size_t n;
    bool one_name; /* at most one metric name among the columns */
    const char *string;
};

/* Who takes the columns of a vector one by one, as they are made: an aggregation needs each
 * once, and all of them at once are the largest thing a query would hold. */
struct taker {
    /* First of all: no more than n columns will come; one_name as in struct value. */
    int (*expect)(struct taker *taker, size_t n, bool one_name);
    /* A column with a point at least. Its values may be changed. */
    int (*take)(struct taker *taker, const struct column *column);
    bool keeps; /* the values, each column's in room of their own; otherwise they are lent */
};

/* A range vector and where its windows lie. Its series are asked for one by one. */
struct ranges {
    const struct promql_expr *expr;
    struct reading reading;      /* of a selector */
    struct range_series *series; /* of a subquery; NULL: of a selector */
    size_t n;
    bool one_name;
    int64_t range_ms;
    bool fixed; /* by @: all windows end at fixed_ms */
    int64_t fixed_ms;
    int64_t offset_ms;
};

/* End of the window (or the instant looked at) for a step. */
static inline int64_t ranges_end(const struct ranges *ranges, int64_t step_ms)
{
    return (ranges->fixed ? ranges->fixed_ms : step_ms) - ranges->offset_ms;
}

struct note {
    struct note *next;
    const char *text;
    size_t words_len; /* of it, without the place */
};

struct eval {
    const struct source *source;
    struct grid query; /* the steps asked for: @ start(), @ end(), step(), range() */
    struct grid grid;  /* the steps now evaluated: another within a subquery */
    struct promql_limits limits;
    struct arena *arena;
    uint32_t part, n_parts; /* of the series; n_parts 0: all */
    size_t n_samples;
    size_t n_series;                /* read from the source, as n_samples */
    size_t ticks, work;             /* series and samples since the clock was looked at */
    struct promql_explain *explain; /* NULL: nobody asks what nodes cost */
    struct promql_memo *memo;       /* of an instant query that is not explained; or NULL */
    struct promql_hole *hole;       /* NULL: the expression has none */
    struct note *warnings, *infos;  /* newest first */
    struct told *told;              /* notes for whoever evaluates often; NULL: nobody asks */
    struct err *reterr;
};

/* --- eval.c -------------------------------------------------------------------------- */

int eval_expr(struct eval *eval, const struct promql_expr *expr, struct value *ret_value);
/* The scalar argument number i of a call: one value per step. */
int eval_scalar_arg(struct eval *eval,
                    const struct promql_expr *call,
                    size_t i,
                    const double **ret_values);
/* A vector's columns to a taker, made one by one where they can be. */
int eval_each(struct eval *eval, const struct promql_expr *expr, struct taker *taker);
/* The vector argument number i of a call. */
int eval_vector_arg(struct eval *eval,
                    const struct promql_expr *call,
                    size_t i,
                    struct value *ret_value);
const char *eval_string_arg(const struct promql_expr *call, size_t i);

/* Words for reterr; the code is PROMQL_E_EVAL, seen by readers and by tools. */
void eval_say(struct eval *eval, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define EVAL_FAILED(eval, ...) (eval_say((eval), __VA_ARGS__), PROMQL_E_EVAL)

void eval_say_out_of_memory(struct eval *eval);
static inline int eval_out_of_memory(struct eval *eval)
{
    eval_say_out_of_memory(eval);
    return PROMQL_E_LIMIT;
}
/* The deadline: looked at, or (called per series) looked at now and then. */
int eval_look(struct eval *eval);
int eval_tick(struct eval *eval);
/* The same where one series may take long: looked at by samples gone through. */
int eval_work(struct eval *eval, size_t samples);
void eval_warn(struct eval *eval, const struct promql_expr *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What the source warns of: told.h has a way of its own for it. */
void eval_pass_on(struct eval *eval, const struct promql_expr *at, const char *words);
void eval_inform(struct eval *eval, const struct promql_expr *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The words in reterr are about this node, unless a node below has said so already. */
int eval_blame(struct eval *eval, const struct promql_expr *expr, int code);

/* --- explain.c: called only when eval->explain is there ------------------------------ */

struct explain_frame {
    struct promql_explain_node *node; /* NULL: one that is not told of */
    int64_t began_ns, below_ns;
    size_t n_samples, used_bytes, queryable;
};

int explain_start(struct eval *eval, const struct promql_expr *expr);
void explain_finish(struct eval *eval);
void explain_enter(struct eval *eval, const struct promql_expr *expr, struct explain_frame *frame);
/* The node ended, with a value or (NULL) with an error. fixed: it was evaluated at one step
 * for all. */
void explain_value(struct eval *eval,
                   const struct explain_frame *frame,
                   const struct value *value,
                   bool fixed);
void explain_ranges(struct eval *eval,
                    const struct explain_frame *frame,
                    const struct ranges *ranges);
/* One series of a selector's ranges was read, on behalf of the function above. */
void explain_read(struct eval *eval,
                  const struct explain_frame *frame,
                  const struct ranges *ranges,
                  const struct range_series *series);

/* --- select.c ------------------------------------------------------------------------ */

int eval_selector(struct eval *eval, const struct promql_expr *expr, struct value *ret_value);
/* The same to a taker. */
int eval_selector_each(struct eval *eval, const struct promql_expr *expr, struct taker *taker);
/* The same, with each sample's own time in seconds as its value. */
int eval_selector_times(struct eval *eval, const struct promql_expr *expr, struct value *ret_value);
/* A matrix selector or a subquery. */
int eval_ranges(struct eval *eval, const struct promql_expr *expr, struct ranges *ret_ranges);
/* Series number i, perhaps without samples: good until the next one is asked for. */
int ranges_read(struct eval *eval,
                struct ranges *ranges,
                size_t i,
                struct range_series *ret_series);
/* Which samples of a series lie in the window of each step; the most that lie in one. */
size_t ranges_bounds(const struct eval *eval,
                     const struct ranges *ranges,
                     const struct range_series *series,
                     struct window_bounds *ret_bounds);

/* --- vector.c ------------------------------------------------------------------------ */

/* An empty vector with room for n columns. */
int vector_new(struct eval *eval, size_t n, struct value *ret_value);
/* A new column of holes at the end of a vector with room for it; NULL: out of memory. */
double *vector_add(struct eval *eval,
                   struct value *value,
                   const struct labels *labels,
                   bool nameless);
int scalar_new(struct eval *eval, struct value *ret_value);
double *holes_new(struct eval *eval);
/* The columns of a vector that is there already. */
int vector_each(struct eval *eval, const struct value *value, struct taker *taker);
/* Takes all columns into a vector. */
struct collector {
    struct taker taker;
    struct eval *eval;
    struct value value;
};
struct collector collector_of(struct eval *eval);
/* Room that columns for a taker are made in. */
struct maker {
    struct eval *eval;
    struct taker *taker;
    double *values; /* of the column at hand */
};
/* All holes in maker->values. */
int maker_start(struct maker *maker);
/* The same for who writes all of its values. */
int maker_room(struct maker *maker);
/* They are a column. */
int maker_give(struct maker *maker, const struct labels *labels, bool nameless);
/* Takes the metric names away, and merges what then has the same labels. */
int vector_drop_names(struct eval *eval, struct value *value);
/* After labels were changed: columns that are now alike become one; an error when both
 * have a point at one step (strict: an error in any case). */
int vector_merge(struct eval *eval, struct value *value, bool strict);
/* Columns without any point go. */
void vector_drop_empty(struct eval *eval, struct value *value);

/* --- groups.c ------------------------------------------------------------------------ */

/* Which labels count. */
enum label_choice {
    LABELS_ALL,     /* every label (a nameless column has no name) */
    LABELS_ONLY,    /* by, on: the names given */
    LABELS_WITHOUT, /* without, ignoring: all but the names given and the metric's name */
};

struct label_filter {
    enum label_choice choice;
    const char *const *names;
    size_t n;
};

/* Columns to numbered groups of equal chosen labels. */
struct groups {
    struct label_filter filter;
    struct group_slot *slots;
    size_t n_slots;              /* a power of two */
    const struct column **first; /* of each group: stands for it */
    size_t n;
    size_t capacity;
};

int groups_init(struct eval *eval,
                const struct label_filter *filter,
                size_t max_groups,
                struct groups *ret_groups);
/* The group of a column, made when there is none; the column is kept as a loan. */
size_t groups_put(struct groups *groups, const struct column *column);
/* SIZE_MAX when there is none. */
size_t groups_find(const struct groups *groups, const struct column *column);
/* The chosen labels of a column as a set; NULL: out of memory. */
const struct labels *filter_labels(struct eval *eval,
                                   const struct label_filter *filter,
                                   const struct column *column);
/* A label of a column, "" when absent. */
const char *column_label(const struct column *column, const char *name);
/* The labels of a column with some set anew ("" deletes); the name is gone when nameless. */
const struct labels *column_relabel(struct eval *eval,
                                    const struct column *column,
                                    const struct label *changes,
                                    size_t n_changes);

/* --- the rest ------------------------------------------------------------------------ */

int eval_binary(struct eval *eval, const struct promql_expr *expr, struct value *ret_value);
/* A comparison of a vector with a scalar that leaves points out: its columns keep their names,
 * and so can come one by one. */
bool is_filter(const struct promql_expr *expr);
int eval_filter_each(struct eval *eval, const struct promql_expr *expr, struct taker *taker);
/* eval_set.c: and, or, unless of two vectors */
int eval_set(struct eval *eval,
             const struct promql_expr *expr,
             struct value *left,
             struct value *right,
             struct value *ret_value);
int eval_match(struct eval *eval,
               const struct promql_expr *expr,
               struct value *left,
               struct value *right,
               struct value *ret_value);
int eval_aggregate(struct eval *eval, const struct promql_expr *expr, struct value *ret_value);
/* memo.c: the same, from eval->memo if it is known there; at one step. */
int eval_remembered(struct eval *eval, const struct promql_expr *expr, struct value *ret_value);
/* hole.c: the number in the hole, or a part that does not lie above it: false for what does. */
bool hole_takes(const struct promql_hole *hole, const struct promql_expr *expr);
int hole_value(struct eval *eval, const struct promql_expr *expr, struct value *ret_value);
/* The same to a taker, of a vector. */
int hole_each(struct eval *eval, const struct promql_expr *expr, struct taker *taker);
/* eval_top.c: topk, bottomk */
int eval_top(struct eval *eval,
             const struct promql_expr *expr,
             const double *param,
             struct value *ret_value);
/* fn_over_time.c: a function of windows, its columns to a taker */
int eval_window_each(struct eval *eval, const struct promql_expr *call, struct taker *taker);
/* eval_rank.c: those that look at all values of a group at once */
int eval_rank(struct eval *eval,
              const struct promql_expr *expr,
              struct value *of,
              const double *param,
              struct value *ret_value);
/* How many series a step's parameter of topk, bottomk or limitk asks for. */
int eval_how_many(struct eval *eval, double param, size_t *ret_k);
/* eval_limit.c: limitk, limit_ratio */
int eval_limit(struct eval *eval,
               const struct promql_expr *expr,
               struct value *of,
               const double *param,
               struct value *ret_value);
int eval_count_values(struct eval *eval,
                      const struct promql_expr *expr,
                      const struct value *of,
                      struct value *ret_value);
/* absent(): 1 where `of` has no point, labelled after the call's selector. */
int absent_of(struct eval *eval,
              const struct promql_expr *call,
              const struct value *of,
              struct value *ret_value);
/* A warning when q is no quantile. */
void warn_quantile(struct eval *eval, const struct promql_expr *at, double q);
/* The operator on two numbers; comparisons give 1 or 0. */
double operator_apply(enum promql_operator op, double left, double right);
struct label_filter grouping_filter(const struct promql_expr *aggregate);
struct label_filter matching_filter(const struct promql_matching *matching);
/* Chosen labels cannot hold the metric's name. */
bool filter_is_nameless(const struct label_filter *filter);
