/*
 * Rule files into state.db. See rules_import.h.
 */

#include "alertd/api/rules_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/group.h"
#include "lib/base/arena.h"
#include "lib/base/mem.h"

enum {
    RULE_YAML_MAX = 1024 * 1024,
    ROWS_BYTES_MAX = 256 * 1024 * 1024,
};

struct import_job {
    const struct rules_import_file *files;
    struct rule_file **parsed;
    size_t n_files;
    const char *author;
    int64_t now_ms;
    struct rule_db_counts counts;
};

static const struct labels *texts_to_labels(struct arena *arena,
                                            const struct rule_text *texts,
                                            size_t n)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    for (size_t i = 0; i < n; i++)
        labels_builder_set(&builder, texts[i].name, texts[i].text);
    return labels_in_arena(arena, builder.pairs, builder.n);
}

static bool fill_rule(struct arena *arena, const struct rule *rule, struct rule_db_rule *ret_row)
{
    STR_AUTO struct str yaml = STR_INIT(RULE_YAML_MAX);

    rule_print(rule, 0, &yaml);
    *ret_row = (struct rule_db_rule){
        .is_recording = !rule->is_alert,
        .name = rule->name,
        .expr = rule->expr_text,
        .for_ms = rule->for_ms,
        .keep_firing_for_ms = rule->keep_firing_for_ms,
        .labels = texts_to_labels(arena, rule->labels, rule->n_labels),
        .annotations = texts_to_labels(arena, rule->annotations, rule->n_annotations),
        .yaml = arena_strndup(arena, str_text(&yaml), yaml.len),
    };
    return !yaml.full && ret_row->labels && ret_row->annotations && ret_row->yaml;
}

static bool fill_group(struct arena *arena,
                       const struct rule_group *group,
                       struct rule_db_group *ret_row)
{
    struct rule_db_rule *rules = arena_array(arena, group->n_rules, sizeof(*rules));

    if (!rules)
        return false;
    for (size_t i = 0; i < group->n_rules; i++)
        if (!fill_rule(arena, &group->rules[i], &rules[i]))
            return false;
    *ret_row = (struct rule_db_group){
        .name = group->name,
        .interval_ms = group->interval_ms,
        .limit = group->limit,
        .rules = rules,
        .n_rules = group->n_rules,
    };
    return true;
}

static bool is_stored_already(const struct rule_db_file *stored,
                              size_t n,
                              const struct rules_import_file *file)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(stored[i].source, file->source) == 0)
            return strcmp(stored[i].yaml, file->text) == 0;
    return false;
}

static bool is_as_before(const struct rule_db_file *stored,
                         size_t n,
                         const struct rules_import_file *file)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(stored[i].source, file->source) == 0)
            return !file->before || strcmp(stored[i].yaml, file->before) == 0;
    return !file->before;
}

static int import_one(struct db_conn *conn,
                      struct import_job *job,
                      size_t index,
                      struct err *reterr)
{
    const struct rule_file *file = job->parsed[index];
    struct rule_db_counts counts = {0};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, ROWS_BYTES_MAX);
    struct rule_db_group *groups = arena_array(&arena, file->n_groups, sizeof(*groups));
    bool fits = groups != NULL;

    for (size_t i = 0; fits && i < file->n_groups; i++)
        fits = fill_group(&arena, &file->groups[i], &groups[i]);
    if (!fits)
        return err_set(reterr, -EFBIG, "%s: the rules take too much memory", file->source);

    const struct rule_db_import import = {
        .source = file->source,
        .yaml = job->files[index].text,
        .author = job->author,
        .now_ms = job->now_ms,
        .groups = groups,
        .n_groups = file->n_groups,
    };
    int r = rule_db_import(conn, &import, &counts, reterr);
    job->counts.groups += counts.groups;
    job->counts.rules += counts.rules;
    job->counts.changed += counts.changed;
    job->counts.removed += counts.removed;
    return r;
}

static int run_import(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct import_job *job = arg;
    struct rule_db_file *stored = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, ROWS_BYTES_MAX);
    int r = rule_db_files(conn, &arena, &stored, &n, reterr);
    for (size_t i = 0; r == 0 && i < job->n_files; i++) {
        if (!is_as_before(stored, n, &job->files[i])) {
            r = err_set(reterr, RULES_IMPORT_E_CHANGED,
                        "somebody changed %s meanwhile: look at it again", job->files[i].source);
        } else if (is_stored_already(stored, n, &job->files[i])) {
            job->counts.groups += job->parsed[i]->n_groups;
            job->counts.rules += job->parsed[i]->n_rules;
        } else {
            r = import_one(conn, job, i, reterr);
        }
    }
    return r;
}

/* "source:line:column: words" */
static int tell_place(const char *source, const struct err *inner, struct err *reterr)
{
    return err_at(reterr, RULES_IMPORT_E_FILE, inner->line, inner->column, "%s:%u:%u: %.300s",
                  source, inner->line, inner->column, inner->text);
}

int rules_import(struct db *state,
                 const struct rules_import_file *files,
                 size_t n_files,
                 const char *author,
                 int64_t now_ms,
                 struct rule_db_counts *ret_counts,
                 struct err *reterr)
{
    struct rule_file **parsed = mem_zalloc(n_files * sizeof(struct rule_file *));
    struct import_job job = {files, parsed, n_files, author, now_ms, {0}};
    int r = 0;

    for (size_t i = 0; r == 0 && i < n_files; i++) {
        struct err inner = {0};

        if (rule_file_parse(files[i].source, files[i].text, files[i].len, NULL, &parsed[i], &inner))
            r = tell_place(files[i].source, &inner, reterr);
    }
    if (r == 0)
        r = db_write(state, run_import, &job, reterr);
    if (r == 0)
        *ret_counts = job.counts;
    for (size_t i = 0; i < n_files; i++)
        rule_file_unref(parsed[i]);
    free(parsed);
    return r;
}
