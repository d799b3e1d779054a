/*
 * Folded timelines that are kept. See folds.h.
 */

#include "alertd/db/folds.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum {
    FOLD_BYTES_MAX = 48 * 1024 * 1024,
};

void folds_init(struct folds *folds)
{
    *folds = (struct folds){0};
    (void)pthread_mutex_init(&folds->lock, NULL);
}

void folds_done(struct folds *folds)
{
    for (size_t i = 0; i < FOLDS_MAX; i++)
        fold_unref(folds->folds[i]);
    (void)pthread_mutex_destroy(&folds->lock);
}

struct fold *fold_new(const struct fold_stamp *stamp)
{
    struct fold *fold = mem_zalloc(sizeof(*fold));

    fold->stamp = *stamp;
    arena_init(&fold->arena, FOLD_BYTES_MAX);
    atomic_init(&fold->refs, 1);
    return fold;
}

void fold_unref(struct fold *fold)
{
    if (!fold || atomic_fetch_sub(&fold->refs, 1) > 1)
        return;
    arena_reset(&fold->arena);
    free(fold);
}

static bool is_same(const struct fold_stamp *a, const struct fold_stamp *b)
{
    return a->incident_id == b->incident_id && a->n_events == b->n_events &&
           a->newest_event_id == b->newest_event_id && a->n_revs == b->n_revs &&
           a->newest_rev_id == b->newest_rev_id;
}

struct fold *folds_find(struct folds *folds, const struct fold_stamp *stamp)
{
    struct fold *found = NULL;

    (void)pthread_mutex_lock(&folds->lock);
    for (size_t i = 0; i < FOLDS_MAX && !found; i++) {
        struct fold *fold = folds->folds[i];

        if (!fold || !is_same(&fold->stamp, stamp))
            continue;
        found = fold;
        found->used = ++folds->count;
        (void)atomic_fetch_add(&found->refs, 1);
    }
    (void)pthread_mutex_unlock(&folds->lock);
    return found;
}

/* That of the incident, else an empty place, else the one that nobody asked for for longest. */
static size_t place_for(const struct folds *folds, int64_t incident_id)
{
    size_t place = 0;

    for (size_t i = 0; i < FOLDS_MAX; i++)
        if (folds->folds[i] && folds->folds[i]->stamp.incident_id == incident_id)
            return i;
    for (size_t i = 0; i < FOLDS_MAX; i++) {
        if (!folds->folds[i])
            return i;
        if (folds->folds[i]->used < folds->folds[place]->used)
            place = i;
    }
    return place;
}

void folds_keep(struct folds *folds, struct fold *fold)
{
    (void)atomic_fetch_add(&fold->refs, 1);
    (void)pthread_mutex_lock(&folds->lock);
    size_t place = place_for(folds, fold->stamp.incident_id);
    struct fold *old = folds->folds[place];

    fold->used = ++folds->count;
    folds->folds[place] = fold;
    (void)pthread_mutex_unlock(&folds->lock);
    fold_unref(old);
}

static void let_go(void *object)
{
    fold_unref(object);
}

bool fold_lend(struct fold *fold, struct arena *arena, struct record_event **ret_rows)
{
    struct record_event *rows = arena_room(arena, fold->n + 1, sizeof(*rows));

    if (!rows || !arena_on_reset(arena, let_go, fold)) {
        fold_unref(fold);
        return false;
    }
    if (fold->n)
        memcpy(rows, fold->rows, fold->n * sizeof(*rows));
    *ret_rows = rows;
    return true;
}
