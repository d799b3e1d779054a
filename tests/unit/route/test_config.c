/*
 * The config file: what a good one means, and where a bad one is wrong.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/config.h"
#include "tests/lib/row.h"

static const char *environment(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "HOOK_TOKEN") == 0 ? "s3cret" : NULL;
}

static int parse(const char *text, const struct route_config **ret, struct err *err)
{
    return route_config_parse(text, strlen(text), "/etc/alertd", environment, NULL, ret, err);
}

static const struct route_config *must_parse(const char *text)
{
    const struct route_config *config = NULL;
    struct err err = {0};

    if (parse(text, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return config;
}

static void test_the_default_reaches_the_dashboard(void **state)
{
    const struct route_config *config = must_parse(route_config_default_text());

    assert_string_equal(config->receiver->name, "dashboard");
    assert_int_equal(config->receiver->n_integrations, 1);
    assert_int_equal(config->receiver->integrations[0].kind, ROUTE_DASHBOARD);
    assert_int_equal(config->times.group_wait_ms, 30000);
    assert_int_equal(config->times.group_interval_ms, 300000);
    assert_int_equal(config->times.repeat_interval_ms, 4 * 3600000);
    assert_int_equal(config->group_by.n, 2);
    assert_string_equal(config->group_by.at[0], "alertname");
    assert_string_equal(config->group_by.at[1], "job");
    route_config_unref(config);
}

static const char whole_file[] =
    "global:\n"
    "  external_url: https://watch.example.org\n"
    "  smtp_smarthost: mail.example.org:587\n"
    "  smtp_from: watch@example.org\n"
    "  smtp_auth_username: watch\n"
    "  smtp_auth_password_file: mail.password\n"
    "receivers:\n"
    "  - name: oncall\n"
    "    webhook_configs:\n"
    "      - url: https://hooks.example.org/${HOOK_TOKEN}\n"
    "        http_config: {authorization: {credentials: 'a ${HOOK_TOKEN} b'}}\n"
    "        max_alerts: 10\n"
    "      - {url_file: /run/secrets/hook, send_resolved: false, timeout: 2s}\n"
    "    email_configs:\n"
    "      - to: Ana <ana@example.org>, ben@example.org\n"
    "      - {to: c@example.org, smarthost: 'relay:25', require_tls: false, auth_username: me,\n"
    "         auth_password: own}\n"
    "    ntfy_configs:\n"
    "      - {url: https://ntfy.example.org, topic: night, token: tk_1, priority: 5}\n"
    "    command_configs:\n"
    "      - argv: [/usr/local/bin/page, --loud]\n"
    "  - name: nobody\n"
    "route:\n"
    "  receiver: oncall\n"
    "  group_by: [service, alertname]\n"
    "  group_wait: 5s\n"
    "  repeat_interval: 1d\n";

static void test_a_whole_file(void **state)
{
    const struct route_config *config = must_parse(whole_file);
    const struct route_integration *at = config->receiver->integrations;

    assert_string_equal(config->external_url, "https://watch.example.org");
    assert_int_equal(config->receiver->n_integrations, 6);
    assert_string_equal(at[0].webhook.url.value, "https://hooks.example.org/s3cret");
    assert_string_equal(at[0].webhook.http.authorization.credentials.value, "a s3cret b");
    assert_string_equal(at[0].webhook.http.authorization.type, "Bearer");
    assert_int_equal(at[0].webhook.max_alerts, 10);
    assert_true(at[0].send_resolved);
    assert_int_equal(at[0].timeout_ms, 10000);
    assert_string_equal(at[1].webhook.url.file, "/run/secrets/hook");
    assert_false(at[1].send_resolved);
    assert_int_equal(at[1].slot, 1);
    assert_int_equal(at[1].timeout_ms, 2000);

    row("mail inherits from global what it does not say");
    assert_int_equal(at[2].kind, ROUTE_EMAIL);
    assert_string_equal(at[2].email.from, "watch@example.org");
    assert_string_equal(at[2].email.smarthost, "mail.example.org:587");
    assert_string_equal(at[2].email.auth_password.file, "/etc/alertd/mail.password");
    assert_true(at[2].email.require_tls);
    assert_false(at[2].send_resolved);
    assert_string_equal(at[3].email.smarthost, "relay:25");
    assert_string_equal(at[3].email.auth_username, "me");
    assert_string_equal(at[3].email.auth_password.value, "own");
    assert_null(at[3].email.auth_password.file);
    assert_false(at[3].email.require_tls);

    assert_string_equal(at[4].ntfy.topic, "night");
    assert_int_equal(at[4].ntfy.priority, 5);
    assert_string_equal(at[5].command.argv[1], "--loud");
    assert_null(at[5].command.argv[2]);

    assert_string_equal(config->group_by.at[0], "alertname");
    assert_int_equal(config->times.group_wait_ms, 5000);
    assert_int_equal(config->times.group_interval_ms, 300000);
    assert_int_equal(config->times.repeat_interval_ms, 86400000);

    row("found by the name the outbox keeps");
    assert_ptr_equal(route_config_find(config, "oncall", "webhook", 1), &at[1]);
    assert_null(route_config_find(config, "oncall", "webhook", 2));
    assert_null(route_config_find(config, "oncall", "dashboard", 0));
    assert_non_null(route_config_find(config, "nobody", "dashboard", 0));
    route_config_unref(config);
}

static void test_all_labels_make_a_group(void **state)
{
    const struct route_config *config = must_parse(
        "receivers: [{name: a}]\nroute: {receiver: a, group_by: ['...']}\n");

    assert_true(config->group_by_all);
    assert_int_equal(config->group_by.n, 0);
    row("counted: the second user keeps it");
    assert_ptr_equal(route_config_ref(config), config);
    route_config_unref(config);
    assert_string_equal(config->receiver->name, "a");
    route_config_unref(config);
}

#define RECEIVER(fields) "receivers:\n  - name: a\n" fields "route: {receiver: a}\n"

#define HOOK(way)        RECEIVER("    webhook_configs: [{url: 'http://h', http_config: {" way "}}]\n")

static const struct {
    const char *name, *text;
    unsigned line, column;
    const char *words;
} bad[] = {
    {"an unknown key", "receivers: [{name: a}]\nroute: {receiver: a}\nsilences: []\n", 3, 1,
     "silences"},
    {"a kind that nobody delivers", RECEIVER("    victorops_configs: []\n"), 3, 5,
     "receiver \"a\": victorops_configs are not delivered here"},
    {"an unknown key of a receiver", RECEIVER("    colour: red\n"), 3, 5, "colour"},
    {"a child of nobody",
     "receivers: [{name: a}]\nroute:\n  receiver: a\n  routes: [{receiver: b}]\n", 4, 23,
     "no receiver is named \"b\""},
    {"an interval of nobody",
     "receivers: [{name: a}]\nroute:\n  receiver: a\n  routes: [{mute_time_intervals: [x]}]\n", 4,
     35, "no time interval is named \"x\""},
    {"a root that continues", "receivers: [{name: a}]\nroute: {receiver: a, continue: true}\n", 2,
     32, "continue"},
    {"a root with matchers", "receivers: [{name: a}]\nroute: {receiver: a, matchers: [a=b]}\n", 2,
     8, "every alert"},
    {"a matcher that is none",
     "receivers: [{name: a}]\nroute: {receiver: a, routes: [{matchers: ['a b']}]}\n", 2, 43,
     "expected a matcher"},
    {"Slack without an address", RECEIVER("    slack_configs: [{channel: x}]\n"), 3, 21,
     "slack_api_url"},
    {"PagerDuty of old", RECEIVER("    pagerduty_configs: [{service_key: x}]\n"), 3, 39,
     "Events API v1"},
    {"no route", "receivers: [{name: a}]\n", 1, 1, "\"route:\""},
    {"no receivers", "route: {receiver: a}\n", 1, 1, "\"receivers:\" is missing"},
    {"nobody of that name", "receivers: [{name: a}]\nroute: {receiver: b}\n", 2, 19,
     "no receiver is named \"b\""},
    {"two of one name", "receivers: [{name: a}, {name: a}]\nroute: {receiver: a}\n", 1, 31,
     "a second receiver"},
    {"a duration that is none", "receivers: [{name: a}]\nroute: {receiver: a, group_wait: soon}\n",
     2, 34, "expected a duration"},
    {"no interval at all", "receivers: [{name: a}]\nroute: {receiver: a, group_interval: 0s}\n", 2,
     38, "longer than zero"},
    {"a webhook without a URL", RECEIVER("    webhook_configs:\n      - max_alerts: 1\n"), 4, 9,
     "\"url:\""},
    {"a URL that is none", RECEIVER("    webhook_configs:\n      - url: hooks.example.org\n"), 4,
     14, "expected a URL"},
    {"a secret twice", RECEIVER("    webhook_configs:\n      - {url: 'http://a', url_file: f}\n"),
     4, 37, "not both"},
    {"a variable that is not set",
     RECEIVER("    webhook_configs:\n      - url: http://a/${NOT_SET}\n"), 4, 14, "NOT_SET"},
    {"a variable that is not closed", RECEIVER("    webhook_configs:\n      - url: http://a/${X\n"),
     4, 14, "not closed"},
    {"a variable where no secret is",
     "receivers: [{name: a}]\nroute: {receiver: '${HOOK_TOKEN}'}\n", 2, 19, "in secrets only"},
    {"mail to nobody", RECEIVER("    email_configs:\n      - from: a@b\n"), 4, 9, "\"to:\""},
    {"mail without a server", RECEIVER("    email_configs:\n      - {to: a@b, from: a@b}\n"), 4, 9,
     "smtp_smarthost"},
    {"mail to what is no address", RECEIVER("    email_configs:\n      - to: ana\n"), 4, 13,
     "mail addresses"},
    {"a server without a port",
     RECEIVER("    email_configs:\n      - {to: a@b, smarthost: mail}\n"), 4, 30, "host:port"},
    {"a login without a password",
     RECEIVER("    email_configs:\n      - {to: a@b, from: a@b, smarthost: 'm:25', auth_username: "
              "x}\n"),
     4, 9, "auth_password"},
    {"a command that is looked for", RECEIVER("    command_configs:\n      - argv: [page]\n"), 4,
     16, "absolute path"},
    {"a command without words", RECEIVER("    command_configs:\n      - argv: []\n"), 4, 15,
     "the program's path"},
    {"an ntfy priority of 6",
     RECEIVER("    ntfy_configs:\n      - {url: 'http://n', topic: t, priority: 6}\n"), 4, 47,
     "1 to 5"},
    {"a timeout of an hour", RECEIVER("    command_configs:\n      - {argv: [/x], timeout: 1h}\n"),
     4, 31, "between 100ms and 1m"},
    {"a label that is none", "receivers: [{name: a}]\nroute: {receiver: a, group_by: [a, '...']}\n",
     2, 36, "alone"},
    {"not YAML", "receivers: [\n", 2, 1, ""},
    {"a template that is none",
     RECEIVER("    slack_configs: [{api_url: 'http://s', title: '{{ .x '}]\n"), 3, 50,
     "title: template 1:"},
    {"a function nobody knows",
     RECEIVER(
         "    email_configs:\n      - {to: a@b, from: a@b, smarthost: 'm:25', html: '{{ toUper 1 "
         "}}'}\n"),
     4, 55, "did you mean \"toUpper\""},
    {"a proxy of the environment", HOOK("proxy_from_environment: true"), 3, 79, "proxy_url"},
    {"a proxy nobody speaks to", HOOK("proxy_url: 'ftp://p:21'"), 3, 66, "socks5"},
    {"no_proxy with a port", HOOK("proxy_url: 'http://p', no_proxy: 'a.b,c:80'"), 3, 88,
     "\"c:80\""},
    {"no_proxy with a pattern", HOOK("proxy_url: 'http://p', no_proxy: '*.b'"), 3, 88, "\"*.b\""},
    {"no_proxy of a network that is none", HOOK("proxy_url: 'http://p', no_proxy: '10.0.0.0/33'"),
     3, 88, "10.0.0.0/33"},
    {"no_proxy of no proxy", HOOK("no_proxy: a.b"), 3, 65, "proxy_url"},
    {"a TLS version of old", HOOK("tls_config: {min_version: SSL3}"), 3, 81, "TLS10"},
    {"TLS versions that leave none", HOOK("tls_config: {min_version: TLS13, max_version: TLS12}"),
     3, 101, "older"},
    {"a certificate without a key", HOOK("tls_config: {cert_file: a}"), 3, 79, "key_file"},
    {"a key without a certificate", HOOK("tls_config: {key_file: a}"), 3, 78, "cert_file"},
    {"a way of all receivers",
     "global: {http_config: {proxy_from_environment: true}}\nreceivers: [{name: a}]\nroute: "
     "{receiver: a}\n",
     1, 48, "proxy_url"},
    {"a mail's TLS",
     RECEIVER("    email_configs:\n      - {to: a@b, from: a@b, smarthost: 'm:25', tls_config: "
              "{max_version: TLS9}}\n"),
     4, 75, "TLS10"},
    {"Slack that changes messages",
     RECEIVER("    slack_configs: [{api_url: 'http://s', update_message: true}]\n"), 3, 59,
     "update_message"},
    {"a bot without a channel", RECEIVER("    slack_configs: [{app_token: x}]\n"), 3, 21,
     "channel"},
    {"a password and a secret",
     RECEIVER(
         "    email_configs:\n      - {to: a@b, from: a@b, smarthost: 'm:25', auth_username: x, "
         "auth_password: y, auth_secret: z}\n"),
     4, 9, "not both"},
    {"a detail that is ours",
     RECEIVER("    pagerduty_configs: [{routing_key: x, details: {watchbill: y}}]\n"), 3, 63,
     "another name"},
    {"a failover of nobody", RECEIVER("    failover: b\n"), 3, 15, "no receiver is named \"b\""},
    {"a failover that is itself", RECEIVER("    failover: a\n"), 3, 15, "for itself"},
    {"when, and not to whom", RECEIVER("    failover_after: 1m\n"), 3, 21, "needs a \"failover:\""},
    {"never", RECEIVER("    failover: b\n    failover_after: later\n"), 4, 21, "a duration"},
    {"the name of a person", "receivers: [{name: 'person:ana'}]\nroute: {receiver: a}\n", 1, 20,
     "people"},
    {"a name of two lines", "receivers: [{name: \"a\\nb\"}]\nroute: {receiver: a}\n", 1, 20,
     "one line"},
};

static void test_where_a_file_is_wrong(void **state)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct route_config *config = NULL;
        struct err err = {0};

        row("%s", bad[i].name);
        assert_int_equal(parse(bad[i].text, &config, &err), ROUTE_E_CONFIG);
        assert_null(config);
        row("says %u:%u: %s", err.line, err.column, err.text);
        assert_non_null(strstr(err.text, bad[i].words));
        assert_int_equal(err.line, bad[i].line);
        assert_int_equal(err.column, bad[i].column);
    }
}

static void test_failovers(void **state)
{
    const struct route_config *config = must_parse(
        "receivers:\n"
        "  - {name: a, failover: c}\n"
        "  - {name: b, failover: c, failover_after: 90s}\n"
        "  - {name: c}\n"
        "route: {receiver: a}\n");

    assert_ptr_equal(config->receivers[0].failover, &config->receivers[2]);
    assert_int_equal(config->receivers[0].failover_after_ms, 5 * 60 * 1000);
    assert_ptr_equal(config->receivers[1].failover, &config->receivers[2]);
    assert_int_equal(config->receivers[1].failover_after_ms, 90 * 1000);
    assert_null(config->receivers[2].failover);
    route_config_unref(config);
}

/* What can be taken is, and what has no effect is told. */
static void test_ways_that_are_taken(void **state)
{
    static const char *const good[] = {
        HOOK("proxy_url: 'proxy:3128'"),
        HOOK("proxy_url: 'socks5://p:1', no_proxy: 'a.b, .c.d,10.0.0.0/8,::1, fe80::/10,*'"),
        HOOK("tls_config: {cert_file: a, key_file: b, min_version: TLS12, max_version: TLS13}"),
        HOOK("proxy_from_environment: false"),
        RECEIVER(
            "    email_configs:\n      - {to: a@b, from: a@b, smarthost: 'm:25', auth_username: "
            "x, auth_secret: y}\n"),
    };
    static const char mail[] =
        "global: {smtp_auth_password: p, smtp_auth_secret: s, smtp_smarthost: 'm:25', smtp_from: "
        "a@b}\n" RECEIVER("    email_configs:\n      - to: a@b\n        headers: {Message-Id: x, "
                          "Reply-To: c@d}\n      - {to: a@b, auth_secret: own}\n");

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        row("%s", good[i]);
        const struct route_config *config = must_parse(good[i]);

        assert_int_equal(config->warnings.n, 0);
        route_config_unref(config);
    }
    row("warned of");
    const struct route_config *config = must_parse(mail);
    const struct route_integration *at = config->receiver->integrations;

    assert_int_equal(config->warnings.n, 2);
    assert_non_null(strstr(config->warnings.at[0], "1:9: smtp_auth_secret has no effect"));
    assert_non_null(strstr(config->warnings.at[1], "6:19: the mail header Message-Id is ours"));
    assert_string_equal(at[0].email.auth_password.value, "p");
    row("a secret of its own is not beside the password of all");
    assert_null(at[1].email.auth_password.value);
    assert_string_equal(at[1].email.auth_secret.value, "own");
    route_config_unref(config);
}

/* Every prefix of a good file is refused or taken, and nothing is leaked or read beyond. */
static void test_any_piece_of_a_file(void **state)
{
    size_t len = strlen(whole_file);

    for (size_t i = 0; i <= len; i++) {
        const struct route_config *config = NULL;
        char *piece = malloc(i + 1);

        assert_non_null(piece);
        memcpy(piece, whole_file, i);
        piece[i] = '\0';
        if (route_config_parse(piece, i, NULL, environment, NULL, &config, NULL) == 0)
            route_config_unref(config);
        free(piece);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_default_reaches_the_dashboard),
        cmocka_unit_test(test_a_whole_file),
        cmocka_unit_test(test_all_labels_make_a_group),
        cmocka_unit_test(test_where_a_file_is_wrong),
        cmocka_unit_test(test_failovers),
        cmocka_unit_test(test_ways_that_are_taken),
        cmocka_unit_test(test_any_piece_of_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
