#pragma once

/*
 * From an incident's rows to a drill: the record, what was kept of its samples (or is still in
 * the store), the rules as they were, how its alerts were routed, and names that must not be in it.
 */

#include "alertd/api/api.h"
#include "alertd/api/drill_own.h"

/* "inc-2026-0012", at most DRILL_OWN_NAME_MAX bytes. */
void drill_incident_name(const char *key, char *ret_name);
struct drill_incident_wish {
    bool scrub_hosts;
    bool as_now; /* rules.yml has the rules of those groups as they are now */
};
/* False: answered. drill_made_done(). */
bool drill_incident_make(const struct api *api,
                         const char *key,
                         const struct drill_incident_wish *wish,
                         struct drill_made *ret_made,
                         struct http_response *response);
/* The rules of now for an own drill that was made of an incident. False: answered. */
bool drill_incident_rules_now(const struct api *api,
                              const char *name,
                              struct str *ret_rules,
                              struct http_response *response);
/* For drill_check(): arg is a struct drill_made; runbooks are those of the packs. */
drill_read drill_incident_read;
