/*
 * One group at one slot: evaluated rule by rule, committed at once. See eval.h.
 */

#include <stdatomic.h>
#include <stdlib.h>

#include "alertd/app/eval.h"
#include "alertd/db/alert_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/rule_db.h"
#include "alertd/eval/rule_reads.h"
#include "alertd/promql/memo.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

enum {
    INCIDENT_BYTES_MAX = 1024 * 1024,
    MEMO_BYTES_MAX = 1024 * 1024,
    TOGETHER_MAX = 64, /* rules whose series wait for one commit: each later one looks at them */
};

struct rule_turn {
    struct eval_rule *rule;
    const struct rule *source;
    bool ok;
    struct err err;
    int64_t us;
    struct rule_eval_result result;
    size_t n_samples, n_series, n_results; /* 0 when it failed */
    int64_t n_failures;                    /* in a row, with this one */
    int64_t matched_ms;
    struct alert_outcome broken, dead;
};

struct group_turn {
    struct loop_eval *loop;
    struct eval_group *group;
    struct rule_turn *rules;
    int64_t us;
    struct promql_memo *memo; /* what its expressions gave at this slot */
    /* What rules number `unstored` to the present one wrote and the store has not yet. */
    struct alert_series_list series;
    size_t unstored;
    struct alert_event *events; /* of all rules; loans */
    size_t n_events, events_capacity;
    struct pager_outcome outcome;
};

/* --- evaluate --- */

int eval_write_series(const struct loop_eval_options *options,
                      const struct alert_series_list *series,
                      int64_t at_ms,
                      struct err *reterr)
{
    struct store_entry *entries;
    struct sample *samples;
    struct store_outcome outcome;

    if (!series->n)
        return 0;
    entries = mem_alloc(series->n * sizeof(*entries));
    samples = mem_alloc(series->n * sizeof(*samples));
    for (size_t i = 0; i < series->n; i++) {
        samples[i] = (struct sample){at_ms, series->at[i].value};
        entries[i] = (struct store_entry){series->at[i].labels, &samples[i], 1};
    }
    const struct store_batch batch = {.entries = entries, .n = series->n, .internal = true};
    int r = store_append(options->store, &batch, &outcome, reterr);

    free(entries);
    free(samples);
    return r;
}

static void run_rule(struct loop_eval *loop,
                     const struct eval_group *group,
                     struct promql_memo *memo,
                     struct rule_turn *turn)
{
    struct source source = store_source(loop->options.store);
    struct promql_limits limits = loop->options.limits;
    int64_t began_us = clock_mono_us();
    const struct rule_eval eval = {
        .group = group->group,
        .rule = turn->source,
        .rule_id = turn->rule->id,
        .source = &source,
        .now_ms = group->slot_ms,
        .limits = &limits,
        .external_url = loop->options.external_url,
        .alerts = &turn->rule->alerts,
        .output = &turn->rule->output,
        .no_data_hold_ms = EVAL_NO_DATA_HOLD_MS,
        .memo = memo,
    };
    int64_t timeout_ms = loop->options.timeout_ms;

    if (timeout_ms > group->group->interval_ms) /* a rule slower than its group is broken */
        timeout_ms = group->group->interval_ms;
    limits.deadline_ms = clock_mono_ms() + timeout_ms;
    limits.now_fn = clock_mono_ms;
    turn->ok = rule_eval(&eval, &turn->result, &turn->err) == 0;
    turn->us = clock_mono_us() - began_us;
    turn->n_samples = turn->ok ? turn->result.n_samples : 0;
    turn->n_series = turn->ok ? turn->result.n_series : 0;
    turn->n_results = turn->ok ? turn->result.n_results : 0;
}

/* A full disk refuses our own series too; alerting goes on without them. */
static void append_series(struct group_turn *turn, size_t n_rules)
{
    const struct rule_group *group = turn->group->group;
    struct err err = {0};

    if (eval_write_series(&turn->loop->options, &turn->series,
                          turn->group->slot_ms - group->query_offset_ms, &err))
        log_warn(turn->loop->options.log, "eval", "rules' series not stored",
                 "group=\"%s\" error=\"%s\"", group->name, err.text);
    if (turn->series.n > 0)
        promql_memo_forget(turn->memo);
    alert_series_done(&turn->series);
    turn->unstored = n_rules;
}

/* A rule sees what those before it wrote: then it is stored now. Otherwise once for all, for
 * each time waits for the disk. */
static void store_what_is_read(struct group_turn *turn, size_t reader)
{
    const struct rule *rules = turn->group->group->rules;
    bool waits = turn->series.n > 0 && reader - turn->unstored >= TOGETHER_MAX;
    bool asked_of_alerts = false; /* all of them write the same two metrics */

    for (size_t i = turn->unstored; turn->series.n > 0 && i < reader && !waits; i++) {
        if (rules[i].is_alert && asked_of_alerts)
            continue;
        asked_of_alerts |= rules[i].is_alert;
        waits = rule_reads(&rules[reader], &rules[i]);
    }
    if (waits)
        append_series(turn, reader);
}

/* Whether the rule is one that somebody must be told about. */
static void judge_rule(const struct eval_group *group, struct rule_turn *turn)
{
    turn->n_failures = turn->ok ? 0 : turn->rule->n_failures + 1;
    const struct broken_rule broken = {
        .group = group->group,
        .rule = turn->source,
        .rule_id = turn->rule->id,
        .n_failures = turn->n_failures,
        .words = turn->err.text,
        .now_ms = group->slot_ms,
    };

    broken_rule_step(&broken, &turn->rule->broken, &turn->broken);
    turn->matched_ms = turn->n_series > 0 || !turn->rule->matched_ms ? group->slot_ms
                                                                     : turn->rule->matched_ms;
    dead_rule_step(&(struct dead_rule){.group = group->group,
                                       .rule = turn->source,
                                       .rule_id = turn->rule->id,
                                       .matched_ms = turn->matched_ms,
                                       .now_ms = group->slot_ms},
                   &turn->rule->dead, &turn->dead);
}

/* Words inside quotes of a log line. */
static const char *for_log(const char *words, struct str *out)
{
    for (; *words; words++)
        str_addc(out, *words == '"' ? '\'' : *words);
    return str_text(out);
}

static void say_health(const struct loop_eval *loop,
                       const struct eval_group *group,
                       struct rule_turn *turn)
{
    STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX);

    if (!turn->ok && !turn->rule->is_broken)
        log_warn(loop->options.log, "eval", "rule fails", "group=\"%s\" rule=\"%s\" error=\"%s\"",
                 group->group->name, turn->source->name, for_log(turn->err.text, &words));
    if (turn->ok && turn->rule->is_broken)
        log_info(loop->options.log, "eval", "rule works again", "group=\"%s\" rule=\"%s\"",
                 group->group->name, turn->source->name);
    turn->rule->is_broken = !turn->ok;
}

/* --- commit --- */

static void add_events(struct group_turn *turn, const struct alert_outcome *alerts)
{
    if (alerts->n_events == 0)
        return;
    turn->events = mem_grow(turn->events, &turn->events_capacity, turn->n_events + alerts->n_events,
                            sizeof(*turn->events));
    for (size_t event = 0; event < alerts->n_events; event++)
        turn->events[turn->n_events++] = alerts->events[event];
}

static void collect_events(struct group_turn *turn)
{
    for (size_t i = 0; i < turn->group->group->n_rules; i++) {
        if (turn->rules[i].ok)
            add_events(turn, &turn->rules[i].result.alerts);
        add_events(turn, &turn->rules[i].broken);
        add_events(turn, &turn->rules[i].dead);
    }
}

/* Where the rule failed: in its file, and in its expression. */
static struct rule_db_place place_of_error(const struct rule_turn *turn)
{
    struct rule_db_place place = {.expr_line = turn->err.line, .expr_column = turn->err.column};

    if (turn->ok)
        return (struct rule_db_place){0};
    rule_place(turn->source, &turn->err, &place.line, &place.column);
    return place;
}

static int save_rule(struct db_conn *conn,
                     const struct rule_turn *turn,
                     int64_t slot_ms,
                     struct err *reterr)
{
    static const struct alert_set none = {0};
    const struct rule_db_health health = {
        .rule_id = turn->rule->id,
        .error = turn->ok ? NULL : turn->err.text,
        .now_ms = slot_ms,
        .evaluation_us = turn->us,
        .samples = turn->n_samples,
        .series = turn->n_series,
        .matched_ms = turn->matched_ms,
        .error_place = place_of_error(turn),
    };
    int r = rule_db_save_health(conn, &health, reterr);

    if (r == 0 && turn->ok && turn->source->is_alert)
        r = alert_db_save(conn, turn->rule->id, &turn->rule->alerts, &turn->result.alerts.after,
                          reterr);
    if (r == 0 && turn->ok && turn->source->is_alert && turn->rule->moved_ms)
        r = alert_db_save(conn, turn->rule->id, &none, &turn->result.alerts.after, reterr);
    if (r == 0)
        r = alert_db_save(conn, turn->rule->id, &turn->rule->broken, &turn->broken.after, reterr);
    if (r == 0)
        r = alert_db_save(conn, turn->rule->id, &turn->rule->dead, &turn->dead.after, reterr);
    return r;
}

static int run_commit(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct group_turn *turn = arg;
    const struct eval_group *group = turn->group;
    int r = rule_db_save_group(conn, group->id, group->slot_ms, turn->us, reterr);

    for (size_t i = 0; r == 0 && i < group->group->n_rules; i++)
        r = save_rule(conn, &turn->rules[i], group->slot_ms, reterr);
    if (r == 0 && turn->n_events)
        r = pager_apply(turn->loop->options.pager, conn, turn->events, turn->n_events,
                        clock_wall_ms(), &turn->outcome, reterr);
    return r;
}

/* `{"key":"INC-2026-0012"}` of an incident; false when it can't be read now. */
static bool key_as_json(struct db_conn *conn, int64_t id, struct str *out)
{
    ARENA_AUTO struct arena arena;
    struct json_out json = JSON_OUT(out);
    struct incident incident;

    arena_init(&arena, INCIDENT_BYTES_MAX);
    if (incident_db_get_by_id(conn, id, &arena, &incident, NULL))
        return false;
    json_open(&json, '{');
    json_kv_string(&json, "key", incident.key);
    json_close(&json, '}');
    return true;
}

void eval_publish(const struct loop_eval_options *options,
                  const struct pager_outcome *outcome,
                  bool alerts_changed)
{
    struct db_conn *conn;

    if (alerts_changed)
        options->alerts_changed(options->arg);
    if (!options->hub || !alerts_changed || db_read_begin(options->state, &conn, NULL))
        return;
    http_hub_publish(options->hub, "alerts", "{}");
    for (size_t i = 0; i < outcome->n_incidents; i++) {
        STR_AUTO struct str text = STR_INIT(256);

        if (key_as_json(conn, outcome->incidents[i], &text))
            http_hub_publish(options->hub, "incident", str_text(&text));
    }
    db_read_end(options->state, conn);
}

/* The results become the state, for they are stored. */
static void adopt(struct group_turn *turn)
{
    for (size_t i = 0; i < turn->group->group->n_rules; i++) {
        struct rule_turn *one = &turn->rules[i];

        alert_set_done(&one->rule->broken);
        one->rule->broken = one->broken.after;
        one->broken.after = (struct alert_set){0};
        alert_set_done(&one->rule->dead);
        one->rule->dead = one->dead.after;
        one->dead.after = (struct alert_set){0};
        one->rule->matched_ms = one->matched_ms;
        one->rule->n_failures = one->n_failures;
        if (!one->ok)
            continue;
        if (one->source->is_alert) {
            alert_set_done(&one->rule->alerts);
            one->rule->alerts = one->result.alerts.after;
            one->result.alerts.after = (struct alert_set){0};
            one->rule->moved_ms = 0;
        } else {
            rule_output_done(&one->rule->output);
            one->rule->output = one->result.output;
            one->result.output = (struct rule_output){0};
        }
    }
}

/* Into the rules' flight recorders, committed or not. */
static void remember(const struct group_turn *turn)
{
    struct eval_group *group = turn->group;

    (void)pthread_mutex_lock(&turn->loop->lock);
    group->last_samples = group->last_results = 0;
    for (size_t i = 0; i < group->group->n_rules; i++) {
        struct rule_turn *one = &turn->rules[i];

        rule_history_add(&one->rule->history,
                         &(struct rule_past){.at_ms = group->slot_ms,
                                             .duration_us = one->us,
                                             .samples = one->n_samples,
                                             .series = one->n_series,
                                             .results = one->n_results,
                                             .error = one->ok ? NULL : one->err.text});
        group->last_samples += one->n_samples;
        group->last_results += one->n_results;
    }
    (void)pthread_mutex_unlock(&turn->loop->lock);
}

size_t eval_group(struct loop_eval *loop, struct eval_group *group, bool *ret_committed)
{
    size_t n = group->group->n_rules;
    struct group_turn turn = {.loop = loop, .group = group};
    struct err err = {0};
    int64_t began_us = clock_mono_us();
    size_t n_failed = 0;

    turn.rules = mem_zalloc(n * sizeof(*turn.rules));
    turn.memo = promql_memo_new(MEMO_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        turn.rules[i].rule = &group->rules[i];
        turn.rules[i].source = &group->group->rules[i];
        store_what_is_read(&turn, i);
        run_rule(loop, group, turn.memo, &turn.rules[i]);
        alert_series_move(&turn.rules[i].result.series, &turn.series);
        judge_rule(group, &turn.rules[i]);
        say_health(loop, group, &turn.rules[i]);
        n_failed += !turn.rules[i].ok;
    }
    append_series(&turn, n);
    promql_memo_free(turn.memo);
    turn.us = clock_mono_us() - began_us;
    remember(&turn);
    collect_events(&turn);
    int r = db_write(loop->options.state, run_commit, &turn, &err);

    if (r == 0) {
        adopt(&turn);
        eval_publish(&loop->options, &turn.outcome, turn.n_events > 0);
        eval_trials(loop, group);
    } else {
        log_error(loop->options.log, "eval",
                  "an evaluation could not be stored; the next one repeats it",
                  "group=\"%s\" error=\"%s\"", group->group->name, err.text);
    }
    for (size_t i = 0; i < n; i++) {
        alert_outcome_done(&turn.rules[i].broken);
        alert_outcome_done(&turn.rules[i].dead);
        if (turn.rules[i].ok)
            rule_eval_result_done(&turn.rules[i].result);
    }
    free(turn.events);
    free(turn.rules);
    *ret_committed = r == 0;
    return n_failed;
}
