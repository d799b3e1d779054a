#pragma once

/*
 * What the two halves of the promqltest runner share: promqltest.c reads scripts,
 * promqltest_ask.c asks the engine and compares answers.
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

struct run {
    struct fake_source fake;
    const struct labels **native; /* series loaded with native histograms */
    size_t n_native, native_capacity;
    bool typed; /* __type__ or __unit__ were loaded: only the metadata feature fits them */
    const char *tags;
    bool verbose;
    size_t passed, failed, apart, apart_passed;
};

void ask_question(struct run *run, const struct script *script, const struct question *question);
