/*
 * Escalations, from outside: what people do to them, and what receivers refuse. See pager.h.
 */

#include "alertd/db/escalation_db.h"
#include "alertd/db/shadow_db.h"
#include "alertd/pager/escalate.h"
#include "lib/base/clock.h"

/* --- what people do --- */

static void deed_words(const struct escalation_event *event, struct str *out)
{
    char until[CLOCK_TEXT_MAX];

    switch (event->kind) {
    case ESCALATION_ACKNOWLEDGE:
    case ESCALATION_RESOLVE: break; /* the incident's own events say it */
    case ESCALATION_SNOOZE:
        str_addf(out, "snoozed until %s: nobody is paged before",
                 clock_human(event->until_ms, event->at_ms, until));
        break;
    case ESCALATION_TAKE_OVER: str_add(out, "took it over: nobody else is paged"); break;
    case ESCALATION_ESCALATE: str_add(out, "asked for the next step now"); break;
    }
}

/* The incident's own state follows. */
static int hold(struct escalate_work *work, const struct escalation_event *event)
{
    struct pager_call *call = work->call;

    switch (event->kind) {
    case ESCALATION_ACKNOWLEDGE:
    case ESCALATION_RESOLVE: return 0;
    case ESCALATION_SNOOZE:
    case ESCALATION_TAKE_OVER:
        return incident_db_hold(call->conn, work->incident.id, event->person, call->now_ms,
                                call->reterr);
    case ESCALATION_ESCALATE:
        return incident_db_let_go(call->conn, work->incident.id, call->reterr);
    }
    return 0;
}

static int tell_one(struct escalate_work *work, const struct escalation_event *event)
{
    bool ok = false;
    int r = escalate_read(work, &ok);

    if (r || !ok)
        return r;
    if (event->kind == ESCALATION_RESOLVE)
        return escalate_end(
            work); /* what was due is not paged any more; outbox_db_close() tells people */
    if (event->kind == ESCALATION_ACKNOWLEDGE && work->state.status == ESCALATION_TAKEN)
        return 0; /* who took it holds it */
    return escalate_move(work, event);
}

static int deed(struct escalate_work *work, const struct escalation_event *event)
{
    STR_AUTO struct str words = STR_INIT(ESCALATE_WORDS_MAX);
    STR_AUTO struct str data = STR_INIT(ESCALATE_WORDS_MAX);
    struct pager_call *call = work->call;
    struct escalation_row *rows = NULL;
    size_t n = 0;
    int r = escalation_db_of(call->conn, work->incident.id, work->arena, &rows, &n, call->reterr);

    if (r == 0 && n == 0 && event->kind == ESCALATION_ESCALATE)
        r = err_set(call->reterr, PAGER_E_NO_POLICY, "no escalation policy pages about %s",
                    work->incident.key);
    if (r == 0)
        r = hold(work, event);
    deed_words(event, &words);
    work->row.policy = n ? rows[0].policy : "";
    escalation_event_print(event, work->row.policy, &data);
    if (r == 0 && words.len)
        r = escalate_say(work, event->person, str_text(&words), &data, event->at_ms);
    for (size_t i = 0; r == 0 && i < n; i++) {
        work->row = rows[i];
        r = tell_one(work, event);
    }
    return r;
}

int pager_deed(struct pager *pager,
               struct db_conn *conn,
               const char *incident,
               const struct escalation_event *event,
               struct pager_outcome *ret_outcome,
               struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct pager_call call = {.pager = pager,
                              .conn = conn,
                              .now_ms = event->at_ms,
                              .outcome = ret_outcome,
                              .reterr = reterr};
    struct escalate_work work = {.call = &call, .arena = &arena};

    *ret_outcome = (struct pager_outcome){.next_ms = INT64_MAX};
    arena_init(&arena, ESCALATE_BYTES_MAX);
    int r = pager_load(&call);
    if (r == 0)
        r = incident_db_get(conn, incident, &arena, &work.incident, reterr);
    if (r == 0 && work.incident.status == INCIDENT_RESOLVED && event->kind != ESCALATION_RESOLVE)
        r = err_set(reterr, INCIDENT_DB_E_NOT_OPEN, "%s is resolved: nobody is paged about it",
                    work.incident.key);
    return r == 0 ? deed(&work, event) : r;
}

/* --- what receivers refuse --- */

static int fail_over(struct escalate_work *work)
{
    const struct escalation_event event = {.kind = ESCALATION_ESCALATE,
                                           .at_ms = work->call->now_ms};
    bool ok = false;
    int r = escalate_read(work, &ok);

    if (r || !ok || work->state.status != ESCALATION_RUNNING)
        return r;
    r = escalate_say(work, NULL,
                     "nobody could be told of this step: the next one is not waited for", NULL,
                     work->call->now_ms);
    return r == 0 ? escalate_move(work, &event) : r;
}

int pager_refused(struct pager *pager,
                  struct db_conn *conn,
                  int64_t outbox_id,
                  int64_t now_ms,
                  struct pager_outcome *ret_outcome,
                  struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct pager_call call = {
        .pager = pager, .conn = conn, .now_ms = now_ms, .outcome = ret_outcome, .reterr = reterr};
    struct escalate_work work = {.call = &call, .arena = &arena};
    struct escalation_row *rows = NULL;
    int64_t incident_id = 0;
    size_t n = 0;

    arena_init(&arena, ESCALATE_BYTES_MAX);
    *ret_outcome = (struct pager_outcome){.next_ms = INT64_MAX};
    int r = shadow_db_refused(conn, outbox_id, now_ms, &ret_outcome->outbox_grew, reterr);
    if (r == 0)
        r = escalation_db_refused(conn, outbox_id, &incident_id, reterr);
    if (r || !incident_id)
        return r;
    r = pager_load(&call);
    if (r == 0)
        r = incident_db_get_by_id(conn, incident_id, &arena, &work.incident, reterr);
    if (r == 0 && work.incident.status == INCIDENT_TRIGGERED)
        r = escalation_db_of(conn, incident_id, &arena, &rows, &n, reterr);
    for (size_t i = 0; r == 0 && i < n; i++) {
        work.row = rows[i];
        r = fail_over(&work);
    }
    return r;
}
