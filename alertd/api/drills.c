/*
 * Drills: which there are, who plays them, and beginning one.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/api/drill_incident.h"
#include "alertd/api/drills_call.h"

enum {
    LIST_BYTES_MAX = 64 * 1024 * 1024,
};

/* --- the library ------------------------------------------------------------------------------------- */

/* What one did before: one's own alone. */
struct before {
    struct play_played_row *played;
    struct play_best_row *best;
    size_t n_played, n_best;
};

/* NULL: never to its end. */
static const struct play_played_row *find_played(const struct before *before, const char *drill)
{
    for (size_t i = 0; i < before->n_played; i++)
        if (strcmp(before->played[i].drill, drill) == 0)
            return &before->played[i];
    return NULL;
}

static void kv_or_null(struct json_out *out, const char *name, bool known, int64_t value)
{
    json_key(out, name);
    if (known)
        json_int(out, value);
    else
        json_null(out);
}

static void write_best(struct json_out *out,
                       const struct library_drill *drill,
                       const struct before *before,
                       enum drill_clock clock)
{
    int64_t limit_ms = drill->clock_limits[clock];
    const struct play_best_row *best = NULL;

    for (size_t i = 0; i < before->n_best; i++)
        if (strcmp(before->best[i].drill, drill->name) == 0 &&
            strcmp(before->best[i].clock, drill_clock_name(clock)) == 0)
            best = &before->best[i];

    bool reached = best && !best->never;

    if (!reached && limit_ms == INT64_MAX)
        return;
    json_open(out, '{');
    json_kv_string(out, "clock", drill_clock_name(clock));
    kv_or_null(out, "ms", reached, reached ? best->value_ms : 0);
    kv_or_null(out, "limit_ms", limit_ms != INT64_MAX, limit_ms);
    json_key(out, "met");
    if (limit_ms == INT64_MAX)
        json_null(out);
    else
        json_bool(out, reached && best->value_ms <= limit_ms);
    json_close(out, '}');
}

/* Limits say what matters in a drill: only who has played it is told. */
static void write_played(struct json_out *out,
                         const struct library_drill *drill,
                         const struct before *before)
{
    const struct play_played_row *row = find_played(before, drill->name);

    json_key(out, "played");
    json_open(out, '{');
    json_kv_int(out, "n", row ? row->n : 0);
    kv_or_null(out, "last_at_ms", row != NULL, row ? row->last_ms : 0);
    kv_or_null(out, "last_id", row != NULL, row ? row->last_id : 0);
    json_key(out, "best");
    json_open(out, '[');
    for (size_t i = 0; row && i < DRILL_N_CLOCKS; i++)
        write_best(out, drill, before, (enum drill_clock)i);
    json_close(out, ']');
    json_close(out, '}');
}

/* Of what it is made: whoever looks that up knows what happened, so only who has played it is told. */
static void write_origin(struct json_out *out, const struct library_drill *drill, bool is_told)
{
    json_kv_bool(out, "real", drill->reconstructed != NULL);
    json_kv_string(out, "reconstructed", is_told ? drill->reconstructed : NULL);
    json_key(out, "sources");
    json_open(out, '[');
    for (size_t i = 0; is_told && i < drill->n_sources; i++)
        json_string(out, drill->sources[i]);
    json_close(out, ']');
}

static void write_drill(struct json_out *out,
                        const struct library_drill *drill,
                        const struct before *before)
{
    json_open(out, '{');
    json_kv_string(out, "name", drill->name);
    json_kv_string(out, "title", drill->title);
    json_kv_string(out, "level", drill->level);
    json_kv_int(out, "path", drill->path);
    json_kv_string(out, "teaches", drill->teaches);
    json_kv_string(out, "brief", drill->brief);
    json_kv_int(out, "length_ms", drill->length_ms);
    write_origin(out, drill, find_played(before, drill->name) != NULL);
    json_kv_string(out, "kind", drill->is_tabletop ? "tabletop" : "drill");
    json_kv_bool(out, "own", drill->is_own);
    if (drill->error)
        json_kv_string(out, "error", drill->error);
    write_played(out, drill, before);
    json_close(out, '}');
}

static int read_before(const struct api *api,
                       const char *who,
                       struct arena *arena,
                       struct before *before,
                       struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(play_database(api->play), &conn, reterr);

    if (r)
        return r;
    r = play_db_played(conn, who, arena, &before->played, &before->n_played, reterr);
    if (r == 0)
        r = play_db_best(conn, who, arena, &before->best, &before->n_best, reterr);
    db_read_end(play_database(api->play), conn);
    return r;
}

static void handle_library(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct library_drill *drills = NULL;
    struct before before = {0};
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, LIST_BYTES_MAX);
    if (!drills_ready(api, response))
        return;

    int r = library_list(play_library(api->play), &arena, &drills, &n, &err);

    if (r == 0)
        r = read_before(api, request->who.name, &arena, &before, &err);
    if (r) {
        drills_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "drills");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_drill(&out, &drills[i], &before);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- beginning one ------------------------------------------------------------------------------------- */

struct beginning {
    struct play_start start;
    bool as_now;
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
    const char *when = "at_once", *rules = "then";
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
        r = json_get_string_or(body, "rules", "then", &rules, reterr);
    if (r == 0 && strcmp(rules, "then") != 0 && strcmp(rules, "now") != 0)
        r = json_wrong(body, "rules", reterr, "'then' or 'now'");
    beginning->as_now = strcmp(rules, "now") == 0;
    if (r == 0)
        r = json_get_int_or(body, "slow_to", -1, &start->slow_to, reterr);
    if (r == 0 && json_has(body, "slow_to") && start->slow_to < 0)
        r = json_wrong(body, "slow_to", reterr, "0 (never) to %d", PLAY_SPEED_MAX);
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
    static const char *const known[] = {"drill",   "mode",    "speed", "seed",
                                        "players", "page_me", "start", "stop_for_pages",
                                        "slow_to", "rules",   NULL};
    const struct api *api = context;
    struct beginning beginning = {.start = {.by = request->who.name}};
    STR_AUTO struct str rules = STR_INIT(DRILL_OWN_FILE_MAX);
    int64_t ids[PLAY_PLAYERS_MAX];
    struct json *body = NULL;
    struct err err = {0};
    size_t n = 0;

    if (!drills_ready(api, response) || !drills_body(request, known, &body, response))
        return;

    int r = read_start(body, &beginning, &err) ? PLAY_E_INVALID : 0;

    if (r == 0 && beginning.as_now) {
        if (!drill_incident_rules_now(api, beginning.start.drill, &rules, response)) {
            json_free(body);
            return;
        }
        beginning.start.rules_of_now = (struct library_instead){DRILL_FROM_RULES, str_text(&rules),
                                                                rules.len};
    }
    if (r == 0)
        r = play_start(api->play, &beginning.start, ids, &n, &err);
    if (r)
        drills_fail(response, r, &err);
    else
        write_ids(response, ids, n);
    json_free(body);
}

/* --- sessions ------------------------------------------------------------------------------------------- */

struct listed {
    struct play_row *rows;
    struct play_result_row *results; /* in the order of the rows */
    size_t n, n_results;
};

static void write_results(struct json_out *out,
                          const char *key,
                          const struct play_result_row *results,
                          size_t n,
                          bool clocks)
{
    json_key(out, key);
    json_open(out, '{');
    for (size_t i = 0; i < n; i++)
        if (results[i].is_clock == clocks)
            kv_or_null(out, results[i].name, !results[i].never, results[i].value);
    json_close(out, '}');
}

/* From *at on those of the session, if any: there are none when it is not over, or others played it. */
static void write_score(struct json_out *out, const struct listed *listed, int64_t id, size_t *at)
{
    size_t n = 0;

    while (*at < listed->n_results && listed->results[*at].session > id)
        ++*at; /* of one that is not listed */
    while (*at + n < listed->n_results && listed->results[*at + n].session == id)
        n++;
    if (n == 0)
        return;
    json_key(out, "score");
    json_open(out, '{');
    write_results(out, "clocks", listed->results + *at, n, true);
    write_results(out, "counts", listed->results + *at, n, false);
    json_close(out, '}');
    *at += n;
}

static void write_session(struct json_out *out,
                          const struct listed *listed,
                          const struct play_row *row,
                          size_t *at)
{
    json_open(out, '{');
    json_kv_int(out, "id", row->id);
    json_kv_string(out, "drill", row->drill);
    json_kv_string(out, "title", row->title);
    json_kv_string(out, "mode", row->mode);
    kv_or_null(out, "team", row->team != 0, row->team);
    json_kv_string(out, "state", row->state);
    json_kv_string(out, "player", row->player);
    json_kv_string(out, "by", row->made_by);
    json_kv_string(out, "seed", row->seed);
    json_kv_int(out, "at_ms", row->at_ms);
    json_kv_int(out, "length_ms", row->length_ms);
    json_kv_int(out, "started_at_ms", row->made_ms);
    kv_or_null(out, "ended_at_ms", row->ended_ms != 0, row->ended_ms);
    if (row->hash[0])
        json_kv_string(out, "hash", row->hash);
    if (row->error[0])
        json_kv_string(out, "error", row->error);
    write_score(out, listed, row->id, at);
    json_close(out, '}');
}

static int read_listed(const struct api *api,
                       const char *who,
                       const struct play_filter *filter,
                       struct arena *arena,
                       struct listed *listed,
                       struct err *reterr)
{
    struct db *db = play_database(api->play);
    struct db_conn *conn = NULL;
    int r = db_read_begin(db, &conn, reterr);

    if (r)
        return r;
    r = play_db_list(conn, filter, arena, &listed->rows, &listed->n, reterr);
    if (r == 0 && listed->n)
        r = play_db_scores(
            conn, &(struct play_scores_of){who, listed->rows[listed->n - 1].id, listed->rows[0].id},
            arena, &listed->results, &listed->n_results, reterr);
    db_read_end(db, conn);
    return r;
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
    struct listed listed = {0};
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t at = 0;

    arena_init(&arena, LIST_BYTES_MAX);
    if (!drills_ready(api, response))
        return;

    int r = read_listed(api, request->who.name, &filter, &arena, &listed, &err);

    if (r) {
        drills_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "sessions");
    json_open(&out, '[');
    for (size_t i = 0; i < listed.n; i++)
        write_session(&out, &listed, &listed.rows[i], &at);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* To look is to read; to play is to act, as elsewhere: it is written down under a name, takes a
 * process, and may send its pages to who plays. */
static const struct http_route routes[] = {
    {"GET", DRILLS_PATH "/library", HTTP_SCOPE_READ, 0, handle_library,
     "incidents to practise on, in the order of their path"},
    {"POST", DRILLS_PATH, HTTP_SCOPE_OPERATE, 0, handle_start, "begins a drill"},
    {"GET", DRILLS_PATH, HTTP_SCOPE_READ, 0, handle_list,
     "drills that are and were played: ?who=me|all|NAME ?drill= ?state="},
};

const struct api_table api_drills_routes = {routes, sizeof(routes) / sizeof(routes[0])};
