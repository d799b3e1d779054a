#pragma once

/*
 * The roster as rows of state.db: people, schedules, overrides (and swaps) of schedules,
 * policies, shadows. A row holds the JSON of oncall/spelling.h and what is asked for by SQL.
 * Reading functions take any connection; changing ones are for a db_job.
 *
 *   value --roster_db_put()--> row, its references, a revision for ever, an event in the log
 *   rows  --roster_db_load()-> struct roster: what the pager and the pages work on
 *
 * Invariants
 *  (1) Names are unique within a kind; the ids of overrides and shadows are given here.
 *  (2) What a row refers to exists when it is written, and is not deleted while the row is
 *      there and not over (an override of last week keeps nobody).
 *  (3) Every change appends to roster_change, whose newest id is the whole roster's revision.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/oncall/roster.h"
#include "lib/base/arena.h"

enum {
    ROSTER_DB_E_NOT_FOUND = 50,
    ROSTER_DB_E_EXISTS = 51,    /* the name is taken */
    ROSTER_DB_E_STALE = 52,     /* somebody changed it meanwhile: words say who */
    ROSTER_DB_E_IN_USE = 53,    /* words say who refers to it */
    ROSTER_DB_E_REFERENCE = 54, /* it refers to nobody: words have the field's path */
    ROSTER_DB_E_LIMIT = 55,     /* as many as there may be, or the arena is spent */
    ROSTER_DB_ID_MAX = 24,      /* text of an id */
};

enum roster_kind {
    ROSTER_PERSON,
    ROSTER_SCHEDULE,
    ROSTER_OVERRIDE,
    ROSTER_POLICY,
    ROSTER_SHADOW,
};

const char *roster_kind_name(enum roster_kind kind); /* "person" ... */

struct roster_item {
    int64_t id;
    const char *name;
    const char *owner; /* an override's schedule, else NULL */
    const char *spec;
    int64_t revision;
    int64_t created_ms, updated_ms;
    const char *updated_by;
    int64_t ical_made_ms; /* of a schedule: its calendar has an address since; 0: none */
};

/* By name; overrides in their order. owner NULL: all of the kind. */
int roster_db_list(struct db_conn *conn,
                   enum roster_kind kind,
                   const char *owner,
                   struct arena *arena,
                   struct roster_item **ret_items,
                   size_t *ret_n,
                   struct err *reterr);
int roster_db_get(struct db_conn *conn,
                  enum roster_kind kind,
                  const char *name,
                  struct arena *arena,
                  struct roster_item *ret_item,
                  struct err *reterr);

/* Grows with every change of anything in the roster: what was loaded at one is good while it
 * is the same. Costs one look into an index. */
int roster_db_revision(struct db_conn *conn, int64_t *ret_revision, struct err *reterr);

/* Everything. A row that cannot be read any more (its time zone is gone from the system) is
 * left out, so that it stops nobody else's pages; *reterr then says which, and is untouched
 * otherwise. */
int roster_db_load(struct db_conn *conn,
                   struct zones *zones,
                   struct arena *arena,
                   struct roster *ret_roster,
                   struct err *reterr);

/* --- jobs --- */

/* What is written: the pointer of its kind. The id in an override or a shadow is not read. */
struct roster_value {
    enum roster_kind kind;
    const struct person *person;
    const struct schedule *schedule; /* its overrides are rows of their own, not written */
    const struct override *override;
    const char *owner; /* the override's schedule */
    const struct policy *policy;
    const struct shadow *shadow;
};

struct roster_put {
    struct roster_value value;
    const char *name;      /* of the row that is changed; NULL: a new one */
    int64_t base_revision; /* what the writer had before them; 0: whatever it is */
    const char *by;
    int64_t now_ms;
    char id[ROSTER_DB_ID_MAX]; /* out: of a new override or shadow */
};

int roster_db_put(struct db_conn *conn, struct roster_put *put, struct err *reterr);

struct roster_delete {
    enum roster_kind kind;
    const char *name;
    const char *owner;     /* must be the override's schedule */
    int64_t base_revision; /* 0: whatever it is */
    const char *by;
    int64_t now_ms;
};

int roster_db_delete(struct db_conn *conn, const struct roster_delete *what, struct err *reterr);

/* --- a schedule's calendar --- */

enum {
    ROSTER_SECRET_MAX = 48
};

/* Job. A new address; the one before works no more. ret_secret has ROSTER_SECRET_MAX. */
int roster_db_make_ical(struct db_conn *conn,
                        const char *schedule,
                        const char *by,
                        int64_t now_ms,
                        char *ret_secret,
                        struct err *reterr);
/* The schedule's name. */
int roster_db_find_ical(struct db_conn *conn,
                        const char *secret,
                        struct arena *arena,
                        const char **ret_schedule,
                        struct err *reterr);
