#pragma once

/*
 * What the parser's files share: one token of look-ahead and the arena. The grammar
 * is in the comments of the parse functions; parser.c has expressions, parse_call.c
 * calls and aggregations, parse_selector.c selectors with what follows them.
 *
 * Every function returns 0 or PROMQL_E_*, and is called with parser->token at the
 * first token of what it parses and leaves it behind the last.
 */

#include "alertd/promql/ast.h"
#include "alertd/promql/token.h"

struct parser {
    struct lexer lexer;
    struct token token; /* not yet taken */
    uint32_t last_end;  /* of the token taken last */
    unsigned nesting;
    struct arena *arena;
    struct err *reterr;
};

int parser_take(struct parser *parser);
int parser_expect(struct parser *parser,
                  enum token_kind kind,
                  const char *context,
                  const char *expected);
/* `unexpected X[ in context][, expected Y]` at the current token; PROMQL_E_SYNTAX. */
int parser_unexpected(struct parser *parser, const char *context, const char *expected);
int parser_error(struct parser *parser, uint32_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int parser_out_of_memory(struct parser *parser);
/* NULL when the memory is spent (then reterr is written): return PROMQL_E_LIMIT. */
struct promql_expr *parser_node(struct parser *parser, enum promql_kind kind, uint32_t start);
/* Sets end and depth, checks the depth. */
int parser_finish(struct parser *parser, struct promql_expr *node);

int parse_expr(struct parser *parser, int min_precedence, struct promql_expr **ret_expr);

/* labels = "(" [ name { "," name } [ "," ] ] ")" */
int parse_labels(struct parser *parser, struct promql_names *ret_names);
/* aggregation = word [ grouping ] arguments [ grouping ] */
int parse_aggregation(struct parser *parser,
                      const struct token *word,
                      struct promql_expr **ret_expr);
/* call = word arguments */
int parse_call(struct parser *parser, const struct token *word, struct promql_expr **ret_expr);

/* selector = word [ braces ] | braces */
int parse_selector(struct parser *parser, const struct token *word, struct promql_expr **ret_expr);
/* suffix = { range | subquery | "offset" duration | "@" time } */
int parse_suffixes(struct parser *parser, struct promql_expr **inout_expr);

/* A whole duration expression, as between brackets. */
int parse_duration(struct parser *parser,
                   int min_precedence,
                   const struct promql_duration **ret_duration);
/* One operand of it with its sign, as behind `offset`. */
int parse_duration_operand(struct parser *parser, const struct promql_duration **ret_duration);

/* hint.c: puts what to do behind the words of a parse error. */
void hint_add(const char *text, struct err *err);
