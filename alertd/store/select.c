/*
 * Reading: memory first, with the lock; then the files that know more, without it.
 *
 *     index ─> segments of the days asked for ─┐
 *                                              ├─ pieces of one series, by its labels
 *     partitions whose chunks are not          │        (compressed; decoded when they
 *     in memory ─> chunks of those series ─────┘         are read: pieces.h)
 *
 * Of a warm partition the index knows all series and their numbers in the file; a cold one's
 * own series rows are looked through.
 *
 * What memory and a file both know is the same sample; reading drops one of a pair.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/store/private.h"
#include "lib/base/mem.h"

enum { /* series that are asked for while one is read */
    AHEAD_FOR_SERIES = 16,
    AHEAD_FOR_SEGMENT = 12,
    AHEAD_FOR_RUNS = 8,
    AHEAD_FOR_SAMPLES = 4,
};

struct found {
    const struct labels *labels; /* in the arena, perhaps with the index's texts */
    struct pieces *pieces;       /* in the arena; NULL: only the name is asked for */
    bool is_sure;                /* there is a sample in the time asked for, about; of a name */
};

/* A series found and its number within a warm partition's file. */
struct row {
    uint32_t found;
    uint32_t local_id;
};

/* A partition to read from, held by n_uses. */
struct held {
    struct partition *partition;
    bool is_warm;
    struct row *rows; /* warm */
    size_t n, capacity;
};

struct selection {
    struct store *store;
    const struct source_query *query;
    bool names_only; /* for store_series(): which series, not what */
    struct arena *arena;
    struct found *found;
    size_t n, capacity;
    struct texts *texts; /* the index's, a reference */
    uint32_t *slots;     /* hash table over found, made when a file is read: place + 1 */
    size_t n_slots;
    struct held *held; /* what memory does not know all of */
    size_t n_held;
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
    return day_ms <= selection->query->to_ms && day_ms + PARTITION_MS > selection->query->from_ms;
}

/* --- what was found --- */

/* `labels` must live as long as the arena. NULL past its limit. */
static struct found *add_found(struct selection *selection, const struct labels *labels)
{
    struct pieces *pieces = NULL;

    if (!selection->names_only) {
        pieces = arena_alloc(selection->arena, sizeof(*pieces));
        if (!pieces)
            return NULL;
        *pieces = (struct pieces){0};
    }
    selection->found = mem_grow(selection->found, &selection->capacity, selection->n + 1,
                                sizeof(*selection->found));
    selection->found[selection->n] = (struct found){labels, pieces, false};
    return &selection->found[selection->n++];
}

static void grow_slots(struct selection *selection)
{
    if ((selection->n + 1) * 4 < selection->n_slots * 3)
        return;
    free(selection->slots);
    selection->n_slots = selection->n_slots ? selection->n_slots : 64;
    while ((selection->n + 1) * 4 >= selection->n_slots * 3)
        selection->n_slots *= 2;
    selection->slots = mem_zalloc(selection->n_slots * sizeof(*selection->slots));
    for (size_t i = 0; i < selection->n; i++) {
        size_t at = selection->found[i].labels->hash & (selection->n_slots - 1);
        while (selection->slots[at])
            at = (at + 1) & (selection->n_slots - 1);
        selection->slots[at] = (uint32_t)i + 1;
    }
}

/* For series of files: some are in memory as well. */
static struct found *find_or_add(struct selection *selection, const struct labels *labels)
{
    grow_slots(selection);
    size_t at = labels->hash & (selection->n_slots - 1);
    for (; selection->slots[at]; at = (at + 1) & (selection->n_slots - 1)) {
        struct found *found = &selection->found[selection->slots[at] - 1];
        if (labels_equal(found->labels, labels))
            return found;
    }
    selection->slots[at] = (uint32_t)selection->n + 1;
    return add_found(selection, labels);
}

/* --- memory --- */

/* The newest day of a series: a late sample may have begun an older one since. */
static const struct segment *newest_day(const struct series *series)
{
    const struct segment *newest = series->segments;

    for (const struct segment *segment = newest; segment; segment = segment->next)
        if (segment->partition->day_ms > newest->partition->day_ms)
            newest = segment;
    return newest;
}

/* The newest sample of all, when it is at hand and not after the time asked for: then it is
 * what a selector at an instant sees (or too old). False: it must be looked for. */
static bool newest_is_known(const struct selection *selection,
                            const struct series *series,
                            struct sample *ret_sample)
{
    const struct segment *segment = selection->query->newest_only ? newest_day(series) : NULL;

    return segment && segment_newest(segment, ret_sample) &&
           ret_sample->t_ms <= selection->query->to_ms;
}

/* The oldest day first; the list begins with the newest. */
static bool collect_days(const struct selection *selection,
                         const struct segment *segment,
                         struct pieces *pieces)
{
    const struct source_query *query = selection->query;

    if (!segment)
        return true;
    if (!collect_days(selection, segment->next, pieces))
        return false;
    return !day_overlaps(selection, segment->partition->day_ms) ||
           segment_collect(segment, query->from_ms, query->to_ms, selection->arena, pieces);
}

static bool has_samples(const struct selection *selection, const struct series *series)
{
    for (const struct segment *segment = series->segments; segment; segment = segment->next)
        if (day_overlaps(selection, segment->partition->day_ms) &&
            segment_overlaps(segment, selection->query->from_ms, selection->query->to_ms))
            return true;
    return false;
}

/* Notes the series' numbers in the files that know more of it; whether there is one. */
static bool note_rows(struct selection *selection, const struct series *series, size_t found)
{
    bool noted = false;

    for (size_t i = 0; i < selection->n_held; i++) {
        struct held *held = &selection->held[i];
        const struct segment *segment = series->segments;

        while (segment && segment->partition != held->partition)
            segment = segment->next;
        if (!held->is_warm || !segment || !segment_is_named(segment))
            continue;
        held->rows = mem_grow(held->rows, &held->capacity, held->n + 1, sizeof(*held->rows));
        held->rows[held->n++] = (struct row){(uint32_t)found, segment->local_id};
        noted = true;
    }
    return noted;
}

/* What memory has of it; *ret_whole: the files need not be asked. False past the arena's
 * limit. */
static bool collect_memory(const struct selection *selection,
                           const struct series *series,
                           struct found *found,
                           bool *ret_whole)
{
    struct sample newest;

    if (selection->names_only) {
        found->is_sure = has_samples(selection, series);
        *ret_whole = found->is_sure;
        return true;
    }
    *ret_whole = newest_is_known(selection, series, &newest);
    bool fits = true;
    if (!*ret_whole)
        fits = collect_days(selection, series->segments, found->pieces);
    else if (newest.t_ms >= selection->query->from_ms)
        fits = pieces_add_samples(found->pieces, selection->arena, &newest, 1);
    found->is_sure = found->pieces->n_samples > 0;
    return fits;
}

/* The series is found when memory or a file may have something of it. */
static int read_series(struct selection *selection, const struct series *series)
{
    size_t n = selection->n;
    struct found *found = add_found(selection, NULL);
    bool whole = false;

    if (!found || !collect_memory(selection, series, found, &whole))
        return spent(selection);
    bool in_file = !whole && note_rows(selection, series, n);
    if (!found->is_sure && !in_file) {
        selection->n = n;
        return 0;
    }
    found->labels = index_labels(&selection->store->index, series, selection->arena);
    return found->labels ? 0 : spent(selection);
}

/* Which files know what memory does not. Called with the lock. */
static void hold_partitions(struct selection *selection)
{
    const struct source_query *query = selection->query;
    struct store *store = selection->store;

    selection->held = mem_zalloc((store->n_partitions + 1) * sizeof(*selection->held));
    for (size_t i = 0; i < store->n_partitions; i++) {
        struct partition *partition = store->partitions[i];

        if (!partition->has_chunks || query->from_ms >= partition->memory_from_ms ||
            partition->chunk_min_ms > query->to_ms || partition->chunk_max_ms < query->from_ms)
            continue;
        atomic_fetch_add(&partition->n_uses, 1);
        selection->held[selection->n_held++] = (struct held){.partition = partition,
                                                             .is_warm = partition->is_warm};
    }
}

/* Asks the memory for what the series some places ahead will need, link by link: nearly all of
 * it is not in the cache, and waiting for one after the other was a quarter of a rule. */
static void look_ahead(const struct source_query *query, struct series *const *series, size_t n)
{
    if (n > AHEAD_FOR_SERIES)
        __builtin_prefetch(series[AHEAD_FOR_SERIES]);
    if (n > AHEAD_FOR_SEGMENT && series[AHEAD_FOR_SEGMENT]->segments)
        segment_prefetch(series[AHEAD_FOR_SEGMENT]->segments);
    if (n > AHEAD_FOR_RUNS && series[AHEAD_FOR_RUNS]->segments)
        segment_prefetch_runs(series[AHEAD_FOR_RUNS]->segments);
    if (n > AHEAD_FOR_SAMPLES && series[AHEAD_FOR_SAMPLES]->segments && !query->newest_only)
        segment_prefetch_samples(series[AHEAD_FOR_SAMPLES]->segments, query->from_ms);
}

static int read_memory(struct selection *selection)
{
    const struct source_query *query = selection->query;
    struct store *store = selection->store;
    size_t n = 0;
    int r = 0;

    (void)pthread_rwlock_rdlock(&store->lock);
    hold_partitions(selection);
    selection->texts = texts_ref(store->index.texts);
    struct series **matching = index_select(&store->index, query->matchers, query->n_matchers, &n);
    for (size_t i = 0; i < n && r == 0; i++) {
        look_ahead(query, matching + i, n - i);
        r = read_series(selection, matching[i]);
    }
    for (size_t i = 0; i < store->n_quarantined && r == 0; i++)
        if (day_overlaps(selection, store->quarantined[i].day_ms))
            r = warn(selection, store->quarantined[i].words);
    (void)pthread_rwlock_unlock(&store->lock);
    free(matching);
    return r;
}

/* --- files --- */

static int has_chunks(struct selection *selection, struct db_conn *conn, int64_t id, bool *ret_has)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT 1 FROM chunk WHERE series = ? AND t0 <= ? AND t1 >= ? LIMIT 1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, selection->query->to_ms);
    db_bind_int(stmt, 3, selection->query->from_ms);
    *ret_has = db_step(stmt);
    return db_done(stmt, selection->reterr);
}

static int collect_chunks(struct selection *selection,
                          struct db_conn *conn,
                          int64_t id,
                          struct pieces *pieces,
                          size_t *n_damaged)
{
    struct db_stmt *stmt = partition_chunks(conn, (uint32_t)id, selection->query->from_ms,
                                            selection->query->to_ms);
    bool fits = true;

    while (fits && db_step(stmt)) {
        struct chunk_info info;
        size_t len;
        const void *body = db_blob(stmt, 0, &len);

        if (chunk_check(body, len, &info, NULL) != 0) {
            ++*n_damaged;
            continue;
        }
        const struct chunk_view view = chunk_view_sealed(body, len, &info);
        fits = pieces_add_chunk(pieces, selection->arena, &view);
    }
    int r = db_done(stmt, selection->reterr);
    return r == 0 && !fits ? spent(selection) : r;
}

/* One series of a file whose labels match. */
static int read_row(struct selection *selection,
                    struct db_conn *conn,
                    int64_t id,
                    const struct labels *labels,
                    size_t *n_damaged)
{
    bool has = false;
    int r = has_chunks(selection, conn, id, &has);

    if (r != 0 || !has)
        return r;
    struct found *found = find_or_add(selection, labels);
    if (!found)
        return spent(selection);
    found->is_sure = true;
    return found->pieces ? collect_chunks(selection, conn, id, found->pieces, n_damaged) : 0;
}

static int read_rows(struct selection *selection, struct db_conn *conn, size_t *n_damaged)
{
    const struct source_query *query = selection->query;
    struct db_stmt *stmt = partition_series(conn, query->matchers, query->n_matchers);
    struct arena scratch;
    int r = 0;

    arena_init(&scratch, 1 << 20);
    while (r == 0 && db_step(stmt)) {
        bool corrupt;
        size_t len;
        const void *bytes = db_blob(stmt, 1, &len);
        const struct labels *labels = partition_read_labels(&scratch, bytes, len, &corrupt);
        if (labels && matchers_match(query->matchers, query->n_matchers, labels)) {
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

static int read_noted(struct selection *selection,
                      struct db_conn *conn,
                      const struct held *held,
                      size_t *n_damaged)
{
    int r = 0;

    for (size_t i = 0; i < held->n && r == 0; i++) {
        struct found *found = &selection->found[held->rows[i].found];
        uint32_t id = held->rows[i].local_id;

        if (found->pieces)
            r = collect_chunks(selection, conn, id, found->pieces, n_damaged);
        else if (!found->is_sure)
            r = has_chunks(selection, conn, id, &found->is_sure);
    }
    return r;
}

static int read_partition(struct selection *selection, const struct held *held)
{
    struct partition *partition = held->partition;
    STR_AUTO struct str words = STR_INIT(600);
    struct err err = {0};
    struct db_conn *conn;
    size_t n_damaged = 0;

    int r = db_read_begin(partition->db, &conn, &err);
    if (r == 0) {
        r = held->is_warm ? read_noted(selection, conn, held, &n_damaged)
                          : read_rows(selection, conn, &n_damaged);
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

    for (size_t i = 0; i < selection->n_held && r == 0; i++)
        if (!selection->held[i].is_warm || selection->held[i].n > 0)
            r = read_partition(selection, &selection->held[i]);
    return r;
}

/* --- the answer --- */

/* The index's texts that an answer refers to: let go with the arena. */
static void give_back(void *object)
{
    texts_unref(object);
}

static int fill_answer(struct selection *selection, struct source_selection *ret_selection)
{
    struct arena *arena = selection->arena;
    struct source_match *matches = arena_array(arena, selection->n + 1, sizeof(*matches));
    const char **warnings = arena_array(arena, selection->n_warnings + 1, sizeof(*warnings));

    if (!matches || !warnings || !arena_on_reset(arena, give_back, selection->texts))
        return spent(selection);
    selection->texts = NULL; /* the arena's now */
    for (size_t i = 0; i < selection->n; i++)
        matches[i] = (struct source_match){selection->found[i].labels, selection->found[i].pieces};
    for (size_t i = 0; i < selection->n_warnings; i++)
        warnings[i] = selection->warnings[i];
    *ret_selection = (struct source_selection){
        .matches = matches,
        .n = selection->n,
        .warnings = warnings,
        .n_warnings = selection->n_warnings,
    };
    return 0;
}

static void selection_done(struct selection *selection)
{
    texts_unref(selection->texts);
    for (size_t i = 0; i < selection->n_held; i++) {
        atomic_fetch_sub(&selection->held[i].partition->n_uses, 1);
        free(selection->held[i].rows);
    }
    free(selection->held);
    free(selection->found);
    free(selection->slots);
    free(selection->warnings);
}

static int run(struct selection *selection)
{
    int r = read_memory(selection);

    return r ? r : read_files(selection);
}

static int select_series(void *self,
                         const struct source_query *query,
                         struct arena *arena,
                         struct source_selection *ret_selection,
                         struct err *reterr)
{
    struct err err = {0};
    struct selection selection = {
        .store = self, .query = query, .arena = arena, .reterr = reterr ? reterr : &err};
    int r = run(&selection);

    if (r == 0)
        r = fill_answer(&selection, ret_selection);
    selection_done(&selection);
    return r;
}

static int read_match(void *self,
                      const struct source_query *query,
                      const struct source_match *match,
                      struct arena *arena,
                      struct source_columns *columns,
                      struct err *reterr)
{
    (void)self;
    return pieces_read(match->of, query->from_ms, query->to_ms, arena, columns, reterr);
}

struct source store_source(struct store *store)
{
    return (struct source){.select = select_series, .read = read_match, .self = store};
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
    const struct source_query query = {matchers, n_matchers, from_ms, to_ms, false};
    struct selection selection = {.store = store,
                                  .query = &query,
                                  .names_only = true,
                                  .arena = &arena,
                                  .reterr = reterr ? reterr : &err};

    arena_init(&arena, 256 << 20);
    int r = run(&selection);
    for (size_t i = 0; r == 0 && i < selection.n; i++)
        if (selection.found[i].is_sure && !each(arg, selection.found[i].labels))
            break;
    selection_done(&selection);
    return r;
}
