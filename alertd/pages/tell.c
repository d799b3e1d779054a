/*
 * Messages out: flushes to integrations, escalations to people, and the answers that people are
 * supposed to give. See pages.h; the same decisions as pager/tell.c, pager/escalate.c and
 * outbox_db_add(), over an outbox that is always empty.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/pages/private.h"
#include "lib/base/mem.h"

static const struct roster nobody = {0};

static const struct roster *roster_of(const struct world *world)
{
    return world->plan->roster ? world->plan->roster : &nobody;
}

/* --- one message --- */

struct telling {
    uint32_t incident;
    int64_t at_ms;
    const char *who;
    const char *kind;
    unsigned slot;
    enum route_reason reason;
    const char *policy;
    unsigned step;
    bool counts;
    uint32_t alert;
};

static bool is_page(enum route_reason reason)
{
    return reason != ROUTE_RESOLVED && reason != ROUTE_SOME_RESOLVED;
}

static void add_page(struct world *world, const struct telling *telling)
{
    struct pages *out = world->out;

    for (size_t i = out->n; i > 0 && out->at[i - 1].at_ms == telling->at_ms; i--) {
        struct pages_page *page = &out->at[i - 1];

        if (page->incident == telling->incident && strcmp(page->who, telling->who) == 0) {
            page->n_ways++;
            return;
        }
    }
    out->at = mem_grow(out->at, &world->pages_capacity, out->n + 1, sizeof(*out->at));
    out->at[out->n++] = (struct pages_page){
        .at_ms = telling->at_ms,
        .who = telling->who,
        .reason = telling->reason,
        .policy = telling->policy,
        .step = telling->step,
        .incident = telling->incident,
        .alert = telling->alert,
        .n_ways = 1,
    };
}

/* Somebody takes it so long behind the page, if nobody has by then. */
static void expect_answer(struct world *world, const struct telling *telling)
{
    struct world_incident *incident = &world->incidents[telling->incident];

    if (world->plan->ack_after_ms < 0 || incident->ack_ms != INT64_MAX ||
        incident->life.status != INCIDENT_TRIGGERED)
        return;
    incident->ack_ms = telling->at_ms + world->plan->ack_after_ms;
    world_watch(world, telling->incident);
}

static void send(struct world *world, const struct telling *telling)
{
    struct pages *out = world->out;

    world->incidents[telling->incident].told_resolved = telling->reason == ROUTE_RESOLVED;
    if (strcmp(telling->kind, route_kind_name(ROUTE_DASHBOARD)) == 0)
        return; /* nobody outside is told */
    if (is_page(telling->reason))
        expect_answer(world, telling);
    if (!telling->counts || telling->at_ms < world->plan->from_ms || world->too_many)
        return;
    if (out->n_messages == PAGES_MESSAGES_MAX) {
        world->too_many = true;
        return;
    }
    out->messages = mem_grow(out->messages, &world->messages_capacity, out->n_messages + 1,
                             sizeof(*out->messages));
    out->messages[out->n_messages++] = (struct pages_message){telling->at_ms,  telling->who,
                                                              telling->kind,   telling->slot,
                                                              telling->reason, telling->incident};
    out->notifications++;
    if (is_page(telling->reason))
        add_page(world, telling);
}

/* Rows of the outbox since it began: of escalations too. */
static bool was_told(const struct world_incident *incident, const struct route_integration *to)
{
    for (size_t i = 0; i < incident->n_told; i++)
        if (incident->told[i].to == to)
            return incident->told[i].at_ms >= incident->began_ms;
    return false;
}

static void note_told(struct world_incident *incident,
                      const struct route_integration *to,
                      int64_t at_ms)
{
    size_t i = 0;

    while (i < incident->n_told && incident->told[i].to != to)
        i++;
    if (i == incident->n_told) {
        incident->told = mem_grow(incident->told, &incident->told_capacity, i + 1,
                                  sizeof(*incident->told));
        incident->n_told++;
    }
    incident->told[i] = (struct world_told){to, at_ms};
}

/* --- escalations --- */

static const char *name_person(struct world *world, const char *person)
{
    char who[ROSTER_NAME_MAX + sizeof(PAGES_PERSON)];

    /* the same person is the same text: found again in what was told lately */
    (void)snprintf(who, sizeof(who), PAGES_PERSON "%s", person);
    for (size_t i = world->out->n_messages, n = 0; i > 0 && n < 64; i--, n++)
        if (strcmp(world->out->messages[i - 1].who, who) == 0)
            return world->out->messages[i - 1].who;
    const char *kept = arena_strndup(&world->out->arena, who, strlen(who));

    world->too_many |= kept == NULL;
    return kept ? kept : PAGES_PERSON;
}

static void remember_person(struct world_incident *incident, const struct person *person)
{
    for (size_t i = 0; i < incident->n_people; i++)
        if (incident->people[i] == person)
            return;
    incident->people = mem_grow(incident->people, &incident->people_capacity,
                                incident->n_people + 1, sizeof(*incident->people));
    incident->people[incident->n_people++] = person;
}

static void page_person(struct world *world, const struct person *person, struct telling telling)
{
    telling.who = name_person(world, person->name);
    for (size_t i = 0; i < person->n_contacts; i++) {
        telling.kind = person->contacts[i].method;
        telling.slot = (unsigned)i;
        send(world, &telling);
    }
}

static void page_receiver(struct world *world, const char *name, struct telling telling)
{
    const struct route_config *config = world->plan->config;

    for (size_t i = 0; i < config->n_receivers; i++) {
        const struct route_receiver *receiver = &config->receivers[i];

        for (size_t j = 0; j < receiver->n_integrations && strcmp(receiver->name, name) == 0; j++) {
            if (receiver->integrations[j].kind == ROUTE_ONCALL)
                continue;
            telling.who = receiver->name;
            telling.kind = route_kind_name(receiver->integrations[j].kind);
            telling.slot = receiver->integrations[j].slot;
            send(world, &telling);
            note_told(&world->incidents[telling.incident], &receiver->integrations[j],
                      telling.at_ms);
        }
    }
}

static void perform(struct world *world,
                    uint32_t at,
                    const struct policy *policy,
                    const struct escalation_move *move)
{
    struct world_incident *incident = &world->incidents[at];
    struct telling telling = {
        .incident = at,
        .at_ms = move->at_ms,
        .reason = ROUTE_ESCALATION,
        .policy = policy->name,
        .step = move->kind == ESCALATION_PAGE ? move->step + 1 : 0,
        .counts = incident->counts,
        .alert = incident->alert,
    };

    if (move->kind == ESCALATION_CONTINUED) { /* nobody has it any more */
        incident->is_acked = false;
        if (incident->life.status == INCIDENT_ACKNOWLEDGED)
            incident->life.status = INCIDENT_TRIGGERED;
    }
    for (size_t i = 0; i < move->n_pages; i++) {
        const struct escalation_page *page = &move->pages[i];

        if (page->unreached)
            continue;
        if (!page->person) {
            page_receiver(world, page->target, telling);
            continue;
        }
        const struct person *person = roster_person(roster_of(world), page->person);

        remember_person(&world->incidents[at], person);
        page_person(world, person, telling);
    }
}

/* Everything due until now, then the event if there is one. */
static void move(struct world *world,
                 uint32_t at,
                 size_t which,
                 const struct escalation_event *event)
{
    const struct policy *policy = world->incidents[at].escalations[which].policy;
    struct escalation *state = &world->incidents[at].escalations[which].state;
    struct escalation_moves moves = {0};
    bool fits = event ? escalation_tell(state, policy, roster_of(world), event, &world->scratch,
                                        &moves)
                      : escalation_advance(state, policy, roster_of(world), world->now_ms,
                                           &world->scratch, &moves);

    if (!fits) {
        state->next_ms = ESCALATION_NEVER;
        world->too_many = true;
    }
    for (size_t i = 0; fits && i < moves.n; i++)
        perform(world, at, policy, &moves.at[i]);
    arena_reset(&world->scratch);
    world_watch(world, at);
}

static void begin(struct world *world, uint32_t at, size_t which, int64_t at_ms)
{
    const struct world_incident *incident = &world->incidents[at];
    struct world_escalation *escalation = &incident->escalations[which];

    escalation_open(&escalation->state, at_ms);
    if (incident->life.status != INCIDENT_ACKNOWLEDGED) {
        move(world, at, which, NULL);
        return;
    }
    /* somebody was quicker than the first page */
    escalation->state.status = ESCALATION_ACKNOWLEDGED;
    escalation->state.next_ms = escalation->policy->ack_expires_ms
                                    ? at_ms + escalation->policy->ack_expires_ms
                                    : ESCALATION_NEVER;
    world_watch(world, at);
}

static void end_and_tell(struct world *world, uint32_t at, size_t which)
{
    struct world_incident *incident = &world->incidents[at];

    incident->escalations[which].state.status = ESCALATION_RESOLVED;
    incident->escalations[which].state.next_ms = ESCALATION_NEVER;
    for (size_t i = 0; i < incident->n_people; i++)
        page_person(world, incident->people[i],
                    (struct telling){.incident = at,
                                     .at_ms = world->now_ms,
                                     .reason = ROUTE_RESOLVED,
                                     .counts = incident->counts,
                                     .alert = incident->alert});
    incident->n_people = 0;
}

static size_t escalation_of(struct world_incident *incident, const struct policy *policy)
{
    for (size_t i = 0; i < incident->n_escalations; i++)
        if (incident->escalations[i].policy == policy)
            return i;
    incident->escalations = mem_grow(incident->escalations, &incident->escalations_capacity,
                                     incident->n_escalations + 1, sizeof(*incident->escalations));
    incident->escalations[incident->n_escalations] = (struct world_escalation){
        policy, {.status = ESCALATION_RESOLVED, .next_ms = ESCALATION_NEVER}};
    return incident->n_escalations++;
}

static void news(
    struct world *world, uint32_t at, const char *name, enum route_reason reason, int64_t at_ms)
{
    const struct policy *policy = roster_policy(roster_of(world), name);
    struct world_incident *incident = &world->incidents[at];

    if (!policy)
        world->out->no_policy = name;
    if (!policy || reason == ROUTE_SOME_RESOLVED)
        return;
    size_t which = escalation_of(incident, policy);
    bool is_over = incident->escalations[which].state.status == ESCALATION_RESOLVED;
    bool is_resolved = incident->life.status == INCIDENT_RESOLVED;

    if (reason == ROUTE_RESOLVED && !is_over && is_resolved)
        end_and_tell(world, at, which);
    else if (reason != ROUTE_RESOLVED && is_over && !is_resolved)
        begin(world, at, which, at_ms);
}

void world_escalate_again(struct world *world, uint32_t at)
{
    for (size_t i = 0; i < world->incidents[at].n_escalations; i++)
        if (world->incidents[at].escalations[i].state.status == ESCALATION_RESOLVED &&
            world->incidents[at].life.status != INCIDENT_RESOLVED)
            begin(world, at, i, world->now_ms);
}

/* --- what happens by itself --- */

static int64_t due_ms(const struct world_incident *incident)
{
    int64_t due_ms = incident->ack_ms;

    for (size_t i = 0; i < incident->n_escalations; i++)
        if (incident->escalations[i].state.next_ms < due_ms)
            due_ms = incident->escalations[i].state.next_ms;
    return due_ms;
}

int64_t world_next_ms(const struct world *world)
{
    int64_t next_ms = dispatch_next_ms(world->dispatch);

    for (size_t i = 0; i < world->n_watched; i++) {
        int64_t due = due_ms(&world->incidents[world->watched[i]]);

        next_ms = due < next_ms ? due : next_ms;
    }
    return next_ms;
}

void world_escalate_due(struct world *world)
{
    for (size_t w = 0; w < world->n_watched; w++) {
        uint32_t at = world->watched[w];

        for (size_t i = 0; i < world->incidents[at].n_escalations; i++) {
            if (world->incidents[at].escalations[i].state.next_ms > world->now_ms)
                continue;
            if (world->incidents[at].life.status == INCIDENT_RESOLVED)
                end_and_tell(world, at, i);
            else
                move(world, at, i, NULL);
        }
    }
}

static void acknowledge(struct world *world, uint32_t at)
{
    const struct escalation_event event = {
        .kind = ESCALATION_ACKNOWLEDGE, .at_ms = world->now_ms, .person = ""};

    if (world->incidents[at].life.status != INCIDENT_TRIGGERED)
        return;
    (void)incident_step(&world->incidents[at].life, INCIDENT_ACK);
    world->incidents[at].is_acked = true;
    for (size_t i = 0; i < world->incidents[at].n_escalations; i++)
        if (world->incidents[at].escalations[i].state.status != ESCALATION_RESOLVED)
            move(world, at, i, &event);
}

void world_ack_due(struct world *world)
{
    size_t n = 0;

    for (size_t w = 0; w < world->n_watched; w++) {
        uint32_t at = world->watched[w];

        if (world->incidents[at].ack_ms <= world->now_ms) {
            world->incidents[at].ack_ms = INT64_MAX;
            acknowledge(world, at);
        }
        if (due_ms(&world->incidents[at]) != INT64_MAX)
            world->watched[n++] = at;
        else
            world->incidents[at].is_watched = false;
    }
    world->n_watched = n;
}

/* --- flushes --- */

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

/* Alerts that were muted when they fired are in no incident yet. */
static bool open_late(struct world *world, const struct dispatch_notification *told)
{
    bool opened = false;

    for (size_t i = 0; i < told->n_firing; i++) {
        struct world_alert *alert = world_known(world, told->firing[i]->labels);

        if (!alert->in_incident && alert->fires) {
            world_open(world, alert);
            opened = true;
        }
    }
    return opened;
}

static uint32_t incident_of(struct world *world, const struct dispatch_notification *told)
{
    if (told->n_firing > 0)
        return world_known(world, told->firing[0]->labels)->incident;
    for (size_t i = 0; i < told->n_resolved; i++) {
        uint32_t at = world_known(world, told->resolved[i]->labels)->incident;

        if (at != PAGES_NONE)
            return at;
    }
    return PAGES_NONE;
}

static bool is_needed(const struct world_incident *incident, enum route_reason reason)
{
    if (reason == ROUTE_REPEAT)
        return incident->life.status == INCIDENT_TRIGGERED;
    return reason != ROUTE_SOME_RESOLVED || incident->life.status != INCIDENT_RESOLVED;
}

static struct telling telling_of(struct world *world,
                                 const struct dispatch_notification *told,
                                 uint32_t incident)
{
    struct telling telling = {.incident = incident,
                              .at_ms = told->at_ms,
                              .who = told->to->receiver,
                              .kind = route_kind_name(told->to->kind),
                              .slot = told->to->slot,
                              .alert = PAGES_NONE};

    for (size_t i = 0; i < told->n_firing + told->n_resolved; i++) {
        const struct dispatch_alert *alert = i < told->n_firing
                                                 ? told->firing[i]
                                                 : told->resolved[i - told->n_firing];
        const struct world_alert *known = world_known(world, alert->labels);

        if (known->counts && telling.alert == PAGES_NONE)
            telling.alert = known->alert;
        telling.counts |= known->counts;
    }
    if (telling.alert == PAGES_NONE)
        telling.alert = world->incidents[incident].alert;
    return telling;
}

void world_tell(void *arg, const struct dispatch_notification *told)
{
    struct world *world = arg;
    enum route_reason reason = reason_of(told->reason);
    int64_t now_ms = world->now_ms;

    world->now_ms = told->at_ms;
    if (open_late(world, told) && reason != ROUTE_FIRST)
        reason = ROUTE_NEW_ALERTS;
    uint32_t at = incident_of(world, told);

    if (at != PAGES_NONE && told->to->kind == ROUTE_ONCALL && world->plan->roster) {
        news(world, at, told->to->oncall.policy, reason, told->at_ms);
    } else if (at != PAGES_NONE && is_needed(&world->incidents[at], reason)) {
        struct telling telling = telling_of(world, told, at);

        if (reason == ROUTE_NEW_ALERTS && !was_told(&world->incidents[at], told->to))
            reason = ROUTE_FIRST;
        telling.reason = reason;
        world->incidents[at].told_resolved = reason == ROUTE_RESOLVED;
        if (reason != ROUTE_RESOLVED || told->to->send_resolved) {
            send(world, &telling);
            note_told(&world->incidents[at], told->to, told->at_ms);
        }
    }
    world->now_ms = now_ms;
}
