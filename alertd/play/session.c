/*
 * Sessions in memory. See session.h.
 */

#include "alertd/play/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

/* --- found, or read back -------------------------------------------------------------------------- */

static int read_session(struct play *play, struct session *session, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(play->db, &conn, reterr);

    if (r)
        return r;
    r = play_db_get(conn, session->id, &session->arena, &session->row, reterr);
    if (r == 0)
        r = play_db_members(conn, session->id, &session->arena, &session->members,
                            &session->n_members, reterr);
    if (r == 0)
        r = play_db_counts(conn, session->id, &session->counts, reterr);
    db_read_end(play->db, conn);
    return r == PLAY_DB_E_NOT_FOUND ? PLAY_E_NOT_FOUND : r;
}

static int load(struct play *play, int64_t id, struct session **ret_session, struct err *reterr)
{
    struct session *session = mem_zalloc(sizeof(*session));

    session->id = id;
    arena_init(&session->arena, SESSION_ARENA_BYTES_MAX);
    (void)pthread_mutex_init(&session->lock, NULL);

    int r = read_session(play, session, reterr);

    if (r) {
        session_free(play, session);
        return r;
    }
    (void)snprintf(session->state, sizeof(session->state), "%s", session->row.state);
    (void)snprintf(session->error, sizeof(session->error), "%s", session->row.error);
    session->base_ms = session->now_ms = session->row.at_ms;
    session->base_mono_ms = session->looked_ms = session->used_ms = clock_mono_ms();
    session->speed = session->row.speed;
    session->paged_to = -1;
    session->slowed_ms = INT64_MIN;
    *ret_session = session;
    return 0;
}

int session_peek(struct play *play, int64_t id, struct session **ret_session, struct err *reterr)
{
    struct session *session = NULL;
    int r = 0;

    (void)pthread_mutex_lock(&play->lock);
    for (session = play->sessions; session && session->id != id; session = session->next)
        continue;
    if (!session) {
        r = load(play, id, &session, reterr);
        if (r == 0) {
            session->next = play->sessions;
            play->sessions = session;
        }
    }
    if (r == 0 && atomic_load(&session->waiting) >= SESSION_WAITING_MAX)
        r = err_set(reterr, PLAY_E_BUSY, "this drill is busy: ask again in a moment");
    if (r == 0)
        session->refs++;
    (void)pthread_mutex_unlock(&play->lock);
    if (r)
        return r;
    atomic_fetch_add(&session->waiting, 1);
    (void)pthread_mutex_lock(&session->lock);
    *ret_session = session;
    return 0;
}

int session_get(struct play *play, int64_t id, struct session **ret_session, struct err *reterr)
{
    int r = session_peek(play, id, ret_session, reterr);

    if (r == 0)
        (*ret_session)->used_ms = clock_mono_ms();
    return r;
}

void session_put(struct play *play, struct session *session)
{
    (void)pthread_mutex_unlock(&session->lock);
    atomic_fetch_sub(&session->waiting, 1);
    (void)pthread_mutex_lock(&play->lock);
    session->refs--;
    (void)pthread_mutex_unlock(&play->lock);
}

void session_free(struct play *play, struct session *session)
{
    session_park(play, session);
    (void)pthread_mutex_destroy(&session->lock);
    arena_reset(&session->arena);
    free(session);
}

/* --- What it is ------------------------------------------------------------------------------------- */

enum play_role session_role(const struct session *session, const char *who)
{
    static const char *const names[] = {"watcher", "player", "scribe", "master"};

    for (size_t i = 0; i < session->n_members; i++)
        if (strcmp(session->members[i].person, who) == 0)
            for (int role = PLAY_PLAYER; role <= PLAY_MASTER; role++)
                if (strcmp(session->members[i].role, names[role]) == 0)
                    return (enum play_role)role;
    return PLAY_WATCHER;
}

bool session_is(const struct session *session, const char *state)
{
    return strcmp(session->state, state) == 0;
}

int64_t session_now_ms(const struct session *session)
{
    int64_t now_ms = session->base_ms;

    if (session_is(session, "running"))
        now_ms += (clock_mono_ms() - session->base_mono_ms) * session->speed;
    return now_ms < session->row.length_ms ? now_ms : session->row.length_ms;
}

int64_t session_version(const struct session *session)
{
    return session->n_moments + session->counts.changes + session->counts.notes;
}

void session_told(struct play *play, const struct session *session)
{
    if (play->options.changed)
        play->options.changed(play->options.arg, session->id);
}

/* --- Its clock ---------------------------------------------------------------------------------------- */

static int job_change(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_db_change(conn, arg, reterr);
}

int session_change(struct play *play,
                   struct session *session,
                   const char *state,
                   const char *who,
                   const char *what,
                   const char *words,
                   struct err *reterr)
{
    int64_t now_ms = session_now_ms(session);
    struct play_change change = {
        .session = session->id,
        .change = {now_ms, clock_wall_ms(), who, what, words},
        .state = state,
        .speed = session->speed,
        .error = session->error[0] ? session->error : NULL,
    };
    int r = db_write(play->db, job_change, &change, reterr);

    if (r)
        return r;
    session->base_ms = now_ms;
    session->base_mono_ms = clock_mono_ms();
    session->counts.changes++;
    if (state != session->state)
        (void)snprintf(session->state, sizeof(session->state), "%s", state);
    atomic_store(&session->runs, session_is(session, "running"));
    session_told(play, session);
    return 0;
}
