/*
 * A line-based front to the parser, for conformance tables kept in other languages:
 * reads one expression per line (escaped as a JSON string's inside: \n \t \\ \uXXXX are
 * left to the caller, who sends %XX for bytes below space and for %), answers one line:
 *
 *     ok TAB printed form                 error TAB line TAB column TAB words
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/promql.h"

static int hex(char c)
{
    const char *digits = "0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : 0;
}

static void undo_percent(char *text)
{
    char *out = text;

    for (; *text; text++) {
        if (*text == '%' && text[1] && text[2]) {
            *out++ = (char)(hex(text[1]) * 16 + hex(text[2]));
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static void answer(const char *text)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str printed = STR_INIT(1 << 20);
    struct promql_expr *expr;
    struct err err = {0};

    arena_init(&arena, 16 << 20);
    if (promql_parse(&arena, text, &expr, &err)) {
        printf("error\t%u\t%u\t%s\n", err.line, err.column, err.text);
        return;
    }
    promql_print(expr, &printed);
    printf("ok\t%s\n", str_text(&printed));
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    promql_allow_experimental(); /* the tables were made with all of it on */
    while ((n = getline(&line, &size, stdin)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        undo_percent(line);
        answer(line);
        (void)fflush(stdout);
    }
    free(line);
    return 0;
}
