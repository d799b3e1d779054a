#pragma once

/*
 * Matchers as Alertmanager reads them: `severity="page"`, `{team=~"db|web", env!=dev}`.
 *
 * Two grammars. The classic one takes ASCII names and almost anything as a value, quoted or
 * not. The UTF-8 one takes any name when it is quoted and is strict about values. By default
 * both are tried: what only one reads is read by that one, and where they disagree the
 * classic reading wins and a warning says so. Pure.
 */

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/model/matcher.h"

enum {
    ROUTE_MATCHERS_E_SYNTAX = 1, /* reterr says what is wrong */
    ROUTE_MATCHERS_E_MANY = 2,   /* more than ROUTE_MATCHERS_MAX */
};

enum route_grammar {
    ROUTE_GRAMMAR_BOTH, /* Alertmanager's default */
    ROUTE_GRAMMAR_CLASSIC,
    ROUTE_GRAMMAR_UTF8,
};

struct route_matchers {
    struct matcher *at; /* heap */
    size_t n;
};

/* Appends what text says (several, commas between; braces or not) to *matchers. `warning`
 * (may be NULL) gets words when the grammars differ. On failure *matchers is as it was. */
int route_matchers_parse(const char *text,
                         enum route_grammar grammar,
                         struct route_matchers *matchers,
                         struct str *warning,
                         struct err *reterr);
void route_matchers_done(struct route_matchers *matchers);

/* By name, value, type: the order of a route's key. */
void route_matchers_sort(struct matcher *matchers, size_t n);
/* `{a="b",c=~"d"}`: as keys spell it. */
void route_matchers_print(const struct matcher *matchers, size_t n, struct str *out);
