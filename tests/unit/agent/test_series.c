/*
 * Samples made into series: labels merged and sorted, families grouped.
 */

#include <string.h>

#include "agent/series.h"
#include "tests/lib/row.h"

static const struct metric_family heat = {"heat", METRIC_GAUGE, "How hot."};
static const struct metric_family turns = {"turns_total", METRIC_COUNTER, "How often."};

static const struct labels *base_labels(void)
{
    static const struct label pairs[] = {{"job", "oven"}, {"instance", "a"}, {"zone", "1"}};

    return labels_new(pairs, 3);
}

static void test_labels_are_merged_in_order_and_own_ones_win(void **state)
{
    static const struct label own[] = {{"zone", "9"}, {"Door", "open"}, {"empty", ""}};
    static const char *const expect[] = {"Door", "__name__", "instance", "job", "zone"};
    const struct labels *base = base_labels();
    struct samples samples = {0};
    struct label out[SERIES_LABELS_MAX];

    samples_add_with(&samples, &heat, 20, own, 3);
    assert_int_equal(series_labels(&samples, 0, base, out), 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(out[i].name, expect[i]);
    assert_string_equal(out[1].value, "heat");
    assert_string_equal(out[4].value, "9");
    samples_done(&samples);
    labels_unref(base);
}

static void test_text_groups_families_of_several_sources(void **state)
{
    STR_AUTO struct str text = STR_INIT(10000);
    const struct labels *base = base_labels();
    struct samples one = {0};
    struct samples two = {0};

    samples_add_one(&one, &turns, 1, "cpu", "0");
    samples_add(&one, &heat, 20.5);
    samples_add_one(&one, &turns, 2, "cpu", "1");
    samples_add(&two, &heat, 30);
    const struct series_source sources[] = {{&one, base}, {&two, labels_empty()}};

    series_print(sources, 2, &text);
    assert_string_equal(str_text(&text),
                        "# HELP heat How hot.\n"
                        "# TYPE heat gauge\n"
                        "heat{instance=\"a\",job=\"oven\",zone=\"1\"} 20.5\n"
                        "heat 30\n"
                        "# HELP turns_total How often.\n"
                        "# TYPE turns_total counter\n"
                        "turns_total{cpu=\"0\",instance=\"a\",job=\"oven\",zone=\"1\"} 1\n"
                        "turns_total{cpu=\"1\",instance=\"a\",job=\"oven\",zone=\"1\"} 2\n");
    samples_done(&one);
    samples_done(&two);
    labels_unref(base);
}

static void test_values_are_cut_and_made_utf8(void **state)
{
    struct samples samples = {0};
    struct label pairs[SAMPLES_LABELS_MAX];
    char large[3000];

    memset(large, 'x', sizeof(large));
    memcpy(large + SAMPLES_VALUE_MAX - 1, "\xc3\xa9", 2); /* a character across the cut */
    large[sizeof(large) - 1] = '\0';
    samples_add_one(&samples, &heat, 1, "a", large);
    samples_add_one(&samples, &heat, 1, "a", "caf\xe9");
    assert_int_equal(samples_labels(&samples, 0, pairs), 1);
    assert_int_equal(strlen(pairs[0].value), SAMPLES_VALUE_MAX - 1);
    assert_int_equal(samples_labels(&samples, 1, pairs), 1);
    assert_string_equal(pairs[0].value, "caf?");
    samples_done(&samples);
}

static void test_ceilings_refuse_and_count(void **state)
{
    struct samples samples = {0};
    struct remote_write body;
    const struct labels *base = base_labels();

    for (int i = 0; i < SAMPLES_MAX + 5; i++)
        samples_add(&samples, &heat, i);
    assert_int_equal(samples.n, SAMPLES_MAX);
    assert_int_equal(samples.n_refused, 5);
    remote_write_init(&body, 10000);
    assert_false(series_write(&samples, base, 1000, &body));
    assert_in_range(body.n_samples, 50, 300);
    remote_write_done(&body);
    samples_clear(&samples);
    assert_int_equal(samples.n_refused, 0);
    samples_done(&samples);
    labels_unref(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_are_merged_in_order_and_own_ones_win),
        cmocka_unit_test(test_text_groups_families_of_several_sources),
        cmocka_unit_test(test_values_are_cut_and_made_utf8),
        cmocka_unit_test(test_ceilings_refuse_and_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
