/*
 * Slack, Telegram and PagerDuty against a server on a real socket: what they are sent, and
 * what becomes of a page when the answer is slow, a refusal, a redirect, garbage or endless.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/deliver/receiver.h"
#include "lib/json/read.h"
#include "tests/lib/local_server.h"
#include "tests/unit/deliver/some_page.h"

enum {
    REQUEST_MAX = 1024 * 1024,
    TIMEOUT_MS = 400,
};

/* Answers in turn; "" says nothing until the caller gives up. The last one is repeated. */
struct script {
    const char *answers[4];
    unsigned n_requests;
    bool is_endless; /* the body never ends */
    char requests[2][REQUEST_MAX];
};

static void read_request(int connection, char *text)
{
    const char *length;
    size_t len;
    size_t want;

    text[0] = '\0';
    if (!local_server_read_until(connection, "\r\n\r\n", text, REQUEST_MAX))
        return;
    length = strstr(text, "Content-Length: ");
    len = strlen(text);
    want = len + (length ? strtoul(length + 16, NULL, 10) : 0);
    while (len < want && want < REQUEST_MAX) {
        ssize_t n = recv(connection, text + len, want - len, 0);

        if (n <= 0)
            return;
        len += (size_t)n;
    }
    text[len] = '\0';
}

static void play(int connection, void *state)
{
    struct script *script = state;
    unsigned n = script->n_requests < 3 ? script->n_requests : 3;
    const char *answer;
    char rest[64];

    while (n > 0 && !script->answers[n])
        n--;
    answer = script->answers[n];
    read_request(connection, script->requests[script->n_requests ? 1 : 0]);
    script->n_requests++;
    local_server_write(connection, answer);
    while (script->is_endless && send(connection, "xxxxxxxxxxxxxxxx", 16, MSG_NOSIGNAL) > 0)
        ;
    if (!*answer)
        while (recv(connection, rest, sizeof(rest), 0) > 0)
            ;
}

/* A kind, pointed at the script's server. */
enum kind {
    SLACK,
    TELEGRAM,
    PAGERDUTY,
};

#define SECRET "s3cr3t-T0K3N"

static struct deliver_outcome tell(enum kind kind,
                                   struct script *script,
                                   const struct page *page,
                                   void (*change)(struct route_integration *to))
{
    static char url[100];
    struct route_integration to = {.receiver = "oncall", .timeout_ms = TIMEOUT_MS};
    struct deliver *deliver = deliver_new();
    struct local_server server;
    struct deliver_outcome outcome;

    local_server_start(&server, play, script);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port,
                   kind == SLACK ? "/" SECRET : "");
    if (kind == SLACK) {
        to.kind = ROUTE_SLACK;
        to.slack.api_url.value = url;
    } else if (kind == TELEGRAM) {
        to.kind = ROUTE_TELEGRAM;
        to.telegram = (struct route_telegram){
            .api_url = url, .bot_token = {.value = SECRET}, .chat_id = -42};
    } else {
        to.kind = ROUTE_PAGERDUTY;
        to.pagerduty = (struct route_pagerduty){.url = url, .routing_key = {.value = SECRET}};
    }
    if (change)
        change(&to);
    deliver_send(deliver, &to, page, &outcome);
    deliver_free(deliver);
    local_server_stop(&server);
    if (strstr(outcome.words, SECRET))
        fail_msg("the secret is in the words: %s", outcome.words);
    return outcome;
}

#define CLOSING(status, headers, body) \
    "HTTP/1.1 " status "\r\nConnection: close\r\n" headers "\r\n" body

static const struct {
    const char *name;
    enum kind kind;
    enum deliver_verdict verdict;
    const char *answer;
    int64_t retry_after_ms;
    const char *words;
} answers[] = {
    {"slack says ok", SLACK, DELIVER_ACCEPTED, CLOSING("200 OK", "", "ok"), -1, "200"},
    {"a bot's ok", SLACK, DELIVER_ACCEPTED, CLOSING("200 OK", "", "{\"ok\":true,\"ts\":\"1\"}"), -1,
     "200"},
    {"a bot's error", SLACK, DELIVER_REFUSED,
     CLOSING("200 OK", "", "{\"ok\":false,\"error\":\"not_in_channel\"}"), -1, "not_in_channel"},
    {"a bot's error that passes", SLACK, DELIVER_LATER,
     CLOSING("200 OK", "", "{\"ok\":false,\"error\":\"internal_error\"}"), -1, "internal_error"},
    {"slack is no more", SLACK, DELIVER_REFUSED, CLOSING("404 Not Found", "", "no_service"), -1,
     "no_service"},
    {"slack is busy", SLACK, DELIVER_LATER,
     CLOSING("429 Too Many", "Retry-After: 7\r\n", "rate_limited"), 7000, "rate_limited"},
    {"slack is down", SLACK, DELIVER_LATER, CLOSING("503 No", "", "<html>"), -1, "503"},
    {"200 of somebody else", SLACK, DELIVER_REFUSED, CLOSING("200 OK", "", "<html>log in " SECRET),
     -1, "not Slack's answer"},
    {"200 without a word", SLACK, DELIVER_REFUSED, CLOSING("200 OK", "", ""), -1,
     "not Slack's answer"},
    {"slack moved", SLACK, DELIVER_REFUSED,
     CLOSING("302 Found", "Location: http://127.0.0.1:1/x\r\n", ""), -1, "redirect"},
    {"moved to another server", SLACK, DELIVER_REFUSED,
     CLOSING("307 T", "Location: http://127.0.0.1:1/x\r\n", ""), -1, "redirect"},
    {"slack hangs", SLACK, DELIVER_LATER, "", -1, "no answer in time"},
    {"slack is no HTTP", SLACK, DELIVER_LATER, "\x16\x03\x01 garbage\r\n\r\n", -1, "not HTTP"},

    {"telegram says ok", TELEGRAM, DELIVER_ACCEPTED,
     CLOSING("200 OK", "", "{\"ok\":true,\"result\":{}}"), -1, "200"},
    {"telegram is busy", TELEGRAM, DELIVER_LATER,
     CLOSING("429 Too Many",
             "",
             "{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests: retry after "
             "11\",\"parameters\":{\"retry_after\":11}}"),
     11000, "retry after 11"},
    {"blocked by its user", TELEGRAM, DELIVER_REFUSED,
     CLOSING("403 Forbidden",
             "",
             "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden: bot was blocked\"}"),
     -1, "bot was blocked"},
    {"a group that became a supergroup", TELEGRAM, DELIVER_REFUSED,
     CLOSING("400 Bad",
             "",
             "{\"ok\":false,\"description\":\"group chat was upgraded\",\"parameters\":"
             "{\"migrate_to_chat_id\":-1007}}"),
     -1, "-1007"},
    {"it repeats the token", TELEGRAM, DELIVER_REFUSED,
     CLOSING("404 Not Found", "", "{\"ok\":false,\"description\":\"no bot" SECRET "\"}"), -1,
     "404"},
    {"ok is not said", TELEGRAM, DELIVER_REFUSED, CLOSING("200 OK", "", "{\"ok\":false}"), -1,
     "200"},
    {"not JSON", TELEGRAM, DELIVER_REFUSED, CLOSING("200 OK", "", "ok"), -1,
     "not Telegram's answer"},
    {"numbers where words belong", TELEGRAM, DELIVER_REFUSED,
     CLOSING("400 Bad", "", "{\"ok\":0,\"description\":7,\"parameters\":[1]}"), -1, "400"},
    {"telegram hangs", TELEGRAM, DELIVER_LATER, "", -1, "no answer in time"},

    {"pagerduty takes it", PAGERDUTY, DELIVER_ACCEPTED,
     CLOSING("202 Accepted", "", "{\"status\":\"success\",\"dedup_key\":\"x\"}"), -1, "202"},
    {"202 is enough", PAGERDUTY, DELIVER_ACCEPTED, CLOSING("202 Accepted", "", ""), -1, "202"},
    {"one that speaks like it", PAGERDUTY, DELIVER_ACCEPTED,
     CLOSING("200 OK", "", "{\"status\":\"success\"}"), -1, "200"},
    {"200 of somebody else", PAGERDUTY, DELIVER_REFUSED, CLOSING("200 OK", "", "<html>"), -1,
     "not PagerDuty's answer"},
    {"an invalid event", PAGERDUTY, DELIVER_REFUSED,
     CLOSING("400 Bad",
             "",
             "{\"status\":\"invalid event\",\"message\":\"Event object is invalid\",\"errors\":"
             "[\"'summary' is missing\"]}"),
     -1, "'summary' is missing"},
    {"it repeats the key", PAGERDUTY, DELIVER_REFUSED,
     CLOSING("400 Bad", "", "{\"status\":\"x\",\"message\":\"no " SECRET "\"}"), -1, "400"},
    {"pagerduty is busy", PAGERDUTY, DELIVER_LATER,
     CLOSING("429 Too Many", "Retry-After: 60\r\n", ""), 60000, "429"},
    {"pagerduty is down", PAGERDUTY, DELIVER_LATER, CLOSING("500 No", "", ""), -1, "500"},
};

static void test_answers(void **state)
{
    struct script *script = calloc(1, sizeof(*script));
    struct some_page some;

    some_page_init(&some);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct deliver_outcome outcome;

        row("%s", answers[i].name);
        memset(script, 0, sizeof(*script));
        script->answers[0] = answers[i].answer;
        outcome = tell(answers[i].kind, script, &some.page, NULL);
        if (outcome.verdict != answers[i].verdict ||
            outcome.retry_after_ms != answers[i].retry_after_ms ||
            !strstr(outcome.words, answers[i].words))
            fail_msg("%s: verdict %d, after %lld, \"%s\"", answers[i].name, (int)outcome.verdict,
                     (long long)outcome.retry_after_ms, outcome.words);
    }
    some_page_done(&some);
    free(script);
}

static void test_an_answer_without_end(void **state)
{
    struct script *script = calloc(1, sizeof(*script));
    struct some_page some;

    some_page_init(&some);
    for (int kind = SLACK; kind <= PAGERDUTY; kind++) {
        struct deliver_outcome outcome;

        memset(script, 0, sizeof(*script));
        script->answers[0] = "HTTP/1.1 500 No\r\n\r\n";
        script->is_endless = true;
        outcome = tell((enum kind)kind, script, &some.page, NULL);
        assert_int_equal(outcome.verdict, DELIVER_LATER);
    }
    some_page_done(&some);
    free(script);
}

static void test_nobody_listens(void **state)
{
    struct route_integration to = {
        .kind = ROUTE_TELEGRAM,
        .timeout_ms = TIMEOUT_MS,
        .telegram = {.api_url = "http://127.0.0.1:1", .bot_token = {.value = SECRET}, .chat_id = 1},
    };
    struct deliver *deliver = deliver_new();
    struct deliver_outcome outcome;
    struct some_page some;

    some_page_init(&some);
    deliver_send(deliver, &to, &some.page, &outcome);
    assert_int_equal(outcome.verdict, DELIVER_LATER);
    assert_string_equal(outcome.words, "http://127.0.0.1:1: nobody listens there");
    row("a file that is not there is named, and nothing is sent");
    to.telegram.bot_token = (struct route_secret){.file = "/nonexistent/token"};
    deliver_send(deliver, &to, &some.page, &outcome);
    assert_int_equal(outcome.verdict, DELIVER_REFUSED);
    assert_non_null(strstr(outcome.words, "/nonexistent/token"));
    deliver_free(deliver);
    some_page_done(&some);
}

/* --- what they are sent --- */

static struct json *sent_by(enum kind kind,
                            const struct page *page,
                            void (*change)(struct route_integration *to))
{
    struct script *script = calloc(1, sizeof(*script));
    struct json *root = NULL;
    struct err err = {0};
    const char *body;

    script->answers[0] = CLOSING("202 OK", "", "{\"ok\":true,\"status\":\"success\"}");
    (void)tell(kind, script, page, change);
    body = strstr(script->requests[0], "\r\n\r\n");
    if (!body || json_parse(body + 4, strlen(body + 4), &root, &err))
        fail_msg("not JSON: %s: %s", err.text, body ? body : script->requests[0]);
    free(script);
    return root;
}

static const char *text_in(const struct json *object, const char *key)
{
    const char *text = NULL;

    if (json_get_string_or(object, key, NULL, &text, NULL))
        fail_msg("%s is no text", key);
    return text ? text : "";
}

static const struct json *first_of(const struct json *object, const char *key)
{
    const struct json *array = NULL;

    if (json_get_array(object, key, &array, NULL) || json_length(array) == 0)
        fail_msg("%s is no array, or empty", key);
    return json_at(array, 0);
}

static void with_templates(struct route_integration *to)
{
    if (to->kind == ROUTE_SLACK) {
        to->slack.title = "{{ .CommonLabels.alertname }}";
        to->slack.text = "{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}";
        to->slack.channel = "#night";
        to->slack.pretext = "Look:";
    } else if (to->kind == ROUTE_TELEGRAM) {
        to->telegram.message = "{{ template \"telegram\" . }}";
    } else {
        to->pagerduty.description = "{{ .CommonLabels.alertname }}";
        to->pagerduty.severity = "{{ .CommonLabels.severity }}";
        to->pagerduty.component = "shop";
    }
}

static void test_slack_attachment(void **state)
{
    struct some_page some;

    some_page_init(&some);
    some.page.incident.title = "a<b & c>d";
    struct json *root = sent_by(SLACK, &some.page, with_templates);
    const struct json *attachment = first_of(root, "attachments");

    assert_string_equal(text_in(root, "channel"), "#night");
    assert_string_equal(text_in(attachment, "pretext"), "Look:");
    assert_string_equal(text_in(attachment, "title"),
                        "[critical] a&lt;b &amp; c&gt;d and 1 more (INC-2026-0012)");
    assert_string_equal(text_in(attachment, "fallback"), text_in(attachment, "title"));
    assert_string_equal(text_in(attachment, "title_link"), "http://watch/i/INC-2026-0012");
    assert_string_equal(text_in(attachment, "color"), "danger");
    assert_string_equal(text_in(attachment, "text"),
                        "Since 14:02:11 UTC, for 31 s.\n"
                        "ShopDown on https://shop: The shop does not answer (value 0)\n"
                        "ShopDown on https://cart\n");
    assert_string_equal(text_in(first_of(attachment, "actions"), "url"), "http://watch/a/TOKEN");
    assert_string_equal(text_in(first_of(attachment, "fields"), "title"), "alertname");
    json_free(root);
    some_page_over(&some);
    root = sent_by(SLACK, &some.page, NULL);
    assert_string_equal(text_in(first_of(root, "attachments"), "color"), "good");
    assert_string_equal(text_in(first_of(first_of(root, "attachments"), "actions"), "text"),
                        "Runbook");
    json_free(root);
    some_page_done(&some);
}

static void as_mode(struct route_integration *to)
{
    to->telegram.parse_mode = "MarkdownV2";
}

static void test_telegram_message(void **state)
{
    const struct json *markup = NULL;
    const struct json *rows;
    struct some_page some;

    some_page_init(&some);
    some.page.incident.title = "a<b & c_d";
    some.page.n_alerts = 0;
    some.page.incident.n_alerts = 0;
    struct json *root = sent_by(TELEGRAM, &some.page, with_templates);

    assert_string_equal(text_in(root, "text"),
                        "<b>[critical] a&lt;b &amp; c_d and 1 more (INC-2026-0012)</b>\n"
                        "Since 14:02:11 UTC, for 31 s.\n");
    assert_string_equal(text_in(root, "parse_mode"), "HTML");
    assert_int_equal(json_get_object(root, "reply_markup", &markup, NULL), 0);
    rows = first_of(markup, "inline_keyboard");
    assert_string_equal(text_in(json_at(rows, 0), "url"), "http://watch/a/TOKEN");
    json_free(root);
    root = sent_by(TELEGRAM, &some.page, as_mode);
    assert_string_equal(text_in(root, "text"),
                        "*\\[critical\\] a<b & c\\_d and 1 more \\(INC\\-2026\\-0012\\)*\n"
                        "Since 14:02:11 UTC, for 31 s\\.\n");
    json_free(root);
    some_page_done(&some);
}

/* A button's address that Telegram does not like must not cost the page. */
static void test_telegram_takes_plain_text(void **state)
{
    struct script *script = calloc(1, sizeof(*script));
    struct deliver_outcome outcome;
    struct some_page some;

    some_page_init(&some);
    script->answers[0] = CLOSING(
        "400 Bad", "",
        "{\"ok\":false,\"description\":\"Bad Request: inline keyboard button URL "
        "'http://watch' is invalid: Wrong HTTP URL\"}");
    script->answers[1] = CLOSING("200 OK", "", "{\"ok\":true}");
    outcome = tell(TELEGRAM, script, &some.page, NULL);
    assert_int_equal(outcome.verdict, DELIVER_ACCEPTED);
    assert_int_equal(script->n_requests, 2);
    assert_null(strstr(script->requests[1], "inline_keyboard"));
    assert_null(strstr(script->requests[1], "parse_mode"));
    assert_non_null(strstr(script->requests[1], "Acknowledge: http://watch/a/TOKEN"));
    some_page_done(&some);
    free(script);
}

static void test_pagerduty_events(void **state)
{
    const struct json *payload = NULL;
    struct some_page some;
    char key[300];

    some_page_init(&some);
    struct json *root = sent_by(PAGERDUTY, &some.page, with_templates);

    (void)snprintf(key, sizeof(key), "%s", text_in(root, "dedup_key"));
    assert_string_equal(text_in(root, "event_action"), "trigger");
    assert_string_equal(text_in(root, "routing_key"), SECRET);
    assert_int_equal(json_get_object(root, "payload", &payload, NULL), 0);
    assert_string_equal(text_in(payload, "summary"),
                        "[critical] The shop does not answer and 1 more (INC-2026-0012)");
    assert_string_equal(text_in(payload, "severity"), "critical");
    assert_string_equal(text_in(payload, "source"), "https://shop");
    assert_string_equal(text_in(payload, "component"), "shop");
    assert_string_equal(text_in(payload, "timestamp"), "2026-11-23T14:02:11.000Z");
    json_free(root);

    row("the same key to the end");
    some.page.reason = "acknowledged";
    some.page.incident.status = INCIDENT_ACKNOWLEDGED;
    root = sent_by(PAGERDUTY, &some.page, NULL);
    assert_string_equal(text_in(root, "event_action"), "acknowledge");
    assert_string_equal(text_in(root, "dedup_key"), key);
    json_free(root);
    some_page_over(&some);
    root = sent_by(PAGERDUTY, &some.page, NULL);
    assert_string_equal(text_in(root, "event_action"), "resolve");
    assert_string_equal(text_in(root, "dedup_key"), key);
    json_free(root);

    row("a practice copy never touches the real alert");
    some.page.lane = "shadow";
    root = sent_by(PAGERDUTY, &some.page, NULL);
    assert_string_not_equal(text_in(root, "dedup_key"), key);
    json_free(root);
    some_page_done(&some);
}

static void test_a_large_event_is_cut(void **state)
{
    enum {
        N = 100,
        LONG = 20000,
    };
    static struct incident_alert alerts[N];
    char *text = calloc(1, LONG + 1);
    struct some_page some;

    memset(text, 'x', LONG);
    const struct label note[] = {{"summary", text}};
    const struct labels *annotations = labels_new(note, 1);

    some_page_init(&some);
    for (size_t i = 0; i < N; i++) {
        alerts[i] = some.alerts[0];
        alerts[i].annotations = annotations;
    }
    some.page.alerts = alerts;
    some.page.n_alerts = N;
    some.page.incident.n_alerts = N;

    /* larger than json_parse() takes: read as text */
    struct script *script = calloc(1, sizeof(*script));
    struct deliver_outcome outcome;

    script->answers[0] = CLOSING("202 OK", "", "");
    outcome = tell(PAGERDUTY, script, &some.page, NULL);
    assert_int_equal(outcome.verdict, DELIVER_ACCEPTED);
    const char *body = strstr(script->requests[0], "\r\n\r\n") + 4;
    assert_true(strlen(body) < 512 * 1000);
    assert_true(strlen(body) > 256 * 1000);
    assert_non_null(strstr(body, "\"alerts_not_listed\":75"));
    free(script);
    labels_unref(annotations);
    free(text);
    some_page_done(&some);
}

static const struct {
    const char *lane, *mark;
} lanes[] = {
    {"shadow", "SHADOW - practice copy, not yours to fix"},
    {"test", "TEST - nothing is wrong"},
};

static void own_words(struct route_integration *to)
{
    if (to->kind == ROUTE_SLACK)
        to->slack.title = to->slack.text = to->slack.fallback = "Shop";
    else if (to->kind == ROUTE_TELEGRAM)
        to->telegram.message = "Shop";
    else
        to->pagerduty.description = "Shop";
}

/* Whatever the config file's words are. */
static void test_a_practice_copy_says_so(void **state)
{
    for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
        const struct json *payload = NULL;
        struct some_page some;

        some_page_init(&some);
        some.page.lane = lanes[i].lane;
        struct json *root = sent_by(SLACK, &some.page, own_words);
        assert_non_null(strstr(text_in(first_of(root, "attachments"), "title"), lanes[i].mark));
        assert_non_null(strstr(text_in(first_of(root, "attachments"), "text"), lanes[i].mark));
        json_free(root);
        root = sent_by(TELEGRAM, &some.page, own_words);
        assert_non_null(strstr(text_in(root, "text"), lanes[i].mark));
        json_free(root);
        root = sent_by(PAGERDUTY, &some.page, own_words);
        assert_int_equal(json_get_object(root, "payload", &payload, NULL), 0);
        assert_non_null(strstr(text_in(payload, "summary"), lanes[i].mark));
        json_free(root);
        some_page_done(&some);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_an_answer_without_end),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_slack_attachment),
        cmocka_unit_test(test_telegram_message),
        cmocka_unit_test(test_telegram_takes_plain_text),
        cmocka_unit_test(test_pagerduty_events),
        cmocka_unit_test(test_a_large_event_is_cut),
        cmocka_unit_test(test_a_practice_copy_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
