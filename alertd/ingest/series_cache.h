#pragma once

/*
 * Label bytes seen before: who pushes every ten seconds sends the same bytes every ten
 * seconds, and their fingerprint finds the store's series without decoding, checking or
 * allocating.
 *
 *     128-bit fingerprint (seeded) -> series, who pushed it last and when (in seconds)
 *
 * Sixteen shards with a lock each. Bounded: a full shard forgets what is oldest. Nothing
 * depends on an entry being there but speed, and the staleness markers of a lost agent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/store/store.h"
#include "lib/model/hash.h"

struct series_cache;
struct series_cache *series_cache_new(void);
void series_cache_free(struct series_cache *cache);

/* The fingerprint of label bytes. salt: of the rules they were checked by, since what one
 * token may write another may not. */
struct hash128 series_cache_key(const struct series_cache *cache,
                                const char *bytes,
                                size_t len,
                                uint64_t salt);

/* Number 0: not there. pusher: 0 none, or a number of an agent. */
struct store_series series_cache_find(struct series_cache *cache,
                                      struct hash128 key,
                                      uint32_t pusher,
                                      int64_t now_ms);
/* Or says that it is another series now. */
void series_cache_put(struct series_cache *cache,
                      struct hash128 key,
                      struct store_series series,
                      uint32_t pusher,
                      int64_t now_ms);

/* Calls each() for the series this pusher was the last to push since since_ms. each() must
 * not call the cache. */
void series_cache_of(struct series_cache *cache,
                     uint32_t pusher,
                     int64_t since_ms,
                     void (*each)(void *arg, struct store_series series),
                     void *arg);
size_t series_cache_size(struct series_cache *cache);
/* Of heap. */
size_t series_cache_bytes(struct series_cache *cache);
