#pragma once

/*
 * Which series are there, and which of them match: an inverted index in memory.
 *
 *     pairs    0 job="node"     -> 0 1 2 7 9 ...      series' places, ascending
 *              1 job="api"      -> 3 4 ...
 *     names    job              -> pairs 0, 1         for regular expressions and != ""
 *     series   3: pairs 1 8 5   = {job="api", ...}    in the order of the names
 *
 * search.h looks for series in it.
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

struct posting {              /* one pair and who has it */
    const char *name, *value; /* texts; the name's is the same for all pairs of it */
    uint64_t hash;
    uint32_t *ids;
    uint32_t n, capacity;
};

struct label_name {
    const char *name;
    uint32_t *pairs;
    size_t n, capacity;
};

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
/* Forgets the series without segments, and begins texts anew. Pointers to the others stay good;
 * those forgotten are freed with the old texts, so whoever holds a reference on these may look
 * whether a series has segments, and no further. */
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

/* Of heap, texts included. It looks at each pair. */
size_t index_bytes(const struct index *index);
/* NULL: no series has it. */
const struct posting *index_posting(const struct index *index, const char *name, const char *value);
/* NULL: no series has one. */
const struct label_name *index_name(const struct index *index, const char *name);
