#pragma once

/*
 * Between record_marks.c (the whole incident) and record_impact.c (its scopes).
 */

#include "alertd/incident/record.h"

/* A row of one of these kinds that counts. NULL ends the list. */
bool record_is(const struct record_event *row, const char *const *kinds);
void record_read_row(struct record_reading *reading, const struct record_event *row);
/* What a person set takes the place of what the rule reads. */
void record_settle(const struct record_input *input, struct record_mark *mark);

void record_read_impact_start(const struct record_input *input, struct record_reading *reading);
int record_read_impacts(struct arena *arena,
                        const struct record_input *input,
                        struct record *record,
                        struct err *reterr);
