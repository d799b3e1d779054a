/*
 * A source in memory. See fake_source.h.
 */

#include "tests/lib/fake_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "alertd/promql/token.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"

void fake_source_done(struct fake_source *fake)
{
    for (size_t i = 0; i < fake->n; i++) {
        labels_unref(fake->series[i].labels);
        free(fake->series[i].samples);
    }
    free(fake->series);
    *fake = (struct fake_source){0};
}

static struct fake_series *find_series(struct fake_source *fake, const struct labels *labels)
{
    for (size_t i = 0; i < fake->n; i++)
        if (labels_equal(fake->series[i].labels, labels))
            return &fake->series[i];
    fake->series = mem_grow(fake->series, &fake->capacity, fake->n + 1, sizeof(*fake->series));
    fake->series[fake->n] = (struct fake_series){.labels = labels_ref(labels)};
    return &fake->series[fake->n++];
}

void fake_source_put(struct fake_source *fake,
                     const struct labels *labels,
                     int64_t t_ms,
                     double value)
{
    struct fake_series *series = find_series(fake, labels);
    size_t at = series->n;

    while (at > 0 && series->samples[at - 1].t_ms >= t_ms)
        at--;
    if (at < series->n && series->samples[at].t_ms == t_ms) {
        series->samples[at].value = value;
        return;
    }
    series->samples = mem_grow(series->samples, &series->capacity, series->n + 1,
                               sizeof(*series->samples));
    memmove(series->samples + at + 1, series->samples + at,
            (series->n - at) * sizeof(*series->samples));
    series->samples[at] = (struct sample){t_ms, value};
    series->n++;
}

/* The samples of one series within [from, to], as columns. */
static bool copy_samples(const struct fake_series *series,
                         int64_t from_ms,
                         int64_t to_ms,
                         struct arena *arena,
                         struct source_series *ret)
{
    size_t first = 0;
    size_t end = series->n;

    while (first < end && series->samples[first].t_ms < from_ms)
        first++;
    while (end > first && series->samples[end - 1].t_ms > to_ms)
        end--;
    int64_t *t_ms = arena_array(arena, end - first + 1, sizeof(*t_ms));
    double *values = arena_array(arena, end - first + 1, sizeof(*values));
    if (!t_ms || !values)
        return false;
    for (size_t i = first; i < end; i++) {
        t_ms[i - first] = series->samples[i].t_ms;
        values[i - first] = series->samples[i].value;
    }
    *ret = (struct source_series){series->labels, end - first, t_ms, values};
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): the shape is source.h's */
static int select_series(void *self,
                         const struct matcher *matchers,
                         size_t n_matchers,
                         int64_t from_ms,
                         int64_t to_ms,
                         size_t max_samples,
                         struct arena *arena,
                         struct source_result *ret_result,
                         struct err *reterr)
{
    struct fake_source *fake = self;
    struct source_result result = {0};

    if (fake->fail_with)
        return err_set(reterr, fake->fail_with, "the source failed");
    result.series = arena_array(arena, fake->n + 1, sizeof(*result.series));
    if (!result.series)
        return err_set(reterr, SOURCE_E_LIMIT, "out of memory");
    for (size_t i = 0; i < fake->n; i++) {
        struct source_series found;

        if (!matchers_match(matchers, n_matchers, fake->series[i].labels))
            continue;
        if (!copy_samples(&fake->series[i], from_ms, to_ms, arena, &found))
            return err_set(reterr, SOURCE_E_LIMIT, "out of memory");
        if (!found.n)
            continue;
        result.series[result.n++] = found;
        result.n_samples += found.n;
        if (result.n_samples > max_samples)
            return err_set(reterr, SOURCE_E_LIMIT, "too many samples");
    }
    *ret_result = result;
    return 0;
}

struct source fake_source_of(struct fake_source *fake)
{
    return (struct source){.select = select_series, .self = fake};
}

/* --- Series as text ------------------------------------------------------------------------- */

/* Labels up to the closing brace into the builder. */
static int read_labels(struct lexer *lexer, struct labels_builder *builder, struct err *err)
{
    struct token token;
    int r;

    while (!(r = lexer_next(lexer, &token, err)) && token.kind != TOKEN_RIGHT_BRACE) {
        struct token sign;
        struct token value;

        if (token.kind == TOKEN_COMMA)
            continue;
        if (token.kind != TOKEN_WORD && token.kind != TOKEN_STRING)
            return err_set(err, -EINVAL, "a label's name is missing");
        struct lexer ahead = *lexer;
        r = lexer_next(&ahead, &sign, err);
        if (r)
            return r;
        if (sign.kind != TOKEN_EQUAL) { /* a lone string is the metric's name */
            labels_builder_set(builder, LABEL_NAME, token.text);
            continue;
        }
        *lexer = ahead;
        r = lexer_next(lexer, &value, err);
        if (!r && value.kind != TOKEN_STRING)
            r = err_set(err, -EINVAL, "a label's value is missing");
        if (r)
            return r;
        labels_builder_set(builder, token.text, value.text);
    }
    return r;
}

const struct labels *series_text_labels(const char *line, const char **ret_rest, struct err *err)
{
    ARENA_AUTO struct arena arena;
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    struct lexer lexer = {.text = line, .arena = &arena};
    struct token token;
    uint32_t end;

    arena_init(&arena, 1 << 20);
    if (lexer_next(&lexer, &token, err))
        return NULL;
    if (token.kind == TOKEN_WORD) {
        labels_builder_set(&builder, LABEL_NAME, token.text);
        end = lexer.at;
        while (line[lexer.at] == ' ')
            lexer.at++;
        /* `a {b="c"} 1` has labels, `a {{...}}` is a name and a histogram */
        if (line[lexer.at] == '{' && line[lexer.at + 1] != '{' && lexer_next(&lexer, &token, err))
            return NULL;
        if (token.kind == TOKEN_WORD)
            lexer.at = end;
    }
    if (token.kind == TOKEN_LEFT_BRACE && read_labels(&lexer, &builder, err))
        return NULL;
    if (token.kind != TOKEN_WORD && token.kind != TOKEN_LEFT_BRACE) {
        (void)err_set(err, -EINVAL, "a series is missing");
        return NULL;
    }
    *ret_rest = line + lexer.at;
    return labels_builder_finish(&builder);
}

/* A number at *at, up to + - x or the end. */
static bool read_value(const char **at, const char *end, double *ret)
{
    const char *from = *at;
    const char *to = from;
    char digits[64];
    size_t n = 0;

    if (to < end && (*to == '+' || *to == '-'))
        to++;
    while (to < end && *to != 'x' && ((*to != '+' && *to != '-') || to[-1] == 'e' || to[-1] == 'E'))
        to++;
    for (const char *c = from; c < to && n < sizeof(digits) - 1; c++)
        if (*c != '_')
            digits[n++] = *c;
    digits[n] = '\0';
    *at = to;
    return float_parse(digits, n, ret) == 0;
}

struct positions {
    struct series_position *at;
    size_t n, capacity;
};

static bool add_position(struct positions *positions, bool gap, double value)
{
    if (positions->n >= SERIES_TEXT_MAX)
        return false;
    positions->at = mem_grow(positions->at, &positions->capacity, positions->n + 1,
                             sizeof(*positions->at));
    positions->at[positions->n++] = (struct series_position){gap, value};
    return true;
}

/* `xN` at *at; n_times is 0 when there is none. */
static bool read_times(const char **at, const char *end, unsigned long *ret_times)
{
    char *stop;

    *ret_times = 0;
    if (*at == end)
        return true;
    if (**at != 'x')
        return false;
    *ret_times = strtoul(*at + 1, &stop, 10);
    bool whole = stop == end && stop > *at + 1;
    *at = end;
    return whole;
}

/* One item: `_`, `_x3`, `stale`, `1`, `1x3`, `1+2x3`. */
static bool read_item(const char *item, const char *end, struct positions *positions)
{
    size_t len = (size_t)(end - item);
    unsigned long times = 0;
    double value;
    double step = 0;

    if (*item == '_') {
        const char *at = item + 1;

        if (!read_times(&at, end, &times))
            return false;
        for (unsigned long i = 0; i < (len == 1 ? 1 : times); i++)
            if (!add_position(positions, true, 0))
                return false;
        return true;
    }
    if (len == 5 && memcmp(item, "stale", 5) == 0)
        return add_position(positions, false, sample_stale());
    if (!read_value(&item, end, &value))
        return false;
    bool stepped = item < end && *item != 'x';
    if ((stepped && !read_value(&item, end, &step)) || (stepped && item == end) ||
        !read_times(&item, end, &times))
        return false;
    for (unsigned long i = 0; i <= times; i++) {
        if (!add_position(positions, false, value))
            return false;
        value += step;
    }
    return true;
}

bool series_text_values(const char *text,
                        struct series_position **ret_positions,
                        size_t *ret_n,
                        struct err *err)
{
    struct positions positions = {0};

    for (;;) {
        text += strspn(text, " \t");
        size_t len = strcspn(text, " \t\r\n");
        if (!len)
            break;
        if (!read_item(text, text + len, &positions)) {
            (void)err_set(err, -EINVAL, "not a value: %.*s", (int)len, text);
            free(positions.at);
            return false;
        }
        text += len;
    }
    *ret_positions = positions.at;
    *ret_n = positions.n;
    return true;
}

bool fake_source_load(struct fake_source *fake, int64_t step_ms, const char *line, struct err *err)
{
    struct series_position *positions = NULL;
    const char *rest = NULL;
    size_t n = 0;
    const struct labels *labels = series_text_labels(line, &rest, err);

    if (!labels)
        return false;
    bool ok = series_text_values(rest, &positions, &n, err);
    for (size_t i = 0; ok && i < n; i++)
        if (!positions[i].gap)
            fake_source_put(fake, labels, (int64_t)i * step_ms, positions[i].value);
    free(positions);
    labels_unref(labels);
    return ok;
}
