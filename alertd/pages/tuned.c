/*
 * The tuner's alerts as those that page. See tuned.h.
 */

#include "alertd/pages/tuned.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum {
    VALUE_BYTES_MAX = 16 * 1024,
    EXPR_BYTES_MAX = 4 * 1024,
    TEXTS_BYTES_MAX = 1 << 20,
};

void tuned_alerts_done(struct tuned_alerts *alerts)
{
    for (size_t i = 0; i < alerts->n; i++)
        labels_unref(alerts->at[i].labels);
    free(alerts->at);
    *alerts = (struct tuned_alerts){0};
}

static void add(struct tuned_alerts *alerts, struct pages_alert alert)
{
    alerts->at = mem_grow(alerts->at, &alerts->capacity, alerts->n + 1, sizeof(*alerts->at));
    alerts->at[alerts->n++] = alert;
}

const struct labels *tuned_labels(const struct rule *rule, const struct labels *series)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct rule_template_data data = {.labels = series, .value = NAN};
    ARENA_AUTO struct arena texts;

    arena_init(&texts, TEXTS_BYTES_MAX);
    labels_builder_add_all(&builder, series);
    labels_builder_delete(&builder, LABEL_NAME);
    for (size_t i = 0; i < rule->n_labels; i++) {
        const char *value = rule->labels[i].text;

        if (rule->labels[i].template && !tmpl_is_plain(rule->labels[i].template)) {
            STR_AUTO struct str out = STR_INIT(VALUE_BYTES_MAX);

            rule_template_expand_or_tell(rule->labels[i].template, &data, &out);
            value = arena_strndup(&texts, str_text(&out), out.len);
        }
        labels_builder_set(&builder, rule->labels[i].name, value ? value : "");
    }
    labels_builder_set(&builder, "alertname", rule->name);
    return labels_builder_finish(&builder);
}

static int64_t time_of(const struct tune_result *result, uint32_t step)
{
    return step >= result->span.n_steps
               ? INT64_MAX
               : result->span.start_ms + (int64_t)step * result->span.step_ms;
}

void tuned_alerts_add(struct tuned_alerts *alerts,
                      const struct tune_ask *ask,
                      const struct tune_result *result)
{
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);

    for (size_t i = 0; i < n; i++)
        add(alerts, (struct pages_alert){tuned_labels(ask->rule, episodes[i].labels),
                                         time_of(result, episodes[i].fired),
                                         time_of(result, episodes[i].resolved), true});
    alerts->n_tuned = alerts->n;
}

/* --- others --- */

struct others {
    struct tuned_alerts *alerts;
    const struct tune_result *result;
    const struct labels *labels; /* of the alert that is read; a reference */
    uint64_t series;             /* the hash it was made of */
    uint32_t fires_since;        /* steps; UINT32_MAX: it does not */
    uint32_t step;
};

static void end_other(struct others *others, uint32_t step)
{
    if (others->fires_since == UINT32_MAX)
        return;
    add(others->alerts, (struct pages_alert){labels_ref(others->labels),
                                             time_of(others->result, others->fires_since),
                                             time_of(others->result, step), false});
    others->fires_since = UINT32_MAX;
}

/* The alert's own: what ALERTS added is gone. */
static const struct labels *without_state(const struct labels *series)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    labels_builder_add_all(&builder, series);
    labels_builder_delete(&builder, LABEL_NAME);
    labels_builder_delete(&builder, "alertstate");
    return labels_builder_finish(&builder);
}

static int visit_other(void *arg,
                       const struct labels *labels,
                       uint32_t first,
                       const double *values,
                       size_t n,
                       struct err *reterr)
{
    struct others *others = arg;
    const struct labels *own = without_state(labels);

    if (!others->labels || !labels_equal(own, others->labels)) {
        if (others->labels)
            end_other(others, others->step);
        labels_unref(others->labels);
        others->labels = labels_ref(own);
        others->step = first;
    } else if (first > others->step) {
        end_other(others, others->step);
    }
    labels_unref(own);
    for (size_t i = 0; i < n; i++) {
        uint32_t step = first + (uint32_t)i;

        if (isnan(values[i]))
            end_other(others, step);
        else if (others->fires_since == UINT32_MAX)
            others->fires_since = step;
        others->step = step + 1;
    }
    return others->alerts->n > PAGES_ALERTS_MAX
               ? err_set(reterr, PAGES_E_LIMIT, "other rules fired more than %d times",
                         PAGES_ALERTS_MAX)
               : 0;
}

int tuned_alerts_add_others(struct tuned_alerts *alerts,
                            const struct tune_reader *reader,
                            const struct tune_ask *ask,
                            const struct tune_result *result,
                            struct err *reterr)
{
    STR_AUTO struct str expr = STR_INIT(EXPR_BYTES_MAX);
    struct others others = {.alerts = alerts, .result = result, .fires_since = UINT32_MAX};

    str_add(&expr, "ALERTS{alertstate=\"firing\", alertname!=\"");
    for (const char *at = ask->rule->name; *at; at++) {
        if (*at == '"' || *at == '\\')
            str_addc(&expr, '\\');
        str_addc(&expr, *at);
    }
    str_add(&expr, "\"}");
    if (expr.full)
        return err_set(reterr, PAGES_E_LIMIT, "the rule's name is too long");
    int r = reader->read(reader->reader, str_text(&expr), &result->span, true, visit_other, &others,
                         reterr);

    end_other(&others, others.step);
    labels_unref(others.labels);
    return r;
}
