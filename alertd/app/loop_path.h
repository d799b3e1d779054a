#pragma once

/*
 * Paging-path drills: one thread, a look every few seconds or when somebody asks.
 *
 *   the hour of the week has come --begin--> pages that are due (api/paging_drill.h)
 *   a page is due --> sent; nothing is due --> what is over ends
 *
 * Off by default: it begins none by itself without a policy. One that was missed while alertd
 * was stopped is not made up for: a drill at another hour than people expect is none.
 */

#include <stdint.h>

#include "alertd/api/api.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

struct loop_path;

struct loop_path_options {
    const struct api *api;
    const struct log *log;
    const char *policy; /* "": only when somebody asks */
    const char *zone;   /* of the hour: an IANA name */
    int weekday;        /* 0: Sunday */
    int hour;
};

/* -EINVAL when the zone is none. */
int loop_path_start(const struct loop_path_options *options,
                    struct loop_path **ret_loop,
                    struct err *reterr);
void loop_path_stop(struct loop_path *loop); /* NULL is fine */
void loop_path_wake(struct loop_path *loop); /* from any thread; NULL is fine */
