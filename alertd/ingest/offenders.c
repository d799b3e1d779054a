/*
 * Who was refused what lately. See offenders.h.
 */

#include "alertd/ingest/offenders.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

struct offenders {
    pthread_mutex_t lock;
    struct offender at[OFFENDERS_MAX];
    size_t n;
};

struct offenders *offenders_new(void)
{
    struct offenders *offenders = mem_zalloc(sizeof(*offenders));

    (void)pthread_mutex_init(&offenders->lock, NULL);
    return offenders;
}

void offenders_free(struct offenders *offenders)
{
    if (!offenders)
        return;
    (void)pthread_mutex_destroy(&offenders->lock);
    free(offenders);
}

/* Its row, or the one it may have, which is empty then. */
static struct offender *row_of(struct offenders *offenders, const struct offender *seen)
{
    struct offender *oldest = &offenders->at[0];

    for (size_t i = 0; i < offenders->n; i++) {
        struct offender *known = &offenders->at[i];

        if (strcmp(known->reason, seen->reason) == 0 && strcmp(known->pusher, seen->pusher) == 0)
            return known;
        if (known->last_ms < oldest->last_ms)
            oldest = known;
    }
    if (offenders->n < OFFENDERS_MAX)
        oldest = &offenders->at[offenders->n++];
    *oldest = (struct offender){.first_ms = seen->first_ms};
    return oldest;
}

void offenders_note(struct offenders *offenders, const struct offender *seen)
{
    (void)pthread_mutex_lock(&offenders->lock);
    struct offender *row = row_of(offenders, seen);
    const struct offender before = *row;

    *row = *seen;
    row->first_ms = before.first_ms;
    row->n += before.n;
    (void)pthread_mutex_unlock(&offenders->lock);
}

static int compare(const void *a, const void *b)
{
    const struct offender *x = a;
    const struct offender *y = b;

    return x->last_ms > y->last_ms ? -1 : x->last_ms < y->last_ms;
}

size_t offenders_list(struct offenders *offenders, struct offender *ret_offenders)
{
    (void)pthread_mutex_lock(&offenders->lock);
    size_t n = offenders->n;
    memcpy(ret_offenders, offenders->at, n * sizeof(*ret_offenders));
    (void)pthread_mutex_unlock(&offenders->lock);
    qsort(ret_offenders, n, sizeof(*ret_offenders), compare);
    return n;
}
