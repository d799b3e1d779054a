#pragma once

/*
 * How much an alert flaps, the way Icinga and Nagios measure it: of the last 20 looks, those
 * that found a change of state count, recent ones more than old ones.
 *
 *   look   20 ... 2 1 0 (now)     weight 0.80 0.82 ... 1.16 1.18
 *   percent = 100 * (weights of looks with a change) / 20      above 30: it flaps
 *
 * A look here is a step of time: we have the instants of changes, not the looks themselves.
 */

#include <stddef.h>
#include <stdint.h>

enum {
    FLAP_LOOKS = 20,
    FLAP_HIGH_PERCENT = 30, /* from here on it flaps */
};

/* The highest percentage that was reached, over changes in order of time; a look every
 * step_ms. 0 without changes. */
double flap_percent(const int64_t *changes_ms, size_t n_changes, int64_t step_ms);
