/*
 * A consistent copy of a database while it is used.
 *
 * VACUUM INTO on a connection of its own: it reads one snapshot, so the writer goes
 * on committing meanwhile, and the copy is compact. It is then synced and read through
 * once (quick_check), because a backup nobody read is a hope.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "alertd/db/private.h"
#include "lib/base/str.h"

static int sync_path(const char *path, struct err *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(reterr, -errno, "cannot open the copy %s", path);
    int r = fsync(fd) < 0 ? err_set(reterr, -errno, "cannot sync the copy %s", path) : 0;
    (void)close(fd);
    return r;
}

static int check_copy(struct db *db, const char *path, struct err *reterr)
{
    struct db_conn conn;

    int r = db_conn_open(&conn, db, path, SQLITE_OPEN_READONLY, reterr);
    if (r != 0)
        return r;
    struct db_stmt *stmt = db_prepare(&conn, "PRAGMA quick_check(1)");
    char why[200] = "";
    bool fine = false;

    if (db_step(stmt)) {
        (void)snprintf(why, sizeof(why), "%s", db_text(stmt, 0));
        fine = sqlite3_stricmp(why, "ok") == 0;
    }
    r = db_done(stmt, reterr);
    if (r == 0 && !fine)
        r = err_set(reterr, DB_E_CORRUPT, "the copy %s is damaged: is the disk sound? (%s)", path,
                    why);
    db_conn_close(&conn);
    return r;
}

int db_copy(struct db_conn *conn, const char *path, struct err *reterr)
{
    if (access(path, F_OK) == 0)
        return err_set(reterr, -EEXIST, "%s exists: name a path that does not", path);

    int64_t version; /* whether it has checksums is known when its head has been read */
    int r = db_conn_int(conn, "PRAGMA schema_version", &version, reterr);
    if (r != 0)
        return r;
    struct db_stmt *stmt = db_prepare(conn, "VACUUM INTO ?");
    db_bind_text(stmt, 1, path);
    page_sum_copying(conn->handle, true);
    r = db_run(stmt, reterr);
    page_sum_copying(conn->handle, false);
    if (r == 0)
        r = sync_path(path, reterr);
    if (r == 0)
        r = check_copy(conn->db, path, reterr);
    if (r != 0)
        (void)unlink(path);
    return r;
}

int db_backup(struct db *db, const char *path, struct err *reterr)
{
    struct db_conn conn;

    /* Read-only, but not query_only: VACUUM INTO writes, though not here. */
    int r = db_conn_open(&conn, db, db->path, SQLITE_OPEN_READONLY, reterr);
    if (r != 0)
        return r;
    r = db_conn_exec(&conn, "PRAGMA query_only=OFF", reterr);
    if (r == 0)
        r = db_copy(&conn, path, reterr);
    db_conn_close(&conn);
    return r;
}
