#pragma once

/*
 * What the two grammars of matchers share. Private to route/.
 */

#include "alertd/route/matchers.h"

int matchers_add(struct route_matchers *matchers,
                 enum matcher_type type,
                 const char *name,
                 const char *value,
                 struct err *reterr);
/* The operator's length, 0 when none begins there. */
size_t matchers_operator(const char *text, enum matcher_type *ret_type);

/* The strict grammar; on failure *matchers holds what was read so far. */
int utf8_matchers(const char *text, struct route_matchers *matchers, struct err *reterr);
