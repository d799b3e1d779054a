#pragma once

/*
 * Words of the config file beside our own. Private to deliver/.
 */

#include <stddef.h>

#include "lib/base/str.h"

/* What the config file says instead of our own words: NULL when it says nothing, or says it
 * with template actions, which are never sent as they stand. */
const char *words_configured(const char *text);

/* Cuts a text to at most max bytes, at a character's border, with an ellipsis. */
void words_cut(struct str *text, size_t max);
