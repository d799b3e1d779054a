/*
 * Aggregations that look at all values of a group at once: quantile, count_values. And the
 * arithmetic of quantiles.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/number.h"
#include "lib/base/float.h"

int number_compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    if (isnan(left) || isnan(right))
        return isnan(right) - isnan(left);
    return (left > right) - (left < right);
}

/* Of no values, or of what is no share of them. */
static bool quantile_is_special(double q, size_t n, double *ret_quantile)
{
    if (n == 0 || isnan(q))
        *ret_quantile = NAN;
    else if (q < 0)
        *ret_quantile = -INFINITY;
    else if (q > 1)
        *ret_quantile = INFINITY;
    else
        return false;
    return true;
}

static double quantile_between(double rank, double low, double high)
{
    double weight = rank - floor(rank);

    return low * (1 - weight) + high * weight;
}

double number_quantile_sorted(double q, const double *values, size_t n)
{
    double special;

    if (quantile_is_special(q, n, &special))
        return special;
    double rank = q * (double)(n - 1);
    size_t low = (size_t)floor(rank);

    return quantile_between(rank, values[low], values[low + 1 < n ? low + 1 : low]);
}

static int compare_for_sort(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return number_is_before(x, y) ? -1 : number_is_before(y, x);
}

/* Shell's sort with Ciura's gaps (2001): quickest for the few hundred values that a window
 * has, as it calls no comparison. */
void number_sort(double *values, size_t n)
{
    static const size_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};

    if (n > 4 * gaps[0]) {
        qsort(values, n, sizeof(*values), compare_for_sort);
        return;
    }
    for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
        for (size_t i = gaps[g]; i < n; i++) {
            double value = values[i];
            size_t at = i;

            for (; at >= gaps[g] && number_is_before(value, values[at - gaps[g]]); at -= gaps[g])
                values[at] = values[at - gaps[g]];
            values[at] = value;
        }
}

/* Puts the value of rank k in its place, none before it greater, none behind it less. (Hoare's
 * FIND, 1961; the middle of three as pivot.) */
static void number_select(double *values, size_t n, size_t k)
{
    size_t low = 0;
    size_t high = n - 1;

    while (low < high) {
        double of_three[] = {values[low], values[low + (high - low) / 2], values[high]};
        number_sort(of_three, 3);
        double pivot = of_three[1];
        size_t i = low;
        size_t j = high;

        for (;;) {
            while (number_is_before(values[i], pivot))
                i++;
            while (number_is_before(pivot, values[j]))
                j--;
            if (i >= j)
                break;
            double value = values[i];
            values[i++] = values[j];
            values[j--] = value;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
}

/* The least of the values behind rank k, which are none less than it. */
static double next_rank(const double *values, size_t n, size_t k)
{
    double next = k + 1 < n ? values[k + 1] : values[k];

    for (size_t i = k + 2; i < n; i++)
        if (number_is_before(values[i], next))
            next = values[i];
    return next;
}

double number_quantile(double q, double *values, size_t n)
{
    double special;

    if (quantile_is_special(q, n, &special))
        return special;
    double rank = q * (double)(n - 1);
    size_t low = (size_t)floor(rank);

    number_select(values, n, low);
    return quantile_between(rank, values[low], next_rank(values, n, low));
}

void warn_quantile(struct eval *eval, const struct promql_expr *at, double q)
{
    char text[FLOAT_TEXT_MAX];

    if (q >= 0 && q <= 1)
        return;
    (void)float_go(q, text);
    eval_warn(eval, at, "quantile value should be between 0 and 1, got %s", text);
}

struct rank {
    struct eval *eval;
    const struct promql_expr *expr;
    const struct value *of;
    const double *param;
    struct groups groups;
    size_t *members; /* columns by group */
    size_t *starts;  /* groups.n + 1 */
    double *points;  /* of a group at a step */
};

static int group_members(struct rank *rank)
{
    struct eval *eval = rank->eval;
    struct label_filter filter = grouping_filter(rank->expr);
    size_t n = rank->of->n;
    size_t *group_of = arena_array(eval->arena, n + 1, sizeof(*group_of));
    int r = groups_init(eval, &filter, n, &rank->groups);

    rank->members = arena_array(eval->arena, n + 1, sizeof(*rank->members));
    rank->starts = arena_array(eval->arena, n + 2, sizeof(*rank->starts));
    rank->points = arena_array(eval->arena, n + 1, sizeof(*rank->points));
    if (r || !group_of || !rank->members || !rank->starts || !rank->points)
        return r ? r : eval_out_of_memory(eval);
    for (size_t i = 0; i < n; i++) {
        group_of[i] = groups_put(&rank->groups, &rank->of->columns[i]);
        rank->starts[group_of[i] + 1]++;
    }
    for (size_t i = 0; i < rank->groups.n; i++)
        rank->starts[i + 1] += rank->starts[i];
    for (size_t i = n; i-- > 0;) { /* fill each range from its end; then starts are back */
        size_t group = group_of[i];
        rank->members[rank->starts[group + 1] - 1] = i;
        rank->starts[group + 1]--;
    }
    /* Each start was moved to where the group before it ends: shift them back. */
    for (size_t i = 0; i < rank->groups.n; i++)
        rank->starts[i] = rank->starts[i + 1];
    rank->starts[rank->groups.n] = n;
    return 0;
}

/* The points of a group at a step into rank->points; returns their number. */
static size_t gather(const struct rank *rank, size_t group, size_t step)
{
    size_t n = 0;

    for (size_t i = rank->starts[group]; i < rank->starts[group + 1]; i++) {
        double value = rank->of->columns[rank->members[i]].values[step];

        if (!is_hole(value))
            rank->points[n++] = value;
    }
    return n;
}

static int overflows(struct eval *eval, double param)
{
    char text[FLOAT_TEXT_MAX];

    (void)float_go(param, text);
    return EVAL_FAILED(eval, "Scalar value %s overflows int64", text);
}

int eval_how_many(struct eval *eval, double param, size_t *ret_k)
{
    if (isnan(param))
        return EVAL_FAILED(eval, "Parameter value is NaN");
    if (param >= 9.2233720368547758e18)
        return overflows(eval, param);
    *ret_k = param < 1 ? 0 : (size_t)param;
    return 0;
}

/* Over all steps the greatest and the smallest say enough. */
static void warn_quantiles(const struct rank *rank)
{
    const struct promql_expr *at = rank->expr->aggregate.param;
    double greatest = 1;
    double smallest = 0;
    bool any_nan = false;

    for (size_t step = 0; step < rank->eval->grid.n; step++) {
        greatest = fmax(greatest, rank->param[step]);
        smallest = fmin(smallest, rank->param[step]);
        any_nan = any_nan || isnan(rank->param[step]);
    }
    if (any_nan)
        warn_quantile(rank->eval, at, NAN);
    warn_quantile(rank->eval, at, greatest);
    warn_quantile(rank->eval, at, smallest);
}

static int eval_quantile(struct rank *rank, struct value *ret_value)
{
    struct eval *eval = rank->eval;
    struct value made;
    int r = vector_new(eval, rank->groups.n, &made);

    if (!r)
        warn_quantiles(rank);
    for (size_t group = 0; !r && group < rank->groups.n; group++) {
        const struct labels *labels = filter_labels(eval, &rank->groups.filter,
                                                    rank->groups.first[group]);
        double *values = labels ? vector_add(eval, &made, labels, false) : NULL;

        if (!values)
            return eval_out_of_memory(eval);
        for (size_t step = 0; step < eval->grid.n; step++) {
            size_t n = gather(rank, group, step);

            if (n)
                values[step] = number_quantile(rank->param[step], rank->points, n);
        }
        r = eval_tick(eval);
    }
    if (r)
        return r;
    made.one_name = filter_is_nameless(&rank->groups.filter);
    *ret_value = made;
    return 0;
}

int eval_rank(struct eval *eval,
              const struct promql_expr *expr,
              struct value *of,
              const double *param,
              struct value *ret_value)
{
    struct rank rank = {.eval = eval, .expr = expr, .of = of, .param = param};

    if (expr->aggregate.op >= AGGREGATOR_LIMITK)
        return eval_limit(eval, expr, of, param, ret_value);
    int r = group_members(&rank);

    return r ? r : eval_quantile(&rank, ret_value);
}

/* --- count_values ----------------------------------------------------------------------------- */

/* `without` takes the label away that the value would stand in. */
static bool is_taken_away(const struct label_filter *filter, const char *name)
{
    bool found = strcmp(name, LABEL_NAME) == 0;

    for (size_t i = 0; !found && i < filter->n; i++)
        found = strcmp(filter->names[i], name) == 0;
    return found && filter->choice == LABELS_WITHOUT;
}

/* The labels a point is counted under: those of its group and its value as text. */
static const struct labels *value_labels(struct eval *eval,
                                         const struct labels *group,
                                         const char *name,
                                         double value)
{
    char text[FLOAT_TEXT_MAX];
    const struct column column = {.labels = group};

    if (!name)
        return group;
    (void)float_plain(value, text);
    return column_relabel(eval, &column, &(struct label){name, text}, 1);
}

/* Room for twice as many columns; the groups know columns by address. */
static int grow(struct eval *eval, struct groups *groups, struct value *value)
{
    struct value larger;
    struct groups again;
    int r = vector_new(eval, 2 * groups->capacity, &larger);

    if (!r)
        r = groups_init(eval, &groups->filter, 2 * groups->capacity, &again);
    if (r)
        return r;
    for (; larger.n < value->n; larger.n++) {
        larger.columns[larger.n] = value->columns[larger.n];
        (void)groups_put(&again, &larger.columns[larger.n]);
    }
    *groups = again;
    *value = larger;
    return 0;
}

/* The column that counts points with these labels. */
static int counter_for(struct eval *eval,
                       struct groups *groups,
                       struct value *value,
                       const struct labels *labels,
                       double **ret_values)
{
    int r = value->n == groups->capacity ? grow(eval, groups, value) : 0;

    if (r)
        return r;
    struct column *place = &value->columns[value->n];
    *place = (struct column){.labels = labels};
    size_t group = groups_put(groups, place);
    if (group == value->n && !vector_add(eval, value, labels, false))
        return eval_out_of_memory(eval);
    *ret_values = value->columns[group].values;
    return 0;
}

static int count_column(struct eval *eval,
                        const struct promql_expr *expr,
                        const struct column *column,
                        struct groups *groups,
                        struct value *made)
{
    struct label_filter filter = grouping_filter(expr);
    const struct labels *group = filter_labels(eval, &filter, column);
    const char *param = expr_unwrap(expr->aggregate.param)->string;
    const char *name = is_taken_away(&filter, param) ? NULL : param;
    int r = group ? eval_tick(eval) : eval_out_of_memory(eval);
    double *counts = NULL;
    double last = 0;

    for (size_t step = 0; !r && step < eval->grid.n; step++) {
        double value = column->values[step];

        if (is_hole(value))
            continue;
        if (!counts || sample_bits(value) != sample_bits(last)) {
            const struct labels *labels = value_labels(eval, group, name, value);

            r = labels ? counter_for(eval, groups, made, labels, &counts)
                       : eval_out_of_memory(eval);
            if (r)
                return r;
            last = value;
        }
        counts[step] = is_hole(counts[step]) ? 1 : counts[step] + 1;
    }
    return r;
}

int eval_count_values(struct eval *eval,
                      const struct promql_expr *expr,
                      const struct value *of,
                      struct value *ret_value)
{
    static const struct label_filter all = {.choice = LABELS_ALL};
    const char *name = expr_unwrap(expr->aggregate.param)->string;
    struct groups groups;
    struct value made;
    int r = 0;

    if (!name[0] || !labels_text_ok(name, strlen(name)))
        return EVAL_FAILED(eval, "invalid label name \"%s\"", name);
    r = vector_new(eval, 16, &made);
    if (!r)
        r = groups_init(eval, &all, 16, &groups);
    for (size_t i = 0; !r && i < of->n; i++)
        r = count_column(eval, expr, &of->columns[i], &groups, &made);
    if (!r)
        *ret_value = made;
    return r;
}
