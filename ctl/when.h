#pragma once

/*
 * An instant as people write it: RFC 3339, Unix seconds with or without a fraction, "now", or
 * how long ago ("30d", "1h30m").
 */

#include <stdint.h>

#include "lib/base/err.h"

/* 0, or -EINVAL with words that name the option. */
int when_parse(
    const char *option, const char *text, int64_t now_ms, int64_t *ret_t_ms, struct err *reterr);
