/*
 * Escalations: rows moved by oncall/escalation.h, and what the moves become. See escalate.h.
 */

#include "alertd/pager/escalate.h"

#include <stdio.h>
#include <string.h>

#include "alertd/db/escalation_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/roster_db.h"
#include "alertd/oncall/spelling.h"

enum {
    ROSTER_BYTES_MAX = 64 * 1024 * 1024,
    STATE_BYTES_MAX = 4096,
    RECEIVER_MAX = ROSTER_NAME_MAX + 16,
};

/* --- the roster, as the rows say --- */

static int load_roster(struct pager_call *call)
{
    struct pager *pager = call->pager;
    struct err left_out = {0};
    int64_t revision = 0;
    int r = roster_db_revision(call->conn, &revision, call->reterr);

    if (r || (pager->has_roster && revision == pager->roster_revision))
        return r;
    pager_drop_roster(pager);
    arena_init(&pager->roster_arena, ROSTER_BYTES_MAX);
    r = roster_db_load(call->conn, &pager->zones, &pager->roster_arena, &pager->roster, &left_out);
    if (r)
        return err_set(call->reterr, r, "%s", left_out.text);
    if (left_out.text[0])
        log_warn(pager->log, "pager", "part of the roster can't be read", "error=\"%s\"",
                 left_out.text);
    pager->has_roster = true;
    pager->roster_revision = revision;
    return 0;
}

void pager_drop_roster(struct pager *pager)
{
    arena_reset(&pager->roster_arena);
    zones_done(&pager->zones);
    pager->zones = (struct zones){0};
    pager->roster = (struct roster){0};
    pager->has_roster = false;
}

/* --- rows --- */

int escalate_say(struct escalate_work *work,
                 const char *actor,
                 const char *text,
                 const struct str *data,
                 int64_t at_ms)
{
    STR_AUTO struct str of_policy = STR_INIT(STATE_BYTES_MAX);
    char source[RECEIVER_MAX];

    escalation_policy_print(work->row.policy, &of_policy);
    if (!data || data->full)
        data = &of_policy;

    const struct timeline_event event = {
        .kind = timeline_kind_name(TIMELINE_ESCALATION),
        .event_class = actor ? "human" : "machine",
        .source = source,
        .actor = actor,
        .text = text,
        .data = str_text(data),
        .occurred_at_ms = at_ms,
    };

    (void)snprintf(source, sizeof(source), "policy %s", work->row.policy);
    pager_touch(work->call, work->incident.id);
    return event_db_append(work->call->conn, work->incident.id, &event, work->call->now_ms, NULL,
                           work->call->reterr);
}

static int store(struct escalate_work *work)
{
    STR_AUTO struct str state = STR_INIT(STATE_BYTES_MAX);
    struct escalation_row row = work->row;

    escalation_print(&work->state, &state);
    row.state = str_text(&state);
    row.next_ms = work->state.next_ms;
    return escalation_db_put(work->call->conn, &row, work->call->reterr);
}

/* Nothing else must wait for one that can't be read: it says so and stands still. */
static int give_up(struct escalate_work *work, const struct err *why)
{
    STR_AUTO struct str words = STR_INIT(ESCALATE_WORDS_MAX);
    struct escalation_row row = work->row;

    row.next_ms = INT64_MAX;
    str_addf(&words, "policy %s can't be followed any more, nobody else is paged by it: %s",
             row.policy, why->text);
    int r = escalate_say(work, NULL, str_text(&words), NULL, work->call->now_ms);

    return r == 0 ? escalation_db_put(work->call->conn, &row, work->call->reterr) : r;
}

/* The row's texts; *ret_ok is false when it was given up. */
int escalate_read(struct escalate_work *work, bool *ret_ok)
{
    struct err err = {0};
    int r = policy_parse(work->row.spec, strlen(work->row.spec), work->arena, &work->policy, &err);

    if (r == 0)
        r = escalation_parse(work->row.state, strlen(work->row.state), &work->state, &err);
    *ret_ok = r == 0;
    return r == 0 ? 0 : give_up(work, &err);
}

/* --- moves --- */

/* What was due while nobody ran for half a day has its own day to be told. */
int64_t escalate_owed_ms(const struct pager_call *call, int64_t at_ms)
{
    return at_ms < call->now_ms - OUTBOX_KEEP_TRYING_MS / 2 ? call->now_ms : at_ms;
}

static int owe(struct escalate_work *work, const struct outbox_new *to, int64_t at_ms)
{
    struct pager_call *call = work->call;
    struct outbox_new news = *to;
    bool grew = false;

    news.incident_id = work->incident.id;
    news.reason = ROUTE_ESCALATION;
    news.send_resolved = true;
    news.group_key = "";
    news.group = labels_empty();
    news.now_ms = escalate_owed_ms(call, at_ms);
    int r = outbox_db_add(call->conn, &news, &grew, call->reterr);

    call->outcome->outbox_grew |= grew;
    call->outcome->people_grew |= grew;
    return r;
}

int escalate_page_person(struct escalate_work *work,
                         const char *name,
                         int64_t at_ms,
                         int64_t after_ms)
{
    const struct person *person = roster_person(&work->call->pager->roster, name);
    char receiver[RECEIVER_MAX];
    int r = 0;

    (void)snprintf(receiver, sizeof(receiver), OUTBOX_PERSON "%s", name);
    for (size_t i = 0; r == 0 && person && i < person->n_contacts; i++)
        r = owe(work,
                &(struct outbox_new){.receiver = receiver,
                                     .kind = person->contacts[i].method,
                                     .slot = (unsigned)i,
                                     .after_ms = after_ms},
                at_ms);
    return r;
}

static int page_receiver(struct escalate_work *work, const char *name, int64_t at_ms)
{
    const struct route_config *config = work->call->pager->config;
    int r = 0;

    for (size_t i = 0; i < config->n_receivers; i++) {
        const struct route_receiver *receiver = &config->receivers[i];

        if (strcmp(receiver->name, name) != 0)
            continue;
        for (size_t j = 0; r == 0 && j < receiver->n_integrations; j++) {
            const struct route_integration *to = &receiver->integrations[j];

            if (to->kind != ROUTE_ONCALL)
                r = owe(work,
                        &(struct outbox_new){
                            .receiver = name, .kind = route_kind_name(to->kind), .slot = to->slot},
                        at_ms);
        }
    }
    return r;
}

static int perform(struct escalate_work *work, const struct escalation_move *move)
{
    STR_AUTO struct str words = STR_INIT(ESCALATE_WORDS_MAX);
    STR_AUTO struct str data = STR_INIT(ESCALATE_WORDS_MAX);
    struct pager *pager = work->call->pager;

    work->made = NULL;
    escalate_words(move, &work->policy, &pager->roster, pager->config, &words);
    escalation_move_print(move, work->row.policy, &data);
    int r = escalate_say(work, NULL, str_text(&words), &data, move->at_ms);

    if (r == 0 && move->kind == ESCALATION_CONTINUED)
        r = incident_db_let_go(work->call->conn, work->incident.id, work->call->reterr);
    for (size_t i = 0; r == 0 && i < move->n_pages; i++) {
        const struct escalation_page *page = &move->pages[i];
        int64_t after_ms = 0;

        if (page->unreached)
            continue;
        if (page->person)
            r = fork_reverse(work, move, page, &after_ms);
        if (r == 0)
            r = page->person ? escalate_page_person(work, page->person, move->at_ms, after_ms)
                             : page_receiver(work, page->target, move->at_ms);
    }
    return r == 0 ? fork_copies(work, move) : r;
}

/* Everything due until now, then the event if there is one. */
int escalate_move(struct escalate_work *work, const struct escalation_event *event)
{
    struct pager_call *call = work->call;
    struct escalation_moves moves = {0};
    int r = load_roster(call);

    if (r)
        return r;
    bool fits = event ? escalation_tell(&work->state, &work->policy, &call->pager->roster, event,
                                        work->arena, &moves)
                      : escalation_advance(&work->state, &work->policy, &call->pager->roster,
                                           call->now_ms, work->arena, &moves);
    if (!fits)
        return give_up(work, &(struct err){.text = "it has too many steps at once"});
    for (size_t i = 0; r == 0 && i < moves.n; i++)
        r = perform(work, &moves.at[i]);
    return r == 0 ? store(work) : r;
}

/* --- its life --- */

static int begin(struct escalate_work *work, const char *policy, int64_t at_ms)
{
    struct pager_call *call = work->call;
    struct roster_item item = {0};
    struct err err = {0};
    bool ok = false;
    int r = roster_db_get(call->conn, ROSTER_POLICY, policy, work->arena, &item, &err);

    work->row = (struct escalation_row){
        .incident_id = work->incident.id, .policy = policy, .spec = item.spec, .state = "{}"};
    if (r == ROSTER_DB_E_NOT_FOUND)
        return escalate_say(work, NULL, "there is no policy of that name: nobody is paged by it",
                            NULL, at_ms);
    if (r)
        return err_set(call->reterr, r, "%s", err.text);
    escalation_open(&work->state, at_ms);
    STR_AUTO struct str state = STR_INIT(STATE_BYTES_MAX);
    escalation_print(&work->state, &state);
    work->row.state = str_text(&state);
    r = escalate_read(work, &ok);
    if (r || !ok)
        return r;
    if (work->incident.status != INCIDENT_ACKNOWLEDGED)
        return escalate_move(work, NULL);
    /* somebody was quicker than the first page */
    work->state.status = ESCALATION_ACKNOWLEDGED;
    work->state.next_ms = work->policy.ack_expires_ms ? at_ms + work->policy.ack_expires_ms
                                                      : ESCALATION_NEVER;
    return store(work);
}

/* The incident is over: nobody else is paged. */
int escalate_end(struct escalate_work *work)
{
    work->state.status = ESCALATION_RESOLVED;
    work->state.next_ms = ESCALATION_NEVER;
    int r = store(work);

    return r == 0 ? fork_end(work) : r;
}

static int end_and_tell(struct escalate_work *work)
{
    struct pager_call *call = work->call;
    int r = escalate_end(work);

    if (r == 0)
        r = outbox_db_close_people(call->conn, work->incident.id, call->now_ms, call->reterr);
    call->outcome->outbox_grew = true;
    call->outcome->people_grew = true;
    return r;
}

/* --- from the pager --- */

static const struct escalation_row *row_of(const struct escalation_row *rows,
                                           size_t n,
                                           const char *policy)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].policy, policy) == 0)
            return &rows[i];
    return NULL;
}

int escalate_news(struct pager_call *call,
                  const char *policy,
                  int64_t incident_id,
                  enum route_reason reason,
                  int64_t at_ms)
{
    struct escalation_row *rows = NULL;
    ARENA_AUTO struct arena arena;
    struct escalate_work work = {.call = call, .arena = &arena};
    size_t n = 0;
    bool ok = true;

    arena_init(&arena, ESCALATE_BYTES_MAX);
    int r = incident_db_get_by_id(call->conn, incident_id, &arena, &work.incident, call->reterr);
    if (r == 0)
        r = escalation_db_of(call->conn, incident_id, &arena, &rows, &n, call->reterr);
    const struct escalation_row *row = row_of(rows, n, policy);

    if (r == 0 && row) {
        work.row = *row;
        r = escalate_read(&work, &ok);
    }
    if (r || !ok || reason == ROUTE_SOME_RESOLVED)
        return r;

    bool is_over = !row || work.state.status == ESCALATION_RESOLVED;

    if (reason == ROUTE_RESOLVED)
        return is_over || work.incident.status != INCIDENT_RESOLVED ? 0 : end_and_tell(&work);
    return is_over && work.incident.status != INCIDENT_RESOLVED ? begin(&work, policy, at_ms) : 0;
}

int escalate_again(struct pager_call *call, int64_t incident_id)
{
    struct escalation_row *rows = NULL;
    ARENA_AUTO struct arena arena;
    struct escalate_work work = {.call = call, .arena = &arena};
    size_t n = 0;

    arena_init(&arena, ESCALATE_BYTES_MAX);
    int r = escalation_db_of(call->conn, incident_id, &arena, &rows, &n, call->reterr);
    if (r == 0 && n > 0)
        r = incident_db_get_by_id(call->conn, incident_id, &arena, &work.incident, call->reterr);
    for (size_t i = 0; r == 0 && i < n; i++) {
        bool ok = false;

        work.row = rows[i];
        r = escalate_read(&work, &ok);
        if (r == 0 && ok && work.state.status == ESCALATION_RESOLVED &&
            work.incident.status != INCIDENT_RESOLVED)
            r = begin(&work, rows[i].policy, call->now_ms);
    }
    return r;
}

/* The first that is due; *ret_found is false when none is. */
static int one_due(struct pager_call *call, bool *ret_found)
{
    ARENA_AUTO struct arena arena;
    struct escalate_work work = {.call = call, .arena = &arena};
    bool ok = false;

    arena_init(&arena, ESCALATE_BYTES_MAX);
    int r = escalation_db_due(call->conn, call->now_ms, &arena, &work.row, call->reterr);
    *ret_found = r == 0 && work.row.incident_id;
    if (!*ret_found)
        return r;
    r = incident_db_get_by_id(call->conn, work.row.incident_id, &arena, &work.incident,
                              call->reterr);
    if (r == 0)
        r = escalate_read(&work, &ok);
    if (r || !ok)
        return r;
    return work.incident.status == INCIDENT_RESOLVED ? end_and_tell(&work)
                                                     : escalate_move(&work, NULL);
}

int escalate_due(struct pager_call *call, int64_t *next_ms)
{
    int64_t due_ms = INT64_MAX;
    bool found = true;
    int r = 0;

    while (r == 0 && found)
        r = one_due(call, &found);
    if (r == 0)
        r = escalation_db_next(call->conn, &due_ms, call->reterr);
    if (r == 0 && due_ms < *next_ms)
        *next_ms = due_ms;
    return r;
}
