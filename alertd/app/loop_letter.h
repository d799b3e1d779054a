#pragma once

/*
 * What is told that is no page: the weekly report, and reminders of what postmortems promised. One
 * thread, a look every minute or when something is to be tried again.
 *
 *   a topic's hour has come --owe--> a row for each mail and ntfy of its receiver
 *   a row is due --claim--> written and sent --mark--> sent, or again later (letter_db.h)
 *
 * The report tells of the last week that was over when its hour came. One that was missed while
 * alertd was stopped is sent late; the first one goes out at once, so that whoever set it up
 * sees that it arrives. Reminders go on after the incident is over and the document closed to
 * everybody's mind: that is when actions are forgotten.
 */

#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/route/config.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

struct loop_letter;

struct loop_letter_options {
    struct db *state;
    const struct route_config *_Atomic *config; /* read anew each time */
    const struct log *log;
    const char *external_url; /* lives as long as the loop */
    const char *report_to;    /* a receiver; "": there is no report */
    const char *zone;         /* of the report's weeks, nights and hour: an IANA name */
    int weekday;              /* 0: Sunday */
    int hour;
    const char *remind_to; /* a receiver; "": nobody is reminded */
    int64_t (*now_wall_ms)(void);
};

/* *ret_loop is NULL when there is nobody to tell anything. -EINVAL when the zone is none. */
int loop_letter_start(const struct loop_letter_options *options,
                      struct loop_letter **ret_loop,
                      struct err *reterr);
void loop_letter_stop(struct loop_letter *loop); /* NULL is fine */
