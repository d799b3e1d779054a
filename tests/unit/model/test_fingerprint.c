/*
 * Fingerprints as Alertmanager answered them.
 */

#include "lib/model/fingerprint.h"
#include "tests/lib/row.h"

static void test_as_alertmanager_computes_them(void **state)
{
    static const struct {
        struct label pairs[4];
        size_t n;
        const char *text;
    } rows[] = {
        {{{"alertname", "Minimal"}}, 1, "918ba11728233b87"},
        {{{"bad-name", "1"}, {"alertname", "Utf"}}, 2, "96203ad5392f524d"},
        {{{"alertname", "Zürich"}, {"cluster", "ü"}, {"severity", "info"}}, 3, "8218e829feb474c5"},
        {{{"alertname", "HighLatency"}, {"severity", "page"}, {"cluster", "a"}, {"instance", "i1"}},
         4,
         "513393cd7470e514"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct labels *labels = labels_new(rows[i].pairs, rows[i].n);
        char text[FINGERPRINT_TEXT];

        assert_string_equal(rows[i].text, fingerprint_text(labels, text));
        labels_unref(labels);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_alertmanager_computes_them)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
