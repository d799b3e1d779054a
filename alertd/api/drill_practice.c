/*
 * Practice over time: which drills somebody played, and what the clocks said.
 */

#include <string.h>

#include "alertd/api/drills_call.h"

enum {
    ROWS_BYTES_MAX = 64 * 1024 * 1024
};

static void write_ms(struct json_out *out, const char *name, int64_t ms)
{
    if (ms == PRACTICE_UNKNOWN)
        return;
    json_key(out, name);
    if (ms == DRILL_NEVER)
        json_null(out);
    else
        json_int(out, ms);
}

static void write_run(const struct practice_run *run, struct json_out *out)
{
    json_open(out, '{');
    json_kv_int(out, "session", run->session);
    json_kv_time(out, "at", run->ended_ms);
    json_key(out, "clocks");
    json_open(out, '{');
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++)
        write_ms(out, drill_clock_name((enum drill_clock)i), run->clocks[i]);
    json_close(out, '}');
    json_close(out, '}');
}

static int write_drill(const struct api *api,
                       struct arena *arena,
                       const struct play_played_row *played,
                       const char *who,
                       struct json_out *out,
                       struct err *reterr)
{
    struct practice_run *runs = NULL;
    size_t n = 0;
    int r = play_runs(api->play, played->drill, arena, &runs, &n, reterr);

    if (r)
        return r;
    json_open(out, '{');
    json_kv_string(out, "drill", played->drill);
    json_kv_int(out, "n", played->n);
    json_kv_time(out, "last_at", played->last_ms);
    json_key(out, "runs");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        if (strcmp(runs[i].player, who) == 0)
            write_run(&runs[i], out);
    json_close(out, ']');
    json_key(out, "median");
    json_open(out, '{');
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++)
        write_ms(out, drill_clock_name((enum drill_clock)i),
                 practice_median(runs, n, (enum drill_clock)i));
    json_close(out, '}');
    json_close(out, '}');
    return 0;
}

static int write_practice(const struct api *api,
                          struct arena *arena,
                          const char *who,
                          struct json_out *out,
                          struct err *reterr)
{
    struct db *db = play_database(api->play);
    struct play_played_row *played = NULL;
    struct db_conn *conn = NULL;
    int64_t n_runs = 0, last_ms = 0;
    size_t n = 0;
    int r = db_read_begin(db, &conn, reterr);

    if (r)
        return r;
    r = play_db_played(conn, who, arena, &played, &n, reterr);
    db_read_end(db, conn);
    json_open(out, '{');
    json_kv_string(out, "who", who);
    json_key(out, "drills");
    json_open(out, '[');
    for (size_t i = 0; !r && i < n; i++) {
        n_runs += played[i].n;
        last_ms = played[i].last_ms > last_ms ? played[i].last_ms : last_ms;
        r = write_drill(api, arena, &played[i], who, out, reterr);
    }
    json_close(out, ']');
    json_key(out, "counters");
    json_open(out, '{');
    json_kv_int(out, "drills_done", (int64_t)n);
    json_kv_int(out, "runs", n_runs);
    json_kv_time(out, "last_at", last_ms);
    json_close(out, '}');
    json_close(out, '}');
    return r;
}

static void handle_practice(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    const char *who = http_query(request, "who");
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, ROWS_BYTES_MAX);
    if (!drills_ready(context, response))
        return;
    int r = write_practice(context, &arena, who && *who ? who : request->who.name, &out, &err);

    if (r)
        drills_fail(response, r, &err);
}

static const struct http_route routes[] = {
    {"GET", DRILLS_PATH "/practice", HTTP_SCOPE_READ, 0, handle_practice,
     "which drills somebody played, and what the clocks said over time"},
};

const struct api_table api_drill_practice_routes = {routes, sizeof(routes) / sizeof(routes[0])};
