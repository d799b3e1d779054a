/*
 * A team's own tables for postmortems. See postmortem_table_db.h.
 */

#include "alertd/db/postmortem_table_db.h"

#include "alertd/db/rows.h"

enum {
    SCRATCH_BYTES_MAX = 1024 * 1024,
};

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct postmortem_table_row *row = ret_item;

    *row = (struct postmortem_table_row){
        .rows = rows_text(arena, stmt, 0),
        .revision = db_int(stmt, 1),
        .saved_ms = db_int(stmt, 2),
        .saved_by = rows_text(arena, stmt, 3),
    };
    return row->rows && row->saved_by;
}

static const struct rows_kind kind = {sizeof(struct postmortem_table_row), read_row,
                                      POSTMORTEM_TABLE_DB_E_LIMIT, "the table is too large"};

int postmortem_table_db_get(struct db_conn *conn,
                            const char *name,
                            int64_t revision,
                            struct arena *arena,
                            struct postmortem_table_row *ret_row,
                            struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT rows, revision, saved_ms, saved_by FROM postmortem_table WHERE name = ?1"
              " AND (?2 = 0 OR revision = ?2) ORDER BY revision DESC LIMIT 1");
    struct postmortem_table_row *rows = NULL;
    size_t n = 0;

    db_bind_text(stmt, 1, name);
    db_bind_int(stmt, 2, revision);
    int r = rows_read(stmt, arena, &kind, &rows, &n, reterr);

    if (r == 0)
        *ret_row = n ? rows[0] : (struct postmortem_table_row){.rows = "", .saved_by = ""};
    return r;
}

int postmortem_table_db_list(struct db_conn *conn,
                             const char *name,
                             struct arena *arena,
                             struct postmortem_table_row **ret_rows,
                             size_t *ret_n,
                             struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT substr(rows, 1, 1), revision, saved_ms, saved_by FROM postmortem_table"
              " WHERE name = ?1 ORDER BY revision DESC LIMIT 100");

    db_bind_text(stmt, 1, name);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

int postmortem_table_db_save(struct db_conn *conn,
                             const struct postmortem_table_save *save,
                             struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct postmortem_table_row newest;

    arena_init(&arena, SCRATCH_BYTES_MAX);
    int r = postmortem_table_db_get(conn, save->name, 0, &arena, &newest, reterr);

    if (r)
        return r;
    if (newest.revision != save->base_revision)
        return err_set(reterr, POSTMORTEM_TABLE_DB_E_STALE, "%s saved revision %lld meanwhile",
                       newest.revision ? newest.saved_by : "nobody", (long long)newest.revision);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO postmortem_table (name, rows, revision, saved_ms, saved_by)"
              " VALUES (?1, ?2, ?3, ?4, ?5)");

    db_bind_text(stmt, 1, save->name);
    db_bind_text(stmt, 2, save->rows);
    db_bind_int(stmt, 3, newest.revision + 1);
    db_bind_int(stmt, 4, save->now_ms);
    db_bind_text(stmt, 5, save->who);
    return db_run(stmt, reterr);
}
