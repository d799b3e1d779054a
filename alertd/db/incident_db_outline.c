/*
 * A timeline as it stands, without its words: read and folded, or as it was kept. See
 * incident_db_record.h and folds.h.
 */

#include <string.h>

#include "alertd/db/incident_db_record.h"
#include "alertd/db/private.h"
#include "alertd/db/rows.h"

static bool read_outline(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct timeline_event *event = ret_item;
    bool by_machine = strcmp(db_text(stmt, 2), "machine") == 0;

    *event = (struct timeline_event){
        .id = db_int(stmt, 0),
        .kind = rows_text(arena, stmt, 1),
        .event_class = by_machine ? "machine" : "human",
        .source = rows_text(arena, stmt, 3),
        .text = "",
        .data = "{}",
        .occurred_at_ms = db_int(stmt, 4),
        .recorded_at_ms = db_int(stmt, 5),
        .order_only = db_int(stmt, 8) != 0,
    };
    return event->kind && event->source && rows_text_or_null(arena, stmt, 6, &event->precision) &&
           rows_text_or_null(arena, stmt, 7, &event->scope);
}

static const struct rows_kind outline_kind = {sizeof(struct timeline_event), read_outline,
                                              INCIDENT_DB_E_LIMIT,
                                              "the timeline is too long to show at once"};

/* Data where a mark or a hypothesis needs it: events in order of their ids. */
static int read_data(struct db_conn *conn,
                     int64_t incident_id,
                     struct arena *arena,
                     struct timeline_event *events,
                     size_t n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT o.id, (SELECT data FROM event WHERE id = o.id) FROM incident_event ie"
              " JOIN event o INDEXED BY event_outline ON o.id = ie.event_id"
              " WHERE ie.incident_id = ?1 AND (o.kind GLOB 'hypothesis.*'"
              " OR (o.kind GLOB 'notify.*' AND o.class = 'machine')) ORDER BY ie.event_id");
    bool fits = true;
    size_t i = 0;

    db_bind_int(stmt, 1, incident_id);
    while (fits && db_step(stmt)) {
        while (i < n && events[i].id < db_int(stmt, 0))
            i++;
        if (i < n && events[i].id == db_int(stmt, 0)) {
            events[i].data = rows_text(arena, stmt, 1);
            fits = events[i].data != NULL;
        }
    }
    int r = db_done(stmt, reterr);

    return r || fits ? r : err_set(reterr, INCIDENT_DB_E_LIMIT, "%s", outline_kind.words);
}

static int read_anew(struct db_conn *conn,
                     int64_t incident_id,
                     struct arena *arena,
                     struct record_event **ret_rows,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT o.id, o.kind, o.class, o.source, o.occurred_ms, o.recorded_ms, o.precision,"
              " o.scope, o.order_only FROM incident_event ie"
              " JOIN event o INDEXED BY event_outline ON o.id = ie.event_id"
              " WHERE ie.incident_id = ?1 ORDER BY ie.event_id");
    struct timeline_event *events = NULL;
    struct record_rev *revs = NULL;
    size_t n_revs = 0;
    size_t n = 0;

    db_bind_int(stmt, 1, incident_id);
    int r = rows_read(stmt, arena, &outline_kind, &events, &n, reterr);

    if (r == 0)
        r = read_data(conn, incident_id, arena, events, n, reterr);
    if (r == 0)
        r = incident_db_revs(conn, incident_id, 0, arena, &revs, &n_revs, reterr);
    if (r == 0)
        r = incident_db_folded(record_fold(arena, events, n, revs, n_revs, ret_rows, reterr));
    if (r == 0)
        *ret_n = n;
    return r;
}

/* --- as it was kept --- */

static int read_stamp(struct db_conn *conn,
                      int64_t incident_id,
                      struct fold_stamp *ret_stamp,
                      struct err *reterr)
{
    struct fold_stamp stamp = {.incident_id = incident_id};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT count(*), max(event_id) FROM incident_event WHERE incident_id = ?1");

    db_bind_int(stmt, 1, incident_id);
    if (db_step(stmt)) {
        stamp.n_events = db_int(stmt, 0);
        stamp.newest_event_id = db_int(stmt, 1);
    }
    int r = db_done(stmt, reterr);
    if (r)
        return r;
    stmt = db_prepare(conn, "SELECT count(*), max(id) FROM event_rev WHERE incident_id = ?1");
    db_bind_int(stmt, 1, incident_id);
    if (db_step(stmt)) {
        stamp.n_revs = db_int(stmt, 0);
        stamp.newest_rev_id = db_int(stmt, 1);
    }
    *ret_stamp = stamp;
    return db_done(stmt, reterr);
}

/* The kept one, or one that is kept from now on. */
static int find_fold(struct db_conn *conn,
                     const struct fold_stamp *stamp,
                     struct fold **ret_fold,
                     struct err *reterr)
{
    struct folds *folds = &conn->db->folds;
    struct fold *fold = folds_find(folds, stamp);
    int r = 0;

    if (!fold) {
        fold = fold_new(stamp);
        r = read_anew(conn, stamp->incident_id, &fold->arena, &fold->rows, &fold->n, reterr);
        if (r) {
            fold_unref(fold);
            return r;
        }
        folds_keep(folds, fold);
    }
    *ret_fold = fold;
    return 0;
}

int incident_db_outline(struct db_conn *conn,
                        int64_t incident_id,
                        struct arena *arena,
                        struct record_event **ret_rows,
                        size_t *ret_n,
                        struct err *reterr)
{
    struct fold *fold = NULL;
    struct fold_stamp stamp;
    int r = read_stamp(conn, incident_id, &stamp, reterr);

    if (r)
        return r;
    if (conn == &conn->db->writer || stamp.n_events < FOLDS_EVENTS_MIN)
        return read_anew(conn, incident_id, arena, ret_rows, ret_n, reterr);
    r = find_fold(conn, &stamp, &fold, reterr);
    if (r == INCIDENT_DB_E_LIMIT) /* too long to be kept: perhaps not to be read */
        return read_anew(conn, incident_id, arena, ret_rows, ret_n, reterr);
    if (r)
        return r;
    size_t n = fold->n;

    if (!fold_lend(fold, arena, ret_rows))
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "%s", outline_kind.words);
    *ret_n = n;
    return 0;
}

int incident_db_fill(struct db_conn *conn,
                     struct record_event *rows,
                     size_t n,
                     struct arena *arena,
                     struct err *reterr)
{
    for (size_t i = 0; i < n; i++) {
        struct timeline_event *event = arena_alloc(arena, sizeof(*event));
        bool said_otherwise = *rows[i].text != '\0';

        if (!event)
            return err_set(reterr, INCIDENT_DB_E_LIMIT, "the timeline is too long to show at once");
        int r = event_db_get(conn, rows[i].event->id, arena, event, reterr);

        if (r)
            return r;
        if (rows[i].kind == rows[i].event->kind)
            rows[i].kind = event->kind;
        rows[i].event = event;
        rows[i].text = said_otherwise ? rows[i].text : event->text;
    }
    return 0;
}
