#pragma once

/*
 * A team's own tables for postmortems, as JSON: "hints", "choices". Each save is a row, the newest counts.
 */

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    POSTMORTEM_TABLE_DB_E_STALE = 42, /* words say who was faster */
    POSTMORTEM_TABLE_DB_E_LIMIT = 44,
};

struct postmortem_table_row {
    const char *rows; /* "": those that ship */
    int64_t revision; /* 0: nobody saved any */
    int64_t saved_ms;
    const char *saved_by;
};

int postmortem_table_db_get(struct db_conn *conn,
                            const char *name,
                            struct arena *arena,
                            struct postmortem_table_row *ret_row,
                            struct err *reterr);

struct postmortem_table_save {
    const char *name, *rows;
    int64_t base_revision; /* the one that was edited */
    const char *who;
    int64_t now_ms;
};
/* Job. */
int postmortem_table_db_save(struct db_conn *conn,
                             const struct postmortem_table_save *save,
                             struct err *reterr);
