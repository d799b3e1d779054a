#pragma once

/*
 * Inside of lint with data: asking a server, one number at a time.
 */

#include "alertd/rule/lint_private.h"

struct asking {
    struct lint lint;
    const struct rule_data *data;
    struct str query; /* of the question that is put together */
};

/* False when there is no answer; *ret_found tells whether the answer is a number. */
bool lint_ask(struct asking *asking, bool *ret_found, double *ret_number);
/* Begins a question: `before(expr)`. */
void lint_ask_begin(struct asking *asking, const char *before, const struct promql_expr *expr);
/* The whole of it. */
bool lint_ask_of(struct asking *asking,
                 const char *before,
                 const struct promql_expr *expr,
                 bool *ret_found,
                 double *ret_number);

/* The selector as it is now: no range, no offset. */
struct promql_expr lint_at_present(const struct promql_expr *selector);
/* Takes back what was told by name alone, here: the data knows better. */
void lint_retract(struct asking *asking, const char *id, struct rule_span span);
/* What TELL() needs for a finding of this id. */
struct lint *lint_telling(struct asking *asking, const char *id);
const char *lint_window_text(const struct asking *asking, char *text);

/* lint_data_series.c: everything below and with expr. */
void lint_data_series(struct asking *asking, const struct promql_expr *expr);
