#pragma once

/*
 * One cell alert by alert, with any keep_firing_for, from where the series crossed its threshold:
 * nothing is read again.
 *
 *     passes      ___####____##_______####___       crossings of one series
 *     for 2                 (pending, then gone)
 *     alert          ..##                ..##       without keep_firing_for: two
 *     keep 6         ..#######################      with it one
 *
 * alert_step() makes it, told only the steps at which something can change.
 *
 * Invariants
 *  (1) with no keep_firing_for there are as many as surface_cell() says.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/backtest.h"

struct cell_setting {
    size_t threshold; /* of the grid */
    uint32_t for_steps, keep_steps;
};

struct cell_episodes {
    struct episode *at; /* by when they fired; labels are loans of the backtest */
    size_t n, capacity;
};

/* Those that fired in the counted time. 0, or BACKTEST_E_LIMIT: crossings were not kept. */
int cell_episodes(const struct backtest *backtest,
                  const struct cell_setting *setting,
                  struct cell_episodes *ret,
                  struct err *reterr);
void cell_episodes_done(struct cell_episodes *episodes);

/* --- labels that restart the clock --- */

/*
 *     pod="a"  .....#####|                  an alert's time begins anew with each new name
 *     pod="b"            |#######|          of the same thing, so `for` is never over
 *     pod="c"                    |####
 *
 * One that ends for good, and another one that begins for the first time, about then.
 */
struct cell_churn {
    const char *label; /* a loan of the backtest; NULL: none */
    size_t n_handed;   /* times one ended as another, different by this label alone, began */
    size_t n_lost;     /* of them, those whose `for` was not over yet */
    size_t n_runs;     /* of all series: what n_handed is a part of */
};
/* The label that does so most. Without crossings there is none. */
struct cell_churn cell_churn(const struct backtest *backtest, const struct cell_setting *setting);
