#pragma once

/*
 * When to send a body again, and when never: what every sender that retries decides alike.
 * Pure: the caller has the clock and the dice.
 *
 * After k failures in a row the pause is a random time below min(max_ms, min_ms * 2^k): "full
 * jitter" (Brooker, "Exponential backoff and jitter", 2015). What the server asked for
 * (Retry-After) wins, up to RETRY_AFTER_MAX_MS, with up to a tenth on top.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/rng.h"

enum {
    RETRY_AFTER_MAX_MS = 300000,
};

struct retry_bounds {
    int64_t min_ms, max_ms;
};

/* 400, 409, 413, 415, 422: the body itself is refused, and will be the next time. Everything
 * else, a wrong token or path included, can be mended by a person. */
bool retry_is_vain(int status);

/* n_failures in a row, at least 1; retry_after_ms is the server's wish, -1 none. */
int64_t retry_pause_ms(const struct retry_bounds *bounds,
                       unsigned n_failures,
                       int64_t retry_after_ms,
                       struct rng *rng);
