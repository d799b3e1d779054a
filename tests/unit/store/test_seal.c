/*
 * Sealing in slices: many of them, and what a crash between two leaves behind.
 */

#include "alertd/store/partition.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

enum {
    N_SERIES = 40,
    N_SAMPLES = 4000, /* a slice has some ten thousand in all */
    STEP_MS = 1000,
};

static struct partition *open_day(const struct fixture *fixture)
{
    struct partition *partition;

    assert_int_equal(
        partition_open(fixture->options.folder, partition_day_of(NOON), false, &partition, NULL),
        0);
    return partition;
}

static int64_t number(const struct partition *partition, const char *sql)
{
    struct db_conn *conn;
    int64_t value = 0;

    assert_int_equal(db_read_begin(partition->db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, sql);
    if (db_step(stmt))
        value = db_int(stmt, 0);
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(partition->db, conn);
    return value;
}

static void push_all(struct fixture *fixture)
{
    static struct sample samples[N_SAMPLES];
    struct store_outcome outcome;

    for (int i = 0; i < N_SERIES; i++) {
        for (int k = 0; k < N_SAMPLES; k++)
            samples[k] = (struct sample){NOON + (int64_t)k * STEP_MS, i + k};
        assert_int_equal(
            push_as(fixture, i, samples, N_SAMPLES, &(struct store_batch){0}, &outcome), 0);
        assert_int_equal(outcome.stored, N_SAMPLES);
    }
}

/* All of each series, once. */
static void check_all(struct fixture *fixture)
{
    for (int i = 0; i < N_SERIES; i++) {
        struct str wanted = STR_INIT(1 << 20);

        for (int k = 0; k < N_SAMPLES; k++)
            str_addf(&wanted, "%s%g@%d", k ? " " : "", (double)(i + k), k * STEP_MS);
        expect(fixture, i, 0, HOUR * 2, str_text(&wanted));
        str_done(&wanted);
    }
}

static void seal_all(struct fixture *fixture)
{
    struct store_stats stats;

    fixture_now_ms += 3 * HOUR; /* the journal is old */
    do {
        assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
        store_stats(fixture->store, &stats);
    } while (stats.samples_in_head > 0);
}

static void test_a_slice_has_only_so_many_samples(void **state)
{
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    fixture_now_ms = NOON + 2 * HOUR;
    push_all(&fixture);
    seal_all(&fixture);
    check_all(&fixture);
    store_close(fixture.store);
    struct partition *partition = open_day(&fixture);
    assert_in_range(number(partition, "SELECT count(*) FROM sealed"), 2, N_SERIES);
    assert_int_equal(number(partition, "SELECT sum(n) FROM chunk"), N_SERIES * N_SAMPLES);
    partition_close(partition);
    fixture_open(&fixture);
    check_all(&fixture);
    fixture_done(&fixture);
}

struct rows {
    unsigned char *bodies[N_SERIES];
    size_t lens[N_SERIES];
    int64_t ids[N_SERIES];
    size_t n;
};

static void take_journal(const struct fixture *fixture, struct rows *rows)
{
    struct partition *partition = open_day(fixture);
    struct db_conn *conn;

    rows->n = 0;
    assert_int_equal(db_read_begin(partition->db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, "SELECT id, body FROM journal ORDER BY id");
    while (db_step(stmt)) {
        const void *body = db_blob(stmt, 1, &rows->lens[rows->n]);

        assert_true(rows->n < N_SERIES);
        rows->ids[rows->n] = db_int(stmt, 0);
        rows->bodies[rows->n] = mem_dup(body, rows->lens[rows->n]);
        rows->n++;
    }
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(partition->db, conn);
    partition_close(partition);
}

static int put_rows(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct rows *rows = arg;
    int r = 0;

    for (size_t i = 0; i < rows->n && r == 0; i++)
        r = partition_put_journal(conn, rows->ids[i], rows->bodies[i], rows->lens[i], reterr);
    return r;
}

/* As after a kill behind the last slice of chunks and before the first that drops rows. */
static void test_what_a_crash_left_twice_is_there_once(void **state)
{
    struct fixture fixture;
    struct rows rows;

    fixture_init(&fixture, 15 * DAY);
    fixture_now_ms = NOON + 2 * HOUR;
    push_all(&fixture);
    store_close(fixture.store);
    take_journal(&fixture, &rows);
    assert_int_equal(rows.n, N_SERIES);
    fixture_open(&fixture);
    seal_all(&fixture);
    store_close(fixture.store);
    struct partition *partition = open_day(&fixture);
    assert_int_equal(number(partition, "SELECT count(*) FROM journal"), 0);
    assert_int_equal(db_write(partition->db, put_rows, &rows, NULL), 0);
    partition_close(partition);

    fixture_open(&fixture);
    check_all(&fixture);
    assert_int_equal(push(&fixture, 3, NOON + 5 * STEP_MS, 99).duplicate, 1);
    assert_int_equal(push(&fixture, 3, NOON + 5 * STEP_MS + 1, 7).stored, 1);
    seal_all(&fixture);
    expect(&fixture, 3, 5 * STEP_MS, 6 * STEP_MS, "8@5000 7@5001 9@6000");
    store_close(fixture.store);
    partition = open_day(&fixture);
    assert_int_equal(number(partition, "SELECT count(*) FROM journal"), 0);
    assert_int_equal(number(partition, "SELECT sum(n) FROM chunk"), N_SERIES * N_SAMPLES + 1);
    partition_close(partition);
    for (size_t i = 0; i < rows.n; i++)
        free(rows.bodies[i]);
    fixture_open(&fixture);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slice_has_only_so_many_samples),
        cmocka_unit_test(test_what_a_crash_left_twice_is_there_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
