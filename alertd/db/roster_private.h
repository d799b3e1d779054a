#pragma once

/*
 * Between the files of the roster: what a value refers to, with the places in it that do.
 * Private to db/.
 */

#include "alertd/db/roster_db.h"
#include "lib/base/str.h"

struct roster_ref {
    enum roster_kind kind;
    const char *name;
    const char *path; /* "layers[0].rotation.people[1]" */
};

struct roster_refs {
    struct roster_ref *at;
    size_t n, capacity;
    bool full; /* the arena is spent */
};

void roster_refs_of(const struct roster_value *value,
                    struct arena *arena,
                    struct roster_refs *refs);
