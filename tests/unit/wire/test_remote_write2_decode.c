/*
 * Remote write 2.0 bodies: read as 1.0 would be, whatever order they come in; and hostile ones.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/wire/remote_write2_decode.h"
#include "lib/wire/remote_write_encode.h"
#include "tests/lib/row.h"

struct seen {
    struct str text;
    struct arena arena;
    struct str raw; /* label bytes of the last series */
};

static int see_series(void *arg, const struct remote_write_series *series, struct err *reterr)
{
    struct seen *seen = arg;
    struct label *labels;
    struct err why = {0};
    size_t n;

    arena_reset(&seen->arena);
    str_cut(&seen->raw, 0);
    str_addn(&seen->raw, series->raw, series->raw_len);
    int r = remote_write_labels(series, &seen->arena, &labels, &n, &why);
    if (r == REMOTE_WRITE_E_LABELS) {
        str_addf(&seen->text, "(%s)", why.text);
    } else if (r != 0) {
        return err_set(reterr, r, "%s", why.text);
    } else {
        const struct labels *set = labels_new(labels, n);
        labels_print(set, &seen->text);
        labels_unref(set);
    }
    for (size_t i = 0; i < series->n; i++)
        str_addf(&seen->text, " %g@%lld", series->samples[i].value,
                 (long long)series->samples[i].t_ms);
    if (series->n_histograms || series->n_exemplars)
        str_addf(&seen->text, " +%zuh +%zue", series->n_histograms, series->n_exemplars);
    str_addc(&seen->text, '|');
    return 0;
}

static int see_metadata(void *arg, const struct remote_write_metadata *metadata, struct err *reterr)
{
    struct seen *seen = arg;

    str_addf(&seen->text, "<%u %.*s: %.*s>", metadata->type, (int)metadata->family_len,
             metadata->family, (int)metadata->help_len, metadata->help);
    return 0;
}

static int decode(struct seen *seen, const char *bytes, size_t len, struct err *reterr)
{
    const struct remote_write_visitor visitor = {
        .series = see_series, .metadata = see_metadata, .arg = seen, .max_samples = 3};

    str_cut(&seen->text, 0);
    arena_reset(&seen->arena);
    return remote_write2_decode(bytes, len, &visitor, reterr);
}

static void seen_init(struct seen *seen)
{
    *seen = (struct seen){.text = STR_INIT(100000), .raw = STR_INIT(1 << 21)};
    arena_init(&seen->arena, 1 << 22);
}

static void seen_done(struct seen *seen)
{
    str_done(&seen->text);
    str_done(&seen->raw);
    arena_reset(&seen->arena);
}

#define SYMBOLS                                           \
    "\x22\0\x22\x08__name__\x22\x02up\x22\x03job\x22\x01" \
    "a"
#define SAMPLE(t) "\x12\x0b\x09\0\0\0\0\0\0\xf8\x3f\x10" t
#define ROW(name, body, r, seen)              \
    {                                         \
        name, body, sizeof(body) - 1, r, seen \
    }

static const struct {
    const char *name;
    const char *body;
    size_t len;
    int r;
    const char *seen; /* or a part of the words */
} rows[] = {
    ROW("nothing", "", 0, ""),
    ROW("symbols alone", SYMBOLS, 0, ""),
    ROW("a series",
        SYMBOLS "\x2a\x13\x0a\x04\x01\x02\x03\x04" SAMPLE("\x05"),
        0,
        "up{job=\"a\"} 1.5@5|"),
    ROW("symbols behind it",
        "\x2a\x13\x0a\x04\x01\x02\x03\x04" SAMPLE("\x05") SYMBOLS,
        0,
        "up{job=\"a\"} 1.5@5|"),
    ROW("references one by one", SYMBOLS "\x2a\x04\x0a\x02\x01\x02", 0, "up|"),
    ROW("metadata before the labels",
        SYMBOLS "\x22\x05Is it\x2a\x0a\x2a\x04\x08\x02\x18\x05\x0a\x02\x01\x02",
        0,
        "up|<2 up: Is it>"),
    ROW("a part of a histogram has the family's metadata",
        "\x22\0\x22\x08__name__\x22\x08x_bucket\x2a\x08\x0a\x02\x01\x02\x2a\x02\x08\x03",
        0,
        "x_bucket|<3 x: >"),
    ROW("histograms and exemplars are counted, created_timestamp and more are skipped",
        SYMBOLS "\x2a\x0a\x0a\x02\x01\x02\x1a\0\x22\0\x30\x01",
        0,
        "up +1h +1e|"),
    ROW("the empty symbol is no name",
        SYMBOLS "\x2a\x04\x0a\x02\0\x02",
        0,
        "(a label with an empty name)|"),
    ROW("the same label twice",
        SYMBOLS "\x2a\x06\x0a\x04\x01\x02\x01\x02",
        0,
        "(label \"__name__\" is there twice)|"),
    ROW("1.0", "\x0a\0", REMOTE_WRITE_E_MALFORMED, "its content type says 2.0"),
    ROW("no such symbol",
        SYMBOLS "\x2a\x04\x0a\x02\x01\x09",
        REMOTE_WRITE_E_MALFORMED,
        "a symbol that is not there"),
    ROW("half a pair", SYMBOLS "\x2a\x03\x0a\x01\x01", REMOTE_WRITE_E_MALFORMED, "pairs"),
    ROW("a sample's value as a varint",
        SYMBOLS "\x2a\x04\x12\x02\x08\x01",
        REMOTE_WRITE_E_MALFORMED,
        "another type"),
    ROW("symbols as numbers", "\x20\x01", REMOTE_WRITE_E_MALFORMED, "another type"),
    ROW("more samples than a body may have",
        SYMBOLS "\x2a\x38\x0a\x02\x01\x02" SAMPLE("\1") SAMPLE("\2") SAMPLE("\3") SAMPLE("\4"),
        REMOTE_WRITE_E_LIMIT,
        "more than 3 samples"),
};

static void test_bodies(void **state)
{
    struct seen seen;

    seen_init(&seen);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        MEM_AUTO char *copy = rows[i].len ? mem_dup(rows[i].body, rows[i].len) : mem_alloc(1);
        struct err err = {0};

        int r = decode(&seen, copy, rows[i].len, &err);
        row("%s: %s", rows[i].name, err.text);
        assert_int_equal(r, rows[i].r);
        if (r == 0)
            assert_string_equal(str_text(&seen.text), rows[i].seen);
        else
            assert_non_null(strstr(err.text, rows[i].seen));
        for (size_t cut = 0; cut < rows[i].len; cut++) { /* exact, for a sanitizer */
            MEM_AUTO char *part = cut ? mem_dup(rows[i].body, cut) : mem_alloc(1);
            r = decode(&seen, part, cut, &err);
            assert_true(r == 0 || r == REMOTE_WRITE_E_MALFORMED || r == REMOTE_WRITE_E_LIMIT);
        }
    }
    seen_done(&seen);
}

/* A receiver knows a series again that another sender sent as 1.0. */
static void test_labels_are_the_bytes_of_1_0(void **state)
{
    static const struct label up[] = {{LABEL_NAME, "up"}, {"job", "a"}};
    static const char body[] = SYMBOLS "\x2a\x06\x0a\x04\x01\x02\x03\x04";
    struct remote_write writer;
    struct seen seen;

    seen_init(&seen);
    remote_write_init(&writer, 1000);
    assert_true(remote_write_add(&writer, up, 2, (struct sample){0, 0}));
    assert_int_equal(decode(&seen, body, sizeof(body) - 1, NULL), 0);
    assert_int_equal(seen.raw.len, 26);
    assert_memory_equal(seen.raw.text, writer.body.text + 2, seen.raw.len);
    remote_write_done(&writer);
    seen_done(&seen);
}

static void put_varint(struct str *out, size_t value)
{
    for (; value >= 0x80; value >>= 7)
        str_addc(out, (char)(value | 0x80));
    str_addc(out, (char)value);
}

/* A few bytes a series that would stand for gigabytes of labels. */
static void test_much_text_by_few_references_is_refused(void **state)
{
    enum {
        VALUE = 900000
    };
    STR_AUTO struct str body = STR_INIT(4 << 20);
    struct err err = {0};
    struct seen seen;

    seen_init(&seen);
    str_add(&body, "\x22\x01x\x22");
    put_varint(&body, VALUE);
    for (int i = 0; i < VALUE; i++)
        str_addc(&body, 'v');
    size_t symbols_len = body.len;
    for (int i = 0; i < 1000; i++)
        str_addn(&body, "\x2a\x04\x0a\x02\0\x01", 6);
    assert_int_equal(decode(&seen, body.text, body.len, &err), REMOTE_WRITE_E_LIMIT);
    assert_non_null(strstr(err.text, "too much text"));
    str_cut(&body, symbols_len);
    str_addn(&body, "\x2a\x06\x0a\x04\0\x01\0\x01", 8);
    assert_int_equal(decode(&seen, body.text, body.len, &err), REMOTE_WRITE_E_LIMIT);
    str_cut(&body, 0);
    for (int i = 0; i <= REMOTE_WRITE2_SYMBOLS_MAX; i++)
        str_addn(&body, "\x22\0", 2);
    assert_int_equal(decode(&seen, body.text, body.len, &err), REMOTE_WRITE_E_LIMIT);
    assert_non_null(strstr(err.text, "symbols"));
    seen_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_labels_are_the_bytes_of_1_0),
        cmocka_unit_test(test_much_text_by_few_references_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
