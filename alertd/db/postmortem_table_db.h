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

/* The newest, with revision 0; one that nobody saved has revision 0. */
int postmortem_table_db_get(struct db_conn *conn,
                            const char *name,
                            int64_t revision,
                            struct arena *arena,
                            struct postmortem_table_row *ret_row,
                            struct err *reterr);
/* The newest hundred, newest first; `rows` is "" or "[", which says that they are a team's own. */
int postmortem_table_db_list(struct db_conn *conn,
                             const char *name,
                             struct arena *arena,
                             struct postmortem_table_row **ret_rows,
                             size_t *ret_n,
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
