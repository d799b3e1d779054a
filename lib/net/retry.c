/*
 * When to send a body again, and when never. See retry.h.
 */

#include "lib/net/retry.h"

bool retry_is_vain(int status)
{
    return status == 400 || status == 409 || status == 413 || status == 415 || status == 422;
}

int64_t retry_pause_ms(const struct retry_bounds *bounds,
                       unsigned n_failures,
                       int64_t retry_after_ms,
                       struct rng *rng)
{
    int64_t ceiling_ms = bounds->min_ms;

    if (retry_after_ms >= 0) {
        int64_t wait_ms = retry_after_ms < RETRY_AFTER_MAX_MS ? retry_after_ms : RETRY_AFTER_MAX_MS;

        return wait_ms + (int64_t)rng_below(rng, (uint64_t)(wait_ms / 10 + 1));
    }
    for (unsigned i = 0; i < n_failures && ceiling_ms < bounds->max_ms; i++)
        ceiling_ms *= 2;
    if (ceiling_ms > bounds->max_ms)
        ceiling_ms = bounds->max_ms;
    return (int64_t)rng_below(rng, (uint64_t)ceiling_ms);
}
