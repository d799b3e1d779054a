/*
 * Which rules wait for what others write: a pair of rules each row, the first one writes.
 */

#include <string.h>

#include "alertd/eval/rule_reads.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"

static bool reads(const char *writer, const char *reader)
{
    STR_AUTO struct str text = STR_INIT(10000);
    struct rule_file *file = NULL;
    struct err err = {0};

    str_addf(&text, "groups:\n- name: g\n  rules:\n  - %s\n  - %s\n", writer, reader);
    if (rule_file_parse("t.yml", str_text(&text), text.len, NULL, &file, &err) != 0)
        fail_msg("%s", err.text);
    bool found = rule_reads(&file->groups[0].rules[1], &file->groups[0].rules[0]);
    rule_file_unref(file);
    return found;
}

static void test_pairs(void **state)
{
    static const struct {
        const char *name, *writer, *reader;
        bool reads;
    } rows[] = {
        {"another metric", "{record: a, expr: x}", "{alert: B, expr: b > 1}", false},
        {"the metric", "{record: a, expr: x}", "{alert: B, expr: 'sum(rate(a[5m])) > 1'}", true},
        {"deep within", "{record: a, expr: x}",
         "{record: b, expr: 'topk(1, y or max_over_time((a + 1)[5m:1m]))'}", true},
        {"by a pattern", "{record: 'job:a', expr: x}",
         "{record: b, expr: '{__name__=~\"job:.*\"}'}", true},
        {"by a pattern that does not fit", "{record: 'job:a', expr: x}",
         "{record: b, expr: '{__name__=~\"node_.*\"}'}", false},
        {"any name", "{record: a, expr: x}", "{record: b, expr: 'count({job=\"x\"})'}", true},
        {"an alert's series", "{alert: A, expr: x}", "{record: b, expr: 'count(ALERTS)'}", true},
        {"since when it is active", "{alert: A, expr: x}", "{record: b, expr: ALERTS_FOR_STATE}",
         true},
        {"an alert beside", "{alert: A, expr: x}", "{alert: B, expr: y > 1}", false},
        {"a metric that begins so", "{record: a, expr: x}", "{record: b, expr: ab}", false},
        {"a template that asks", "{record: a, expr: x}",
         "{alert: B, expr: y, annotations: {s: '{{ query \"a\" | first | value }}'}}", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].name);
        assert_int_equal(reads(rows[i].writer, rows[i].reader), rows[i].reads);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
