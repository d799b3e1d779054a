/*
 * Reading: memory first, with the lock; then the files that know more, without it.
 *
 *     index ─> segments of the days asked for ─┐
 *                                              ├─ pieces of one series, by its labels ─> columns
 *     partitions whose chunks are not          │
 *     in memory ─> their series rows, chunks ──┘
 *
 * What memory and a file both know is the same sample, so pieces are merged by time and one
 * of a pair is dropped.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/private.h"
#include "lib/base/mem.h"

struct piece {
    struct piece *next;
    size_t n;
    int64_t *t_ms;
    double *values;
};

struct found {
    const struct labels *labels; /* referenced, or in the arena */
    struct piece *pieces;
    size_t n; /* of all its pieces */
};

struct selection {
    struct store *store;
    const struct matcher *matchers;
    size_t n_matchers;
    int64_t from_ms, to_ms;
    size_t max_samples, n_samples;
    bool names_only; /* for store_series(): which series, not what */
    struct arena *arena;
    struct columns columns; /* of the series at hand */
    struct found *found;
    size_t n, capacity;
    uint32_t *slots; /* hash table over found: place + 1 */
    size_t n_slots;
    struct partition **partitions; /* to read from files, held by n_uses */
    size_t n_partitions;
    const char **warnings;
    size_t n_warnings, warnings_capacity;
    struct err *reterr;
};

static int spent(const struct selection *selection)
{
    return err_set(
        selection->reterr, SOURCE_E_LIMIT,
        "the query needs more memory than it may use: ask for fewer series or less time");
}

/* --- what was found --- */

static void grow_slots(struct selection *selection)
{
    if (selection->n * 4 < selection->n_slots * 3)
        return;
    free(selection->slots);
    selection->n_slots = selection->n_slots ? selection->n_slots * 2 : 64;
    selection->slots = mem_zalloc(selection->n_slots * sizeof(*selection->slots));
    for (size_t i = 0; i < selection->n; i++) {
        size_t at = selection->found[i].labels->hash & (selection->n_slots - 1);
        while (selection->slots[at])
            at = (at + 1) & (selection->n_slots - 1);
        selection->slots[at] = (uint32_t)i + 1;
    }
}

/* `labels` must live as long as the arena. */
static struct found *find_or_add(struct selection *selection, const struct labels *labels)
{
    grow_slots(selection);
    size_t at = labels->hash & (selection->n_slots - 1);
    for (; selection->slots[at]; at = (at + 1) & (selection->n_slots - 1)) {
        struct found *found = &selection->found[selection->slots[at] - 1];
        if (labels_equal(found->labels, labels))
            return found;
    }
    selection->found = mem_grow(selection->found, &selection->capacity, selection->n + 1,
                                sizeof(*selection->found));
    selection->found[selection->n] = (struct found){.labels = labels};
    selection->slots[at] = (uint32_t)++selection->n;
    return &selection->found[selection->n - 1];
}

/* The columns at hand become a piece of this series. */
static int keep_columns(struct selection *selection, struct found *found)
{
    struct columns *columns = &selection->columns;

    columns_settle(columns);
    selection->n_samples += columns->n;
    if (selection->n_samples > selection->max_samples)
        return err_set(selection->reterr, SOURCE_E_LIMIT,
                       "the query reads more than %zu samples: ask for fewer series or less time",
                       selection->max_samples);
    struct piece *piece = arena_alloc(selection->arena, sizeof(*piece));
    if (!piece)
        return spent(selection);
    piece->t_ms = arena_array(selection->arena, columns->n, sizeof(int64_t));
    piece->values = arena_array(selection->arena, columns->n, sizeof(double));
    if (!piece->t_ms || !piece->values)
        return spent(selection);
    memcpy(piece->t_ms, columns->t_ms, columns->n * sizeof(int64_t));
    memcpy(piece->values, columns->values, columns->n * sizeof(double));
    piece->n = columns->n;
    piece->next = found->pieces;
    found->pieces = piece;
    found->n += piece->n;
    return 0;
}

static int warn(struct selection *selection, const char *words)
{
    const char *copy = arena_strndup(selection->arena, words, strlen(words));

    if (!copy)
        return spent(selection);
    selection->warnings = mem_grow(selection->warnings, &selection->warnings_capacity,
                                   selection->n_warnings + 1, sizeof(const char *));
    selection->warnings[selection->n_warnings++] = copy;
    return 0;
}

static bool day_overlaps(const struct selection *selection, int64_t day_ms)
{
    return day_ms <= selection->to_ms && day_ms + PARTITION_MS > selection->from_ms;
}

/* --- memory --- */

struct loan {
    const struct labels *labels;
};

static void give_back(void *object)
{
    labels_unref(((struct loan *)object)->labels);
}

/* The series' own labels, kept alive until the arena goes. */
static int borrow(struct selection *selection, const struct labels *labels)
{
    struct loan *loan = arena_alloc(selection->arena, sizeof(*loan));

    if (!loan)
        return spent(selection);
    loan->labels = labels_ref(labels);
    if (!arena_on_reset(selection->arena, give_back, loan)) {
        labels_unref(labels);
        return spent(selection);
    }
    return 0;
}

static int read_series(struct selection *selection, const struct series *series)
{
    struct columns *columns = &selection->columns;

    columns->n = 0;
    for (const struct segment *segment = series->segments; segment; segment = segment->next)
        if (day_overlaps(selection, segment->partition->day_ms))
            segment_read(segment, selection->from_ms, selection->to_ms, true, columns);
    if (columns->n == 0)
        return 0;
    int r = borrow(selection, series->labels);
    if (r != 0)
        return r;
    struct found *found = find_or_add(selection, series->labels);
    return selection->names_only ? 0 : keep_columns(selection, found);
}

/* Which files know what memory does not. Called with the lock. */
static void hold_partitions(struct selection *selection)
{
    struct store *store = selection->store;

    selection->partitions = mem_alloc((store->n_partitions + 1) * sizeof(struct partition *));
    for (size_t i = 0; i < store->n_partitions; i++) {
        struct partition *partition = store->partitions[i];

        if (!partition->has_chunks || selection->from_ms >= partition->memory_from_ms ||
            partition->chunk_min_ms > selection->to_ms ||
            partition->chunk_max_ms < selection->from_ms)
            continue;
        atomic_fetch_add(&partition->n_uses, 1);
        selection->partitions[selection->n_partitions++] = partition;
    }
}

static int read_memory(struct selection *selection)
{
    struct store *store = selection->store;
    size_t n = 0;
    int r = 0;

    (void)pthread_rwlock_rdlock(&store->lock);
    struct series **candidates = index_candidates(&store->index, selection->matchers,
                                                  selection->n_matchers, &n);
    for (size_t i = 0; i < n && r == 0; i++)
        if (matchers_match(selection->matchers, selection->n_matchers, candidates[i]->labels))
            r = read_series(selection, candidates[i]);
    for (size_t i = 0; i < store->n_quarantined && r == 0; i++)
        if (day_overlaps(selection, store->quarantined[i].day_ms))
            r = warn(selection, store->quarantined[i].words);
    hold_partitions(selection);
    (void)pthread_rwlock_unlock(&store->lock);
    free(candidates);
    return r;
}

/* --- files --- */

static const char *exact_name(const struct selection *selection)
{
    for (size_t i = 0; i < selection->n_matchers; i++)
        if (selection->matchers[i].type == MATCHER_EQUAL && selection->matchers[i].value[0] &&
            strcmp(selection->matchers[i].name, LABEL_NAME) == 0)
            return selection->matchers[i].value;
    return NULL;
}

static int has_chunks(struct selection *selection, struct db_conn *conn, int64_t id, bool *ret_has)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT 1 FROM chunk WHERE series = ? AND t0 <= ? AND t1 >= ? LIMIT 1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, selection->to_ms);
    db_bind_int(stmt, 3, selection->from_ms);
    *ret_has = db_step(stmt);
    return db_done(stmt, selection->reterr);
}

/* One series of a file whose labels match. */
static int read_row(struct selection *selection,
                    struct db_conn *conn,
                    int64_t id,
                    const struct labels *labels,
                    size_t *n_damaged)
{
    bool has = false;

    if (selection->names_only) {
        int r = has_chunks(selection, conn, id, &has);
        if (r == 0 && has)
            (void)find_or_add(selection, labels);
        return r;
    }
    selection->columns.n = 0;
    int r = partition_read_chunks(conn, (uint32_t)id, selection->from_ms, selection->to_ms,
                                  &selection->columns, n_damaged, selection->reterr);
    if (r != 0 || selection->columns.n == 0)
        return r;
    return keep_columns(selection, find_or_add(selection, labels));
}

static int read_rows(struct selection *selection, struct db_conn *conn, size_t *n_damaged)
{
    const char *name = exact_name(selection);
    struct db_stmt *stmt = db_prepare(conn, name ? "SELECT id, labels FROM series WHERE name = ?1"
                                                 : "SELECT id, labels FROM series");
    struct arena scratch;
    int r = 0;

    if (name)
        db_bind_text(stmt, 1, name);
    arena_init(&scratch, 1 << 20);
    while (r == 0 && db_step(stmt)) {
        bool corrupt;
        size_t len;
        const void *bytes = db_blob(stmt, 1, &len);
        const struct labels *labels = partition_read_labels(&scratch, bytes, len, &corrupt);
        if (labels && matchers_match(selection->matchers, selection->n_matchers, labels)) {
            const struct labels *kept = labels_in_arena(selection->arena, labels->at, labels->n);
            r = kept ? read_row(selection, conn, db_int(stmt, 0), kept, n_damaged)
                     : spent(selection);
        }
        *n_damaged += corrupt;
        arena_reset(&scratch);
    }
    int end = db_done(stmt, r == 0 ? selection->reterr : NULL);
    return r ? r : end;
}

static int read_partition(struct selection *selection, struct partition *partition)
{
    STR_AUTO struct str words = STR_INIT(600);
    struct err err = {0};
    struct db_conn *conn;
    size_t n_damaged = 0;

    int r = db_read_begin(partition->db, &conn, &err);
    if (r == 0) {
        r = read_rows(selection, conn, &n_damaged);
        if (r > 0 && r != SOURCE_E_LIMIT && selection->reterr)
            err = *selection->reterr;
        db_read_end(partition->db, conn);
    }
    if (r > 0 && r != SOURCE_E_LIMIT) { /* DB_E_CORRUPT: the rest of the answer is still good */
        str_addf(&words, "partition %s is damaged, its part is missing: %s", partition->day,
                 err.text);
        r = 0;
    } else if (n_damaged > 0) {
        str_addf(&words, "partition %s: %zu damaged chunks were left out", partition->day,
                 n_damaged);
    }
    if (r == 0 && words.len > 0)
        r = warn(selection, str_text(&words));
    return r;
}

static int read_files(struct selection *selection)
{
    int r = 0;

    for (size_t i = 0; i < selection->n_partitions; i++) {
        if (r == 0)
            r = read_partition(selection, selection->partitions[i]);
        atomic_fetch_sub(&selection->partitions[i]->n_uses, 1);
    }
    return r;
}

/* --- the answer --- */

/* Several pieces into one, by time. */
static int merge_pieces(struct selection *selection, struct found *found)
{
    struct columns *columns = &selection->columns;
    struct piece *only = found->pieces;

    if (!only->next)
        return 0;
    columns->n = 0;
    for (const struct piece *piece = found->pieces; piece; piece = piece->next)
        for (size_t i = 0; i < piece->n; i++)
            columns_add(columns, piece->t_ms[i], piece->values[i]);
    selection->n_samples -= found->n;
    found->pieces = NULL;
    found->n = 0;
    return keep_columns(selection, found);
}

static int fill_result(struct selection *selection, struct source_result *ret_result)
{
    struct source_result result = {.n = selection->n, .n_warnings = selection->n_warnings};

    result.series = arena_array(selection->arena, selection->n + 1, sizeof(*result.series));
    result.warnings = arena_array(selection->arena, selection->n_warnings + 1,
                                  sizeof(const char *));
    if (!result.series || !result.warnings)
        return spent(selection);
    for (size_t i = 0; i < selection->n; i++) {
        struct found *found = &selection->found[i];
        int r = merge_pieces(selection, found);
        if (r != 0)
            return r;
        assert(found->pieces); /* nothing is found without a sample */
        result.series[i] = (struct source_series){.labels = found->labels,
                                                  .n = found->n,
                                                  .t_ms = found->pieces->t_ms,
                                                  .values = found->pieces->values};
    }
    for (size_t i = 0; i < selection->n_warnings; i++)
        result.warnings[i] = selection->warnings[i];
    result.n_samples = selection->n_samples;
    *ret_result = result;
    return 0;
}

static void selection_done(struct selection *selection)
{
    columns_done(&selection->columns);
    free(selection->found);
    free(selection->slots);
    free(selection->partitions);
    free(selection->warnings);
}

static int run(struct selection *selection)
{
    int r = read_memory(selection);

    if (r != 0) {
        for (size_t i = 0; i < selection->n_partitions; i++)
            atomic_fetch_sub(&selection->partitions[i]->n_uses, 1);
        return r;
    }
    return read_files(selection);
}

// NOLINTNEXTLINE(readability-function-size): the seam's parameters, source.h
static int select_columns(void *self,
                          const struct matcher *matchers,
                          size_t n_matchers,
                          int64_t from_ms,
                          int64_t to_ms,
                          size_t max_samples,
                          struct arena *arena,
                          struct source_result *ret_result,
                          struct err *reterr)
{
    struct err err = {0};
    struct selection selection = {.store = self,
                                  .matchers = matchers,
                                  .n_matchers = n_matchers,
                                  .from_ms = from_ms,
                                  .to_ms = to_ms,
                                  .max_samples = max_samples,
                                  .arena = arena,
                                  .reterr = reterr ? reterr : &err};

    int r = run(&selection);
    if (r == 0)
        r = fill_result(&selection, ret_result);
    selection_done(&selection);
    return r;
}

struct source store_source(struct store *store)
{
    return (struct source){.select = select_columns, .self = store};
}

// NOLINTNEXTLINE(readability-function-size): the parameters of a select and a callback
int store_series(struct store *store,
                 const struct matcher *matchers,
                 size_t n_matchers,
                 int64_t from_ms,
                 int64_t to_ms,
                 bool (*each)(void *arg, const struct labels *),
                 void *arg,
                 struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    struct selection selection = {.store = store,
                                  .matchers = matchers,
                                  .n_matchers = n_matchers,
                                  .from_ms = from_ms,
                                  .to_ms = to_ms,
                                  .names_only = true,
                                  .arena = &arena,
                                  .reterr = reterr ? reterr : &err};

    arena_init(&arena, 256 << 20);
    int r = run(&selection);
    for (size_t i = 0; r == 0 && i < selection.n; i++)
        if (!each(arg, selection.found[i].labels))
            break;
    selection_done(&selection);
    return r;
}
