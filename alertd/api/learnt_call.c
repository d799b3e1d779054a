/*
 * The call that looks again at what samples and rules know of an incident, and keeps it.
 */

#include "alertd/api/learnt.h"
#include "alertd/api/postmortem_call.h"
#include "alertd/api/read.h"
#include "alertd/api/services.h"
#include "lib/base/clock.h"

static int job_store(struct db_conn *conn, void *arg, struct err *reterr)
{
    return learnt_store(conn, arg, reterr);
}

static void write(const struct postmortem_record *record, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_kv_string(&out, "incident", record->incident.key);
    json_key(&out, "slos");
    services_write_burns(&out, record->learnt.burns, record->learnt.n_burns);
    learnt_write_metric(&record->learnt, record->from->record.marks[RECORD_DETECTED].at_ms, &out);
    json_close(&out, '}');
}

static void handle_look(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct postmortem_record record;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, POSTMORTEM_RECORD_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = postmortem_record_read(conn, request->path_args[0], &arena, &record, &err);

    db_read_end(api->state, conn);
    if (!r && !learnt_again(api, &record, clock_wall_ms()))
        r = err_set(&err, POSTMORTEM_RECORD_E_LIMIT, "too much is known of the incident");
    if (!r)
        r = db_write(api->state, job_store, &record, &err);
    if (r)
        postmortem_fail(response, r, &err);
    else
        write(&record, response);
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/incidents/{key}/look", HTTP_SCOPE_OPERATE, 0, handle_look,
     "looks again at what would have fired earlier, and at budgets, and keeps it"},
};

const struct api_table api_learnt_routes = {routes, sizeof(routes) / sizeof(routes[0])};
