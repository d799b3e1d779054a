#pragma once

/*
 * Between the files that make facts: facts.c (the tree), facts_marks.c (order and marks),
 * facts_kinds.c (what a row is told as), facts_story.c (what people did and said), facts_learnt.c (what was
 * looked up), facts_questions.c (what the record does not say), facts_drill.c (what a drill
 * adds).
 */

#include "alertd/postmortem/facts.h"

enum facts_mark_name {
    FACTS_TRIGGER,
    FACTS_IMPACT_START,
    FACTS_DETECTED,
    FACTS_PAGED,
    FACTS_ACKED,
    FACTS_RESPONSE_START,
    FACTS_CAUSE,
    FACTS_MITIGATED,
    FACTS_RESOLVED,
    FACTS_MARKS,
};

enum {
    FACTS_DURATION_MAX = 64
};

/* A moment with its evidence, before it becomes a group. */
struct facts_mark {
    int64_t at_ms; /* 0: not known */
    int64_t event_id;
    bool is_approx;
    const char *precision; /* NULL: that of its event */
    const char *source;    /* what recorded it; "" when not known */
    const char *rule;      /* how it is determined, in words */
    const char *why_not;   /* when not known */
};

/* Where a row of a kind is told. */
enum {
    FACTS_CHANGE = 1,
    FACTS_COMMS = 2,
    FACTS_BLIND = 4,
    FACTS_UNSEEN = 8, /* without which it might have been seen: asked about */
    FACTS_RESPONDS =
        16, /* whoever did it responded; who writes down that an impact began did not */
};
struct facts_kind {
    const char *name;
    unsigned parts;
    const char *response; /* its word in the response; NULL: it is not of it */
};

struct facts {
    struct fact_maker maker;
    const struct postmortem_input *input;
    const struct timeline_row *rows; /* input->n_events of them */
    const struct facts_kind **kinds; /* of each row */
    struct facts_mark marks[FACTS_MARKS];
};

/* Adds a group {known text utc hm hms short iso ms} for an instant. */
struct fact *facts_time(
    struct facts *facts, struct fact *parent, const char *name, int64_t at_ms, const char *why);

/* The same, said no more exactly than it is known: "s", "min", "approx"; NULL: to the ms. */
struct fact *facts_time_exact(struct facts *facts,
                              struct fact *parent,
                              const char *name,
                              int64_t at_ms,
                              const char *precision,
                              const char *why);

/* "24 h 43 min": nothing of a minute is lost below four days. */
const char *facts_duration(int64_t duration_ms, char text[FACTS_DURATION_MAX]);

const char *facts_or_empty(const char *text);
/* Who did it; "" of a row that somebody brought without saying who: the bringer did nothing of it. */
const char *facts_actor(const struct timeline_event *event);
bool facts_is_human(const struct timeline_event *event);

/* {known text s formula}: from one moment to another. */
struct fact *facts_span(struct facts *facts,
                        struct fact *parent,
                        const char *name,
                        int64_t from_ms,
                        int64_t to_ms,
                        const char *formula,
                        const char *why);
/* An item of a list; the first one knows it. */
struct fact *facts_row(struct facts *facts, struct fact *list);
/* Into a row: {time kind text note conflict actor source scope evidence}. */
void facts_event(struct facts *facts, struct fact *row, const struct timeline_row *from);
/* Markdown: a link to an event. */
void facts_evidence(struct facts *facts, struct fact *parent, const char *name, int64_t event_id);

/* Of each row, its kind. False: the arena is spent. */
bool facts_find_kinds(struct facts *facts);

/* Reads the marks off the rows. */
void facts_find_marks(struct facts *facts);

/* Adds the groups `mark` and `metric` and the lists `marks` and `metrics`. */
void facts_marks_and_metrics(struct facts *facts, struct fact *root);

/* Adds `impacts`, `changes`, `response`, `named`, `comms`, `blind`, `key_rows`, `people`, `actions`. */
void facts_story(struct facts *facts, struct fact *root);

/* Words as a Markdown code span, whatever backticks they hold. */
void facts_code(struct facts *facts, struct fact *parent, const char *name, const char *words);

/* Adds `look`, `detections`, `slos`, `would_have`, `missed`, `similar`, `inherited_actions`,
 * `services`. */
void facts_learnt(struct facts *facts, struct fact *root);

/* Adds the list `questions`. */
void facts_questions(struct facts *facts, struct fact *root);

/* Adds the group `drill`. */
void facts_drill(struct facts *facts, struct fact *root);
