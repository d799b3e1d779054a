/*
 * One drill as it is played: its state, clock, acts, notes, end and score.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/drills_call.h"

enum {
    VIEW_BYTES_MAX = 8 * 1024 * 1024,
};

/* --- state --------------------------------------------------------------------------------------------- */

static void write_clock(struct json_out *out, const struct play_view *view)
{
    json_key(out, "clock");
    json_open(out, '{');
    json_kv_int(out, "now_ms", view->row.at_ms);
    json_kv_int(out, "length_ms", view->row.length_ms);
    json_kv_int(out, "zero_ms", view->zero_ms);
    json_kv_int(out, "wall_ms", view->zero_ms + view->row.at_ms);
    json_kv_int(out, "lead_ms", view->lead_ms);
    json_kv_int(out, "speed", view->row.speed);
    json_kv_bool(out, "running", strcmp(view->row.state, "running") == 0);
    json_kv_int(out, "slow_to", view->row.slow_to);
    json_key(out, "slowed_at_ms");
    if (view->slowed_ms == INT64_MIN)
        json_null(out);
    else
        json_int(out, view->slowed_ms);
    if (view->sees_all)
        json_kv_int(out, "onset_ms", view->onset_ms);
    json_close(out, '}');
}

static void write_settings(struct json_out *out, const struct play_row *row)
{
    json_kv_bool(out, "page_me", row->page_me);
    json_kv_bool(out, "stop_for_pages", row->stops_for_pages);
}

static void write_notes(struct json_out *out, const struct play_view *view)
{
    json_key(out, "notes");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_notes; i++) {
        json_open(out, '{');
        json_kv_int(out, "at_ms", view->notes[i].at_ms);
        json_kv_string(out, "who", view->notes[i].who);
        json_kv_string(out, "text", view->notes[i].text);
        json_kv_bool(out, "private", view->notes[i].is_private);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_key(out, "members");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_members; i++) {
        json_open(out, '{');
        json_kv_string(out, "who", view->members[i].person);
        json_kv_string(out, "role", view->members[i].role);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_session(struct json_out *out, const struct play_view *view)
{
    json_kv_int(out, "id", view->row.id);
    json_kv_int(out, "version", view->version);
    json_kv_string(out, "drill", view->row.drill);
    json_kv_string(out, "title", view->row.title);
    json_kv_string(out, "mode", view->row.mode);
    json_key(out, "team");
    if (view->row.team)
        json_int(out, view->row.team);
    else
        json_null(out);
    json_kv_string(out, "state", view->row.state);
    json_kv_string(out, "role", play_role_name(view->role));
    json_kv_string(out, "player", view->row.player);
    json_kv_string(out, "by", view->row.made_by);
    json_kv_string(out, "seed", view->row.seed);
    json_kv_string(out, "rules", view->row.has_rules_of_now ? "now" : "then");
    write_settings(out, &view->row);
    if (view->row.error[0])
        json_kv_string(out, "error", view->row.error);
    if (strcmp(view->row.state, "broken") == 0)
        json_kv_bool(out, "can_retry", view->role != PLAY_WATCHER);
    if (view->paused_why[0])
        json_kv_string(out, "paused_why", view->paused_why);
    if (view->banner) {
        json_key(out, "banner");
        json_open(out, '{');
        json_kv_string(out, "text", view->banner);
        json_kv_string(out, "incident", view->banner_incident);
        json_close(out, '}');
    }
}

/* Both objects as one: the process's members behind ours. */
static void write_view(struct http_response *response,
                       const struct play_view *view,
                       const struct str *body)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    write_session(&out, view);
    write_clock(&out, view);
    write_notes(&out, view);
    if (body->len > 2) {
        str_addc(out.text, ',');
        str_addn(out.text, str_text(body) + 1, body->len - 2);
    }
    json_close(&out, '}');
}

static void handle_get(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    const char *since_text = http_query(request, "since");
    int64_t since = since_text && since_text[0] ? strtoll(since_text, NULL, 10) : -1;
    STR_AUTO struct str body = STR_INIT(PLAY_ANSWER_BYTES_MAX);
    struct play_view view = {0};
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t id = 0;

    arena_init(&arena, VIEW_BYTES_MAX);
    if (!drills_id(context, request, &id, response))
        return;

    int r = play_look(api->play, &(struct play_asked){id, request->who.name, since}, &arena, &view,
                      &body, &err);

    if (r) {
        drills_fail(response, r, &err);
    } else if (view.same) {
        STR_AUTO struct str now = STR_INIT(40);

        str_addf(&now, "%" PRId64, view.row.at_ms);
        response->status = 304;
        http_add_header(response, "Drill-Now-Ms",
                        arena_strndup(request->arena, str_text(&now), now.len));
    } else {
        write_view(response, &view, &body);
    }
}

/* --- clock ----------------------------------------------------------------------------------------------- */

static void reply_clock(const struct api *api,
                        int64_t id,
                        const char *who,
                        struct http_response *response)
{
    STR_AUTO struct str body = STR_INIT(PLAY_ANSWER_BYTES_MAX);
    struct json_out out = JSON_OUT(&response->body);
    struct play_view view = {0};
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, VIEW_BYTES_MAX);

    int r = play_look(api->play, &(struct play_asked){id, who, -1}, &arena, &view, &body, &err);

    if (r) {
        drills_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "state", view.row.state);
    json_kv_int(&out, "version", view.version);
    write_settings(&out, &view.row);
    write_clock(&out, &view);
    json_close(&out, '}');
}

static int read_clock(const struct json *body, struct play_clock *clock, struct err *reterr)
{
    const char *jump = NULL;
    int r = json_get_string_or(body, "state", NULL, &clock->state, reterr);

    if (r == 0)
        r = json_get_int_or(body, "speed", 0, &clock->speed, reterr);
    if (r == 0)
        r = json_get_string_or(body, "jump", NULL, &jump, reterr);
    if (r == 0 && jump && strcmp(jump, "onset") != 0)
        r = json_wrong(body, "jump", reterr, "'onset' is all one can jump to");
    if (r == 0 && json_has(body, "speed") && clock->speed < 1)
        r = json_wrong(body, "speed", reterr, "1 to %d", PLAY_SPEED_MAX);
    clock->to_onset = jump != NULL;
    return r;
}

static void handle_clock(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    static const char *const known[] = {"state", "speed", "jump", NULL};
    const struct api *api = context;
    struct play_clock clock = {0};
    struct json *body = NULL;
    struct err err = {0};
    int64_t id = 0;

    if (!drills_id(context, request, &id, response) ||
        !drills_body(request, known, &body, response))
        return;

    int r = read_clock(body, &clock, &err)
                ? PLAY_E_INVALID
                : play_clock(api->play, id, request->who.name, &clock, &err);

    if (r)
        drills_fail(response, r, &err);
    else
        reply_clock(api, id, request->who.name, response);
    json_free(body);
}

/* --- settings ------------------------------------------------------------------------------------------ */

struct chosen {
    struct play_settings settings;
    bool page_me, stops_for_pages;
};

static int read_settings(const struct json *body, struct chosen *chosen, struct err *reterr)
{
    struct play_settings *settings = &chosen->settings;
    int r = json_get_int_or(body, "slow_to", -1, &settings->slow_to, reterr);

    if (r == 0 && json_has(body, "slow_to") && settings->slow_to < 0)
        r = json_wrong(body, "slow_to", reterr, "0 (never) to %d", PLAY_SPEED_MAX);
    if (r == 0 && json_has(body, "page_me")) {
        r = json_get_bool(body, "page_me", &chosen->page_me, reterr);
        settings->page_me = &chosen->page_me;
    }
    if (r == 0 && json_has(body, "stop_for_pages")) {
        r = json_get_bool(body, "stop_for_pages", &chosen->stops_for_pages, reterr);
        settings->stops_for_pages = &chosen->stops_for_pages;
    }
    return r;
}

static void handle_settings(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    static const char *const known[] = {"page_me", "slow_to", "stop_for_pages", NULL};
    const struct api *api = context;
    struct chosen chosen = {0};
    struct json *body = NULL;
    struct err err = {0};
    int64_t id = 0;

    if (!drills_id(context, request, &id, response) ||
        !drills_body(request, known, &body, response))
        return;

    int r = read_settings(body, &chosen, &err)
                ? PLAY_E_INVALID
                : play_set(api->play, id, request->who.name, &chosen.settings, &err);

    if (r)
        drills_fail(response, r, &err);
    else
        reply_clock(api, id, request->who.name, response);
    json_free(body);
}

/* --- acts, injects, notes ---------------------------------------------------------------------------------- */

static void act(const struct api *api,
                struct http_request *request,
                bool is_inject,
                struct http_response *response)
{
    static const char *const known[] = {"kind", "id", "text", "key", NULL};
    STR_AUTO struct str moment = STR_INIT(PLAY_ANSWER_BYTES_MAX);
    struct json_out out = JSON_OUT(&response->body);
    struct play_deed deed = {.is_inject = is_inject};
    struct json *body = NULL;
    struct err err = {0};
    int64_t id = 0;

    if (!drills_id(api, request, &id, response) || !drills_body(request, known, &body, response))
        return;

    int r = 0;

    if (json_get_string(body, "kind", &deed.kind, &err) ||
        json_get_string_or(body, "id", NULL, &deed.id, &err) ||
        json_get_string_or(body, "text", NULL, &deed.text, &err) ||
        json_get_string_or(body, "key", NULL, &deed.key, &err))
        r = PLAY_E_INVALID;
    if (r == 0)
        r = play_act(api->play, id, request->who.name, &deed, &moment, &err);
    if (r) {
        drills_fail(response, r, &err);
    } else {
        json_open(&out, '{');
        json_key(&out, "moment");
        json_raw(&out, str_text(&moment));
        json_close(&out, '}');
    }
    json_free(body);
}

static void handle_act(void *context, struct http_request *request, struct http_response *response)
{
    act(context, request, false, response);
}

static void handle_inject(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    act(context, request, true, response);
}

/* What was asked for is done, and there is nothing to say. */
static void reply_nothing(struct http_response *response, int r, const struct err *err)
{
    if (r)
        drills_fail(response, r, err);
    else
        response->status = 204;
}

static void handle_note(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"text", "private", NULL};
    const struct api *api = context;
    const char *text = NULL;
    bool is_private = false;
    struct json *body = NULL;
    struct err err = {0};
    int64_t id = 0;

    if (!drills_id(context, request, &id, response) ||
        !drills_body(request, known, &body, response))
        return;

    int r = json_get_string(body, "text", &text, &err) ||
                    (json_has(body, "private") && json_get_bool(body, "private", &is_private, &err))
                ? PLAY_E_INVALID
                : play_note(api->play, id, request->who.name, text, is_private, &err);

    reply_nothing(response, r, &err);
    json_free(body);
}

static void handle_share_notes(void *context,
                               struct http_request *request,
                               struct http_response *response)
{
    const struct api *api = context;
    struct err err = {0};
    int64_t id = 0;

    if (!drills_id(context, request, &id, response))
        return;

    int r = play_share_notes(api->play, id, request->who.name, &err);

    reply_nothing(response, r, &err);
}

/* --- end, score --------------------------------------------------------------------------------------------- */

static void reply_score(const struct api *api,
                        int64_t id,
                        const char *who,
                        struct http_response *response)
{
    STR_AUTO struct str score = STR_INIT(PLAY_ANSWER_BYTES_MAX);
    struct err err = {0};
    int r = play_score(api->play, id, who, &score, &err);

    if (r)
        drills_fail(response, r, &err);
    else
        drills_reply(response, &score);
}

/* The end of one that was broken has no score. */
static void reply_end(const struct api *api,
                      int64_t id,
                      const char *who,
                      struct http_response *response)
{
    STR_AUTO struct str score = STR_INIT(PLAY_ANSWER_BYTES_MAX);
    struct json_out out = JSON_OUT(&response->body);
    struct err err = {0};
    int r = play_score(api->play, id, who, &score, &err);

    if (r == 0) {
        drills_reply(response, &score);
    } else if (r == PLAY_E_CONFLICT) {
        json_open(&out, '{');
        json_kv_bool(&out, "scored", false);
        json_kv_string(&out, "error", err.text);
        json_close(&out, '}');
    } else {
        drills_fail(response, r, &err);
    }
}

typedef int do_to(struct play *play, int64_t id, const char *who, struct err *reterr);
typedef void reply(const struct api *api,
                   int64_t id,
                   const char *who,
                   struct http_response *response);

static void do_and_reply(const struct api *api,
                         struct http_request *request,
                         do_to *do_it,
                         reply *say,
                         struct http_response *response)
{
    struct err err = {0};
    int64_t id = 0;

    if (!drills_id(api, request, &id, response))
        return;

    int r = do_it(api->play, id, request->who.name, &err);

    if (r)
        drills_fail(response, r, &err);
    else
        say(api, id, request->who.name, response);
}

static void handle_retry(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    do_and_reply(context, request, play_retry, reply_clock, response);
}

static void handle_end(void *context, struct http_request *request, struct http_response *response)
{
    do_and_reply(context, request, play_end, reply_end, response);
}

static void handle_score(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    int64_t id = 0;

    if (drills_id(context, request, &id, response))
        reply_score(context, id, request->who.name, response);
}

#define ONE DRILLS_PATH "/{id}"
static const struct http_route routes[] = {
    {"GET", ONE, HTTP_SCOPE_READ, 0, handle_get,
     "a drill as it is now; ?since=VERSION: 304 when it is that"},
    {"POST", ONE "/clock", HTTP_SCOPE_OPERATE, 0, handle_clock,
     "runs, pauses, speeds up, jumps to the onset"},
    {"POST", ONE "/settings", HTTP_SCOPE_OPERATE, 0, handle_settings,
     "whether time slows when something calls, whether pages are sent to who plays"},
    {"POST", ONE "/acts", HTTP_SCOPE_OPERATE, 0, handle_act, "what the player does"},
    {"POST", ONE "/injects", HTTP_SCOPE_OPERATE, 0, handle_inject, "what a game master brings in"},
    {"POST", ONE "/notes", HTTP_SCOPE_OPERATE, 0, handle_note, "a note of somebody who takes part"},
    {"POST", ONE "/notes/share", HTTP_SCOPE_OPERATE, 0, handle_share_notes,
     "shows a game master's private notes to all who see the drill, when it is over"},
    {"POST", ONE "/end", HTTP_SCOPE_OPERATE, 0, handle_end, "ends it and says what it came to"},
    {"POST", ONE "/retry", HTTP_SCOPE_OPERATE, 0, handle_retry,
     "tries one that is broken again: paused where it was"},
    {"GET", ONE "/score", HTTP_SCOPE_READ, 0, handle_score,
     "what it came to, by several clocks, and the truth"},
};

const struct api_table api_drills_play_routes = {routes, sizeof(routes) / sizeof(routes[0])};
