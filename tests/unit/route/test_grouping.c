/*
 * Which notification is owed next, and when; times in seconds of one incident's life.
 */

#include "alertd/route/grouping.h"
#include "tests/lib/row.h"

static const struct route_times times = {
    .group_wait_ms = 30000, .group_interval_ms = 300000, .repeat_interval_ms = 3600000};

static const struct {
    const char *name;
    struct route_story story;
    int64_t now_s;
    enum route_reason reason;
    int64_t due_s;
} owed[] = {
    {"the first page waits for company",
     {.began_at_ms = 1000000, .open = true},
     1000,
     ROUTE_FIRST,
     1030},
    {"news soon after the first waits for the interval",
     {.began_at_ms = 1000000, .told_at_ms = 1030000, .open = true, .has_news = true},
     1100,
     ROUTE_NEW_ALERTS,
     1330},
    {"news long after is told at once",
     {.began_at_ms = 1000000, .told_at_ms = 1030000, .open = true, .has_news = true},
     2000,
     ROUTE_NEW_ALERTS,
     2000},
    {"nothing new: a reminder later",
     {.began_at_ms = 1000000, .told_at_ms = 1030000, .open = true},
     2000,
     ROUTE_REPEAT,
     4630},
    {"acknowledged: no reminder",
     {.began_at_ms = 1000000, .told_at_ms = 1030000, .open = true, .acknowledged = true},
     2000,
     ROUTE_NOTHING,
     0},
    {"acknowledged: news all the same",
     {.began_at_ms = 1000000,
      .told_at_ms = 1030000,
      .open = true,
      .acknowledged = true,
      .has_news = true},
     2000,
     ROUTE_NEW_ALERTS,
     2000},
    {"over: told at once",
     {.began_at_ms = 1000000, .told_at_ms = 1030000},
     1040,
     ROUTE_RESOLVED,
     1040},
    {"over before the first page went out", {.began_at_ms = 1000000}, 1010, ROUTE_RESOLVED, 1010},
    {"over and told",
     {.began_at_ms = 1000000, .told_at_ms = 1030000, .told_resolved = true},
     2000,
     ROUTE_NOTHING,
     0},
};

static void test_what_is_owed(void **state)
{
    for (size_t i = 0; i < sizeof(owed) / sizeof(owed[0]); i++) {
        int64_t due_ms = 0;

        row("%s", owed[i].name);
        assert_int_equal(route_due(&times, &owed[i].story, owed[i].now_s * 1000, &due_ms),
                         owed[i].reason);
        assert_int_equal(due_ms, owed[i].due_s * 1000);
    }
}

static void test_what_becomes_of_one_that_waits(void **state)
{
    static const struct {
        const char *name;
        enum route_reason waiting;
        unsigned attempts;
        enum route_reason next;
        enum route_merge merge;
    } rows[] = {
        {"nothing waits", ROUTE_NOTHING, 0, ROUTE_NEW_ALERTS, ROUTE_MERGE_ADD},
        {"an untried page tells the news too", ROUTE_FIRST, 0, ROUTE_NEW_ALERTS,
         ROUTE_MERGE_COVERED},
        {"a tried one may have arrived without them", ROUTE_FIRST, 1, ROUTE_NEW_ALERTS,
         ROUTE_MERGE_SUPERSEDE},
        {"the end tells the beginning", ROUTE_FIRST, 0, ROUTE_RESOLVED, ROUTE_MERGE_SUPERSEDE},
        {"also after failures", ROUTE_NEW_ALERTS, 9, ROUTE_RESOLVED, ROUTE_MERGE_SUPERSEDE},
        {"a reminder does not stand for news", ROUTE_REPEAT, 0, ROUTE_NEW_ALERTS,
         ROUTE_MERGE_SUPERSEDE},
        {"no reminder of what was not told yet", ROUTE_FIRST, 3, ROUTE_REPEAT, ROUTE_MERGE_COVERED},
        {"opened again before the end was told", ROUTE_RESOLVED, 0, ROUTE_FIRST,
         ROUTE_MERGE_SUPERSEDE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].name);
        assert_int_equal(route_merge(rows[i].waiting, rows[i].attempts, rows[i].next),
                         rows[i].merge);
    }
}

static void test_group_of_an_alert(void **state)
{
    static const struct label pairs[] = {
        {"alertname", "Down"}, {"instance", "a:1"}, {"job", "node"}};
    static const char *names[] = {"alertname", "cluster", "job"};
    struct route_config config = {.group_by = {names, 3}};
    const struct labels *alert = labels_new(pairs, 3);
    const struct labels *group = route_group_labels(&config, alert);
    STR_AUTO struct str key = STR_INIT(200);

    row("a label that the alert has not is left out");
    route_group_key(group, &key);
    assert_string_equal(str_text(&key), "{}:{alertname=\"Down\", job=\"node\"}");
    labels_unref(group);

    row("by everything");
    config.group_by_all = true;
    group = route_group_labels(&config, alert);
    assert_true(labels_equal(group, alert));
    labels_unref(group);

    row("by nothing: one group");
    config = (struct route_config){0};
    group = route_group_labels(&config, alert);
    str_cut(&key, 0);
    route_group_key(group, &key);
    assert_string_equal(str_text(&key), "{}:{}");
    labels_unref(group);
    labels_unref(alert);
}

static void test_names_of_reasons(void **state)
{
    for (unsigned i = ROUTE_FIRST; i <= ROUTE_REPEAT; i++)
        assert_int_equal(route_reason_parse(route_reason_name((enum route_reason)i)), i);
    assert_int_equal(route_reason_parse("some"), ROUTE_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_owed),
        cmocka_unit_test(test_what_becomes_of_one_that_waits),
        cmocka_unit_test(test_group_of_an_alert),
        cmocka_unit_test(test_names_of_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
