/*
 * Telegram: a bot's sendMessage, with buttons that are links.
 *
 * Telegram refuses a whole message for one character of markup or one address of a button
 * that it does not like (http://localhost is none to it). A page is worth more than its looks:
 * what is refused so is sent again at once as plain text with its links in it.
 *
 * The bot's token is part of the address: nothing that could repeat it reaches the words.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/deliver/kinds.h"
#include "alertd/deliver/post.h"
#include "alertd/deliver/render.h"
#include "alertd/deliver/secret.h"
#include "alertd/deliver/words.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    TEXT_BYTES_MAX = 3000, /* Telegram takes 4,096 characters behind its markup */
    LINKS_BYTES_MAX = 2000,
    TITLE_BYTES_MAX = 600,
    MESSAGE_BYTES_MAX = 40 * 1024,
    BODY_BYTES_MAX = 256 * 1024,
    URL_BYTES_MAX = 4096 + SECRET_BYTES_MAX,
};

#define API_URL "https://api.telegram.org"

/* How a text is made harmless, and bold, in each parse_mode. */
static const struct markup {
    const char *mode;
    const char *special;      /* characters that get a backslash; NULL: HTML's entities */
    const char *open, *close; /* bold */
} markups[] = {
    {"", "", "", ""},
    {"HTML", NULL, "<b>", "</b>"},
    {"Markdown", "_*`[", "*", "*"},
    {"MarkdownV2", "_*[]()~`>#+-=|{}.!\\", "*", "*"},
};

static const struct markup *markup_of(const char *mode)
{
    for (size_t i = 0; mode && i < sizeof(markups) / sizeof(markups[0]); i++)
        if (strcmp(markups[i].mode, mode) == 0)
            return &markups[i];
    return &markups[1];
}

static void add_entity(struct str *out, char c)
{
    if (c == '&')
        str_add(out, "&amp;");
    else if (c == '<')
        str_add(out, "&lt;");
    else if (c == '>')
        str_add(out, "&gt;");
    else
        str_addc(out, c);
}

static void add_escaped(struct str *out, const struct markup *markup, const char *text)
{
    for (; *text; text++) {
        if (!markup->special) {
            add_entity(out, *text);
            continue;
        }
        if (strchr(markup->special, *text))
            str_addc(out, '\\');
        str_addc(out, *text);
    }
}

/* In legacy Markdown nothing is escaped between the stars: one of its own there ends them. */
static void add_bold(struct str *out, const struct markup *markup, const char *text)
{
    bool is_plain = strcmp(markup->mode, "Markdown") == 0 && strpbrk(text, markup->special);

    str_add(out, is_plain ? "" : markup->open);
    add_escaped(out, markup, text);
    str_add(out, is_plain ? "" : markup->close);
}

static void add_links(const struct page *page, struct str *out)
{
    if (render_acknowledge_url(page))
        str_addf(out, "\nAcknowledge: %s", render_acknowledge_url(page));
    if (!page->digest && render_runbook(page))
        str_addf(out, "\nRunbook: %s", render_runbook(page));
    if (render_open_url(page))
        str_addf(out, "\nOpen: %s", render_open_url(page));
}

/* HTML is escaped by place as a page's is; what a plain text makes of its tags is not ours. */
static const char *message_of(struct words *words, const struct markup *markup)
{
    bool is_html = strcmp(markup->mode, "HTML") == 0;

    if (words->page->digest || render_mark(words->page))
        return NULL;
    return words_said(words, words->to->telegram.message, "telegram.default.message", is_html);
}

static void write_text(struct words *words,
                       const struct markup *markup,
                       bool plain,
                       struct str *out)
{
    const struct page *page = words->page;
    const char *own = message_of(words, markup);
    STR_AUTO struct str title = STR_INIT(TITLE_BYTES_MAX * 4);
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX * 4);

    if (own && *own) {
        str_add(out, own);
    } else {
        render_subject(page, &title);
        words_cut(&title, TITLE_BYTES_MAX);
        render_short(page, &text);
        words_cut(&text, TEXT_BYTES_MAX - LINKS_BYTES_MAX / 2);
        add_bold(out, markup, str_text(&title));
        str_addc(out, '\n');
        add_escaped(out, markup, str_text(&text));
    }
    if (plain)
        add_links(page, out);
}

static void write_button(struct json_out *json, const char *words, const char *url)
{
    if (!url)
        return;
    json_open(json, '{');
    json_kv_string(json, "text", words);
    json_kv_string(json, "url", url);
    json_close(json, '}');
}

static void write_buttons(struct json_out *json, const struct page *page)
{
    json_key(json, "reply_markup");
    json_open(json, '{');
    json_key(json, "inline_keyboard");
    json_open(json, '[');
    json_open(json, '[');
    write_button(json, "Acknowledge", render_acknowledge_url(page));
    write_button(json, "Runbook", page->digest ? NULL : render_runbook(page));
    write_button(json, "Open", render_open_url(page));
    json_close(json, ']');
    json_close(json, ']');
    json_close(json, '}');
}

/* One message on its way. */
struct sending {
    struct http_client *http;
    const struct route_integration *to;
    const struct page *page;
    const char *token;
    int64_t chat_id;
    const char *url;
    int64_t deadline_ms;
};

static void write_message(const struct sending *sending,
                          bool plain,
                          struct deliver_outcome *outcome,
                          struct str *out)
{
    WORDS_AUTO struct words words = WORDS(sending->to, sending->page, outcome);
    const struct route_telegram *telegram = &sending->to->telegram;
    const struct markup *markup = markup_of(plain ? "" : telegram->parse_mode);
    STR_AUTO struct str text = STR_INIT(MESSAGE_BYTES_MAX);
    struct json_out json = JSON_OUT(out);

    write_text(&words, markup, plain, &text);
    json_open(&json, '{');
    json_kv_int(&json, "chat_id", sending->chat_id);
    if (telegram->message_thread_id)
        json_kv_int(&json, "message_thread_id", telegram->message_thread_id);
    json_kv_string(&json, "text", str_text(&text));
    if (*markup->mode)
        json_kv_string(&json, "parse_mode", markup->mode);
    json_kv_bool(&json, "disable_notification", telegram->disable_notifications);
    json_key(&json, "link_preview_options");
    json_open(&json, '{');
    json_kv_bool(&json, "is_disabled", true);
    json_close(&json, '}');
    if (!plain)
        write_buttons(&json, sending->page);
    json_close(&json, '}');
}

/* `parameters` of a refusal: how long to wait, where a group has moved to. */
static void read_parameters(const struct json *answer, struct deliver_outcome *outcome)
{
    const struct json *parameters;
    int64_t after_s = 0;
    int64_t chat_id = 0;

    if (json_get_object(answer, "parameters", &parameters, NULL))
        return;
    if (json_get_int_or(parameters, "retry_after", 0, &after_s, NULL) == 0 && after_s > 0)
        outcome->retry_after_ms = (after_s < 86400 ? after_s : 86400) * 1000;
    if (json_get_int_or(parameters, "migrate_to_chat_id", 0, &chat_id, NULL) == 0 && chat_id) {
        STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX);

        str_addf(&words, "the group is now chat_id %lld", (long long)chat_id);
        post_quote(outcome, str_text(&words), NULL);
    }
}

/* Was it the looks that Telegram did not like? */
static bool is_about_looks(const char *description)
{
    static const char *const words[] = {"parse entities", "BUTTON", "button", "inline keyboard",
                                        "too long"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(description, words[i]))
            return true;
    return false;
}

/* Returns true when plain text may be taken where this was not. */
static bool judge(const struct sending *sending,
                  const struct http_response *reply,
                  struct deliver_outcome *outcome)
{
    struct json *answer = NULL;
    const char *description = "";
    bool ok = false;
    bool is_looks;

    if (json_parse(reply->body, reply->body_len, &answer, NULL) || !json_is_object(answer)) {
        if (outcome->verdict == DELIVER_ACCEPTED) {
            outcome->verdict = DELIVER_REFUSED;
            post_quote(outcome, "something that is not Telegram's answer", NULL);
        }
        json_free(answer);
        return false;
    }
    (void)json_get_bool(answer, "ok", &ok, NULL);
    (void)json_get_string_or(answer, "description", "", &description, NULL);
    if (outcome->verdict == DELIVER_ACCEPTED && !ok)
        outcome->verdict = DELIVER_REFUSED;
    if (!ok) {
        post_quote(outcome, description, sending->token);
        read_parameters(answer, outcome);
    }
    is_looks = reply->status == 400 && is_about_looks(description);
    json_free(answer);
    return is_looks;
}

/* Returns true when it is worth another try without markup and buttons. */
static bool send_once(const struct sending *sending, bool plain, struct deliver_outcome *outcome)
{
    STR_AUTO struct str body = STR_INIT(BODY_BYTES_MAX);
    struct http_response reply = {0};

    write_message(sending, plain, outcome, &body);

    const struct post post = {
        .url = sending->url,
        .as = &sending->to->telegram.http,
        .body = str_text(&body),
        .body_len = body.len,
        .timeout_ms = sending->deadline_ms - clock_mono_ms(),
    };

    if (post.timeout_ms <= 0 || !post_ask(sending->http, &post, outcome, &reply))
        return false;

    bool again = judge(sending, &reply, outcome);

    http_response_done(&reply);
    return again && !plain;
}

/* By value, or the number in a file. */
static int chat_of(const struct route_telegram *telegram, int64_t *ret_chat_id, struct err *reterr)
{
    MEM_AUTO char *text = NULL;
    char *end = NULL;
    int r;

    *ret_chat_id = telegram->chat_id;
    if (telegram->chat_id)
        return 0;
    r = secret_read(&telegram->chat_id_file, &text, reterr);
    if (r)
        return r;
    *ret_chat_id = strtoll(text, &end, 10);
    if (*ret_chat_id == 0 || *end)
        return err_set(reterr, HTTP_E_REQUEST, "chat_id_file does not hold the number of a chat");
    return 0;
}

void telegram_send(struct http_client *http,
                   const struct route_integration *to,
                   const struct page *page,
                   struct deliver_outcome *outcome)
{
    STR_AUTO struct str url = STR_INIT(URL_BYTES_MAX);
    MEM_AUTO char *token = NULL;
    struct err err = {0};
    struct sending sending = {
        .http = http,
        .to = to,
        .page = page,
        .deadline_ms = clock_mono_ms() + to->timeout_ms,
    };

    if (secret_read(&to->telegram.bot_token, &token, &err) ||
        chat_of(&to->telegram, &sending.chat_id, &err)) {
        post_not_made(outcome, &err);
        return;
    }
    str_addf(&url, "%s/bot%s/sendMessage", to->telegram.api_url ? to->telegram.api_url : API_URL,
             token);
    sending.token = token;
    sending.url = str_text(&url);
    if (send_once(&sending, false, outcome))
        (void)send_once(&sending, true, outcome);
}
