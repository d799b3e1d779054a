/*
 * What time does to sessions: once a second, on a thread of its own.
 *
 *   runs                      moved on, so that pages come while nobody asks; ended when it is over
 *   runs, nobody looks        paused, with words
 *   stands, nobody asks       its process is stopped; then it is forgotten here: drills.db has it
 *   stands for a long time    ended
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/play/session.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    TICK_MS = 1000,
    SAVE_MS = 5000,
    PARK_MS = 60 * 1000, /* of a process that nobody asks */
    FORGET_MS = 120 * 1000,
    SWEEP_MS = 60 * 1000, /* for what was left in drills.db */
    SWEEP_BYTES_MAX = 16 * 1024 * 1024,
};

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_db_save_times(conn, arg, reterr);
}

static void log_failure(struct play *play, const struct session *session, const struct err *err)
{
    log_warn(play->options.log, "play", "a drill stands", "session=%" PRId64 " error=\"%s\"",
             session->id, err->text);
}

static int leave(struct play *play, struct session *session, struct err *reterr)
{
    char span[DURATION_TEXT_MAX];
    char words[sizeof(session->paused_why)];

    (void)snprintf(words, sizeof(words), "paused: nobody looked at it for %s",
                   duration_print(play->options.leave_ms, span));

    int r = session_change(play, session, "paused", "", "left", words, reterr);

    if (r == 0)
        memcpy(session->paused_why, words, sizeof(words));
    return r;
}

/* Held. */
static void tick_running(struct play *play, struct session *session, int64_t mono_ms)
{
    STR_AUTO struct str nothing = STR_INIT(1000);
    struct play_time time = {session->id, 0, 0};
    struct play_times times = {&time, 1};
    struct err err = {0};
    int r = session_settle(play, session, &err);

    if (r == 0 && session_is(session, "running"))
        r = session_ask(play, session, "advance", NULL, &nothing, &err);
    if (r == 0)
        r = tick_tell_pages(play, session, &err);
    if (r == 0 && session_is(session, "running") &&
        mono_ms - session->looked_ms > play->options.leave_ms)
        r = leave(play, session, &err);
    if (r == 0 && mono_ms - session->saved_ms > SAVE_MS) {
        session->saved_ms = mono_ms;
        time.at_ms = session->now_ms;
        time.seen_ms = clock_wall_ms() - (mono_ms - session->looked_ms);
        r = db_write(play->db, job_save, &times, &err);
    }
    if (r)
        log_failure(play, session, &err);
}

static void tick_one(struct play *play, int64_t id, int64_t mono_ms)
{
    struct session *session = NULL;

    if (session_peek(play, id, &session, NULL) != 0)
        return;
    tick_banner(play, session);
    if (session_is(session, "running"))
        tick_running(play, session, mono_ms);
    else if (mono_ms - session->used_ms > PARK_MS)
        session_park(play, session);
    session_put(play, session);
}

static bool is_forgettable(const struct session *session, int64_t mono_ms)
{
    return session->refs == 0 && !session->process && !session_is(session, "running") &&
           mono_ms - session->used_ms > FORGET_MS;
}

/* Takes the sessions out that nobody needs in memory. */
static void forget(struct play *play, int64_t mono_ms)
{
    struct session *gone = NULL;

    (void)pthread_mutex_lock(&play->lock);
    for (struct session **at = &play->sessions; *at;) {
        struct session *session = *at;

        if (is_forgettable(session, mono_ms)) {
            *at = session->next;
            session->next = gone;
            gone = session;
        } else {
            at = &session->next;
        }
    }
    (void)pthread_mutex_unlock(&play->lock);
    for (struct session *next; gone; gone = next) {
        next = gone->next;
        session_free(play, gone);
    }
}

static size_t list_ids(struct play *play, int64_t **ret_ids)
{
    size_t n = 0, capacity = 0;
    int64_t *ids = NULL;

    (void)pthread_mutex_lock(&play->lock);
    for (const struct session *session = play->sessions; session; session = session->next) {
        ids = mem_grow(ids, &capacity, n + 1, sizeof(*ids));
        ids[n++] = session->id;
    }
    (void)pthread_mutex_unlock(&play->lock);
    *ret_ids = ids;
    return n;
}

/* What stands for so long that nobody will come back to it. */
static void sweep(struct play *play)
{
    const struct play_filter filter = {.state = "paused",
                                       .seen_before_ms = clock_wall_ms() - play->options.end_ms};
    struct play_row *rows = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, SWEEP_BYTES_MAX);
    if (db_read_begin(play->db, &conn, &err) != 0)
        return;

    int r = play_db_list(conn, &filter, &arena, &rows, &n, &err);

    db_read_end(play->db, conn);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct session *session = NULL;

        if (session_peek(play, rows[i].id, &session, NULL) != 0)
            continue;
        if (session_is(session, "paused") &&
            session_end(play, session, "", "nobody came back to it", &err) != 0)
            log_failure(play, session, &err);
        session_park(play, session);
        session_put(play, session);
    }
}

static void *run(void *arg)
{
    struct play *play = arg;
    int64_t end_ms = play->options.end_ms;
    int64_t sweep_ms = end_ms < SWEEP_MS ? end_ms : SWEEP_MS;
    int64_t swept_ms = 0;

    (void)pthread_mutex_lock(&play->lock);
    while (!play->stopping) {
        struct timespec until;
        int64_t *ids = NULL;

        (void)pthread_mutex_unlock(&play->lock);

        int64_t mono_ms = clock_mono_ms();
        size_t n = list_ids(play, &ids);

        for (size_t i = 0; i < n; i++)
            tick_one(play, ids[i], mono_ms);
        tick_real_pages(play, ids, n);
        free(ids);
        forget(play, mono_ms);
        if (mono_ms - swept_ms > sweep_ms) {
            swept_ms = mono_ms;
            sweep(play);
        }

        int64_t next_ms = clock_wall_ms() + TICK_MS;

        until = (struct timespec){next_ms / 1000, next_ms % 1000 * 1000000};
        (void)pthread_mutex_lock(&play->lock);
        if (!play->stopping)
            (void)pthread_cond_timedwait(&play->wake, &play->lock, &until);
    }
    (void)pthread_mutex_unlock(&play->lock);
    return NULL;
}

int tick_start(struct play *play, struct err *reterr)
{
    int r = pthread_create(&play->ticker, NULL, run, play);

    play->ticks = r == 0;
    return r ? err_set(reterr, -r, "a thread can't be started: %s", strerrordesc_np(r)) : 0;
}

void tick_stop(struct play *play)
{
    (void)pthread_mutex_lock(&play->lock);
    play->stopping = true;
    (void)pthread_cond_signal(&play->wake);
    (void)pthread_mutex_unlock(&play->lock);
    if (play->ticks)
        (void)pthread_join(play->ticker, NULL);
    play->ticks = false;
}
