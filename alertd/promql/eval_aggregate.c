/*
 * Aggregations that fold values one by one: sum avg count min max group stddev stdvar.
 * A column is folded into its group's as soon as it is made, all steps at once: no more than
 * the groups' are ever held. Sums are compensated after Neumaier, as Prometheus', so that
 * their last bits agree; averages fall back to a running mean when the sum overflows; the
 * variance is Welford's.
 */

#include <math.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/number.h"
#include "lib/base/bug.h"

struct label_filter grouping_filter(const struct promql_expr *aggregate)
{
    return (struct label_filter){aggregate->aggregate.without ? LABELS_WITHOUT : LABELS_ONLY,
                                 aggregate->aggregate.labels.at, aggregate->aggregate.labels.n};
}

/* A group, by step. A group of one column is that column: what is kept beside its values, and
 * would be as large again, comes with a second one. */
struct fold {
    size_t n_columns;
    double *values; /* in the end the result */
    double *lost;   /* sum, avg: Neumaier's compensation */
    double *counts; /* avg, stddev, stdvar */
    double *means;  /* stddev, stdvar; avg where the sum would overflow, elsewhere holes */
};

struct folding {
    struct taker taker;
    struct eval *eval;
    enum promql_aggregator op;
    struct groups groups;
    struct column *columns; /* by group: the first */
    struct fold *folds;     /* by group */
};

/* Of lost, counts and means. */
static size_t n_beside(enum promql_aggregator op)
{
    if (op == AGGREGATOR_SUM)
        return 1;
    return op == AGGREGATOR_AVG || op == AGGREGATOR_STDDEV || op == AGGREGATOR_STDVAR ? 3 : 0;
}

/* --- A step ------------------------------------------------------------------------------ */

static void start_step(enum promql_aggregator op, struct fold *fold, size_t i, double value)
{
    bool is_average = op == AGGREGATOR_AVG;
    bool is_variance = op == AGGREGATOR_STDDEV || op == AGGREGATOR_STDVAR;

    fold->values[i] = value;
    if (op == AGGREGATOR_COUNT || op == AGGREGATOR_GROUP)
        fold->values[i] = 1;
    if (is_variance)
        fold->values[i] = isfinite(value) ? 0 : NAN;
    if (fold->counts && (is_average || is_variance)) {
        fold->counts[i] = 1;
        fold->means[i] = is_average ? sample_stale() : value;
    }
}

static void add_to_sum(struct fold *fold, size_t i, double value)
{
    struct sum sum = {fold->values[i], fold->lost[i]};

    sum_add(&sum, value);
    fold->values[i] = sum.value;
    fold->lost[i] = sum.lost;
}

static void add_to_average(struct fold *fold, size_t i, double value)
{
    double before = fold->counts[i]++;
    double count = fold->counts[i];

    if (is_hole(fold->means[i])) {
        struct sum sum = {fold->values[i], fold->lost[i]};

        sum_add(&sum, value);
        if (!isinf(sum.value)) {
            fold->values[i] = sum.value;
            fold->lost[i] = sum.lost;
            return;
        }
        fold->means[i] = fold->values[i] / before;
        fold->lost[i] /= before;
    }
    double share = before / count;
    struct sum mean = {share * fold->means[i], share * fold->lost[i]};
    sum_add(&mean, value / count);
    fold->means[i] = mean.value;
    fold->lost[i] = mean.lost;
}

static void add_to_variance(struct fold *fold, size_t i, double value)
{
    double delta = value - fold->means[i];

    fold->counts[i]++;
    fold->means[i] += delta / fold->counts[i];
    fold->values[i] += delta * (value - fold->means[i]);
}

static void add_to_step(enum promql_aggregator op, struct fold *fold, size_t i, double value)
{
    double *now = &fold->values[i];

    switch (op) {
    case AGGREGATOR_SUM: add_to_sum(fold, i, value); return;
    case AGGREGATOR_AVG: add_to_average(fold, i, value); return;
    case AGGREGATOR_MIN: *now = *now > value || isnan(*now) ? value : *now; return;
    case AGGREGATOR_MAX: *now = *now < value || isnan(*now) ? value : *now; return;
    case AGGREGATOR_STDDEV:
    case AGGREGATOR_STDVAR: add_to_variance(fold, i, value); return;
    case AGGREGATOR_COUNT: *now += 1; return;
    case AGGREGATOR_GROUP: return;
    case AGGREGATOR_TOPK:
    case AGGREGATOR_BOTTOMK:
    case AGGREGATOR_COUNT_VALUES:
    case AGGREGATOR_QUANTILE:
    case AGGREGATOR_LIMITK:
    case AGGREGATOR_LIMIT_RATIO: break;
    }
    UNREACHABLE("an aggregation that does not fold");
}

static double finish_step(enum promql_aggregator op, const struct fold *fold, size_t i)
{
    double value = fold->values[i];
    double lost = fold->lost ? fold->lost[i] : 0;
    double count = fold->counts ? fold->counts[i] : 1;

    switch (op) {
    case AGGREGATOR_SUM: return value + lost;
    case AGGREGATOR_AVG:
        return fold->means && !is_hole(fold->means[i]) ? fold->means[i] + lost
                                                       : value / count + lost / count;
    case AGGREGATOR_STDVAR: return value / count;
    case AGGREGATOR_STDDEV: return sqrt(value / count);
    default: return value;
    }
}

/* --- A column ---------------------------------------------------------------------------- */

/* The first column is taken for what it is: the group's values so far. */
static void start_steps(enum promql_aggregator op, struct fold *fold, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_hole(fold->values[i]))
            start_step(op, fold, i, fold->values[i]);
}

static int start_fold(const struct folding *folding, struct fold *fold, const double *values)
{
    struct eval *eval = folding->eval;

    fold->values = arena_room(eval->arena, eval->grid.n, sizeof(*values));
    if (!fold->values)
        return eval_out_of_memory(eval);
    memcpy(fold->values, values, eval->grid.n * sizeof(*values));
    return 0;
}

static int widen_fold(const struct folding *folding, struct fold *fold)
{
    size_t n = folding->eval->grid.n;
    size_t n_arrays = n_beside(folding->op);

    if (n_arrays > 0) {
        fold->lost = arena_array(folding->eval->arena, n_arrays * n, sizeof(*fold->lost));
        if (!fold->lost)
            return eval_out_of_memory(folding->eval);
    }
    if (n_arrays > 1) {
        fold->counts = fold->lost + n;
        fold->means = fold->counts + n;
    }
    start_steps(folding->op, fold, n);
    return 0;
}

/* Inlined for each operator: which one it is is no question at each step. */
static inline __attribute__((always_inline)) void add_steps(enum promql_aggregator op,
                                                            struct fold *fold,
                                                            const double *values,
                                                            size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_hole(values[i]))
            continue;
        if (is_hole(fold->values[i]))
            start_step(op, fold, i, values[i]);
        else
            add_to_step(op, fold, i, values[i]);
    }
}

static void add_column(enum promql_aggregator op, struct fold *fold, const double *values, size_t n)
{
    switch (op) {
    case AGGREGATOR_SUM: add_steps(AGGREGATOR_SUM, fold, values, n); return;
    case AGGREGATOR_AVG: add_steps(AGGREGATOR_AVG, fold, values, n); return;
    case AGGREGATOR_MIN: add_steps(AGGREGATOR_MIN, fold, values, n); return;
    case AGGREGATOR_MAX: add_steps(AGGREGATOR_MAX, fold, values, n); return;
    case AGGREGATOR_COUNT: add_steps(AGGREGATOR_COUNT, fold, values, n); return;
    default: add_steps(op, fold, values, n); return;
    }
}

/* --- Groups ------------------------------------------------------------------------------ */

static int expect_columns(struct taker *taker, size_t n, bool one_name)
{
    struct folding *folding = (struct folding *)taker;
    struct arena *arena = folding->eval->arena;

    (void)one_name;
    folding->columns = arena_array(arena, n + 1, sizeof(*folding->columns));
    folding->folds = arena_array(arena, n + 1, sizeof(*folding->folds));
    if (!folding->columns || !folding->folds)
        return eval_out_of_memory(folding->eval);
    return groups_init(folding->eval, &folding->groups.filter, n, &folding->groups);
}

static int fold_column(struct taker *taker, const struct column *column)
{
    struct folding *folding = (struct folding *)taker;
    /* Groups are numbered as they come: this is kept as what stands for a new one. */
    struct column *first = &folding->columns[folding->groups.n];
    int r = 0;

    *first = (struct column){.labels = column->labels, .nameless = column->nameless};
    struct fold *fold = &folding->folds[groups_put(&folding->groups, first)];
    if (fold->n_columns++ == 0)
        return start_fold(folding, fold, column->values);
    if (fold->n_columns == 2)
        r = widen_fold(folding, fold);
    if (!r)
        add_column(folding->op, fold, column->values, folding->eval->grid.n);
    return r;
}

/* Each group a column, its labels the chosen ones. */
static int finish_groups(const struct folding *folding, struct value *ret_value)
{
    const struct groups *groups = &folding->groups;
    struct eval *eval = folding->eval;
    struct value made;
    int r = vector_new(eval, groups->n, &made);

    for (size_t group = 0; !r && group < groups->n; group++) {
        const struct labels *labels = filter_labels(eval, &groups->filter, groups->first[group]);
        struct fold *fold = &folding->folds[group];

        if (!labels)
            return eval_out_of_memory(eval);
        if (fold->n_columns == 1)
            start_steps(folding->op, fold, eval->grid.n);
        for (size_t i = 0; i < eval->grid.n; i++)
            if (!is_hole(fold->values[i]))
                fold->values[i] = finish_step(folding->op, fold, i);
        made.columns[made.n++] = (struct column){labels, false, fold->values};
    }
    if (r)
        return r;
    made.one_name = filter_is_nameless(&groups->filter);
    *ret_value = made;
    return 0;
}

static int eval_fold(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    struct folding folding = {.taker = {.expect = expect_columns, .take = fold_column},
                              .eval = eval,
                              .op = expr->aggregate.op,
                              .groups = {.filter = grouping_filter(expr)}};
    int r = eval_each(eval, expr->aggregate.of, &folding.taker);

    return r ? r : finish_groups(&folding, ret_value);
}

int eval_aggregate(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    struct value param = {0};
    struct value of = {0};
    int r = expr->aggregate.param ? eval_expr(eval, expr->aggregate.param, &param) : 0;

    if (!r && !expr->aggregate.param)
        return eval_fold(eval, expr, ret_value);
    if (!r && (expr->aggregate.op == AGGREGATOR_TOPK || expr->aggregate.op == AGGREGATOR_BOTTOMK))
        return eval_top(eval, expr, param.columns[0].values, ret_value);
    if (!r)
        r = eval_expr(eval, expr->aggregate.of, &of);
    if (r)
        return r;
    if (expr->aggregate.op == AGGREGATOR_COUNT_VALUES)
        return eval_count_values(eval, expr, &of, ret_value);
    return eval_rank(eval, expr, &of, param.columns[0].values, ret_value);
}
