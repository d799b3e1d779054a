/*
 * How fast each integration and each contact is told: a bucket for everyone of them that was
 * told since the start. See notify.h and incident/pace.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/app/notify.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

struct notify_paced {
    char receiver[160];
    char kind[16];
    unsigned slot;
    struct pace pace;
};

/* Under the lock. */
static struct notify_paced *find(struct notify_paces *paces,
                                 const char *receiver,
                                 const char *kind,
                                 unsigned slot)
{
    struct notify_paced *made;

    for (size_t i = 0; i < paces->n; i++)
        if (paces->at[i].slot == slot && strcmp(paces->at[i].receiver, receiver) == 0 &&
            strcmp(paces->at[i].kind, kind) == 0)
            return &paces->at[i];
    paces->at = mem_grow(paces->at, &paces->capacity, paces->n + 1, sizeof(*paces->at));
    made = &paces->at[paces->n++];
    *made = (struct notify_paced){.slot = slot};
    (void)snprintf(made->receiver, sizeof(made->receiver), "%s", receiver);
    (void)snprintf(made->kind, sizeof(made->kind), "%s", kind);
    return made;
}

static struct pace_limits limits_of(const struct notify_worker *worker, const char *kind)
{
    bool never_folded = strcmp(kind, "pagerduty") == 0;

    if (!worker->to) /* a contact has no settings of its own */
        return (struct pace_limits){PACE_PER_SECOND, never_folded ? 0 : PACE_PER_MINUTE};
    if (worker->to->kind == ROUTE_DASHBOARD)
        return (struct pace_limits){0, 0};
    return (struct pace_limits){worker->to->max_per_second, worker->to->digest_above};
}

static struct pace_room look(void *arg, const char *receiver, const char *kind, unsigned slot)
{
    struct notify_worker *worker = arg;
    struct notify_paces *paces = &worker->loop->paces;
    struct pace_limits limits = limits_of(worker, kind);

    (void)pthread_mutex_lock(&paces->lock);
    struct pace_room room = pace_look(&find(paces, receiver, kind, slot)->pace, &limits,
                                      clock_mono_ms());
    (void)pthread_mutex_unlock(&paces->lock);
    return room;
}

static void take(void *arg, const char *receiver, const char *kind, unsigned slot)
{
    struct notify_worker *worker = arg;
    struct notify_paces *paces = &worker->loop->paces;
    struct pace_limits limits = limits_of(worker, kind);

    (void)pthread_mutex_lock(&paces->lock);
    pace_take(&find(paces, receiver, kind, slot)->pace, &limits, clock_mono_ms());
    (void)pthread_mutex_unlock(&paces->lock);
}

struct outbox_pace notify_pace(struct notify_worker *worker)
{
    return (struct outbox_pace){.look = look, .take = take, .arg = worker};
}

void notify_paces_init(struct notify_paces *paces)
{
    (void)pthread_mutex_init(&paces->lock, NULL);
}

void notify_paces_done(struct notify_paces *paces)
{
    (void)pthread_mutex_destroy(&paces->lock);
    free(paces->at);
}
