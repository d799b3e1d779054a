/*
 * Graphs and samples kept for a postmortem. See postmortem_db.h.
 *
 * Samples are stored as they are in memory on the little-endian machines we run on, and
 * by hand on any other: 8 bytes of milliseconds, 8 bytes of a double's bits.
 */

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "alertd/db/postmortem_db.h"
#include "alertd/db/rows.h"
#include "lib/base/mem.h"
#include "lib/model/sample.h"

enum {
    SAMPLE_BYTES = 16
};

static int too_large(struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_DB_E_LIMIT, "too much to show at once");
}

/* --- graphs --- */

static void hash_graph(const char *series, const char *svg, unsigned char *ret_hash)
{
    crypto_hash_sha256_state hash;

    (void)crypto_hash_sha256_init(&hash);
    (void)crypto_hash_sha256_update(&hash, (const unsigned char *)series, strlen(series) + 1);
    (void)crypto_hash_sha256_update(&hash, (const unsigned char *)svg, strlen(svg));
    (void)crypto_hash_sha256_final(&hash, ret_hash);
}

int graph_db_add(struct db_conn *conn,
                 const struct graph_row *graph,
                 int64_t *ret_id,
                 struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO graph (incident_id, title, query, start_ms, end_ms, step_ms,"
              " captured_ms, n_points, series, svg, sha256)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    unsigned char hash[GRAPH_DB_HASH_BYTES];

    hash_graph(graph->series, graph->svg, hash);
    db_bind_int(stmt, 1, graph->incident_id);
    db_bind_text(stmt, 2, graph->title);
    db_bind_text(stmt, 3, graph->query);
    db_bind_int(stmt, 4, graph->start_ms);
    db_bind_int(stmt, 5, graph->end_ms);
    db_bind_int(stmt, 6, graph->step_ms);
    db_bind_int(stmt, 7, graph->captured_ms);
    db_bind_int(stmt, 8, graph->n_points);
    db_bind_text(stmt, 9, graph->series);
    db_bind_text(stmt, 10, graph->svg);
    db_bind_blob(stmt, 11, hash, sizeof(hash));
    int r = db_run(stmt, reterr);

    if (!r)
        *ret_id = db_last_id(conn);
    return r;
}

#define GRAPH_COLUMNS                                                                          \
    "id, incident_id, title, query, start_ms, end_ms, step_ms, captured_ms, n_points, series," \
    " svg"

static bool read_graph(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct graph_row *graph = ret_item;

    *graph = (struct graph_row){
        .id = db_int(stmt, 0),
        .incident_id = db_int(stmt, 1),
        .title = rows_text(arena, stmt, 2),
        .query = rows_text(arena, stmt, 3),
        .start_ms = db_int(stmt, 4),
        .end_ms = db_int(stmt, 5),
        .step_ms = db_int(stmt, 6),
        .captured_ms = db_int(stmt, 7),
        .n_points = db_int(stmt, 8),
        .series = rows_text(arena, stmt, 9),
        .svg = rows_text(arena, stmt, 10),
    };
    return graph->title && graph->query && graph->series && graph->svg;
}

static const struct rows_kind graph_kind = {sizeof(struct graph_row), read_graph,
                                            POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int graph_db_get(struct db_conn *conn,
                 int64_t id,
                 struct arena *arena,
                 struct graph_row *ret_graph,
                 struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " GRAPH_COLUMNS " FROM graph WHERE id = ?1");
    struct graph_row graph;

    db_bind_int(stmt, 1, id);
    bool found = db_step(stmt);
    bool fits = found && read_graph(stmt, arena, &graph);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND, "there is no graph %lld", (long long)id);
    if (!fits)
        return too_large(reterr);
    *ret_graph = graph;
    return 0;
}

int graph_db_list(struct db_conn *conn,
                  int64_t incident_id,
                  struct arena *arena,
                  struct graph_row **ret_graphs,
                  size_t *ret_n,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " GRAPH_COLUMNS
                                            " FROM graph WHERE incident_id = ?1 ORDER BY id");

    db_bind_int(stmt, 1, incident_id);
    return rows_read(stmt, arena, &graph_kind, ret_graphs, ret_n, reterr);
}

int graph_db_verify(struct db_conn *conn, int64_t id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT series, svg, sha256 FROM graph WHERE id = ?1");
    unsigned char hash[GRAPH_DB_HASH_BYTES];

    db_bind_int(stmt, 1, id);
    bool found = db_step(stmt);
    bool same = false;

    if (found) {
        STR_AUTO struct str series = STR_INIT(SIZE_MAX / 4);
        size_t len;

        str_add(&series, db_text(stmt, 0));
        hash_graph(str_text(&series), db_text(stmt, 1), hash);
        const void *stored = db_blob(stmt, 2, &len);

        same = len == sizeof(hash) && memcmp(stored, hash, sizeof(hash)) == 0;
    }
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND, "there is no graph %lld", (long long)id);
    return same ? 0 : err_set(reterr, -EIO, "graph %lld is not what was stored", (long long)id);
}

/* --- samples --- */

static void put_64(unsigned char *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get_64(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

int frozen_db_add(struct db_conn *conn,
                  int64_t incident_id,
                  const struct source_series *series,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT OR IGNORE INTO frozen_sample"
                                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    MEM_AUTO unsigned char *bytes = mem_alloc(series->n * SAMPLE_BYTES + 1);

    rows_labels_text(series->labels, &labels);
    for (size_t i = 0; i < series->n; i++) {
        put_64(bytes + i * SAMPLE_BYTES, (uint64_t)series->t_ms[i]);
        put_64(bytes + i * SAMPLE_BYTES + 8, sample_bits(series->values[i]));
    }
    db_bind_int(stmt, 1, incident_id);
    db_bind_text(stmt, 2, str_text(&labels));
    db_bind_int(stmt, 3, series->n ? series->t_ms[0] : 0);
    db_bind_int(stmt, 4, series->n ? series->t_ms[series->n - 1] : 0);
    db_bind_int(stmt, 5, (int64_t)series->n);
    db_bind_blob(stmt, 6, bytes, series->n * SAMPLE_BYTES);
    return db_run(stmt, reterr);
}

/* False past the arena's limit, or when a row is not what we wrote. */
static bool read_series(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct source_series *series = ret_item;

    size_t len;
    const unsigned char *bytes = db_blob(stmt, 2, &len);
    size_t n = (size_t)db_int(stmt, 1);
    int64_t *t_ms = arena_array(arena, n + 1, sizeof(*t_ms));
    double *values = arena_array(arena, n + 1, sizeof(*values));
    const struct labels *labels = rows_labels(arena, db_text(stmt, 0));

    if (!t_ms || !values || !labels || len / SAMPLE_BYTES != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        t_ms[i] = (int64_t)get_64(bytes + i * SAMPLE_BYTES);
        values[i] = sample_from_bits(get_64(bytes + i * SAMPLE_BYTES + 8));
    }
    *series = (struct source_series){.labels = labels, .n = n, .t_ms = t_ms, .values = values};
    return true;
}

static const struct rows_kind series_kind = {sizeof(struct source_series), read_series,
                                             POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int frozen_db_list(struct db_conn *conn,
                   int64_t incident_id,
                   struct arena *arena,
                   struct source_series **ret_series,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT labels, n, samples FROM frozen_sample"
                                            " WHERE incident_id = ?1 ORDER BY labels");

    db_bind_int(stmt, 1, incident_id);
    return rows_read(stmt, arena, &series_kind, ret_series, ret_n, reterr);
}
