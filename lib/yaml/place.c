/*
 * Where a byte of a scalar's text is written in the file.
 *
 *   expr: >-          text   "sum(x)  > 1"
 *     sum(x)                    source walked beside it, blank for blank, letter for
 *       > 1                     letter: only white space differs (folding, indentation)
 *
 * In double quotes an escape stands for one character; those for white space are skipped
 * with it, \" \\ \/ are one letter, and any other gives up.
 */

#include <string.h>

#include "lib/yaml/yaml.h"

struct cursor {
    const char *at;
    unsigned line, column;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void advance(struct cursor *cursor)
{
    char c = *cursor->at++;

    if (c == '\n') {
        cursor->line++;
        cursor->column = 1;
    } else if (((unsigned char)*cursor->at & 0xc0) != 0x80) {
        cursor->column++; /* the next byte starts a character: columns are characters */
    }
}

/* To the start of the content: behind the quote, or behind the `|` or `>` line. */
static char skip_opening(struct cursor *cursor)
{
    char opening = *cursor->at;

    if (opening == '|' || opening == '>') {
        while (*cursor->at && *cursor->at != '\n')
            advance(cursor);
    } else if (opening == '"' || opening == '\'') {
        advance(cursor);
    }
    return opening;
}

/* White space, and in double quotes what stands for it. */
static void skip_blank(struct cursor *cursor, char opening)
{
    for (;;) {
        if (is_blank(*cursor->at)) {
            advance(cursor);
        } else if (opening == '"' && *cursor->at == '\\' && cursor->at[1] &&
                   strchr("nrt \n", cursor->at[1])) {
            advance(cursor);
            advance(cursor);
        } else {
            return;
        }
    }
}

/* Steps over what stands for the text's letter c; false when it is something else. */
static bool step_letter(struct cursor *cursor, char opening, char c)
{
    bool escaped = (opening == '"' && *cursor->at == '\\') ||
                   (opening == '\'' && *cursor->at == '\'' && cursor->at[1] == '\'');

    if (escaped)
        advance(cursor);
    if (*cursor->at != c || c == '\0')
        return false;
    advance(cursor);
    return true;
}

void yaml_place(const struct yaml_node *scalar,
                size_t offset,
                unsigned *ret_line,
                unsigned *ret_column)
{
    struct cursor cursor = {scalar->source, scalar->line, scalar->column};

    *ret_line = scalar->line;
    *ret_column = scalar->column;
    if (!scalar->source)
        return;
    char opening = skip_opening(&cursor);
    for (size_t i = 0; i < offset && i < scalar->len; i++) {
        if (is_blank(scalar->text[i]))
            continue;
        skip_blank(&cursor, opening);
        if (!step_letter(&cursor, opening, scalar->text[i]))
            return;
    }
    if (offset < scalar->len && !is_blank(scalar->text[offset]))
        skip_blank(&cursor, opening);
    *ret_line = cursor.line;
    *ret_column = cursor.column;
}
