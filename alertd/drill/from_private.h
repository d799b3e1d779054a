#pragma once

/*
 * Making a drill of an incident, in six files:
 *
 *   from_incident.c  when it begins and ends, who is paged, what must come again
 *   from_events.c    what happens meanwhile
 *   from_judge.c     what is right: questions, ideas, hints, limits, what really happened
 *   from_players.c   scripts: one good way, what was done that day, a wrong way
 *   from_data.c      rules, routes and samples as files
 *   from_words.c     names made roles, texts in quotes, words that tell an idea from others
 *
 * Instants are Unix milliseconds in here until they are printed.
 */

#include "alertd/drill/from_incident.h"
#include "alertd/postmortem/roles.h"

enum {
    FROM_BYTES_MAX = 40 * 1024 * 1024, /* of all that is made on the way; of the samples as text */
    FROM_TEXT_MAX = 400,               /* of one text in the drill */
    FROM_IDEAS_MAX = 40,
    FROM_EVENTS_MAX = 400,
    FROM_QUESTIONS_MAX = 3,
    FROM_MINUTE_MS = 60 * 1000,
};

/* What stands in for an alert that has no samples any more. */
#define FROM_ALERT "drill_alert"

struct from_idea {
    const char *text; /* roles instead of names already */
    enum drill_worth worth;
    int64_t at_ms;
};

struct from_ideas {
    struct from_idea at[FROM_IDEAS_MAX];
    size_t n;
};

struct from_work {
    const struct drill_from *from;
    const struct postmortem_input *record;
    struct arena arena;
    bool spent;
    struct roles people, hosts;
    int64_t first_ms; /* what was measured before that is left out */
    int64_t start_ms,
        end_ms; /* the drill's 0; what lies before it is its lead, and the rules' past */
    int64_t lead_ms;
    int64_t onset_ms;     /* when the trouble began */
    int64_t base_ms;      /* the first page, or else the onset: clocks run from it */
    int64_t known_ms;     /* the first word that gives the answer away; 0: none */
    int64_t over_ms;      /* the last alert's end, or when it was resolved */
    int64_t mitigated_ms; /* 0: not known */
    int64_t mended_ms;    /* when they did what ended it; 0: the record does not say */
    bool goes_on;         /* until whoever plays does that */
    bool pages;           /* somebody is paged in it */
    const char *metric;   /* to look at first; NULL: nothing was measured */
    const char *runbook;  /* "host#hostdiskfull"; NULL */
    const char *change;   /* the last one before it began; NULL */
    struct from_ideas hypotheses, actions;
    struct from_ideas factors, lessons; /* of the document */
    size_t n_questions;
    const char *answers[FROM_QUESTIONS_MAX];
    const char *question_ids[FROM_QUESTIONS_MAX];
    struct str *out;
};

/* --- from_words.c --- */

/* Whose names are replaced by which roles. */
void from_scrubs(struct from_work *work);
/* A text with roles instead of names, on one line and of a fair length; the arena's. */
const char *from_clean(struct from_work *work, const char *text);
/* The same of what somebody said or did: who it was does not stand before it. */
const char *from_said(struct from_work *work, const struct timeline_event *event);
/* The same of whole files: nothing is cut. */
void from_scrub(const struct from_work *work, const char *text, bool people, struct str *out);
/* The value of a label, without names of hosts where that was asked. */
const char *from_label(struct from_work *work, const char *value);
bool from_is_host_label(const char *name);
/* `"text"` */
void from_quote(const char *text, struct str *out);
/* `1h30m` behind the drill's start, in whole seconds. */
const char *from_time(struct from_work *work, int64_t at_ms);
const char *from_span(struct from_work *work, int64_t ms);

/* --- from_accept.c --- */

/* ` accept "text" ~"a pattern"…`: what tells it from ideas of another worth; one of two, two of more. */
void from_accept(struct from_work *work,
                 const struct from_idea *idea,
                 const struct from_ideas *others);
/* A text says two things at least of those that tell an idea from others. */
bool from_tells(struct from_work *work, const char *idea, const char *text);
/* It would be accepted as one of the right ones. */
bool from_gives_away(const struct from_work *work,
                     const struct from_ideas *ideas,
                     const char *text);

/* --- from_data.c --- */

/* The samples that a drill of these instants has: is the series one of them? */
bool from_keeps(const struct source_series *series);
/* The alert fires from its own rule over its own samples. */
bool from_is_measured(struct from_work *work, const struct incident_alert *alert);
const struct drill_from_rule *from_rule(const struct from_work *work,
                                        const struct incident_alert *alert);
void from_files(struct from_work *work, struct drill_made *made);
/* Names of metrics that the rules read and that have samples; each once. */
size_t from_metrics(struct from_work *work, const char **names, size_t max);

/* --- from_events.c --- */

/* The first word that says what it was, or what was done. */
int64_t from_known(const struct from_work *work);
void from_events(struct from_work *work);

/* --- from_incident.c --- */

/* The earlier of those that are known; 0: neither is. */
int64_t from_earlier(int64_t a_ms, int64_t b_ms);
/* `by T expect resolved ALERT`, a line each, where it was so that day. */
void from_resolved(struct from_work *work, const char *indent);

/* --- from_judge.c, from_players.c --- */

/* When a mark of the record is; 0: not known. */
int64_t from_mark(const struct from_work *work, const char *name);
bool from_is(const struct timeline_event *event, const char *kind);
bool from_is_of(const struct timeline_event *event, const char *family);
void from_collect(struct from_work *work);
void from_judge(struct from_work *work);
void from_players(struct from_work *work);
