#pragma once

/*
 * An incident as docs/api.md says it: INCIDENT, its alerts, EVENT, NOTIFICATION. Shared by
 * the calls about incidents and the overview.
 */

#include "alertd/api/api.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/http/http.h"
#include "lib/json/write.h"

/* The members of INCIDENT, without the braces: the caller may add to them. */
void incident_json_members(struct json_out *out, const struct incident *incident);
void incident_json(struct json_out *out, const struct incident *incident);
void incident_json_alert(struct json_out *out, const struct incident_alert *alert);
void incident_json_event(struct json_out *out, const struct timeline_event *event);
void incident_json_notification(struct json_out *out, const struct outbox_row *row);

/* Turns a result of incident_db.h into the reply's error. */
void incident_json_fail(struct http_response *response, int result, const struct err *err);

/* Rows of one query as {"NAME":[...]}. */
struct json_rows {
    const char *name;
    size_t row_size;
    int (*read)(struct db_conn *conn,
                const void *query,
                struct arena *arena,
                void **ret_rows,
                size_t *ret_n,
                struct err *reterr);
    void (*write)(struct json_out *out, const void *row, int64_t now_ms);
};
void incident_json_rows(const struct api *api,
                        const struct json_rows *list,
                        const void *query,
                        struct http_response *response);
