/*
 * PromQL text to a syntax tree: Pratt's way, one function per kind of operand and a
 * loop for operators by precedence.
 *
 *     or < and unless < == != > < >= <= < + - < * / % atan2 < unary - + < ^ (from the right)
 *
 * so that -1 ^ 2 is -(1 ^ 2) and 2 ^ 3 ^ 2 is 2 ^ (3 ^ 2). Types are checked when the
 * whole text has been read (check.c).
 */

#include "alertd/promql/parser.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    PRECEDENCE_OR = 1,
    PRECEDENCE_AND,
    PRECEDENCE_COMPARISON,
    PRECEDENCE_SUM,
    PRECEDENCE_PRODUCT,
    PRECEDENCE_POWER,
};

int parser_error(struct parser *parser, uint32_t at, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    return lexer_error(parser->lexer.text, at, PROMQL_E_SYNTAX, parser->reterr, "%s", words);
}

int parser_out_of_memory(struct parser *parser)
{
    return lexer_error(parser->lexer.text, parser->token.start, PROMQL_E_LIMIT, parser->reterr,
                       "the query needs more memory than it may use");
}

int parser_take(struct parser *parser)
{
    parser->last_end = parser->token.end;
    return lexer_next(&parser->lexer, &parser->token, parser->reterr);
}

int parser_unexpected(struct parser *parser, const char *context, const char *expected)
{
    char what[TOKEN_DESCRIPTION_MAX];

    return parser_error(parser, parser->token.start, "unexpected %s%s%s%s%s",
                        token_describe(&parser->token, parser->lexer.text, what, sizeof(what)),
                        context ? " in " : "", context ? context : "",
                        expected ? ", expected " : "", expected ? expected : "");
}

int parser_expect(struct parser *parser,
                  enum token_kind kind,
                  const char *context,
                  const char *expected)
{
    if (parser->token.kind != kind)
        return parser_unexpected(parser, context, expected);
    return parser_take(parser);
}

struct promql_expr *parser_node(struct parser *parser, enum promql_kind kind, uint32_t start)
{
    struct promql_expr *node = arena_alloc(parser->arena, sizeof(*node));

    if (!node) {
        (void)parser_out_of_memory(parser);
        return NULL;
    }
    node->kind = kind;
    node->start = start;
    node->text = parser->lexer.text;
    return node;
}

static int too_deep(struct parser *parser)
{
    return lexer_error(parser->lexer.text, parser->token.start, PROMQL_E_LIMIT, parser->reterr,
                       "the expression is nested more than %d levels deep", PROMQL_DEPTH_MAX);
}

int parser_finish(struct parser *parser, struct promql_expr *node)
{
    const struct promql_expr *child;

    node->end = parser->last_end;
    for (size_t i = 0; (child = expr_child(node, i)); i++)
        if (child->depth > node->depth)
            node->depth = child->depth;
    node->depth++;
    return node->depth > PROMQL_DEPTH_MAX ? too_deep(parser) : 0;
}

/* number = NUMBER | DURATION          (a duration stands for its seconds) */
static int parse_number(struct parser *parser, struct promql_expr **ret_expr)
{
    struct promql_expr *node = parser_node(parser, PROMQL_NUMBER, parser->token.start);

    if (!node)
        return PROMQL_E_LIMIT;
    node->number.value = parser->token.value;
    node->number.has_unit = parser->token.kind == TOKEN_DURATION;
    *ret_expr = node;
    int r = parser_take(parser);
    return r ? r : parser_finish(parser, node);
}

/* string = STRING */
static int parse_string(struct parser *parser, struct promql_expr **ret_expr)
{
    struct promql_expr *node = parser_node(parser, PROMQL_STRING_LITERAL, parser->token.start);

    if (!node)
        return PROMQL_E_LIMIT;
    node->string = parser->token.text;
    *ret_expr = node;
    int r = parser_take(parser);
    return r ? r : parser_finish(parser, node);
}

/* paren = "(" expr ")" */
static int parse_paren(struct parser *parser, struct promql_expr **ret_expr)
{
    struct promql_expr *node = parser_node(parser, PROMQL_PAREN, parser->token.start);

    if (!node)
        return PROMQL_E_LIMIT;
    int r = parser_take(parser);
    if (!r)
        r = parse_expr(parser, PRECEDENCE_OR, &node->paren);
    if (!r)
        r = parser_expect(parser, TOKEN_RIGHT_PAREN, NULL, NULL);
    if (r)
        return r;
    *ret_expr = node;
    return parser_finish(parser, node);
}

static bool may_name_a_metric(enum keyword keyword)
{
    return keyword != KEYWORD_ON && keyword != KEYWORD_IGNORING && keyword != KEYWORD_GROUP_LEFT &&
           keyword != KEYWORD_GROUP_RIGHT && keyword != KEYWORD_BOOL && keyword != KEYWORD_ATAN2;
}

static bool may_name_a_function(enum keyword keyword)
{
    return keyword == KEYWORD_NONE || (keyword >= KEYWORD_START && keyword <= KEYWORD_MAX_OF);
}

static bool starts_grouping(const struct token *token)
{
    return token->kind == TOKEN_WORD &&
           (token->keyword == KEYWORD_BY || token->keyword == KEYWORD_WITHOUT);
}

/* named = aggregation | call | selector          (a word decides by what follows it) */
static int parse_named(struct parser *parser, struct promql_expr **ret_expr)
{
    struct token word = parser->token;

    if (!may_name_a_metric(word.keyword))
        return parser_unexpected(parser, NULL, NULL);
    int r = parser_take(parser);
    if (r)
        return r;
    bool arguments = parser->token.kind == TOKEN_LEFT_PAREN;
    if (word.keyword == KEYWORD_AGGREGATOR && (arguments || starts_grouping(&parser->token)))
        return parse_aggregation(parser, &word, ret_expr);
    if (arguments && may_name_a_function(word.keyword))
        return parse_call(parser, &word, ret_expr);
    return parse_selector(parser, &word, ret_expr);
}

/* unary = ( "-" | "+" ) expr          (binds like *, a signed number is a number) */
static int parse_unary(struct parser *parser, struct promql_expr **ret_expr)
{
    struct promql_expr *node = parser_node(parser, PROMQL_UNARY, parser->token.start);
    bool minus = parser->token.kind == TOKEN_SUBTRACT;

    if (!node)
        return PROMQL_E_LIMIT;
    int r = parser_take(parser);
    if (!r)
        r = parse_expr(parser, PRECEDENCE_POWER, &node->unary.of);
    if (r)
        return r;
    if (node->unary.of->kind == PROMQL_NUMBER) {
        *ret_expr = node->unary.of;
        (*ret_expr)->start = node->start;
        if (minus)
            (*ret_expr)->number.value = -(*ret_expr)->number.value;
        return 0;
    }
    node->unary.minus = minus;
    *ret_expr = node;
    return parser_finish(parser, node);
}

/* operand = ( number | string | paren | named | braces ) { suffix } | unary */
static int parse_operand(struct parser *parser, struct promql_expr **ret_expr)
{
    int r;

    switch (parser->token.kind) {
    case TOKEN_NUMBER:
    case TOKEN_DURATION: r = parse_number(parser, ret_expr); break;
    case TOKEN_STRING: r = parse_string(parser, ret_expr); break;
    case TOKEN_LEFT_PAREN: r = parse_paren(parser, ret_expr); break;
    case TOKEN_WORD: r = parse_named(parser, ret_expr); break;
    case TOKEN_LEFT_BRACE: r = parse_selector(parser, NULL, ret_expr); break;
    case TOKEN_ADD:
    case TOKEN_SUBTRACT: return parse_unary(parser, ret_expr);
    case TOKEN_END:
    case TOKEN_RIGHT_PAREN:
    case TOKEN_RIGHT_BRACE:
    case TOKEN_LEFT_BRACKET:
    case TOKEN_RIGHT_BRACKET:
    case TOKEN_COMMA:
    case TOKEN_COLON:
    case TOKEN_AT:
    case TOKEN_EQUAL:
    case TOKEN_REGEX:
    case TOKEN_NOT_REGEX:
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
    case TOKEN_TRIM_LOWER:
    default: return parser_unexpected(parser, NULL, NULL);
    }
    return r ? r : parse_suffixes(parser, ret_expr);
}

static const struct operator_row {
    enum token_kind kind;
    enum keyword keyword; /* of a word */
    enum promql_operator op;
    int precedence;
} operators[] = {
    {TOKEN_WORD, KEYWORD_OR, OPERATOR_OR, PRECEDENCE_OR},
    {TOKEN_WORD, KEYWORD_AND, OPERATOR_AND, PRECEDENCE_AND},
    {TOKEN_WORD, KEYWORD_UNLESS, OPERATOR_UNLESS, PRECEDENCE_AND},
    {TOKEN_IS_EQUAL, KEYWORD_NONE, OPERATOR_IS_EQUAL, PRECEDENCE_COMPARISON},
    {TOKEN_NOT_EQUAL, KEYWORD_NONE, OPERATOR_NOT_EQUAL, PRECEDENCE_COMPARISON},
    {TOKEN_GREATER, KEYWORD_NONE, OPERATOR_GREATER, PRECEDENCE_COMPARISON},
    {TOKEN_LESS, KEYWORD_NONE, OPERATOR_LESS, PRECEDENCE_COMPARISON},
    {TOKEN_GREATER_EQUAL, KEYWORD_NONE, OPERATOR_GREATER_EQUAL, PRECEDENCE_COMPARISON},
    {TOKEN_LESS_EQUAL, KEYWORD_NONE, OPERATOR_LESS_EQUAL, PRECEDENCE_COMPARISON},
    {TOKEN_ADD, KEYWORD_NONE, OPERATOR_ADD, PRECEDENCE_SUM},
    {TOKEN_SUBTRACT, KEYWORD_NONE, OPERATOR_SUBTRACT, PRECEDENCE_SUM},
    {TOKEN_MULTIPLY, KEYWORD_NONE, OPERATOR_MULTIPLY, PRECEDENCE_PRODUCT},
    {TOKEN_DIVIDE, KEYWORD_NONE, OPERATOR_DIVIDE, PRECEDENCE_PRODUCT},
    {TOKEN_MODULO, KEYWORD_NONE, OPERATOR_MODULO, PRECEDENCE_PRODUCT},
    {TOKEN_WORD, KEYWORD_ATAN2, OPERATOR_ATAN2, PRECEDENCE_PRODUCT},
    {TOKEN_POWER, KEYWORD_NONE, OPERATOR_POWER, PRECEDENCE_POWER},
};

static const struct operator_row *find_operator(const struct token *token)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (operators[i].kind == token->kind &&
            (token->kind != TOKEN_WORD || operators[i].keyword == token->keyword))
            return &operators[i];
    return NULL;
}

static bool at_keyword(const struct parser *parser, enum keyword keyword)
{
    return parser->token.kind == TOKEN_WORD && parser->token.keyword == keyword;
}

/* matching = ( "on" | "ignoring" ) labels [ ( "group_left" | "group_right" ) [ labels ] ] */
static int parse_matching(struct parser *parser, struct promql_matching *matching)
{
    matching->on = at_keyword(parser, KEYWORD_ON);
    int r = parser_take(parser);
    if (!r)
        r = parse_labels(parser, &matching->labels);
    if (r)
        return r;
    if (!at_keyword(parser, KEYWORD_GROUP_LEFT) && !at_keyword(parser, KEYWORD_GROUP_RIGHT))
        return 0;
    matching->card = at_keyword(parser, KEYWORD_GROUP_LEFT) ? CARD_MANY_TO_ONE : CARD_ONE_TO_MANY;
    r = parser_take(parser);
    if (!r && parser->token.kind == TOKEN_LEFT_PAREN)
        r = parse_labels(parser, &matching->include);
    return r;
}

/* modifiers = [ "bool" ] [ matching ] */
static int parse_modifiers(struct parser *parser, struct promql_expr *node)
{
    int r = 0;

    if (at_keyword(parser, KEYWORD_BOOL)) {
        node->binary.return_bool = true;
        r = parser_take(parser);
    }
    if (!r && (at_keyword(parser, KEYWORD_ON) || at_keyword(parser, KEYWORD_IGNORING)))
        r = parse_matching(parser, &node->binary.matching);
    if (r)
        return r;
    if (at_keyword(parser, KEYWORD_FILL) || at_keyword(parser, KEYWORD_FILL_LEFT) ||
        at_keyword(parser, KEYWORD_FILL_RIGHT)) {
        struct lexer ahead = parser->lexer;
        struct token next;

        /* a metric may be called fill; `fill (` is the modifier */
        if (lexer_next(&ahead, &next, NULL) == 0 && next.kind == TOKEN_LEFT_PAREN)
            return parser_error(parser, parser->token.start,
                                "fill modifiers are experimental in Prometheus "
                                "(promql-binop-fill-modifiers) and not supported");
    }
    return 0;
}

/* The operator and what follows it, its left side given. */
static int parse_binary(struct parser *parser,
                        const struct operator_row *row,
                        struct promql_expr **inout_expr)
{
    struct promql_expr *left = *inout_expr;

    assert(left);
    struct promql_expr *node = parser_node(parser, PROMQL_BINARY, left->start);
    if (!node)
        return PROMQL_E_LIMIT;
    node->binary.op = row->op;
    node->binary.op_start = parser->token.start;
    node->binary.left = left;
    int r = parser_take(parser);
    if (!r)
        r = parse_modifiers(parser, node);
    if (!r)
        r = parse_expr(parser,
                       row->precedence == PRECEDENCE_POWER ? row->precedence : row->precedence + 1,
                       &node->binary.right);
    if (r)
        return r;
    *inout_expr = node;
    return parser_finish(parser, node);
}

/* expr = operand { operator modifiers expr } */
int parse_expr(struct parser *parser, int min_precedence, struct promql_expr **ret_expr)
{
    const struct operator_row *row;

    if (++parser->nesting > PROMQL_DEPTH_MAX)
        return too_deep(parser);
    int r = parse_operand(parser, ret_expr);
    while (!r && (row = find_operator(&parser->token)) && row->precedence >= min_precedence)
        r = parse_binary(parser, row, ret_expr);
    parser->nesting--;
    return r;
}

static int check_tree(struct promql_expr *expr, const char *text, struct err *reterr)
{
    struct promql_expr *child;

    for (size_t i = 0; (child = expr_child(expr, i)); i++) {
        int r = check_tree(child, text, reterr);
        if (r)
            return r;
    }
    return expr_check(expr, text, reterr);
}

/* query = expr END */
static int parse_query(struct parser *parser, struct promql_expr **ret_expr)
{
    struct promql_expr *expr = NULL;
    int r = parser_take(parser);

    if (r)
        return r;
    if (parser->token.kind == TOKEN_END)
        return err_at(parser->reterr, PROMQL_E_SYNTAX, 1, 1, "no expression found in input");
    r = parse_expr(parser, PRECEDENCE_OR, &expr);
    if (!r && (parser->token.kind == TOKEN_TRIM_LOWER || parser->token.kind == TOKEN_TRIM_UPPER))
        return parser_error(parser, parser->token.start,
                            "the operators </ and >/ trim native histograms, which are not "
                            "supported");
    if (!r && parser->token.kind != TOKEN_END)
        r = parser_unexpected(parser, NULL, NULL);
    if (!r)
        r = check_tree(expr, parser->lexer.text, parser->reterr);
    if (!r)
        *ret_expr = expr;
    return r;
}

int promql_parse(struct arena *arena,
                 const char *text,
                 struct promql_expr **ret_expr,
                 struct err *reterr)
{
    struct parser parser = {
        .lexer = {.text = text, .arena = arena}, .arena = arena, .reterr = reterr};

    if (strlen(text) > PROMQL_TEXT_MAX)
        return err_at(reterr, PROMQL_E_LIMIT, 1, 1, "the expression is longer than %d KiB",
                      PROMQL_TEXT_MAX / 1024);
    int r = parse_query(&parser, ret_expr);
    if ((r == PROMQL_E_SYNTAX || r == PROMQL_E_TYPE) && reterr)
        hint_add(text, reterr);
    return r;
}
