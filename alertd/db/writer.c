/*
 * The one thread that writes: it takes all jobs that wait, runs each in a savepoint
 * of one transaction, commits once, and only then wakes them.
 *
 *     wait ─> take the queue ─> BEGIN ─> SAVEPOINT job RELEASE ─> ... ─> COMMIT (fsync)
 *       ^                          bells ─┘ └ failed: ROLLBACK TO            │
 *       └───── checkpoint when the log is long ─── wake everyone <──────────┘
 *
 * Invariants
 *  (1) Nobody else commits or checkpoints: Debian's SQLite (3.40.1) can corrupt the log
 *      when a second connection commits during a checkpoint.
 *  (2) A job's result is told after the commit, so 0 means durable.
 *  (3) When SQLite gave up the whole transaction (full disk, I/O error), every job that
 *      was in it fails, not only the one that met the error.
 *  (4) After a failed sync nothing is acknowledged any more: the kernel may have dropped
 *      the pages and says so only once (the PostgreSQL lesson of 2018). A restart reads
 *      the log back and goes on from what is really there.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alertd/db/private.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    GROUP_MAX = 1024,              /* jobs in one transaction */
    BELLS_MAX = 256,               /* and behind them, of those who waited at bells */
    CHECKPOINT_PAGES = 1000,       /* 4 MB of log */
    RESERVE_FREE_MIN = 512 * 1024, /* below this the reserve is given back */
};

int db_write(struct db *db, db_job *job, void *arg, struct err *reterr)
{
    struct db_request request = {.job = job, .arg = arg, .asked_us = clock_mono_us()};

    (void)pthread_cond_init(&request.wake, NULL);
    (void)pthread_mutex_lock(&db->lock);
    if (db->stopping) {
        (void)pthread_mutex_unlock(&db->lock);
        (void)pthread_cond_destroy(&request.wake);
        return err_set(reterr, -ESHUTDOWN, "%s is being closed", db->path);
    }
    if (db->last)
        db->last->next = &request;
    else
        db->first = &request;
    db->last = &request;
    db->queue_depth++;
    (void)pthread_cond_signal(&db->wake);
    while (!request.done)
        (void)pthread_cond_wait(&request.wake, &db->lock);
    (void)pthread_mutex_unlock(&db->lock);
    (void)pthread_cond_destroy(&request.wake);

    if (request.result != 0 && reterr)
        *reterr = request.err;
    return request.result;
}

/* --- the reserve: bytes for the last commits on a full disk --- */

static void reserve_keep(struct db *db)
{
    unsigned long long free_bytes;

    if (!db->reserve || fs_free_bytes(db->path, &free_bytes) < 0)
        return;
    if (db->reserve_is_set && free_bytes < RESERVE_FREE_MIN) {
        (void)unlink(db->reserve);
        db->reserve_is_set = false;
    } else if (!db->reserve_is_set &&
               free_bytes > 4 * (unsigned long long)db->options.reserve_bytes) {
        int fd = open(db->reserve, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0)
            return;
        db->reserve_is_set = posix_fallocate(fd, 0, db->options.reserve_bytes) == 0;
        (void)close(fd);
    }
}

/* --- one group --- */

static void fail_group(struct db_request *const *group, size_t n, int result, const struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (group[i]->result == 0) {
            group[i]->result = result;
            group[i]->err = *err;
        }
}

void db_on_undo(struct db *db, void (*undone)(void *arg, uint64_t since), void *arg)
{
    db->undone = undone;
    db->undone_arg = arg;
}

uint64_t db_job_number(const struct db_conn *conn)
{
    return conn->db->job_number;
}

struct db_memo *db_memo(struct db_conn *conn)
{
    return &conn->db->memo;
}

static void tell_undone(struct db *db, uint64_t since)
{
    db->memo.has_event = false;
    if (db->undone)
        db->undone(db->undone_arg, since);
}

/* Runs one job in its savepoint. False: the whole transaction is gone. */
static bool run_job(struct db *db, struct db_request *request)
{
    struct db_conn *conn = &db->writer;

    db->job_number++;
    request->result = db_run(db_prepare(conn, "SAVEPOINT job"), &request->err);
    if (request->result == 0)
        request->result = request->job(conn, request->arg, &request->err);
    if (sqlite3_get_autocommit(conn->handle))
        return false;
    if (request->result != 0) {
        (void)db_conn_exec(conn, "ROLLBACK TO job", NULL);
        tell_undone(db, db->job_number);
    }
    return db_run(db_prepare(conn, "RELEASE job"), NULL) == 0;
}

/* A sync that failed, as against a disk that is full: invariant 4. */
static void note_broken(struct db *db)
{
    int rc = sqlite3_extended_errcode(db->writer.handle);

    if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
        db->broken = EIO;
}

/* Who waits at the bells that were rung, behind the group. */
static void answer_bells(struct db *db, struct db_request **group, size_t *n)
{
    (void)pthread_mutex_lock(&db->lock);
    db_bells_answer(db, db->rung, group, n, GROUP_MAX + BELLS_MAX);
    (void)pthread_mutex_unlock(&db->lock);
    db->rung = 0;
}

static int run_jobs(struct db *db, struct db_request **group, size_t *n, struct err *reterr)
{
    size_t i = 0;

    do {
        for (; i < *n; i++)
            if (!run_job(db, group[i])) {
                *reterr = group[i]->err;
                return group[i]->result ? group[i]->result : -EIO;
            }
        answer_bells(db, group, n);
    } while (i < *n);
    return 0;
}

/* *n: with those who were called by a bell. */
static void run_group(struct db *db, struct db_request **group, size_t *n)
{
    struct db_conn *conn = &db->writer;
    struct err err = {0};
    uint64_t first = db->job_number + 1;

    if (db->broken) {
        (void)err_set(&err, -EIO, "%s: a sync failed; nothing is stored until a restart", db->path);
        fail_group(group, *n, -EIO, &err);
        return;
    }
    int r = db_run(db_prepare(conn, "BEGIN IMMEDIATE"), &err);
    if (r == 0)
        r = run_jobs(db, group, n, &err);
    if (r == 0)
        r = db_run(db_prepare(conn, "COMMIT"), &err);
    if (r != 0) {
        note_broken(db);
        (void)db_conn_exec(conn, "ROLLBACK", NULL);
        tell_undone(db, first);
        fail_group(group, *n, r, &err);
    }
}

static void count_group(struct db *db, struct db_request *const *group, size_t n, uint64_t us)
{
    db->stats.commits++;
    db->stats.jobs += n;
    db->stats.commit_us_total += us;
    if (us > db->stats.commit_us_max)
        db->stats.commit_us_max = us;
    for (size_t i = 0; i < n; i++)
        db->stats.failed_jobs += group[i]->result != 0;
    db->stats.wal_bytes = (uint64_t)db->wal_pages * 4096;
    db->stats.broken = db->broken != 0;
}

/* --- checkpoints --- */

static int on_wal(void *arg, sqlite3 *handle, const char *name, int n_pages)
{
    struct db *db = arg;

    db->wal_pages = n_pages;
    return SQLITE_OK;
}

void db_shorten_log(struct db_conn *conn)
{
    conn->db->shortens_log = true;
}

/* PASSIVE waits for nobody. What a reader still needs stays in the log until a later
 * one; once all of it is copied SQLite writes the log from its beginning again. TRUNCATE waits a
 * second for readers. */
static void checkpoint_if_long(struct db *db)
{
    int mode = db->shortens_log ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int n_log = 0;
    int n_done = 0;

    if ((db->wal_pages < CHECKPOINT_PAGES && !db->shortens_log) || db->broken)
        return;
    int rc = sqlite3_wal_checkpoint_v2(db->writer.handle, NULL, mode, &n_log, &n_done);
    if (rc == SQLITE_OK && n_log == n_done) {
        db->wal_pages = 0;
        db->shortens_log = false;
    } else if (rc != SQLITE_OK) {
        note_broken(
            db); /* a full disk or a reader is not: it is tried again behind the next commit */
    }
}

/* --- the thread --- */

static int wait_until(struct db *db, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

    return pthread_cond_timedwait(&db->wake, &db->lock, &until);
}

/* Waits for jobs or the time of a bell, and a little longer for company when asked to. Called
 * with the lock. */
static void wait_for_jobs(struct db *db)
{
    while (!db->first && !db->stopping) {
        int64_t next_us = db_bells_next_us(db);

        if (next_us == INT64_MAX)
            (void)pthread_cond_wait(&db->wake, &db->lock);
        else if (next_us <= clock_mono_us())
            break;
        else
            (void)wait_until(db, next_us);
    }
    if (db->options.max_wait_ms <= 0 || db->stopping)
        return;
    int64_t until_us = clock_mono_us() + db->options.max_wait_ms * 1000;
    while (!db->stopping && db->queue_depth < GROUP_MAX && wait_until(db, until_us) == 0)
        continue;
}

static size_t take_group(struct db *db, struct db_request **group)
{
    size_t n = 0;

    while (db->first && n < GROUP_MAX) {
        group[n++] = db->first;
        db->first = db->first->next;
    }
    if (!db->first)
        db->last = NULL;
    db->queue_depth -= n;
    return n;
}

/* By its file, as far as a thread's name goes: for top and debuggers. */
static void name_thread(const struct db *db)
{
    const char *slash = strrchr(db->path, '/');
    char name[16];

    (void)snprintf(name, sizeof(name), "%s", slash ? slash + 1 : db->path);
    (void)pthread_setname_np(pthread_self(), name);
}

static void *writer_main(void *arg)
{
    struct db *db = arg;
    struct db_request **group = mem_alloc((GROUP_MAX + BELLS_MAX) * sizeof(struct db_request *));

    name_thread(db);
    (void)pthread_mutex_lock(&db->lock);
    for (;;) {
        wait_for_jobs(db);
        size_t n = take_group(db, group);
        if (n == 0)
            db_bells_answer(db, 0, group, &n, GROUP_MAX);
        if (n == 0 && db->stopping)
            break; /* drained */
        if (n == 0)
            continue;
        db->oldest_us = group[0]->asked_us;
        (void)pthread_mutex_unlock(&db->lock);

        reserve_keep(db);
        int64_t start_us = clock_mono_us();
        run_group(db, group, &n);
        uint64_t us = (uint64_t)(clock_mono_us() - start_us);

        (void)pthread_mutex_lock(&db->lock);
        count_group(db, group, n, us);
        db->oldest_us = 0;
        for (size_t i = n; i-- > 0;) { /* who was called by a bell has more to do: first */
            group[i]->done = true;
            (void)pthread_cond_signal(&group[i]->wake);
        }
        (void)pthread_mutex_unlock(&db->lock);
        checkpoint_if_long(db);
        (void)pthread_mutex_lock(&db->lock);
        db->stats.wal_bytes = (uint64_t)db->wal_pages * 4096;
    }
    (void)pthread_mutex_unlock(&db->lock);
    free(group);
    return NULL;
}

int db_writer_start(struct db *db, struct err *reterr)
{
    pthread_condattr_t monotonic;

    (void)pthread_mutex_init(&db->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&db->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)sqlite3_wal_hook(db->writer.handle, on_wal, db);
    reserve_keep(db);
    int r = pthread_create(&db->thread, NULL, writer_main, db);
    if (r != 0) {
        (void)pthread_cond_destroy(&db->wake);
        (void)pthread_mutex_destroy(&db->lock);
        return err_set(reterr, -r, "%s: cannot start the writer: %s", db->path, strerrordesc_np(r));
    }
    return 0;
}

void db_writer_stop(struct db *db)
{
    (void)pthread_mutex_lock(&db->lock);
    db->stopping = true;
    (void)pthread_cond_signal(&db->wake);
    (void)pthread_mutex_unlock(&db->lock);
    (void)pthread_join(db->thread, NULL);
    (void)pthread_cond_destroy(&db->wake);
    (void)pthread_mutex_destroy(&db->lock);
}

void db_stats(struct db *db, struct db_stats *ret_stats)
{
    struct stat info;

    (void)pthread_mutex_lock(&db->lock);
    *ret_stats = db->stats;
    ret_stats->queue_depth = db->queue_depth;
    db->stats.commit_us_max = 0;
    (void)pthread_mutex_unlock(&db->lock);
    if (stat(db->path, &info) == 0)
        ret_stats->file_bytes = (uint64_t)info.st_size;
}

int64_t db_lag_us(struct db *db)
{
    (void)pthread_mutex_lock(&db->lock);
    int64_t oldest_us = db->oldest_us;
    if (!oldest_us && db->first)
        oldest_us = db->first->asked_us;
    (void)pthread_mutex_unlock(&db->lock);
    return oldest_us ? clock_mono_us() - oldest_us : 0;
}
