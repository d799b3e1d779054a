#pragma once

/*
 * How long something will take that goes on by steps, seen from anywhere between two of them.
 *
 *     at      |-----first-----|--step--|--step--|--st...                         |
 *     begun   ^               ^ counted from here   ^ now: a part of a step is done
 *
 * The first step has what comes once: a connection, series that are new; its time says nothing of the others.
 * And the time since the last step is part of the next one, not of those that are done.
 */

#include <stdbool.h>
#include <stdint.h>

#define PACE_UNKNOWN INT64_C(-1)

struct pace {
    int64_t at, moved_ms; /* where it is, and since when */
    int64_t counted_at, counted_ms;
    unsigned n_moves;
    bool is_begun;
};

/* Begins as zeros. Told where it is, as often as one likes. */
void pace_note(struct pace *pace, int64_t at, int64_t now_ms);
/* Milliseconds until it is at `to`, or PACE_UNKNOWN before the second step. */
int64_t pace_left_ms(const struct pace *pace, int64_t to, int64_t now_ms);
