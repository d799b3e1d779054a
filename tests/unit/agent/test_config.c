/*
 * The agent's configuration: what it means, and what each mistake says and where.
 */

#include <string.h>

#include "agent/config.h"
#include "tests/lib/row.h"

#define PUSH "push: {url: \"http://127.0.0.1:9797/api/v1/write\"}\n"

static struct agent_config *parsed(const char *text)
{
    struct agent_config *config = NULL;
    struct err err = {0};

    if (config_parse(text, strlen(text), "host-1", &config, &err) != 0)
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return config;
}

static void test_the_smallest_has_defaults(void **state)
{
    struct agent_config *config = parsed(PUSH);

    assert_string_equal(config->id, "host-1");
    assert_int_equal(config->push.interval_ms, 5000);
    assert_int_equal(config->push.timeout_ms, 10000);
    assert_null(config->push.token);
    assert_string_equal(config->spool_path, "/var/lib/alert-agent/spool");
    assert_int_equal(config->spool_bytes, 64 << 20);
    assert_int_equal(config->spool_age_ms, 24 * 3600 * 1000);
    assert_int_equal(config->n_probes, 0);
    assert_string_equal(labels_get(config->self_labels, "instance"), "host-1");
    config_unref(config);
}

static const char everything[] = "agent: web-1\n"
                                 "instance: web-1.example:1\n"
                                 "labels: {env: prod, rack: \"7\"}\n"
                                 "push:\n"
                                 "  url: https://alerts.example/api/v1/write\n"
                                 "  token_file: /etc/token\n"
                                 "  ca_file: /etc/ca.pem\n"
                                 "  interval: 2s\n"
                                 "  timeout: 3s\n"
                                 "  headers: {X-Scope-OrgID: blue}\n"
                                 "spool: {path: /tmp/s, size: 10MB, age: 2h}\n"
                                 "probes:\n"
                                 "  - {name: host, kind: host, interval: 15s, root: /,"
                                 " mount_exclude: ^/mnt, device_exclude: ^veth}\n"
                                 "  - name: home\n"
                                 "    kind: http\n"
                                 "    url: http://a.example/\n"
                                 "    module: http_2xx\n"
                                 "    labels: {team: shop, env: test}\n"
                                 "    interval: 1m\n"
                                 "    timeout: 2s\n"
                                 "    method: POST\n"
                                 "    body: hello\n"
                                 "    headers: {A: b}\n"
                                 "    expect_status: [200, 404]\n"
                                 "    body_regex: ok\n"
                                 "    body_regex_not: error\n"
                                 "    follow_redirects: false\n"
                                 "    ca_file: /etc/ca.pem\n"
                                 "  - {name: ssh, kind: tcp, address: \"[::1]:22\","
                                 " send: x, expect: ^SSH-}\n"
                                 "  - {name: disk, kind: exec, command: [/bin/true, -v],"
                                 " env: {A: b}, labels: {job: custom}}\n";

static void test_every_key(void **state)
{
    struct agent_config *config = parsed(everything);
    const struct probe_config *home = &config->probes[1];

    assert_string_equal(config->id, "web-1");
    assert_string_equal(config->push.token_file, "/etc/token");
    assert_string_equal(config->push.headers[0].value, "blue");
    assert_int_equal(config->spool_bytes, 10000000);
    assert_int_equal(config->spool_age_ms, 7200000);
    assert_int_equal(config->n_probes, 4);
    assert_int_equal(home->interval_ms, 60000);
    assert_int_equal(home->timeout_ms, 2000);
    assert_string_equal(labels_get(home->marked_labels, "instance"), "http://a.example/");
    assert_string_equal(labels_get(home->marked_labels, "job"), "blackbox");
    assert_string_equal(labels_get(home->marked_labels, "module"), "http_2xx");
    assert_string_equal(labels_get(home->marked_labels, "agent"), "web-1");
    assert_string_equal(labels_get(home->marked_labels, "probe"), "home");
    assert_string_equal(labels_get(home->marked_labels, "env"), "test"); /* the nearer wins */
    assert_string_equal(labels_get(home->marked_labels, "rack"), "7");
    assert_ptr_equal(config_labels_of(home), home->marked_labels);

    /* the host probe's samples carry node_exporter's labels and the config's only */
    const struct labels *host = config_labels_of(&config->probes[0]);

    assert_string_equal(labels_get(host, "job"), "node");
    assert_string_equal(labels_get(host, "instance"), "web-1.example:1");
    assert_null(labels_get(host, "agent"));
    assert_null(labels_get(host, "probe"));
    assert_string_equal(labels_get(config->probes[3].marked_labels, "job"), "custom");
    config_unref(config);
}

static const struct {
    const char *name, *text;
    unsigned line, column;
    const char *words;
} mistakes[] = {
    {"nothing at all", "", 1, 1, "push"},
    {"a key nobody knows", PUSH "probe: []\n", 2, 1, "probe"},
    {"no url", "push: {interval: 1s}\n", 1, 7, "needs `url`"},
    {"a url that is none", "push: {url: \"a.example\"}\n", 1, 13, "http://"},
    {"a password in the url", "push: {url: \"http://a:b@c/\"}\n", 1, 13, "header"},
    {"token twice", "push: {url: \"http://a/\", token: x, token_file: y}\n", 1, 7, "not both"},
    {"an unknown push key", "push: {url: \"http://a/\", tokn: x}\n", 1, 26, "tokn"},
    {"a duration that is none", "push: {url: \"http://a/\", interval: 5}\n", 1, 36, "10s"},
    {"a duration too short", "push: {url: \"http://a/\", interval: 1ms}\n", 1, 36, "from 100ms"},
    {"a size that is none", PUSH "spool: {size: much}\n", 2, 15, "64MiB"},
    {"a size too small", PUSH "spool: {size: 1KiB}\n", 2, 15, "at least 256KiB"},
    {"an id with a blank", PUSH "agent: \"web 1\"\n", 2, 8, "letters"},
    {"a label that is no name", PUSH "labels: {a-b: c}\n", 2, 10, "no label name"},
    {"a label that is ours", PUSH "labels: {__name__: c}\n", 2, 10, "no label name"},
    {"probes that are no list", PUSH "probes: {}\n", 2, 9, "probes"},
    {"a probe without a name", PUSH "probes: [{kind: host}]\n", 2, 10, "no `name`"},
    {"a probe without a kind", PUSH "probes: [{name: a}]\n", 2, 10, "no `kind`"},
    {"a kind nobody knows", PUSH "probes: [{name: a, kind: icmp}]\n", 2, 26, "host, http, tcp"},
    {"another kind's key", PUSH "probes: [{name: a, kind: host, url: x}]\n", 2, 32, "url"},
    {"no url to probe", PUSH "probes: [{name: a, kind: http}]\n", 2, 10, "no `url`"},
    {"no address", PUSH "probes: [{name: a, kind: tcp}]\n", 2, 10, "no `address`"},
    {"an address without a port", PUSH "probes: [{name: a, kind: tcp, address: b}]\n", 2, 40,
     "host:port"},
    {"a port that is none", PUSH "probes: [{name: a, kind: tcp, address: \"b:99999\"}]\n", 2, 40,
     "host:port"},
    {"a name twice", PUSH "probes:\n- {name: a, kind: host}\n- {name: a, kind: host}\n", 4, 3,
     "second probe"},
    {"a timeout longer than the interval",
     PUSH "probes: [{name: a, kind: host, interval: 1s, timeout: 2s}]\n", 2, 10, "longer"},
    {"a pattern that is none",
     PUSH "probes: [{name: a, kind: http, url: \"http://a/\", body_regex: \"(\"}]\n", 2, 62,
     "body_regex"},
    {"look-ahead is not RE2's",
     PUSH "probes: [{name: a, kind: tcp, address: \"a:1\", expect: \"(?=a)\"}]\n", 2, 55, "expect"},
    {"a status that is none",
     PUSH "probes: [{name: a, kind: http, url: \"http://a/\", expect_status: [20]}]\n", 2, 66,
     "100 to 599"},
    {"a command that is a string", PUSH "probes: [{name: a, kind: exec, command: /bin/true}]\n", 2,
     41, "command"},
    {"a command that is relative", PUSH "probes: [{name: a, kind: exec, command: [true]}]\n", 2, 42,
     "absolute"},
    {"no command", PUSH "probes: [{name: a, kind: exec}]\n", 2, 10, "command"},
    {"a root that is not there", PUSH "probes: [{name: a, kind: host, root: /nowhere}]\n", 2, 38,
     "/nowhere"},
    {"a key twice", PUSH PUSH, 2, 1, "push"},
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct agent_config *config = NULL;
        struct err err = {0};

        row("%s", mistakes[i].name);
        assert_true(
            config_parse(mistakes[i].text, strlen(mistakes[i].text), "host-1", &config, &err) > 0);
        if (!strstr(err.text, mistakes[i].words) || err.line != mistakes[i].line ||
            err.column != mistakes[i].column)
            fail_msg("got %u:%u: %s", err.line, err.column, err.text);
        assert_null(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_smallest_has_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
