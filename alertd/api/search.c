/*
 * The calls that find: words in incidents, and what belongs beside one: its services, what is
 * like it, what was changed before it.
 */

#include <string.h>

#include "alertd/api/incident_json.h"
#include "alertd/api/read.h"
#include "alertd/api/record_call.h"
#include "alertd/api/services.h"
#include "alertd/db/change_db.h"
#include "alertd/db/search_db.h"
#include "lib/base/clock.h"

enum {
    HITS_DEFAULT = 50,
    HITS_MAX = 500,
    LIKES_MAX = 8,
    CHANGES_MAX = 200,  /* the nearest to the impact */
    CATCH_UP_MAX = 500, /* jobs of 2,000 events for one search */
};

#define BEFORE_MS (24 * 3600 * INT64_C(1000))

/* --- GET .../search --- */

static int job_catch_up(struct db_conn *conn, void *arg, struct err *reterr)
{
    return search_db_catch_up(conn, arg, reterr);
}

static int catch_up(const struct api *api, struct err *reterr)
{
    bool more = true;
    int r = 0;

    for (int i = 0; r == 0 && more && i < CATCH_UP_MAX; i++)
        r = db_write(api->state, job_catch_up, &more, reterr);
    return r;
}

static void write_hit(struct json_out *out, const struct search_hit *hit)
{
    json_open(out, '{');
    json_kv_string(out, "incident", hit->key);
    json_kv_string(out, "title", hit->title);
    json_kv_string(out, "status", hit->status);
    json_kv_string(out, "severity", hit->severity);
    json_kv_time(out, "opened_at", hit->opened_at_ms);
    json_key(out, "event");
    if (hit->event_id)
        json_int(out, hit->event_id);
    else
        json_null(out);
    json_kv_string(out, "kind", hit->event_id ? hit->kind : NULL);
    json_kv_time(out, "occurred_at", hit->occurred_at_ms);
    json_kv_string(out, "snippet", hit->snippet);
    json_close(out, '}');
}

static void handle_search(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    const char *words = http_query(request, "q");
    struct search_hit *hits = NULL;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    int64_t limit = 0;
    size_t n = 0;

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    if (!record_call_number(request, "limit", HITS_DEFAULT, &limit, response))
        return;
    if (limit < 1 || limit > HITS_MAX) {
        http_fail(response, "bad_data", "limit: 1 to %d", HITS_MAX);
        return;
    }
    int r = catch_up(api, &err);

    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    if (!api_read_begin(api, &conn, response))
        return;
    r = search_db_find(conn, words ? words : "", (unsigned)limit, &arena, &hits, &n, &err);
    db_read_end(api->state, conn);
    if (r == SEARCH_DB_E_WORDS) {
        http_fail(response, "bad_data", "%s", err.text);
        return;
    }
    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "hits");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_hit(&out, &hits[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- GET .../related --- */

static void write_why(struct json_out *out, const struct search_like *like)
{
    STR_AUTO struct str why = STR_INIT(300);

    if (like->is_linked)
        str_add(&why, "somebody linked them");
    if (like->n_rules)
        str_addf(&why, "%s%u of its rules fired", why.len ? "; " : "", like->n_rules);
    if (like->n_labels)
        str_addf(&why, "%s%u of its labels", why.len ? "; " : "", like->n_labels);
    if (like->n_words && !like->n_rules)
        str_addf(&why, "%s%u words of its title", why.len ? "; " : "", like->n_words);
    json_kv_string(out, "why", str_text(&why));
}

static void write_likes(struct json_out *out, const struct search_like *likes, size_t n)
{
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, "key", likes[i].key);
        json_kv_string(out, "title", likes[i].title);
        json_kv_string(out, "status", likes[i].status);
        json_kv_time(out, "opened_at", likes[i].opened_at_ms);
        json_kv_time(out, "resolved_at", likes[i].resolved_at_ms);
        json_key(out, "postmortem");
        if (likes[i].postmortem_id)
            json_int(out, likes[i].postmortem_id);
        else
            json_null(out);
        json_kv_bool(out, "linked", likes[i].is_linked);
        write_why(out, &likes[i]);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* What belongs beside an incident, of one snapshot. */
struct beside {
    struct incident_record of;
    struct timeline_event *changes;
    struct search_like *likes;
    struct service_row *services;
    size_t n_changes, n_likes, n_services;
};

/* Changes come newest first: the farther end is left off until few enough are left. */
static void keep_nearest(struct beside *beside, int64_t begin_ms)
{
    size_t n = beside->n_changes;

    while (n > CHANGES_MAX) {
        const struct timeline_event *changes = beside->changes;
        int64_t after_ms = changes[0].occurred_at_ms - begin_ms;
        int64_t before_ms = begin_ms - changes[n - 1].occurred_at_ms;

        beside->changes += after_ms > before_ms;
        n--;
    }
    beside->n_changes = n;
}

static int read_beside(struct db_conn *conn,
                       const char *key,
                       struct arena *arena,
                       struct beside *beside,
                       struct err *reterr)
{
    int r = incident_db_record(conn, key, arena, &beside->of, reterr);

    if (r)
        return r;
    const struct incident *incident = &beside->of.incident;
    int64_t begin_ms = beside->of.record.marks[RECORD_IMPACT_START].at_ms;

    begin_ms = begin_ms ? begin_ms : incident->opened_at_ms;
    r = change_db_list(conn, begin_ms - BEFORE_MS,
                       incident->resolved_at_ms ? incident->resolved_at_ms : INT64_MAX, arena,
                       &beside->changes, &beside->n_changes, reterr);
    keep_nearest(beside, begin_ms);
    if (r == 0)
        r = search_db_like(conn, incident, LIKES_MAX, arena, &beside->likes, &beside->n_likes,
                           reterr);
    if (r == 0)
        r = service_db_of_incident(conn, incident, arena, &beside->services, &beside->n_services,
                                   reterr);
    return r;
}

static void write_changes(struct json_out *out, const struct beside *beside)
{
    int64_t begin_ms = beside->of.record.marks[RECORD_IMPACT_START].at_ms;

    json_open(out, '[');
    for (size_t i = 0; i < beside->n_changes; i++) {
        const struct timeline_event *event = &beside->changes[i];

        json_open(out, '{');
        json_kv_int(out, "id", event->id);
        json_kv_string(out, "kind", event->kind);
        json_kv_time(out, "occurred_at", event->occurred_at_ms);
        json_kv_string(out, "actor", event->actor);
        json_kv_string(out, "text", event->text);
        json_key(out, "data");
        json_raw(out, event->data);
        json_key(out, "before_impact_ms");
        if (begin_ms)
            json_int(out, begin_ms - event->occurred_at_ms);
        else
            json_null(out);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void handle_related(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct beside beside = {0};
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = read_beside(conn, request->path_args[0], &arena, &beside, &err);
    db_read_end(api->state, conn);
    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "services");
    services_write(&out, beside.services, beside.n_services);
    json_key(&out, "slos");
    const struct services_of of = {beside.services, beside.n_services, &beside.of.record};

    services_write_slos(api, &of, &out);
    json_key(&out, "changes");
    write_changes(&out, &beside);
    json_key(&out, "similar");
    write_likes(&out, beside.likes, beside.n_likes);
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/search", HTTP_SCOPE_READ, 0, handle_search,
     "words in the titles and timelines of incidents"},
    {"GET", "/api/alertd/v1/incidents/{key}/related", HTTP_SCOPE_READ, 0, handle_related,
     "its services and their budgets, changes before it, incidents like it"},
};

const struct api_table api_search_routes = {routes, sizeof(routes) / sizeof(routes[0])};
