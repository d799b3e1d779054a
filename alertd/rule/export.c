/*
 * Stored rule files as one that Prometheus loads.
 *
 *     groups:
 *       # host/alerts.yml
 *       - name: host
 *       ...
 *       # blackbox/alerts.yml
 *       # "host" is called otherwise here: a file may have a name once
 *       - name: host (blackbox/alerts.yml)
 *
 * Files stay in their order, groups and rules in theirs. A group's name means nothing to an
 * evaluation, so a second one of the same name gets its file's name behind it.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/rule/group.h"
#include "lib/base/mem.h"

struct exporter {
    const struct rule_export_choice *choice;
    char **names; /* of the groups printed so far */
    size_t n, capacity;
    struct str *out;
};

static bool is_chosen(const char *wanted, const char *name)
{
    return !wanted || strcmp(wanted, name) == 0;
}

static bool is_taken(const struct exporter *exporter, const char *name)
{
    for (size_t i = 0; i < exporter->n; i++)
        if (strcmp(exporter->names[i], name) == 0)
            return true;
    return false;
}

/* A comment is one line, whatever a source was called. */
static void add_comment(const char *words, const char *name, const char *more, struct str *out)
{
    str_addf(out, "  # %s", words);
    for (const char *c = name; *c; c++)
        str_addc(out, (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c);
    str_addf(out, "%s\n", more);
}

static void add_group(struct exporter *exporter,
                      const struct rule_file *file,
                      const struct rule_group *group)
{
    STR_AUTO struct str name = STR_INIT(strlen(group->name) + strlen(file->source) + 32);
    struct rule_group renamed = *group;

    str_add(&name, group->name);
    for (unsigned i = 1; is_taken(exporter, str_text(&name)); i++) {
        str_cut(&name, 0);
        str_addf(&name, "%s (%s", group->name, file->source);
        str_addf(&name, i > 1 ? ", %u)" : ")", i);
    }
    if (strcmp(str_text(&name), group->name) != 0)
        add_comment("\"", group->name, "\" is called otherwise here: a file may have a name once",
                    exporter->out);
    renamed.name = str_text(&name);
    rule_group_print(&renamed, exporter->out);
    exporter->names = mem_grow(exporter->names, &exporter->capacity, exporter->n + 1,
                               sizeof(*exporter->names));
    exporter->names[exporter->n++] = mem_strdup(renamed.name);
}

size_t rule_export(const struct rule_file *const *files,
                   size_t n,
                   const struct rule_export_choice *choice,
                   struct str *out)
{
    struct exporter exporter = {.choice = choice, .out = out};

    str_add(out, "groups:\n");
    for (size_t i = 0; i < n; i++) {
        bool told = n == 1 || choice->source;

        for (size_t g = 0; g < files[i]->n_groups && is_chosen(choice->source, files[i]->source);
             g++) {
            if (!is_chosen(choice->group, files[i]->groups[g].name))
                continue;
            if (!told)
                add_comment("", files[i]->source, "", out);
            told = true;
            add_group(&exporter, files[i], &files[i]->groups[g]);
        }
    }
    size_t n_groups = exporter.n;
    for (size_t i = 0; i < exporter.n; i++)
        free(exporter.names[i]);
    free(exporter.names);
    return n_groups;
}
