/*
 * What a rule would have done, for people. See tune.h.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ctl/progress.h"
#include "ctl/tune.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

enum {
    ROWS_MAX = 12,
    COLUMNS_MAX = 9,
    ALERTS_MAX = 40,
};

const char *tune_sign(enum surface_op op)
{
    static const char *const signs[] = {">", ">=", "<", "<="};

    return signs[op];
}

static const char *number(double value, char *text)
{
    (void)float_short(value, text);
    return text;
}

static void add_for(const struct tune_ask *ask, uint32_t for_steps, struct str *out)
{
    char text[DURATION_TEXT_MAX];

    str_add(out, duration_print(for_steps * ask->interval_ms, text));
}

void tune_add_steps(const struct tune_ask *ask, uint64_t steps, struct str *out)
{
    char text[DURATION_TEXT_MAX];

    str_add(out, duration_human((int64_t)steps * ask->interval_ms, text));
}

void tune_add_setting(const struct tune_ask *ask,
                      const struct tune_result *result,
                      struct suggest_cell at,
                      struct str *out)
{
    char text[FLOAT_TEXT_MAX];

    if (result->choice->way == SPLIT_ONE || result->choice->way == SPLIT_AGAIN)
        str_addf(out, "%s %s ", tune_sign(result->choice->op),
                 number(result->thresholds[at.threshold], text));
    else if (result->choice->way != SPLIT_PRESENCE)
        str_addf(out, "x %s ", number(result->thresholds[at.threshold], text));
    str_add(out, "for ");
    add_for(ask, result->for_steps[at.for_index], out);
}

/* --- what it is about --- */

/* The text that is evaluated; with a blank where thresholds are put one after another. */
static void add_evaluated(const struct tune_ask *ask,
                          const struct tune_result *result,
                          struct str *out)
{
    const struct split_choice *choice = result->choice;
    const struct promql_expr *rule = ask->rule->expr;
    char count[COUNT_TEXT_MAX];

    if (choice->way == SPLIT_PRESENCE)
        return;
    if (choice->way != SPLIT_AGAIN) {
        str_addf(out, "Evaluated: %s\n", choice->expr);
        return;
    }
    const struct split_place *place = &choice->places[0];
    str_addf(out, "Evaluated: %.*s_%.*s\n", (int)(place->start - rule->start),
             rule->text + rule->start, (int)(rule->end - place->end), rule->text + place->end);
    if (result->is_asked)
        str_addf(out,
                 "The server was asked for each of %s thresholds; alertd's own store gives more.\n",
                 count_text((int64_t)result->n_thresholds, count));
}

static void add_head(const struct tune_ask *ask, const struct tune_result *result, struct str *out)
{
    char from[CLOCK_TEXT_MAX];
    char to[CLOCK_TEXT_MAX];
    char count[COUNT_TEXT_MAX];
    char text[DURATION_TEXT_MAX];

    str_addf(out, "%s\n  %s\n  for %s", ask->rule->name, ask->rule->expr_text,
             duration_print(ask->rule->for_ms, text));
    if (ask->rule->keep_firing_for_ms > 0)
        str_addf(out, ", keep_firing_for %s", duration_print(ask->rule->keep_firing_for_ms, text));
    str_addf(out, "\n\n%s.\n", result->choice->words);
    add_evaluated(ask, result, out);
    str_addf(out, "%s to %s, every %s: ", clock_rfc3339(ask->from_ms, from),
             clock_rfc3339(ask->to_ms, to), duration_print(ask->interval_ms, text));
    str_addf(out, "%s evaluations", count_text(result->n_steps - result->first_step, count));
    str_addf(out, " of %s series.\n",
             count_text((int64_t)backtest_n_series(result->backtest), count));
    if (result->n_choices > 2) {
        str_add(out, "It has more to move, by --move=N:\n");
        for (size_t i = 0; i < result->n_choices; i++) {
            const struct split_choice *choice = &result->choices[i];
            str_addf(out, "  %zu  %s", i + 1, split_way_name(choice->way));
            for (size_t k = 0; k < choice->n_places; k++)
                str_addf(out, "%s%.*s", k ? ", " : ": ",
                         (int)(choice->places[k].end - choice->places[k].start),
                         ask->rule->expr->text + choice->places[k].start);
            str_add(out, choice == result->choice ? "   <- this\n" : "\n");
        }
    }
}

/* --- a better one --- */

static void add_suggestion(const struct tune_ask *ask,
                           const struct tune_result *result,
                           struct str *out)
{
    if (!result->has_suggestion)
        return;
    const struct surface *surface = backtest_surface(result->backtest);
    const struct suggest_sum now = suggest_sum(surface, result->n_incidents, result->now);
    const struct suggest_sum then = suggest_sum(surface, result->n_incidents, result->suggestion);
    str_add(out, "\nTry ");
    tune_add_setting(ask, result, result->suggestion, out);
    str_addf(out, ": %llu alerts instead of %llu, %llu instead of %llu about no incident;\n",
             (unsigned long long)then.cell.alerts, (unsigned long long)now.cell.alerts,
             (unsigned long long)(then.cell.alerts - then.cell.true_alerts),
             (unsigned long long)(now.cell.alerts - now.cell.true_alerts));
    str_addf(out, "  %zu incidents found instead of %zu, the last after ", then.n_found,
             now.n_found);
    tune_add_steps(ask, then.worst_delay, out);
    str_add(out, " instead of ");
    tune_add_steps(ask, now.worst_delay, out);
    str_add(out, ". Its neighbours are about as good.\n");
    if (result->n_checked > 0)
        str_addf(out,
                 "  Chosen anew without one incident after the other, it finds %zu of the %zu "
                 "left out.\n",
                 result->n_check_found, result->n_checked);
}

/* --- the surface --- */

/* Which of n are shown in so many places: spread evenly, these two among them. */
static size_t pick(size_t n, size_t most, size_t must, size_t also, size_t *ret)
{
    size_t n_picked = 0;

    for (size_t i = 0; i < n; i++) {
        bool even = n <= most || (i * (most - 1)) / (n - 1) !=
                                     (i ? ((i - 1) * (most - 1)) / (n - 1) : (size_t)-1);
        if ((even || i == must || i == also) && n_picked < most + 2)
            ret[n_picked++] = i;
    }
    return n_picked;
}

static bool is_cell(struct suggest_cell a, struct suggest_cell b)
{
    return a.threshold == b.threshold && a.for_index == b.for_index;
}

static void add_cell(const struct tune_result *result,
                     struct suggest_cell at,
                     bool color,
                     struct str *out)
{
    const struct surface *surface = backtest_surface(result->backtest);
    const struct suggest_sum sum = suggest_sum(surface, result->n_incidents, at);
    const struct suggest_sum now = suggest_sum(surface, result->n_incidents, result->now);
    const char *mark = " ";

    if (sum.n_found < now.n_found)
        mark = "!";
    if (result->has_suggestion && is_cell(at, result->suggestion))
        mark = "+";
    if (is_cell(at, result->now))
        mark = "*";
    bool is_bold = color && (*mark == '*' || *mark == '+');
    str_addf(out, "%s%9llu%s%s", is_bold ? "\033[1m" : "", (unsigned long long)sum.cell.alerts,
             mark, is_bold ? "\033[0m" : "");
}

static void add_surface(const struct tune_ask *ask,
                        const struct tune_result *result,
                        bool color,
                        struct str *out)
{
    struct suggest_cell suggestion = result->has_suggestion ? result->suggestion : result->now;
    size_t rows[ROWS_MAX + 2];
    size_t columns[COLUMNS_MAX + 2];
    size_t n_rows = pick(result->n_thresholds, ROWS_MAX, result->now.threshold,
                         suggestion.threshold, rows);
    size_t n_columns = pick(result->n_fors, COLUMNS_MAX, result->now.for_index,
                            suggestion.for_index, columns);
    char text[FLOAT_TEXT_MAX];

    str_addf(out, "\nAlerts by threshold and `for`%s:\n\n%12s",
             result->n_incidents ? " (! misses an incident that is found now)" : "", "");
    for (size_t k = 0; k < n_columns; k++)
        str_addf(out, " %9s",
                 duration_print(result->for_steps[columns[k]] * ask->interval_ms, text));
    str_addc(out, '\n');
    for (size_t j = 0; j < n_rows; j++) {
        str_addf(out, "%12s",
                 result->choice->way == SPLIT_PRESENCE ? "there"
                                                       : number(result->thresholds[rows[j]], text));
        for (size_t k = 0; k < n_columns; k++)
            add_cell(result, (struct suggest_cell){rows[j], columns[k]}, color, out);
        str_addc(out, '\n');
    }
    str_add(out, result->has_suggestion ? "\n* as it is   + suggested\n" : "\n* as it is\n");
    if (result->keep_steps > 0)
        str_add(out,
                "keep_firing_for is not reckoned here, nor in what is tried: its alerts come to "
                "these at most.\n");
}

/* --- alert by alert --- */

static void add_alerts(const struct tune_ask *ask,
                       const struct tune_result *result,
                       struct str *out)
{
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);
    char text[CLOCK_TEXT_MAX];

    str_add(out, "\nAlert by alert, as it is:\n");
    for (size_t i = 0; i < n && i < ALERTS_MAX; i++) {
        str_addf(out, "  %s  ", clock_rfc3339(tune_time_of(result, episodes[i].fired), text));
        if (episodes[i].resolved == result->n_steps)
            str_add(out, "still");
        else
            tune_add_steps(ask, episodes[i].resolved - episodes[i].fired, out);
        str_add(out, "  ");
        labels_print(episodes[i].labels, out);
        str_add(out, episodes[i].is_true ? "  in an incident\n" : "\n");
    }
    if (n > ALERTS_MAX)
        str_addf(out, "  ... and %zu more (--json has all)\n", n - ALERTS_MAX);
}

void tune_show(const struct tune_ask *ask,
               const struct tune_result *result,
               const struct tune_look *look,
               struct str *out)
{
    const char *missing[TOLD_LIST_MAX];

    add_head(ask, result, out);
    missing_add(look->told, out);
    if (backtest_n_series(result->backtest) == 0) {
        str_add(out,
                result->choice->way == SPLIT_PRESENCE
                    ? "\nIt was true at none of them: it would not have fired.\n"
                : told_list(look->told, missing) > 0
                    ? "\nNothing of what could be read has a value in this time.\n"
                    : "\nNothing of it has a value in this time: look whether its metrics exist "
                      "there (alertctl check rules --url).\n");
        if (look->faults)
            tune_faults_show(look->faults, out);
        return;
    }
    tune_add_now(ask, result, look->phases, out);
    add_suggestion(ask, result, out);
    add_surface(ask, result, look->color, out);
    if (look->front)
        tune_add_front(ask, result, out);
    if (look->faults)
        tune_faults_show(look->faults, out);
    if (look->alerts)
        add_alerts(ask, result, out);
}
