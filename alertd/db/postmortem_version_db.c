/*
 * Published postmortems: only ever added, with a hash of all that was published.
 * See postmortem_db.h.
 *
 *   sha256( title | markdown | html | facts | sections | hash of the samples | graph id, svg, ... )
 *   each part with its length in front
 */

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/frozen_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/postmortem_db.h"
#include "alertd/db/rows.h"

static void mix(crypto_hash_sha256_state *hash, const void *bytes, size_t len)
{
    unsigned char length[8];

    for (unsigned i = 0; i < sizeof(length); i++)
        length[i] = (unsigned char)((uint64_t)len >> 8 * i);
    (void)crypto_hash_sha256_update(hash, length, sizeof(length));
    (void)crypto_hash_sha256_update(hash, bytes, len);
}

static void mix_text(crypto_hash_sha256_state *hash, const char *text)
{
    mix(hash, text, strlen(text));
}

static void hash_version(const struct postmortem_version *version, unsigned char *ret_hash)
{
    crypto_hash_sha256_state hash;

    (void)crypto_hash_sha256_init(&hash);
    mix_text(&hash, version->title);
    mix_text(&hash, version->markdown);
    mix_text(&hash, version->html);
    mix_text(&hash, version->facts);
    mix_text(&hash, version->sections);
    mix(&hash, version->samples_sha256, sizeof(version->samples_sha256));
    for (size_t i = 0; i < version->n_graphs; i++) {
        char id[24];

        (void)snprintf(id, sizeof(id), "%lld", (long long)version->graphs[i].graph_id);
        mix_text(&hash, id);
        mix_text(&hash, version->graphs[i].svg);
    }
    (void)crypto_hash_sha256_final(&hash, ret_hash);
}

/* --- jobs --- */

static int add_graphs(struct db_conn *conn,
                      int64_t id,
                      const struct postmortem_version *version,
                      struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; !r && i < version->n_graphs; i++) {
        struct db_stmt *stmt = db_prepare(conn, "INSERT INTO postmortem_version_graph"
                                                " VALUES (?1, ?2, ?3, ?4)");

        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, version->version);
        db_bind_int(stmt, 3, version->graphs[i].graph_id);
        db_bind_text(stmt, 4, version->graphs[i].svg);
        r = db_run(stmt, reterr);
    }
    return r;
}

static int insert_version(struct db_conn *conn,
                          int64_t id,
                          const struct postmortem_version *version,
                          struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO postmortem_version"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, version->version);
    db_bind_text(stmt, 3, version->title);
    db_bind_text(stmt, 4, version->markdown);
    db_bind_text(stmt, 5, version->html);
    db_bind_text(stmt, 6, version->facts);
    db_bind_text(stmt, 7, version->sections);
    db_bind_int(stmt, 8, version->samples_upto);
    db_bind_blob(stmt, 9, version->samples_sha256, sizeof(version->samples_sha256));
    db_bind_blob(stmt, 10, version->sha256, sizeof(version->sha256));
    db_bind_int(stmt, 11, version->published_ms);
    db_bind_text(stmt, 12, version->published_by);
    return db_run(stmt, reterr);
}

static int set_published(struct db_conn *conn,
                         const struct postmortem_row *row,
                         const struct postmortem_version *version,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE postmortem SET status = 'published',"
                                            " version = ?2 WHERE id = ?1");
    char source[ROWS_SOURCE_MAX];
    STR_AUTO struct str text = STR_INIT(200);
    int64_t event_id;

    db_bind_int(stmt, 1, row->id);
    db_bind_int(stmt, 2, version->version);
    int r = db_run(stmt, reterr);

    str_addf(&text, "postmortem %lld: version %lld is published", (long long)row->id,
             (long long)version->version);
    const struct timeline_event event = {
        .kind = "postmortem.published",
        .event_class = "human",
        .source = rows_source(source, "postmortem", row->id),
        .actor = version->published_by,
        .text = str_text(&text),
        .data = "{}",
        .occurred_at_ms = version->published_ms,
    };

    if (!r)
        r = postmortem_db_touch(conn, row->id, version->published_by, version->published_ms,
                                reterr);
    return r ? r
             : event_db_append(conn, row->incident_id, &event, version->published_ms, &event_id,
                               reterr);
}

int postmortem_version_db_add(struct db_conn *conn,
                              int64_t id,
                              const struct postmortem_version *version,
                              int64_t *ret_version,
                              struct err *reterr)
{
    struct postmortem_version full = *version;
    struct postmortem_row row;
    struct frozen_sum sum;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1024 * 1024);
    int r = postmortem_db_get(conn, id, &arena, &row, reterr);

    if (!r)
        r = frozen_db_sum(conn, row.incident_id, INT64_MAX, &sum, reterr);
    if (r)
        return r;
    full.version = row.version + 1;
    full.samples_upto = sum.upto;
    memcpy(full.samples_sha256, sum.sha256, sizeof(sum.sha256));
    hash_version(&full, full.sha256);
    r = insert_version(conn, id, &full, reterr);
    if (!r)
        r = add_graphs(conn, id, &full, reterr);
    if (!r)
        r = set_published(conn, &row, &full, reterr);
    if (!r)
        *ret_version = full.version;
    return r;
}

/* --- reading --- */

static void read_hash(struct db_stmt *stmt, int column, unsigned char *ret_hash)
{
    size_t len = 0;
    const void *bytes = db_blob(stmt, column, &len);

    memset(ret_hash, 0, POSTMORTEM_DB_HASH_BYTES);
    if (len == POSTMORTEM_DB_HASH_BYTES)
        memcpy(ret_hash, bytes, len);
}

#define HEAD "version, title, published_ms, published_by, samples_upto, samples_sha256, sha256"

static bool read_head(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_version *version = ret_item;

    *version = (struct postmortem_version){
        .version = db_int(stmt, 0),
        .title = rows_text(arena, stmt, 1),
        .published_ms = db_int(stmt, 2),
        .published_by = rows_text(arena, stmt, 3),
        .samples_upto = db_int(stmt, 4),
    };
    read_hash(stmt, 5, version->samples_sha256);
    read_hash(stmt, 6, version->sha256);
    return version->title && version->published_by;
}

static const struct rows_kind head_kind = {sizeof(struct postmortem_version), read_head,
                                           POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

int postmortem_version_db_list(struct db_conn *conn,
                               int64_t id,
                               struct arena *arena,
                               struct postmortem_version **ret_versions,
                               size_t *ret_n,
                               struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " HEAD " FROM postmortem_version"
                                            " WHERE postmortem_id = ?1 ORDER BY version DESC");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &head_kind, ret_versions, ret_n, reterr);
}

static bool read_graph(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_version_graph *graph = ret_item;

    *graph = (struct postmortem_version_graph){db_int(stmt, 0), rows_text(arena, stmt, 1)};
    return graph->svg != NULL;
}

static const struct rows_kind graph_kind = {sizeof(struct postmortem_version_graph), read_graph,
                                            POSTMORTEM_DB_E_LIMIT, "too much to show at once"};

static int read_graphs(struct db_conn *conn,
                       int64_t id,
                       struct arena *arena,
                       struct postmortem_version *version,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT graph_id, svg FROM postmortem_version_graph WHERE postmortem_id = ?1"
              " AND version = ?2 ORDER BY graph_id");
    struct postmortem_version_graph *graphs = NULL;

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, version->version);
    int r = rows_read(stmt, arena, &graph_kind, &graphs, &version->n_graphs, reterr);

    version->graphs = graphs;
    return r;
}

int postmortem_version_db_get(struct db_conn *conn,
                              int64_t id,
                              int64_t version,
                              struct arena *arena,
                              struct postmortem_version *ret_version,
                              struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT " HEAD ", markdown, html, facts, sections FROM postmortem_version"
              " WHERE postmortem_id = ?1 AND (version = ?2 OR ?2 = 0)"
              " ORDER BY version DESC LIMIT 1");
    struct postmortem_version row;

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, version);
    bool found = db_step(stmt);
    bool fits = found && read_head(stmt, arena, &row);

    if (fits) {
        row.markdown = rows_text(arena, stmt, 7);
        row.html = rows_text(arena, stmt, 8);
        row.facts = rows_text(arena, stmt, 9);
        row.sections = rows_text(arena, stmt, 10);
        fits = row.markdown && row.html && row.facts && row.sections;
    }
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND,
                       version ? "postmortem %lld has no version %lld"
                               : "postmortem %lld is not published",
                       (long long)id, (long long)version);
    if (!fits)
        return err_set(reterr, POSTMORTEM_DB_E_LIMIT, "too much to show at once");
    r = read_graphs(conn, id, arena, &row, reterr);
    if (!r)
        *ret_version = row;
    return r;
}

int postmortem_version_db_verify(
    struct db_conn *conn, int64_t id, int64_t version, struct arena *arena, struct err *reterr)
{
    struct postmortem_version found;
    struct postmortem_row row;
    struct frozen_sum sum;
    unsigned char hash[POSTMORTEM_DB_HASH_BYTES];
    int r = postmortem_db_get(conn, id, arena, &row, reterr);

    if (!r)
        r = postmortem_version_db_get(conn, id, version, arena, &found, reterr);
    if (!r)
        r = frozen_db_sum(conn, row.incident_id, found.samples_upto, &sum, reterr);
    if (r)
        return r;
    hash_version(&found, hash);
    if (memcmp(hash, found.sha256, sizeof(hash)) != 0)
        return err_set(reterr, -EIO, "version %lld is not what was published",
                       (long long)found.version);
    if (memcmp(sum.sha256, found.samples_sha256, sizeof(hash)) != 0)
        return err_set(reterr, -EIO, "the samples of version %lld are not what was frozen",
                       (long long)found.version);
    return 0;
}
