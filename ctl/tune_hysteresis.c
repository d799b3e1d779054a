/*
 * A rule that fires above one threshold and clears below another, written. See tune.h.
 */

#include "alertd/promql/ast.h"
#include "ctl/tune.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

enum {
    ARENA_BYTES = 16 << 20,
    LATER_MS_MAX = 600000,
};

static void add_words(const struct tune_result *result,
                      const struct hysteresis_pair *pair,
                      struct str *out)
{
    char on[FLOAT_TEXT_MAX];
    char off[FLOAT_TEXT_MAX];
    const struct surface_cell now = surface_cell(backtest_surface(result->backtest),
                                                 result->now.threshold, result->now.for_index);
    bool is_up = result->choice->op == SURFACE_ABOVE || result->choice->op == SURFACE_AT_LEAST;

    (void)float_short(result->thresholds[pair->on], on);
    (void)float_short(result->thresholds[pair->off], off);
    str_addf(out,
             "\nFiring %s %s, at once, and over %s %s: %llu alerts instead of %llu (the warm-up "
             "among them).\n",
             is_up ? "above" : "below", on, is_up ? "below" : "above", off,
             (unsigned long long)pair->alerts, (unsigned long long)now.alerts);
}

static void add_yaml(const struct rule *rule, const char *expr, struct str *out)
{
    str_addf(out, "\n  - alert: %s\n    expr: |-\n      %s\n", rule->name, expr);
    if (rule->n_labels > 0)
        str_add(out, "    # labels and annotations as they are\n");
}

int tune_hysteresis_show(const struct tune_ask *ask,
                         const struct tune_result *result,
                         const struct source *source,
                         struct str *out,
                         struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str expr = STR_INIT(PROMQL_TEXT_MAX);
    struct hysteresis_pair pair;
    struct hysteresis_labels labels;
    struct promql_expr *parsed = NULL;
    uint64_t alerts = 0;

    arena_init(&arena, ARENA_BYTES);
    if (!hysteresis_choose(result, (uint32_t)(LATER_MS_MAX / ask->interval_ms), &pair)) {
        str_add(out, "\nNo pair of thresholds, to fire at and to clear at, fires less often than "
                     "it does now.\n");
        return 0;
    }
    if (!hysteresis_labels(ask->rule, result, &labels)) {
        str_addf(out, "\nIts series have more than %d labels: that is no rule to write.\n",
                 HYSTERESIS_LABELS_MAX);
        return 0;
    }
    hysteresis_text(ask->rule, result->choice, result->thresholds[pair.on],
                    result->thresholds[pair.off], &labels, &expr);
    int r = promql_parse(&arena, str_text(&expr), &parsed, reterr);
    if (r != 0)
        return r;
    add_words(result, &pair, out);
    add_yaml(ask->rule, str_text(&expr), out);
    if (!source || result->at_span) {
        str_add(out, "\n  Counted from what was read. Running it step by step with its own ALERTS "
                     "takes a storage folder (--store).\n");
        return 0;
    }
    struct rule written = *ask->rule;
    written.expr = parsed;
    written.expr_text = str_text(&expr);
    written.for_ms = 0;
    written.keep_firing_for_ms = 0;
    r = hysteresis_run(source, &written, &result->span, &alerts, reterr);
    if (r == 0)
        str_addf(out, "\n  Run step by step with its own ALERTS in sight: %llu alerts, %s.\n",
                 (unsigned long long)alerts,
                 alerts == pair.alerts ? "as counted" : "which is NOT what was counted");
    return r;
}
