/*
 * What there is in a drill's world at this instant: rules, alerts, incidents. See world.h.
 */

#include "alertd/drill/world_private.h"

bool drill_world_rule(const struct drill_world *world, size_t index, struct drill_rule_now *ret)
{
    if (index >= world->n_rules)
        return false;

    const struct world_rule *running = &world->rules[index];

    *ret = (struct drill_rule_now){.group = running->group,
                                   .rule = running->rule,
                                   .alerts = &running->alerts,
                                   .is_broken = running->is_broken};
    return true;
}

/* A struct of one pointer is laid out as that pointer: the array can be lent as it is. */
_Static_assert(sizeof(struct world_firing) == sizeof(const struct labels *), "lent as pointers");

bool drill_world_incident(const struct drill_world *world,
                          size_t index,
                          struct drill_incident_now *ret)
{
    if (index >= world->n_incidents)
        return false;

    const struct world_incident *incident = &world->incidents[index];

    *ret = (struct drill_incident_now){.number = incident->number,
                                       .title = incident->title,
                                       .opened_ms = incident->opened_ms,
                                       .acked_ms = incident->acked_ms,
                                       .over_ms = incident->over_ms,
                                       .firing = incident->n_firing ? &incident->firing[0].labels
                                                                    : NULL,
                                       .n_firing = incident->n_firing};
    return true;
}

size_t drill_world_n_hints(const struct drill_world *world)
{
    return world->n_hints;
}
