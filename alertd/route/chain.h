#pragma once

/*
 * A hash table of objects that hold their own link. Private to route/.
 */

#include <stddef.h>
#include <stdint.h>

struct chain {
    struct chain *next;
    uint64_t hash;
};

struct chains {
    struct chain **buckets; /* heap; a power of two of them */
    size_t n_buckets;
    size_t n;
};

void chains_add(struct chains *chains, struct chain *link, uint64_t hash);
void chains_remove(struct chains *chains, struct chain *link);
/* The first link of that hash, and the next one behind it; NULL: no more. */
struct chain *chains_find(const struct chains *chains, uint64_t hash);
struct chain *chains_next(const struct chain *link);
/* The table, not the objects. */
void chains_done(struct chains *chains);
