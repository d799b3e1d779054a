#pragma once

/*
 * What was known of an alert at an instant, gathered for why/why.h: rows of state.db, samples of
 * ALERTS, the config that was in force, and whom a policy would page.
 */

#include "alertd/api/api.h"
#include "alertd/db/why_db.h"
#include "alertd/oncall/roster.h"
#include "alertd/promql/told.h"
#include "alertd/route/config.h"
#include "alertd/why/why.h"
#include "lib/model/zone.h"

enum {
    WHY_LOAD_E_NOT_FOUND = 1, /* no such alert, no such incident: words say which */
};

struct why_question {
    struct why_db_wish wish;
    const char *incident; /* its newest alert is asked about; NULL: wish says which */
    bool is_supposed;     /* whether the alert is known or not */
    int64_t at_ms, now_ms;
    bool is_past;
};

struct why_known {
    struct arena arena;
    struct zones zones;
    const struct route_config *then; /* a reference, when it is not the one of now */
    struct why_db_found found;
    struct why_alert alert;
    struct why_input input; /* for why_decide(), in the arena */
    struct told *told;      /* what of the samples could not be read */
};

/* 0, WHY_LOAD_E_NOT_FOUND, or what rows and samples say. In any case why_known_done(). */
int why_load(const struct api *api,
             const struct why_question *question,
             struct why_known *ret_known,
             struct err *reterr);
void why_known_done(struct why_known *known);
