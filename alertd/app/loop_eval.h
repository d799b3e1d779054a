#pragma once

/*
 * Evaluates the rules: one thread, every group on its own grid.
 *
 *   slot = a multiple of the interval + an offset from the group's name
 *   at the slot: rule after rule over the store, their series written as they come
 *     -> ONE job on state.db: alerts, health, incidents, timeline, outbox
 *     -> only when that is committed: the new state is the state; live views are told
 *
 * A slot that passed while an evaluation still ran is skipped and counted; evaluations
 * stay on the grid. The state lives in rows: a restart reads it back, and the time nobody
 * evaluated does not count toward `for`.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/eval/rule_history.h"
#include "alertd/http/http.h"
#include "alertd/pager/pager.h"
#include "alertd/promql/promql.h"
#include "alertd/store/store.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

struct loop_eval;

/* What the canary's beats are samples of. */
#define EVAL_CANARY_METRIC "alertd_canary_beat"

struct loop_eval_options {
    struct db *state;
    struct store *store;
    struct pager *pager;
    struct http_hub *hub; /* NULL: nobody watches */
    const struct log *log;
    const char *external_url;
    struct promql_limits limits; /* of one rule's query; deadline_ms is filled in */
    int64_t timeout_ms;          /* of one rule's query */
    int64_t canary_ms;           /* how often the canary's rule is evaluated; 0: never */
    /* The outbox grew, or a group waits to be told: the notifier may look. */
    void (*alerts_changed)(void *arg);
    void *arg;
};

/* Loads the rules and starts; rules that cannot be read back are logged and left out. */
int loop_eval_start(const struct loop_eval_options *options,
                    struct loop_eval **ret_loop,
                    struct err *reterr);
/* Ends after the group that is being evaluated. NULL is fine. */
void loop_eval_stop(struct loop_eval *loop);

/* Rules changed in state.db. From any thread, never blocks. */
void loop_eval_wake(struct loop_eval *loop);

/* The loop's self-metrics in text exposition. */
void loop_eval_metrics(struct loop_eval *loop, struct str *out);

/* The last evaluations of a rule, copied; false when it does not run. */
bool loop_eval_history(struct loop_eval *loop, int64_t rule_id, struct rule_history *ret_history);

/* How long a group is being evaluated by now, the longest; 0: none is. */
int64_t loop_eval_busy_ms(struct loop_eval *loop);

struct loop_eval_stats {
    int64_t last_evaluation_ms; /* 0: none yet */
    int64_t max_us;             /* the slowest group's last evaluation */
    uint64_t groups, rules, broken;
};
void loop_eval_stats(struct loop_eval *loop, struct loop_eval_stats *ret_stats);
