#pragma once

/*
 * An incident: the alerts of one group, from the first that fires until all are over or
 * somebody says so. Pure decisions; rows live in db/incident_db.c.
 *
 *   (none) --alert fires--> TRIGGERED --somebody looks--> ACKNOWLEDGED
 *                             |  ^                           |
 *          last alert over,   |  | another alert fires,      | the same two ways
 *          or a person says   v  | while some still do       v
 *                           RESOLVED <-----------------------+
 *
 * incident_step() is the only function that decides a change of status.
 *
 * Invariants
 *  (1) a group has at most one incident that takes alerts in: one that is not resolved,
 *      or one resolved by a person while alerts still fire. Otherwise the next alert of
 *      the group opens a new incident.
 *  (2) a person may resolve while alerts fire; they stay listed as firing and are told so.
 *      Their end later is recorded but changes nothing.
 *  (3) acknowledging twice, or resolving twice, changes nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"
#include "lib/model/labels.h"

enum incident_status {
    INCIDENT_NONE, /* the group has no incident that takes alerts in */
    INCIDENT_TRIGGERED,
    INCIDENT_ACKNOWLEDGED,
    INCIDENT_RESOLVED,
};

const char *incident_status_name(enum incident_status status); /* "triggered" ... */
/* INCIDENT_NONE for anything else. */
enum incident_status incident_status_parse(const char *name);

enum incident_input {
    INCIDENT_ALERT_FIRES, /* an alert that was not firing in it */
    INCIDENT_ALERT_ENDS,  /* an alert that was firing in it */
    INCIDENT_ACK,
    INCIDENT_RESOLVE, /* by a person */
};

enum incident_change {
    INCIDENT_UNCHANGED, /* of status; the alert is recorded all the same */
    INCIDENT_OPENED,    /* a new incident */
    INCIDENT_REOPENED,
    INCIDENT_ACKED,
    INCIDENT_OVER,     /* the last alert ended */
    INCIDENT_CLOSED,   /* a person resolved it */
    INCIDENT_NOT_OPEN, /* refused: acknowledging what is resolved */
};

struct incident_life {
    enum incident_status status;
    unsigned n_firing;
};

/* Performs one step on *life (n_firing counted here too) and says what it was. */
enum incident_change incident_step(struct incident_life *life, enum incident_input input);

/* True while an alert of its group belongs in it: invariant (1). */
bool incident_takes_alerts(const struct incident_life *life);

/* --- what an incident looks like --- */

/* Everything but alerts and events. Texts are loans of whoever made it. */
struct incident {
    int64_t id;
    const char *key; /* "INC-2026-0012" */
    const char *title;
    const char *severity; /* "" when no alert had a label severity */
    enum incident_status status;
    int64_t opened_at_ms;
    int64_t acknowledged_at_ms; /* 0: not */
    const char *acknowledged_by;
    int64_t resolved_at_ms;      /* 0: not */
    const char *resolved_by;     /* NULL: its alerts ended */
    const struct labels *labels; /* the group's */
    const char *group_key;
    unsigned n_alerts, n_firing;
    unsigned n_transitions; /* notifications' numbers so far */
    int64_t began_at_ms;    /* opened, or opened again */
    int64_t told_at_ms;     /* when the last notification was due; 0: none since it began */
    bool told_resolved;
    int64_t postmortem_id;     /* 0: none */
    const char *origin;        /* "real", "near_miss", "import", "drill" */
    const char *recurrence_of; /* the key of the one that it repeats; NULL: none */
};

/* One alert in it. */
struct incident_alert {
    int64_t rule_id;
    uint64_t fingerprint;
    const char *name;
    const char *expr;
    int64_t for_ms;
    const struct labels *labels;
    const struct labels *annotations;
    bool firing;
    int64_t active_at_ms, fired_at_ms;
    int64_t resolved_at_ms; /* 0 while it fires */
    double value;
};

/* "INC-2026-0012": numbers start again each year and grow past four digits. */
void incident_key(int64_t opened_at_ms, int64_t number, struct str *out);

/* What is wrong, in a line: the alert's `summary`, else its `description`'s or
 * `message`'s first line, else its name and what tells it apart. */
void incident_title(const struct labels *labels, const struct labels *annotations, struct str *out);

/* The worse of two severities; words we do not know rank between warning and info. */
const char *incident_worse_severity(const char *a, const char *b);
/* 0: info or unknown ... 3: critical; for priorities. */
unsigned incident_severity_rank(const char *severity);
