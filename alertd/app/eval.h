#pragma once

/*
 * Inside the evaluation loop: what its files share.
 *
 *   loop_eval.c    the threads, the schedule, self-metrics
 *   eval_load.c    rules and their state out of state.db
 *   eval_group.c   one group at one slot, and its commit
 *   eval_canary.c  the rule by which alertd watches itself
 *   eval_trial.c   candidates of rules, silent beside them
 */

#include <pthread.h>
#include <stdbool.h>

#include "alertd/app/loop_eval.h"
#include "alertd/app/time_watch.h"
#include "alertd/eval/broken_rule.h"
#include "alertd/eval/dead_rule.h"
#include "alertd/eval/rule_eval.h"
#include "alertd/eval/rule_history.h"

enum {
    /* A firing alert without data goes on this long: silence is not health. */
    EVAL_NO_DATA_HOLD_MS = 15 * 60 * 1000,
    EVAL_THREADS = 4, /* a slow query holds up its own group, and at most this many */
};

struct eval_trial;
struct trial_row;

struct eval_rule {
    int64_t id;
    struct eval_trial *trial; /* a candidate beside it; NULL: none */
    struct alert_set alerts;  /* as committed */
    struct alert_set broken;  /* its RuleBroken, as committed; recording rules too */
    struct alert_set dead;    /* its RuleDead, likewise */
    int64_t n_failures;       /* in a row, as committed */
    int64_t matched_ms; /* when its selectors last matched something, likewise; 0: never asked */
    struct rule_output output; /* of a recording rule, as written last */
    bool is_broken;            /* the last evaluation failed: said once in the log */
    int64_t moved_ms; /* its alerts wait so much longer than their rows say: all are saved */

    struct rule_history history; /* under loop->lock */
};

struct eval_group {
    struct rule_file *file; /* a reference; group points into it */
    const struct rule_group *group;
    int64_t id;
    int64_t slot_ms; /* the next one */
    struct eval_rule *rules;
    int64_t away_ms; /* loop->away's total that its alerts know of */
    bool is_new;     /* nothing of it was there before: it need not know */
    bool is_canary;
    bool is_busy;          /* a thread evaluates it, and owns all but what stands below */
    int64_t busy_since_ms; /* by the monotonic clock; under loop->lock */

    /* what became of it, for metrics; under loop->lock */
    int64_t last_ms, last_us;
    uint64_t last_samples, last_results; /* read by, and given by its rules */
    uint64_t iterations, missed, failures;
    size_t n_broken; /* rules whose last evaluation failed */
};

struct eval_groups {
    struct eval_group *at;
    size_t n;
};

struct loop_eval {
    struct loop_eval_options options;
    pthread_t threads[EVAL_THREADS];
    size_t n_threads;
    pthread_t pulse;
    bool has_pulse;

    pthread_mutex_t lock;      /* guards what follows */
    pthread_cond_t wake;       /* something of it changed */
    struct time_away away;     /* somebody looks at the clocks every PULSE_MS */
    struct eval_groups groups; /* swapped only while no group is busy */
    struct eval_group canary;  /* beside them; its file is NULL: there is none */
    struct rule_group canary_group;
    int64_t canary_told; /* the last beat; of the thread that evaluates it */
    size_t n_busy;
    bool stopping;
    bool rules_changed;
    bool reloading; /* one thread waits for the busy groups, or reads the rules */
};

/* --- eval_load.c --- */

/* The instant of the group's grid at or after now_ms. */
int64_t eval_next_slot(const struct rule_file *file,
                       const struct rule_group *group,
                       int64_t now_ms);

/* Rules as they are in state.db now; alerts of `before` that are held only in memory
 * (outputs of recording rules, counts) move over to the same rules. */
int eval_load(const struct loop_eval_options *options,
              struct eval_groups *before,
              int64_t now_ms,
              struct eval_groups *ret_groups,
              struct err *reterr);
void eval_groups_done(struct eval_groups *groups);
/* By gap_ms (< 0: back) its alerts did not wait; until an evaluation is stored, in memory only. */
void eval_skip(struct eval_group *group, int64_t gap_ms);

/* Alerts of rules that are gone end, and whoever was told of them is told so. */
int eval_retire(const struct loop_eval_options *options, int64_t now_ms, struct err *reterr);

/* Ends the series that rules of these groups wrote and nobody writes any more: what
 * eval_load() did not take over. */
void eval_end_outputs(const struct loop_eval_options *options,
                      const struct eval_groups *groups,
                      int64_t now_ms);

/* --- eval_group.c --- */

/* Stores samples of ours at one instant. */
int eval_write_series(const struct loop_eval_options *options,
                      const struct alert_series_list *series,
                      int64_t at_ms,
                      struct err *reterr);

/* Evaluates and commits. Returns how many rules failed; *ret_committed: it is stored. */
size_t eval_group(struct loop_eval *loop, struct eval_group *group, bool *ret_committed);

/* --- eval_canary.c --- */

void eval_canary_init(struct loop_eval *loop);
void eval_canary_done(struct loop_eval *loop);
/* Evaluates the canary's rule; a beat it has not told yet goes to the pager. */
void eval_canary(struct loop_eval *loop, struct eval_group *group);

/* --- eval_trial.c --- */

/* eval_trial_free() in any case. */
int eval_trial_load(struct db_conn *conn,
                    const struct trial_row *row,
                    struct eval_trial **ret_trial,
                    struct err *reterr);
void eval_trial_free(struct eval_trial *trial); /* NULL is fine */
/* As eval_skip(). NULL is fine. */
void eval_trial_skip(struct eval_trial *trial, int64_t gap_ms);
/* The candidates of a group's rules, behind the group's own evaluation. */
void eval_trials(struct loop_eval *loop, struct eval_group *group);

/* Tells the live views and the notifier of what a commit did. */
void eval_publish(const struct loop_eval_options *options,
                  const struct pager_outcome *outcome,
                  bool alerts_changed);
