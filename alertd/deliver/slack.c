/*
 * Slack: one attachment by an incoming webhook, or by a bot's chat.postMessage when there is
 * a token.
 *
 *     | [critical] The shop does not answer (INC-2026-0012)   a link to the incident
 *     | Since 14:02:11 UTC, for 31 s.
 *     | ShopDown on https://shop: no answer (value 0)
 *     | job  probe                                            the group's labels
 *     | [Acknowledge] [Runbook] [Open]                        links: no Slack application needed
 *
 * A webhook takes it with 200 and the body "ok", chat.postMessage with `"ok": true`. Anything
 * else is no success, whatever its status: some proxies answer 200 to everything.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/deliver/kinds.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/render.h"
#include "alertd/deliver/secret.h"
#include "alertd/deliver/words.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    TEXT_BYTES_MAX = 7000, /* of an attachment; Slack folds long ones and cuts at 8,000 */
    FIELDS_MAX = 10,
    BODY_BYTES_MAX = 256 * 1024,
    SAID_BYTES_MAX = 60,
};

/* Slack's markup has three characters of its own. */
static void add_escaped(struct str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            str_add(out, "&amp;");
        else if (*text == '<')
            str_add(out, "&lt;");
        else if (*text == '>')
            str_add(out, "&gt;");
        else
            str_addc(out, *text);
    }
}

static void kv_escaped(struct json_out *json, const char *name, const char *text)
{
    STR_AUTO struct str escaped = STR_INIT(TEXT_BYTES_MAX * 5);

    add_escaped(&escaped, text);
    json_kv_string(json, name, str_text(&escaped));
}

/* What the config file says, or our own words (escaped); NULL, NULL: nothing. */
static void kv_words(struct json_out *json, const char *name, const char *said, const char *own)
{
    if (said && *said)
        json_kv_string(json, name, said);
    else if (own)
        kv_escaped(json, name, own);
}

static const char *color_of(const struct page *page)
{
    static const char *const by_rank[] = {"#439fe0", "warning", "#e8590c", "danger"};

    if (render_mark(page))
        return "#8a8a8a";
    if (render_is_over(page))
        return "good";
    return by_rank[incident_severity_rank(page->incident.severity)];
}

static void write_field(struct json_out *json, const char *title, const char *value, bool is_short)
{
    json_open(json, '{');
    kv_escaped(json, "title", title);
    kv_escaped(json, "value", value);
    json_kv_bool(json, "short", is_short);
    json_close(json, '}');
}

/* The config file's, as far as they say something. */
static bool write_own_fields(struct json_out *json, struct words *words)
{
    const struct route_slack *slack = &words->to->slack;
    bool any = false;

    for (size_t i = 0; i < slack->n_fields; i++) {
        const struct route_slack_field *field = &slack->fields[i];
        const char *title = words_said(words, field->title, NULL, false);
        const char *value = words_said(words, field->value, NULL, false);

        if (!title || !value)
            continue;
        json_open(json, '{');
        json_kv_string(json, "title", title);
        json_kv_string(json, "value", value);
        json_kv_bool(json, "short", field->is_short || slack->short_fields);
        json_close(json, '}');
        any = true;
    }
    return any;
}

static void write_fields(struct json_out *json, struct words *words)
{
    const struct page *page = words->page;
    const struct labels *group = page->incident.labels;

    json_key(json, "fields");
    json_open(json, '[');
    if (!write_own_fields(json, words))
        for (uint32_t i = 0; !page->digest && group && i < group->n && i < FIELDS_MAX; i++)
            write_field(json, group->at[i].name, group->at[i].value, true);
    json_close(json, ']');
}

static void write_button(struct json_out *json, const char *words, const char *url, bool is_main)
{
    if (!url)
        return;
    json_open(json, '{');
    json_kv_string(json, "type", "button");
    json_kv_string(json, "text", words);
    json_kv_string(json, "url", url);
    if (is_main)
        json_kv_string(json, "style", "primary");
    json_close(json, '}');
}

static void write_buttons(struct json_out *json, const struct page *page)
{
    json_key(json, "actions");
    json_open(json, '[');
    write_button(json, "Acknowledge", render_acknowledge_url(page), true);
    write_button(json, "Runbook", page->digest ? NULL : render_runbook(page), false);
    write_button(json, "Open", render_open_url(page), false);
    json_close(json, ']');
}

static void write_markup(struct json_out *json, const struct route_slack *slack)
{
    json_key(json, "mrkdwn_in");
    json_open(json, '[');
    for (size_t i = 0; i < slack->mrkdwn_in.n; i++)
        json_string(json, slack->mrkdwn_in.at[i]);
    json_close(json, ']');
}

static const char *said(struct words *words, const char *text, const char *usual)
{
    return words_said(words, text, usual, false);
}

static void write_footer(struct json_out *json, struct words *words)
{
    STR_AUTO struct str footer = STR_INIT(1024);

    if (!words->page->digest)
        str_addf(&footer, "%s, ", words->page->incident.key);
    str_addf(&footer, "told to %s by alertd", words->page->receiver);
    kv_words(json, "footer", said(words, words->to->slack.footer, "slack.default.footer"),
             str_text(&footer));
}

/* Its title, text and what stands for both: a practice copy, a test or a digest keeps ours,
 * whatever the config file's words are. */
static void write_main_words(struct json_out *json, struct words *words)
{
    const struct route_slack *slack = &words->to->slack;
    STR_AUTO struct str title = STR_INIT(1024);
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX * 2);
    bool is_ours = render_mark(words->page) != NULL || words->page->digest;

    render_subject(words->page, &title);
    render_short(words->page, &text);
    words_cut(&text, TEXT_BYTES_MAX);
    kv_words(json, "fallback",
             is_ours ? NULL : said(words, slack->fallback, "slack.default.fallback"),
             str_text(&title));
    kv_words(json, "title", is_ours ? NULL : said(words, slack->title, "slack.default.title"),
             str_text(&title));
    kv_words(json, "text", is_ours ? NULL : said(words, slack->text, "slack.default.text"),
             str_text(&text));
}

static void write_attachment(struct json_out *json, struct words *words)
{
    const struct route_slack *slack = &words->to->slack;
    const char *link = said(words, slack->title_link, "slack.default.titlelink");

    json_open(json, '{');
    kv_words(json, "color", said(words, slack->color, "slack.default.color"),
             color_of(words->page));
    write_main_words(json, words);
    json_kv_string(json, "title_link", link && *link ? link : render_open_url(words->page));
    kv_words(json, "pretext", said(words, slack->pretext, "slack.default.pretext"), NULL);
    kv_words(json, "callback_id", said(words, slack->callback_id, "slack.default.callbackid"),
             NULL);
    kv_words(json, "image_url", said(words, slack->image_url, NULL), NULL);
    kv_words(json, "thumb_url", said(words, slack->thumb_url, NULL), NULL);
    write_markup(json, slack);
    write_fields(json, words);
    write_buttons(json, words->page);
    write_footer(json, words);
    json_close(json, '}');
}

static void write_message(struct words *words, struct str *out)
{
    const struct route_slack *slack = &words->to->slack;
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    kv_words(&json, "channel", said(words, slack->channel, NULL), NULL);
    kv_words(&json, "username", said(words, slack->username, "slack.default.username"), NULL);
    kv_words(&json, "icon_emoji", said(words, slack->icon_emoji, "slack.default.iconemoji"), NULL);
    kv_words(&json, "icon_url", said(words, slack->icon_url, "slack.default.iconurl"), NULL);
    if (slack->link_names)
        json_kv_bool(&json, "link_names", true);
    json_key(&json, "attachments");
    json_open(&json, '[');
    write_attachment(&json, words);
    json_close(&json, ']');
    json_close(&json, '}');
}

/* Slack's errors are words such as no_service; anything else is not repeated. */
static const char *error_word(const char *body, size_t len, char *word)
{
    size_t n = strspn(body, "abcdefghijklmnopqrstuvwxyz_0123456789");

    while (len > n && strchr(" \t\r\n", body[len - 1]))
        len--;
    if (n == 0 || n != len || n >= SAID_BYTES_MAX)
        return "something that is not Slack's answer";
    memcpy(word, body, n);
    word[n] = '\0';
    return word;
}

/* Errors of chat.postMessage that go away by themselves. */
static bool is_passing(const char *error)
{
    static const char *const passing[] = {"ratelimited", "rate_limited",        "internal_error",
                                          "fatal_error", "service_unavailable", "request_timeout"};

    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        if (strcmp(passing[i], error) == 0)
            return true;
    return false;
}

/* {"ok": true} or {"ok": false, "error": "..."}: what chat.postMessage says, and some that
 * speak like Slack's webhooks. */
static void judge_json(const struct json *reply, struct deliver_outcome *outcome)
{
    const char *error = NULL;
    bool ok = false;

    if (json_get_bool(reply, "ok", &ok, NULL) == 0 && ok)
        return;
    outcome->verdict = DELIVER_REFUSED;
    if (json_get_string(reply, "error", &error, NULL))
        error = "something that is not Slack's answer";
    if (is_passing(error))
        outcome->verdict = DELIVER_LATER;
    post_quote(outcome, error, NULL);
}

static void judge(const struct http_response *reply, struct deliver_outcome *outcome)
{
    char word[SAID_BYTES_MAX];
    struct json *parsed = NULL;
    const char *said;

    if (json_parse(reply->body, reply->body_len, &parsed, NULL) == 0 && json_is_object(parsed)) {
        if (outcome->verdict == DELIVER_ACCEPTED)
            judge_json(parsed, outcome);
        json_free(parsed);
        return;
    }
    json_free(parsed);
    said = error_word(reply->body, reply->body_len, word);
    if (outcome->verdict == DELIVER_ACCEPTED && strcmp(said, "ok") == 0)
        return;
    if (outcome->verdict == DELIVER_ACCEPTED)
        outcome->verdict = DELIVER_REFUSED;
    if (said == word || outcome->verdict == DELIVER_REFUSED)
        post_quote(outcome, said, NULL);
}

void slack_send(struct http_client *http,
                const struct route_integration *to,
                const struct page *page,
                struct deliver_outcome *outcome)
{
    STR_AUTO struct str body = STR_INIT(BODY_BYTES_MAX);
    WORDS_AUTO struct words words = WORDS(to, page, outcome);
    const struct route_slack *slack = &to->slack;
    MEM_AUTO char *url = NULL;
    MEM_AUTO char *token = NULL;
    struct http_response reply = {0};
    struct err err = {0};

    if (secret_read(&slack->api_url, &url, &err) || secret_read(&slack->app_token, &token, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    write_message(&words, &body);

    const struct post post = {
        .url = *url ? url : slack->app_url,
        .as = &slack->http,
        .bearer = token,
        .idempotency_key = page->idempotency_key,
        .body = str_text(&body),
        .body_len = body.len,
        .timeout_ms = to->timeout_ms,
    };

    if (!post_ask(http, &post, outcome, &reply))
        return;
    judge(&reply, outcome);
    http_response_done(&reply);
}
