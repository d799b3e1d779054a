#pragma once

/*
 * How many series were new within the last hour, in total and by who pushed them: a bound on
 * churn, which costs an index entry for days after its series is gone.
 *
 *     | 5 min | 5 min | ... | 5 min |   twelve counts; the oldest falls off as time goes on
 *
 * Bounded itself: of more than CHURN_PUSHERS_MAX pushers those that are quiet longest are
 * forgotten. Pure; not thread-safe: the store's thread has it.
 */

#include <stddef.h>
#include <stdint.h>

enum {
    CHURN_SLOTS = 12,
    CHURN_SLOT_MS = 300000,
    CHURN_PUSHERS_MAX = 256,
    CHURN_NAME_MAX = 72,
};

struct churn_hour {
    int64_t newest_slot;
    uint32_t counts[CHURN_SLOTS];
};

struct churn_pusher {
    char name[CHURN_NAME_MAX];
    struct churn_hour hour;
};

struct churn {
    struct churn_hour total;
    struct churn_pusher *pushers; /* grows to CHURN_PUSHERS_MAX */
    size_t n, capacity;
};

enum churn_verdict {
    CHURN_FITS,
    CHURN_TOTAL_FULL,
    CHURN_PUSHER_FULL,
};

void churn_done(struct churn *churn);
/* One more series of this pusher (NULL: nobody's) unless that is beyond a limit. */
enum churn_verdict churn_take(
    struct churn *churn, const char *pusher, int64_t now_ms, size_t max_total, size_t max_a_pusher);
/* The pusher of the most; NULL: nobody is known. A loan. */
const char *churn_busiest(const struct churn *churn, int64_t now_ms, size_t *ret_n);
/* Within the hour before now_ms. */
size_t churn_count(const struct churn *churn, int64_t now_ms);
