#pragma once

/*
 * A topic of letters: when one is owed, and what it says. The rest, the same for all, is
 * loop_letter.c's.
 */

#include "alertd/app/loop_letter.h"
#include "alertd/db/letter_db.h"
#include "lib/base/str.h"
#include "lib/model/zone.h"

enum {
    LETTER_OVER = 1, /* of a write: nobody needs it any more; reterr says why */
};

struct letter {
    struct str subject, text, html, brief, url;
};

/* What a topic may look at. */
struct letter_desk {
    const struct loop_letter_options *options;
    struct zone *zone;
};

struct letter_topic {
    const char *name;   /* in the log and in the rows */
    const char *nobody; /* what is lost when the receiver is of no use */
    /* One address, as part of a job: what is due by now is owed to it. */
    int (*owe)(const struct letter_desk *desk,
               struct db_conn *conn,
               const struct letter_to *to,
               int64_t now_ms,
               struct err *reterr);
    int (*write)(const struct letter_desk *desk,
                 const char *about,
                 int64_t now_ms,
                 struct letter *ret_letter,
                 struct err *reterr);
};

extern const struct letter_topic letter_report;
extern const struct letter_topic letter_remind;
