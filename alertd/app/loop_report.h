#pragma once

/*
 * The weekly report: one thread, a look every minute or when something is to be tried again.
 *
 *   the hour has come --owe--> a row for each mail and ntfy of the receiver
 *   a row is due --claim--> made and sent --mark--> sent, or again later (weekly_db.h)
 *
 * It tells of the last week that was over when its hour came. One that was missed while
 * alertd was stopped is sent late; the first one goes out at once, so that whoever set it up
 * sees that it arrives.
 */

#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/route/config.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

struct loop_report;

struct loop_report_options {
    struct db *state;
    const struct route_config *_Atomic *config; /* read anew each time */
    const struct log *log;
    const char *external_url; /* lives as long as the loop */
    const char *receiver;     /* "": there is no report */
    const char *zone;         /* of its weeks, nights and hour: an IANA name */
    int weekday;              /* 0: Sunday */
    int hour;
    int64_t (*now_wall_ms)(void);
};

/* *ret_loop is NULL when there is no report to send. -EINVAL when the zone is none. */
int loop_report_start(const struct loop_report_options *options,
                      struct loop_report **ret_loop,
                      struct err *reterr);
void loop_report_stop(struct loop_report *loop); /* NULL is fine */
