/*
 * One flush of one group: who is told what. See dispatch.h.
 */

#include <stdlib.h>

#include "alertd/route/dispatch_private.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"

static const char *const reason_names[] = {
    [DISPATCH_FIRST] = "first notification",
    [DISPATCH_NEW_ALERTS] = "new alerts added",
    [DISPATCH_SOME_RESOLVED] = "some alerts resolved",
    [DISPATCH_ALL_RESOLVED] = "all alerts resolved",
    [DISPATCH_REPEAT] = "repeat interval elapsed",
};

const char *dispatch_reason_name(enum dispatch_reason reason)
{
    return reason_names[reason];
}

bool dispatch_is_over(const struct dispatch_alert *alert, int64_t at_ms)
{
    return alert->ends_at_ms <= at_ms;
}

/* What a flush found, split as the log splits it. */
struct news {
    const struct dispatch_alert **firing, **resolved;
    size_t n_firing, n_resolved;
    uint64_t *firing_hashes, *resolved_hashes;
};

static int compare_alerts(const void *a, const void *b)
{
    const struct dispatch_alert *const *x = a;
    const struct dispatch_alert *const *y = b;

    return labels_compare((*x)->labels, (*y)->labels);
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static uint64_t *hashes(const struct dispatch_alert **alerts, size_t n)
{
    uint64_t *set = mem_alloc((n + 1) * sizeof(*set));

    for (size_t i = 0; i < n; i++)
        set[i] = alerts[i]->labels->hash;
    if (n > 0)
        qsort(set, n, sizeof(*set), compare_hashes);
    return set;
}

static bool is_muted(const struct dispatch *dispatch, const struct labels *alert, int64_t at_ms)
{
    const struct silence *first = NULL;

    if (inhibitor_check(dispatch->inhibitor, alert, at_ms).source)
        return true;
    return dispatch->silences && silences_find(dispatch->silences, alert, at_ms, &first, 1) > 0;
}

bool dispatch_mutes(const struct dispatch *dispatch,
                    const struct labels *alert,
                    const struct route_node *node,
                    int64_t at_ms,
                    struct dispatch_mute *ret_why)
{
    *ret_why = (struct dispatch_mute){
        .inhibition = inhibitor_check(dispatch->inhibitor, alert, at_ms)};
    ret_why->quiet = route_node_quiet(node, at_ms, &ret_why->interval);
    if (dispatch->silences)
        (void)silences_find(dispatch->silences, alert, at_ms, &ret_why->silence, 1);
    return ret_why->inhibition.source || ret_why->silence || ret_why->quiet != ROUTE_TELLS;
}

static void gather(const struct dispatch *dispatch,
                   const struct group *group,
                   int64_t at_ms,
                   struct news *news)
{
    *news = (struct news){
        .firing = mem_alloc((group->n_members + 1) * sizeof(struct dispatch_alert *)),
        .resolved = mem_alloc((group->n_members + 1) * sizeof(struct dispatch_alert *)),
    };
    for (size_t i = 0; i < group->n_members; i++) {
        const struct dispatch_alert *alert = &group->members[i]->alert;

        if (is_muted(dispatch, alert->labels, at_ms))
            continue;
        if (dispatch_is_over(alert, at_ms))
            news->resolved[news->n_resolved++] = alert;
        else
            news->firing[news->n_firing++] = alert;
    }
    if (news->n_firing > 0)
        qsort(news->firing, news->n_firing, sizeof(*news->firing), compare_alerts);
    if (news->n_resolved > 0)
        qsort(news->resolved, news->n_resolved, sizeof(*news->resolved), compare_alerts);
    news->firing_hashes = hashes(news->firing, news->n_firing);
    news->resolved_hashes = hashes(news->resolved, news->n_resolved);
}

static void news_done(struct news *news)
{
    free(news->firing);
    free(news->resolved);
    free(news->firing_hashes);
    free(news->resolved_hashes);
}

/* Whether an integration that was told `before` is owed something, and why. */
static bool is_owed(const struct log_entry *before,
                    const struct news *news,
                    bool send_resolved,
                    int64_t repeat_ms,
                    int64_t at_ms,
                    enum dispatch_reason *ret_reason)
{
    if (!before) {
        *ret_reason = DISPATCH_FIRST;
        return news->n_firing > 0;
    }
    if (!log_is_subset(news->firing_hashes, news->n_firing, before->firing, before->n_firing)) {
        *ret_reason = DISPATCH_NEW_ALERTS;
        return true;
    }
    /* whether it wants to know of ends or not: the log must say that nobody fires */
    if (news->n_firing == 0) {
        *ret_reason = DISPATCH_ALL_RESOLVED;
        return before->n_firing > 0;
    }
    if (send_resolved && !log_is_subset(news->resolved_hashes, news->n_resolved, before->resolved,
                                        before->n_resolved)) {
        *ret_reason = DISPATCH_SOME_RESOLVED;
        return true;
    }
    *ret_reason = DISPATCH_REPEAT;
    return before->told_at_ms < at_ms - repeat_ms;
}

struct telling {
    struct dispatch *dispatch;
    const struct group *group;
    const struct news *news;
    int64_t at_ms;
    dispatch_notify *notify;
    void *arg;
};

static void tell(const struct telling *telling, const struct route_integration *to)
{
    const struct group *group = telling->group;
    const struct news *news = telling->news;
    const char *kind = route_kind_name(to->kind);
    const struct log_entry *before = log_find(telling->dispatch, group->key, to->receiver, kind,
                                              to->slot);
    int64_t repeat_ms = group->node->times.repeat_interval_ms;
    int64_t kept_ms = repeat_ms < DISPATCH_LOG_KEPT_MS / 2 ? 2 * repeat_ms : DISPATCH_LOG_KEPT_MS;
    enum dispatch_reason reason = DISPATCH_FIRST;

    if (!is_owed(before, news, to->send_resolved, repeat_ms, telling->at_ms, &reason))
        return;

    struct dispatch_notification notification = {
        .node = group->node,
        .to = to,
        .group_key = group->key,
        .group = group->labels,
        .reason = reason,
        .at_ms = telling->at_ms,
        .firing = news->firing,
        .n_firing = news->n_firing,
        .resolved = news->resolved,
        .n_resolved = to->send_resolved ? news->n_resolved : 0,
        .told_firing = before ? before->firing : NULL,
        .n_told_firing = before ? before->n_firing : 0,
    };
    struct dispatch_log_row row = {
        .group_key = group->key,
        .receiver = to->receiver,
        .kind = kind,
        .slot = to->slot,
        .told_at_ms = telling->at_ms,
        .expires_at_ms = telling->at_ms + kept_ms,
        .firing = news->firing_hashes,
        .n_firing = news->n_firing,
        .resolved = news->resolved_hashes,
        .n_resolved = news->n_resolved,
    };

    if (notification.n_firing + notification.n_resolved > 0)
        telling->notify(telling->arg, &notification);
    log_set(telling->dispatch, &row);
}

void dispatch_flush(struct dispatch *dispatch,
                    struct group *group,
                    int64_t at_ms,
                    dispatch_notify *notify,
                    void *arg)
{
    const char *interval = NULL;
    struct news news;

    if (group->n_members == 0 || route_node_quiet(group->node, at_ms, &interval) != ROUTE_TELLS)
        return;
    gather(dispatch, group, at_ms, &news);

    struct telling telling = {dispatch, group, &news, at_ms, notify, arg};
    const struct route_receiver *receiver = group->node->receiver;

    for (size_t i = 0; news.n_firing + news.n_resolved > 0 && i < receiver->n_integrations; i++)
        tell(&telling, &receiver->integrations[i]);
    news_done(&news);
}
