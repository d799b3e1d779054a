/*
 * A session's process: started, asked, and started again when it is gone.
 *
 *   drills.db: files, seed, acts --> load, act 1, act 2, ... --> as if it had never been away
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alertd/desk/desk.h"
#include "alertd/play/session.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    ANSWER_BYTES_MAX = 64 * 1024,
    LOOKED_AT_MAX = 8,
};

void session_park(struct play *play, struct session *session)
{
    if (!session->process)
        return;
    process_stop(session->process);
    session->process = NULL;
    atomic_fetch_sub(&play->processes, 1);
}

/* --- One question ------------------------------------------------------------------------------------ */

static const struct {
    const char *type;
    int code;
} codes[] = {
    {"bad_data", PLAY_E_INVALID}, {"execution", PLAY_E_EXECUTION}, {"timeout", PLAY_E_TIMEOUT},
    {"too_large", PLAY_E_LARGE},  {"not_found", PLAY_E_NOT_FOUND}, {"internal", PLAY_E_BROKEN},
};

static int code_of(const char *type)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(codes[i].type, type) == 0)
            return codes[i].code;
    return PLAY_E_BROKEN;
}

/* What the head says; a refusal is its code with words. */
static int read_head(struct session *session, const struct str *text, struct err *reterr)
{
    struct json *head = NULL;
    const char *type = "internal", *words = "";
    bool ok = false;

    if (json_parse(str_text(text), text->len, &head, reterr) != 0)
        return PLAY_E_BROKEN;
    (void)json_get_bool(head, "ok", &ok, NULL);
    session->is_known = json_get_int(head, "now_ms", &session->now_ms, NULL) == 0;
    (void)json_get_int(head, "zero_ms", &session->zero_ms, NULL);
    (void)json_get_int(head, "lead_ms", &session->lead_ms, NULL);
    (void)json_get_int(head, "onset_ms", &session->onset_ms, NULL);
    (void)json_get_int(head, "n_moments", &session->n_moments, NULL);
    session->was_called = false;
    (void)json_get_bool(head, "called", &session->was_called, NULL);
    (void)json_get_string(head, "type", &type, NULL);
    (void)json_get_string(head, "error", &words, NULL);

    int r = ok ? 0 : err_set(reterr, code_of(type), "%s", words);

    json_free(head);
    return r;
}

/* PROCESS_E_GONE is its own code here: -EPIPE is not a word for people. */
enum {
    GONE = 100,
    UNPLAYABLE = 101, /* its files or its acts are refused */
};

static int ask(struct session *session,
               const struct str *line,
               const struct str *bytes,
               struct str *ret_body,
               struct err *reterr)
{
    STR_AUTO struct str head = STR_INIT(DESK_HEAD_BYTES_MAX);
    size_t before = ret_body->len;

    if (line->full)
        return err_set(reterr, PLAY_E_LARGE, "the request is too long");
    if (process_ask(session->process, line, bytes, &head, ret_body, reterr) != 0) {
        str_cut(ret_body, before);
        return GONE;
    }
    return read_head(session, &head, reterr);
}

/* --- From the start ------------------------------------------------------------------------------------ */

static void open_request(struct json_out *out, const char *op, int64_t to_ms)
{
    json_open(out, '{');
    json_kv_string(out, "op", op);
    json_kv_int(out, "to_ms", to_ms);
}

static int send_files(struct session *session,
                      const struct play_file_row *files,
                      size_t n,
                      struct err *reterr)
{
    STR_AUTO struct str line = STR_INIT(DESK_LINE_BYTES_MAX);
    STR_AUTO struct str bytes = STR_INIT(DESK_LOAD_BYTES_MAX);
    STR_AUTO struct str body = STR_INIT(ANSWER_BYTES_MAX);
    struct json_out out = JSON_OUT(&line);

    open_request(&out, "load", 0);
    json_kv_string(&out, "seed", session->row.seed);
    json_key(&out, "files");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&out, '{');
        json_kv_string(&out, "what", files[i].what);
        json_kv_string(&out, "name", files[i].name);
        json_kv_int(&out, "bytes", (int64_t)files[i].len);
        json_close(&out, '}');
        str_addn(&bytes, files[i].bytes, files[i].len);
    }
    json_close(&out, ']');
    json_close(&out, '}');
    return ask(session, &line, &bytes, &body, reterr);
}

static int send_act(struct session *session, const struct play_act_row *act, struct err *reterr)
{
    STR_AUTO struct str line = STR_INIT(DESK_LINE_BYTES_MAX);
    STR_AUTO struct str body = STR_INIT(ANSWER_BYTES_MAX);
    struct json_out out = JSON_OUT(&line);

    open_request(&out, "act", act->at_ms);
    json_kv_int(&out, "n", act->n);
    json_kv_string(&out, act->is_inject ? "inject" : "act", act->kind);
    json_kv_string(&out, "id", act->id);
    json_kv_string(&out, "text", act->text);
    json_close(&out, '}');
    return ask(session, &line, NULL, &body, reterr);
}

static int feed(struct play *play, struct session *session, struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct play_file_row *files = NULL;
    struct play_act_row *acts = NULL;
    struct db_conn *conn = NULL;
    size_t n_files = 0, n_acts = 0;

    arena_init(&arena, 2 * DESK_LOAD_BYTES_MAX);

    int r = db_read_begin(play->db, &conn, reterr);

    if (r)
        return r;
    r = play_db_files(conn, session->id, &arena, &files, &n_files, reterr);
    if (r == 0)
        r = play_db_acts(conn, session->id, &arena, &acts, &n_acts, reterr);
    db_read_end(play->db, conn);
    if (r)
        return r;
    r = send_files(session, files, n_files, reterr);
    for (size_t i = 0; r == 0 && i < n_acts; i++)
        r = send_act(session, &acts[i], reterr);
    return r == 0 || r == GONE ? r : UNPLAYABLE;
}

/* Those that run have a ceiling of their own; others are looked at, and when they are many the one
 * that was not for the longest time is stopped. False: all of them are busy. */
static bool make_room(struct play *play)
{
    struct session *longest = NULL;

    if (atomic_load(&play->processes) < play->options.max_sessions + LOOKED_AT_MAX)
        return true;
    (void)pthread_mutex_lock(&play->lock);
    for (struct session *other = play->sessions; other; other = other->next)
        if (other->refs == 0 && other->process && !session_is(other, "running") &&
            (!longest || other->used_ms < longest->used_ms))
            longest = other;
    if (longest)
        session_park(play, longest);
    (void)pthread_mutex_unlock(&play->lock);
    return longest != NULL;
}

static int revive(struct play *play, struct session *session, struct err *reterr)
{
    if (!session_is(session, "running") && !make_room(play))
        return err_set(reterr, PLAY_E_BUSY, "too many drills are looked at: ask again in a moment");

    int r = process_start(play->program, &session->process, reterr);

    if (r) {
        struct err err = reterr ? *reterr : (struct err){0};

        return err_set(reterr, PLAY_E_BUSY, "%.200s: ask again in a moment", err.text);
    }
    atomic_fetch_add(&play->processes, 1);
    if (session->is_known)
        atomic_fetch_add(&play->revived, 1);
    else
        atomic_fetch_add(&play->started, 1);
    r = feed(play, session, reterr);
    if (r)
        session_park(play, session);
    return r;
}

/* --- What others call --------------------------------------------------------------------------------- */

/* It can't be played: what was done in it is kept. */
static int give_up(
    struct play *play, struct session *session, int why, const char *words, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(ERR_TEXT_MAX - 1);
    struct err err = {0};

    if (why == GONE)
        str_addf(&text, "the drill's process ended twice at the same place (%.120s)", words);
    else
        str_addf(&text, "the drill can't be loaded (%.160s)", words);
    if (session_is(session, "ended"))
        return err_set(reterr, PLAY_E_BROKEN, "%s", str_text(&text));
    (void)snprintf(session->error, sizeof(session->error),
                   "%.280s. What you did is kept: try it again, or end it and begin anew",
                   str_text(&text));
    atomic_fetch_add(&play->broken, 1);
    log_error(play->options.log, "play", "a drill can't be played",
              "session=%" PRId64 " drill=%s error=\"%s\"", session->id, session->row.drill,
              session->error);
    if (session_change(play, session, "broken", "", "broken", session->error, &err) != 0)
        log_error(play->options.log, "play", "cannot write drills.db", "error=\"%s\"", err.text);
    return err_set(reterr, PLAY_E_BROKEN, "%s", session->error);
}

/* Until here time flew: it goes on from the second in which the player was called. */
static void slow_down(struct play *play, struct session *session)
{
    char words[60];
    struct err err = {0};

    session->base_ms = session->slowed_ms = session->now_ms;
    session->base_mono_ms = clock_mono_ms();
    session->speed = session->row.slow_to;
    (void)snprintf(words, sizeof(words), "%s at %" PRId64 "x: somebody calls", session->state,
                   session->speed);
    if (session_change(play, session, session->state, "", "slowed", words, &err) != 0)
        log_error(play->options.log, "play", "cannot write drills.db", "error=\"%s\"", err.text);
}

int session_ask_at(struct play *play,
                   struct session *session,
                   int64_t at_ms,
                   const struct session_question *question,
                   struct str *ret_body,
                   struct err *reterr)
{
    STR_AUTO struct str line = STR_INIT(DESK_LINE_BYTES_MAX);
    bool heeds = session->row.slow_to && session->speed > session->row.slow_to;
    int64_t before = session->n_moments;
    struct err err = {0};
    int r = GONE;

    if (session_is(session, "broken"))
        return err_set(reterr, PLAY_E_BROKEN, "%s", session->error);
    str_addf(&line, "{\"op\":\"%s\",\"to_ms\":%" PRId64, question->op, at_ms);
    if (heeds)
        str_addf(&line, ",\"heed_ms\":%" PRId64, session->now_ms);
    str_addf(&line, "%s}", question->more ? question->more : "");
    for (int tries = 0; r == GONE && tries < 2; tries++) {
        r = session->process ? 0 : revive(play, session, &err);
        if (r == 0)
            r = ask(session, &line, NULL, ret_body, &err);
        if (r == GONE)
            session_park(play, session);
    }
    if (r == GONE || r == UNPLAYABLE)
        return give_up(play, session, r, err.text, reterr);
    if (session->paged_to < 0 && session->is_known) /* what came before, somebody was told of */
        session->paged_to = session->n_moments;
    if (session->was_called)
        slow_down(play, session);
    else if (session->n_moments != before)
        session_told(play, session);
    return r ? err_set(reterr, r, "%s", err.text) : 0;
}

int session_ask(struct play *play,
                struct session *session,
                const char *op,
                const char *more,
                struct str *ret_body,
                struct err *reterr)
{
    return session_ask_at(play, session, session_now_ms(session),
                          &(struct session_question){op, more}, ret_body, reterr);
}
