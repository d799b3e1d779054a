/*
 * Contacts: what is an address, what is shown of it, and what it is sent with.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/deliver/contact.h"
#include "tests/lib/row.h"

static const char config_text[] = "receivers:\n"
                                  "  - name: pager\n"
                                  "    command_configs:\n"
                                  "      - argv: [/usr/local/bin/page]\n"
                                  "  - name: mail\n"
                                  "    email_configs:\n"
                                  "      - to: team@example.org\n"
                                  "        from: watch@example.org\n"
                                  "        smarthost: mail.example.org:587\n"
                                  "  - name: chat\n"
                                  "    telegram_configs:\n"
                                  "      - {bot_token: '1:bot', chat_id: 7, message: Hello}\n"
                                  "route: {receiver: mail}\n";

static const struct {
    const char *method, *address, *shown; /* shown NULL: refused */
} addresses[] = {
    {"email", "ana@example.org", "ana@example.org"},
    {"email", "ana", NULL},
    {"email", "ana@example.org, eve@example.org", NULL},
    {"email", "@example.org", NULL},
    {"email", "a@b\r\nBcc: c@d", NULL},
    {"ntfy", "https://ntfy.sh/secret", "https://ntfy.sh/\u2026"},
    {"ntfy", "https://ntfy.sh/", NULL},
    {"ntfy", "https://ntfy.sh", NULL},
    {"ntfy", "https://ntfy.sh/a/b", NULL},
    {"webhook", "https://hooks.example/T0/secret?key=x", "https://hooks.example/\u2026"},
    {"webhook", "https://hooks.example?key=secret", "https://hooks.example/\u2026"},
    {"webhook", "https://ana:secret@hooks.example/", NULL},
    {"webhook", "file:///etc/passwd", NULL},
    {"slack", "https://hooks.slack.example/secret", "https://hooks.slack.example/\u2026"},
    {"pagerduty", "secretkey", "\u2026"},
    {"pagerduty", "secret key", NULL},
    {"pagerduty", "", NULL},
    {"telegram", "-100200", "\u2026"},
    {"telegram", "4711", "\u2026"},
    {"telegram", "@channel", NULL},
    {"telegram", "0", NULL},
    {"telegram", "-", NULL},
    {"telegram", "99999999999999999999", NULL},
    {"slack", "T0/B0/secret", NULL},
    {"command", "pager", "pager"},
    {"pigeon", "loft 3", NULL},
};

static void test_addresses(void **state)
{
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        STR_AUTO struct str shown = STR_INIT(4000);
        struct err err = {0};
        int r = contact_valid(addresses[i].method, addresses[i].address, &err);

        if ((r == 0) != (addresses[i].shown != NULL))
            fail_msg("%s %s: %d %s", addresses[i].method, addresses[i].address, r, err.text);
        if (r) {
            assert_true(err.text[0] != '\0');
            assert_null(strstr(err.text, "secret"));
            continue;
        }
        contact_show(addresses[i].method, addresses[i].address, &shown);
        assert_string_equal(str_text(&shown), addresses[i].shown);
        if (contact_is_secret(addresses[i].method))
            assert_null(strstr(str_text(&shown), "secret"));
    }
}

static const struct route_config *config_of(const char *text)
{
    const struct route_config *config = NULL;
    struct err err = {0};

    if (route_config_parse(text, strlen(text), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return config;
}

static void test_what_it_is_sent_with(void **state)
{
    const struct route_config *config = config_of(config_text);
    struct route_integration to;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, 64 * 1024);
    assert_int_equal(
        contact_integration(config, "ana", "email", "ana@example.org", &arena, &to, &err), 0);
    assert_int_equal(to.kind, ROUTE_EMAIL);
    assert_string_equal(to.email.to, "ana@example.org");
    assert_string_equal(to.email.smarthost, "mail.example.org:587");
    assert_string_equal(to.receiver, "ana");
    assert_int_equal(
        contact_integration(config, "ana", "ntfy", "https://n.example:8/t", &arena, &to, &err), 0);
    assert_string_equal(to.ntfy.url, "https://n.example:8");
    assert_string_equal(to.ntfy.topic, "t");
    assert_int_equal(
        contact_integration(config, "ana", "webhook", "http://h.example/x", &arena, &to, &err), 0);
    assert_string_equal(to.webhook.url.value, "http://h.example/x");
    assert_int_equal(contact_integration(config, "ana", "command", "pager", &arena, &to, &err), 0);
    assert_string_equal(to.command.argv[0], "/usr/local/bin/page");
    assert_int_equal(contact_integration(config, "ana", "command", "mail", &arena, &to, &err),
                     CONTACT_E_CONFIG);
    assert_int_equal(
        contact_integration(config, "ana", "slack", "https://s.example/x", &arena, &to, &err), 0);
    assert_string_equal(to.slack.api_url.value, "https://s.example/x");
    assert_int_equal(contact_integration(config, "ana", "telegram", "-42", &arena, &to, &err), 0);
    assert_int_equal(to.kind, ROUTE_TELEGRAM);
    assert_int_equal(to.telegram.chat_id, -42);
    assert_string_equal(to.telegram.bot_token.value, "1:bot");
    assert_null(to.telegram.message);
    assert_int_equal(contact_integration(config, "ana", "pagerduty", "key", &arena, &to, &err), 0);
    assert_string_equal(to.pagerduty.routing_key.value, "key");
    route_config_unref(config);
}

static void test_a_config_without_a_mail_server(void **state)
{
    const struct route_config *config = config_of(route_config_default_text());
    struct route_integration to;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, 64 * 1024);
    assert_int_equal(
        contact_integration(config, "ana", "email", "ana@example.org", &arena, &to, &err),
        CONTACT_E_CONFIG);
    assert_non_null(strstr(err.text, "email_configs"));
    assert_int_equal(contact_integration(config, "ana", "telegram", "42", &arena, &to, &err),
                     CONTACT_E_CONFIG);
    assert_non_null(strstr(err.text, "telegram_configs"));
    route_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_what_it_is_sent_with),
        cmocka_unit_test(test_a_config_without_a_mail_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
