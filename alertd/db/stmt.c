/*
 * Statements: prepared once per connection, found again by the address of their
 * text, and their errors kept until db_done() so that code reads as a straight line:
 *
 *     struct db_stmt *stmt = db_prepare(conn, "SELECT id FROM agent WHERE name = ?");
 *     db_bind_text(stmt, 1, name);
 *     while (db_step(stmt))
 *         ...
 *     return db_done(stmt, reterr);
 *
 * A statement in use is never handed out twice: a second user of the same text gets
 * an instance of its own.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/private.h"
#include "lib/base/mem.h"

static void note(struct db_stmt *stmt, int rc)
{
    if (rc == SQLITE_OK || stmt->rc != SQLITE_OK)
        return;
    stmt->rc = rc;
    (void)snprintf(stmt->words, sizeof(stmt->words), "%s", sqlite3_errmsg(stmt->conn->handle));
}

/* One that is in nobody's use, compiled already or not. */
static struct db_stmt *find(struct db_conn *conn, const char *sql_literal)
{
    struct db_stmt **bucket = &conn->stmts[((uintptr_t)sql_literal >> 3) % DB_STMT_BUCKETS];
    struct db_stmt *stmt;

    for (stmt = *bucket; stmt; stmt = stmt->next)
        if (stmt->sql == sql_literal && !stmt->busy)
            break;
    if (!stmt) {
        stmt = mem_zalloc(sizeof(*stmt));
        stmt->sql = sql_literal;
        stmt->conn = conn;
        stmt->next = *bucket;
        *bucket = stmt;
    }
    stmt->busy = true;
    stmt->rc = SQLITE_OK;
    return stmt;
}

static void compile(struct db_stmt *stmt)
{
    note(stmt, sqlite3_prepare_v3(stmt->conn->handle, stmt->sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &stmt->stmt, NULL));
}

struct db_stmt *db_prepare(struct db_conn *conn, const char *sql_literal)
{
    struct db_stmt *stmt = find(conn, sql_literal);

    if (!stmt->stmt)
        compile(stmt);
    return stmt;
}

struct db_stmt *db_prepare_own(struct db_conn *conn, const char *sql_literal)
{
    struct db_stmt *stmt = find(conn, sql_literal);

    if (stmt->stmt)
        return stmt;
    (void)sqlite3_exec(conn->handle, "PRAGMA ignore_check_constraints=ON", NULL, NULL, NULL);
    compile(stmt);
    (void)sqlite3_exec(conn->handle, "PRAGMA ignore_check_constraints=OFF", NULL, NULL, NULL);
    return stmt;
}

void db_bind_int(struct db_stmt *stmt, int index, int64_t value)
{
    if (stmt->stmt)
        note(stmt, sqlite3_bind_int64(stmt->stmt, index, value));
}

void db_bind_float(struct db_stmt *stmt, int index, double value)
{
    if (stmt->stmt)
        note(stmt, sqlite3_bind_double(stmt->stmt, index, value));
}

void db_bind_text(struct db_stmt *stmt, int index, const char *text)
{
    if (stmt->stmt)
        note(stmt, sqlite3_bind_text(stmt->stmt, index, text, -1, SQLITE_TRANSIENT));
}

void db_bind_blob(struct db_stmt *stmt, int index, const void *bytes, size_t len)
{
    if (stmt->stmt)
        note(stmt, sqlite3_bind_blob64(stmt->stmt, index, len ? bytes : "", len, SQLITE_TRANSIENT));
}

void db_bind_null(struct db_stmt *stmt, int index)
{
    if (stmt->stmt)
        note(stmt, sqlite3_bind_null(stmt->stmt, index));
}

bool db_step(struct db_stmt *stmt)
{
    if (stmt->rc != SQLITE_OK || !stmt->stmt)
        return false;
    int rc = sqlite3_step(stmt->stmt);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        note(stmt, rc);
    return false;
}

int64_t db_int(struct db_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt->stmt, column);
}

double db_float(struct db_stmt *stmt, int column)
{
    return sqlite3_column_double(stmt->stmt, column);
}

const char *db_text(struct db_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt->stmt, column);

    return text ? (const char *)text : "";
}

bool db_is_null(struct db_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt->stmt, column) == SQLITE_NULL;
}

const void *db_blob(struct db_stmt *stmt, int column, size_t *ret_len)
{
    const void *bytes = sqlite3_column_blob(stmt->stmt, column);

    *ret_len = (size_t)sqlite3_column_bytes(stmt->stmt, column);
    return bytes ? bytes : "";
}

int db_done(struct db_stmt *stmt, struct err *reterr)
{
    int rc = stmt->rc;

    if (stmt->stmt) {
        (void)sqlite3_reset(stmt->stmt); /* its error is the one noted already */
        (void)sqlite3_clear_bindings(stmt->stmt);
    }
    stmt->busy = false;
    if (rc == SQLITE_OK)
        return 0;
    return err_set(reterr, db_result(rc), "%s: %s", stmt->conn->db->path, stmt->words);
}

int db_run(struct db_stmt *stmt, struct err *reterr)
{
    while (db_step(stmt))
        continue;
    return db_done(stmt, reterr);
}

int64_t db_last_id(struct db_conn *conn)
{
    return sqlite3_last_insert_rowid(conn->handle);
}

int64_t db_changes(struct db_conn *conn)
{
    return sqlite3_changes64(conn->handle);
}
