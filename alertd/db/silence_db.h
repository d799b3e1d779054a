#pragma once

/*
 * Silences as rows. What they mute is decided in route/silence.h; here they are kept.
 *
 *     set (no id) --> pending --starts--> active --ends, expire, resolved--> expired
 *     set (id)    --> the same row when it only moves in time, else a new one, and the old
 *                     one expires
 *
 * Invariants
 *  (1) a row is never deleted: it may still explain why nobody was told.
 *  (2) every change is an event of the log, and so is an end that comes by itself
 *      (silence_db_sweep()).
 *  (3) no silence mutes everything: a matcher of it does not match the empty string.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/route/silence.h"
#include "lib/base/arena.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"

enum {
    SILENCE_DB_E_NOT_FOUND = 50,
    SILENCE_DB_E_INVALID = 51, /* words name what is wrong */
    SILENCE_DB_E_LIMIT = 52,   /* the arena is spent, or there are too many */
    SILENCE_DB_E_EXPIRED = 53, /* it is over already */
    SILENCE_DB_E_STALE = 56,   /* somebody changed it meanwhile */

    SILENCE_ID_TEXT = 37, /* with the NUL */
    SILENCE_MATCHERS_MAX = 64,
    SILENCE_TEXT_BYTES_MAX = 16 * 1024, /* of a comment */
    SILENCE_NAME_BYTES_MAX = 256,       /* of who made it */
    SILENCES_STANDING_MAX = 10000,      /* pending and active */
};

#define SILENCE_NEXT_LOOK_MS (5 * 366 * 24 * 3600 * INT64_C(1000)) /* a window comes until then */

struct silence_row {
    struct silence silence; /* what route/ asks: one set of matchers */
    const struct matcher *matchers;
    size_t n_matchers;
    const char *window;  /* the JSON of silence.window; NULL: none */
    bool until_resolved; /* ends when nothing that it matches fires any more */
    const char *created_by;
    const char *comment;
    const struct labels *annotations;
    int64_t created_ms, updated_ms; /* updated_ms grows with every change: a revision */
    int64_t matched_ms; /* when it was last seen to match something that fires; 0: never */
};

/* What is wanted of a silence. */
struct silence_wish {
    const char *id; /* NULL or "": a new one */
    const struct matcher *matchers;
    size_t n_matchers;
    int64_t starts_at_ms; /* a past one, of a new silence, becomes now */
    int64_t ends_at_ms;
    const struct route_interval *window; /* NULL: none */
    bool keeps_window;                   /* with NULL: the one that it has; for who knows of none */
    bool until_resolved;
    const char *created_by;
    const char *comment;
    const struct labels *annotations; /* NULL: none */
    int64_t base_revision;            /* updated_ms as the asker saw it; 0: whatever it is */
    const char *actor;                /* who asks */
    int64_t now_ms;
};

/* Pending and active ones, as route/silence.h takes them. */
int silence_db_load(struct db_conn *conn,
                    int64_t now_ms,
                    struct arena *arena,
                    struct silence **ret_rows,
                    size_t *ret_n,
                    struct err *reterr);

/* Those that end after ended_after_ms (0: all that are kept), the newest change first. */
int silence_db_list(struct db_conn *conn,
                    int64_t ended_after_ms,
                    struct arena *arena,
                    struct silence_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr);
int silence_db_get(struct db_conn *conn,
                   const char *id,
                   struct arena *arena,
                   struct silence_row *ret_row,
                   struct err *reterr);

struct silence_counts {
    int64_t active, pending, expired;
};
int silence_db_count(struct db_conn *conn,
                     int64_t now_ms,
                     struct silence_counts *ret_counts,
                     struct err *reterr);

/* --- changes; jobs. The pager is to be told (pager_silences_changed()). --- */

/* Makes or changes one; its id into ret_id (SILENCE_ID_TEXT bytes). */
int silence_db_set(struct db_conn *conn,
                   const struct silence_wish *wish,
                   char *ret_id,
                   struct err *reterr);
/* Ends it now. */
int silence_db_expire(
    struct db_conn *conn, const char *id, const char *actor, int64_t now_ms, struct err *reterr);
/* Its end moves to ends_at_ms. */
int silence_db_extend(struct db_conn *conn,
                      const char *id,
                      int64_t ends_at_ms,
                      const char *actor,
                      int64_t now_ms,
                      struct err *reterr);

/* Logs ends that came by themselves, and ends those "until resolved" whose alerts are over.
 * *ret_changed: what is muted may have changed. To be run every few seconds. */
int silence_db_sweep(struct db_conn *conn, int64_t now_ms, bool *ret_changed, struct err *reterr);
