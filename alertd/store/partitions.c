/*
 * The list of days: found in the folder at start, made when the first sample of a day
 * comes, set aside when damaged, dropped when too old.
 *
 * A partition is warm while samples may still be appended to it (warm.c); it cools when its
 * day is over and all is sealed.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/store/private.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"

enum {
    COOL_SEGMENTS = 500, /* freed at a time */
};

static size_t place_of(const struct store *store, int64_t day_ms)
{
    size_t i = 0;

    while (i < store->n_partitions && store->partitions[i]->day_ms < day_ms)
        i++;
    return i;
}

struct partition *store_partition(const struct store *store, int64_t day_ms)
{
    size_t i = place_of(store, day_ms);

    return i < store->n_partitions && store->partitions[i]->day_ms == day_ms ? store->partitions[i]
                                                                             : NULL;
}

static void insert(struct store *store, struct partition *partition)
{
    atomic_store(&partition->held, store->options.keeps_outbound ? 0 : INT64_MAX);
    (void)pthread_rwlock_wrlock(&store->lock);
    size_t i = place_of(store, partition->day_ms);
    store->partitions = mem_grow(store->partitions, &store->partitions_capacity,
                                 store->n_partitions + 1, sizeof(struct partition *));
    memmove(&store->partitions[i + 1], &store->partitions[i],
            (store->n_partitions - i) * sizeof(struct partition *));
    store->partitions[i] = partition;
    store->n_partitions++;
    (void)pthread_rwlock_unlock(&store->lock);
}

/* Its files, by the endings SQLite gives them. */
static void for_files(const char *path,
                      void (*act)(const char *from, const char *to),
                      const char *to)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char from[4096];
    char target[4096];

    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        (void)snprintf(from, sizeof(from), "%s%s", path, endings[i]);
        (void)snprintf(target, sizeof(target), "%s%s", to, endings[i]);
        act(from, target);
    }
}

static void act_rename(const char *from, const char *to)
{
    (void)rename(from, to);
}

static void act_unlink(const char *from, const char *to)
{
    (void)unlink(from);
}

/* Words that every query of the day gets as a warning from now on. */
static void remember_words(struct store *store, int64_t day_ms, struct str *words)
{
    (void)pthread_rwlock_wrlock(&store->lock);
    store->quarantined = mem_grow(store->quarantined, &store->quarantined_capacity,
                                  store->n_quarantined + 1, sizeof(*store->quarantined));
    store->quarantined[store->n_quarantined++] = (struct quarantine){day_ms, str_take(words)};
    store->stats.quarantined = store->n_quarantined;
    (void)pthread_rwlock_unlock(&store->lock);
}

static void remember_damage(struct store *store, int64_t day_ms, const char *file, const char *why)
{
    struct str words = STR_INIT(600);
    char day[PARTITION_DAY_TEXT_MAX] = "";

    (void)partition_day_text(day_ms, day);
    str_addf(&words, "partition %s is quarantined (%s)%s%s", day, file, why[0] ? ": " : "", why);
    remember_words(store, day_ms, &words);
}

void store_lost_rows(struct store *store, const struct partition *partition, size_t n)
{
    struct str words = STR_INIT(600);

    str_addf(&words, "partition %s: %zu damaged journal rows were left out", partition->day, n);
    remember_words(store, partition->day_ms, &words);
}

static void remember_lost_commits(struct store *store, const struct partition *partition)
{
    struct str words = STR_INIT(600);

    if (partition->n_lost == 0)
        return;
    str_addf(&words, "partition %s: its log is damaged, %zu commits in it are lost", partition->day,
             partition->n_lost);
    log_error(store->options.log, "store", "a log is damaged", "file=%s-wal commits_lost=%zu",
              partition->path, partition->n_lost);
    remember_words(store, partition->day_ms, &words);
}

void store_quarantine(struct store *store, int64_t day_ms, const char *path, const char *why)
{
    char aside[4096];
    int i = 1;

    do
        (void)snprintf(aside, sizeof(aside), "%s.damaged-%d", path, i++);
    while (access(aside, F_OK) == 0);
    for_files(path, act_rename, aside);
    log_error(store->options.log, "store", "a damaged partition was set aside",
              "file=%s reason=\"%s\"", aside, why);
    const char *name = strrchr(aside, '/');
    remember_damage(store, day_ms, name ? name + 1 : aside, why);
}

/* --- segments --- */

struct segment *store_segment(struct store *store,
                              struct partition *partition,
                              struct series *series,
                              const struct labels *labels,
                              bool is_named,
                              uint32_t local_id)
{
    (void)pthread_rwlock_wrlock(&store->lock);
    if (!series)
        series = index_add(&store->index, labels);
    else if (!series->segments)
        store->n_dead--;
    if (!series->segments)
        store->stats.series++;
    struct segment *segment = partition_add_segment(partition);
    segment_init(segment, series, partition, local_id, is_named);
    if (partition->has_chunks) /* not known better: the files are asked about anything before */
        segment->sealed_to_ms = partition->chunk_max_ms;
    (void)pthread_rwlock_unlock(&store->lock);
    return segment;
}

static void free_segments(struct store *store, struct partition *partition)
{
    size_t n = partition->n_segments;

    for (size_t end = 0; end < n;) {
        size_t i = end;

        end = n - i < COOL_SEGMENTS ? n : i + COOL_SEGMENTS;
        (void)pthread_rwlock_wrlock(&store->lock);
        for (; i < end; i++) {
            struct segment *segment = partition_segment(partition, i);
            struct series *series = segment->series;

            segment_done(segment);
            if (!series->segments) {
                store->n_dead++;
                store->stats.series--;
            }
        }
        (void)pthread_rwlock_unlock(&store->lock);
    }
}

/* Selects from now on ask the file for all of it, and take what is left in memory twice. */
bool store_cool(struct store *store, struct partition *partition)
{
    (void)pthread_rwlock_wrlock(&store->lock);
    bool is_free = !partition->is_warm || atomic_load(&partition->n_uses) == 0;
    if (is_free) {
        partition->is_warm = false;
        if (partition->has_chunks)
            partition->memory_from_ms = partition->chunk_max_ms + 1;
    }
    (void)pthread_rwlock_unlock(&store->lock);
    if (!is_free)
        return false;
    free_segments(store, partition);
    (void)pthread_rwlock_wrlock(&store->lock);
    partition_free_segments(partition);
    (void)pthread_rwlock_unlock(&store->lock);
    return true;
}

/* Selects that still read it hold n_uses; they end soon, so the thread leaves it for the
 * next round rather than wait. */
void store_drop_partition(struct store *store, size_t i, bool unlink_file)
{
    struct partition *partition = store->partitions[i];

    (void)pthread_rwlock_wrlock(&store->lock);
    if (atomic_load(&partition->n_uses) > 0) {
        (void)pthread_rwlock_unlock(&store->lock);
        return;
    }
    memmove(&store->partitions[i], &store->partitions[i + 1],
            (store->n_partitions - i - 1) * sizeof(struct partition *));
    store->n_partitions--;
    (void)pthread_rwlock_unlock(&store->lock);
    (void)store_cool(store, partition); /* nobody can find and hold it any more */
    if (store->compaction.partition == partition) {
        compact_wait(store);
        store->compaction = (struct compaction){0};
    }
    MEM_AUTO char *path = mem_strdup(partition->path);
    partition_close(partition);
    if (unlink_file)
        for_files(path, act_unlink, "");
}

/* A damaged file found while appending: set aside, so that the next push begins a new one. */
static int set_aside(struct store *store, int64_t day_ms, struct err *reterr)
{
    char day[PARTITION_DAY_TEXT_MAX];
    char path[4096];
    size_t i = place_of(store, day_ms);

    (void)partition_day_text(day_ms, day);
    (void)snprintf(path, sizeof(path), "%s/%s.db", store->folder, day);
    if (i < store->n_partitions && store->partitions[i]->day_ms == day_ms)
        store_drop_partition(store, i, false);
    if (!store_partition(store, day_ms)) /* else a select still reads it: next time */
        store_quarantine(store, day_ms, path, reterr->text);
    return err_prefix(reterr, -EIO, "set aside, send it again");
}

void store_drop_damaged(struct store *store)
{
    for (size_t i = store->n_partitions; i-- > 0;)
        if (store->partitions[i]->is_damaged && store->sealing.partition != store->partitions[i]) {
            struct err err = {0};

            (void)err_set(&err, DB_E_CORRUPT, "found while writing");
            (void)set_aside(store, store->partitions[i]->day_ms, &err);
        }
}

int store_partition_for_append(struct store *store,
                               int64_t day_ms,
                               struct partition **ret_partition,
                               struct err *reterr)
{
    struct partition *partition = store_partition(store, day_ms);
    int r = 0;

    if (!partition) {
        r = partition_open(store->folder, day_ms, store->options.sync_normal, &partition, reterr);
        if (r == 0)
            insert(store, partition);
    }
    if (r == 0 && store->compaction.partition == partition)
        compact_wait(store);
    if (r == 0 && !partition->is_warm)
        r = store_warm_up(store, partition, reterr);
    if (r == DB_E_CORRUPT)
        r = set_aside(store, day_ms, reterr);
    if (r == 0)
        *ret_partition = partition;
    return r;
}

/* --- the folder at start --- */

/* A day's file as it was opened, or why it was not. */
struct opening {
    int64_t day_ms;
    struct partition *partition;
    int result;
    struct err err;
};

/* Opening a file waits for the disk and reads its tables' names: nothing of it is another day's. */
struct openings {
    const struct store *store;
    struct opening *at;
};

static void open_file_of(void *context, size_t i)
{
    const struct openings *openings = context;
    struct opening *opening = &openings->at[i];

    opening->result = partition_open(openings->store->folder, opening->day_ms,
                                     openings->store->options.sync_normal, &opening->partition,
                                     &opening->err);
}

static int take_opened(struct store *store, struct opening *opening, struct err *reterr)
{
    struct partition *partition = opening->partition;
    int64_t day_ms = opening->day_ms;
    char day[PARTITION_DAY_TEXT_MAX];
    char path[4096];
    int r = opening->result;

    opening->partition = NULL;
    *reterr = opening->err;
    if (r == 0) {
        insert(store, partition);
        remember_lost_commits(store, partition);
        if (partition->journal_bytes > 0)
            r = store_warm_up(store, partition, reterr);
        if (r == 0)
            r = replay_load(store, partition, reterr);
        if (r == DB_E_CORRUPT)
            store_drop_partition(store, place_of(store, day_ms), false);
    }
    if (r == DB_E_CORRUPT) {
        (void)partition_day_text(day_ms, day);
        (void)snprintf(path, sizeof(path), "%s/%s.db", store->folder, day);
        store_quarantine(store, day_ms, path, reterr->text);
        r = 0;
    }
    return r;
}

/* "2026-11-23.db.damaged-1" of an earlier start; its -wal and -shm are not told again. */
static void note_set_aside(struct store *store, const char *name)
{
    static const char mark[] = ".damaged-";
    char file[64];
    int64_t day_ms;
    const char *at = strstr(name, mark);

    if (!at || (size_t)(at - name) >= sizeof(file) || strchr(at + sizeof(mark) - 1, '-'))
        return;
    (void)snprintf(file, sizeof(file), "%.*s", (int)(at - name), name);
    if (partition_day_parse(file, &day_ms))
        remember_damage(store, day_ms, name, "");
}

static int compare_days(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The newest sample of all is in the last day: sealed, or in memory. */
static int64_t find_newest_ms(const struct store *store)
{
    if (store->n_partitions == 0)
        return 0;
    const struct partition *last = store->partitions[store->n_partitions - 1];
    int64_t newest_ms = last->has_chunks ? last->chunk_max_ms : 0;

    for (size_t i = 0; i < last->n_segments; i++) {
        int64_t last_ms = segment_last_ms(partition_segment(last, i));
        newest_ms = last_ms > newest_ms ? last_ms : newest_ms;
    }
    return newest_ms;
}

/* The files at once; what is in them one day after the other. */
static int open_days(struct store *store, const int64_t *days, size_t n, struct err *reterr)
{
    MEM_AUTO struct opening *at = mem_zalloc((n + 1) * sizeof(*at));
    struct openings openings = {store, at};
    struct err err = {0};
    int r = 0;

    for (size_t i = 0; i < n; i++)
        at[i].day_ms = days[i];
    parallel_each(n, parallel_workers(0), open_file_of, &openings);
    for (size_t i = 0; i < n; i++)
        if (r == 0)
            r = take_opened(store, &at[i], &err);
        else
            partition_close(at[i].partition);
    if (r != 0 && reterr)
        *reterr = err;
    return r;
}

int store_load(struct store *store, struct err *reterr)
{
    MEM_AUTO int64_t *days = NULL;
    size_t n = 0;
    size_t capacity = 0;
    DIR *dir = opendir(store->folder);

    if (!dir)
        return err_set(reterr, -errno, "cannot read %s: %s", store->folder, strerrordesc_np(errno));
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a DIR of its own
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        int64_t day_ms;

        if (partition_day_parse(entry->d_name, &day_ms)) {
            days = mem_grow(days, &capacity, n + 1, sizeof(*days));
            days[n++] = day_ms;
        } else {
            note_set_aside(store, entry->d_name);
        }
    }
    (void)closedir(dir);
    if (n > 0)
        qsort(days, n, sizeof(*days), compare_days);
    int r = open_days(store, days, n, reterr);
    if (r == 0)
        store->stats.newest_ms = find_newest_ms(store);
    return r;
}
