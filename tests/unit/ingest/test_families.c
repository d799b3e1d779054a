/*
 * What pushers say a metric is: sorted, the last word wins, bounded, hostile text left out.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/ingest/families.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"

static bool print(void *arg, const char *name, enum metric_type type, const char *help)
{
    str_addf(arg, "%s %s '%s'\n", name, metric_type_name(type), help);
    return true;
}

static bool count(void *arg, const char *name, enum metric_type type, const char *help)
{
    ++*(size_t *)arg;
    return true;
}

static void note(struct families *families,
                 const char *name,
                 enum metric_type type,
                 const char *help)
{
    families_note(families, name, strlen(name), &type, help, help ? strlen(help) : 0);
}

static void test_order_and_the_last_word(void **state)
{
    STR_AUTO struct str text = STR_INIT(1000);
    struct families *families = families_new();

    note(families, "up", METRIC_GAUGE, "old");
    note(families, "errors_total", METRIC_COUNTER, NULL);
    note(families, "up", METRIC_GAUGE, "1: it answers");
    families_note(families, "errors_total", 12, NULL, "Errors.", 7);
    note(families, "", METRIC_GAUGE, "no name");
    note(families, "bad", METRIC_GAUGE, "\xff");
    families_each(families, print, &text);
    assert_string_equal(str_text(&text),
                        "bad gauge ''\nerrors_total counter 'Errors.'\nup gauge '1: it answers'\n");
    families_free(families);
}

static void test_there_is_an_end_to_names(void **state)
{
    struct families *families = families_new();
    size_t n = 0;

    for (int i = 0; i < FAMILIES_MAX + 10; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "m%06d", i);
        note(families, name, METRIC_GAUGE, NULL);
    }
    families_each(families, count, &n);
    assert_int_equal(n, FAMILIES_MAX);
    families_free(families);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_the_last_word),
        cmocka_unit_test(test_there_is_an_end_to_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
