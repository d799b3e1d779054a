#pragma once

/*
 * An incident of the record as a drill: what was measured, said and done becomes what a
 * player sees, and what people found out becomes what is right.
 *
 *     rows, marks, hypotheses --\
 *     samples that were kept  ---+-- drill_from_incident() --> drill.drill  rules.yml
 *     the rules as they were  --/                              routes.yml   samples.om
 *
 * Invariants
 *  (1) the same rules over the same samples: played by nobody, the alerts fire when they did.
 *      An alert whose samples are gone, or that came from elsewhere, is kept as a series of
 *      its own (FROM_ALERT) and a rule on it.
 *  (2) nothing that gives the answer away is told to the player: what people believed, tried
 *      and found is in what is right, in hints and in what is told last.
 *  (3) no name of a person is in it; names of hosts stay unless they are asked to go.
 *  (4) whatever it proposes is text that the strict parser takes: somebody edits it from there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/drill/case.h"
#include "alertd/postmortem/facts.h"
#include "alertd/promql/source.h"

#define DRILL_FROM_TEXT    "drill.drill"
#define DRILL_FROM_RULES   "rules.yml"
#define DRILL_FROM_ROUTES  "routes.yml"
#define DRILL_FROM_SAMPLES "samples.om"

/* What such a drill says it is `reconstructed` from; its first `source` is the incident's key. */
#define DRILL_FROM_OURS          "an incident of our own"
#define DRILL_FROM_OURS_SCRUBBED "an incident of our own; hosts have other names"

enum {
    DRILL_FROM_E_LIMIT = 5,   /* too much for one drill: words say of what */
    DRILL_FROM_E_NOTHING = 6, /* no alert and no event: there is nothing to play */
    DRILL_FROM_FILES = 4,
};

/* A rule whose alerts are in the incident, as it was then: its YAML alone. */
struct drill_from_rule {
    int64_t id;
    const char *group, *yaml;
    int64_t interval_ms;
};

/* How the incident's alerts were grouped, and told. */
struct drill_from_route {
    const char *const *group_by;
    size_t n_group_by;
    int64_t wait_ms, interval_ms, repeat_ms;
};

struct drill_from_person {
    const char *name, *full_name; /* full_name: NULL when there is none */
};

struct drill_from {
    const struct postmortem_input *record; /* as facts.h asks for it; loans throughout */
    const struct drill_from_rule *rules;
    size_t n_rules;
    /* Those of the same groups as they are now, in the order of their groups: rules.yml is made of
     * them instead, when as_now. */
    const struct drill_from_rule *now;
    size_t n_now;
    bool as_now;
    const struct source_series *series;
    size_t n_series;
    struct drill_from_route route;
    const int64_t *steps_ms; /* of the policy: how long each step was waited for; 0: not known */
    size_t n_steps;
    /* whose names must not be in it, besides those of the record */
    const struct drill_from_person *people;
    size_t n_people;
    const char *factors, *lessons; /* what the document says of them, Markdown; NULL */
    bool scrub_hosts;
};

struct drill_made {
    struct str text, rules, routes, samples; /* "": there is no such file */
};

/* 0 or DRILL_FROM_E_*. drill_made_done(). */
int drill_from_incident(const struct drill_from *from,
                        struct drill_made *ret_made,
                        struct err *reterr);
void drill_made_done(struct drill_made *made);

/* The index-th file that is not empty; false past the last. */
bool drill_made_file(const struct drill_made *made,
                     size_t index,
                     const char **ret_name,
                     const struct str **ret_text);
/* For drill_case_new(): arg is a struct drill_made. It has no packs. */
drill_read drill_made_read;
