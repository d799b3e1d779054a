/*
 * Practice over time. See practice.h.
 */

#include "alertd/drill/practice.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

static size_t clock_of(const char *name)
{
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++)
        if (strcmp(drill_clock_name((enum drill_clock)i), name) == 0)
            return i;
    return DRILL_N_CLOCKS;
}

bool practice_runs(struct arena *arena,
                   const struct practice_row *rows,
                   size_t n_rows,
                   struct practice_run **ret_runs,
                   size_t *ret_n)
{
    struct practice_run *runs = arena_array(arena, n_rows + 1, sizeof(*runs));
    size_t n = 0;

    for (size_t i = 0; runs && i < n_rows; i++) {
        size_t clock = clock_of(rows[i].clock);

        if (n == 0 || runs[n - 1].session != rows[i].session) {
            runs[n] = (struct practice_run){
                .session = rows[i].session, .ended_ms = rows[i].ended_ms, .player = rows[i].player};
            for (size_t k = 0; k < DRILL_N_CLOCKS; k++)
                runs[n].clocks[k] = PRACTICE_UNKNOWN;
            n++;
        }
        if (clock < DRILL_N_CLOCKS)
            runs[n - 1].clocks[clock] = rows[i].value_ms;
    }
    *ret_runs = runs;
    *ret_n = n;
    return runs != NULL;
}

static bool is_newest_of_player(const struct practice_run *runs, size_t n, size_t index)
{
    for (size_t i = 0; i < n; i++)
        if (i != index && strcmp(runs[i].player, runs[index].player) == 0 &&
            (runs[i].ended_ms > runs[index].ended_ms ||
             (runs[i].ended_ms == runs[index].ended_ms && runs[i].session > runs[index].session)))
            return false;
    return true;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t practice_median(const struct practice_run *runs, size_t n, enum drill_clock clock)
{
    MEM_AUTO int64_t *values = mem_alloc((n + 1) * sizeof(*values));
    size_t n_values = 0;

    for (size_t i = 0; i < n; i++)
        if (runs[i].clocks[clock] != PRACTICE_UNKNOWN && is_newest_of_player(runs, n, i))
            values[n_values++] = runs[i].clocks[clock]; /* never is the longest of all */
    if (n_values == 0)
        return PRACTICE_UNKNOWN;
    qsort(values, n_values, sizeof(*values), by_value);
    return values[(n_values - 1) / 2];
}

const struct practice_run *practice_last(const struct practice_run *runs,
                                         size_t n,
                                         const char *player,
                                         int64_t session)
{
    const struct practice_run *last = NULL;

    for (size_t i = 0; i < n; i++)
        if (runs[i].session != session && strcmp(runs[i].player, player) == 0 &&
            (!last || runs[i].ended_ms >= last->ended_ms))
            last = &runs[i];
    return last;
}
