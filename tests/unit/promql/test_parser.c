/*
 * Texts to trees and back: precedence, what is refused and where, the canonical
 * spelling, types, the threshold of an alert.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "lib/base/mem.h"
#include "tests/lib/row.h"

static struct promql_expr *parse(struct arena *arena, const char *text)
{
    struct promql_expr *expr = NULL;
    struct err err = {0};

    if (promql_parse(arena, text, &expr, &err))
        fail_msg("%s: %u:%u: %s", text, err.line, err.column, err.text);
    return expr;
}

/* The tree with every operation in parentheses. */
static void print_nested(const struct promql_expr *expr, struct str *out)
{
    if (expr->kind == PROMQL_PAREN) {
        print_nested(expr->paren, out);
    } else if (expr->kind == PROMQL_BINARY) {
        str_addc(out, '(');
        print_nested(expr->binary.left, out);
        str_addf(out, " %s ", operator_name(expr->binary.op));
        print_nested(expr->binary.right, out);
        str_addc(out, ')');
    } else if (expr->kind == PROMQL_UNARY) {
        str_add(out, expr->unary.minus ? "(-" : "(+");
        print_nested(expr->unary.of, out);
        str_addc(out, ')');
    } else {
        promql_print(expr, out);
    }
}

static void test_precedence(void **state)
{
    static const struct {
        const char *text, *nested;
    } rows[] = {
        {"a + b * c", "(a + (b * c))"},
        {"a * b + c", "((a * b) + c)"},
        {"a - b - c", "((a - b) - c)"},
        {"2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"},
        {"-1 ^ 2", "(-(1 ^ 2))"},
        {"2 ^ -3", "(2 ^ -3)"},
        {"-a * b", "((-a) * b)"},
        {"-a offset 5m ^ 2", "(-(a offset 5m ^ 2))"},
        {"a > b == c", "((a > b) == c)"},
        {"a or b and c unless d", "(a or ((b and c) unless d))"},
        {"a and b or c", "((a and b) or c)"},
        {"a % b atan2 c / d", "(((a % b) atan2 c) / d)"},
        {"a + b > c and d", "(((a + b) > c) and d)"},
        {"(a + b) * c", "((a + b) * c)"},
        {"- - 1", "1"},
        {"1 - -1", "(1 - -1)"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str out = STR_INIT(1000);

        row("%s", rows[i].text);
        arena_init(&arena, 1 << 16);
        const struct promql_expr *expr = parse(&arena, rows[i].text);
        print_nested(expr, &out);
        assert_string_equal(str_text(&out), rows[i].nested);
    }
}

static void test_printed(void **state)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"sum(x)by(b,a,)", "sum by (b, a) (x)"},
        {"SUM without() (x)", "sum without () (x)"},
        {"topk by(a)(5,x)", "topk by (a) (5, x)"},
        {"x{ b='2' , a=\"1\" }", "x{a=\"1\",b=\"2\"}"},
        {"x{}", "x"},
        {"{__name__='x'}", "{__name__=\"x\"}"},
        {"{'http.requests', code=~'5..'}", "{__name__=\"http.requests\",code=~\"5..\"}"},
        {"x[300]", "x[5m]"},
        {"x[90s:] @ end() offset -1h", "x[1m30s:] @ end() offset -1h"},
        {"x offset 5m @ 1609746000", "x @ 1609746000.000 offset 5m"},
        {"x[5m + step()]", "x[5m + step()]"},
        {"a+on(x,y)group_left(z)b", "a + on (x, y) group_left (z) b"},
        {"a>bool ignoring(x)b", "a > bool ignoring (x) b"},
        {"a and ignoring()b", "a and b"},
        {"-(a)", "-(a)"},
        {"+a", "+a"},
        {"1e3", "1000"},
        {"5m", "5m"},
        {"-Inf", "-Inf"},
        {"'it\"s'", "\"it\\\"s\""},
        {"histogram_quantile(0.9,sum by(le)(rate(x[5m])))",
         "histogram_quantile(0.9, sum by (le) (rate(x[5m])))"},
        {"sum by (\"a b\") (x)", "sum by (\"a b\") (x)"},
        {"sum{job='x'}", "sum{job=\"x\"}"},
        {"by and on(offset) without", "by and on (offset) without"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str once = STR_INIT(1000);
        STR_AUTO struct str twice = STR_INIT(1000);

        row("%s", rows[i].text);
        arena_init(&arena, 1 << 16);
        promql_print(parse(&arena, rows[i].text), &once);
        assert_string_equal(str_text(&once), rows[i].printed);
        promql_print(parse(&arena, str_text(&once)), &twice);
        assert_string_equal(str_text(&twice), rows[i].printed);
    }
}

static const struct {
    const char *text;
    int code;
    unsigned line, column;
    const char *words;
} refused[] = {
    {"", PROMQL_E_SYNTAX, 1, 1, "no expression found in input"},
    {"a b", PROMQL_E_SYNTAX, 1, 3, "unexpected identifier \"b\""},
    {"a +", PROMQL_E_SYNTAX, 1, 4, "unexpected end of input"},
    {"a\n+ * b", PROMQL_E_SYNTAX, 2, 3, "unexpected <op:*>"},
    {"on(a)", PROMQL_E_SYNTAX, 1, 1, "unexpected <on>"},
    {"sum(a,)", PROMQL_E_SYNTAX, 1, 6, "trailing commas not allowed in function call args"},
    {"sum()", PROMQL_E_SYNTAX, 1, 1, "no arguments for aggregate expression provided"},
    {"sum by (1) (a)", PROMQL_E_SYNTAX, 1, 9,
     "unexpected number \"1\" in grouping opts, expected label"},
    {"nope(a)", PROMQL_E_SYNTAX, 1, 1, "unknown function with name \"nope\""},
    {"x{a=~'('}", PROMQL_E_SYNTAX, 1, 6, "error parsing regexp: missing ): ("},
    {"x{a}", PROMQL_E_SYNTAX, 1, 4,
     "unexpected \"}\" in label matching, expected label matching operator"},
    {"x{a='b' c='d'}", PROMQL_E_SYNTAX, 1, 9,
     "unexpected identifier \"c\" in label matching, expected \",\" or \"}\""},
    {"x{__name__='y'}", PROMQL_E_SYNTAX, 1, 1, "metric name must not be set twice: \"x\" or \"y\""},
    {"x[0]", PROMQL_E_SYNTAX, 1, 3, "duration must be greater than 0"},
    {"x[5m/0]", PROMQL_E_SYNTAX, 1, 5, "division by zero"},
    {"x[5m][5m]", PROMQL_E_SYNTAX, 1, 6, "ranges only allowed for vector selectors"},
    {"x offset 1m[5m]", PROMQL_E_SYNTAX, 1, 12, "no offset modifiers allowed before range"},
    {"x offset 1m offset 2m", PROMQL_E_SYNTAX, 1, 1, "offset may not be set multiple times"},
    {"x @ 1 @ 2", PROMQL_E_SYNTAX, 1, 1, "@ <timestamp> may not be set multiple times"},
    {"x @ NaN", PROMQL_E_SYNTAX, 1, 1, "timestamp out of bounds for @ modifier: NaN"},
    {"x @ y", PROMQL_E_SYNTAX, 1, 5,
     "unexpected identifier \"y\" in @ modifier, expected timestamp, start() or end()"},
    {"limitk(1, x)", PROMQL_E_SYNTAX, 1, 1,
     "aggregation \"limitk\" is experimental: --enable-feature=promql-experimental-functions allows "
     "it"},
    {"info(x)", PROMQL_E_SYNTAX, 1, 1,
     "function \"info\" is experimental: --enable-feature=promql-experimental-functions allows it"},
    {"ts_of_max_over_time(x[5m])", PROMQL_E_SYNTAX, 1, 1,
     "function \"ts_of_max_over_time\" is experimental in Prometheus "
     "(promql-experimental-functions) and not supported"},
    {"histogram_sum(x)", PROMQL_E_SYNTAX, 1, 1,
     "function \"histogram_sum\" works on native histograms, which are not supported"},
    {"x[5m] smoothed", PROMQL_E_SYNTAX, 1, 7,
     "\"smoothed\" is experimental in Prometheus (promql-extended-range-selectors) and not "
     "supported"},
    {"a + fill(0) b", PROMQL_E_SYNTAX, 1, 5,
     "fill modifiers are experimental in Prometheus (promql-binop-fill-modifiers) and not "
     "supported"},
    {"{}", PROMQL_E_TYPE, 1, 1, "vector selector must contain at least one non-empty matcher"},
    {"{a=~'.*'}", PROMQL_E_TYPE, 1, 1,
     "vector selector must contain at least one non-empty matcher"},
    {"1 == 1", PROMQL_E_TYPE, 1, 3, "comparisons between scalars must use BOOL modifier"},
    {"a + bool b", PROMQL_E_TYPE, 1, 3, "bool modifier can only be used on comparison operators"},
    {"1 and a", PROMQL_E_TYPE, 1, 1,
     "set operator \"and\" not allowed in binary scalar expression"},
    {"1 + on(x) a", PROMQL_E_TYPE, 1, 1, "vector matching only allowed between instant vectors"},
    {"a and on(x) group_left b", PROMQL_E_TYPE, 1, 1, "no grouping allowed for \"and\" operation"},
    {"a + on(x) group_left(x) b", PROMQL_E_TYPE, 1, 3,
     "label \"x\" must not occur in ON and GROUP clause at once"},
    {"a[5m] + b", PROMQL_E_TYPE, 1, 1,
     "binary expression must contain only scalar and instant vector types"},
    {"-'x'", PROMQL_E_TYPE, 1, 1,
     "unary expression only allowed on expressions of type scalar or instant vector, got "
     "\"string\""},
    {"rate(x)", PROMQL_E_TYPE, 1, 6,
     "expected type range vector in call to function \"rate\", got instant vector"},
    {"time(x)", PROMQL_E_TYPE, 1, 1, "expected 0 argument(s) in call to \"time\", got 1"},
    {"round(x, 1, 2)", PROMQL_E_TYPE, 1, 1,
     "expected at most 2 argument(s) in call to \"round\", got 3"},
    {"label_join(x, 'a')", PROMQL_E_TYPE, 1, 1,
     "expected at least 3 argument(s) in call to \"label_join\", got 2"},
    {"sum(1)", PROMQL_E_TYPE, 1, 5,
     "expected type instant vector in aggregation expression, got scalar"},
    {"count_values(1, x)", PROMQL_E_TYPE, 1, 14,
     "expected type string in aggregation parameter, got scalar"},
    {"x[5m][5m:1m]", PROMQL_E_TYPE, 1, 1,
     "subquery is only allowed on instant vector, got matrix instead"},
};

static void test_refused(void **state)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct promql_expr *expr = NULL;
        struct err err = {0};

        row("%s", refused[i].text);
        arena_init(&arena, 1 << 16);
        assert_int_equal(promql_parse(&arena, refused[i].text, &expr, &err), refused[i].code);
        assert_null(expr);
        size_t len = strlen(refused[i].words); /* what to do about it may follow */
        assert_memory_equal(err.text, refused[i].words, len);
        assert_true(err.text[len] == '\0' || strncmp(err.text + len, "; ", 2) == 0);
        assert_int_equal(err.line, refused[i].line);
        assert_int_equal(err.column, refused[i].column);
    }
}

static const struct {
    const char *text, *hint; /* NULL: none */
} hints[] = {
    {"sum(rate(x[5m])", "the one at 1:4 has no )"},
    {"(a +\n(b)", "the one at 1:1 has no )"},
    {"sum(x))", "none is open here"},
    {"rate(x)", "give it a range: x[5m]"},
    {"sum(x[5m])", "put a function of ranges around it: rate(x[5m]), avg_over_time(x[5m])"},
    {"rate(x[5min])",
     "numbers are 1.5, 1e3 or 0x1F, durations 90s or 1h30m (ms, s, m, h, d, w, y)"},
    {"rate(x[5 m])", "a length of time is one word: 1h30m"},
    {"x[5m]]", "none is open here"},
    {"sum x", "what sum works on stands in parentheses: sum(x)"},
    {"sum by job (x)", "labels stand in parentheses: by (job)"},
    {"a b", "an operator or a comma is missing before it"},
    {"smu(x)", "did you mean \"sum\"?"},
    {"avg_overtime(x[5m])", "did you mean \"avg_over_time\"?"},
    {"holt_winters(x[5m], 0.5, 0.5)", "it is double_exponential_smoothing since Prometheus 3"},
    {"x{job=node}", "a label's value stands in quotes"},
    {"x{job=\"node}", "the quote opened here is not closed"},
    {"x{job:\"node\"}",
     "labels are matched with =, !=, =~ or !~, and their values stand in quotes"},
    {"x{job==\"node\"}",
     "labels are matched with =, !=, =~ or !~, and their values stand in quotes"},
    {"x{a=\"b\" c=\"d\"}", "a comma is missing before it"},
    {"x{job}", "which is =, !=, =~ or !~"},
    {"x{", "the closing } is missing"},
    {"x > 5 and", "what the last operator works on is missing"},
    {"x && y", "\"and\" is written out"},
    {"x || y", "\"or\" is written out"},
    {"!x", "there is no \"not\": compare with == 0, or take away with unless"},
    {"x = 5", "to compare is =="},
    {"x == 'a'", "a label's value is matched in braces: x{label=\"value\"}"},
    {"5 + x[5m]", "put a function of ranges around it: rate(x[5m]), or leave out the range"},
    {"x offset", "a length of time is missing: 5m"},
    {"x offset 5m[5m]", "the offset stands behind it: x[5m] offset 1h"},
    {"x @ 5[5m]", "@ stands behind it: x[5m] @ end()"},
    {"rate(x)[5m]", "of anything else take a subquery, with a colon: [5m:]"},
    {"a group_left b", "it stands behind on (...) or ignoring (...)"},
    {"on (l) a", "it stands behind an operator: a * on (job) b"},
    {"a and on (l) group_left b", "and, or, unless match any number of series as they are"},
    {"histogram_quantile(x, 0.9)",
     "are the arguments in order? The value of a single series is scalar(x)"},
    {"clamp(x)", "it is clamp(instant vector, scalar, scalar)"},
    {"label_join(x, 'a')", "it is label_join(instant vector, string, string, string ...)"},
    {"topk(x)", "parameter and vector: topk(3, x)"},
    {"topk(x, 3)", "the parameter comes first: topk(3, x); a number alone is no vector: vector(1)"},
    {"topk('3', x)", "a number stands without quotes"},
    {"count_values(value, x)", "a text stands in quotes"},
    {"sum()", "it takes a vector: sum(x)"},
    {"abs(1)", "a number as a vector is vector(1)"},
    {"sum(a,)", "an argument is missing, or the comma too much"},
    {"{job=~'.*'}", "name a metric, or match a label with something that is not empty"},
    {"1 == 1", "1 == bool 1"},
    {"x{job='$job'} + $more", "a dashboard's variable has to be filled in before it is asked"},
    {"{{ x }}", "templates stand in labels and annotations, not in expressions"},
    {"x.y", "a name with a dot stands in braces and quotes: {\"a.b\"}"},
    {"qwxzy(x)", NULL},
};

/* The clause behind the words: what to do about the mistakes people make. */
static void test_hints(void **state)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct promql_expr *expr = NULL;
        struct err err = {0};

        row("%s", hints[i].text);
        arena_init(&arena, 1 << 16);
        assert_int_not_equal(promql_parse(&arena, hints[i].text, &expr, &err), 0);
        const char *hint = strstr(err.text, "; ");
        assert_string_equal(hint ? hint + 2 : "", hints[i].hint ? hints[i].hint : "");
    }
}

static char *repeated(const char *left, const char *middle, const char *right, size_t n)
{
    struct str text = STR_INIT(1 << 20);

    for (size_t i = 0; i < n; i++)
        str_add(&text, left);
    str_add(&text, middle);
    for (size_t i = 0; i < n; i++)
        str_add(&text, right);
    return str_take(&text);
}

static void test_depth_is_limited(void **state)
{
    static const struct {
        const char *left, *middle, *right;
    } rows[] = {
        {"(", "x", ")"},    {"-", "x", ""},     {"abs(", "x", ")"}, {"", "x", "+x"},
        {"2^", "x", ""},    {"", "x", "[5m:]"}, {"sum(", "x", ")"}, {"x[", "1", "]"},
        {"x[(", "1", ")]"}, {"", "x[1", "+1"},  {"", "x[-", "-"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        MEM_AUTO char *text = repeated(rows[i].left, rows[i].middle, rows[i].right, 5000);
        struct promql_expr *expr;

        row("%s%s%s", rows[i].left, rows[i].middle, rows[i].right);
        arena_init(&arena, 64 << 20);
        assert_int_not_equal(promql_parse(&arena, text, &expr, NULL), 0);
    }
}

static void test_long_text_is_refused(void **state)
{
    ARENA_AUTO struct arena arena;
    MEM_AUTO char *text = repeated("", "x", "+x", 512 * 1024); /* 1 MiB */
    struct promql_expr *expr;
    struct err err = {0};

    arena_init(&arena, 1 << 16);
    assert_int_equal(promql_parse(&arena, text, &expr, &err), PROMQL_E_LIMIT);
    assert_string_equal(err.text, "the expression is longer than 128 KiB");
    assert_int_equal(arena.used, 0);
}

/* Whatever the memory, an answer or a limit, never a crash or a leak. */
static void test_every_memory_limit(void **state)
{
    static const char text[] =
        "sum by (a, \"b c\") (rate(x{y=~\"1|(2.)\", z!='w'}[5m:1m + step()] offset -1h)) "
        "> on (a) group_left (l) (topk(3, y @ start()) or label_replace(z, 'a', '$1', 'b', '.'))";
    size_t limit = 0;
    int r;

    do {
        ARENA_AUTO struct arena arena;
        struct promql_expr *expr = NULL;

        arena_init(&arena, limit++);
        r = promql_parse(&arena, text, &expr, NULL);
        assert_true(r == 0 || r == PROMQL_E_LIMIT);
    } while (r);
    assert_true(limit > 1000);
}

static void test_types(void **state)
{
    static const struct {
        const char *text;
        enum promql_type type;
    } rows[] = {
        {"1", PROMQL_SCALAR},      {"-(1 + 2)", PROMQL_SCALAR},    {"time()", PROMQL_SCALAR},
        {"x", PROMQL_VECTOR},      {"1 + x", PROMQL_VECTOR},       {"vector(1)", PROMQL_VECTOR},
        {"x[5m]", PROMQL_MATRIX},  {"x[5m:1m]", PROMQL_MATRIX},    {"'s'", PROMQL_STRING},
        {"sum(x)", PROMQL_VECTOR}, {"1 == bool 1", PROMQL_SCALAR}, {"(x)", PROMQL_VECTOR},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;

        row("%s", rows[i].text);
        arena_init(&arena, 1 << 16);
        assert_int_equal(promql_expr_type(parse(&arena, rows[i].text)), rows[i].type);
    }
}

static void test_threshold(void **state)
{
    static const struct {
        const char *text, *left; /* left NULL: none */
        double threshold;
    } rows[] = {
        {"x > 0.5", "x", 0.5},
        {"5 < x", "x", 5},
        {"(rate(x[5m]) >= -(3)) and on (a) y > 7", "rate(x[5m])", -3},
        {"x == 0 unless y", "x", 0},
        {"x > y", NULL, 0},
        {"x", NULL, 0},
        {"x > 1 or y > 2", NULL, 0},
        {"1 < bool 2", NULL, 0},
        {"absent(x)", NULL, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str out = STR_INIT(100);
        const struct promql_expr *left = NULL;
        double threshold = 0;

        row("%s", rows[i].text);
        arena_init(&arena, 1 << 16);
        bool found = promql_threshold(parse(&arena, rows[i].text), &left, &threshold);
        assert_int_equal(found, rows[i].left != NULL);
        if (!found)
            continue;
        promql_print(left, &out);
        assert_string_equal(str_text(&out), rows[i].left);
        assert_true(threshold == rows[i].threshold);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_printed),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_long_text_is_refused),
        cmocka_unit_test(test_every_memory_limit),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_threshold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
