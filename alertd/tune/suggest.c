/*
 * See suggest.h.
 */

#include "alertd/tune/suggest.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/mem.h"

enum {
    LONGER_MAX = 4, /* times as long as the setting of now, and an incident for each alert */
};

struct search {
    const struct surface *surface;
    size_t n_thresholds, n_fors, n_incidents;
    struct suggest_cell now;
    uint32_t later_max;
    bool *allowed; /* by cell: it finds what is found now, none too late, and is over again */
};

struct suggest_sum suggest_sum(const struct surface *surface,
                               size_t n_incidents,
                               struct suggest_cell at)
{
    struct suggest_sum sum = {.cell = surface_cell(surface, at.threshold, at.for_index)};

    for (size_t i = 0; i < n_incidents; i++) {
        uint32_t delay = surface_delay(surface, i, at.threshold, at.for_index);
        if (delay == SURFACE_MISSED)
            continue;
        sum.n_found++;
        if (delay > sum.worst_delay)
            sum.worst_delay = delay;
    }
    return sum;
}

uint64_t suggest_firing_max(const struct surface *surface,
                            struct suggest_cell now,
                            uint64_t n_alerts)
{
    uint64_t fires_now = surface_cell(surface, now.threshold, now.for_index).firing_steps;
    uint64_t in_incidents = n_alerts * surface_longest_incident(surface);

    return LONGER_MAX * (fires_now > 0 ? fires_now : in_incidents) + in_incidents;
}

bool suggest_is_never_over(const struct surface *surface,
                           struct suggest_cell now,
                           struct suggest_cell at)
{
    const struct surface_cell then = surface_cell(surface, at.threshold, at.for_index);

    return then.firing_steps > suggest_firing_max(surface, now, then.alerts);
}

static bool is_allowed(const struct search *search, size_t threshold, size_t for_index)
{
    return search->allowed[threshold * search->n_fors + for_index];
}

static bool is_good_enough(const struct search *search, size_t threshold, size_t for_index)
{
    const struct suggest_cell at = {threshold, for_index};

    if (suggest_is_never_over(search->surface, search->now, at))
        return false;
    for (size_t i = 0; i < search->n_incidents; i++) {
        uint32_t now = surface_delay(search->surface, i, search->now.threshold,
                                     search->now.for_index);
        uint32_t then = surface_delay(search->surface, i, threshold, for_index);
        if (now != SURFACE_MISSED &&
            (then == SURFACE_MISSED || (uint64_t)then > (uint64_t)now + search->later_max))
            return false;
    }
    return true;
}

static void look(struct search *search)
{
    search->allowed = mem_alloc(search->n_thresholds * search->n_fors);
    for (size_t j = 0; j < search->n_thresholds; j++)
        for (size_t k = 0; k < search->n_fors; k++)
            search->allowed[j * search->n_fors + k] = is_good_enough(search, j, k);
}

static uint64_t needless(const struct search *search, size_t threshold, size_t for_index)
{
    return surface_cell(search->surface, threshold, for_index).needless;
}

static size_t apart(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

/* To the next cell that is not allowed, or to the hardest threshold: nothing is known beyond. */
static size_t room_around(const struct search *search, size_t threshold, size_t for_index)
{
    size_t room = search->n_thresholds + search->n_fors;

    for (size_t j = 0; j < search->n_thresholds; j++)
        for (size_t k = 0; k < search->n_fors; k++) {
            size_t to_threshold = apart(j, threshold);
            size_t to_for = apart(k, for_index);
            size_t far = to_threshold > to_for ? to_threshold : to_for;
            if (far < room && !is_allowed(search, j, k))
                room = far;
        }
    size_t to_end = search->n_thresholds -
                    threshold; /* the hardest thresholds; `for` 0 is an end that is known */
    return to_end < room ? to_end : room;
}

static uint64_t fewest(const struct search *search)
{
    uint64_t least = UINT64_MAX;

    for (size_t j = 0; j < search->n_thresholds; j++)
        for (size_t k = 0; k < search->n_fors; k++)
            if (needless(search, j, k) < least && is_allowed(search, j, k))
                least = needless(search, j, k);
    return least;
}

/* Of the cells with `enough` needless alerts or fewer the one with most room. */
static bool find_plateau(const struct search *search,
                         uint64_t enough,
                         struct suggest_cell *ret_cell)
{
    size_t best_room = 0;

    for (size_t j = 0; j < search->n_thresholds; j++)
        for (size_t k = 0; k < search->n_fors; k++) {
            if (needless(search, j, k) > enough || !is_allowed(search, j, k))
                continue;
            size_t room = room_around(search, j, k);
            if (room > best_room) {
                best_room = room;
                *ret_cell = (struct suggest_cell){j, k};
            }
        }
    return best_room > 0;
}

bool suggest_setting(const struct surface *surface,
                     size_t n_thresholds,
                     size_t n_fors,
                     size_t n_incidents,
                     struct suggest_cell now,
                     uint32_t later_max,
                     struct suggest_cell *ret_cell)
{
    struct search search = {surface, n_thresholds, n_fors, n_incidents, now, later_max, NULL};
    bool found = false;

    if (suggest_sum(surface, n_incidents, now).n_found == 0)
        return false;
    look(&search);
    uint64_t least = fewest(&search);
    uint64_t enough = least + least / 10;
    if (enough < needless(&search, now.threshold, now.for_index))
        found = find_plateau(&search, enough, ret_cell);
    free(search.allowed);
    return found;
}

void suggest_interval(uint64_t hits, uint64_t n, double *ret_low, double *ret_high)
{
    const double z = 1.959963984540054; /* 95 of 100 */
    double count = (double)n;

    *ret_low = 0;
    *ret_high = 1;
    if (n == 0)
        return;
    double share = (double)hits / count;
    double wide = 1 + z * z / count;
    double middle = (share + z * z / (2 * count)) / wide;
    double half = z / wide * sqrt(share * (1 - share) / count + z * z / (4 * count * count));
    *ret_low = hits == 0 ? 0 : middle - half;
    *ret_high = hits == n ? 1 : middle + half;
}
