/*
 * What is kept of a config file: it routes as the file did, and no address or secret is in it.
 */

#include <string.h>

#include "alertd/route/keep.h"
#include "alertd/route/tree.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"

static const char file[] =
    "global:\n"
    "  resolve_timeout: 7m\n"
    "  smtp_auth_password: secret-0\n"
    "templates: ['/etc/secret-1/*.tmpl']\n"
    "receivers:\n"
    "  - name: 'the \"team\": a'\n"
    "    webhook_configs:\n"
    "      - {url: 'http://secret-2/', send_resolved: false}\n"
    "      - url: http://secret-3/\n"
    "        http_config: {basic_auth: {username: secret-4, password: secret-5}}\n"
    "    email_configs: [{to: secret-6@x.org, from: a@x.org, smarthost: 'secret-7:25'}]\n"
    "    command_configs: [{argv: [/bin/secret-8, --token=secret-9]}]\n"
    "    ntfy_configs: [{url: 'http://secret-10', topic: secret-11, token: secret-12}]\n"
    "    slack_configs: [{api_url: 'http://secret-13/'}]\n"
    "    telegram_configs: [{bot_token: secret-14, chat_id: -17}]\n"
    "    pagerduty_configs: [{routing_key: secret-15, details: {a: secret-16}}]\n"
    "  - name: people\n"
    "    oncall_configs: [{policy: shop}]\n"
    "  - name: nobody\n"
    "time_intervals:\n"
    "  - name: night\n"
    "    time_intervals:\n"
    "      - times: [{start_time: '22:00', end_time: '24:00'}]\n"
    "        weekdays: ['monday:friday']\n"
    "        location: Europe/Berlin\n"
    "inhibit_rules:\n"
    "  - source_matchers: [severity=\"critical\"]\n"
    "    target_matchers: ['severity=~\"warn.*|info\"']\n"
    "    equal: [job]\n"
    "route:\n"
    "  receiver: 'the \"team\": a'\n"
    "  group_by: ['...']\n"
    "  group_wait: 1s\n"
    "  routes:\n"
    "    - matchers: ['a=\"x: #y\"', b!=\"\"]\n"
    "      receiver: people\n"
    "      continue: true\n"
    "      mute_time_intervals: [night]\n"
    "      repeat_interval: 3h\n"
    "    - match_re: {c: 'q.*'}\n"
    "      receiver: nobody\n";

static const struct route_config *parse(const char *text)
{
    const struct route_config *config = NULL;
    struct err err = {0};

    if (route_config_parse(text, strlen(text), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s\n%s", err.line, err.column, err.text, text);
    return config;
}

static void assert_same_node(const struct route_node *a, const struct route_node *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->receiver->name, b->receiver->name);
    assert_memory_equal(&a->times, &b->times, sizeof(a->times));
    assert_int_equal(a->goes_on, b->goes_on);
    assert_int_equal(a->group_by_all, b->group_by_all);
    assert_int_equal(a->n_mute, b->n_mute);
    assert_int_equal(a->n_children, b->n_children);
    for (size_t i = 0; i < a->n_children; i++)
        assert_same_node(&a->children[i], &b->children[i]);
}

static void test_it_routes_as_the_file_did(void **state)
{
    STR_AUTO struct str kept = STR_INIT(1 << 20);
    struct err err = {0};

    if (route_config_keep(file, strlen(file), &kept, &err))
        fail_msg("%s\n%s", err.text, str_text(&kept));
    const struct route_config *was = parse(file);
    const struct route_config *is = parse(str_text(&kept));

    assert_same_node(was->root, is->root);
    assert_int_equal(is->resolve_timeout_ms, 7 * 60000);
    assert_int_equal(is->n_inhibit_rules, 1);
    assert_string_equal(is->inhibit_rules[0].targets[0].value, "warn.*|info");
    assert_int_equal(is->n_receivers, was->n_receivers);
    for (size_t i = 0; i < is->n_receivers; i++) {
        const struct route_receiver *a = &was->receivers[i];
        const struct route_receiver *b = &is->receivers[i];

        row("receiver %s", a->name);
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->n_integrations, b->n_integrations);
        for (size_t k = 0; k < a->n_integrations; k++) {
            assert_int_equal(a->integrations[k].kind, b->integrations[k].kind);
            assert_int_equal(a->integrations[k].slot, b->integrations[k].slot);
            assert_int_equal(a->integrations[k].send_resolved, b->integrations[k].send_resolved);
        }
    }
    for (int64_t hour = 0; hour < 24 * 7; hour++) {
        const char *name = NULL;

        assert_int_equal(route_node_quiet(&was->root->children[0], hour * 3600000, &name),
                         route_node_quiet(&is->root->children[0], hour * 3600000, &name));
    }
    route_config_unref(was);
    route_config_unref(is);
}

static void test_no_address_and_no_secret_is_in_it(void **state)
{
    STR_AUTO struct str kept = STR_INIT(1 << 20);

    assert_int_equal(route_config_keep(file, strlen(file), &kept, NULL), 0);
    assert_null(strstr(str_text(&kept), "secret-"));
    assert_null(strstr(str_text(&kept), "-17"));
    assert_non_null(strstr(str_text(&kept), "policy: shop"));
}

static void test_what_is_no_config_is_refused(void **state)
{
    STR_AUTO struct str kept = STR_INIT(1 << 20);
    STR_AUTO struct str small = STR_INIT(50);

    assert_int_equal(route_config_keep("a: [", 4, &kept, NULL), ROUTE_E_CONFIG);
    assert_int_equal(route_config_keep("a: b", 4, &kept, NULL), ROUTE_E_CONFIG);
    assert_int_equal(route_config_keep(file, strlen(file), &small, NULL), ROUTE_E_CONFIG);
}

static void test_the_built_in_one(void **state)
{
    STR_AUTO struct str kept = STR_INIT(1 << 20);
    const char *text = route_config_default_text();

    assert_int_equal(route_config_keep(text, strlen(text), &kept, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_routes_as_the_file_did),
        cmocka_unit_test(test_no_address_and_no_secret_is_in_it),
        cmocka_unit_test(test_what_is_no_config_is_refused),
        cmocka_unit_test(test_the_built_in_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
