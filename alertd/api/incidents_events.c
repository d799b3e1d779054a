/*
 * The calls about events of an incident: its timeline as it stands, a window of it at a time;
 * events that people and scripts bring; what people think of one.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/api/incident_json.h"
#include "alertd/api/incidents.h"
#include "alertd/api/read.h"
#include "alertd/api/record_call.h"
#include "alertd/api/record_json.h"
#include "lib/base/clock.h"
#include "lib/model/labels.h"

enum {
    SHOWN_DEFAULT = 200,
    SHOWN_MAX = 5000,
    SOURCE_BYTES_MAX = 60,
    KINDS_BYTES_MAX = 1000,
};

/* --- GET .../events --- */

/* Which rows a reader wants. */
struct wish {
    const char *kinds; /* "change,human.note": names, or what they begin with; NULL: any */
    const char *class; /* "machine", "human"; NULL */
    const char *words; /* in the text; NULL */
    unsigned level;    /* 0: key rows alone, 1: normal ones too, 2: all */
    bool pinned, hidden, hypotheses;
    int64_t offset, limit; /* offset below zero: counted from the end */
};

static bool has_flag(const struct http_request *request, const char *name)
{
    const char *text = http_query(request, name);

    return text && strcmp(text, "1") == 0;
}

static bool read_level(const struct http_request *request,
                       unsigned *ret_level,
                       struct http_response *response)
{
    static const char *const levels[] = {"key", "normal", "raw"};
    const char *text = http_query(request, "level");

    *ret_level = 2;
    if (!text || !*text)
        return true;
    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(levels[i], text) == 0) {
            *ret_level = i;
            return true;
        }
    http_fail(response, "bad_data", "level: expected key, normal or raw");
    return false;
}

static const char *text_param(const struct http_request *request, const char *name)
{
    const char *text = http_query(request, name);

    return text && *text ? text : NULL;
}

static bool read_wish(const struct http_request *request,
                      struct wish *ret_wish,
                      struct http_response *response)
{
    struct wish wish = {
        .kinds = text_param(request, "kinds"),
        .class = text_param(request, "class"),
        .words = text_param(request, "q"),
        .pinned = has_flag(request, "pinned"),
        .hidden = has_flag(request, "hidden"),
        .hypotheses = has_flag(request, "hypotheses"),
    };

    if (!read_level(request, &wish.level, response) ||
        !record_call_number(request, "offset", 0, &wish.offset, response) ||
        !record_call_number(request, "limit", SHOWN_DEFAULT, &wish.limit, response))
        return false;
    if (wish.limit < 0 || wish.limit > SHOWN_MAX) {
        http_fail(response, "bad_data", "limit: 0 to %d", SHOWN_MAX);
        return false;
    }
    if (wish.class && strcmp(wish.class, "machine") != 0 && strcmp(wish.class, "human") != 0) {
        http_fail(response, "bad_data", "class: expected machine or human");
        return false;
    }
    *ret_wish = wish;
    return true;
}

/* "change" is every change; "change.deploy" is one kind. */
static bool is_of_kinds(const char *kind, const char *kinds)
{
    while (*kinds) {
        size_t len = strcspn(kinds, ",");

        if (len && strncmp(kind, kinds, len) == 0 && (kind[len] == '\0' || kind[len] == '.'))
            return true;
        kinds += len;
        kinds += *kinds == ',';
    }
    return false;
}

static unsigned level_of(const struct record_event *row)
{
    const char *level = row->pinned ? "key" : timeline_kind_level(row->kind);

    return strcmp(level, "key") == 0 ? 0 : strcmp(level, "normal") == 0 ? 1 : 2;
}

static bool is_wished(const struct record_event *row, const struct wish *wish)
{
    if (!wish->hidden && (row->hidden || row->retracted || row->merged_into))
        return false;
    if ((wish->pinned && !row->pinned) || (wish->hypotheses && !row->hypothesis))
        return false;
    if (wish->class && strcmp(row->event->event_class, wish->class) != 0)
        return false;
    if (wish->kinds && !is_of_kinds(row->kind, wish->kinds))
        return false;
    if (wish->words && !strcasestr(row->text, wish->words))
        return false;
    return level_of(row) <= wish->level;
}

/* The rows of a timeline that a reader sees. */
struct window {
    struct record_event *rows; /* those that are wished, moved to the front */
    int64_t n_all, total, from, to;
};

/* Words are asked for where a reader searches them; else of the window alone. */
static int read_window(struct db_conn *conn,
                       int64_t incident_id,
                       const struct wish *wish,
                       struct arena *arena,
                       struct window *window,
                       struct err *reterr)
{
    size_t n = 0;
    int r = wish->words ? incident_db_rows(conn, incident_id, arena, &window->rows, &n, reterr)
                        : incident_db_outline(conn, incident_id, arena, &window->rows, &n, reterr);

    if (r)
        return r;
    for (size_t i = 0; i < n; i++)
        if (is_wished(&window->rows[i], wish))
            window->rows[window->total++] = window->rows[i];
    window->n_all = (int64_t)n;
    window->from = wish->offset < 0 ? window->total + wish->offset : wish->offset;
    window->from = window->from < 0               ? 0
                   : window->from > window->total ? window->total
                                                  : window->from;
    window->to = window->total - window->from > wish->limit ? window->from + wish->limit
                                                            : window->total;
    return wish->words ? 0
                       : incident_db_fill(conn, window->rows + window->from,
                                          (size_t)(window->to - window->from), arena, reterr);
}

static void write_window(struct json_out *out, const struct window *window)
{
    json_open(out, '{');
    json_kv_int(out, "total", window->total);
    json_kv_int(out, "offset", window->from);
    json_kv_int(out, "n_events", window->n_all);
    json_key(out, "events");
    json_open(out, '[');
    for (int64_t i = window->from; i < window->to; i++)
        record_json_row(out, &window->rows[i]);
    json_close(out, ']');
    json_close(out, '}');
}

static int find_id(struct db_conn *conn, const char *key, int64_t *ret_id, struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct incident incident;

    arena_init(&scratch, RECORD_CALL_BYTES_MAX);
    int r = incident_db_get(conn, key, &scratch, &incident, reterr);

    if (r == 0)
        *ret_id = incident.id;
    return r;
}

static void handle_events(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct window window = {0};
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    struct wish wish;
    int64_t id = 0;

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    if (!read_wish(request, &wish, response) || !api_read_begin(api, &conn, response))
        return;
    int r = find_id(conn, request->path_args[0], &id, &err);

    if (r == 0)
        r = read_window(conn, id, &wish, &arena, &window, &err);
    db_read_end(api->state, conn);
    if (r)
        incident_json_fail(response, r, &err);
    else
        write_window(&out, &window);
}

/* --- POST .../events --- */

static int job_add(struct db_conn *conn, void *arg, struct err *reterr)
{
    return incident_db_add_events(conn, arg, reterr);
}

static void reply_added(const struct record_batch *batch, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_kv_int(&out, "added", (int64_t)(batch->n - batch->n_known));
    json_kv_int(&out, "known", (int64_t)batch->n_known);
    json_key(&out, "events");
    json_open(&out, '[');
    for (size_t i = 0; i < batch->n; i++) {
        json_open(&out, '{');
        json_kv_int(&out, "id", batch->news[i].event.id);
        json_kv_string(&out, "kind", batch->news[i].event.kind);
        json_kv_time(&out, "occurred_at", batch->news[i].event.occurred_at_ms);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

void incidents_add_events(const struct api *api,
                          struct record_batch *batch,
                          struct http_response *response)
{
    struct err err = {0};
    int r = db_write(api->state, job_add, batch, &err);

    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    incidents_publish(api, batch->key);
    reply_added(batch, response);
}

/* "import status page" of {"source":"status page"}; "api" without. False: answered. */
static bool read_source(const struct json *body,
                        struct record_reader *reader,
                        struct http_response *response)
{
    const char *source = NULL;
    struct err err = {0};
    char text[SOURCE_BYTES_MAX + 16];

    reader->source = "api";
    if (json_get_string_or(body, "source", NULL, &source, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    if (!source || !*source)
        return true;
    if (strlen(source) > SOURCE_BYTES_MAX || !labels_text_ok(source, strlen(source))) {
        http_fail(response, "bad_data", "source: at most %d bytes of text", SOURCE_BYTES_MAX);
        return false;
    }
    (void)snprintf(text, sizeof(text), "import %s", source);
    reader->source = arena_strndup(reader->arena, text, strlen(text));
    return reader->source != NULL;
}

static void handle_add(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"events", "source", NULL};
    const struct api *api = context;
    struct json *body = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    struct record_reader reader = {
        .arena = &arena, .actor = request->who.name, .now_ms = clock_wall_ms()};
    struct record_batch batch = {
        .key = request->path_args[0], .actor = reader.actor, .now_ms = reader.now_ms};

    if (!record_call_body(request, &body, response))
        return;
    bool is_list = json_is_array(body);

    if ((is_list || read_source(body, &reader, response)) && response->status == 200) {
        int r = is_list || json_only(body, known, &err) == 0 ? 0 : RECORD_IN_E_INVALID;

        if (is_list)
            reader.source = "api";
        if (r == 0)
            r = record_in_events(&reader, is_list ? body : json_get(body, "events"), &batch.news,
                                 &batch.n, &err);
        if (r)
            record_call_wrong(response, r, &err);
        else
            incidents_add_events(api, &batch, response);
    }
    json_free(body);
}

/* --- .../events/{id}/revs --- */

static int job_revise(struct db_conn *conn, void *arg, struct err *reterr)
{
    return incident_db_revise(conn, arg, reterr);
}

static int64_t event_id(const struct http_request *request)
{
    char *end = NULL;
    long long id = strtoll(request->path_args[1], &end, 10);

    return *end || id < 1 ? 0 : id;
}

static void reply_row(const struct api *api,
                      const char *key,
                      int64_t id,
                      struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct record_event *rows = NULL;
    struct record_rev *revs = NULL;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    int64_t incident_id = 0;
    size_t n_revs = 0;
    size_t n = 0;
    size_t i = 0;

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = find_id(conn, key, &incident_id, &err);

    if (r == 0)
        r = incident_db_outline(conn, incident_id, &arena, &rows, &n, &err);
    while (r == 0 && i < n && rows[i].event->id != id)
        i++;
    if (r == 0 && i == n)
        r = err_set(&err, INCIDENT_DB_E_NOT_FOUND, "%s has no such event", key);
    if (r == 0)
        r = incident_db_fill(conn, &rows[i], 1, &arena, &err);
    if (r == 0)
        r = incident_db_revs(conn, incident_id, id, &arena, &revs, &n_revs, &err);
    db_read_end(api->state, conn);
    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "event");
    record_json_row(&out, &rows[i]);
    json_key(&out, "revs");
    json_open(&out, '[');
    for (size_t k = 0; k < n_revs; k++)
        record_json_rev(&out, &revs[k]);
    json_close(&out, ']');
    json_close(&out, '}');
}

static void handle_revs(void *context, struct http_request *request, struct http_response *response)
{
    reply_row(context, request->path_args[0], event_id(request), response);
}

/* A time comes as text and is kept as milliseconds. */
static int read_retime(const struct json *body,
                       const struct record_reader *reader,
                       struct record_rev *rev,
                       struct err *reterr)
{
    const char *precision = NULL;
    int64_t at_ms = 0;
    char text[24];

    if (json_get_string_or(body, "precision", NULL, &precision, reterr))
        return RECORD_IN_E_INVALID;
    int r = record_in_precision(precision, &rev->precision, reterr);
    if (r || rev->op != RECORD_RETIME)
        return r;
    if (!rev->value || clock_parse_rfc3339(rev->value, &at_ms) || at_ms < 0 ||
        at_ms > reader->now_ms)
        return err_set(reterr, RECORD_IN_E_INVALID,
                       "value: expected a time of the past like 2026-11-23T22:27:00Z");
    (void)snprintf(text, sizeof(text), "%lld", (long long)at_ms);
    rev->value = arena_strndup(reader->arena, text, strlen(text));
    return rev->value ? 0 : RECORD_IN_E_LIMIT;
}

static int read_rev(const struct json *body,
                    const struct record_reader *reader,
                    struct record_rev *rev,
                    struct err *reterr)
{
    static const char *const known[] = {"op", "value", "precision", "reason", NULL};
    const char *op = NULL;

    if (!json_is_object(body))
        return err_set(reterr, RECORD_IN_E_INVALID, "the body: expected an object");
    if (json_only(body, known, reterr) || json_get_string(body, "op", &op, reterr) ||
        json_get_string_or(body, "value", NULL, &rev->value, reterr) ||
        json_get_string_or(body, "reason", "", &rev->reason, reterr))
        return RECORD_IN_E_INVALID;
    rev->op = record_op_parse(op);
    if (rev->op == RECORD_OPS)
        return err_set(reterr, RECORD_IN_E_INVALID, "op: no operation %.40s", op);
    if ((rev->value && (strlen(rev->value) > RECORD_WORDS_MAX ||
                        !labels_text_ok(rev->value, strlen(rev->value)))) ||
        strlen(rev->reason) > RECORD_REASON_MAX ||
        !labels_text_ok(rev->reason, strlen(rev->reason)))
        return err_set(reterr, RECORD_IN_E_INVALID, "value: at most %d bytes; reason: %d",
                       RECORD_WORDS_MAX, RECORD_REASON_MAX);
    return read_retime(body, reader, rev, reterr);
}

static void handle_revise(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const struct api *api = context;
    struct record_revision revision = {.key = request->path_args[0], .now_ms = clock_wall_ms()};
    struct record_reader reader = {
        .arena = request->arena, .actor = request->who.name, .now_ms = revision.now_ms};
    struct json *body = NULL;
    struct err err = {0};

    if (!record_call_body(request, &body, response))
        return;
    int r = read_rev(body, &reader, &revision.rev, &err);

    revision.rev.event_id = event_id(request);
    revision.rev.editor = reader.actor;
    if (r) {
        record_call_wrong(response, r, &err);
    } else {
        r = db_write(api->state, job_revise, &revision, &err);
        if (r)
            incident_json_fail(response, r, &err);
    }
    json_free(body);
    if (r)
        return;
    if (revision.changed)
        incidents_publish(api, revision.key);
    reply_row(api, revision.key, revision.rev.event_id, response);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/incidents/{key}/events", HTTP_SCOPE_READ, 0, handle_events,
     "the timeline as it stands, a window of it"},
    {"POST", "/api/alertd/v1/incidents/{key}/events", HTTP_SCOPE_OPERATE, HTTP_BIG_BODY, handle_add,
     "events that people and scripts bring, many at once"},
    {"GET", "/api/alertd/v1/incidents/{key}/events/{id}/revs", HTTP_SCOPE_READ, 0, handle_revs,
     "what people thought of one event"},
    {"POST", "/api/alertd/v1/incidents/{key}/events/{id}/revs", HTTP_SCOPE_OPERATE, 0,
     handle_revise, "pin, hide, annotate, retime, merge ... one event"},
};

const struct api_table api_record_routes = {routes, sizeof(routes) / sizeof(routes[0])};
