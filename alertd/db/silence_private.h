#pragma once

/*
 * What silence_db.c (reading) and silence_change_db.c (changes) share. Private to db/.
 */

#include "alertd/db/silence_db.h"
#include "lib/base/str.h"

enum {
    SILENCE_MATCHERS_BYTES_MAX = 256 * 1024
};

/* [{"name","value","isRegex","isEqual"}] */
void silence_matchers_text(const struct matcher *matchers, size_t n, struct str *out);
