/*
 * Finding people, schedules and policies by name. See roster.h.
 */

#include "alertd/oncall/roster.h"

#include <string.h>

const struct person *roster_person(const struct roster *roster, const char *name)
{
    for (size_t i = 0; i < roster->n_people; i++)
        if (strcmp(roster->people[i].name, name) == 0)
            return &roster->people[i];
    return NULL;
}

const struct schedule *roster_schedule(const struct roster *roster, const char *name)
{
    for (size_t i = 0; i < roster->n_schedules; i++)
        if (strcmp(roster->schedules[i].name, name) == 0)
            return &roster->schedules[i];
    return NULL;
}

const struct policy *roster_policy(const struct roster *roster, const char *name)
{
    for (size_t i = 0; i < roster->n_policies; i++)
        if (strcmp(roster->policies[i].name, name) == 0)
            return &roster->policies[i];
    return NULL;
}
