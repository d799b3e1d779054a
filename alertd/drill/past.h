#pragma once

/*
 * A drill that was played as a past: what a rule is tuned over, and when it was bad in it.
 *
 *     samples   . . . . . . . . . . . . . . . . .      drill_world_source()
 *     evaluated         |---|---|---|---|---|---|      the drill's own instants
 *                     from      onset     mended  to
 *     trouble                     ==========           as the drill says it, to the second
 *
 * The trouble is over when it was mended: by whoever played, or that day, where the samples are those of an
 * incident that was mended. Otherwise it goes on until the end: that a fault ends says nothing of its effect.
 */

#include "alertd/drill/world.h"

struct drill_past {
    int64_t from_ms, to_ms;   /* on the wall clock of the drill; from_ms is an evaluation */
    int64_t begin_ms, end_ms; /* of the trouble */
    const char *words;        /* what it is, and how it ended */
};

/* world: at its end, of that case. */
struct drill_past drill_past_of(const struct drill_case *drill_case,
                                const struct drill_world *world);

/* Evaluations every so often lie at multiples of that and so much. */
int64_t drill_past_phase_ms(const struct drill_past *past, int64_t interval_ms);
