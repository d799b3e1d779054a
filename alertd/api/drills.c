/*
 * Drills: which there are, who plays them, and beginning one.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/api/drills_call.h"

enum {
    LIST_BYTES_MAX = 64 * 1024 * 1024,
};

/* --- the library ------------------------------------------------------------------------------------- */

static void write_played(struct json_out *out,
                         const char *drill,
                         const struct play_played_row *rows,
                         size_t n)
{
    const struct play_played_row *row = NULL;

    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].drill, drill) == 0)
            row = &rows[i];
    json_key(out, "played");
    json_open(out, '{');
    json_kv_int(out, "n", row ? row->n : 0);
    json_key(out, "last_at_ms");
    if (row)
        json_int(out, row->last_ms);
    else
        json_null(out);
    json_close(out, '}');
}

static void write_drill(struct json_out *out,
                        const struct library_drill *drill,
                        const struct play_played_row *played,
                        size_t n_played)
{
    json_open(out, '{');
    json_kv_string(out, "name", drill->name);
    json_kv_string(out, "title", drill->title);
    json_kv_string(out, "level", drill->level);
    json_kv_int(out, "path", drill->path);
    json_kv_string(out, "teaches", drill->teaches);
    json_kv_string(out, "brief", drill->brief);
    json_kv_int(out, "length_ms", drill->length_ms);
    json_kv_string(out, "reconstructed", drill->reconstructed);
    json_key(out, "sources");
    json_open(out, '[');
    for (size_t i = 0; i < drill->n_sources; i++)
        json_string(out, drill->sources[i]);
    json_close(out, ']');
    json_kv_string(out, "kind", drill->is_tabletop ? "tabletop" : "drill");
    json_kv_bool(out, "own", drill->is_own);
    if (drill->error)
        json_kv_string(out, "error", drill->error);
    write_played(out, drill->name, played, n_played);
    json_close(out, '}');
}

static int read_played(const struct api *api,
                       const char *who,
                       struct arena *arena,
                       struct play_played_row **ret_rows,
                       size_t *ret_n,
                       struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(play_database(api->play), &conn, reterr);

    if (r)
        return r;
    r = play_db_played(conn, who, arena, ret_rows, ret_n, reterr);
    db_read_end(play_database(api->play), conn);
    return r;
}

static void handle_library(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct play_played_row *played = NULL;
    struct library_drill *drills = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0, n_played = 0;

    arena_init(&arena, LIST_BYTES_MAX);
    if (!drills_ready(api, response))
        return;

    int r = library_list(play_library(api->play), &arena, &drills, &n, &err);

    if (r == 0)
        r = read_played(api, request->who.name, &arena, &played, &n_played, &err);
    if (r) {
        drills_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "drills");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_drill(&out, &drills[i], played, n_played);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- beginning one ------------------------------------------------------------------------------------- */

struct beginning {
    struct play_start start;
    const char *players[PLAY_PLAYERS_MAX];
};

static int read_players(const struct json *body, struct beginning *beginning, struct err *reterr)
{
    const struct json *players = NULL;

    if (!json_has(body, "players"))
        return 0;
    if (json_get_array(body, "players", &players, reterr) != 0)
        return JSON_E_TYPE;
    if (json_length(players) > PLAY_PLAYERS_MAX)
        return json_wrong(body, "players", reterr, "%d at most", PLAY_PLAYERS_MAX);
    for (size_t i = 0; i < json_length(players); i++) {
        beginning->players[i] = json_text(json_at(players, i));
        if (!beginning->players[i])
            return json_wrong(body, "players", reterr, "expected names");
    }
    beginning->start.players = beginning->players;
    beginning->start.n_players = json_length(players);
    return 0;
}

static int read_bool(const struct json *body, const char *key, bool *ret, struct err *reterr)
{
    return json_has(body, key) ? json_get_bool(body, key, ret, reterr) : 0;
}

static int read_start(const struct json *body, struct beginning *beginning, struct err *reterr)
{
    struct play_start *start = &beginning->start;
    const char *when = "at_once";
    int64_t seed = 0;
    int r = json_get_string(body, "drill", &start->drill, reterr);

    if (r == 0)
        r = json_get_string_or(body, "mode", "solo", &start->mode, reterr);
    if (r == 0)
        r = json_get_int_or(body, "speed", 1, &start->speed, reterr);
    if (r == 0)
        r = json_get_int_or(body, "seed", 0, &seed, reterr);
    if (r == 0 && seed < 0)
        r = json_wrong(body, "seed", reterr, "0 or more");
    if (r == 0)
        r = json_get_string_or(body, "start", "at_once", &when, reterr);
    if (r == 0 && strcmp(when, "at_once") != 0 && strcmp(when, "paused") != 0)
        r = json_wrong(body, "start", reterr, "'at_once' or 'paused'");
    if (r == 0)
        r = read_bool(body, "page_me", &start->page_me, reterr);
    if (r == 0)
        r = read_bool(body, "stop_for_pages", &start->stops_for_pages, reterr);
    start->has_seed = json_has(body, "seed");
    start->seed = (uint64_t)seed;
    start->is_paused = strcmp(when, "paused") == 0;
    return r ? r : read_players(body, beginning, reterr);
}

static void write_ids(struct http_response *response, const int64_t *ids, size_t n)
{
    struct json_out out = JSON_OUT(&response->body);

    response->status = 201;
    json_open(&out, '{');
    json_kv_int(&out, "id", ids[0]);
    json_key(&out, "ids");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        json_int(&out, ids[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

static void handle_start(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    static const char *const known[] = {"drill",   "mode",  "speed",          "seed", "players",
                                        "page_me", "start", "stop_for_pages", NULL};
    const struct api *api = context;
    struct beginning beginning = {.start = {.by = request->who.name}};
    int64_t ids[PLAY_PLAYERS_MAX];
    struct json *body = NULL;
    struct err err = {0};
    size_t n = 0;

    if (!drills_ready(api, response) || !drills_body(request, known, &body, response))
        return;

    int r = read_start(body, &beginning, &err)
                ? PLAY_E_INVALID
                : play_start(api->play, &beginning.start, ids, &n, &err);

    if (r)
        drills_fail(response, r, &err);
    else
        write_ids(response, ids, n);
    json_free(body);
}

/* --- sessions ------------------------------------------------------------------------------------------- */

static void kv_ms(struct json_out *out, const char *name, int64_t at_ms)
{
    json_key(out, name);
    if (at_ms)
        json_int(out, at_ms);
    else
        json_null(out);
}

static void write_session(struct json_out *out, const struct play_row *row)
{
    json_open(out, '{');
    json_kv_int(out, "id", row->id);
    json_kv_string(out, "drill", row->drill);
    json_kv_string(out, "title", row->title);
    json_kv_string(out, "mode", row->mode);
    kv_ms(out, "team", row->team);
    json_kv_string(out, "state", row->state);
    json_kv_string(out, "player", row->player);
    json_kv_string(out, "by", row->made_by);
    json_kv_string(out, "seed", row->seed);
    json_kv_int(out, "at_ms", row->at_ms);
    json_kv_int(out, "length_ms", row->length_ms);
    json_kv_int(out, "started_at_ms", row->made_ms);
    kv_ms(out, "ended_at_ms", row->ended_ms);
    if (row->hash[0])
        json_kv_string(out, "hash", row->hash);
    if (row->error[0])
        json_kv_string(out, "error", row->error);
    json_close(out, '}');
}

static void handle_list(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    const char *who = http_query(request, "who");
    const struct play_filter filter = {
        .who = !who || !who[0] || strcmp(who, "me") == 0 ? request->who.name
               : strcmp(who, "all") == 0                 ? NULL
                                                         : who,
        .drill = http_query(request, "drill"),
        .state = http_query(request, "state"),
    };
    struct json_out out = JSON_OUT(&response->body);
    struct play_row *rows = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, LIST_BYTES_MAX);
    if (!drills_ready(api, response))
        return;

    int r = db_read_begin(play_database(api->play), &conn, &err);

    if (r == 0) {
        r = play_db_list(conn, &filter, &arena, &rows, &n, &err);
        db_read_end(play_database(api->play), conn);
    }
    if (r) {
        drills_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "sessions");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_session(&out, &rows[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* Who may read may practise: nothing that a drill does reaches anybody or anything live. */
static const struct http_route routes[] = {
    {"GET", DRILLS_PATH "/library", HTTP_SCOPE_READ, 0, handle_library,
     "incidents to practise on, in the order of their path"},
    {"POST", DRILLS_PATH, HTTP_SCOPE_READ, 0, handle_start, "begins a drill"},
    {"GET", DRILLS_PATH, HTTP_SCOPE_READ, 0, handle_list,
     "drills that are and were played: ?who=me|all|NAME ?drill= ?state="},
};

const struct api_table api_drills_routes = {routes, sizeof(routes) / sizeof(routes[0])};
