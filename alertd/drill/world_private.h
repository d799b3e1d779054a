#pragma once

/*
 * A drill's world, in four files:
 *
 *   world.c        time, samples, rules
 *   world_page.c   from alerts that fire to who is paged
 *   world_act.c    what a player does, and moments in words
 *   world_view.c   what there is at this instant
 */

#include "alertd/drill/world.h"
#include "alertd/eval/rule_eval.h"
#include "alertd/incident/incident.h"
#include "alertd/oncall/escalation.h"
#include "alertd/promql/memory_source.h"
#include "alertd/route/dispatch.h"

struct world_rule {
    const struct rule_group *group;
    const struct rule *rule;
    struct alert_set alerts;
    struct rule_output output;
    bool is_broken; /* told once */
};

/* An alert of an incident that fires. */
struct world_firing {
    const struct labels *labels; /* a reference */
};

struct world_incident {
    unsigned number;
    char *group_key;
    char *title;
    struct incident_life life;
    int64_t opened_ms, acked_ms, over_ms; /* DRILL_NOT_YET */
    struct world_firing *firing;
    size_t n_firing, capacity;
    const struct policy *policy; /* of its escalation; NULL: none yet */
    struct escalation escalation;
};

struct drill_world {
    const struct drill_case *drill_case;
    int64_t zero_ms, lead_ms;
    int64_t now_ms; /* since the drill's start; -lead_ms first */
    bool has_begun; /* the first instant is over */
    struct drill_patience patience;
    bool is_given_up;
    struct drill_signal *signal;
    struct memory_source memory;
    struct world_rule *rules;
    size_t n_rules;
    struct dispatch *dispatch;
    struct world_incident *incidents;
    size_t n_incidents, incidents_capacity;
    struct drill_moment *moments;
    size_t n_moments, moments_capacity;
    struct arena words; /* of moments */
    size_t n_hints;
    int64_t paged_ms, mended_ms;
};

struct drill_moment *world_add(struct drill_world *world, const struct drill_moment *moment);
/* A copy that lives as long as the world. */
const char *world_keep(struct drill_world *world, const char *text);

/* An alert began or ceased to fire. */
void world_take_alert(struct drill_world *world, const struct alert_event *event);
/* Routes and escalations until now. */
void world_page(struct drill_world *world);
void world_incidents_done(struct drill_world *world);
/* The newest that is not over and not acknowledged, or any that is not over; NULL. */
struct world_incident *world_open_incident(struct drill_world *world, bool unacknowledged);
void world_tell_escalation(struct drill_world *world,
                           struct world_incident *incident,
                           enum escalation_event_kind kind,
                           const char *person);
