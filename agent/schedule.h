#pragma once

/*
 * What is due when. Pure: the caller brings the time and does the running.
 *
 *      start                grid of the interval, shifted by the phase
 *      |  first run         |         |         |
 *      +--|--jitter---------+---------+---------+------> now_ms
 *
 * Invariants
 *  (1) An entry never runs twice at once: between schedule_take() and
 *      schedule_finish() it is not due.
 *  (2) Runs start on a grid of their own, phase + k * interval, so that rate() sees
 *      equal steps; the phase is a hash of agent and probe, so that a thousand agents
 *      do not ask one server in the same millisecond, and a restart changes nothing.
 *  (3) A grid point that comes while the last run still goes is skipped and counted,
 *      not made up for.
 *  (4) The first run comes within SCHEDULE_SPREAD_MS of the start, wherever the grid
 *      is: nobody waits 5 minutes for the first number of a probe of 5 minutes.
 *
 * Time is clock_mono_ms() in the program and anything in tests.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/rng.h"

enum {
    SCHEDULE_SPREAD_MS = 1000
};

struct schedule_entry {
    int64_t interval_ms;
    int64_t phase_ms; /* in [0, interval_ms) */
    int64_t due_ms;
    bool is_running;
    uint64_t n_runs;
    uint64_t n_skipped;
};

struct schedule {
    struct schedule_entry *entries;
    size_t n;
};

/* n entries, all with interval 0; schedule_done(). */
void schedule_init(struct schedule *schedule, size_t n);
void schedule_done(struct schedule *schedule);

/* Sets one entry up. name_hash: any hash of what makes this probe itself. */
void schedule_set(struct schedule *schedule,
                  size_t index,
                  int64_t interval_ms,
                  uint64_t name_hash,
                  struct rng *rng,
                  int64_t now_ms);

/* The next entry that is due and not running, marked as running; false: none is. */
bool schedule_take(struct schedule *schedule, int64_t now_ms, size_t *ret_index);
/* The run of this entry has ended. */
void schedule_finish(struct schedule *schedule, size_t index);

/* When something is due next (running entries do not count); INT64_MAX: never. */
int64_t schedule_next_ms(const struct schedule *schedule);
