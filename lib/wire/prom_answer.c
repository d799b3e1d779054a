/*
 * Series of Prometheus' HTTP API. See prom_answer.h.
 *
 * The shape is walked by functions that are told of one member or item each; what they do
 * not know they skip without recursion, so that no nesting costs stack.
 */

#include "lib/wire/prom_answer.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/float.h"
#include "lib/base/mem.h"

struct walker {
    char *start, *at, *end;
    prom_answer_visit *visit;
    prom_answer_warn *warn;
    void *arg;
    struct err *reterr;
    /* the series at hand */
    struct label *labels;
    size_t n_labels, labels_capacity;
    struct sample *samples;
    size_t n_samples, samples_capacity;
    size_t n_histograms;
    bool has_data;
};

static int fail(const struct walker *in, const char *what)
{
    return err_set(in->reterr, PROM_ANSWER_E_SYNTAX, "byte %zu of the answer: expected %s",
                   (size_t)(in->at - in->start) + 1, what);
}

static void skip_blanks(struct walker *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r'))
        in->at++;
}

static bool take(struct walker *in, char c)
{
    skip_blanks(in);
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

static bool is_next(struct walker *in, char c)
{
    skip_blanks(in);
    return in->at < in->end && *in->at == c;
}

/* Four hexadecimal digits; negative: they are not. */
static long read_hex(struct walker *in)
{
    long value = 0;

    if (in->end - in->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = *in->at++;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Behind `\u`, perhaps with the other half of a pair. */
static long read_rune(struct walker *in)
{
    long rune = read_hex(in);

    if (rune < 0xD800 || rune > 0xDFFF)
        return rune;
    if (rune > 0xDBFF || in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u')
        return -1;
    in->at += 2;
    long low = read_hex(in);
    return low < 0xDC00 || low > 0xDFFF ? -1 : 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
}

/* UTF-8 of it at `to`, never longer than its escape was; returns the end. */
static char *put_rune(char *to, long rune)
{
    if (rune < 0x80) {
        *to++ = (char)rune;
        return to;
    }
    int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
    static const unsigned char heads[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(heads[more] | rune >> (6 * more));
    while (more-- > 0)
        *to++ = (char)(0x80 | (rune >> (6 * more) & 0x3F));
    return to;
}

/* One escape behind its backslash; NULL: not one. */
static char *unescape(struct walker *in, char *to)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";

    if (in->at == in->end)
        return NULL;
    char c = *in->at++;
    if (c == 'u') {
        long rune = read_rune(in);
        return rune <= 0 ? NULL : put_rune(to, rune);
    }
    const char *place = c ? strchr(names, c) : NULL;
    if (!place)
        return NULL;
    *to++ = meant[place - names];
    return to;
}

static int read_string(struct walker *in, const char **ret_text, size_t *ret_len)
{
    if (!take(in, '"'))
        return fail(in, "a string");
    char *text = in->at;
    char *to = text;

    while (in->at < in->end && *in->at != '"') {
        char c = *in->at++;
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        to = unescape(in, to);
        if (!to)
            return fail(in, "an escape of JSON");
    }
    if (in->at == in->end)
        return fail(in, "the closing quote");
    in->at++;
    *to = '\0';
    *ret_text = text;
    *ret_len = (size_t)(to - text);
    return 0;
}

static void skip_string(struct walker *in)
{
    for (in->at++; in->at < in->end && *in->at != '"'; in->at++)
        if (*in->at == '\\' && in->at + 1 < in->end)
            in->at++;
    if (in->at < in->end)
        in->at++;
}

/* Any value, up to the ',' or bracket behind it. */
static int skip_value(struct walker *in)
{
    size_t depth = 0;

    while (in->at < in->end) {
        char c = *in->at;
        if (c == '"') {
            skip_string(in);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            return 0;
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        in->at++;
    }
    return fail(in, "more");
}

/* member() for each key, with its value next. */
static int read_object(struct walker *in, int (*member)(struct walker *in, const char *key))
{
    const char *key = "";
    size_t len;

    if (!take(in, '{'))
        return fail(in, "an object");
    if (take(in, '}'))
        return 0;
    do {
        int r = read_string(in, &key, &len);
        if (r == 0 && !take(in, ':'))
            r = fail(in, "':'");
        if (r == 0)
            r = member(in, key);
        if (r != 0)
            return r;
    } while (take(in, ','));
    return take(in, '}') ? 0 : fail(in, "',' or '}'");
}

static int read_array(struct walker *in, int (*item)(struct walker *in))
{
    if (!take(in, '['))
        return fail(in, "an array");
    if (take(in, ']'))
        return 0;
    do {
        int r = item(in);
        if (r != 0)
            return r;
    } while (take(in, ','));
    return take(in, ']') ? 0 : fail(in, "',' or ']'");
}

static int read_seconds(struct walker *in, int64_t *ret_t_ms)
{
    const char *start;
    double seconds;

    skip_blanks(in);
    for (start = in->at; in->at < in->end && *in->at && strchr("+-.0123456789eE", *in->at);)
        in->at++;
    if (float_parse(start, (size_t)(in->at - start), &seconds) != 0 || !(fabs(seconds) < 9e15))
        return fail(in, "a time in seconds");
    *ret_t_ms = (int64_t)llround(seconds * 1000);
    return 0;
}

static int on_point(struct walker *in)
{
    struct sample sample = {.value = sample_stale()};
    const char *text;
    size_t len;

    if (!take(in, '['))
        return fail(in, "a pair of time and value");
    int r = read_seconds(in, &sample.t_ms);
    if (r == 0 && !take(in, ','))
        r = fail(in, "','");
    if (r != 0)
        return r;
    if (is_next(in, '"')) {
        r = read_string(in, &text, &len);
        if (r == 0 && float_parse(text, len, &sample.value) != 0)
            r = fail(in, "a number before this");
    } else if (is_next(in, 'n') && in->end - in->at >= 4 && memcmp(in->at, "null", 4) == 0) {
        in->at += 4;
    } else {
        r = fail(in, "a value in quotes");
    }
    if (r == 0 && !take(in, ']'))
        r = fail(in, "']'");
    if (r != 0)
        return r;
    in->samples = mem_grow(in->samples, &in->samples_capacity, in->n_samples + 1,
                           sizeof(*in->samples));
    in->samples[in->n_samples++] = sample;
    return 0;
}

static int on_histogram(struct walker *in)
{
    in->n_histograms++;
    return skip_value(in);
}

static int on_label(struct walker *in, const char *key)
{
    struct label label = {.name = key};
    size_t len;
    int r = read_string(in, &label.value, &len);

    if (r != 0)
        return r;
    if (!label.name[0] || !labels_text_ok(label.name, strlen(label.name)) ||
        !labels_text_ok(label.value, len))
        return fail(in, "a label of UTF-8 before this");
    in->labels = mem_grow(in->labels, &in->labels_capacity, in->n_labels + 1, sizeof(*in->labels));
    in->labels[in->n_labels++] = label;
    return 0;
}

static int on_series_member(struct walker *in, const char *key)
{
    if (strcmp(key, "metric") == 0)
        return read_object(in, on_label);
    if (strcmp(key, "values") == 0)
        return read_array(in, on_point);
    return strcmp(key, "histograms") == 0 ? read_array(in, on_histogram) : skip_value(in);
}

static int read_series(struct walker *in, int (*member)(struct walker *in, const char *key))
{
    in->n_labels = in->n_samples = in->n_histograms = 0;
    int r = read_object(in, member);
    if (r != 0)
        return r;
    const struct prom_answer_series series = {in->labels, in->n_labels, in->samples, in->n_samples,
                                              in->n_histograms};
    return in->visit(in->arg, &series, in->reterr);
}

static int on_series(struct walker *in)
{
    return read_series(in, on_series_member);
}

static int on_label_set(struct walker *in)
{
    return read_series(in, on_label);
}

static int on_data_member(struct walker *in, const char *key)
{
    const char *type = "";
    size_t len;

    if (strcmp(key, "result") == 0)
        return read_array(in, on_series);
    if (strcmp(key, "resultType") != 0)
        return skip_value(in);
    int r = read_string(in, &type, &len);
    return r != 0 || strcmp(type, "matrix") == 0 ? r : fail(in, "a matrix");
}

static int on_warning(struct walker *in)
{
    const char *words;
    size_t len;

    if (!is_next(in, '"'))
        return skip_value(in);
    int r = read_string(in, &words, &len);
    if (r == 0)
        in->warn(in->arg, words);
    return r;
}

static int on_member(struct walker *in, const char *key)
{
    if (in->warn && strcmp(key, "warnings") == 0 && is_next(in, '['))
        return read_array(in, on_warning);
    if (strcmp(key, "data") != 0)
        return skip_value(in);
    in->has_data = true;
    return is_next(in, '[') ? read_array(in, on_label_set) : read_object(in, on_data_member);
}

int prom_answer_read(char *text,
                     size_t len,
                     prom_answer_visit *visit,
                     prom_answer_warn *warn,
                     void *arg,
                     struct err *reterr)
{
    struct walker in = {.visit = visit, .warn = warn, .arg = arg, .reterr = reterr};

    in.start = in.at = text;
    in.end = text + len;
    int r = read_object(&in, on_member);

    if (r == 0 && !in.has_data)
        r = fail(&in, "\"data\" before this");
    free(in.labels);
    free(in.samples);
    return r;
}
