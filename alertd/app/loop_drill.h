#pragma once

/*
 * A drill's pages to people who asked for them: one thread, a short queue, one attempt for each
 * contact.
 *
 *   play/ --words--> queue --thread--> the person's contacts, marked DRILL in every channel
 *
 * Nothing of it is a row: no incident, no outbox, no attempt is kept in state.db, of which only
 * people's contacts are read. A page that can't be sent is lost and logged: it was practice. What is
 * real has threads and connections of its own and never waits for this one.
 */

#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/play/play.h"
#include "alertd/route/config.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

struct loop_drill;

struct loop_drill_options {
    struct db *state;
    const struct route_config *_Atomic *config; /* read anew each time */
    const struct log *log;
    const char *external_url;
};

int loop_drill_start(const struct loop_drill_options *options,
                     struct loop_drill **ret_loop,
                     struct err *reterr);
void loop_drill_stop(struct loop_drill *loop); /* NULL is fine */
/* From any thread; never blocks. */
void loop_drill_page(struct loop_drill *loop, const struct play_page *page);
