#pragma once

/*
 * What state.db knows about an incident, for its document: rows, and the facts made of them.
 */

#include "alertd/api/api.h"
#include "alertd/api/postmortem_tables.h"
#include "alertd/db/frozen_db.h"
#include "alertd/db/incident_db_record.h"
#include "alertd/db/postmortem_action_db.h"
#include "alertd/db/postmortem_db.h"
#include "alertd/postmortem/facts.h"

enum {
    POSTMORTEM_RECORD_E_LIMIT = 61, /* too large for one document */
    POSTMORTEM_RECORD_BYTES_MAX = 128 * 1024 * 1024,
    POSTMORTEM_FACTS_JSON_MAX = 32 * 1024 * 1024,
};

struct postmortem_record {
    struct arena *arena;
    struct incident incident;
    struct incident_alert *alerts; /* those of a rule next to each other */
    size_t n_alerts;
    struct timeline_event *events; /* as they stand: curated */
    const struct postmortem_curation *curation;
    size_t n_events;
    const struct postmortem_notification *pages;
    size_t n_pages;
    const struct postmortem_mark *marks;
    size_t n_marks;
    const struct postmortem_impact *impacts;
    size_t n_impacts;
    const struct timeline_row *rows;
    const struct incident_record *from; /* without words */
    struct learnt learnt;               /* as somebody last looked */
    struct learnt_around around;
    struct choice_table choices; /* in force */
};

/* Codes of incident_db.h, and the one above. */
int postmortem_record_read(struct db_conn *conn,
                           const char *incident,
                           struct arena *arena,
                           struct postmortem_record *ret_record,
                           struct err *reterr);

/* What the document adds to the record. */
struct postmortem_about {
    const struct postmortem_row *row; /* may be partly filled: a draft that is not stored yet */
    const struct graph_row *graphs;
    size_t n_graphs;
    const struct postmortem_answer_row *answers;
    size_t n_answers;
    const struct action_row *actions;
    size_t n_actions;
    int64_t now_ms;
};

int postmortem_record_facts(const struct api *api,
                            const struct postmortem_record *record,
                            const struct postmortem_about *about,
                            const struct fact **ret_facts,
                            struct err *reterr);
