/*
 * The database's promises on a real file: grouped commits, a failing job alone
 * undone, snapshots, migrations, refusals, and kill -9.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "alertd/db/db.h"
#include "lib/base/clock.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

static const struct db_migration first[] = {
    {1, "notes", "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"},
};
static const struct db_migration with_gap[] = {
    {1, "notes", "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"},
    {5, "five", "CREATE TABLE five (id INTEGER PRIMARY KEY) STRICT;"},
};
static const struct db_migration gap_filled[] = {
    {1, "notes", "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"},
    {2, "two", "CREATE TABLE two (id INTEGER PRIMARY KEY) STRICT;"},
    {5, "five", "CREATE TABLE five (id INTEGER PRIMARY KEY) STRICT;"},
};
static const struct db_migration broken[] = {
    {1, "notes", "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"},
    {2, "half", "CREATE TABLE half (id INTEGER); CREATE TABLE note (id INTEGER);"},
};

static struct scratch scratch;

static int set_up(void **state)
{
    return scratch_init(&scratch);
}

static int tear_down(void **state)
{
    scratch_done(&scratch);
    return 0;
}

static int open_with(const struct db_migration *steps,
                     size_t n,
                     struct db **ret_db,
                     struct err *err)
{
    const struct db_options options = {.path = scratch_path(&scratch, "t.db"),
                                       .application_id = 0x74657374,
                                       .migrations = steps,
                                       .n_migrations = n,
                                       .check = true};

    return db_open(&options, ret_db, err);
}

static struct db *must_open(void)
{
    struct db *db = NULL;
    struct err err = {0};

    if (open_with(first, 1, &db, &err) != 0)
        fail_msg("%s", err.text);
    return db;
}

static int insert_note(struct db_conn *conn, const char *text, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO note (text) VALUES (?)");

    db_bind_text(stmt, 1, text);
    return db_run(stmt, reterr);
}

static int job_note(struct db_conn *conn, void *arg, struct err *reterr)
{
    return insert_note(conn, arg, reterr);
}

static int64_t count_notes(struct db *db)
{
    struct db_conn *conn;

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM note");
    assert_true(db_step(stmt));
    int64_t n = db_int(stmt, 0);
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(db, conn);
    return n;
}

/* --- group commit --- */

enum {
    N_PUSHERS = 8
};

struct pusher {
    struct db *db;
    pthread_t thread;
    char text[16];
    int result;
    atomic_bool is_running;
};

static void *push_one(void *arg)
{
    struct pusher *pusher = arg;

    pusher->result = db_write(pusher->db, job_note, pusher->text, NULL);
    return NULL;
}

/* Holds the writer until all the others stand in the queue. */
static int job_wait_for_queue(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct db_stats stats = {0};
    struct pusher *holder = arg;

    atomic_store(&holder->is_running, true);
    for (int i = 0; i < 5000 && stats.queue_depth < N_PUSHERS; i++) {
        clock_sleep_ms(1);
        db_stats(holder->db, &stats);
    }
    return stats.queue_depth == N_PUSHERS ? 0 : -ETIMEDOUT;
}

static void *hold(void *arg)
{
    struct pusher *pusher = arg;

    pusher->result = db_write(pusher->db, job_wait_for_queue, pusher, NULL);
    return NULL;
}

static void test_waiting_jobs_share_one_commit(void **state)
{
    struct db *db = must_open();
    struct pusher pushers[N_PUSHERS];
    struct pusher holder = {.db = db};
    struct db_stats before;
    struct db_stats after;

    db_stats(db, &before);
    assert_int_equal(pthread_create(&holder.thread, NULL, hold, &holder), 0);
    while (!atomic_load(&holder.is_running))
        clock_sleep_ms(1);
    for (int i = 0; i < N_PUSHERS; i++) {
        pushers[i] = (struct pusher){.db = db};
        /* two of them collide: only the second of these fails */
        (void)snprintf(pushers[i].text, sizeof(pushers[i].text), "note %d", i == 5 ? 4 : i);
        assert_int_equal(pthread_create(&pushers[i].thread, NULL, push_one, &pushers[i]), 0);
    }
    (void)pthread_join(holder.thread, NULL);
    assert_int_equal(holder.result, 0);
    int n_failed = 0;
    for (int i = 0; i < N_PUSHERS; i++) {
        (void)pthread_join(pushers[i].thread, NULL);
        if (pushers[i].result != 0)
            assert_int_equal(pushers[i].result, DB_E_CONSTRAINT);
        n_failed += pushers[i].result != 0;
    }
    db_stats(db, &after);
    assert_int_equal(n_failed, 1);
    assert_int_equal(after.commits - before.commits, 2);
    assert_int_equal(after.jobs - before.jobs, N_PUSHERS + 1);
    assert_int_equal(count_notes(db), N_PUSHERS - 1);
    db_close(db);
}

static int job_half(struct db_conn *conn, void *arg, struct err *reterr)
{
    int r = insert_note(conn, "first half", reterr);

    return r ? r : err_set(reterr, 42, "the second half is missing");
}

static void test_a_failing_job_leaves_nothing(void **state)
{
    struct db *db = must_open();
    struct err err = {0};

    assert_int_equal(db_write(db, job_half, NULL, &err), 42);
    assert_string_equal(err.text, "the second half is missing");
    assert_int_equal(count_notes(db), 0);
    assert_int_equal(db_write(db, job_note, (char[]){"first half"}, &err), 0);
    assert_int_equal(count_notes(db), 1);
    db_close(db);
}

static uint64_t undone_since;

static void note_undone(void *arg, uint64_t since)
{
    undone_since = since;
}

static int job_number(struct db_conn *conn, void *arg, struct err *reterr)
{
    *(uint64_t *)arg = db_job_number(conn);
    return 0;
}

static void test_who_keeps_a_copy_hears_what_was_taken_back(void **state)
{
    struct db *db = must_open();
    uint64_t before = 0;
    uint64_t after = 0;

    db_on_undo(db, note_undone, NULL);
    assert_int_equal(db_write(db, job_number, &before, NULL), 0);
    assert_int_equal(undone_since, 0);
    assert_int_equal(db_write(db, job_half, NULL, NULL), 42);
    row("the job that failed and nothing before it");
    assert_int_equal(undone_since, before + 1);
    assert_int_equal(db_write(db, job_number, &after, NULL), 0);
    assert_int_equal(after, before + 2);
    db_close(db);
}

static int job_bad_sql(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id FROM nowhere");

    db_bind_int(stmt, 1, 1);
    while (db_step(stmt))
        fail();
    return db_done(stmt, reterr);
}

static void test_a_statement_keeps_its_error(void **state)
{
    struct db *db = must_open();
    struct err err = {0};

    assert_int_equal(db_write(db, job_bad_sql, NULL, &err), -EINVAL);
    assert_non_null(strstr(err.text, "nowhere"));
    db_close(db);
}

static void test_a_reader_sees_one_moment_and_cannot_write(void **state)
{
    struct db *db = must_open();
    struct db_conn *conn;
    struct err err = {0};

    assert_int_equal(db_read_begin(db, &conn, &err), 0);
    assert_int_equal(db_write(db, job_note, (char[]){"later"}, &err), 0);
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM note");
    assert_true(db_step(stmt));
    assert_int_equal(db_int(stmt, 0), 0);
    assert_int_equal(db_done(stmt, &err), 0);
    assert_int_equal(insert_note(conn, "by a reader", &err), -EROFS);
    db_read_end(db, conn);
    assert_int_equal(count_notes(db), 1);
    db_close(db);
}

/* --- a full disk --- */

static int job_full(struct db_conn *conn, void *arg, struct err *reterr)
{
    static char page[8000];

    int r = db_run(db_prepare(conn, "PRAGMA max_page_count=6"), reterr);
    memset(page, 'x', sizeof(page) - 1);
    for (int i = 0; r == 0 && i < 100; i++) {
        page[0] = (char)('a' + i);
        r = insert_note(conn, page, reterr);
    }
    return r;
}

static int job_room(struct db_conn *conn, void *arg, struct err *reterr)
{
    int r = db_run(db_prepare(conn, "PRAGMA max_page_count=1000"), reterr);

    return r ? r : insert_note(conn, "room again", reterr);
}

static int job_shorten(struct db_conn *conn, void *arg, struct err *reterr)
{
    db_shorten_log(conn);
    return arg ? insert_note(conn, arg, reterr) : 0;
}

/* Of its log, once the writer has done what comes behind the first commit: it answers before. */
static int64_t log_bytes(struct db *db)
{
    struct stat info;

    for (int i = 0; i < 2; i++)
        assert_int_equal(db_write(db, job_shorten, NULL, NULL), 0);
    assert_int_equal(stat(scratch_path(&scratch, "t.db-wal"), &info), 0);
    return info.st_size;
}

static void test_a_log_is_shortened_once_nobody_reads_it(void **state)
{
    struct db *db = must_open();
    struct db_stats stats = {0};
    struct db_conn *conn;

    assert_int_equal(db_write(db, job_note, (char[]){"one"}, NULL), 0);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM note");
    assert_true(db_step(stmt));
    assert_int_equal(db_write(db, job_shorten, (char[]){"two"}, NULL), 0);
    assert_true(log_bytes(db) > 0);
    assert_int_equal(db_int(stmt, 0), 1);
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(db, conn);
    assert_int_equal(db_write(db, job_note, (char[]){"three"}, NULL), 0);
    assert_int_equal(log_bytes(db), 0);
    db_stats(db, &stats);
    assert_int_equal(stats.wal_bytes, 0);
    assert_int_equal(count_notes(db), 3);
    assert_int_equal(db_write(db, job_note, (char[]){"four"}, NULL), 0); /* it begins again */
    db_close(db);
    db = must_open();
    assert_int_equal(count_notes(db), 4);
    db_close(db);
}

static void test_a_full_disk_loses_nothing_and_ends(void **state)
{
    struct db *db = must_open();
    struct err err = {0};

    assert_int_equal(db_write(db, job_note, (char[]){"before"}, &err), 0);
    assert_int_equal(db_write(db, job_full, NULL, &err), DB_E_FULL);
    assert_int_equal(count_notes(db), 1);
    assert_int_equal(db_write(db, job_room, NULL, &err), 0);
    assert_int_equal(count_notes(db), 2);
    db_close(db);
}

static void test_the_reserve_exists_while_there_is_room(void **state)
{
    struct db *db = NULL;
    struct stat info;
    struct err err = {0};
    const struct db_options options = {.path = scratch_path(&scratch, "t.db"),
                                       .migrations = first,
                                       .n_migrations = 1,
                                       .reserve_bytes = 65536};

    assert_int_equal(db_open(&options, &db, &err), 0);
    assert_int_equal(stat(scratch_path(&scratch, "t.db-reserve"), &info), 0);
    assert_int_equal(info.st_size, 65536);
    db_close(db);
}

/* --- migrations and refusals --- */

static void test_a_late_number_is_applied_and_a_copy_kept(void **state)
{
    struct db *db = NULL;
    struct err err = {0};

    assert_int_equal(open_with(with_gap, 2, &db, &err), 0);
    db_close(db);
    assert_int_equal(open_with(gap_filled, 3, &db, &err), 0);
    db_close(db);
    assert_int_equal(access(scratch_path(&scratch, "t.db.before-2"), F_OK), 0);
    assert_int_equal(open_with(gap_filled, 3, &db, &err), 0); /* nothing left to do */
    db_close(db);
}

static void test_a_newer_schema_is_refused(void **state)
{
    struct db *db = NULL;
    struct err err = {0};

    assert_int_equal(open_with(with_gap, 2, &db, &err), 0);
    db_close(db);
    assert_int_equal(open_with(first, 1, &db, &err), DB_E_NEWER);
    assert_non_null(strstr(err.text, "newer version"));
}

static void test_a_broken_migration_leaves_the_old_schema(void **state)
{
    struct db *db = must_open();
    struct err err = {0};

    assert_int_equal(db_write(db, job_note, (char[]){"kept"}, &err), 0);
    db_close(db);
    assert_int_not_equal(open_with(broken, 2, &db, &err), 0);
    assert_non_null(strstr(err.text, "migration 2 (half)"));
    db = must_open();
    assert_int_equal(count_notes(db), 1);
    db_close(db);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(&scratch, name), "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_what_is_not_ours_is_refused(void **state)
{
    struct db *db = NULL;
    struct err err = {0};
    const struct db_options other = {.path = scratch_path(&scratch, "t.db"),
                                     .application_id = 7,
                                     .migrations = first,
                                     .n_migrations = 1};

    write_file("t.db", "this is no database, though it is long enough to have a header of one: "
                       "a hundred bytes are needed for that, and here they are.");
    assert_int_equal(open_with(first, 1, &db, &err), DB_E_CORRUPT);
    assert_int_equal(unlink(scratch_path(&scratch, "t.db")), 0);
    assert_int_equal(db_open(&other, &db, &err), 0);
    db_close(db);
    assert_int_equal(open_with(first, 1, &db, &err), DB_E_CORRUPT);
    assert_non_null(strstr(err.text, "another program's database"));
}

static void test_a_damaged_file_is_refused(void **state)
{
    struct db *db = must_open();
    struct err err = {0};
    char text[400];

    for (int i = 0; i < 200; i++) {
        (void)snprintf(text, sizeof(text), "%0300d", i);
        assert_int_equal(db_write(db, job_note, text, &err), 0);
    }
    db_close(db);
    FILE *file = fopen(scratch_path(&scratch, "t.db"), "r+e");
    assert_non_null(file);
    assert_int_equal(fseek(file, 12288, SEEK_SET), 0);
    for (int i = 0; i < 4096; i++)
        assert_int_not_equal(fputc(0xa5, file), EOF);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(open_with(first, 1, &db, &err), DB_E_CORRUPT);
}

static void test_backup_is_a_database_of_its_own(void **state)
{
    struct db *db = must_open();
    struct err err = {0};
    char copy[300];

    assert_int_equal(db_write(db, job_note, (char[]){"kept"}, &err), 0);
    (void)snprintf(copy, sizeof(copy), "%s", scratch_path(&scratch, "copy.db"));
    if (db_backup(db, copy, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(db_backup(db, copy, &err), -EEXIST);
    db_close(db);

    const struct db_options options = {
        .path = copy, .application_id = 0x74657374, .migrations = first, .n_migrations = 1};
    assert_int_equal(db_open(&options, &db, &err), 0);
    assert_int_equal(count_notes(db), 1);
    db_close(db);
}

static int job_many_notes(struct db_conn *conn, void *arg, struct err *reterr)
{
    char text[1000];
    int r = 0;

    for (int i = 0; i < 4000 && r == 0; i++) {
        (void)snprintf(text, sizeof(text), "%0999d", i);
        r = insert_note(conn, text, reterr);
    }
    return r;
}

/* A copy larger than the cache was damaged: its pages were written before the first one said
 * that they carry checksums. */
static void test_backup_of_a_large_file_with_checksums(void **state)
{
    struct db_options options = {.path = scratch_path(&scratch, "t.db"),
                                 .application_id = 0x74657374,
                                 .migrations = first,
                                 .n_migrations = 1,
                                 .bulk = true};
    struct db *db = NULL;
    struct err err = {0};
    char copy[300];

    assert_int_equal(db_open(&options, &db, &err), 0);
    assert_int_equal(db_write(db, job_many_notes, NULL, &err), 0);
    (void)snprintf(copy, sizeof(copy), "%s", scratch_path(&scratch, "copy.db"));
    if (db_backup(db, copy, &err) != 0)
        fail_msg("%s", err.text);
    db_close(db);

    options.path = copy;
    options.check = true;
    assert_int_equal(db_open(&options, &db, &err), 0);
    assert_int_equal(count_notes(db), 4000);
    db_close(db);
}

static void test_the_folder_has_one_user(void **state)
{
    struct err err = {0};
    char words[64];

    assert_int_equal(db_lock_folder(scratch.folder, &err), 0);
    assert_int_equal(db_lock_folder(scratch.folder, &err), DB_E_LOCKED); /* flock: per open file */
    (void)snprintf(words, sizeof(words), "process %ld", (long)getpid());
    assert_non_null(strstr(err.text, words));
}

/* --- kill -9 --- */

/* Writes notes "0", "1", ... and tells each number only after its commit. */
_Noreturn static void write_until_killed(int ledger, int from)
{
    struct db *db = NULL;
    char text[16];

    if (open_with(first, 1, &db, NULL) != 0)
        _exit(1);
    for (int i = from;; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        if (db_write(db, job_note, text, NULL) != 0 || write(ledger, &i, sizeof(i)) != sizeof(i))
            _exit(1);
    }
}

static void test_kill_9_loses_nothing_acknowledged(void **state)
{
    int n_acked = 0;

    for (int run = 0; run < 5; run++) {
        int ledger[2];
        int i;
        struct db *db;

        assert_int_equal(pipe(ledger), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_until_killed(ledger[1], run * 1000000);
        (void)close(ledger[1]);
        clock_sleep_ms(40 + run * 23);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ledger[0], &i, sizeof(i)) == sizeof(i))
            n_acked++;
        (void)close(ledger[0]);
        db = must_open();
        int64_t n_stored = count_notes(db);
        db_close(db);
        row("run %d: %d acknowledged, %lld stored", run, n_acked, (long long)n_stored);
        assert_true(n_stored >= n_acked && n_stored <= n_acked + run + 1);
    }
    assert_true(n_acked > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waiting_jobs_share_one_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_failing_job_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_keeps_a_copy_hears_what_was_taken_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_statement_keeps_its_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_reader_sees_one_moment_and_cannot_write, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_log_is_shortened_once_nobody_reads_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_disk_loses_nothing_and_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_reserve_exists_while_there_is_room, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_late_number_is_applied_and_a_copy_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_newer_schema_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_migration_leaves_the_old_schema, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_ours_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_backup_is_a_database_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_backup_of_a_large_file_with_checksums, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_folder_has_one_user, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kill_9_loses_nothing_acknowledged, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
