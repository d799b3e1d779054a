/*
 * The text format in: lines as people and exporters write them, and what is said
 * about those that are wrong.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/wire/exposition_parse.h"
#include "tests/lib/row.h"

static int see_sample(void *arg, const struct exposition_sample *sample, struct err *reterr)
{
    struct str *text = arg;

    for (size_t i = 0; i < sample->n; i++)
        str_addf(text, "%s%s=%s", i ? "," : "", sample->labels[i].name, sample->labels[i].value);
    str_addf(text, " %.17g", sample->value);
    if (sample->has_time)
        str_addf(text, "@%lld", (long long)sample->t_ms);
    str_addc(text, '|');
    return 0;
}

static int see_metadata(
    void *arg, const char *what, const char *family, const char *words, struct err *reterr)
{
    str_addf(arg, "%s %s %s|", what, family, words);
    return 0;
}

static int parse(const char *text, size_t len, bool openmetrics, struct str *seen, struct err *err)
{
    const struct exposition_visitor visitor = {
        .sample = see_sample, .metadata = see_metadata, .arg = seen, .openmetrics = openmetrics};

    str_cut(seen, 0);
    return exposition_parse(text, len, &visitor, err);
}

static const struct {
    const char *text;
    const char *seen; /* NULL: refused */
    unsigned line, column;
} lines[] = {
    {"", "", 0, 0},
    {"\n\n  \n", "", 0, 0},
    {"up 1", "__name__=up 1|", 0, 0},
    {"up 1\n", "__name__=up 1|", 0, 0},
    {"  up\t 1 \t123 ", "__name__=up 1@123|", 0, 0},
    {"up -1.5e3 -7", "__name__=up -1500@-7|", 0, 0},
    {"up +Inf\nup -inf\nup NaN\nup .5",
     "__name__=up inf|__name__=up -inf|__name__=up nan|"
     "__name__=up 0.5|",
     0, 0},
    {"a:b{x=\"1\" , y = \"2\",}3", "__name__=a:b,x=1,y=2 3|", 0, 0},
    {"up{} 1", "__name__=up 1|", 0, 0},
    {"{\"caf\xc3\xa9.x\",\"a.b\"=\"v\"} 1", "__name__=caf\xc3\xa9.x,a.b=v 1|", 0, 0},
    {"up{p=\"C:\\\\x\\\"\\n\\d}#,\"} 1", "__name__=up,p=C:\\x\"\n\\d}#, 1|", 0, 0},
    {"up{p=\"\"} 1", "__name__=up,p= 1|", 0, 0},
    {"# just words\n#\n#HELP x\n# EOF\nup 1", "__name__=up 1|", 0, 0},
    {"# HELP up Is it\\nup\\\\?\n# \tTYPE up gauge", "HELP up Is it\nup\\?|TYPE up gauge|", 0, 0},
    {"# HELP up", "HELP up |", 0, 0},
    {"# TYPE up colour", NULL, 1, 11},
    {"up 1\nup", NULL, 2, 3},
    {"up one", NULL, 1, 4},
    {"up 0x1p3", NULL, 1, 4},
    {"up 1_0", NULL, 1, 4},
    {"up 1e400", NULL, 1, 4},
    {"up 1 2 3", NULL, 1, 8},
    {"up 1 1.5", NULL, 1, 6},
    {"up 1 99999999999999999999", NULL, 1, 6},
    {"up 1\r\n", NULL, 1, 4},
    {"up{a='b'} 1", NULL, 1, 6},
    {"up{a=\"b} 1", NULL, 1, 11},
    {"up{a=\"b\"", NULL, 1, 9},
    {"up{a=\"b\" c=\"d\"} 1", NULL, 1, 10},
    {"up{a} 1", NULL, 1, 5},
    {"up{1a=\"b\"} 1", NULL, 1, 4},
    {"up{a=\"b\",a=\"c\"} 1", NULL, 1, 15},
    {"up{\"up2\"} 1", NULL, 1, 9},
    {"up{__name__=\"x\"} 1", NULL, 1, 13},
    {"{a=\"b\"} 1", NULL, 1, 8},
    {"up{a=\"\xff\"} 1", NULL, 1, 7},
    {"9up 1", NULL, 1, 1},
    {"\xff 1", NULL, 1, 1},
};

static void test_lines(void **state)
{
    STR_AUTO struct str seen = STR_INIT(10000);

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        size_t len = strlen(lines[i].text);
        char *copy = mem_dup(lines[i].text, len); /* no NUL behind it */
        struct err err = {0};
        int r = parse(copy, len, false, &seen, &err);

        row("%s: %u:%u %s", lines[i].text, err.line, err.column, err.text);
        if (lines[i].seen) {
            assert_int_equal(r, 0);
            assert_string_equal(str_text(&seen), lines[i].seen);
        } else {
            assert_int_equal(r, EXPOSITION_E_SYNTAX);
            assert_int_equal(err.line, lines[i].line);
            assert_int_equal(err.column, lines[i].column);
        }
        free(copy);
    }
}

static void test_openmetrics(void **state)
{
    static const struct {
        const char *text;
        const char *seen;
    } rows[] = {
        {"# TYPE a counter\na_total{x=\"y\"} 1 1.5 # {trace=\"1\"} 0.5\n# EOF\n",
         "TYPE a counter|__name__=a_total,x=y 1@1500|"},
        {"# UNIT a_seconds seconds\n# EOF", "UNIT a_seconds seconds|"},
        {"a 1\n", NULL},
        {"\n# EOF", NULL},
        {"# EOF\na 1", NULL},
        {"# words\n# EOF", NULL},
        {"a 1 1e300\n# EOF", NULL},
        {"# EO", NULL},
    };
    STR_AUTO struct str seen = STR_INIT(10000);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct err err = {0};
        size_t len = strlen(rows[i].text);
        char *copy = mem_dup(rows[i].text, len);
        int r = parse(copy, len, true, &seen, &err);

        row("%s: %s", rows[i].text, err.text);
        assert_int_equal(r, rows[i].seen ? 0 : EXPOSITION_E_SYNTAX);
        if (rows[i].seen)
            assert_string_equal(str_text(&seen), rows[i].seen);
        free(copy);
    }
}

static void test_pieces_are_one_text(void **state)
{
    static const char *const pieces[] = {"a 1 1\nb 2 2\n", "", "c 3 3\n# EOF\n"};
    STR_AUTO struct str seen = STR_INIT(1000);
    const struct exposition_visitor visitor = {
        .sample = see_sample, .arg = &seen, .openmetrics = true};
    struct exposition_reader *reader = exposition_reader_new(&visitor, 10);
    struct err err = {0};

    for (int i = 0; i < 3; i++) {
        if (i == 2) {
            assert_int_equal(exposition_end(reader, &err), EXPOSITION_E_SYNTAX);
            assert_int_equal(err.line, 13);
        }
        assert_int_equal(exposition_read(reader, pieces[i], strlen(pieces[i]), &err), 0);
    }
    assert_int_equal(exposition_end(reader, &err), 0);
    assert_int_equal(exposition_lines(reader), 14);
    assert_string_equal(str_text(&seen), "__name__=a 1@1000|__name__=b 2@2000|__name__=c 3@3000|");
    assert_int_equal(exposition_read(reader, "d 4 4\n", 6, &err), EXPOSITION_E_SYNTAX);
    assert_int_equal(err.line, 15);
    exposition_reader_free(reader);
}

static void test_ceilings(void **state)
{
    STR_AUTO struct str seen = STR_INIT(100000);
    STR_AUTO struct str text = STR_INIT(4 << 20);
    struct err err = {0};

    str_add(&text, "up{");
    for (int i = 0; i < EXPOSITION_LABELS_MAX; i++)
        str_addf(&text, "l%d=\"x\",", i);
    str_add(&text, "} 1");
    assert_int_equal(parse(text.text, text.len, false, &seen, &err), EXPOSITION_E_LIMIT);
    str_cut(&text, 0);
    str_add(&text, "up{a=\"");
    for (int i = 0; i < EXPOSITION_LINE_MAX; i++)
        str_addc(&text, 'x');
    str_add(&text, "\"} 1");
    assert_int_equal(parse(text.text, text.len, false, &seen, &err), EXPOSITION_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_openmetrics),
        cmocka_unit_test(test_pieces_are_one_text),
        cmocka_unit_test(test_ceilings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
