/*
 * ntfy: a push message to a phone, by JSON to the server's root. A tap on it opens the phone
 * page; the lock screen gets the three buttons that ntfy allows, which post the phone page's
 * own forms: acknowledge while nobody has, and whether the page was useful or noise.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/deliver/kinds.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/render.h"
#include "alertd/deliver/secret.h"
#include "alertd/deliver/words.h"
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

    if (page->digest || page->incident.status == INCIDENT_RESOLVED)
        return 3;
    if (ntfy->priority)
        return (int)ntfy->priority;
    return by_rank[incident_severity_rank(page->incident.severity)];
}

/* A button that posts a form; clear: the message goes away with it. */
static void write_post(
    struct json_out *json, const char *label, const char *url, const char *form, bool clear)
{
    json_open(json, '{');
    json_kv_string(json, "action", "http");
    json_kv_string(json, "label", label);
    json_kv_string(json, "url", url);
    json_kv_string(json, "method", "POST");
    json_key(json, "headers");
    json_open(json, '{');
    json_kv_string(json, "Content-Type", "application/x-www-form-urlencoded");
    json_close(json, '}');
    json_kv_string(json, "body", form);
    json_kv_bool(json, "clear", clear);
    json_close(json, '}');
}

static void write_open(struct json_out *json, const char *url)
{
    json_open(json, '{');
    json_kv_string(json, "action", "view");
    json_kv_string(json, "label", "Open");
    json_kv_string(json, "url", url);
    json_close(json, '}');
}

static void write_verdict(struct json_out *json,
                          const struct page *page,
                          const char *label,
                          enum verdict verdict)
{
    char form[128];

    (void)snprintf(form, sizeof(form), "action=verdict&verdict=%s&page=%" PRId64 "&via=ntfy",
                   verdict_name(verdict), page->outbox_id);
    write_post(json, label, page->acknowledge_url, form, false);
}

static void write_actions(struct json_out *json, const struct page *page)
{
    bool can_acknowledge = page->incident.status == INCIDENT_TRIGGERED;

    json_key(json, "actions");
    json_open(json, '[');
    if (page->digest) {
        write_open(json, page->digest->url);
    } else if (!page->acknowledge_url) {
        write_open(json, page->incident_url);
    } else {
        if (can_acknowledge)
            write_post(json, "Acknowledge", page->acknowledge_url, "action=ack", true);
        if (!render_mark(page)) {
            write_verdict(json, page, "Useful", VERDICT_USEFUL);
            write_verdict(json, page, "Noise", VERDICT_NOISE);
        }
        if (!can_acknowledge || render_mark(page))
            write_open(json, page->incident_url);
    }
    json_close(json, ']');
}

static const char *tag_of(const struct page *page)
{
    if (page->digest)
        return "bar_chart";
    return page->incident.status == INCIDENT_RESOLVED ? "white_check_mark" : "rotating_light";
}

static const char *click_of(const struct page *page)
{
    if (page->digest)
        return page->digest->url;
    return page->acknowledge_url ? page->acknowledge_url : page->incident_url;
}

/* The config file's words, or ours. A page that is no real one, and a digest, keep ours. */
static void kv_words(struct json_out *json,
                     const char *name,
                     struct words *words,
                     const char *configured,
                     const char *own)
{
    bool is_ours = words->page->digest || render_mark(words->page);
    const char *said = is_ours ? NULL : words_said(words, configured, NULL, false);

    json_kv_string(json, name, said && *said ? said : own);
}

static void write_message(struct words *words, struct str *out)
{
    const struct route_ntfy *ntfy = &words->to->ntfy;
    const struct page *page = words->page;
    STR_AUTO struct str title = STR_INIT(1024);
    STR_AUTO struct str message = STR_INIT(MESSAGE_BYTES_MAX);
    struct json_out json = JSON_OUT(out);

    render_subject(page, &title);
    render_short(page, &message);
    json_open(&json, '{');
    json_kv_string(&json, "topic", ntfy->topic);
    kv_words(&json, "title", words, ntfy->title, str_text(&title));
    kv_words(&json, "message", words, ntfy->message, str_text(&message));
    json_kv_int(&json, "priority", priority_of(ntfy, page));
    json_key(&json, "tags");
    json_open(&json, '[');
    json_string(&json, tag_of(page));
    if (render_mark(page))
        json_string(&json, page->lane);
    json_close(&json, ']');
    json_kv_string(&json, "click", click_of(page));
    write_actions(&json, page);
    json_close(&json, '}');
}

void ntfy_send(struct http_client *http,
               const struct route_integration *to,
               const struct page *page,
               struct deliver_outcome *outcome)
{
    STR_AUTO struct str body = STR_INIT(BODY_BYTES_MAX);
    WORDS_AUTO struct words words = WORDS(to, page, outcome);
    MEM_AUTO char *token = NULL;
    struct err err = {0};

    if (secret_read(&to->ntfy.token, &token, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    write_message(&words, &body);
    post_send(http,
              &(struct post){.url = to->ntfy.url,
                             .bearer = token,
                             .idempotency_key = page->idempotency_key,
                             .body = str_text(&body),
                             .body_len = body.len,
                             .timeout_ms = to->timeout_ms},
              outcome);
}
