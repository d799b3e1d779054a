#pragma once

/*
 * What the files of alertd/db share among themselves: the two structs behind db.h
 * and the translation of SQLite's result codes into ours.
 */

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "alertd/db/db.h"
#include "alertd/db/folds.h"
#include "alertd/db/memo.h"

struct db_stmt {
    struct db_stmt *next; /* in its connection */
    struct db_conn *conn;
    sqlite3_stmt *stmt; /* NULL when it could not be prepared */
    const char *sql;    /* compared by pointer */
    bool busy;          /* between db_prepare() and db_done() */
    int rc;             /* the first thing that went wrong since db_prepare() */
    char words[160];    /* and SQLite's words for it */
};

enum {
    DB_STMT_BUCKETS = 64
};

struct db_conn {
    struct db_conn *next; /* among the idle readers */
    sqlite3 *handle;
    struct db_stmt *stmts[DB_STMT_BUCKETS]; /* prepared once, by address of the text */
    struct db *db;
};

/* A job and who waits for it. */
struct db_request {
    struct db_request *next;
    db_job *job;
    void *arg;
    int64_t asked_us;
    int result;
    struct err err;
    bool done;
    pthread_cond_t wake;
};

struct db {
    char *path;
    struct db_options options; /* path and migrations are the caller's: not used after open */
    struct db_conn writer;

    /* the queue: any thread -> writer thread */
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the writer waits for work here */
    struct db_request *first, *last;
    uint64_t queue_depth;
    struct db_bell *bells;
    int64_t oldest_us; /* when the oldest job of the group under way was asked for; 0: none is */
    bool stopping;
    pthread_t thread;

    /* the writer's own: */
    void (*undone)(void *arg, uint64_t since); /* NULL: nobody asks */
    void *undone_arg;
    uint64_t job_number; /* of the one that runs */
    struct db_memo memo;
    uint64_t rung;       /* names of bells that the group's jobs rang, and nobody was told yet */
    int wal_pages;       /* in the log since the last complete checkpoint */
    bool shortens_log;   /* db_shorten_log() asked for it */
    int broken;          /* errno of a failed sync: nothing is acknowledged any more */
    char *reserve;       /* path of the reserve file, NULL when there is none */
    bool reserve_is_set; /* it holds its bytes */

    struct db_stats stats; /* under lock */

    pthread_mutex_t readers_lock;
    struct db_conn *idle_readers;
    unsigned n_idle_readers;

    struct folds folds; /* long timelines, as readers saw them last */
};

/* The result for a SQLite code: 0, negative errno or DB_E_*. */
int db_result(int rc);
/* The same with words "what: SQLite's words" from the connection. */
int db_fail(sqlite3 *handle, int rc, const char *what, struct err *reterr);

/* Opens one connection with the pragmas all of ours have. */
int db_conn_open(
    struct db_conn *conn, struct db *db, const char *path, int flags, struct err *reterr);
/* Finalises the statements and closes. */
void db_conn_close(struct db_conn *conn);
/* A statement without rows or bindings that is not worth keeping. */
int db_conn_exec(struct db_conn *conn, const char *sql, struct err *reterr);
/* One integer of a PRAGMA or a scalar query. */
int db_conn_int(struct db_conn *conn, const char *sql, int64_t *ret_value, struct err *reterr);

/* migrate.c: brings an open writer connection to the schema of the options. */
int db_migrate(struct db_conn *conn, const struct db_options *options, struct err *reterr);
/* backup.c: a compact copy of the snapshot the connection sees, synced to disk. */
int db_copy(struct db_conn *conn, const char *path, struct err *reterr);

/* writer.c */
int db_writer_start(struct db *db, struct err *reterr);
void db_writer_stop(struct db *db);

/* --- bell.c: called with the lock --- */

/* The jobs that wait at bells, as far as their time has come or one of the names was rung, behind
 * those of the group. */
void db_bells_answer(
    struct db *db, uint64_t rung, struct db_request **group, size_t *n, size_t n_max);
/* When a bell's job has to run by itself; INT64_MAX: none has. */
int64_t db_bells_next_us(const struct db *db);

/* --- page_sum.c: checksums in the pages --- */

/* The name of the layer every connection opens its file through; NULL: SQLite has none. */
const char *page_sum_layer(void);
/* The connection syncs each of its commits: what it appends to its log may be gathered until then. */
void page_sum_gather(sqlite3 *handle);
/* A file that is empty yet gets checksums; others stay as they are. An SQLite result. */
int page_sum_begin(sqlite3 *handle);
/* Around what makes SQLite write a copy of the connection's file: it gets checksums as that. */
void page_sum_copying(sqlite3 *handle, bool is_copying);
