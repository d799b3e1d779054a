/*
 * Which alerts belong together, and which notifications are owed. See grouping.h.
 */

#include "alertd/route/grouping.h"

#include <string.h>

#include "lib/base/bug.h"

static const char *const reason_names[] = {
    [ROUTE_NOTHING] = "",          [ROUTE_FIRST] = "first",   [ROUTE_NEW_ALERTS] = "new alerts",
    [ROUTE_RESOLVED] = "resolved", [ROUTE_REPEAT] = "repeat",
};

const char *route_reason_name(enum route_reason reason)
{
    return reason_names[reason];
}

enum route_reason route_reason_parse(const char *name)
{
    for (unsigned i = ROUTE_FIRST; i <= ROUTE_REPEAT; i++)
        if (strcmp(reason_names[i], name) == 0)
            return (enum route_reason)i;
    return ROUTE_NOTHING;
}

const struct labels *route_group_labels(const struct route_config *config,
                                        const struct labels *alert)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    if (config->group_by_all)
        return labels_new(alert->at, alert->n);
    for (size_t i = 0; i < config->group_by.n; i++) {
        const char *value = labels_get(alert, config->group_by.at[i]);

        if (value)
            labels_builder_set(&builder, config->group_by.at[i], value);
    }
    return labels_builder_finish(&builder);
}

void route_group_key(const struct labels *group, struct str *out)
{
    str_add(out, "{}:");
    labels_print(group, out);
}

enum route_reason route_due(const struct route_times *times,
                            const struct route_story *story,
                            int64_t now_ms,
                            int64_t *ret_due_ms)
{
    if (!story->open) {
        if (story->told_resolved)
            return ROUTE_NOTHING;
        *ret_due_ms = now_ms;
        return ROUTE_RESOLVED;
    }
    if (story->told_at_ms == 0) {
        *ret_due_ms = story->began_at_ms + times->group_wait_ms;
        return ROUTE_FIRST;
    }
    if (story->has_news) {
        int64_t due_ms = story->told_at_ms + times->group_interval_ms;

        *ret_due_ms = due_ms > now_ms ? due_ms : now_ms;
        return ROUTE_NEW_ALERTS;
    }
    if (story->acknowledged)
        return ROUTE_NOTHING;
    *ret_due_ms = story->told_at_ms + times->repeat_interval_ms;
    return ROUTE_REPEAT;
}

enum route_merge route_merge(enum route_reason waiting, unsigned attempts, enum route_reason next)
{
    if (waiting == ROUTE_NOTHING)
        return ROUTE_MERGE_ADD;
    switch (next) {
    case ROUTE_REPEAT: return ROUTE_MERGE_COVERED; /* what waits is itself the reminder */
    case ROUTE_NEW_ALERTS: /* not by a reminder: an acknowledgement would drop both */
        return attempts == 0 && waiting != ROUTE_RESOLVED && waiting != ROUTE_REPEAT
                   ? ROUTE_MERGE_COVERED
                   : ROUTE_MERGE_SUPERSEDE;
    case ROUTE_FIRST:
    case ROUTE_RESOLVED: return ROUTE_MERGE_SUPERSEDE;
    case ROUTE_NOTHING: break;
    }
    UNREACHABLE("merging nothing");
}
