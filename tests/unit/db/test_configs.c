/*
 * Configs that were in force: the same one twice is one row, the newest are kept, and what is
 * older than they are is said.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/db/config_db.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct db *db;

static void begin(void)
{
    struct err err = {0};

    assert_int_equal(scratch_init(&scratch), 0);
    const struct db_options options = {.path = scratch_path(&scratch, "state.db"),
                                       .application_id = 0x77617463,
                                       .migrations = db_state_migrations,
                                       .n_migrations = db_n_state_migrations};

    if (db_open(&options, &db, &err))
        fail_msg("%s", err.text);
}

static void end(void)
{
    db_close(db);
    scratch_done(&scratch);
}

/* The file "config N", from N seconds on. */
static int job_keep(struct db_conn *conn, void *arg, struct err *reterr)
{
    int number = *(const int *)arg;
    char text[32];

    (void)snprintf(text, sizeof(text), "config %d", number % 1000);
    return config_db_keep(conn, text, text, number * (int64_t)1000, reterr);
}

static void keep(int number)
{
    assert_int_equal(db_write(db, job_keep, &number, NULL), 0);
}

/* "config 3 [2000, 5000)"; "none before 2000". */
static void assert_at(int64_t at_ms, const char *expected)
{
    ARENA_AUTO struct arena arena;
    struct config_row found;
    struct db_conn *conn;
    char text[100];
    bool is_there;

    arena_init(&arena, 1 << 16);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(config_db_at(conn, at_ms, &arena, &found, &is_there, NULL), 0);
    db_read_end(db, conn);
    if (!is_there)
        (void)snprintf(text, sizeof(text), "none before %lld", (long long)found.until_ms);
    else if (found.until_ms == INT64_MAX)
        (void)snprintf(text, sizeof(text), "%s [%lld, now)", found.text, (long long)found.from_ms);
    else
        (void)snprintf(text, sizeof(text), "%s [%lld, %lld)", found.text, (long long)found.from_ms,
                       (long long)found.until_ms);
    assert_string_equal(text, expected);
}

static void test_the_one_of_then(void **state)
{
    begin();
    assert_at(5000, "none before 0");
    keep(2);
    keep(5);
    keep(2 + 1000); /* the first again, at 1002 s */
    keep(2 + 1000);
    assert_at(1999, "none before 2000");
    assert_at(2000, "config 2 [2000, 5000)");
    assert_at(4999, "config 2 [2000, 5000)");
    assert_at(5000, "config 5 [5000, 1002000)");
    assert_at(1002000, "config 2 [1002000, now)");
    end();
}

static void test_the_newest_are_kept(void **state)
{
    begin();
    for (int i = 1; i <= CONFIG_DB_KEPT_MAX + 5; i++)
        keep(i);
    assert_at(5999, "none before 6000");
    assert_at(6000, "config 6 [6000, 7000)");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_one_of_then),
        cmocka_unit_test(test_the_newest_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
