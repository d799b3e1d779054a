#pragma once

/*
 * When a group is evaluated: at multiples of its interval, moved by a phase of its own, so that
 * groups of one interval do not all run at the same instant. The tuner looks at the same instants.
 */

#include <stdint.h>

/* source: the name of the group's file, as alertd knows it. From 0 to below the interval. */
int64_t rule_phase_ms(const char *source, const char *group_name, int64_t interval_ms);
