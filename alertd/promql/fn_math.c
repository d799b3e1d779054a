/*
 * Functions of single numbers, and those between scalars and vectors.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/fn_body.h"

static const double pi = 3.14159265358979323846;

int eval_point(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    fn_point *point = call->call.fn->point;
    int r = eval_vector_arg(eval, call, 0, ret_value);

    for (size_t i = 0; !r && i < ret_value->n; i++) {
        double *values = ret_value->columns[i].values;

        for (size_t j = 0; j < eval->grid.n; j++)
            if (!is_hole(values[j]))
                values[j] = point(values[j]);
        r = eval_tick(eval);
    }
    return r ? r : vector_drop_names(eval, ret_value);
}

double point_sgn(double value)
{
    return value < 0 ? -1 : value > 0 ? 1 : value;
}

double point_deg(double value)
{
    return value * 180 / pi;
}

double point_rad(double value)
{
    return value * pi / 180;
}

double point_abs(double value)
{
    return fabs(value);
}

double point_ln(double value)
{
    return log(value);
}

/* The rest is the C library's by another name. */
#define POINT(name)                   \
    double point_##name(double value) \
    {                                 \
        return name(value);           \
    }
POINT(acos)
POINT(acosh)
POINT(asin)
POINT(asinh)
POINT(atan)
POINT(atanh)
POINT(ceil)
POINT(cos)
POINT(cosh)
POINT(exp)
POINT(floor)
POINT(log10)
POINT(log2)
POINT(sin)
POINT(sinh)
POINT(sqrt)
POINT(tan)
POINT(tanh)

/* --- Bounds and rounding ------------------------------------------------------------------ */

/* As Go's math.Max: an infinity decides, then a NaN on either side, and -0 is below 0. */
static double greater(double a, double b)
{
    if ((isinf(a) && a > 0) || (isinf(b) && b > 0))
        return INFINITY;
    if (isnan(a) || isnan(b))
        return NAN;
    if (a == 0 && b == 0)
        return signbit(a) ? b : a;
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return -greater(-a, -b);
}

/* Scalars by step; NULL: no such bound. */
static int clamp_between(struct eval *eval,
                         const double *low,
                         const double *high,
                         struct value *value)
{
    for (size_t i = 0; i < value->n; i++) {
        double *values = value->columns[i].values;

        for (size_t j = 0; j < eval->grid.n; j++) {
            if (is_hole(values[j]))
                continue;
            if (low && high && high[j] < low[j]) {
                values[j] = sample_stale();
                continue;
            }
            if (high)
                values[j] = smaller(high[j], values[j]);
            if (low)
                values[j] = greater(low[j], values[j]);
        }
    }
    vector_drop_empty(eval, value);
    return vector_drop_names(eval, value);
}

int eval_clamp(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    const double *low = NULL;
    const double *high = NULL;
    int r = eval_vector_arg(eval, call, 0, ret_value);

    if (!r)
        r = eval_scalar_arg(eval, call, 1, &low);
    if (!r)
        r = eval_scalar_arg(eval, call, 2, &high);
    return r ? r : clamp_between(eval, low, high, ret_value);
}

int eval_clamp_min(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    const double *low = NULL;
    int r = eval_vector_arg(eval, call, 0, ret_value);

    if (!r)
        r = eval_scalar_arg(eval, call, 1, &low);
    return r ? r : clamp_between(eval, low, NULL, ret_value);
}

int eval_clamp_max(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    const double *high = NULL;
    int r = eval_vector_arg(eval, call, 0, ret_value);

    if (!r)
        r = eval_scalar_arg(eval, call, 1, &high);
    return r ? r : clamp_between(eval, NULL, high, ret_value);
}

/* Half goes up. Multiplying by the inverse is more exact than dividing (0.1). */
int eval_round(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    const double *to = NULL;
    int r = eval_vector_arg(eval, call, 0, ret_value);

    if (!r && call->call.n_args > 1)
        r = eval_scalar_arg(eval, call, 1, &to);
    if (r)
        return r;
    for (size_t i = 0; i < ret_value->n; i++) {
        double *values = ret_value->columns[i].values;

        for (size_t j = 0; j < eval->grid.n; j++) {
            double inverse = to ? 1 / to[j] : 1;

            if (!is_hole(values[j]))
                values[j] = floor(values[j] * inverse + 0.5) / inverse;
        }
    }
    return vector_drop_names(eval, ret_value);
}

/* --- Scalars ---------------------------------------------------------------------------------- */

int eval_pi(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    int r = scalar_new(eval, ret_value);

    for (size_t i = 0; !r && i < eval->grid.n; i++)
        ret_value->columns[0].values[i] = pi;
    return r;
}

int eval_scalar(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    struct value vector;
    struct value made;
    int r = eval_vector_arg(eval, call, 0, &vector);

    if (!r)
        r = scalar_new(eval, &made);
    for (size_t i = 0; !r && i < eval->grid.n; i++) {
        size_t n = 0;
        double *out = &made.columns[0].values[i];

        for (size_t j = 0; j < vector.n; j++)
            if (!is_hole(vector.columns[j].values[i])) {
                *out = vector.columns[j].values[i];
                n++;
            }
        if (n != 1)
            *out = NAN;
    }
    if (!r)
        *ret_value = made;
    return r;
}

int eval_vector(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    int r = eval_expr(eval, call->call.args[0], ret_value);

    if (r)
        return r;
    ret_value->type = PROMQL_VECTOR;
    ret_value->one_name = true;
    return 0;
}

/* --- Order --------------------------------------------------------------------------------------- */

/* NaN at the bottom either way. */
static int ascending(const void *a, const void *b)
{
    double left = ((const struct column *)a)->values[0];
    double right = ((const struct column *)b)->values[0];

    if (isnan(left) || isnan(right))
        return isnan(left) - isnan(right);
    return (left > right) - (left < right);
}

static int descending(const void *a, const void *b)
{
    double left = ((const struct column *)a)->values[0];
    double right = ((const struct column *)b)->values[0];

    if (isnan(left) || isnan(right))
        return isnan(left) - isnan(right);
    return (left < right) - (left > right);
}

/* A range query has no one order: its series are sorted by labels. */
static int sort_columns(struct eval *eval,
                        const struct promql_expr *call,
                        int (*order)(const void *, const void *),
                        struct value *ret_value)
{
    int r = eval_vector_arg(eval, call, 0, ret_value);

    if (!r && eval->grid.n == 1 && ret_value->n)
        qsort(ret_value->columns, ret_value->n, sizeof(struct column), order);
    return r;
}

int eval_sort(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    return sort_columns(eval, call, ascending, ret_value);
}

int eval_sort_desc(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    return sort_columns(eval, call, descending, ret_value);
}
