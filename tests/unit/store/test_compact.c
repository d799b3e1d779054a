/*
 * A day that is over becomes small, and is read as before.
 */

#include <unistd.h>

#include "alertd/db/db.h"
#include "alertd/store/chunk_rows.h"
#include "alertd/store/partition.h"
#include "alertd/store/space.h"
#include "lib/base/clock.h"
#include "lib/base/rng.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

enum {
    N_SERIES = 40, /* more than one slice has */
};

/* Two days, sealed as they come, with a late sample in the first. */
static void push_days(struct fixture *fixture)
{
    for (int half = 0; half < 48; half++) {
        for (int i = 0; i < N_SERIES; i++) {
            struct sample samples[180];
            struct store_outcome outcome;

            for (int k = 0; k < 180; k++)
                samples[k] = (struct sample){
                    NOON + (half * 180 + k) * INT64_C(10000),
                    half % 7 == 3 && k == 9 ? sample_stale() : i + (half * 180 + k) % 97 / 10.0};
            fixture_now_ms = samples[179].t_ms;
            assert_int_equal(push_as(fixture, i, samples, 180, &(struct store_batch){0}, &outcome),
                             0);
        }
        assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
    }
    assert_int_equal(push(fixture, 3, NOON + 5, 7).stored, 1);
}

/* Until days are over, and what is due then is done. */
static void pass_days(struct fixture *fixture, int n)
{
    for (int k = 0; k < n * 8; k++) {
        fixture_now_ms += 3 * HOUR;
        assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
    }
    store_close(fixture->store); /* what is under way is not waited for: it goes on */
    fixture_open(fixture);
    for (int k = 0; k < 200; k++)
        assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
}

static char *read_all(struct fixture *fixture, int i)
{
    size_t n_warnings = 0;
    char *text = read_back(fixture, i, NOON - DAY, NOON + 3 * DAY, &n_warnings);

    assert_int_equal(n_warnings, 0);
    return text;
}

/* Two days that are over and compacted. */
static void compacted_init(struct fixture *fixture)
{
    fixture_init(fixture, 0);
    push_days(fixture);
    pass_days(fixture, 4);
}

static void read_each(struct fixture *fixture, char *texts[N_SERIES])
{
    for (int i = 0; i < N_SERIES; i++)
        texts[i] = read_all(fixture, i);
}

/* Those from the first on are as they were read before. */
static void check_each(struct fixture *fixture, int first, char *const texts[N_SERIES])
{
    for (int i = first; i < N_SERIES; i++) {
        char *text = read_all(fixture, i);
        assert_string_equal(text, texts[i]);
        free(text);
    }
}

static void free_each(char *texts[N_SERIES])
{
    for (int i = 0; i < N_SERIES; i++)
        free(texts[i]);
}

struct chunks {
    int64_t n, bytes, n_long, pack_bytes;
};

static struct chunks chunks_of(struct fixture *fixture, const char *day)
{
    struct partition *partition = NULL;
    struct chunks chunks = {0};
    struct chunk_sums sums;
    struct db_conn *conn = NULL;
    int64_t day_ms;

    assert_true(partition_day_parse(day, &day_ms));
    store_close(fixture->store);
    assert_int_equal(partition_open(fixture->options.folder, day_ms, false, &partition, NULL), 0);
    assert_int_equal(db_read_begin(partition->db, &conn, NULL), 0);
    assert_int_equal(chunk_rows_sum(conn, &sums, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, "SELECT (SELECT count(*) FROM chunk WHERE pack = 0),"
                                            " (SELECT sum(length(body)) FROM pack)");
    assert_true(db_step(stmt));
    chunks = (struct chunks){(int64_t)sums.n_chunks, (int64_t)sums.bytes,
                             (int64_t)sums.n_chunks - db_int(stmt, 0), db_int(stmt, 1)};
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(partition->db, conn);
    partition_close(partition);
    fixture_open(fixture);
    return chunks;
}

static void test_a_day_that_is_over_has_one_chunk_a_series(void **state)
{
    struct fixture fixture;
    char *before[N_SERIES];

    fixture_init(&fixture, 90 * DAY);
    push_days(&fixture);
    read_each(&fixture, before);
    const struct chunks packed = chunks_of(&fixture, "2023-11-15.db");
    assert_true(packed.n > N_SERIES);
    assert_int_equal(packed.n_long, 0);
    pass_days(&fixture, 4);
    const struct chunks after = chunks_of(&fixture, "2023-11-15.db");
    row("%lld chunks of %lld bytes, then %lld of %lld", (long long)packed.n,
        (long long)packed.bytes, (long long)after.n, (long long)after.bytes);
    assert_int_equal(after.n, N_SERIES);
    assert_int_equal(after.n_long, N_SERIES);
    assert_true(after.bytes < packed.bytes);
    assert_int_equal(after.bytes, after.pack_bytes);
    check_each(&fixture, 0, before);
    free_each(before);
    fixture_done(&fixture);
}

/* Without retention a sample of any age is taken: its day is sealed again, then compacted again. */
static void test_a_day_is_opened_again(void **state)
{
    struct fixture fixture;

    compacted_init(&fixture);
    assert_int_equal(chunks_of(&fixture, "2023-11-15.db").n_long, N_SERIES);
    assert_int_equal(push(&fixture, 2, NOON + 15000, 99).stored, 1);
    assert_int_equal(push(&fixture, 2, NOON + 10000, 99).duplicate, 1);
    expect(&fixture, 2, 10000, 20000, "2.1@10000 99@15000 2.2@20000");
    pass_days(&fixture, 4);
    const struct chunks after = chunks_of(&fixture, "2023-11-15.db");
    assert_int_equal(after.n, N_SERIES);
    assert_int_equal(after.n_long, N_SERIES);
    assert_int_equal(after.bytes, after.pack_bytes); /* the packs of before are gone */
    expect(&fixture, 2, 10000, 20000, "2.1@10000 99@15000 2.2@20000");
    fixture_done(&fixture);
}

/* The same history again, newest first and each second sample 1 ms late: over the ends of hours and of a
 * day, in files of long chunks, each sample that is there is known to be. */
static void test_history_comes_again_backwards(void **state)
{
    struct fixture fixture;
    struct sample samples[720];
    struct store_outcome outcome;

    fixture_init(&fixture, 0);
    push_days(&fixture);
    pass_days(&fixture, 4);
    for (int from = 0; from < 48 * 180; from += 720)
        for (int i = 0; i < 2; i++) {
            for (int k = 0; k < 720; k++) {
                int place = from + 719 - k;
                samples[k] = (struct sample){NOON + place * INT64_C(10000) + place % 2, 99};
            }
            const struct store_batch history = {.history = true};
            assert_int_equal(push_as(&fixture, i, samples, 720, &history, &outcome), 0);
            assert_int_equal(outcome.duplicate, 360);
            assert_int_equal(outcome.stored, 360);
        }
    expect(&fixture, 1, 3590000, 3610000, "7.8@3590000 99@3590001 7.9@3600000 8@3610000");
    fixture_done(&fixture);
}

/* In the file of a day, with nobody else at it. */
static void change_day(struct fixture *fixture, const char *day, db_job *job)
{
    struct partition *partition = NULL;
    struct err err = {0};
    int64_t day_ms;

    assert_true(partition_day_parse(day, &day_ms));
    store_close(fixture->store);
    assert_int_equal(partition_open(fixture->options.folder, day_ms, false, &partition, NULL), 0);
    if (db_write(partition->db, job, NULL, &err) != 0)
        fail_msg("%s", err.text);
    partition_close(partition);
    fixture_open(fixture);
}

static int put_older(struct db_conn *conn,
                     uint32_t series,
                     const struct chunk_row *row,
                     const void *bytes,
                     size_t len,
                     struct err *reterr)
{
    int64_t pack = (int64_t)series * PACK_IDS + 1;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO pack (id, body) VALUES (?, CAST(x'0102' || ? AS BLOB))");

    db_bind_int(stmt, 1, pack);
    db_bind_blob(stmt, 2, bytes, len);
    int r = db_run(stmt, reterr);
    if (r != 0)
        return r;
    stmt = db_prepare(conn, "INSERT INTO chunk (series, t0, t1, n, body, pack, pack_at, pack_len)"
                            " VALUES (?, ?, ?, ?, x'', ?, 2, ?)");
    db_bind_int(stmt, 1, series);
    db_bind_int(stmt, 2, row->head.info.t0_ms);
    db_bind_int(stmt, 3, row->head.info.t1_ms);
    db_bind_int(stmt, 4, (int64_t)row->n);
    db_bind_int(stmt, 5, pack);
    db_bind_int(stmt, 6, (int64_t)len);
    return db_run(stmt, reterr);
}

/* As programs before packs had places left it: whole chunks in packs, a row for each. */
static int make_older(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct pack_reader packs = {.conn = conn};
    int r = 0;

    for (uint32_t series = 1; series <= N_SERIES && r == 0; series++) {
        struct chunk_rows rows;
        struct chunk_row row;
        const void *bytes;
        size_t len;

        chunk_rows_begin(&rows, &packs, series, INT64_MIN, INT64_MAX);
        assert_true(chunk_rows_next(&rows, &row, reterr));
        assert_true(row.is_lean);
        assert_int_equal(chunk_row_bytes(&rows, &row, &bytes, &len, reterr), 0);
        assert_int_equal(chunk_rows_done(&rows, reterr), 0);
        r = put_older(conn, series, &row, bytes, len, reterr);
    }
    pack_reader_done(&packs);
    if (r == 0)
        r = db_run(db_prepare(conn, "DELETE FROM place"), reterr);
    return r == 0 ? pack_sweep(conn, 1, N_SERIES, reterr) : r;
}

/* It is read as before, and a day whose samples come late is written anew. */
static void test_a_day_of_an_older_program(void **state)
{
    struct fixture fixture;
    char *before[N_SERIES];

    compacted_init(&fixture);
    read_each(&fixture, before);
    change_day(&fixture, "2023-11-15.db", make_older);
    const struct chunks older = chunks_of(&fixture, "2023-11-15.db");
    assert_int_equal(older.n_long, N_SERIES);
    assert_int_equal(older.bytes + 2 * N_SERIES, older.pack_bytes);
    check_each(&fixture, 0, before);
    assert_int_equal(push(&fixture, 2, NOON + 15000, 99).stored, 1);
    pass_days(&fixture, 4);
    const struct chunks after = chunks_of(&fixture, "2023-11-15.db");
    row("%lld bytes of an older program, then %lld", (long long)older.bytes,
        (long long)after.bytes);
    assert_int_equal(after.n_long, N_SERIES);
    assert_int_equal(after.bytes, after.pack_bytes);
    assert_true(after.bytes < older.bytes);
    expect(&fixture, 2, 10000, 20000, "2.1@10000 99@15000 2.2@20000");
    free_each(before);
    fixture_done(&fixture);
}

/* The upper buckets of a histogram are the same: so are their bytes, until one has a sample of its own. */
static void test_what_is_the_same_lies_there_once(void **state)
{
    struct sample samples[360];
    struct store_outcome outcome;
    struct fixture fixture;
    char *before = NULL;

    fixture_init(&fixture, 0);
    for (int i = 0; i < N_SERIES; i++) {
        int same = i / 4; /* for four of them */

        for (int k = 0; k < 360; k++)
            samples[k] = (struct sample){NOON + k * INT64_C(10000), k * k % 97 + same};
        fixture_now_ms = samples[359].t_ms;
        assert_int_equal(push_as(&fixture, i, samples, 360, &(struct store_batch){0}, &outcome), 0);
    }
    before = read_all(&fixture, 6);
    pass_days(&fixture, 4);
    struct chunks chunks = chunks_of(&fixture, "2023-11-15.db");
    row("%lld chunks in %lld bytes", (long long)chunks.n, (long long)chunks.bytes);
    assert_int_equal(chunks.n, N_SERIES);
    assert_int_equal(chunks.bytes, chunks.pack_bytes);
    int64_t together = chunks.bytes;
    assert_int_equal(push(&fixture, 5, NOON + 15000, 99).stored, 1);
    pass_days(&fixture, 4);
    chunks = chunks_of(&fixture, "2023-11-15.db");
    assert_int_equal(chunks.bytes, chunks.pack_bytes);
    assert_true(chunks.bytes > together && chunks.bytes < 2 * together);
    for (int i = 4; i < 8; i++) {
        char *text = read_all(&fixture, i);
        assert_true((strcmp(text, before) == 0) == (i != 5));
        free(text);
    }
    expect(&fixture, 5, 0, 20000, "1@0 2@10000 99@15000 5@20000");
    free(before);
    fixture_done(&fixture);
}

static int leave_one(struct db_conn *conn, void *arg, struct err *reterr)
{
    return chunk_rows_drop(conn, 1, reterr);
}

static int leave_all(struct db_conn *conn, void *arg, struct err *reterr)
{
    int r = 0;

    for (uint32_t series = 1; series <= N_SERIES && r == 0; series++)
        r = chunk_rows_drop(conn, series, reterr);
    return r == 0 ? pack_sweep(conn, 1, N_SERIES, reterr) : r;
}

/* Its neighbours stay where they are; with the last one the pack goes. */
static void test_one_leaves_a_pack(void **state)
{
    struct fixture fixture;
    char *before[N_SERIES];

    compacted_init(&fixture);
    read_each(&fixture, before);
    change_day(&fixture, "2023-11-15.db", leave_one);
    assert_int_equal(chunks_of(&fixture, "2023-11-15.db").n, N_SERIES - 1);
    expect(&fixture, 0, 0, 40000, "");
    check_each(&fixture, 1, before);
    change_day(&fixture, "2023-11-15.db", leave_all);
    const struct chunks after = chunks_of(&fixture, "2023-11-15.db");
    assert_int_equal(after.n, 0);
    assert_int_equal(after.pack_bytes, 0);
    free_each(before);
    fixture_done(&fixture);
}

static int flip_places(struct db_conn *conn, void *arg, struct err *reterr)
{
    return db_run(
        db_prepare(conn, "UPDATE place SET body = CAST(substr(body, 1, 6) || x'ff' ||"
                         " substr(body, 8) AS BLOB) WHERE pack = (SELECT min(pack) FROM place)"),
        reterr);
}

/* Whom it cannot tell about is told: those who may lie in the pack have a warning, others have not. */
static void test_damaged_places_are_named(void **state)
{
    struct fixture fixture;
    size_t n_warnings = 0;

    compacted_init(&fixture);
    change_day(&fixture, "2023-11-15.db", flip_places);
    free(read_back(&fixture, 0, NOON, NOON + HOUR, &n_warnings));
    assert_int_equal(n_warnings, 1);
    char *text = read_back(&fixture, N_SERIES - 1, NOON, NOON + 15000, &n_warnings);
    assert_int_equal(n_warnings, 0);
    assert_string_equal(text, "39@0 39.1@10000");
    free(text);
    fixture_done(&fixture);
}

static int from_the_future(struct db_conn *conn, void *arg, struct err *reterr)
{
    return db_run(db_prepare(conn, "INSERT INTO schema_migration (version, name, applied_at)"
                                   " VALUES (999, 'from the future', 0)"),
                  reterr);
}

/* It is not damaged, and is not taken away from whoever runs the newer program again. */
static void test_a_newer_day_is_refused_where_it_lies(void **state)
{
    struct partition *partition;
    struct fixture fixture;
    struct err err = {0};

    fixture_init(&fixture, 15 * DAY);
    (void)push(&fixture, 1, NOON, 1);
    store_close(fixture.store);
    fixture.store = NULL;
    assert_int_equal(
        partition_open(fixture.options.folder, partition_day_of(NOON), false, &partition, NULL), 0);
    assert_int_equal(db_write(partition->db, from_the_future, NULL, NULL), 0);
    partition_close(partition);
    assert_int_equal(store_open(&fixture.options, &fixture.store, &err), DB_E_NEWER);
    assert_non_null(strstr(err.text, "2023-11-15.db: made by a newer version (schema 999"));
    assert_int_equal(access(scratch_path(&fixture.scratch, "2023-11-15.db"), F_OK), 0);
    scratch_done(&fixture.scratch);
}

/* --- many days at once --- */

enum {
    N_DAYS = 7,
    LOOKS_MAX = 6000, /* of ten milliseconds */
};

/* Days of which nothing is left to seal, and those that are small. */
static void count_days(struct fixture *fixture, size_t *ret_sealed, size_t *ret_compact)
{
    ARENA_AUTO struct arena arena;
    struct space space;

    arena_init(&arena, 16 << 20);
    assert_int_equal(store_space(fixture->store, 1, &arena, &space), 0);
    assert_int_equal(space.n_days, N_DAYS);
    *ret_sealed = *ret_compact = 0;
    for (size_t i = 0; i < space.n_days; i++) {
        *ret_sealed += space.days[i].n_unsealed == 0 && space.days[i].journal_bytes == 0;
        *ret_compact += space.days[i].is_compact;
    }
}

/* As an import leaves them: each maintenance begins with one day, and the others follow it. */
static void test_one_day_follows_the_other(void **state)
{
    struct fixture fixture;
    size_t n_sealed = 0;
    size_t n_compact = 0;

    fixture_init(&fixture, 0);
    for (int day = 0; day < N_DAYS; day++)
        for (int i = 0; i < N_SERIES; i++)
            (void)push(&fixture, i, NOON + day * DAY, day);
    fixture_now_ms = NOON + (N_DAYS + 10) * DAY;
    assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
    for (int k = 0; k < LOOKS_MAX && n_sealed < N_DAYS; k++) {
        clock_sleep_ms(10);
        count_days(&fixture, &n_sealed, &n_compact);
    }
    assert_int_equal(n_sealed, N_DAYS);
    assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
    for (int k = 0; k < LOOKS_MAX && n_compact < N_DAYS; k++) {
        clock_sleep_ms(10);
        count_days(&fixture, &n_sealed, &n_compact);
    }
    assert_int_equal(n_compact, N_DAYS);
    fixture_done(&fixture);
}

struct who {
    int64_t n_whole, n_brief, n_labels;
};

static struct who who_of(struct fixture *fixture, const char *day)
{
    struct partition *partition = NULL;
    struct who who = {0};
    struct db_conn *conn = NULL;
    int64_t day_ms;

    assert_true(partition_day_parse(day, &day_ms));
    store_close(fixture->store);
    assert_int_equal(partition_open(fixture->options.folder, day_ms, false, &partition, NULL), 0);
    assert_int_equal(db_read_begin(partition->db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, "SELECT (SELECT count(*) FROM series), "
                                            "(SELECT count(*) FROM brief), "
                                            "(SELECT count(*) FROM label)");
    if (db_step(stmt))
        who = (struct who){db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2)};
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(partition->db, conn);
    partition_close(partition);
    fixture_open(fixture);
    return who;
}

/* The labels of a day that is over are said once; late series are added to it, and keep apart. */
static void test_series_become_brief(void **state)
{
    struct fixture fixture;

    fixture_init(&fixture, 0);
    push_days(&fixture);
    assert_int_equal(who_of(&fixture, "2023-11-15.db").n_whole, N_SERIES);
    pass_days(&fixture, 4);
    struct who who = who_of(&fixture, "2023-11-15.db");
    assert_int_equal(who.n_whole, 0);
    assert_int_equal(who.n_brief, N_SERIES);
    assert_int_equal(who.n_labels, N_SERIES + 2); /* m, job="test", i="0" ... */
    assert_int_equal(push(&fixture, N_SERIES + 7, NOON + 15000, 99).stored, 1);
    assert_int_equal(push(&fixture, 2, NOON + 15000, 98).stored, 1);
    expect(&fixture, N_SERIES + 7, 0, 20000, "99@15000");
    fixture_reopen(&fixture); /* numbers of both are read back */
    assert_int_equal(push(&fixture, N_SERIES + 8, NOON + 15000, 97).stored, 1);
    who = who_of(&fixture, "2023-11-15.db");
    assert_int_equal(who.n_whole, 2);
    assert_int_equal(who.n_brief, N_SERIES);
    pass_days(&fixture, 4);
    who = who_of(&fixture, "2023-11-15.db");
    assert_int_equal(who.n_whole, 0);
    assert_int_equal(who.n_brief, N_SERIES + 2);
    expect(&fixture, 2, 10000, 20000, "2.1@10000 98@15000 2.2@20000");
    expect(&fixture, N_SERIES + 7, 0, 20000, "99@15000");
    expect(&fixture, N_SERIES + 8, 0, 20000, "97@15000");
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_that_is_over_has_one_chunk_a_series),
        cmocka_unit_test(test_a_day_is_opened_again),
        cmocka_unit_test(test_history_comes_again_backwards),
        cmocka_unit_test(test_a_day_of_an_older_program),
        cmocka_unit_test(test_what_is_the_same_lies_there_once),
        cmocka_unit_test(test_one_leaves_a_pack),
        cmocka_unit_test(test_damaged_places_are_named),
        cmocka_unit_test(test_a_newer_day_is_refused_where_it_lies),
        cmocka_unit_test(test_one_day_follows_the_other),
        cmocka_unit_test(test_series_become_brief),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
