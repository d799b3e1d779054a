/*
 * Regular expressions without an engine, where they can do without. See pattern.h.
 *
 *     (?i)web-(a|b)\..+         the text
 *     web-a\..+  web-b\..+      pattern_expand(): groups multiplied out, one text for each
 *                               alternative
 *     "web-a." ONE STAR         read_alternative(): literal bytes, ONE for any character,
 *                               STAR for any number of them
 *
 * An alternative without ONE and STAR is a literal; those are sorted and found by bisection:
 * a set. Of the others `foo.*`, `.*foo` and `.*foo.*` are compared at their place, the rest
 * walks as file name patterns do. That covers most of the patterns in real alert rules; what is
 * left over (classes, repetitions, assertions) goes to RE2 as it is.
 *
 * With (?i) the literals are in lower case and so is the value they are compared with, as
 * long as both are ASCII: other letters have more than two cases, and RE2 knows them.
 */

#include "lib/model/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/model/labels.h"
#include "lib/model/pattern_expand.h"
#include "lib/regex/regex.h"

enum {
    ONE = 1,  /* these two never stand in a text for themselves: such a pattern is RE2's */
    STAR = 2, /* */
    FOLDED_BYTES_MAX = 512,
};

enum form {
    PREFIX,   /* foo.* */
    SUFFIX,   /* .*foo */
    CONTAINS, /* .*foo.* */
    ANYTHING, /* any other */
};

struct alternative {
    enum form form;
    char *codes; /* all of it */
    size_t len;
    const char *literal; /* of the first three forms: within codes */
    size_t literal_len;
};

struct matcher_pattern {
    struct regex *regex; /* NULL: the alternatives say it all */
    bool quick;          /* the alternatives say it, for ASCII values at least */
    bool folds;          /* they are in lower case */
    char **literals;     /* sorted */
    size_t n_literals;
    struct alternative *open; /* those that are no literal */
    size_t n_open;
};

/* --- Reading ------------------------------------------------------------------------------- */

/* `.`, `.*`, `.+` and their lazy forms, which match the same. False: a repetition of another
 * kind, or a mistake. */
static bool read_dot(const char **at, char *codes, size_t *len)
{
    const char *c = *at + 1;

    if (*c != '*')
        codes[(*len)++] = ONE;
    if (*c == '*' || *c == '+') {
        codes[(*len)++] = STAR;
        c += c[1] == '?' ? 2 : 1;
    }
    *at = c;
    return !*c || !strchr("*+?{", *c);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* One literal character, perhaps escaped. False: it is something else. */
static bool read_char(const char **at, bool folds, char *codes, size_t *len)
{
    const char *c = *at;

    if (*c == '\\' && c[1] && strchr("\\.+*?()|[]{}^$-/_:, \"", c[1]))
        c++;
    else if (strchr("\\.+*?()|[]{}^$", *c))
        return false;
    if (*c == ONE || *c == STAR || (folds && (unsigned char)*c >= 0x80))
        return false;
    codes[(*len)++] = folds ? lower(*c) : *c;
    *at = c + 1;
    return !**at || !strchr("*+?{", **at);
}

static bool read_alternative(const char *text, bool folds, struct alternative *ret)
{
    struct alternative made = {.codes = mem_alloc(2 * strlen(text) + 1)};
    bool fine = true;

    for (const char *at = text; fine && *at;)
        fine = *at == '.' ? read_dot(&at, made.codes, &made.len)
                          : read_char(&at, folds, made.codes, &made.len);
    made.codes[made.len] = '\0';
    if (!fine) {
        free(made.codes);
        return false;
    }
    *ret = made;
    return true;
}

static bool has_code(const char *codes, size_t len)
{
    return memchr(codes, ONE, len) || memchr(codes, STAR, len);
}

/* Finds the form of an alternative that has codes in it. */
static void find_form(struct alternative *alternative)
{
    bool before = alternative->codes[0] == STAR;
    bool after = alternative->len > 1 && alternative->codes[alternative->len - 1] == STAR;

    alternative->literal = alternative->codes + before;
    alternative->literal_len = alternative->len - before - after;
    if (!(before || after) || has_code(alternative->literal, alternative->literal_len))
        alternative->form = ANYTHING;
    else
        alternative->form = !before ? PREFIX : after ? CONTAINS : SUFFIX;
}

static void add_alternative(struct matcher_pattern *pattern, struct alternative made, size_t room)
{
    if (!has_code(made.codes, made.len)) {
        if (!pattern->literals)
            pattern->literals = mem_alloc(room * sizeof(*pattern->literals));
        pattern->literals[pattern->n_literals++] = made.codes;
        return;
    }
    if (!pattern->open)
        pattern->open = mem_alloc(room * sizeof(*pattern->open));
    find_form(&made);
    pattern->open[pattern->n_open++] = made;
}

static void free_alternatives(struct matcher_pattern *pattern)
{
    for (size_t i = 0; i < pattern->n_literals; i++)
        free(pattern->literals[i]);
    for (size_t i = 0; i < pattern->n_open; i++)
        free(pattern->open[i].codes);
    free(pattern->literals);
    free(pattern->open);
    pattern->literals = NULL;
    pattern->open = NULL;
    pattern->n_literals = pattern->n_open = 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool read_alternatives(struct matcher_pattern *pattern, const char *text)
{
    struct pattern_texts texts = {0};
    bool fine = labels_text_ok(text, strlen(text)) && pattern_expand(text, &texts);

    for (size_t i = 0; fine && i < texts.n; i++) {
        struct alternative made;

        fine = read_alternative(texts.at[i], pattern->folds, &made);
        if (fine)
            add_alternative(pattern, made, texts.n);
    }
    pattern_texts_done(&texts);
    if (!fine)
        free_alternatives(pattern);
    if (pattern->n_literals)
        qsort(pattern->literals, pattern->n_literals, sizeof(*pattern->literals), by_text);
    return fine;
}

struct matcher_pattern *pattern_new(const char *text, struct err *reterr)
{
    struct matcher_pattern *pattern = mem_zalloc(sizeof(*pattern));

    pattern->folds = strncmp(text, "(?i)", 4) == 0;
    pattern->quick = read_alternatives(pattern, text + (pattern->folds ? 4 : 0));
    if (pattern->quick && !pattern->folds)
        return pattern;
    if (regex_new(text, &pattern->regex, reterr)) {
        pattern_free(pattern);
        return NULL;
    }
    return pattern;
}

void pattern_free(struct matcher_pattern *pattern)
{
    if (!pattern)
        return;
    regex_free(pattern->regex);
    free_alternatives(pattern);
    free(pattern);
}

/* --- Matching ------------------------------------------------------------------------------ */

/* The byte behind the character at `at`. */
static const char *past_char(const char *at, const char *end)
{
    do
        at++;
    while (at < end && ((unsigned char)*at & 0xc0) == 0x80);
    return at;
}

/* As file names are matched: after a mismatch the last STAR takes one character more. */
static bool walk(const struct alternative *open, const char *value, const char *end)
{
    const char *code = open->codes;
    const char *codes_end = code + open->len;
    const char *star = NULL; /* behind the last one passed */
    const char *taken = NULL;

    while (value < end) {
        if (code < codes_end && *code == STAR) {
            star = ++code;
            taken = value;
        } else if (code < codes_end && *code == ONE) {
            code++;
            value = past_char(value, end);
        } else if (code < codes_end && *code == *value) {
            code++;
            value++;
        } else if (star) {
            taken = past_char(taken, end);
            value = taken;
            code = star;
        } else {
            return false;
        }
    }
    while (code < codes_end && *code == STAR)
        code++;
    return code == codes_end;
}

static bool open_matches(const struct alternative *open, const char *value, size_t len)
{
    size_t least = open->literal_len;

    switch (open->form) {
    case PREFIX: return len >= least && memcmp(value, open->literal, least) == 0;
    case SUFFIX: return len >= least && memcmp(value + len - least, open->literal, least) == 0;
    case CONTAINS: return memmem(value, len, open->literal, least) != NULL;
    case ANYTHING: return walk(open, value, value + len);
    }
    return false;
}

static bool quick_matches(const struct matcher_pattern *pattern, const char *value, size_t len)
{
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

/* In lower case into `folded`; false when it is not ASCII, or too long. */
static bool fold(const char *value, size_t len, char *folded)
{
    if (len >= FOLDED_BYTES_MAX)
        return false;
    for (size_t i = 0; i <= len; i++) {
        if ((unsigned char)value[i] >= 0x80)
            return false;
        folded[i] = lower(value[i]);
    }
    return true;
}

bool pattern_matches(const struct matcher_pattern *pattern, const char *value)
{
    char folded[FOLDED_BYTES_MAX];
    size_t len = strlen(value);

    if (!pattern->quick)
        return regex_matches_all(pattern->regex, value, len);
    if (!pattern->folds)
        return quick_matches(pattern, value, len);
    if (fold(value, len, folded))
        return quick_matches(pattern, folded, len);
    return regex_matches_all(pattern->regex, value, len);
}

bool pattern_is_quick(const struct matcher_pattern *pattern)
{
    return pattern->quick;
}
