#pragma once

/*
 * One rule over its past: when its settings would have fired, and what one of them cost in the days
 * before: its alerts through the routing, schedules and people of now, with nobody else's beside them.
 */

#include "alertd/api/api.h"
#include "alertd/api/pages_world.h"
#include "alertd/api/tuned_rule.h"
#include "alertd/promql/told.h"
#include "alertd/tune/tune.h"

enum {
    LEARNT_PAST_MS = 4 * 1000, /* one rule over its past days */
};

struct learnt_cost {
    int64_t alerts, pages;
};

/* A rule as it is asked about. */
struct learnt_candidate {
    const char *name, *expr;
    int64_t id, for_ms, keep_ms, interval_ms, phase_ms;
    struct tuned_rule *tuned; /* as it is now, for its labels; NULL: it is not live */
    bool is_then_known;
    struct learnt_cost then; /* of its own setting, when that is known */
};

/* Whose past. */
struct learnt_past {
    const struct api *api;
    const char *incident;        /* its key */
    int64_t from_ms, to_ms;      /* its window */
    const struct matcher *where; /* which alerts it is about; NULL: all */
    int64_t deadline_ms;         /* by the clock of clock_mono_ms() */
    struct pages_world world;    /* learnt_past_load() */
    bool has_world;
    struct told *told; /* what could not be read, by all readings: learnt_past_load() */
};

/* The world that pages are counted in; without it none are. learnt_past_done() in any case. */
void learnt_past_load(struct learnt_past *past);
void learnt_past_done(struct learnt_past *past);

/* When the past days of a look begin. */
int64_t learnt_past_begin(const struct learnt_past *past);

/* All settings, with the window as the one incident to find. tune_result_done() in any case. */
int learnt_past_run(const struct learnt_past *past,
                    const struct learnt_candidate *candidate,
                    int64_t from_ms,
                    int64_t deadline_ms,
                    struct tune_result *result);
/* One setting in the past days; threshold NULL: the rule's. False: there was no time, or the rule is
 * not live. */
bool learnt_past_cost(const struct learnt_past *past,
                      const struct learnt_candidate *candidate,
                      const double *threshold,
                      int64_t for_ms,
                      struct learnt_cost *ret);
