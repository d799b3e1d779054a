#pragma once

/*
 * The kinds of events on a timeline, and their words. A timeline is an append-only log:
 * what a machine saw is never edited, what people think of it is added beside it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/incident/incident.h"
#include "lib/base/str.h"

enum timeline_kind {
    TIMELINE_INCIDENT_OPENED,
    TIMELINE_INCIDENT_REOPENED,
    TIMELINE_INCIDENT_RESOLVED,
    TIMELINE_ALERT_PENDING,
    TIMELINE_ALERT_FIRING,
    TIMELINE_ALERT_RESOLVED,
    TIMELINE_NOTIFY_SENT,
    TIMELINE_NOTIFY_FAILED,      /* an attempt; it goes on being tried */
    TIMELINE_NOTIFY_UNDELIVERED, /* given up: nobody was told this way */
    TIMELINE_NOTIFY_MUTED,       /* held back for a while, and why */
    TIMELINE_ACK,
    TIMELINE_ESCALATION, /* whom a policy pages, and what people did to it */
    TIMELINE_HUMAN_NOTE,
    TIMELINE_VERDICT, /* what a person says the page was worth */
    TIMELINE_AGENT_LOST,
    TIMELINE_AGENT_BACK,
    TIMELINE_CLOCK, /* alertd's clock was set, or it stood still: what that does to the times */
};

/* "incident.opened" ...: stored, and spoken by the API. */
const char *timeline_kind_name(enum timeline_kind kind);
/* A kind that somebody may write down: one of ours, or a row of the list of what people say. */
bool timeline_kind_known(const char *kind_name);
/* The names of those, one after another; NULL past the end. */
const char *timeline_kind_at(size_t index);
/* "key", "normal" or "raw": how much a reader wants to see it. */
const char *timeline_kind_level(const char *kind_name);

/* One row of the log. Texts are loans. */
struct timeline_event {
    int64_t id;
    const char *kind;        /* timeline_kind_name(), or one from elsewhere */
    const char *event_class; /* "machine" | "human" */
    const char *source;      /* "rule 7", "outbox 4", "api" ... */
    const char *actor;       /* NULL: a machine */
    const char *text;
    const char *data; /* a JSON object; "{}" */
    int64_t occurred_at_ms;
    int64_t recorded_at_ms;
    /* What is known of it beside its words; NULL and false: nothing more. */
    const char *precision; /* of occurred_at: "s", "min" or "approx"; NULL: to the millisecond */
    const char *scope;     /* what of the service it is about */
    const char *evidence;  /* a JSON object: {"query","value","link", ...} */
    const char *reference; /* its name at its source: taken in once */
    bool order_only;       /* its place in the order is known, its time is not */
};

/* The words of an alert's event: "HighLatency fires: p99 is 1.2 s (value 1.2)". */
void timeline_alert_text(enum timeline_kind kind,
                         const struct incident_alert *alert,
                         struct str *out);
/* {"alertname","labels","value","fingerprint"...} of an alert's event. */
void timeline_alert_data(const struct incident_alert *alert, struct str *out);
