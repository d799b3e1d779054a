/*
 * iCalendar's lines: unfolded, split, and the small values they hold. See calendar_private.h.
 */

#include <ctype.h>
#include <string.h>

#include "alertd/oncall/calendar_private.h"
#include "lib/base/clock.h"

enum {
    LINE_LEN_MAX = 16 * 1024
};

static int fail(const struct lines *lines, unsigned line, int code, const char *words)
{
    return -err_at(lines->reterr, code, line, 1, "%s", words);
}

/* Length of the physical line at `at`, without its line break. */
static size_t physical(const char *at, const char *end)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t len = (size_t)((stop ? stop : end) - at);

    return len > 0 && at[len - 1] == '\r' ? len - 1 : len;
}

static const char *behind(const char *at, const char *end)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));

    return stop ? stop + 1 : end;
}

static bool goes_on(const char *at, const char *end)
{
    return at < end && (*at == ' ' || *at == '\t');
}

/* The next line with what is folded behind it, in the arena; *ret NULL at the end. */
static int unfold(struct lines *lines, char **ret)
{
    size_t len = 0;
    unsigned n = 1;
    const char *at = lines->at;

    *ret = NULL;
    if (at >= lines->end)
        return 0;
    len = physical(at, lines->end);
    for (at = behind(at, lines->end); goes_on(at, lines->end); at = behind(at, lines->end), n++)
        len += physical(at + 1, lines->end);
    if (len > LINE_LEN_MAX)
        return fail(lines, lines->line, CALENDAR_E_LIMIT, "a line of more than 16 KiB");
    char *text = arena_array(lines->arena, len + 1, 1);

    if (!text)
        return fail(lines, lines->line, CALENDAR_E_LIMIT, "more than the memory set aside holds");
    size_t used = physical(lines->at, lines->end);

    memcpy(text, lines->at, used);
    for (at = behind(lines->at, lines->end); goes_on(at, lines->end); at = behind(at, lines->end)) {
        size_t more = physical(at + 1, lines->end);
        memcpy(text + used, at + 1, more);
        used += more;
    }
    lines->at = at;
    lines->line += n;
    *ret = text;
    return 0;
}

/* Cuts NAME;PARAMS:VALUE into three; a colon within quotes belongs to a parameter. */
static bool split(char *text, struct property *ret)
{
    char *c = text;
    bool in_quotes = false;

    while (isalnum((unsigned char)*c) || *c == '-' || *c == '_') {
        *c = (char)toupper((unsigned char)*c);
        c++;
    }
    if (c == text || (*c != ';' && *c != ':'))
        return false;
    char *params = c;

    while (*c && (in_quotes || *c != ':')) {
        in_quotes ^= *c == '"';
        c++;
    }
    if (!*c)
        return false;
    *c = '\0';
    ret->name = text;
    ret->params = params;
    if (*params == ';')
        *params++ = '\0';
    ret->params = params;
    ret->value = c + 1;
    return true;
}

int lines_next(struct lines *lines, struct property *ret)
{
    for (;;) {
        unsigned line = lines->line;
        char *text = NULL;
        int rc = unfold(lines, &text);

        if (rc || !text)
            return rc;
        if (!*text)
            continue;
        if (strlen(text) >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
            text += 3;
        if (!split(text, ret))
            return fail(lines, line, CALENDAR_E_SYNTAX,
                        "expected NAME:value, as every line of a calendar is");
        ret->line = line;
        return 1;
    }
}

const char *property_param(const struct property *property, const char *name, struct arena *arena)
{
    size_t len = strlen(name);
    const char *at = property->params;

    while (*at) {
        const char *stop = at;
        bool in_quotes = false;

        while (*stop && (in_quotes || *stop != ';'))
            in_quotes ^= *stop++ == '"';
        if (strncasecmp(at, name, len) == 0 && at[len] == '=') {
            const char *begin = at + len + 1;
            size_t n = (size_t)(stop - begin);

            if (n >= 2 && begin[0] == '"' && begin[n - 1] == '"') {
                begin++;
                n -= 2;
            }
            return arena_strndup(arena, begin, n);
        }
        at = *stop ? stop + 1 : stop;
    }
    return NULL;
}

static bool digits(const char *text, size_t n, int *ret)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        value = value * 10 + text[i] - '0';
    }
    *ret = value;
    return true;
}

/* 20260105, 20260105T090000 or 20260105T090000Z */
bool written_parse(const char *text, size_t len, struct written *ret)
{
    struct written made = {.is_date = len == 8, .is_utc = len == 16};
    struct zone_local *at = &made.local;

    if ((len != 8 && len != 15 && len != 16) || !digits(text, 4, &at->year) ||
        !digits(text + 4, 2, &at->month) || !digits(text + 6, 2, &at->day))
        return false;
    if (at->year < 1 || at->month < 1 || at->month > 12 || at->day < 1 || at->day > 31)
        return false;
    if (len > 8 && (text[8] != 'T' || !digits(text + 9, 2, &at->hour) ||
                    !digits(text + 11, 2, &at->minute) || !digits(text + 13, 2, &at->second)))
        return false;
    if (len == 16 && text[15] != 'Z')
        return false;
    struct clock_utc back = clock_split_utc(clock_days_from_civil(at->year, at->month, at->day) *
                                            86400000);

    *ret = made;
    return back.day == at->day && at->hour < 24 && at->minute < 60 && at->second < 61;
}
