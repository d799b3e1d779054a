#pragma once

/*
 * Pieces of the incidents' API that the overview shows too. Each writes one JSON value.
 */

#include "alertd/api/api.h"
#include "alertd/api/record_in.h"
#include "lib/json/write.h"

/* [INCIDENT]: the open ones, newest first, 50 at most. */
int incidents_write_open(struct json_out *out,
                         struct db_conn *conn,
                         struct arena *arena,
                         struct err *reterr);
/* [{"receiver","kind","last_sent_at","oldest_waiting_at"}] of the route's receiver. */
int incidents_write_told(struct json_out *out,
                         struct db_conn *conn,
                         const struct route_config *config,
                         int64_t now_ms,
                         struct err *reterr);
/* [{"at","fired"}]: 24 hourly buckets, oldest first. */
int incidents_write_hours(struct json_out *out,
                          struct db_conn *conn,
                          int64_t now_ms,
                          struct err *reterr);

/* Adds the batch to its incident, and answers. */
void incidents_add_events(const struct api *api,
                          struct record_batch *batch,
                          struct http_response *response);
/* The members `marks` and `reason` of a body. */
int incidents_read_marks(const struct json *body,
                         const struct record_reader *reader,
                         struct record_marking *marking,
                         struct err *reterr);

/* After a change: the live views and the loops learn of it. */
/* The incident as it is now, as the reply. */
void incidents_reply(const struct api *api, const char *key, struct http_response *response);
/* The same for live views alone. */
void incidents_publish(const struct api *api, const char *key);
void incidents_tell(const struct api *api, const char *key);
