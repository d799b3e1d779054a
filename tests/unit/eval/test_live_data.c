/*
 * False, or unknown? A story of one alert: what its series say slot by slot, and its state
 * after each evaluation with a hold of three minutes.
 */

#include <string.h>

#include "alertd/eval/rule_eval.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    MINUTE = 60000,
    SLOTS_MAX = 20,
};

static const struct {
    const char *name;
    const char *expr;
    const char *series[3];
    const char *want; /* I inactive, P pending, F firing, '.' before it began */
} rows[] = {
    {"data that says it is over", "up == 0", {"up{i=\"a\"} 0 0 1 1"}, "FFI"},
    /* 5 min of look-back, then 3 of hold */
    {"silence is not health", "up == 0", {"up{i=\"a\"} 0 0 _x20"}, "FFFFFFFFFI"},
    {"a stale marker is silence too", "up == 0", {"up{i=\"a\"} 0 stale _x20"}, "FFFFI"},
    {"another series' data does not speak for this one",
     "up == 0",
     {"up{i=\"a\"} 0 stale _x20", "up{i=\"b\"} 1x20"},
     "FFFFI"},
    {"a sum has data as long as one series of it has",
     "sum(up) < 2",
     {"up{i=\"a\"} 0 stale _x20", "up{i=\"b\"} 1 2x20"},
     "FI"},
    {"a sum by a label asks for that label",
     "sum by (j) (up) == 0",
     {"up{i=\"a\",j=\"x\"} 0 stale _x20", "up{i=\"b\",j=\"y\"} 1x20"},
     "FFFFI"},
    {"absent() is over when there is data", "absent(up{i=\"a\"})", {"up{i=\"a\"} _ _ 1x5"}, "FFI"},
    {"an expression without series is as it says", "vector(time()) < 120", {NULL}, "FFI"},
    {"data comes back within the hold, still bad",
     "up == 0",
     {"up{i=\"a\"} 0 stale _ 0 0 1"},
     "FFFFFI"},
};

static char state_of(const struct alert_set *set)
{
    return set->n ? "IPF"[set->at[0].alert.state] : 'I';
}

static void evaluate(const struct rule_file *file,
                     struct fake_source *fake,
                     int64_t now_ms,
                     struct alert_set *alerts)
{
    static const struct promql_limits limits;
    static const struct rule_output none;
    const struct source source = fake_source_of(fake);
    const struct rule_eval eval = {
        .group = &file->groups[0],
        .rule = &file->groups[0].rules[0],
        .source = &source,
        .now_ms = now_ms,
        .limits = &limits,
        .alerts = alerts,
        .output = &none,
        .no_data_hold_ms = 3 * MINUTE,
    };
    struct rule_eval_result result;
    struct err err = {0};

    if (rule_eval(&eval, &result, &err))
        fail_msg("%s", err.text);
    alert_set_done(alerts);
    *alerts = result.alerts.after;
    result.alerts.after = (struct alert_set){0};
    rule_eval_result_done(&result);
}

static void test_stories(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str text = STR_INIT(1000);
        struct fake_source fake = {0};
        struct rule_file *file = NULL;
        struct alert_set alerts = {0};
        char got[SLOTS_MAX + 1] = "";
        struct err err = {0};

        row("%s", rows[i].name);
        str_addf(&text, "groups: [{name: g, rules: [{alert: A, expr: '%s'}]}]", rows[i].expr);
        if (rule_file_parse("t", text.text, text.len, NULL, &file, &err))
            fail_msg("%s", err.text);
        for (size_t k = 0; k < 3 && rows[i].series[k]; k++)
            assert_true(fake_source_load(&fake, MINUTE, rows[i].series[k], &err));
        for (size_t slot = 0; slot < strlen(rows[i].want); slot++) {
            evaluate(file, &fake, (int64_t)slot * MINUTE, &alerts);
            got[slot] = state_of(&alerts);
        }
        assert_string_equal(got, rows[i].want);
        alert_set_done(&alerts);
        rule_file_unref(file);
        fake_source_done(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
