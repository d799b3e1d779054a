/*
 * What would have fired before an incident was detected, and what held and told nobody: the tuner's
 * backtest over the incident's own window. See learnt.h.
 *
 *     a rule that fired in it   its past days, the window as the one incident to find:
 *                               shorter `for`s, easier thresholds that find it earlier
 *     any other live rule       the window: it fires by now (it is newer, or was changed), or
 *                               its condition held and its `for` was not over
 *
 * What each of them costs is counted over the past days: alerts, and what those would have paged.
 *
 * Only series of the place are looked at: those without the alerts' instance (job, service), or
 * with it. What fires when the window begins already found nothing: it is left out.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/learnt.h"
#include "alertd/api/learnt_past.h"
#include "alertd/db/rule_db.h"
#include "alertd/promql/promql.h"
#include "alertd/rule/group.h"
#include "alertd/rule/phase.h"
#include "alertd/tune/tune.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"
#include "lib/model/matcher.h"

enum {
    RULES_BYTES_MAX = 128 * 1024 * 1024,
};

struct look {
    const struct api *api;
    const struct postmortem_record *record;
    struct learnt *learnt;
    struct arena *arena; /* the record's: what is kept */
    const struct rule_group_row *groups;
    size_t n_groups;
    struct learnt_past past;
    struct matcher where;
    bool has_where;
    int64_t before_ms; /* what fires later than that is no news */
    bool is_late, is_spent;
};

/* --- where --- */

/* `instance=~"web\-1|"`: of this place, or of none. */
static bool lay_where(struct look *look)
{
    static const char *const names[] = {"instance", "job", "service"};
    const struct postmortem_record *record = look->record;
    const struct labels *labels = record->n_alerts ? record->alerts[0].labels
                                                   : record->incident.labels;
    STR_AUTO struct str pattern = STR_INIT(16 * 1024);
    const char *value = NULL;
    size_t i = 0;

    for (; labels && !value && i < sizeof(names) / sizeof(*names); i++)
        value = labels_get(labels, names[i]);
    if (!value)
        return true;
    for (const char *at = value; *at; at++) {
        bool plain = (*at >= '0' && *at <= '9') || ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z') ||
                     *at == '_' || (unsigned char)*at >= 0x80;

        str_addf(&pattern, plain ? "%c" : "\\%c", *at);
    }
    str_addc(&pattern, '|');
    look->has_where = matcher_init(&look->where, MATCHER_REGEX, names[i - 1], str_text(&pattern),
                                   NULL) == 0;
    return look->has_where;
}

/* --- a setting --- */

/* When a setting first fires in the window; 0: never, or it did when the window began. */
static int64_t fired_at(const struct tune_result *result, struct suggest_cell cell)
{
    uint32_t delay = result->n_incidents ? surface_delay(backtest_surface(result->backtest), 0,
                                                         cell.threshold, cell.for_index)
                                         : SURFACE_MISSED;

    if (delay == SURFACE_MISSED || delay == 0)
        return 0;
    return tune_time_of(result, result->incidents[0].when.begin + delay);
}

static bool fires_first(const struct look *look,
                        const struct tune_result *result,
                        struct suggest_cell cell)
{
    int64_t at_ms = fired_at(result, cell);

    return at_ms && at_ms < look->before_ms;
}

static int64_t alerts_of(const struct tune_result *result, struct suggest_cell cell)
{
    return (int64_t)surface_cell(backtest_surface(result->backtest), cell.threshold, cell.for_index)
        .alerts;
}

static bool has_samples(const struct tune_result *result)
{
    return backtest_n_series(result->backtest) > 0;
}

/* --- what is kept of it --- */

static const char *keep(struct look *look, const struct str *text)
{
    const char *kept = arena_strndup(look->arena, str_text(text), text->len);

    look->is_spent |= !kept;
    return kept;
}

static void say_setting(const struct tune_result *result,
                        const struct learnt_candidate *candidate,
                        struct suggest_cell cell,
                        struct str *out)
{
    char then[DURATION_TEXT_MAX];
    char text[DURATION_TEXT_MAX];
    char number[FLOAT_TEXT_MAX];
    const char *what = result->choice->way == SPLIT_ONE || result->choice->way == SPLIT_AGAIN
                           ? "threshold"
                           : "factor";

    if (cell.threshold != result->now.threshold) {
        float_short(result->thresholds[cell.threshold], number);
        str_addf(out, "%s %s instead of ", what, number);
        float_short(result->choice->now, number);
        str_add(out, number);
    } else if (cell.for_index != result->now.for_index) {
        str_addf(out, "for %s instead of %s",
                 duration_print(result->for_steps[cell.for_index] * candidate->interval_ms, text),
                 duration_print(candidate->for_ms, then));
    } else {
        str_add(out, "as it is now");
    }
}

/* What it would have paged, beside what the rule paged as it was. */
static void count_pages(const struct look *look,
                        struct learnt_candidate *candidate,
                        const double *threshold,
                        struct learnt_earlier *row)
{
    struct learnt_cost cost;

    if (!row->is_counted && !row->is_own) /* too much of a past */
        return;
    if (!candidate->is_then_known)
        candidate->is_then_known = learnt_past_cost(&look->past, candidate, NULL, candidate->for_ms,
                                                    &candidate->then);
    if (!candidate->is_then_known)
        return;
    if (row->is_own) {
        row->is_counted = true;
        row->alerts = candidate->then.alerts;
        cost = candidate->then;
    } else if (!learnt_past_cost(&look->past, candidate, threshold, row->for_ms, &cost)) {
        return;
    }
    row->is_paged = true;
    row->pages = cost.pages;
    row->pages_then = candidate->then.pages;
}

static void add_earlier(struct look *look,
                        struct learnt_candidate *candidate,
                        const struct tune_result *result,
                        struct suggest_cell cell,
                        bool is_counted)
{
    struct learnt *learnt = look->learnt;
    STR_AUTO struct str setting = STR_INIT(400);
    STR_AUTO struct str query = STR_INIT(64 * 1024);

    if (learnt->n_earlier == LEARNT_EARLIER_MAX)
        return;
    say_setting(result, candidate, cell, &setting);
    if (cell.threshold == result->now.threshold) {
        str_add(&query, candidate->expr);
    } else {
        ARENA_AUTO struct arena arena;
        struct promql_expr *expr = NULL;

        arena_init(&arena, RULES_BYTES_MAX);
        char *text = arena_strndup(&arena, candidate->expr, strlen(candidate->expr));

        if (!text || promql_parse(&arena, text, &expr, NULL))
            return;
        split_text(expr, result->choice, result->thresholds[cell.threshold], &query);
    }
    const double *threshold = cell.threshold == result->now.threshold
                                  ? NULL
                                  : &result->thresholds[cell.threshold];
    struct learnt_earlier *row = &learnt->earlier[learnt->n_earlier++];

    *row = (struct learnt_earlier){
        .rule = candidate->name,
        .rule_id = candidate->id,
        .setting = keep(look, &setting),
        .query = keep(look, &query),
        .for_ms = cell.for_index == result->now.for_index
                      ? candidate->for_ms
                      : result->for_steps[cell.for_index] * candidate->interval_ms,
        .fired_ms = fired_at(result, cell),
        .is_own = !threshold && cell.for_index == result->now.for_index,
        .is_counted = is_counted,
        .alerts = is_counted ? alerts_of(result, cell) : 0,
        .alerts_then = is_counted ? alerts_of(result, result->now) : 0,
    };
    count_pages(look, candidate, threshold, row);
}

/* --- rules that fired in it --- */

/* The longest `for` that is at most half of the rule's and fires first, and none at all. */
static void try_fors(struct look *look,
                     struct learnt_candidate *candidate,
                     const struct tune_result *result,
                     bool is_counted)
{
    struct suggest_cell cell = result->now;
    uint32_t now_steps = result->for_steps[cell.for_index];
    bool is_added = false;

    while (cell.for_index > 0) {
        cell.for_index--;
        if (result->for_steps[cell.for_index] * 2 > now_steps || !fires_first(look, result, cell) ||
            (is_added && cell.for_index > 0))
            continue;
        add_earlier(look, candidate, result, cell, is_counted);
        is_added = true;
    }
}

/* The threshold nearest to the rule's that fires first, and, of those that cost no alert more, the
 * easiest. */
static void try_thresholds(struct look *look,
                           struct learnt_candidate *candidate,
                           const struct tune_result *result,
                           bool is_counted)
{
    struct suggest_cell cell = result->now;
    struct suggest_cell free_of_cost = result->now;
    bool is_added = false;

    if (result->choice->way == SPLIT_PRESENCE)
        return;
    while (cell.threshold > 0) {
        cell.threshold--;
        if (!fires_first(look, result, cell))
            continue;
        if (!is_added)
            add_earlier(look, candidate, result, cell, is_counted);
        else if (is_counted && alerts_of(result, cell) <= alerts_of(result, result->now))
            free_of_cost = cell;
        is_added = true;
    }
    if (free_of_cost.threshold != result->now.threshold)
        add_earlier(look, candidate, result, free_of_cost, is_counted);
}

static void look_at_fired(struct look *look, struct learnt_candidate *candidate)
{
    struct tune_result result;
    bool is_counted = learnt_past_run(&look->past, candidate, learnt_past_begin(&look->past),
                                      clock_mono_ms() + LEARNT_PAST_MS, &result) == 0;

    if (!is_counted) { /* too much of a past: its window at least */
        tune_result_done(&result);
        if (learnt_past_run(&look->past, candidate, look->learnt->from_ms, look->past.deadline_ms,
                            &result)) {
            look->is_late |= clock_mono_ms() >= look->past.deadline_ms;
            tune_result_done(&result);
            return;
        }
    }
    look->learnt->n_rules += has_samples(&result);
    try_fors(look, candidate, &result, is_counted);
    try_thresholds(look, candidate, &result, is_counted);
    tune_result_done(&result);
}

/* --- the others --- */

static void add_signal(struct look *look,
                       const struct learnt_candidate *candidate,
                       int64_t breach_ms)
{
    struct learnt *learnt = look->learnt;
    STR_AUTO struct str query = STR_INIT(64 * 1024);

    if (learnt->n_signals == LEARNT_SIGNALS_MAX)
        return;
    str_add(&query, candidate->expr);
    learnt->signals[learnt->n_signals++] = (struct learnt_signal){
        .rule = candidate->name,
        .rule_id = candidate->id,
        .query = keep(look, &query),
        .for_ms = candidate->for_ms,
        .breach_ms = breach_ms,
    };
}

static void look_at_other(struct look *look, struct learnt_candidate *candidate)
{
    struct tune_result result;
    int r = learnt_past_run(&look->past, candidate, look->learnt->from_ms, look->past.deadline_ms,
                            &result);

    if (r == 0) {
        struct suggest_cell at_once = {result.now.threshold, 0};
        int64_t breach_ms = fired_at(&result, at_once);
        bool never = result.n_incidents &&
                     surface_delay(backtest_surface(result.backtest), 0, result.now.threshold,
                                   result.now.for_index) == SURFACE_MISSED;

        if (fires_first(look, &result, result.now)) {
            struct tuned_rule tuned;

            candidate->tuned = tuned_rule_by_id(look->api, candidate->id, &tuned, NULL) ? NULL
                                                                                        : &tuned;
            add_earlier(look, candidate, &result, result.now, false);
            candidate->tuned = NULL;
            tuned_rule_done(&tuned);
        } else if (never && breach_ms)
            add_signal(look, candidate, breach_ms);
    }
    look->learnt->n_rules += r == 0 && has_samples(&result);
    look->is_late |= r != 0 && clock_mono_ms() >= look->past.deadline_ms;
    tune_result_done(&result);
}

/* --- all of them --- */

static bool fired_in_it(const struct look *look, int64_t rule_id)
{
    for (size_t i = 0; i < look->record->n_alerts; i++)
        if (look->record->alerts[i].rule_id == rule_id)
            return true;
    return false;
}

static struct learnt_candidate candidate_of(const struct rule_group_row *group,
                                            const struct rule_row *row)
{
    return (struct learnt_candidate){
        .name = row->name,
        .expr = row->expr,
        .id = row->id,
        .for_ms = row->for_ms,
        .keep_ms = row->keep_firing_for_ms,
        .interval_ms = group->interval_ms,
        .phase_ms = rule_phase_ms(group->source, group->name, group->interval_ms),
    };
}

/* As it was when it fired, on the grid of its group of now. */
static void look_at_alert(struct look *look, const struct incident_alert *alert)
{
    struct learnt_candidate candidate = {.interval_ms = RULE_INTERVAL_DEFAULT_MS};
    struct tuned_rule tuned;

    for (size_t g = 0; g < look->n_groups; g++)
        for (size_t i = 0; i < look->groups[g].n_rules; i++)
            if (look->groups[g].rules[i].id == alert->rule_id)
                candidate = candidate_of(&look->groups[g], &look->groups[g].rules[i]);
    candidate.name = alert->name;
    candidate.id = alert->rule_id;
    candidate.expr = alert->expr;
    candidate.for_ms = alert->for_ms;
    if (!alert->expr || !*alert->expr)
        return;
    candidate.tuned = tuned_rule_by_id(look->api, candidate.id, &tuned, NULL) ? NULL : &tuned;
    look_at_fired(look, &candidate);
    tuned_rule_done(&tuned);
}

static void look_at_others(struct look *look)
{
    size_t n = 0;

    for (size_t g = 0; g < look->n_groups; g++)
        for (size_t i = 0; i < look->groups[g].n_rules; i++) {
            const struct rule_row *row = &look->groups[g].rules[i];
            struct learnt_candidate candidate = candidate_of(&look->groups[g], row);

            if (row->is_recording || fired_in_it(look, row->id))
                continue;
            if (look->is_late || n++ >= LEARNT_RULES_MAX) {
                look->is_late = true;
                return;
            }
            look_at_other(look, &candidate);
        }
}

static int by_fired(const void *a, const void *b)
{
    const struct learnt_earlier *x = a;
    const struct learnt_earlier *y = b;

    return (x->fired_ms > y->fired_ms) - (x->fired_ms < y->fired_ms);
}

static int by_breach(const void *a, const void *b)
{
    const struct learnt_signal *x = a;
    const struct learnt_signal *y = b;

    return (x->breach_ms > y->breach_ms) - (x->breach_ms < y->breach_ms);
}

static int read_rules(struct look *look)
{
    struct rule_group_row *groups = NULL;
    struct db_conn *conn = NULL;
    int r = db_read_begin(look->api->state, &conn, NULL);

    if (r)
        return r;
    r = rule_db_list(conn, look->learnt->made_ms, look->arena, &groups, &look->n_groups, NULL);
    db_read_end(look->api->state, conn);
    look->groups = groups;
    return r;
}

/* When somebody knew; what nobody noticed could have been seen until its end. */
static int64_t detected_of(const struct postmortem_record *record, const struct learnt *learnt)
{
    int64_t detected_ms = record->from->record.marks[RECORD_DETECTED].at_ms;

    return detected_ms ? detected_ms : learnt->to_ms;
}

/* Time that ran out is said before samples that are missing: who looks again may have more of it. */
static void say_why_not(struct look *look)
{
    STR_AUTO struct str words = STR_INIT(4096);

    told_say(look->past.told, "", "", &words);
    if (look->is_late)
        look->learnt->why_not = "there was no time to look at all rules";
    else if (words.len > 0)
        look->learnt->why_not = keep(look, &words);
}

bool learnt_rules(const struct api *api,
                  const struct postmortem_record *record,
                  struct learnt *learnt)
{
    struct look look = {
        .api = api,
        .record = record,
        .learnt = learnt,
        .arena = record->arena,
        .before_ms = detected_of(record, learnt),
        .past =
            {
                .api = api,
                .incident = record->incident.key,
                .from_ms = learnt->from_ms,
                .to_ms = learnt->to_ms,
                .deadline_ms = clock_mono_ms() + LEARNT_LOOK_MS,
            },
    };

    learnt->earlier = arena_array(look.arena, LEARNT_EARLIER_MAX, sizeof(*learnt->earlier));
    learnt->signals = arena_array(look.arena, LEARNT_SIGNALS_MAX, sizeof(*learnt->signals));
    if (!learnt->earlier || !learnt->signals)
        return false;
    if (!lay_where(&look) || read_rules(&look)) {
        learnt->why_not = "the rules could not be read";
        if (look.has_where)
            matcher_done(&look.where);
        return true;
    }
    look.past.where = look.has_where ? &look.where : NULL;
    learnt_past_load(&look.past);
    for (size_t i = 0; i < record->n_alerts; i++)
        if (i == 0 || record->alerts[i].rule_id != record->alerts[i - 1].rule_id)
            look_at_alert(&look, &record->alerts[i]);
    look_at_others(&look);
    say_why_not(&look);
    learnt_past_done(&look.past);
    if (learnt->n_earlier)
        qsort(learnt->earlier, learnt->n_earlier, sizeof(*learnt->earlier), by_fired);
    if (learnt->n_signals)
        qsort(learnt->signals, learnt->n_signals, sizeof(*learnt->signals), by_breach);
    if (look.has_where)
        matcher_done(&look.where);
    return !look.is_spent;
}
