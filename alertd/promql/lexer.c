/*
 * PromQL text to tokens. See token.h.
 *
 * Tokens are made one at a time, on demand. Three places change what the letters
 * mean: inside `{}` every word is a label name, inside `[]` a colon separates, and
 * everywhere else a colon belongs to a name (recording rules: `job:errors:rate5m`).
 */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/promql.h"
#include "alertd/promql/token.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"
#include "lib/model/quote.h"

int lexer_error(const char *text, uint32_t at, int code, struct err *reterr, const char *fmt, ...)
{
    unsigned line = 1;
    uint32_t line_start = 0;
    char words[ERR_TEXT_MAX];
    va_list ap;

    for (uint32_t i = 0; i < at && text[i]; i++)
        if (text[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    return err_at(reterr, code, line, at - line_start + 1, "%s", words);
}

static const struct {
    const char *word;
    enum keyword keyword;
} keywords[] = {
    {"and", KEYWORD_AND},
    {"or", KEYWORD_OR},
    {"unless", KEYWORD_UNLESS},
    {"atan2", KEYWORD_ATAN2},
    {"offset", KEYWORD_OFFSET},
    {"by", KEYWORD_BY},
    {"without", KEYWORD_WITHOUT},
    {"on", KEYWORD_ON},
    {"ignoring", KEYWORD_IGNORING},
    {"group_left", KEYWORD_GROUP_LEFT},
    {"group_right", KEYWORD_GROUP_RIGHT},
    {"bool", KEYWORD_BOOL},
    {"start", KEYWORD_START},
    {"end", KEYWORD_END},
    {"step", KEYWORD_STEP},
    {"range", KEYWORD_RANGE},
    {"min_of", KEYWORD_MIN_OF},
    {"max_of", KEYWORD_MAX_OF},
    {"anchored", KEYWORD_ANCHORED},
    {"smoothed", KEYWORD_SMOOTHED},
    {"fill", KEYWORD_FILL},
    {"fill_left", KEYWORD_FILL_LEFT},
    {"fill_right", KEYWORD_FILL_RIGHT},
};

static void find_keyword(struct token *token)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (strcasecmp(keywords[i].word, token->text) == 0)
            token->keyword = keywords[i].keyword;
    token->aggregator = aggregator_find(token->text);
    if (token->aggregator >= 0)
        token->keyword = KEYWORD_AGGREGATOR;
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_alnum(char c)
{
    return is_alpha(c) || (c >= '0' && c <= '9');
}

/* Bytes of the character that starts here; bytes that are not UTF-8 count alone. */
static int character_length(const char *at)
{
    int n = 1;

    while (n < 4 && ((unsigned char)at[n] & 0xc0) == 0x80)
        n++;
    return (unsigned char)*at < 0x80 ? 1 : n;
}

static int unexpected_character(const struct lexer *lexer, struct err *reterr)
{
    const char *at = lexer->text + lexer->at;
    const char *where = lexer->in_braces     ? " inside braces"
                        : lexer->in_brackets ? " in duration expression"
                                             : "";

    return lexer_error(lexer->text, lexer->at, PROMQL_E_SYNTAX, reterr,
                       "unexpected character%s: '%.*s'", where, character_length(at), at);
}

/* --- Numbers and durations ------------------------------------------------------- */

/* The bytes a number could have: a scan that stops where no number goes on. */
static uint32_t number_end(const char *text, uint32_t at)
{
    bool hex = text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X');

    if (hex) {
        for (at += 2; isxdigit((unsigned char)text[at]) || text[at] == '_';)
            at++;
        return at;
    }
    for (;; at++) {
        char c = text[at];

        if ((c == 'e' || c == 'E') && (text[at + 1] == '+' || text[at + 1] == '-'))
            at++;
        else if (!isdigit((unsigned char)c) && c != '.' && c != '_' && c != 'e' && c != 'E')
            return at;
    }
}

/* Go's rule: an underscore stands between two digits (or after 0x). */
static bool strip_underscores(const char *from, size_t len, char *to, size_t *ret_len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (from[i] != '_') {
            to[n++] = from[i];
            continue;
        }
        bool after = i > 0 && (isxdigit((unsigned char)from[i - 1]) || from[i - 1] == 'x' ||
                               from[i - 1] == 'X');
        if (!after || i + 1 >= len || !isxdigit((unsigned char)from[i + 1]))
            return false;
    }
    to[n] = '\0';
    *ret_len = n;
    return true;
}

/* An integer as Go's ParseInt with base 0 reads it (0x1f, 017), otherwise a decimal
 * number. Anything past double's range is an error. */
static bool read_number(const char *text, size_t len, double *ret_value)
{
    char digits[400];
    size_t n;
    char *end;

    if (len >= sizeof(digits) || !strip_underscores(text, len, digits, &n))
        return false;
    if (digits[0] == '0' && n > 1 && (digits[1] == 'x' || digits[1] == 'X')) {
        unsigned long long whole = strtoull(digits + 2, &end, 16);

        *ret_value = (double)whole;
        return n > 2 && n <= 18 && *end == '\0';
    }
    if (digits[0] == '0' && n > 1 && strspn(digits, "01234567") == n) {
        *ret_value = (double)strtoull(digits, NULL, 8);
        return true;
    }
    return float_parse(digits, n, ret_value) == 0;
}

static uint32_t duration_end(const char *text, uint32_t at)
{
    while (is_alnum(text[at]))
        at++;
    return at;
}

static int bad_number(const struct lexer *lexer, uint32_t end, struct err *reterr)
{
    STR_AUTO struct str quoted = STR_INIT(200);

    if (end - lexer->at > 40)
        end = lexer->at + 40;
    quote_add(&quoted, lexer->text + lexer->at, end - lexer->at);
    return lexer_error(lexer->text, lexer->at, PROMQL_E_SYNTAX, reterr,
                       "bad number or duration syntax: %s", str_text(&quoted));
}

static int lex_number(struct lexer *lexer, struct token *token, struct err *reterr)
{
    const char *text = lexer->text;
    uint32_t end = number_end(text, lexer->at);
    double value;

    if (end > lexer->at && !is_alnum(text[end]) &&
        read_number(text + lexer->at, end - lexer->at, &value)) {
        if (isinf(value))
            return lexer_error(text, lexer->at, PROMQL_E_SYNTAX, reterr,
                               "error parsing number: value out of range");
        token->kind = TOKEN_NUMBER;
        token->value = value;
        lexer->at = end;
        return 0;
    }
    uint32_t number = end;
    end = duration_end(text, lexer->at);
    int r = duration_parse(text + lexer->at, end - lexer->at, &token->duration_ms);
    if (r == -ERANGE)
        return lexer_error(text, lexer->at, PROMQL_E_SYNTAX, reterr, "duration out of range");
    if (r)
        return bad_number(lexer, end > number ? end : number, reterr);
    token->kind = TOKEN_DURATION;
    token->value = (double)token->duration_ms / 1000;
    lexer->at = end;
    return 0;
}

/* --- Words and signs -------------------------------------------------------------- */

static int lex_word(struct lexer *lexer, struct token *token, struct err *reterr)
{
    const char *text = lexer->text;
    bool with_colon = !lexer->in_braces && !lexer->in_brackets;
    uint32_t end = lexer->at;

    while (is_alnum(text[end]) || (with_colon && text[end] == ':'))
        end++;
    token->kind = TOKEN_WORD;
    token->text = arena_strndup(lexer->arena, text + lexer->at, end - lexer->at);
    if (!token->text)
        return lexer_error(text, lexer->at, PROMQL_E_LIMIT, reterr,
                           "the query needs more memory than it may use");
    lexer->at = end;
    if (lexer->in_braces)
        return 0;
    if (strcasecmp(token->text, "nan") == 0 || strcasecmp(token->text, "inf") == 0) {
        token->kind = TOKEN_NUMBER;
        token->value = token->text[0] == 'n' || token->text[0] == 'N' ? NAN : INFINITY;
        return 0;
    }
    find_keyword(token);
    return 0;
}

/* Longest first. */
static const struct {
    const char *sign;
    enum token_kind kind;
    bool in_braces;   /* may stand inside {} */
    bool in_brackets; /* may stand inside [] */
} signs[] = {
    {"=~", TOKEN_REGEX, true, false},          {"!~", TOKEN_NOT_REGEX, true, false},
    {"==", TOKEN_IS_EQUAL, false, false},      {"!=", TOKEN_NOT_EQUAL, true, false},
    {">=", TOKEN_GREATER_EQUAL, false, false}, {"<=", TOKEN_LESS_EQUAL, false, false},
    {"</", TOKEN_TRIM_UPPER, false, false},    {">/", TOKEN_TRIM_LOWER, false, false},
    {"=", TOKEN_EQUAL, true, false},           {"<", TOKEN_LESS, false, false},
    {">", TOKEN_GREATER, false, false},        {"+", TOKEN_ADD, false, true},
    {"-", TOKEN_SUBTRACT, false, true},        {"*", TOKEN_MULTIPLY, false, true},
    {"/", TOKEN_DIVIDE, false, true},          {"%", TOKEN_MODULO, false, true},
    {"^", TOKEN_POWER, false, true},           {"(", TOKEN_LEFT_PAREN, false, true},
    {")", TOKEN_RIGHT_PAREN, false, true},     {"{", TOKEN_LEFT_BRACE, false, false},
    {"}", TOKEN_RIGHT_BRACE, true, false},     {"[", TOKEN_LEFT_BRACKET, false, false},
    {"]", TOKEN_RIGHT_BRACKET, false, true},   {",", TOKEN_COMMA, true, true},
    {":", TOKEN_COLON, false, true},           {"@", TOKEN_AT, false, false},
};

/* Opening and closing change how the next letters read, and must come in pairs. */
static int note_bracket(struct lexer *lexer, const struct token *token, struct err *reterr)
{
    if (token->kind == TOKEN_LEFT_BRACE)
        lexer->in_braces = true;
    if (token->kind == TOKEN_RIGHT_BRACE && !lexer->in_braces) {
        lexer->at = token->start;
        return unexpected_character(lexer, reterr);
    }
    if (token->kind == TOKEN_RIGHT_BRACE)
        lexer->in_braces = false;
    if (token->kind == TOKEN_LEFT_BRACKET)
        lexer->in_brackets = true;
    if (token->kind == TOKEN_RIGHT_BRACKET && !lexer->in_brackets)
        return lexer_error(lexer->text, token->start, PROMQL_E_SYNTAX, reterr,
                           "unexpected right bracket ']'");
    if (token->kind == TOKEN_RIGHT_BRACKET)
        lexer->in_brackets = false;
    if (token->kind == TOKEN_LEFT_PAREN)
        lexer->open_parens++;
    if (token->kind == TOKEN_RIGHT_PAREN && --lexer->open_parens < 0)
        return lexer_error(lexer->text, lexer->at, PROMQL_E_SYNTAX, reterr,
                           "unexpected right parenthesis ')'");
    return 0;
}

static int lex_sign(struct lexer *lexer, struct token *token, struct err *reterr)
{
    const char *at = lexer->text + lexer->at;

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        size_t len = strlen(signs[i].sign);

        if (strncmp(at, signs[i].sign, len) != 0)
            continue;
        if ((lexer->in_braces && !signs[i].in_braces) ||
            (lexer->in_brackets && !signs[i].in_brackets))
            break;
        if (!lexer->in_braces && (signs[i].kind == TOKEN_REGEX || signs[i].kind == TOKEN_NOT_REGEX))
            return lexer_error(lexer->text, lexer->at, PROMQL_E_SYNTAX, reterr,
                               "unexpected character after '%c': '~'", *at);
        token->kind = signs[i].kind;
        lexer->at += (uint32_t)len;
        return note_bracket(lexer, token, reterr);
    }
    return unexpected_character(lexer, reterr);
}

static void skip_blanks(struct lexer *lexer)
{
    const char *text = lexer->text;

    for (;;) {
        while (text[lexer->at] && strchr(" \t\n\r", text[lexer->at]))
            lexer->at++;
        if (text[lexer->at] != '#')
            return;
        while (text[lexer->at] && text[lexer->at] != '\n')
            lexer->at++;
    }
}

static int lex_end(const struct lexer *lexer, struct err *reterr)
{
    const char *what = lexer->in_braces         ? "unexpected end of input inside braces"
                       : lexer->in_brackets     ? "unclosed left bracket"
                       : lexer->open_parens > 0 ? "unclosed left parenthesis"
                                                : NULL;

    return what ? lexer_error(lexer->text, lexer->at, PROMQL_E_SYNTAX, reterr, "%s", what) : 0;
}

int lexer_next(struct lexer *lexer, struct token *ret_token, struct err *reterr)
{
    struct token token = {.kind = TOKEN_END, .aggregator = -1};
    int r;

    skip_blanks(lexer);
    const char *at = lexer->text + lexer->at;
    token.start = lexer->at;
    if (*at == '\0')
        r = lex_end(lexer, reterr);
    else if (is_alpha(*at) || (*at == ':' && !lexer->in_braces && !lexer->in_brackets))
        r = lex_word(lexer, &token, reterr);
    else if (!lexer->in_braces &&
             (isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1]))))
        r = lex_number(lexer, &token, reterr);
    else if (!lexer->in_brackets && strchr("\"'`", *at))
        r = lexer_string(lexer, &token, reterr);
    else
        r = lex_sign(lexer, &token, reterr);
    if (r)
        return r;
    token.end = lexer->at;
    *ret_token = token;
    return 0;
}

const char *token_describe(const struct token *token, const char *text, char *out, size_t size)
{
    int len = (int)(token->end - token->start);
    const char *word = text + token->start;

    if (len > 40)
        len = 40;
    switch (token->kind) {
    case TOKEN_END: (void)snprintf(out, size, "end of input"); return out;
    case TOKEN_WORD:
        if (token->keyword == KEYWORD_AGGREGATOR)
            (void)snprintf(out, size, "<aggr:%.*s>", len, word);
        else if (token->keyword != KEYWORD_NONE)
            (void)snprintf(out, size, "<%.*s>", len, word);
        else
            (void)snprintf(out, size, "%sidentifier \"%.*s\"",
                           memchr(word, ':', (size_t)len) ? "metric " : "", len, word);
        return out;
    case TOKEN_NUMBER: (void)snprintf(out, size, "number \"%.*s\"", len, word); return out;
    case TOKEN_DURATION: (void)snprintf(out, size, "duration \"%.*s\"", len, word); return out;
    case TOKEN_STRING: (void)snprintf(out, size, "string %.*s", len, word); return out;
    case TOKEN_LEFT_PAREN:
    case TOKEN_RIGHT_PAREN:
    case TOKEN_LEFT_BRACE:
    case TOKEN_RIGHT_BRACE:
    case TOKEN_LEFT_BRACKET:
    case TOKEN_RIGHT_BRACKET:
    case TOKEN_COMMA:
    case TOKEN_COLON:
    case TOKEN_EQUAL: (void)snprintf(out, size, "\"%.*s\"", len, word); return out;
    case TOKEN_AT:
    case TOKEN_REGEX:
    case TOKEN_NOT_REGEX:
    case TOKEN_ADD:
    case TOKEN_SUBTRACT:
    case TOKEN_MULTIPLY:
    case TOKEN_DIVIDE:
    case TOKEN_MODULO:
    case TOKEN_POWER:
    case TOKEN_IS_EQUAL:
    case TOKEN_NOT_EQUAL:
    case TOKEN_GREATER:
    case TOKEN_GREATER_EQUAL:
    case TOKEN_LESS:
    case TOKEN_LESS_EQUAL:
    case TOKEN_TRIM_UPPER:
    case TOKEN_TRIM_LOWER: (void)snprintf(out, size, "<op:%.*s>", len, word); return out;
    }
    return out;
}
