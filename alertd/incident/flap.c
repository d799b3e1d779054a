/*
 * How much an alert flaps. See flap.h.
 */

#include "alertd/incident/flap.h"

/* The sum of weights of the looks with a change, as seen at the change `at`. */
static double percent_at(const int64_t *changes_ms, size_t at, int64_t step_ms)
{
    int64_t counted = -1; /* the look that was counted last: one look sees one change */
    double sum = 0;

    for (size_t i = at + 1; i-- > 0;) {
        int64_t age = (changes_ms[at] - changes_ms[i]) / step_ms;

        if (age >= FLAP_LOOKS)
            break;
        if (age != counted)
            sum += 0.8 + 0.02 * (double)(FLAP_LOOKS - 1 - age);
        counted = age;
    }
    return 100 * sum / FLAP_LOOKS;
}

double flap_percent(const int64_t *changes_ms, size_t n_changes, int64_t step_ms)
{
    double highest = 0;

    for (size_t i = 0; i < n_changes; i++) {
        double percent = percent_at(changes_ms, i, step_ms);

        if (percent > highest)
            highest = percent;
    }
    return highest;
}
