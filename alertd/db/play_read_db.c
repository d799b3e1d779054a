/*
 * Sessions of drills: what is read of them. See play_db.h.
 */

#include <string.h>

#include "alertd/db/play_db.h"
#include "alertd/db/rows.h"

#define WORDS "too much of drills to show at once"
#define ROW                                                                                  \
    "SELECT s.id, coalesce(s.team, 0), s.drill, s.title, s.mode, s.player, s.seed, s.state," \
    " s.made_by, s.hash, s.error, s.speed, s.at_ms, s.length_ms, s.made_ms, s.seen_ms,"      \
    " coalesce(s.ended_ms, 0), s.stops_for_pages, s.page_me, s.slow_to, s.rules = 'now'"     \
    " FROM session s "

static bool read_session(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_row *row = ret_item;

    *row = (struct play_row){
        .id = db_int(stmt, 0),
        .team = db_int(stmt, 1),
        .drill = rows_text(arena, stmt, 2),
        .title = rows_text(arena, stmt, 3),
        .mode = rows_text(arena, stmt, 4),
        .player = rows_text(arena, stmt, 5),
        .seed = rows_text(arena, stmt, 6),
        .state = rows_text(arena, stmt, 7),
        .made_by = rows_text(arena, stmt, 8),
        .hash = rows_text(arena, stmt, 9),
        .error = rows_text(arena, stmt, 10),
        .speed = db_int(stmt, 11),
        .at_ms = db_int(stmt, 12),
        .length_ms = db_int(stmt, 13),
        .made_ms = db_int(stmt, 14),
        .seen_ms = db_int(stmt, 15),
        .ended_ms = db_int(stmt, 16),
        .stops_for_pages = db_int(stmt, 17) != 0,
        .page_me = db_int(stmt, 18) != 0,
        .slow_to = db_int(stmt, 19),
        .has_rules_of_now = db_int(stmt, 20) != 0,
    };
    return row->drill && row->title && row->mode && row->player && row->seed && row->state &&
           row->made_by && row->hash && row->error;
}

static const struct rows_kind sessions = {sizeof(struct play_row), read_session, PLAY_DB_E_LIMIT,
                                          WORDS};

int play_db_get(struct db_conn *conn,
                int64_t id,
                struct arena *arena,
                struct play_row *ret_row,
                struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, ROW "WHERE s.id = ?1");
    struct play_row *rows = NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, id);

    int r = rows_read(stmt, arena, &sessions, &rows, &n, reterr);

    if (r)
        return r;
    if (n == 0)
        return err_set(reterr, PLAY_DB_E_NOT_FOUND, "nobody plays a drill of number %lld",
                       (long long)id);
    *ret_row = rows[0];
    return 0;
}

int play_db_list(struct db_conn *conn,
                 const struct play_filter *filter,
                 struct arena *arena,
                 struct play_row **ret_rows,
                 size_t *ret_n,
                 struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, ROW "WHERE (?1 IS NULL OR EXISTS (SELECT 1 FROM session_member m"
                  " WHERE m.session = s.id AND m.person = ?1))"
                  " AND (?2 IS NULL OR s.drill = ?2) AND (?3 IS NULL OR s.state = ?3)"
                  " AND (?4 = 0 OR s.seen_ms < ?4) AND (?5 = 0 OR s.team = ?5)"
                  " ORDER BY s.id DESC LIMIT ?6");

    db_bind_text(stmt, 1, filter->who);
    db_bind_text(stmt, 2, filter->drill);
    db_bind_text(stmt, 3, filter->state);
    db_bind_int(stmt, 4, filter->seen_before_ms);
    db_bind_int(stmt, 5, filter->team);
    db_bind_int(stmt, 6, PLAY_DB_LIST_MAX);
    return rows_read(stmt, arena, &sessions, ret_rows, ret_n, reterr);
}

static bool read_file(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_file_row *row = ret_item;
    size_t len = 0;
    const void *bytes = db_blob(stmt, 2, &len);

    char *copy = arena_alloc(arena, len + 1); /* bytes of any kind, a NUL behind them */

    if (copy && len)
        memcpy(copy, bytes, len);
    *row = (struct play_file_row){.what = rows_text(arena, stmt, 0),
                                  .name = rows_text(arena, stmt, 1),
                                  .bytes = copy,
                                  .len = len};
    return row->what && row->name && row->bytes;
}

int play_db_files(struct db_conn *conn,
                  int64_t id,
                  struct arena *arena,
                  struct play_file_row **ret_rows,
                  size_t *ret_n,
                  struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct play_file_row), read_file, PLAY_DB_E_LIMIT,
                                          WORDS};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT f.what, f.name, c.bytes FROM session_file f JOIN content c ON c.hash = f.hash"
              " WHERE f.session = ?1 ORDER BY f.n");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

static bool read_member(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_member_row *row = ret_item;

    *row = (struct play_member_row){rows_text(arena, stmt, 0), rows_text(arena, stmt, 1)};
    return row->person && row->role;
}

int play_db_members(struct db_conn *conn,
                    int64_t id,
                    struct arena *arena,
                    struct play_member_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct play_member_row), read_member,
                                          PLAY_DB_E_LIMIT, WORDS};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT person, role FROM session_member WHERE session = ?1 ORDER BY rowid");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

static bool read_act(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_act_row *row = ret_item;

    *row = (struct play_act_row){.n = db_int(stmt, 0),
                                 .at_ms = db_int(stmt, 1),
                                 .is_inject = db_int(stmt, 2) != 0,
                                 .who = rows_text(arena, stmt, 3),
                                 .kind = rows_text(arena, stmt, 4)};
    return row->who && row->kind && rows_text_or_null(arena, stmt, 5, &row->id) &&
           rows_text_or_null(arena, stmt, 6, &row->text);
}

int play_db_acts(struct db_conn *conn,
                 int64_t id,
                 struct arena *arena,
                 struct play_act_row **ret_rows,
                 size_t *ret_n,
                 struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct play_act_row), read_act, PLAY_DB_E_LIMIT,
                                          WORDS};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT n, at_ms, is_inject, who, kind, id, text FROM session_act"
              " WHERE session = ?1 ORDER BY n");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

static bool read_note(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_note_row *row = ret_item;

    *row = (struct play_note_row){.at_ms = db_int(stmt, 0),
                                  .made_ms = db_int(stmt, 1),
                                  .who = rows_text(arena, stmt, 2),
                                  .text = rows_text(arena, stmt, 3),
                                  .is_private = db_int(stmt, 4) != 0};
    return row->who && row->text;
}

int play_db_notes(struct db_conn *conn,
                  int64_t id,
                  struct arena *arena,
                  struct play_note_row **ret_rows,
                  size_t *ret_n,
                  struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct play_note_row), read_note, PLAY_DB_E_LIMIT,
                                          WORDS};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT at_ms, made_ms, who, text, is_private FROM session_note"
              " WHERE session = ?1 ORDER BY n");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

static bool read_change(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_change_row *row = ret_item;

    *row = (struct play_change_row){.at_ms = db_int(stmt, 0),
                                    .made_ms = db_int(stmt, 1),
                                    .who = rows_text(arena, stmt, 2),
                                    .what = rows_text(arena, stmt, 3),
                                    .words = rows_text(arena, stmt, 4)};
    return row->who && row->what && row->words;
}

int play_db_changes(struct db_conn *conn,
                    int64_t id,
                    struct arena *arena,
                    struct play_change_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct play_change_row), read_change,
                                          PLAY_DB_E_LIMIT, WORDS};
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT at_ms, made_ms, who, what, words FROM session_change"
                                      " WHERE session = ?1 ORDER BY n");

    db_bind_int(stmt, 1, id);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

int play_db_counts(struct db_conn *conn,
                   int64_t id,
                   struct play_counts *ret_counts,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT (SELECT count(*) FROM session_act WHERE session = ?1),"
              " (SELECT count(*) FROM session_change WHERE session = ?1),"
              " (SELECT count(*) FROM session_note WHERE session = ?1)");
    struct play_counts counts = {0};

    db_bind_int(stmt, 1, id);
    if (db_step(stmt))
        counts = (struct play_counts){db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2)};

    int r = db_done(stmt, reterr);

    if (r == 0)
        *ret_counts = counts;
    return r;
}

int play_db_busy(struct db_conn *conn,
                 const char *person,
                 int64_t *ret_running,
                 int64_t *ret_open,
                 struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT (SELECT count(*) FROM session WHERE state = 'running'),"
              " (SELECT count(*) FROM session WHERE state IN ('running', 'paused')"
              " AND player = ?1)");
    int64_t running = 0;
    int64_t open = 0;

    db_bind_text(stmt, 1, person);
    if (db_step(stmt)) {
        running = db_int(stmt, 0);
        open = db_int(stmt, 1);
    }

    int r = db_done(stmt, reterr);

    if (r == 0) {
        *ret_running = running;
        *ret_open = open;
    }
    return r;
}

static bool read_result(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_result_row *row = ret_item;

    *row = (struct play_result_row){.session = db_int(stmt, 0),
                                    .ended_ms = db_int(stmt, 1),
                                    .player = rows_text(arena, stmt, 2),
                                    .name = rows_text(arena, stmt, 3),
                                    .is_clock = db_int(stmt, 4) != 0,
                                    .never = db_is_null(stmt, 5),
                                    .value = db_int(stmt, 5)};
    return row->player && row->name;
}

static const struct rows_kind results = {sizeof(struct play_result_row), read_result,
                                         PLAY_DB_E_LIMIT, WORDS};

/* Only what ended has results. */
#define RESULT                                                       \
    "SELECT s.id, s.ended_ms, s.player, r.name, r.is_clock, r.value" \
    " FROM session s JOIN session_result r ON r.session = s.id "

int play_db_results(struct db_conn *conn,
                    const char *drill,
                    struct arena *arena,
                    struct play_result_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, RESULT
                                      "WHERE s.drill = ?1 ORDER BY s.ended_ms, s.id, r.name");

    db_bind_text(stmt, 1, drill);
    return rows_read(stmt, arena, &results, ret_rows, ret_n, reterr);
}

int play_db_scores(struct db_conn *conn,
                   const struct play_scores_of *of,
                   struct arena *arena,
                   struct play_result_row **ret_rows,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, RESULT "WHERE s.id BETWEEN ?1 AND ?2 AND (s.player = ?3 OR s.made_by = ?3)"
                     " ORDER BY s.id DESC, r.name");

    db_bind_int(stmt, 1, of->from_id);
    db_bind_int(stmt, 2, of->to_id);
    db_bind_text(stmt, 3, of->person);
    return rows_read(stmt, arena, &results, ret_rows, ret_n, reterr);
}

static bool read_best(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_best_row *row = ret_item;

    *row = (struct play_best_row){rows_text(arena, stmt, 0), rows_text(arena, stmt, 1),
                                  db_is_null(stmt, 2), db_int(stmt, 2)};
    return row->drill && row->clock;
}

int play_db_best(struct db_conn *conn,
                 const char *person,
                 struct arena *arena,
                 struct play_best_row **ret_rows,
                 size_t *ret_n,
                 struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct play_best_row), read_best, PLAY_DB_E_LIMIT,
                                          WORDS};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT s.drill, r.name, min(r.value)"
              " FROM session s JOIN session_result r ON r.session = s.id"
              " WHERE s.player = ?1 AND r.is_clock GROUP BY s.drill, r.name");

    db_bind_text(stmt, 1, person);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

static bool read_played(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct play_played_row *row = ret_item;

    *row = (struct play_played_row){rows_text(arena, stmt, 0), db_int(stmt, 1), db_int(stmt, 2),
                                    db_int(stmt, 3)};
    return row->drill != NULL;
}

int play_db_played(struct db_conn *conn,
                   const char *person,
                   struct arena *arena,
                   struct play_played_row **ret_rows,
                   size_t *ret_n,
                   struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct play_played_row), read_played,
                                          PLAY_DB_E_LIMIT, WORDS};
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT drill, count(*), max(ended_ms), id FROM session"
                                      " WHERE player = ?1 AND hash IS NOT NULL GROUP BY drill");

    db_bind_text(stmt, 1, person);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}
