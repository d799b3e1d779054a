/*
 * Tokens between {{ and }}. Space matters: `.a .b` are two operands, `.a.b` is one.
 */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/float.h"

bool tmpl_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int tmpl_fail_at(const struct tmpl_lexer *lexer, const char *at, const char *fmt, ...)
{
    unsigned line = 1, column = 1;
    char words[ERR_TEXT_MAX];
    va_list ap;

    for (const char *c = lexer->text; c < at; c++) {
        if (*c == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)c[1] & 0xc0) != 0x80) {
            column++; /* columns are characters */
        }
    }
    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    return err_at(lexer->reterr, TMPL_E_SYNTAX, line, column, "%s", words);
}

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || ((unsigned char)c & 0x80);
}

static bool is_word(char c)
{
    return is_word_start(c) || isdigit((unsigned char)c);
}

static size_t word_length(const char *at)
{
    size_t len = 0;

    while (is_word(at[len]))
        len++;
    return len;
}

/* \x41 \u0041 \U00000041 \101: the digits behind at[0]; 0 when they are not that. */
static size_t read_digits(const char *at, size_t n, int base, uint32_t *ret_rune)
{
    char digits[9] = {0};
    char *end;

    for (size_t i = 0; i < n; i++) {
        if (!isxdigit((unsigned char)at[i]))
            return 0;
        digits[i] = at[i];
    }
    *ret_rune = (uint32_t)strtoul(digits, &end, base);
    return *end ? 0 : n;
}

/* One escape behind a backslash; its length, 0 when there is none such. */
static size_t read_escape(const char *at, struct str *out)
{
    static const char plain[] = "abfnrtv\\\"'", meant[] = "\a\b\f\n\r\t\v\\\"'";
    const char *found = *at ? strchr(plain, *at) : NULL;
    uint32_t rune = 0;
    size_t n = 0;

    if (found) {
        str_addc(out, meant[found - plain]);
        return 1;
    }
    if (*at == 'x' || *at == 'u' || *at == 'U') {
        n = read_digits(at + 1, *at == 'x' ? 2 : *at == 'u' ? 4 : 8, 16, &rune);
        n += n ? 1 : 0;
    } else if (*at >= '0' && *at <= '3') {
        n = read_digits(at, 3, 8, &rune);
    }
    if (n == 0 || rune == 0 || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        return 0;
    if ((*at == 'x' || isdigit((unsigned char)*at)) && rune >= 0x80)
        return 0; /* a lone byte: it would not be UTF-8 */
    str_add_rune(out, rune);
    return n;
}

/* "..." with escapes. */
static int lex_quoted(struct tmpl_lexer *lexer, struct tmpl_token *token)
{
    STR_AUTO struct str text = STR_INIT(TMPL_TEXT_MAX);
    const char *at = lexer->at + 1;

    while (*at != '"') {
        if (*at == '\0' || *at == '\n')
            return tmpl_fail_at(lexer, lexer->at, "unterminated quoted text");
        if (*at != '\\') {
            str_addc(&text, *at++);
            continue;
        }
        size_t used = read_escape(at + 1, &text);
        if (used == 0 || at[1] == '\'')
            return tmpl_fail_at(lexer, at, "unknown escape in quoted text");
        at += 1 + used;
    }
    char *copy = arena_strndup(lexer->arena, str_text(&text), text.len);
    if (!copy)
        return tmpl_fail_at(lexer, lexer->at, "template too large");
    token->kind = TOKEN_CONSTANT;
    token->constant = value_text(copy);
    lexer->at = at + 1;
    return 0;
}

/* `...` as it stands. */
static int lex_raw(struct tmpl_lexer *lexer, struct tmpl_token *token)
{
    const char *end = strchr(lexer->at + 1, '`');

    if (!end)
        return tmpl_fail_at(lexer, lexer->at, "unterminated raw text");
    char *copy = arena_strndup(lexer->arena, lexer->at + 1, (size_t)(end - lexer->at - 1));
    if (!copy)
        return tmpl_fail_at(lexer, lexer->at, "template too large");
    token->kind = TOKEN_CONSTANT;
    token->constant = value_text(copy);
    lexer->at = end + 1;
    return 0;
}

/* The number of the first character of valid UTF-8 text, and its length. */
static uint32_t first_rune(const char *text, size_t *ret_len)
{
    unsigned char lead = (unsigned char)text[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t rune = lead < 0x80 ? lead : lead & (0xffU >> (len + 1));

    for (size_t i = 1; i < len; i++)
        rune = rune << 6 | ((unsigned char)text[i] & 0x3f);
    *ret_len = len;
    return rune;
}

/* 'x': the number of the character. */
static int lex_character(struct tmpl_lexer *lexer, struct tmpl_token *token)
{
    STR_AUTO struct str text = STR_INIT(8);
    const char *at = lexer->at + 1;
    size_t len = 0;

    if (*at == '\\') {
        size_t used = at[1] == '"' ? 0 : read_escape(at + 1, &text);

        if (used == 0)
            return tmpl_fail_at(lexer, at, "unknown escape in a character constant");
        at += 1 + used;
    } else if (*at != '\0' && *at != '\'' && *at != '\n') {
        (void)first_rune(at, &len);
        str_addn(&text, at, len);
        at += len;
    } else {
        return tmpl_fail_at(lexer, lexer->at, "a character constant holds one character");
    }
    if (*at != '\'')
        return tmpl_fail_at(lexer, lexer->at, "unterminated character constant");
    token->kind = TOKEN_CONSTANT;
    token->constant = value_int(first_rune(str_text(&text), &len));
    lexer->at = at + 1;
    return 0;
}

/* Digits of a number without Go's underscores; false when it is too long. */
static bool copy_number(const char *at, size_t len, char *digits, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (at[i] == '_')
            continue;
        if (n + 1 >= size)
            return false;
        digits[n++] = at[i];
    }
    digits[n] = '\0';
    return true;
}

/* 0x 0b 0o and a leading 0, as Go writes them; moves over the mark. */
static int read_base(const char **body)
{
    const char *at = *body;

    if (at[0] != '0' || at[1] == '\0')
        return 10;
    *body = strchr("xXbBoO", at[1]) ? at + 2 : at + 1;
    if (at[1] == 'x' || at[1] == 'X')
        return 16;
    return at[1] == 'b' || at[1] == 'B' ? 2 : 8;
}

static bool read_int(const char *digits, int64_t *ret_number)
{
    const char *body = digits + (digits[0] == '-' || digits[0] == '+');
    int base = read_base(&body);
    char *end;

    if (!isxdigit((unsigned char)*body))
        return false;
    errno = 0;
    long long value = strtoll(body, &end, base);
    if (*end || errno)
        return false;
    *ret_number = digits[0] == '-' ? -value : value;
    return true;
}

/* 0x1p4: sixteen. */
static bool read_hexadecimal_float(const char *digits, double *ret_real)
{
    const char *body = digits + (digits[0] == '-' || digits[0] == '+');
    char *end;

    if (body[0] != '0' || (body[1] != 'x' && body[1] != 'X') || !strpbrk(body, "pP"))
        return false;
    *ret_real = strtod(digits, &end);
    return *end == '\0' && isfinite(*ret_real);
}

static int lex_number(struct tmpl_lexer *lexer, struct tmpl_token *token)
{
    const char *at = lexer->at;
    size_t len = *at == '-' || *at == '+';
    char digits[80];
    int64_t number;
    double real;

    while (isalnum((unsigned char)at[len]) || at[len] == '.' || at[len] == '_' ||
           ((at[len] == '+' || at[len] == '-') && strchr("eEpP", at[len - 1])))
        len++;
    if (!copy_number(at, len, digits, sizeof(digits)))
        return tmpl_fail_at(lexer, at, "number too long");
    token->kind = TOKEN_CONSTANT;
    if (read_int(digits, &number))
        token->constant = value_int(number);
    else if (read_hexadecimal_float(digits, &real) ||
             float_parse(digits, strlen(digits), &real) == 0)
        token->constant = value_float(real);
    else
        return tmpl_fail_at(lexer, at, "bad number \"%s\"", digits);
    lexer->at = at + len;
    return 0;
}

static int lex_word(struct tmpl_lexer *lexer,
                    enum token_kind kind,
                    size_t skip,
                    struct tmpl_token *token)
{
    const char *start = kind == TOKEN_VARIABLE ? lexer->at : lexer->at + skip;
    size_t len = skip + word_length(lexer->at + skip);

    token->kind = kind;
    token->word = arena_strndup(lexer->arena, start, (size_t)(lexer->at + len - start));
    if (!token->word)
        return tmpl_fail_at(lexer, lexer->at, "template too large");
    lexer->at += len;
    if (kind == TOKEN_WORD && strcmp(token->word, "true") == 0) {
        token->kind = TOKEN_CONSTANT;
        token->constant = value_bool(true);
    } else if (kind == TOKEN_WORD && strcmp(token->word, "false") == 0) {
        token->kind = TOKEN_CONSTANT;
        token->constant = value_bool(false);
    }
    return 0;
}

static int lex_sign(struct tmpl_lexer *lexer, struct tmpl_token *token)
{
    static const struct {
        const char *text;
        enum token_kind kind;
    } signs[] = {
        {":=", TOKEN_DECLARE},    {"=", TOKEN_ASSIGN}, {"|", TOKEN_PIPE}, {"(", TOKEN_OPEN_PAREN},
        {")", TOKEN_CLOSE_PAREN}, {",", TOKEN_COMMA},  {".", TOKEN_DOT},
    };

    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
        size_t len = strlen(signs[i].text);

        if (strncmp(lexer->at, signs[i].text, len) != 0)
            continue;
        token->kind = signs[i].kind;
        lexer->at += len;
        return 0;
    }
    if (*lexer->at == '\0')
        return tmpl_fail_at(lexer, lexer->at, "unclosed action: }} expected");
    if ((unsigned char)*lexer->at & 0x80)
        return tmpl_fail_at(lexer, lexer->at, "unexpected character in an action");
    return tmpl_fail_at(lexer, lexer->at, "unexpected '%c' in an action", *lexer->at);
}

static bool is_number_start(const char *at)
{
    if (*at == '+' || *at == '-')
        at++;
    return isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1]));
}

/* }} or, behind space, -}} */
static bool lex_close(struct tmpl_lexer *lexer, struct tmpl_token *token)
{
    bool trims = token->after_space && strncmp(lexer->at, "-}}", 3) == 0;

    if (!trims && strncmp(lexer->at, "}}", 2) != 0)
        return false;
    token->kind = TOKEN_CLOSE;
    token->trims = trims;
    lexer->at += trims ? 3 : 2;
    return true;
}

static int lex_one(struct tmpl_lexer *lexer, struct tmpl_token *token)
{
    const char *at = lexer->at;

    if (lex_close(lexer, token))
        return 0;
    if (*at == '"')
        return lex_quoted(lexer, token);
    if (*at == '`')
        return lex_raw(lexer, token);
    if (*at == '\'')
        return lex_character(lexer, token);
    if (is_number_start(at))
        return lex_number(lexer, token);
    if (*at == '$')
        return lex_word(lexer, TOKEN_VARIABLE, 1, token);
    if (*at == '.' && is_word_start(at[1]))
        return lex_word(lexer, TOKEN_FIELD, 1, token);
    /* Go's letters are many; the one blank that people paste must not become a word. */
    if (is_word_start(*at) && strncmp(at, "\xc2\xa0", 2) != 0)
        return lex_word(lexer, TOKEN_WORD, 0, token);
    return lex_sign(lexer, token);
}

int tmpl_lex(struct tmpl_lexer *lexer, struct tmpl_token *ret_token)
{
    struct tmpl_token token = {0};

    while (tmpl_is_space(*lexer->at)) {
        token.after_space = true;
        lexer->at++;
    }
    token.at = lexer->at;
    int r = lex_one(lexer, &token);
    if (r)
        return r;
    token.len = (size_t)(lexer->at - token.at);
    *ret_token = token;
    return 0;
}
