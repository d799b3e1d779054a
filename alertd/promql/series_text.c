/*
 * Series as text. See series_text.h.
 */

#include "alertd/promql/series_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/token.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/model/sample.h"

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
        value += step; /* added again and again, as promtool does: it shows in the last bits */
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
