/*
 * A unit test of one alert of the setting that is looked at, written beside the rules. See tune.h.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/tune/unit.h"
#include "ctl/tune.h"
#include "lib/base/fs.h"

enum {
    TEST_BYTES_MAX = 16 << 20,
    SETTING_BYTES_MAX = 256 << 10,
    ARENA_BYTES = 16 << 20,
};

/* The first that is in an incident, or the first. */
static const struct episode *choose(const struct tune_result *result)
{
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);

    for (size_t i = 0; i < n; i++)
        if (episodes[i].is_true)
            return &episodes[i];
    return n > 0 ? episodes : NULL;
}

/* As the test finds the rules: by name in its own folder, otherwise in full. */
static char *rules_path(const char *rules, const char *test)
{
    const char *end = strrchr(rules, '/');
    const char *test_end = strrchr(test, '/');
    size_t len = end ? (size_t)(end - rules) : 0;
    size_t test_len = test_end ? (size_t)(test_end - test) : 0;

    if (len == test_len && strncmp(rules, test, len) == 0)
        return strdup(end ? end + 1 : rules);
    char *whole = realpath(rules, NULL);
    return whole ? whole : strdup(rules);
}

/* The rule in the setting that is looked at. What it needs is in the arena and text. */
static int set(const struct tune_ask *ask,
               const struct tune_result *result,
               struct arena *arena,
               struct str *text,
               struct rule *ret,
               struct err *reterr)
{
    struct promql_expr *expr = NULL;
    double threshold = result->thresholds[result->now.threshold];

    *ret = *ask->rule;
    ret->for_ms = ask->for_ms;
    if (ask->has_keep)
        ret->keep_firing_for_ms = ask->keep_ms;
    if (threshold == result->choice->now)
        return 0;
    split_text(ask->rule->expr, result->choice, threshold, text);
    ret->expr_text = str_text(text);
    int r = promql_parse(arena, ret->expr_text, &expr, reterr);
    ret->expr = expr;
    return r;
}

static int write_test(const struct unit_ask *ask, const char *path, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(TEST_BYTES_MAX);
    int r = unit_write(ask, &text, reterr);

    return r == 0 ? fs_replace(path, str_text(&text), text.len, 0644, reterr) : r;
}

int tune_test_write(const struct ctl *ctl,
                    const struct tune_past *past,
                    const struct tune_ask *ask,
                    const struct tune_result *result,
                    struct err *reterr)
{
    const char *path = ctl_option(ctl, "write-test");
    const struct episode *episode = choose(result);
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str text = STR_INIT(SETTING_BYTES_MAX);
    struct rule rule;

    arena_init(&arena, ARENA_BYTES);
    if (!episode)
        return err_set(reterr, UNIT_E_NONE, "it would not have fired: there is no alert to test");
    int r = set(ask, result, &arena, &text, &rule, reterr);
    if (r != 0)
        return r;
    char *file = rules_path(ctl->arguments[0], path);
    const struct unit_ask unit = {
        .source = &past->source,
        .rule = &rule,
        .interval_ms = ask->interval_ms,
        .file = file,
        .active_ms = tune_time_of(result, episode->active),
        .fired_ms = tune_time_of(result, episode->fired),
        .resolved_ms = episode->resolved == result->n_steps
                           ? INT64_MAX
                           : tune_time_of(result, episode->resolved),
        .labels = episode->labels,
    };
    r = write_test(&unit, path, reterr);
    free(file);
    return r;
}

void tune_test_show(const struct ctl *ctl,
                    const struct tune_ask *ask,
                    const struct tune_result *result,
                    struct str *out)
{
    bool is_own = result->thresholds[result->now.threshold] == result->choice->now &&
                  ask->for_ms == ask->rule->for_ms && !ask->has_keep;
    const char *path = ctl_option(ctl, "write-test");

    str_addf(out, "\nA unit test of it is in %s%s: alertctl test rules %s\n", path,
             is_own ? "" : ", of the rule in this setting", path);
}
