#pragma once

/*
 * From what was recorded about an incident to the facts a template can name.
 *
 *     rows of state.db --api--> struct postmortem_input --postmortem_facts()--> struct fact
 *
 * Invariants
 *  (1) Facts only. Every number comes from a row and says from which (`source`); what no
 *      row says is a group with `known` false and the words why. Nothing is guessed.
 *  (2) Sentences are fixed patterns whose slots are facts; no word claims a cause.
 *  (3) The same rows give the same tree: `now_ms` is an argument.
 *
 * docs/postmortem-templates.md lists the names.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/incident/incident.h"
#include "alertd/incident/timeline.h"
#include "alertd/postmortem/fact.h"
#include "alertd/postmortem/learnt.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"

enum {
    FACTS_E_LIMIT = 1,          /* too much for the arena */
    FACTS_PLAIN_ROWS_MAX = 200, /* rows of the timeline without a letter; the rest is counted */
    FACTS_QUESTION_GAP_MS = 15 * 60 * 1000,
    FACTS_QUESTION_ACK_MS = 10 * 60 * 1000,
};

/* What is asked when the mark is not known. */
#define FACTS_ASK_IMPACT_START "When did the impact begin?"
#define FACTS_ASK_MITIGATED    "When was the impact over?"

/* Instants are Unix milliseconds, 0 = not known. Texts may be NULL. Loans throughout. */
struct postmortem_notification {
    int64_t id;
    const char *receiver;
    const char *kind;
    const char *reason;
    const char *state;
    const char *last_error;
    int64_t due_at_ms, sent_at_ms;
    int64_t attempts;
};

/* What people think of an event: beside it, in the same order as the events. */
struct postmortem_curation {
    bool pinned;
    const char *note;       /* words beside it; NULL */
    const char *conflict;   /* what another source says; NULL */
    const char *hypothesis; /* "open", "confirmed", "refuted"; NULL: it is none */
};

struct postmortem_graph_ref {
    int64_t id;
    const char *title;
    const char *query;
    int64_t start_ms, end_ms;
};

/* A moment of the incident; at_ms 0 says that it is not known, why_not says why. */
struct postmortem_mark {
    const char *name;
    const char *scope; /* "": of the whole incident */
    int64_t at_ms;
    const char *precision; /* "ms", "s", "min", "approx" */
    int64_t event_id;
    const char *source;
    const char *rule;
    const char *why_not;
};

struct postmortem_impact {
    const char *scope;
    int64_t start_ms, end_ms;
    const char *start_precision, *end_precision; /* NULL: to the millisecond */
    bool is_approx;
    const char *measure;
    const char *peak;
    const char *source;
};

/* An answer to one of the questions, by its words. */
struct postmortem_answer {
    const char *question;
    const char *answer;
    const char *by;
};

struct postmortem_action {
    int64_t id;
    const char *text;
    const char *type;
    const char *tag;
    const char *owner;
    const char *state;
    const char *done_when;
    const char *proof_url;
    const char *reason;
    int64_t due_ms;
};

/* What a drill adds: texts that are said as they are; NULL or "": nothing to say. */
struct postmortem_drill_clock {
    const char *name, *yours, *limit, *standing, *past, *median, *really;
};

/* A moment of the player's timeline, and of the true one. */
struct postmortem_drill_row {
    const char *at, *happened, *yours, *truth;
};

/* A signal that was there and was not looked at; graph 0: there is none. */
struct postmortem_drill_miss {
    const char *text, *why, *graph_title;
    int64_t graph;
};

struct postmortem_drill_step {
    const char *text, *url;
};

struct postmortem_drill {
    const char *player, *from, *told_last, *reconstructed;
    const char *const *sources; /* addresses, or keys of incidents */
    size_t n_sources;
    const struct postmortem_drill_clock *clocks;
    size_t n_clocks;
    const struct postmortem_drill_row *rows;
    size_t n_rows;
    const struct postmortem_drill_miss *misses;
    size_t n_misses;
    const struct postmortem_drill_step *steps;
    size_t n_steps;
};

struct postmortem_input {
    const struct postmortem_drill *drill; /* NULL: it was none */
    const char *template_name;
    const char *title; /* of the document; NULL: the incident's */
    const char *status;
    const char *owner;
    int64_t version;    /* published last; 0: none */
    int64_t created_ms; /* of the document; 0: now */
    const char *author;
    const char *generator; /* "alertd 0.1.0" */
    int64_t now_ms;
    const char *incident_url; /* of its page, "" when there is none */
    const struct incident *incident;
    const struct incident_alert *alerts;
    size_t n_alerts;
    const struct timeline_event *events; /* any order */
    size_t n_events;
    const struct postmortem_curation *curation; /* n_events of them; NULL: nobody did */
    const struct timeline_row *rows;            /* postmortem_timeline(); NULL: to be made */
    const struct postmortem_notification *notifications;
    size_t n_notifications;
    const struct postmortem_graph_ref *graphs;
    size_t n_graphs;
    const struct postmortem_mark *marks; /* those that the record has; others are looked for */
    size_t n_marks;
    const struct postmortem_impact *impacts;
    size_t n_impacts;
    const struct postmortem_answer *answers;
    size_t n_answers;
    const struct postmortem_action *actions;
    size_t n_actions;
    const struct learnt *learnt;        /* NULL: nobody looked */
    const struct learnt_around *around; /* NULL: not told (of public documents) */
};

/* 0 or FACTS_E_LIMIT. The tree is the arena's. */
int postmortem_facts(struct arena *arena,
                     const struct postmortem_input *input,
                     const struct fact **ret_facts,
                     struct err *reterr);

/* An invented incident in which every list has an item and every mark is known: what
 * templates are checked against (template_check). The tree is the arena's. */
int postmortem_facts_example(struct arena *arena,
                             const struct fact **ret_facts,
                             struct err *reterr);

/* The events in the order of the timeline, with the letters of those that matter most:
 * shared by the table and the graphs. */
struct timeline_row {
    const struct timeline_event *event;
    const struct postmortem_curation *curation; /* NULL: none */
    char letter;                                /* 'A'..'Z', 0 for the others */
};

/* One row for each event, in the arena; NULL when it is spent. */
struct timeline_row *postmortem_timeline(struct arena *arena, const struct postmortem_input *input);
