/*
 * Is there data an alert could have come from? See live_data.h.
 */

#include "alertd/eval/live_data.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "lib/base/mem.h"
#include "lib/model/sample.h"

enum {
    LOOKBACK_DEFAULT_MS = 5 * 60 * 1000,
    SAMPLES_MAX = 10 * 1000 * 1000,
};

static void add_live(struct live_data *data, const struct source_result *found)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct source_series *series = &found->series[i];

        if (series->n == 0 || sample_is_stale(series->values[series->n - 1]))
            continue;
        data->live = mem_grow(data->live, &data->capacity, data->n + 1, sizeof(*data->live));
        data->live[data->n++] = series->labels;
    }
}

/* Looks at one selector; its offset counts when it is a plain number. */
static void look_at(struct live_data *data, const struct promql_selector *selector)
{
    int64_t lookback_ms = data->limits->lookback_ms > 0 ? data->limits->lookback_ms
                                                        : LOOKBACK_DEFAULT_MS;
    const struct promql_duration *offset = selector->when.offset;
    int64_t to_ms = data->now_ms;
    struct source_result found;

    if (offset && offset->kind == DURATION_NUMBER)
        to_ms -= (int64_t)(offset->seconds * 1000);
    const struct source_query query = {selector->matchers, selector->n_matchers,
                                       to_ms - lookback_ms + 1, to_ms, true};
    if (source_read_all(data->source, &query, SAMPLES_MAX, data->arena, &found, NULL))
        data->always = true;
    else
        add_live(data, &found);
}

/* Every selector below expr; returns how many there are. */
static size_t look(struct live_data *data, const struct promql_expr *expr)
{
    const struct promql_expr *child;
    size_t n = 0;

    if (expr->kind == PROMQL_SELECTOR) {
        look_at(data, &expr->selector);
        return 1;
    }
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        n += look(data, child);
    return n;
}

static bool agree(const struct labels *a, const struct labels *b)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const char *other = labels_get(b, a->at[i].name);

        if (other && strcmp(other, a->at[i].value) != 0)
            return false;
    }
    return true;
}

bool live_data_has(void *arg, const struct labels *labels)
{
    struct live_data *data = arg;

    if (!data->looked) {
        data->looked = true;
        if (look(data, data->expr) == 0)
            data->always = true;
    }
    for (size_t i = 0; i < data->n && !data->always; i++)
        if (agree(labels, data->live[i]))
            return true;
    return data->always;
}

void live_data_done(struct live_data *data)
{
    free(data->live);
    data->live = NULL;
    data->n = data->capacity = 0;
}
