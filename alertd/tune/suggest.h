#pragma once

/*
 * Which setting is best, said as what it would change.
 *
 *     alerts nobody needed, fewest      of all cells that find every incident that the setting
 *     x plateau, not cliff              of now finds, and none much later
 *
 *     for      . . . . 9 9      numbers: alerts without an incident; .: an incident is missed
 *              . . . 3 3 9
 *              . . 3[3]3 9      of those within a tenth of the best, the one farthest from a cell
 *              . 3 3 3 9 9      that misses something: a setting tuned to the edge is tuned to
 *            threshold          yesterday
 *
 * Invariants
 *  (1) a suggestion never misses an incident that the setting of now finds, nor finds one later
 *      than allowed.
 *  (2) without incidents there is none: fewest alerts would be no alerts.
 *  (3) nor is it one that just is never over: that fires seldom, and already at every incident.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/surface.h"

struct suggest_cell {
    size_t threshold, for_index;
};

/* What a cell is in counts. */
struct suggest_sum {
    struct surface_cell cell;
    size_t n_found;       /* incidents */
    uint32_t worst_delay; /* of those found, in steps; 0 without one */
};
struct suggest_sum suggest_sum(const struct surface *surface,
                               size_t n_incidents,
                               struct suggest_cell at);

/* So many steps may something with so many alerts fire: four times as long as the setting of now (where
 * that never fires, as incidents), and the longest incident for each alert. What fires longer finds
 * incidents because it is never over, which says nothing. */
uint64_t suggest_firing_max(const struct surface *surface,
                            struct suggest_cell now,
                            uint64_t n_alerts);
bool suggest_is_never_over(const struct surface *surface,
                           struct suggest_cell now,
                           struct suggest_cell at);

/* False: there is nothing to suggest (no incident is found now, or now is as good). later_max:
 * by so many steps each incident may be found later than now. */
bool suggest_setting(const struct surface *surface,
                     size_t n_thresholds,
                     size_t n_fors,
                     size_t n_incidents,
                     struct suggest_cell now,
                     uint32_t later_max,
                     struct suggest_cell *ret_cell);

/* Between which shares the truth lies, when `hits` of `n` were found, 95 times of 100. E. B. Wilson,
 * "Probable Inference, the Law of Succession, and Statistical Inference" (1927). */
void suggest_interval(uint64_t hits, uint64_t n, double *ret_low, double *ret_high);
