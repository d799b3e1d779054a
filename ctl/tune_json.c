/*
 * What a rule would have done, for programs. See tune.h.
 */

#include "ctl/tune.h"

static void write_cells(const struct tune_result *result, struct json_out *out)
{
    const struct surface *surface = backtest_surface(result->backtest);

    json_key(out, "cells");
    json_open(out, '[');
    for (size_t j = 0; j < result->n_thresholds; j++)
        for (size_t k = 0; k < result->n_fors; k++) {
            const struct suggest_sum sum = suggest_sum(surface, result->n_incidents,
                                                       (struct suggest_cell){j, k});
            json_open(out, '{');
            json_kv_float(out, "threshold", result->thresholds[j]);
            json_kv_int(out, "for_ms", result->for_steps[k] * result->span.step_ms);
            json_kv_int(out, "alerts", (int64_t)sum.cell.alerts);
            json_kv_int(out, "true_alerts", (int64_t)sum.cell.true_alerts);
            json_kv_int(out, "weight", (int64_t)sum.cell.weight);
            json_kv_int(out, "needless", (int64_t)sum.cell.needless);
            json_kv_int(out, "firing_ms", (int64_t)sum.cell.firing_steps * result->span.step_ms);
            json_kv_int(out, "incidents_found", (int64_t)sum.n_found);
            json_kv_int(out, "worst_delay_ms", sum.worst_delay * result->span.step_ms);
            json_close(out, '}');
        }
    json_close(out, ']');
}

static void write_alerts(const struct tune_result *result, struct json_out *out)
{
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);

    json_key(out, "alerts");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_key(out, "labels");
        json_open(out, '{');
        for (size_t k = 0; k < episodes[i].labels->n; k++)
            json_kv_string(out, episodes[i].labels->at[k].name, episodes[i].labels->at[k].value);
        json_close(out, '}');
        json_kv_time(out, "active_at", tune_time_of(result, episodes[i].active));
        json_kv_time(out, "fired_at", tune_time_of(result, episodes[i].fired));
        json_kv_time(out, "resolved_at",
                     episodes[i].resolved == result->n_steps
                         ? 0
                         : tune_time_of(result, episodes[i].resolved));
        json_kv_bool(out, "in_incident", episodes[i].is_true);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_setting(const struct tune_result *result,
                          const char *name,
                          struct suggest_cell at,
                          struct json_out *out)
{
    json_key(out, name);
    json_open(out, '{');
    json_kv_float(out, "threshold", result->thresholds[at.threshold]);
    json_kv_int(out, "for_ms", result->for_steps[at.for_index] * result->span.step_ms);
    json_close(out, '}');
}

static void write_share(struct json_out *out, const char *name, uint64_t hits, uint64_t n)
{
    double low;
    double high;

    suggest_interval(hits, n, &low, &high);
    json_key(out, name);
    json_open(out, '{');
    json_kv_int(out, "hits", (int64_t)hits);
    json_kv_int(out, "of", (int64_t)n);
    json_kv_float(out, "low", low);
    json_kv_float(out, "high", high);
    json_close(out, '}');
}

static void write_churn(const struct tune_result *result, struct json_out *out)
{
    const struct cell_setting setting = {result->now.threshold,
                                         result->for_steps[result->now.for_index], 0};
    const struct cell_churn churn = cell_churn(result->backtest, &setting);

    json_kv_string(out, "churning_label", churn.label);
    json_kv_int(out, "clocks_begun_anew", (int64_t)churn.n_handed);
    json_kv_int(out, "clocks_lost", (int64_t)churn.n_lost);
}

static void write_figures(const struct tune_result *result, struct json_out *out)
{
    size_t n = 0;
    size_t n_true = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);
    const struct figures_span span = tune_figures_span(result);
    const struct figures figures = figures_of(episodes, n, &span);
    size_t n_found = 0;

    for (size_t i = 0; i < n; i++)
        n_true += episodes[i].is_true;
    for (size_t i = 0; i < result->n_incidents; i++)
        n_found += tune_found(result, i).is_found;
    json_key(out, "figures");
    json_open(out, '{');
    json_kv_int(out, "alerts", (int64_t)figures.n);
    json_kv_int(out, "nights", (int64_t)figures.n_nights);
    json_kv_int(out, "over_within_5m", (int64_t)figures.n_short);
    json_kv_int(out, "again_within_1h", (int64_t)figures.n_again);
    json_kv_int(out, "most_in_12h", (int64_t)figures.most_in_shift);
    json_kv_int(out, "longest_ms", figures.longest_ms);
    json_kv_int(out, "median_ms", figures.median_ms);
    json_kv_int(out, "longest_quiet_ms", figures.longest_quiet_ms);
    json_kv_int(out, "while_nothing_was_collected", (int64_t)tune_n_blind(result));
    write_churn(result, out);
    if (result->n_incidents > 0) {
        write_share(out, "precision", n_true, n);
        write_share(out, "recall", n_found, result->n_incidents);
    }
    json_close(out, '}');
}

static void write_incidents(const struct tune_result *result, struct json_out *out)
{
    json_key(out, "incident_by_incident");
    json_open(out, '[');
    for (size_t i = 0; i < result->n_incidents; i++) {
        const struct figures_found found = tune_found(result, i);
        json_open(out, '{');
        json_kv_time(out, "begin", result->of[i]->begin_ms);
        json_kv_time(out, "end", result->of[i]->end_ms);
        json_kv_bool(out, "found", found.is_found);
        if (found.is_found) {
            json_kv_int(out, "delay_ms", found.delay_ms);
            json_kv_int(out, "phase_ms", found.phase_ms);
            json_kv_int(out, "passing_ms", found.passing_ms);
            json_kv_int(out, "for_ms", found.for_ms);
            json_kv_int(out, "reset_ms", found.reset_ms);
            json_kv_bool(out, "still_fires", found.is_still);
        }
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_front(const struct tune_result *result, struct json_out *out)
{
    struct front_point points[FRONT_MAX];
    size_t n = front_of(backtest_surface(result->backtest), result->n_thresholds, result->n_fors,
                        result->n_incidents, result->now, points);
    int64_t step_ms = result->span.step_ms;

    json_key(out, "front");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_float(out, "threshold", result->thresholds[points[i].at.threshold]);
        json_kv_int(out, "for_ms", result->for_steps[points[i].at.for_index] * step_ms);
        json_kv_int(out, "alerts", (int64_t)points[i].cell.alerts);
        json_kv_int(out, "needless", (int64_t)points[i].cell.needless);
        json_kv_int(out, "incidents_found", (int64_t)points[i].n_found);
        if (points[i].p90_delay != SURFACE_MISSED)
            json_kv_int(out, "p90_delay_ms", points[i].p90_delay * step_ms);
        json_kv_int(out, "lost", (int64_t)points[i].n_lost);
        json_kv_int(out, "gained", (int64_t)points[i].n_gained);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void tune_json(const struct tune_ask *ask,
               const struct tune_result *result,
               const struct tune_look *look,
               struct json_out *out)
{
    const struct tune_phases *phases = look->phases;

    json_open(out, '{');
    json_kv_string(out, "rule", ask->rule->name);
    json_kv_string(out, "expr", ask->rule->expr_text);
    json_kv_string(out, "way", split_way_name(result->choice->way));
    json_kv_string(out, "evaluated", result->choice->expr);
    json_kv_string(out, "op", tune_sign(result->choice->op));
    json_kv_time(out, "from", ask->from_ms);
    json_kv_time(out, "to", ask->to_ms);
    json_kv_int(out, "interval_ms", ask->interval_ms);
    json_kv_int(out, "keep_firing_for_ms", result->keep_steps * result->span.step_ms);
    json_kv_int(out, "series", (int64_t)backtest_n_series(result->backtest));
    json_kv_int(out, "incidents", (int64_t)result->n_incidents);
    missing_json(look->told, "warnings", out);
    write_setting(result, "now", result->now, out);
    if (result->has_suggestion)
        write_setting(result, "suggestion", result->suggestion, out);
    if (result->n_checked > 0) {
        json_kv_int(out, "left_out", (int64_t)result->n_checked);
        json_kv_int(out, "left_out_found", (int64_t)result->n_check_found);
    }
    write_figures(result, out);
    if (phases->n > 0) {
        json_kv_int(out, "phases", (int64_t)phases->n);
        json_kv_int(out, "least_alerts", (int64_t)phases->least);
        json_kv_int(out, "most_alerts", (int64_t)phases->most);
    }
    write_incidents(result, out);
    write_front(result, out);
    if (look->faults)
        tune_faults_json(look->faults, out);
    if (look->hysteresis)
        tune_hysteresis_json(look->hysteresis, out);
    write_cells(result, out);
    write_alerts(result, out);
    json_close(out, '}');
}
