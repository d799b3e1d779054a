/*
 * The dispatcher in virtual time: when who is told what, and that a restart changes nothing.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/dispatch.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

enum {
    START_MS = 1000000,
};

static const char config_text[] =
    "receivers:\n"
    "  - {name: all, webhook_configs: [{url: 'http://a'}, {url: 'http://b', send_resolved: false}]}\n"
    "  - {name: night, webhook_configs: [{url: 'http://c'}]}\n"
    "inhibit_rules:\n"
    "  - {source_matchers: [severity=page], target_matchers: [severity=warn], equal: [host]}\n"
    "time_intervals:\n"
    "  - {name: early, time_intervals: [{times: [{start_time: '00:00', end_time: '00:20'}]}]}\n"
    "route:\n"
    "  receiver: all\n"
    "  group_by: [alertname]\n"
    "  group_wait: 10s\n"
    "  group_interval: 1m\n"
    "  repeat_interval: 5m\n"
    "  routes:\n"
    "    - {matchers: [team=night], receiver: night, continue: true, mute_time_intervals: [early]}\n"
    "    - {matchers: [team=night], receiver: all}\n";

static const struct route_config *read_config(void)
{
    const struct route_config *config = NULL;
    struct err err = {0};

    if (route_config_parse(config_text, strlen(config_text), NULL, NULL, NULL, &config, &err))
        row("%u:%u: %s", err.line, err.column, err.text);
    assert_non_null(config);
    return config;
}

static void tell(void *arg, const struct dispatch_notification *note)
{
    struct str *out = arg;

    str_addf(out, "%lld %s/%u %s %s +%zu -%zu\n", (long long)(note->at_ms - START_MS) / 1000,
             note->to->receiver, note->to->slot, note->group_key,
             dispatch_reason_name(note->reason), note->n_firing, note->n_resolved);
}

static void put(struct dispatch *dispatch,
                const char *name,
                const char *severity,
                const char *team,
                int64_t end_s,
                int64_t at_s)
{
    struct label pairs[] = {{"alertname", name}, {"severity", severity}, {"team", team}};
    const struct labels *labels = labels_new(pairs, 3);
    struct dispatch_alert alert = {.labels = labels, .ends_at_ms = START_MS + end_s * 1000};

    dispatch_put(dispatch, &alert, START_MS + at_s * 1000);
    labels_unref(labels);
}

static void test_one_group_from_first_to_last(void **state)
{
    const struct route_config *config = read_config();
    struct dispatch *dispatch = dispatch_new(config, START_MS);
    STR_AUTO struct str told = STR_INIT(64 * 1024);

    put(dispatch, "Down", "info", "", 500, 0);
    put(dispatch, "Down", "warn", "", 200, 1);
    dispatch_run(dispatch, START_MS + 60000, tell, &told);
    put(dispatch, "Down", "crit", "", 500, 60);
    dispatch_run(dispatch, START_MS + 1000000, tell, &told);
    assert_string_equal(str_text(&told),
                        "10 all/0 {}:{alertname=\"Down\"} first notification +2 -0\n"
                        "10 all/1 {}:{alertname=\"Down\"} first notification +2 -0\n"
                        "70 all/0 {}:{alertname=\"Down\"} new alerts added +3 -0\n"
                        "70 all/1 {}:{alertname=\"Down\"} new alerts added +3 -0\n"
                        "250 all/0 {}:{alertname=\"Down\"} some alerts resolved +2 -1\n"
                        "430 all/1 {}:{alertname=\"Down\"} repeat interval elapsed +2 -0\n"
                        "550 all/0 {}:{alertname=\"Down\"} all alerts resolved +0 -2\n");
    row("and is forgotten");
    assert_true(dispatch_next_ms(dispatch) == INT64_MAX);
    dispatch_free(dispatch);
    route_config_unref(config);
}

static void test_a_group_that_the_last_left_begins_anew(void **state)
{
    const struct route_config *config = read_config();
    struct dispatch *dispatch = dispatch_new(config, START_MS);
    STR_AUTO struct str told = STR_INIT(64 * 1024);

    put(dispatch, "Down", "warn", "", 200, 0);
    dispatch_run(dispatch, START_MS + 255000, tell, &told);
    put(dispatch, "Down", "warn", "", 900, 255);
    dispatch_run(dispatch, START_MS + 300000, tell, &told);
    row("10 s after it fires again, not at the next of its old times");
    assert_string_equal(str_text(&told),
                        "10 all/0 {}:{alertname=\"Down\"} first notification +1 -0\n"
                        "10 all/1 {}:{alertname=\"Down\"} first notification +1 -0\n"
                        "250 all/0 {}:{alertname=\"Down\"} all alerts resolved +0 -1\n"
                        "265 all/0 {}:{alertname=\"Down\"} new alerts added +1 -0\n"
                        "265 all/1 {}:{alertname=\"Down\"} new alerts added +1 -0\n");
    dispatch_free(dispatch);
    route_config_unref(config);
}

static void test_muted_and_inhibited(void **state)
{
    const struct route_config *config = read_config();
    struct dispatch *dispatch = dispatch_new(config, START_MS);
    STR_AUTO struct str told = STR_INIT(64 * 1024);

    row("1000 s after midnight is early until 1200 s; the source of the warning ends at 100 s");
    put(dispatch, "Disk", "warn", "night", 400, 0);
    put(dispatch, "Host", "page", "", 100, 0);
    dispatch_run(dispatch, START_MS + 300000, tell, &told);
    assert_string_equal(
        str_text(&told),
        "10 all/0 {}:{alertname=\"Host\"} first notification +1 -0\n"
        "10 all/1 {}:{alertname=\"Host\"} first notification +1 -0\n"
        "130 all/0 {}:{alertname=\"Host\"} all alerts resolved +0 -1\n"
        "130 all/0 {}/{team=\"night\"}:{alertname=\"Disk\"} first notification +1 -0\n"
        "130 all/1 {}/{team=\"night\"}:{alertname=\"Disk\"} first notification +1 -0\n"
        "250 night/0 {}/{team=\"night\"}:{alertname=\"Disk\"} first notification +1 -0\n");
    dispatch_free(dispatch);
    route_config_unref(config);
}

struct copy {
    struct dispatch *to;
    size_t n_refused;
};

static void copy_alert(void *arg, const struct dispatch_alert *row)
{
    dispatch_restore_alert(((struct copy *)arg)->to, row);
}

static void copy_group(void *arg, const struct dispatch_group_row *row)
{
    struct copy *copy = arg;

    copy->n_refused += !dispatch_restore_group(copy->to, row);
}

static void copy_log(void *arg, const struct dispatch_log_row *row)
{
    dispatch_restore_log(((struct copy *)arg)->to, row);
}

static struct dispatch *restart(struct dispatch *old, const struct route_config *config)
{
    struct copy copy = {
        dispatch_new(config, dispatch_maintenance_ms(old) - DISPATCH_MAINTENANCE_MS), 0};
    struct dispatch_rows rows = {copy_alert, copy_group, copy_log, &copy};

    dispatch_save(old, &rows);
    dispatch_free(old);
    assert_int_equal(copy.n_refused, 0);
    return copy.to;
}

/* The same random history, with a restart before every step of one of the two machines. */
static void test_a_restart_changes_nothing(void **state)
{
    static const char *const names[] = {"A", "B", "C"};
    static const char *const severities[] = {"page", "warn", "info"};
    static const char *const teams[] = {"night", "day"};
    const struct route_config *config = read_config();
    struct rng rng = {.state = 42};
    size_t n_told = 0;

    for (int history = 0; history < 50; history++) {
        struct dispatch *steady = dispatch_new(config, START_MS);
        struct dispatch *restarted = dispatch_new(config, START_MS);
        STR_AUTO struct str a = STR_INIT(1024 * 1024);
        STR_AUTO struct str b = STR_INIT(1024 * 1024);
        int64_t at_s = 0;

        for (int step = 0; step < 60; step++) {
            const char *name = names[rng_below(&rng, 3)];
            const char *severity = severities[rng_below(&rng, 3)];
            const char *team = teams[rng_below(&rng, 2)];
            int64_t end_s;

            at_s += (int64_t)rng_below(&rng, 90);
            end_s = at_s + (int64_t)rng_below(&rng, 300);
            restarted = restart(restarted, config);
            dispatch_run(steady, START_MS + at_s * 1000, tell, &a);
            dispatch_run(restarted, START_MS + at_s * 1000, tell, &b);
            put(steady, name, severity, team, end_s, at_s);
            put(restarted, name, severity, team, end_s, at_s);
        }
        row("history %d", history);
        assert_string_equal(str_text(&a), str_text(&b));
        n_told += a.len;
        dispatch_free(steady);
        dispatch_free(restarted);
    }
    assert_true(n_told > 0);
    route_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_group_from_first_to_last),
        cmocka_unit_test(test_a_group_that_the_last_left_begins_anew),
        cmocka_unit_test(test_muted_and_inhibited),
        cmocka_unit_test(test_a_restart_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
