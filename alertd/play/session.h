#pragma once

/*
 * Inside play/: a session in memory.
 *
 *   session.c        found or read back, held by one thread at a time
 *   session_ask.c    its process: started, asked, started again
 *   play.c           begun, looked at
 *   play_do.c        clock, acts, notes, queries
 *   play_end.c       ended, scored, played again
 *   tick.c           what time does to them
 *   tick_page.c      real pages into drills, a drill's pages to who wants them
 *
 * Lock order: a session's, then play->lock; never the other way round. What has no refs is nobody's,
 * and play->lock alone is enough for it.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "alertd/play/play.h"
#include "alertd/play/process.h"

enum {
    SESSION_ARENA_BYTES_MAX = 64 * 1024 * 1024,
    SESSION_WAITING_MAX = 6, /* for one session: more are told that it is busy */
};

struct session {
    struct session *next;
    unsigned refs; /* under play->lock */
    atomic_uint waiting;
    atomic_bool runs; /* for whoever counts */
    pthread_mutex_t lock;

    int64_t id;
    struct arena arena; /* of row and members */
    struct play_row row;
    struct play_member_row *members;
    size_t n_members;
    struct play_counts counts;
    char state[16];
    char error[ERR_TEXT_MAX];
    char banner[200];
    char banner_incident[PLAY_INCIDENT_MAX]; /* the real one's key; "": none */
    char paused_why[200];
    int64_t banner_until_ms; /* monotonic */

    /* its clock: drill time base_ms was at our time base_mono_ms, if it runs */
    int64_t base_ms, base_mono_ms, speed;

    struct process *process;
    /* what the process said last */
    int64_t now_ms, zero_ms, lead_ms, onset_ms, n_moments;
    bool is_known, was_called;

    int64_t slowed_ms; /* when something called for the player last; INT64_MIN: not yet */

    int64_t paged_to; /* moments looked through for pages to tell outside; -1: not yet */
    int64_t looked_ms, used_ms, saved_ms; /* monotonic: a member, anybody; its time was stored */
};

struct play {
    struct play_options options;
    struct library library;
    char program[LIBRARY_PATH_MAX];
    struct db *db;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct session *sessions;
    bool stopping, ticks;
    pthread_t ticker;
    int64_t real_pages_after; /* the ticker's */
    atomic_llong processes, started, revived, broken;
};

/* Held: nobody else has it until session_put(). To peek is not to use it: the ticker does. */
int session_peek(struct play *play, int64_t id, struct session **ret_session, struct err *reterr);
int session_get(struct play *play, int64_t id, struct session **ret_session, struct err *reterr);
void session_put(struct play *play, struct session *session);
void session_free(struct play *play, struct session *session);
enum play_role session_role(const struct session *session, const char *who);
bool session_is(const struct session *session, const char *state);
/* Drill time now. */
int64_t session_now_ms(const struct session *session);
int64_t session_version(const struct session *session);
/* Its clock stands still or runs from here on, with a row that says so. */
int session_change(struct play *play,
                   struct session *session,
                   const char *state,
                   const char *who,
                   const char *what,
                   const char *words,
                   struct err *reterr);
void session_told(struct play *play, const struct session *session);

struct session_question {
    const char *op, *more;
};
/* {"op":op,"to_ms":now,<more>}: the body of the answer. more: NULL or ",\"a\":1". A process that
 * is gone is started again, once; a second time the session is broken. */
int session_ask(struct play *play,
                struct session *session,
                const char *op,
                const char *more,
                struct str *ret_body,
                struct err *reterr);
/* The same at a time that is fixed: that of an act is written down before it is done. */
int session_ask_at(struct play *play,
                   struct session *session,
                   int64_t at_ms,
                   const struct session_question *question,
                   struct str *ret_body,
                   struct err *reterr);
void session_park(struct play *play, struct session *session);
/* Ends it with its results; held. */
int session_end(struct play *play,
                struct session *session,
                const char *who,
                const char *words,
                struct err *reterr);
/* When its time is over it ends: whoever looks first finds that. */
int session_settle(struct play *play, struct session *session, struct err *reterr);

/* tick_page.c: for the ticker */
int tick_tell_pages(struct play *play, struct session *session, struct err *reterr); /* held */
/* A banner that has stood long enough goes, and that is news too. */
void tick_banner(struct play *play, struct session *session); /* held */
void tick_real_pages(struct play *play, const int64_t *ids, size_t n);

/* tick.c */
int tick_start(struct play *play, struct err *reterr);
void tick_stop(struct play *play);
