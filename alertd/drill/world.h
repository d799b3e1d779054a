#pragma once

/*
 * A drill being played, in virtual time.
 *
 *     signal.c --samples--> memory --rule_eval()--> alerts --dispatch--> incident.c, escalation
 *         ^                                                                   |
 *         +-- mended --- drill_world_act() <--- a player <--- pages ----------+
 *
 * The rules, the routes, the incidents and the escalation are those of real alerting, told
 * another time. Whoever plays moves it: a test in one go, a server a second at a time.
 *
 * Invariants
 *  (1) time only goes forward, second by second; advancing in one go or in pieces gives the
 *      same moments. At one instant: samples, rules, routes, escalation, what the drill says,
 *      and last what a player does.
 *  (2) same case, same seed, same acts at the same times: same moments (drill_world_hash()).
 *  (3) nothing leaves: a page is a moment, and no folder that could send one is linked here.
 *  (4) an hour lies before its first instant, in which all was as in that instant and nobody
 *      looked: rates and trends have a past.
 *  (5) only the memory grows, with the drill's length; both have a ceiling.
 */

#include "alertd/alert/state.h"
#include "alertd/drill/case.h"
#include "alertd/drill/signal.h"
#include "alertd/promql/source.h"

enum drill_moment_kind {
    DRILL_MOMENT_PENDING,
    DRILL_MOMENT_FIRING,
    DRILL_MOMENT_RESOLVED,
    DRILL_MOMENT_OPENED, /* an incident */
    DRILL_MOMENT_OVER,
    DRILL_MOMENT_PAGE,     /* somebody */
    DRILL_MOMENT_NOBODY,   /* a step reached nobody, or every step is over */
    DRILL_MOMENT_TOLD,     /* a receiver that pages nobody */
    DRILL_MOMENT_HAPPENED, /* deploy, chat, log, customer, note */
    DRILL_MOMENT_ACT,      /* of the player */
    DRILL_MOMENT_HINT,     /* what the player was told */
    DRILL_MOMENT_BROKEN,   /* a rule that could not be evaluated */
};

const char *drill_moment_name(enum drill_moment_kind kind);
/* The kinds of lines a game master may bring in; NULL-terminated. */
extern const char *const drill_injects[];

/* What came of an act. */
enum drill_verdict {
    DRILL_NO_VERDICT,
    DRILL_GOOD,
    DRILL_BAD,
    DRILL_VOID, /* nothing to act on: no incident is open, no hint is left */
};

struct drill_moment {
    int64_t at_ms; /* since the drill's start */
    enum drill_moment_kind kind;
    const char *who;   /* a person, a receiver, a kind of happening or act; NULL: none */
    const char *what;  /* alerts' names, or words; NULL: none */
    const char *more;  /* words beside it: a title, an id; NULL: none */
    unsigned incident; /* its number; 0: none */
    enum drill_act_kind act;
    enum drill_verdict verdict;
    enum drill_worth worth; /* of a do */
    int64_t cost;           /* of a hint */
};

struct drill_world;

/* The case outlives it. */
struct drill_world *drill_world_new(const struct drill_case *drill_case, uint64_t seed);
void drill_world_free(struct drill_world *world); /* NULL is fine */

/* Of whoever waits while a drill is played at once: asked every minute of it. */
struct drill_patience {
    bool (*is_over_fn)(const void *arg);
    const void *arg;
};
/* NULL: endless, as it is at first. Once it is over the world stands still where it is, for good. */
void drill_world_heed(struct drill_world *world, const struct drill_patience *patience);
bool drill_world_is_given_up(const struct drill_world *world);

/* To an instant of the drill's own time; at most its length. */
void drill_world_advance(struct drill_world *world, int64_t to_ms);
/* The same, but from heed_ms on it stops at the second in which something calls for the player: a
 * page to them, a customer's words, the end of an incident. Whether it did. */
bool drill_world_advance_until_called(struct drill_world *world, int64_t heed_ms, int64_t to_ms);
int64_t drill_world_now_ms(const struct drill_world *world);
/* How long before 0 this one began: drawn from the seed, up to the drill's `lead`. */
int64_t drill_world_lead_ms(const struct drill_world *world);
/* 0 on the wall clock. */
int64_t drill_world_zero_ms(const struct drill_world *world);

/* What the player does now. The moment that came of it: a loan until the next call. */
const struct drill_moment *drill_world_act(struct drill_world *world,
                                           enum drill_act_kind kind,
                                           const char *id,
                                           const char *text);

/* A line of a game master's, as if it had happened: who is one of chat, log, customer, deploy, note
 * and hint. As repeatable as an act: the same line at the same instant gives the same moments. */
const struct drill_moment *drill_world_inject(struct drill_world *world,
                                              const char *who,
                                              const char *text);

const struct drill_moment *drill_world_moments(const struct drill_world *world, size_t *ret_n);
/* What was measured until now: good until time moves on. */
struct source drill_world_source(struct drill_world *world);
/* The index-th of its rules with its alerts; false past the last one. Loans until time moves on. */
struct drill_rule_now {
    const struct rule_group *group;
    const struct rule *rule;
    const struct alert_set *alerts;
    bool is_broken;
};
bool drill_world_rule(const struct drill_world *world, size_t index, struct drill_rule_now *ret);

/* The index-th of its incidents, in the order in which they opened; false past the last one. */
struct drill_incident_now {
    unsigned number;
    const char *title;
    int64_t opened_ms, acked_ms, over_ms; /* DRILL_NOT_YET */
    const struct labels *const *firing;
    size_t n_firing;
};
bool drill_world_incident(const struct drill_world *world,
                          size_t index,
                          struct drill_incident_now *ret);
/* Hints that the drill has given. */
size_t drill_world_n_hints(const struct drill_world *world);

/* The furthest state of the alerts of that name. */
enum alert_state drill_world_state(const struct drill_world *world, const char *alert);
/* When the player was paged first; DRILL_NOT_YET. */
int64_t drill_world_paged_ms(const struct drill_world *world);
/* When the trouble began, as the drill says. */
int64_t drill_world_onset_ms(const struct drill_world *world);
int64_t drill_world_mended_ms(const struct drill_world *world);

/* A moment on one line, without its time. */
void drill_moment_print(const struct drill_moment *moment, struct str *out);
/* Of all moments. */
uint64_t drill_world_hash(const struct drill_world *world);
