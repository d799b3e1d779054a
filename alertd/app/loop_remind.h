#pragma once

/*
 * Reminders of what postmortems promised: one thread, a look every minute or when something is
 * to be tried again.
 *
 *   an action's day has come --owe--> a row for each mail and ntfy of the receiver
 *   a row is due --claim--> made and sent --mark--> sent, or again later
 *   (postmortem_action_db.h)
 *
 * They go on after the incident is over and the document closed to everybody's mind: that is
 * when actions are forgotten.
 */

#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/route/config.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

struct loop_remind;

struct loop_remind_options {
    struct db *state;
    const struct route_config *_Atomic *config; /* read anew each time */
    const struct log *log;
    const char *external_url; /* lives as long as the loop */
    const char *receiver;     /* "": nobody is reminded */
    int64_t (*now_wall_ms)(void);
};

/* *ret_loop is NULL when nobody is to be reminded. */
int loop_remind_start(const struct loop_remind_options *options,
                      struct loop_remind **ret_loop,
                      struct err *reterr);
void loop_remind_stop(struct loop_remind *loop); /* NULL is fine */
