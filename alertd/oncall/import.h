#pragma once

/*
 * Rosters of other systems: what GoAlert and Grafana OnCall give of themselves as JSON.
 *
 * What they say and we cannot keep is listed, object by object, and never dropped in silence:
 * an import that lost somebody's night shift without a word would be found out at night.
 */

#include "alertd/oncall/roster.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

struct import_notes {
    const char **at; /* "schedule 'Primary': rule 3: …" */
    size_t n, capacity;
};

/* GoAlert: the answer of its GraphQL API, {"data": {"users": {"nodes": […]}, "rotations": …,
 * "schedules": …, "escalationPolicies": …}}, or that object's inside. */
int import_goalert(const char *text,
                   size_t len,
                   struct zones *zones,
                   struct arena *arena,
                   struct roster *ret_roster,
                   struct import_notes *ret_notes,
                   struct err *reterr);

/* Grafana OnCall: {"users": […], "schedules": […], "on_call_shifts": […], "escalation_chains":
 * […], "escalation_policies": […]}, each a list or a page of its REST API ({"results": […]}). */
int import_oncall(const char *text,
                  size_t len,
                  struct zones *zones,
                  struct arena *arena,
                  struct roster *ret_roster,
                  struct import_notes *ret_notes,
                  struct err *reterr);
