#pragma once

/*
 * What people write in the debriefs of their drills, section by section, in drills.db. Each save
 * names the revision that the writer had before them: nobody's text is lost.
 */

#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    PLAY_DEBRIEF_DB_E_STALE = 45, /* somebody saved a newer one: words say who */
    PLAY_DEBRIEF_DB_E_LIMIT = 46,
};

struct play_debrief_row {
    const char *section, *body, *author;
    int64_t revision, saved_ms;
};

/* The newest of each section. */
int play_debrief_db_list(struct db_conn *conn,
                         int64_t session,
                         struct arena *arena,
                         struct play_debrief_row **ret_rows,
                         size_t *ret_n,
                         struct err *reterr);

/* Job. */
struct play_debrief_save {
    int64_t session;
    const char *section, *body, *author;
    int64_t base_revision; /* 0: it was never written */
    int64_t now_ms;
};
int play_debrief_db_save(struct db_conn *conn,
                         const struct play_debrief_save *save,
                         struct err *reterr);
