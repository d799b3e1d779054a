/*
 * The words of a config file: its fields as templates over a page, the files they call, and
 * what is sent when one fails. Slack and ntfy get theirs on a real socket.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/deliver/words.h"
#include "lib/json/read.h"
#include "tests/lib/local_server.h"
#include "tests/unit/deliver/some_page.h"

static const char *file_text;

static int some_files(
    const char *pattern, size_t bytes_max, route_take_file *take, void *arg, struct err *reterr)
{
    return take(arg, pattern, file_text, strlen(file_text), reterr);
}

/* A config whose one receiver has these integrations, with a file of templates; NULL: none. */
static const struct route_config *config_of(const char *integrations, const char *file)
{
    STR_AUTO struct str text = STR_INIT(16384);
    const struct route_config *config = NULL;
    struct err err = {0};

    str_addf(&text, "receivers:\n  - name: oncall\n%sroute: {receiver: oncall}\n%s", integrations,
             file ? "templates: [team.tmpl]\n" : "");
    file_text = file;
    if (route_config_parse(str_text(&text), text.len, "/etc/alertd", NULL, NULL, &config, &err) ||
        route_config_read_templates(config, some_files, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return config;
}

#define SLACK_AT "    slack_configs:\n      - api_url: http://127.0.0.1:1/x\n"

static const struct {
    const char *name, *file, *title, *want, *error;
} fields[] = {
    {"a field's own template", NULL,
     "        title: '{{ .CommonLabels.alertname }} {{ len .Alerts }}'\n", "ShopDown 2", ""},
    {"built in", NULL, "        title: '{{ template \"slack.default.title\" . }}'\n",
     "[2 firing] ShopDown probe", ""},
    {"a file's", "{{ define \"team\" }}{{ .Status | toUpper }}{{ end }}",
     "        title: '{{ template \"team\" . }}!'\n", "FIRING!", ""},
    {"nothing is said", NULL, "", NULL, ""},
    {"a file changes what is usual", "{{ define \"slack.default.title\" }}ours{{ end }}", "",
     "ours", ""},
    {"a file changes a part of it", "{{ define \"__subject\" }}part{{ end }}", "", "part", ""},
    {"it fails at this hour", NULL, "        title: '{{ index .Alerts 7 }}'\n", NULL,
     "title: 1:4: index out of range: 7"},
    {"the usual one fails", "{{ define \"slack.default.title\" }}{{ .No }}{{ end }}", "", NULL,
     "slack.default.title: team.tmpl:1:38: there is no field .No here"},
    {"text", NULL, "        title: plain\n", "plain", ""},
};

static void test_fields(void **state)
{
    struct some_page some;

    some_page_init(&some);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        STR_AUTO struct str text = STR_INIT(4096);
        struct deliver_outcome outcome = {0};

        row("%s", fields[i].name);
        str_addf(&text, "%s%s", SLACK_AT, fields[i].title);
        const struct route_config *config = config_of(str_text(&text), fields[i].file);
        const struct route_integration *to = &config->receivers[0].integrations[0];
        WORDS_AUTO struct words words = WORDS(to, &some.page, &outcome);
        const char *said = words_said(&words, to->slack.title, "slack.default.title", false);

        if (fields[i].want)
            assert_string_equal(said, fields[i].want);
        else
            assert_null(said);
        assert_string_equal(outcome.template_error, fields[i].error);
        route_config_unref(config);
    }
    some_page_done(&some);
}

struct heard {
    char request[64 * 1024];
};

static void hear(int connection, void *state)
{
    struct heard *heard = state;
    size_t len;

    heard->request[0] = '\0';
    (void)local_server_read_until(connection, "\r\n\r\n", heard->request, sizeof(heard->request));
    const char *length = strstr(heard->request, "Content-Length: ");
    const char *body = strstr(heard->request, "\r\n\r\n");
    size_t want = body && length
                      ? (size_t)(body + 4 - heard->request) + strtoul(length + 16, NULL, 10)
                      : 0;
    for (len = strlen(heard->request); len < want && want < sizeof(heard->request);) {
        ssize_t n = recv(connection, heard->request + len, want - len, 0);

        if (n <= 0)
            return;
        len += (size_t)n;
    }
    heard->request[len] = '\0';
    local_server_write(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok");
}

/* What the server is sent for the first integration of a config; the outcome's words too. */
static struct deliver_outcome send_to(const char *format,
                                      const struct page *page,
                                      struct heard *heard)
{
    STR_AUTO struct str text = STR_INIT(4096);
    struct deliver *deliver = deliver_new();
    struct deliver_outcome outcome;
    struct local_server server;
    const char *mark = strstr(format, "PORT");

    local_server_start(&server, hear, heard);
    str_addn(&text, format, (size_t)(mark - format));
    str_addf(&text, "%d%s", server.port, mark + 4);
    const struct route_config *config = config_of(str_text(&text), NULL);
    deliver_send(deliver, &config->receivers[0].integrations[0], page, &outcome);
    local_server_stop(&server);
    route_config_unref(config);
    deliver_free(deliver);
    return outcome;
}

static const char slack_config[] =
    "    slack_configs:\n"
    "      - api_url: http://127.0.0.1:PORT/x\n"
    "        channel: '#{{ .CommonLabels.job }}'\n"
    "        title: '{{ index .Alerts 7 }}'\n"
    "        text: '{{ range .Alerts }}{{ .Labels.instance }} {{ end }}'\n"
    "        fields:\n"
    "          - {title: state, value: '{{ .Status }}'}\n";

static void test_slack_is_sent_them(void **state)
{
    struct heard *heard = calloc(1, sizeof(*heard));
    struct some_page some;

    some_page_init(&some);
    struct deliver_outcome outcome = send_to(slack_config, &some.page, heard);

    assert_int_equal(outcome.verdict, DELIVER_ACCEPTED);
    assert_non_null(strstr(outcome.words, "a template failed: title: 1:4: index out of range"));
    assert_non_null(strstr(heard->request, "\"channel\":\"#probe\""));
    assert_non_null(strstr(heard->request, "\"title\":\"[critical] The shop does not answer"));
    assert_non_null(strstr(heard->request, "\"text\":\"https://shop https://cart \""));
    assert_non_null(strstr(heard->request, "\"title\":\"state\",\"value\":\"firing\""));

    row("a test says so, whatever the words of the config file are");
    some.page.lane = "test";
    (void)send_to(slack_config, &some.page, heard);
    assert_null(strstr(heard->request, "https://shop https://cart"));
    assert_non_null(strstr(heard->request, "TEST - nothing is wrong"));
    some_page_done(&some);
    free(heard);
}

static void test_ntfy_is_sent_them(void **state)
{
    struct heard *heard = calloc(1, sizeof(*heard));
    struct some_page some;

    some_page_init(&some);
    (void)send_to("    ntfy_configs:\n"
                  "      - url: http://127.0.0.1:PORT\n"
                  "        topic: night\n"
                  "        title: '{{ .CommonLabels.alertname }}'\n"
                  "        message: '{{ len .Alerts.Firing }} of {{ len .Alerts }}'\n",
                  &some.page, heard);
    assert_non_null(strstr(heard->request, "\"title\":\"ShopDown\""));
    assert_non_null(strstr(heard->request, "\"message\":\"2 of 2\""));
    some_page_done(&some);
    free(heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_slack_is_sent_them),
        cmocka_unit_test(test_ntfy_is_sent_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
