/*
 * Tokens: what the letters mean depends on the brackets around them.
 */

#include <math.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "alertd/promql/token.h"
#include "tests/lib/row.h"

/* One letter per token: w word, k keyword, a aggregator, n number, d duration,
 * s string, the sign itself for anything else (~ for =~, ! for !~ and !=). */
static char letter(const struct token *token, const char *text)
{
    switch ((int)token->kind) {
    case TOKEN_WORD: return token->keyword == KEYWORD_AGGREGATOR ? 'a' : token->keyword ? 'k' : 'w';
    case TOKEN_NUMBER: return 'n';
    case TOKEN_DURATION: return 'd';
    case TOKEN_STRING: return 's';
    case TOKEN_REGEX: return '~';
    default: return text[token->start];
    }
}

static int lex(const char *text, char *letters, struct err *err)
{
    ARENA_AUTO struct arena arena;
    struct lexer lexer = {.text = text, .arena = &arena};
    struct token token;
    int r;

    arena_init(&arena, 1 << 16);
    while (!(r = lexer_next(&lexer, &token, err)) && token.kind != TOKEN_END)
        *letters++ = letter(&token, text);
    *letters = '\0';
    return r;
}

static void test_kinds(void **state)
{
    static const struct {
        const char *text, *letters;
    } rows[] = {
        {"", ""},
        {" \t\r\n# only a comment\n # and another", ""},
        {"up", "w"},
        {"job:errors:rate5m", "w"},
        {":a", "w"},
        {"sum by (job) (x)", "ak(w)(w)"},
        {"SUM BY (x)", "ak(w)"},
        {"x{sum=\"1\",by!=\"2\"}", "w{w=s,w!s}"},
        {"x{a=~'b',c!~`d`}", "w{w~s,w!s}"},
        {"x[5m:1m]", "w[d:d]"},
        {"x[5m:]", "w[d:]"},
        {"x[step()+2*(1h30m)]", "w[k()+n*(d)]"},
        {"x offset -5m @ 1.5", "wk-d@n"},
        {"a<=b>=c<d>e==f!=g", "w<w>w<w>w=w!w"},
        {"1 + .5 - 0x1F * 1e3 / 1_000 % 5.", "n+n-n*n/n%n"},
        {"nan Inf INF", "nnn"},
        {"1ms 2s 3m 4h 5d 6w 7y 1y2w3d4h5m6s7ms", "dddddddd"},
        {"x#comment\n>1", "w>n"},
        {"a and b or c unless d atan2 e", "wkwkwkwkw"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char letters[64];
        struct err err = {0};

        row("%s", rows[i].text);
        assert_int_equal(lex(rows[i].text, letters, &err), 0);
        assert_string_equal(letters, rows[i].letters);
    }
}

static struct token only_token(const char *text, struct arena *arena)
{
    struct lexer lexer = {.text = text, .arena = arena};
    struct token token;
    struct err err = {0};

    if (lexer_next(&lexer, &token, &err))
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(token.end, strlen(text));
    return token;
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        {"0", 0},           {"017", 15},       {"08", 8},       {"0x1f", 31},       {"0X_1F", 31},
        {"1_000_000", 1e6}, {".5", 0.5},       {"5.", 5},       {"1.5e-3", 0.0015}, {"1E+2", 100},
        {"0.1", 0.1},       {"inf", INFINITY}, {"1h30m", 5400}, {"1500ms", 1.5},    {"1e-400", 0},
    };
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].text);
        assert_true(only_token(rows[i].text, &arena).value == rows[i].value);
    }
    assert_true(isnan(only_token("NaN", &arena).value));
}

static void test_strings(void **state)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"\"\"", ""},
        {"\"it's\"", "it's"},
        {"'say \"x\"'", "say \"x\""},
        {"'it\\'s'", "it's"},
        {"\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"", "\a\b\f\n\r\t\v\\\""},
        {"\"\\x41\\101\\u00e4\\U0001F600\"", "AA\xc3\xa4\xf0\x9f\x98\x80"},
        {"\"\\u20ac\"", "\xe2\x82\xac"},
        {"`\\n \" ' \n`", "\\n \" ' \n"},
    };
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].text);
        struct token token = only_token(rows[i].text, &arena);
        assert_int_equal(token.kind, TOKEN_STRING);
        assert_string_equal(token.text, rows[i].value);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *words;
    } rows[] = {
        {"a\n $", 2, 2, "unexpected character: '$'"},
        {"\xc3\xa4", 1, 1, "unexpected character: '\xc3\xa4'"},
        {"5mm", 1, 1, "bad number or duration syntax: \"5mm\""},
        {"1.2.3", 1, 1, "bad number or duration syntax: \"1.2.3\""},
        {"1__0", 1, 1, "bad number or duration syntax: \"1__0\""},
        {"0x", 1, 1, "bad number or duration syntax: \"0x\""},
        {"99999999999999999999y", 1, 1, "duration out of range"},
        {"1e999", 1, 1, "error parsing number: value out of range"},
        {"'a", 1, 1, "unterminated quoted string"},
        {"'a\nb'", 1, 1, "unterminated quoted string"},
        {"x{a=`b", 1, 5, "unterminated raw string"},
        {"'\\q'", 1, 1, "unknown escape sequence U+0071 'q'"},
        {"'\\\"'", 1, 1, "unknown escape sequence U+0022 '\"'"},
        {"'\\x4g'", 1, 1, "illegal character U+0067 'g' in escape sequence"},
        {"'\\777'", 1, 1, "escape sequence is an invalid Unicode code point"},
        {"'\\ud800'", 1, 1, "escape sequence is an invalid Unicode code point"},
        {"'\\x00'", 1, 1, "a string must not hold a NUL"},
        {"'\\", 1, 1, "escape sequence not terminated"},
        {"x{", 1, 3, "unexpected end of input inside braces"},
        {"x[", 1, 3, "unclosed left bracket"},
        {"(1", 1, 3, "unclosed left parenthesis"},
        {"1)", 1, 3, "unexpected right parenthesis ')'"},
        {"x}", 1, 2, "unexpected character: '}'"},
        {"x]", 1, 2, "unexpected right bracket ']'"},
        {"x{a:b}", 1, 4, "unexpected character inside braces: ':'"},
        {"x{{", 1, 3, "unexpected character inside braces: '{'"},
        {"x[\"5m\"]", 1, 3, "unexpected character in duration expression: '\"'"},
        {"a =~ b", 1, 3, "unexpected character after '=': '~'"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char letters[64];
        struct err err = {0};

        row("%s", rows[i].text);
        assert_int_equal(lex(rows[i].text, letters, &err), PROMQL_E_SYNTAX);
        assert_string_equal(err.text, rows[i].words);
        assert_int_equal(err.line, rows[i].line);
        assert_int_equal(err.column, rows[i].column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
