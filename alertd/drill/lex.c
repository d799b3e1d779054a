/*
 * Lines and tokens of a drill file. See lex.h.
 */

#include "alertd/drill/lex.h"

#include <stdbool.h>
#include <string.h>

#include "alertd/drill/drill.h"

struct lexer {
    const char *at, *end, *line_start;
    unsigned line;
    struct arena *arena;
    struct err *err;
};

static unsigned column(const struct lexer *lexer, const char *at)
{
    unsigned n = 1;

    for (const char *c = lexer->line_start; c < at; c++)
        n += ((unsigned char)*c & 0xc0) != 0x80;
    return n;
}

static int spent(const struct lexer *lexer)
{
    return err_at(lexer->err, DRILL_E_FILE, lexer->line, 1, "the file is too large");
}

/* From the quote on; the token keeps what is between them. */
static int lex_text(struct lexer *lexer, struct drill_token *token)
{
    const char *start = lexer->at;
    bool is_pattern = token->kind == DRILL_PATTERN;
    char *text = arena_alloc(lexer->arena, (size_t)(lexer->end - start) + 1);
    size_t n = 0;

    if (!text)
        return spent(lexer);
    for (lexer->at++; lexer->at < lexer->end && *lexer->at != '"'; lexer->at++) {
        char next = lexer->at + 1 < lexer->end ? lexer->at[1] : '\0';

        if (*lexer->at != '\\' || (is_pattern && next != '"')) {
            text[n++] = *lexer->at;
            /* a pattern's backslash takes what follows along: \\" is a backslash and the end */
            if (*lexer->at == '\\' && next == '\\')
                text[n++] = *++lexer->at;
            continue;
        }
        if (next != '"' && next != '\\' && next != 'n')
            return err_at(lexer->err, DRILL_E_FILE, lexer->line, column(lexer, lexer->at),
                          "in a text a backslash stands before \", \\ or n");
        text[n++] = next == 'n' ? '\n' : next;
        lexer->at++;
    }
    if (lexer->at == lexer->end)
        return err_at(lexer->err, DRILL_E_FILE, lexer->line, column(lexer, start),
                      "this text has no end: a \" is missing on the line");
    lexer->at++;
    token->text = text;
    return 0;
}

static int lex_word(struct lexer *lexer, struct drill_token *token)
{
    const char *start = lexer->at;
    bool in_braces = false, in_quotes = false;

    for (; lexer->at < lexer->end; lexer->at++) {
        char c = *lexer->at;

        if (in_quotes && c == '\\' && lexer->at + 1 < lexer->end)
            lexer->at++;
        else if (in_braces && c == '"')
            in_quotes = !in_quotes;
        else if (!in_quotes && (c == '{' || c == '}'))
            in_braces = c == '{';
        else if (!in_braces && (c == ' ' || c == '\t' || c == '"'))
            break;
    }
    if (in_braces)
        return err_at(lexer->err, DRILL_E_FILE, lexer->line, column(lexer, start),
                      "a } is missing on this line");
    token->text = arena_strndup(lexer->arena, start, (size_t)(lexer->at - start));
    return token->text ? 0 : spent(lexer);
}

static int lex_token(struct lexer *lexer, struct drill_token *token)
{
    *token = (struct drill_token){.kind = DRILL_WORD, .column = column(lexer, lexer->at)};
    if (*lexer->at == '~' && lexer->at + 1 < lexer->end && lexer->at[1] == '"') {
        lexer->at++;
        token->kind = DRILL_PATTERN;
    } else if (*lexer->at == '"') {
        token->kind = DRILL_TEXT;
    }
    return token->kind == DRILL_WORD ? lex_word(lexer, token) : lex_text(lexer, token);
}

/* lexer->at to lexer->end are one line. */
static int lex_line(struct lexer *lexer, struct drill_token *room, struct drill_line *line)
{
    while (true) {
        while (lexer->at < lexer->end && (*lexer->at == ' ' || *lexer->at == '\t'))
            lexer->at++;
        if (lexer->at == lexer->end)
            break;
        if (*lexer->at == '#') {
            while (lexer->end[-1] == ' ' || lexer->end[-1] == '\t')
                lexer->end--;
            line->comment = arena_strndup(lexer->arena, lexer->at,
                                          (size_t)(lexer->end - lexer->at));
            if (!line->comment)
                return spent(lexer);
            break;
        }
        if (line->n == DRILL_TOKENS_MAX)
            return err_at(lexer->err, DRILL_E_FILE, lexer->line, column(lexer, lexer->at),
                          "more than %d words on a line", DRILL_TOKENS_MAX);

        int r = lex_token(lexer, &room[line->n]);

        if (r)
            return r;
        line->n++;
    }
    line->tokens = arena_room(lexer->arena, line->n + 1, sizeof(*room));
    if (!line->tokens)
        return spent(lexer);
    if (line->n)
        memcpy(line->tokens, room, line->n * sizeof(*room));
    return 0;
}

static int check_bytes(const char *text, size_t len, struct err *err)
{
    unsigned line = 1;

    if (len > DRILL_BYTES_MAX)
        return err_set(err, DRILL_E_FILE, "a drill is at most %d KiB of text",
                       DRILL_BYTES_MAX / 1024);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
            return err_at(err, DRILL_E_FILE, line, 1,
                          c == '\r' ? "a line ends with \\r: save the file with Unix line ends"
                                    : "a control character: a drill is plain text");
        line += c == '\n';
    }
    if (!labels_text_ok(text, len))
        return err_set(err, DRILL_E_FILE, "this is not UTF-8 text");
    return 0;
}

int drill_lex(const char *text,
              size_t len,
              struct arena *arena,
              struct drill_lines *ret_lines,
              struct err *reterr)
{
    struct lexer lexer = {.arena = arena, .err = reterr};
    const char *at = text, *end = text + len;
    size_t n_lines = 1;
    int r = check_bytes(text, len, reterr);

    if (r)
        return r;
    for (size_t i = 0; i < len; i++)
        n_lines += text[i] == '\n';

    struct drill_token *room = arena_array(arena, DRILL_TOKENS_MAX, sizeof(*room));

    ret_lines->at = arena_array(arena, n_lines, sizeof(*ret_lines->at));
    if (!room || !ret_lines->at)
        return spent(&lexer);
    for (lexer.line = 1; at < end; lexer.line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        lexer.at = lexer.line_start = at;
        lexer.end = newline ? newline : end;
        at = newline ? newline + 1 : end;
        ret_lines->at[ret_lines->n].number = lexer.line;
        r = lex_line(&lexer, room, &ret_lines->at[ret_lines->n]);
        if (r)
            return r;
        ret_lines->n++;
    }
    return 0;
}
