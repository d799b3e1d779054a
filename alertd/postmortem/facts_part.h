#pragma once

/*
 * Between the files that make facts: facts.c (the tree), facts_marks.c (order and marks),
 * facts_questions.c (what the record does not say).
 */

#include "alertd/postmortem/facts.h"

/* A moment with its evidence, before it becomes a group. */
struct facts_mark {
    int64_t at_ms; /* 0: not known */
    int64_t event_id;
    const char *source;  /* what recorded it; "" when not known */
    const char *rule;    /* how it is determined, in words */
    const char *why_not; /* when not known */
};

struct facts_marks {
    struct facts_mark impact_start, detected, paged, acked, resolved;
};

struct facts {
    struct fact_maker maker;
    const struct postmortem_input *input;
    const struct timeline_row *rows; /* input->n_events of them */
    struct facts_marks marks;
};

/* Adds a group {known text utc hm hms short iso ms} for an instant. */
struct fact *facts_time(
    struct facts *facts, struct fact *parent, const char *name, int64_t at_ms, const char *why);

const char *facts_or_empty(const char *text);
bool facts_is_human(const struct timeline_event *event);

/* Reads the marks off the rows. */
void facts_find_marks(struct facts *facts);

/* Adds the list `questions`. */
void facts_questions(struct facts *facts, struct fact *root);
