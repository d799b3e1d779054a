/*
 * Firing above one threshold, clearing below another. See hysteresis.h.
 */

#include "alertd/tune/hysteresis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/eval/rule_eval.h"
#include "alertd/promql/ast.h"
#include "alertd/promql/memory_source.h"
#include "lib/base/mem.h"

enum {
    WRITTEN_BYTES_MAX = 16 << 20,
    LATER_MS_MAX = 600000, /* an incident may be found so much later than now */
    TIMES_LONGER_MAX = 4,  /* it fires, at most, than with the one threshold to fire at */
};

/* --- which pair --- */

static bool finds_enough(const struct tune_result *result, size_t on, uint32_t later_max)
{
    const struct surface *surface = backtest_surface(result->backtest);

    for (size_t i = 0; i < result->n_incidents; i++) {
        uint32_t now = surface_delay(surface, i, result->now.threshold, result->now.for_index);
        uint32_t then = surface_delay(surface, i, on, 0);
        if (now != SURFACE_MISSED &&
            (then == SURFACE_MISSED || (uint64_t)then > (uint64_t)now + later_max))
            return false;
    }
    return true;
}

static bool is_allowed(const struct tune_result *result, size_t on, uint32_t later_max)
{
    if (result->n_incidents == 0)
        return on == result->now.threshold;
    return finds_enough(result, on, later_max);
}

/* Alerts, when the pair is worth one; 0: it is not. One that hardly ever clears flaps least of all:
 * it may fire so much longer than what it fires at alone, and, with incidents, than the rule of now. */
static uint64_t alerts_of(const struct tune_result *result, size_t off, size_t on)
{
    const struct surface *surface = backtest_surface(result->backtest);
    uint64_t above_off = surface_cell(surface, off, 0).firing_steps;

    if (above_off > TIMES_LONGER_MAX * surface_cell(surface, on, 0).firing_steps)
        return 0;

    uint64_t alerts = surface_hysteresis(surface, off, on);
    bool is_over_again = result->n_incidents == 0 ||
                         above_off <= suggest_firing_max(surface, result->now, alerts);

    return is_over_again ? alerts : 0;
}

bool hysteresis_choose(const struct tune_result *result,
                       uint32_t later_max,
                       struct hysteresis_pair *ret_pair)
{
    const struct surface *surface = backtest_surface(result->backtest);
    uint64_t now = surface_cell(surface, result->now.threshold, result->now.for_index).alerts;
    uint64_t least = UINT64_MAX;
    bool found = false;

    if (result->choice->way == SPLIT_AGAIN || result->choice->way == SPLIT_PRESENCE)
        return false;
    for (size_t on = 0; on < result->n_thresholds; on++)
        for (size_t off = 0; off < on; off++) {
            uint64_t alerts = alerts_of(result, off, on);
            if (alerts > 0 && alerts < least && is_allowed(result, on, later_max))
                least = alerts;
        }
    if (least == UINT64_MAX || least >= now)
        return false;
    uint64_t enough = least + least / 10;
    for (size_t on = result->n_thresholds; on-- > 0 && !found;) {
        if (!is_allowed(result, on, later_max))
            continue;
        for (size_t off = on; off-- > 0 && !found;) { /* clears soonest first */
            uint64_t alerts = alerts_of(result, off, on);
            if (alerts == 0 || alerts > enough || alerts >= now)
                continue;
            *ret_pair = (struct hysteresis_pair){on, off, alerts};
            found = true;
        }
    }
    return found;
}

/* --- the text --- */

static bool is_set_by(const struct rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->n_labels; i++)
        if (strcmp(rule->labels[i].name, name) == 0)
            return true;
    return strcmp(name, "alertname") == 0 || strcmp(name, LABEL_NAME) == 0;
}

static bool add_label(struct hysteresis_labels *labels, const char *name)
{
    size_t at = 0;

    while (at < labels->n && strcmp(labels->at[at], name) < 0)
        at++;
    if (at < labels->n && strcmp(labels->at[at], name) == 0)
        return true;
    if (labels->n == HYSTERESIS_LABELS_MAX)
        return false;
    memmove(&labels->at[at + 1], &labels->at[at], (labels->n - at) * sizeof(*labels->at));
    labels->at[at] = name;
    labels->n++;
    return true;
}

bool hysteresis_labels(const struct rule *rule,
                       const struct tune_result *result,
                       struct hysteresis_labels *ret_labels)
{
    *ret_labels = (struct hysteresis_labels){.n = 0};
    for (size_t s = 0; s < backtest_n_series(result->backtest); s++) {
        const struct labels *labels = backtest_series_labels(result->backtest, s);
        for (size_t i = 0; i < labels->n; i++)
            if (!is_set_by(rule, labels->at[i].name) && !add_label(ret_labels, labels->at[i].name))
                return false;
    }
    return true;
}

static void add_quoted(const char *text, struct str *out)
{
    str_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            str_addc(out, '\\');
        if (*text == '\n')
            str_add(out, "\\n");
        else
            str_addc(out, *text);
    }
    str_addc(out, '"');
}

static bool is_plain_name(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
           strlen(name);
}

/* A comparison binds closer than `and` and `or`: no parentheses needed around one. */
static void add_side(const struct rule *rule,
                     const struct split_choice *choice,
                     double threshold,
                     struct str *out)
{
    const struct promql_expr *expr = rule->expr;
    bool is_closed = expr->kind != PROMQL_BINARY || !operator_is_set(expr->binary.op);

    if (!is_closed)
        str_addc(out, '(');
    split_text(expr, choice, threshold, out);
    if (!is_closed)
        str_addc(out, ')');
}

void hysteresis_text(const struct rule *rule,
                     const struct split_choice *choice,
                     double on,
                     double off,
                     const struct hysteresis_labels *labels,
                     struct str *out)
{
    add_side(rule, choice, on, out);
    str_add(out, " or (");
    add_side(rule, choice, off, out);
    str_add(out, " and on (");
    for (size_t i = 0; i < labels->n; i++) {
        str_add(out, i ? ", " : "");
        if (is_plain_name(labels->at[i]))
            str_add(out, labels->at[i]);
        else
            add_quoted(labels->at[i], out);
    }
    str_add(out, ") ALERTS{alertname=");
    add_quoted(rule->name, out);
    str_add(out, ", alertstate=\"firing\"})");
}

/* --- run, step by step --- */

/* What is stored, as far as it is known at the evaluation, and what the rule itself has written since the
 * first step. */
struct both {
    const struct source *stored;
    int64_t known_until_ms;
    struct source own;
};

static const struct source *which(const struct both *both, struct source_query *query)
{
    for (size_t i = 0; i < query->n_matchers; i++)
        if (strcmp(query->matchers[i].name, LABEL_NAME) == 0 &&
            query->matchers[i].type == MATCHER_EQUAL &&
            strcmp(query->matchers[i].value, "ALERTS") == 0)
            return &both->own;
    if (query->to_ms > both->known_until_ms)
        query->to_ms = both->known_until_ms;
    return both->stored;
}

static int select_both(void *self,
                       const struct source_query *query,
                       struct arena *arena,
                       struct source_selection *ret_selection,
                       struct err *reterr)
{
    struct source_query cut = *query;
    const struct source *source = which(self, &cut);

    return source->select(source->self, &cut, arena, ret_selection, reterr);
}

static int read_both(void *self,
                     const struct source_query *query,
                     const struct source_match *match,
                     struct arena *arena,
                     struct source_columns *columns,
                     struct err *reterr)
{
    struct source_query cut = *query;
    const struct source *source = which(self, &cut);

    if (cut.from_ms > cut.to_ms) {
        columns->n = 0;
        return 0;
    }
    return source->read(source->self, &cut, match, arena, columns, reterr);
}

struct running {
    struct rule_group group;
    struct rule rule;
    struct alert_set alerts;
    struct memory_source written;
};

static void take_event(struct hysteresis_ran *ran, const struct alert_event *event, int64_t now_ms)
{
    if (event->kind == ALERT_EVENT_FIRING && ++ran->alerts <= HYSTERESIS_LISTED_MAX) {
        ran->at = mem_grow(ran->at, &ran->capacity, ran->n + 1, sizeof(*ran->at));
        ran->at[ran->n++] = (struct hysteresis_alert){labels_ref(event->labels), now_ms, 0};
    }
    if (event->kind != ALERT_EVENT_RESOLVED)
        return;
    for (size_t i = ran->n; i-- > 0;)
        if (ran->at[i].resolved_ms == 0 && labels_equal(ran->at[i].labels, event->labels)) {
            ran->at[i].resolved_ms = now_ms;
            return;
        }
}

static int run_step(struct running *running,
                    const struct source *source,
                    int64_t now_ms,
                    struct hysteresis_ran *ran,
                    struct err *reterr)
{
    const struct promql_limits limits = {0};
    const struct rule_output none = {0};
    const struct rule_eval eval = {
        .group = &running->group,
        .rule = &running->rule,
        .source = source,
        .now_ms = now_ms,
        .limits = &limits,
        .alerts = &running->alerts,
        .output = &none,
    };
    struct rule_eval_result result;

    int r = rule_eval(&eval, &result, reterr);
    if (r != 0)
        return r;
    for (size_t i = 0; i < result.series.n; i++)
        memory_source_add(&running->written, result.series.at[i].labels, now_ms,
                          result.series.at[i].value);
    for (size_t i = 0; i < result.alerts.n_events; i++)
        take_event(ran, &result.alerts.events[i], now_ms);
    struct alert_set before = running->alerts;
    running->alerts = result.alerts.after;
    result.alerts.after = before;
    rule_eval_result_done(&result);
    return 0;
}

int hysteresis_run(const struct hysteresis_over *over,
                   const struct rule *rule,
                   const struct tune_span *span,
                   struct hysteresis_ran *ret,
                   struct err *reterr)
{
    struct running running = {.rule = *rule};
    int r = 0;

    *ret = (struct hysteresis_ran){0};
    if (span->step_ms > HYSTERESIS_INTERVAL_MAX_MS)
        return err_set(reterr, -EINVAL,
                       "evaluated less often than every 5 min: what the rule wrote before is "
                       "not seen any more");
    running.rule.n_annotations = 0; /* they may query */
    running.group = (struct rule_group){
        .name = "", .interval_ms = span->step_ms, .rules = &running.rule, .n_rules = 1};
    struct both both = {over->source, 0, memory_source_of(&running.written)};
    const struct source combined = {select_both, read_both, &both};
    for (uint32_t i = 0; i < span->n_steps && r == 0; i++) {
        int64_t now_ms = span->start_ms + (int64_t)i * span->step_ms;
        both.known_until_ms = now_ms - over->lag_ms;
        if (over->is_enough_fn && over->is_enough_fn(over->enough_arg))
            r = err_set(reterr, -ECANCELED, "it would take too long");
        else
            r = run_step(&running, &combined, now_ms, ret, reterr);
    }
    alert_set_done(&running.alerts);
    memory_source_done(&running.written);
    return r;
}

void hysteresis_ran_done(struct hysteresis_ran *ran)
{
    for (size_t i = 0; i < ran->n; i++)
        labels_unref(ran->at[i].labels);
    free(ran->at);
    *ran = (struct hysteresis_ran){0};
}

/* --- all of it --- */

/* expr: of the rule that is run; nothing of it waits or is kept. */
static int run_written(const struct tune_ask *ask,
                       const struct tune_result *result,
                       const struct hysteresis_over *over,
                       struct hysteresis_written *written,
                       struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct promql_expr *expr = NULL;
    struct rule rule = *ask->rule;

    arena_init(&arena, WRITTEN_BYTES_MAX);
    int r = promql_parse(&arena, str_text(&written->expr), &expr, reterr);
    rule.expr = expr;
    rule.expr_text = str_text(&written->expr);
    rule.for_ms = 0;
    rule.keep_firing_for_ms = 0;
    if (r != 0 || !over || result->at_span)
        return r;
    r = hysteresis_run(over, &rule, &result->span, &written->ran, reterr);
    written->was_run = r == 0;
    return r == -ECANCELED ? 0 : r;
}

int hysteresis_write(const struct tune_ask *ask,
                     const struct tune_result *result,
                     const struct hysteresis_over *over,
                     struct hysteresis_written *ret,
                     struct err *reterr)
{
    struct hysteresis_labels labels;

    *ret = (struct hysteresis_written){.expr = STR_INIT(PROMQL_TEXT_MAX)};
    if (ask->interval_ms > HYSTERESIS_INTERVAL_MAX_MS)
        ret->none = "It takes an interval below five minutes: ALERTS of the evaluation before must "
                    "still be there.";
    else if (!hysteresis_choose(result, (uint32_t)(LATER_MS_MAX / ask->interval_ms), &ret->pair))
        ret->none = "No pair of thresholds, to fire at and to clear at, fires less often than it "
                    "does now.";
    else if (!hysteresis_labels(ask->rule, result, &labels))
        ret->none = "Its series have too many labels: that is no rule to write.";
    if (ret->none)
        return 0;
    ret->is_there = true;
    ret->on = result->thresholds[ret->pair.on];
    ret->off = result->thresholds[ret->pair.off];
    hysteresis_text(ask->rule, result->choice, ret->on, ret->off, &labels, &ret->expr);
    return run_written(ask, result, over, ret, reterr);
}

void hysteresis_written_done(struct hysteresis_written *written)
{
    str_done(&written->expr);
    hysteresis_ran_done(&written->ran);
}
