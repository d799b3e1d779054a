/*
 * Functions of time: the step's, a sample's, and calendar fields in UTC.
 */

#include <math.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/fn_body.h"

static double step_seconds(const struct eval *eval, size_t i)
{
    return (double)grid_at(&eval->grid, i) / 1000;
}

int eval_time(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    int r = scalar_new(eval, ret_value);

    for (size_t i = 0; !r && i < eval->grid.n; i++)
        ret_value->columns[0].values[i] = step_seconds(eval, i);
    return r;
}

/* Of a selector each sample's own time, of anything computed the step's. */
int eval_timestamp(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    const struct promql_expr *arg = expr_unwrap(call->call.args[0]);
    bool selector = arg->kind == PROMQL_SELECTOR;
    int r = selector ? eval_selector_times(eval, arg, ret_value) : eval_expr(eval, arg, ret_value);

    for (size_t i = 0; !r && !selector && i < ret_value->n; i++) {
        double *values = ret_value->columns[i].values;

        for (size_t j = 0; j < eval->grid.n; j++)
            if (!is_hole(values[j]))
                values[j] = step_seconds(eval, j);
    }
    return r ? r : vector_drop_names(eval, ret_value);
}

/* --- Calendar ------------------------------------------------------------------------------ */

static double date_of(fn_date *field, double seconds)
{
    if (!(fabs(seconds) < 9e12)) /* past any year we can name */
        return NAN;
    struct clock_utc date = clock_split_utc((int64_t)seconds * 1000);
    return field(&date);
}

int eval_date(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    int r;

    if (call->call.n_args) {
        r = eval_vector_arg(eval, call, 0, ret_value);
    } else {
        r = eval_time(eval, call, ret_value);
        ret_value->type = PROMQL_VECTOR;
        ret_value->one_name = true;
    }
    for (size_t i = 0; !r && i < ret_value->n; i++) {
        double *values = ret_value->columns[i].values;

        for (size_t j = 0; j < eval->grid.n; j++)
            if (!is_hole(values[j]))
                values[j] = date_of(call->call.fn->date, values[j]);
    }
    return r ? r : vector_drop_names(eval, ret_value);
}

double date_minute(const struct clock_utc *date)
{
    return date->minute;
}

double date_hour(const struct clock_utc *date)
{
    return date->hour;
}

double date_day_of_week(const struct clock_utc *date)
{
    return date->weekday;
}

double date_day_of_month(const struct clock_utc *date)
{
    return date->day;
}

double date_day_of_year(const struct clock_utc *date)
{
    return date->yearday;
}

double date_month(const struct clock_utc *date)
{
    return date->month;
}

double date_year(const struct clock_utc *date)
{
    return date->year;
}

double date_days_in_month(const struct clock_utc *date)
{
    int next_year = date->month == 12 ? date->year + 1 : date->year;
    int next_month = date->month == 12 ? 1 : date->month + 1;

    return (double)(clock_days_from_civil(next_year, next_month, 1) -
                    clock_days_from_civil(date->year, date->month, 1));
}
