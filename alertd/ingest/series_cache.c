/*
 * Label bytes seen before. See series_cache.h. Each shard is an open-addressed table that
 * doubles up to its bound; forgetting builds it anew without the entries not used lately.
 */

#include "alertd/ingest/series_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/rng.h"

enum {
    N_SHARDS = 16,
    SLOTS_MIN = 16,
    ENTRIES_MAX = 65536, /* a shard: a million in all */
    RECENT_MS = 3600000, /* kept when a shard forgets */
    FORGET_MS = 60000,   /* and how often it does at most */
};

struct entry {
    struct hash128 key;
    const struct labels *labels; /* NULL: free */
    int64_t used_ms;
    uint32_t pusher;
};

struct shard {
    pthread_mutex_t lock;
    struct entry *entries;
    size_t n, n_slots;
    int64_t forgot_ms;
};

struct series_cache {
    uint64_t seed;
    struct shard shards[N_SHARDS];
};

struct series_cache *series_cache_new(void)
{
    struct series_cache *cache = mem_zalloc(sizeof(*cache));

    cache->seed = rng_os_seed();
    for (size_t i = 0; i < N_SHARDS; i++) {
        (void)pthread_mutex_init(&cache->shards[i].lock, NULL);
        cache->shards[i].n_slots = SLOTS_MIN;
        cache->shards[i].entries = mem_zalloc(SLOTS_MIN * sizeof(struct entry));
    }
    return cache;
}

void series_cache_free(struct series_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        for (size_t k = 0; k < shard->n_slots; k++)
            labels_unref(shard->entries[k].labels);
        free(shard->entries);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(cache);
}

struct hash128 series_cache_key(const struct series_cache *cache,
                                const char *bytes,
                                size_t len,
                                uint64_t salt)
{
    return hash128(bytes, len, cache->seed ^ salt);
}

static struct shard *shard_of(struct series_cache *cache, struct hash128 key)
{
    return &cache->shards[key.high % N_SHARDS];
}

static struct entry *slot_of(const struct shard *shard, struct hash128 key)
{
    size_t at = key.low & (shard->n_slots - 1);

    while (shard->entries[at].labels &&
           (shard->entries[at].key.low != key.low || shard->entries[at].key.high != key.high))
        at = (at + 1) & (shard->n_slots - 1);
    return &shard->entries[at];
}

const struct labels *series_cache_find(struct series_cache *cache,
                                       struct hash128 key,
                                       uint32_t pusher,
                                       int64_t now_ms)
{
    struct shard *shard = shard_of(cache, key);
    const struct labels *labels = NULL;

    (void)pthread_mutex_lock(&shard->lock);
    struct entry *entry = slot_of(shard, key);
    if (entry->labels) {
        labels = labels_ref(entry->labels);
        entry->used_ms = now_ms;
        entry->pusher = pusher;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return labels;
}

/* Into a table of n_slots, without what was last used before since_ms. */
static void rebuild(struct shard *shard, size_t n_slots, int64_t since_ms)
{
    struct entry *old = shard->entries;
    size_t n_old = shard->n_slots;

    shard->entries = mem_zalloc(n_slots * sizeof(*shard->entries));
    shard->n_slots = n_slots;
    shard->n = 0;
    for (size_t i = 0; i < n_old; i++) {
        if (!old[i].labels)
            continue;
        if (old[i].used_ms < since_ms) {
            labels_unref(old[i].labels);
            continue;
        }
        *slot_of(shard, old[i].key) = old[i];
        shard->n++;
    }
    free(old);
}

void series_cache_add(struct series_cache *cache,
                      struct hash128 key,
                      const struct labels *labels,
                      uint32_t pusher,
                      int64_t now_ms)
{
    struct shard *shard = shard_of(cache, key);

    (void)pthread_mutex_lock(&shard->lock);
    if (shard->n >= ENTRIES_MAX && now_ms - shard->forgot_ms >= FORGET_MS) {
        rebuild(shard, shard->n_slots, now_ms - RECENT_MS);
        shard->forgot_ms = now_ms;
    }
    if (shard->n * 4 >= shard->n_slots * 3)
        rebuild(shard, shard->n_slots * 2, INT64_MIN);
    struct entry *entry = slot_of(shard, key);
    if (!entry->labels && shard->n < ENTRIES_MAX) {
        *entry = (struct entry){key, labels_ref(labels), now_ms, pusher};
        shard->n++;
    }
    (void)pthread_mutex_unlock(&shard->lock);
}

void series_cache_of(struct series_cache *cache,
                     uint32_t pusher,
                     int64_t since_ms,
                     void (*each)(void *arg, const struct labels *labels),
                     void *arg)
{
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        (void)pthread_mutex_lock(&shard->lock);
        for (size_t k = 0; k < shard->n_slots; k++)
            if (shard->entries[k].labels && shard->entries[k].pusher == pusher &&
                shard->entries[k].used_ms >= since_ms)
                each(arg, shard->entries[k].labels);
        (void)pthread_mutex_unlock(&shard->lock);
    }
}

size_t series_cache_size(struct series_cache *cache)
{
    size_t n = 0;

    for (size_t i = 0; i < N_SHARDS; i++) {
        (void)pthread_mutex_lock(&cache->shards[i].lock);
        n += cache->shards[i].n;
        (void)pthread_mutex_unlock(&cache->shards[i].lock);
    }
    return n;
}
