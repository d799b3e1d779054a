#pragma once

/*
 * What a span of time cost the people on call, and which rules made it so.
 *
 *   pages, incidents, alerts' changes, votes --report_make()--> numbers --report_words.c--> text
 *
 * Invariants
 *  (1) pure: zones and times are arguments; the same rows give the same report for ever.
 *  (2) a page is one telling of one receiver about one incident, in however many ways; the
 *      news that something is over is no page.
 *  (3) an incident belongs to the span in which it was opened; a rule's row counts incidents
 *      opened or paged within it.
 *  (4) a vote is about the rules that were in the incident when it was given, no others.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/incident/verdict.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/zone.h"

enum {
    REPORT_E_LIMIT = 1, /* the arena is spent */
    REPORT_NIGHT_FROM_HOUR = 22,
    REPORT_NIGHT_TO_HOUR = 7,
    REPORT_FAST_MS = 5 * 60 * 1000, /* over by itself sooner: nobody could have helped */
};

/* --- what goes in --- */

struct report_incident {
    int64_t id;
    const char *key, *title;
    int64_t opened_at_ms;
    int64_t acknowledged_at_ms; /* 0: not */
    int64_t resolved_at_ms;     /* 0: not */
    bool resolved_by_person;
};

struct report_page {
    int64_t incident_id;
    const char *who; /* the receiver, or the person: "person:ana" */
    int64_t at_ms;
};

/* An alert began or ceased to fire. */
struct report_change {
    int64_t incident_id;
    int64_t rule_id;
    const char *rule;
    const char *instance; /* "" when it has none */
    uint64_t fingerprint;
    int64_t at_ms;
    bool fires;
    int64_t step_ms; /* how often its state could have changed: flap.h's looks */
};

/* What one person says last of one incident, about one rule of it. */
struct report_vote {
    int64_t incident_id;
    int64_t rule_id;
    const char *rule;
    enum verdict verdict;
};

/* A stretch of somebody's duty; who NULL: a day, of everybody. */
struct report_shift {
    const char *who;
    int64_t from_ms, to_ms;
    const char *schedule; /* whose turn it was; NULL: a day */
};

/* Where somebody lives. */
struct report_home {
    const char *who;
    const struct zone *zone;
};

struct report_input {
    int64_t from_ms, to_ms;
    const struct zone *zone; /* of whoever has no home */
    const struct report_home *homes;
    size_t n_homes;
    const struct report_shift *shifts;
    size_t n_shifts;
    /* sorted here, so not const */
    struct report_incident *incidents;
    size_t n_incidents;
    struct report_page *pages;
    size_t n_pages;
    struct report_change *changes;
    size_t n_changes;
    struct report_vote *votes;
    size_t n_votes;
};

/* --- what comes out --- */

struct report_spans {
    size_t n;
    int64_t median_ms, p90_ms, max_ms; /* nearest rank; 0 when n is 0 */
};

struct report_load {
    unsigned pages, night_pages, incidents;
};

/* Of incidents that anybody judged useful or noise: the share of noise, with the interval
 * in which the true one lies in 95 of 100 cases (Wilson 1927). NaN: none was judged. */
struct report_share {
    double share, low, high;
};

struct report_rule_row {
    int64_t rule_id;
    const char *rule;
    struct report_load load;
    unsigned useful, noise, unknown, unanswered; /* incidents */
    struct report_share noise_share;
    double flap_percent; /* of its worst alert */
};

struct report_who_row {
    const char *who;
    struct report_load load;
};

struct report_shift_row {
    struct report_shift shift;
    struct report_load load;
};

struct report_flapping {
    int64_t rule_id;
    const char *rule, *instance;
    double percent;
    unsigned changes;
};

struct report {
    int64_t from_ms, to_ms;
    const struct zone *zone;
    struct report_load load;
    struct report_spans to_acknowledge, to_resolve;
    unsigned never_acknowledged;
    unsigned self_resolved_fast;
    unsigned useful, noise, unknown, unanswered; /* incidents, by the votes on any of their rules */
    struct report_share noise_share;
    struct report_rule_row *rules; /* most noise first, then most pages */
    size_t n_rules;
    struct report_who_row *people; /* most pages first */
    size_t n_people;
    struct report_shift_row *shifts; /* in the input's order */
    size_t n_shifts;
    struct report_flapping *flapping; /* the worst first */
    size_t n_flapping;
};

/* Everything is in the arena or a loan of the input. 0 or REPORT_E_LIMIT. */
int report_make(struct report_input *input,
                struct arena *arena,
                struct report *ret_report,
                struct err *reterr);

/* "person:ana" is ana, and a person. */
#define REPORT_PERSON "person:"
bool report_is_person(const char *who);
const char *report_name(const char *who);

struct report_share report_wilson(unsigned hits, unsigned n);
bool report_is_night(const struct zone *zone, int64_t at_ms);

/* --- weeks (report_week.c) --- */

enum {
    REPORT_WEEK_MAX = 24, /* "2026-W47" with its NUL, and any int for its numbers */
    REPORT_DAYS_MAX = 366,
};

/* ISO 8601's week, from Monday's to Monday's midnight; -EINVAL when it is none. */
int report_week_span(const char *week,
                     const struct zone *zone,
                     int64_t *ret_from_ms,
                     int64_t *ret_to_ms);
/* The week that at_ms is in, as text of REPORT_WEEK_MAX. */
void report_week_of(const struct zone *zone, int64_t at_ms, char *ret_week);
/* The days of a span as everybody's shifts, the first and last cut at its ends; at most
 * REPORT_DAYS_MAX. */
size_t report_days(const struct zone *zone,
                   int64_t from_ms,
                   int64_t to_ms,
                   struct report_shift *ret_shifts);
/* When a weekly report was due last, by now_ms: on this weekday (0: Sunday) at this hour. */
int64_t report_weekly_due(const struct zone *zone, int weekday, int hour, int64_t now_ms);

/* --- words (report_words.c) --- */

struct str;

/* "Pages of week 2026-W47: 31, 9 at night, 12 incidents" */
void report_subject(const struct report *report, struct str *out);
/* A page of plain text with tables. */
void report_text(const struct report *report, struct str *out);
/* The same for a mail. more: lines of plain text to go below. url: where it can be looked at; NULL: nowhere. */
void report_html(const struct report *report, const char *more, const char *url, struct str *out);
