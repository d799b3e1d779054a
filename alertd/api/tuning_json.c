/*
 * A rule over its past as JSON: all that a page needs to show any setting of the grid without asking
 * again. See tuning.h; docs/api.md draws it.
 *
 * Cells are rows of thresholds, each with its `for`s. Floats and runs are base64: a page makes
 * typed arrays of them.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/rules.h"
#include "alertd/api/tuning.h"
#include "alertd/incident/report.h"
#include "alertd/promql/ast.h"
#include "alertd/rule/lint.h"
#include "alertd/tune/front.h"
#include "alertd/tune/picture.h"
#include "lib/base/base64.h"

enum {
    RUNS_BYTES_MAX = 6 << 20, /* of all series that are drawn */
    FRONT_POINTS_MAX = 6,
    LINES_MAX = 16, /* series with a line of their own */
    EPISODES_MAX = 2000,
    GAPS_MAX = 1000,
};

static void kv_base64(struct json_out *out, const char *name, const void *bytes, size_t n_bytes)
{
    STR_AUTO struct str text = STR_INIT(n_bytes / 3 * 4 + 8);

    base64_encode(bytes, n_bytes, &text);
    json_kv_string(out, name, str_text(&text));
}

/* --- the rule --- */

/* Of a place in the file, within the rule's own text. */
static unsigned within(unsigned at, unsigned head)
{
    return at > head ? at - head : 1;
}

static void write_finding(const struct rule_finding *finding,
                          const struct tuned_rule *rule,
                          struct json_out *out)
{
    struct rule_span span = finding->span;

    json_open(out, '{');
    json_kv_string(out, "severity", rule_severity_name(finding->severity));
    json_kv_string(out, "id", finding->id);
    json_kv_int(out, "line", within(span.line, rule->head_lines));
    json_kv_int(out, "column", within(span.column, rule->head_columns));
    json_kv_int(out, "end_line", within(span.end_line, rule->head_lines));
    json_kv_int(out, "end_column", within(span.end_column, rule->head_columns));
    json_kv_string(out, "text", finding->text);
    json_kv_string(out, "fix", finding->fix);
    json_close(out, '}');
}

void tuning_write_findings(const struct tuned_rule *rule, struct json_out *out)
{
    struct rule_findings findings = {0};

    rule_lint(rule->file, &findings);
    json_key(out, "findings");
    json_open(out, '[');
    for (size_t i = 0; i < findings.n; i++)
        write_finding(&findings.at[i], rule, out);
    json_close(out, ']');
    rule_findings_done(&findings);
}

static void write_texts(const char *name,
                        const struct rule_text *texts,
                        size_t n,
                        struct json_out *out)
{
    json_key(out, name);
    json_open(out, '{');
    for (size_t i = 0; i < n; i++)
        json_kv_string(out, texts[i].name, texts[i].text);
    json_close(out, '}');
}

static void write_rule(const struct tuning *tuning, struct json_out *out)
{
    const struct tuned_rule *tuned = &tuning->tuned;
    const struct rule *rule = tuned->rule;

    json_key(out, "rule");
    json_open(out, '{');
    json_key(out, "id");
    if (tuned->id)
        json_int(out, tuned->id);
    else
        json_null(out);
    json_kv_int(out, "version", tuned->version);
    json_kv_string(out, "name", rule->name);
    json_kv_string(out, "source", tuned->source);
    json_kv_string(out, "group", tuned->group_name);
    json_kv_string(out, "yaml", tuned->yaml);
    json_kv_string(out, "expr", rule->expr_text);
    json_kv_int(out, "for_ms", rule->for_ms);
    json_kv_int(out, "keep_firing_for_ms", rule->keep_firing_for_ms);
    json_kv_int(out, "interval_ms", tuned->interval_ms);
    write_texts("labels", rule->labels, rule->n_labels, out);
    write_texts("annotations", rule->annotations, rule->n_annotations, out);
    tuning_write_findings(tuned, out);
    json_close(out, '}');
}

/* --- what can be moved --- */

static const char *sign_of(enum surface_op op)
{
    static const char *const signs[] = {">", ">=", "<", "<="};

    return signs[op];
}

static void write_choice(const struct tuning *tuning,
                         const struct split_choice *choice,
                         struct json_out *out)
{
    const char *text = tuning->tuned.rule->expr->text;

    json_open(out, '{');
    json_kv_string(out, "way", split_way_name(choice->way));
    json_kv_string(out, "words", choice->words);
    json_kv_string(out, "op", sign_of(choice->op));
    json_kv_float(out, "now", choice->now);
    json_kv_string(out, "expr", choice->expr);
    json_key(out, "places");
    json_open(out, '[');
    for (size_t i = 0; i < choice->n_places; i++) {
        const struct split_place *place = &choice->places[i];
        json_open(out, '{');
        json_kv_int(out, "start", place->start);
        json_kv_int(out, "end", place->end);
        json_kv_float(out, "base", place->base);
        json_key(out, "text");
        json_stringn(out, text + place->start, place->end - place->start);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

static void write_choices(const struct tuning *tuning,
                          const struct tune_result *result,
                          struct json_out *out)
{
    json_key(out, "choices");
    json_open(out, '[');
    for (size_t i = 0; i < result->n_choices; i++)
        write_choice(tuning, &result->choices[i], out);
    json_close(out, ']');
    json_kv_int(out, "choice", result->choice - result->choices + 1);
}

static void write_grid(const struct tune_result *result, struct json_out *out)
{
    json_key(out, "thresholds");
    json_open(out, '[');
    for (size_t j = 0; j < result->n_thresholds; j++)
        json_float(out, result->thresholds[j]);
    json_close(out, ']');
    json_key(out, "for_steps");
    json_open(out, '[');
    for (size_t k = 0; k < result->n_fors; k++)
        json_int(out, result->for_steps[k]);
    json_close(out, ']');
}

static void write_cell(const char *name, struct suggest_cell cell, struct json_out *out)
{
    json_key(out, name);
    json_open(out, '{');
    json_kv_int(out, "threshold", (int64_t)cell.threshold);
    json_kv_int(out, "for", (int64_t)cell.for_index);
    json_close(out, '}');
}

/* Settings that nothing beats, for those who weigh otherwise than the suggestion does. */
static void write_front(const struct tune_result *result, struct json_out *out)
{
    struct front_point points[FRONT_MAX];
    size_t n = front_of(backtest_surface(result->backtest), result->n_thresholds, result->n_fors,
                        result->n_incidents, result->now, points);

    n = front_thin(points, n, FRONT_POINTS_MAX);
    json_key(out, "front");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_int(out, "threshold", (int64_t)points[i].at.threshold);
        json_kv_int(out, "for", (int64_t)points[i].at.for_index);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_key(out, "left_out");
    json_open(out, '{');
    json_kv_int(out, "n", (int64_t)result->n_checked);
    json_kv_int(out, "found", (int64_t)result->n_check_found);
    json_close(out, '}');
}

/* --- the surface --- */

enum column {
    ALERTS,
    TRUE_ALERTS,
    FIRING_STEPS,
    NIGHTS,
};

static void write_cells_of(const struct tune_result *result,
                           const char *name,
                           enum column column,
                           struct json_out *out)
{
    const struct surface *surface = backtest_surface(result->backtest);

    json_key(out, name);
    json_open(out, '[');
    for (size_t j = 0; j < result->n_thresholds; j++)
        for (size_t k = 0; k < result->n_fors; k++) {
            struct surface_cell cell = surface_cell(surface, j, k);
            const uint64_t values[] = {cell.alerts, cell.true_alerts, cell.firing_steps,
                                       cell.marked_alerts};
            json_int(out, (int64_t)values[column]);
        }
    json_close(out, ']');
}

static void write_cells(const struct tune_result *result, struct json_out *out)
{
    json_key(out, "cells");
    json_open(out, '{');
    write_cells_of(result, "alerts", ALERTS, out);
    write_cells_of(result, "true_alerts", TRUE_ALERTS, out);
    write_cells_of(result, "firing_steps", FIRING_STEPS, out);
    write_cells_of(result, "nights", NIGHTS, out);
    json_close(out, '}');
}

static void write_delays(const struct tune_result *result, struct json_out *out)
{
    const struct surface *surface = backtest_surface(result->backtest);

    json_key(out, "delays");
    json_open(out, '[');
    for (size_t i = 0; i < result->n_incidents; i++) {
        json_open(out, '[');
        for (size_t j = 0; j < result->n_thresholds; j++)
            for (size_t k = 0; k < result->n_fors; k++) {
                uint32_t delay = surface_delay(surface, i, j, k);
                json_int(out, delay == SURFACE_MISSED ? -1 : (int64_t)delay);
            }
        json_close(out, ']');
    }
    json_close(out, ']');
}

/* Where each threshold has values of its own there is none. */
static void write_hysteresis(const struct tune_result *result, struct json_out *out)
{
    const struct surface *surface = backtest_surface(result->backtest);
    bool has_one = result->choice->way != SPLIT_AGAIN && result->choice->way != SPLIT_PRESENCE;

    json_key(out, "hysteresis");
    json_open(out, '[');
    for (size_t off = 0; has_one && off < result->n_thresholds; off++)
        for (size_t on = 0; on < result->n_thresholds; on++)
            json_int(out, on < off ? 0 : (int64_t)surface_hysteresis(surface, off, on));
    json_close(out, ']');
}

/* Which of result->incidents it is; -1: none. */
static int64_t found_at(const struct tuning *tuning,
                        const struct tune_result *result,
                        const struct tuning_incident *incident)
{
    for (size_t i = 0; incident->is_when && i < result->n_incidents; i++)
        if (result->of[i] == &tuning->whens[incident->when])
            return (int64_t)i;
    return -1;
}

static void write_incidents(const struct tuning *tuning,
                            const struct tune_result *result,
                            struct json_out *out)
{
    json_key(out, "incidents");
    json_open(out, '[');
    for (size_t i = 0; i < tuning->n_incidents; i++) {
        const struct tuning_incident *incident = &tuning->incidents[i];
        json_open(out, '{');
        json_kv_string(out, "source", incident->source);
        json_kv_string(out, "key", incident->key);
        json_kv_string(out, "title", incident->title);
        json_kv_string(out, "verdict", incident->verdict);
        json_kv_time(out, "begin", incident->begin_ms);
        json_kv_time(out, "end", incident->end_ms);
        json_kv_bool(out, "counts", incident->counts);
        json_kv_string(out, "words", incident->words);
        json_kv_int(out, "at", found_at(tuning, result, incident));
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* --- the picture --- */

static void write_columns(const struct picture_series *series, uint32_t n, struct json_out *out)
{
    kv_base64(out, "least", series->least, n * sizeof(float));
    kv_base64(out, "greatest", series->greatest, n * sizeof(float));
}

static void write_series(const struct tuning *tuning,
                         const struct tune_result *result,
                         struct json_out *out)
{
    struct picture *picture = result->picture;
    bool is_apart = result->choice->way == SPLIT_AGAIN;
    size_t n_bytes = 0;

    json_kv_int(out, "n_series", (int64_t)backtest_n_series(result->backtest));
    json_kv_int(out, "n_drawn", picture ? (int64_t)picture_n_series(picture) : 0);
    json_key(out, "series");
    json_open(out, '[');
    size_t n = picture ? picture_sort(picture, result->now.threshold) : 0;
    for (size_t i = 0; i < n; i++) {
        struct picture_series series = picture_series(picture, i);
        n_bytes += series.n_bytes;
        if (n_bytes > RUNS_BYTES_MAX)
            break;
        json_open(out, '{');
        rules_json_labels(out, "labels", series.labels);
        if (!is_apart) /* what lies within fires nothing by itself */
            kv_base64(out, "runs", series.runs, series.n_bytes);
        if (i < LINES_MAX)
            write_columns(&series, tuning->columns, out);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_key(out, "all");
    if (!picture) {
        json_null(out);
        return;
    }
    struct picture_series all = picture_all(picture);
    json_open(out, '{');
    json_kv_int(out, "columns", tuning->columns);
    write_columns(&all, tuning->columns, out);
    json_close(out, '}');
}

/* --- all of it --- */

static void write_drill(const struct tuned_past *past, struct json_out *out)
{
    json_key(out, "drill");
    if (!past->is_drill) {
        json_null(out);
        return;
    }
    json_open(out, '{');
    json_kv_string(out, "name", past->name);
    json_kv_string(out, "title", past->title);
    json_key(out, "session");
    if (past->session)
        json_int(out, past->session);
    else
        json_null(out);
    json_close(out, '}');
}

static void write_head(const struct tuning *tuning,
                       const struct tune_result *result,
                       struct json_out *out)
{
    write_rule(tuning, out);
    json_kv_time(out, "from", tuning->from_ms);
    json_kv_time(out, "to", tuning->to_ms);
    json_kv_string(out, "zone", zone_name(tuning->zone));
    write_drill(&tuning->past, out);
    told_json(tuning->past.told, out);
    json_kv_int(out, "ingest_lag_ms", tuning->past.lag_ms);
    json_kv_int(out, "start_ms", result->span.start_ms);
    json_kv_int(out, "step_ms", result->span.step_ms);
    json_kv_int(out, "n_steps", result->span.n_steps);
    json_kv_int(out, "first_step", result->first_step);
    write_choices(tuning, result, out);
}

static void write_gaps(const struct tune_result *result, struct json_out *out)
{
    json_key(out, "gaps");
    json_open(out, '[');
    for (size_t i = 0; i < result->gaps.n && i < GAPS_MAX; i++) {
        json_open(out, '{');
        json_kv_time(out, "begin", result->gaps.at[i].begin_ms);
        json_kv_time(out, "end", result->gaps.at[i].end_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void tuning_write(const struct tuning *tuning, struct tune_result *result, struct json_out *out)
{
    json_open(out, '{');
    write_head(tuning, result, out);
    write_grid(result, out);
    write_cell("now", result->now, out);
    write_cell("also", result->also, out);
    if (result->has_suggestion) {
        write_cell("suggestion", result->suggestion, out);
    } else {
        json_key(out, "suggestion");
        json_null(out);
    }
    write_front(result, out);
    write_cells(result, out);
    write_incidents(tuning, result, out);
    write_delays(result, out);
    write_gaps(result, out);
    write_hysteresis(result, out);
    write_series(tuning, result, out);
    tuning_write_apart(result, out);
    json_close(out, '}');
}

/* --- alert by alert --- */

static int64_t time_of(const struct tune_result *result, uint32_t step)
{
    return result->span.start_ms + (int64_t)step * result->span.step_ms;
}

static void write_episode(const struct tuning *tuning,
                          const struct tune_result *result,
                          const struct episode *episode,
                          struct json_out *out)
{
    bool is_over = episode->resolved < result->span.n_steps;

    json_open(out, '{');
    rules_json_labels(out, "labels", episode->labels);
    json_kv_time(out, "active_at", time_of(result, episode->active));
    json_kv_time(out, "fired_at", time_of(result, episode->fired));
    json_kv_time(out, "resolved_at", is_over ? time_of(result, episode->resolved) : 0);
    json_kv_bool(out, "in_incident", episode->is_true);
    json_kv_bool(out, "at_night", report_is_night(tuning->zone, time_of(result, episode->fired)));
    json_close(out, '}');
}

void tuning_write_episodes(const struct tuning *tuning,
                           const struct tune_result *result,
                           const struct tuned_rule *rule,
                           struct json_out *out)
{
    size_t n = 0;
    size_t n_true = 0;
    size_t n_nights = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);

    for (size_t i = 0; i < n; i++) {
        n_true += episodes[i].is_true;
        n_nights += report_is_night(tuning->zone, time_of(result, episodes[i].fired));
    }
    json_open(out, '{');
    json_kv_string(out, "yaml", rule->yaml);
    json_kv_string(out, "expr", rule->rule->expr_text);
    tuning_write_findings(rule, out);
    json_kv_int(out, "alerts", (int64_t)n);
    json_kv_int(out, "true_alerts", (int64_t)n_true);
    json_kv_int(out, "nights", (int64_t)n_nights);
    told_json(tuning->past.told, out);
    json_key(out, "episodes");
    json_open(out, '[');
    for (size_t i = 0; i < n && i < EPISODES_MAX; i++)
        write_episode(tuning, result, &episodes[i], out);
    json_close(out, ']');
    json_close(out, '}');
}
