#pragma once

/*
 * Roles instead of names, for what leaves the house: whoever responded becomes
 * "responder 1", the owner "the document's owner". Whole words only; the longest name first,
 * so that "Ana Lund" is not half of "Ana".
 */

#include <stddef.h>

#include "alertd/postmortem/fact.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"

enum {
    ROLES_MAX = 200
};

struct role {
    const char *name;
    const char *role;
};

struct roles {
    struct role at[ROLES_MAX];
    size_t n;
};

/* The names in the facts of a document, each with its role. In the arena; what is beyond
 * ROLES_MAX is left out and said by false, as is a spent arena. */
bool roles_of(struct arena *arena, const struct fact *facts, struct roles *ret_roles);

/* Appends the text with every name replaced. */
void roles_replace(const struct roles *roles, const char *text, struct str *out);
