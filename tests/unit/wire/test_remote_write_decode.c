/*
 * Remote write bodies, honest and hostile: whatever arrives, a clear answer.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/wire/remote_write_decode.h"
#include "lib/wire/remote_write_encode.h"
#include "tests/lib/row.h"

/* Everything a walk found, one series a line: `up{a="b"} 1@1000 2@2000`. */
struct seen {
    struct str text;
    struct arena arena;
    size_t n_series;
};

static int see_series(void *arg, const struct remote_write_series *series, struct err *reterr)
{
    struct seen *seen = arg;
    struct label *labels;
    size_t n;

    int r = remote_write_labels(series, &seen->arena, &labels, &n, reterr);
    if (r != 0)
        return r;
    const struct labels *set = labels_new(labels, n);
    labels_print(set, &seen->text);
    labels_unref(set);
    for (size_t i = 0; i < series->n; i++)
        str_addf(&seen->text, " %g@%lld", series->samples[i].value,
                 (long long)series->samples[i].t_ms);
    if (series->n_histograms || series->n_exemplars)
        str_addf(&seen->text, " +%zuh +%zue", series->n_histograms, series->n_exemplars);
    str_addc(&seen->text, '\n');
    seen->n_series++;
    return 0;
}

static int see_metadata(void *arg, const struct remote_write_metadata *metadata, struct err *reterr)
{
    struct seen *seen = arg;

    str_addf(&seen->text, "%u %.*s: %.*s\n", metadata->type, (int)metadata->family_len,
             metadata->family, (int)metadata->help_len, metadata->help);
    return 0;
}

static int decode(struct seen *seen, const char *bytes, size_t len, struct err *reterr)
{
    const struct remote_write_visitor visitor = {
        .series = see_series, .metadata = see_metadata, .arg = seen, .max_samples = 100};

    str_cut(&seen->text, 0);
    arena_reset(&seen->arena);
    seen->n_series = 0;
    return remote_write_decode(bytes, len, &visitor, reterr);
}

static void seen_init(struct seen *seen)
{
    *seen = (struct seen){.text = STR_INIT(100000)};
    arena_init(&seen->arena, 1 << 20);
}

static void seen_done(struct seen *seen)
{
    str_done(&seen->text);
    arena_reset(&seen->arena);
}

static void test_what_the_encoder_says_is_what_we_read(void **state)
{
    static const struct label up[] = {
        {LABEL_NAME, "up"}, {"instance", "a:1"}, {"job", "caf\xc3\xa9"}};
    struct remote_write writer;
    struct seen seen;
    struct err err = {0};
    const char *block;
    size_t block_len;
    char *bytes;
    size_t len;

    seen_init(&seen);
    remote_write_init(&writer, 1 << 16);
    assert_true(remote_write_add(&writer, up, 3, (struct sample){1700000000123, 0.5}));
    assert_true(remote_write_add(&writer, up, 2, (struct sample){-5, sample_stale()}));
    assert_true(remote_write_add_metadata(&writer, "up", METRIC_GAUGE, "Is it?"));
    remote_write_seal(&writer, &block, &block_len);
    assert_int_equal(remote_write_uncompress(block, block_len, 1 << 16, &bytes, &len, &err), 0);
    assert_int_equal(decode(&seen, bytes, len, &err), 0);
    assert_string_equal(str_text(&seen.text), "up{instance=\"a:1\", job=\"caf\xc3\xa9\"} "
                                              "0.5@1700000000123\n"
                                              "up{instance=\"a:1\"} nan@-5\n"
                                              "2 up: Is it?\n");

    /* Cut anywhere: an answer, and never more series than were there. */
    for (size_t cut = 0; cut < len; cut++) {
        char *copy = mem_dup(bytes, cut); /* exact, so that a sanitizer sees a read past it */
        int r = decode(&seen, copy, cut, &err);
        assert_true(r == 0 || r == REMOTE_WRITE_E_MALFORMED || r == REMOTE_WRITE_E_LABELS);
        assert_true(seen.n_series <= 2);
        free(copy);
    }
    for (size_t cut = 0; cut < block_len; cut++) {
        char *out;
        size_t out_len;
        char *copy = mem_dup(block, cut);
        if (remote_write_uncompress(copy, cut, 1 << 16, &out, &out_len, &err) == 0)
            fail_msg("a block cut at %zu of %zu was taken", cut, block_len);
        free(copy);
    }
    free(bytes);
    remote_write_done(&writer);
    seen_done(&seen);
}

static void test_a_claimed_length_is_not_believed(void **state)
{
    struct err err = {0};
    char *bytes;
    size_t len;

    assert_int_equal(
        remote_write_uncompress("\xff\xff\xff\xff\x0f", 5, 1 << 25, &bytes, &len, &err),
        REMOTE_WRITE_E_TOO_LARGE);
    assert_int_equal(remote_write_uncompress("", 0, 100, &bytes, &len, &err),
                     REMOTE_WRITE_E_MALFORMED);
    assert_int_equal(
        remote_write_uncompress("\xff\xff\xff\xff\xff\xff", 6, 100, &bytes, &len, &err),
        REMOTE_WRITE_E_MALFORMED);
    assert_int_equal(remote_write_uncompress("\x05hello!", 7, 100, &bytes, &len, &err),
                     REMOTE_WRITE_E_MALFORMED);
}

/* A series with label `a` = `b` is  0a 08  0a 06  0a 01 'a' 12 01 'b'. */
#define BYTES(text) (text), sizeof(text) - 1
static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    int result;
    const char *found; /* or words of the error */
} bodies[] = {
    {"nothing", BYTES(""), 0, ""},
    {"one label",
     BYTES("\x0a\x08\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b"),
     0, "{a=\"b\"}\n"},
    {"unsorted labels are sorted",
     BYTES("\x0a\x10\x0a\x06\x0a\x01"
           "b\x12\x01"
           "1\x0a\x06\x0a\x01"
           "a\x12\x01"
           "2"),
     0, "{a=\"2\", b=\"1\"}\n"},
    {"value before name",
     BYTES("\x0a\x08\x0a\x06\x12\x01"
           "b\x0a\x01"
           "a"),
     0, "{a=\"b\"}\n"},
    {"unknown fields are skipped",
     BYTES("\x0a\x0f\x48\x05\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b\x55\x01\x02\x03\x04"),
     0, "{a=\"b\"}\n"},
    {"a histogram and an exemplar are counted",
     BYTES("\x0a\x0c\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b\x1a\x00\x22\x00"),
     0, "{a=\"b\"} +1h +1e\n"},
    {"a label twice",
     BYTES("\x0a\x10\x0a\x06\x0a\x01"
           "a\x12\x01"
           "1\x0a\x06\x0a\x01"
           "a\x12\x01"
           "2"),
     REMOTE_WRITE_E_LABELS, "\"a\" is there twice"},
    {"an empty name",
     BYTES("\x0a\x07\x0a\x05\x0a\x00\x12\x01"
           "b"),
     REMOTE_WRITE_E_LABELS, "empty name"},
    {"no value",
     BYTES("\x0a\x05\x0a\x03\x0a\x01"
           "a"),
     REMOTE_WRITE_E_LABELS, "empty value"},
    {"not UTF-8",
     BYTES("\x0a\x08\x0a\x06\x0a\x01"
           "a\x12\x01\xff"),
     REMOTE_WRITE_E_LABELS, "not UTF-8"},
    {"a NUL",
     BYTES("\x0a\x08\x0a\x06\x0a\x01"
           "a\x12\x01\x00"),
     REMOTE_WRITE_E_LABELS, "NUL"},
    {"a length past the end", BYTES("\x0a\x7f\x0a"), REMOTE_WRITE_E_MALFORMED, "at byte 2"},
    {"a length of 2^63", BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
     REMOTE_WRITE_E_MALFORMED, "the request"},
    {"a varint of eleven bytes", BYTES("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
     REMOTE_WRITE_E_MALFORMED, "the request"},
    {"a tenth byte too large", BYTES("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
     REMOTE_WRITE_E_MALFORMED, "the request"},
    {"field number 0", BYTES("\x02\x00"), REMOTE_WRITE_E_MALFORMED, "the request"},
    {"a group", BYTES("\x0b\x0c"), REMOTE_WRITE_E_MALFORMED, "the request"},
    {"a sample as a number", BYTES("\x0a\x02\x10\x05"), REMOTE_WRITE_E_MALFORMED, "another type"},
    {"a float value", BYTES("\x0a\x07\x12\x05\x0d\x00\x00\x00\x00"), REMOTE_WRITE_E_MALFORMED,
     "another type"},
    {"a sample as everybody writes it",
     BYTES("\x0a\x15\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b\x12\x0b\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\x05"),
     0, "{a=\"b\"} 1@5\n"},
    {"the time before the value",
     BYTES("\x0a\x15\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b\x12\x0b\x10\x05\x09\x00\x00\x00\x00\x00\x00\xf0\x3f"),
     0, "{a=\"b\"} 1@5\n"},
    {"a value without a time",
     BYTES("\x0a\x13\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b\x12\x09\x09\x00\x00\x00\x00\x00\x00\xf0\x3f"),
     0, "{a=\"b\"} 1@0\n"},
    {"a field behind the time",
     BYTES("\x0a\x17\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b\x12\x0d\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\x05\x18\x07"),
     0, "{a=\"b\"} 1@5\n"},
    {"the last of two times counts",
     BYTES("\x0a\x17\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b\x12\x0d\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\x05\x10\x07"),
     0, "{a=\"b\"} 1@7\n"},
    {"a sample in front of the labels",
     BYTES("\x0a\x15\x12\x0b\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\x05\x0a\x06\x0a\x01"
           "a\x12\x01"
           "b"),
     0, "{a=\"b\"} 1@5\n"},
    {"a label longer than its series", BYTES("\x0a\x02\x0a\x06"), REMOTE_WRITE_E_MALFORMED,
     "a time series"},
    {"a time cut short", BYTES("\x0a\x0d\x12\x0b\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\x85"),
     REMOTE_WRITE_E_MALFORMED, "a sample"},
    {"remote write 2.0",
     BYTES("\x22\x01"
           "a"),
     REMOTE_WRITE_E_MALFORMED, "2.0"},
};
#undef BYTES

static void test_hostile_bodies(void **state)
{
    struct seen seen;

    seen_init(&seen);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        struct err err = {0};
        char *copy = mem_dup(bodies[i].bytes, bodies[i].len);
        int r = decode(&seen, copy, bodies[i].len, &err);

        row("%s: %s", bodies[i].name, err.text);
        assert_int_equal(r, bodies[i].result);
        if (r == 0)
            assert_string_equal(str_text(&seen.text), bodies[i].found);
        else
            assert_non_null(strstr(err.text, bodies[i].found));
        free(copy);
    }
    seen_done(&seen);
}

static void test_more_samples_than_allowed(void **state)
{
    struct str body = STR_INIT(10000);
    struct seen seen;
    struct err err = {0};

    seen_init(&seen);
    str_addn(&body, "\x0a\xca\x01", 3); /* 101 empty samples of two bytes */
    for (int i = 0; i < 101; i++)
        str_addn(&body, "\x12\x00", 2);
    assert_int_equal(decode(&seen, str_text(&body), body.len, &err), REMOTE_WRITE_E_LIMIT);
    str_done(&body);
    seen_done(&seen);
}

static void test_the_arena_is_a_ceiling(void **state)
{
    static const char body[] = "\x0a\x08\x0a\x06\x0a\x01"
                               "a\x12\x01"
                               "b";
    struct seen seen;
    struct err err = {0};

    seen_init(&seen);
    assert_int_equal(decode(&seen, body, sizeof(body) - 1, &err), 0);
    size_t used = seen.arena.used;
    for (size_t limit = 0; limit < used; limit++) {
        seen.arena.limit = limit;
        assert_int_equal(decode(&seen, body, sizeof(body) - 1, &err), REMOTE_WRITE_E_LIMIT);
    }
    seen_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_encoder_says_is_what_we_read),
        cmocka_unit_test(test_a_claimed_length_is_not_believed),
        cmocka_unit_test(test_hostile_bodies),
        cmocka_unit_test(test_more_samples_than_allowed),
        cmocka_unit_test(test_the_arena_is_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
