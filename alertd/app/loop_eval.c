/*
 * The evaluation loop: its thread, its schedule, its numbers. See loop_eval.h.
 */

#include "alertd/app/loop_eval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "alertd/app/eval.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    LOOK_AGAIN_MS = 1000, /* the wall clock may jump: never sleep longer without a look at it */
};

/* Waits at most duration_ms; true when the loop must end. *ret_rules: they changed. */
static bool wait_for(struct loop_eval *loop, int64_t duration_ms, bool *ret_rules)
{
    int64_t until_ms = clock_mono_ms() + (duration_ms > 0 ? duration_ms : 0);
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->stopping && !loop->rules_changed && clock_mono_ms() < until_ms)
        (void)pthread_cond_timedwait(&loop->wake, &loop->lock, &until);
    bool ends = loop->stopping;
    *ret_rules = loop->rules_changed;
    loop->rules_changed = false;
    (void)pthread_mutex_unlock(&loop->lock);
    return ends;
}

/* The group whose turn is next; NULL without rules. */
static struct eval_group *next_group(const struct eval_groups *groups)
{
    struct eval_group *next = NULL;

    for (size_t i = 0; i < groups->n; i++)
        if (!next || groups->at[i].slot_ms < next->slot_ms)
            next = &groups->at[i];
    return next;
}

/* On to the next slot; those that passed meanwhile are missed. */
static uint64_t advance(struct eval_group *group, int64_t now_ms)
{
    int64_t interval_ms = group->group->interval_ms;
    int64_t passed = 0;

    group->slot_ms += interval_ms;
    if (now_ms > group->slot_ms)
        passed = (now_ms - group->slot_ms) / interval_ms;
    group->slot_ms += passed * interval_ms;
    return (uint64_t)passed;
}

static void take_turn(struct loop_eval *loop, struct eval_group *group)
{
    int64_t began_us = clock_mono_us();
    bool committed;
    size_t n_failed = eval_group(loop, group, &committed);

    (void)pthread_mutex_lock(&loop->lock);
    group->last_ms = group->slot_ms;
    group->last_us = clock_mono_us() - began_us;
    group->iterations++;
    group->failures += n_failed + !committed;
    group->missed += advance(group, clock_wall_ms());
    (void)pthread_mutex_unlock(&loop->lock);
}

static void reload(struct loop_eval *loop)
{
    struct eval_groups groups;
    struct err err = {0};
    int r = eval_retire(&loop->options, clock_wall_ms(), &err);

    if (r == 0)
        r = eval_load(&loop->options, &loop->groups, clock_wall_ms(), &groups, &err);
    if (r) {
        log_error(loop->options.log, "eval", "rules not reloaded, those before go on",
                  "error=\"%s\"", err.text);
        return;
    }
    (void)pthread_mutex_lock(&loop->lock);
    struct eval_groups old = loop->groups;
    loop->groups = groups;
    (void)pthread_mutex_unlock(&loop->lock);
    eval_groups_done(&old);
    log_info(loop->options.log, "eval", "rules loaded", "groups=%zu", groups.n);
}

/* A clock that was set back would leave a slot far ahead: back onto the grid. */
static void return_to_grid(struct eval_groups *groups, int64_t now_ms)
{
    for (size_t i = 0; i < groups->n; i++)
        if (groups->at[i].slot_ms - now_ms > 2 * groups->at[i].group->interval_ms)
            groups->at[i].slot_ms = eval_next_slot(groups->at[i].file, groups->at[i].group, now_ms);
}

static void *run(void *arg)
{
    struct loop_eval *loop = arg;
    bool rules_changed = false;

    for (;;) {
        struct eval_group *group = next_group(&loop->groups);
        int64_t wait_ms = group ? group->slot_ms - clock_wall_ms() : LOOK_AGAIN_MS;

        if (wait_for(loop, wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS, &rules_changed))
            return NULL;
        if (rules_changed)
            reload(loop);
        else if (group && group->slot_ms <= clock_wall_ms())
            take_turn(loop, group);
        else
            return_to_grid(&loop->groups, clock_wall_ms());
    }
}

int loop_eval_start(const struct loop_eval_options *options,
                    struct loop_eval **ret_loop,
                    struct err *reterr)
{
    struct loop_eval *loop = mem_zalloc(sizeof(*loop));
    pthread_condattr_t attributes;
    int r;

    loop->options = *options;
    r = eval_retire(options, clock_wall_ms(), reterr);
    if (r == 0)
        r = eval_load(options, NULL, clock_wall_ms(), &loop->groups, reterr);
    if (r) {
        free(loop);
        return r;
    }
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&loop->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&loop->lock, NULL);
    r = pthread_create(&loop->thread, NULL, run, loop);
    if (r) {
        eval_groups_done(&loop->groups);
        free(loop);
        return err_set(reterr, -r, "cannot start the evaluation thread");
    }
    *ret_loop = loop;
    return 0;
}

void loop_eval_stop(struct loop_eval *loop)
{
    if (!loop)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    (void)pthread_cond_signal(&loop->wake);
    (void)pthread_mutex_unlock(&loop->lock);
    (void)pthread_join(loop->thread, NULL);
    (void)pthread_cond_destroy(&loop->wake);
    (void)pthread_mutex_destroy(&loop->lock);
    eval_groups_done(&loop->groups);
    free(loop);
}

void loop_eval_wake(struct loop_eval *loop)
{
    if (!loop)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    loop->rules_changed = true;
    (void)pthread_cond_signal(&loop->wake);
    (void)pthread_mutex_unlock(&loop->lock);
}

/* --- numbers --- */

static const struct {
    const char *name, *type, *help;
} metrics[] = {
    {"alertd_rule_group_iterations_total", "counter", "Evaluations of the group."},
    {"alertd_rule_group_iterations_missed_total", "counter",
     "Evaluations skipped because the one before had not ended."},
    {"alertd_rule_evaluation_failures_total", "counter",
     "Evaluations of single rules that failed."},
    {"alertd_rule_group_last_duration_seconds", "gauge", "How long the last evaluation took."},
    {"alertd_rule_group_last_evaluation_timestamp_seconds", "gauge", "When it was."},
    {"alertd_rule_group_rules", "gauge", "Rules in the group."},
};

static double metric_of(const struct eval_group *group, size_t metric)
{
    switch (metric) {
    case 0: return (double)group->iterations;
    case 1: return (double)group->missed;
    case 2: return (double)group->failures;
    case 3: return (double)group->last_us / 1e6;
    case 4: return (double)group->last_ms / 1e3;
    default: return (double)group->group->n_rules;
    }
}

static void add_quoted(struct str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            str_add(out, "\\n");
        else if (*text == '"' || *text == '\\')
            str_addf(out, "\\%c", *text);
        else
            str_addc(out, *text);
    }
}

void loop_eval_metrics(struct loop_eval *loop, struct str *out)
{
    (void)pthread_mutex_lock(&loop->lock);
    for (size_t metric = 0; metric < sizeof(metrics) / sizeof(metrics[0]); metric++) {
        str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[metric].name, metrics[metric].help,
                 metrics[metric].name, metrics[metric].type);
        for (size_t i = 0; i < loop->groups.n; i++) {
            const struct eval_group *group = &loop->groups.at[i];

            str_addf(out, "%s{rule_group=\"", metrics[metric].name);
            add_quoted(out, group->file->source);
            str_addc(out, ';');
            add_quoted(out, group->group->name);
            str_addf(out, "\"} %.15g\n", metric_of(group, metric));
        }
    }
    (void)pthread_mutex_unlock(&loop->lock);
}

void loop_eval_stats(struct loop_eval *loop, struct loop_eval_stats *ret_stats)
{
    struct loop_eval_stats stats = {0};

    (void)pthread_mutex_lock(&loop->lock);
    stats.groups = loop->groups.n;
    for (size_t i = 0; i < loop->groups.n; i++) {
        const struct eval_group *group = &loop->groups.at[i];

        stats.rules += group->group->n_rules;
        if (group->last_ms > stats.last_evaluation_ms)
            stats.last_evaluation_ms = group->last_ms;
        if (group->last_us > stats.max_us)
            stats.max_us = group->last_us;
        for (size_t rule = 0; rule < group->group->n_rules; rule++)
            stats.broken += group->rules[rule].is_broken;
    }
    (void)pthread_mutex_unlock(&loop->lock);
    *ret_stats = stats;
}
