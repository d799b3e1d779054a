/*
 * Sessions of drills: what is done to them. See play_db.h.
 */

#include "alertd/db/play_db.h"

#include "alertd/db/rows.h"

/* --- a new one --- */

static int add_content(struct db_conn *conn, const struct play_new_file *file, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT OR IGNORE INTO content VALUES (?1, ?2)");

    db_bind_text(stmt, 1, file->hash);
    db_bind_blob(stmt, 2, file->len ? file->bytes : "", file->len);
    return db_run(stmt, reterr);
}

static int add_files(struct db_conn *conn, const struct play_new *add, struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < add->n_files; i++) {
        r = add_content(conn, &add->files[i], reterr);
        if (r)
            break;

        struct db_stmt *stmt = db_prepare(conn,
                                          "INSERT INTO session_file VALUES (?1, ?2, ?3, ?4, ?5)");

        db_bind_int(stmt, 1, add->id);
        db_bind_int(stmt, 2, (int64_t)i);
        db_bind_text(stmt, 3, add->files[i].what);
        db_bind_text(stmt, 4, add->files[i].name);
        db_bind_text(stmt, 5, add->files[i].hash);
        r = db_run(stmt, reterr);
    }
    return r;
}

static int add_members(struct db_conn *conn, const struct play_new *add, struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < add->n_members; i++) {
        struct db_stmt *stmt = db_prepare(
            conn, "INSERT OR IGNORE INTO session_member VALUES (?1, ?2, ?3)");

        db_bind_int(stmt, 1, add->id);
        db_bind_text(stmt, 2, add->members[i].person);
        db_bind_text(stmt, 3, add->members[i].role);
        r = db_run(stmt, reterr);
    }
    return r;
}

static int set_team(struct db_conn *conn, int64_t id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE session SET team = id WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    return db_run(stmt, reterr);
}

int play_db_add(struct db_conn *conn, struct play_new *add, struct err *reterr)
{
    const struct play_row *row = add->row;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO session (drill, title, mode, team, player, seed, speed, state, at_ms,"
              " length_ms, stops_for_pages, page_me, made_by, made_ms, seen_ms, slow_to, rules)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14, ?15,"
              " ?16)");

    db_bind_text(stmt, 1, row->drill);
    db_bind_text(stmt, 2, row->title);
    db_bind_text(stmt, 3, row->mode);
    rows_bind_time(stmt, 4, row->team);
    db_bind_text(stmt, 5, row->player);
    db_bind_text(stmt, 6, row->seed);
    db_bind_int(stmt, 7, row->speed);
    db_bind_text(stmt, 8, row->state);
    db_bind_int(stmt, 9, row->at_ms);
    db_bind_int(stmt, 10, row->length_ms);
    db_bind_int(stmt, 11, row->stops_for_pages);
    db_bind_int(stmt, 12, row->page_me);
    db_bind_text(stmt, 13, row->made_by);
    db_bind_int(stmt, 14, row->made_ms);
    db_bind_int(stmt, 15, row->slow_to);
    db_bind_text(stmt, 16, row->has_rules_of_now ? "now" : "then");

    int r = db_run(stmt, reterr);

    if (r)
        return r;
    add->id = db_last_id(conn);
    r = add->begins_team ? set_team(conn, add->id, reterr) : 0;
    if (r == 0)
        r = add_files(conn, add, reterr);
    return r ? r : add_members(conn, add, reterr);
}

/* --- acts and notes --- */

static int find_act(struct db_conn *conn, struct play_add_act *add, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT n, at_ms FROM session_act WHERE session = ?1 AND who = ?2 AND key = ?3");

    db_bind_int(stmt, 1, add->session);
    db_bind_text(stmt, 2, add->act.who);
    db_bind_text(stmt, 3, add->key);
    add->was_there = db_step(stmt);
    if (add->was_there) {
        add->act.n = db_int(stmt, 0);
        add->act.at_ms = db_int(stmt, 1);
    }
    return db_done(stmt, reterr);
}

static int count_acts(struct db_conn *conn, int64_t session, int64_t *ret_n, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM session_act WHERE session = ?1");
    int64_t n = 0;

    db_bind_int(stmt, 1, session);
    if (db_step(stmt))
        n = db_int(stmt, 0);

    int r = db_done(stmt, reterr);

    if (r == 0)
        *ret_n = n;
    return r;
}

int play_db_add_act(struct db_conn *conn, struct play_add_act *add, struct err *reterr)
{
    int64_t n = 0;
    int r = find_act(conn, add, reterr);

    if (r || add->was_there)
        return r;
    r = count_acts(conn, add->session, &n, reterr);
    if (r == 0 && n >= PLAY_DB_ACTS_MAX)
        r = err_set(reterr, PLAY_DB_E_LIMIT, "more than %d acts in one drill", PLAY_DB_ACTS_MAX);
    if (r)
        return r;
    add->act.n = n + 1;

    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO session_act VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");

    db_bind_int(stmt, 1, add->session);
    db_bind_int(stmt, 2, add->act.n);
    db_bind_int(stmt, 3, add->act.at_ms);
    db_bind_int(stmt, 4, add->made_ms);
    db_bind_text(stmt, 5, add->act.who);
    db_bind_int(stmt, 6, add->act.is_inject);
    db_bind_text(stmt, 7, add->act.kind);
    db_bind_text(stmt, 8, add->act.id);
    db_bind_text(stmt, 9, add->act.text);
    db_bind_text(stmt, 10, add->key);
    return db_run(stmt, reterr);
}

int play_db_add_note(struct db_conn *conn, struct play_add_note *add, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO session_note SELECT ?1, count(*) + 1, ?2, ?3, ?4, ?5, ?7"
              " FROM session_note WHERE session = ?1 HAVING count(*) < ?6");

    db_bind_int(stmt, 1, add->session);
    db_bind_int(stmt, 2, add->note.at_ms);
    db_bind_int(stmt, 3, add->note.made_ms);
    db_bind_text(stmt, 4, add->note.who);
    db_bind_text(stmt, 5, add->note.text);
    db_bind_int(stmt, 6, PLAY_DB_NOTES_MAX);
    db_bind_int(stmt, 7, add->note.is_private);

    int r = db_run(stmt, reterr);

    if (r == 0 && db_changes(conn) == 0)
        r = err_set(reterr, PLAY_DB_E_LIMIT, "more than %d notes in one drill", PLAY_DB_NOTES_MAX);
    return r;
}

int play_db_share_notes(struct db_conn *conn, int64_t session, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE session_note SET is_private = 0 WHERE session = ?1 AND is_private");

    db_bind_int(stmt, 1, session);
    return db_run(stmt, reterr);
}

/* --- the session itself --- */

static int update_session(struct db_conn *conn,
                          const struct play_change *change,
                          struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE session SET state = ?2, speed = ?3, at_ms = ?4, error = ?5 WHERE id = ?1");

    db_bind_int(stmt, 1, change->session);
    db_bind_text(stmt, 2, change->state);
    db_bind_int(stmt, 3, change->speed);
    db_bind_int(stmt, 4, change->change.at_ms);
    db_bind_text(stmt, 5, change->error);
    return db_run(stmt, reterr);
}

int play_db_change(struct db_conn *conn, struct play_change *change, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO session_change SELECT ?1, count(*) + 1, ?2, ?3, ?4, ?5, ?6"
              " FROM session_change WHERE session = ?1");

    db_bind_int(stmt, 1, change->session);
    db_bind_int(stmt, 2, change->change.at_ms);
    db_bind_int(stmt, 3, change->change.made_ms);
    db_bind_text(stmt, 4, change->change.who);
    db_bind_text(stmt, 5, change->change.what);
    db_bind_text(stmt, 6, change->change.words);

    int r = db_run(stmt, reterr);

    return r ? r : update_session(conn, change, reterr);
}

int play_db_set(struct db_conn *conn, struct play_set *set, struct err *reterr)
{
    int r = play_db_change(conn, &set->change, reterr);

    if (r)
        return r;

    struct db_stmt *stmt = db_prepare(conn, "UPDATE session SET slow_to = ?2, stops_for_pages = ?3,"
                                            " page_me = ?4 WHERE id = ?1");

    db_bind_int(stmt, 1, set->change.session);
    db_bind_int(stmt, 2, set->slow_to);
    db_bind_int(stmt, 3, set->stops_for_pages);
    db_bind_int(stmt, 4, set->page_me);
    return db_run(stmt, reterr);
}

int play_db_save_times(struct db_conn *conn, struct play_times *times, struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < times->n; i++) {
        struct db_stmt *stmt = db_prepare(
            conn, "UPDATE session SET at_ms = max(at_ms, ?2), seen_ms = max(seen_ms, ?3)"
                  " WHERE id = ?1");

        db_bind_int(stmt, 1, times->at[i].session);
        db_bind_int(stmt, 2, times->at[i].at_ms);
        db_bind_int(stmt, 3, times->at[i].seen_ms);
        r = db_run(stmt, reterr);
    }
    return r;
}

static int add_result(struct db_conn *conn,
                      int64_t session,
                      const struct play_result *result,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT OR REPLACE INTO session_result VALUES (?1, ?2, ?3, ?4)");

    db_bind_int(stmt, 1, session);
    db_bind_text(stmt, 2, result->name);
    db_bind_int(stmt, 3, result->is_clock);
    if (result->never)
        db_bind_null(stmt, 4);
    else
        db_bind_int(stmt, 4, result->value);
    return db_run(stmt, reterr);
}

int play_db_end(struct db_conn *conn, struct play_end *end, struct err *reterr)
{
    int r = play_db_change(conn, &end->change, reterr);

    if (r == 0) {
        struct db_stmt *stmt = db_prepare(
            conn, "UPDATE session SET ended_ms = ?2, hash = ?3 WHERE id = ?1");

        db_bind_int(stmt, 1, end->change.session);
        db_bind_int(stmt, 2, end->change.change.made_ms);
        db_bind_text(stmt, 3, end->hash);
        r = db_run(stmt, reterr);
    }
    for (size_t i = 0; r == 0 && i < end->n_results; i++)
        r = add_result(conn, end->change.session, &end->results[i], reterr);
    return r;
}

int play_db_pause_all(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO session_change SELECT s.id, (SELECT count(*) + 1 FROM session_change c"
              " WHERE c.session = s.id), s.at_ms, ?1, '', 'paused',"
              " 'Watchbill was started again: the clock stands where it stood'"
              " FROM session s WHERE s.state = 'running'");

    db_bind_int(stmt, 1, now_ms);

    int r = db_run(stmt, reterr);

    /* an act is on disk before its time is saved: the clock is never behind one */
    return r ? r
             : db_run(db_prepare(conn, "UPDATE session SET state = 'paused', at_ms = max(at_ms,"
                                       " coalesce((SELECT max(a.at_ms) FROM session_act a"
                                       " WHERE a.session = session.id), at_ms))"
                                       " WHERE state = 'running'"),
                      reterr);
}
