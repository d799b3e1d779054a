#pragma once

/*
 * A debrief being made, in three files:
 *
 *   debrief.c         clocks, timelines side by side, what to do next
 *   debrief_missed.c  signals that nobody looked at, and their graphs
 *   debrief_record.c  moments as the rows of a record, from which facts are made
 */

#include "alertd/drill/debrief.h"

struct debrief_work {
    struct arena *arena;
    bool spent;
    const struct debrief_input *input;
    const struct drill *drill;
    const struct drill_score *score;
    int64_t zero_ms;
    const struct drill_moment *moments;
    size_t n_moments;
    struct postmortem_drill about;
    struct postmortem_drill_row *rows;
    size_t n_rows;
    struct debrief_miss *misses;
    size_t n_misses;
    struct debrief_step *steps;
    size_t n_steps;
    struct debrief *to;
};

/* The arena's; "" when it is spent. */
const char *debrief_text(struct debrief_work *work, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* `+0:12:30` behind the instant from which clocks run. */
const char *debrief_at(struct debrief_work *work, int64_t at_ms);

void debrief_misses(struct debrief_work *work);
int debrief_record(struct debrief_work *work, const struct fact **ret_facts, struct err *reterr);
