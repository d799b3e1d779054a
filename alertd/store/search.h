#pragma once

/*
 * Which series match, found in small steps, so that nobody waits long for the index.
 *
 *     lists that matchers name exactly ─┐
 *     or values, some at a time ────────┼─> candidates ──tests, some at a time──> series
 *     or all                            ┘
 *
 * The candidates are the shortest list that a matcher names exactly, less what the other lists
 * named so do not have; so it costs about what it finds, not what there is.
 *
 * Between two steps the index may grow: what is added meanwhile may be found or not. A sweep
 * gives other places to all, and the search begins anew (it knows by the texts, on which its
 * caller holds a reference).
 */

#include <stdbool.h>

#include "alertd/store/index.h"

enum search_state {
    SEARCH_BEGINS,
    SEARCH_VALUES,
    SEARCH_SERIES,
    SEARCH_ENDED,
};

struct search {
    const struct matcher *matchers;
    size_t n_matchers;
    enum search_state state;
    const struct texts *texts; /* of the index that the candidates are places of */
    const struct matcher *by;  /* whose values are looked through */
    size_t at_value;
    uint32_t *ids; /* the candidates */
    size_t n_ids, ids_capacity;
    bool is_sorted;
    size_t at_id;
    struct series **found; /* in the order of their places */
    size_t n, capacity;
};

/* Begin with {.matchers, .n_matchers}. */
void search_done(struct search *search);
/* With the index's lock: a bounded piece of work. False: it has ended. */
bool search_step(struct search *search, const struct index *index);
/* After each step, without the lock: what needs no index. */
void search_rest(struct search *search);
