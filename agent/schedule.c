/*
 * What is due when. See schedule.h.
 */

#include "agent/schedule.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/mem.h"

void schedule_init(struct schedule *schedule, size_t n)
{
    *schedule = (struct schedule){.entries = mem_zalloc(n * sizeof(*schedule->entries)), .n = n};
}

void schedule_done(struct schedule *schedule)
{
    free(schedule->entries);
    *schedule = (struct schedule){0};
}

/* The first grid point after at_ms. */
static int64_t grid_after(const struct schedule_entry *entry, int64_t at_ms)
{
    int64_t since = at_ms - entry->phase_ms;
    int64_t steps = since / entry->interval_ms - (since % entry->interval_ms < 0);

    return entry->phase_ms + (steps + 1) * entry->interval_ms;
}

void schedule_set(struct schedule *schedule,
                  size_t index,
                  int64_t interval_ms,
                  uint64_t name_hash,
                  struct rng *rng,
                  int64_t now_ms)
{
    struct schedule_entry *entry = &schedule->entries[index];
    int64_t spread_ms = interval_ms < SCHEDULE_SPREAD_MS ? interval_ms : SCHEDULE_SPREAD_MS;

    assert(interval_ms > 0);
    *entry = (struct schedule_entry){
        .interval_ms = interval_ms,
        .phase_ms = (int64_t)(name_hash % (uint64_t)interval_ms),
        .due_ms = now_ms + (int64_t)rng_below(rng, (uint64_t)spread_ms),
    };
}

/* After the first run a grid point nearer than half an interval is left out, so that
 * the second does not follow on its heels. */
static int64_t due_after_start(const struct schedule_entry *entry, int64_t now_ms)
{
    int64_t next_ms = grid_after(entry, now_ms);

    if (entry->n_runs == 1 && next_ms - now_ms < entry->interval_ms / 2)
        next_ms += entry->interval_ms;
    return next_ms;
}

bool schedule_take(struct schedule *schedule, int64_t now_ms, size_t *ret_index)
{
    for (size_t i = 0; i < schedule->n; i++) {
        struct schedule_entry *entry = &schedule->entries[i];

        if (entry->interval_ms == 0 || entry->due_ms > now_ms)
            continue;
        if (entry->is_running) {
            entry->n_skipped++;
            entry->due_ms = grid_after(entry, now_ms);
            continue;
        }
        entry->is_running = true;
        entry->n_runs++;
        entry->due_ms = due_after_start(entry, now_ms);
        *ret_index = i;
        return true;
    }
    return false;
}

void schedule_finish(struct schedule *schedule, size_t index)
{
    assert(schedule->entries[index].is_running);
    schedule->entries[index].is_running = false;
}

int64_t schedule_next_ms(const struct schedule *schedule)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < schedule->n; i++)
        if (schedule->entries[i].interval_ms && schedule->entries[i].due_ms < next_ms)
            next_ms = schedule->entries[i].due_ms;
    return next_ms;
}
