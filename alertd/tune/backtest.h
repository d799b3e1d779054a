#pragma once

/*
 * A rule over its past: values in, and what it would have done at every setting, and alert by alert
 * at one.
 *
 *     pieces of series in order of time  ---->  surface (surface.h): every threshold x for
 *     (labels, first step, values)       \--->  episodes of one setting: alert_step() itself
 *
 * An alert is its labels without the metric's name: values of two metrics with the same labels
 * are one series here, the first one's where both have a value.
 *
 * Invariants
 *  (1) how the past is cut into pieces changes nothing.
 *  (2) without keep_firing_for the episodes of the setting are as many as its cell's alerts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/picture.h"
#include "alertd/tune/split.h"
#include "alertd/tune/surface.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"

enum {
    BACKTEST_E_LIMIT = 1, /* more series or episodes than below */
    BACKTEST_E_GRID = 2,  /* a grid beyond surface.h's limits */

    BACKTEST_SERIES_MAX = 100000,
    BACKTEST_EPISODES_MAX = 1000000,
    BACKTEST_CROSSINGS_BYTES_MAX = 128 << 20, /* noted; two bytes are usual for one */
};

struct backtest_incident {
    struct surface_incident when;
    const struct matcher *matchers; /* which alerts it is about; none: all */
    size_t n_matchers;
};

struct backtest_setting {
    double threshold;
    uint32_t for_steps;
    uint32_t keep_steps; /* keep_firing_for; 0: none */
};

struct backtest_plan {
    struct surface_grid grid; /* its op is the choice's */
    uint32_t n_steps;         /* of all, the warm-up among them */
    /* Each threshold has values of its own, given by backtest_add_at(); the setting's threshold
     * is one of the grid's. */
    bool is_apart;
    struct backtest_setting setting;
    const struct backtest_incident *incidents;
    size_t n_incidents;
    struct picture *picture; /* shown all that is added, a loan; NULL: none */
    bool keeps_crossings;    /* of all series, so that any cell can be told alert by alert */
    size_t n_parts;          /* that are merged, of which this is one; 0: it is alone */
};

struct episode {
    const struct labels *labels; /* a loan until backtest_free() */
    uint32_t active, fired;      /* steps */
    uint32_t resolved;           /* the first step at which it fires no more; n_steps: still */
    bool is_true;                /* an incident of it was under way */
};

struct backtest;

int backtest_new(const struct backtest_plan *plan, struct backtest **ret, struct err *reterr);
void backtest_free(struct backtest *backtest); /* NULL is fine */

/* The next values of a series, NaN where there is none; of one series in order of time. 0,
 * BACKTEST_E_LIMIT. */
int backtest_add(struct backtest *backtest,
                 const struct labels *labels,
                 uint32_t first_step,
                 const double *values,
                 size_t n,
                 struct err *reterr);
/* The same where thresholds are apart, for one of them: NaN where the rule with it does not
 * fire, anything else where it does. */
int backtest_add_at(struct backtest *backtest,
                    size_t threshold,
                    const struct labels *labels,
                    uint32_t first_step,
                    const double *values,
                    size_t n,
                    struct err *reterr);
/* What others of the same plan were given, of other series, too. Neither is finished; `from` is
 * to be freed. The pictures are the caller's. 0, BACKTEST_E_LIMIT. */
int backtest_merge(struct backtest *into, struct backtest *from, struct err *reterr);
/* Ends all series; now there is something to read. */
void backtest_finish(struct backtest *backtest);

size_t backtest_n_series(const struct backtest *backtest);
const struct surface *backtest_surface(const struct backtest *backtest);
/* Without the metric's name; below backtest_n_series(). */
const struct labels *backtest_series_labels(const struct backtest *backtest, size_t series);
/* Those that fired in the counted time, by when they fired. */
const struct episode *backtest_episodes(const struct backtest *backtest, size_t *ret_n);
/* Those that fired before and in it still, in no order: they are not counted, and find incidents. */
const struct episode *backtest_earlier(const struct backtest *backtest, size_t *ret_n);

/* --- what it was made of, for any cell: cell.h --- */

/* Where a series passes a threshold: crossings to a level above `above`. */
struct backtest_line {
    const struct labels *labels;
    const struct surface_crossings *crossings;
    uint32_t above;
    const bool *concerns; /* by incident */
};
/* False: there were more crossings than may be kept, or they were not asked for. */
bool backtest_has_crossings(const struct backtest *backtest);
/* series: below backtest_n_series(). */
struct backtest_line backtest_line(const struct backtest *backtest,
                                   size_t series,
                                   size_t threshold);
const struct backtest_plan *backtest_plan(const struct backtest *backtest);
/* The surface if one incident were not known; NULL without crossings. surface_free(). */
struct surface *backtest_without(const struct backtest *backtest, size_t incident);
