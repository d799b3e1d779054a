#pragma once

/*
 * What people do to who is paged next: shared by the calls about incidents and the phone page.
 */

#include "alertd/api/api.h"
#include "alertd/db/escalation_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/oncall/escalation.h"
#include "lib/json/write.h"

enum {
    ESCALATIONS_SNOOZE_MS_MAX = 7 * 24 * 3600 * 1000,
};

/* "escalations": [{"policy","status","round","step","steps","next_at","person"}] of an incident,
 * from rows of escalation_db_of(). */
void escalations_write(struct json_out *out, const struct escalation_row *rows, size_t n);

/* In the job of the deed: the incident's escalations hear of it. until_ms is a snooze's. */
int escalations_tell(const struct api *api,
                     struct db_conn *conn,
                     const struct incident_deed *deed,
                     enum escalation_event_kind kind,
                     int64_t until_ms,
                     struct err *reterr);
