/*
 * A unit test made of one alert of a setting. See tuning.h and tune/unit.h.
 */

#include <string.h>

#include "alertd/api/tuning.h"
#include "alertd/tune/unit.h"

static bool is_of(const struct episode *episode, const struct labels_builder *wanted)
{
    for (size_t i = 0; i < wanted->n; i++) {
        const char *value = labels_get(episode->labels, wanted->pairs[i].name);
        if (!value || strcmp(value, wanted->pairs[i].value) != 0)
            return false;
    }
    return true;
}

static const struct episode *find(const struct tune_result *result,
                                  int64_t at_ms,
                                  const struct labels_builder *wanted)
{
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);

    for (size_t i = 0; i < n; i++)
        if (tune_time_of(result, episodes[i].fired) == at_ms && is_of(&episodes[i], wanted))
            return &episodes[i];
    return NULL;
}

/* The last part of a path. */
static const char *file_of(const struct tuned_rule *tuned)
{
    const char *source = tuned->source ? tuned->source : "alerts.yml";
    const char *slash = strrchr(source, '/');

    return slash ? slash + 1 : source;
}

static int write_unit(const struct tuning *tuning,
                      const struct tune_result *result,
                      const struct rule *rule,
                      const struct episode *episode,
                      struct str *out,
                      struct err *reterr)
{
    struct tuned_over over;
    int r = tuning_over_begin(tuning, &over, reterr);

    if (r == 0) {
        const struct unit_ask ask = {
            .source = &over.source,
            .rule = rule,
            .interval_ms = tuning->tuned.interval_ms,
            .file = file_of(&tuning->tuned),
            .active_ms = tune_time_of(result, episode->active),
            .fired_ms = tune_time_of(result, episode->fired),
            .resolved_ms = episode->resolved == result->n_steps
                               ? INT64_MAX
                               : tune_time_of(result, episode->resolved),
            .labels = episode->labels,
        };
        r = unit_write(&ask, out, reterr) ? TUNED_E_LIMIT : 0;
    }
    tuned_over_done(&over);
    return r;
}

int tuning_unit(const struct tuning *tuning,
                const struct json *body,
                const struct tune_result *result,
                const struct rule *rule,
                struct str *out,
                struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder wanted = LABELS_BUILDER_INIT;
    int64_t at_ms = 0;

    if (tuning->past.lag_ms > 0)
        return err_set(reterr, TUNED_E_BAD,
                       "ingest_lag_ms: a unit test sees each sample at once; make it without");
    int r = tuning_read_at(body, &at_ms, reterr);
    if (r == 0)
        r = tuning_read_labels(body, &wanted, reterr);
    if (r)
        return r;
    const struct episode *episode = find(result, at_ms, &wanted);
    if (!episode)
        return err_set(reterr, TUNED_E_NOT_FOUND, "no such alert fires then at this setting");
    return write_unit(tuning, result, rule, episode, out, reterr);
}
