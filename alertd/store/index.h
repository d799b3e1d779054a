#pragma once

/*
 * Which series are there, and which of them match: an inverted index in memory.
 *
 *     pairs    0 job="node"     -> 0 1 2 7 9 ...      series' places, ascending
 *              1 job="api"      -> 3 4 ...
 *     names    job              -> pairs 0, 1         for regular expressions and != ""
 *     series   3: pairs 1 8 5   = {job="api", ...}    in the order of the names
 *
 * A select takes the shortest list that one of its matchers names exactly, keeps what the
 * other lists named so have too, and tests the other matchers on those series only; so it
 * costs about what it finds, not what there is.
 *
 * Each text is there once (texts.h) and a series is four bytes a label; its label set is put
 * together for whoever asks.
 *
 * Not thread-safe: the store's lock stands around it.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/store/texts.h"
#include "lib/base/arena.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"

struct segment;

struct series {
    uint64_t hash;            /* of its label set */
    struct segment *segments; /* one a day, newest first; NULL: nothing of it is in memory */
    uint32_t number;          /* not 0; never another's; ascending with the places */
    uint32_t place;           /* in the index; changes when it is rebuilt */
    uint32_t n;
    uint32_t pairs[];
};

struct index {
    struct series **series; /* by place */
    size_t n, capacity;
    uint32_t *slots; /* hash table over series' hashes: place + 1, 0 is free */
    size_t n_slots;
    struct posting *postings; /* by the pair's number */
    size_t n_postings, postings_capacity;
    uint32_t *posting_slots; /* hash table over (name, value): number + 1 */
    size_t n_posting_slots;
    struct label_name *names; /* hash table */
    size_t n_names, n_name_slots;
    struct texts *texts;
    uint32_t last_number;
};

void index_init(struct index *index);
void index_done(struct index *index); /* frees the series too */

struct series *index_find(const struct index *index, const struct labels *labels);
/* By its number, and where it was last; NULL: it was swept away. */
struct series *index_at(const struct index *index, uint32_t number, uint32_t place);
/* Not there yet. */
struct series *index_add(struct index *index, const struct labels *labels);
/* Forgets the series without segments. Pointers to the others stay good. */
void index_sweep(struct index *index);

/* Its label set in the arena; the texts are those of index->texts: hold a reference as long.
 * NULL past the arena's limit. */
const struct labels *index_labels(const struct index *index,
                                  const struct series *series,
                                  struct arena *arena);

/* Each pair and how many series have it (those to be swept too); those of a name together. */
void index_each_pair(const struct index *index,
                     void (*each)(void *arg, const char *name, const char *value, size_t n_series),
                     void *arg);

/* The series that match. Returns a heap array (free()) of *ret_n series. */
struct series **index_select(const struct index *index,
                             const struct matcher *matchers,
                             size_t n_matchers,
                             size_t *ret_n);
