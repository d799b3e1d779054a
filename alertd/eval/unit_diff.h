#pragma once

/*
 * One expected thing beside one that came, as lines of a diff: see unit_report.h.
 */

#include <stdbool.h>
#include <stddef.h>

#include "alertd/rule/unit_file.h"
#include "lib/base/str.h"

/* How many labels differ: those of one only count, and so do those with other values. */
size_t unit_diff_distance(const struct labels *a, const struct labels *b);
/* How many labels are equal in both, the alert's name aside. */
size_t unit_diff_shared(const struct labels *a, const struct labels *b);
/* How many labels both have with different values. */
size_t unit_diff_conflicts(const struct labels *a, const struct labels *b);

/* A label set behind a mark, without the alert's name. */
void unit_diff_set(const char *mark, const struct labels *labels, struct str *out);
/* The same alert, expected and got: what both have in common, then each difference. */
void unit_diff_alert(const struct unit_alert *expected,
                     const struct unit_alert *got,
                     struct str *out);
/* An alert that only one side has. */
void unit_diff_lone_alert(char mark, const struct unit_alert *alert, struct str *out);
