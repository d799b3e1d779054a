/*
 * What takes the space. See space.h.
 */

#include "alertd/store/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/chunk_rows.h"
#include "alertd/store/private.h"

enum {
    SLICE_SEGMENTS = 1000, /* looked at with the lock held */
};

struct tally {
    struct arena *arena;
    struct space *space;
    size_t top;
    const char *name; /* the one at hand: its pairs come together */
    uint64_t n_values, n_bytes;
};

/* Into a list kept in order, if it is among the largest. */
static void offer(
    struct space_top *list, size_t top, const char *name, const char *value, uint64_t n)
{
    size_t at = list->n;

    if (list->n == top && n <= list->rows[top - 1].n)
        return;
    if (list->n < top)
        list->n++;
    else
        at--;
    for (; at > 0 && list->rows[at - 1].n < n; at--)
        list->rows[at] = list->rows[at - 1];
    list->rows[at] = (struct space_row){name, value, n};
}

static void end_name(struct tally *tally)
{
    if (!tally->name)
        return;
    offer(&tally->space->values_by_name, tally->top, tally->name, NULL, tally->n_values);
    offer(&tally->space->bytes_by_name, tally->top, tally->name, NULL, tally->n_bytes);
    tally->n_values = tally->n_bytes = 0;
}

static void add_pair(void *arg, const char *name, const char *value, size_t n_series)
{
    struct tally *tally = arg;

    if (tally->name != name)
        end_name(tally);
    tally->name = name;
    tally->n_values++;
    tally->n_bytes += strlen(value) * n_series;
    tally->space->n_pairs++;
    offer(&tally->space->series_by_pair, tally->top, name, value, n_series);
    if (strcmp(name, LABEL_NAME) == 0)
        offer(&tally->space->series_by_metric, tally->top, value, NULL, n_series);
}

static bool make_room(struct space_top *list, size_t top, struct arena *arena)
{
    list->rows = arena_array(arena, top, sizeof(*list->rows));
    return list->rows != NULL;
}

static void give_back(void *texts)
{
    texts_unref(texts);
}

/* Texts of what may go when the lock is let go. */
static bool keep_words(const struct store *store, struct arena *arena, struct space *space)
{
    for (size_t i = 0; i < store->n_quarantined; i++) {
        const char *words = store->quarantined[i].words;

        space->set_aside[i] = arena_strndup(arena, words, strlen(words));
        if (!space->set_aside[i])
            return false;
    }
    space->n_set_aside = store->n_quarantined;
    return true;
}

static bool read_all(struct store *store, struct tally *tally)
{
    struct space *space = tally->space;

    space->set_aside = arena_array(tally->arena, store->n_quarantined + 1,
                                   sizeof(*space->set_aside));
    if (!space->set_aside || !arena_on_reset(tally->arena, give_back, store->index.texts))
        return false;
    (void)texts_ref(store->index.texts);
    index_each_pair(&store->index, add_pair, tally);
    end_name(tally);
    space->n_series = store->stats.series;
    space->memory.index_bytes = index_bytes(&store->index);
    return keep_words(store, tally->arena, space);
}

/* --- the days: their files without the lock, their segments some at a time --- */

static int sum_chunks(struct db_conn *conn, struct partition_sums *sums)
{
    struct chunk_sums chunks;

    int r = chunk_rows_sum(conn, &chunks, NULL);
    if (r != 0)
        return r;
    sums->n_chunks = chunks.n_chunks;
    sums->chunk_bytes = chunks.bytes;
    sums->chunk_samples = chunks.samples;
    sums->packed_bytes = chunks.packed_bytes;
    struct db_stmt *stmt = db_prepare(conn, "SELECT coalesce(sum(length(body)), 0) FROM rollup");
    if (db_step(stmt))
        sums->rollup_bytes = (uint64_t)db_int(stmt, 0);
    return db_done(stmt, NULL);
}

/* Counted again only when the file is not what it was. */
static void read_sums(struct store *store, struct partition *partition, struct partition_sums *sums)
{
    struct db_stats stats = {0};
    struct db_conn *conn;

    db_stats(partition->db, &stats);
    (void)pthread_rwlock_rdlock(&store->lock);
    *sums = partition->sums;
    (void)pthread_rwlock_unlock(&store->lock);
    if (sums->file_bytes == stats.file_bytes && sums->wal_bytes == stats.wal_bytes &&
        sums->n_jobs == stats.jobs)
        return;
    *sums = (struct partition_sums){
        .file_bytes = stats.file_bytes, .wal_bytes = stats.wal_bytes, .n_jobs = stats.jobs};
    if (db_read_begin(partition->db, &conn, NULL) != 0)
        return;
    int r = sum_chunks(conn, sums);
    db_read_end(partition->db, conn);
    if (r != 0)
        return;
    (void)pthread_rwlock_wrlock(&store->lock);
    partition->sums = *sums;
    (void)pthread_rwlock_unlock(&store->lock);
}

static size_t add_run(const struct run *run, struct space *space, struct space_day *day)
{
    size_t n_bytes = run->capacity * sizeof(struct block);

    for (uint32_t i = 0; i < run->n; i++) {
        n_bytes += run->blocks[i].n_bytes;
        day->n_unsealed += run->blocks[i].n;
    }
    if (run->open) {
        n_bytes += sizeof(*run->open) + run->open->capacity;
        day->n_unsealed += run->open->last.n;
    }
    space->memory.n_chunks += run->n + (run->open != NULL);
    return n_bytes;
}

static void add_segment(const struct segment *segment, struct space *space, struct space_day *day)
{
    struct space_memory *memory = &space->memory;
    const struct run live = segment_live(segment);
    const struct late *late = segment->late;
    const struct blocks *recent = segment->recent;

    memory->segment_bytes += sizeof(*segment);
    memory->open_bytes += add_run(&live, space, day);
    if (late) {
        memory->open_bytes += sizeof(*late) + late->capacity * sizeof(*late->strays) +
                              add_run(&late->run, space, day);
        day->n_unsealed += late->n_strays;
    }
    for (uint32_t i = 0; recent && i < recent->n; i++)
        memory->recent_bytes += sizeof(struct block) + recent->at[i].n_bytes;
    memory->n_chunks += recent ? recent->n : 0;
}

/* A warm partition that is held stays warm; what else has segments is half loaded or going. */
static void read_segments(struct store *store,
                          const struct partition *partition,
                          struct space *space,
                          struct space_day *day)
{
    bool more = true;

    for (size_t end = 0; more;) {
        size_t i = end;

        end += SLICE_SEGMENTS;
        (void)pthread_rwlock_rdlock(&store->lock);
        size_t n = partition->is_warm ? partition->n_segments : 0;
        for (; i < end && i < n; i++)
            add_segment(partition_segment(partition, i), space, day);
        day->n_series = n;
        day->journal_bytes = partition->journal_bytes;
        day->is_compact = partition->is_compact;
        more = end < n;
        (void)pthread_rwlock_unlock(&store->lock);
    }
}

static bool read_day(struct store *store,
                     struct partition *partition,
                     struct arena *arena,
                     struct space *space)
{
    struct space_day *day = &space->days[space->n_days++];
    struct partition_sums sums;

    read_sums(store, partition, &sums);
    *day = (struct space_day){.day = arena_strndup(arena, partition->day, strlen(partition->day)),
                              .file_bytes = sums.file_bytes,
                              .wal_bytes = sums.wal_bytes,
                              .n_chunks = sums.n_chunks,
                              .chunk_bytes = sums.chunk_bytes,
                              .chunk_samples = sums.chunk_samples,
                              .packed_bytes = sums.packed_bytes,
                              .rollup_bytes = sums.rollup_bytes};
    read_segments(store, partition, space, day);
    return day->day != NULL;
}

static bool read_days(struct store *store, struct arena *arena, struct space *space)
{
    size_t n;
    struct partition **held = store_hold_all(store, &n);

    space->days = arena_array(arena, n + 1, sizeof(*space->days));
    bool fits = space->days != NULL;
    if (n > 0) {
        space->oldest_ms = held[0]->day_ms;
        space->newest_ms = held[n - 1]->day_ms;
    }
    for (size_t i = 0; i < n; i++) {
        fits = fits && read_day(store, held[i], arena, space);
        store_release(held[i]);
    }
    free(held);
    return fits;
}

int store_space(struct store *store, size_t top, struct arena *arena, struct space *ret_space)
{
    struct space space = {0};
    struct tally tally = {.arena = arena, .space = &space, .top = top};

    if (!make_room(&space.series_by_metric, top, arena) ||
        !make_room(&space.values_by_name, top, arena) ||
        !make_room(&space.bytes_by_name, top, arena) ||
        !make_room(&space.series_by_pair, top, arena))
        return -ENOMEM;
    (void)pthread_rwlock_rdlock(&store->lock);
    bool fits = read_all(store, &tally);
    (void)pthread_rwlock_unlock(&store->lock);
    fits = fits && read_days(store, arena, &space);
    *ret_space = space;
    return fits ? 0 : -ENOMEM;
}
