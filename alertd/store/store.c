/*
 * Opening, closing, and the calls that hand over to the store's thread. See store.h for
 * the picture and private.h for who may touch what.
 */

#include "alertd/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/private.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

static void init_locks(struct store *store)
{
    pthread_rwlockattr_t writers_first;

    (void)pthread_rwlockattr_init(&writers_first);
    (void)pthread_rwlockattr_setkind_np(&writers_first,
                                        PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&store->lock, &writers_first);
    (void)pthread_rwlockattr_destroy(&writers_first);
    (void)pthread_mutex_init(&store->queue_lock, NULL);
    (void)pthread_cond_init(&store->wake, NULL);
}

static void free_store(struct store *store)
{
    while (store->n_partitions > 0)
        store_drop_partition(store, store->n_partitions - 1, false);
    for (size_t i = 0; i < store->n_quarantined; i++)
        free(store->quarantined[i].words);
    index_done(&store->index);
    free(store->partitions);
    free(store->quarantined);
    free(store->staged);
    free(store->touches);
    free(store->pushers);
    churn_done(&store->churn);
    (void)pthread_cond_destroy(&store->wake);
    (void)pthread_mutex_destroy(&store->queue_lock);
    (void)pthread_rwlock_destroy(&store->lock);
    free(store->folder);
    free(store);
}

int store_open(const struct store_options *options, struct store **ret_store, struct err *reterr)
{
    struct store *store = mem_zalloc(sizeof(*store));

    store->options = *options;
    store->folder = mem_strdup(options->folder);
    index_init(&store->index);
    init_locks(store);
    int r = fs_make_folders(options->folder, reterr);
    if (r == 0)
        r = store_load(store, reterr);
    if (r == 0)
        r = store_thread_start(store, reterr);
    if (r != 0) {
        free_store(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store_thread_stop(store);
    free_store(store);
}

int store_append(struct store *store,
                 const struct store_batch *batch,
                 struct store_outcome *ret_outcome,
                 struct err *reterr)
{
    struct request request = {.batch = batch};

    int r = store_submit(store, &request, reterr);
    if (r == 0 || r == STORE_E_LIMIT)
        *ret_outcome = request.outcome;
    return r;
}

int store_maintain(struct store *store, int64_t now_ms, struct err *reterr)
{
    struct request request = {.now_ms = now_ms};

    return store_submit(store, &request, reterr);
}

struct partition **store_hold_all(struct store *store, size_t *ret_n)
{
    (void)pthread_rwlock_rdlock(&store->lock);
    struct partition **held = mem_alloc((store->n_partitions + 1) * sizeof(struct partition *));
    for (size_t i = 0; i < store->n_partitions; i++) {
        held[i] = store->partitions[i];
        atomic_fetch_add(&held[i]->n_uses, 1);
    }
    *ret_n = store->n_partitions;
    (void)pthread_rwlock_unlock(&store->lock);
    return held;
}

void store_release(struct partition *partition)
{
    atomic_fetch_sub(&partition->n_uses, 1);
}

void store_stats(struct store *store, struct store_stats *ret_stats)
{
    size_t n;
    struct partition **held = store_hold_all(store, &n);

    (void)pthread_rwlock_rdlock(&store->lock);
    *ret_stats = store->stats;
    ret_stats->max_series = store->options.max_series;
    ret_stats->max_new_series_an_hour = store->options.max_new_series_an_hour;
    ret_stats->max_new_series_an_hour_a_pusher = store->options.max_new_series_an_hour_a_pusher;
    size_t of_busiest = 0;
    const char *busiest = churn_busiest(&store->churn, store->options.now_wall_ms(), &of_busiest);
    ret_stats->new_series_of_busiest = of_busiest;
    (void)snprintf(ret_stats->busiest_pusher, sizeof(ret_stats->busiest_pusher), "%s",
                   busiest ? busiest : "");
    ret_stats->new_series_last_hour = churn_count(&store->churn, store->options.now_wall_ms());
    (void)pthread_rwlock_unlock(&store->lock);
    ret_stats->partitions = n;
    ret_stats->oldest_ms = n ? held[0]->day_ms : 0;
    for (size_t i = 0; i < n; i++) {
        struct db_stats stats = {0};

        db_stats(held[i]->db, &stats);
        ret_stats->broken = ret_stats->broken || stats.broken;
        ret_stats->disk_bytes += stats.file_bytes + stats.wal_bytes;
        store_release(held[i]);
    }
    free(held);
}

int store_backup(struct store *store, const char *folder, struct err *reterr)
{
    size_t n;
    struct partition **held = store_hold_all(store, &n);
    int r = 0;

    for (size_t i = 0; i < n; i++) {
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/%s.db", folder, held[i]->day);
        if (r == 0)
            r = db_backup(held[i]->db, path, reterr);
        store_release(held[i]);
    }
    free(held);
    return r;
}
