#pragma once

/*
 * The tables that postmortems go by: words that are hinted at, and which template an incident asks for.
 * A team's own where it saved one, else those that ship.
 */

#include "alertd/api/api.h"
#include "alertd/postmortem/choice.h"
#include "alertd/postmortem/hint.h"
#include "lib/base/arena.h"

enum {
    POSTMORTEM_TABLE_ROWS_MAX = 500,
    POSTMORTEM_TABLE_JSON_MAX = 256 * 1024,
};

/* In a read or a job; in the arena. */
int postmortem_hints(struct db_conn *conn,
                     struct arena *arena,
                     struct hint_table *ret_table,
                     struct err *reterr);
int postmortem_choices(struct db_conn *conn,
                       struct arena *arena,
                       struct choice_table *ret_table,
                       struct err *reterr);
