/*
 * Services as rows. See service_db.h.
 */

#include "alertd/db/service_db.h"

#include <inttypes.h>
#include <string.h>

#include "alertd/db/rows.h"

enum {
    ALERTS_MAX = 500,
    CATALOGUE_BYTES_MAX = 64 * 1024 * 1024,
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

/* --- which incidents of a time concern which --- */

struct catalogue {
    struct service *services;
    bool *is_hit; /* by the incident that is read */
    size_t n;
};

static int read_catalogue(struct db_conn *conn,
                          struct arena *arena,
                          struct catalogue *catalogue,
                          struct err *reterr)
{
    struct service_row *rows = NULL;
    size_t n_rows = 0;
    int r = service_db_list(conn, arena, &rows, &n_rows, reterr);

    if (r)
        return r;
    catalogue->services = arena_array(arena, n_rows + 1, sizeof(*catalogue->services));
    catalogue->is_hit = arena_array(arena, n_rows + 1, sizeof(*catalogue->is_hit));
    if (!catalogue->services || !catalogue->is_hit)
        return err_set(reterr, SERVICE_DB_E_LIMIT, "%s", kind.words);
    for (size_t i = 0; i < n_rows; i++) {
        struct service *service = &catalogue->services[catalogue->n];
        struct json *spec = NULL;

        catalogue->n += json_parse(rows[i].spec, strlen(rows[i].spec), &spec, NULL) == 0 &&
                        service_read(rows[i].name, spec, arena, service, NULL) == 0;
        json_free(spec); /* names and labels are the arena's */
    }
    return 0;
}

static void hit(struct catalogue *catalogue, const char *labels_text)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, ROWS_LABELS_BYTES_MAX);
    const struct labels *labels = rows_labels(&arena, labels_text);

    for (size_t i = 0; labels && i < catalogue->n; i++)
        catalogue->is_hit[i] |= service_concerns(&catalogue->services[i], labels);
}

/* And nothing is hit any more. */
static void tell_hits(struct catalogue *catalogue,
                      int64_t opened_ms,
                      void (*visit)(void *arg, const char *service, int64_t opened_ms),
                      void *arg)
{
    bool any = false;

    for (size_t i = 0; i < catalogue->n; i++) {
        if (catalogue->is_hit[i])
            visit(arg, catalogue->services[i].name, opened_ms);
        any |= catalogue->is_hit[i];
        catalogue->is_hit[i] = false;
    }
    if (!any)
        visit(arg, "", opened_ms);
}

int service_db_incidents(struct db_conn *conn,
                         int64_t from_ms,
                         int64_t to_ms,
                         void (*visit)(void *arg, const char *service, int64_t opened_ms),
                         void *arg,
                         struct err *reterr)
{
    struct catalogue catalogue = {0};
    ARENA_AUTO struct arena arena;
    int64_t last_id = 0;
    int64_t opened_ms = 0;

    arena_init(&arena, CATALOGUE_BYTES_MAX);
    int r = read_catalogue(conn, &arena, &catalogue, reterr);

    if (r)
        return r;
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT i.id, i.opened_ms, i.labels, a.labels FROM incident i"
        " LEFT JOIN incident_alert a ON a.incident_id = i.id"
        " WHERE i.opened_ms >= ?1 AND i.opened_ms < ?2 AND i.origin <> 'drill' ORDER BY i.id");

    db_bind_int(stmt, 1, from_ms);
    db_bind_int(stmt, 2, to_ms);
    while (db_step(stmt)) {
        if (last_id && db_int(stmt, 0) != last_id)
            tell_hits(&catalogue, opened_ms, visit, arg);
        if (db_int(stmt, 0) != last_id)
            hit(&catalogue, db_text(stmt, 2));
        last_id = db_int(stmt, 0);
        opened_ms = db_int(stmt, 1);
        hit(&catalogue, db_text(stmt, 3));
    }
    if (last_id)
        tell_hits(&catalogue, opened_ms, visit, arg);
    return db_done(stmt, reterr);
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
