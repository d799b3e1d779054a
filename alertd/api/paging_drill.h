#pragma once

/*
 * Paging-path drills: does a page reach those whom it should? A marked page goes to every
 * contact method of everybody whom a policy's steps would page, whoever answers; each carries a
 * link, and who could not be reached is the report.
 *
 * Nothing of it is an incident or a row of the outbox: no report, no count, no timeline has it.
 */

#include "alertd/api/api.h"

enum {
    PAGING_DRILL_WITHIN_MS = 30 * 60 * 1000,
    PAGING_DRILL_E_POLICY = 1, /* there is no such policy */
    PAGING_DRILL_E_NOBODY = 2, /* it has no step */
};

/* Notes whom to page. 0; the codes above and those of paging_drill_db.h. */
int paging_drill_begin(const struct api *api,
                       const char *policy,
                       const char *by,
                       int64_t within_ms,
                       int64_t *ret_id,
                       struct err *reterr);
/* Sends the next page that is due, and ends what is over: true when there may be more. */
bool paging_drill_step(const struct api *api, const struct log *log);
/* When the policy's newest began; 0: never. */
int64_t paging_drill_last(const struct api *api, const char *policy);
