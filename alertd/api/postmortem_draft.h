#pragma once

/*
 * From an incident to the first state of its postmortem.
 *
 *   rows of state.db -> graphs and samples (postmortem_freeze.h) -> one job: what is frozen,
 *   facts, the template's sections with their prompts
 *
 * The samples are read before the job (a query may take seconds), everything that is
 * stored is stored in one transaction.
 */

#include "alertd/api/postmortem_record.h"

enum {
    POSTMORTEM_DRAFT_E_TEMPLATE = 60, /* words name file, line and column */
    POSTMORTEM_DRAFT_E_LIMIT = POSTMORTEM_RECORD_E_LIMIT,
    POSTMORTEM_DRAFT_E_NOT_YET = 63, /* a public one before the internal one is published */
};

struct postmortem_wish {
    const char *incident;      /* key */
    const char *template_name; /* "": what the table of choice.h says */
    const char *author;
    int64_t now_ms;
};

/* Codes of incident_db.h, postmortem_db.h and those above. */
int postmortem_draft(const struct api *api,
                     const struct postmortem_wish *wish,
                     int64_t *ret_id,
                     struct err *reterr);

/* Which template the table says, for what is recorded. */
struct choice postmortem_draft_choose(const struct postmortem_record *record, int64_t now_ms);
