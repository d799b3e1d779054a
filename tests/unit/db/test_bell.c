/*
 * Bells on a real file: who waits for rows takes them in the transaction that makes them, a ring
 * that nobody waits for is remembered, and a job that fails fails alone.
 */

#include <errno.h>
#include <pthread.h>

#include "alertd/db/db.h"
#include "lib/base/clock.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

static const struct db_migration steps[] = {
    {1, "rows", "CREATE TABLE row (id INTEGER PRIMARY KEY, is_taken INTEGER NOT NULL) STRICT;"},
};

enum {
    FOR_US = 1,
    FOR_OTHERS = 2,
    FAR_AWAY_US = 600 * 1000 * 1000,
};

/* A worker at its bell. */
struct worker {
    struct db *db;
    struct db_bell bell;
    bool joins;
    int fails;     /* what its job returns, 0: nothing */
    int64_t taken; /* rows, by its last job */
    int result;
    pthread_t thread;
};

static struct scratch scratch;
static struct worker worker;

static int set_up(void **state)
{
    const struct db_options options = {
        .migrations = steps, .n_migrations = 1, .application_id = 0x74657374};
    struct db_options at = options;

    if (scratch_init(&scratch))
        return -1;
    at.path = scratch_path(&scratch, "t.db");
    worker = (struct worker){.bell.names = FOR_US, .taken = -1};
    if (db_open(&at, &worker.db, NULL))
        return -1;
    db_bell_hang(worker.db, &worker.bell);
    return 0;
}

static int tear_down(void **state)
{
    db_bell_take_down(worker.db, &worker.bell);
    db_close(worker.db);
    scratch_done(&scratch);
    return 0;
}

static int job_take(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct worker *self = arg;
    int r = db_run(db_prepare(conn, "UPDATE row SET is_taken = 1 WHERE NOT is_taken"), reterr);

    self->taken = db_changes(conn);
    return r ? r : self->fails;
}

static void *wait_at_bell(void *arg)
{
    struct worker *self = arg;

    self->result = db_write_at(self->db, &self->bell, clock_mono_us() + FAR_AWAY_US, self->joins,
                               job_take, self, NULL);
    return NULL;
}

/* Returns when it stands there. */
static void start_waiting(void)
{
    struct db_request *volatile const *waits = &worker.bell.waits;

    assert_int_equal(pthread_create(&worker.thread, NULL, wait_at_bell, &worker), 0);
    while (!*waits)
        clock_sleep_ms(1);
}

static int job_make(struct db_conn *conn, void *arg, struct err *reterr)
{
    const uint64_t *names = arg;

    db_ring(conn, *names);
    return db_run(db_prepare(conn, "INSERT INTO row (is_taken) VALUES (0)"), reterr);
}

static void make_and_ring(uint64_t names)
{
    assert_int_equal(db_write(worker.db, job_make, &names, NULL), 0);
}

static uint64_t commits(void)
{
    struct db_stats stats;

    db_stats(worker.db, &stats);
    return stats.commits;
}

static void test_what_is_rung_for_is_taken_in_the_same_commit(void **state)
{
    start_waiting();
    uint64_t before = commits();

    make_and_ring(FOR_US);
    assert_int_equal(pthread_join(worker.thread, NULL), 0);
    assert_int_equal(worker.result, 0);
    assert_int_equal(worker.taken, 1);
    assert_int_equal(commits() - before, 1);
}

static void test_a_ring_for_others_calls_nobody(void **state)
{
    start_waiting();
    make_and_ring(FOR_OTHERS);
    assert_int_equal(worker.taken, -1);
    db_ring_outside(worker.db, FOR_US | FOR_OTHERS);
    assert_int_equal(pthread_join(worker.thread, NULL), 0);
    assert_int_equal(worker.taken, 1);
}

static void test_a_ring_that_nobody_waits_for_is_remembered(void **state)
{
    make_and_ring(FOR_US);
    make_and_ring(FOR_US);
    (void)wait_at_bell(&worker);
    assert_int_equal(worker.result, 0);
    assert_int_equal(worker.taken, 2);
}

static void test_who_joins_goes_with_any_commit(void **state)
{
    worker.joins = true;
    start_waiting();
    uint64_t before = commits();

    make_and_ring(0);
    assert_int_equal(pthread_join(worker.thread, NULL), 0);
    assert_int_equal(worker.taken, 1);
    assert_int_equal(commits() - before, 1);
}

static void test_its_failure_is_its_own(void **state)
{
    worker.fails = -ENODATA;
    start_waiting();
    make_and_ring(FOR_US);
    assert_int_equal(pthread_join(worker.thread, NULL), 0);
    assert_int_equal(worker.result, -ENODATA);

    worker.fails = 0; /* the row is there and was not taken */
    assert_int_equal(db_write_at(worker.db, &worker.bell, 0, false, job_take, &worker, NULL), 0);
    assert_int_equal(worker.taken, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_rung_for_is_taken_in_the_same_commit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_ring_for_others_calls_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_ring_that_nobody_waits_for_is_remembered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_who_joins_goes_with_any_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_its_failure_is_its_own, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
