#pragma once

/*
 * Reviews all rules over their last 30 days, in the background: one thread, one rule at a time, most
 * of the time asleep.
 *
 *   every few hours, or when asked --> each alert: tuned over the store, against our own incidents
 *                                  --> pairs of them --> one job: rows (review_db.h)
 *
 * Behind each rule it rests ten times as long as it worked. What is stored stays until the next
 * review; a stop ends a reading where it is.
 */

#include "alertd/db/db.h"
#include "alertd/store/store.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

struct loop_review;

struct loop_review_options {
    struct db *state;
    struct store *store;
    const struct log *log;
};

int loop_review_start(const struct loop_review_options *options,
                      struct loop_review **ret_loop,
                      struct err *reterr);
void loop_review_stop(struct loop_review *loop); /* NULL is fine */
/* Somebody wants one now, and quickly: without the rests. From any thread. NULL is fine. */
void loop_review_wake(struct loop_review *loop);
