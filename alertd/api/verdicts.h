#pragma once

/*
 * Verdicts as docs/api.md says them.
 */

#include "alertd/db/verdict_db.h"
#include "lib/json/write.h"

/* One VERDICT. */
void verdict_json(struct json_out *out, const struct verdict_row *row);
