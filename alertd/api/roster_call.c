/*
 * Shared by the calls about the roster. See roster_call.h.
 */

#include "alertd/api/roster_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/contact_db.h"
#include "alertd/deliver/contact.h"
#include "alertd/oncall/schedule.h"
#include "alertd/oncall/spelling.h"
#include "lib/base/clock.h"

#define SPAN_MAX_MS (400 * ROSTER_DAY_MS)

void roster_fail(struct http_response *response, int r, const struct err *err)
{
    switch (r) {
    case ROSTER_DB_E_NOT_FOUND:
    case CONTACT_DB_E_NOT_FOUND: http_fail(response, "not_found", "%s", err->text); break;
    case ROSTER_DB_E_EXISTS:
    case ROSTER_DB_E_STALE:
    case ROSTER_DB_E_IN_USE: http_fail(response, "conflict", "%s", err->text); break;
    case ROSTER_DB_E_REFERENCE:
    case JSON_E_SYNTAX:
    case JSON_E_TYPE: http_fail(response, "bad_data", "%s", err->text); break;
    case ROSTER_DB_E_LIMIT: http_fail(response, "too_large", "%s", err->text); break;
    case CONTACT_DB_E_LIMIT: http_fail(response, "limited", "%s", err->text); break;
    default: http_fail(response, "internal", "%s", err->text); break;
    }
}

/* --- reading --- */

bool roster_view_open(const struct api *api,
                      struct roster_view *ret_view,
                      struct http_response *response)
{
    struct err err = {0};

    *ret_view = (struct roster_view){.api = api, .now_ms = clock_wall_ms()};
    arena_init(&ret_view->arena, ROSTER_READ_BYTES_MAX);
    int r = db_read_begin(api->state, &ret_view->conn, &err);

    if (r) {
        http_fail(response, "internal", "%s", err.text);
        return false;
    }
    r = roster_db_revision(ret_view->conn, &ret_view->revision, &err);
    if (r == 0)
        r = roster_db_load(ret_view->conn, &ret_view->zones, &ret_view->arena, &ret_view->roster,
                           &err);
    if (r == 0) {
        if (err.text[0])
            log_warn(api->log, "roster", "part of the roster cannot be read", "error=\"%s\"",
                     err.text);
        return true;
    }
    roster_fail(response, r, &err);
    roster_view_close(ret_view);
    return false;
}

void roster_view_close(struct roster_view *view)
{
    db_read_end(view->api->state, view->conn);
    zones_done(&view->zones);
    arena_reset(&view->arena);
}

const struct schedule *roster_view_schedule(struct roster_view *view,
                                            const char *name,
                                            struct http_response *response)
{
    const struct schedule *schedule = roster_schedule(&view->roster, name);

    if (!schedule)
        http_fail(response, "not_found", "there is no schedule '%.100s'", name);
    return schedule;
}

/* --- parameters --- */

bool roster_time(const struct http_request *request,
                 const char *name,
                 int64_t fallback_ms,
                 int64_t *ret_at_ms,
                 struct http_response *response)
{
    const char *text = http_query(request, name);

    *ret_at_ms = fallback_ms;
    if (!text || !*text || clock_parse_rfc3339(text, ret_at_ms) == 0)
        return true;
    http_fail(response, "bad_data", "%s: expected a time such as 2026-01-31T09:00:00Z", name);
    return false;
}

bool roster_span(const struct http_request *request,
                 int64_t now_ms,
                 int64_t *ret_from_ms,
                 int64_t *ret_to_ms,
                 struct http_response *response)
{
    if (!roster_time(request, "from", now_ms, ret_from_ms, response) ||
        !roster_time(request, "to", *ret_from_ms + 14 * ROSTER_DAY_MS, ret_to_ms, response))
        return false;
    if (*ret_to_ms > *ret_from_ms && *ret_to_ms - *ret_from_ms <= SPAN_MAX_MS)
        return true;
    http_fail(response, "bad_data", "to: expected a time after from, by 400 days at most");
    return false;
}

bool roster_base_revision(const struct http_request *request,
                          bool needed,
                          int64_t *ret_revision,
                          struct http_response *response)
{
    const char *text = http_query(request, "revision");
    char *end = NULL;

    *ret_revision = 0;
    if (!text)
        text = http_header(request, "If-Match");
    if (!text && !needed)
        return true;
    if (text && *text == '"')
        text++;
    errno = 0;
    long long revision = text && *text >= '1' && *text <= '9' ? strtoll(text, &end, 10) : 0;

    if (!revision || errno || (*end && strcmp(end, "\"") != 0)) {
        http_fail(response, "bad_data",
                  "revision: expected the number of the revision that is changed, as "
                  "?revision=3 or If-Match: 3");
        return false;
    }
    *ret_revision = revision;
    return true;
}

const char *roster_body_with(const struct http_request *request, const char *const *defaults)
{
    STR_AUTO struct str text = STR_INIT(ROSTER_TEXT_MAX);
    struct json_out out = JSON_OUT(&text);
    const char *inside = request->body + strspn(request->body, " \t\r\n");
    struct json *root = NULL;

    if (json_parse(request->body, request->body_len, &root, NULL) || !json_is_object(root)) {
        json_free(root);
        return request->body;
    }
    json_open(&out, '{');
    for (; *defaults; defaults += 2)
        if (!json_get(root, defaults[0]))
            json_kv_string(&out, defaults[0], defaults[1]);
    if (out.need_comma && json_length(root) > 0)
        str_addc(&text, ',');
    json_free(root);
    str_add(&text, inside + 1);
    const char *kept = arena_strndup(request->arena, str_text(&text), text.len);

    return kept ? kept : request->body;
}

const char *roster_actor(const struct http_request *request)
{
    return request->who.name[0] ? request->who.name : "somebody";
}

/* --- changing --- */

static int job_put(struct db_conn *conn, void *arg, struct err *reterr)
{
    return roster_db_put(conn, arg, reterr);
}

static int job_delete(struct db_conn *conn, void *arg, struct err *reterr)
{
    return roster_db_delete(conn, arg, reterr);
}

void roster_tell(const struct api *api, enum roster_kind kind, const char *name)
{
    STR_AUTO struct str text = STR_INIT(1024);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '{');
    json_kv_string(&out, "kind", roster_kind_name(kind));
    json_kv_string(&out, "name", name);
    json_close(&out, '}');
    http_hub_publish(api->hub, "roster", str_text(&text));
}

bool roster_put(const struct api *api, struct roster_put *put, struct http_response *response)
{
    struct err err = {0};
    int r = db_write(api->state, job_put, put, &err);

    if (r) {
        roster_fail(response, r, &err);
        return false;
    }
    roster_tell(api, put->value.kind, put->name ? put->name : put->id);
    return true;
}

void roster_delete(const struct api *api,
                   struct http_request *request,
                   enum roster_kind kind,
                   const char *name,
                   const char *owner,
                   struct http_response *response)
{
    struct roster_delete what = {
        .kind = kind,
        .name = name,
        .owner = owner,
        .by = roster_actor(request),
        .now_ms = clock_wall_ms(),
    };
    struct err err = {0};

    if (!roster_base_revision(request, false, &what.base_revision, response))
        return;
    int r = db_write(api->state, job_delete, &what, &err);

    if (r) {
        roster_fail(response, r, &err);
        return;
    }
    roster_tell(api, kind, name);
    response->status = 204;
}

void roster_write_head(struct json_out *out, const struct roster_item *item)
{
    json_kv_string(out, "name", item->name);
    json_kv_int(out, "revision", item->revision);
    json_kv_time(out, "created_at", item->created_ms);
    json_kv_time(out, "updated_at", item->updated_ms);
    json_kv_string(out, "updated_by", item->updated_by);
}
