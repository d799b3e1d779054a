#pragma once

/*
 * The store's inside: who may touch what.
 *
 *     pushers ──queue──> the store's thread ──db_write──> partitions' writers
 *                          │ changes index, segments, partitions: with the lock held to write
 *     selects ─────────────┘ read them: with the lock held to read; then the files, without it
 *
 * Invariants
 *  (1) Only the store's thread changes the index, the segments and the partitions' fields,
 *      so it reads them without the lock and takes it only to change them.
 *  (2) A sample becomes visible (in a segment) after its commit and before its pusher is
 *      answered.
 *  (3) A select reads memory first and files second: sealing goes the same way, so nothing
 *      falls between; what is seen twice is the same sample.
 *  (4) Nobody holds the lock for more than a slice: a select lets it go every few hundred
 *      series, the thread when it shows, forgets or cools. A partition that a select holds
 *      (n_uses) stays warm and listed; a series that is swept away stays readable as long as
 *      the texts it came with (index.h). A batch is shown in one go, up to SHOW_SAMPLES.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "alertd/store/churn.h"
#include "alertd/store/index.h"
#include "alertd/store/partition.h"
#include "alertd/store/store.h"

struct request;
struct staged;
struct touch;

/* A damaged file that was set aside. */
struct quarantine {
    int64_t day_ms;
    char *words; /* for warnings */
};

/* Who pushed what last: below it a batch may be a replay and is looked up. */
struct pusher {
    char agent[72];
    uint64_t epoch, max_sequence;
};

/* The sealing under way, a slice at a time between appends: samples become chunks, then the
 * journal's rows go, then room is given back. */
enum sealing_phase {
    SEALING_CHUNKS,
    SEALING_DROP,
    SEALING_SHRINK,
    SEALING_DONE,
};

struct sealing {
    enum sealing_phase phase;
    struct partition *partition; /* NULL: none */
    size_t cursor, n_segments;
    int64_t journal_to;
    uint64_t journal_bytes; /* up to there */
    int64_t keep_after_ms;
    int64_t now_ms;
    int64_t kept_to; /* rows up to it are in outbound, as far as they are wanted */
    bool shrink;     /* the day is over; during it the journal needs the room again */
};

/* The compaction under way, a few series at a time. */
struct compaction {
    struct partition *partition; /* NULL: none */
    uint32_t next_id;
    bool is_shrinking;     /* all series are done; the room is given back */
    int64_t not_before_ms; /* after a failure */
    struct slice *slice;   /* at work in a thread of its own; NULL: none */
};

struct store {
    struct store_options options;
    char *folder;

    pthread_rwlock_t lock;
    struct index index;
    struct churn churn;
    size_t n_dead;                 /* series without segments, to sweep */
    struct partition **partitions; /* by day, ascending */
    size_t n_partitions, partitions_capacity;
    struct quarantine *quarantined;
    size_t n_quarantined, quarantined_capacity;
    struct store_stats stats;

    /* the queue */
    pthread_mutex_t queue_lock;
    pthread_cond_t wake;
    struct request *first, *last;
    bool stopping;
    pthread_t thread;

    /* the thread's own */
    struct staged *staged;
    size_t n_staged, staged_capacity;
    struct touch *touches; /* of the segments staged */
    size_t n_touches, touches_capacity;
    struct pusher *pushers;
    size_t n_pushers, pushers_capacity;
    struct sealing sealing;
    struct compaction compaction;
    int64_t maintained_ms; /* last: what is due between is due by then */
    int64_t next_log_ms;   /* of a full disk: not every push says so */
};

/* store.c */
/* Every partition, held so that none is dropped or cools meanwhile. Heap; free(). */
struct partition **store_hold_all(struct store *store, size_t *ret_n);
void store_release(struct partition *partition);

/* partitions.c: the list of days */
struct partition *store_partition(const struct store *store, int64_t day_ms);
/* Opens or makes it, and loads its series and its journal (warm). */
int store_partition_for_append(struct store *store,
                               int64_t day_ms,
                               struct partition **ret_partition,
                               struct err *reterr);
/* Reads the folder at start. */
int store_load(struct store *store, struct err *reterr);
/* Sets a damaged file aside and remembers it for warnings. */
void store_quarantine(struct store *store, int64_t day_ms, const char *path, const char *why);
/* A new one. series: NULL, or the one of these labels when the index has it. */
struct segment *store_segment(struct store *store,
                              struct partition *partition,
                              struct series *series,
                              const struct labels *labels,
                              bool is_named,
                              uint32_t local_id);
/* Words to every query of the day: n rows of its journal could not be read. */
void store_lost_rows(struct store *store, const struct partition *partition, size_t n);
/* Frees its segments, some at a time: it is cold again. False: it is warm and a select holds it. */
bool store_cool(struct store *store, struct partition *partition);
/* Out of the list, closed; unlinks when asked. */
void store_drop_partition(struct store *store, size_t i, bool unlink_file);
/* Sets aside the partitions found damaged while writing. Not with staged samples. */
void store_drop_damaged(struct store *store);

/* warm.c: a partition's series and journal into memory */
int store_warm_up(struct store *store, struct partition *partition, struct err *reterr);

/* stage.c: a batch against what is known */
enum stage_verdict {
    STAGE_READY, /* its samples are behind the staged ones; or nothing of it is to be stored */
    STAGE_LATER, /* it touches what others of this group staged: begin another group */
    STAGE_ANSWERED,
};

struct staged {
    struct segment *segment;
    struct sample sample;
    uint32_t order;
};

/* One segment's part of what is staged. */
struct touch {
    const struct segment *segment;
    const struct request *by; /* the last */
    int64_t min_ms, max_ms;
};

struct request {
    struct request *next;
    const struct store_batch *batch; /* NULL: maintenance */
    struct store_outcome outcome;
    size_t first_staged, n_staged;
    int64_t now_ms;
    int result;
    struct err err;
    bool done;
    pthread_cond_t wake;
};

enum stage_verdict stage_batch(struct store *store, struct request *request);

/* replay.c: batches told before */
/* 0: new; 1: told before, outcome filled; STORE_E_CONFLICT; -errno. */
int replay_check(struct store *store, struct request *request);
int replay_put(struct db_conn *conn, const struct request *request, struct err *reterr);
void replay_note(struct store *store, const struct store_batch *batch);
int replay_load(struct store *store, struct partition *partition, struct err *reterr);

/* seal.c */
/* Begins sealing a partition that is due, if none is under way. */
void seal_begin_due(struct store *store, int64_t now_ms);
/* One slice; false when nothing is under way. */
bool seal_step(struct store *store);
void retention_apply(struct store *store, int64_t now_ms);
/* No sample of its day is taken any more, unless samples of any age are. */
bool partition_is_over(const struct partition *partition, int64_t now_ms);

/* outbound.c */
/* Some of the journal rows that sealing drops and that are wanted; *ret_more: again. */
int outbound_keep(struct store *store, bool *ret_more, struct err *reterr);
/* Some of what is not wanted any more goes. */
void outbound_trim(struct store *store, int64_t now_ms);

/* compact.c */
/* Begins with a partition whose day is over, if none is under way. */
void compact_begin_due(struct store *store, int64_t now_ms);
/* Takes what the slice has done, if it has ended, and begins the next one. */
void compact_step(struct store *store);
/* Has the slice ended? Under the queue's lock. */
bool compact_has_ended(const struct store *store);
/* Until no slice is at work: before its partition is appended to, or goes. */
void compact_wait(struct store *store);

/* writer.c */
int store_thread_start(struct store *store, struct err *reterr);
void store_thread_stop(struct store *store);
int store_submit(struct store *store, struct request *request, struct err *reterr);
