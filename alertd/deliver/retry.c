/*
 * When to try again. See deliver_retry_at() in receiver.h.
 */

#include "alertd/deliver/receiver.h"

enum {
    BACKOFF_MAX_MS = 60000,
    PAUSE_MIN_MS = 250, /* never at once, however the dice fall */
    REFUSED_MS = 300000,
    ASKED_MAX_MS = 300000,
};

int64_t deliver_retry_at(const struct deliver_outcome *outcome,
                         unsigned attempts,
                         int64_t now_ms,
                         struct rng *rng)
{
    int64_t ceiling_ms = attempts < 6 ? INT64_C(1000) << attempts : BACKOFF_MAX_MS;
    int64_t asked_ms = outcome->retry_after_ms;
    int64_t pause_ms;

    if (outcome->verdict == DELIVER_REFUSED)
        return now_ms + REFUSED_MS;
    if (ceiling_ms > BACKOFF_MAX_MS)
        ceiling_ms = BACKOFF_MAX_MS;
    if (asked_ms > ASKED_MAX_MS)
        asked_ms = ASKED_MAX_MS;
    pause_ms = (int64_t)rng_below(rng, (uint64_t)ceiling_ms + 1);
    if (pause_ms < PAUSE_MIN_MS)
        pause_ms = PAUSE_MIN_MS;
    return now_ms + (pause_ms > asked_ms ? pause_ms : asked_ms);
}
