#pragma once

/*
 * One rule, at one instant, over one source: what it says, and what that changes.
 *
 *   expression --promql--> vector --labels, templates--> inputs --alert_set_step()--> outcome
 *                                                             \-> series to write
 *
 * Pure: the caller brings the instant, the samples and the state so far, and does with
 * the outcome what it must: a live evaluation stores and pages, a unit test compares, a
 * backtest counts. Rules of one group are evaluated in order, each over what the ones
 * before it wrote: the caller writes `series` before the next call.
 *
 * The semantics are Prometheus' (rules/alerting.go, recording.go): an alert's labels are
 * the sample's without its name, then the rule's (expanded, an empty value deletes), then
 * alertname; two equal sets are an error and change nothing.
 */

#include <stdint.h>

#include "alertd/alert/series.h"
#include "alertd/alert/set.h"
#include "alertd/promql/promql.h"
#include "alertd/promql/source.h"
#include "alertd/rule/group.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"

enum {
    RULE_EVAL_E_FAILED = 1,                  /* the words say why; the state stays as it was */
    RULE_EVAL_BYTES_MAX = 256 * 1024 * 1024, /* memory of one evaluation */
    RULE_EVAL_OUTPUT_MAX = 100 * 1000,       /* elements one rule may give */
};

/* What a recording rule wrote last time: a series that is gone gets a staleness marker. */
struct rule_output {
    const struct labels **at; /* references of ours, sorted by hash */
    size_t n;
};

struct rule_eval {
    const struct rule_group *group;
    const struct rule *rule;
    int64_t rule_id;
    const struct source *source;
    int64_t now_ms; /* the slot */
    const struct promql_limits *limits;
    const struct labels *external_labels; /* NULL: none */
    const char *external_url;             /* NULL: none */
    const struct alert_set *alerts;       /* before; alerting rules */
    const struct rule_output *output;     /* before; recording rules */
    int64_t no_data_hold_ms;              /* an alert without data stays as it is; 0: it ends */
    struct promql_memo *memo;             /* of the expressions before; NULL: none */
    struct told *told;                    /* what PromQL warns of (told.h); NULL: nobody asks */
};

struct rule_eval_result {
    struct alert_outcome alerts;     /* alerting rules: the set after, and events */
    struct rule_output output;       /* recording rules: what was written now */
    struct alert_series_list series; /* samples at now_ms - query_offset_ms */
    size_t n_samples;                /* read by the query */
    size_t n_series;                 /* they are of */
    size_t n_results;                /* elements the expression gave */
};

/* 0 (then rule_eval_result_done()), or RULE_EVAL_E_FAILED: reterr's line and column are those
 * of the expression, when the error is in it. */
int rule_eval(const struct rule_eval *eval,
              struct rule_eval_result *ret_result,
              struct err *reterr);
void rule_eval_result_done(struct rule_eval_result *result);
void rule_output_done(struct rule_output *output);
