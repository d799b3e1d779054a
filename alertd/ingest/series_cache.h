#pragma once

/*
 * Label bytes seen before: who pushes every ten seconds sends the same bytes every ten
 * seconds, and their fingerprint finds the label set without decoding, checking or
 * allocating.
 *
 *     128-bit fingerprint (seeded) -> labels, who pushed it last and when
 *
 * Sixteen shards with a lock each. Bounded: a full shard forgets what is oldest. Nothing
 * depends on an entry being there but speed, and the staleness markers of a lost agent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/hash.h"
#include "lib/model/labels.h"

struct series_cache;
struct series_cache *series_cache_new(void);
void series_cache_free(struct series_cache *cache);

/* The fingerprint of label bytes. salt: of the rules they were checked by, since what one
 * token may write another may not. */
struct hash128 series_cache_key(const struct series_cache *cache,
                                const char *bytes,
                                size_t len,
                                uint64_t salt);

/* With a reference for the caller, or NULL. pusher: 0 none, or a number of an agent. */
const struct labels *series_cache_find(struct series_cache *cache,
                                       struct hash128 key,
                                       uint32_t pusher,
                                       int64_t now_ms);
/* Takes a reference of its own. */
void series_cache_add(struct series_cache *cache,
                      struct hash128 key,
                      const struct labels *labels,
                      uint32_t pusher,
                      int64_t now_ms);

/* Calls each() for the series this pusher was the last to push since since_ms. each() must
 * not call the cache. */
void series_cache_of(struct series_cache *cache,
                     uint32_t pusher,
                     int64_t since_ms,
                     void (*each)(void *arg, const struct labels *labels),
                     void *arg);
size_t series_cache_size(struct series_cache *cache);
