#pragma once

/*
 * One layer at one instant: whose turn it is, and until when that stays so.
 *
 * The turn is computed, not walked to: the wall clock's distance from the anchor divided by
 * a turn's length gives it, but for a correction where the clock was changed since.
 */

#include "alertd/oncall/roster.h"

struct turn {
    const char *person; /* NULL: nobody */
    int64_t until_ms;   /* after at_ms; ROSTER_FOREVER when nothing is ahead */
};

struct turn layer_turn(const struct layer *layer, const struct zone *zone, int64_t at_ms);

/* The turn of a rotation an instant lies in (negative before the anchor), and where a turn
 * begins. */
int64_t rotation_turn(const struct rotation *rotation, const struct zone *zone, int64_t at_ms);
int64_t rotation_start(const struct rotation *rotation, const struct zone *zone, int64_t turn);
