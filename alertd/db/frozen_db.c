/*
 * Graphs and samples kept for a postmortem. See frozen_db.h.
 *
 * Samples are stored as they are in memory on the little-endian machines we run on, and
 * by hand on any other: 8 bytes of milliseconds, 8 bytes of a double's bits.
 */

#include "alertd/db/frozen_db.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "alertd/db/rows.h"
#include "lib/base/mem.h"
#include "lib/model/sample.h"

enum {
    SAMPLE_BYTES = 16
};

static int too_large(struct err *reterr)
{
    return err_set(reterr, FROZEN_DB_E_LIMIT, "too much to show at once");
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
              " captured_ms, n_points, series, svg, sha256, made, threshold, rule_id)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
              " iif(?12, 'chosen', 'auto'), ?13, ?14)");
    unsigned char hash[FROZEN_DB_HASH_BYTES];

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
    db_bind_int(stmt, 12, graph->is_chosen);
    if (graph->has_threshold)
        db_bind_float(stmt, 13, graph->threshold);
    else
        db_bind_null(stmt, 13);
    db_bind_int(stmt, 14, graph->rule_id);
    int r = db_run(stmt, reterr);

    if (!r)
        *ret_id = db_last_id(conn);
    return r;
}

#define GRAPH_COLUMNS                                                                          \
    "id, incident_id, title, query, start_ms, end_ms, step_ms, captured_ms, n_points, series," \
    " svg, made = 'chosen', threshold, rule_id"

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
        .is_chosen = db_int(stmt, 11) != 0,
        .has_threshold = !db_is_null(stmt, 12),
        .threshold = db_float(stmt, 12),
        .rule_id = db_int(stmt, 13),
    };
    return graph->title && graph->query && graph->series && graph->svg;
}

static const struct rows_kind graph_kind = {sizeof(struct graph_row), read_graph, FROZEN_DB_E_LIMIT,
                                            "too much to show at once"};

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
        return err_set(reterr, FROZEN_DB_E_NOT_FOUND, "there is no graph %lld", (long long)id);
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
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT " GRAPH_COLUMNS
        " FROM graph WHERE incident_id = ?1 AND (made = 'chosen' OR captured_ms = (SELECT max(captured_ms)"
        " FROM graph WHERE incident_id = ?1 AND made = 'auto'))"
        " ORDER BY id");

    db_bind_int(stmt, 1, incident_id);
    return rows_read(stmt, arena, &graph_kind, ret_graphs, ret_n, reterr);
}

int graph_db_verify(struct db_conn *conn, int64_t id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT series, svg, sha256 FROM graph WHERE id = ?1");
    unsigned char hash[FROZEN_DB_HASH_BYTES];

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
        return err_set(reterr, FROZEN_DB_E_NOT_FOUND, "there is no graph %lld", (long long)id);
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

/* When what is kept of a series ends; before everything when nothing is. */
static int kept_until(struct db_conn *conn,
                      int64_t incident_id,
                      const char *labels,
                      int64_t *ret_to_ms,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT max(to_ms) FROM frozen_sample"
                                            " WHERE incident_id = ?1 AND labels = ?2");

    db_bind_int(stmt, 1, incident_id);
    db_bind_text(stmt, 2, labels);
    *ret_to_ms = db_step(stmt) && !db_is_null(stmt, 0) ? db_int(stmt, 0) : INT64_MIN;
    return db_done(stmt, reterr);
}

static int add_piece(struct db_conn *conn,
                     int64_t incident_id,
                     const char *labels,
                     const struct source_series *piece,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO frozen_sample"
                                            " (incident_id, labels, from_ms, to_ms, n, samples)"
                                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    MEM_AUTO unsigned char *bytes = mem_alloc(piece->n * SAMPLE_BYTES + 1);

    for (size_t i = 0; i < piece->n; i++) {
        put_64(bytes + i * SAMPLE_BYTES, (uint64_t)piece->t_ms[i]);
        put_64(bytes + i * SAMPLE_BYTES + 8, sample_bits(piece->values[i]));
    }
    db_bind_int(stmt, 1, incident_id);
    db_bind_text(stmt, 2, labels);
    db_bind_int(stmt, 3, piece->t_ms[0]);
    db_bind_int(stmt, 4, piece->t_ms[piece->n - 1]);
    db_bind_int(stmt, 5, (int64_t)piece->n);
    db_bind_blob(stmt, 6, bytes, piece->n * SAMPLE_BYTES);
    return db_run(stmt, reterr);
}

int frozen_db_add(struct db_conn *conn,
                  int64_t incident_id,
                  const struct source_series *series,
                  struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct source_series piece = *series;
    int64_t until_ms;

    rows_labels_text(series->labels, &labels);
    int r = kept_until(conn, incident_id, str_text(&labels), &until_ms, reterr);

    if (r)
        return r;
    while (piece.n && piece.t_ms[0] <= until_ms) {
        piece.t_ms++;
        piece.values++;
        piece.n--;
    }
    return piece.n ? add_piece(conn, incident_id, str_text(&labels), &piece, reterr) : 0;
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
                                             FROZEN_DB_E_LIMIT, "too much to show at once"};

/* Pieces of one series next to each other become one. */
static int join_pieces(struct arena *arena, struct source_series *series, size_t *n)
{
    size_t kept = 0;

    for (size_t i = 0; i < *n;) {
        size_t end = i + 1;
        size_t total = series[i].n;

        while (end < *n && labels_equal(series[end].labels, series[i].labels))
            total += series[end++].n;
        struct source_series whole = series[i];

        if (end > i + 1) {
            int64_t *t_ms = arena_array(arena, total + 1, sizeof(*t_ms));
            double *values = arena_array(arena, total + 1, sizeof(*values));
            size_t at = 0;

            if (!t_ms || !values)
                return FROZEN_DB_E_LIMIT;
            for (size_t k = i; k < end; k++) {
                memcpy(t_ms + at, series[k].t_ms, series[k].n * sizeof(*t_ms));
                memcpy(values + at, series[k].values, series[k].n * sizeof(*values));
                at += series[k].n;
            }
            whole = (struct source_series){series[i].labels, total, t_ms, values};
        }
        series[kept++] = whole;
        i = end;
    }
    *n = kept;
    return 0;
}

int frozen_db_list(struct db_conn *conn,
                   int64_t incident_id,
                   struct arena *arena,
                   struct source_series **ret_series,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT labels, n, samples FROM frozen_sample"
                                            " WHERE incident_id = ?1 ORDER BY labels, from_ms");
    struct source_series *series = NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, incident_id);
    int r = rows_read(stmt, arena, &series_kind, &series, &n, reterr);

    if (r)
        return r;
    if (join_pieces(arena, series, &n))
        return too_large(reterr);
    *ret_series = series;
    *ret_n = n;
    return 0;
}

int frozen_db_by_key(struct db_conn *conn,
                     const char *key,
                     struct arena *arena,
                     struct source_series **ret_series,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id FROM incident WHERE key = ?1");

    db_bind_text(stmt, 1, key);
    bool found = db_step(stmt);
    int64_t id = found ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, FROZEN_DB_E_NOT_FOUND, "there is no incident %s", key);
    return frozen_db_list(conn, id, arena, ret_series, ret_n, reterr);
}

/* A text with its end, so that two rows never hash as one other. */
static void hash_row(crypto_hash_sha256_state *hash, struct db_stmt *stmt)
{
    const char *labels = db_text(stmt, 0);
    size_t len = 0;

    (void)crypto_hash_sha256_update(hash, (const unsigned char *)labels, strlen(labels) + 1);
    const void *samples = db_blob(stmt, 4, &len);
    unsigned char length[8];

    put_64(length, len);
    (void)crypto_hash_sha256_update(hash, length, sizeof(length));
    (void)crypto_hash_sha256_update(hash, samples, len);
}

int frozen_db_sum(struct db_conn *conn,
                  int64_t incident_id,
                  int64_t upto,
                  struct frozen_sum *ret_sum,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT labels, n, from_ms, to_ms, samples, id,"
                                            " lag(labels) OVER (ORDER BY labels, from_ms) IS labels"
                                            " FROM frozen_sample WHERE incident_id = ?1"
                                            " AND id <= ?2 ORDER BY labels, from_ms");
    struct frozen_sum sum = {0};
    crypto_hash_sha256_state hash;

    (void)crypto_hash_sha256_init(&hash);
    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, upto);
    while (db_step(stmt)) {
        int64_t from_ms = db_int(stmt, 2);
        int64_t to_ms = db_int(stmt, 3);

        hash_row(&hash, stmt);
        sum.from_ms = sum.n_series && sum.from_ms < from_ms ? sum.from_ms : from_ms;
        sum.to_ms = sum.n_series && sum.to_ms > to_ms ? sum.to_ms : to_ms;
        sum.upto = db_int(stmt, 5) > sum.upto ? db_int(stmt, 5) : sum.upto;
        sum.n_series += !db_int(stmt, 6); /* not another piece of the one before */
        sum.n_samples += db_int(stmt, 1);
    }
    (void)crypto_hash_sha256_final(&hash, sum.sha256);
    int r = db_done(stmt, reterr);

    if (!r)
        *ret_sum = sum;
    return r;
}
