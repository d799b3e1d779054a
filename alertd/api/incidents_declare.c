/*
 * Incidents that people open: what no alert saw, what almost happened, what happened elsewhere
 * or long ago with its whole timeline; and which incident another one repeats.
 */

#include <string.h>

#include "alertd/api/incident_json.h"
#include "alertd/api/incidents.h"
#include "alertd/api/record_call.h"
#include "lib/base/clock.h"

enum {
    TITLE_BYTES_MAX = 300,
    WORD_BYTES_MAX = 60,
    LABELS_BYTES_MAX = 8 * 1024,
    CLOCK_SLACK_MS = 60000,
};

/* One call: what is declared, and what is told of it at once. */
struct telling {
    const struct api *api;
    struct incident_declaration declaration;
    struct record_batch batch;
    struct record_marking marking;
    char key[INCIDENT_DB_KEY_MAX];
};

static int wrong(struct err *reterr, const char *words)
{
    return err_set(reterr, RECORD_IN_E_INVALID, "%s", words);
}

static int read_word(const struct json *body,
                     const char *name,
                     size_t max,
                     const char **ret_text,
                     struct err *reterr)
{
    if (json_get_string_or(body, name, *ret_text, ret_text, reterr))
        return RECORD_IN_E_INVALID;
    if (strlen(*ret_text) <= max && labels_text_ok(*ret_text, strlen(*ret_text)))
        return 0;
    return err_set(reterr, RECORD_IN_E_INVALID, "%s: at most %zu bytes of text", name, max);
}

static int read_labels(const struct json *body,
                       struct arena *arena,
                       const char **ret_labels,
                       struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(LABELS_BYTES_MAX);
    struct json_out out = JSON_OUT(&text);
    const struct json *labels = json_get(body, "labels");
    const struct json *value = NULL;
    const char *name = NULL;

    json_open(&out, '{');
    for (size_t i = 0; labels && json_member(labels, i, &name, &value); i++) {
        if (!json_text(value) || !labels_text_ok(name, strlen(name)) ||
            !labels_text_ok(json_text(value), strlen(json_text(value))))
            return wrong(reterr, "labels: expected an object of texts");
        json_kv_string(&out, name, json_text(value));
    }
    json_close(&out, '}');
    *ret_labels = text.full ? NULL : arena_strndup(arena, str_text(&text), text.len);
    return *ret_labels ? 0 : wrong(reterr, "labels: too many");
}

static int read_instant(const struct json *body,
                        const char *name,
                        int64_t now_ms,
                        int64_t *ret_at_ms,
                        struct err *reterr)
{
    const char *text = NULL;

    if (json_get_string_or(body, name, NULL, &text, reterr))
        return RECORD_IN_E_INVALID;
    if (!text)
        return 0;
    if (clock_parse_rfc3339(text, ret_at_ms) || *ret_at_ms <= 0 ||
        *ret_at_ms > now_ms + CLOCK_SLACK_MS)
        return err_set(reterr, RECORD_IN_E_INVALID,
                       "%s: expected a time of the past like 2026-11-23T22:27:00Z", name);
    return 0;
}

static bool is_kind(const struct record_news *news, const char *const *kinds)
{
    for (; *kinds; kinds++)
        if (strcmp(news->event.kind, *kinds) == 0)
            return true;
    return false;
}

/* The first time that one of these kinds happened, or the last; 0: never. NULL: any kind. */
static int64_t time_of(const struct record_batch *batch, const char *const *kinds, bool is_last)
{
    int64_t at_ms = 0;

    for (size_t i = 0; i < batch->n; i++) {
        int64_t of_ms = batch->news[i].event.occurred_at_ms;

        if ((!kinds || is_kind(&batch->news[i], kinds)) &&
            (!at_ms || (is_last ? of_ms > at_ms : of_ms < at_ms)))
            at_ms = of_ms;
    }
    return at_ms;
}

/* What is brought from elsewhere is over, and its rows say from when to when. */
static void date_import(struct telling *telling)
{
    static const char *const begins[] = {"impact.start", "alert.firing", "incident.declared", NULL};
    static const char *const ends[] = {"incident.status", "incident.resolved", "incident.closed",
                                       NULL};
    static const char *const impact_ends[] = {"impact.end", NULL};
    struct incident_declaration *declaration = &telling->declaration;
    const struct record_batch *batch = &telling->batch;

    if (!declaration->opened_at_ms)
        declaration->opened_at_ms = time_of(batch, begins, false);
    if (!declaration->opened_at_ms)
        declaration->opened_at_ms = time_of(batch, NULL, false);
    if (!declaration->resolved_at_ms)
        declaration->resolved_at_ms = time_of(batch, ends, true);
    if (!declaration->resolved_at_ms)
        declaration->resolved_at_ms = time_of(batch, impact_ends, true);
    if (!declaration->resolved_at_ms)
        declaration->resolved_at_ms = time_of(batch, NULL, true);
    if (!declaration->resolved_at_ms)
        declaration->resolved_at_ms = declaration->now_ms;
}

static int read_head(const struct json *body,
                     const struct record_reader *reader,
                     struct incident_declaration *declaration,
                     struct err *reterr)
{
    static const char *const origins[] = {"real", "near_miss", "import"};
    bool known = false;
    int r = read_word(body, "title", TITLE_BYTES_MAX, &declaration->title, reterr);

    if (r == 0 && !declaration->title[strspn(declaration->title, " \r\n\t")])
        return wrong(reterr, "title: an incident needs one");
    if (r == 0)
        r = read_word(body, "severity", WORD_BYTES_MAX, &declaration->severity, reterr);
    if (r == 0)
        r = read_word(body, "origin", WORD_BYTES_MAX, &declaration->origin, reterr);
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++)
        known = known || strcmp(origins[i], declaration->origin) == 0;
    if (r == 0 && !known)
        return wrong(reterr, "origin: expected real, near_miss or import");
    if (r == 0)
        r = read_labels(body, reader->arena, &declaration->labels, reterr);
    if (r == 0)
        r = read_instant(body, "opened_at", reader->now_ms, &declaration->opened_at_ms, reterr);
    if (r == 0)
        r = read_instant(body, "resolved_at", reader->now_ms, &declaration->resolved_at_ms, reterr);
    if (r == 0 &&
        json_get_string_or(body, "recurrence_of", NULL, &declaration->recurrence_of, reterr))
        r = RECORD_IN_E_INVALID;
    return r;
}

static int read_telling(const struct json *body,
                        struct record_reader *reader,
                        struct telling *telling,
                        struct err *reterr)
{
    static const char *const known[] = {
        "title",         "severity", "origin", "labels", "opened_at", "resolved_at",
        "recurrence_of", "events",   "marks",  "reason", NULL};
    struct incident_declaration *declaration = &telling->declaration;

    *declaration = (struct incident_declaration){.title = "",
                                                 .severity = "",
                                                 .origin = "real",
                                                 .actor = reader->actor,
                                                 .now_ms = reader->now_ms};
    if (!json_is_object(body))
        return wrong(reterr, "the body: expected an object");
    if (json_only(body, known, reterr))
        return RECORD_IN_E_INVALID;
    int r = read_head(body, reader, declaration, reterr);
    bool is_import = strcmp(declaration->origin, "import") == 0;

    reader->source = is_import ? "import" : "api";
    if (r == 0 && json_has(body, "events"))
        r = record_in_events(reader, json_get(body, "events"), &telling->batch.news,
                             &telling->batch.n, reterr);
    if (r == 0 && json_has(body, "marks"))
        r = incidents_read_marks(body, reader, &telling->marking, reterr);
    if (r)
        return r;
    if (is_import)
        date_import(telling);
    if (!declaration->opened_at_ms)
        declaration->opened_at_ms = reader->now_ms;
    if (declaration->resolved_at_ms && declaration->resolved_at_ms < declaration->opened_at_ms)
        return wrong(reterr, "resolved_at: before opened_at");
    return 0;
}

static int job_tell(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct telling *telling = arg;
    int r = incident_db_declare(conn, &telling->declaration, telling->key, reterr);

    if (r == 0 && telling->batch.n)
        r = incident_db_add_events(conn, &telling->batch, reterr);
    if (r == 0 && telling->marking.n)
        r = incident_db_set_marks(conn, &telling->marking, reterr);
    return r;
}

static void handle_declare(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    const struct api *api = context;
    struct json *body = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    struct record_reader reader = {
        .arena = &arena, .actor = request->who.name, .now_ms = clock_wall_ms()};
    struct telling telling = {.api = api};

    telling.batch = (struct record_batch){
        .key = telling.key, .actor = reader.actor, .now_ms = reader.now_ms};
    telling.marking = (struct record_marking){
        .key = telling.key, .actor = reader.actor, .now_ms = reader.now_ms};
    if (!record_call_body(request, &body, response))
        return;
    int r = read_telling(body, &reader, &telling, &err);

    if (r) {
        record_call_wrong(response, r, &err);
    } else {
        r = db_write(api->state, job_tell, &telling, &err);
        if (r)
            incident_json_fail(response, r, &err);
    }
    json_free(body);
    if (r)
        return;
    incidents_publish(api, telling.key);
    response->status = 201;
    incidents_reply(api, telling.key, response);
}

/* --- PUT .../recurrence --- */

struct link {
    const char *key, *of;
};

static int job_link(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct link *link = arg;

    return incident_db_set_recurrence(conn, link->key, link->of, reterr);
}

static void handle_recurrence(void *context,
                              struct http_request *request,
                              struct http_response *response)
{
    static const char *const known[] = {"of", NULL};
    const struct api *api = context;
    struct link link = {.key = request->path_args[0]};
    struct json *body = NULL;
    struct err err = {0};

    if (!record_call_body(request, &body, response))
        return;
    int r = json_is_object(body) && json_only(body, known, &err) == 0 &&
                    json_get_string_or(body, "of", "", &link.of, &err) == 0
                ? 0
                : RECORD_IN_E_INVALID;

    if (r) {
        record_call_wrong(response, r, &err);
    } else {
        r = db_write(api->state, job_link, &link, &err);
        if (r)
            incident_json_fail(response, r, &err);
    }
    json_free(body);
    if (r)
        return;
    incidents_publish(api, link.key);
    incidents_reply(api, link.key, response);
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/incidents", HTTP_SCOPE_OPERATE, HTTP_BIG_BODY, handle_declare,
     "declares an incident, or brings one of elsewhere with its timeline and marks"},
    {"PUT", "/api/alertd/v1/incidents/{key}/recurrence", HTTP_SCOPE_OPERATE, 0, handle_recurrence,
     "which incident this one repeats"},
};

const struct api_table api_declare_routes = {routes, sizeof(routes) / sizeof(routes[0])};
