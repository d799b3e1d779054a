#pragma once

/*
 * The regular expression of a matcher: anchored at both ends, `.` matches everything.
 * pattern.c reads it into alternatives that need no engine where that is possible, and
 * leaves it to RE2 where it is not; the two must not be told apart.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct matcher_pattern;

/* NULL when the text is not RE2's, or too large; words say why. */
struct matcher_pattern *pattern_new(const char *text, struct err *reterr);
void pattern_free(struct matcher_pattern *pattern); /* NULL is fine */

bool pattern_matches(const struct matcher_pattern *pattern, const char *value);
/* For tests: RE2 is never asked, or only for values that are not ASCII. */
bool pattern_is_quick(const struct matcher_pattern *pattern);
