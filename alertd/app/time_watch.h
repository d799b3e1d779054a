#pragma once

/*
 * Whether the wall clock was set: two looks, and what both clocks say passed between them.
 *
 *     jump = what the wall clock went - what it was to go
 *
 * Durations are measured with the monotonic clock; a jump is told, for the times on a timeline
 * are the wall clock's. A clock that is slewed is none.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
    TIME_JUMP_MIN_MS = 2000,
};

struct time_watch {
    int64_t wall_ms, mono_ms;
    unsigned n_looks;
    int64_t held_ms;
    double pace; /* wall ms in one of the monotonic clock, learned by the first three looks */
};

/* How far the clock was set since the last look: ahead > 0, back < 0, 0: it was not. */
int64_t time_watch_look(struct time_watch *watch, int64_t wall_ms, int64_t mono_ms);
