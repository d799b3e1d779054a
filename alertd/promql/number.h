#pragma once

/*
 * Sums that keep what rounding loses (Neumaier's variant of Kahan's, 1974), quantiles,
 * and order with NaN first: the arithmetic shared by aggregations and functions.
 */

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

struct sum {
    double value;
    double lost;
};

static inline void sum_add(struct sum *sum, double value)
{
    double total = sum->value + value;

    if (isinf(total))
        sum->lost = 0;
    else if (fabs(sum->value) >= fabs(value))
        sum->lost += (sum->value - total) + value;
    else
        sum->lost += (value - total) + sum->value;
    sum->value = total;
}

/* NaN before everything else; for qsort(). */
int number_compare(const void *a, const void *b);

/* The same with -0 before 0, so that an order is one whichever way it came about. */
static inline bool number_is_before(double a, double b)
{
    if (a == b)
        return signbit(a) > signbit(b);
    return isnan(a) ? !isnan(b) : a < b;
}
void number_sort(double *values, size_t n);

/* The q-quantile of n values, interpolated between ranks; reorders them. NaN of none or
 * for a NaN, -Inf below 0, +Inf above 1. */
double number_quantile(double q, double *values, size_t n);
/* The same of values in number_sort()'s order. */
double number_quantile_sorted(double q, const double *values, size_t n);
