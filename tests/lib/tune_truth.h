#pragma once

/*
 * The slow truth beside the tuner: in every cell the rule with that threshold written into its
 * text, evaluated over the same source, its alerts stepped by alert_step() one evaluation at a
 * time.
 */

#include <stdbool.h>

#include "alertd/promql/source.h"
#include "alertd/tune/tune.h"

/* What the surface says of each cell, and the episodes of the setting of now. False, with words
 * that name the cell, where they differ. every: of thresholds and fors only each so many-th is
 * looked at (and the setting of now); 1: all. */
bool tune_truth_check(const struct source *source,
                      const struct tune_ask *ask,
                      const struct tune_result *result,
                      size_t every,
                      struct err *reterr);
