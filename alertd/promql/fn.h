#pragma once

/*
 * The functions of PromQL: one row each in fn_table.c, which is also their manual.
 *
 * Most functions are one of three shapes and bring only a small body; the rest bring
 * their own evaluation.
 *
 *     point     float -> float, for each point of a vector           fn_math.c
 *     window    the samples of one window -> float, for each step    fn_over_time.c, fn_rate.c
 *     date      calendar fields -> float, for each point             fn_time.c
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/promql.h"
#include "lib/base/clock.h"

struct eval;
struct value;
struct promql_expr;

/* What a window function sees of one series at one step. */
struct window {
    const int64_t *t_ms;
    const double *values; /* no staleness markers */
    size_t n;             /* 1 at least */
    int64_t from_ms;      /* the window is (from, to] */
    int64_t to_ms;
    int64_t at_ms; /* the step; to_ms without offset */
    double param;  /* the scalar argument, when the function has one */
    double *room;  /* n values of scratch, for functions that sort */
};

/* The samples of a window: first to before end. */
struct window_bounds {
    uint32_t first, end;
};

/* All windows of one series, as a function sees them that answers for all at once. */
struct windows {
    const int64_t *t_ms;
    const double *values; /* no staleness markers */
    size_t n_values;
    const struct window_bounds *bounds; /* by step; neither end ever moves back */
    size_t n;
    int64_t first_to_ms; /* where the first window ends */
    int64_t step_ms;     /* from there to the next one's end */
    int64_t range_ms;
    bool overlap;         /* most of a window, and that is much, is in the next one */
    const double *params; /* by step; NULL: the function has none */
    double *room;         /* WINDOWS_ROOM * n_values of scratch */
};

enum {
    WINDOWS_ROOM = 4
};

/* The values of the steps whose window has samples; the others are left alone. False: not
 * possible for these samples, or not worth it; nothing was written that counts. */
typedef bool fn_slide(const struct windows *windows, double *values);
/* False: no point at this step. */
typedef bool fn_window(const struct window *window, double *ret_value);
typedef double fn_point(double value);
typedef double fn_date(const struct clock_utc *date);
typedef int fn_eval(struct eval *eval, const struct promql_expr *call, struct value *ret_value);

enum {
    FN_ARGS_MAX = 5,
    FN_ANY_NUMBER = -1
};

struct fn {
    const char *name;
    int min_args;
    int max_args; /* FN_ANY_NUMBER: the last type repeats */
    enum promql_type args[FN_ARGS_MAX];
    enum promql_type returns;
    fn_eval *eval;
    fn_point *point;
    fn_window *window;
    fn_slide *slide; /* the same for all windows at once; without `window` it never declines */
    fn_date *date;
    bool orders;         /* the columns of its result are in an order that counts */
    bool keeps_name;     /* of the metric: last_over_time */
    bool reads_time;     /* the result depends on the step, whatever the arguments */
    bool sorts;          /* its window function needs room */
    bool wants_counter;  /* an info when the metric's name does not look like one */
    bool experimental;   /* callable when promql_allow_experimental() was called */
    const char *refusal; /* not NULL: why it cannot be called */
    const char *doc;
};

/* NULL when there is none of that name (case matters). */
const struct fn *fn_find(const char *name);
/* The whole table, for documentation and completion. */
const struct fn *fn_table(size_t *ret_n);
