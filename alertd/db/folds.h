#pragma once

/*
 * Timelines as they stood when they were last read, of the few long incidents that somebody looks
 * at: folding twenty thousand rows anew for every question of a page costs more than the page.
 *
 *     stamp of the snapshot == stamp of what is kept --> the rows, without reading one
 *                           !=                       --> read, folded, kept in its place
 *
 * Invariants
 *  (1) events and revisions are only ever added: how many there are and which is the newest says
 *      whether anything is new.
 *  (2) the writer's connection neither takes nor keeps: what it sees may be taken back, and its
 *      numbers given to others.
 *  (3) what is kept never changes. Whoever has rows of it holds it until their arena is reset.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "alertd/incident/record.h"
#include "lib/base/arena.h"

enum {
    FOLDS_MAX = 4,
    FOLDS_EVENTS_MIN = 500, /* shorter ones are quicker read than kept */
};

struct fold_stamp {
    int64_t incident_id;
    int64_t n_events, newest_event_id;
    int64_t n_revs, newest_rev_id;
};

struct fold {
    struct fold_stamp stamp;
    struct arena arena; /* of the rows and all they lend */
    struct record_event *rows;
    size_t n;
    uint64_t used; /* when it was asked for last, by the shelf's count */
    atomic_uint refs;
};

struct folds {
    pthread_mutex_t lock;
    struct fold *folds[FOLDS_MAX];
    uint64_t count;
};

void folds_init(struct folds *folds);
void folds_done(struct folds *folds);

/* One to be filled: its caller holds it. */
struct fold *fold_new(const struct fold_stamp *stamp);
void fold_unref(struct fold *fold); /* NULL is fine */

/* The one of this stamp, held; NULL: none is kept. */
struct fold *folds_find(struct folds *folds, const struct fold_stamp *stamp);
/* In the place of an older one. The caller holds it as before. */
void folds_keep(struct folds *folds, struct fold *fold);

/* Rows of the caller's own, which lend from the fold; it is held until the arena is reset, and
 * handed over in any case. False: the arena is spent. */
bool fold_lend(struct fold *fold, struct arena *arena, struct record_event **ret_rows);
