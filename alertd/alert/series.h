#pragma once

/*
 * What alerting writes back into the samples, as Prometheus does, so that alerts can be
 * queried, graphed and alerted on:
 *
 *   ALERTS{alertname, alertstate="pending|firing", labels}  1
 *   ALERTS_FOR_STATE{alertname, labels}                     active since, Unix seconds
 *
 * A series that is not written any more (the alert is over, or went from pending to
 * firing) gets one staleness marker.
 */

#include <stddef.h>

#include "alertd/alert/set.h"

struct alert_series {
    const struct labels *labels; /* a reference of ours */
    double value;
};

struct alert_series_list {
    struct alert_series *at;
    size_t n, capacity;
};

/* Appends what the step from `before` to `after` writes. */
void alert_series_add(const struct alert_set *before,
                      const struct alert_set *after,
                      struct alert_series_list *list);
/* Appends one sample; takes over the reference to labels. */
void alert_series_push(struct alert_series_list *list, const struct labels *labels, double value);
/* Appends all of `from`, which is empty then. */
void alert_series_move(struct alert_series_list *from, struct alert_series_list *to);
void alert_series_done(struct alert_series_list *list);
