/*
 * A silence tried before it is made. See silence_preview.h.
 */

#include "alertd/api/silence_preview.h"

#include <string.h>

#include "alertd/api/rules.h"
#include "alertd/api/silence_call.h"
#include "alertd/api/standing.h"
#include "alertd/db/silence_past_db.h"
#include "lib/base/clock.h"

enum {
    WINDOW_BYTES_MAX = 1024 * 1024,
    ALERTS_SHOWN_MAX = 50,
};

#define PAST_MS (7 * 86400 * INT64_C(1000))

static int read_body(const struct json *body,
                     struct arena *arena,
                     struct route_matchers *matchers,
                     struct silence *silence,
                     struct err *reterr)
{
    static const char *const known[] = {"matchers", "window", NULL};
    const struct json *array = NULL;
    bool matches_something = false;
    int r = json_is_object(body) ? json_only(body, known, reterr)
                                 : err_set(reterr, JSON_E_TYPE, "the body: expected an object");

    if (r == 0)
        r = json_get_array(body, "matchers", &array, reterr);
    if (r == 0)
        r = silence_call_matchers(array, true, matchers, reterr);
    if (r == 0)
        r = silence_call_window(body, arena, &silence->window, reterr);
    if (r)
        return r;
    for (size_t i = 0; i < matchers->n; i++)
        matches_something |= !matcher_matches(&matchers->at[i], "");
    return matches_something ? 0
                             : err_set(reterr, JSON_E_TYPE,
                                       "matchers: at least one must not match the empty string");
}

static void write_alert(struct json_out *out, const struct standing_view *view)
{
    json_open(out, '{');
    json_kv_string(out, "fingerprint", view->fingerprint);
    json_kv_string(out, "name", labels_get(view->row->labels, "alertname"));
    rules_json_labels(out, "labels", view->row->labels);
    json_kv_string(out, "incident", view->row->incident);
    json_kv_bool(out, "silenced", view->n_silenced_by > 0);
    json_close(out, '}');
}

/* The keys of its incidents, each once. */
static void write_incidents(struct json_out *out,
                            const struct standing *standing,
                            const struct silence *silence)
{
    json_key(out, "incidents");
    json_open(out, '[');
    for (size_t i = 0, n = 0; i < standing->n && n < ALERTS_SHOWN_MAX; i++) {
        const char *key = standing->at[i].row->incident;
        bool is_known = !key || !silence_matches(silence, standing->at[i].row->labels);

        for (size_t k = 0; !is_known && k < i; k++)
            is_known = standing->at[k].row->incident &&
                       strcmp(standing->at[k].row->incident, key) == 0 &&
                       silence_matches(silence, standing->at[k].row->labels);
        if (!is_known) {
            json_string(out, key);
            n++;
        }
    }
    json_close(out, ']');
}

static void write_now(struct json_out *out,
                      const struct standing *standing,
                      const struct silence *silence)
{
    size_t matches = standing_count(standing, silence->sets->at, silence->sets->n);

    json_kv_int(out, "matches_now", (int64_t)matches);
    json_kv_bool(out, "mutes_now", silence_state(silence, standing->now_ms) == SILENCE_ACTIVE);
    json_key(out, "alerts");
    json_open(out, '[');
    for (size_t i = 0, n = 0; i < standing->n && n < ALERTS_SHOWN_MAX; i++)
        if (silence_matches(silence, standing->at[i].row->labels)) {
            write_alert(out, &standing->at[i]);
            n++;
        }
    json_close(out, ']');
    write_incidents(out, standing, silence);
    json_kv_string(out, "warning",
                   matches == 0 ? "nothing that fires now is matched: check the labels" : NULL);
}

static void write_past(struct json_out *out, const struct silence_past *past, int64_t now_ms)
{
    json_key(out, "past");
    json_open(out, '{');
    json_kv_time(out, "from", now_ms - PAST_MS);
    json_kv_time(out, "to", now_ms);
    json_kv_int(out, "notifications", past->notifications);
    json_kv_int(out, "all_notifications", past->all_notifications);
    json_kv_int(out, "incidents", past->incidents);
    json_kv_int(out, "all_incidents", past->all_incidents);
    json_kv_bool(out, "is_part", past->is_part);
    json_close(out, '}');
}

static void reply(const struct api *api,
                  const struct silence *silence,
                  struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct standing standing = {0};
    struct silence_past past;
    struct db_conn *conn = NULL;
    struct err err = {0};

    if (standing_load(api, &standing, response)) {
        int r = db_read_begin(api->state, &conn, &err);

        if (r == 0) {
            r = silence_db_past(conn, silence, standing.now_ms - PAST_MS, standing.now_ms, &past,
                                &err);
            db_read_end(api->state, conn);
        }
        if (r) {
            http_fail(response, "internal", "%s", err.text);
        } else {
            json_open(&out, '{');
            write_now(&out, &standing, silence);
            silence_call_write_window(&out, silence, standing.now_ms);
            write_past(&out, &past, standing.now_ms);
            json_close(&out, '}');
        }
    }
    standing_done(&standing);
}

void silence_preview(void *context, struct http_request *request, struct http_response *response)
{
    struct silence silence = {.id = "", .n_sets = 1, .ends_at_ms = SILENCE_NO_END_MS};
    struct route_matchers matchers = {0};
    struct json *body = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, WINDOW_BYTES_MAX);
    int r = json_parse(request->body, request->body_len, &body, &err);

    if (r == 0)
        r = read_body(body, &arena, &matchers, &silence, &err);
    if (r) {
        http_fail(response, "bad_data", "%s", err.text);
    } else {
        const struct silence_matchers set = {matchers.at, matchers.n};

        silence.sets = &set;
        reply(context, &silence, response);
    }
    route_matchers_done(&matchers);
    json_free(body);
}
