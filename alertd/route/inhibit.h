#pragma once

/*
 * Inhibition: which alerts are not told because another one fires.
 *
 * A rule's source that fires inhibits the rule's targets whose labels named in `equal` have
 * the same values (an absent one is an empty one). A target that is a source of the same
 * rule too is not inhibited by alerts of which that is also true. Sources are indexed by
 * their `equal` values, rule by rule. Pure; one thread.
 */

#include "alertd/route/config.h"
#include "lib/model/labels.h"

struct inhibitor;

struct inhibitor *inhibitor_new(const struct route_config *config); /* referenced */
void inhibitor_free(struct inhibitor *inhibitor);                   /* NULL is fine */

/* An alert that fires until ends_at_ms; again with a new end when that is known. */
void inhibitor_put(struct inhibitor *inhibitor, const struct labels *alert, int64_t ends_at_ms);
/* Forgets sources over by now. */
void inhibitor_prune(struct inhibitor *inhibitor, int64_t now_ms);

struct inhibition {
    const struct labels *source; /* NULL: not inhibited. A loan until the next put or prune */
    const struct route_inhibit_rule *rule;
};

struct inhibition inhibitor_check(const struct inhibitor *inhibitor,
                                  const struct labels *alert,
                                  int64_t now_ms);
