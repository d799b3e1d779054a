/*
 * Which past a rule is looked at over. See tuned_past.h.
 */

#include "alertd/api/tuned_past.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/tuning.h"
#include "alertd/db/play_db.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    LOOK_BYTES_MAX = 32 << 20,
    ROWS_BYTES_MAX = 64 << 20,
    SESSIONS_TOLD_MAX = 5, /* of a drill */
};
#define LAG_MS_MAX (24 * INT64_C(3600000))

/* --- a drill --- */

static int code_of(int play_code)
{
    switch (play_code) {
    case 0: return 0;
    case PLAY_E_NOT_FOUND:
    case LIBRARY_E_NOT_FOUND: return TUNED_E_NOT_FOUND;
    case PLAY_E_FORBIDDEN: return TUNED_E_FORBIDDEN;
    case PLAY_E_CONFLICT: return TUNED_E_CONFLICT;
    case PLAY_E_BUSY: return TUNED_E_BUSY;
    default: return TUNED_E_LIMIT;
    }
}

/* Where its trouble lies is what a player is to find. */
static int refuse_players(const struct api *api,
                          const char *who,
                          const char *name,
                          struct err *reterr)
{
    const struct play_filter filter = {.who = who, .drill = name};
    ARENA_AUTO struct arena arena;
    struct play_row *rows = NULL;
    struct db_conn *conn = NULL;
    size_t n = 0;

    arena_init(&arena, ROWS_BYTES_MAX);
    int r = db_read_begin(play_database(api->play), &conn, reterr);
    if (r)
        return r;
    r = play_db_list(conn, &filter, &arena, &rows, &n, reterr);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (strcmp(rows[i].state, "ended") != 0)
            r = err_set(reterr, TUNED_E_CONFLICT,
                        "drill: you are playing it (%lld): this would give away when its trouble "
                        "begins",
                        (long long)rows[i].id);
    db_read_end(play_database(api->play), conn);
    return r;
}

static bool has_no_time_left(const void *arg)
{
    const struct reading_source *limits = arg;

    return limits->is_given_up_fn(limits->given_up_arg) || limits->now_fn() >= limits->deadline_ms;
}

static struct drill_patience patience_of(const struct tuned_over *place)
{
    return (struct drill_patience){has_no_time_left, &place->reading};
}

/* Who has left reads no words. */
static int given_up(const struct tuned_over *place, struct err *reterr)
{
    const struct reading_source *limits = &place->reading;

    if (limits->is_given_up_fn(limits->given_up_arg))
        return err_set(reterr, -ECANCELED, "nobody waits for the drill any more");
    return err_set(
        reterr, TUNED_E_LATE,
        "drill: it could not be played within %d s: it is too long, or too much is in it",
        TUNED_DEADLINE_MS / 1000);
}

static int read_library(const struct api *api,
                        const char *name,
                        const struct tuned_over *place,
                        struct tuned_past *past,
                        struct err *reterr)
{
    const struct drill_patience patience = patience_of(place);
    const struct library_instead none = {0};
    int r = code_of(library_load(play_library(api->play), name, &none, &past->loaded, reterr));

    if (r)
        return r;
    if (drill_play_for(past->loaded.drill_case, NULL, 1, &patience, &past->played) != 0)
        return given_up(place, reterr);
    past->when = drill_past_of(past->loaded.drill_case, past->played.world);
    past->source = drill_world_source(past->played.world);
    past->name = mem_strdup(name);
    past->title = mem_strdup(past->loaded.drill_case->drill->title);
    (void)snprintf(past->key, sizeof(past->key), "%s", name);
    return 0;
}

static int read_session(const struct api *api,
                        const char *who,
                        int64_t id,
                        const struct tuned_over *place,
                        struct tuned_past *past,
                        struct err *reterr)
{
    const struct drill_patience patience = patience_of(place);
    STR_AUTO struct str body = STR_INIT(LOOK_BYTES_MAX);
    ARENA_AUTO struct arena arena;
    struct play_view view;

    arena_init(&arena, ROWS_BYTES_MAX);
    int r = code_of(
        play_look(api->play, &(struct play_asked){id, who, -1}, &arena, &view, &body, reterr));
    if (r)
        return r;
    if (strcmp(view.row.state, "ended") != 0 || !view.row.hash[0])
        return err_set(reterr, TUNED_E_CONFLICT,
                       "session: the drill is not over, or ended without a score: there is no past "
                       "of it to look at");
    r = play_replay(api->play, id, &patience, &past->replayed, reterr);
    if (r)
        return r == -ECANCELED ? given_up(place, reterr) : code_of(r);
    past->session = id;
    past->when = drill_past_of(past->replayed.drill_case, past->replayed.world);
    past->source = drill_world_source(past->replayed.world);
    past->name = mem_strdup(view.row.drill);
    past->title = mem_strdup(view.row.title);
    (void)snprintf(past->key, sizeof(past->key), "DRILL-%lld", (long long)id);
    return 0;
}

/* It is work as a reading is: as many at once, and what it takes is part of the question's time. name NULL: a
 * session. */
static int play(const struct api *api,
                const struct http_request *request,
                const char *name,
                int64_t session,
                struct tuned_past *past,
                struct err *reterr)
{
    struct tuned_over place;
    int r = tuned_over_begin(api, request, &place, reterr);

    if (r)
        return r;
    r = name ? read_library(api, name, &place, past, reterr)
             : read_session(api, request->who.name, session, &place, past, reterr);
    past->took_ms = TUNED_DEADLINE_MS - (place.reading.deadline_ms - place.reading.now_fn());
    tuned_over_done(&place);
    return r;
}

static int read_lag(const struct json *body, struct tuned_past *past, struct err *reterr)
{
    if (json_get_int_or(body, "ingest_lag_ms", 0, &past->lag_ms, reterr))
        return TUNED_E_BAD;
    if (past->lag_ms < 0 || past->lag_ms > LAG_MS_MAX)
        return err_set(reterr, TUNED_E_BAD, "ingest_lag_ms: milliseconds, 0 to a day");
    return 0;
}

int tuned_past_read(const struct api *api,
                    const struct http_request *request,
                    const struct json *body,
                    struct tuned_past *ret_past,
                    struct err *reterr)
{
    const char *name = NULL;
    int64_t session = 0;

    *ret_past = (struct tuned_past){.told = told_new()};
    int r = read_lag(body, ret_past, reterr);
    if (r)
        return r;
    if (json_get_string_or(body, "drill", NULL, &name, reterr) ||
        json_get_int_or(body, "session", 0, &session, reterr))
        return TUNED_E_BAD;
    if (!name && !json_has(body, "session"))
        return 0;
    if (name && json_has(body, "session"))
        return err_set(reterr, TUNED_E_BAD, "drill: say one of them, `drill` or `session`");
    if (!api->play)
        return err_set(reterr, TUNED_E_BUSY, "drills can't be played here");
    r = name ? refuse_players(api, request->who.name, name, reterr) : 0;
    if (r == 0)
        r = play(api, request, name, session, ret_past, reterr);
    ret_past->is_drill = r == 0;
    return r;
}

void tuned_past_done(struct tuned_past *past)
{
    if (past->played.world)
        drill_played_done(&past->played);
    library_loaded_done(&past->loaded);
    play_replayed_done(&past->replayed);
    told_free(past->told);
    free(past->name);
    free(past->title);
    *past = (struct tuned_past){0};
}

int tuned_past_times(const struct tuned_past *past,
                     const char *from,
                     const char *to,
                     int64_t *ret_from_ms,
                     int64_t *ret_to_ms,
                     struct err *reterr)
{
    if (!past->is_drill)
        return tuned_times(from, to, ret_from_ms, ret_to_ms, reterr);
    *ret_from_ms = past->when.from_ms;
    *ret_to_ms = past->when.to_ms;
    if ((from && *from && clock_parse_rfc3339(from, ret_from_ms)) ||
        (to && *to && clock_parse_rfc3339(to, ret_to_ms)))
        return err_set(reterr, TUNED_E_BAD, "from: expected times like 2026-11-03T02:10:00Z");
    if (*ret_from_ms < past->when.from_ms)
        *ret_from_ms = past->when.from_ms;
    if (*ret_to_ms > past->when.to_ms)
        *ret_to_ms = past->when.to_ms;
    return *ret_from_ms < *ret_to_ms
               ? 0
               : err_set(reterr, TUNED_E_BAD, "from: that is not within the drill");
}

/* --- reading --- */

int tuned_past_begin(const struct api *api,
                     const struct http_request *request,
                     const struct tuned_past *past,
                     struct tuned_over *ret,
                     struct err *reterr)
{
    int r = tuned_over_begin(api, request, ret, reterr);

    if (r)
        return r;
    ret->reading.told = past->told;
    if (past->is_drill) {
        ret->reading.deadline_ms -= past->took_ms;
        ret->source = past->source;
        ret->reading.at_once_fn = NULL; /* samples in memory are for one thread */
        ret->reading.lookback_ms = 0;   /* as the drill evaluates */
        ret->reader = reading_of_source(&ret->reading);
    } else {
        ret->store = ret->source;
        ret->telling = (struct told_of){&ret->store, past->told};
        ret->source = told_source(&ret->telling);
    }
    if (past->lag_ms > 0) {
        ret->late = (struct late){
            .source = &ret->source, .limits = ret->reading, .lag_ms = past->lag_ms};
        ret->reader = late_reader(&ret->late);
    }
    return 0;
}

struct source tuned_past_at(const struct api *api,
                            const struct tuned_past *past,
                            int64_t at_ms,
                            struct tuned_instant *instant)
{
    instant->store = past->is_drill ? past->source : store_source(api->store);
    instant->telling = (struct told_of){&instant->store, past->told};
    instant->source = told_source(&instant->telling);
    instant->late = (struct late){.source = &instant->source,
                                  .known_until_ms = at_ms - past->lag_ms};
    return late_source(&instant->late);
}

/* --- drills in which a rule's alert is expected, or is said to be quiet --- */

struct telling {
    const struct api *api;
    const char *who;
    struct arena arena;
    struct json_out out;
};

static int write_sessions(struct telling *telling, const char *drill, struct err *reterr)
{
    const struct play_filter filter = {.who = telling->who, .drill = drill, .state = "ended"};
    struct play_row *rows = NULL;
    struct db_conn *conn = NULL;
    size_t n = 0;
    size_t n_told = 0;
    int r = db_read_begin(play_database(telling->api->play), &conn, reterr);

    if (r)
        return r;
    r = play_db_list(conn, &filter, &telling->arena, &rows, &n, reterr);
    db_read_end(play_database(telling->api->play), conn);
    json_key(&telling->out, "sessions");
    json_open(&telling->out, '[');
    for (size_t i = 0; r == 0 && i < n && n_told < SESSIONS_TOLD_MAX; i++) {
        if (!rows[i].hash[0])
            continue;
        n_told++;
        json_open(&telling->out, '{');
        json_kv_int(&telling->out, "id", rows[i].id);
        json_kv_string(&telling->out, "player", rows[i].player);
        json_kv_time(&telling->out, "ended_at", rows[i].ended_ms);
        json_close(&telling->out, '}');
    }
    json_close(&telling->out, ']');
    return r;
}

static bool is_about(const struct library_drill *drill, const char *alert)
{
    for (size_t i = 0; i < drill->n_alerts; i++)
        if (strcmp(drill->alerts[i], alert) == 0)
            return true;
    return false;
}

static int write_drills(struct telling *telling, const char *alert, struct err *reterr)
{
    struct library_drill *drills = NULL;
    size_t n = 0;
    int r = library_list(play_library(telling->api->play), &telling->arena, &drills, &n, reterr);

    json_open(&telling->out, '{');
    json_key(&telling->out, "drills");
    json_open(&telling->out, '[');
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (drills[i].error || !is_about(&drills[i], alert))
            continue;
        json_open(&telling->out, '{');
        json_kv_string(&telling->out, "name", drills[i].name);
        json_kv_string(&telling->out, "title", drills[i].title);
        r = write_sessions(telling, drills[i].name, reterr);
        json_close(&telling->out, '}');
    }
    json_close(&telling->out, ']');
    json_close(&telling->out, '}');
    return r;
}

void tuned_past_drills(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct telling telling = {
        .api = api, .who = request->who.name, .out = JSON_OUT(&response->body)};
    const char *text = http_query(request, "rule");
    struct tuned_rule tuned = {0};
    struct err err = {0};
    char *end = NULL;
    long long id = text ? strtoll(text, &end, 10) : 0;
    int r = 0;

    arena_init(&telling.arena, ROWS_BYTES_MAX);
    if (id < 1 || *end)
        r = err_set(&err, TUNED_E_BAD, "rule: the id of a rule");
    if (r == 0)
        r = tuned_rule_by_id(api, id, &tuned, &err);
    if (r == 0 && !api->play)
        r = err_set(&err, TUNED_E_BUSY, "drills can't be played here");
    if (r == 0)
        r = write_drills(&telling, tuned.rule->name, &err);
    if (r) {
        str_cut(&response->body, 0);
        tuned_fail(response, NULL, r, &err);
    }
    tuned_rule_done(&tuned);
    arena_reset(&telling.arena);
}
