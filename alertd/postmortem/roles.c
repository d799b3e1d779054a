/*
 * Roles instead of names. See roles.h.
 */

#include "alertd/postmortem/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const struct fact *group, const char *name)
{
    const struct fact *member = group ? fact_member(group, name, strlen(name)) : NULL;

    return member && member->type == FACT_TEXT ? member->text : "";
}

static bool is_known(const struct roles *roles, const char *name)
{
    for (size_t i = 0; i < roles->n; i++)
        if (strcmp(roles->at[i].name, name) == 0)
            return true;
    return false;
}

static bool add(struct arena *arena, struct roles *roles, const char *name, const char *role)
{
    if (!*name || is_known(roles, name))
        return true;
    if (roles->n == ROLES_MAX)
        return false;
    struct role *next = &roles->at[roles->n++];

    *next = (struct role){arena_strndup(arena, name, strlen(name)),
                          arena_strndup(arena, role, strlen(role))};
    return next->name && next->role;
}

/* Longest first. */
static int by_length(const void *a, const void *b)
{
    size_t x = strlen(((const struct role *)a)->name);
    size_t y = strlen(((const struct role *)b)->name);

    return x == y ? strcmp(((const struct role *)a)->name, ((const struct role *)b)->name)
                  : (x < y) - (x > y);
}

/* Everybody a list of groups names in one of its members. */
static bool add_all(struct arena *arena,
                    struct roles *roles,
                    const struct fact *facts,
                    const char *list,
                    const char *member,
                    const char *role)
{
    const struct fact *rows = fact_member(facts, list, strlen(list));
    unsigned number = 0;

    for (const struct fact *row = rows ? rows->first : NULL; row; row = row->next) {
        const char *name = text_of(row, member);
        char words[80];

        if (!*name || is_known(roles, name))
            continue;
        (void)snprintf(words, sizeof(words), "%s %u", role, ++number);
        if (!add(arena, roles, name, words))
            return false;
    }
    return true;
}

bool roles_of(struct arena *arena, const struct fact *facts, struct roles *ret_roles)
{
    const struct fact *doc = fact_member(facts, "doc", 3);
    bool fits = true;

    *ret_roles = (struct roles){0};
    fits = fits && add_all(arena, ret_roles, facts, "responders", "name", "responder");
    fits = fits && add_all(arena, ret_roles, facts, "people", "name", "person");
    fits = fits && add(arena, ret_roles, text_of(doc, "owner"), "the owner of this document");
    fits = fits && add(arena, ret_roles, text_of(doc, "author"), "the author of this document");
    qsort(ret_roles->at, ret_roles->n, sizeof(*ret_roles->at), by_length);
    return fits;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (unsigned char)c >= 0x80;
}

static const struct role *role_at(const struct roles *roles, const char *text, const char *at)
{
    if (at > text && is_word(at[-1]) && is_word(*at))
        return NULL;
    for (size_t i = 0; i < roles->n; i++) {
        size_t len = strlen(roles->at[i].name);

        if (strncmp(at, roles->at[i].name, len) == 0 && !(is_word(at[len]) && is_word(at[len - 1])))
            return &roles->at[i];
    }
    return NULL;
}

void roles_replace(const struct roles *roles, const char *text, struct str *out)
{
    for (const char *at = text; *at;) {
        const struct role *role = role_at(roles, text, at);

        if (role) {
            str_add(out, role->role);
            at += strlen(role->name);
        } else {
            str_addc(out, *at++);
        }
    }
}
