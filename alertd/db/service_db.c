/*
 * Services as rows. See service_db.h.
 */

#include "alertd/db/service_db.h"

#include <inttypes.h>
#include <string.h>

#include "alertd/db/rows.h"

enum {
    ALERTS_MAX = 500,
};

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct service_row *row = ret_item;

    *row = (struct service_row){
        .id = db_int(stmt, 0),
        .name = rows_text(arena, stmt, 1),
        .spec = rows_text(arena, stmt, 2),
        .revision = db_int(stmt, 3),
        .updated_at_ms = db_int(stmt, 4),
        .updated_by = rows_text(arena, stmt, 5),
    };
    return row->name && row->spec && row->updated_by;
}

static const struct rows_kind kind = {sizeof(struct service_row), read_row, SERVICE_DB_E_LIMIT,
                                      "too many services to show at once"};

int service_db_list(struct db_conn *conn,
                    struct arena *arena,
                    struct service_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, name, spec, revision, updated_ms, updated_by FROM service ORDER BY name");

    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

int service_db_get(struct db_conn *conn,
                   const char *name,
                   struct arena *arena,
                   struct service_row *ret_row,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT id, name, spec, revision, updated_ms, updated_by FROM service WHERE name = ?1");
    struct service_row *rows = NULL;
    size_t n = 0;

    db_bind_text(stmt, 1, name);
    int r = rows_read(stmt, arena, &kind, &rows, &n, reterr);

    if (r)
        return r;
    if (n == 0)
        return err_set(reterr, SERVICE_DB_E_NOT_FOUND, "there is no service %.60s", name);
    *ret_row = rows[0];
    return 0;
}

/* --- whom an incident concerns --- */

static bool concerns(const struct service *service,
                     const struct incident *incident,
                     const struct incident_alert *alerts,
                     size_t n_alerts)
{
    if (service_concerns(service, incident->labels))
        return true;
    for (size_t i = 0; i < n_alerts; i++)
        if (service_concerns(service, alerts[i].labels))
            return true;
    return false;
}

int service_db_of_incident(struct db_conn *conn,
                           const struct incident *incident,
                           struct arena *arena,
                           struct service_row **ret_rows,
                           size_t *ret_n,
                           struct err *reterr)
{
    struct incident_alert *alerts = NULL;
    struct service_row *rows = NULL;
    size_t n_alerts = 0;
    size_t n_rows = 0;
    size_t n = 0;
    int r = service_db_list(conn, arena, &rows, &n_rows, reterr);

    if (r == 0 && n_rows)
        r = incident_db_alerts(conn, incident->id, ALERTS_MAX, arena, &alerts, &n_alerts, reterr);
    for (size_t i = 0; r == 0 && i < n_rows; i++) {
        struct json *spec = NULL;
        struct service service;

        if (json_parse(rows[i].spec, strlen(rows[i].spec), &spec, NULL) == 0 &&
            service_read(rows[i].name, spec, arena, &service, NULL) == 0 &&
            concerns(&service, incident, alerts, n_alerts))
            rows[n++] = rows[i];
        json_free(spec);
    }
    if (r == 0) {
        *ret_rows = rows;
        *ret_n = n;
    }
    return r;
}

/* --- jobs --- */

static int is_current(struct db_conn *conn,
                      const struct service_save *save,
                      int64_t *ret_revision,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT revision, updated_by, (SELECT count(*) FROM service) FROM service"
              " WHERE name = ?1");
    bool found;
    int r = 0;

    *ret_revision = 0;
    db_bind_text(stmt, 1, save->name);
    found = db_step(stmt);
    if (found)
        *ret_revision = db_int(stmt, 0);
    if (save->base_revision && save->base_revision != *ret_revision)
        r = err_set(reterr, SERVICE_DB_E_STALE,
                    found ? "%.60s saved revision %" PRId64 " meanwhile"
                          : "%.0sit was taken away meanwhile; revision %" PRId64,
                    db_text(stmt, 1), *ret_revision);
    int done = db_done(stmt, reterr);

    if (r == 0 && !found && !*save->spec)
        r = err_set(reterr, SERVICE_DB_E_NOT_FOUND, "there is no service %.60s", save->name);
    return done ? done : r;
}

static int count(struct db_conn *conn, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM service");
    int64_t n = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    return r || n < SERVICE_DB_MAX
               ? r
               : err_set(reterr, SERVICE_DB_E_MANY, "at most %d services", SERVICE_DB_MAX);
}

/* The newest revision that ever was of this name. */
static int last_revision(struct db_conn *conn,
                         const char *name,
                         int64_t *ret_revision,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT coalesce(max(revision), 0) FROM service_change WHERE name = ?1");

    db_bind_text(stmt, 1, name);
    *ret_revision = db_step(stmt) ? db_int(stmt, 0) : 0;
    return db_done(stmt, reterr);
}

static int put(struct db_conn *conn, const struct service_save *save, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO service (name, spec, revision, updated_ms, updated_by)"
              " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET spec = excluded.spec,"
              " revision = excluded.revision, updated_ms = excluded.updated_ms,"
              " updated_by = excluded.updated_by");

    db_bind_text(stmt, 1, save->name);
    db_bind_text(stmt, 2, save->spec);
    db_bind_int(stmt, 3, save->revision);
    db_bind_int(stmt, 4, save->now_ms);
    db_bind_text(stmt, 5, save->author);
    return db_run(stmt, reterr);
}

static int take_away(struct db_conn *conn, const char *name, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM service WHERE name = ?1");

    db_bind_text(stmt, 1, name);
    return db_run(stmt, reterr);
}

int service_db_save(struct db_conn *conn, struct service_save *save, struct err *reterr)
{
    int64_t current = 0;
    int r = is_current(conn, save, &current, reterr);

    if (r == 0 && !current)
        r = count(conn, reterr);
    if (r == 0)
        r = last_revision(conn, save->name, &save->revision, reterr);
    save->revision++;
    if (r == 0)
        r = *save->spec ? put(conn, save, reterr) : take_away(conn, save->name, reterr);
    if (r)
        return r;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO service_change (name, spec, revision, at_ms, author)"
              " VALUES (?1, ?2, ?3, ?4, ?5)");

    db_bind_text(stmt, 1, save->name);
    db_bind_text(stmt, 2, save->spec);
    db_bind_int(stmt, 3, save->revision);
    db_bind_int(stmt, 4, save->now_ms);
    db_bind_text(stmt, 5, save->author);
    return db_run(stmt, reterr);
}
