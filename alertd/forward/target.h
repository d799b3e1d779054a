#pragma once

/*
 * One target's thread: refresh, fill, send, settle, save; and what it tells the others. Private
 * to forward.c.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "alertd/forward/forward.h"
#include "alertd/forward/queue.h"
#include "alertd/forward/send.h"

/* What is told: a copy made after each turn. */
struct target_view {
    struct queue_stats queue;
    struct send_stats send;
    int64_t oldest_ms;     /* time of the oldest sample that waits; 0: none */
    int64_t failing_ms;    /* since when (Unix time); 0: it is well */
    int64_t dropped_at_ms; /* Unix time of the last drop; 0: never */
    char last_error[300];  /* of the last failure or refusal, "" */
};

struct target {
    const struct forward_config *config;
    struct store *store;
    struct log log;
    char *path; /* of the cursor's file */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool is_stopping;
    bool is_sending;     /* a request is under way: nothing of the store is touched */
    bool has_ended;      /* the thread was waited for */
    bool is_abandoned;   /* nobody waits for the thread any more: it must touch nothing */
    struct cursor saved; /* as on disk */
    struct target_view view;
    void (*has_saved)(void *arg); /* the cursor on disk has moved */
    void *arg;
    /* the thread's own */
    struct queue queue;
    struct sender sender;
    struct rng rng;
    unsigned n_failures;
    int64_t retry_ms; /* no attempt before it, monotonic */
    int64_t save_ms;  /* the last time, monotonic */
    bool is_unsaved;
    int64_t next_log_ms; /* of drops */
    uint64_t logged_dropped;
};

/* Loads the cursor, or begins now and saves that. */
int target_init(struct target *target, struct err *reterr);
int target_start(struct target *target, struct err *reterr);
/* False: a request hangs; the target's memory is its thread's until the process ends. */
bool target_stop(struct target *target);
void target_done(struct target *target);
