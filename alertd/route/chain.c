/*
 * A hash table of objects that hold their own link. See chain.h.
 */

#include "alertd/route/chain.h"

#include <stdlib.h>

#include "lib/base/mem.h"

enum {
    BUCKETS_MIN = 64
};

static void grow(struct chains *chains)
{
    size_t n = chains->n_buckets ? chains->n_buckets * 2 : BUCKETS_MIN;
    struct chain **buckets = mem_zalloc(n * sizeof(struct chain *));

    for (size_t i = 0; i < chains->n_buckets; i++)
        for (struct chain *at = chains->buckets[i], *next; at; at = next) {
            next = at->next;
            at->next = buckets[at->hash & (n - 1)];
            buckets[at->hash & (n - 1)] = at;
        }
    free(chains->buckets);
    chains->buckets = buckets;
    chains->n_buckets = n;
}

void chains_add(struct chains *chains, struct chain *link, uint64_t hash)
{
    if (chains->n >= chains->n_buckets)
        grow(chains);

    struct chain **bucket = &chains->buckets[hash & (chains->n_buckets - 1)];

    link->hash = hash;
    link->next = *bucket;
    *bucket = link;
    chains->n++;
}

void chains_remove(struct chains *chains, struct chain *link)
{
    struct chain **at = &chains->buckets[link->hash & (chains->n_buckets - 1)];

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    chains->n--;
}

static struct chain *of_hash(struct chain *at, uint64_t hash)
{
    while (at && at->hash != hash)
        at = at->next;
    return at;
}

struct chain *chains_find(const struct chains *chains, uint64_t hash)
{
    return chains->n ? of_hash(chains->buckets[hash & (chains->n_buckets - 1)], hash) : NULL;
}

struct chain *chains_next(const struct chain *link)
{
    return of_hash(link->next, link->hash);
}

void chains_done(struct chains *chains)
{
    free(chains->buckets);
    *chains = (struct chains){0};
}
