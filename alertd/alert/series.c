/*
 * ALERTS and ALERTS_FOR_STATE. See series.h.
 */

#include "alertd/alert/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/model/sample.h"

void alert_series_push(struct alert_series_list *list, const struct labels *labels, double value)
{
    list->at = mem_grow(list->at, &list->capacity, list->n + 1, sizeof(*list->at));
    list->at[list->n++] = (struct alert_series){labels, value};
}

/* state NULL: the series without one. */
static const struct labels *named(const struct labels *labels, const char *name, const char *state)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    labels_builder_add_all(&builder, labels);
    labels_builder_set(&builder, LABEL_NAME, name);
    if (state)
        labels_builder_set(&builder, "alertstate", state);
    return labels_builder_finish(&builder);
}

static void add_state(struct alert_series_list *list, const struct alert_entry *entry, double value)
{
    alert_series_push(list, named(entry->labels, "ALERTS", alert_state_name(entry->alert.state)),
                      value);
}

static void add_for_state(struct alert_series_list *list,
                          const struct alert_entry *entry,
                          double value)
{
    alert_series_push(list, named(entry->labels, "ALERTS_FOR_STATE", NULL), value);
}

static bool is_active(const struct alert_entry *entry)
{
    return entry && entry->alert.state != ALERT_INACTIVE;
}

void alert_series_add(const struct alert_set *before,
                      const struct alert_set *after,
                      struct alert_series_list *list)
{
    for (size_t i = 0; i < after->n; i++) {
        const struct alert_entry *entry = &after->at[i];

        if (!is_active(entry))
            continue;
        add_state(list, entry, 1);
        add_for_state(list, entry, floor((double)entry->alert.active_at_ms / 1000));
    }
    for (size_t i = 0; i < before->n; i++) {
        const struct alert_entry *old = &before->at[i];
        const struct alert_entry *now = alert_set_find(after, old->labels);

        if (!is_active(old))
            continue;
        if (!is_active(now) || now->alert.state != old->alert.state)
            add_state(list, old, sample_stale());
        if (!is_active(now))
            add_for_state(list, old, sample_stale());
    }
}

void alert_series_move(struct alert_series_list *from, struct alert_series_list *to)
{
    if (from->n == 0)
        return;
    to->at = mem_grow(to->at, &to->capacity, to->n + from->n, sizeof(*to->at));
    memcpy(to->at + to->n, from->at, from->n * sizeof(*to->at));
    to->n += from->n;
    from->n = 0;
    alert_series_done(from);
}

void alert_series_done(struct alert_series_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        labels_unref(list->at[i].labels);
    free(list->at);
    *list = (struct alert_series_list){0};
}
