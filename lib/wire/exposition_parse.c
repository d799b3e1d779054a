/*
 * The text format in. See exposition_parse.h. Grammar: Prometheus'
 * content/docs/instrumenting/exposition_formats.md and the OpenMetrics 1.0 text.
 *
 * The reader works on one line: `at` walks to `end`; unescaped texts go one after another
 * into a scratch buffer as long as the line, so that no text ever moves.
 */

#include "lib/wire/exposition_parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/float.h"
#include "lib/base/mem.h"

enum {
    SHOWN_MAX = 40, /* bytes of what is wrong, in words */
};

struct exposition_reader {
    const struct exposition_visitor *visitor;
    struct err *reterr;
    unsigned line;
    const char *start, *at, *end; /* of the line at hand, without its '\n' */
    struct label labels[EXPOSITION_LABELS_MAX];
    size_t n_labels; /* labels[0] is the name */
    char *scratch;   /* unescaped texts of this line */
    size_t scratch_len, scratch_capacity;
    bool at_eof; /* "# EOF" was read */
};

/* With the len bytes that stand there instead, or the first of them. */
static int fail_at(const struct exposition_reader *in, const char *what, size_t len)
{
    char got[2 * SHOWN_MAX + 1];
    size_t n = 0;

    for (size_t i = 0; i < len && i < SHOWN_MAX; i++) {
        if (in->at[i] == '\r')
            got[n++] = '\\';
        got[n++] = (char)(in->at[i] == '\r' ? 'r' : in->at[i] >= ' ' ? in->at[i] : '?');
    }
    got[n] = '\0';
    return err_at(in->reterr, EXPOSITION_E_SYNTAX, in->line, (unsigned)(in->at - in->start) + 1,
                  len > 0 ? "%s, got '%s'" : "%s, got the end of the line", what, got);
}

static int fail(const struct exposition_reader *in, const char *what)
{
    return fail_at(in, what, in->at < in->end);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct exposition_reader *in)
{
    while (in->at < in->end && is_blank(*in->at))
        in->at++;
}

static bool take(struct exposition_reader *in, char c)
{
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

/* Room for len + 1 bytes that stay where they are until the line ends. */
static char *scratch_take(struct exposition_reader *in, size_t len)
{
    char *place = in->scratch + in->scratch_len;

    in->scratch_len += len + 1;
    place[len] = '\0';
    return place;
}

static bool is_name_char(char c, bool first, bool colon)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':') ||
           (!first && c >= '0' && c <= '9');
}

static const char *read_name(struct exposition_reader *in, bool colon)
{
    const char *start = in->at;

    while (in->at < in->end && is_name_char(*in->at, in->at == start, colon))
        in->at++;
    if (in->at == start)
        return NULL;
    char *name = scratch_take(in, (size_t)(in->at - start));
    memcpy(name, start, (size_t)(in->at - start));
    return name;
}

/* Behind the opening quote. \\ \" \n are escapes, any other backslash stands for itself. */
static int read_quoted(struct exposition_reader *in, const char **ret_text)
{
    const char *start = in->at;
    char *text = in->scratch + in->scratch_len;
    size_t len = 0;

    while (in->at < in->end && *in->at != '"') {
        char c = *in->at++;
        if (c == '\\' && in->at < in->end) {
            char escaped = *in->at;
            if (escaped == '\\' || escaped == '"' || escaped == 'n') {
                c = escaped == 'n' ? '\n' : escaped;
                in->at++;
            }
        }
        text[len++] = c;
    }
    if (!take(in, '"'))
        return fail(in, "expected the closing quote");
    if (!labels_text_ok(text, len)) {
        in->at = start;
        return fail(in, "this text is not UTF-8, or has a NUL");
    }
    *ret_text = scratch_take(in, len);
    return 0;
}

static int add_label(struct exposition_reader *in, const char *name, const char *value)
{
    for (size_t i = 1; i < in->n_labels; i++)
        if (strcmp(in->labels[i].name, name) == 0)
            return fail(in, "this label is there twice");
    if (in->n_labels == EXPOSITION_LABELS_MAX)
        return err_at(in->reterr, EXPOSITION_E_LIMIT, in->line, 1, "more than %d labels",
                      EXPOSITION_LABELS_MAX - 1);
    in->labels[in->n_labels++] = (struct label){name, value};
    return 0;
}

/* One thing between the braces: name="value", "name"="value", or "metric name". */
static int read_pair(struct exposition_reader *in)
{
    const char *name = NULL;
    const char *value = NULL;
    bool quoted = take(in, '"');

    int r = quoted ? read_quoted(in, &name) : 0;
    if (r != 0)
        return r;
    if (!quoted)
        name = read_name(in, false);
    if (!name)
        return fail(in, "expected a label name");
    skip_blanks(in);
    if (!take(in, '=')) {
        if (!quoted)
            return fail(in, "expected '='");
        if (in->labels[0].value)
            return fail(in, "a second metric name");
        in->labels[0].value = name;
        return 0;
    }
    if (strcmp(name, LABEL_NAME) == 0)
        return fail(in, "the metric's name is not a label");
    skip_blanks(in);
    if (!take(in, '"'))
        return fail(in, "expected a label value in double quotes");
    r = read_quoted(in, &value);
    return r ? r : add_label(in, name, value);
}

static int read_braces(struct exposition_reader *in)
{
    for (;;) {
        skip_blanks(in);
        if (take(in, '}'))
            return 0;
        int r = read_pair(in);
        if (r != 0)
            return r;
        skip_blanks(in);
        if (!take(in, ',') && (in->at == in->end || *in->at != '}'))
            return fail(in, "expected ',' or '}'");
    }
}

/* The bytes up to the next blank. */
static size_t token(const struct exposition_reader *in)
{
    const char *at = in->at;

    while (at < in->end && !is_blank(*at))
        at++;
    return (size_t)(at - in->at);
}

static int read_value(struct exposition_reader *in, double *ret_value)
{
    size_t len = token(in);
    double value;

    if (len == 0)
        return fail(in, "expected a value");
    for (size_t i = 0; i < len; i++) /* no hexadecimal, no underscores */
        if (strchr("xXpP_", in->at[i]))
            return fail_at(in, "expected a decimal number, NaN or Inf", len);
    if (float_parse(in->at, len, &value) != 0)
        return fail_at(in, "expected a number", len);
    if (isinf(value) && !memchr(in->at, 'i', len) && !memchr(in->at, 'I', len))
        return fail_at(in, "expected a number that a double holds", len);
    in->at += len;
    *ret_value = value;
    return 0;
}

/* Milliseconds as digits; OpenMetrics: seconds with a fraction. */
static int read_time(struct exposition_reader *in, int64_t *ret_t_ms)
{
    size_t len = token(in);
    int64_t t_ms = 0;
    double seconds;

    if (in->visitor->openmetrics) {
        if (float_parse(in->at, len, &seconds) != 0 || !(fabs(seconds) < 9e15))
            return fail_at(in, "expected a time stamp in seconds", len);
        *ret_t_ms = (int64_t)llround(seconds * 1000);
        in->at += len;
        return 0;
    }
    bool negative = take(in, '-');
    if (negative)
        len--;
    for (size_t i = 0; i < len; i++)
        if (in->at[i] < '0' || in->at[i] > '9' || __builtin_mul_overflow(t_ms, 10, &t_ms) ||
            __builtin_add_overflow(t_ms, in->at[i] - '0', &t_ms))
            return fail_at(in, "expected a time stamp in milliseconds", len);
    if (len == 0)
        return fail(in, "expected a time stamp in milliseconds");
    in->at += len;
    *ret_t_ms = negative ? -t_ms : t_ms;
    return 0;
}

static int read_sample(struct exposition_reader *in)
{
    struct exposition_sample sample = {.labels = in->labels, .line = in->line};

    in->labels[0] = (struct label){LABEL_NAME, read_name(in, true)};
    in->n_labels = 1;
    const char *behind_name = in->at;
    skip_blanks(in);
    bool braces = take(in, '{');
    int r = braces ? read_braces(in) : 0;
    if (r != 0)
        return r;
    if (!in->labels[0].value || !in->labels[0].value[0])
        return fail(in, "expected a metric name");
    if (!braces && in->at == behind_name)
        return fail(in, "expected a blank behind the metric's name");
    skip_blanks(in);
    r = read_value(in, &sample.value);
    skip_blanks(in);
    if (r == 0 && in->at < in->end && *in->at != '#') {
        r = read_time(in, &sample.t_ms);
        sample.has_time = r == 0;
        skip_blanks(in);
    }
    if (r != 0)
        return r;
    bool exemplar = in->visitor->openmetrics && in->at < in->end && *in->at == '#';
    if (in->at < in->end && !exemplar)
        return fail(in, "expected the end of the line");
    sample.n = in->n_labels;
    return in->visitor->sample(in->visitor->arg, &sample, in->reterr);
}

static const char *read_help(struct exposition_reader *in)
{
    char *text = in->scratch + in->scratch_len;
    size_t len = 0;

    while (in->at < in->end) {
        char c = *in->at++;
        if (c == '\\' && in->at < in->end && (*in->at == '\\' || *in->at == 'n'))
            c = *in->at++ == 'n' ? '\n' : '\\';
        text[len++] = c;
    }
    return scratch_take(in, len);
}

static bool is_type(const char *text, bool openmetrics)
{
    static const char *const types[] = {"counter", "gauge",    "histogram",
                                        "summary", "untyped",  "gaugehistogram",
                                        "info",    "stateset", "unknown"};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(text, types[i]) == 0)
            return openmetrics ? i != 4 : i < 5;
    return false;
}

/* Behind "# HELP", "# TYPE" or "# UNIT". */
static int read_metadata(struct exposition_reader *in, const char *what)
{
    const char *family = NULL;

    skip_blanks(in);
    bool quoted = take(in, '"');
    int r = quoted ? read_quoted(in, &family) : 0;
    if (r != 0)
        return r;
    if (!quoted)
        family = read_name(in, true);
    if (!family)
        return fail(in, "expected a metric name");
    if (in->at < in->end && !is_blank(*in->at))
        return fail(in, "expected a blank behind the metric's name");
    skip_blanks(in);
    const char *text = read_help(in);
    if (strcmp(what, "TYPE") == 0 && !is_type(text, in->visitor->openmetrics)) {
        in->at -= strlen(text);
        return fail(in, "expected a metric type");
    }
    if (!labels_text_ok(text, strlen(text)))
        return fail(in, "this text is not UTF-8");
    return in->visitor->metadata
               ? in->visitor->metadata(in->visitor->arg, what, family, text, in->reterr)
               : 0;
}

static int read_comment(struct exposition_reader *in)
{
    static const char *const kinds[] = {"HELP", "TYPE", "UNIT"};

    in->at++;
    if (in->visitor->openmetrics && in->end - in->at == 4 && memcmp(in->at, " EOF", 4) == 0) {
        in->at_eof = true;
        return 0;
    }
    if (in->at == in->end || !is_blank(*in->at))
        return in->visitor->openmetrics ? fail(in, "expected HELP, TYPE, UNIT or EOF") : 0;
    skip_blanks(in);
    for (size_t i = 0; i < (in->visitor->openmetrics ? 3U : 2U); i++)
        if (in->end - in->at > 4 && memcmp(in->at, kinds[i], 4) == 0 && is_blank(in->at[4])) {
            in->at += 4;
            return read_metadata(in, kinds[i]);
        }
    return in->visitor->openmetrics ? fail(in, "expected HELP, TYPE, UNIT or EOF") : 0;
}

static int read_line(struct exposition_reader *in)
{
    size_t len = (size_t)(in->end - in->start);

    if (len > EXPOSITION_LINE_MAX)
        return err_at(in->reterr, EXPOSITION_E_LIMIT, in->line, 1, "a line of more than %d bytes",
                      EXPOSITION_LINE_MAX);
    if (in->at_eof)
        return fail(in, "expected nothing behind # EOF");
    /* Each text is no longer than its source, and one byte of syntax pays for its NUL; a
     * name at the very end of the line needs one more. */
    in->scratch_len = 0;
    in->scratch = mem_grow(in->scratch, &in->scratch_capacity, len + 8, 1);
    skip_blanks(in);
    if (in->at == in->end)
        return in->visitor->openmetrics ? fail(in, "expected no blank line") : 0;
    return *in->at == '#' ? read_comment(in) : read_sample(in);
}

struct exposition_reader *exposition_reader_new(const struct exposition_visitor *visitor,
                                                unsigned lines_before)
{
    struct exposition_reader *in = mem_zalloc(sizeof(*in));

    in->visitor = visitor;
    in->line = lines_before;
    return in;
}

void exposition_reader_free(struct exposition_reader *in)
{
    if (!in)
        return;
    free(in->scratch);
    free(in);
}

unsigned exposition_lines(const struct exposition_reader *in)
{
    return in->line;
}

int exposition_read(struct exposition_reader *in, const char *lines, size_t len, struct err *reterr)
{
    const char *end = lines + len;
    int r = 0;

    in->reterr = reterr;
    for (const char *at = lines; at < end && r == 0;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        in->line++;
        in->start = in->at = at;
        in->end = newline ? newline : end;
        at = newline ? newline + 1 : end;
        r = read_line(in);
    }
    return r;
}

int exposition_end(struct exposition_reader *in, struct err *reterr)
{
    if (in->visitor->openmetrics && !in->at_eof)
        return err_at(reterr, EXPOSITION_E_SYNTAX, in->line + 1, 1,
                      "the text does not end with # EOF");
    return 0;
}

int exposition_parse(const char *text,
                     size_t len,
                     const struct exposition_visitor *visitor,
                     struct err *reterr)
{
    struct exposition_reader *in = exposition_reader_new(visitor, 0);
    int r = exposition_read(in, text, len, reterr);

    if (r == 0)
        r = exposition_end(in, reterr);
    exposition_reader_free(in);
    return r;
}
