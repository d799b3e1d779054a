/*
 * Series of Prometheus' HTTP API: the shapes servers answer, and what is none.
 */

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/wire/prom_answer.h"
#include "tests/lib/row.h"

static int see(void *arg, const struct prom_answer_series *series, struct err *reterr)
{
    struct str *text = arg;

    for (size_t i = 0; i < series->n_labels; i++)
        str_addf(text, "%s%s=%s", i ? "," : "", series->labels[i].name, series->labels[i].value);
    for (size_t i = 0; i < series->n_samples; i++)
        if (sample_is_stale(series->samples[i].value))
            str_addf(text, " stale@%lld", (long long)series->samples[i].t_ms);
        else
            str_addf(text, " %g@%lld", series->samples[i].value,
                     (long long)series->samples[i].t_ms);
    if (series->n_histograms > 0)
        str_addf(text, " %zu histograms", series->n_histograms);
    str_addc(text, '|');
    return 0;
}

static void warn(void *arg, const char *words)
{
    str_addf(arg, "!%s|", words);
}

#define MATRIX(text) \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" text "]}}"

static const struct {
    const char *name;
    const char *text;
    const char *seen; /* NULL: refused */
} rows[] = {
    {"no series", MATRIX(""), ""},
    {"two series",
     MATRIX("{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[[1700000000.123,\"1\"],"
            "[1700000001,\"-0.5\"]]},{\"metric\":{},\"values\":[]}"),
     "__name__=up,job=a 1@1700000000123 -0.5@1700000001000||"},
    {"values that are no numbers",
     MATRIX("{\"metric\":{\"a\":\"b\"},\"values\":[[0,\"NaN\"],[0.001,\"+Inf\"],[-1.5,\"-Inf\"],"
            "[2,null]]}"),
     "a=b nan@0 inf@1 -inf@-1500 stale@2000|"},
    {"values before the metric, blanks, members nobody knows",
     " {\"infos\":[\"]\\\"}\"], \"data\" : {\"result\" : [ { \"values\" : [ [ 1 , \"2\" ] ],"
     "\"x\":{\"y\":[1,{}]}, \"metric\" : {\"a\":\"b\"} } ], \"stats\":null} }",
     "a=b 2@1000|"},
    {"escapes",
     MATRIX("{\"metric\":{\"p\":\"C:\\\\x\\\"\\n\\/\\u00fc\\u20ac\\ud83d\\ude00\"},"
            "\"values\":[]}"),
     "p=C:\\x\"\n/\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80|"},
    {"native histograms are counted",
     MATRIX("{\"metric\":{\"a\":\"b\"},\"histograms\":[[1,{\"count\":\"1\"}],[2,{}]]}"),
     "a=b 2 histograms|"},
    {"warnings behind the series, in front of them, and of a kind nobody knows",
     "{\"warnings\":[\"a \\\"day\\\" is missing\",{\"x\":[1]}],\"data\":[{\"a\":\"b\"}],\"warnings\":[\"another\"]}",
     "!a \"day\" is missing|a=b|!another|"},
    {"warnings that are no list", "{\"warnings\":null,\"data\":[],\"infos\":[\"x\"]}", ""},
    {"a warning cut", "{\"data\":[],\"warnings\":[\"a", NULL},
    {"label sets", "{\"status\":\"success\",\"data\":[{\"a\":\"b\",\"c\":\"d\"},{}]}", "a=b,c=d||"},
    {"a vector", "{\"data\":{\"resultType\":\"vector\",\"result\":[]}}", NULL},
    {"an error", "{\"status\":\"error\",\"error\":\"no\"}", NULL},
    {"cut in a string", "{\"data\":[{\"a\":\"b", NULL},
    {"cut in an array", "{\"data\":[{\"a\":\"b\"}", NULL},
    {"cut in what is skipped", "{\"x\":[\"", NULL},
    {"nothing", "", NULL},
    {"no JSON", "<html>", NULL},
    {"a value without quotes", MATRIX("{\"metric\":{},\"values\":[[1,2]]}"), NULL},
    {"a value that is no number", MATRIX("{\"metric\":{},\"values\":[[1,\"x\"]]}"), NULL},
    {"no time", MATRIX("{\"metric\":{},\"values\":[[\"1\",\"1\"]]}"), NULL},
    {"half a pair", MATRIX("{\"metric\":{\"a\":\"\\ud83d\"},\"values\":[]}"), NULL},
    {"a NUL", MATRIX("{\"metric\":{\"a\":\"\\u0000\"},\"values\":[]}"), NULL},
    {"not UTF-8", MATRIX("{\"metric\":{\"a\":\"\xff\"},\"values\":[]}"), NULL},
};

static void test_answers(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str seen = STR_INIT(10000);
        struct err err = {0};
        size_t len = strlen(rows[i].text);
        MEM_AUTO char *copy = len ? mem_dup(rows[i].text, len) : mem_alloc(1);

        row("%s", rows[i].name);
        int r = prom_answer_read(copy, len, see, warn, &seen, &err);
        row("%s: %s", rows[i].name, err.text);
        assert_int_equal(r, rows[i].seen ? 0 : PROM_ANSWER_E_SYNTAX);
        if (rows[i].seen)
            assert_string_equal(str_text(&seen), rows[i].seen);
        else
            assert_non_null(strstr(err.text, "expected"));
    }
}

/* Every cut of an answer is refused, and reads nothing behind it. */
static void test_every_cut_is_refused(void **state)
{
    const char *whole = rows[1].text;

    for (size_t len = 0; len < strlen(whole); len++) {
        STR_AUTO struct str seen = STR_INIT(10000);
        MEM_AUTO char *copy = len ? mem_dup(whole, len) : mem_alloc(1);

        assert_int_equal(prom_answer_read(copy, len, see, warn, &seen, NULL), PROM_ANSWER_E_SYNTAX);
    }
}

static int stop(void *arg, const struct prom_answer_series *series, struct err *reterr)
{
    return err_set(reterr, 77, "enough");
}

static void test_the_visitor_ends_it(void **state)
{
    MEM_AUTO char *copy = mem_strdup(rows[1].text);
    struct err err = {0};

    assert_int_equal(prom_answer_read(copy, strlen(copy), stop, NULL, NULL, &err), 77);
    assert_string_equal(err.text, "enough");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_the_visitor_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
