#pragma once

/*
 * SQLite's one home: a database file with ONE connection that does every commit and
 * every checkpoint, on one thread, and any number of read-only connections.
 * (Debian's 3.40.1 corrupts the log when a second connection commits during a
 * checkpoint; and one writer never meets "database is locked".)
 *
 *   any thread --db_write(job)--> queue --writer thread--> BEGIN; job; job; job; COMMIT (fsync)
 *                    ^                                                          |
 *                    +--------- each caller wakes with its own result ----------+
 *
 * Group commit: all jobs waiting when a transaction starts share it and its fsync. A
 * job that fails is rolled back alone (savepoint); when the COMMIT fails all fail.
 * So 0 from db_write() means durable: synchronous=FULL, WAL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum {
    DB_E_CORRUPT = 1, /* not a database, or damaged: words say */
    DB_E_LOCKED = 2,  /* another process holds the folder (db_lock_folder) */
    DB_E_FULL = 3,    /* no space left; nothing of the job was stored */
    DB_E_CONSTRAINT = 4,
    DB_E_NEWER = 5, /* of a schema that is not known here; nothing is wrong with it */
};

struct db;
struct db_conn; /* one connection: the writer's inside a job, or a reader's */
struct db_stmt;

/* Each is applied once, in order of its number, and recorded in the table
 * schema_migration(version, name, applied_at): a number that arrives late (two
 * branches, before a release) is still applied. A file that records a number we
 * do not know was made by a newer program and is refused. */
struct db_migration {
    int version; /* ascending */
    const char *name;
    const char *sql;
};

struct db_options {
    const char *path;
    bool sync_normal; /* synchronous=NORMAL: loses the tail on power cut; off by default */
    uint32_t application_id;
    const struct db_migration *migrations;
    size_t n_migrations;
    int64_t max_wait_ms; /* longest a job waits for others to share its commit; 0 = none */
    bool check;          /* PRAGMA quick_check at open: for small files that must be right */
    /* Sample partitions: deleted pages are not overwritten with zeros, and no copy is kept
     * before a migration. */
    bool bulk;
    /* Bytes set aside in path + "-reserve" and given back when the disk is nearly full, so
     * that the last acknowledgement, silence or page still commits. 0: none. */
    int64_t reserve_bytes;
};

/* The migrations of state.db, made from alertd/db/migrations/NNNN_name.sql. */
extern const struct db_migration db_state_migrations[];
extern const size_t db_n_state_migrations;

enum {
    DB_STATE_APPLICATION_ID = 0x57425354, /* "WBST" */
};

/* Opens or makes the file, migrates it in one transaction each (a copy of the file is
 * kept beside it before the first, unless it is bulk), starts the writer thread. */
int db_open(const struct db_options *options, struct db **ret_db, struct err *reterr);
/* Of a file that is not open: how many commits in its log cannot be read any more, since
 * something before them is damaged. */
size_t db_log_lost(const char *path, size_t page_bytes);
/* Drains the queue, checkpoints, closes. NULL is fine. */
void db_close(struct db *db);

/* Runs job(conn, arg) on the writer thread inside the group's transaction and waits
 * until it is committed and synced. The job's own non-zero result rolls back what it
 * did and is returned as it is. Jobs must be quick and must not call db_write(). */
typedef int db_job(struct db_conn *conn, void *arg, struct err *reterr);
int db_write(struct db *db, db_job *job, void *arg, struct err *reterr);

/* --- bells: who waits for rows takes them in the transaction that makes them --- */

/* A thread that waits for what other jobs store hangs up a bell, under names of its choice (bits).
 * A job that stores something for it rings one of them; the job that waits at the bell then runs behind
 * all others of that group, and both are committed at once: one sync instead of two in a row. A
 * bell that rings while nobody waits at it is remembered until somebody does. */
struct db_bell {
    uint64_t names; /* set before it is hung up */
    /* the writer's, under its lock: */
    struct db_bell *next;
    struct db_request *waits; /* NULL: nobody */
    int64_t until_us;
    bool joins;
    bool has_rung;
};

void db_bell_hang(struct db *db, struct db_bell *bell);
/* Nobody may wait at it. */
void db_bell_take_down(struct db *db, struct db_bell *bell);
/* As db_write(), but the job runs when the bell rings or until_us (monotonic) has come, and when
 * it `joins`, with whatever else is committed before. One thread may wait at a bell. */
int db_write_at(struct db *db,
                struct db_bell *bell,
                int64_t until_us,
                bool joins,
                db_job *job,
                void *arg,
                struct err *reterr);
/* In a job. What is rung for a job that fails is a false alarm. */
void db_ring(struct db_conn *conn, uint64_t names);
/* Outside of jobs; from any thread. */
void db_ring_outside(struct db *db, uint64_t names);

/* Calls undone(arg, since) on the writer thread whenever something that jobs did is taken back: a
 * job that failed, or a commit that did; it is all that jobs of number `since` and later did. For
 * who keeps a copy of rows in memory. One for each database; set before its first job. */
void db_on_undo(struct db *db, void (*undone)(void *arg, uint64_t since), void *arg);
/* In a job of a file that is not written to any more: once it is committed the log is copied and
 * becomes empty, and does not lie beside the file as long as it was. If a reader still needs it,
 * behind the next commit. */
void db_shorten_log(struct db_conn *conn);
/* In a job: its number; they only rise. */
uint64_t db_job_number(const struct db_conn *conn);

/* A read-only connection from the pool, with a consistent snapshot until released. */
int db_read_begin(struct db *db, struct db_conn **ret_conn, struct err *reterr);
void db_read_end(struct db *db, struct db_conn *conn);

/* A consistent copy of the whole database into `path` (must not exist), while running. */
int db_backup(struct db *db, const char *path, struct err *reterr);

struct db_stats {
    uint64_t commits, jobs, failed_jobs;
    uint64_t commit_us_total, commit_us_max; /* since the last reading of the max */
    uint64_t wal_bytes, file_bytes;
    uint64_t queue_depth;
    /* A sync failed: what is on disk is unknown, nothing is acknowledged any more, and
     * only a restart (which reads the log back) helps. The program should end. */
    bool broken;
};
void db_stats(struct db *db, struct db_stats *ret_stats);
/* How long the oldest job waits, the time of its commit included; 0: none does. */
int64_t db_lag_us(struct db *db);

/* flock on folder/lock, held until the process ends; DB_E_LOCKED names the pid. */
int db_lock_folder(const char *folder, struct err *reterr);

/* --- statements: prepared once per connection and SQL text (compared by pointer, so
 * use string literals), bound by position from 1, reset by db_done(). --- */

/* Never fails at once: an error is kept and returned by the first step. */
struct db_stmt *db_prepare(struct db_conn *conn, const char *sql_literal);
/* The same for what is stored often, of values that are all ours: names of an enum, literals. The
 * schema's CHECKs are left out of it: for a list of names they build an index at each row. */
struct db_stmt *db_prepare_own(struct db_conn *conn, const char *sql_literal);
void db_bind_int(struct db_stmt *stmt, int index, int64_t value);
void db_bind_float(struct db_stmt *stmt, int index, double value);
void db_bind_text(struct db_stmt *stmt, int index, const char *text); /* NULL binds NULL; copied */
void db_bind_blob(struct db_stmt *stmt, int index, const void *bytes, size_t len); /* copied */
void db_bind_null(struct db_stmt *stmt, int index);

/* true while there is a row. At false, db_done() tells whether it was the end or an error. */
bool db_step(struct db_stmt *stmt);
int64_t db_int(struct db_stmt *stmt, int column);
double db_float(struct db_stmt *stmt, int column);
const char *db_text(struct db_stmt *stmt, int column); /* "" for NULL; a loan until next step */
bool db_is_null(struct db_stmt *stmt, int column);
const void *db_blob(struct db_stmt *stmt, int column, size_t *ret_len);

/* Ends the use of a statement: 0, or what went wrong since db_prepare(). */
int db_done(struct db_stmt *stmt, struct err *reterr);
/* For statements without rows: step to the end and done. */
int db_run(struct db_stmt *stmt, struct err *reterr);

int64_t db_last_id(struct db_conn *conn);
int64_t db_changes(struct db_conn *conn);
