#pragma once

/*
 * What an evaluation decided about one alert: made by alert/set.c, carried by
 * eval/, acted on by whoever pages (incident/, route/). Pure data.
 */

#include <stdint.h>

#include "lib/model/labels.h"

enum alert_event_kind {
    ALERT_EVENT_PENDING,  /* became pending */
    ALERT_EVENT_FIRING,   /* became firing */
    ALERT_EVENT_RESOLVED, /* was firing, is over */
    ALERT_EVENT_CLEARED,  /* was pending, is over: nobody was told */
};

struct alert_event {
    enum alert_event_kind kind;
    int64_t at_ms; /* the evaluation's slot */
    int64_t rule_id;
    const char *rule_name; /* alertname */
    const char *group_name;
    const char *expr;
    int64_t for_ms;
    int64_t keep_firing_for_ms;
    uint64_t fingerprint;             /* labels->hash: the alert's identity within its rule */
    const struct labels *labels;      /* with alertname and rule labels */
    const struct labels *annotations; /* expanded */
    int64_t active_at_ms;             /* first true of this run */
    int64_t fired_at_ms;              /* 0 when it never fired */
    int64_t resolved_at_ms;           /* 0 while it goes on */
    double value;                     /* of the expression, at at_ms or last true */
};
