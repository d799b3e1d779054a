/*
 * Named templates of several texts, and whether what they call is there.
 */

#include <string.h>

#include "alertd/template/engine.h"

bool tmpl_is_blank(const struct node *list)
{
    for (; list; list = list->next)
        for (size_t i = 0; i < list->len || list->kind != NODE_TEXT; i++)
            if (list->kind != NODE_TEXT || !tmpl_is_space(list->text[i]))
                return false;
    return true;
}

static const struct definition *find(const struct definition *from, const char *name)
{
    while (from && strcmp(from->name, name) != 0)
        from = from->next;
    return from;
}

static void take(struct tmpl_library *library, struct definition *definition)
{
    if (tmpl_is_blank(definition->list) && find(library->definitions, definition->name))
        return;
    definition->next = library->definitions;
    library->definitions = definition;
}

int tmpl_library_add(struct tmpl_library *library,
                     struct arena *arena,
                     struct tmpl *template,
                     const char *name,
                     bool is_users,
                     struct err *reterr)
{
    struct definition *whole = arena_alloc(arena, sizeof(*whole));

    if (!whole)
        return err_set(reterr, TMPL_E_SYNTAX, "the templates are too large");
    template->source.name = name;
    for (struct definition *at = template->definitions, *next; at; at = next) {
        next = at->next;
        at->source.name = name;
        at->is_users = is_users;
        take(library, at);
    }
    template->definitions = NULL; /* they are the library's now */
    *whole = (struct definition){
        .name = name, .list = template->list, .source = template->source, .is_users = is_users};
    take(library, whole);
    return 0;
}

/* --- What they call ------------------------------------------------------------------------ */

/* The first {{template}} of a list that `is_wanted`; lists nest as deep as the parser lets them. */
static const struct node *find_call(const struct node *list,
                                    bool (*is_wanted)(void *arg, const char *name),
                                    void *arg)
{
    const struct node *found = NULL;

    for (; list && !found; list = list->next) {
        if (list->kind == NODE_TEMPLATE && is_wanted(arg, list->text))
            return list;
        found = find_call(list->list, is_wanted, arg);
        if (!found)
            found = find_call(list->else_list, is_wanted, arg);
    }
    return found;
}

struct known {
    const struct definition *own, *library;
};

static bool is_missing(void *arg, const char *name)
{
    const struct known *known = arg;

    return !find(known->own, name) && !find(known->library, name);
}

static int check(struct known *known,
                 const struct node *list,
                 const struct tmpl_source *source,
                 struct err *reterr)
{
    const struct node *call = find_call(list, is_missing, known);
    unsigned line = 1, column = 1;

    if (!call)
        return 0;
    for (size_t i = 0; i < call->offset; i++) {
        column = source->text[i] == '\n' ? 1 : column + 1;
        line += source->text[i] == '\n';
    }
    if (source->name)
        return err_set(reterr, TMPL_E_SYNTAX, "%.100s:%u:%u: template \"%.60s\" is not defined",
                       source->name, line, column, call->text);
    return err_at(reterr, TMPL_E_SYNTAX, line, column, "template \"%.60s\" is not defined",
                  call->text);
}

static int check_all(struct known *known, const struct definition *at, struct err *reterr)
{
    int r = 0;

    for (; at && !r; at = at->next)
        r = check(known, at->list, &at->source, reterr);
    return r;
}

int tmpl_check_names(const struct tmpl *template, struct err *reterr)
{
    struct known known = {template->definitions,
                          template->library ? template->library->definitions : NULL};
    int r = check(&known, template->list, &template->source, reterr);

    return r ? r : check_all(&known, template->definitions, reterr);
}

int tmpl_library_check_names(const struct tmpl_library *library, struct err *reterr)
{
    struct known known = {NULL, library->definitions};

    return check_all(&known, library->definitions, reterr);
}

struct reach {
    const struct tmpl_library *library;
    unsigned depth;
};

/* Definitions that call each other in a circle end with the depth. */
static bool reaches_users(void *arg, const char *name)
{
    struct reach *reach = arg;
    const struct definition *definition = find(reach->library->definitions, name);
    bool is_users = definition && definition->is_users;

    if (!definition || is_users || reach->depth == 8)
        return is_users;
    reach->depth++;
    is_users = find_call(definition->list, reaches_users, reach) != NULL;
    reach->depth--;
    return is_users;
}

bool tmpl_library_is_users(const struct tmpl_library *library, const char *name)
{
    struct reach reach = {library, 0};

    return reaches_users(&reach, name);
}
