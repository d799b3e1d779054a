/*
 * What is done in a session: its clock, acts, notes, queries. See play.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alertd/play/session.h"
#include "lib/base/clock.h"
#include "lib/base/rng.h"
#include "lib/json/write.h"

static const char *role_words(enum play_role role)
{
    switch (role) {
    case PLAY_WATCHER: return "you watch this drill";
    case PLAY_PLAYER: return "you play this drill";
    case PLAY_SCRIBE: return "you write for who plays";
    case PLAY_MASTER: return "you lead this drill";
    }
    return "";
}

/* Held when it is 0. */
static int get_for(struct play *play,
                   int64_t id,
                   const char *who,
                   struct session **ret_session,
                   struct err *reterr)
{
    int r = session_get(play, id, ret_session, reterr);

    if (r == 0 && session_role(*ret_session, who) != PLAY_WATCHER)
        (*ret_session)->looked_ms = clock_mono_ms();
    return r;
}

/* Of an act: it is not over and not broken, and its time has not run out. */
static int check_open(struct play *play, struct session *session, struct err *reterr)
{
    int r = session_settle(play, session, reterr);

    if (r)
        return r;
    if (session_is(session, "ended"))
        return err_set(reterr, PLAY_E_CONFLICT, "this drill is over");
    if (session_is(session, "broken"))
        return err_set(reterr, PLAY_E_BROKEN, "%s", session->error);
    return 0;
}

/* --- the clock ---------------------------------------------------------------------------------------- */

static bool has_master(const struct session *session)
{
    for (size_t i = 0; i < session->n_members; i++)
        if (strcmp(session->members[i].role, "master") == 0)
            return true;
    return false;
}

static int check_clock(const struct session *session,
                       const char *who,
                       const struct play_clock *clock,
                       struct err *reterr)
{
    enum play_role role = session_role(session, who);

    if (role == PLAY_WATCHER || (role != PLAY_MASTER && has_master(session)))
        return err_set(reterr, PLAY_E_FORBIDDEN, "%s: its clock is %s's", role_words(role),
                       has_master(session) ? "its game master" : session->row.player);
    if (clock->speed && (clock->speed < 1 || clock->speed > PLAY_SPEED_MAX))
        return err_set(reterr, PLAY_E_INVALID, "speed: 1 to %d", PLAY_SPEED_MAX);
    if (clock->state && strcmp(clock->state, "running") != 0 && strcmp(clock->state, "paused") != 0)
        return err_set(reterr, PLAY_E_INVALID, "state: 'running' or 'paused'");
    if (clock->to_onset && session_now_ms(session) >= session->onset_ms)
        return err_set(reterr, PLAY_E_CONFLICT, "jump: the trouble has begun already");
    return 0;
}

static int check_running(struct play *play, const struct session *session, struct err *reterr)
{
    int64_t running = 0, open = 0;
    struct db_conn *conn = NULL;
    int r = db_read_begin(play->db, &conn, reterr);

    if (r)
        return r;
    r = play_db_busy(conn, session->row.player, &running, &open, reterr);
    db_read_end(play->db, conn);
    if (r == 0 && running >= play->options.max_sessions)
        r = err_set(reterr, PLAY_E_LIMITED,
                    "%" PRId64
                    " drills run at this moment, and no more may: pause or end one first",
                    running);
    return r;
}

static int set_clock(struct play *play,
                     struct session *session,
                     const char *who,
                     const struct play_clock *clock,
                     struct err *reterr)
{
    const char *state = clock->state ? clock->state : session->state;
    char words[100];
    int r = 0;

    if (strcmp(state, "running") == 0 && !session_is(session, "running"))
        r = check_running(play, session, reterr);
    if (r)
        return r;
    /* until here it ran as before */
    session->base_ms = session_now_ms(session);
    session->base_mono_ms = clock_mono_ms();
    if (clock->to_onset)
        session->base_ms = session->onset_ms;
    if (clock->speed)
        session->speed = clock->speed;
    (void)snprintf(words, sizeof(words), "%s at %" PRId64 "x%s", state, session->speed,
                   clock->to_onset ? ", from the onset" : "");
    session->paused_why[0] = '\0';
    return session_change(play, session, state, who, clock->to_onset ? "jump" : "clock", words,
                          reterr);
}

int play_clock(struct play *play,
               int64_t id,
               const char *who,
               const struct play_clock *clock,
               struct err *reterr)
{
    STR_AUTO struct str nothing = STR_INIT(1000);
    struct session *session = NULL;
    int r = get_for(play, id, who, &session, reterr);

    if (r)
        return r;
    r = check_open(play, session, reterr);
    if (r == 0) /* for its onset, which is the process's to know */
        r = session_ask(play, session, "advance", NULL, &nothing, reterr);
    if (r == 0)
        r = check_clock(session, who, clock, reterr);
    if (r == 0)
        r = set_clock(play, session, who, clock, reterr);
    session_put(play, session);
    return r;
}

/* --- what people choose ------------------------------------------------------------------------------- */

static int check_settings(const struct session *session,
                          const char *who,
                          const struct play_settings *settings,
                          struct err *reterr)
{
    enum play_role role = session_role(session, who);
    bool is_own = settings->page_me && *settings->page_me != session->row.page_me;

    if (is_own && strcmp(session->row.player, who) != 0)
        return err_set(reterr, PLAY_E_FORBIDDEN, "page_me: %s: only %s has their own pages sent",
                       role_words(role), session->row.player);
    if (settings->slow_to < -1 || settings->slow_to > PLAY_SPEED_MAX)
        return err_set(reterr, PLAY_E_INVALID, "slow_to: 0 (never) to %d", PLAY_SPEED_MAX);
    return settings->slow_to >= 0 || settings->stops_for_pages
               ? check_clock(session, who, &(struct play_clock){0}, reterr)
               : 0;
}

static int job_set(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_db_set(conn, arg, reterr);
}

static int change_settings(struct play *play,
                           struct session *session,
                           const char *who,
                           const struct play_settings *settings,
                           struct err *reterr)
{
    struct play_row *row = &session->row;
    struct play_set set = {
        .slow_to = settings->slow_to >= 0 ? settings->slow_to : row->slow_to,
        .stops_for_pages = settings->stops_for_pages ? *settings->stops_for_pages
                                                     : row->stops_for_pages,
        .page_me = settings->page_me ? *settings->page_me : row->page_me,
    };
    char words[100];

    (void)snprintf(words, sizeof(words), "slow_to %" PRId64 ", stop_for_pages %s, page_me %s",
                   set.slow_to, set.stops_for_pages ? "on" : "off", set.page_me ? "on" : "off");
    set.change = (struct play_change){
        .session = session->id,
        .change = {session->now_ms, clock_wall_ms(), who, "settings", words},
        .state = session->state,
        .speed = session->speed,
    };

    int r = db_write(play->db, job_set, &set, reterr);

    if (r)
        return r;
    if (set.page_me && !row->page_me) /* from now on */
        session->paged_to = session->n_moments;
    row->slow_to = set.slow_to;
    row->stops_for_pages = set.stops_for_pages;
    row->page_me = set.page_me;
    session->counts.changes++;
    session_told(play, session);
    return 0;
}

int play_set(struct play *play,
             int64_t id,
             const char *who,
             const struct play_settings *settings,
             struct err *reterr)
{
    STR_AUTO struct str nothing = STR_INIT(1000);
    struct session *session = NULL;
    int r = get_for(play, id, who, &session, reterr);

    if (r)
        return r;
    r = check_open(play, session, reterr);
    if (r == 0)
        r = check_settings(session, who, settings, reterr);
    if (r == 0) /* until here time went on as before */
        r = session_ask(play, session, "advance", NULL, &nothing, reterr);
    if (r == 0)
        r = change_settings(play, session, who, settings, reterr);
    session_put(play, session);
    return r;
}

/* --- acts ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *kind;
    bool needs_id, needs_text;
} act_kinds[] = {
    {"see", false, false},    {"ack", false, false},       {"query", false, true},
    {"runbook", false, true}, {"hypothesis", false, true}, {"answer", true, true},
    {"tell", false, true},    {"escalate", false, false},  {"do", false, true},
    {"hint", false, false},   {"note", false, true},
};

static int check_deed(const struct play_deed *deed, struct err *reterr)
{
    size_t i = 0;

    if (deed->text && strlen(deed->text) > PLAY_TEXT_MAX)
        return err_set(reterr, PLAY_E_LARGE, "text: %d bytes at most", PLAY_TEXT_MAX);
    if (deed->id && strlen(deed->id) > PLAY_KEY_MAX)
        return err_set(reterr, PLAY_E_INVALID, "id: %d bytes at most", PLAY_KEY_MAX);
    if (deed->key && (!deed->key[0] || strlen(deed->key) > PLAY_KEY_MAX))
        return err_set(reterr, PLAY_E_INVALID, "key: 1 to %d bytes", PLAY_KEY_MAX);
    if (deed->is_inject) {
        while (drill_injects[i] && strcmp(drill_injects[i], deed->kind) != 0)
            i++;
        if (!drill_injects[i])
            return err_set(reterr, PLAY_E_INVALID,
                           "kind: '%.30s' is none of chat, log, customer, deploy, note, hint",
                           deed->kind);
        return deed->text && deed->text[0] ? 0 : err_set(reterr, PLAY_E_INVALID, "text: is empty");
    }
    while (i < sizeof(act_kinds) / sizeof(act_kinds[0]) &&
           strcmp(act_kinds[i].kind, deed->kind) != 0)
        i++;
    if (i == sizeof(act_kinds) / sizeof(act_kinds[0]))
        return err_set(
            reterr, PLAY_E_INVALID,
            "kind: '%.30s' is none of see, ack, query, runbook, hypothesis, answer, tell, "
            "escalate, do, hint, note",
            deed->kind);
    if (act_kinds[i].needs_id && !(deed->id && deed->id[0]))
        return err_set(reterr, PLAY_E_INVALID, "id: which question is answered?");
    if (act_kinds[i].needs_text && !(deed->text && deed->text[0]))
        return err_set(reterr, PLAY_E_INVALID, "text: is empty");
    return 0;
}

static int check_may(const struct session *session,
                     const char *who,
                     const struct play_deed *deed,
                     struct err *reterr)
{
    enum play_role role = session_role(session, who);

    if (deed->is_inject)
        return role == PLAY_MASTER
                   ? 0
                   : err_set(reterr, PLAY_E_FORBIDDEN, "%s: only a game master brings something in",
                             role_words(role));
    return role == PLAY_PLAYER ? 0
                               : err_set(reterr, PLAY_E_FORBIDDEN, "%s: only %s acts in it",
                                         role_words(role), session->row.player);
}

static int job_act(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_db_add_act(conn, arg, reterr);
}

/* The act's row, then the act: when we are killed between them it is done at the next start. */
static int perform(struct play *play,
                   struct session *session,
                   struct play_add_act *add,
                   struct str *ret_moment,
                   struct err *reterr)
{
    STR_AUTO struct str nothing = STR_INIT(1000);
    STR_AUTO struct str more = STR_INIT(4 * PLAY_TEXT_MAX * 2);
    struct json_out out = JSON_OUT(&more);
    int r = session_ask(play, session, "advance", NULL, &nothing, reterr);

    if (r)
        return r;
    add->act.at_ms = session->now_ms; /* whole seconds: what the world has come to */
    r = db_write(play->db, job_act, add, reterr);
    if (r)
        return r == PLAY_DB_E_LIMIT ? PLAY_E_LIMITED : r;
    if (!add->was_there)
        session->counts.acts++;
    str_addc(&more, ',');
    json_kv_int(&out, "n", add->act.n);
    json_kv_string(&out, add->act.is_inject ? "inject" : "act", add->act.kind);
    json_kv_string(&out, "id", add->act.id);
    json_kv_string(&out, "text", add->act.text);
    if (add->act.is_inject)
        json_kv_bool(&out, "all", true);
    return session_ask_at(play, session, add->act.at_ms,
                          &(struct session_question){"act", str_text(&more)}, ret_moment, reterr);
}

int play_act(struct play *play,
             int64_t id,
             const char *who,
             const struct play_deed *deed,
             struct str *ret_moment,
             struct err *reterr)
{
    struct session *session = NULL;
    char made_key[32];
    int r = check_deed(deed, reterr);

    if (r == 0)
        r = get_for(play, id, who, &session, reterr);
    if (r)
        return r;
    (void)snprintf(made_key, sizeof(made_key), "made-%016" PRIx64, rng_os_seed());

    struct play_add_act add = {.session = id,
                               .act = {.who = who,
                                       .is_inject = deed->is_inject,
                                       .kind = deed->kind,
                                       .id = deed->id,
                                       .text = deed->text},
                               .key = deed->key ? deed->key : made_key,
                               .made_ms = clock_wall_ms()};

    r = check_may(session, who, deed, reterr);
    if (r == 0)
        r = check_open(play, session, reterr);
    if (r == 0)
        r = perform(play, session, &add, ret_moment, reterr);
    session_put(play, session);
    return r;
}

/* --- notes ------------------------------------------------------------------------------------------------ */

static int job_note(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_db_add_note(conn, arg, reterr);
}

static int add_note(struct play *play,
                    struct session *session,
                    const struct play_note_row *note,
                    struct err *reterr)
{
    struct play_add_note add = {session->id, *note};

    add.note.at_ms = session_now_ms(session);
    add.note.made_ms = clock_wall_ms();

    int r = db_write(play->db, job_note, &add, reterr);

    session->counts.notes += r == 0;
    return r == PLAY_DB_E_LIMIT ? PLAY_E_LIMITED : r;
}

int play_note(struct play *play,
              int64_t id,
              const char *who,
              const char *text,
              bool is_private,
              struct err *reterr)
{
    struct play_note_row note = {.who = who, .text = text, .is_private = is_private};
    struct session *session = NULL;

    if (!text[0] || strlen(text) > PLAY_TEXT_MAX)
        return err_set(reterr, PLAY_E_INVALID, "text: 1 to %d bytes", PLAY_TEXT_MAX);

    int r = get_for(play, id, who, &session, reterr);

    if (r)
        return r;

    enum play_role role = session_role(session, who);

    if (role == PLAY_WATCHER)
        r = err_set(reterr, PLAY_E_FORBIDDEN, "%s: notes are its players'",
                    role_words(PLAY_WATCHER));
    else if (is_private && role != PLAY_MASTER)
        r = err_set(reterr, PLAY_E_FORBIDDEN,
                    "private: %s: only a game master writes for themselves", role_words(role));
    else
        r = session_settle(play, session, reterr);
    if (r == 0)
        r = add_note(play, session, &note, reterr);
    if (r == 0)
        session_told(play, session);
    session_put(play, session);
    return r;
}

static int job_share(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct session *session = arg;

    return play_db_share_notes(conn, session->id, reterr);
}

int play_share_notes(struct play *play, int64_t id, const char *who, struct err *reterr)
{
    struct session *session = NULL;
    int r = get_for(play, id, who, &session, reterr);

    if (r)
        return r;
    if (session_role(session, who) != PLAY_MASTER)
        r = err_set(reterr, PLAY_E_FORBIDDEN, "%s: notes are shared by who wrote them",
                    role_words(session_role(session, who)));
    else if (!session_is(session, "ended"))
        r = err_set(reterr, PLAY_E_CONFLICT, "this drill is not over: notes are shared at its end");
    else
        r = db_write(play->db, job_share, session, reterr);
    if (r == 0)
        r = session_change(play, session, session->state, who, "notes shared", NULL, reterr);
    session_put(play, session);
    return r;
}

/* --- queries ----------------------------------------------------------------------------------------------- */

int play_prom(struct play *play,
              int64_t id,
              const char *who,
              const char *line,
              struct str *ret_body,
              struct err *reterr)
{
    struct session *session = NULL;
    int r = get_for(play, id, who, &session, reterr);

    if (r)
        return r;
    r = session_settle(play, session, reterr);
    if (r == 0)
        r = session_ask(play, session, "prom", line, ret_body, reterr);
    session_put(play, session);
    return r;
}
