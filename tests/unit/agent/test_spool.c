/*
 * Batches that wait: order, limits, and what is left after every kind of damage.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/spool.h"
#include "lib/base/crc32c.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

static const struct spool_limits roomy = {1 << 20, 3600000};

static struct spool *open_spool(struct scratch *scratch,
                                const struct spool_limits *limits,
                                uint64_t epoch)
{
    struct spool *spool = NULL;
    struct err err = {0};

    if (spool_open(scratch_path(scratch, "spool"), limits, epoch, &spool, &err) != 0)
        fail_msg("%s", err.text);
    return spool;
}

/* "batch N" padded to len bytes. */
static void append(struct spool *spool, int number, size_t len, int64_t now_ms)
{
    char *bytes = mem_zalloc(len);

    (void)snprintf(bytes, len, "batch %d", number);
    assert_int_equal(spool_append(spool, bytes, len, now_ms, NULL), 0);
    free(bytes);
}

/* Takes all that waits, the live one first, as push.c does: "3 1 2". */
static const char *drained(struct spool *spool, struct str *text)
{
    struct spool_id id;
    const char *bytes;
    size_t len;

    str_cut(text, 0);
    while (spool_live(spool, &id) || spool_backlog(spool, &id)) {
        int r = spool_read(spool, &id, &bytes, &len);

        if (r == -EBADMSG)
            continue;
        assert_int_equal(r, 0);
        str_addf(text, "%s%s", text->len ? " " : "", bytes + 6);
        spool_forget(spool, &id);
    }
    return str_text(text);
}

/* The one file that records are in. */
static const char *segment_path(struct scratch *scratch, int id)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "spool/%012d.wbs", id);
    return scratch_path(scratch, name);
}

static void test_crc32c_is_castagnoli(void **state)
{
    const unsigned char zeros[32] = {0};

    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283); /* RFC 3720, B.4 and the check value */
    assert_int_equal(crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void test_live_first_then_oldest_first(void **state)
{
    STR_AUTO struct str text = STR_INIT(1000);
    struct scratch scratch;
    struct spool_stats stats;

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &roomy, 1);

    assert_string_equal(drained(spool, &text), "");
    for (int i = 1; i <= 4; i++)
        append(spool, i, 100, i * 1000);
    spool_get_stats(spool, &stats);
    assert_int_equal(stats.n_records, 4);
    assert_int_equal(stats.oldest_ms, 1000);
    assert_string_equal(drained(spool, &text), "4 1 2 3");
    append(spool, 5, 100, 5000);
    assert_string_equal(drained(spool, &text), "5");
    spool_get_stats(spool, &stats);
    assert_int_equal(stats.n_records, 0);
    spool_close(spool);
    scratch_done(&scratch);
}

static void test_a_restart_keeps_what_waits_and_its_names(void **state)
{
    STR_AUTO struct str text = STR_INIT(1000);
    struct scratch scratch;
    struct spool_id id;
    const char *bytes;
    size_t len;

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &roomy, 1);

    for (int i = 1; i <= 4; i++)
        append(spool, i, 100, i);
    assert_true(spool_live(spool, &id));
    assert_int_equal(spool_read(spool, &id, &bytes, &len), 0);
    spool_forget(spool, &id); /* 4 was accepted */
    spool_close(spool);

    spool = open_spool(&scratch, &roomy, 2);
    assert_false(spool_live(spool, &id)); /* nothing is live that was made before */
    assert_true(spool_backlog(spool, &id));
    assert_int_equal(id.epoch, 1);
    assert_int_equal(id.sequence, 1);
    append(spool, 9, 100, 9);
    assert_true(spool_live(spool, &id));
    assert_int_equal(id.epoch, 2);
    assert_int_equal(id.sequence, 1);
    assert_string_equal(drained(spool, &text), "9 1 2 3");
    spool_close(spool);
    scratch_done(&scratch);
}

/* Cut at every length: what was whole before the cut is there, nothing else. */
static void test_a_tail_torn_anywhere(void **state)
{
    enum {
        RECORD = 32 + 20,
        HEAD = 32,
        N = 3
    };

    for (int cut = HEAD; cut < HEAD + N * RECORD; cut += 3) {
        STR_AUTO struct str text = STR_INIT(1000);
        struct scratch scratch;
        struct spool_stats stats;
        static const char *const expect[] = {"", "1", "1 2", "1 2 3"};

        row("cut to %d bytes", cut);
        assert_int_equal(scratch_init(&scratch), 0);
        struct spool *spool = open_spool(&scratch, &roomy, 1);
        for (int i = 1; i <= N; i++)
            append(spool, i, 20, i);
        spool_close(spool);
        assert_int_equal(truncate(segment_path(&scratch, 1), cut), 0);

        spool = open_spool(&scratch, &roomy, 2);
        spool_get_stats(spool, &stats);
        assert_int_equal(stats.n_torn, (cut - HEAD) % RECORD != 0);
        assert_int_equal(stats.n_corrupt, 0);
        assert_string_equal(drained(spool, &text), expect[(cut - HEAD) / RECORD]);
        spool_close(spool);
        scratch_done(&scratch);
    }
}

/* One bit flipped at every byte of the file: at most one batch is lost, never a wrong one
 * delivered. */
static void test_a_bit_flipped_anywhere(void **state)
{
    enum {
        RECORD = 32 + 20,
        HEAD = 32,
        N = 3
    };

    for (int at = HEAD; at < HEAD + N * RECORD; at++) {
        STR_AUTO struct str text = STR_INIT(1000);
        struct scratch scratch;
        unsigned char byte;
        static const char *const without[] = {"2 3", "1 3", "1 2"};

        row("byte %d", at);
        assert_int_equal(scratch_init(&scratch), 0);
        struct spool *spool = open_spool(&scratch, &roomy, 1);
        for (int i = 1; i <= N; i++)
            append(spool, i, 20, i);
        spool_close(spool);

        int fd = open(segment_path(&scratch, 1), O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        (void)close(fd);

        spool = open_spool(&scratch, &roomy, 2);
        int in_record = (at - HEAD) % RECORD;
        const char *got = drained(spool, &text);

        if (in_record > 12 && in_record < 16) /* three bytes that mean nothing */
            assert_string_equal(got, "1 2 3");
        else
            assert_string_equal(got, without[(at - HEAD) / RECORD]);
        spool_close(spool);
        scratch_done(&scratch);
    }
}

static void test_damage_after_the_open_is_found_when_reading(void **state)
{
    STR_AUTO struct str text = STR_INIT(1000);
    struct scratch scratch;
    struct spool_stats stats;

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &roomy, 1);
    append(spool, 1, 20, 1);
    append(spool, 2, 20, 2);

    int fd = open(segment_path(&scratch, 1), O_RDWR);
    assert_int_equal(pwrite(fd, "X", 1, 32 + 32 + 5), 1);
    (void)close(fd);
    assert_string_equal(drained(spool, &text), "2");
    spool_get_stats(spool, &stats);
    assert_int_equal(stats.n_corrupt, 1);
    spool_close(spool);
    scratch_done(&scratch);
}

static void test_a_file_that_is_none_of_ours_is_put_aside(void **state)
{
    STR_AUTO struct str text = STR_INIT(1000);
    struct scratch scratch;
    struct spool_stats stats;

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &roomy, 1);
    append(spool, 1, 20, 1);
    spool_close(spool);
    int fd = open(segment_path(&scratch, 7), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "this is not a spool file, whatever its name says", 48), 48);
    (void)close(fd);
    assert_int_equal(close(open(segment_path(&scratch, 8), O_WRONLY | O_CREAT, 0600)),
                     0); /* empty */

    spool = open_spool(&scratch, &roomy, 2);
    spool_get_stats(spool, &stats);
    assert_int_equal(stats.n_corrupt, 2);
    assert_string_equal(drained(spool, &text), "1");
    assert_int_equal(access(scratch_path(&scratch, "spool/000000000007.wbs.bad"), F_OK), 0);
    spool_close(spool);
    scratch_done(&scratch);
}

static void test_the_size_is_kept_and_the_oldest_go(void **state)
{
    static const struct spool_limits small = {256 * 1024, 3600000};
    struct scratch scratch;
    struct spool_stats stats;
    struct spool_id id;
    const char *bytes;
    size_t len;
    int n_got = 0;

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &small, 1);
    for (int i = 1; i <= 100; i++) {
        append(spool, i, 10000, i);
        spool_get_stats(spool, &stats);
        assert_true(stats.bytes <= small.max_bytes);
    }
    assert_true(stats.n_dropped_size > 50);
    assert_int_equal(stats.n_records + stats.n_dropped_size, 100);
    for (uint64_t expect = stats.n_dropped_size + 1; spool_backlog(spool, &id); expect++, n_got++) {
        assert_int_equal(id.sequence, expect); /* the newest are left, without a hole */
        assert_int_equal(spool_read(spool, &id, &bytes, &len), 0);
        spool_forget(spool, &id);
    }
    assert_int_equal(n_got + 1, stats.n_records);
    spool_close(spool);
    scratch_done(&scratch);
}

static void test_files_of_accepted_batches_push_nothing_out(void **state)
{
    static const struct spool_limits small = {256 * 1024, 3600000};
    struct scratch scratch;
    struct spool_stats stats;
    struct spool_id id;

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &small, 1);
    append(spool, 1, 10000, 1); /* this one waits for ever */
    for (int i = 2; i <= 500; i++) {
        append(spool, i, 10000, i);
        assert_true(spool_live(spool, &id));
        spool_forget(spool, &id);
    }
    spool_get_stats(spool, &stats);
    assert_int_equal(stats.n_dropped_size, 0);
    assert_true(spool_backlog(spool, &id));
    assert_int_equal(id.sequence, 1);
    spool_close(spool);
    scratch_done(&scratch);
}

static void test_the_age_is_kept(void **state)
{
    static const struct spool_limits short_lived = {1 << 20, 10000};
    STR_AUTO struct str text = STR_INIT(1000);
    struct scratch scratch;
    struct spool_stats stats;

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &short_lived, 1);
    for (int i = 0; i < 5; i++)
        append(spool, i, 100, i * 4000);
    spool_get_stats(spool, &stats);
    assert_int_equal(stats.n_dropped_age, 2); /* of 0 s and 4 s, seen from 16 s */
    assert_string_equal(drained(spool, &text), "4 2 3");
    spool_close(spool);
    scratch_done(&scratch);
}

/* A batch is on its way when a limit drops it: it is lost only if it does not arrive. */
static void test_a_drop_during_the_journey(void **state)
{
    for (int arrives = 0; arrives < 2; arrives++) {
        static const struct spool_limits short_lived = {1 << 20, 10000};
        struct scratch scratch;
        struct spool_stats stats;
        struct spool_id id;
        const char *bytes;
        size_t len;

        row("it %s", arrives ? "arrives" : "does not");
        assert_int_equal(scratch_init(&scratch), 0);
        struct spool *spool = open_spool(&scratch, &short_lived, 1);
        append(spool, 1, 100, 0);
        append(spool, 2, 100, 1);
        assert_true(spool_backlog(spool, &id));
        assert_int_equal(spool_read(spool, &id, &bytes, &len), 0);
        append(spool, 3, 100, 20000); /* both are too old now */
        if (arrives)
            spool_forget(spool, &id);
        assert_true(spool_live(spool, &id));
        assert_int_equal(spool_read(spool, &id, &bytes, &len), 0);
        spool_get_stats(spool, &stats);
        assert_int_equal(stats.n_dropped_age, arrives ? 1 : 2);
        spool_close(spool);
        scratch_done(&scratch);
    }
}

static void test_a_batch_larger_than_half_the_spool_is_held_in_memory(void **state)
{
    static const struct spool_limits small = {256 * 1024, 3600000};
    struct scratch scratch;
    struct spool_stats stats;
    struct spool_id id;
    struct err err = {0};
    const char *bytes;
    size_t len;
    char *large = mem_zalloc(200 * 1024);

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &small, 1);
    append(spool, 1, 100, 1);
    assert_int_equal(spool_append(spool, large, 200 * 1024, 2, &err), -EFBIG);
    assert_non_null(strstr(err.text, "more than half"));
    assert_true(spool_live(spool, &id));
    assert_int_equal(id.sequence, 2);
    assert_int_equal(spool_read(spool, &id, &bytes, &len), 0);
    assert_int_equal(len, 200 * 1024);
    assert_true(spool_backlog(spool, &id));
    assert_int_equal(id.sequence, 1);

    append(spool, 3, 100, 3); /* the newest only: the held one makes room */
    spool_get_stats(spool, &stats);
    assert_int_equal(stats.n_dropped_disk, 1);
    assert_int_equal(stats.n_write_errors, 1);
    assert_int_equal(stats.n_records, 2);
    free(large);
    spool_close(spool);
    scratch_done(&scratch);
}

static void test_one_agent_per_folder(void **state)
{
    struct scratch scratch;
    struct spool *second = NULL;
    struct err err = {0};

    assert_int_equal(scratch_init(&scratch), 0);
    struct spool *spool = open_spool(&scratch, &roomy, 1);
    assert_int_equal(spool_open(scratch_path(&scratch, "spool"), &roomy, 2, &second, &err), -EBUSY);
    assert_non_null(strstr(err.text, "another agent"));
    assert_int_equal(spool_open("/proc/nowhere", &roomy, 2, &second, &err), -ENOENT);
    spool_close(spool);
    scratch_done(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c_is_castagnoli),
        cmocka_unit_test(test_live_first_then_oldest_first),
        cmocka_unit_test(test_a_restart_keeps_what_waits_and_its_names),
        cmocka_unit_test(test_a_tail_torn_anywhere),
        cmocka_unit_test(test_a_bit_flipped_anywhere),
        cmocka_unit_test(test_damage_after_the_open_is_found_when_reading),
        cmocka_unit_test(test_a_file_that_is_none_of_ours_is_put_aside),
        cmocka_unit_test(test_the_size_is_kept_and_the_oldest_go),
        cmocka_unit_test(test_files_of_accepted_batches_push_nothing_out),
        cmocka_unit_test(test_the_age_is_kept),
        cmocka_unit_test(test_a_drop_during_the_journey),
        cmocka_unit_test(test_a_batch_larger_than_half_the_spool_is_held_in_memory),
        cmocka_unit_test(test_one_agent_per_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
