#pragma once

/*
 * Where the time between "bad" and "somebody has it" went, for each rule that fired:
 *
 *     breach --evaluation--> pending --for--> firing --grouping--> owed --send--> sent
 *            --acknowledge--> acknowledged
 *
 * The breach is the first second at which the rule's own expression held over the samples that
 * are stored now; the rest was recorded as it happened.
 */

#include "alertd/api/api.h"
#include "alertd/db/incident_db_record.h"

enum {
    DETECTION_PARTS = 5,
    DETECTION_RULES_MAX = 20,
};

/* One rule's way. Instants, 0: not known. */
struct detection {
    const struct incident_alert *alert; /* of its alerts the one that fired first */
    int64_t breach_at_ms, pending_at_ms, firing_at_ms, owed_at_ms, sent_at_ms, acked_at_ms;
    const char *why_no_breach; /* NULL while it is known */
};

/* Into the arena; newest last. INCIDENT_DB_E_LIMIT. */
int detection_find(const struct api *api,
                   const struct incident_record *of,
                   struct arena *arena,
                   struct detection **ret_detections,
                   size_t *ret_n,
                   struct err *reterr);

/* "detection": [{"rule","rule_id","parts":[{"name","formula","seconds","share","text"}]}] */
void detection_write(const struct api *api, const struct incident_record *of, struct json_out *out);
