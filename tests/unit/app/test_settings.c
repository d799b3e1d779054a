/*
 * Flags: what is read, what is refused, and that the manual has them all.
 */

#include <string.h>

#include "alertd/app/settings.h"
#include "tests/lib/row.h"

/* What is read is a loan of argv, so the words outlive the call. */
static int parse(struct settings *settings, struct err *err, const char *const *flags)
{
    static char words[40][64];
    char *argv[40];
    int argc = 0;

    (void)snprintf(words[0], sizeof(words[0]), "alertd");
    argv[argc++] = words[0];
    for (; *flags; flags++, argc++) {
        (void)snprintf(words[argc], sizeof(words[argc]), "%s", *flags);
        argv[argc] = words[argc];
    }
    return settings_parse(argc, argv, settings, err);
}

static void test_without_flags(void **state)
{
    struct settings settings;

    assert_int_equal(parse(&settings, NULL, (const char *const[]){NULL}), 0);
    assert_int_equal(settings.action, SETTINGS_RUN);
    assert_string_equal(settings.storage_path, "data");
    assert_int_equal(settings.retention_ms, 90 * 86400000LL);
    assert_false(settings.sync_normal);
    assert_false(settings.auth_off);
    assert_int_equal(settings.listen.n, 1);
    assert_string_equal(settings.listen.at[0], "127.0.0.1:9797");
    assert_int_equal(settings.rules_import.n, 0);
    assert_int_equal(settings.log_level, LOG_INFO);
    assert_int_equal(settings.query_timeout_ms, 10000);
    assert_int_equal(settings.query_max_samples, 500000000);
    assert_int_equal(settings.query_lookback_ms, 300000);
    assert_int_equal(settings.query_max_concurrency, 6);
}

static void test_each_kind_of_flag(void **state)
{
    static const char *const flags[] = {"--storage.path=/var/lib/alertd",
                                        "--storage.retention.time=0",
                                        "--storage.retention.size=20GB",
                                        "--storage.sync=normal",
                                        "--web.listen-address=127.0.0.1:1",
                                        "--web.listen-address",
                                        "[::1]:2",
                                        "--auth.mode=off",
                                        "--rules.import=a/*.yml",
                                        "--rules.import=b/*.yml",
                                        "--log.level=warn",
                                        "--log.format=json",
                                        "--enable-feature=promql-experimental-functions",
                                        "--query.max-samples=7",
                                        "--query.timeout=1m30s",
                                        NULL};
    struct settings settings;

    assert_int_equal(parse(&settings, NULL, flags), 0);
    assert_string_equal(settings.storage_path, "/var/lib/alertd");
    assert_int_equal(settings.retention_ms, 0);
    assert_true(settings.retention_bytes == UINT64_C(20) << 30);
    assert_true(settings.sync_normal);
    assert_true(settings.auth_off);
    assert_int_equal(settings.listen.n, 2); /* the initial one gave way */
    assert_string_equal(settings.listen.at[1], "[::1]:2");
    assert_int_equal(settings.rules_import.n, 2);
    assert_int_equal(settings.log_level, LOG_WARN);
    assert_int_equal(settings.log_format, LOG_JSON);
    assert_true(settings.experimental_functions);
    assert_int_equal(settings.query_max_samples, 7);
    assert_int_equal(settings.query_timeout_ms, 90000);
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *flag, *words;
    } rows[] = {
        {"--nonsense", "--nonsense"},
        {"-storage.path=x", "-storage.path"},
        {"file.yml", "file.yml"},
        {"--storage.pat=x", "--storage.pat"},
        {"--storage.path", "needs a value"},
        {"--storage.path=", "a folder is needed"},
        {"--storage.retention.time=1x", "expected a duration"},
        {"--storage.retention.size=20", "expected a size"},
        {"--storage.retention.size=-1GB", "expected a size"},
        {"--storage.retention.size=99999999TB", "expected a size"},
        {"--query.timeout=0", "longer than nothing"},
        {"--query.max-samples=0", "above 0"},
        {"--query.max-samples=7x", "above 0"},
        {"--query.max-samples=", "above 0"},
        {"--query.max-concurrency=0", "above 0"},
        {"--query.max-concurrency=129", "at most 128"},
        {"--storage.sync=fast", "full|normal"},
        {"--auth.mode=", "required|off"},
        {"--log.level=inf", "debug|info|warn|error"},
        {"--enable-feature=native-histograms", "none|promql-experimental-functions"},
        {"--help=yes", "takes no value"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct settings settings = {.retention_ms = 42};
        struct err err = {0};

        row("%s", rows[i].flag);
        assert_int_equal(parse(&settings, &err, (const char *const[]){rows[i].flag, NULL}),
                         SETTINGS_E_USAGE);
        assert_non_null(strstr(err.text, rows[i].words));
        assert_int_equal(settings.retention_ms, 42);
    }
}

static void test_a_list_has_an_end(void **state)
{
    const char *flags[SETTINGS_LIST_MAX + 2] = {0};
    struct settings settings;
    struct err err = {0};

    for (int i = 0; i <= SETTINGS_LIST_MAX; i++)
        flags[i] = "--rules.import=x";
    assert_int_equal(parse(&settings, &err, flags), SETTINGS_E_USAGE);
    assert_non_null(strstr(err.text, "at most 32"));
}

static void test_the_manual_has_every_flag(void **state)
{
    STR_AUTO struct str help = STR_INIT(65536);
    STR_AUTO struct str table = STR_INIT(65536);

    settings_help(&help);
    settings_help_markdown(&table);
    assert_non_null(strstr(str_text(&help), "--storage.retention.time=DURATION"));
    assert_non_null(strstr(str_text(&help), "(90d)"));
    assert_non_null(strstr(str_text(&table), "| `--auth.mode=required\\|off` | `required` |"));
    assert_non_null(strstr(str_text(&table), "| `--help` |  | Show this and end. |"));
    for (const char *at = str_text(&help); (at = strstr(at, "\n  --")); at++) {
        STR_AUTO struct str name = STR_INIT(100);

        str_addc(&name, '`');
        str_addn(&name, at + 3, strcspn(at + 3, "=\n"));
        row("%s", str_text(&name));
        assert_non_null(strstr(str_text(&table), str_text(&name)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_flags),
        cmocka_unit_test(test_each_kind_of_flag),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_a_list_has_an_end),
        cmocka_unit_test(test_the_manual_has_every_flag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
