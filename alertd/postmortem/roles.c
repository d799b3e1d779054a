/*
 * Roles instead of names. See roles.h.
 */

#include "alertd/postmortem/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    PART_LEAST = 3, /* letters of a part of a name */
};

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

bool roles_push(struct arena *arena,
                struct roles *roles,
                const char *name,
                const char *role,
                enum role_case how)
{
    if (roles->n == ROLES_MAX)
        return false;
    if (roles->n == roles->capacity) {
        size_t capacity = roles->capacity ? 2 * roles->capacity : 16;
        struct role *more = arena_array(arena, capacity, sizeof(*more));

        if (!more)
            return false;
        if (roles->n)
            memcpy(more, roles->at, roles->n * sizeof(*more));
        roles->at = more;
        roles->capacity = capacity;
    }
    struct role next = {arena_strndup(arena, name, strlen(name)),
                        arena_strndup(arena, role, strlen(role)), how};

    if (!next.name || !next.role)
        return false;
    roles->at[roles->n++] = next;
    return true;
}

static bool add(struct arena *arena,
                struct roles *roles,
                const char *name,
                const char *role,
                enum role_case how)
{
    return !*name || is_known(roles, name) || roles_push(arena, roles, name, role, how);
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
        if (!add(arena, roles, name, words, ROLE_ANY_CASE))
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
    fits = fits && add(arena, ret_roles, text_of(doc, "owner"), "the owner of this document",
                       ROLE_ANY_CASE);
    fits = fits && add(arena, ret_roles, text_of(doc, "author"), "the author of this document",
                       ROLE_ANY_CASE);
    if (ret_roles->n)
        qsort(ret_roles->at, ret_roles->n, sizeof(*ret_roles->at), by_length);
    return fits;
}

static const char *role_of(const struct roles *roles, const char *name)
{
    for (size_t i = 0; i < roles->n; i++)
        if (strcasecmp(roles->at[i].name, name) == 0)
            return roles->at[i].role;
    return "a colleague";
}

/* ana.lund, ana_lund, ana-lund: as logins and addresses have it. */
static bool add_joined(struct arena *arena,
                       struct roles *roles,
                       const char *full_name,
                       const char *role)
{
    bool fits = true;

    for (const char *joint = " ._-"; *joint && fits; joint++) {
        char *name = arena_strndup(arena, full_name, strlen(full_name));

        for (char *at = name; at && *at; at++)
            *at = *at == ' ' ? *joint : *at;
        fits = name && add(arena, roles, name, role, ROLE_ANY_CASE);
    }
    return fits;
}

bool roles_add(struct arena *arena, struct roles *roles, const char *login, const char *full_name)
{
    const char *role = role_of(roles, login);
    bool fits = add(arena, roles, login, role, ROLE_ANY_CASE);

    for (const char *at = full_name ? full_name : ""; *at && fits;) {
        size_t len = strcspn(at, " ");
        const char *part = arena_strndup(arena, at, len);

        fits = part && (len < PART_LEAST || add(arena, roles, part, role, ROLE_CAPITAL));
        at += len + strspn(at + len, " ");
    }
    if (fits && full_name)
        fits = add_joined(arena, roles, full_name, role);
    if (roles->n)
        qsort(roles->at, roles->n, sizeof(*roles->at), by_length);
    return fits;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (unsigned char)c >= 0x80;
}

static bool is_name(const struct role *role, const char *at, size_t len)
{
    if (role->how == ROLE_AS_IT_IS)
        return strncmp(at, role->name, len) == 0;
    return strncasecmp(at, role->name, len) == 0 &&
           (role->how == ROLE_ANY_CASE || !(*at >= 'a' && *at <= 'z'));
}

static const struct role *role_at(const struct roles *roles, const char *text, const char *at)
{
    if (at > text && is_word(at[-1]) && is_word(*at))
        return NULL;
    for (size_t i = 0; i < roles->n; i++) {
        size_t len = strlen(roles->at[i].name);

        if (is_name(&roles->at[i], at, len) && !(is_word(at[len]) && is_word(at[len - 1])))
            return &roles->at[i];
    }
    return NULL;
}

/* Within an address a role has no blanks: what is a link stays one. */
static bool is_in_address(const char *text, const char *at)
{
    const char *begin = at;

    while (begin > text && !strchr(" \t\n()<>\"'", begin[-1]))
        begin--;
    for (; begin < at; begin++)
        if (strncmp(begin, "://", 3) == 0 || strncmp(begin, "mailto:", 7) == 0)
            return true;
    return false;
}

static void add_role(const char *role, bool in_address, struct str *out)
{
    for (; *role; role++)
        str_addc(out, in_address && *role == ' ' ? '-' : *role);
}

static void replace_span(
    const struct roles *roles, const char *text, const char *at, const char *end, struct str *out)
{
    while (at < end) {
        const struct role *role = role_at(roles, text, at);

        if (role && at + strlen(role->name) <= end) {
            add_role(role->role, is_in_address(text, at), out);
            at += strlen(role->name);
        } else {
            str_addc(out, *at++);
        }
    }
}

void roles_replace(const struct roles *roles, const char *text, struct str *out)
{
    replace_span(roles, text, text, text + strlen(text), out);
}

/* Where the value of an attribute that is read out begins; NULL: there is none in this tag. */
static const char *find_read_out(const char *tag, const char *end)
{
    static const char *const names[] = {" aria-label=\"", " alt=\"", " title=\""};
    const char *first = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *at = strstr(tag, names[i]);

        if (at && at < end && (!first || at + strlen(names[i]) < first))
            first = at + strlen(names[i]);
    }
    return first;
}

static void replace_tag(const struct roles *roles,
                        const char *markup,
                        const char *tag,
                        const char *end,
                        struct str *out)
{
    for (const char *value; (value = find_read_out(tag, end)) != NULL;) {
        const char *behind = value + strcspn(value, "\"");

        str_addn(out, tag, (size_t)(value - tag));
        replace_span(roles, markup, value, behind < end ? behind : end, out);
        tag = behind < end ? behind : end;
    }
    str_addn(out, tag, (size_t)(end - tag));
}

void roles_replace_markup(const struct roles *roles, const char *markup, struct str *out)
{
    static const char style[] = "</style>";

    for (const char *at = markup; *at;) {
        const char *tag = at + strcspn(at, "<");
        const char *end = tag + strcspn(tag, ">");

        replace_span(roles, markup, at, tag, out);
        if (strncmp(tag, "<style", 6) == 0 && strstr(tag, style))
            end = strstr(tag, style) + sizeof(style) - 2;
        replace_tag(roles, markup, tag, end, out);
        at = end;
        if (*at)
            str_addc(out, *at++);
    }
}
