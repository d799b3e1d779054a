/*
 * PagerDuty's Events API, version 2: one alert there per incident here.
 *
 *   it fires, news, a reminder --trigger-->      dedup_key "watchbill-<root of the incident>"
 *   somebody acknowledged it   --acknowledge-->  the same in all its events
 *   it is over                 --resolve-->
 *
 * A trigger for a key that is open is added to its log there and wakes nobody again.
 * An event has at most 512 KB; of what is larger, fewer alerts are listed and it says so.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/deliver/kinds.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/render.h"
#include "alertd/deliver/secret.h"
#include "alertd/deliver/words.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    EVENT_BYTES_MAX = 512 * 1000,
    SUMMARY_BYTES_MAX = 1024,
    STATUS_TAKEN = 202,
};

#define API_URL "https://events.pagerduty.com/v2/enqueue"

static const char *action_of(const struct page *page)
{
    if (page->digest)
        return "trigger";
    if (render_is_over(page))
        return "resolve";
    return strcmp(page->reason, "acknowledged") == 0 ? "acknowledge" : "trigger";
}

/* One of PagerDuty's four; words that nobody knows are an error, as Alertmanager says. */
static const char *severity_of(struct words *words)
{
    static const char *const known[] = {"critical", "error", "warning", "info"};
    static const char *const by_rank[] = {"error", "warning", "error", "critical"};
    const char *own = words_said(words, words->to->pagerduty.severity, NULL, false);
    const char *severity = own && *own ? own : words->page->incident.severity;

    if (!severity)
        return "info";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcasecmp(known[i], severity) == 0)
            return known[i];
    if (strcasecmp(severity, "none") == 0)
        return "info";
    return by_rank[incident_severity_rank(severity)];
}

/* Events of a shadow or a test never touch the real alert; a digest is one of its own. */
static void write_dedup_key(const struct page *page, struct str *out)
{
    if (page->digest)
        str_addf(out, "watchbill-digest-%s", page->idempotency_key);
    else
        str_addf(out, "watchbill-%s%s%s", page->root_id, render_mark(page) ? "-" : "",
                 render_mark(page) ? page->lane : "");
}

static void kv_words(struct json_out *json, const char *name, const char *said, const char *own)
{
    if (said && *said)
        json_kv_string(json, name, said);
    else if (own)
        json_kv_string(json, name, own);
}

static void kv_labels(struct json_out *json, const char *name, const struct labels *labels)
{
    json_key(json, name);
    json_open(json, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(json, labels->at[i].name, labels->at[i].value);
    json_close(json, '}');
}

static void write_alerts(struct json_out *json, const struct page *page, size_t n)
{
    json_key(json, "alerts");
    json_open(json, '[');
    for (size_t i = 0; i < n; i++) {
        const struct incident_alert *alert = &page->alerts[i];

        json_open(json, '{');
        json_kv_string(json, "status", alert->firing ? "firing" : "resolved");
        json_kv_time(json, "since", alert->fired_at_ms);
        kv_labels(json, "labels", alert->labels);
        kv_labels(json, "annotations", alert->annotations);
        json_close(json, '}');
    }
    json_close(json, ']');
    if (n < page->incident.n_alerts)
        json_kv_int(json, "alerts_not_listed", (int64_t)page->incident.n_alerts - (int64_t)n);
}

/* What the config file adds, beside what is ours: a name is there once. */
static void write_own_details(struct json_out *json, struct words *words)
{
    const struct route_pairs *details = &words->to->pagerduty.details;

    for (size_t i = 0; i < details->n; i++) {
        const char *value = words_said(words, details->at[i].value, NULL, false);

        if (value)
            json_kv_string(json, details->at[i].key, value);
    }
}

static void write_details(struct json_out *json, struct words *words, size_t n_alerts)
{
    const struct page *page = words->page;
    STR_AUTO struct str late = STR_INIT(1024);

    render_late(page, &late);
    json_key(json, "custom_details");
    json_open(json, '{');
    write_own_details(json, words);
    json_key(json, "watchbill");
    json_open(json, '{');
    if (render_mark(page))
        json_kv_string(json, "mark", render_mark(page));
    if (page->digest)
        json_kv_string(json, "digest", page->digest->text);
    else
        json_kv_string(json, "incident", page->incident.key);
    json_kv_string(json, "reason", page->reason);
    if (late.len)
        json_kv_string(json, "late", str_text(&late));
    json_kv_int(json, "firing", page->incident.n_firing);
    json_kv_int(json, "resolved",
                (int64_t)page->incident.n_alerts - (int64_t)page->incident.n_firing);
    write_alerts(json, page, n_alerts);
    json_close(json, '}');
    json_close(json, '}');
}

static const char *source_of(const struct page *page)
{
    const char *instance = page->n_alerts ? labels_get(page->alerts[0].labels, "instance") : NULL;

    return instance ? instance : page->external_url;
}

static const char *said(struct words *words, const char *text, const char *usual)
{
    return words_said(words, text, usual, false);
}

/* The headline: PagerDuty takes 1,024 characters of it. */
static void write_summary(struct json_out *json, struct words *words)
{
    STR_AUTO struct str summary = STR_INIT(WORDS_TEXT_BYTES_MAX);
    bool is_ours = render_mark(words->page) != NULL || words->page->digest;
    const char *own = is_ours ? NULL
                              : said(words, words->to->pagerduty.description,
                                     "pagerduty.default.description");

    if (own && *own)
        str_add(&summary, own);
    else
        render_subject(words->page, &summary);
    words_cut(&summary, SUMMARY_BYTES_MAX);
    json_kv_string(json, "summary", str_text(&summary));
}

static void write_payload(struct json_out *json, struct words *words, size_t n_alerts)
{
    const struct route_pagerduty *pagerduty = &words->to->pagerduty;

    json_key(json, "payload");
    json_open(json, '{');
    write_summary(json, words);
    kv_words(json, "source", said(words, pagerduty->source, NULL), source_of(words->page));
    json_kv_string(json, "severity", severity_of(words));
    if (!words->page->digest)
        json_kv_time(json, "timestamp", words->page->incident.opened_at_ms);
    kv_words(json, "class", said(words, pagerduty->class, NULL), NULL);
    kv_words(json, "component", said(words, pagerduty->component, NULL), NULL);
    kv_words(json, "group", said(words, pagerduty->group, NULL), NULL);
    write_details(json, words, n_alerts);
    json_close(json, '}');
}

static void write_link(struct json_out *json, const char *url, const char *words)
{
    if (!url)
        return;
    json_open(json, '{');
    json_kv_string(json, "href", url);
    json_kv_string(json, "text", words);
    json_close(json, '}');
}

static void write_event(struct words *words,
                        const char *routing_key,
                        size_t n_alerts,
                        struct str *out)
{
    const struct route_pagerduty *pagerduty = &words->to->pagerduty;
    const struct page *page = words->page;
    STR_AUTO struct str dedup_key = STR_INIT(255);
    struct json_out json = JSON_OUT(out);

    write_dedup_key(page, &dedup_key);
    json_open(&json, '{');
    json_kv_string(&json, "routing_key", routing_key);
    json_kv_string(&json, "event_action", action_of(page));
    json_kv_string(&json, "dedup_key", str_text(&dedup_key));
    kv_words(&json, "client", said(words, pagerduty->client, "pagerduty.default.client"),
             "Watchbill");
    kv_words(&json, "client_url", said(words, pagerduty->client_url, "pagerduty.default.clientURL"),
             page->external_url);
    write_payload(&json, words, n_alerts);
    json_key(&json, "links");
    json_open(&json, '[');
    write_link(&json, render_open_url(page), "Open the incident");
    write_link(&json, render_acknowledge_url(page), "Acknowledge here");
    write_link(&json, page->digest ? NULL : render_runbook(page), "Runbook");
    json_close(&json, ']');
    json_close(&json, '}');
}

/* {"status": "invalid event", "message": "...", "errors": ["..."]} */
static void judge(const struct http_response *reply,
                  const char *routing_key,
                  struct deliver_outcome *outcome)
{
    struct json *answer = NULL;
    const struct json *errors;
    const char *status = "";
    const char *message = "";

    (void)json_parse(reply->body, reply->body_len, &answer, NULL);
    if (answer && json_is_object(answer)) {
        (void)json_get_string_or(answer, "status", "", &status, NULL);
        (void)json_get_string_or(answer, "message", "", &message, NULL);
    }
    if (outcome->verdict != DELIVER_ACCEPTED) {
        post_quote(outcome, message, routing_key);
        if (*status && json_get_array(answer, "errors", &errors, NULL) == 0 && json_length(errors))
            post_quote(outcome, json_text(json_at(errors, 0)), routing_key);
    } else if (reply->status != STATUS_TAKEN && strcmp(status, "success") != 0) {
        outcome->verdict = DELIVER_REFUSED;
        post_quote(outcome, "something that is not PagerDuty's answer", NULL);
    }
    json_free(answer);
}

void pagerduty_send(struct http_client *http,
                    const struct route_integration *to,
                    const struct page *page,
                    struct deliver_outcome *outcome)
{
    STR_AUTO struct str body = STR_INIT(EVENT_BYTES_MAX);
    WORDS_AUTO struct words words = WORDS(to, page, outcome);
    const struct route_pagerduty *pagerduty = &to->pagerduty;
    struct http_response reply = {0};
    MEM_AUTO char *routing_key = NULL;
    size_t n_alerts = page->n_alerts;
    struct err err = {0};

    if (secret_read(&pagerduty->routing_key, &routing_key, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    write_event(&words, routing_key, n_alerts, &body);
    while (body.full && n_alerts > 0) {
        n_alerts /= 2;
        str_cut(&body, 0);
        write_event(&words, routing_key, n_alerts, &body);
    }
    if (body.full) {
        post_not_made(outcome, &(struct err){.text = "the event is larger than 512 KB even "
                                                     "without its alerts"});
        return;
    }

    const struct post post = {
        .url = pagerduty->url ? pagerduty->url : API_URL,
        .as = &pagerduty->http,
        .idempotency_key = page->idempotency_key,
        .body = str_text(&body),
        .body_len = body.len,
        .timeout_ms = to->timeout_ms,
    };

    if (!post_ask(http, &post, outcome, &reply))
        return;
    judge(&reply, routing_key, outcome);
    http_response_done(&reply);
}
