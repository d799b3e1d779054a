#pragma once

/*
 * Which rules of a group wait for others: a rule sees what the rules before it wrote at the
 * same instant (Prometheus evaluates and appends one after the other). Where none of them is
 * read, what they wrote can be stored together afterwards, in one commit.
 */

#include <stdbool.h>

#include "alertd/rule/group.h"

/* Whether `reader` may read what `writer` writes: a recording rule's series, an alert's
 * ALERTS and ALERTS_FOR_STATE. True when in doubt (templates that query, names by regular
 * expression that match). */
bool rule_reads(const struct rule *reader, const struct rule *writer);
