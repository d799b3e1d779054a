/*
 * Connections: opened with the pragmas all of ours have, and SQLite's result codes
 * as the program's.
 *
 * Every connection: extended result codes, defensive (no writing of the schema by
 * SQL), no trusted schema (a doctored file cannot call functions through views or
 * triggers), no automatic checkpoint. Readers are query_only besides.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/private.h"
#include "lib/base/mem.h"
#include "lib/model/labels.h"

int db_result(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return 0;
    case SQLITE_FULL: return DB_E_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return DB_E_CORRUPT;
    case SQLITE_CONSTRAINT: return DB_E_CONSTRAINT;
    case SQLITE_NOMEM: return -ENOMEM;
    case SQLITE_READONLY:
    case SQLITE_PERM: return -EROFS;
    case SQLITE_CANTOPEN: return -ENOENT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_TOOBIG: return -EFBIG;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE: return -EINVAL;
    default: return -EIO;
    }
}

int db_fail(sqlite3 *handle, int rc, const char *what, struct err *reterr)
{
    return err_set(reterr, db_result(rc), "%s: %s", what,
                   handle ? sqlite3_errmsg(handle) : sqlite3_errstr(rc));
}

int db_conn_exec(struct db_conn *conn, const char *sql, struct err *reterr)
{
    int rc = sqlite3_exec(conn->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : db_fail(conn->handle, rc, conn->db->path, reterr);
}

int db_conn_int(struct db_conn *conn, const char *sql, int64_t *ret_value, struct err *reterr)
{
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(conn->handle, sql, -1, &stmt, NULL);

    if (rc != SQLITE_OK)
        return db_fail(conn->handle, rc, conn->db->path, reterr);
    rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW) {
        int r = err_set(reterr, rc == SQLITE_DONE ? DB_E_CORRUPT : db_result(rc),
                        "%s: no answer to %s: %s", conn->db->path, sql,
                        sqlite3_errmsg(conn->handle));
        (void)sqlite3_finalize(stmt);
        return r;
    }
    *ret_value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return 0;
}

/* text_hash(text), for migrations: labels_hash_text() as a number. */
static void text_hash(sqlite3_context *context, int n, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]);

    sqlite3_result_int64(context, (int64_t)labels_hash_text(0, text ? text : ""));
}

int db_conn_open(
    struct db_conn *conn, struct db *db, const char *path, int flags, struct err *reterr)
{
    bool reads = (flags & SQLITE_OPEN_READONLY) != 0;

    *conn = (struct db_conn){.db = db};
    int rc = sqlite3_open_v2(path, &conn->handle, flags | SQLITE_OPEN_NOMUTEX, page_sum_layer());
    if (rc != SQLITE_OK) {
        int r = db_fail(conn->handle, rc, path, reterr);
        db_conn_close(conn);
        return r;
    }
    (void)sqlite3_extended_result_codes(conn->handle, 1);
    (void)sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_busy_timeout(conn->handle, 1000); /* only a checkpoint meets readers */
    int r = db_conn_exec(conn, "PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=ON;", reterr);
    if (r == 0 && reads)
        r = db_conn_exec(conn, "PRAGMA query_only=ON;", reterr);
    if (r == 0 && reads && db->options.bulk) /* days are read through once, and there are many */
        r = db_conn_exec(conn, "PRAGMA cache_size=-256", reterr);
    if (r == 0 && !reads)
        (void)sqlite3_create_function(conn->handle, "text_hash", 1,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                      text_hash, NULL, NULL);
    if (r != 0)
        db_conn_close(conn);
    return r;
}

void db_conn_close(struct db_conn *conn)
{
    for (size_t i = 0; i < DB_STMT_BUCKETS; i++)
        for (struct db_stmt *stmt = conn->stmts[i], *next; stmt; stmt = next) {
            next = stmt->next;
            (void)sqlite3_finalize(stmt->stmt);
            free(stmt);
        }
    (void)sqlite3_close(conn->handle);
    *conn = (struct db_conn){0};
}
