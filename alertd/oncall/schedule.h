#pragma once

/*
 * Who is on call: at an instant, and over a span of time.
 *
 *   layers      |--- ann ---|--- bob ---|--- ann ---|    level by level, highest first
 *   overrides         |-- cat for bob --|                in their order
 *   final       |--- ann ---|--- cat ---|--- ann ---|    each with why
 *   shadows           |------ dan ------|                beside it, never in it
 *
 * Everything is found by arithmetic from the instant asked for: a layer that began forty
 * years ago costs what one of yesterday costs. The walk over a span goes from change to
 * change and stops, with words, at SPANS_MAX.
 */

#include "alertd/oncall/roster.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    SCHEDULE_E_TOO_MANY = 1, /* more changes in the span than SPANS_MAX, or no memory left */
    ON_CALL_MAX = 64,        /* at one instant; overrides beyond add nobody */
    SPANS_MAX = 20000,       /* changes in one answer */
};

enum on_call_why {
    ON_CALL_LAYER,
    ON_CALL_OVERRIDE,
    ON_CALL_SWAP,
};

struct on_call {
    const char *person;
    enum on_call_why why;
    const struct layer *layer;       /* whose turn it is or was */
    const struct override *override; /* the last one that put them there; NULL by a layer */
};

/* Fills people (room for ON_CALL_MAX), returns how many. Until *ret_until_ms (may be NULL)
 * the answer stays the same; ROSTER_FOREVER when nothing is ahead. */
size_t schedule_at(const struct schedule *schedule,
                   int64_t at_ms,
                   struct on_call *ret_people,
                   int64_t *ret_until_ms);

/* As before any override. */
size_t schedule_rotation_at(const struct schedule *schedule,
                            int64_t at_ms,
                            struct on_call *ret_people,
                            int64_t *ret_until_ms);

/* Until when this person stays on call without a break, looking at most until limit_ms. */
int64_t schedule_until(const struct schedule *schedule,
                       const char *person,
                       int64_t at_ms,
                       int64_t limit_ms);

struct span {
    int64_t from_ms, to_ms;
    struct on_call on_call;      /* person NULL: nobody is on call */
    const struct shadow *shadow; /* in the lane of shadows; on_call is whom they shadow, its
                                    person NULL when it is the schedule */
};

struct lane {
    const struct span *spans; /* by from_ms, then person; spans of one person that touch and have
                                 one reason are one span */
    size_t n;
};

struct schedule_spans {
    struct lane final, rotation, overrides, shadows;
    struct lane gaps; /* where nobody is on call */
};

/* All lanes over [from_ms, to_ms), clipped to it. shadows: of the whole roster. */
int schedule_spans(const struct schedule *schedule,
                   const struct shadow *shadows,
                   size_t n_shadows,
                   int64_t from_ms,
                   int64_t to_ms,
                   struct arena *arena,
                   struct schedule_spans *ret_spans,
                   struct err *reterr);

enum warning_kind {
    WARNING_NOBODY,      /* a gap */
    WARNING_UNKNOWN,     /* on call, and nobody of that name is in the roster */
    WARNING_UNREACHABLE, /* on call, and without a contact */
};

struct warning {
    enum warning_kind kind;
    const char *person;     /* NULL for a gap */
    int64_t from_ms, to_ms; /* the first such span */
};

/* What would make a page reach nobody over [from_ms, to_ms): every gap, and each person who
 * cannot be told, once. */
int schedule_warnings(const struct schedule *schedule,
                      const struct roster *roster,
                      int64_t from_ms,
                      int64_t to_ms,
                      struct arena *arena,
                      const struct warning **ret_warnings,
                      size_t *ret_n,
                      struct err *reterr);
