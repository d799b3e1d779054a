/*
 * Label bytes seen before. See series_cache.h. Each shard is an open-addressed table that
 * grows by an eighth when it is full by five sixths, up to its bound; forgetting builds it
 * anew without the entries not used lately.
 */

#include "alertd/ingest/series_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/rng.h"

enum {
    N_SHARDS = 16,
    SLOTS_MIN = 16,
    ENTRIES_MAX = 65536, /* a shard: a million in all */
    RECENT_MS = 3600000, /* kept when a shard forgets */
    FORGET_MS = 60000,   /* and how often it does at most */
};

/* There is one for each series that is pushed. */
struct entry {
    uint32_t key[3];            /* of the fingerprint's 128 bits: the shard says 4 more */
    struct store_series series; /* number 0: free */
    uint32_t used_s;
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

/* Its entry, or the free one where it would be. */
static struct entry *slot_of(const struct shard *shard, const uint32_t key[3])
{
    size_t at = (size_t)((uint64_t)key[0] * shard->n_slots >> 32);

    while (shard->entries[at].series.number &&
           memcmp(shard->entries[at].key, key, sizeof(shard->entries[at].key)) != 0)
        at = at + 1 < shard->n_slots ? at + 1 : 0;
    return &shard->entries[at];
}

static struct entry *entry_of(const struct shard *shard, struct hash128 key)
{
    return slot_of(shard, (const uint32_t[]){(uint32_t)(key.low >> 32), (uint32_t)key.low,
                                             (uint32_t)(key.high >> 32)});
}

static uint32_t seconds(int64_t t_ms)
{
    return t_ms > 0 ? (uint32_t)(t_ms / 1000) : 0;
}

struct store_series series_cache_find(struct series_cache *cache,
                                      struct hash128 key,
                                      uint32_t pusher,
                                      int64_t now_ms)
{
    struct shard *shard = shard_of(cache, key);
    struct store_series series;

    (void)pthread_mutex_lock(&shard->lock);
    struct entry *entry = entry_of(shard, key);
    series = entry->series;
    if (series.number) {
        entry->used_s = seconds(now_ms);
        entry->pusher = pusher;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return series;
}

/* Into a table of n_slots, without what was last used before since_s. */
static void rebuild(struct shard *shard, size_t n_slots, uint32_t since_s)
{
    struct entry *old = shard->entries;
    size_t n_old = shard->n_slots;

    shard->entries = mem_zalloc(n_slots * sizeof(*shard->entries));
    shard->n_slots = n_slots;
    shard->n = 0;
    for (size_t i = 0; i < n_old; i++) {
        if (!old[i].series.number || old[i].used_s < since_s)
            continue;
        *slot_of(shard, old[i].key) = old[i];
        shard->n++;
    }
    free(old);
}

void series_cache_put(struct series_cache *cache,
                      struct hash128 key,
                      struct store_series series,
                      uint32_t pusher,
                      int64_t now_ms)
{
    struct shard *shard = shard_of(cache, key);

    (void)pthread_mutex_lock(&shard->lock);
    if (shard->n >= ENTRIES_MAX && now_ms - shard->forgot_ms >= FORGET_MS) {
        rebuild(shard, shard->n_slots, seconds(now_ms - RECENT_MS));
        shard->forgot_ms = now_ms;
    }
    if (shard->n * 6 >= shard->n_slots * 5)
        rebuild(shard, shard->n_slots + shard->n_slots / 8, 0);
    struct entry *entry = entry_of(shard, key);
    if (entry->series.number) {
        entry->series = series;
    } else if (shard->n < ENTRIES_MAX) {
        *entry = (struct entry){
            .key = {(uint32_t)(key.low >> 32), (uint32_t)key.low, (uint32_t)(key.high >> 32)},
            .series = series,
            .used_s = seconds(now_ms),
            .pusher = pusher};
        shard->n++;
    }
    (void)pthread_mutex_unlock(&shard->lock);
}

void series_cache_of(struct series_cache *cache,
                     uint32_t pusher,
                     int64_t since_ms,
                     void (*each)(void *arg, struct store_series series),
                     void *arg)
{
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        (void)pthread_mutex_lock(&shard->lock);
        for (size_t k = 0; k < shard->n_slots; k++)
            if (shard->entries[k].series.number && shard->entries[k].pusher == pusher &&
                shard->entries[k].used_s >= seconds(since_ms))
                each(arg, shard->entries[k].series);
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

size_t series_cache_bytes(struct series_cache *cache)
{
    size_t n_slots = 0;

    for (size_t i = 0; i < N_SHARDS; i++) {
        (void)pthread_mutex_lock(&cache->shards[i].lock);
        n_slots += cache->shards[i].n_slots;
        (void)pthread_mutex_unlock(&cache->shards[i].lock);
    }
    return n_slots * sizeof(struct entry);
}
