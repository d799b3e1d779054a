#pragma once

/*
 * Why somebody was told of an alert by an instant, or was not: its way through everything that
 * decides, as a list of steps a person can follow, and one sentence.
 *
 *     rule -> routes -> silences, inhibition -> for each route: group, interval, what was told
 *          -> incident, acknowledgement -> escalation -> what was sent, and what became of it
 *
 * Invariants
 *  (1) Pure: whoever calls brings what was known at the instant (db/why_db.h reads rows), the
 *      decision is made by the functions that route, silence and inhibit live (route/).
 *  (2) What of the past is not known is a step that begins with "not known:", never a guess.
 *  (3) Every step names what it rests on, as JSON: ids, instants, names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/incident/timeline.h"
#include "alertd/route/config.h"
#include "alertd/route/silence.h"
#include "lib/base/arena.h"
#include "lib/model/labels.h"

enum {
    WHY_STEPS_MAX = 400,
    WHY_WORDS_MAX = 16 * 1024, /* of one step */
    WHY_DELIVERIES_MAX = 40,   /* told of; the newest */
    WHY_ESCALATIONS_MAX = 60,  /* events told of; the newest */
    WHY_ROUTES_MAX = 120,      /* steps about routes that were not taken */
};

/* --- what was known --- */

enum why_state {
    WHY_NOT_KNOWN,
    WHY_INACTIVE, /* its rule does not find it, or not any more before it fired */
    WHY_PENDING,
    WHY_FIRING,
    WHY_OVER,
    WHY_SUPPOSED, /* nobody ever said it: what would happen if it fired then */
};

struct why_alert {
    const struct labels *labels;
    const struct labels *annotations;
    const char *source; /* "rule", "alertmanager", "pagerduty", "webhook"; NULL: nobody says it */
    enum why_state state;
    const char *from;  /* where the state is known from: "its row", "samples of ALERTS" ... */
    const char *words; /* of a state that is not known: what is missing; may be NULL */
    int64_t active_ms, fired_ms, resolved_ms, said_ms; /* 0: not so, or not known */
    int64_t keep_firing_since_ms, no_data_since_ms;
    bool has_value;
    double value;
    int64_t rule_id; /* 0: of no rule */
    const char *rule_name, *rule_group, *expr;
    int64_t for_ms, keep_firing_for_ms, evaluated_ms;
    const char *rule_error; /* NULL: it was evaluated well the last time */
};

struct why_silence {
    struct silence silence;
    const char *comment, *created_by;
    int64_t created_ms;
    bool until_resolved;
};

/* An alert that fires, and so may inhibit. */
struct why_source {
    const struct labels *labels;
    int64_t since_ms; /* 0: not known */
};

/* A group's clock, as its row is; nobody keeps how it was. */
struct why_clock {
    const char *route_id;
    const struct labels *group;
    int64_t next_flush_ms;
    bool has_flushed;
};

/* What an integration was told of a group last. */
struct why_told {
    const char *group_key, *receiver, *kind;
    unsigned slot;
    int64_t told_ms;
    bool has_alert; /* the alert was among those that fired */
};

/* A row of the outbox about the alert. */
struct why_delivery {
    int64_t id;
    const char *receiver, *kind, *reason, *lane, *group_key;
    unsigned slot;
    const char *state; /* as the row is now */
    int64_t created_ms, owed_ms, due_ms, sent_ms;
    unsigned attempts;
    bool refused;
    const char *last_error;               /* NULL: none */
    int64_t superseded_by, superseded_ms; /* 0: by nobody, at no known time */
};

/* What a policy that a receiver names would do first, in words. */
struct why_policy {
    const char *name;
    const char *words;
    bool reaches_somebody;
};

struct why_input {
    int64_t at_ms;
    bool is_past; /* another instant than now was asked about */
    const struct why_alert *alert;
    const struct route_config *config;
    const char *config_hash;            /* NULL: the one in force now */
    const char *config_words;           /* why it is not the one of then; NULL: it is */
    int64_t config_from_ms;             /* 0: not known */
    const struct why_silence *silences; /* of any state */
    size_t n_silences;
    const struct why_source *sources;
    size_t n_sources;
    const char *sources_words;      /* what of them is not known; NULL: nothing */
    const struct why_clock *clocks; /* of now; none when the instant is past */
    size_t n_clocks;
    const struct why_told *told;
    size_t n_told;
    const char *incident; /* its key; NULL: it was in none */
    const char *incident_title;
    const struct timeline_event *events; /* of the incident, oldest first; later ones too */
    size_t n_events;
    const struct why_delivery *deliveries; /* by id; later ones too */
    size_t n_deliveries;
    const struct why_policy *policies;
    size_t n_policies;
    const char *receiver; /* only what it is told; NULL: all */
};

/* --- the answer --- */

enum why_verdict {
    WHY_SENT,
    WHY_NOT_SENT,
    WHY_WAITING,
    WHY_REFUSED,
    WHY_WOULD_BE_SENT,
    WHY_WOULD_NOT_BE_SENT,
    WHY_VERDICT_NOT_KNOWN,
};

/* "sent", "not sent", "waiting", "refused", "would be sent", "would not be sent", "not known". */
const char *why_verdict_name(enum why_verdict verdict);

struct why_step {
    const char *step;     /* "rule", "route" ... */
    const char *result;   /* "fires", "does not match" ... */
    const char *because;  /* a sentence */
    const char *evidence; /* a JSON object */
    const char *receiver; /* whose step it is; NULL: everybody's */
};

struct why {
    enum why_verdict verdict;
    const char *words; /* one sentence */
    struct why_step *steps;
    size_t n;
};

/* Into the arena; -ENOMEM when it is spent. Texts of the input may be pointed to. */
int why_decide(const struct why_input *input,
               struct arena *arena,
               struct why *ret_why,
               struct err *reterr);
