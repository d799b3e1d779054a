#pragma once

/*
 * The world that pages are reckoned in: the config in force, every silence that is kept, the roster
 * of now, everybody's clock, and how soon this team answers.
 */

#include "alertd/db/db.h"
#include "alertd/pages/pages.h"

struct pages_world {
    struct arena arena;
    struct zones zones;
    struct roster roster;
    struct pages_plan plan; /* its times are the caller's */
    size_t n_answers;       /* that ack_after_ms is the median of; 0: it is the usual one */
};

/* 0, or a failure in words; pages_world_done() in any case. */
int pages_world_load(struct db *state,
                     const struct route_config *config,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct pages_world *ret_world,
                     struct err *reterr);
void pages_world_done(struct pages_world *world);
