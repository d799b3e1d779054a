#pragma once

/*
 * What the calls about people, schedules, policies and shadows share: the roster as it is
 * now, changes with their revision, and errors that name the field.
 */

#include "alertd/api/api.h"
#include "alertd/db/roster_db.h"

enum {
    ROSTER_READ_BYTES_MAX = 64 * 1024 * 1024
};

#define ROSTER_DAY_MS (86400 * 1000LL)

/* The whole roster, read for one request. */
struct roster_view {
    const struct api *api;
    struct arena arena;
    struct zones zones;
    struct db_conn *conn;
    struct roster roster;
    int64_t revision;
    int64_t now_ms;
};

/* False: the response says why, and nothing is to be closed. */
bool roster_view_open(const struct api *api,
                      struct roster_view *ret_view,
                      struct http_response *response);
void roster_view_close(struct roster_view *view);
/* The schedule the path names, or NULL and a 404. */
const struct schedule *roster_view_schedule(struct roster_view *view,
                                            const char *name,
                                            struct http_response *response);

/* A result of db, spelling, deliver/contact as a reply. */
void roster_fail(struct http_response *response, int r, const struct err *err);

/* A parameter of the query, RFC 3339; fallback when it is not there. False: 400. */
bool roster_time(const struct http_request *request,
                 const char *name,
                 int64_t fallback_ms,
                 int64_t *ret_at_ms,
                 struct http_response *response);
/* ?from=&to=: two weeks from now when not given, at most 400 days. False: 400. */
bool roster_span(const struct http_request *request,
                 int64_t now_ms,
                 int64_t *ret_from_ms,
                 int64_t *ret_to_ms,
                 struct http_response *response);
/* What the writer had before them: ?revision= or If-Match. 0 when not given. False: 400, also
 * when it is needed and not there. */
bool roster_base_revision(const struct http_request *request,
                          bool needed,
                          int64_t *ret_revision,
                          struct http_response *response);

/* The body, an object, with members that may be left out filled in: key, value, key, value ...,
 * NULL. What is no object comes back as it is, for the parser to refuse. */
const char *roster_body_with(const struct http_request *request, const char *const *defaults);

/* Who did it, for the log. */
const char *roster_actor(const struct http_request *request);

/* Both commit, then tell the live views; false: the response says why not. */
bool roster_put(const struct api *api, struct roster_put *put, struct http_response *response);
void roster_delete(const struct api *api,
                   struct http_request *request,
                   enum roster_kind kind,
                   const char *name,
                   const char *owner,
                   struct http_response *response);
void roster_tell(const struct api *api, enum roster_kind kind, const char *name);

/* "name", "revision", "created_at", "updated_at", "updated_by" of an open object. */
void roster_write_head(struct json_out *out, const struct roster_item *item);

/* --- oncall.c --- */

/* {"at","until","people":[…],"next":…,"shadows":[…]} of one schedule, in an open object. */
void oncall_write(struct roster_view *view,
                  const struct schedule *schedule,
                  int64_t at_ms,
                  struct json_out *out);
