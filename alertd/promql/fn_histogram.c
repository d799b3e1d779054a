/*
 * Classic histograms: cumulative buckets, one series per upper bound in the label le.
 *
 * Series that differ in le only are one histogram. Its buckets are sorted once; per step
 * equal bounds are added up, and counts forced to rise (scrapes of several targets do not
 * happen at one instant): differences of a relative 1e-12 silently, larger ones with an
 * info. Within a bucket observations are taken to lie evenly. (Prometheus' rules,
 * promql/quantile.go.)
 */

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/fn_body.h"
#include "alertd/promql/number.h"
#include "lib/base/float.h"

#define BUCKET_LABEL "le"

struct bucket {
    double upper;
    double count;
};

struct histograms {
    struct eval *eval;
    const struct promql_expr *call;
    const struct value *of;
    double *upper; /* by column */
    size_t *next;  /* by column: the next bucket of the histogram, SIZE_MAX at the end */
    size_t *first; /* by group: the lowest bucket */
    struct groups groups;
    struct bucket *buckets; /* of one histogram at one step */
};

static void warn_bad_le(const struct histograms *in, const struct column *column)
{
    const char *name = column_label(column, LABEL_NAME);
    const char *le = column_label(column, BUCKET_LABEL);

    if (name[0])
        eval_warn(in->eval, in->call->call.args[in->call->call.n_args - 1],
                  "bucket label \"le\" is missing or has a malformed value of \"%s\" for metric "
                  "name \"%s\"",
                  le, name);
    else
        eval_warn(in->eval, in->call->call.args[in->call->call.n_args - 1],
                  "bucket label \"le\" is missing or has a malformed value of \"%s\"", le);
}

/* The bound of a bucket, as Go reads a number: `1_000` and `0x1p-2` are numbers, too. */
static bool read_bound(const char *le, double *ret_upper)
{
    char digits[64];
    size_t n = 0;
    char *end = NULL;

    if (!strpbrk(le, "_xX"))
        return float_parse(le, strlen(le), ret_upper) == 0;
    for (const char *at = le; *at && n < sizeof(digits) - 1; at++) {
        bool between = at > le && isxdigit((unsigned char)at[-1]) && isxdigit((unsigned char)at[1]);

        if (*at != '_')
            digits[n++] = *at;
        else if (!between && !(at > le && strchr("xX", at[-1])))
            return false;
    }
    digits[n] = '\0';
    if (!strpbrk(digits, "xX"))
        return float_parse(digits, n, ret_upper) == 0;
    if (!strpbrk(digits, "pP") || isspace((unsigned char)digits[0]))
        return false;
    *ret_upper = strtod(digits, &end);
    return *end == '\0';
}

/* A column as a bucket of a histogram. */
struct bound {
    double upper;
    size_t group, column;
};

/* The greatest first; of equals the first column. */
static int by_upper(const void *a, const void *b)
{
    const struct bound *left = a;
    const struct bound *right = b;

    if (number_is_before(left->upper, right->upper))
        return 1;
    if (number_is_before(right->upper, left->upper))
        return -1;
    return (left->column > right->column) - (left->column < right->column);
}

/* Each histogram's columns as a list in the order of their bounds, for all steps. */
static void link_buckets(struct histograms *in, struct bound *bounds, size_t n)
{
    qsort(bounds, n, sizeof(*bounds), by_upper);
    for (size_t i = 0; i < in->groups.n; i++)
        in->first[i] = SIZE_MAX;
    for (size_t i = 0; i < n; i++) { /* from their ends */
        in->next[bounds[i].column] = in->first[bounds[i].group];
        in->first[bounds[i].group] = bounds[i].column;
    }
}

static int find_histograms(struct histograms *in)
{
    static const char *const names[] = {BUCKET_LABEL};
    static const struct label_filter filter = {LABELS_WITHOUT, names, 1};
    struct eval *eval = in->eval;
    size_t n = in->of->n;
    size_t n_bounds = 0;
    struct bound *bounds = arena_array(eval->arena, n + 1, sizeof(*bounds));
    int r = groups_init(eval, &filter, n, &in->groups);

    in->upper = arena_array(eval->arena, n + 1, sizeof(*in->upper));
    in->next = arena_array(eval->arena, n + 1, sizeof(*in->next));
    in->first = arena_array(eval->arena, n + 1, sizeof(*in->first));
    in->buckets = arena_array(eval->arena, n + 1, sizeof(*in->buckets));
    if (r || !bounds || !in->upper || !in->next || !in->first || !in->buckets)
        return r ? r : eval_out_of_memory(eval);
    for (size_t i = 0; i < n; i++) {
        const struct column *column = &in->of->columns[i];

        if (read_bound(column_label(column, BUCKET_LABEL), &in->upper[i]))
            bounds[n_bounds++] = (struct bound){in->upper[i], groups_put(&in->groups, column), i};
        else
            warn_bad_le(in, column);
    }
    link_buckets(in, bounds, n_bounds);
    return 0;
}

/* The buckets of a histogram at a step, in order, equal bounds added up. */
static size_t gather_buckets(const struct histograms *in, size_t group, size_t step)
{
    size_t n = 0;
    size_t kept = 0;

    for (size_t i = in->first[group]; i != SIZE_MAX; i = in->next[i]) {
        double count = in->of->columns[i].values[step];

        if (!is_hole(count))
            in->buckets[n++] = (struct bucket){in->upper[i], count};
    }
    if (!n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (in->buckets[i].upper == in->buckets[kept].upper)
            in->buckets[kept].count += in->buckets[i].count;
        else
            in->buckets[++kept] = in->buckets[i];
    }
    return kept + 1;
}

static bool almost_equal(double a, double b)
{
    const double tolerance = 1e-12;
    double sum = fabs(a) + fabs(b);
    double difference = fabs(a - b);

    if (a == b || (isnan(a) && isnan(b)))
        return true;
    if (a == 0 || b == 0 || sum < DBL_MIN)
        return difference < tolerance * DBL_MIN;
    return difference / fmin(sum, DBL_MAX) < tolerance;
}

/* Counts that fall are lifted to the one before; true when that was worth a word. */
static bool force_rising(struct bucket *buckets, size_t n)
{
    double before = buckets[0].count;
    bool forced = false;

    for (size_t i = 1; i < n; i++) {
        double count = buckets[i].count;

        if (count == before)
            continue;
        if (almost_equal(before, count)) {
            buckets[i].count = before;
        } else if (count < before) {
            buckets[i].count = before;
            forced = true;
        } else {
            before = count;
        }
    }
    return forced;
}

static double bucket_quantile(double q, struct bucket *buckets, size_t n, bool *ret_forced)
{
    if (isnan(q))
        return NAN;
    if (q < 0)
        return -INFINITY;
    if (q > 1)
        return INFINITY;
    if (!(isinf(buckets[n - 1].upper) && buckets[n - 1].upper > 0))
        return NAN;
    *ret_forced = force_rising(buckets, n);
    double observations = buckets[n - 1].count;
    if (n < 2 || observations == 0 || isnan(observations))
        return NAN;
    double rank = q * observations;
    size_t at = 0;
    while (at < n - 1 && buckets[at].count < rank)
        at++;
    if (at == n - 1)
        return buckets[n - 2].upper;
    if (at == 0 && buckets[0].upper <= 0)
        return buckets[0].upper;
    double start = at ? buckets[at - 1].upper : 0;
    double below = at ? buckets[at - 1].count : 0;
    return start + (buckets[at].upper - start) * ((rank - below) / (buckets[at].count - below));
}

/* How many observations lie below a bound. */
static double rank_of(const struct bucket *buckets, size_t n, double bound)
{
    double rank = 0;

    for (size_t i = 0; i < n; i++) {
        double lower = i ? buckets[i - 1].upper : buckets[0].upper > 0 ? 0 : -INFINITY;

        if (lower >= bound)
            return rank;
        if (buckets[i].upper > bound) {
            if (isinf(lower))
                return buckets[i].count; /* they lie at its upper bound, for all one knows */
            if (isinf(buckets[i].upper))
                return rank;
            return rank + (buckets[i].count - rank) * (bound - lower) / (buckets[i].upper - lower);
        }
        rank = buckets[i].count;
    }
    return buckets[n - 1].count;
}

static double bucket_fraction(double low, double high, const struct bucket *buckets, size_t n)
{
    double all = buckets[n - 1].count;

    if (!(isinf(buckets[n - 1].upper) && buckets[n - 1].upper > 0) || all == 0 || isnan(all) ||
        isnan(low) || isnan(high))
        return NAN;
    if (low >= high)
        return 0;
    return (fmin(rank_of(buckets, n, high), all) - fmin(rank_of(buckets, n, low), all)) / all;
}

struct bounds {
    const double *q;          /* histogram_quantile, by step */
    const double *low, *high; /* histogram_fraction */
};

static void inform_forced(const struct histograms *in, size_t group)
{
    eval_inform(in->eval, in->call->call.args[1],
                "input to histogram_quantile needed to be fixed for monotonicity (see "
                "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                "#histogram_quantile) for metric name \"%s\"",
                column_label(in->groups.first[group], LABEL_NAME));
}

static int one_histogram(const struct histograms *in,
                         const struct bounds *bounds,
                         size_t group,
                         struct value *made)
{
    struct eval *eval = in->eval;
    const struct labels *labels = filter_labels(eval, &in->groups.filter, in->groups.first[group]);
    double *values = labels ? vector_add(eval, made, labels, false) : NULL;

    if (!values)
        return eval_out_of_memory(eval);
    for (size_t step = 0; step < eval->grid.n; step++) {
        size_t n = gather_buckets(in, group, step);
        bool forced = false;

        if (!n)
            continue;
        values[step] = bounds->q
                           ? bucket_quantile(bounds->q[step], in->buckets, n, &forced)
                           : bucket_fraction(bounds->low[step], bounds->high[step], in->buckets, n);
        if (forced)
            inform_forced(in, group);
    }
    return eval_tick(eval);
}

static int eval_histograms(struct histograms *in,
                           const struct bounds *bounds,
                           struct value *ret_value)
{
    struct value made;
    int r = find_histograms(in);

    if (!r)
        r = vector_new(in->eval, in->groups.n, &made);
    for (size_t group = 0; !r && group < in->groups.n; group++)
        r = one_histogram(in, bounds, group, &made);
    if (r)
        return r;
    vector_drop_empty(in->eval, &made);
    made.one_name = true;
    *ret_value = made;
    return 0;
}

int eval_histogram_quantile(struct eval *eval,
                            const struct promql_expr *call,
                            struct value *ret_value)
{
    struct bounds bounds = {0};
    struct value of;
    struct histograms in = {.eval = eval, .call = call, .of = &of};
    int r = eval_scalar_arg(eval, call, 0, &bounds.q);

    if (!r)
        r = eval_vector_arg(eval, call, 1, &of);
    for (size_t step = 0; !r && step < eval->grid.n; step++)
        warn_quantile(eval, call->call.args[0], bounds.q[step]);
    return r ? r : eval_histograms(&in, &bounds, ret_value);
}

int eval_histogram_fraction(struct eval *eval,
                            const struct promql_expr *call,
                            struct value *ret_value)
{
    struct bounds bounds = {0};
    struct value of;
    struct histograms in = {.eval = eval, .call = call, .of = &of};
    int r = eval_scalar_arg(eval, call, 0, &bounds.low);

    if (!r)
        r = eval_scalar_arg(eval, call, 1, &bounds.high);
    if (!r)
        r = eval_vector_arg(eval, call, 2, &of);
    return r ? r : eval_histograms(&in, &bounds, ret_value);
}
