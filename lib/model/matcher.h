#pragma once

/*
 * One condition on one label: `job="node"`, `code=~"5.."`. Regular expressions
 * are RE2's and anchored at both ends; a label that is absent has the value "".
 * pattern.c decides between plain comparison and the engine (sets, prefixes,
 * suffixes and "contains" never reach RE2).
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/model/labels.h"

enum matcher_type {
    MATCHER_EQUAL,
    MATCHER_NOT_EQUAL,
    MATCHER_REGEX,
    MATCHER_NOT_REGEX,
};

enum {
    MATCHER_E_REGEX = 1 /* the pattern is not RE2's, or too large; words say why */
};

struct matcher {
    enum matcher_type type;
    char *name;
    char *value;
    struct matcher_pattern *pattern; /* only for the regex types */
};

/* Fills *ret_matcher (heap inside; matcher_done()). 0 or MATCHER_E_REGEX. */
int matcher_init(struct matcher *ret_matcher,
                 enum matcher_type type,
                 const char *name,
                 const char *value,
                 struct err *reterr);
void matcher_done(struct matcher *matcher);

bool matcher_matches(const struct matcher *matcher, const char *value);
/* All of them on one series. */
bool matchers_match(const struct matcher *matchers, size_t n, const struct labels *labels);
/* `name=~"value"` */
void matcher_print(const struct matcher *matcher, struct str *out);
