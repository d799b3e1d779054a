/*
 * Silences, as Alertmanager lists and takes them. See am.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/alerts_in.h"
#include "alertd/api/am.h"
#include "alertd/api/rules.h"
#include "alertd/api/silence_call.h"
#include "alertd/route/window.h"
#include "lib/base/clock.h"

enum {
    READ_BYTES_MAX = 64 * 1024 * 1024,
    WINDOW_ARENA_BYTES_MAX = 1024 * 1024,
    CODE_REQUIRED = 602,
    CODE_TYPE = 601,
};

/* The annotation that a window is, for clients that know of none. */
static const char window_annotation[] = "watchbill_window";

static void fail(struct http_response *response, int result, const struct err *err)
{
    switch (result) {
    case SILENCE_DB_E_NOT_FOUND: am_say(response, 404, "%s", err->text); break;
    case SILENCE_DB_E_INVALID:
    case SILENCE_CALL_E_MATCHER: am_say(response, 400, "%s", err->text); break;
    default: am_say(response, 500, "%s", err->text);
    }
}

static bool is_uuid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (strlen(text) != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return true;
}

static bool check_id(const char *id, struct http_response *response)
{
    if (is_uuid(id))
        return true;
    am_refuse(response, 422, CODE_TYPE, "silenceID in path must be of type uuid: \"%.100s\"", id);
    return false;
}

/* --- out --- */

static void write_annotations(struct json_out *out, const struct silence_row *row)
{
    STR_AUTO struct str window = STR_INIT(ROUTE_WINDOW_BYTES_MAX);

    if (row->annotations->n == 0 && !row->silence.window)
        return;
    json_key(out, "annotations");
    json_open(out, '{');
    for (size_t i = 0; i < row->annotations->n; i++)
        json_kv_string(out, row->annotations->at[i].name, row->annotations->at[i].value);
    if (row->silence.window) {
        route_window_print(row->silence.window, &window);
        json_kv_string(out, window_annotation, str_text(&window));
    }
    json_close(out, '}');
}

static void write_silence(struct json_out *out, const struct silence_row *row, int64_t now_ms)
{
    json_open(out, '{');
    json_kv_string(out, "id", row->silence.id);
    json_key(out, "status");
    json_open(out, '{');
    json_kv_string(out, "state", silence_state_name(silence_state(&row->silence, now_ms)));
    json_close(out, '}');
    json_kv_time(out, "updatedAt", row->updated_ms);
    write_annotations(out, row);
    json_kv_string(out, "comment", row->comment);
    json_kv_string(out, "createdBy", row->created_by);
    json_kv_time(out, "endsAt", row->silence.ends_at_ms);
    silence_call_write_matchers(out, row);
    json_kv_time(out, "startsAt", row->silence.starts_at_ms);
    json_close(out, '}');
}

/* A row with its place in the list: active ones by their end, pending by their start, expired
 * ones the newest end first. */
struct placed {
    const struct silence_row *row;
    unsigned rank;
    int64_t at_ms;
};

static int by_place(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return (a->row->created_ms > b->row->created_ms) - (a->row->created_ms < b->row->created_ms);
}

static struct placed place(const struct silence_row *row, int64_t now_ms)
{
    switch (silence_state(&row->silence, now_ms)) {
    case SILENCE_ACTIVE: return (struct placed){row, 0, row->silence.ends_at_ms};
    case SILENCE_PENDING: return (struct placed){row, 1, row->silence.starts_at_ms};
    case SILENCE_EXPIRED: break;
    }
    return (struct placed){row, 2, -row->silence.ends_at_ms};
}

static bool wants_state(const struct http_request *request,
                        const struct silence_row *row,
                        int64_t now_ms)
{
    return am_read_flag(request, silence_state_name(silence_state(&row->silence, now_ms)));
}

void am_get_silences(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct route_matchers filter = {0};
    struct silence_row *rows = NULL;
    int64_t now_ms = clock_wall_ms();
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!am_read_filter(request, "filter", &filter, response)) {
        route_matchers_done(&filter);
        return;
    }
    int r = silence_call_list(api, &arena, &rows, &n, &err);
    struct placed *placed = r ? NULL : arena_array(&arena, n + 1, sizeof(*placed));

    if (r || !placed) {
        am_say(response, 500, "%s", r ? err.text : "too many silences for one answer");
    } else {
        for (size_t i = 0; i < n; i++)
            placed[i] = place(&rows[i], now_ms);
        qsort(placed, n, sizeof(*placed), by_place);
        json_open(&out, '[');
        for (size_t i = 0; i < n; i++)
            if (silence_call_passes(&filter, placed[i].row) &&
                wants_state(request, placed[i].row, now_ms))
                write_silence(&out, placed[i].row, now_ms);
        json_close(&out, ']');
    }
    route_matchers_done(&filter);
}

void am_get_silence(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct silence_row row;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (!check_id(request->path_args[0], response))
        return;
    int r = silence_call_get(api, request->path_args[0], &arena, &row, &err);

    if (r == SILENCE_DB_E_NOT_FOUND)
        response->status = 404;
    else if (r)
        fail(response, r, &err);
    else
        write_silence(&out, &row, clock_wall_ms());
}

void am_delete_silence(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct err err = {0};

    if (!check_id(request->path_args[0], response))
        return;
    int r = silence_call_expire(api, request->path_args[0], request->who.name, &err);

    if (r == SILENCE_DB_E_NOT_FOUND)
        response->status = 404;
    else if (r)
        fail(response, r, &err);
}

/* --- in --- */

static bool refuse_body(struct http_response *response, const char *words)
{
    am_refuse(response, 400, 400, "parsing silence body from \"\" failed, because %s", words);
    return false;
}

/* What the framework's schema asks for. */
static bool check_members(const struct json *body, struct http_response *response)
{
    static const char *const needed[] = {"comment", "createdBy", "endsAt", "matchers", "startsAt"};
    const struct json *matchers = NULL;
    struct err err = {0};

    if (!json_is_object(body))
        return refuse_body(response, "a silence is an object");
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!json_has(body, needed[i])) {
            am_refuse(response, 422, CODE_REQUIRED, "silence.%s in body is required", needed[i]);
            return false;
        }
    if (json_get_array(body, "matchers", &matchers, &err))
        return refuse_body(response, err.text);
    if (json_length(matchers) == 0) {
        am_refuse(response, 422, 612, "silence.matchers in body should have at least 1 items");
        return false;
    }
    return true;
}

/* The annotation becomes the window again: what is read here can be written back. */
static int read_window(struct silence_wish *wish, struct arena *arena, struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct labels *all = wish->annotations;
    const char *line = all ? labels_get(all, window_annotation) : NULL;
    int r = line ? silence_call_window_line(line, arena, &wish->window, reterr) : 0;

    wish->keeps_window = true;
    if (r || !line)
        return r;
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->at[i].name, window_annotation) != 0)
            labels_builder_set(&builder, all->at[i].name, all->at[i].value);
    wish->annotations = labels_new(builder.pairs, builder.n);
    labels_unref(all);
    return 0;
}

static int read_wish(const struct json *body,
                     struct arena *arena,
                     struct silence_wish *wish,
                     struct route_matchers *matchers,
                     struct err *reterr)
{
    const struct json *array = NULL;
    const struct json *annotations = NULL;
    int r = json_get_array(body, "matchers", &array, reterr);

    if (r == 0)
        r = json_get_string_or(body, "id", NULL, &wish->id, reterr);
    if (r == 0)
        r = json_get_string(body, "createdBy", &wish->created_by, reterr);
    if (r == 0)
        r = json_get_string(body, "comment", &wish->comment, reterr);
    if (r == 0)
        r = alerts_in_time(body, "startsAt", &wish->starts_at_ms, reterr);
    if (r == 0)
        r = alerts_in_time(body, "endsAt", &wish->ends_at_ms, reterr);
    if (r == 0)
        r = silence_call_matchers(array, false, matchers, reterr);
    if (r == 0 && json_has(body, "annotations")) {
        r = json_get_object(body, "annotations", &annotations, reterr);
        if (r == 0 && alerts_in_labels(annotations, &wish->annotations, reterr))
            r = JSON_E_TYPE;
    }
    if (r == 0)
        r = read_window(wish, arena, reterr);
    wish->matchers = matchers->at;
    wish->n_matchers = matchers->n;
    return r;
}

static void set(const struct api *api,
                const struct http_request *request,
                const struct json *body,
                struct http_response *response)
{
    struct silence_wish wish = {.actor = request->who.name, .now_ms = clock_wall_ms()};
    struct json_out out = JSON_OUT(&response->body);
    struct route_matchers matchers = {0};
    char id[SILENCE_ID_TEXT];
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, WINDOW_ARENA_BYTES_MAX);
    int r = read_wish(body, &arena, &wish, &matchers, &err);

    if (r == JSON_E_TYPE) {
        (void)refuse_body(response, err.text);
    } else {
        if (r == 0)
            r = silence_call_set(api, &wish, id, &err);
        if (r) {
            fail(response, r, &err);
        } else {
            json_open(&out, '{');
            json_kv_string(&out, "silenceID", id);
            json_close(&out, '}');
        }
    }
    labels_unref(wish.annotations);
    route_matchers_done(&matchers);
}

void am_post_silences(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json *body = NULL;
    struct err err = {0};

    if (request->body_len == 0)
        am_refuse(response, 422, CODE_REQUIRED, "silence in body is required");
    else if (json_parse(request->body, request->body_len, &body, &err))
        (void)refuse_body(response, err.text);
    else if (check_members(body, response))
        set(api, request, body, response);
    json_free(body);
}
