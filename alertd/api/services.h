#pragma once

/*
 * Pieces of the catalogue that incidents show too.
 */

#include "alertd/api/api.h"
#include "alertd/db/service_db.h"
#include "alertd/incident/record.h"
#include "alertd/postmortem/learnt.h"

/* [{"name","revision","updated_at","updated_by","spec"}] */
void services_write(struct json_out *out, const struct service_row *rows, size_t n);

/* Services that an incident concerns, and when it hit them. */
struct services_of {
    const struct service_row *rows;
    size_t n;
    const struct record *record;
};
/* What the incident burnt of each budget of these services; LEARNT_BURNS_MAX at most. False: the
 * arena is spent. */
bool services_burns(const struct api *api,
                    const struct services_of *of,
                    struct arena *arena,
                    struct learnt_burn **ret_burns,
                    size_t *ret_n);
/* [{"service","name","objective","window","known","bad","total","burnt_ratio",...}] */
void services_write_burns(struct json_out *out, const struct learnt_burn *burns, size_t n);
void services_write_slos(const struct api *api, const struct services_of *of, struct json_out *out);
