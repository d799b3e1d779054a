#pragma once

/*
 * The incident record as docs/api.md says it.
 */

#include "alertd/incident/record.h"
#include "lib/json/write.h"

/* A row as it stands; what it was before somebody changed it is in "recorded". */
void record_json_row(struct json_out *out, const struct record_event *row);
void record_json_rev(struct json_out *out, const struct record_rev *rev);
void record_json_mark(struct json_out *out, const struct record_mark *mark);
void record_json_setting(struct json_out *out, const struct record_setting *set);
void record_json_metric(struct json_out *out, const struct record_metric *metric);
/* A span in minutes, whole where it is; null while it is not known. */
void record_json_minutes(struct json_out *out, const char *name, bool known, int64_t ms);
