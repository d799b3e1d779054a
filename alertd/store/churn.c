/*
 * New series by the hour. See churn.h.
 */

#include "alertd/store/churn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

static int64_t slot_of(int64_t t_ms)
{
    return t_ms / CHURN_SLOT_MS;
}

static uint32_t *count_at(struct churn_hour *hour, int64_t slot)
{
    return &hour->counts[((slot % CHURN_SLOTS) + CHURN_SLOTS) % CHURN_SLOTS];
}

/* A clock that was set back does not empty the hour. */
static void advance(struct churn_hour *hour, int64_t slot)
{
    if (slot - hour->newest_slot >= CHURN_SLOTS) {
        *hour = (struct churn_hour){.newest_slot = slot};
        return;
    }
    while (hour->newest_slot < slot)
        *count_at(hour, ++hour->newest_slot) = 0;
}

static size_t sum(const struct churn_hour *hour, int64_t slot)
{
    struct churn_hour now = *hour;
    size_t n = 0;

    advance(&now, slot);
    for (size_t i = 0; i < CHURN_SLOTS; i++)
        n += now.counts[i];
    return n;
}

static void add(struct churn_hour *hour, int64_t slot)
{
    advance(hour, slot);
    ++*count_at(hour, hour->newest_slot);
}

static struct churn_pusher *pusher_of(struct churn *churn, const char *name)
{
    struct churn_pusher *quietest = NULL;

    for (size_t i = 0; i < churn->n; i++) {
        struct churn_pusher *pusher = &churn->pushers[i];

        if (strncmp(pusher->name, name, CHURN_NAME_MAX - 1) == 0)
            return pusher;
        if (!quietest || pusher->hour.newest_slot < quietest->hour.newest_slot)
            quietest = pusher;
    }
    if (churn->n < CHURN_PUSHERS_MAX) {
        churn->pushers = mem_grow(churn->pushers, &churn->capacity, churn->n + 1,
                                  sizeof(*churn->pushers));
        quietest = &churn->pushers[churn->n++];
    }
    *quietest = (struct churn_pusher){0};
    (void)snprintf(quietest->name, sizeof(quietest->name), "%s", name);
    return quietest;
}

void churn_done(struct churn *churn)
{
    free(churn->pushers);
    *churn = (struct churn){0};
}

enum churn_verdict churn_take(
    struct churn *churn, const char *pusher, int64_t now_ms, size_t max_total, size_t max_a_pusher)
{
    struct churn_pusher *known = pusher ? pusher_of(churn, pusher) : NULL;
    int64_t slot = slot_of(now_ms);

    if (sum(&churn->total, slot) >= max_total)
        return CHURN_TOTAL_FULL;
    if (known && sum(&known->hour, slot) >= max_a_pusher)
        return CHURN_PUSHER_FULL;
    add(&churn->total, slot);
    if (known)
        add(&known->hour, slot);
    return CHURN_FITS;
}

size_t churn_count(const struct churn *churn, int64_t now_ms)
{
    return sum(&churn->total, slot_of(now_ms));
}

const char *churn_busiest(const struct churn *churn, int64_t now_ms, size_t *ret_n)
{
    const char *name = NULL;

    *ret_n = 0;
    for (size_t i = 0; i < churn->n; i++) {
        size_t n = sum(&churn->pushers[i].hour, slot_of(now_ms));

        if (name && n <= *ret_n)
            continue;
        name = churn->pushers[i].name;
        *ret_n = n;
    }
    return name;
}
