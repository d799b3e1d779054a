/*
 * The remote_write list: what is read, what is refused and in which words, what is kept back.
 */

#include <string.h>

#include "alertd/forward/config.h"
#include "tests/lib/row.h"

static struct forward_configs parsed(const char *text)
{
    struct forward_configs configs = {0};
    struct err err = {0};

    if (forward_config_parse(text, strlen(text), &configs, &err) != 0)
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return configs;
}

static void test_a_target_of_prometheus_yml(void **state)
{
    struct forward_configs configs = parsed(
        "remote_write:\n"
        "  - url: https://central.example:9090/api/v1/write\n"
        "    name: central\n"
        "    remote_timeout: 5s\n"
        "    headers: {X-Scope-OrgID: crew}\n"
        "    authorization: {credentials_file: /etc/token}\n"
        "    tls_config: {ca_file: /etc/ca.pem}\n"
        "    queue_config: {max_samples_per_send: 100, min_backoff: 1s, max_backoff: 1m}\n"
        "    queue_bytes: 64MiB\n"
        "    send_history: true\n"
        "  - url: http://127.0.0.1:8428/api/v1/write\n"
        "    basic_auth: {username: ali, password: sesame}\n");
    const struct forward_config *central = &configs.at[0];
    const struct forward_config *other = &configs.at[1];

    assert_int_equal(configs.n, 2);
    assert_string_equal(central->name, "central");
    assert_int_equal(central->timeout_ms, 5000);
    assert_string_equal(central->headers[0], "X-Scope-OrgID");
    assert_string_equal(central->headers[1], "crew");
    assert_string_equal(central->credentials_file, "/etc/token");
    assert_string_equal(central->ca_file, "/etc/ca.pem");
    assert_int_equal(central->max_samples_per_send, 100);
    assert_int_equal(central->backoff.min_ms, 1000);
    assert_int_equal(central->backoff.max_ms, 60000);
    assert_int_equal(central->queue_bytes, 64 << 20);
    assert_true(central->send_history);
    assert_string_equal(other->username, "ali");
    assert_string_equal(other->password, "sesame");
    assert_memory_equal(other->name, "127.0.0.1-", 10); /* of the host, when nobody names it */
    assert_int_equal(other->queue_bytes, 1 << 30);
    assert_int_equal(other->max_samples_per_send, 2000);
    assert_false(other->send_history);
    forward_configs_done(&configs);
}

#define URL "remote_write:\n  - url: http://h/w\n    "

static void test_what_is_not_there_is_refused_by_name(void **state)
{
    static const struct {
        const char *text, *words;
        unsigned line;
    } rows[] = {
        {"", "remote_write: a list", 1},
        {"remote_read: []\n", "unknown field \"remote_read\"", 1},
        {"remote_write:\n  - name: x\n", "needs a url", 2},
        {"remote_write:\n  - url: ftp://h\n", "url: \"ftp://h\"", 2},
        {URL "queue_config: {max_shards: 4}\n", "max_shards is not supported", 3},
        {URL "queue_config: {capacity: 4}\n", "queue_bytes", 3},
        {URL "queue_config: {max_samples_per_send: 0}\n", "from 1 to", 3},
        {URL "queue_config: {min_backoff: 9s}\n", "above max_backoff", 3},
        {URL "queue_bytes: 5 bananas\n", "expected a size", 3},
        {URL "queue_bytes: 5KiB\n", "at least 1MiB", 3},
        {URL "sigv4: {}\n", "sigv4 is not supported", 3},
        {URL "send_exemplars: true\n", "send_exemplars is not supported", 3},
        {URL "tls_config: {insecure_skip_verify: true}\n", "certificates are always checked", 3},
        {URL "write_relabel_configs: [{action: labeldrop, regex: x}]\n", "only keep and drop", 3},
        {URL "write_relabel_configs: [{regex: x}]\n", "\"replace\" is not supported", 3},
        {URL "write_relabel_configs: [{action: keep, regex: x}]\n", "source_labels", 3},
        {URL "write_relabel_configs: [{action: keep, source_labels: [a], regex: '('}]\n",
         "regex:", 3},
        {URL "bearer_token: a\n    bearer_token_file: b\n", "one of them", 2},
        {URL "bearer_token: a\n    basic_auth: {username: x}\n", "one of them", 2},
        {URL "name: ../../etc\n", "name:", 3},
        {URL "name: a\n  - {url: 'http://h/x', name: a}\n", "two targets", 4},
        {URL "remote_timeout: soon\n", "expected a duration", 3},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct forward_configs configs = {0};
        struct err err = {0};

        row("%s", rows[i].text);
        assert_int_equal(forward_config_parse(rows[i].text, strlen(rows[i].text), &configs, &err),
                         FORWARD_E_CONFIG);
        if (!strstr(err.text, rows[i].words))
            fail_msg("%s", err.text);
        assert_int_equal(err.line, rows[i].line);
        assert_null(configs.at);
    }
}

static void test_filters_are_asked_one_after_the_other(void **state)
{
    static const struct {
        const char *name, *env;
        bool expect;
    } rows[] = {
        {"ALERTS", "live", true},   {"ALERTS", "test", false}, {"ALERTS", "", true},
        {"xALERTS", "live", false}, {"up", "", true},
    };
    struct forward_configs configs = parsed(
        URL
        "write_relabel_configs:\n"
        "      - {source_labels: [__name__], regex: 'ALERTS|up', action: keep}\n"
        "      - {source_labels: [__name__, env], separator: '/', regex: '.*/test', action: drop}\n");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct label pairs[] = {{LABEL_NAME, rows[i].name}, {"env", rows[i].env}};
        const struct labels *labels = labels_new(pairs, 2);

        row("%s %s", rows[i].name, rows[i].env);
        assert_int_equal(forward_config_wants(&configs.at[0], labels), rows[i].expect);
        labels_unref(labels);
    }
    forward_configs_done(&configs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_target_of_prometheus_yml),
        cmocka_unit_test(test_what_is_not_there_is_refused_by_name),
        cmocka_unit_test(test_filters_are_asked_one_after_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
