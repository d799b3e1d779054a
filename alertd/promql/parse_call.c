/*
 * Calls and aggregations: a word and what stands in parentheses behind it.
 */

#include <assert.h>

#include "alertd/promql/fn.h"
#include "alertd/promql/fn_body.h"
#include "alertd/promql/parser.h"

static bool experimental_allowed;

void promql_allow_experimental(void)
{
    experimental_allowed = true;
}

static const char not_allowed[] =
    "%s \"%s\" is experimental: --enable-feature=promql-experimental-functions allows it";

struct list {
    struct list *next;
    const void *item;
};

/* Puts item in front. */
static int list_add(struct parser *parser, struct list **list, size_t *n, const void *item)
{
    struct list *link = arena_alloc(parser->arena, sizeof(*link));

    if (!link)
        return parser_out_of_memory(parser);
    link->item = item;
    link->next = *list;
    *list = link;
    ++*n;
    return 0;
}

/* The items as an array in the order they came. */
static int list_take(struct parser *parser,
                     const struct list *list,
                     size_t n,
                     const void ***ret_items)
{
    const void **items = arena_array(parser->arena, n ? n : 1, sizeof(*items));

    if (!items)
        return parser_out_of_memory(parser);
    for (size_t i = n; i-- > 0; list = list->next)
        items[i] = list->item;
    *ret_items = items;
    return 0;
}

/* name = WORD | STRING */
static int parse_label(struct parser *parser, struct list **list, size_t *n)
{
    struct token name = parser->token;

    if (name.kind != TOKEN_WORD && (name.kind != TOKEN_STRING || !name.text[0]))
        return parser_unexpected(parser, "grouping opts", "label");
    int r = list_add(parser, list, n, name.text);
    return r ? r : parser_take(parser);
}

int parse_labels(struct parser *parser, struct promql_names *ret_names)
{
    struct list *list = NULL;
    size_t n = 0;
    const void **items = NULL;
    int r = parser_expect(parser, TOKEN_LEFT_PAREN, "grouping opts", "\"(\"");

    while (!r && parser->token.kind != TOKEN_RIGHT_PAREN) {
        r = parse_label(parser, &list, &n);
        if (r || parser->token.kind == TOKEN_RIGHT_PAREN)
            break;
        r = parser_expect(parser, TOKEN_COMMA, "grouping opts", "\",\" or \")\"");
    }
    if (!r)
        r = parser_take(parser);
    if (!r)
        r = list_take(parser, list, n, &items);
    if (r)
        return r;
    ret_names->at = (const char **)items;
    ret_names->n = n;
    return 0;
}

/* arguments = "(" [ expr { "," expr } ] ")" */
static int parse_arguments(struct parser *parser, struct promql_expr ***ret_args, size_t *ret_n)
{
    struct list *list = NULL;
    size_t n = 0;
    const void **items = NULL;
    int r = parser_expect(parser, TOKEN_LEFT_PAREN, NULL, NULL);

    while (!r && parser->token.kind != TOKEN_RIGHT_PAREN) {
        struct promql_expr *arg = NULL;

        r = parse_expr(parser, 1, &arg);
        if (!r)
            r = list_add(parser, &list, &n, arg);
        if (r || parser->token.kind == TOKEN_RIGHT_PAREN)
            break;
        uint32_t comma = parser->token.start;
        r = parser_expect(parser, TOKEN_COMMA, NULL, NULL);
        if (!r && parser->token.kind == TOKEN_RIGHT_PAREN)
            return parser_error(parser, comma, "trailing commas not allowed in function call args");
    }
    if (!r)
        r = parser_take(parser);
    if (!r)
        r = list_take(parser, list, n, &items);
    if (r)
        return r;
    *ret_args = (struct promql_expr **)(void *)items;
    *ret_n = n;
    return 0;
}

/* info's second argument is a selector without a name, of labels rather than of series. */
static int check_label_selector(struct parser *parser, const struct promql_expr *call)
{
    if (call->call.fn->eval != eval_info || call->call.n_args < 2)
        return 0;
    struct promql_expr *labels = call->call.args[1];
    if (labels->kind != PROMQL_SELECTOR || labels->selector.name || labels->selector.range)
        return parser_error(parser, labels->start,
                            "expected label selectors only, as in {version=~\".+\"}, in call to "
                            "function \"info\"");
    labels->selector.of_labels = true;
    return 0;
}

int parse_call(struct parser *parser, const struct token *word, struct promql_expr **ret_expr)
{
    const struct fn *fn = fn_find(word->text);
    struct promql_expr *node = NULL;

    if (!fn)
        return parser_error(parser, word->start, "unknown function with name \"%s\"", word->text);
    if (fn->refusal)
        return parser_error(parser, word->start, "function \"%s\" %s", fn->name, fn->refusal);
    if (fn->experimental && !experimental_allowed)
        return parser_error(parser, word->start, not_allowed, "function", fn->name);
    node = parser_node(parser, PROMQL_CALL, word->start);
    if (!node)
        return PROMQL_E_LIMIT;
    node->call.fn = fn;
    int r = parse_arguments(parser, &node->call.args, &node->call.n_args);
    if (!r)
        r = check_label_selector(parser, node);
    if (r)
        return r;
    *ret_expr = node;
    return parser_finish(parser, node);
}

/* grouping = ( "by" | "without" ) labels */
static int parse_grouping(struct parser *parser, struct promql_expr *node, bool *seen)
{
    if (*seen || parser->token.kind != TOKEN_WORD ||
        (parser->token.keyword != KEYWORD_BY && parser->token.keyword != KEYWORD_WITHOUT))
        return 0;
    *seen = true;
    node->aggregate.without = parser->token.keyword == KEYWORD_WITHOUT;
    int r = parser_take(parser);
    return r ? r : parse_labels(parser, &node->aggregate.labels);
}

static int set_arguments(struct parser *parser,
                         struct promql_expr *node,
                         struct promql_expr **args,
                         size_t n)
{
    size_t wanted = aggregator_has_param(node->aggregate.op) ? 2 : 1;

    if (n == 0)
        return parser_error(parser, node->start, "no arguments for aggregate expression provided");
    if (n != wanted)
        return parser_error(parser, node->start,
                            "wrong number of arguments for aggregate expression provided, "
                            "expected %zu, got %zu",
                            wanted, n);
    assert(args);
    node->aggregate.of = args[n - 1];
    node->aggregate.param = wanted == 2 ? args[0] : NULL;
    return 0;
}

int parse_aggregation(struct parser *parser,
                      const struct token *word,
                      struct promql_expr **ret_expr)
{
    struct promql_expr *node = parser_node(parser, PROMQL_AGGREGATE, word->start);
    struct promql_expr **args = NULL;
    size_t n = 0;
    bool grouped = false;

    if (!node)
        return PROMQL_E_LIMIT;
    node->aggregate.op = (enum promql_aggregator)word->aggregator;
    if (node->aggregate.op >= AGGREGATOR_LIMITK && !experimental_allowed)
        return parser_error(parser, word->start, not_allowed, "aggregation",
                            aggregator_name(node->aggregate.op));
    int r = parse_grouping(parser, node, &grouped);
    if (!r)
        r = parse_arguments(parser, &args, &n);
    if (!r)
        r = parse_grouping(parser, node, &grouped);
    if (!r)
        r = set_arguments(parser, node, args, n);
    if (r)
        return r;
    *ret_expr = node;
    return parser_finish(parser, node);
}
