#pragma once

/*
 * An exported document without its incident: the incident is made again of the facts that the document was
 * written from, as one that was brought from elsewhere. Rows are those that the document listed.
 */

#include "alertd/db/incident_db_record.h"
#include "lib/json/read.h"

struct postmortem_bring {
    const struct json *facts; /* of the export */
    const char *who;
    int64_t now_ms;
    struct arena *arena;
    char key[INCIDENT_DB_KEY_MAX]; /* out */
};

/* When the facts' incident was opened; 0: they have none. */
int64_t postmortem_bring_opened(const struct json *facts);
/* What it is called; "": they have none. */
const char *postmortem_bring_title(const struct json *facts);
/* Job. Codes of incident_db.h. */
int postmortem_bring(struct db_conn *conn, struct postmortem_bring *bring, struct err *reterr);
