/*
 * Our half of the differential fuzzer: answers expressions over series it was told, in
 * process, as the query API would. One command a line, tab-separated:
 *
 *     clear
 *     series  {"name", "label"="value"}
 *     at      MILLISECONDS  BITS            the float's bits in hex, of the series above
 *     query   START_MS  END_MS  STEP_MS  EXPRESSION        step 0: an instant query
 *
 * A query is answered with one line of JSON in the API's shape. Series keep the order
 * they came in, as the peer's do, so that sums add up in the same order.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"
#include "tests/lib/fake_source.h"

enum {
    ARENA_BYTES = 256 << 20,
    REPLY_BYTES = 64 << 20,
};

static void add_point(struct json_out *out, int64_t t_ms, double value)
{
    char text[FLOAT_TEXT_MAX];

    json_open(out, '[');
    json_float(out, (double)t_ms / 1000);
    (void)float_plain(value, text);
    json_string(out, text);
    json_close(out, ']');
}

static void add_series(struct json_out *out, const struct promql_series *series, bool many)
{
    json_open(out, '{');
    json_key(out, "metric");
    json_open(out, '{');
    for (uint32_t i = 0; i < series->labels->n; i++)
        json_kv_string(out, series->labels->at[i].name, series->labels->at[i].value);
    json_close(out, '}');
    json_key(out, many ? "values" : "value");
    if (many)
        json_open(out, '[');
    for (size_t i = 0; i < series->n; i++)
        add_point(out, series->t_ms[i], series->values[i]);
    if (many)
        json_close(out, ']');
    json_close(out, '}');
}

static void add_notes(struct json_out *out, const char *name, const char *const *texts, size_t n)
{
    json_key(out, name);
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_string(out, texts[i]);
    json_close(out, ']');
}

static void add_value(struct json_out *out, const struct promql_value *value, int64_t at_ms)
{
    static const char *const types[] = {"scalar", "vector", "matrix", "string"};

    json_kv_string(out, "status", "success");
    json_key(out, "data");
    json_open(out, '{');
    json_kv_string(out, "resultType", types[value->type]);
    json_key(out, "result");
    if (value->type == PROMQL_SCALAR) {
        add_point(out, at_ms, value->series[0].values[0]);
    } else {
        json_open(out, '[');
        if (value->type == PROMQL_STRING) {
            json_float(out, (double)at_ms / 1000);
            json_string(out, value->string);
        }
        for (size_t i = 0; i < value->n; i++)
            add_series(out, &value->series[i], value->type == PROMQL_MATRIX);
        json_close(out, ']');
    }
    json_close(out, '}');
    add_notes(out, "warnings", value->warnings, value->n_warnings);
    add_notes(out, "infos", value->infos, value->n_infos);
}

static void add_failure(struct json_out *out, const char *type, const char *words)
{
    json_kv_string(out, "status", "error");
    json_kv_string(out, "errorType", type);
    json_kv_string(out, "error", words);
}

static void add_parse_failure(struct json_out *out, const char *text, const struct err *err)
{
    char words[2 * ERR_TEXT_MAX];

    if (text[0])
        (void)snprintf(words, sizeof(words), "invalid parameter \"query\": %u:%u: parse error: %s",
                       err->line, err->column, err->text);
    else
        (void)snprintf(words, sizeof(words),
                       "invalid parameter \"query\": unknown position: parse error: %s", err->text);
    add_failure(out, "bad_data", words);
}

static void add_type_failure(struct json_out *out, const struct err *err)
{
    char words[2 * ERR_TEXT_MAX];

    (void)snprintf(words, sizeof(words), "invalid parameter \"query\": %s", err->text);
    add_failure(out, "bad_data", words);
}

static void answer(struct fake_source *fake, const struct promql_query *query, const char *text)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str reply = STR_INIT(REPLY_BYTES);
    struct json_out out = JSON_OUT(&reply);
    struct source source = fake_source_of(fake);
    struct promql_expr *expr = NULL;
    struct promql_value value = {0};
    struct err err = {0};

    arena_init(&arena, ARENA_BYTES);
    json_open(&out, '{');
    int r = promql_parse(&arena, text, &expr, &err);
    if (r) {
        add_parse_failure(&out, text, &err);
    } else {
        r = promql_eval(expr, &source, query, &arena, &value, &err);
        if (r == PROMQL_E_TYPE)
            add_type_failure(&out, &err);
        else if (r)
            add_failure(&out, "execution", err.text);
        else
            add_value(&out, &value, query->start_ms);
    }
    json_close(&out, '}');
    (void)puts(str_text(&reply));
}

/* The next field of a line; the rest of it when `last`. */
static char *field(char **line, bool last)
{
    return last ? *line : strsep(line, "\t");
}

struct told {
    struct fake_source fake;
    const struct labels *series; /* that samples are of */
};

static bool add_sample(struct told *told, char *line)
{
    int64_t t_ms = strtoll(field(&line, false), NULL, 10);
    uint64_t bits = line ? strtoull(line, NULL, 16) : 0;
    double value;

    if (!told->series || !line)
        return false;
    memcpy(&value, &bits, sizeof(value));
    fake_source_put(&told->fake, told->series, t_ms, value);
    return true;
}

static bool ask(struct told *told, char *line)
{
    struct promql_query query = {0};
    int64_t *const times[] = {&query.start_ms, &query.end_ms, &query.step_ms};

    for (size_t i = 0; i < 3; i++) {
        const char *text = line ? field(&line, false) : NULL;

        if (!text || !line)
            return false;
        *times[i] = strtoll(text, NULL, 10);
    }
    answer(&told->fake, &query, field(&line, true));
    return true;
}

static bool obey(struct told *told, char *line)
{
    const char *command = field(&line, false);
    const char *rest;

    if (strcmp(command, "clear") == 0) {
        fake_source_done(&told->fake);
        return true;
    }
    if (!line)
        return false;
    if (strcmp(command, "at") == 0)
        return add_sample(told, line);
    if (strcmp(command, "query") == 0)
        return ask(told, line);
    if (strcmp(command, "series") != 0)
        return false;
    labels_unref(told->series);
    told->series = series_text_labels(line, &rest, NULL);
    return told->series != NULL;
}

int main(int argc, char **argv)
{
    struct told told = {0};
    MEM_AUTO char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int status = 0;

    if (argc > 1 && strcmp(argv[1], "--enable-feature=promql-experimental-functions") == 0)
        promql_allow_experimental();
    (void)setvbuf(stdout, NULL, _IOFBF, 1 << 20);
    while (!status && (n = getline(&line, &size, stdin)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        if (strcmp(line, "flush") == 0) {
            (void)fflush(stdout);
        } else if (!obey(&told, line)) {
            (void)fprintf(stderr, "answer: cannot read: %s\n", line);
            status = 2;
        }
    }
    labels_unref(told.series);
    fake_source_done(&told.fake);
    return status;
}
