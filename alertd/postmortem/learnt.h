#pragma once

/*
 * What of an incident was looked up in samples and in other incidents: rows for its facts.
 *
 *     ways     where the time until somebody had it went, rule by rule
 *     burns    what it took of the budgets of its services
 *     earlier  rules, or other settings of the rules that fired, that would have fired before it
 *              was detected: the tuner's backtest over the incident's own samples
 *     signals  rules whose condition held and which told nobody, for their `for` was not over
 *
 * Samples go with their retention, so it is looked up when a document is made and when it is
 * published, and kept. Instants are Unix milliseconds, 0 = not known. Loans throughout.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEARNT_EARLIER_MAX = 12,
    LEARNT_SIGNALS_MAX = 20,
    LEARNT_BURNS_MAX = 40,
    LEARNT_PAST_DAYS = 30, /* in which a setting's other alerts are counted */
};

struct learnt_way {
    const char *rule;
    int64_t rule_id;
    int64_t breach_ms, pending_ms, firing_ms, owed_ms, sent_ms, acked_ms;
    const char *why_no_breach; /* NULL while it is known */
};

struct learnt_burn {
    const char *service, *slo, *window;
    const char *good, *total_query;
    double objective;
    int64_t from_ms, to_ms; /* of the impact, as it was known then */
    double bad, total, burnt_ratio;
    const char *why_not; /* NULL: known */
    const char *missing; /* what of its samples could not be read; NULL: none */
};

struct learnt_earlier {
    const char *rule;
    int64_t rule_id;
    const char *setting; /* "for 1m instead of 5m"; "as it is now" */
    const char *query;   /* what would have been evaluated */
    int64_t for_ms;
    int64_t fired_ms;
    bool is_own;                 /* the rule as it is now: the ..._then are not said */
    bool is_counted;             /* the next two are known */
    int64_t alerts, alerts_then; /* of the setting and of the rule as it was, in the days before */
    bool is_paged;               /* the next two are known */
    int64_t pages, pages_then;   /* of those alerts: tellings of a person or receiver */
};

struct learnt_signal {
    const char *rule;
    int64_t rule_id;
    const char *query;
    int64_t for_ms;
    int64_t breach_ms; /* the first evaluation at which it held */
};

struct learnt {
    int64_t made_ms; /* 0: nobody looked yet */
    int64_t from_ms, to_ms;
    int64_t n_rules;     /* looked at that had samples */
    const char *why_not; /* why not all of them were; NULL: they were */
    struct learnt_way *ways;
    size_t n_ways;
    struct learnt_burn *burns;
    size_t n_burns;
    struct learnt_earlier *earlier; /* the earliest first */
    size_t n_earlier;
    struct learnt_signal *signals; /* the earliest first */
    size_t n_signals;
};

/* --- rows of the database that stand beside it in the facts --- */

struct learnt_similar {
    const char *key, *title;
    const char *why; /* "the same rule fired" */
    bool is_linked;  /* somebody said that one repeats the other */
    bool same_rule;
    int64_t opened_ms;
};

struct learnt_inherited { /* an open action of an incident that this one repeats */
    int64_t id;
    const char *text, *incident, *owner;
    int64_t created_ms, due_ms;
};

struct learnt_service {
    const char *name, *owner, *description, *when_down;
    int64_t tier; /* 0: not said */
    const char *depends_on;
    const char *links; /* Markdown: runbooks and dashboards */
};

struct learnt_around {
    struct learnt_similar *similar;
    size_t n_similar;
    struct learnt_inherited *inherited;
    size_t n_inherited;
    struct learnt_service *services;
    size_t n_services;
};
