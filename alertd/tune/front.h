#pragma once

/*
 * The settings among which there is a real choice: none is better than them in all of alerts
 * about none, incidents found and how late. Settings that are just never over are left out.
 *
 *     needless |  x   .                      x: on the front
 *              |    .   x .  .               .: something is as good in all three and better
 *              |  .   .     x     .             in one
 *              +------------------- found, p90 of the delays
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/suggest.h"
#include "alertd/tune/surface.h"

enum {
    FRONT_MAX = 64,
};

struct front_point {
    struct suggest_cell at;
    struct surface_cell cell;
    size_t n_found;
    uint32_t
        p90_delay; /* steps, of all incidents; SURFACE_MISSED: more than one of ten is missed */
    /* beside the setting of now */
    size_t n_lost, n_gained; /* incidents */
    size_t n_later;          /* found by both, and later */
    size_t n_sooner;
    uint32_t later_by, sooner_by; /* steps, at most */
};

/* One cell beside now. */
struct front_point front_point(const struct surface *surface,
                               size_t n_incidents,
                               struct suggest_cell now,
                               struct suggest_cell at);

/* From most alerts about none to fewest; of cells that are alike the one that moves least from
 * now. At most FRONT_MAX, returns how many. None without incidents. */
size_t front_of(const struct surface *surface,
                size_t n_thresholds,
                size_t n_fors,
                size_t n_incidents,
                struct suggest_cell now,
                struct front_point *ret_points);

/* Of the points at most n_most, the ends and those most apart between them; in place. */
size_t front_thin(struct front_point *points, size_t n, size_t n_most);
