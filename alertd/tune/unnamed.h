#pragma once

/*
 * Series of several metrics. An alert's labels have no metric's name: what `a > 1 or b > 2` gives of both is one
 * alert's.
 */

#include "alertd/promql/promql.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

/* The points of series that differ in their name alone go to the first of them; the others have none then. 0,
 * PROMQL_E_LIMIT. */
int unnamed_merge(struct arena *arena, struct promql_value *value, struct err *reterr);
