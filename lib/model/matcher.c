/*
 * One condition on one label. See matcher.h.
 *
 * A pattern is first read as a list of alternatives, each
 *
 *     [any] literal [any]        any = `.*` or `.+`
 *
 * which covers two thirds of the patterns in real alert rules: `a|b|c`, `foo.*`,
 * `.*foo`, `.*foo.*`, `.+`. Literals are kept sorted and found by bisection; the
 * others are tried in turn. Whatever does not fit this form goes to RE2 as it is.
 * (`.` matches every character here, newline too, so `.+` is "not empty".)
 */

#include "lib/model/matcher.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bug.h"
#include "lib/base/mem.h"
#include "lib/model/quote.h"
#include "lib/regex/regex.h"

enum any {
    ANY_NONE,
    ANY_STAR, /* .* */
    ANY_PLUS, /* .+ */
};

struct alternative {
    char *literal;
    size_t len;
    enum any before, after;
};

struct matcher_pattern {
    struct regex *regex; /* NULL: the alternatives say it all */
    char **literals;     /* sorted */
    size_t n_literals;
    struct alternative *open; /* those with an any */
    size_t n_open;
};

static enum any read_any(const char **at, const char *end)
{
    enum any any = ANY_NONE;

    if (end - *at >= 2 && (*at)[0] == '.' && ((*at)[1] == '*' || (*at)[1] == '+')) {
        any = (*at)[1] == '*' ? ANY_STAR : ANY_PLUS;
        *at += 2;
        if (*at < end && **at && strchr("*+?{", **at)) /* lazy, or a mistake: RE2's job */
            *at -= 2;
    }
    return any;
}

/* The literal text at *at into text; stops at the first thing that is not literal. */
static size_t read_literal(const char **at, const char *end, char *text)
{
    size_t len = 0;

    for (; *at < end; ++*at) {
        const char *c = *at;

        if (*c == '\\' && c + 1 < end && strchr("\\.+*?()|[]{}^$-/_:, \"", c[1]))
            c = ++*at;
        else if (strchr("\\.+*?()|[]{}^$", *c))
            break;
        text[len++] = *c;
    }
    text[len] = '\0';
    return len;
}

/* One alternative of `[at, end)`; false when it is not of our form. */
static bool read_alternative(const char *at, const char *end, struct alternative *ret)
{
    struct alternative made = {.literal = mem_alloc((size_t)(end - at) + 1)};

    made.before = read_any(&at, end);
    made.len = read_literal(&at, end, made.literal);
    made.after = read_any(&at, end);
    if (at != end || (made.len == 0 && made.before && made.after)) {
        free(made.literal);
        return false;
    }
    *ret = made;
    return true;
}

static void free_alternatives(struct matcher_pattern *pattern)
{
    for (size_t i = 0; i < pattern->n_literals; i++)
        free(pattern->literals[i]);
    for (size_t i = 0; i < pattern->n_open; i++)
        free(pattern->open[i].literal);
    free(pattern->literals);
    free(pattern->open);
    *pattern = (struct matcher_pattern){0};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_alternative(struct matcher_pattern *pattern, struct alternative made, size_t room)
{
    if (!made.before && !made.after) {
        if (!pattern->literals)
            pattern->literals = mem_alloc(room * sizeof(*pattern->literals));
        pattern->literals[pattern->n_literals++] = made.literal;
        return;
    }
    if (!pattern->open)
        pattern->open = mem_alloc(room * sizeof(*pattern->open));
    pattern->open[pattern->n_open++] = made;
}

/* `(…)` and `(?:…)` around everything mean nothing here: step inside. */
static void strip_group(const char **at, const char **end)
{
    size_t len = (size_t)(*end - *at);
    const char *inside = *at + (len > 3 && strncmp(*at, "(?:", 3) == 0 ? 3 : 1);

    if (len < 2 || **at != '(' || (*end)[-1] != ')')
        return;
    for (const char *c = inside; c < *end - 1; c++)
        if (strchr("()\\?", *c))
            return;
    *at = inside;
    *end -= 1;
}

static size_t count_alternatives(const char *at, const char *end)
{
    size_t n = 1;

    for (; at < end; at++)
        n += *at == '|';
    return n;
}

/* `\|` is no divider, and a `|` inside a group or class is not ours to find:
 * read_alternative() refuses what such a cut leaves over. */
static const char *alternative_end(const char *at, const char *end)
{
    for (; at < end && *at != '|'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return at;
}

static bool read_alternatives(struct matcher_pattern *pattern, const char *text)
{
    const char *end = text + strlen(text);

    strip_group(&text, &end);
    size_t room = count_alternatives(text, end);
    for (;;) {
        const char *cut = alternative_end(text, end);
        struct alternative made;

        if (!read_alternative(text, cut, &made)) {
            free_alternatives(pattern);
            return false;
        }
        add_alternative(pattern, made, room);
        if (cut == end)
            break;
        text = cut + 1;
    }
    if (pattern->n_literals)
        qsort(pattern->literals, pattern->n_literals, sizeof(*pattern->literals), by_text);
    return true;
}

static bool open_matches(const struct alternative *open, const char *value, size_t len)
{
    size_t least = open->len + (open->before == ANY_PLUS) + (open->after == ANY_PLUS);

    if (len < least)
        return false;
    if (!open->before)
        return memcmp(value, open->literal, open->len) == 0;
    if (!open->after)
        return memcmp(value + len - open->len, open->literal, open->len) == 0;
    size_t skip = open->before == ANY_PLUS;
    size_t keep = open->after == ANY_PLUS;
    return memmem(value + skip, len - skip - keep, open->literal, open->len) != NULL;
}

static bool pattern_matches(const struct matcher_pattern *pattern, const char *value)
{
    size_t len = strlen(value);

    if (pattern->regex)
        return regex_matches_all(pattern->regex, value, len);
    for (size_t low = 0, high = pattern->n_literals; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(value, pattern->literals[middle]);

        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    for (size_t i = 0; i < pattern->n_open; i++)
        if (open_matches(&pattern->open[i], value, len))
            return true;
    return false;
}

int matcher_init(struct matcher *ret_matcher,
                 enum matcher_type type,
                 const char *name,
                 const char *value,
                 struct err *reterr)
{
    struct matcher_pattern *pattern = NULL;

    if (type == MATCHER_REGEX || type == MATCHER_NOT_REGEX) {
        pattern = mem_zalloc(sizeof(*pattern));
        if (!read_alternatives(pattern, value) && regex_new(value, &pattern->regex, reterr)) {
            free(pattern);
            return MATCHER_E_REGEX;
        }
    }
    *ret_matcher = (struct matcher){
        .type = type,
        .name = mem_strdup(name),
        .value = mem_strdup(value),
        .pattern = pattern,
    };
    return 0;
}

void matcher_done(struct matcher *matcher)
{
    free(matcher->name);
    free(matcher->value);
    if (matcher->pattern) {
        regex_free(matcher->pattern->regex);
        free_alternatives(matcher->pattern);
        free(matcher->pattern);
    }
    *matcher = (struct matcher){0};
}

bool matcher_matches(const struct matcher *matcher, const char *value)
{
    switch (matcher->type) {
    case MATCHER_EQUAL: return strcmp(matcher->value, value) == 0;
    case MATCHER_NOT_EQUAL: return strcmp(matcher->value, value) != 0;
    case MATCHER_REGEX: return pattern_matches(matcher->pattern, value);
    case MATCHER_NOT_REGEX: return !pattern_matches(matcher->pattern, value);
    }
    UNREACHABLE("matcher type");
}

bool matchers_match(const struct matcher *matchers, size_t n, const struct labels *labels)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = labels_get(labels, matchers[i].name);

        if (!matcher_matches(&matchers[i], value ? value : ""))
            return false;
    }
    return true;
}

const char *const *matcher_literals(const struct matcher *matcher, size_t *ret_n)
{
    const struct matcher_pattern *pattern = matcher->pattern;

    if (matcher->type != MATCHER_REGEX || pattern->regex || pattern->n_open)
        return NULL;
    *ret_n = pattern->n_literals;
    return (const char *const *)pattern->literals;
}

void matcher_print(const struct matcher *matcher, struct str *out)
{
    static const char *const signs[] = {
        [MATCHER_EQUAL] = "=",
        [MATCHER_NOT_EQUAL] = "!=",
        [MATCHER_REGEX] = "=~",
        [MATCHER_NOT_REGEX] = "!~",
    };

    if (labels_name_is_classic(matcher->name) && !strchr(matcher->name, ':'))
        str_add(out, matcher->name);
    else
        quote_add(out, matcher->name, strlen(matcher->name));
    str_add(out, signs[matcher->type]);
    quote_add(out, matcher->value, strlen(matcher->value));
}
