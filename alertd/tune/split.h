#pragma once

/*
 * What of a rule can be moved, and what has to be evaluated for it.
 *
 *     rate(errors_total[5m]) > 0.05 and on (job) up == 1
 *     \____________________/   \__/ \__________________/
 *              values        threshold       gate
 *
 *     evaluated once:   (rate(errors_total[5m])) and on (job) up == 1
 *     at any threshold: fires where that has a value that passes it
 *
 * The comparison is taken out of the text and its left side stays in its place, so that gates,
 * matching and the labels of the alerts are what they were. Where that is not the same, the
 * expression is evaluated anew for each threshold (SPLIT_AGAIN), what does not lie above the
 * threshold but once (promql/hole.h).
 *
 * Invariants
 *  (1) for every way but SPLIT_AGAIN and each threshold T, a series has a value of
 *      split_choice.expr that passes T at just those steps at which the rule with T in its
 *      place (split_text()) has that series, names of metrics aside. Factors: as far as dividing
 *      and multiplying round alike, and where what is compared with is above 0 and finite.
 *  (2) choices are ordered: the first is what a person most likely means. There is always one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/promql.h"
#include "alertd/tune/surface.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum split_way {
    SPLIT_ONE,      /* one threshold, gates around it or not */
    SPLIT_TOGETHER, /* all thresholds at once: a factor of each */
    SPLIT_VECTORS,  /* a vector against another: a factor of the right one */
    SPLIT_PRESENCE, /* no threshold: only `for` can be moved */
    SPLIT_AGAIN,    /* a threshold within: no value says what it would be at another one */
};

enum {
    SPLIT_E_LIMIT = 1, /* the arena is spent, or the text would be longer than an expression may */
};

struct split_place { /* of the rule's text */
    uint32_t start, end;
    double base; /* what stands there now */
};

struct split_choice {
    enum split_way way;
    enum surface_op op; /* PRESENCE: AT_LEAST */
    double now;         /* the threshold, or 1 where a factor is moved */
    struct split_place *places;
    size_t n_places;
    /* Its values are compared with the threshold. PRESENCE: any value, NaN too, is a 1, to be
     * compared with 1. AGAIN: what is compared within, which says what thresholds are worth a
     * look; the rule itself has any value where it fires. */
    const char *expr;
    const struct promql_expr *hole; /* AGAIN: the threshold, of the rule's tree */
    const char *words;              /* which way this is, in a sentence */
};

/* The choices of a rule's expression; everything is in the arena. 0, SPLIT_E_LIMIT. */
int split_expr(const struct promql_expr *expr,
               struct arena *arena,
               struct split_choice **ret_choices,
               size_t *ret_n,
               struct err *reterr);

/* The rule's expression with another threshold (or factor) in its place. */
void split_text(const struct promql_expr *expr,
                const struct split_choice *choice,
                double threshold,
                struct str *out);

/* "one", "together", "vectors", "presence", "again" */
const char *split_way_name(enum split_way way);
