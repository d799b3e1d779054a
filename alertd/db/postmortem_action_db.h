#pragma once

/*
 * What was promised in postmortems: actions with every state they were in, and reminders of
 * them, owed to integrations once a day at most. An action outlives its incident: it is
 * reminded of until it is done, or somebody says why it will not be.
 *
 *   open <--> doing --> done        wont_do needs a reason
 *
 *   reminder: (no row) --owe--> waiting --claim--> sending --accepted--> sent
 *                                  ^                  |
 *                                  +----- failed -----+--- a day after it was owed ---> failed
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    ACTION_DB_E_NOT_FOUND = 40,
    ACTION_DB_E_STALE = 42,
    ACTION_DB_E_LIMIT = 44,
    ACTION_DB_E_REASON = 46, /* it will not be done, and nobody says why */
};

struct action_row {
    int64_t id;
    int64_t postmortem_id;
    const char *incident; /* its key */
    const char *text;
    const char *type;
    const char *tag;
    const char *owner;
    int64_t due_ms; /* 0: no date */
    const char *state;
    const char *done_when;
    const char *proof_url;
    const char *reason;
    const char *rule_draft;
    int64_t revision;
    int64_t created_ms, updated_ms;
    int64_t closed_ms; /* 0: open */
    const char *created_by;
    const char *updated_by;
};

bool action_is_over(const char *state);
/* NULL-terminated lists of what may be said. */
extern const char *const action_types[];
extern const char *const action_tags[]; /* without "" */
extern const char *const action_states[];

struct action_query {
    int64_t postmortem_id; /* 0: of all */
    bool open_only;
    const char *owner; /* NULL: of anybody */
};
/* Open ones first, by their date; at most 1,000. */
int action_db_list(struct db_conn *conn,
                   const struct action_query *query,
                   struct arena *arena,
                   struct action_row **ret_actions,
                   size_t *ret_n,
                   struct err *reterr);
int action_db_get(struct db_conn *conn,
                  int64_t id,
                  struct arena *arena,
                  struct action_row *ret_action,
                  struct err *reterr);

/* Job: id 0 makes one. revision is what the writer had before them. */
int action_db_save(struct db_conn *conn,
                   const struct action_row *action,
                   const char *actor,
                   int64_t now_ms,
                   int64_t *ret_id,
                   struct err *reterr);

/* How many there are in a state; overdue counts those whose date has passed while open. */
struct action_count {
    const char *state;
    int64_t in_time, overdue;
};
enum {
    ACTION_COUNTS = 4
};
int action_db_count(struct db_conn *conn,
                    int64_t now_ms,
                    struct action_count ret_counts[ACTION_COUNTS],
                    struct err *reterr);

/* Is it reminded of today? The day before its date, on it, and every seventh day after. */
bool action_is_reminded(int64_t due_ms, int64_t now_ms);
