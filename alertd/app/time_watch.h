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
    TIME_STANDSTILL_MIN_MS = 10000, /* so long no thread waits for a busy machine */
    TIME_LEARN_MS = 250,            /* less between two looks says nothing of a clock's pace */
};

struct time_watch {
    int64_t wall_ms, mono_ms;
    unsigned n_looks;
    int64_t held_ms;
    double pace; /* wall ms in one of the monotonic clock, learned by the first three looks */
};

/*
 * How much of the wall clock's time nobody was there: it was set, the machine was suspended, or the
 * process stood still. Somebody has to look every second or so; whoever comes late although others
 * looked meanwhile is on a busy machine, and for him the time did pass.
 */
struct time_away {
    struct time_watch watch;
    int64_t wall_ms, mono_ms;
    bool has_looked;
    int64_t total_ms; /* of the wall clock; less when it was set back */
};

/* Returns the total, as of this look. */
int64_t time_away_look(struct time_away *away, int64_t wall_ms, int64_t mono_ms);
/* Whether the clock's pace is known. Until then a jump may not have been told yet: who does what
 * waits for times waits for this first. */
bool time_away_is_sure(const struct time_away *away);

/* How far the clock was set since the last look: ahead > 0, back < 0, 0: it was not. */
int64_t time_watch_look(struct time_watch *watch, int64_t wall_ms, int64_t mono_ms);
