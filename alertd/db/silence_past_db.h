#pragma once

/*
 * What a silence would have muted: notifications that were sent and incidents that were opened
 * while it was not there, counted from rows.
 *
 * A notification would not have been sent when every alert it was about is matched, and the
 * silence's window held when it was first due. An incident would not have been opened when all
 * its alerts are matched and the window held when it was.
 */

#include <stdbool.h>

#include "alertd/db/db.h"
#include "alertd/route/silence.h"

enum {
    SILENCE_PAST_ALERTS_MAX = 200 * 1000, /* of the incidents looked at: more, and it is_part */
};

struct silence_past {
    int64_t notifications, all_notifications; /* of how many */
    int64_t incidents, all_incidents;
    bool is_part; /* the oldest were not looked at */
};

/* Within [from_ms, to_ms); of the silence its matchers and its window are read. */
int silence_db_past(struct db_conn *conn,
                    const struct silence *silence,
                    int64_t from_ms,
                    int64_t to_ms,
                    struct silence_past *ret_past,
                    struct err *reterr);
