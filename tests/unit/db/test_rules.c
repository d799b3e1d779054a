/*
 * Rules and alerts on a real database file: ids stay while names do, versions are only
 * added, an alert reads back bit for bit.
 */

#include <math.h>

#include "alertd/db/alert_db.h"
#include "alertd/db/rule_db.h"
#include "lib/model/sample.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct db *db;

static int set_up(void **state)
{
    if (scratch_init(&scratch))
        return -1;
    const struct db_options options = {
        .path = scratch_path(&scratch, "state.db"),
        .migrations = db_state_migrations,
        .n_migrations = db_n_state_migrations,
    };
    return db_open(&options, &db, NULL);
}

static int tear_down(void **state)
{
    db_close(db);
    scratch_done(&scratch);
    return 0;
}

static struct rule_db_rule rule(const char *name, const char *yaml)
{
    return (struct rule_db_rule){
        .name = name,
        .expr = "up == 0",
        .for_ms = 60000,
        .labels = labels_empty(),
        .annotations = labels_empty(),
        .yaml = yaml,
    };
}

struct import_job {
    struct rule_db_import import;
    struct rule_db_counts counts;
};

static int run_import(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct import_job *job = arg;

    return rule_db_import(conn, &job->import, &job->counts, reterr);
}

static struct rule_db_counts import(const struct rule_db_rule *rules, size_t n, int64_t now_ms)
{
    struct rule_db_group group = {
        .name = "host", .interval_ms = 15000, .rules = rules, .n_rules = n};
    struct import_job job = {.import = {.source = "host.yml",
                                        .yaml = "groups: ...",
                                        .author = "ana",
                                        .now_ms = now_ms,
                                        .groups = &group,
                                        .n_groups = 1}};

    assert_int_equal(db_write(db, run_import, &job, NULL), 0);
    return job.counts;
}

static struct rule_group_row *list(struct arena *arena, size_t *n)
{
    struct rule_group_row *groups = NULL;
    struct db_conn *conn;

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(rule_db_list(conn, 1000000, arena, &groups, n, NULL), 0);
    db_read_end(db, conn);
    return groups;
}

static void test_a_rule_keeps_its_id_and_collects_versions(void **state)
{
    ARENA_AUTO struct arena arena;
    struct rule_version_row *versions = NULL;
    struct db_conn *conn;
    size_t n = 0;
    struct rule_db_rule first[] = {rule("Down", "v1"), rule("Slow", "s1"), rule("Slow", "s2")};
    struct rule_db_rule second[] = {rule("Slow", "s1"), rule("Down", "v2")};

    arena_init(&arena, 1 << 20);
    struct rule_db_counts counts = import(first, 3, 1000);
    assert_int_equal(counts.rules, 3);
    assert_int_equal(counts.changed, 3);
    int64_t down = list(&arena, &n)[0].rules[0].id;

    assert_int_equal(import(first, 3, 2000).changed, 0);

    counts = import(second, 2, 3000);
    assert_int_equal(counts.changed, 1);
    assert_int_equal(counts.removed, 1); /* the second Slow */
    struct rule_group_row *groups = list(&arena, &n);
    assert_int_equal(n, 1);
    assert_int_equal(groups[0].n_rules, 2);
    assert_string_equal(groups[0].rules[1].name, "Down");
    assert_int_equal(groups[0].rules[1].id, down);
    assert_int_equal(groups[0].rules[1].version, 2);

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(rule_db_versions(conn, down, &arena, &versions, &n, NULL), 0);
    db_read_end(db, conn);
    assert_int_equal(n, 2);
    assert_string_equal(versions[0].yaml, "v2");
    assert_int_equal(versions[1].created_at_ms, 1000);
}

static void test_a_rule_that_comes_back_is_the_same(void **state)
{
    ARENA_AUTO struct arena arena;
    size_t n = 0;
    struct rule_db_rule rules[] = {rule("Down", "v1"), rule("Slow", "s1")};

    arena_init(&arena, 1 << 20);
    (void)import(rules, 2, 1000);
    int64_t slow = list(&arena, &n)[0].rules[1].id;
    assert_int_equal(import(rules, 1, 2000).removed, 1);
    assert_int_equal(import(rules, 1, 2500).removed, 0);
    assert_int_equal(import(rules, 2, 3000).changed, 0);
    assert_int_equal(list(&arena, &n)[0].rules[1].id, slow);
}

static int run_health(struct db_conn *conn, void *arg, struct err *reterr)
{
    return rule_db_save_health(conn, arg, reterr);
}

static void test_failures_are_counted_in_a_row(void **state)
{
    ARENA_AUTO struct arena arena;
    size_t n = 0;
    struct rule_db_rule one = rule("Down", "v1");

    arena_init(&arena, 1 << 20);
    (void)import(&one, 1, 1000);
    struct rule_db_health health = {list(&arena, &n)[0].rules[0].id, "many-to-many", 5000, 12};
    assert_int_equal(db_write(db, run_health, &health, NULL), 0);
    assert_int_equal(db_write(db, run_health, &health, NULL), 0);
    struct rule_row row = list(&arena, &n)[0].rules[0];
    assert_string_equal(row.health, "err");
    assert_string_equal(row.last_error, "many-to-many");
    assert_int_equal(row.failures, 2);
    health.error = NULL;
    assert_int_equal(db_write(db, run_health, &health, NULL), 0);
    row = list(&arena, &n)[0].rules[0];
    assert_string_equal(row.health, "ok");
    assert_null(row.last_error);
    assert_int_equal(row.failures, 0);
}

struct save_job {
    int64_t rule_id;
    const struct alert_set *before, *after;
};

static int run_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct save_job *job = arg;

    return alert_db_save(conn, job->rule_id, job->before, job->after, reterr);
}

static void test_an_alert_reads_back_bit_for_bit(void **state)
{
    ARENA_AUTO struct arena arena;
    const struct label pairs[] = {{"alertname", "Down"}, {"instance", "a \"quoted\" \n one"}};
    size_t n = 0;
    struct rule_db_rule one = rule("Down", "v1");
    struct alert_set none = {0};
    struct alert_set set = {0};
    struct alert_set back = {0};
    struct db_conn *conn;
    struct alert_entry entry = {
        .alert = ALERT_INIT,
        .labels = labels_new(pairs, 2),
        .annotations = labels_empty(),
        .value = sample_from_bits(UINT64_C(0x7ff8000000000123)), /* a NaN with a payload */
    };

    arena_init(&arena, 1 << 20);
    (void)import(&one, 1, 1000);
    int64_t id = list(&arena, &n)[0].rules[0].id;
    entry.alert.state = ALERT_FIRING;
    entry.alert.active_at_ms = -5; /* before 1970 is a time too */
    entry.alert.fired_at_ms = 7;
    alert_set_add(&set, &entry);
    labels_unref(entry.labels);

    struct save_job job = {id, &none, &set};
    assert_int_equal(db_write(db, run_save, &job, NULL), 0);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(alert_db_load(conn, id, &back, NULL), 0);
    db_read_end(db, conn);
    assert_int_equal(back.n, 1);
    assert_true(sample_bits(back.at[0].value) == sample_bits(set.at[0].value));
    assert_true(labels_equal(back.at[0].labels, set.at[0].labels));
    assert_int_equal(back.at[0].alert.state, ALERT_FIRING);
    assert_int_equal(back.at[0].alert.active_at_ms, -5);
    assert_int_equal(back.at[0].alert.resolved_at_ms, ALERT_NEVER);

    job = (struct save_job){id, &set, &none};
    assert_int_equal(db_write(db, run_save, &job, NULL), 0);
    alert_set_done(&back);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(alert_db_load(conn, id, &back, NULL), 0);
    db_read_end(db, conn);
    assert_int_equal(back.n, 0);
    alert_set_done(&back);
    alert_set_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_rule_keeps_its_id_and_collects_versions, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_rule_that_comes_back_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures_are_counted_in_a_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_alert_reads_back_bit_for_bit, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
