/*
 * Opening, closing, reading, and the lock on the folder. See db.h.
 *
 * Order of opening: one writable connection, WAL, the owner's checks, migrations, then
 * the writer thread. Order of closing: readers first, so that the writer's connection is
 * the last and its close checkpoints and removes the log.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "alertd/db/private.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum {
    IDLE_READERS_MAX = 8
};

static int quick_check(struct db_conn *conn, const struct db_options *options, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "PRAGMA quick_check(1)");
    char words[200] = "";

    if (db_step(stmt))
        (void)snprintf(words, sizeof(words), "%s", db_text(stmt, 0));
    int r = db_done(stmt, reterr);
    if (r == 0 && strcmp(words, "ok") != 0)
        r = err_set(reterr, DB_E_CORRUPT, "%s is damaged (%s): restore it from a backup",
                    options->path, words);
    return r;
}

/* Said again of a file that is so already, it is a page written and synced. */
static int give_pages_back(struct db_conn *conn, struct err *reterr)
{
    enum {
        INCREMENTAL = 2
    };
    struct db_stmt *stmt = db_prepare(conn, "PRAGMA auto_vacuum");
    bool is_so = db_step(stmt) && db_int(stmt, 0) == INCREMENTAL;

    int r = db_done(stmt, reterr);
    return r == 0 && !is_so ? db_conn_exec(conn, "PRAGMA auto_vacuum=INCREMENTAL", reterr) : r;
}

static int prepare_file(struct db_conn *conn, const struct db_options *options, struct err *reterr)
{
    /* Both only take effect on an empty file, before the first page is written. */
    int rc = options->bulk ? page_sum_begin(conn->handle) : SQLITE_OK;
    if (rc != SQLITE_OK)
        return db_fail(conn->handle, rc, options->path, reterr);
    int r = options->bulk ? give_pages_back(conn, reterr) : 0;
    if (r == 0)
        r = db_conn_exec(conn,
                         "PRAGMA journal_mode=WAL;"
                         "PRAGMA journal_size_limit=67108864;",
                         reterr);
    if (r == 0)
        r = db_conn_exec(
            conn, options->sync_normal ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
            reterr);
    if (r == 0 && options->bulk)
        r = db_conn_exec(conn, "PRAGMA secure_delete=OFF", reterr);
    else if (r == 0) /* 16 MB, when there is so much: indexes of alerts are hit all over */
        r = db_conn_exec(conn, "PRAGMA cache_size=-16384", reterr);
    if (r == 0 && options->check)
        r = quick_check(conn, options, reterr);
    if (r == 0)
        r = db_migrate(conn, options, reterr);
    return r;
}

int db_open(const struct db_options *options, struct db **ret_db, struct err *reterr)
{
    struct db *db = mem_zalloc(sizeof(*db));

    db->path = mem_strdup(options->path);
    db->options = *options;
    int r = db_conn_open(&db->writer, db, db->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                         reterr);
    if (r != 0)
        goto fail;
    r = prepare_file(&db->writer, options, reterr);
    if (r == -EBUSY)
        r = err_set(reterr, DB_E_LOCKED, "%s is in use by another program", options->path);
    if (r != 0)
        goto fail_conn;
    if (options->reserve_bytes > 0) {
        struct str reserve = STR_INIT(4096);

        str_addf(&reserve, "%s-reserve", options->path);
        db->reserve = str_take(&reserve);
    }
    if (!options->sync_normal)
        page_sum_gather(db->writer.handle);
    (void)pthread_mutex_init(&db->readers_lock, NULL);
    folds_init(&db->folds);
    r = db_writer_start(db, reterr);
    if (r != 0)
        goto fail_lock;
    *ret_db = db;
    return 0;

fail_lock:
    folds_done(&db->folds);
    (void)pthread_mutex_destroy(&db->readers_lock);
fail_conn:
    db_conn_close(&db->writer);
fail:
    free(db->reserve);
    free(db->path);
    free(db);
    return r;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_writer_stop(db);
    for (struct db_conn *conn = db->idle_readers, *next; conn; conn = next) {
        next = conn->next;
        db_conn_close(conn);
        free(conn);
    }
    folds_done(&db->folds);
    (void)pthread_mutex_destroy(&db->readers_lock);
    db_conn_close(&db->writer); /* the last one: checkpoints and removes the log */
    free(db->reserve);
    free(db->path);
    free(db);
}

int db_read_begin(struct db *db, struct db_conn **ret_conn, struct err *reterr)
{
    (void)pthread_mutex_lock(&db->readers_lock);
    struct db_conn *conn = db->idle_readers;
    if (conn) {
        db->idle_readers = conn->next;
        db->n_idle_readers--;
    }
    (void)pthread_mutex_unlock(&db->readers_lock);

    int r = 0;
    if (!conn) {
        conn = mem_zalloc(sizeof(*conn));
        r = db_conn_open(conn, db, db->path, SQLITE_OPEN_READONLY, reterr);
        if (r != 0) {
            free(conn);
            return r;
        }
    }
    r = db_run(db_prepare(conn, "BEGIN"), reterr);
    if (r == 0) /* the first read, not BEGIN, takes the snapshot */
        r = db_run(db_prepare(conn, "SELECT 1 FROM sqlite_schema LIMIT 1"), reterr);
    if (r != 0) {
        db_conn_close(conn);
        free(conn);
        return r;
    }
    *ret_conn = conn;
    return 0;
}

void db_read_end(struct db *db, struct db_conn *conn)
{
    bool keep = db_run(db_prepare(conn, "COMMIT"), NULL) == 0;

    (void)pthread_mutex_lock(&db->readers_lock);
    keep = keep && db->n_idle_readers < IDLE_READERS_MAX;
    if (keep) {
        conn->next = db->idle_readers;
        db->idle_readers = conn;
        db->n_idle_readers++;
    }
    (void)pthread_mutex_unlock(&db->readers_lock);
    if (!keep) {
        db_conn_close(conn);
        free(conn);
    }
}

/* The descriptor is meant to leak: the kernel drops the lock with the process, whatever
 * way it ends. */
int db_lock_folder(const char *folder, struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(4096);
    char pid[32] = "";

    str_addf(&path, "%s/lock", folder);
    int fd = open(str_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(reterr, -errno, "cannot open %s: %s", str_text(&path),
                       strerrordesc_np(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int r = errno == EWOULDBLOCK ? DB_E_LOCKED : -errno;
        ssize_t len = pread(fd, pid, sizeof(pid) - 1, 0);

        pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
        (void)close(fd);
        return err_set(reterr, r, "%s is in use by process %s", folder, pid[0] ? pid : "(unknown)");
    }
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) != len) {
        int r = err_set(reterr, -errno, "cannot write %s: %s", str_text(&path),
                        strerrordesc_np(errno));
        (void)close(fd);
        return r;
    }
    return 0;
}
