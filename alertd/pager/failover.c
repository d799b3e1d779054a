/*
 * A receiver that can't be told: its failover is told as well, by the same outbox.
 *
 *   refused ---------------------------------------------> at once
 *   tried for failover_after (it is down, it hangs) -----> then
 *   the end of what went to the failover ----------------> told to both
 *
 * Once per page, and one hop: who stands in for somebody has nobody who stands in for him. The page
 * goes on being tried where it belongs.
 */

#include <string.h>

#include "alertd/db/failover_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"
#include "alertd/incident/timeline.h"
#include "alertd/pager/escalate.h"

enum {
    FAILOVER_BYTES_MAX = 4 * 1024 * 1024,
    WORDS_MAX = 4096,
};

static const struct route_receiver *find(const struct route_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, name) == 0)
            return &config->receivers[i];
    return NULL;
}

static struct outbox_new news_of(const struct failover_row *row,
                                 const struct route_integration *to,
                                 int64_t now_ms)
{
    return (struct outbox_new){
        .incident_id = row->incident_id,
        .reason = row->reason,
        .receiver = to->receiver,
        .kind = route_kind_name(to->kind),
        .slot = to->slot,
        .send_resolved = to->send_resolved,
        .group_key = row->group_key,
        .group = row->group,
        .alerts = row->alerts,
        .n_alerts = row->n_alerts,
        .now_ms = now_ms,
    };
}

static int tell_one(struct pager_call *call,
                    const struct failover_row *row,
                    const struct route_integration *to)
{
    const struct outbox_new news = news_of(row, to, call->now_ms);
    bool told = false;
    bool grew = false;

    if (to->kind == ROUTE_ONCALL)
        return escalate_news(call, to->oncall.policy, row->incident_id, row->reason, call->now_ms);
    int r = failover_db_told(call->conn, row, to, &told, call->reterr);
    if (r || told)
        return r;
    r = outbox_db_add(call->conn, &news, &grew, call->reterr);
    if (r == 0 && grew)
        r = failover_db_note(call->conn, row, to, call->reterr);
    call->outcome->outbox_grew |= grew;
    return r;
}

static int say(struct pager_call *call,
               const struct failover_row *row,
               const struct route_receiver *to,
               bool refused)
{
    STR_AUTO struct str text = STR_INIT(WORDS_MAX);
    STR_AUTO struct str data = STR_INIT(WORDS_MAX);
    char source[ROWS_SOURCE_MAX];

    str_addf(&text, "%s %s by %s: %s is told as well", row->receiver,
             refused ? "refuses to be told" : "can't be told", row->kind, to->name);
    failover_db_data(row, to->name, &data);

    const struct timeline_event event = {
        .kind = timeline_kind_name(TIMELINE_NOTIFY_FAILED),
        .event_class = "machine",
        .source = rows_source(source, "outbox", row->id),
        .text = str_text(&text),
        .data = data.full ? "{}" : str_text(&data),
        .occurred_at_ms = call->now_ms,
    };

    return event_db_append(call->conn, row->incident_id, &event, call->now_ms, NULL, call->reterr);
}

static int fail_over(struct pager_call *call, const struct failover_row *row, bool refused)
{
    const struct route_receiver *from = find(call->pager->config, row->receiver);
    const struct route_receiver *to = from ? from->failover : NULL;

    if (!to || (!refused && call->now_ms - row->owed_ms < from->failover_after_ms))
        return 0;
    int r = failover_db_mark(call->conn, row->id, call->now_ms, call->reterr);

    for (size_t i = 0; r == 0 && i < to->n_integrations; i++)
        r = tell_one(call, row, &to->integrations[i]);
    if (r == 0)
        r = say(call, row, to, refused);
    pager_touch(call, row->incident_id);
    return r;
}

int pager_failed(struct pager *pager,
                 struct db_conn *conn,
                 int64_t outbox_id,
                 bool refused,
                 int64_t now_ms,
                 struct pager_outcome *ret_outcome,
                 struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct pager_call call = {
        .pager = pager, .conn = conn, .now_ms = now_ms, .outcome = ret_outcome, .reterr = reterr};
    struct failover_row row;
    bool found = false;

    arena_init(&arena, FAILOVER_BYTES_MAX);
    *ret_outcome = (struct pager_outcome){.next_ms = INT64_MAX};
    int r = failover_db_find(conn, outbox_id, &arena, &row, &found, reterr);
    if (r || !found)
        return r;
    r = pager_load(&call);
    return r == 0 ? fail_over(&call, &row, refused) : r;
}

int failover_end(struct pager_call *call, const struct outbox_new *news)
{
    const struct route_receiver *from = find(call->pager->config, news->receiver);
    const struct route_receiver *to = from ? from->failover : NULL;
    bool was = false;
    int r = to ? failover_db_was(call->conn, news, &was, call->reterr) : 0;

    for (size_t i = 0; r == 0 && was && i < to->n_integrations; i++) {
        const struct route_integration *at = &to->integrations[i];
        struct outbox_new end = *news;
        bool grew = false;

        if (at->kind == ROUTE_ONCALL)
            continue; /* the escalation ends with the incident */
        end.receiver = at->receiver;
        end.kind = route_kind_name(at->kind);
        end.slot = at->slot;
        end.send_resolved = at->send_resolved;
        r = outbox_db_add(call->conn, &end, &grew, call->reterr);
        call->outcome->outbox_grew |= grew;
    }
    return r;
}
