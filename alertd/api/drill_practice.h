#pragma once

/*
 * What the clocks of a drill said each time somebody played it to its end.
 */

#include "alertd/api/api.h"
#include "alertd/drill/practice.h"

/* Runs of a drill, of everybody, oldest first; in the arena. */
int drill_practice_read(const struct api *api,
                        const char *drill,
                        struct arena *arena,
                        struct practice_run **ret_runs,
                        size_t *ret_n,
                        struct err *reterr);
