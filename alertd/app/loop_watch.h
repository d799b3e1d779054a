#pragma once

/*
 * alertd watches itself: a beat goes the whole way that a sample of an outage goes.
 *
 *   every interval: beat --ingest--> store --evaluator's threads: its own rule--> pager
 *         --state.db--> outbox --notifier's thread--> libcurl --HTTP--> POST /-/canary: it is back
 *
 * Only while the last beat that came back is young does anybody outside hear that alertd is well:
 * the dead-man's URL and systemd. What alertd withholds is the alarm: so it is an alarm when
 * alertd hangs, when its disk does, and when it is not there at all.
 *
 * Invariants
 *  (1) the age is that of the newest beat that came back, counted from when it was made: a
 *      stall anywhere on the way shows, and so does one of the thread that makes the beats.
 *  (2) a receiver that does not answer is not alertd's illness: withheld is for a thread that
 *      takes no step for longer than its limits allow.
 *  (3) the ping has a thread of its own, so that it holds nothing up.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

struct loop_watch;
struct loop_eval;
struct loop_notify;
struct ingest;

enum {
    WATCH_BEATS = 16, /* remembered; older ones that come back say nothing */
    WATCH_WORDS_MAX = 200,
    WATCH_KEY_MAX = 40,
};

struct loop_watch_options {
    struct db *state;
    struct ingest *ingest;
    const struct log *log;
    int64_t interval_ms;           /* between beats; the round trip is too old after two */
    const char *dead_man_url;      /* a loan, as the next; both "": nobody outside is told */
    const char *dead_man_url_file; /* holds the address in its first line; read for each ping */
    int64_t dead_man_ms;           /* between pings */
};

/* Makes it, without a thread: what waits for beats is started first. */
struct loop_watch *loop_watch_new(const struct loop_watch_options *options);
/* What a beat's POST has to bring, so that nobody else's counts: WATCH_KEY_MAX bytes. */
const char *loop_watch_key(const struct loop_watch *watch);
int loop_watch_start(struct loop_watch *watch,
                     struct loop_eval *eval,
                     struct loop_notify *notify,
                     struct err *reterr);
void loop_watch_stop(struct loop_watch *watch);
void loop_watch_free(struct loop_watch *watch); /* after the server is gone; NULL is fine */

/* A beat came back: the Idempotency-Key it came under. False: it is none of ours. Any thread. */
bool loop_watch_came_back(struct loop_watch *watch, const char *idempotency_key);

struct watch_health {
    bool ok;
    char why[WATCH_WORDS_MAX]; /* "" when it is ok */
    int64_t age_ms;            /* of the newest beat that came back; -1: none has */
    int64_t trip_ms;           /* how long it was on its way */
    int64_t store_ms;          /* how long the last beat took to be stored */
    int64_t limit_ms;
    uint64_t beats, trips;
    uint64_t pings_sent, pings_failed, pings_withheld;
    int64_t pinged_ms; /* wall; 0: never */
    bool has_dead_man, has_systemd;
};
void loop_watch_health(struct loop_watch *watch, struct watch_health *ret_health);
void loop_watch_metrics(struct loop_watch *watch, struct str *out);
