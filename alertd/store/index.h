#pragma once

/*
 * Which series are there, and which of them match: an inverted index in memory.
 *
 *     job="node"     -> 0 1 2 7 9 ...      ids, ascending
 *     job="api"      -> 3 4 ...
 *     "job"          -> the pairs above    for regular expressions and != ""
 *
 * A select takes the shortest list that one of its matchers names exactly, keeps what the
 * other lists named so have too, and tests the other matchers on those series only; so it
 * costs about what it finds, not what there is.
 *
 * Not thread-safe: the store's lock stands around it.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/model/labels.h"
#include "lib/model/matcher.h"

struct segment;

struct series {
    const struct labels *labels;
    struct segment *segments; /* one a day, newest first; NULL: nothing of it is in memory */
    uint32_t id;              /* place in the index; changes when it is rebuilt */
};

struct index {
    struct series **series; /* by id */
    size_t n, capacity;
    uint32_t *slots; /* hash table over labels->hash: id + 1, 0 is free */
    size_t n_slots;
    struct posting *postings; /* hash table over (name, value) */
    size_t n_postings, n_posting_slots;
    struct label_name *names; /* hash table */
    size_t n_names, n_name_slots;
};

void index_init(struct index *index);
void index_done(struct index *index); /* frees the series too */

struct series *index_find(const struct index *index, const struct labels *labels);
/* Not there yet. Takes a reference on labels. */
struct series *index_add(struct index *index, const struct labels *labels);
/* Forgets the series without segments. Pointers to the others stay good. */
void index_sweep(struct index *index);

/* The series that match. Returns a heap array (free()) of *ret_n series. */
struct series **index_select(const struct index *index,
                             const struct matcher *matchers,
                             size_t n_matchers,
                             size_t *ret_n);
