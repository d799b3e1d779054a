#pragma once

/*
 * Is there data an alert could have come from?
 *
 *     probe_success{job="web"} == 0          alert {instance="a", job="web"}
 *
 * An element that is missing from the result may be false, or unknown: the agent is
 * silent, alertd was down, a scrape failed. It is false when one of the expression's
 * selectors finds a series with a fresh sample that agrees with the alert on every label
 * both have; otherwise nobody knows, and an alert must not resolve on that.
 *
 * A staleness marker is not data here. Where every sample is one, a series has ended, and
 * whether its machine is well is just what nobody knows.
 */

#include <stdbool.h>

#include "alertd/promql/promql.h"
#include "alertd/promql/source.h"
#include "lib/base/arena.h"
#include "lib/model/labels.h"

struct live_data {
    const struct promql_expr *expr;
    const struct source *source;
    const struct promql_limits *limits;
    int64_t now_ms; /* of the query */
    struct arena *arena;
    /* filled by the first question */
    bool looked;
    bool always; /* there is nothing to look at, or looking failed: as without this */
    const struct labels **live;
    size_t n, capacity;
};

/* For alert_step_options: arg is a struct live_data. */
bool live_data_has(void *arg, const struct labels *labels);
void live_data_done(struct live_data *data);
