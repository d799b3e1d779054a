/*
 * Reading: memory first, with the lock, some series at a time; then the files that know more,
 * without it.
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
 *
 * Others have the lock between two slices of the series. Whatever was acknowledged before the
 * select began is seen: what memory knew of a series and has forgotten before its turn was
 * sealed, and whether the files know more is asked anew in each slice. What is acknowledged
 * while it runs may be seen of some series and not of others.
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/chunk_rows.h"
#include "alertd/store/selection.h"
#include "alertd/store/series_rows.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"

int selection_spent(const struct selection *selection)
{
    return err_set(
        selection->reterr, SOURCE_E_LIMIT,
        "the query needs more memory than it may use: ask for fewer series or less time");
}

int selection_warn(struct selection *selection, const char *words)
{
    const char *copy = arena_strndup(selection->arena, words, strlen(words));

    if (!copy)
        return selection_spent(selection);
    selection->warnings = mem_grow(selection->warnings, &selection->warnings_capacity,
                                   selection->n_warnings + 1, sizeof(const char *));
    selection->warnings[selection->n_warnings++] = copy;
    return 0;
}

bool selection_overlaps(const struct selection *selection, int64_t day_ms)
{
    return day_ms <= selection->query->to_ms && day_ms + PARTITION_MS > selection->query->from_ms;
}

/* --- what was found --- */

struct found *selection_add(struct selection *selection, const struct labels *labels)
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

/* For series of files: some are in memory as well, or in the files of other days. The slot is theirs, or
 * empty and then to be filled. */
static uint32_t *slot_of(struct selection *selection, const struct labels *labels)
{
    grow_slots(selection);
    size_t at = labels->hash & (selection->n_slots - 1);
    while (selection->slots[at] &&
           !labels_equal(selection->found[selection->slots[at] - 1].labels, labels))
        at = (at + 1) & (selection->n_slots - 1);
    return &selection->slots[at];
}

static struct found *find_or_add(struct selection *selection, const struct labels *labels)
{
    uint32_t *slot = slot_of(selection, labels);

    if (*slot)
        return &selection->found[*slot - 1];
    const struct labels *kept = labels_in_arena(selection->arena, labels->at, labels->n);
    *slot = (uint32_t)selection->n + 1;
    return kept ? selection_add(selection, kept) : NULL;
}

/* A file being read. */
struct file {
    struct selection *selection;
    struct pack_reader packs; /* with its connection */
    bool is_within;           /* all of its day is asked for */
    size_t n_damaged;
};

/* Who is in the file has chunks in it: where they lie is looked for at the ends of the time asked for alone. */
static int has_chunks(struct file *file, int64_t id, bool *ret_has)
{
    const struct selection *selection = file->selection;
    struct chunk_rows rows;
    struct chunk_row row;

    *ret_has = true;
    if (file->is_within)
        return 0;
    chunk_rows_begin(&rows, &file->packs, (uint32_t)id, selection->query->from_ms,
                     selection->query->to_ms);
    *ret_has = chunk_rows_next(&rows, &row, selection->reterr);
    return chunk_rows_done(&rows, selection->reterr);
}

static int collect_chunk(struct file *file, struct pieces *pieces, const void *body, size_t len)
{
    struct chunk_info info;

    if (!body || chunk_check(body, len, &info, NULL) != 0) {
        file->n_damaged++;
        return 0;
    }
    const struct chunk_view view = chunk_view_sealed(body, len, &info);
    return pieces_add_chunk(pieces, file->selection->arena, &view)
               ? 0
               : selection_spent(file->selection);
}

static int collect_chunks(struct file *file, int64_t id, struct pieces *pieces)
{
    const struct selection *selection = file->selection;
    struct chunk_rows rows;
    struct chunk_row row;
    int r = 0;

    chunk_rows_begin(&rows, &file->packs, (uint32_t)id, selection->query->from_ms,
                     selection->query->to_ms);
    while (r == 0 && chunk_rows_next(&rows, &row, selection->reterr)) {
        const void *body = NULL;
        size_t len = 0;

        r = chunk_row_bytes(&rows, &row, &body, &len, selection->reterr);
        if (r == 0)
            r = collect_chunk(file, pieces, body, len);
    }
    int end = chunk_rows_done(&rows, r == 0 ? selection->reterr : NULL);
    return r ? r : end;
}

/* One series of a file whose labels match. */
static int read_row(struct file *file, int64_t id, const struct labels *labels)
{
    struct selection *selection = file->selection;
    bool has = true;
    int r = selection->names_only ? has_chunks(file, id, &has) : 0;

    if (r != 0 || !has)
        return r;
    struct found *found = find_or_add(selection, labels);
    if (!found)
        return selection_spent(selection);
    found->is_sure = true;
    return found->pieces ? collect_chunks(file, id, found->pieces) : 0;
}

static int read_rows(struct file *file)
{
    struct selection *selection = file->selection;
    const struct source_query *query = selection->query;
    struct db_stmt *stmt = series_rows(file->packs.conn, query->matchers, query->n_matchers);
    SERIES_READER_AUTO struct series_reader reader;
    struct arena scratch;
    int r = 0;

    series_reader_init(&reader, file->packs.conn);
    arena_init(&scratch, 1 << 20);
    while (r == 0 && db_step(stmt)) {
        bool corrupt;
        const struct labels *labels = series_reader_labels(&reader, stmt, &scratch, &corrupt);

        if (labels && source_query_counts(query, labels->hash) &&
            matchers_match(query->matchers, query->n_matchers, labels))
            r = read_row(file, series_row_id(stmt), labels);
        file->n_damaged += corrupt;
        arena_reset(&scratch);
    }
    int end = db_done(stmt, r == 0 ? selection->reterr : NULL);
    return r ? r : end;
}

static int read_noted(struct file *file, const struct held *held)
{
    struct selection *selection = file->selection;
    int r = 0;

    for (size_t i = 0; i < held->n && r == 0; i++) {
        struct found *found = &selection->found[held->rows[i].found];
        uint32_t id = held->rows[i].local_id;

        if (found->pieces)
            r = collect_chunks(file, id, found->pieces);
        else if (!found->is_sure)
            r = has_chunks(file, id, &found->is_sure);
    }
    return r;
}

static int read_partition(struct selection *selection, const struct held *held)
{
    struct partition *partition = held->partition;
    STR_AUTO struct str words = STR_INIT(600);
    struct err err = {0};
    const struct source_query *query = selection->query;
    struct file file = {.selection = selection,
                        .is_within = query->from_ms <= partition->day_ms &&
                                     query->to_ms >= partition->day_ms + PARTITION_MS - 1};

    int r = db_read_begin(partition->db, &file.packs.conn, &err);
    if (r == 0) {
        struct db_conn *conn = file.packs.conn;

        r = held->is_warm ? read_noted(&file, held) : read_rows(&file);
        if (r > 0 && r != SOURCE_E_LIMIT && selection->reterr)
            err = *selection->reterr;
        pack_reader_done(&file.packs);
        db_read_end(partition->db, conn);
    }
    if (r > 0 && r != SOURCE_E_LIMIT) { /* DB_E_CORRUPT: the rest of the answer is still good */
        str_addf(&words, "partition %s is damaged, its part is missing: %s", partition->day,
                 err.text);
        r = 0;
    } else if (file.n_damaged > 0) {
        str_addf(&words, "partition %s: %zu damaged chunks were left out", partition->day,
                 file.n_damaged);
    }
    if (r == 0 && words.len > 0)
        r = selection_warn(selection, str_text(&words));
    return r;
}

static void forget_found(struct selection *selection)
{
    free(selection->found);
    free(selection->slots);
    free(selection->warnings);
}

/* --- several files at once --- */

/* One of a crew's: what it finds in the files it takes lies in an arena of its own. */
struct member {
    struct selection selection;
    struct arena arena;
    struct err err;
    int result;
};

struct crew {
    const struct held *held;
    size_t n_held;
    atomic_size_t next; /* of them, the first that nobody took */
    struct member *members;
};

static void work(void *context, size_t index)
{
    struct crew *crew = context;
    struct member *member = &crew->members[index];

    while (member->result == 0) {
        size_t i = atomic_fetch_add(&crew->next, 1);
        if (i >= crew->n_held)
            return;
        if (!crew->held[i].is_warm)
            member->result = read_partition(&member->selection, &crew->held[i]);
    }
}

/* What one found, its arena being the selection's by now. */
static int take_in(struct selection *selection, const struct selection *found)
{
    int r = 0;

    for (size_t i = 0; i < found->n; i++) {
        const struct found *other = &found->found[i];
        uint32_t *slot = slot_of(selection, other->labels);
        struct found *own = *slot ? &selection->found[*slot - 1] : NULL;
        if (!own) {
            *slot = (uint32_t)selection->n + 1;
            own = selection_add(selection, other->labels);
        }
        if (!own)
            return selection_spent(selection);
        own->is_sure |= other->is_sure;
        if (own->pieces)
            pieces_join(own->pieces, other->pieces);
    }
    for (size_t i = 0; i < found->n_warnings && r == 0; i++)
        r = selection_warn(selection, found->warnings[i]);
    return r;
}

static int read_cold_files(struct selection *selection, size_t n)
{
    MEM_AUTO struct member *members = mem_zalloc(n * sizeof(*members));
    struct crew crew = {.held = selection->held, .n_held = selection->n_held, .members = members};
    struct arena *arena = selection->arena;
    size_t room = (arena->limit - arena->used) / n;
    int r = 0;

    for (size_t i = 0; i < n; i++) {
        arena_init(&members[i].arena, room);
        members[i].selection = (struct selection){.store = selection->store,
                                                  .query = selection->query,
                                                  .names_only = selection->names_only,
                                                  .arena = &members[i].arena,
                                                  .reterr = &members[i].err};
    }
    parallel_each(n, (unsigned)n, work, &crew);
    for (size_t i = 0; i < n; i++) {
        if (r == 0 && members[i].result != 0)
            *selection->reterr = members[i].err;
        r = r ? r : members[i].result;
        arena_adopt(arena, &members[i].arena);
        r = r ? r : take_in(selection, &members[i].selection);
        forget_found(&members[i].selection);
    }
    return r;
}

static int read_files(struct selection *selection)
{
    size_t n_at_once = selection->query->n_at_once;
    int r = n_at_once > 1 ? read_cold_files(selection, n_at_once) : 0;

    for (size_t i = 0; i < selection->n_held && r == 0; i++)
        if (selection->held[i].is_warm ? selection->held[i].n > 0 : n_at_once <= 1)
            r = read_partition(selection, &selection->held[i]);
    return r;
}

/* --- the answer --- */

static int fill_answer(struct selection *selection, struct source_selection *ret_selection)
{
    struct arena *arena = selection->arena;
    struct source_match *matches = arena_array(arena, selection->n + 1, sizeof(*matches));
    const char **warnings = arena_array(arena, selection->n_warnings + 1, sizeof(*warnings));

    if (!matches || !warnings)
        return selection_spent(selection);
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
    for (size_t i = 0; i < selection->n_held; i++) {
        atomic_fetch_sub(&selection->held[i].partition->n_uses, 1);
        free(selection->held[i].rows);
    }
    free(selection->held);
    forget_found(selection);
}

static int run(struct selection *selection)
{
    int r = selection_read_memory(selection);

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
    return pieces_read(match->of, query, arena, columns, reterr);
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
    const struct source_query query = {
        .matchers = matchers, .n_matchers = n_matchers, .from_ms = from_ms, .to_ms = to_ms};
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
