/*
 * Events in. See pager.h.
 */

#include "alertd/pager/pager.h"

#include <stdlib.h>

#include "alertd/db/outbox_db.h"
#include "alertd/db/page_db.h"
#include "alertd/pager/private.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"

enum {
    EXPIRED_BYTES_MAX = 64 * 1024 * 1024
};

/* --- life --- */

static void undone(void *arg, uint64_t since)
{
    struct pager *pager = arg;

    pager->has_roster = false; /* a revision taken back is given again */
    /* other jobs fail too: that concerns no alert */
    if (pager->job < since)
        return;
    pager->is_stale = true;
    pager->silences_are_stale = true;
}

struct pager *pager_new(struct db *state, const struct route_config *config, const struct log *log)
{
    struct pager *pager = mem_zalloc(sizeof(*pager));

    *pager = (struct pager){.state = state,
                            .log = log,
                            .config = route_config_ref(config),
                            .is_stale = true,
                            .silences_are_stale = true};
    arena_init(&pager->silence_arena, 16 * 1024 * 1024);
    arena_init(&pager->roster_arena, 0);
    db_on_undo(state, undone, pager);
    return pager;
}

void pager_free(struct pager *pager)
{
    if (!pager)
        return;
    db_on_undo(pager->state, NULL, NULL);
    pager_unload(pager);
    arena_reset(&pager->silence_arena);
    pager_drop_roster(pager);
    route_config_unref(pager->config);
    route_config_unref(atomic_load(&pager->wanted));
    free(pager);
}

void pager_configure(struct pager *pager, const struct route_config *config)
{
    route_config_unref(atomic_exchange(&pager->wanted, route_config_ref(config)));
}

void pager_silences_changed(struct pager *pager)
{
    pager->silences_are_stale = true;
}

/* --- alerts --- */

static struct incident_alert alert_of(const struct alert_event *event)
{
    bool fires = event->kind == ALERT_EVENT_FIRING;

    return (struct incident_alert){
        .rule_id = event->rule_id,
        .fingerprint = event->fingerprint,
        .name = event->rule_name,
        .expr = event->expr,
        .for_ms = event->for_ms,
        .labels = event->labels,
        .annotations = event->annotations ? event->annotations : labels_empty(),
        .firing = fires,
        .active_at_ms = event->active_at_ms ? event->active_at_ms : event->at_ms,
        .fired_at_ms = event->fired_at_ms ? event->fired_at_ms : event->at_ms,
        .resolved_at_ms = fires || event->resolved_at_ms ? event->resolved_at_ms : event->at_ms,
        .value = event->value,
    };
}

static struct incident_alert alert_of_external(const struct alert_db_external *external)
{
    const char *name = labels_get(external->labels, "alertname");

    return (struct incident_alert){
        .fingerprint = external->labels->hash,
        .name = name ? name : "",
        .expr = "",
        .labels = external->labels,
        .annotations = external->annotations,
        .firing = external->is_firing,
        .active_at_ms = external->starts_ms,
        .fired_at_ms = external->starts_ms,
        .resolved_at_ms = external->is_firing ? 0 : external->ends_ms,
    };
}

void pager_put(struct pager_call *call, const struct incident_alert *alert)
{
    dispatch_put(call->pager->dispatch,
                 &(struct dispatch_alert){
                     .labels = alert->labels,
                     .annotations = alert->annotations,
                     .starts_at_ms = alert->fired_at_ms,
                     .ends_at_ms = alert->firing ? INT64_MAX : alert->resolved_at_ms,
                     .updated_at_ms = call->now_ms,
                 },
                 call->now_ms);
}

void pager_put_copy(struct pager_call *call, const struct incident_alert *alert)
{
    struct incident_alert copy = *alert;

    copy.labels = labels_new(alert->labels->at, alert->labels->n);
    copy.annotations = labels_new(alert->annotations->at, alert->annotations->n);
    pager_put(call, &copy);
    labels_unref(copy.labels);
    labels_unref(copy.annotations);
}

/* Is nobody told of it, by any of the routes it takes? */
static bool is_muted(const struct pager_call *call, const struct incident_alert *alert)
{
    struct dispatch_mute why;
    struct route_walk walk;
    bool muted = true;

    route_walk(call->pager->config, alert->labels, &walk);
    for (size_t i = 0; muted && i < walk.n; i++)
        muted = dispatch_mutes(call->pager->dispatch, alert->labels, walk.at[i], call->now_ms,
                               &why);
    return muted;
}

static void touched(void *arg, int64_t incident_id)
{
    pager_touch(arg, incident_id);
}

static int record(struct pager_call *call, const struct incident_alert *alert)
{
    if (!alert->firing)
        return page_db_ends(call->conn, alert, call->now_ms, touched, call, call->reterr);

    int r = page_db_renews(call->conn, alert, call->reterr);

    return r || is_muted(call, alert) ? r : pager_open(call, alert, NULL);
}

/* All are put before any is judged: one may inhibit another. */
static int take_in(struct pager_call *call, const struct incident_alert *alerts, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n; i++)
        pager_put(call, &alerts[i]);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = record(call, &alerts[i]);
    return r == 0 ? pager_flush(call) : r;
}

/* --- calls --- */

static struct pager_call call_begin(struct pager *pager,
                                    struct db_conn *conn,
                                    int64_t now_ms,
                                    struct pager_outcome *outcome,
                                    struct err *reterr)
{
    *outcome = (struct pager_outcome){.next_ms = INT64_MAX};
    pager->job = db_job_number(conn);
    return (struct pager_call){
        .pager = pager, .conn = conn, .now_ms = now_ms, .outcome = outcome, .reterr = reterr};
}

int pager_apply(struct pager *pager,
                struct db_conn *conn,
                const struct alert_event *events,
                size_t n_events,
                int64_t now_ms,
                struct pager_outcome *ret_outcome,
                struct err *reterr)
{
    struct pager_call call = call_begin(pager, conn, now_ms, ret_outcome, reterr);
    MEM_AUTO struct incident_alert *alerts = mem_alloc((n_events + 1) * sizeof(*alerts));
    size_t n = 0;

    /* pending and cleared are told when they fire: most never do */
    for (size_t i = 0; i < n_events; i++)
        if (events[i].kind == ALERT_EVENT_FIRING || events[i].kind == ALERT_EVENT_RESOLVED)
            alerts[n++] = alert_of(&events[i]);

    int r = pager_load(&call);

    return r == 0 ? take_in(&call, alerts, n) : r;
}

static int put_external(struct pager_call *call, const struct alert_db_external *alert)
{
    call->pager->n_external += (int64_t)alert->is_firing - (int64_t)alert->was_firing;
    return alert_db_put_external(call->conn, alert, call->reterr);
}

int pager_n_external(
    struct pager *pager, struct db_conn *conn, int64_t now_ms, int64_t *ret_n, struct err *reterr)
{
    struct pager_outcome outcome;
    struct pager_call call = call_begin(pager, conn, now_ms, &outcome, reterr);
    int r = pager_load(&call);

    *ret_n = pager->n_external;
    return r;
}

int pager_apply_external(struct pager *pager,
                         struct db_conn *conn,
                         const struct alert_db_external *alerts,
                         size_t n_alerts,
                         int64_t now_ms,
                         struct pager_outcome *ret_outcome,
                         struct err *reterr)
{
    struct pager_call call = call_begin(pager, conn, now_ms, ret_outcome, reterr);
    MEM_AUTO struct incident_alert *taken = mem_alloc((n_alerts + 1) * sizeof(*taken));
    int r = pager_load(&call); /* before the rows change: they are put here, not read */

    for (size_t i = 0; r == 0 && i < n_alerts; i++) {
        taken[i] = alert_of_external(&alerts[i]);
        r = put_external(&call, &alerts[i]);
    }
    return r == 0 ? take_in(&call, taken, n_alerts) : r;
}

/* Alerts of others that nobody renewed. */
static int end_expired(struct pager_call *call, int64_t *ret_next_ms)
{
    struct alert_db_external *expired = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, EXPIRED_BYTES_MAX);
    int r = alert_db_expired(call->conn, call->now_ms, &arena, &expired, &n, ret_next_ms,
                             call->reterr);

    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct incident_alert alert = alert_of_external(&expired[i]);

        r = put_external(call, &expired[i]);
        pager_put_copy(call, &alert);
        if (r == 0)
            r = record(call, &alert);
    }
    return r;
}

int pager_run(struct pager *pager,
              struct db_conn *conn,
              int64_t now_ms,
              struct pager_outcome *ret_outcome,
              struct err *reterr)
{
    struct pager_call call = call_begin(pager, conn, now_ms, ret_outcome, reterr);
    int64_t expires_ms = INT64_MAX;
    int r = pager_load(&call);

    if (r == 0)
        r = end_expired(&call, &expires_ms);
    if (r == 0)
        r = pager_flush(&call);
    if (r == 0 && expires_ms < ret_outcome->next_ms)
        ret_outcome->next_ms = expires_ms;
    return r;
}

int pager_canary(struct pager *pager,
                 struct db_conn *conn,
                 int64_t beat,
                 int64_t now_ms,
                 struct pager_outcome *ret_outcome,
                 struct err *reterr)
{
    struct pager_call call = call_begin(pager, conn, now_ms, ret_outcome, reterr);
    int r = pager_load(&call);

    if (r == 0)
        r = pager_flush(&call);
    if (r == 0)
        r = outbox_db_canary(conn, beat, now_ms, reterr);
    ret_outcome->outbox_grew |= r == 0;
    return r;
}
