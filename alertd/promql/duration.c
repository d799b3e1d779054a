/*
 * Lengths of time in an expression: parsing and value. See duration.h.
 */

#include "alertd/promql/duration.h"

#include <assert.h>
#include <math.h>

#include "alertd/promql/parser.h"
#include "lib/base/bug.h"

/* Prometheus keeps nanoseconds in 64 bits; what does not fit there is refused. */
#define SECONDS_MAX 9223372036.0

static struct promql_duration *duration_node(struct parser *parser,
                                             enum promql_duration_kind kind,
                                             uint32_t start)
{
    struct promql_duration *node = arena_alloc(parser->arena, sizeof(*node));

    if (!node) {
        (void)parser_out_of_memory(parser);
        return NULL;
    }
    node->kind = kind;
    node->start = start;
    return node;
}

/* "(" duration ")" */
static int parse_parenthesis(struct parser *parser, struct promql_duration *node)
{
    int r = parser_take(parser);

    node->kind = DURATION_PAREN;
    if (!r)
        r = parse_duration(parser, 1, &node->left);
    return r ? r : parser_expect(parser, TOKEN_RIGHT_PAREN, "duration expression", "\")\"");
}

/* step() | range() | min_of(duration, duration) | max_of(duration, duration) */
static int parse_word(struct parser *parser, struct promql_duration *node)
{
    static const char *const expected = "number, duration, step(), or range()";
    enum keyword keyword = parser->token.keyword;
    int r;

    if (keyword != KEYWORD_STEP && keyword != KEYWORD_RANGE && keyword != KEYWORD_MIN_OF &&
        keyword != KEYWORD_MAX_OF)
        return parser_unexpected(parser, "subquery or range selector", expected);
    node->kind = keyword == KEYWORD_STEP     ? DURATION_STEP
                 : keyword == KEYWORD_RANGE  ? DURATION_RANGE
                 : keyword == KEYWORD_MIN_OF ? DURATION_MIN
                                             : DURATION_MAX;
    r = parser_take(parser);
    if (!r)
        r = parser_expect(parser, TOKEN_LEFT_PAREN, "subquery or range selector", expected);
    if (!r && keyword != KEYWORD_STEP && keyword != KEYWORD_RANGE) {
        r = parse_duration(parser, 1, &node->left);
        if (!r)
            r = parser_expect(parser, TOKEN_COMMA, "duration expression", "\",\"");
        if (!r)
            r = parse_duration(parser, 1, &node->right);
    }
    return r ? r : parser_expect(parser, TOKEN_RIGHT_PAREN, "duration expression", "\")\"");
}

/* ( "-" | "+" ) operand, binding like * */
static int parse_sign(struct parser *parser,
                      struct promql_duration *node,
                      bool whole,
                      const struct promql_duration **ret)
{
    bool minus = parser->token.kind == TOKEN_SUBTRACT;
    int r = parser_take(parser);

    if (!r)
        r = whole ? parse_duration(parser, 3, &node->left)
                  : parse_duration_operand(parser, &node->left);
    if (r)
        return r;
    node->kind = DURATION_NEGATE;
    node->end = parser->last_end;
    *ret = minus ? node : node->left;
    return 0;
}

/* operand = NUMBER | DURATION | word | "(" duration ")" | sign operand
 * whole: a sign takes in what binds tighter than it (^) */
static int parse_operand(struct parser *parser, bool whole, const struct promql_duration **ret)
{
    struct promql_duration *node = duration_node(parser, DURATION_NUMBER, parser->token.start);
    int r;

    if (!node)
        return PROMQL_E_LIMIT;
    if (++parser->nesting > PROMQL_DEPTH_MAX)
        return parser_error(parser, parser->token.start,
                            "the expression is nested more than %d levels deep", PROMQL_DEPTH_MAX);
    if (parser->token.kind == TOKEN_ADD || parser->token.kind == TOKEN_SUBTRACT) {
        r = parse_sign(parser, node, whole, ret);
        parser->nesting--;
        return r;
    }
    if (parser->token.kind == TOKEN_NUMBER || parser->token.kind == TOKEN_DURATION) {
        node->seconds = parser->token.value;
        node->has_unit = parser->token.kind == TOKEN_DURATION;
        r = parser_take(parser);
    } else if (parser->token.kind == TOKEN_LEFT_PAREN) {
        r = parse_parenthesis(parser, node);
    } else if (parser->token.kind == TOKEN_WORD) {
        r = parse_word(parser, node);
    } else {
        r = parser_unexpected(parser, "subquery or range selector",
                              "number, duration, step(), or range()");
    }
    parser->nesting--;
    node->end = parser->last_end;
    *ret = node;
    return r;
}

int parse_duration_operand(struct parser *parser, const struct promql_duration **ret_duration)
{
    return parse_operand(parser, false, ret_duration);
}

static int find_sign(const struct token *token, enum promql_operator *ret_op)
{
    static const struct {
        enum token_kind kind;
        enum promql_operator op;
        int precedence;
    } rows[] = {
        {TOKEN_ADD, OPERATOR_ADD, 1},           {TOKEN_SUBTRACT, OPERATOR_SUBTRACT, 1},
        {TOKEN_MULTIPLY, OPERATOR_MULTIPLY, 2}, {TOKEN_DIVIDE, OPERATOR_DIVIDE, 2},
        {TOKEN_MODULO, OPERATOR_MODULO, 2},     {TOKEN_POWER, OPERATOR_POWER, 3},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].kind == token->kind) {
            *ret_op = rows[i].op;
            return rows[i].precedence;
        }
    return 0;
}

/* duration = operand { ( "+" | "-" | "*" | "/" | "%" | "^" ) duration } */
int parse_duration(struct parser *parser,
                   int min_precedence,
                   const struct promql_duration **ret_duration)
{
    const struct promql_duration *left = NULL;
    enum promql_operator op;
    int precedence;
    unsigned chain = 0;
    int r = parse_operand(parser, true, &left);

    while (!r && (precedence = find_sign(&parser->token, &op)) >= min_precedence &&
           precedence > 0) {
        uint32_t op_start = parser->token.start;

        if (++chain > PROMQL_DEPTH_MAX)
            return parser_error(parser, op_start, "the duration is too long");
        assert(left);
        struct promql_duration *node = duration_node(parser, DURATION_BINARY, left->start);
        if (!node)
            return PROMQL_E_LIMIT;
        r = parser_take(parser);
        if (!r)
            r = parse_duration(parser, op == OPERATOR_POWER ? precedence : precedence + 1,
                               &node->right);
        if (r)
            return r;
        assert(node->right);
        if ((op == OPERATOR_DIVIDE || op == OPERATOR_MODULO) &&
            node->right->kind == DURATION_NUMBER && node->right->seconds == 0)
            return parser_error(parser, op_start,
                                op == OPERATOR_DIVIDE ? "division by zero" : "modulo by zero");
        node->op = op;
        node->left = left;
        node->end = parser->last_end;
        left = node;
    }
    *ret_duration = left;
    return r;
}

static double apply(enum promql_operator op, double left, double right)
{
    switch (op) {
    case OPERATOR_ADD: return left + right;
    case OPERATOR_SUBTRACT: return left - right;
    case OPERATOR_MULTIPLY: return left * right;
    case OPERATOR_DIVIDE: return left / right;
    case OPERATOR_MODULO: return fmod(left, right);
    case OPERATOR_POWER: return pow(left, right);
    case OPERATOR_ATAN2:
    case OPERATOR_IS_EQUAL:
    case OPERATOR_NOT_EQUAL:
    case OPERATOR_GREATER:
    case OPERATOR_LESS:
    case OPERATOR_GREATER_EQUAL:
    case OPERATOR_LESS_EQUAL:
    case OPERATOR_AND:
    case OPERATOR_OR:
    case OPERATOR_UNLESS: break;
    }
    UNREACHABLE("not an operator of durations");
}

static double seconds_of(const struct promql_duration *duration, const struct duration_scope *scope)
{
    switch (duration->kind) {
    case DURATION_NUMBER: return duration->seconds;
    case DURATION_STEP: return (double)scope->step_ms / 1000;
    case DURATION_RANGE: return (double)scope->range_ms / 1000;
    case DURATION_NEGATE: return -seconds_of(duration->left, scope);
    case DURATION_PAREN: return seconds_of(duration->left, scope);
    case DURATION_BINARY:
        return apply(duration->op, seconds_of(duration->left, scope),
                     seconds_of(duration->right, scope));
    case DURATION_MIN:
        return fmin(seconds_of(duration->left, scope), seconds_of(duration->right, scope));
    case DURATION_MAX:
        return fmax(seconds_of(duration->left, scope), seconds_of(duration->right, scope));
    }
    UNREACHABLE("duration kind");
}

int duration_value(const struct promql_duration *duration,
                   const struct duration_scope *scope,
                   int64_t *ret_ms,
                   struct err *reterr)
{
    double seconds = seconds_of(duration, scope);

    if (!(fabs(seconds) < SECONDS_MAX))
        return err_set(reterr, PROMQL_E_EVAL, "duration out of range");
    *ret_ms = (int64_t)(round(seconds * 1e9) / 1e6); /* to nanoseconds, then cut off */
    return 0;
}

static bool is_literal(const struct promql_duration *duration)
{
    if (duration->kind == DURATION_NEGATE)
        duration = duration->left;
    return duration->kind == DURATION_NUMBER;
}

int duration_check(const struct promql_duration *duration, const char *text, struct err *reterr)
{
    static const struct duration_scope none = {0};

    if (is_literal(duration) && !(fabs(seconds_of(duration, &none)) < SECONDS_MAX))
        return lexer_error(text, duration->start, PROMQL_E_SYNTAX, reterr, "duration out of range");
    return 0;
}

int duration_check_positive(const struct promql_duration *duration,
                            const char *text,
                            struct err *reterr)
{
    static const struct duration_scope none = {0};
    int r = duration_check(duration, text, reterr);

    if (!r && is_literal(duration) && !(seconds_of(duration, &none) > 0))
        return lexer_error(text, duration->start, PROMQL_E_SYNTAX, reterr,
                           "duration must be greater than 0");
    return r;
}
