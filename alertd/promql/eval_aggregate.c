/*
 * Aggregations that fold values one by one: sum avg count min max group stddev stdvar.
 * Groups are found once for all steps, then each column is folded into its group's
 * arrays. Sums are compensated after Neumaier, as Prometheus', so that their last bits
 * agree; averages fall back to a running mean when the sum overflows; the variance is
 * Welford's.
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

/* One group at one step. */
struct cell {
    double value;
    double lost; /* Neumaier's compensation */
    double mean;
    double count; /* 0: no point yet */
    bool running; /* avg: the mean is kept, the sum would overflow */
};

static void start_cell(enum promql_aggregator op, struct cell *cell, double value)
{
    cell->value = value;
    cell->count = 1;
    if (op == AGGREGATOR_STDDEV || op == AGGREGATOR_STDVAR) {
        cell->mean = value;
        cell->value = isfinite(value) ? 0 : NAN;
    }
}

static void add_to_mean(struct cell *cell, double value)
{
    if (!cell->running) {
        struct sum sum = {cell->value, cell->lost};

        sum_add(&sum, value);
        if (!isinf(sum.value)) {
            cell->value = sum.value;
            cell->lost = sum.lost;
            return;
        }
        cell->running = true;
        cell->mean = cell->value / (cell->count - 1);
        cell->lost /= cell->count - 1;
    }
    double share = (cell->count - 1) / cell->count;
    struct sum mean = {share * cell->mean, share * cell->lost};
    sum_add(&mean, value / cell->count);
    cell->mean = mean.value;
    cell->lost = mean.lost;
}

static void fold(enum promql_aggregator op, struct cell *cell, double value)
{
    struct sum sum = {cell->value, cell->lost};
    double delta = value - cell->mean;

    cell->count++;
    switch (op) {
    case AGGREGATOR_SUM:
        sum_add(&sum, value);
        cell->value = sum.value;
        cell->lost = sum.lost;
        return;
    case AGGREGATOR_AVG: add_to_mean(cell, value); return;
    case AGGREGATOR_MIN:
        if (cell->value > value || isnan(cell->value))
            cell->value = value;
        return;
    case AGGREGATOR_MAX:
        if (cell->value < value || isnan(cell->value))
            cell->value = value;
        return;
    case AGGREGATOR_STDDEV:
    case AGGREGATOR_STDVAR:
        cell->mean += delta / cell->count;
        cell->value += delta * (value - cell->mean);
        return;
    case AGGREGATOR_COUNT:
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

static double finish_cell(enum promql_aggregator op, const struct cell *cell)
{
    if (cell->count == 0)
        return sample_stale();
    if (op == AGGREGATOR_GROUP)
        return 1;
    if (op == AGGREGATOR_COUNT)
        return cell->count;
    if (op == AGGREGATOR_SUM)
        return cell->value + cell->lost;
    if (op == AGGREGATOR_AVG)
        return cell->running ? cell->mean + cell->lost
                             : cell->value / cell->count + cell->lost / cell->count;
    if (op == AGGREGATOR_STDVAR)
        return cell->value / cell->count;
    if (op == AGGREGATOR_STDDEV)
        return sqrt(cell->value / cell->count);
    return cell->value;
}

static void fold_column(enum promql_aggregator op,
                        const double *values,
                        struct cell *cells,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_hole(values[i]))
            continue;
        if (cells[i].count == 0)
            start_cell(op, &cells[i], values[i]);
        else
            fold(op, &cells[i], values[i]);
    }
}

/* The groups' cells as columns; the columns' own labels become the chosen ones. */
static int finish_groups(struct eval *eval,
                         enum promql_aggregator op,
                         const struct groups *groups,
                         const struct cell *cells,
                         struct value *ret_value)
{
    struct value made;
    int r = vector_new(eval, groups->n, &made);

    for (size_t group = 0; !r && group < groups->n; group++) {
        const struct labels *labels = filter_labels(eval, &groups->filter, groups->first[group]);
        double *values = labels ? vector_add(eval, &made, labels, false) : NULL;

        if (!values)
            return eval_out_of_memory(eval);
        for (size_t i = 0; i < eval->grid.n; i++)
            values[i] = finish_cell(op, &cells[group * eval->grid.n + i]);
    }
    if (r)
        return r;
    made.one_name = filter_is_nameless(&groups->filter);
    *ret_value = made;
    return 0;
}

static int count_groups(struct eval *eval,
                        const struct label_filter *filter,
                        const struct value *of,
                        struct groups *groups,
                        size_t **ret_group_of)
{
    size_t *group_of = arena_array(eval->arena, of->n ? of->n : 1, sizeof(*group_of));
    int r = group_of ? groups_init(eval, filter, of->n, groups) : eval_out_of_memory(eval);

    for (size_t i = 0; !r && i < of->n; i++)
        group_of[i] = groups_put(groups, &of->columns[i]);
    if (!r)
        *ret_group_of = group_of;
    return r;
}

static int eval_fold(struct eval *eval,
                     const struct promql_expr *expr,
                     const struct value *of,
                     struct value *ret_value)
{
    struct label_filter filter = grouping_filter(expr);
    enum promql_aggregator op = expr->aggregate.op;
    struct groups groups;
    size_t *group_of = NULL;
    int r = count_groups(eval, &filter, of, &groups, &group_of);

    if (r)
        return r;
    struct cell *cells = arena_array(eval->arena, (groups.n ? groups.n : 1) * eval->grid.n,
                                     sizeof(*cells));
    if (!cells)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < of->n; i++) {
        r = eval_tick(eval);
        if (r)
            return r;
        fold_column(op, of->columns[i].values, cells + group_of[i] * eval->grid.n, eval->grid.n);
    }
    return finish_groups(eval, op, &groups, cells, ret_value);
}

int eval_aggregate(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    struct value param = {0};
    struct value of = {0};
    int r = expr->aggregate.param ? eval_expr(eval, expr->aggregate.param, &param) : 0;

    if (!r)
        r = eval_expr(eval, expr->aggregate.of, &of);
    if (r)
        return r;
    if (expr->aggregate.op == AGGREGATOR_COUNT_VALUES)
        return eval_count_values(eval, expr, &of, ret_value);
    if (expr->aggregate.param)
        return eval_rank(eval, expr, &of, param.columns[0].values, ret_value);
    return eval_fold(eval, expr, &of, ret_value);
}
