#pragma once

/*
 * What a unit test expected beside what came. Order does not matter, everything else
 * does: equal label sets, equal annotations, equal floats (NaN equals nothing).
 */

#include "alertd/rule/unit_file.h"
#include "lib/base/str.h"

/* false, with `exp:` and `got:` in the report, when they differ. `got` is reordered. */
bool unit_compare_alerts(const struct unit_alert_test *test,
                         struct unit_alert *got,
                         size_t n_got,
                         struct str *report);

/* fuzzy: one unit in the last place may differ. */
bool unit_compare_samples(const struct unit_expr_test *test,
                          const struct promql_value *got,
                          bool fuzzy,
                          struct str *report);
