#pragma once

/*
 * Inside the notifier: what loop_notify.c (its life), notify_worker.c (one integration's thread),
 * notify_send.c (how it sends a batch), notify_pace.c (how fast it may go) and notify_person.c
 * (contacts) share. Nobody else includes this.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "alertd/app/loop_notify.h"
#include "alertd/db/outbox_db.h"
#include "alertd/deliver/receiver.h"

enum {
    NOTIFY_LATENCIES = 7,
};
/* Their upper ends: Alertmanager's, and below its first, where most are. */
extern const double notify_latencies_s[NOTIFY_LATENCIES];

struct notify_worker {
    struct loop_notify *loop;
    const struct route_integration *to; /* NULL: any person's contacts, made when they are used */
    bool shadows;                       /* people's too, but copies: what is real waits for none */
    struct db_bell bell;                /* rings when there is something for it */
    pthread_t thread;
    bool is_running;
    bool is_canary;
    atomic_int_fast64_t busy_since_ms; /* since its last step, monotonic; 0: it waits */
    atomic_int_fast64_t looked_ms;     /* when it last began to look for what is due */
    /* since the start of alertd, for /metrics */
    atomic_uint_fast64_t accepted, failed, refused;
    atomic_uint_fast64_t template_errors;
    atomic_int_fast64_t sent_last_ms;
    atomic_uint_fast64_t attempt_us; /* of all attempts together */
    atomic_uint_fast64_t
        attempts[NOTIFY_LATENCIES + 1]; /* by how long they took; the last: longer */
};

/* How far everybody who was told is from being told too fast. */
struct notify_paces {
    pthread_mutex_t lock;
    struct notify_paced *at;
    size_t n, capacity;
};

struct loop_notify {
    struct db *state;
    struct pager *pager;
    struct http_hub *hub;
    const struct log *log;
    int64_t (*now_wall_ms)(void);
    char *external_url;
    unsigned char ack_key[OUTBOX_ACK_KEY_BYTES];
    struct notify_paces paces;
    atomic_uint_fast64_t digests, folded; /* and how many notifications these told */
    atomic_uint_fast64_t held;            /* turns in which something due waited for its pace */

    pthread_mutex_t lock; /* guards what follows, down to the blank line */
    pthread_cond_t wake;  /* the keeper waits: the generation moved, or a flag was set; monotonic */
    uint64_t generation;
    int64_t keeps_at_ms; /* when the keeper looks again, by the wall clock; while it does: never */
    bool stopping;       /* the program ends */
    bool workers_stop;   /* for another config */
    const struct route_config *next_config; /* NULL: none waits */

    /* The keeper's own; workers only read them, and end before they change. Read by
     * loop_notify_metrics() under workers_lock. */
    pthread_mutex_t workers_lock;
    const struct route_config *config;
    struct notify_worker *workers;
    size_t n_workers;
    pthread_t keeper;
    atomic_int_fast64_t keeper_since_ms; /* as busy_since_ms */
    struct route_integration canary_to;  /* the canary's receiver; its receiver NULL: none */
    char *canary_url;
};

enum {
    NOTIFY_PEOPLE_WORKERS = 4, /* who serve people, whoever is paged: behind the integrations' */
    NOTIFY_SHADOW_WORKERS = 2, /* who serve shadows, and nobody else */
    NOTIFY_PAUSE_MS = 5000,    /* after the database failed us */
    NOTIFY_PERSON_MS = 10000,  /* the longest an attempt to tell a person takes, about */
    GIVE_UP_EVERY_MS = 60000,
    CANARY_TIMEOUT_MS = 5000,
    EXTERNAL_KEPT_MS = 24 * 3600 * 1000, /* alerts of others that are over */
};

/* The workers must end. */
bool notify_must_stop(struct loop_notify *loop);

/* Sends a page to the contact of the person it names, as the roster says now. False: there is
 * no such person or contact any more, in the outcome's words. */
bool notify_person_send(struct loop_notify *loop,
                        struct deliver *deliver,
                        const struct page *page,
                        struct deliver_outcome *ret_outcome);

/* What became of one page. */
struct notify_mark {
    int64_t outbox_id;
    char incident[32]; /* its key */
    bool was_tried;    /* false: we had to stop */
    bool is_hopeless;  /* whom it was for can't be told that way any more */
    struct deliver_outcome outcome;
    int64_t retry_at_ms;
    int64_t now_ms;
};

/* Sends batches, several pages at once when they are many: each of a batch is about another
 * incident, so that none waits for another. One for a worker. */
struct notify_senders;

struct notify_senders *notify_senders_new(struct notify_worker *worker);
void notify_senders_free(struct notify_senders *senders);
/* Returns when all are sent, or false when it had to stop. */
bool notify_send(struct notify_senders *senders,
                 const struct outbox_claims *claims,
                 struct notify_mark *ret_marks);

/* Whom it serves, for the log. */
const char *notify_worker_name(const struct notify_worker *worker);
void notify_paces_init(struct notify_paces *paces);
void notify_paces_done(struct notify_paces *paces);
/* The pace of what the worker sends: for its claims, inside their job. */
struct outbox_pace notify_pace(struct notify_worker *worker);

/* A worker's thread; arg is the struct notify_worker. */
void *notify_worker_run(void *arg);
