#pragma once

/*
 * alertctl tune, in four files:
 *
 *   cmd_tune.c    options, files, exit status
 *   tune_read.c   an expression's values: from a server by range queries, or from a folder
 *   tune_run.c    a rule over its past: what to look at, two readings, the result
 *   tune_show.c   the result for people and for programs
 */

#include "alertd/promql/ast.h"
#include "alertd/promql/promql.h"
#include "alertd/rule/group.h"
#include "alertd/tune/backtest.h"
#include "alertd/tune/split.h"
#include "alertd/tune/suggest.h"
#include "ctl/check.h"
#include "ctl/cmd.h"
#include "ctl/origin.h"

/* --- Reading ----------------------------------------------------------------------------- */

struct tune_reader {
    const struct ctl *ctl;
    bool is_store;
    struct store_asker store;
    struct origin origin;
    int64_t now_ms; /* a store's newest sample, or the clock */
};

enum ctl_exit tune_reader_init(struct tune_reader *reader, const struct ctl *ctl);
void tune_reader_done(struct tune_reader *reader);

struct tune_span {
    int64_t start_ms, step_ms;
    uint32_t n_steps;
};

/* Values of one series from step `first` on, NaN where there is none. A non-zero result ends
 * the reading. */
typedef int tune_visit(void *arg,
                       const struct labels *labels,
                       uint32_t first,
                       const double *values,
                       size_t n,
                       struct err *reterr);

/* 0, visit()'s, or a failure in words. as_presence: any value is a 1. */
int tune_read(struct tune_reader *reader,
              const char *expression,
              const struct tune_span *span,
              bool as_presence,
              tune_visit *visit,
              void *arg,
              struct err *reterr);

/* --- Running ----------------------------------------------------------------------------- */

enum {
    TUNE_THRESHOLDS = 64,
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
    int64_t from_ms, to_ms;
    size_t choice; /* of split_expr()'s */
    bool has_threshold;
    double threshold; /* to look at, in place of the rule's */
    int64_t for_ms;
    const struct tune_incident *whens;
    size_t n_incidents;
};

struct tune_result {
    struct arena arena;
    const struct split_choice *choices;
    size_t n_choices;
    const struct split_choice *choice;
    struct tune_span span;
    uint32_t first_step; /* the warm-up ends */
    double thresholds[SURFACE_THRESHOLDS_MAX];
    size_t n_thresholds;
    uint32_t for_steps[SURFACE_FORS_MAX];
    size_t n_fors;
    struct suggest_cell now;
    bool has_suggestion;
    struct suggest_cell suggestion;
    struct backtest *backtest;
    /* Of incidents within the span, by the caller's order. */
    struct backtest_incident *incidents;
    const struct tune_incident **of;
    size_t n_incidents;
};

/* 0, or a failure in words. tune_result_done() in any case. */
int tune_run(struct tune_reader *reader,
             const struct tune_ask *ask,
             struct tune_result *ret,
             struct err *reterr);
void tune_result_done(struct tune_result *result);

/* --- Showing ----------------------------------------------------------------------------- */

void tune_show(const struct tune_ask *ask,
               const struct tune_result *result,
               bool color,
               bool with_alerts,
               struct str *out);
void tune_json(const struct tune_ask *ask, const struct tune_result *result, struct json_out *out);
