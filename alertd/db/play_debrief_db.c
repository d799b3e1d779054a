/*
 * What people write in debriefs. See play_debrief_db.h.
 */

#include "alertd/db/play_debrief_db.h"

#include "alertd/db/rows.h"

enum {
    SECTIONS_MAX = 100
};

int play_debrief_db_list(struct db_conn *conn,
                         int64_t session,
                         struct arena *arena,
                         struct play_debrief_row **ret_rows,
                         size_t *ret_n,
                         struct err *reterr)
{
    struct play_debrief_row *rows = arena_array(arena, SECTIONS_MAX, sizeof(*rows));
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT section, body, author, max(revision), saved_ms FROM session_debrief"
              " WHERE session = ?1 GROUP BY section ORDER BY section LIMIT ?2");
    bool fits = rows != NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, session);
    db_bind_int(stmt, 2, SECTIONS_MAX);
    for (; fits && db_step(stmt); n++) {
        rows[n] = (struct play_debrief_row){.section = rows_text(arena, stmt, 0),
                                            .body = rows_text(arena, stmt, 1),
                                            .author = rows_text(arena, stmt, 2),
                                            .revision = db_int(stmt, 3),
                                            .saved_ms = db_int(stmt, 4)};
        fits = rows[n].section && rows[n].body && rows[n].author;
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !fits)
        return err_set(reterr, PLAY_DEBRIEF_DB_E_LIMIT, "the debrief is too long to show at once");
    if (r == 0) {
        *ret_rows = rows;
        *ret_n = n;
    }
    return r;
}

static int refuse_stale(struct db_conn *conn,
                        const struct play_debrief_save *save,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT coalesce(max(revision), 0) FROM session_debrief WHERE session = ?1"
              " AND section = ?2");

    db_bind_int(stmt, 1, save->session);
    db_bind_text(stmt, 2, save->section);
    int64_t newest = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r == 0 && newest != save->base_revision)
        return err_set(reterr, PLAY_DEBRIEF_DB_E_STALE,
                       "revision %lld was saved meanwhile: read it, and save over that",
                       (long long)newest);
    return r;
}

int play_debrief_db_save(struct db_conn *conn,
                         const struct play_debrief_save *save,
                         struct err *reterr)
{
    int r = refuse_stale(conn, save, reterr);

    if (r)
        return r;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO session_debrief (session, section, revision, body, author, saved_ms)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

    db_bind_int(stmt, 1, save->session);
    db_bind_text(stmt, 2, save->section);
    db_bind_int(stmt, 3, save->base_revision + 1);
    db_bind_text(stmt, 4, save->body);
    db_bind_text(stmt, 5, save->author);
    db_bind_int(stmt, 6, save->now_ms);
    return db_run(stmt, reterr);
}
