#pragma once

/*
 * A rule over its past, whole: what to look at, two readings, the result.
 *
 *     rule --split.h--> what is compared --reading.h--> values, coarse --grid.h--> settings worth a look
 *                                                       values, whole  --backtest.h--> surface, episodes --suggest.h-->
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/rule/group.h"
#include "alertd/tune/backtest.h"
#include "alertd/tune/cell.h"
#include "alertd/tune/figures.h"
#include "alertd/tune/front.h"
#include "alertd/tune/gaps.h"
#include "alertd/tune/reading.h"
#include "alertd/tune/split.h"
#include "alertd/tune/suggest.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/zone.h"

enum {
    TUNE_THRESHOLDS = 64,
    TUNE_ASKED_THRESHOLDS =
        12, /* of a rule whose every threshold is another question to a server */
};

struct tune_incident {
    int64_t begin_ms, end_ms;
    const char *name;
    const struct matcher *matchers;
    size_t n_matchers;
};

struct tune_ask {
    const struct rule *rule;
    int64_t interval_ms;
    int64_t phase_ms; /* evaluations lie at multiples of the interval and so much (rule/phase.h) */
    int64_t from_ms, to_ms;
    int64_t first_ms; /* nothing was evaluated before (a drill's beginning); 0: it always was */
    size_t choice;    /* of split_expr()'s */
    bool has_threshold;
    double threshold; /* to look at, in place of the rule's */
    int64_t for_ms;
    const struct tune_incident *whens;
    size_t n_incidents;
    bool has_keep; /* to look at, in place of the rule's keep_firing_for */
    int64_t keep_ms;
    const struct zone *zone; /* where it is night from 22 to 7 h; NULL: UTC */
    unsigned night_weight;   /* an alert at night costs as many; 0: as any other */
    /* Has a value where the rule was evaluated: steps at which it has none (a restart, a group that
     * was late) are left out and count toward nothing, as live. NULL: it always was. */
    const char *evaluated;
    /* A setting that is a cell too, beside the one of now. */
    bool has_also;
    double also_threshold; /* NaN: that of now */
    int64_t also_for_ms;
    uint32_t columns; /* of the picture; 0: there is none */
    bool
        is_alone; /* the setting that is looked at is the only cell: nothing is chosen, one reading */
    size_t n_even; /* so many round thresholds more, for those who drag; 0: none */
    /* So many thresholds and fors, where there are less: in the middle between others. 0: as they are. */
    size_t n_thresholds, n_fors;
};

struct tune_result {
    struct arena arena;
    const struct split_choice *choices;
    size_t n_choices;
    const struct split_choice *choice;
    struct tune_span span;
    uint32_t n_steps;    /* evaluated: span's, or fewer where `evaluated` says so */
    uint32_t *at_span;   /* where in the span each of them lies; NULL: one after the other */
    uint32_t first_step; /* the warm-up ends */
    double thresholds[SURFACE_THRESHOLDS_MAX];
    size_t n_thresholds;
    uint32_t for_steps[SURFACE_FORS_MAX];
    size_t n_fors;
    struct suggest_cell now, also; /* also: that of now, when none was asked for */
    bool has_suggestion;
    struct suggest_cell suggestion;
    struct backtest *backtest;
    struct backtest *within; /* SPLIT_AGAIN: lends the picture its labels; or NULL */
    struct picture *picture; /* of choice->expr; NULL: none was asked for */
    uint32_t keep_steps;     /* of the setting that is looked at */
    bool *is_night;          /* by step */
    uint8_t *weights;        /* by step; NULL: all are 1 */
    /* Would the suggestion have been there without the incident that it is to find? For each of
     * n_checked incidents that it finds, one left out: so many were found all the same. 0 when
     * nothing was suggested, or crossings were too many. */
    size_t n_checked, n_check_found;
    struct gaps gaps; /* of a rule that fires where there is nothing */
    bool is_asked;    /* SPLIT_AGAIN over a reader that had to be asked for each threshold */
    /* Of incidents within the span, by the caller's order. */
    struct backtest_incident *incidents;
    const struct tune_incident **of;
    size_t n_incidents;
};

/* 0, or a failure in words. tune_result_done() in any case. */
int tune_run(const struct tune_reader *reader,
             const struct tune_ask *ask,
             struct tune_result *ret,
             struct err *reterr);
void tune_result_done(struct tune_result *result);

/* For figures.h. */
struct figures_span tune_figures_span(const struct tune_result *result);
/* How the setting that is looked at found incident i. */
struct figures_found tune_found(const struct tune_result *result, size_t i);
/* Alerts of the setting that is looked at that fired in a gap. */
size_t tune_n_blind(const struct tune_result *result);
int64_t tune_time_of(const struct tune_result *result, uint32_t step);
