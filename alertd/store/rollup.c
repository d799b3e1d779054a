/*
 * Reading buckets. See rollup.h.
 *
 * The days are noted with the lock held: which of them have roll-ups to go by, held by n_uses.
 * Then they are gone through in time order, the rolled ones by their rows, the others by the
 * same selects as PromQL's, a week at most each, so that a year without roll-ups is a matter of
 * time and not of memory. What cannot be read of a roll-up is computed from the day's chunks.
 */

#include "alertd/store/rollup.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/private.h"
#include "alertd/store/rollup_rows.h"
#include "alertd/store/series_rows.h"
#include "lib/base/mem.h"

enum {
    RAW_DAYS_MAX = 7,
    LABELS_BYTES_MAX = 1 << 20, /* of one series */
};

struct day {
    int64_t day_ms;
    struct partition *rolled; /* held; NULL: its samples are read */
};

struct reading {
    struct store *store;
    const struct store_rollup_query *query;
    struct store_rollup *rollup;
    int64_t from_ms, to_ms, resolution_ms; /* whole steps */
    struct day *days;
    size_t n_days;
    uint32_t *slots; /* hash table over the series: place + 1 */
    size_t n_slots;
    size_t n_buckets;
    struct buckets day; /* of one series, being read */
    struct columns columns;
    struct err *reterr;
};

int64_t store_rollup_resolution(int64_t step_ms)
{
    return step_ms % BUCKETS_COARSE_MS == 0 ? BUCKETS_COARSE_MS : BUCKETS_FINE_MS;
}

static int spent(const struct reading *reading)
{
    return err_set(reading->reterr, SOURCE_E_LIMIT,
                   "the roll-up needs more memory than it may use: ask for fewer series, less time "
                   "or a longer step");
}

static int check_time(const struct reading *reading)
{
    const struct store_rollup_query *query = reading->query;

    if (query->now_fn && query->now_fn() > query->deadline_ms)
        return err_set(reading->reterr, STORE_E_TIMEOUT,
                       "query timed out in expression evaluation");
    return 0;
}

static int warn(struct reading *reading, const char *words)
{
    struct store_rollup *rollup = reading->rollup;

    for (size_t i = 0; i < rollup->n_warnings; i++)
        if (strcmp(rollup->warnings[i], words) == 0)
            return 0;
    const char *copy = arena_strndup(&rollup->arena, words, strlen(words));
    if (!copy)
        return spent(reading);
    rollup->warnings = mem_grow(rollup->warnings, &rollup->warnings_capacity,
                                rollup->n_warnings + 1, sizeof(*rollup->warnings));
    rollup->warnings[rollup->n_warnings++] = copy;
    return 0;
}

/* --- series --- */

static void grow_slots(struct reading *reading)
{
    const struct store_rollup *rollup = reading->rollup;

    if ((rollup->n + 1) * 4 < reading->n_slots * 3)
        return;
    free(reading->slots);
    reading->n_slots = reading->n_slots ? reading->n_slots * 2 : 64;
    reading->slots = mem_zalloc(reading->n_slots * sizeof(*reading->slots));
    for (size_t i = 0; i < rollup->n; i++) {
        size_t at = rollup->series[i].labels->hash & (reading->n_slots - 1);
        while (reading->slots[at])
            at = (at + 1) & (reading->n_slots - 1);
        reading->slots[at] = (uint32_t)i + 1;
    }
}

/* NULL past the arena's limit. */
static struct store_rollup_series *find_or_add(struct reading *reading, const struct labels *labels)
{
    struct store_rollup *rollup = reading->rollup;

    grow_slots(reading);
    size_t at = labels->hash & (reading->n_slots - 1);
    for (; reading->slots[at]; at = (at + 1) & (reading->n_slots - 1)) {
        struct store_rollup_series *series = &rollup->series[reading->slots[at] - 1];
        if (labels_equal(series->labels, labels))
            return series;
    }
    const struct labels *kept = labels_in_arena(&rollup->arena, labels->at, labels->n);
    if (!kept)
        return NULL;
    reading->slots[at] = (uint32_t)rollup->n + 1;
    rollup->series = mem_grow(rollup->series, &rollup->capacity, rollup->n + 1,
                              sizeof(*rollup->series));
    rollup->series[rollup->n] = (struct store_rollup_series){.labels = kept};
    return &rollup->series[rollup->n++];
}

/* Puts the buckets just read into the steps of their series. */
static int add_day(struct reading *reading, const struct labels *labels)
{
    struct store_rollup_series *series = NULL;

    for (size_t i = 0; i < reading->day.n; i++) {
        const struct bucket *bucket = &reading->day.at[i];

        if (bucket->t_ms < reading->from_ms || bucket->t_ms >= reading->to_ms)
            continue;
        if (!series)
            series = find_or_add(reading, labels);
        if (!series)
            return spent(reading);
        size_t capacity = series->steps.capacity;
        buckets_add_step(&series->steps, reading->query->step_ms, bucket);
        reading->n_buckets += series->steps.capacity - capacity;
        if (reading->n_buckets > reading->query->bytes_max / sizeof(*bucket))
            return spent(reading);
    }
    return 0;
}

/* --- days without roll-ups --- */

static int read_matches(struct reading *reading,
                        const struct source *source,
                        const struct source_query *query,
                        const struct source_selection *selection,
                        struct arena *arena)
{
    struct source_columns columns = {0};
    int r = 0;

    for (size_t i = 0; i < selection->n && r == 0; i++) {
        r = check_time(reading);
        if (r == 0)
            r = source->read(source->self, query, &selection->matches[i], arena, &columns,
                             reading->reterr);
        if (r != 0)
            break;
        reading->day.n = 0;
        buckets_add_samples(&reading->day, reading->resolution_ms, columns.t_ms, columns.values,
                            columns.n);
        r = add_day(reading, selection->matches[i].labels);
    }
    return r;
}

static int read_raw(struct reading *reading, int64_t from_ms, int64_t to_ms)
{
    const struct source source = store_source(reading->store);
    const struct source_query query = {reading->query->matchers, reading->query->n_matchers,
                                       from_ms > reading->from_ms ? from_ms : reading->from_ms,
                                       (to_ms < reading->to_ms ? to_ms : reading->to_ms) - 1,
                                       false};
    struct source_selection selection = {0};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, reading->query->bytes_max);
    int r = source.select(source.self, &query, &arena, &selection, reading->reterr);
    for (size_t i = 0; i < selection.n_warnings && r == 0; i++)
        r = warn(reading, selection.warnings[i]);
    return r == 0 ? read_matches(reading, &source, &query, &selection, &arena) : r;
}

/* --- days with roll-ups --- */

struct damage {
    size_t chunks, rollups;
};

/* One series of a day: its rows, or else its chunks. */
static int read_series(struct reading *reading,
                       struct db_conn *conn,
                       uint32_t id,
                       struct damage *damage,
                       struct err *err)
{
    struct columns *columns = &reading->columns;

    reading->day.n = 0;
    int r = rollup_rows_read(conn, id, reading->resolution_ms, &reading->day, err);
    if (r < 0 || (r == 0 && reading->day.n > 0))
        return r;
    damage->rollups += r != 0;
    columns->n = 0;
    r = partition_read_chunks(conn, id, reading->from_ms, reading->to_ms - 1, columns,
                              &damage->chunks, err);
    if (r != 0)
        return r;
    columns_settle(columns);
    buckets_add_samples(&reading->day, reading->resolution_ms, columns->t_ms, columns->values,
                        columns->n);
    return 0;
}

/* All series of a day; *ret_r: what ends the query, and not the day alone. */
static int read_rows(struct reading *reading,
                     struct db_conn *conn,
                     struct damage *damage,
                     int *ret_r,
                     struct err *err)
{
    const struct store_rollup_query *query = reading->query;
    struct db_stmt *stmt = series_rows(conn, query->matchers, query->n_matchers);
    SERIES_READER_AUTO struct series_reader reader;
    struct arena scratch;
    int r = 0;

    series_reader_init(&reader, conn);
    arena_init(&scratch, LABELS_BYTES_MAX);
    while (r == 0 && *ret_r == 0 && db_step(stmt)) {
        bool corrupt;
        const struct labels *labels = series_reader_labels(&reader, stmt, &scratch, &corrupt);

        damage->chunks += corrupt;
        if (labels && matchers_match(query->matchers, query->n_matchers, labels)) {
            *ret_r = check_time(reading);
            r = read_series(reading, conn, series_row_id(stmt), damage, err);
            if (r == 0 && *ret_r == 0)
                *ret_r = add_day(reading, labels);
        }
        arena_reset(&scratch);
    }
    int end = db_done(stmt, r == 0 ? err : NULL);
    return r ? r : end;
}

static int warn_of_damage(struct reading *reading,
                          const struct partition *partition,
                          const struct damage *damage,
                          const char *why)
{
    char words[600];
    int r = 0;

    if (why)
        (void)snprintf(words, sizeof(words), "partition %s is damaged, its part is missing: %s",
                       partition->day, why);
    else
        (void)snprintf(words, sizeof(words), "partition %s: %zu damaged chunks were left out",
                       partition->day, damage->chunks);
    if (why || damage->chunks > 0)
        r = warn(reading, words);
    if (r != 0 || damage->rollups == 0)
        return r;
    (void)snprintf(words, sizeof(words),
                   "partition %s: %zu damaged roll-ups were computed from their samples",
                   partition->day, damage->rollups);
    return warn(reading, words);
}

static int read_rolled(struct reading *reading, struct partition *partition)
{
    struct damage damage = {0};
    struct db_conn *conn;
    struct err err = {0};
    int query_r = 0;

    int r = db_read_begin(partition->db, &conn, &err);
    if (r == 0) {
        r = read_rows(reading, conn, &damage, &query_r, &err);
        db_read_end(partition->db, conn);
    }
    if (query_r == 0 && r < 0)
        query_r = err_set(reading->reterr, r, "%s", err.text);
    if (query_r != 0)
        return query_r;
    return warn_of_damage(reading, partition, &damage, r != 0 ? err.text : NULL);
}

/* --- all --- */

static bool overlaps(const struct reading *reading, int64_t day_ms)
{
    return day_ms < reading->to_ms && day_ms + PARTITION_MS > reading->from_ms;
}

static int note_days(struct reading *reading)
{
    struct store *store = reading->store;
    int r = 0;

    (void)pthread_rwlock_rdlock(&store->lock);
    reading->days = mem_alloc((store->n_partitions + 1) * sizeof(*reading->days));
    for (size_t i = 0; i < store->n_partitions; i++) {
        struct partition *partition = store->partitions[i];
        bool is_rolled = partition->is_rolled && partition->is_compact && !partition->is_warm;

        if (!overlaps(reading, partition->day_ms))
            continue;
        if (is_rolled)
            atomic_fetch_add(&partition->n_uses, 1);
        reading->days[reading->n_days++] = (struct day){partition->day_ms,
                                                        is_rolled ? partition : NULL};
    }
    for (size_t i = 0; i < store->n_quarantined && r == 0; i++)
        if (overlaps(reading, store->quarantined[i].day_ms))
            r = warn(reading, store->quarantined[i].words);
    (void)pthread_rwlock_unlock(&store->lock);
    return r;
}

static int read_days(struct reading *reading)
{
    const struct day *days = reading->days;
    int r = 0;

    for (size_t i = 0, n = 1; i < reading->n_days && r == 0; i += n) {
        n = 1;
        if (days[i].rolled) {
            r = read_rolled(reading, days[i].rolled);
            continue;
        }
        while (i + n < reading->n_days && n < RAW_DAYS_MAX && !days[i + n].rolled)
            n++;
        r = read_raw(reading, days[i].day_ms, days[i + n - 1].day_ms + PARTITION_MS);
    }
    return r;
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const struct store_rollup_series *)a)->labels,
                          ((const struct store_rollup_series *)b)->labels);
}

int store_rollup(struct store *store,
                 const struct store_rollup_query *query,
                 struct store_rollup *ret_rollup,
                 struct err *reterr)
{
    struct err err = {0};
    struct reading reading = {.store = store,
                              .query = query,
                              .rollup = ret_rollup,
                              .resolution_ms = store_rollup_resolution(query->step_ms),
                              .reterr = reterr ? reterr : &err};

    assert(query->step_ms > 0 && query->step_ms % BUCKETS_FINE_MS == 0);
    *ret_rollup = (struct store_rollup){0};
    arena_init(&ret_rollup->arena, query->bytes_max);
    reading.from_ms = buckets_floor(query->from_ms, query->step_ms);
    reading.to_ms = buckets_floor(query->to_ms + query->step_ms - 1, query->step_ms);
    int r = note_days(&reading);
    if (r == 0)
        r = read_days(&reading);
    for (size_t i = 0; i < reading.n_days; i++)
        if (reading.days[i].rolled)
            atomic_fetch_sub(&reading.days[i].rolled->n_uses, 1);
    if (ret_rollup->n > 0)
        qsort(ret_rollup->series, ret_rollup->n, sizeof(*ret_rollup->series), by_labels);
    columns_done(&reading.columns);
    buckets_done(&reading.day);
    free(reading.slots);
    free(reading.days);
    return r;
}

void store_rollup_done(struct store_rollup *rollup)
{
    for (size_t i = 0; i < rollup->n; i++)
        buckets_done(&rollup->series[i].steps);
    free(rollup->series);
    free(rollup->warnings);
    arena_reset(&rollup->arena);
    *rollup = (struct store_rollup){0};
}
