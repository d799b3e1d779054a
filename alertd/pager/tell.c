/*
 * Notifications out: what a flush owes becomes incidents' alerts and rows of the outbox, and
 * what it changed in the dispatcher becomes rows.
 */

#include <stdlib.h>

#include "alertd/db/notify_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/page_db.h"
#include "alertd/pager/escalate.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"

enum {
    KEY_BYTES_MAX = 64 * 1024,
    ALERT_BYTES_MAX = 2 * 1024 * 1024,
};

void pager_touch(struct pager_call *call, int64_t incident_id)
{
    struct pager_outcome *outcome = call->outcome;

    for (size_t i = 0; i < outcome->n_incidents; i++)
        if (outcome->incidents[i] == incident_id)
            return;
    if (outcome->n_incidents < PAGER_INCIDENTS_MAX)
        outcome->incidents[outcome->n_incidents++] = incident_id;
}

int pager_open(struct pager_call *call, const struct incident_alert *alert, const char *late)
{
    STR_AUTO struct str key = STR_INIT(KEY_BYTES_MAX);
    struct route_walk walk;
    int64_t incident_id = 0;

    route_walk(call->pager->config, alert->labels, &walk);
    const struct labels *labels = route_node_group(walk.at[0], alert->labels);
    route_node_group_key(walk.at[0], labels, &key);
    int r = page_db_fires(
        call->conn, alert,
        &(struct page_group){.labels = labels,
                             .key = str_text(&key),
                             .goes_on_since_ms = call->now_ms -
                                                 walk.at[0]->times.group_interval_ms},
        late, call->now_ms, &incident_id, call->reterr);

    labels_unref(labels);
    if (r)
        return r;
    pager_touch(call, incident_id);
    return escalate_again(call, incident_id);
}

/* --- a notification --- */

/* An alert that was muted when it fired is in no incident yet. */
static int open_late(struct pager_call *call, const struct dispatch_alert *told, bool *opened)
{
    ARENA_AUTO struct arena arena;
    struct incident_alert alert;
    int64_t incident_id;
    bool firing;
    bool found = false;

    arena_init(&arena, ALERT_BYTES_MAX);
    int r = page_db_of_alert(call->conn, told->labels->hash, &incident_id, &firing, call->reterr);

    if (r || firing)
        return r;
    r = alert_db_firing(call->conn, told->labels->hash, &arena, &alert, &found, call->reterr);
    if (r || !found)
        return r;
    *opened = true;
    return pager_open(call, &alert, "not told until now: it was muted when it fired");
}

static enum route_reason reason_of(enum dispatch_reason reason)
{
    switch (reason) {
    case DISPATCH_FIRST: return ROUTE_FIRST;
    case DISPATCH_NEW_ALERTS: return ROUTE_NEW_ALERTS;
    case DISPATCH_SOME_RESOLVED: return ROUTE_SOME_RESOLVED;
    case DISPATCH_ALL_RESOLVED: return ROUTE_RESOLVED;
    case DISPATCH_REPEAT: return ROUTE_REPEAT;
    }
    return ROUTE_NOTHING;
}

/* The incident it is about: that of its first alert that is in one. 0: of none. */
static int incident_of(struct pager_call *call,
                       const struct dispatch_notification *notification,
                       int64_t *ret_incident_id)
{
    size_t n = notification->n_firing ? 1 : notification->n_resolved;
    bool firing;
    int r = 0;

    *ret_incident_id = 0;
    for (size_t i = 0; r == 0 && *ret_incident_id == 0 && i < n; i++) {
        const struct dispatch_alert *alert = notification->n_firing ? notification->firing[i]
                                                                    : notification->resolved[i];

        r = page_db_of_alert(call->conn, alert->labels->hash, ret_incident_id, &firing,
                             call->reterr);
    }
    return r;
}

static int owe(struct pager_call *call,
               const struct dispatch_notification *notification,
               int64_t incident_id)
{
    size_t n_most = notification->n_firing + notification->n_resolved;
    MEM_AUTO uint64_t *prints = mem_alloc(n_most * sizeof(*prints));
    bool grew = false;
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; i < notification->n_firing; i++)
        prints[n++] = notification->firing[i]->labels->hash;
    for (size_t i = 0; r == 0 && i < notification->n_resolved; i++) {
        /* muted for as long as it fired: nobody knew it */
        int64_t known_id = 0;
        bool firing;

        prints[n] = notification->resolved[i]->labels->hash;
        r = page_db_of_alert(call->conn, prints[n], &known_id, &firing, call->reterr);
        n += known_id != 0;
    }
    if (r)
        return r;

    const struct outbox_new news = {
        .incident_id = incident_id,
        .reason = reason_of(notification->reason),
        .receiver = notification->to->receiver,
        .kind = route_kind_name(notification->to->kind),
        .slot = notification->to->slot,
        .send_resolved = notification->to->send_resolved,
        .group_key = notification->group_key,
        .group = notification->group,
        .alerts = prints,
        .n_alerts = n,
        .now_ms = notification->at_ms,
    };

    r = outbox_db_add(call->conn, &news, &grew, call->reterr);
    call->outcome->outbox_grew |= grew;
    pager_touch(call, incident_id);
    if (r == 0 && news.reason == ROUTE_RESOLVED)
        r = failover_end(call, &news);
    return r;
}

static int tell(struct pager_call *call, const struct dispatch_notification *notification)
{
    struct dispatch_notification news = *notification;
    int64_t incident_id = 0;
    bool opened = false;
    int r = 0;

    for (size_t i = 0; r == 0 && i < news.n_firing; i++)
        r = open_late(call, news.firing[i], &opened);
    /* it was told before, ended and fired again while it was muted: no reminder of what is over */
    if (opened && news.reason != DISPATCH_FIRST)
        news.reason = DISPATCH_NEW_ALERTS;
    if (r == 0)
        r = incident_of(call, &news, &incident_id);
    if (r || !incident_id)
        return r;
    if (news.to->kind == ROUTE_ONCALL)
        return escalate_news(call, news.to->oncall.policy, incident_id, reason_of(news.reason),
                             news.at_ms);
    return owe(call, &news, incident_id);
}

static void on_notification(void *arg, const struct dispatch_notification *notification)
{
    struct pager_call *call = arg;

    if (call->result == 0)
        call->result = tell(call, notification);
}

/* --- what the flush changed --- */

static void on_group(void *arg, const struct dispatch_group_row *row)
{
    struct pager_call *call = arg;

    if (call->result == 0)
        call->result = notify_db_put_group(call->conn, row, call->reterr);
}

static void on_group_gone(void *arg, const char *route_id, const struct labels *group)
{
    struct pager_call *call = arg;

    if (call->result == 0)
        call->result = notify_db_drop_group(call->conn, route_id, group, call->reterr);
}

static void on_told(void *arg, const struct dispatch_log_row *row)
{
    struct pager_call *call = arg;

    if (call->result == 0)
        call->result = notify_db_put_told(call->conn, row, call->reterr);
}

int pager_flush(struct pager_call *call)
{
    const struct dispatch_changes changes = {
        .group = on_group, .group_gone = on_group_gone, .log = on_told, .arg = call};

    dispatch_run(call->pager->dispatch, call->now_ms, on_notification, call);
    dispatch_save_changes(call->pager->dispatch, &changes);
    call->outcome->next_ms = dispatch_next_ms(call->pager->dispatch);
    return call->result ? call->result : escalate_due(call, &call->outcome->next_ms);
}
