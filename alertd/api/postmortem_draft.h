#pragma once

/*
 * From an incident to the first revision of its postmortem.
 *
 *   rows of state.db -> plans of graphs -> PromQL over the store, remembering what it
 *   read -> one job: graphs and samples frozen, facts, template, revision 1
 *
 * The samples are read before the job (a query may take seconds), everything that is
 * stored is stored in one transaction.
 */

#include "alertd/api/api.h"
#include "alertd/db/postmortem_db.h"

enum {
    POSTMORTEM_DRAFT_E_TEMPLATE = 60, /* words name file, line and column */
    POSTMORTEM_DRAFT_E_LIMIT = 61,
    POSTMORTEM_DRAFT_GRAPHS_MAX = 4,
    POSTMORTEM_DRAFT_SAMPLES_MAX = 256 * 1024, /* frozen; more than that: none */
};

struct postmortem_wish {
    const char *incident; /* key */
    const char *template_name;
    const char *author;
    int64_t now_ms;
};

/* Codes of incident_db.h, postmortem_db.h and those above. */
int postmortem_draft(const struct api *api,
                     const struct postmortem_wish *wish,
                     int64_t *ret_id,
                     struct err *reterr);
