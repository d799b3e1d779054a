/*
 * The log of deliveries: of one incident, or the latest over all. See docs/api.md.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/api.h"
#include "alertd/api/incident_json.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/incident/report.h"
#include "lib/base/clock.h"

enum {
    SHOWN = 100,
    SHOWN_MAX = 500,
    WHO_BYTES_MAX = 400,
};

/* How long it took from when it was first owed; still growing while it waits. */
static int64_t lateness(const struct delivery_row *row, int64_t now_ms)
{
    bool waits = strcmp(row->state, "waiting") == 0 || strcmp(row->state, "sending") == 0;
    int64_t until_ms = waits ? now_ms : row->sent_at_ms;

    return until_ms > row->owed_at_ms ? until_ms - row->owed_at_ms : 0;
}

static void write_delivery(struct json_out *out, const void *item, int64_t now_ms)
{
    const struct delivery_row *row = item;
    bool to_person = report_is_person(row->receiver);

    json_open(out, '{');
    json_kv_int(out, "id", row->id);
    json_kv_string(out, "incident", row->incident);
    json_kv_string(out, "title", row->title);
    json_kv_string(out, "receiver", to_person ? NULL : row->receiver);
    json_kv_string(out, "person", to_person ? report_name(row->receiver) : NULL);
    json_kv_string(out, "kind", row->kind);
    json_kv_string(out, "lane", row->lane);
    json_kv_string(out, "reason", row->reason);
    json_kv_string(out, "state", strcmp(row->state, "sending") == 0 ? "waiting" : row->state);
    json_kv_int(out, "attempts", row->attempts);
    json_kv_bool(out, "refused", row->refused);
    json_kv_time(out, "created_at", row->created_at_ms);
    json_kv_time(out, "owed_at", row->owed_at_ms);
    json_kv_time(out, "due_at", row->due_at_ms);
    json_kv_time(out, "sent_at", row->sent_at_ms);
    json_kv_int(out, "late_ms", lateness(row, now_ms));
    json_kv_string(out, "last_error", row->last_error);
    json_key(out, "superseded_by");
    if (row->superseded_by)
        json_int(out, row->superseded_by);
    else
        json_null(out);
    json_kv_time(out, "acknowledged_at", row->acknowledged_at_ms);
    json_kv_string(out, "acknowledged_by", row->acknowledged_by);
    json_close(out, '}');
}

static int read_rows(struct db_conn *conn,
                     const void *query,
                     struct arena *arena,
                     void **ret_rows,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct delivery_row *rows = NULL;
    int r = delivery_db_list(conn, query, arena, &rows, ret_n, reterr);

    *ret_rows = rows;
    return r;
}

static const struct json_rows list = {"deliveries", sizeof(struct delivery_row), read_rows,
                                      write_delivery};

static bool read_number(const struct http_request *request,
                        const char *name,
                        int64_t most,
                        int64_t *ret_value,
                        struct http_response *response)
{
    const char *text = http_query(request, name);
    char *end = NULL;

    if (!text || !*text)
        return true;
    *ret_value = strtoll(text, &end, 10);
    if (*end == '\0' && *ret_value >= 1 && *ret_value <= most)
        return true;
    http_fail(response, "bad_data", "%s: a number from 1 to %lld", name, (long long)most);
    return false;
}

static const char *text_or_null(const struct http_request *request, const char *name)
{
    const char *text = http_query(request, name);

    return text && *text ? text : NULL;
}

static void handle_all(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const states[] = {"waiting", "sent", "failed", "superseded", NULL};
    const char *person = text_or_null(request, "person");
    STR_AUTO struct str who = STR_INIT(WHO_BYTES_MAX);
    struct delivery_query query = {.incident = text_or_null(request, "incident"),
                                   .receiver = text_or_null(request, "receiver"),
                                   .state = text_or_null(request, "state")};
    int64_t limit = SHOWN;
    size_t i = 0;

    while (query.state && states[i] && strcmp(states[i], query.state) != 0)
        i++;
    if (!states[i]) {
        http_fail(response, "bad_data", "state: expected waiting, sent, failed or superseded");
        return;
    }
    if (person && query.receiver) {
        http_fail(response, "bad_data", "person: not together with receiver");
        return;
    }
    if (person) {
        str_addf(&who, REPORT_PERSON "%.*s", WHO_BYTES_MAX / 2, person);
        query.receiver = str_text(&who);
    }
    if (!read_number(request, "before", INT64_MAX, &query.before_id, response) ||
        !read_number(request, "limit", SHOWN_MAX, &limit, response))
        return;
    query.limit = (unsigned)limit;
    incident_json_rows(context, &list, &query, response);
}

static void handle_of_incident(void *context,
                               struct http_request *request,
                               struct http_response *response)
{
    const struct delivery_query query = {.incident = request->path_args[0], .limit = SHOWN_MAX};

    incident_json_rows(context, &list, &query, response);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/deliveries", HTTP_SCOPE_READ, 0, handle_all,
     "what was told to whom, and what became of it, the newest first"},
    {"GET", "/api/alertd/v1/incidents/{key}/deliveries", HTTP_SCOPE_READ, 0, handle_of_incident,
     "the same of one incident"},
};

const struct api_table api_deliveries_routes = {routes, sizeof(routes) / sizeof(routes[0])};
