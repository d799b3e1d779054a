#pragma once

/*
 * Pieces of the catalogue that incidents show too.
 */

#include "alertd/api/api.h"
#include "alertd/db/service_db.h"
#include "alertd/incident/record.h"

/* [{"name","revision","updated_at","updated_by","spec"}] */
void services_write(struct json_out *out, const struct service_row *rows, size_t n);
/* [{"service","name","objective","window","known","bad","total","burnt_ratio",...}]: what the
 * incident burnt of each budget of these services. */
void services_write_slos(const struct api *api,
                         const struct service_row *rows,
                         size_t n,
                         const struct record *record,
                         struct json_out *out);
