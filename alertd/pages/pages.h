#pragma once

/*
 * What alerts become: notifications, and pages. The live system's own routing, grouping, inhibition,
 * silences, time intervals, schedules and escalation, told a different time.
 *
 *     alerts (labels, from, until) --dispatch--> groups, flushes --+--> messages to integrations
 *                                       incidents (incident_step)  +--> escalation --> messages to people
 *
 * Three counts that are never mixed:
 *     alert         one label set that begins to fire
 *     notification  one message to one integration or to one contact of a person
 *     page          one telling of one person or receiver about one incident, in however many ways,
 *                   that something fires; that something is over is no page (as in reports)
 *
 * Invariants
 *  (1) pure: the same plan gives the same pages for ever.
 *  (2) what the pager does with the same alerts on a system where every message is accepted at once
 *      and people answer as the plan says, this does, to the millisecond.
 *  (3) alerts of others (counts false) group and inhibit; a message is counted when an alert
 *      that counts is in it, a page of an escalation when one is in its incident.
 *
 * Shadows' copies are not in it: they page nobody who is on call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/oncall/roster.h"
#include "alertd/route/config.h"
#include "alertd/route/reason.h"
#include "alertd/route/silence.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/model/zone.h"

enum {
    PAGES_E_LIMIT = 1, /* more alerts, messages or time than below: words say which */

    PAGES_ALERTS_MAX = 200000,
    PAGES_MESSAGES_MAX = 500000,
    PAGES_HOURS = 168, /* of a week, from Monday 0 h */
    PAGES_ACK_NEVER = -1,
    PAGES_ACK_USUAL_MS = 5 * 60 * 1000, /* when nothing is known of a team */
};

#define PAGES_PERSON "person:" /* what `who` begins with when it is no receiver */

struct pages_alert {
    const struct labels *labels; /* counted ones (labels_new()), alertname among them */
    int64_t fired_ms;
    int64_t resolved_ms; /* INT64_MAX: not within the plan */
    bool counts;
};

/* Where somebody lives: the clock of their nights. */
struct pages_home {
    const char *who; /* "person:ana" */
    const struct zone *zone;
};

struct pages_plan {
    const struct route_config *config;
    const struct silence *silences;
    size_t n_silences;
    /* NULL: nobody is known; a receiver that escalates is one like the others then */
    const struct roster *roster;
    const struct pages_home *homes;
    size_t n_homes;
    const struct zone *zone; /* of everybody else; NULL: UTC */
    int64_t from_ms, to_ms;  /* what is before counts as the past that led to it */
    int64_t ack_after_ms;    /* so long behind a page somebody takes it; PAGES_ACK_NEVER */
};

/* A message, by when it was due. */
struct pages_message {
    int64_t at_ms;
    const char *who; /* a receiver's name, or "person:ana" */
    const char *kind;
    unsigned slot;
    enum route_reason reason;
    uint32_t incident; /* from 0, in the order in which they opened */
};

struct pages_page {
    int64_t at_ms;
    const char *who;
    enum route_reason reason;
    const char *policy; /* of an escalation; else NULL */
    unsigned step;      /* of it, from 1; 0: the fallback, or no escalation */
    uint32_t incident;
    uint32_t alert; /* of the plan's: the first that it tells */
    uint32_t n_ways;
    const char *group_key;      /* of the incident */
    int64_t opened_ms, over_ms; /* of the incident; INT64_MAX: it goes on */
    unsigned hour;              /* of the week, where they live */
    bool is_night, is_weekend;
};

struct pages_person {
    const char *who;
    unsigned pages, nights, weekends;
    unsigned most_12h;
};

struct pages {
    struct arena arena;
    uint64_t alerts; /* that began to fire within the span, and count */
    uint64_t notifications;
    uint64_t incidents; /* opened within it */
    struct pages_message *messages;
    size_t n_messages; /* == notifications */
    struct pages_page *at;
    size_t n;
    unsigned nights, weekends;
    unsigned hours[PAGES_HOURS];
    struct pages_person *people; /* most pages first */
    size_t n_people;
    unsigned most_12h; /* of one of them */
    const char *most_12h_who;
    int64_t most_12h_ms;          /* when those began */
    int64_t quiet_ms, quiet_from; /* the longest time without a page */
    const char
        *no_policy; /* a receiver's that the roster does not know: it pages nobody; else NULL */
};

/* 0 or PAGES_E_LIMIT. In any case pages_done(). Loans of the plan stay loans. */
int pages_run(const struct pages_plan *plan,
              const struct pages_alert *alerts,
              size_t n_alerts,
              struct pages *ret_pages,
              struct err *reterr);
void pages_done(struct pages *pages);

/* What stands in when there is no config: one receiver, grouped by alertname. */
const char *pages_plain_config(void);
