#pragma once

/*
 * The groups of a regular expression multiplied out: `web-(a|b)(\.c|)` is the four texts
 * `web-a\.c`, `web-a`, `web-b\.c`, `web-b`, of which any may match. Private to pattern.c.
 */

#include <stdbool.h>
#include <stddef.h>

struct pattern_texts {
    char **at;
    size_t n, capacity;
    size_t bytes;
};

/* False: not of this form, or too many. pattern_texts_done() in any case. */
bool pattern_expand(const char *text, struct pattern_texts *ret_texts);
void pattern_texts_done(struct pattern_texts *texts);
