#pragma once

/*
 * What a setting would have paged, behind what alertctl tune says of its alerts.
 *
 *     --config=FILE     here, by that config: receivers, since a file knows no people
 *     --config=server   by alertd, with its config, silences, schedules and people, over its samples
 */

#include "alertd/pages/pages.h"
#include "ctl/tune.h"

/* Nothing without --config. With --json `out` is an object, whose member `pages` it becomes. */
enum ctl_exit tune_pages_add(const struct ctl *ctl,
                             struct tune_past *past,
                             const struct tune_ask *ask,
                             const struct tune_result *result,
                             struct str *out);

/* The config of a path; NULL: what stands in for one. route_config_unref(). */
enum ctl_exit tune_pages_config(const struct ctl *ctl,
                                const char *path,
                                const struct route_config **ret_config);
