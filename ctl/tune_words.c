/*
 * What the alerts of a setting were like, incident by incident, and the settings to choose among.
 * See tune.h.
 */

#include <stdio.h>

#include "ctl/tune.h"
#include "lib/base/clock.h"
#include "lib/model/duration.h"

enum {
    INCIDENTS_SHOWN = 12,
    FRONT_SHOWN = 8,
    AGAIN_PERCENT = 30, /* fire again within an hour: keep_firing_for is worth a look */
    HANDED_MIN = 3,
    HANDED_PERCENT = 20,
    KEEP_MS = 10 * 60000,
};
#define WEEK_MS (7 * 86400000.0)

static void add_ms(int64_t ms, struct str *out)
{
    char text[DURATION_TEXT_MAX];

    str_add(out, duration_human(ms, text));
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* What keep_firing_for would make of alerts that come again and again. */
static void add_keep_hint(const struct tune_result *result, struct str *out)
{
    struct cell_episodes episodes;
    const uint32_t keep_steps = grid_for_steps(KEEP_MS, result->span.step_ms);
    const struct cell_setting setting = {result->now.threshold,
                                         result->for_steps[result->now.for_index], keep_steps};

    if (keep_steps <= result->keep_steps ||
        cell_episodes(result->backtest, &setting, &episodes, NULL) != 0)
        return;
    str_addf(out, "  With keep_firing_for 10m it would be %zu alert%s.\n", episodes.n,
             plural(episodes.n));
    cell_episodes_done(&episodes);
}

static void add_churn(const struct tune_result *result, struct str *out)
{
    const struct cell_setting setting = {result->now.threshold,
                                         result->for_steps[result->now.for_index], 0};
    const struct cell_churn churn = cell_churn(result->backtest, &setting);

    if (!churn.label || churn.n_handed < HANDED_MIN ||
        churn.n_handed * 100 < churn.n_runs * HANDED_PERCENT)
        return; /* by chance one ends as another begins, too */
    str_addf(out,
             "  %zu times one ended as another began that differs by %s alone, %zu times before "
             "`for` was over:\n  the clock begins anew with each %s. Aggregate it away.\n",
             churn.n_handed, churn.label, churn.n_lost, churn.label);
}

static void add_share(uint64_t hits, uint64_t n, const char *of, struct str *out)
{
    double low;
    double high;

    suggest_interval(hits, n, &low, &high);
    str_addf(out, "  %llu of %llu %s (that is %.0f to %.0f %% of all such)",
             (unsigned long long)hits, (unsigned long long)n, of, low * 100, high * 100);
}

static void add_incident(const struct figures_found *found,
                         const struct tune_incident *incident,
                         struct str *out)
{
    char text[CLOCK_TEXT_MAX];

    str_addf(out, "    %s  ", clock_rfc3339(incident->begin_ms, text));
    if (!found->is_found) {
        str_add(out, "missed\n");
        return;
    }
    if (found->delay_ms == 0) {
        str_add(out, "fired already");
    } else {
        str_add(out, "after ");
        add_ms(found->delay_ms, out);
        str_add(out, ": ");
        add_ms(found->phase_ms + found->passing_ms, out);
        str_add(out, " until it passed, `for` ");
        add_ms(found->for_ms, out);
    }
    if (found->is_still) {
        str_add(out, "; it still fires\n");
    } else if (found->reset_ms == 0) {
        str_add(out, "; over by its end\n");
    } else {
        str_add(out, "; over ");
        add_ms(found->reset_ms, out);
        str_add(out, " behind its end\n");
    }
}

static void add_incidents(const struct tune_result *result, struct str *out)
{
    for (size_t i = 0; i < result->n_incidents && i < INCIDENTS_SHOWN; i++) {
        const struct figures_found found = tune_found(result, i);
        add_incident(&found, result->of[i], out);
    }
    if (result->n_incidents > INCIDENTS_SHOWN)
        str_addf(out, "    ... and %zu more (--json has all)\n",
                 result->n_incidents - INCIDENTS_SHOWN);
}

static void add_found(const struct tune_result *result,
                      const struct episode *episodes,
                      size_t n,
                      struct str *out)
{
    size_t n_found = 0;
    size_t n_true = 0;
    int64_t worst_ms = 0;

    if (result->n_incidents == 0) {
        str_add(out, "  No incident is known in this time (--incidents), so no alert can be told "
                     "from noise.\n");
        return;
    }
    for (size_t i = 0; i < n; i++)
        n_true += episodes[i].is_true;
    for (size_t i = 0; i < result->n_incidents; i++) {
        const struct figures_found found = tune_found(result, i);
        n_found += found.is_found;
        worst_ms = found.delay_ms > worst_ms ? found.delay_ms : worst_ms;
    }
    add_share(n_found, result->n_incidents, "incidents found", out);
    if (worst_ms > 0) {
        str_add(out, ", the last after ");
        add_ms(worst_ms, out);
    } else if (n_found > 0) {
        str_add(out, ", each at once");
    }
    str_addf(out, "; %zu alert%s about none.\n", n - n_true, plural(n - n_true));
    add_incidents(result, out);
    if (n > 0) {
        add_share(n_true, n, "alerts were about an incident", out);
        str_add(out, ".\n");
    }
}

static void add_earlier(const struct tune_result *result, struct str *out)
{
    size_t n = 0;
    size_t n_to_end = 0;
    const struct episode *earlier = backtest_earlier(result->backtest, &n);

    for (size_t i = 0; i < n; i++)
        n_to_end += earlier[i].resolved == result->n_steps;
    if (n == 0)
        return;
    str_addf(out, "  %zu more fired already when it began and %s not counted", n,
             n == 1 ? "is" : "are");
    if (n_to_end > 0)
        str_addf(out, "; %zu of them fired all the time", n_to_end);
    str_add(out, ".\n");
}

void tune_add_now(const struct tune_ask *ask,
                  const struct tune_result *result,
                  const struct tune_phases *phases,
                  struct str *out)
{
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);
    const struct figures_span span = tune_figures_span(result);
    const struct figures figures = figures_of(episodes, n, &span);
    double weeks = (double)(ask->to_ms - ask->from_ms) / WEEK_MS;

    str_add(out, "\nAs it is (");
    tune_add_setting(ask, result, result->now, out);
    str_addf(out, "): %zu alert%s, %.1f a week, %zu of them at night (22 to 7 h %s)", n, plural(n),
             (double)n / weeks, figures.n_nights, ask->zone ? zone_name(ask->zone) : "UTC");
    if (n > 0) {
        str_addf(out, ";\n  %zu were over within 5 min, half held no longer than ",
                 figures.n_short);
        add_ms(figures.median_ms, out);
        str_add(out, ", the longest held ");
        add_ms(figures.longest_ms, out);
        str_addf(out,
                 ";\n  %zu fired again within an hour, at most %zu in 12 h; the longest quiet was ",
                 figures.n_again, figures.most_in_shift);
        add_ms(figures.longest_quiet_ms, out);
    }
    str_add(out, ".\n");
    add_earlier(result, out);
    if (phases->n > 0 && phases->least == phases->most)
        str_addf(out, "  At each of %zu phases of the clock it is as many.\n", phases->n);
    else if (phases->n > 0)
        str_addf(out, "  At %zu phases of the clock it is %zu to %zu alerts.\n", phases->n,
                 phases->least, phases->most);
    if (tune_n_blind(result) > 0)
        str_addf(
            out,
            "  %zu of them fired while nothing at all was collected (no `up` was 1), which was so "
            "%zu time%s:\n  the monitoring was out then, and nobody knows of what it watches.\n",
            tune_n_blind(result), result->gaps.n, plural(result->gaps.n));
    if (n > 0 && figures.n_again * 100 > n * AGAIN_PERCENT)
        add_keep_hint(result, out);
    add_churn(result, out);
    add_found(result, episodes, n, out);
}

/* --- the settings to choose among --- */

/* "+5 min on 3 incidents, loses none" */
static void add_beside_now(const struct tune_ask *ask,
                           const struct front_point *point,
                           struct str *out)
{
    if (point->n_later > 0) {
        str_add(out, ", up to +");
        tune_add_steps(ask, point->later_by, out);
        str_addf(out, " on %zu incident%s", point->n_later, plural(point->n_later));
    }
    if (point->n_sooner > 0) {
        str_add(out, ", up to -");
        tune_add_steps(ask, point->sooner_by, out);
        str_addf(out, " on %zu incident%s", point->n_sooner, plural(point->n_sooner));
    }
    if (point->n_gained > 0)
        str_addf(out, ", finds %zu more", point->n_gained);
    if (point->n_lost > 0)
        str_addf(out, ", loses %zu", point->n_lost);
    else
        str_add(out, ", loses none");
}

static void add_point(const struct tune_ask *ask,
                      const struct tune_result *result,
                      const struct front_point *point,
                      uint64_t needless_now,
                      struct str *out)
{
    str_add(out, "  ");
    if (point->at.threshold == result->now.threshold &&
        point->at.for_index == result->now.for_index)
        str_add(out, "as it is");
    else
        tune_add_setting(ask, result, point->at, out);
    str_addf(out, ": %llu -> %llu %s, finds %zu of %zu", (unsigned long long)needless_now,
             (unsigned long long)point->cell.needless,
             result->weights ? "cost of alerts about none" : "alerts about none", point->n_found,
             result->n_incidents);
    if (point->p90_delay == 0) {
        str_add(out, ", 9 of 10 at once");
    } else if (point->p90_delay != SURFACE_MISSED) {
        str_add(out, ", 9 of 10 within ");
        tune_add_steps(ask, point->p90_delay, out);
    }
    add_beside_now(ask, point, out);
    str_addc(out, '\n');
}

void tune_add_front(const struct tune_ask *ask, const struct tune_result *result, struct str *out)
{
    struct front_point points[FRONT_MAX];
    const struct surface *surface = backtest_surface(result->backtest);
    const struct front_point now = front_point(surface, result->n_incidents, result->now,
                                               result->now);
    size_t n = front_of(surface, result->n_thresholds, result->n_fors, result->n_incidents,
                        result->now, points);

    if (n == 0) {
        str_add(out, result->n_incidents
                         ? "\nNo setting finds any incident: there is nothing to choose among.\n"
                         : "\nWithout incidents (--incidents) there is nothing to choose by: "
                           "fewest alerts would be none.\n");
        return;
    }
    n = front_thin(points, n, FRONT_SHOWN);
    str_add(out, "\nTo choose among (nothing else is better in all of noise, finds and delay):\n");
    for (size_t i = 0; i < n; i++)
        add_point(ask, result, &points[i], now.cell.needless, out);
}
