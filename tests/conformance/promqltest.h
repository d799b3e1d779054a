#pragma once

/*
 * What the parts of the promqltest runner share: promqltest.c reads scripts,
 * promqltest_ask.c asks the engine and compares answers, promqltest_cover.c keeps count of
 * what was asked for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/promql.h"
#include "tests/lib/fake_source.h"

enum {
    ANSWERS_MAX = 512
};

struct script {
    const char *path;
    char **lines;
    size_t n;
    size_t at;
};

/* What a message must say: all of it, or a match of a regular expression. */
struct pattern {
    bool wanted;
    bool is_regex;
    const char *text; /* NULL: anything */
};

struct question {
    size_t line;
    const char *expr;
    struct promql_query query;
    bool fails, warns, informs, no_warns, no_informs, ordered, apart;
    struct pattern failure, warning, info;
    const char *string; /* quoted */
    bool is_matrix;
    int64_t matrix_from_ms, matrix_step_ms;
    const char *answers[ANSWERS_MAX];
    size_t n_answers;
};

enum {
    COVER_FUNCTIONS = 256,
    COVER_NAMES = 32, /* aggregations, operators */
};

enum cover_modifier {
    COVER_OFFSET,
    COVER_NEGATIVE_OFFSET,
    COVER_AT,
    COVER_AT_START,
    COVER_AT_END,
    COVER_RANGE,
    COVER_SUBQUERY,
    COVER_BY,
    COVER_WITHOUT,
    COVER_ON,
    COVER_IGNORING,
    COVER_GROUP_LEFT,
    COVER_GROUP_RIGHT,
    COVER_INCLUDE,
    COVER_BOOL,
    COVER_UNARY_MINUS,
    COVER_UNARY_PLUS,
    COVER_STRING,
    COVER_DURATION_NUMBER,
    COVER_MODIFIERS
};

struct coverage {
    bool functions[COVER_FUNCTIONS]; /* by row of fn_table() */
    bool aggregators[COVER_NAMES], operators[COVER_NAMES];
    bool modifiers[COVER_MODIFIERS];
};

struct run {
    struct fake_source fake;
    const struct labels **native; /* series loaded with native histograms */
    size_t n_native, native_capacity;
    bool typed; /* __type__ or __unit__ were loaded: only the metadata feature fits them */
    const char *tags;
    bool verbose;
    size_t passed, failed, apart, apart_passed;
    struct coverage *coverage;
};

void ask_question(struct run *run, const struct script *script, const struct question *question);

void cover_expr(struct coverage *coverage, const struct promql_expr *expr);
/* Prints what was not used, and counts it. */
size_t cover_count_missing(const struct coverage *coverage);
