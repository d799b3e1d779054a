#pragma once

/*
 * Looking up what samples and other incidents know of one: postmortem/learnt.h.
 *
 *   record --learnt_make()--> struct learnt --learnt_store()--> a row, the newest counts
 *                                  ^------ learnt_read() -----------'
 *
 * A look takes seconds at most: what does not fit in them says so. One that knows less than the
 * one before (the samples are gone) is not kept.
 */

#include "alertd/api/postmortem_record.h"

enum {
    LEARNT_LOOK_MS = 12 * 1000,          /* all of it */
    LEARNT_MARGIN_MS = 30 * 60 * 1000,   /* before the impact, at least */
    LEARNT_WINDOW_MS = 7 * 24 * 3600000, /* an incident longer than that is not looked at */
    LEARNT_RULES_MAX = 1000,
    LEARNT_JSON_MAX = 1024 * 1024,
};

/* Into record->learnt and its arena. Not within a read or a job. False: the arena is spent. */
bool learnt_make(const struct api *api, struct postmortem_record *record, int64_t now_ms);
/* learnt_make(), unless it says less than what the record has. */
bool learnt_again(const struct api *api, struct postmortem_record *record, int64_t now_ms);

/* Job: record->learnt as a row, if it is not the newest one already. */
int learnt_store(struct db_conn *conn, const struct postmortem_record *record, struct err *reterr);
/* In a read or a job: record->learnt and record->around. */
int learnt_read(struct db_conn *conn, struct postmortem_record *record, struct err *reterr);

/* What is kept of an incident; its made_ms is 0 when nobody looked yet. */
int learnt_of(struct db_conn *conn,
              int64_t incident_id,
              struct arena *arena,
              struct learnt *ret_learnt,
              struct err *reterr);

/* --- pieces --- */

/* learnt_rules.c: `earlier` and `signals`, over the store. False: the arena is spent. */
bool learnt_rules(const struct api *api,
                  const struct postmortem_record *record,
                  struct learnt *learnt);
/* learnt_around.c */
int learnt_around_read(struct db_conn *conn, struct postmortem_record *record, struct err *reterr);
/* learnt_json.c */
void learnt_write(const struct learnt *learnt, struct json_out *out);
bool learnt_parse(const char *text, struct arena *arena, struct learnt *ret_learnt);
/* "earlier": [{"rule","setting",...,"seconds_earlier","formula"}], "signals": [...] */
void learnt_write_metric(const struct learnt *learnt, int64_t detected_ms, struct json_out *out);
