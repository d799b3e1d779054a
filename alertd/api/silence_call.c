/*
 * Calls about silences, whatever they are spelled like. See silence_call.h.
 */

#include "alertd/api/silence_call.h"

#include <string.h>

#include "alertd/pager/pager.h"
#include "alertd/route/config.h"
#include "alertd/route/window.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    EXPIRED_SHOWN_MS = 5 * 24 * 3600 * 1000, /* as long as Alertmanager keeps them */
};

/* --- matchers --- */

static bool flag_or(
    const struct json *json, const char *key, bool fallback, int *r, struct err *err)
{
    bool value = fallback;

    if (*r == 0 && json_has(json, key))
        *r = json_get_bool(json, key, &value, err);
    return value;
}

static int one_matcher(const struct json *json,
                       size_t i,
                       struct route_matchers *matchers,
                       struct err *reterr)
{
    const char *name = NULL;
    const char *value = NULL;
    struct matcher matcher;
    int r = json_get_string(json, "name", &name, reterr);

    if (r == 0)
        r = json_get_string(json, "value", &value, reterr);

    bool is_regex = flag_or(json, "isRegex", false, &r, reterr);
    bool is_equal = flag_or(json, "isEqual", true, &r, reterr);
    enum matcher_type plain = is_equal ? MATCHER_EQUAL : MATCHER_NOT_EQUAL;
    enum matcher_type pattern = is_equal ? MATCHER_REGEX : MATCHER_NOT_REGEX;

    if (r)
        return r;
    if (!*name || !labels_text_ok(name, strlen(name)) || !labels_text_ok(value, strlen(value)))
        return err_set(reterr, SILENCE_CALL_E_MATCHER,
                       "invalid silence: invalid label matcher %zu in set 0: invalid label name "
                       "\"%.100s\"",
                       i, name);
    if (matchers->n >= SILENCE_MATCHERS_MAX)
        return err_set(reterr, SILENCE_CALL_E_MATCHER, "invalid silence: at most %d matchers",
                       SILENCE_MATCHERS_MAX);
    if (matcher_init(&matcher, is_regex ? pattern : plain, name, value, reterr))
        return err_prefix(reterr, SILENCE_CALL_E_MATCHER,
                          "invalid silence: invalid label matcher %zu in set 0: invalid regular "
                          "expression \"%.100s\": error parsing regexp",
                          i, value);
    matchers->at = mem_realloc(matchers->at, (matchers->n + 1) * sizeof(*matchers->at));
    matchers->at[matchers->n++] = matcher;
    return 0;
}

int silence_call_matchers(const struct json *array,
                          bool texts,
                          struct route_matchers *matchers,
                          struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_length(array); i++) {
        const char *text = texts ? json_text(json_at(array, i)) : NULL;

        if (!text)
            r = one_matcher(json_at(array, i), i, matchers, reterr);
        else if (route_matchers_parse(text, ROUTE_GRAMMAR_BOTH, matchers, NULL, reterr))
            r = err_prefix(reterr, SILENCE_CALL_E_MATCHER, "matchers[%zu]", i);
    }
    return r;
}

void silence_call_write_matchers(struct json_out *out, const struct silence_row *row)
{
    json_key(out, "matchers");
    json_open(out, '[');
    for (size_t i = 0; i < row->n_matchers; i++) {
        enum matcher_type type = row->matchers[i].type;

        json_open(out, '{');
        json_kv_bool(out, "isEqual", type == MATCHER_EQUAL || type == MATCHER_REGEX);
        json_kv_bool(out, "isRegex", type == MATCHER_REGEX || type == MATCHER_NOT_REGEX);
        json_kv_string(out, "name", row->matchers[i].name);
        json_kv_string(out, "value", row->matchers[i].value);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* --- windows --- */

static void forget_zones(void *object)
{
    zones_done(object);
}

/* One value of a body as text again: what has numbers and texts only. */
static void copy_json(const struct json *value, struct json_out *out)
{
    const struct json *member = NULL;
    const char *key = NULL;
    double number = 0;

    if (json_is_object(value)) {
        json_open(out, '{');
        for (size_t i = 0; json_member(value, i, &key, &member); i++) {
            json_key(out, key);
            copy_json(member, out);
        }
        json_close(out, '}');
    } else if (json_is_array(value)) {
        json_open(out, '[');
        for (size_t i = 0; i < json_length(value); i++)
            copy_json(json_at(value, i), out);
        json_close(out, ']');
    } else if (json_number(value, &number) == 0) {
        json_float(out, number);
    } else {
        json_string(out, json_text(value));
    }
}

static int read_window(const char *text,
                       bool is_line,
                       struct arena *arena,
                       const struct route_interval **ret_window,
                       struct err *reterr)
{
    struct route_interval *window = arena_alloc(arena, sizeof(*window));
    struct zones *zones = arena_alloc(arena, sizeof(*zones));

    if (!window || !zones || !arena_on_reset(arena, forget_zones, zones))
        return err_set(reterr, JSON_E_TYPE, "window: no room for it");
    if (is_line ? route_window_parse(text, arena, zones, window, reterr)
                : route_window_read(text, arena, zones, window, reterr))
        return is_line ? err_prefix(reterr, JSON_E_TYPE, "window") : JSON_E_TYPE;
    *ret_window = window;
    return 0;
}

int silence_call_window_line(const char *line,
                             struct arena *arena,
                             const struct route_interval **ret_window,
                             struct err *reterr)
{
    return read_window(line, true, arena, ret_window, reterr);
}

int silence_call_window(const struct json *body,
                        struct arena *arena,
                        const struct route_interval **ret_window,
                        struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(ROUTE_WINDOW_BYTES_MAX);
    struct json_out out = JSON_OUT(&text);
    const struct json *value = json_get(body, "window");

    if (!json_has(body, "window"))
        return 0;
    if (json_text(value))
        return read_window(json_text(value), true, arena, ret_window, reterr);
    copy_json(value, &out);
    if (text.full)
        return err_set(reterr, JSON_E_TYPE, "window: at most %d bytes", ROUTE_WINDOW_BYTES_MAX);
    return read_window(str_text(&text), false, arena, ret_window, reterr);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void write_next(struct json_out *out, const struct silence *silence, int64_t now_ms)
{
    struct route_stretch next[2];
    int64_t from_ms = now_ms > silence->starts_at_ms ? now_ms : silence->starts_at_ms - 1;
    int64_t until_ms = earlier(silence->ends_at_ms, from_ms + SILENCE_NEXT_LOOK_MS);
    size_t n = 0;

    /* it may begin in the midst of a stretch */
    if (now_ms < silence->starts_at_ms &&
        route_interval_holds(silence->window, silence->starts_at_ms)) {
        int64_t to_ms = route_interval_edge(silence->window, silence->starts_at_ms, until_ms);

        next[n++] = (struct route_stretch){silence->starts_at_ms, earlier(to_ms, until_ms)};
        from_ms = next[0].to_ms;
    }
    n += route_interval_ahead(silence->window, from_ms, until_ms, next + n, 2 - n);
    json_key(out, "next");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_time(out, "from", next[i].from_ms);
        json_kv_time(out, "to", next[i].to_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void silence_call_write_window(struct json_out *out, const struct silence *silence, int64_t now_ms)
{
    STR_AUTO struct str json = STR_INIT(ROUTE_WINDOW_BYTES_MAX);
    STR_AUTO struct str text = STR_INIT(ROUTE_WINDOW_BYTES_MAX);
    bool is_active = silence_state(silence, now_ms) == SILENCE_ACTIVE;
    int64_t until_ms = silence->ends_at_ms;

    json_key(out, "window");
    if (!silence->window) {
        json_null(out);
        return;
    }
    route_window_json(silence->window, &json);
    route_window_print(silence->window, &text);
    json_raw(out, str_text(&json));
    json_kv_string(out, "window_text", str_text(&text));
    if (is_active)
        until_ms = earlier(
            until_ms, route_interval_edge(silence->window, now_ms, now_ms + SILENCE_NEXT_LOOK_MS));
    json_kv_time(out, "muting_until", is_active && until_ms < SILENCE_NO_END_MS ? until_ms : 0);
    if (silence_span_state(silence, now_ms) != SILENCE_EXPIRED)
        write_next(out, silence, now_ms);
}

bool silence_call_passes(const struct route_matchers *filter, const struct silence_row *row)
{
    for (size_t i = 0; i < filter->n; i++) {
        const char *value = "";

        for (size_t k = 0; k < row->n_matchers; k++)
            if (strcmp(row->matchers[k].name, filter->at[i].name) == 0)
                value = row->matchers[k].value;
        if (!matcher_matches(&filter->at[i], value))
            return false;
    }
    return true;
}

/* --- changes --- */

struct change {
    const struct api *api;
    const struct silence_wish *wish;
    const char *id, *actor;
    int64_t ends_at_ms, now_ms;
    char made[SILENCE_ID_TEXT];
};

/* The pager reads them again with its next job, also when this one fails. */
static int job_set(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct change *change = arg;

    pager_silences_changed(change->api->pager);
    return silence_db_set(conn, change->wish, change->made, reterr);
}

static int job_expire(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct change *change = arg;

    pager_silences_changed(change->api->pager);
    return silence_db_expire(conn, change->id, change->actor, change->now_ms, reterr);
}

static int job_extend(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct change *change = arg;

    pager_silences_changed(change->api->pager);
    return silence_db_extend(conn, change->id, change->ends_at_ms, change->actor, change->now_ms,
                             reterr);
}

static int run(const struct api *api, db_job *job, struct change *change, struct err *reterr)
{
    change->api = api;
    change->now_ms = clock_wall_ms();
    int r = db_write(api->state, job, change, reterr);

    if (r == 0) {
        http_hub_publish(api->hub, "silences", "{}");
        api->wake(api->app, API_WAKE_OUTBOX);
    }
    return r;
}

int silence_call_set(const struct api *api,
                     const struct silence_wish *wish,
                     char *ret_id,
                     struct err *reterr)
{
    struct change change = {.wish = wish};
    int r = run(api, job_set, &change, reterr);

    if (r == 0)
        memcpy(ret_id, change.made, SILENCE_ID_TEXT);
    return r;
}

int silence_call_expire(const struct api *api,
                        const char *id,
                        const char *actor,
                        struct err *reterr)
{
    return run(api, job_expire, &(struct change){.id = id, .actor = actor}, reterr);
}

int silence_call_extend(const struct api *api,
                        const char *id,
                        int64_t ends_at_ms,
                        const char *actor,
                        struct err *reterr)
{
    return run(api, job_extend,
               &(struct change){.id = id, .actor = actor, .ends_at_ms = ends_at_ms}, reterr);
}

/* --- reading --- */

int silence_call_get(const struct api *api,
                     const char *id,
                     struct arena *arena,
                     struct silence_row *ret_row,
                     struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    r = silence_db_get(conn, id, arena, ret_row, reterr);
    db_read_end(api->state, conn);
    return r;
}

int silence_call_list(const struct api *api,
                      struct arena *arena,
                      struct silence_row **ret_rows,
                      size_t *ret_n,
                      struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(api->state, &conn, reterr);

    if (r)
        return r;
    r = silence_db_list(conn, clock_wall_ms() - EXPIRED_SHOWN_MS, arena, ret_rows, ret_n, reterr);
    db_read_end(api->state, conn);
    return r;
}
