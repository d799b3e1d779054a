/*
 * Incidents that people open: one that no alert saw, or one of the past. See
 * incident_db_record.h.
 */

#include <string.h>

#include "alertd/db/incident_db_record.h"
#include "alertd/db/rows.h"
#include "lib/base/clock.h"

static int next_number(struct db_conn *conn, int year, int64_t *ret_number, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT coalesce(max(number), 0) + 1 FROM incident WHERE year = ?1");

    *ret_number = 1;
    db_bind_int(stmt, 1, year);
    if (db_step(stmt))
        *ret_number = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

static int find_id(struct db_conn *conn, const char *key, int64_t *ret_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id FROM incident WHERE key = ?1");

    *ret_id = 0;
    db_bind_text(stmt, 1, key);
    if (db_step(stmt))
        *ret_id = db_int(stmt, 0);
    int r = db_done(stmt, reterr);

    return r || *ret_id
               ? r
               : err_set(reterr, INCIDENT_DB_E_NOT_FOUND, "there is no incident %.40s", key);
}

static int insert(struct db_conn *conn,
                  const struct incident_declaration *declaration,
                  int64_t number,
                  const char *key,
                  struct err *reterr)
{
    STR_AUTO struct str group_key = STR_INIT(ROWS_KEY_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO incident (key, year, number, group_key, labels, title, severity, status,"
              " opened_ms, resolved_ms, resolved_by, n_alerts, n_firing, began_ms, origin)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, ?9, ?12)");

    str_addf(&group_key, "declared:%s", key);
    db_bind_text(stmt, 1, key);
    db_bind_int(stmt, 2, clock_split_utc(declaration->opened_at_ms).year);
    db_bind_int(stmt, 3, number);
    db_bind_text(stmt, 4, str_text(&group_key));
    db_bind_text(stmt, 5, declaration->labels);
    db_bind_text(stmt, 6, declaration->title);
    db_bind_text(stmt, 7, declaration->severity);
    db_bind_text(stmt, 8, declaration->resolved_at_ms ? "resolved" : "triggered");
    db_bind_int(stmt, 9, declaration->opened_at_ms);
    rows_bind_time(stmt, 10, declaration->resolved_at_ms);
    db_bind_text(stmt, 11, declaration->resolved_at_ms ? declaration->actor : NULL);
    db_bind_text(stmt, 12, declaration->origin);
    return db_run(stmt, reterr);
}

int incident_db_declare(struct db_conn *conn,
                        const struct incident_declaration *declaration,
                        char *ret_key,
                        struct err *reterr)
{
    STR_AUTO struct str key = STR_INIT(INCIDENT_DB_KEY_MAX - 1);
    int64_t number = 0;
    int r = next_number(conn, clock_split_utc(declaration->opened_at_ms).year, &number, reterr);

    if (r)
        return r;
    incident_key(declaration->opened_at_ms, number, &key);
    r = insert(conn, declaration, number, str_text(&key), reterr);
    if (r)
        return r;

    const struct timeline_event event = {
        .kind = "incident.declared",
        .event_class = "human",
        .source = "api",
        .actor = declaration->actor,
        .text = declaration->title,
        .occurred_at_ms = declaration->opened_at_ms,
    };

    if (strcmp(declaration->origin, "import") != 0) /* what is brought tells its own beginning */
        r = event_db_append(conn, db_last_id(conn), &event, declaration->now_ms, NULL, reterr);
    if (r == 0 && declaration->recurrence_of)
        r = incident_db_set_recurrence(conn, str_text(&key), declaration->recurrence_of, reterr);
    if (r == 0)
        memcpy(ret_key, str_text(&key), key.len + 1);
    return r;
}

int incident_db_set_end(struct db_conn *conn,
                        const char *key,
                        int64_t resolved_at_ms,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE incident SET resolved_ms = ?2 WHERE key = ?1 AND origin = 'import'");

    db_bind_text(stmt, 1, key);
    db_bind_int(stmt, 2, resolved_at_ms);
    return db_run(stmt, reterr);
}

int incident_db_set_recurrence(struct db_conn *conn,
                               const char *key,
                               const char *of_key,
                               struct err *reterr)
{
    struct db_stmt *stmt;
    int64_t of_id = 0;
    int64_t id = 0;
    int r = find_id(conn, key, &id, reterr);

    if (r == 0 && *of_key)
        r = find_id(conn, of_key, &of_id, reterr);
    if (r == 0 && of_id == id)
        r = err_set(reterr, INCIDENT_DB_E_REFUSED, "%s cannot be a recurrence of itself", key);
    if (r)
        return r;
    stmt = db_prepare(conn, "UPDATE incident SET recurrence_of = ?2 WHERE id = ?1");
    db_bind_int(stmt, 1, id);
    if (of_id)
        db_bind_int(stmt, 2, of_id);
    else
        db_bind_null(stmt, 2);
    return db_run(stmt, reterr);
}
