#pragma once

/*
 * From an incident's rows to a drill: the record, what was kept of its samples (or is still in
 * the store), the rules as they were, how its alerts were routed, and names that must not be in it.
 */

#include "alertd/api/api.h"
#include "alertd/api/drill_own.h"

/* "inc-2026-0012", at most DRILL_OWN_NAME_MAX bytes. */
void drill_incident_name(const char *key, char *ret_name);
/* False: answered. drill_made_done(). */
bool drill_incident_make(const struct api *api,
                         const char *key,
                         bool scrub_hosts,
                         struct drill_made *ret_made,
                         struct http_response *response);
/* For drill_check(): arg is a struct drill_made; runbooks are those of the packs. */
drill_read drill_incident_read;
