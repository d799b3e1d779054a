/*
 * Rules and their state out of state.db, for the evaluation loop. See eval.h.
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/app/eval.h"
#include "alertd/db/alert_db.h"
#include "alertd/db/rule_db.h"
#include "alertd/db/trial_db.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/sample.h"

enum {
    LOAD_BYTES_MAX = 512 * 1024 * 1024
};

struct load {
    const struct loop_eval_options *options;
    struct eval_groups *before;
    int64_t now_ms;
    struct db_conn *conn;
    struct arena arena;
    struct rule_group_row *rows;
    size_t n_rows;
    struct trial_row *trials;
    size_t n_trials;
    struct eval_groups groups;
    size_t capacity;
};

/* FNV-1a, so that groups of one interval do not all run at the same instant. */
static uint64_t hash_name(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash * UINT64_C(1099511628211);
}

int64_t eval_next_slot(const struct rule_file *file, const struct rule_group *group, int64_t now_ms)
{
    uint64_t hash = hash_name(hash_name(UINT64_C(14695981039346656037), file->source), group->name);
    int64_t offset_ms = (int64_t)(hash % (uint64_t)group->interval_ms);
    int64_t since_ms = (now_ms - offset_ms) % group->interval_ms;

    return since_ms == 0 ? now_ms : now_ms - since_ms + group->interval_ms;
}

static const struct rule_group_row *find_row(const struct load *load,
                                             const struct rule_file *file,
                                             const struct rule_group *group)
{
    for (size_t i = 0; i < load->n_rows; i++)
        if (strcmp(load->rows[i].source, file->source) == 0 &&
            strcmp(load->rows[i].name, group->name) == 0)
            return &load->rows[i];
    return NULL;
}

static struct eval_group *find_before(const struct load *load, int64_t id)
{
    for (size_t i = 0; load->before && i < load->before->n; i++)
        if (load->before->at[i].id == id)
            return &load->before->at[i];
    return NULL;
}

/* By gap_ms (< 0: back) its alerts did not wait. */
static void skip_rule(struct eval_rule *rule, int64_t gap_ms)
{
    for (size_t i = 0; i < rule->alerts.n; i++)
        alert_skip(&rule->alerts.at[i].alert, gap_ms);
    if (rule->alerts.n > 0)
        rule->moved_ms += gap_ms;
    if (rule->matched_ms)
        rule->matched_ms += gap_ms;
}

static void take_over_rule(struct eval_group *group,
                           struct eval_rule *rule,
                           struct eval_rule *before)
{
    rule->output = before->output;
    before->output = (struct rule_output){0};
    rule->is_broken = before->is_broken;
    group->n_broken += rule->is_broken;
    if (before->moved_ms) /* no evaluation has stored it yet */
        skip_rule(rule, before->moved_ms);
    rule_history_copy(&rule->history, &before->history);
}

/* What is only in memory moves over from the same group as it ran before. */
static void take_over(struct eval_group *group, struct eval_group *before)
{
    group->iterations = before->iterations;
    group->missed = before->missed;
    group->failures = before->failures;
    group->last_ms = before->last_ms;
    group->last_us = before->last_us;
    group->last_samples = before->last_samples;
    group->away_ms = before->away_ms;
    group->is_new = before->is_new;
    group->last_results = before->last_results;
    for (size_t i = 0; i < group->group->n_rules; i++)
        for (size_t old = 0; old < before->group->n_rules; old++)
            if (group->rules[i].id == before->rules[old].id)
                take_over_rule(group, &group->rules[i], &before->rules[old]);
}

void eval_skip(struct eval_group *group, int64_t gap_ms)
{
    if (group->is_canary)
        return; /* it keeps no alerts */
    for (size_t i = 0; i < group->group->n_rules; i++) {
        skip_rule(&group->rules[i], gap_ms);
        eval_trial_skip(group->rules[i].trial, gap_ms);
    }
}

/* alertd did not run between the last slot and the next: pending alerts wait on. */
static void skip_gap(struct eval_group *group, int64_t last_evaluation_ms)
{
    int64_t gap_ms = group->slot_ms - last_evaluation_ms - group->group->interval_ms;

    if (!last_evaluation_ms || gap_ms <= 0)
        return;
    eval_skip(group, gap_ms);
}

/* What is about the rule itself, apart from what the rule says. */
static void split_own(struct alert_set *alerts, struct alert_set *broken, struct alert_set *dead)
{
    broken_rule_split(alerts, BROKEN_RULE_NAME, broken);
    broken_rule_split(alerts, DEAD_RULE_NAME, dead);
}

/* The candidate beside a rule, if there is one. */
static int load_trial(struct load *load, struct eval_rule *rule, struct err *reterr)
{
    for (size_t i = 0; i < load->n_trials; i++)
        if (load->trials[i].rule_id == rule->id)
            return eval_trial_load(load->conn, &load->trials[i], &rule->trial, reterr);
    return 0;
}

static int load_group(struct load *load,
                      struct rule_file *file,
                      const struct rule_group *group,
                      struct err *reterr)
{
    const struct rule_group_row *row = find_row(load, file, group);
    struct eval_group *before;
    struct eval_group *made;
    int r = 0;

    if (!row || row->n_rules != group->n_rules)
        return err_set(reterr, DB_E_CORRUPT, "group \"%s\" of %s and its rows differ", group->name,
                       file->source);
    load->groups.at = mem_grow(load->groups.at, &load->capacity, load->groups.n + 1,
                               sizeof(*load->groups.at));
    made = &load->groups.at[load->groups.n++];
    *made = (struct eval_group){
        .file = rule_file_ref(file),
        .group = group,
        .id = row->id,
        .slot_ms = eval_next_slot(file, group, load->now_ms),
        .rules = mem_zalloc(group->n_rules * sizeof(*made->rules)),
        .last_ms = row->last_evaluation_ms,
        .last_us = row->evaluation_us,
    };
    for (size_t i = 0; r == 0 && i < group->n_rules; i++) {
        made->rules[i].id = row->rules[i].id;
        made->rules[i].n_failures = row->rules[i].failures;
        made->rules[i].matched_ms = row->rules[i].matched_ms;
        r = alert_db_load(load->conn, row->rules[i].id, &made->rules[i].alerts, reterr);
        if (r == 0)
            split_own(&made->rules[i].alerts, &made->rules[i].broken, &made->rules[i].dead);
        if (r == 0)
            r = load_trial(load, &made->rules[i], reterr);
    }
    before = find_before(load, row->id);
    made->is_new = load->before && !before;
    if (r == 0 && before)
        take_over(made, before);
    if (made->slot_ms == row->last_evaluation_ms) /* read again within the millisecond */
        made->slot_ms += group->interval_ms;
    if (r == 0 && !before)
        skip_gap(made, row->last_evaluation_ms);
    return r;
}

/* A file that can't be read is said and left out: the others must go on. */
static int load_file(struct load *load, const struct rule_db_file *stored, struct err *reterr)
{
    struct rule_file *file = NULL;
    struct err err = {0};
    int r = 0;

    if (rule_file_parse(stored->source, stored->yaml, strlen(stored->yaml), NULL, &file, &err)) {
        log_error(load->options->log, "eval", "stored rules cannot be read",
                  "source=\"%s\" line=%u column=%u error=\"%s\"", stored->source, err.line,
                  err.column, err.text);
        return 0;
    }
    for (size_t i = 0; r == 0 && i < file->n_groups; i++)
        r = load_group(load, file, &file->groups[i], reterr);
    rule_file_unref(file);
    return r;
}

int eval_load(const struct loop_eval_options *options,
              struct eval_groups *before,
              int64_t now_ms,
              struct eval_groups *ret_groups,
              struct err *reterr)
{
    struct load load = {.options = options, .before = before, .now_ms = now_ms};
    struct rule_db_file *files = NULL;
    size_t n_files = 0;
    int r = db_read_begin(options->state, &load.conn, reterr);

    if (r)
        return r;
    arena_init(&load.arena, LOAD_BYTES_MAX);
    r = rule_db_files(load.conn, &load.arena, &files, &n_files, reterr);
    if (r == 0)
        r = rule_db_list(load.conn, now_ms, &load.arena, &load.rows, &load.n_rows, reterr);
    if (r == 0)
        r = trial_db_list(load.conn, &load.arena, &load.trials, &load.n_trials, reterr);
    for (size_t i = 0; r == 0 && i < n_files; i++)
        r = load_file(&load, &files[i], reterr);
    db_read_end(options->state, load.conn);
    arena_reset(&load.arena);
    if (r) {
        eval_groups_done(&load.groups);
        return r;
    }
    *ret_groups = load.groups;
    return 0;
}

void eval_groups_done(struct eval_groups *groups)
{
    for (size_t i = 0; i < groups->n; i++) {
        struct eval_group *group = &groups->at[i];

        for (size_t rule = 0; rule < group->group->n_rules; rule++) {
            alert_set_done(&group->rules[rule].alerts);
            alert_set_done(&group->rules[rule].broken);
            alert_set_done(&group->rules[rule].dead);
            rule_output_done(&group->rules[rule].output);
            rule_history_done(&group->rules[rule].history);
            eval_trial_free(group->rules[rule].trial);
        }
        free(group->rules);
        rule_file_unref(group->file);
    }
    free(groups->at);
    *groups = (struct eval_groups){0};
}

/* --- rules that are gone --- */

struct retire_job {
    const struct loop_eval_options *options;
    int64_t now_ms;
    struct pager_outcome outcome;
    struct alert_series_list series; /* ALERTS that end, once it is committed */
    size_t n;
};

static int retire_rule(struct db_conn *conn,
                       struct retire_job *job,
                       const struct alert_db_dead *dead,
                       struct err *reterr)
{
    const struct alert_rule rule = {.id = dead->rule_id,
                                    .name = dead->name,
                                    .group_name = dead->group_name,
                                    .expr = dead->expr};
    const struct alert_step_options step = {.rule = &rule, .now_ms = job->now_ms};
    const struct alert_set none = {0};
    struct alert_outcome ended;
    struct alert_set alerts;
    int r = alert_db_load(conn, dead->rule_id, &alerts, reterr);

    if (r)
        return r;
    r = alert_set_step(&alerts, NULL, 0, &step, &ended, reterr);
    if (r == 0) {
        if (ended.n_events)
            r = pager_apply(job->options->pager, conn, ended.events, ended.n_events, job->now_ms,
                            &job->outcome, reterr);
        alert_outcome_done(&ended);
    }
    if (r == 0)
        r = alert_db_save(conn, dead->rule_id, &alerts, &none, reterr);
    if (r == 0) {
        struct alert_set broken;
        struct alert_set rule_dead;

        split_own(&alerts, &broken, &rule_dead); /* those have no series */
        alert_series_add(&alerts, &none, &job->series);
        alert_set_done(&broken);
        alert_set_done(&rule_dead);
    }
    alert_set_done(&alerts);
    return r;
}

static int run_retire(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct retire_job *job = arg;
    struct alert_db_dead *dead = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, LOAD_BYTES_MAX);
    int r = alert_db_dead(conn, &arena, &dead, &job->n, reterr);
    for (size_t i = 0; r == 0 && i < job->n; i++)
        r = retire_rule(conn, job, &dead[i], reterr);
    return r;
}

/* Without the markers the series end by themselves, a look-back later. */
static void end_series(const struct loop_eval_options *options,
                       const struct alert_series_list *series,
                       int64_t now_ms)
{
    struct err err = {0};

    if (eval_write_series(options, series, now_ms, &err))
        log_warn(options->log, "eval", "ends of series not stored", "error=\"%s\"", err.text);
}

int eval_retire(const struct loop_eval_options *options, int64_t now_ms, struct err *reterr)
{
    struct retire_job job = {.options = options, .now_ms = now_ms};
    int r = db_write(options->state, run_retire, &job, reterr);

    if (r == 0 && job.n)
        eval_publish(options, &job.outcome, true);
    if (r == 0)
        end_series(options, &job.series, now_ms);
    alert_series_done(&job.series);
    return r;
}

void eval_end_outputs(const struct loop_eval_options *options,
                      const struct eval_groups *groups,
                      int64_t now_ms)
{
    struct alert_series_list series = {0};

    for (size_t i = 0; i < groups->n; i++)
        for (size_t rule = 0; rule < groups->at[i].group->n_rules; rule++) {
            const struct rule_output *output = &groups->at[i].rules[rule].output;

            for (size_t at = 0; at < output->n; at++)
                alert_series_push(&series, labels_ref(output->at[at]), sample_stale());
        }
    end_series(options, &series, now_ms);
    alert_series_done(&series);
}
