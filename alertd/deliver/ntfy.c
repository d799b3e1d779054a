/*
 * ntfy: a push message to a phone, by JSON to the server's root. The lock screen gets a
 * button that acknowledges (the phone page's own form, posted by the app) and one that
 * opens the page.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/deliver/kinds.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/render.h"
#include "alertd/deliver/secret.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

enum {
    MESSAGE_BYTES_MAX = 3500, /* ntfy cuts at 4,096 and makes a file of more */
    BODY_BYTES_MAX = 32 * 1024,
};

/* ntfy's 1..5; 5 vibrates until it is seen. */
static int priority_of(const struct route_ntfy *ntfy, const struct page *page)
{
    static const int by_rank[] = {3, 3, 4, 5};

    if (page->incident.status == INCIDENT_RESOLVED)
        return 3;
    if (ntfy->priority)
        return (int)ntfy->priority;
    return by_rank[incident_severity_rank(page->incident.severity)];
}

static void write_actions(struct json_out *json, const struct page *page)
{
    json_key(json, "actions");
    json_open(json, '[');
    if (page->acknowledge_url && page->incident.status == INCIDENT_TRIGGERED) {
        json_open(json, '{');
        json_kv_string(json, "action", "http");
        json_kv_string(json, "label", "Acknowledge");
        json_kv_string(json, "url", page->acknowledge_url);
        json_kv_string(json, "method", "POST");
        json_key(json, "headers");
        json_open(json, '{');
        json_kv_string(json, "Content-Type", "application/x-www-form-urlencoded");
        json_close(json, '}');
        json_kv_string(json, "body", "action=ack");
        json_kv_bool(json, "clear", true);
        json_close(json, '}');
    }
    json_open(json, '{');
    json_kv_string(json, "action", "view");
    json_kv_string(json, "label", "Open");
    json_kv_string(json, "url", page->incident_url);
    json_close(json, '}');
    json_close(json, ']');
}

static void write_message(const struct route_ntfy *ntfy, const struct page *page, struct str *out)
{
    STR_AUTO struct str title = STR_INIT(1024);
    STR_AUTO struct str message = STR_INIT(MESSAGE_BYTES_MAX);
    struct json_out json = JSON_OUT(out);

    render_subject(page, &title);
    render_short(page, &message);
    json_open(&json, '{');
    json_kv_string(&json, "topic", ntfy->topic);
    json_kv_string(&json, "title", str_text(&title));
    json_kv_string(&json, "message", str_text(&message));
    json_kv_int(&json, "priority", priority_of(ntfy, page));
    json_key(&json, "tags");
    json_open(&json, '[');
    json_string(&json,
                page->incident.status == INCIDENT_RESOLVED ? "white_check_mark" : "rotating_light");
    json_close(&json, ']');
    json_kv_string(&json, "click",
                   page->acknowledge_url ? page->acknowledge_url : page->incident_url);
    write_actions(&json, page);
    json_close(&json, '}');
}

void ntfy_send(struct http_client *http,
               const struct route_integration *to,
               const struct page *page,
               struct deliver_outcome *outcome)
{
    STR_AUTO struct str body = STR_INIT(BODY_BYTES_MAX);
    STR_AUTO struct str auth = STR_INIT(SECRET_BYTES_MAX * 2);
    struct http_header headers[POST_HEADERS_MAX] = {
        {"Content-Type", "application/json"},
        {"User-Agent", "watchbill-alertd"},
        {"Idempotency-Key", page->idempotency_key},
    };
    MEM_AUTO char *token = NULL;
    struct err err = {0};
    size_t n = 3;

    if (secret_read(&to->ntfy.token, &token, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    if (*token) {
        str_addf(&auth, "Bearer %s", token);
        headers[n++] = (struct http_header){"Authorization", str_text(&auth)};
    }
    write_message(&to->ntfy, page, &body);
    post_send(http,
              &(struct post){.url = to->ntfy.url,
                             .headers = headers,
                             .n_headers = n,
                             .body = str_text(&body),
                             .body_len = body.len,
                             .timeout_ms = to->timeout_ms},
              outcome);
}
