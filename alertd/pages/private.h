#pragma once

/*
 * Inside the pages: what run.c (time, alerts, incidents), tell.c (messages, escalations) and
 * sum.c share. Nobody else includes this.
 */

#include "alertd/incident/incident.h"
#include "alertd/oncall/escalation.h"
#include "alertd/pages/pages.h"
#include "alertd/route/dispatch.h"

#define PAGES_NONE UINT32_MAX

/* Alerts with the same labels are one. */
struct world_alert {
    const struct labels *labels;
    uint32_t group;    /* of its first route */
    uint32_t incident; /* the newest it was in; PAGES_NONE */
    uint32_t alert;    /* of the plan's, the newest that began */
    bool fires;        /* now */
    bool in_incident;  /* as firing */
    bool counts;
};

/* A group of the first route: what incidents are of. */
struct world_group {
    char *key;
    int64_t interval_ms;
    uint32_t incident; /* the newest */
};

/* Who was told of an incident since it began. */
struct world_told {
    const struct route_integration *to;
    int64_t at_ms;
};

struct world_escalation {
    const struct policy *policy;
    struct escalation state;
};

struct world_incident {
    uint32_t group;
    uint32_t alert; /* the first */
    struct incident_life life;
    int64_t opened_ms, began_ms;
    int64_t resolved_ms; /* 0: not */
    bool is_acked, told_resolved, counts;
    int64_t ack_ms; /* somebody takes it then; INT64_MAX */
    struct world_told *told;
    size_t n_told, told_capacity;
    struct world_escalation *escalations;
    size_t n_escalations, escalations_capacity;
    const struct person **people; /* paged since it began: they are told its end */
    size_t n_people, people_capacity;
    bool is_watched; /* in world.watched */
};

struct world {
    const struct pages_plan *plan;
    const struct pages_alert *alerts;
    size_t n_alerts;
    struct world_alert *known; /* by labels' hash, then labels */
    size_t n_known;
    uint32_t *known_of; /* of the plan's alerts */
    struct world_group *groups;
    size_t n_groups;
    struct world_incident *incidents;
    size_t n_incidents, incidents_capacity;
    uint32_t *watched; /* incidents that something will happen to by itself */
    size_t n_watched, watched_capacity;
    struct dispatch *dispatch;
    struct silences *silences;
    struct arena scratch;
    int64_t now_ms;
    struct pages *out;
    size_t messages_capacity, pages_capacity;
    bool too_many;
};

/* run.c */
struct world_alert *world_known(struct world *world, const struct labels *labels);
void world_open(struct world *world, struct world_alert *alert);
void world_watch(struct world *world, uint32_t incident);

/* tell.c */
void world_tell(void *arg, const struct dispatch_notification *told);
void world_escalate_again(struct world *world, uint32_t at);
void world_escalate_due(struct world *world);
void world_ack_due(struct world *world);
int64_t world_next_ms(const struct world *world);

/* sum.c */
void pages_sum(const struct pages_plan *plan, struct pages *pages);
