#pragma once

/*
 * Regular expressions: RE2's syntax and linear time, through a small C shim over
 * libre2 (regex.cc). Prometheus rules are written in this syntax; backtracking
 * engines accept more and can be made to hang.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

struct regex;

enum {
    REGEX_E_SYNTAX = 1, /* not RE2 syntax, or \C */
    REGEX_E_LIMIT = 2,  /* pattern longer than 4 KiB or program too large */
};

/* Heap; regex_free(). `.` matches a newline as in Prometheus matchers ((?s));
 * where it must not, put `(?-s)` in front of the pattern. */
int regex_new(const char *pattern, struct regex **ret_regex, struct err *reterr);
void regex_free(struct regex *regex);

bool regex_matches_all(const struct regex *regex, const char *text, size_t len);    /* anchored */
bool regex_matches_within(const struct regex *regex, const char *text, size_t len); /* anywhere */

/* label_replace: when all of text matches, appends the replacement with $1, ${name} and
 * $$ expanded (Go's rules) and returns true. */
bool regex_expand(const struct regex *regex,
                  const char *text,
                  const char *replacement,
                  struct str *out);
/* reReplaceAll: appends text with every match replaced (Go's $ rules). */
void regex_replace_all(const struct regex *regex,
                       const char *text,
                       const char *replacement,
                       struct str *out);
