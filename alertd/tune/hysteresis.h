#pragma once

/*
 * A rule that fires above one threshold and clears below another, in PromQL that any Prometheus
 * loads:
 *
 *     L > 9 or (L > 5 and on (job) ALERTS{alertname="Busy", alertstate="firing"})
 *
 *     value     __/\_/\/\__/\____           9 ------ it fires when this is passed
 *     alert       ##########                5 ------ and is over when this is not any more
 *
 * The rule's own ALERTS of the evaluation before keeps it firing; `for` is 0, for a pending
 * alert has nothing to hold on to.
 *
 * Invariants
 *  (1) the written rule, evaluated step by step with what it wrote before in sight, fires as
 *      often as surface_hysteresis() says (hysteresis_run() does just that).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/source.h"
#include "alertd/rule/group.h"
#include "alertd/tune/tune.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    HYSTERESIS_INTERVAL_MAX_MS = 299999, /* ALERTS of the evaluation before lingers so long */
};

struct hysteresis_pair {
    size_t on, off; /* of the grid's thresholds; off <= on */
    uint64_t alerts;
};

/* The pair that fires least often of those that find every incident that is found now, none more
 * than `later_max` steps later; of those about as good the one that clears soonest. Without
 * incidents it fires at the threshold of now. What it clears at is passed at most four times as
 * long as what it fires at, and, with incidents, four times as long as the rule of now fires and the
 * longest incident for each alert: otherwise it would just never be over. False: none fires less often
 * than now, or the rule's thresholds are apart (SPLIT_AGAIN, SPLIT_PRESENCE). */
bool hysteresis_choose(const struct tune_result *result,
                       uint32_t later_max,
                       struct hysteresis_pair *ret_pair);

enum {
    HYSTERESIS_LABELS_MAX = 64,
    HYSTERESIS_LISTED_MAX = 2000, /* alerts of a run; the others are counted */
};
struct hysteresis_labels {
    const char *at[HYSTERESIS_LABELS_MAX];
    size_t n;
};

/* The rule's expression with both thresholds. labels: names its alerts are told apart by. */
void hysteresis_text(const struct rule *rule,
                     const struct split_choice *choice,
                     double on,
                     double off,
                     const struct hysteresis_labels *labels,
                     struct str *out);

/* Labels of the backtest's series, without those that the rule itself sets. Loans of the
 * result. False: more than fit. */
bool hysteresis_labels(const struct rule *rule,
                       const struct tune_result *result,
                       struct hysteresis_labels *ret_labels);

/* What a rule is run over. */
struct hysteresis_over {
    const struct source *source;
    int64_t lag_ms; /* samples came so late (late.h); the rule's own ALERTS did not */
    /* Looked at before each evaluation: true ends the run, -ECANCELED. NULL: never. */
    bool (*is_enough_fn)(const void *arg);
    const void *enough_arg;
};

/* One alert of a run: the evaluation at which it fired, and the first at which it did no more. */
struct hysteresis_alert {
    const struct labels *labels;   /* counted */
    int64_t fired_ms, resolved_ms; /* 0: it fires at the last step */
};
struct hysteresis_ran {
    uint64_t alerts; /* of the whole span, the warm-up among it */
    struct hysteresis_alert *at;
    size_t n, capacity; /* the first HYSTERESIS_LISTED_MAX */
};

/* What `rule` fires from span's first to its last step, evaluated as alertd does, ALERTS of before
 * in sight. 0, or a failure in words; hysteresis_ran_done() in any case. */
int hysteresis_run(const struct hysteresis_over *over,
                   const struct rule *rule,
                   const struct tune_span *span,
                   struct hysteresis_ran *ret,
                   struct err *reterr);
void hysteresis_ran_done(struct hysteresis_ran *ran);

/* --- all of it --- */

struct hysteresis_written {
    bool is_there;    /* the rest is */
    const char *none; /* else why there is none, in words */
    struct hysteresis_pair pair;
    double on, off;
    struct str expr; /* str_done() */
    bool was_run;    /* step by step, with its own ALERTS in sight */
    struct hysteresis_ran ran;
};

/* The best pair as a rule, and run, unless there is nothing to run it over (NULL) or that was enough. 0, or
 * a failure in words; hysteresis_written_done() in any case. */
int hysteresis_write(const struct tune_ask *ask,
                     const struct tune_result *result,
                     const struct hysteresis_over *over,
                     struct hysteresis_written *ret,
                     struct err *reterr);
void hysteresis_written_done(struct hysteresis_written *written);
