/*
 * The dispatcher and the silences out of their rows: at the start, after a transaction was taken
 * back, and when the config changed.
 *
 *     groups (their clocks), what was told with the alerts that are over since: their end is still
 *     owed, then every alert that fires: each finds its group again
 */

#include <stdlib.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/notify_db.h"
#include "alertd/db/silence_db.h"
#include "alertd/db/standing_db.h"
#include "alertd/pager/private.h"
#include "lib/base/mem.h"

enum {
    EXPIRED_KEPT_MS = 24 * 3600 * 1000,
    TOLD_ALERTS_MAX = 500,
    TOLD_BYTES_MAX = 64 * 1024 * 1024,
};

void pager_unload(struct pager *pager)
{
    dispatch_free(pager->dispatch);
    pager->dispatch = NULL;
    silences_free(pager->silences);
    pager->silences = NULL;
}

static int load_silences(struct pager_call *call)
{
    struct pager *pager = call->pager;
    struct silence *rows = NULL;
    struct arena arena;
    size_t n = 0;

    arena_init(&arena, pager->silence_arena.limit);
    int r = silence_db_load(call->conn, call->now_ms, &arena, &rows, &n, call->reterr);
    if (r) {
        arena_reset(&arena);
        return r;
    }

    struct silences *silences = silences_new(rows, n);

    dispatch_silence(pager->dispatch, silences);
    silences_free(pager->silences);
    arena_reset(&pager->silence_arena);
    pager->silence_arena = arena;
    pager->silences = silences;
    pager->silences_are_stale = false;
    return 0;
}

static void restore_group(void *arg, const struct dispatch_group_row *row)
{
    struct pager_call *call = arg;

    struct dispatch_group_row now = *row;
    const struct labels *labels = labels_new(row->group->at, row->group->n);

    /* one that was due while nobody ran is looked at once, now */
    now.not_before_ms = call->now_ms;
    /* false: its route is gone, and its alerts find another */
    now.group = labels;
    (void)dispatch_restore_group(call->pager->dispatch, &now);
    labels_unref(labels);
}

static void put_standing(void *arg, const struct incident_alert *alert)
{
    pager_put_copy(arg, alert);
}

static void put_over(struct pager_call *call, const struct incident_alert *alert)
{
    const struct labels *labels = labels_new(alert->labels->at, alert->labels->n);
    const struct labels *annotations = labels_new(alert->annotations->at, alert->annotations->n);

    dispatch_restore_over(call->pager->dispatch,
                          &(struct dispatch_alert){.labels = labels,
                                                   .annotations = annotations,
                                                   .starts_at_ms = alert->fired_at_ms,
                                                   .ends_at_ms = alert->resolved_at_ms,
                                                   .updated_at_ms = call->now_ms});
    labels_unref(labels);
    labels_unref(annotations);
}

/* Alerts told as firing whose own rows are gone since: their end is still owed. */
static void restore_told(void *arg, const struct dispatch_log_row *row)
{
    struct pager_call *call = arg;
    struct incident_alert *alerts = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    struct dispatch_log_row kept = *row;

    if (kept.expires_at_ms < call->now_ms + EXPIRED_KEPT_MS)
        kept.expires_at_ms = call->now_ms + EXPIRED_KEPT_MS; /* nobody ran: its end is still owed */
    dispatch_restore_log(call->pager->dispatch, &kept);
    arena_init(&arena, TOLD_BYTES_MAX);
    if (call->result == 0)
        call->result = incident_db_alerts_of(
            call->conn, &(struct incident_choice){row->firing, row->n_firing, TOLD_ALERTS_MAX},
            &arena, &alerts, &n, call->reterr);
    for (size_t i = 0; i < n; i++)
        if (!alerts[i].firing)
            put_over(call, &alerts[i]);
}

static int load_dispatch(struct pager_call *call)
{
    struct pager *pager = call->pager;
    const struct route_config *wanted = atomic_exchange(&pager->wanted, NULL);

    if (wanted) {
        route_config_unref(pager->config);
        pager->config = wanted;
    }
    /* groups that are empty go at the same instants as if nothing had been taken back */
    int64_t began_ms = pager->dispatch
                           ? dispatch_maintenance_ms(pager->dispatch) - DISPATCH_MAINTENANCE_MS
                           : call->now_ms;

    dispatch_free(pager->dispatch);
    pager->dispatch = dispatch_new(pager->config, began_ms);
    dispatch_track(pager->dispatch); /* all rows are written anew: some are of routes that went */
    int r = load_silences(call);
    if (r == 0)
        r = notify_db_forget(call->conn, call->now_ms, call->reterr);
    if (r == 0)
        r = notify_db_groups(call->conn, restore_group, call, call->reterr);
    if (r == 0)
        r = notify_db_drop_groups(call->conn, call->reterr);
    if (r == 0)
        r = notify_db_told(call->conn, restore_told, call, call->reterr);
    if (r == 0)
        r = call->result;
    if (r == 0)
        r = alert_db_standing(call->conn, INT64_MAX, put_standing, call, call->reterr);
    if (r == 0)
        r = standing_db_count_external(call->conn, &pager->n_external, call->reterr);
    pager->is_stale = r != 0;
    return r;
}

int pager_load(struct pager_call *call)
{
    struct pager *pager = call->pager;

    if (pager->is_stale || !pager->dispatch || atomic_load(&pager->wanted))
        return load_dispatch(call);
    return pager->silences_are_stale ? load_silences(call) : 0;
}
