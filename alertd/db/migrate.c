/*
 * The schema, brought forward one numbered step at a time.
 *
 *   file's schema_migration: 1 3        known to us: 1 2 3 4
 *                     -> copy of the file beside it (path.before-2)
 *                     -> BEGIN; 2; record; COMMIT     BEGIN; 4; record; COMMIT
 *
 * Invariants
 *  (1) A step and its record commit together: an interrupted one leaves the old schema.
 *  (2) A number the file has and we do not know means a newer program: refused, since an
 *      older one would write rows the newer one misreads.
 *      Nothing is copied of a bulk file: a year of days would need their room twice.
 *  (3) user_version is the highest number applied; application_id says whose file it is.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alertd/db/private.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

static bool is_known(const struct db_options *options, int64_t version)
{
    for (size_t i = 0; i < options->n_migrations; i++)
        if (options->migrations[i].version == version)
            return true;
    return false;
}

/* Whose file is it? An empty one becomes ours. */
static int check_owner(struct db_conn *conn,
                       const struct db_options *options,
                       bool *ret_is_empty,
                       struct err *reterr)
{
    int64_t id = 0;
    int64_t n_tables = 0;

    int r = db_conn_int(conn, "PRAGMA application_id", &id, reterr);
    if (r == 0)
        r = db_conn_int(conn, "SELECT count(*) FROM sqlite_schema", &n_tables, reterr);
    if (r != 0)
        return r;
    if (n_tables > 0 && (uint32_t)id != options->application_id)
        return err_set(reterr, DB_E_CORRUPT,
                       "%s: another program's database (application id %08x, not %08x): "
                       "move it away or name another folder",
                       options->path, (unsigned)id, options->application_id);
    *ret_is_empty = n_tables == 0;
    return 0;
}

static int check_newer(struct db_conn *conn, const struct db_options *options, struct err *reterr)
{
    int64_t unknown = 0;
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT version FROM schema_migration ORDER BY version");

    while (db_step(stmt))
        if (!is_known(options, db_int(stmt, 0)))
            unknown = db_int(stmt, 0);
    int r = db_done(stmt, reterr);
    if (r == 0 && unknown)
        return err_set(reterr, DB_E_NEWER,
                       "%s: made by a newer version (schema %lld is not known here): "
                       "run that version, or restore a backup made by this one",
                       options->path, (long long)unknown);
    return r;
}

static int is_applied(struct db_conn *conn, int version, bool *ret_applied, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT 1 FROM schema_migration WHERE version = ?");

    db_bind_int(stmt, 1, version);
    bool applied = db_step(stmt);
    int r = db_done(stmt, reterr);
    if (r == 0)
        *ret_applied = applied;
    return r;
}

static int apply(struct db_conn *conn, const struct db_migration *step, struct err *reterr)
{
    char version[64];
    struct db_stmt *stmt;

    int r = db_conn_exec(conn, "BEGIN IMMEDIATE", reterr);
    if (r != 0)
        return r;
    r = db_conn_exec(conn, step->sql, reterr);
    if (r == 0) {
        stmt = db_prepare(conn, "INSERT INTO schema_migration VALUES (?, ?, ?)");
        db_bind_int(stmt, 1, step->version);
        db_bind_text(stmt, 2, step->name);
        db_bind_int(stmt, 3, clock_wall_ms());
        r = db_run(stmt, reterr);
    }
    if (r == 0) {
        /* A pragma takes no bindings; the number is ours. */
        (void)snprintf(version, sizeof(version), "PRAGMA user_version = %d", step->version);
        r = db_conn_exec(conn, version, reterr);
    }
    if (r == 0)
        r = db_conn_exec(conn, "COMMIT", reterr);
    if (r != 0) {
        (void)db_conn_exec(conn, "ROLLBACK", NULL);
        return err_prefix(reterr, r, "migration %d (%s)", step->version, step->name);
    }
    return 0;
}

static int copy_aside(struct db_conn *conn,
                      const struct db_options *options,
                      int version,
                      struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(4096);

    str_addf(&path, "%s.before-%d", options->path, version);
    (void)unlink(str_text(&path)); /* of a try that was interrupted: the same schema */
    return db_copy(conn, str_text(&path), reterr);
}

/* The mark and the first table in one transaction: a kill between the two would leave a
 * file that looks like another program's. */
static int claim_file(struct db_conn *conn, const struct db_options *options, struct err *reterr)
{
    char id[64];

    (void)snprintf(id, sizeof(id), "PRAGMA application_id = %u", options->application_id);
    int r = db_conn_exec(conn, "BEGIN IMMEDIATE", reterr);
    if (r != 0)
        return r;
    r = db_conn_exec(conn, id, reterr);
    if (r == 0)
        r = db_conn_exec(conn,
                         "CREATE TABLE schema_migration ("
                         " version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                         " applied_at INTEGER NOT NULL) STRICT",
                         reterr);
    if (r == 0)
        r = db_conn_exec(conn, "COMMIT", reterr);
    if (r != 0)
        (void)db_conn_exec(conn, "ROLLBACK", NULL);
    return r;
}

int db_migrate(struct db_conn *conn, const struct db_options *options, struct err *reterr)
{
    int64_t n_applied = 0;
    bool is_empty = false;
    bool copied = false;

    int r = check_owner(conn, options, &is_empty, reterr);
    if (r == 0 && is_empty) /* of one that is ours it would be a page written and synced */
        r = claim_file(conn, options, reterr);
    if (r == 0)
        r = check_newer(conn, options, reterr);
    if (r == 0)
        r = db_conn_int(conn, "SELECT count(*) FROM schema_migration", &n_applied, reterr);
    for (size_t i = 0; i < options->n_migrations && r == 0; i++) {
        const struct db_migration *step = &options->migrations[i];
        bool applied = false;

        r = is_applied(conn, step->version, &applied, reterr);
        if (r != 0 || applied)
            continue;
        if (n_applied > 0 && !copied && !options->bulk) {
            r = copy_aside(conn, options, step->version, reterr);
            copied = true;
        }
        if (r == 0)
            r = apply(conn, step, reterr);
    }
    return r;
}
