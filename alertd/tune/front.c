/*
 * The settings among which there is a real choice. See front.h.
 */

#include "alertd/tune/front.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

static int compare_steps(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static void compare_delays(struct front_point *point, uint32_t now, uint32_t then)
{
    if (now == SURFACE_MISSED || then == SURFACE_MISSED) {
        point->n_lost += then == SURFACE_MISSED && now != SURFACE_MISSED;
        point->n_gained += now == SURFACE_MISSED && then != SURFACE_MISSED;
        return;
    }
    if (then > now) {
        point->n_later++;
        point->later_by = then - now > point->later_by ? then - now : point->later_by;
    }
    if (then < now) {
        point->n_sooner++;
        point->sooner_by = now - then > point->sooner_by ? now - then : point->sooner_by;
    }
}

struct front_point front_point(const struct surface *surface,
                               size_t n_incidents,
                               struct suggest_cell now,
                               struct suggest_cell at)
{
    struct front_point point = {.at = at,
                                .cell = surface_cell(surface, at.threshold, at.for_index)};
    uint32_t delays[SURFACE_INCIDENTS_MAX];

    for (size_t i = 0; i < n_incidents; i++) {
        uint32_t then = surface_delay(surface, i, at.threshold, at.for_index);
        compare_delays(&point, surface_delay(surface, i, now.threshold, now.for_index), then);
        delays[i] = then;
        point.n_found += then != SURFACE_MISSED;
    }
    if (n_incidents > 0) {
        qsort(delays, n_incidents, sizeof(*delays), compare_steps);
        point.p90_delay = delays[(n_incidents * 9 + 9) / 10 - 1]; /* the nearest rank */
    }
    return point;
}

static size_t apart(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

static size_t moved(struct suggest_cell now, struct suggest_cell at)
{
    return apart(now.threshold, at.threshold) + apart(now.for_index, at.for_index);
}

struct scored {
    struct front_point point;
    size_t moved;
};

/* Fewest about none first, then most found, then soonest, then nearest to now. */
static int by_score(const void *a, const void *b)
{
    const struct scored *left = a;
    const struct scored *right = b;

    if (left->point.cell.needless != right->point.cell.needless)
        return left->point.cell.needless < right->point.cell.needless ? -1 : 1;
    if (left->point.n_found != right->point.n_found)
        return left->point.n_found > right->point.n_found ? -1 : 1;
    if (left->point.p90_delay != right->point.p90_delay)
        return left->point.p90_delay < right->point.p90_delay ? -1 : 1;
    return (left->moved > right->moved) - (left->moved < right->moved);
}

/* One before it, with no more about none, finds as many as soon. */
static bool is_beaten(const struct front_point *points, size_t n, const struct front_point *by)
{
    for (size_t i = 0; i < n; i++)
        if (points[i].n_found >= by->n_found && points[i].p90_delay <= by->p90_delay)
            return true;
    return false;
}

size_t front_of(const struct surface *surface,
                size_t n_thresholds,
                size_t n_fors,
                size_t n_incidents,
                struct suggest_cell now,
                struct front_point *ret_points)
{
    size_t n_cells = n_thresholds * n_fors;
    MEM_AUTO struct scored *scored = mem_alloc((n_cells + 1) * sizeof(*scored));
    size_t n = 0;
    size_t n_front = 0;

    if (n_incidents == 0)
        return 0;
    for (size_t j = 0; j < n_thresholds; j++)
        for (size_t k = 0; k < n_fors; k++) {
            const struct suggest_cell at = {j, k};
            scored[n].point = front_point(surface, n_incidents, now, at);
            scored[n].moved = moved(now, at);
            /* one that finds nothing is no alert, nor is one that is never over */
            n += scored[n].point.n_found > 0 && !suggest_is_never_over(surface, now, at);
        }
    qsort(scored, n, sizeof(*scored), by_score);
    for (size_t i = 0; i < n && n_front < FRONT_MAX; i++)
        if (!is_beaten(ret_points, n_front, &scored[i].point))
            ret_points[n_front++] = scored[i].point;
    for (size_t i = 0; i < n_front / 2; i++) {
        struct front_point swapped = ret_points[i];
        ret_points[i] = ret_points[n_front - 1 - i];
        ret_points[n_front - 1 - i] = swapped;
    }
    return n_front;
}

size_t front_thin(struct front_point *points, size_t n, size_t n_most)
{
    if (n <= n_most || n_most < 2)
        return n < n_most ? n : n_most;
    for (size_t i = 0; i < n_most; i++)
        points[i] = points[i * (n - 1) / (n_most - 1)];
    return n_most;
}
