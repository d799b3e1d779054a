#pragma once

/*
 * What a unit test expected beside what came. Order does not matter, everything else
 * does: equal label sets, equal annotations, equal floats (NaN equals nothing).
 *
 * What differs is told as small as it is: an expected and a firing alert that are most
 * alike are taken for the same one, and only the labels and annotations in which they
 * differ are shown.
 */

#include "alertd/eval/unit_report.h"
#include "alertd/rule/unit_file.h"
#include "lib/base/str.h"

/* Says why an expected alert is not there: indented lines for the diff. */
struct unit_why {
    void (*tell)(void *arg, const struct labels *expected, struct str *diff);
    void *arg;
};

/* True when they agree. Otherwise *words is a sentence and *diff the lines. */
bool unit_compare_alerts(const struct unit_alert_test *test,
                         const struct unit_alert *got,
                         size_t n_got,
                         const struct unit_why *why,
                         struct str *words,
                         struct str *diff);

/* fuzzy: one unit in the last place may differ. */
bool unit_compare_samples(const struct unit_expr_test *test,
                          const struct promql_value *got,
                          bool fuzzy,
                          struct str *words,
                          struct str *diff);
