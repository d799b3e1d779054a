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
    ROLES_MAX = 20000
};

enum role_case {
    ROLE_AS_IT_IS,
    ROLE_ANY_CASE, /* a login: ANA is ana */
    ROLE_CAPITAL,  /* part of a name, which may be a word too: Mark and MARK, not mark */
};

struct role {
    const char *name;
    const char *role;
    enum role_case how;
};

struct roles {
    struct role *at; /* the arena's */
    size_t n, capacity;
};

/* Copies both texts. False: beyond ROLES_MAX, or a spent arena. */
bool roles_push(struct arena *arena,
                struct roles *roles,
                const char *name,
                const char *role,
                enum role_case how);

/* The names in the facts of a document, each with its role. In the arena; what is beyond
 * ROLES_MAX is left out and said by false, as is a spent arena. */
bool roles_of(struct arena *arena, const struct fact *facts, struct roles *ret_roles);

/* Somebody whom any text may name: the login, the whole name and its parts; who has a role keeps it.
 * False as above. */
bool roles_add(struct arena *arena, struct roles *roles, const char *login, const char *full_name);

/* Appends the text with every name replaced. */
void roles_replace(const struct roles *roles, const char *text, struct str *out);
/* The same of HTML or SVG: in what is read, or read out; never in names of elements and classes. */
void roles_replace_markup(const struct roles *roles, const char *markup, struct str *out);
