#pragma once

/*
 * What an answer of alertd's says, for who shows it: a member that is not there, or is something else, is shown
 * as nothing.
 */

#include <stdint.h>

#include "lib/json/read.h"

const char *answer_text(const struct json *object, const char *key);  /* NULL: none; a loan */
const char *answer_words(const struct json *object, const char *key); /* "": none */
int64_t answer_count(const struct json *object, const char *key);     /* 0: none */
