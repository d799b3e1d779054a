#pragma once

/*
 * The tuner's alerts as those that page: with the rule's own labels, and beside those of other rules.
 *
 *     episodes (tune/backtest.h) + labels of the rule  --> alerts that count
 *     ALERTS{alertstate="firing"} of everybody else    --> alerts that group and inhibit
 *
 * Labels are expanded as live ones are, over the labels of the series; what a label makes of $value
 * or of a query is not known here.
 */

#include "alertd/pages/pages.h"
#include "alertd/tune/tune.h"

struct tuned_alerts {
    struct pages_alert *at; /* references of ours */
    size_t n, capacity;
    /* of those that were tuned, the first n_tuned, in the order of the episodes */
    size_t n_tuned;
};
void tuned_alerts_done(struct tuned_alerts *alerts);

/* Once, before the others. */
void tuned_alerts_add(struct tuned_alerts *alerts,
                      const struct tune_ask *ask,
                      const struct tune_result *result);
/* What other rules told of over the same time, by the series that evaluations write: all alerts
 * but those of this name. 0, or a failure in words. */
int tuned_alerts_add_others(struct tuned_alerts *alerts,
                            const struct tune_reader *reader,
                            const struct tune_ask *ask,
                            const struct tune_result *result,
                            struct err *reterr);

/* The labels of the rule's alert over a series' (without the metric's name). labels_unref(). */
const struct labels *tuned_labels(const struct rule *rule, const struct labels *series);
