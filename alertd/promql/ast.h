#pragma once

/*
 * The syntax tree of a PromQL expression.
 *
 *     sum by (job) (rate(errors_total{code=~"5.."}[5m])) > 0.5
 *
 *     BINARY >
 *       AGGREGATE sum by (job)
 *         CALL rate
 *           SELECTOR errors_total{code=~"5.."} range 5m
 *       NUMBER 0.5
 *
 * Invariants
 *  (1) every node knows its bytes of the text [start, end) and its type;
 *  (2) a tree that promql_parse() gave out is well typed: the evaluator asserts, it
 *      does not check;
 *  (3) all of it lives in one arena and is never changed afterwards, so that threads
 *      may share it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/promql/promql.h"
#include "alertd/promql/token.h"
#include "lib/model/matcher.h"

enum promql_kind {
    PROMQL_NUMBER,
    PROMQL_STRING_LITERAL,
    PROMQL_SELECTOR, /* vector, or matrix when it has a range */
    PROMQL_SUBQUERY,
    PROMQL_CALL,
    PROMQL_AGGREGATE,
    PROMQL_BINARY,
    PROMQL_UNARY,
    PROMQL_PAREN,
};

enum promql_aggregator {
    AGGREGATOR_SUM,
    AGGREGATOR_AVG,
    AGGREGATOR_COUNT,
    AGGREGATOR_MIN,
    AGGREGATOR_MAX,
    AGGREGATOR_GROUP,
    AGGREGATOR_STDDEV,
    AGGREGATOR_STDVAR,
    AGGREGATOR_TOPK,
    AGGREGATOR_BOTTOMK,
    AGGREGATOR_COUNT_VALUES,
    AGGREGATOR_QUANTILE,
    AGGREGATOR_LIMITK,      /* experimental: refused */
    AGGREGATOR_LIMIT_RATIO, /* experimental: refused */
};

enum promql_operator {
    OPERATOR_ADD,
    OPERATOR_SUBTRACT,
    OPERATOR_MULTIPLY,
    OPERATOR_DIVIDE,
    OPERATOR_MODULO,
    OPERATOR_POWER,
    OPERATOR_ATAN2,
    OPERATOR_IS_EQUAL,
    OPERATOR_NOT_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_LESS,
    OPERATOR_GREATER_EQUAL,
    OPERATOR_LESS_EQUAL,
    OPERATOR_AND,
    OPERATOR_OR,
    OPERATOR_UNLESS,
};

/* A length of time that may depend on the query: `5m`, `300`, `2 * step()`. */
enum promql_duration_kind {
    DURATION_NUMBER,
    DURATION_STEP,
    DURATION_RANGE,
    DURATION_NEGATE,
    DURATION_PAREN,
    DURATION_BINARY,
    DURATION_MIN,
    DURATION_MAX,
};

struct promql_duration {
    enum promql_duration_kind kind;
    enum promql_operator op; /* BINARY: + - * / % ^ */
    double seconds;          /* NUMBER */
    bool has_unit;           /* NUMBER: written 5m, not 300 */
    const struct promql_duration *left, *right;
    uint32_t start, end;
};

/* `offset` and `@`, of selectors and subqueries. */
enum promql_at {
    AT_NONE,
    AT_TIME,
    AT_START,
    AT_END,
};

struct promql_when {
    const struct promql_duration *offset; /* NULL: none */
    enum promql_at at;
    int64_t at_ms;
};

struct promql_names {
    const char **at;
    size_t n;
};

enum promql_card {
    CARD_ONE_TO_ONE,
    CARD_MANY_TO_ONE, /* group_left */
    CARD_ONE_TO_MANY, /* group_right */
    CARD_MANY_TO_MANY,
};

/* How the series of two vectors find each other. */
struct promql_matching {
    enum promql_card card;
    bool on; /* otherwise ignoring */
    struct promql_names labels;
    struct promql_names include; /* of group_left, group_right */
};

struct promql_selector {
    const char *name; /* written in front of the braces; NULL: none */
    struct matcher *matchers;
    size_t n_matchers;
    const struct promql_duration *range; /* NULL: instant */
    struct promql_when when;
    bool of_labels; /* the second argument of info(): may match everything */
};

struct promql_expr {
    enum promql_kind kind;
    enum promql_type type;
    uint32_t start, end;
    unsigned depth;   /* of the tree below, 1 for a leaf */
    const char *text; /* the whole query, for positions in messages */
    union {
        struct {
            double value;
            bool has_unit; /* written as a duration */
        } number;
        const char *string;
        struct promql_selector selector;
        struct {
            struct promql_expr *of;
            const struct promql_duration *range;
            const struct promql_duration *step; /* NULL: the default */
            struct promql_when when;
        } subquery;
        struct {
            const struct fn *fn; /* a row of fn_table.c */
            struct promql_expr **args;
            size_t n_args;
        } call;
        struct {
            enum promql_aggregator op;
            struct promql_expr *param; /* NULL: none */
            struct promql_expr *of;
            struct promql_names labels;
            bool without;
        } aggregate;
        struct {
            enum promql_operator op;
            struct promql_expr *left, *right;
            bool return_bool;
            bool has_matching; /* on or ignoring was written, or both sides are vectors */
            struct promql_matching matching;
            uint32_t op_start;
        } binary;
        struct {
            bool minus;
            struct promql_expr *of;
        } unary;
        struct promql_expr *paren;
    };
};

enum {
    PROMQL_TEXT_MAX = 128 * 1024, /* bytes of an expression */
    PROMQL_DEPTH_MAX = 400,       /* of a tree: what evaluation recurses over */
};

/* --- Words for things ------------------------------------------------------------- */

int aggregator_find(const char *word); /* any case; -1: none */
const char *aggregator_name(enum promql_aggregator aggregator);
bool aggregator_has_param(enum promql_aggregator aggregator);
/* Ranks whole series instead of folding them: topk, bottomk. */
bool aggregator_ranks(enum promql_aggregator aggregator);

const char *operator_name(enum promql_operator op);
bool operator_is_comparison(enum promql_operator op);
bool operator_is_set(enum promql_operator op);

/* "scalar", "instant vector", "range vector", "string" */
const char *type_words(enum promql_type type);

/* --- For evaluation ---------------------------------------------------------------- */

/* The expression inside any parentheses. */
const struct promql_expr *expr_unwrap(const struct promql_expr *expr);

/* The child number i of a node, NULL past the last. Arguments in order; of a binary
 * expression left, right; of an aggregation its body, then its parameter. */
struct promql_expr *expr_child(const struct promql_expr *expr, size_t i);

/* The metric's name is pinned by the selector: all its series share it. */
bool selector_has_one_name(const struct promql_selector *selector);

/* Types of a finished node against its children's; check.c. 0, PROMQL_E_TYPE or
 * PROMQL_E_SYNTAX, as Prometheus words it. */
int expr_check(struct promql_expr *expr, const char *text, struct err *reterr);
