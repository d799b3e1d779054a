/*
 * Tables as people paste them, made into tables as md4c reads them. See markdown.h.
 *
 *     Some words              Some words
 *     | a | b |        -->    (an empty line)
 *     |-|--|                  | a | b |
 *     | 1 | 2 |               |---|---|
 *
 * Only a line of dashes, colons, pipes and spaces right below a line with a pipe is
 * touched, and nothing inside fenced code.
 */

#include <string.h>

#include "alertd/postmortem/markdown.h"

struct line {
    const char *text;
    size_t len; /* without its line break */
};

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_delimiter_row(const struct line *line)
{
    bool dash = false;
    bool pipe = false;

    for (size_t i = 0; i < line->len; i++) {
        dash |= line->text[i] == '-';
        pipe |= line->text[i] == '|';
        if (!is_one_of(line->text[i], "-|: \t\r"))
            return false;
    }
    return dash && pipe;
}

static bool has_pipe(const struct line *line)
{
    return line->len && memchr(line->text, '|', line->len);
}

static bool is_empty(const struct line *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (!is_one_of(line->text[i], " \t\r"))
            return false;
    return true;
}

/* A line that opens or closes fenced code. */
static bool is_fence(const struct line *line)
{
    size_t at = 0;

    while (at < line->len && at < 3 && line->text[at] == ' ')
        at++;
    return line->len - at >= 3 &&
           (memcmp(line->text + at, "```", 3) == 0 || memcmp(line->text + at, "~~~", 3) == 0);
}

static void add_widened(const struct line *line, struct str *out)
{
    for (size_t i = 0; i < line->len;) {
        size_t dashes = 0;

        while (i + dashes < line->len && line->text[i + dashes] == '-')
            dashes++;
        if (!dashes) {
            str_addc(out, line->text[i++]);
            continue;
        }
        for (size_t k = 0; k < dashes || k < 3; k++)
            str_addc(out, '-');
        i += dashes;
    }
}

static struct line line_at(const char *text, size_t len, size_t at)
{
    const char *end = memchr(text + at, '\n', len - at);

    return (struct line){text + at, end ? (size_t)(end - text) - at : len - at};
}

void markdown_mend_tables(const char *text, size_t len, struct str *out)
{
    struct line before = {"", 0}; /* the line above `line` */
    bool in_fence = false;
    bool widen = false; /* this line is the delimiter row of the one before */

    for (size_t at = 0; at < len;) {
        struct line line = line_at(text, len, at);
        size_t next = at + line.len + 1;
        struct line below = next < len ? line_at(text, len, next) : (struct line){"", 0};

        in_fence ^= is_fence(&line);
        bool heads_table = !in_fence && !widen && has_pipe(&line) && !is_delimiter_row(&line) &&
                           is_delimiter_row(&below);

        if (heads_table && !is_empty(&before) && !has_pipe(&before))
            str_addc(out, '\n');
        if (widen)
            add_widened(&line, out);
        else
            str_addn(out, line.text, line.len);
        if (next <= len)
            str_addc(out, '\n');
        widen = heads_table;
        before = line;
        at = next;
    }
}
