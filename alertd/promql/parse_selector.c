/*
 * Selectors and what may follow an expression: a range, a subquery, offset and @.
 */

#include <math.h>
#include <string.h>

#include "alertd/promql/duration.h"
#include "alertd/promql/parser.h"

static void done_matcher(void *matcher)
{
    matcher_done(matcher);
}

struct matcher_list {
    struct matcher_list *next;
    struct matcher matcher;
};

/* Matchers in the order written; the compiled patterns go when the arena goes. */
static int add_matcher(struct parser *parser,
                       struct matcher_list **list,
                       enum matcher_type type,
                       const char *name,
                       const struct token *value)
{
    struct matcher_list *link = arena_alloc(parser->arena, sizeof(*link));
    struct err err = {0};

    if (!link)
        return parser_out_of_memory(parser);
    if (matcher_init(&link->matcher, type, name, value->text, &err))
        return parser_error(parser, value->start, "error parsing regexp: %s", err.text);
    if (!arena_on_reset(parser->arena, done_matcher, &link->matcher)) {
        matcher_done(&link->matcher);
        return parser_out_of_memory(parser);
    }
    link->next = *list;
    *list = link;
    return 0;
}

static bool matcher_sign(const struct token *token, enum matcher_type *ret_type)
{
    if (token->kind == TOKEN_EQUAL)
        *ret_type = MATCHER_EQUAL;
    else if (token->kind == TOKEN_NOT_EQUAL)
        *ret_type = MATCHER_NOT_EQUAL;
    else if (token->kind == TOKEN_REGEX)
        *ret_type = MATCHER_REGEX;
    else if (token->kind == TOKEN_NOT_REGEX)
        *ret_type = MATCHER_NOT_REGEX;
    else
        return false;
    return true;
}

/* matcher = ( WORD | STRING ) ( "=" | "!=" | "=~" | "!~" ) STRING | STRING
 * (a lone string is the metric's name) */
static int parse_matcher(struct parser *parser, struct matcher_list **list)
{
    struct token name = parser->token;
    enum matcher_type type = MATCHER_EQUAL;

    if (name.kind != TOKEN_WORD && name.kind != TOKEN_STRING)
        return parser_unexpected(parser, "label matching", "identifier or \"}\"");
    int r = parser_take(parser);
    if (r)
        return r;
    if (name.kind == TOKEN_STRING &&
        (parser->token.kind == TOKEN_COMMA || parser->token.kind == TOKEN_RIGHT_BRACE))
        return add_matcher(parser, list, MATCHER_EQUAL, LABEL_NAME, &name);
    if (!matcher_sign(&parser->token, &type))
        return parser_unexpected(parser, "label matching", "label matching operator");
    r = parser_take(parser);
    if (r)
        return r;
    struct token value = parser->token;
    if (value.kind != TOKEN_STRING)
        return parser_unexpected(parser, "label matching", "string");
    r = add_matcher(parser, list, type, name.text, &value);
    return r ? r : parser_take(parser);
}

/* braces = "{" [ matcher { "," matcher } [ "," ] ] "}" */
static int parse_braces(struct parser *parser, struct matcher_list **list)
{
    int r = parser_take(parser);

    while (!r && parser->token.kind != TOKEN_RIGHT_BRACE) {
        r = parse_matcher(parser, list);
        if (r || parser->token.kind == TOKEN_RIGHT_BRACE)
            break;
        r = parser_expect(parser, TOKEN_COMMA, "label matching", "\",\" or \"}\"");
    }
    return r ? r : parser_take(parser);
}

/* The list is newest first; the array is as written, the name's matcher last. */
static int keep_matchers(struct parser *parser,
                         struct promql_selector *selector,
                         const struct matcher_list *list)
{
    size_t n = 0;

    for (const struct matcher_list *at = list; at; at = at->next)
        n++;
    selector->matchers = arena_array(parser->arena, n ? n : 1, sizeof(*selector->matchers));
    if (!selector->matchers)
        return parser_out_of_memory(parser);
    selector->n_matchers = n;
    for (; list; list = list->next)
        selector->matchers[--n] = list->matcher;
    return 0;
}

static int refuse_second_name(struct parser *parser,
                              const struct token *word,
                              const struct matcher_list *list)
{
    for (; list; list = list->next)
        if (strcmp(list->matcher.name, LABEL_NAME) == 0)
            return parser_error(parser, word->start,
                                "metric name must not be set twice: \"%s\" or \"%s\"", word->text,
                                list->matcher.value);
    return 0;
}

int parse_selector(struct parser *parser, const struct token *word, struct promql_expr **ret_expr)
{
    struct promql_expr *node = parser_node(parser, PROMQL_SELECTOR,
                                           word ? word->start : parser->token.start);
    struct matcher_list *list = NULL;
    int r = 0;

    if (!node)
        return PROMQL_E_LIMIT;
    if (parser->token.kind == TOKEN_LEFT_BRACE)
        r = parse_braces(parser, &list);
    if (!r && word) {
        r = refuse_second_name(parser, word, list);
        if (!r)
            r = add_matcher(parser, &list, MATCHER_EQUAL, LABEL_NAME, word);
        node->selector.name = word->text;
    }
    if (!r)
        r = keep_matchers(parser, &node->selector, list);
    if (r)
        return r;
    *ret_expr = node;
    return parser_finish(parser, node);
}

/* --- Ranges and subqueries ---------------------------------------------------------- */

static int refuse_range_here(struct parser *parser, const struct promql_expr *expr, uint32_t at)
{
    if (expr->kind != PROMQL_SELECTOR || expr->selector.range)
        return parser_error(parser, at, "ranges only allowed for vector selectors");
    if (expr->selector.when.offset)
        return parser_error(parser, at, "no offset modifiers allowed before range");
    if (expr->selector.when.at != AT_NONE)
        return parser_error(parser, at, "no @ modifiers allowed before range");
    return 0;
}

/* range = "[" duration "]"          subquery = "[" duration ":" [ duration ] "]" */
static int parse_brackets(struct parser *parser, struct promql_expr **inout_expr)
{
    uint32_t at = parser->token.start;
    const struct promql_duration *range = NULL;
    const struct promql_duration *step = NULL;
    int r = parser_take(parser);

    if (!r)
        r = parse_duration(parser, 1, &range);
    if (r)
        return r;
    if (parser->token.kind == TOKEN_RIGHT_BRACKET) {
        r = duration_check_positive(range, parser->lexer.text, parser->reterr);
        if (!r)
            r = refuse_range_here(parser, *inout_expr, at);
        if (!r)
            r = parser_take(parser);
        (*inout_expr)->selector.range = range;
        (*inout_expr)->end = parser->last_end;
        return r;
    }
    r = parser_expect(parser, TOKEN_COLON, "subquery or range selector", "\":\" or \"]\"");
    if (!r && parser->token.kind != TOKEN_RIGHT_BRACKET)
        r = parse_duration(parser, 1, &step);
    if (!r)
        r = parser_expect(parser, TOKEN_RIGHT_BRACKET, "subquery selector", "\"]\"");
    if (!r)
        r = duration_check_positive(range, parser->lexer.text, parser->reterr);
    if (!r && step)
        r = duration_check_positive(step, parser->lexer.text, parser->reterr);
    if (r)
        return r;
    struct promql_expr *node = parser_node(parser, PROMQL_SUBQUERY, (*inout_expr)->start);
    if (!node)
        return PROMQL_E_LIMIT;
    node->subquery.of = *inout_expr;
    node->subquery.range = range;
    node->subquery.step = step;
    *inout_expr = node;
    return parser_finish(parser, node);
}

/* --- offset and @ -------------------------------------------------------------------- */

static struct promql_when *when_of(struct promql_expr *expr)
{
    if (expr->kind == PROMQL_SELECTOR)
        return &expr->selector.when;
    return expr->kind == PROMQL_SUBQUERY ? &expr->subquery.when : NULL;
}

/* "offset" operand-of-a-duration */
static int parse_offset(struct parser *parser, struct promql_expr *expr)
{
    struct promql_when *when = when_of(expr);
    const struct promql_duration *offset = NULL;
    int r = parser_take(parser);

    if (!r)
        r = parse_duration_operand(parser, &offset);
    if (r)
        return r;
    if (!when)
        return parser_error(parser, expr->start,
                            "offset modifier must be preceded by an instant vector selector or "
                            "range vector selector or a subquery");
    if (when->offset)
        return parser_error(parser, expr->start, "offset may not be set multiple times");
    r = duration_check(offset, parser->lexer.text, parser->reterr);
    when->offset = offset;
    expr->end = parser->last_end;
    return r;
}

/* Seconds to milliseconds; false when no instant we know. */
static bool instant_of(double seconds, int64_t *ret_ms)
{
    if (!isfinite(seconds) || fabs(seconds) >= 9.2e15)
        return false;
    *ret_ms = (int64_t)round(seconds * 1000);
    return true;
}

/* time = [ "+" | "-" ] ( NUMBER | DURATION ) */
static int parse_at_number(struct parser *parser,
                           const struct promql_expr *expr,
                           struct promql_when *ret)
{
    double sign = 1;
    int r = 0;

    if (parser->token.kind == TOKEN_ADD || parser->token.kind == TOKEN_SUBTRACT) {
        sign = parser->token.kind == TOKEN_SUBTRACT ? -1 : 1;
        r = parser_take(parser);
    }
    if (r)
        return r;
    if (parser->token.kind != TOKEN_NUMBER && parser->token.kind != TOKEN_DURATION)
        return parser_unexpected(parser, "@ modifier", "timestamp, start() or end()");
    double seconds = sign * parser->token.value;
    if (!instant_of(seconds, &ret->at_ms))
        return parser_error(parser, expr->start, "timestamp out of bounds for @ modifier: %s",
                            isnan(seconds) ? "NaN"
                            : seconds > 0  ? "+Inf"
                                           : "-Inf");
    ret->at = AT_TIME;
    return parser_take(parser);
}

/* "@" ( time | "start" "(" ")" | "end" "(" ")" ) */
static int parse_at(struct parser *parser, struct promql_expr *expr)
{
    struct promql_when *when = when_of(expr);
    struct promql_when found = {0};
    int r = parser_take(parser);

    if (r)
        return r;
    if (parser->token.keyword == KEYWORD_START || parser->token.keyword == KEYWORD_END) {
        found.at = parser->token.keyword == KEYWORD_START ? AT_START : AT_END;
        r = parser_take(parser);
        if (!r)
            r = parser_expect(parser, TOKEN_LEFT_PAREN, "@ modifier", "\"(\"");
        if (!r)
            r = parser_expect(parser, TOKEN_RIGHT_PAREN, "@ modifier", "\")\"");
    } else {
        r = parse_at_number(parser, expr, &found);
    }
    if (r)
        return r;
    if (!when)
        return parser_error(parser, expr->start,
                            "@ modifier must be preceded by an instant vector selector or range "
                            "vector selector or a subquery");
    if (when->at != AT_NONE)
        return parser_error(parser, expr->start, "@ <timestamp> may not be set multiple times");
    when->at = found.at;
    when->at_ms = found.at_ms;
    expr->end = parser->last_end;
    return 0;
}

int parse_suffixes(struct parser *parser, struct promql_expr **inout_expr)
{
    for (;;) {
        const struct token *token = &parser->token;
        int r;

        if (token->kind == TOKEN_LEFT_BRACKET)
            r = parse_brackets(parser, inout_expr);
        else if (token->kind == TOKEN_AT)
            r = parse_at(parser, *inout_expr);
        else if (token->kind == TOKEN_WORD && token->keyword == KEYWORD_OFFSET)
            r = parse_offset(parser, *inout_expr);
        else if (token->kind == TOKEN_WORD &&
                 (token->keyword == KEYWORD_ANCHORED || token->keyword == KEYWORD_SMOOTHED))
            return parser_error(parser, token->start,
                                "\"%s\" is experimental in Prometheus "
                                "(promql-extended-range-selectors) and not supported",
                                token->text);
        else
            return 0;
        if (r)
            return r;
    }
}
