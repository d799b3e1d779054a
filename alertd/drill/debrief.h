#pragma once

/*
 * What a drill came to, for the template `debrief` of the postmortem engine.
 *
 *     case, world at its end, score --debrief_facts()--> facts (facts.h), graphs
 *     template sections             --debrief_write()--> Markdown
 *
 *   - the player's moments are the record's rows: who reads it reads what they know
 *   - what there was, what the player did and what was done that day, side by side
 *   - signals that the drill names and nobody looked at, each with its graph until the end
 *   - what to do next: a rule, a runbook, the next drill
 *
 * Pure: the same case, seed and deeds give the same text. Nobody is graded.
 */

#include "alertd/drill/score.h"
#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/markdown.h"
#include "alertd/postmortem/section.h"

enum {
    DEBRIEF_E_LIMIT = 7,
    DEBRIEF_GRAPHS_MAX = 8,
    DEBRIEF_ROWS_MAX = 400,
    DEBRIEF_ARENA_BYTES = 64 * 1024 * 1024,
};

/* What the same clocks said elsewhere. */
struct debrief_compare {
    bool has_past, has_median;       /* of oneself, the last time; of everybody */
    int64_t past_ms[DRILL_N_CLOCKS]; /* DRILL_NEVER */
    int64_t median_ms[DRILL_N_CLOCKS];
};

struct debrief_input {
    const struct drill_case *drill_case;
    struct drill_world *world; /* at its end */
    const struct drill_score *score;
    const char *key;                       /* "DRILL-12": what the document calls it */
    const char *player;                    /* who played */
    const char *generator;                 /* "alertd 0.1.0" */
    const struct debrief_compare *compare; /* NULL: nothing to compare with */
    /* Where a rule of that name is tuned over this drill, the arena's or alive as long; NULL: nowhere. */
    const char *(*rule_url)(void *arg, const char *alert);
    void *arg;
    const char *next_name, *next_title; /* the next drill on the path; NULL: it was the last */
};

/* A signal that was there and was not looked at. */
struct debrief_miss {
    const char *kind; /* "silence", "metric", "customer", "runbook" */
    const char *text, *why;
    const char *query, *runbook; /* NULL */
    int64_t at_ms;               /* of the drill: when it would have mattered */
    /* What was drawn of it: JSON as in graph.h, times of the drill's wall clock; NULL: nothing. */
    const char *series;
    int64_t from_ms, to_ms;
};

/* What to do next; NULL: there is none. */
struct debrief_step {
    const char *kind; /* "tune", "rule", "runbook", "drill" */
    const char *text, *url, *rule, *runbook, *drill;
};

struct debrief {
    const struct fact *facts;
    struct markdown_graph graphs[DEBRIEF_GRAPHS_MAX];
    size_t n_graphs;
    const struct debrief_miss *misses;
    size_t n_misses;
    const struct debrief_step *steps;
    size_t n_steps;
};

/* In the arena. 0 or DEBRIEF_E_LIMIT. */
int debrief_facts(struct arena *arena,
                  const struct debrief_input *input,
                  struct debrief *ret_debrief,
                  struct err *reterr);

/* One section of the document: what facts say, and what is asked of the player. */
struct debrief_section {
    const char *id, *title;
    bool is_generated;
    const char *generated, *asks; /* Markdown */
};

/* The sections of the set's debrief.md, in the arena. 0, or as template.h and section.h say. */
int debrief_sections(struct arena *arena,
                     const struct template_set *set,
                     const struct debrief *debrief,
                     struct debrief_section **ret_sections,
                     size_t *ret_n,
                     struct err *reterr);
