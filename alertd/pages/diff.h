#pragma once

/*
 * A rule as it was against the rule as it will be, in pages: who would sleep more, and what would
 * be missed.
 *
 *     old  ----[1]-------[2]-----------[3]------        same receiver, group and reason,
 *     new  ----[1]----------[2]------------------[4]-   incidents that overlap
 *              kept       moved +3m    lost    gained
 *
 * Invariants
 *  (1) each page of either side is in one row.
 *  (2) an incident is lost when a page of the old rule fell into it and none of the new does. It
 *      counts as found by the first page within it, of alerts that it is about.
 */

#include "alertd/pages/pages.h"
#include "alertd/tune/tune.h"
#include "lib/json/write.h"

enum diff_kind {
    DIFF_KEPT,
    DIFF_MOVED,
    DIFF_GAINED,
    DIFF_LOST,
};
enum {
    DIFF_KINDS = 4
};

const char *diff_kind_name(enum diff_kind kind); /* "kept" ... */

/* One side: NULL pages: there is no such rule. */
struct diff_side {
    const struct pages *pages;
    const struct pages_alert *alerts; /* of the plan that made them */
};

struct diff_row {
    enum diff_kind kind;
    const struct pages_page *old, *new; /* NULL: none */
    int64_t moved_ms;                   /* later; < 0: earlier */
    bool is_red;                        /* lost, and so is the incident that it caught */
};

struct diff_incident {
    const struct tune_incident *incident;
    int64_t old_ms, new_ms; /* the first page within; INT64_MAX: none */
};

struct diff {
    struct diff_row *rows; /* by time */
    size_t n;
    size_t counts[DIFF_KINDS];
    struct diff_incident *incidents;
    size_t n_incidents;
    size_t n_lost, n_found; /* incidents that only one side has: the old, the new */
    size_t n_later;         /* incidents that both have, and the new one later */
    int64_t latest_ms;      /* by how much at most */
};

struct diff diff_make(const struct diff_side *old,
                      const struct diff_side *new,
                      const struct tune_incident *incidents,
                      size_t n_incidents);
void diff_done(struct diff *diff);

/* Members of an open object: counts, incidents[], rows[]. */
void diff_json(const struct diff *diff,
               const struct diff_side *old,
               const struct diff_side *new,
               struct json_out *out);
/* "-14 pages (31 -> 17): 12 kept, 5 moved, 0 gained, 14 lost; loses no incident". */
void diff_words(const struct diff *diff, struct str *out);
