#pragma once

/*
 * "Did you mean ...?": the word of a list that was probably meant.
 */

#include <stddef.h>

/* The word of `known` (NULL-terminated) nearest to `word`, when at most a third of its
 * letters, rounded up, and never more than three differ (inserted, left out, replaced, or two
 * neighbours swapped); NULL when none is that near. Words longer than 64 bytes never match. */
const char *near_word(const char *word, const char *const *known);
