/*
 * Series as rows: whole or brief, random labels come back; rows that are not believed.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/store/partition.h"
#include "alertd/store/series_rows.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

enum {
    N_SERIES = 300,
    BYTES = 1 << 22,
};

struct file {
    struct scratch scratch;
    struct partition *partition;
};

static void file_init(struct file *file)
{
    struct err err = {0};

    assert_int_equal(scratch_init(&file->scratch), 0);
    if (partition_open(file->scratch.folder, 0, false, &file->partition, &err) != 0)
        fail_msg("%s", err.text);
}

static void file_done(struct file *file)
{
    partition_close(file->partition);
    scratch_done(&file->scratch);
}

static void random_text(struct rng *rng, char *text, size_t most)
{
    size_t n = 1 + rng_below(rng, most);

    for (size_t i = 0; i < n; i++)
        text[i] = (char)(1 + rng_below(rng, 127));
    text[n] = '\0';
}

static const struct labels *random_labels(struct rng *rng, uint32_t i)
{
    struct label pairs[12];
    char texts[12][2][32];
    size_t n = rng_below(rng, 10);

    for (size_t k = 0; k < n; k++) {
        random_text(rng, texts[k][0], 3);
        random_text(rng, texts[k][1], rng_below(rng, 2) ? 1 : 30);
        pairs[k] = (struct label){texts[k][0], texts[k][1]};
    }
    if (i % 5 > 0)
        pairs[n++] = (struct label){LABEL_NAME, i % 5 == 1 ? "m" : i % 5 == 2 ? "m2" : "__name__"};
    return labels_new(pairs, n);
}

struct job {
    const struct labels **labels;
    bool brief;
};

static int put(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct job *job = arg;
    int r = 0;

    for (uint32_t i = 0; i < N_SERIES && r == 0; i++) {
        if (!job->brief)
            r = series_put(conn, i + 1, job->labels[i], reterr);
        else if (i % 3 > 0) /* some stay whole, some are asked twice */
            r = series_make_brief(conn, i + 1, reterr);
    }
    return r;
}

/* How many rows there are of the name (NULL: of all), each with the labels it should have. */
static size_t count(struct file *file, const struct labels **labels, const char *name)
{
    SERIES_READER_AUTO struct series_reader reader;
    struct db_conn *conn = NULL;
    struct matcher matcher;
    struct arena arena;
    size_t n = 0;

    assert_int_equal(matcher_init(&matcher, MATCHER_EQUAL, LABEL_NAME, name ? name : "", NULL), 0);
    assert_int_equal(db_read_begin(file->partition->db, &conn, NULL), 0);
    series_reader_init(&reader, conn);
    arena_init(&arena, BYTES);
    struct db_stmt *stmt = name ? series_rows(conn, &matcher, 1) : series_rows_all(conn);
    while (db_step(stmt)) {
        bool corrupt = true;
        const struct labels *found = series_reader_labels(&reader, stmt, &arena, &corrupt);

        assert_false(corrupt);
        assert_true(labels_equal(found, labels[series_row_id(stmt) - 1]));
        if (!name)
            assert_int_equal(series_row_id(stmt), n + 1);
        n++;
        arena_reset(&arena);
    }
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(file->partition->db, conn);
    matcher_done(&matcher);
    return n;
}

static void test_random_labels_come_back(void **state)
{
    const struct labels *labels[N_SERIES];
    struct rng rng = {20261127};
    struct file file;
    size_t n_of_m = 0;

    file_init(&file);
    for (uint32_t i = 0; i < N_SERIES; i++) {
        labels[i] = random_labels(&rng, i);
        n_of_m += i % 5 == 1;
    }
    for (int brief = 0; brief < 3; brief++) {
        struct job job = {labels, brief > 0};

        assert_int_equal(db_write(file.partition->db, put, &job, NULL), 0);
        assert_int_equal(count(&file, labels, NULL), N_SERIES);
        assert_int_equal(count(&file, labels, "m"), n_of_m);
        assert_int_equal(count(&file, labels, "nobody"), 0);
    }
    for (uint32_t i = 0; i < N_SERIES; i++)
        labels_unref(labels[i]);
    file_done(&file);
}

struct doctored {
    const char *what;
    const void *labels;
    size_t len;
};

static int put_doctored(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct doctored *row = arg;
    struct db_stmt *stmt = db_prepare(conn, "INSERT OR REPLACE INTO brief (id, metric, labels)"
                                            " VALUES (1, 0, ?)");

    db_bind_blob(stmt, 1, row->labels, row->len);
    int r = db_run(stmt, reterr);
    if (r != 0)
        return r;
    stmt = db_prepare(conn, "INSERT OR REPLACE INTO label (id, pair) VALUES (2, x'6e6f')");
    return db_run(stmt, reterr);
}

static void test_what_is_no_labels_is_refused(void **state)
{
    static const struct doctored rows[] = {
        {"a pair that is not there", "\x05", 1},
        {"number 0", "\x00", 1},
        {"a number without end", "\xff\xff", 2},
        {"a pair that is none", "\x02", 1},
        {"a number beyond all", "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9},
    };
    struct file file;

    file_init(&file);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct db_conn *conn = NULL;
        struct series_reader reader;
        struct arena arena;
        bool corrupt = false;
        struct doctored one = rows[i];

        row("%s", one.what);
        assert_int_equal(db_write(file.partition->db, put_doctored, &one, NULL), 0);
        assert_int_equal(db_read_begin(file.partition->db, &conn, NULL), 0);
        series_reader_init(&reader, conn);
        arena_init(&arena, BYTES);
        struct db_stmt *stmt = series_row_of(conn, 1);
        assert_true(db_step(stmt));
        assert_null(series_reader_labels(&reader, stmt, &arena, &corrupt));
        assert_true(corrupt);
        (void)db_done(stmt, NULL);
        series_reader_done(&reader);
        arena_reset(&arena);
        db_read_end(file.partition->db, conn);
    }
    file_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_labels_come_back),
        cmocka_unit_test(test_what_is_no_labels_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
