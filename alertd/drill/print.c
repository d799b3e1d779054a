/*
 * A drill as text again: its lines with one blank between words, indented by what they
 * belong to, comments kept, one empty line at most.
 */

#include <string.h>

#include "alertd/drill/drill.h"

static void print_text(const struct drill_token *token, struct str *out)
{
    str_add(out, token->kind == DRILL_PATTERN ? "~\"" : "\"");
    for (const char *c = token->text; *c; c++) {
        if (*c == '"') /* a pattern's other backslashes are as they were written */
            str_add(out, "\\\"");
        else if (*c == '\\' && token->kind == DRILL_TEXT)
            str_add(out, "\\\\");
        else if (*c == '\n')
            str_add(out, "\\n");
        else
            str_addc(out, *c);
    }
    str_addc(out, '"');
}

static void print_line(const struct drill_line *line, struct str *out)
{
    if (line->n || line->comment)
        for (unsigned i = 0; i < line->depth; i++)
            str_add(out, "    ");
    for (size_t i = 0; i < line->n; i++) {
        if (i)
            str_addc(out, ' ');
        if (line->tokens[i].kind == DRILL_WORD)
            str_add(out, line->tokens[i].text);
        else
            print_text(&line->tokens[i], out);
    }
    if (line->comment)
        str_addf(out, "%s%s", line->n ? " " : "", line->comment);
    str_addc(out, '\n');
}

void drill_print(const struct drill *drill, struct str *out)
{
    bool was_empty = true;
    size_t n = drill->lines.n;

    while (n > 0 && drill->lines.at[n - 1].n == 0 && !drill->lines.at[n - 1].comment)
        n--;
    for (size_t i = 0; i < n; i++) {
        bool is_empty = drill->lines.at[i].n == 0 && !drill->lines.at[i].comment;

        if (!is_empty || !was_empty)
            print_line(&drill->lines.at[i], out);
        was_empty = is_empty;
    }
}
