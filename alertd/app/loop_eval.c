/*
 * The evaluation loop: its threads, its schedule, its numbers. See loop_eval.h.
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
    PULSE_MS = 500,       /* the clocks are looked at so often, however busy the threads are */
    LOOKS_MAX = 10,       /* at both clocks, until they are of the same moment */
    GAP_SLOTS = 3,        /* that passed unseen: the next evaluation is of the last of them */
};

/* Waits for a change, at most duration_ms. Under the lock. */
static void wait_for(struct loop_eval *loop, int64_t duration_ms)
{
    int64_t until_ms = clock_mono_ms() + (duration_ms > 0 ? duration_ms : 0);
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_cond_timedwait(&loop->wake, &loop->lock, &until);
}

/* The free group whose turn is next; NULL when there is none. */
static struct eval_group *next_group(struct loop_eval *loop)
{
    const struct eval_groups *groups = &loop->groups;
    struct eval_group *next = loop->canary.file && !loop->canary.is_busy ? &loop->canary : NULL;

    for (size_t i = 0; i < groups->n; i++)
        if (!groups->at[i].is_busy && (!next || groups->at[i].slot_ms < next->slot_ms))
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

/* Both clocks at one moment: a thread may be held up between the two. How much of the time that the
 * wall clock shows nobody was there. Under the lock. */
static int64_t look_at_clocks(struct loop_eval *loop, int64_t *ret_wall_ms)
{
    int64_t began_ms;
    int64_t wall_ms;
    int64_t mono_ms;
    int n_looks = 0;

    do {
        began_ms = clock_mono_ms();
        wall_ms = clock_wall_ms();
        mono_ms = clock_mono_ms();
    } while (mono_ms - began_ms > 1 && ++n_looks < LOOKS_MAX);
    *ret_wall_ms = wall_ms;
    return time_away_look(&loop->away, wall_ms, mono_ms);
}

/* The slot goes with the time that was looked at, and not with another reading: a clock that is set
 * between two would count as time, or (the turn came before it was set back) an old slot would. */
static void follow_the_clock(struct eval_group *group, int64_t wall_ms)
{
    int64_t interval_ms = group->group->interval_ms;
    int64_t ahead_ms = group->slot_ms - wall_ms;
    int64_t n_passed = -ahead_ms / interval_ms;

    if (n_passed >= GAP_SLOTS) {
        group->missed += (uint64_t)n_passed;
        group->slot_ms += n_passed * interval_ms;
    } else if (ahead_ms >= TIME_JUMP_MIN_MS) {
        group->slot_ms -= (ahead_ms + interval_ms - 1) / interval_ms * interval_ms;
    }
}

/* No alert waited while nobody was there. That its group's turn comes late is something else: then
 * it did wait, and is told later for it. Under the lock. */
static void skip_what_was_not(struct loop_eval *loop, struct eval_group *group)
{
    int64_t wall_ms = 0;
    int64_t away_ms = look_at_clocks(loop, &wall_ms);

    follow_the_clock(group, wall_ms);
    if (!group->is_new && away_ms != group->away_ms)
        eval_skip(group, away_ms - group->away_ms);
    group->is_new = false;
    group->away_ms = away_ms;
}

static size_t count_broken(const struct eval_group *group)
{
    size_t n = 0;

    for (size_t i = 0; i < group->group->n_rules; i++)
        n += group->rules[i].is_broken;
    return n;
}

/* Under the lock, which is let go while the group is evaluated. */
static void take_turn(struct loop_eval *loop, struct eval_group *group)
{
    int64_t began_us = clock_mono_us();
    bool committed = true;
    size_t n_failed = 0;

    group->is_busy = true;
    group->busy_since_ms = clock_mono_ms();
    loop->n_busy++;
    skip_what_was_not(loop, group);
    (void)pthread_mutex_unlock(&loop->lock);
    if (group->is_canary)
        eval_canary(loop, group);
    else
        n_failed = eval_group(loop, group, &committed);
    (void)pthread_mutex_lock(&loop->lock);
    group->last_ms = group->slot_ms;
    group->last_us = clock_mono_us() - began_us;
    group->iterations++;
    group->failures += n_failed + !committed;
    group->missed += advance(group, clock_wall_ms());
    group->n_broken = group->is_canary ? 0 : count_broken(group);
    group->is_busy = false;
    loop->n_busy--;
    (void)pthread_cond_broadcast(&loop->wake);
}

/* Reads the rules again; nothing is busy and nobody else reads them. */
static void read_rules(struct loop_eval *loop)
{
    struct eval_groups groups;
    struct err err = {0};
    int64_t now_ms = clock_wall_ms();
    int r = eval_retire(&loop->options, now_ms, &err);

    if (r == 0)
        r = eval_load(&loop->options, &loop->groups, now_ms, &groups, &err);
    if (r) {
        log_error(loop->options.log, "eval", "rules not reloaded, those before go on",
                  "error=\"%s\"", err.text);
        return;
    }
    (void)pthread_mutex_lock(&loop->lock);
    struct eval_groups old = loop->groups;
    loop->groups = groups;
    (void)pthread_mutex_unlock(&loop->lock);
    eval_end_outputs(&loop->options, &old, now_ms);
    eval_groups_done(&old);
    log_info(loop->options.log, "eval", "rules loaded", "groups=%zu", groups.n);
}

/* Under the lock, which is let go while the rules are read. */
static void reload(struct loop_eval *loop)
{
    loop->reloading = true;
    while (loop->n_busy > 0)
        (void)pthread_cond_wait(&loop->wake, &loop->lock);
    loop->rules_changed = false;
    (void)pthread_mutex_unlock(&loop->lock);
    read_rules(loop);
    (void)pthread_mutex_lock(&loop->lock);
    loop->reloading = false;
    (void)pthread_cond_broadcast(&loop->wake);
}

/* A clock that was set back would leave a slot far ahead: back onto the grid. */
static void return_one(struct eval_group *group, int64_t now_ms)
{
    if (!group->is_busy && group->slot_ms - now_ms > 2 * group->group->interval_ms)
        group->slot_ms = eval_next_slot(group->file, group->group, now_ms);
}

static void return_to_grid(struct loop_eval *loop, int64_t now_ms)
{
    for (size_t i = 0; i < loop->groups.n; i++)
        return_one(&loop->groups.at[i], now_ms);
    if (loop->canary.file)
        return_one(&loop->canary, now_ms);
}

/* The group that is due, or NULL after a wait. Under the lock. */
static struct eval_group *wait_for_turn(struct loop_eval *loop)
{
    int64_t now_ms = clock_wall_ms();
    bool can_go = !loop->reloading && time_away_is_sure(&loop->away);
    struct eval_group *group = can_go ? next_group(loop) : NULL;
    int64_t wait_ms = group ? group->slot_ms - now_ms : LOOK_AGAIN_MS;

    if (group && wait_ms <= 0)
        return group;
    return_to_grid(loop, now_ms);
    wait_for(loop, wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS);
    return NULL;
}

static void *run(void *arg)
{
    struct loop_eval *loop = arg;

    (void)pthread_setname_np(pthread_self(), "evaluator");
    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->stopping) {
        if (loop->rules_changed && !loop->reloading) {
            reload(loop);
            continue;
        }
        struct eval_group *group = wait_for_turn(loop);
        if (group)
            take_turn(loop, group);
    }
    (void)pthread_mutex_unlock(&loop->lock);
    return NULL;
}

static void *pulse(void *arg)
{
    struct loop_eval *loop = arg;

    (void)pthread_setname_np(pthread_self(), "pulse");
    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->stopping) {
        bool was_sure = time_away_is_sure(&loop->away);
        int64_t wall_ms = 0;

        (void)look_at_clocks(loop, &wall_ms);
        if (!was_sure && time_away_is_sure(&loop->away)) /* the first turns wait for it */
            (void)pthread_cond_broadcast(&loop->wake);
        wait_for(loop, time_away_is_sure(&loop->away) ? PULSE_MS : TIME_LEARN_MS);
    }
    (void)pthread_mutex_unlock(&loop->lock);
    return NULL;
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
    eval_canary_init(loop);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&loop->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&loop->lock, NULL);
    while (r == 0 && loop->n_threads < EVAL_THREADS) {
        r = pthread_create(&loop->threads[loop->n_threads], NULL, run, loop);
        loop->n_threads += r == 0;
    }
    loop->has_pulse = pthread_create(&loop->pulse, NULL, pulse, loop) == 0;
    if (loop->n_threads == 0 || !loop->has_pulse) {
        loop_eval_stop(loop);
        return err_set(reterr, -r, "cannot start an evaluation thread");
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
    (void)pthread_cond_broadcast(&loop->wake);
    (void)pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < loop->n_threads; i++)
        (void)pthread_join(loop->threads[i], NULL);
    if (loop->has_pulse)
        (void)pthread_join(loop->pulse, NULL);
    (void)pthread_cond_destroy(&loop->wake);
    (void)pthread_mutex_destroy(&loop->lock);
    eval_groups_done(&loop->groups);
    eval_canary_done(loop);
    free(loop);
}

void loop_eval_wake(struct loop_eval *loop)
{
    if (!loop)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    loop->rules_changed = true;
    (void)pthread_cond_broadcast(&loop->wake);
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
    {"alertd_rule_group_last_evaluation_samples", "gauge",
     "Elements the rules' expressions gave in the last evaluation."},
    {"alertd_rule_group_last_read_samples", "gauge", "Samples the last evaluation read."},
};

static double metric_of(const struct eval_group *group, size_t metric)
{
    switch (metric) {
    case 0: return (double)group->iterations;
    case 1: return (double)group->missed;
    case 2: return (double)group->failures;
    case 3: return (double)group->last_us / 1e6;
    case 4: return (double)group->last_ms / 1e3;
    case 5: return (double)group->group->n_rules;
    case 6: return (double)group->last_results;
    default: return (double)group->last_samples;
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

bool loop_eval_history(struct loop_eval *loop, int64_t rule_id, struct rule_history *ret_history)
{
    struct rule_history history = {0};
    bool found = false;

    (void)pthread_mutex_lock(&loop->lock);
    for (size_t i = 0; !found && i < loop->groups.n; i++) {
        const struct eval_group *group = &loop->groups.at[i];

        for (size_t rule = 0; !found && rule < group->group->n_rules; rule++) {
            found = group->rules[rule].id == rule_id;
            if (found)
                rule_history_copy(&history, &group->rules[rule].history);
        }
    }
    (void)pthread_mutex_unlock(&loop->lock);
    if (found)
        *ret_history = history;
    return found;
}

int64_t loop_eval_busy_ms(struct loop_eval *loop)
{
    int64_t now_ms = clock_mono_ms();
    int64_t longest_ms = 0;

    (void)pthread_mutex_lock(&loop->lock);
    for (size_t i = 0; i < loop->groups.n; i++)
        if (loop->groups.at[i].is_busy && now_ms - loop->groups.at[i].busy_since_ms > longest_ms)
            longest_ms = now_ms - loop->groups.at[i].busy_since_ms;
    (void)pthread_mutex_unlock(&loop->lock);
    return longest_ms;
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
        stats.broken += group->n_broken;
    }
    (void)pthread_mutex_unlock(&loop->lock);
    *ret_stats = stats;
}
