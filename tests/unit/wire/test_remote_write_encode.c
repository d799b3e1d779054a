/*
 * Remote write 1.0 bodies, byte for byte as protobuf's specification makes them.
 */

#include <snappy-c.h>
#include <string.h>

#include "lib/wire/remote_write_encode.h"
#include "tests/lib/row.h"

static const struct label up[] = {{LABEL_NAME, "up"}, {"job", "node"}};

static void test_one_series(void **state)
{
    /* field 1, 44 bytes: two labels (1: name, 2: value) and a sample (2) */
    static const char expect[] = "\x0a\x2c"
                                 "\x0a\x0e\x0a\x08__name__\x12\x02up"
                                 "\x0a\x0b\x0a\x03job\x12\x04node"
                                 "\x12\x0d\x09\0\0\0\0\0\0\xf8\x3f\x10\x80\x89\x7a";
    struct remote_write writer;

    remote_write_init(&writer, 1000);
    assert_true(remote_write_add(&writer, up, 2, (struct sample){2000000, 1.5}));
    assert_int_equal(writer.body.len, 46);
    assert_memory_equal(writer.body.text, expect, writer.body.len);
    assert_int_equal(writer.n_samples, 1);
    remote_write_done(&writer);
}

static void test_many_samples_of_a_series(void **state)
{
    static const struct sample samples[] = {{0, 1.5}, {1, 1.5}};
    static const char expect[] = "\x0a\x2a"
                                 "\x0a\x0e\x0a\x08__name__\x12\x02up"
                                 "\x12\x0b\x09\0\0\0\0\0\0\xf8\x3f\x10\0"
                                 "\x12\x0b\x09\0\0\0\0\0\0\xf8\x3f\x10\x01";
    struct remote_write writer;

    remote_write_init(&writer, 50);
    assert_true(remote_write_add_series(&writer, up, 1, samples, 2));
    assert_int_equal(writer.body.len, sizeof(expect) - 1);
    assert_memory_equal(writer.body.text, expect, writer.body.len);
    assert_int_equal(writer.n_samples, 2);
    assert_false(remote_write_add_series(&writer, up, 1, samples, 2));
    assert_int_equal(writer.n_samples, 2);
    remote_write_done(&writer);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *name;
        struct sample sample;
        const char *bytes; /* of the Sample message */
        size_t len;
    } rows[] = {
        {"zero is written, not left out", {0, 0}, "\x09\0\0\0\0\0\0\0\0\x10\0", 11},
        {"the staleness marker keeps its bits", {1, 0}, "\x09\x02\0\0\0\0\0\xf0\x7f\x10\x01", 11},
        {"before 1970",
         {-1, 0},
         "\x09\0\0\0\0\0\0\0\0\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
         20},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample sample = rows[i].sample;
        struct remote_write writer;

        row("%s", rows[i].name);
        if (i == 1)
            sample.value = sample_stale();
        remote_write_init(&writer, 1000);
        assert_true(remote_write_add(&writer, NULL, 0, sample));
        assert_int_equal(writer.body.len, rows[i].len + 4);
        assert_memory_equal(writer.body.text + 4, rows[i].bytes, rows[i].len);
        remote_write_done(&writer);
    }
}

static void test_metadata(void **state)
{
    static const char expect[] = "\x1a\x0c\x08\x02\x12\x02up\x22\x04Up?\n";
    struct remote_write writer;

    remote_write_init(&writer, 100);
    assert_true(remote_write_add_metadata(&writer, "up", METRIC_GAUGE, "Up?\n"));
    assert_int_equal(writer.body.len, sizeof(expect) - 1);
    assert_memory_equal(writer.body.text, expect, writer.body.len);
    remote_write_done(&writer);
}

static void test_a_series_that_does_not_fit_leaves_nothing(void **state)
{
    for (size_t limit = 0; limit <= 92; limit++) {
        struct remote_write writer;
        bool first, second;

        row("limit %zu", limit);
        remote_write_init(&writer, limit);
        first = remote_write_add(&writer, up, 2, (struct sample){2000000, 1.5});
        second = remote_write_add(&writer, up, 2, (struct sample){2000000, 1.5});
        assert_int_equal(first, limit >= 46);
        assert_int_equal(second, limit >= 92);
        assert_int_equal(writer.full, limit < 92);
        assert_int_equal(writer.body.len, 46 * (first + second));
        remote_write_clear(&writer);
        assert_false(writer.full);
        assert_int_equal(writer.body.len, 0);
        remote_write_done(&writer);
    }
}

static void test_the_block_is_snappy(void **state)
{
    struct remote_write writer;
    const char *block;
    size_t len;
    char plain[1000];
    size_t plain_len = sizeof(plain);

    remote_write_init(&writer, 1000);
    for (int i = 0; i < 10; i++)
        assert_true(remote_write_add(&writer, up, 2, (struct sample){i, i}));
    remote_write_seal(&writer, &block, &len);
    assert_true(len < writer.body.len);
    assert_int_equal(snappy_uncompress(block, len, plain, &plain_len), SNAPPY_OK);
    assert_int_equal(plain_len, writer.body.len);
    assert_memory_equal(plain, writer.body.text, plain_len);

    remote_write_clear(&writer); /* nothing at all is a body too */
    remote_write_seal(&writer, &block, &len);
    assert_int_equal(snappy_uncompress(block, len, plain, &plain_len), SNAPPY_OK);
    assert_int_equal(plain_len, 0);
    remote_write_done(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_series),
        cmocka_unit_test(test_many_samples_of_a_series),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_a_series_that_does_not_fit_leaves_nothing),
        cmocka_unit_test(test_the_block_is_snappy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
