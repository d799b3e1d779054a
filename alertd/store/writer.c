/*
 * The store's one thread: takes what waits, stages it, commits it day by day, shows it to
 * selects, answers. Between groups it seals a slice and does what maintenance asked for.
 *
 *     queue ─> stage each ─> one db_write a day ─> segment_append (lock) ─> answer
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/private.h"
#include "alertd/store/series_rows.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    GROUP_MAX = 256,             /* batches in one commit */
    GROUP_SAMPLES_MAX = 1 << 20, /* and samples, about */
    SHOW_SAMPLES = 2048,         /* of a batch, shown at a time */
    AHEAD = 8,                   /* samples that the memory is asked for meanwhile */
    SERIES_BYTES_MAX = 1 << 20,  /* of one series' labels, without their texts */
};

/* What one day's transaction writes. */
struct day_write {
    struct store *store;
    struct partition *partition;
    struct journal journal;
    struct request *const *group; /* whose identities go here */
    size_t n_group;
    bool with_identities;
    struct segment **named; /* whose row it wrote */
    size_t n_named, named_capacity;
};

static int put_series(struct db_conn *conn,
                      const struct store *store,
                      const struct segment *segment,
                      struct err *reterr)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, SERIES_BYTES_MAX);
    const struct labels *labels = index_labels(&store->index, segment->series, &arena);
    return labels ? series_put(conn, segment->local_id, labels, reterr)
                  : err_set(reterr, -E2BIG, "a series of too many labels");
}

/* Samples of one series one after another make the body small; they mostly come so. */
static int write_samples(struct db_conn *conn, struct day_write *write, struct err *reterr)
{
    struct store *store = write->store;

    write->journal.is_history = write->group[0]->batch->history;
    for (size_t i = 0; i < store->n_staged; i++) {
        struct segment *segment = store->staged[i].segment;
        if (segment->partition != write->partition)
            continue;
        if (!segment_is_named(segment)) {
            segment_set_named(segment, true);
            write->named = mem_grow(write->named, &write->named_capacity, write->n_named + 1,
                                    sizeof(struct segment *));
            write->named[write->n_named++] = segment;
            int r = put_series(conn, store, segment, reterr);
            if (r != 0)
                return r;
        }
        journal_add(&write->journal, segment->local_id, store->staged[i].sample);
    }
    if (write->journal.n_samples == 0)
        return 0;
    journal_finish(&write->journal);
    return partition_put_journal(conn, write->partition->journal_last_id + 1, write->journal.bytes,
                                 write->journal.n, reterr);
}

static int write_day(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct day_write *write = arg;

    int r = write_samples(conn, write, reterr);
    for (size_t i = 0; r == 0 && write->with_identities && i < write->n_group; i++)
        if (write->group[i]->batch->agent && write->group[i]->result == 0)
            r = replay_put(conn, write->group[i], reterr);
    return r;
}

static bool touches(const struct store *store,
                    const struct request *request,
                    const struct partition *partition)
{
    for (size_t i = 0; i < request->n_staged; i++)
        if (store->staged[request->first_staged + i].segment->partition == partition)
            return true;
    return false;
}

static void show_some(struct store *store, struct partition *partition, size_t from, size_t end)
{
    (void)pthread_rwlock_wrlock(&store->lock);
    for (size_t i = from; i < end; i++) {
        const struct staged *staged = &store->staged[i];
        if (i + AHEAD < end)
            segment_prefetch_end(staged[AHEAD].segment);
        if (staged->segment->partition != partition)
            continue;
        segment_append(staged->segment, staged->sample);
        store->stats.samples_in_head++;
        store->stats.samples_stored_total++;
        if (store->stats.newest_ms < staged->sample.t_ms || store->stats.newest_ms == 0)
            store->stats.newest_ms = staged->sample.t_ms;
    }
    (void)pthread_rwlock_unlock(&store->lock);
}

/* A batch in one go when it is not large, so that a histogram's buckets are seen together. */
static void show(struct store *store,
                 const struct day_write *write,
                 struct request *const *group,
                 size_t n)
{
    struct partition *partition = write->partition;

    (void)pthread_rwlock_wrlock(&store->lock);
    partition->journal_last_id++;
    partition->journal_bytes += write->journal.n;
    if (partition->journal_since_ms == 0)
        partition->journal_since_ms = group[0]->now_ms;
    (void)pthread_rwlock_unlock(&store->lock);
    for (size_t i = 0; i < n; i++) {
        size_t end = group[i]->first_staged + group[i]->n_staged;

        for (size_t at = group[i]->first_staged; at < end; at += SHOW_SAMPLES)
            show_some(store, partition, at, end - at < SHOW_SAMPLES ? end : at + SHOW_SAMPLES);
    }
}

/* What the database answered, as the store's callers know it. */
static int public_result(int r)
{
    if (r == DB_E_FULL)
        return STORE_E_FULL;
    return r < 0 ? r : -EIO;
}

static void fail_touching(struct store *store,
                          struct request *const *group,
                          size_t n,
                          const struct day_write *write,
                          int r,
                          const struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        bool hit = touches(store, group[i], write->partition) ||
                   (write->with_identities && group[i]->batch->agent);
        if (group[i]->result != 0 || !hit)
            continue;
        group[i]->result = public_result(r);
        group[i]->err = *err;
    }
}

static void commit_day(struct store *store,
                       struct request *const *group,
                       size_t n,
                       struct day_write *write)
{
    struct err err = {0};
    int64_t start_us = clock_mono_us();

    int r = db_write(write->partition->db, write_day, write, &err);
    (void)pthread_rwlock_wrlock(&store->lock);
    store->stats.commits++;
    store->stats.commit_us_total += (uint64_t)(clock_mono_us() - start_us);
    (void)pthread_rwlock_unlock(&store->lock);
    if (r != 0) {
        for (size_t i = 0; i < write->n_named; i++) /* the rows were undone */
            segment_set_named(write->named[i], false);
        write->partition->is_damaged = r == DB_E_CORRUPT;
        fail_touching(store, group, n, write, r, &err);
        log_error(store->options.log, "store", "samples could not be stored",
                  "file=%s reason=\"%s\"", write->partition->path, err.text);
    } else if (write->journal.n_samples > 0) {
        show(store, write, group, n);
    }
    journal_done(&write->journal);
    write->n_named = 0;
}

static bool has_staged(const struct store *store, const struct partition *partition)
{
    for (size_t i = 0; i < store->n_staged; i++)
        if (store->staged[i].segment->partition == partition)
            return true;
    return false;
}

/* The file the identities go to; NULL when there are none or it cannot be opened. */
static struct partition *identity_partition(struct store *store,
                                            struct request *const *group,
                                            size_t n)
{
    struct partition *today = NULL;
    struct err err = {0};
    bool any = false;

    for (size_t i = 0; i < n; i++)
        any = any || group[i]->batch->agent;
    if (!any)
        return NULL;
    int r = store_partition_for_append(store, partition_day_of(group[0]->now_ms), &today, &err);
    for (size_t i = 0; r != 0 && i < n; i++)
        if (group[i]->batch->agent) {
            group[i]->result = public_result(r);
            group[i]->err = err;
        }
    return r == 0 ? today : NULL;
}

/* The day of arrival goes last, with the identities: see replay.c. */
static void commit_group(struct store *store, struct request *const *group, size_t n)
{
    struct day_write write = {.store = store, .group = group, .n_group = n};
    struct partition *today = identity_partition(store, group, n);

    for (size_t i = 0; i < n; i++)
        group[i]->outcome.stored = group[i]->n_staged;
    for (size_t i = 0; i < store->n_partitions; i++) {
        write.partition = store->partitions[i];
        if (write.partition != today && has_staged(store, write.partition))
            commit_day(store, group, n, &write);
    }
    if (today) {
        write.partition = today;
        write.with_identities = true;
        commit_day(store, group, n, &write);
    }
    free(write.named);
}

static void count(struct store *store, const struct request *request)
{
    const struct store_outcome *outcome = &request->outcome;

    if (outcome->replayed)
        return;
    store->stats.samples_duplicate_total += outcome->duplicate;
    store->stats.rejected_too_old += outcome->rejected_too_old;
    store->stats.rejected_too_new += outcome->rejected_too_new;
    store->stats.rejected_series_limit += outcome->rejected_series_limit;
    store->stats.rejected_new_series_limit += outcome->rejected_new_series_limit;
    store->stats.rejected_invalid += outcome->rejected_invalid;
}

static void answer(struct store *store, struct request *const *requests, size_t n)
{
    (void)pthread_rwlock_wrlock(&store->lock);
    for (size_t i = 0; i < n; i++)
        count(store, requests[i]);
    (void)pthread_rwlock_unlock(&store->lock);
    (void)pthread_mutex_lock(&store->queue_lock);
    for (size_t i = 0; i < n; i++) {
        requests[i]->done = true;
        (void)pthread_cond_signal(&requests[i]->wake);
    }
    (void)pthread_mutex_unlock(&store->queue_lock);
}

static void maintain(struct store *store, struct request *request)
{
    compact_wait(store);
    store->maintained_ms = request->now_ms;
    retention_apply(store, request->now_ms);
    seal_begin_due(store, request->now_ms);
    compact_begin_due(store, request->now_ms);
    answer(store, (struct request *[]){request}, 1);
}

static struct request *take_one(struct store *store)
{
    (void)pthread_mutex_lock(&store->queue_lock);
    struct request *request = store->first;
    if (request) {
        store->first = request->next;
        if (!store->first)
            store->last = NULL;
    }
    (void)pthread_mutex_unlock(&store->queue_lock);
    return request;
}

static void put_back(struct store *store, struct request *request)
{
    (void)pthread_mutex_lock(&store->queue_lock);
    request->next = store->first;
    store->first = request;
    if (!store->last)
        store->last = request;
    (void)pthread_mutex_unlock(&store->queue_lock);
}

/* One group: all that waits, until a batch wants the next one. */
static void run_group(struct store *store)
{
    struct request *group[GROUP_MAX];
    size_t n = 0;
    bool full = false;

    store->n_staged = 0;
    store->n_touches = 0;
    store_drop_damaged(store);
    while (n < GROUP_MAX && !full && store->n_staged < GROUP_SAMPLES_MAX) {
        struct request *request = take_one(store);
        if (!request)
            break;
        if (!request->batch && n > 0) { /* it may drop what is staged */
            put_back(store, request);
            break;
        }
        if (!request->batch) {
            maintain(store, request);
            return; /* what it began to seal has its slice before the next request */
        }
        if (n > 0 && request->batch->history != group[0]->batch->history) {
            put_back(store, request); /* a journal row is of one kind */
            break;
        }
        request->now_ms = store->options.now_wall_ms();
        switch (stage_batch(store, request)) {
        case STAGE_READY: group[n++] = request; break;
        case STAGE_ANSWERED: answer(store, &request, 1); break;
        case STAGE_LATER:
            put_back(store, request);
            full = true;
            break;
        }
    }
    if (n == 0)
        return;
    commit_group(store, group, n);
    for (size_t i = 0; i < n; i++)
        if (group[i]->result == 0 && group[i]->batch->agent)
            replay_note(store, group[i]->batch);
    int64_t now_ms = group[0]->now_ms;
    answer(store, group, n); /* they are gone now */
    seal_begin_due(store, now_ms);
}

/* A slice of what is due beside requests. A day that is done is followed by the next at once: an import leaves
 * a year of them. True: there is more to do, nothing is waited for. */
static bool step_beside(struct store *store)
{
    if (seal_step(store)) {
        if (!store->sealing.partition)
            seal_begin_due(store, store->maintained_ms);
        return true;
    }
    bool was_compacting = store->compaction.partition != NULL;
    compact_step(store);
    if (!was_compacting || store->compaction.partition)
        return false;
    compact_begin_due(store, store->maintained_ms);
    return store->compaction.partition != NULL;
}

static void *store_main(void *arg)
{
    struct store *store = arg;

    for (;;) {
        bool busy = step_beside(store);

        (void)pthread_mutex_lock(&store->queue_lock);
        while (!busy && !store->first && !store->stopping && !compact_has_ended(store))
            (void)pthread_cond_wait(&store->wake, &store->queue_lock);
        bool has_work = store->first != NULL;
        bool stop = store->stopping && !has_work;
        (void)pthread_mutex_unlock(&store->queue_lock);
        if (stop) {
            compact_wait(store);
            break;
        }
        if (has_work)
            run_group(store);
    }
    return NULL;
}

int store_submit(struct store *store, struct request *request, struct err *reterr)
{
    (void)pthread_cond_init(&request->wake, NULL);
    (void)pthread_mutex_lock(&store->queue_lock);
    if (store->stopping) {
        (void)pthread_mutex_unlock(&store->queue_lock);
        (void)pthread_cond_destroy(&request->wake);
        return err_set(reterr, -ESHUTDOWN, "the store is being closed");
    }
    if (store->last)
        store->last->next = request;
    else
        store->first = request;
    store->last = request;
    (void)pthread_cond_signal(&store->wake);
    while (!request->done)
        (void)pthread_cond_wait(&request->wake, &store->queue_lock);
    (void)pthread_mutex_unlock(&store->queue_lock);
    (void)pthread_cond_destroy(&request->wake);
    if (request->result != 0 && reterr)
        *reterr = request->err;
    return request->result;
}

int store_thread_start(struct store *store, struct err *reterr)
{
    int r = pthread_create(&store->thread, NULL, store_main, store);

    return r == 0 ? 0 : err_set(reterr, -r, "cannot start the store: %s", strerrordesc_np(r));
}

void store_thread_stop(struct store *store)
{
    (void)pthread_mutex_lock(&store->queue_lock);
    store->stopping = true;
    (void)pthread_cond_signal(&store->wake);
    (void)pthread_mutex_unlock(&store->queue_lock);
    (void)pthread_join(store->thread, NULL);
}
