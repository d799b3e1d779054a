/*
 * Unit tests of rules, all files of one call at once. See test_run.h.
 */

#include "ctl/test_run.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/eval/unit_run.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"

enum {
    MESSAGES_MAX = 64 * 1024,
    PATH_BYTES_MAX = 8192,
};

/* --- Reading --------------------------------------------------------------------------------- */

static void read_test_file(void *context, size_t index)
{
    const struct test_run *run = context;
    struct test_file *file = &run->files[index];
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;

    if (fs_read(file->path, YAML_BYTES_MAX, &text, &len, &err))
        str_addf(&file->errors, "%s\n", err.text);
    else if (unit_file_parse(text, len, &file->file, &err))
        str_addf(&file->errors, "%s:%u:%u: %s\n", file->path, err.line, err.column, err.text);
    free(text);
}

static void read_rules(void *context, size_t index)
{
    const struct test_run *run = context;
    struct test_rules *rules = &run->rules[index];
    STR_AUTO struct str words = STR_INIT(MESSAGES_MAX);
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;

    if (fs_read(rules->path, YAML_BYTES_MAX, &text, &len, &err))
        str_addf(&words, "%s\n", err.text);
    else if (rule_file_parse(rules->path, text, len, NULL, &rules->file, &err))
        str_addf(&words, "%s:%u:%u: %s\n", rules->path, err.line, err.column, err.text);
    free(text);
    if (words.len)
        rules->error = str_take(&words);
}

/* The rule file of a path, read once however many tests name it. */
static size_t rules_at(struct test_run *run, const char *path)
{
    for (size_t i = 0; i < run->n_rules; i++)
        if (strcmp(run->rules[i].path, path) == 0)
            return i;
    run->rules = mem_grow(run->rules, &run->rules_capacity, run->n_rules + 1, sizeof(*run->rules));
    run->rules[run->n_rules] = (struct test_rules){.path = mem_strdup(path)};
    return run->n_rules++;
}

/* The files a glob names, relative to the test file. None is only worth a warning. */
static void find_rules(struct test_run *run, struct test_file *file, const char *pattern)
{
    STR_AUTO struct str path = STR_INIT(PATH_BYTES_MAX);
    const char *slash = strrchr(file->path, '/');
    glob_t found = {0};

    if (pattern[0] != '/' && slash)
        str_addn(&path, file->path, (size_t)(slash - file->path + 1));
    str_add(&path, pattern);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs now
    if (glob(str_text(&path), 0, NULL, &found) != 0)
        str_addf(&file->warnings, "%s: no file matches %s\n", file->path, str_text(&path));
    for (size_t i = 0; i < found.gl_pathc; i++) {
        file->rules = mem_grow(file->rules, &file->rules_capacity, file->n_rules + 1,
                               sizeof(*file->rules));
        file->rules[file->n_rules++] = rules_at(run, found.gl_pathv[i]);
    }
    globfree(&found);
}

static void collect_rules(const struct test_run *run, struct test_file *file)
{
    file->loaded = mem_zalloc((file->n_rules + 1) * sizeof(struct rule_file *));
    for (size_t i = 0; i < file->n_rules; i++) {
        const struct test_rules *rules = &run->rules[file->rules[i]];

        file->loaded[i] = rules->file;
        if (rules->error)
            str_add(&file->errors, rules->error);
    }
}

/* --- Running --------------------------------------------------------------------------------- */

struct piece {
    const struct test_file *file;
    struct test_group *group;
    int64_t cost; /* rules times evaluations: a guess, for the order only */
};

struct pieces {
    struct piece *at;
    size_t n, capacity;
};

static int64_t cost_of(const struct test_file *file, const struct unit_group *group)
{
    int64_t last_ms = 0;
    size_t n_rules = 1;

    for (size_t i = 0; i < group->n_alert_tests; i++)
        if (group->alert_tests[i].eval_ms > last_ms)
            last_ms = group->alert_tests[i].eval_ms;
    for (size_t i = 0; i < group->n_expr_tests; i++)
        if (group->expr_tests[i].eval_ms > last_ms)
            last_ms = group->expr_tests[i].eval_ms;
    for (size_t i = 0; i < file->n_rules; i++)
        n_rules += file->loaded[i]->n_rules;
    return (last_ms / file->file->evaluation_interval_ms + 1) * (int64_t)n_rules;
}

static void add_groups(const struct test_run *run, struct test_file *file, struct pieces *pieces)
{
    file->groups = mem_zalloc((file->file->n_groups + 1) * sizeof(*file->groups));
    for (size_t i = 0; i < file->file->n_groups; i++) {
        const struct unit_group *group = &file->file->groups[i];

        file->groups[i].group = group;
        unit_report_init(&file->groups[i].report);
        file->groups[i].chosen = !run->only ||
                                 regex_matches_within(run->only, group->name, strlen(group->name));
        if (!file->groups[i].chosen)
            continue;
        file->n_chosen++;
        file->n_checks += group->n_alert_tests + group->n_expr_tests;
        pieces->at = mem_grow(pieces->at, &pieces->capacity, pieces->n + 1, sizeof(*pieces->at));
        pieces->at[pieces->n++] = (struct piece){file, &file->groups[i], cost_of(file, group)};
    }
}

static void run_group(void *context, size_t index)
{
    const struct piece *piece = &((const struct pieces *)context)->at[index];
    const struct unit_rules rules = {piece->file->loaded, piece->file->n_rules};
    int64_t began_us = clock_mono_us();

    piece->group->ok = unit_run(piece->file->file, piece->group->group, &rules,
                                &piece->group->report);
    piece->group->took_us = clock_mono_us() - began_us;
}

/* The longest first, so that no thread is left with one at the end. */
static int compare_pieces(const void *a, const void *b)
{
    const struct piece *left = a, *right = b;

    return (left->cost < right->cost) - (left->cost > right->cost);
}

static void judge(struct test_file *file)
{
    for (size_t i = 0; file->groups && i < file->file->n_groups; i++)
        file->n_failed += file->groups[i].chosen && !file->groups[i].ok;
    file->ok = file->errors.len == 0 && file->n_failed == 0;
}

void test_run_files(struct test_run *run, char *const *paths, size_t n_paths)
{
    int64_t began_us = clock_mono_us();
    struct pieces pieces = {0};

    run->files = mem_zalloc((n_paths + 1) * sizeof(*run->files));
    run->n_files = n_paths;
    for (size_t i = 0; i < n_paths; i++)
        run->files[i] = (struct test_file){
            .path = paths[i], .errors = STR_INIT(MESSAGES_MAX), .warnings = STR_INIT(MESSAGES_MAX)};
    parallel_each(run->n_files, run->workers, read_test_file, run);
    for (size_t i = 0; i < n_paths; i++)
        for (size_t k = 0; run->files[i].file && k < run->files[i].file->n_rule_files; k++)
            find_rules(run, &run->files[i], run->files[i].file->rule_files[k]);
    parallel_each(run->n_rules, run->workers, read_rules, run);
    for (size_t i = 0; i < n_paths; i++) {
        collect_rules(run, &run->files[i]);
        if (run->files[i].errors.len == 0)
            add_groups(run, &run->files[i], &pieces);
    }
    if (pieces.n)
        qsort(pieces.at, pieces.n, sizeof(*pieces.at), compare_pieces);
    parallel_each(pieces.n, run->workers, run_group, &pieces);
    free(pieces.at);
    for (size_t i = 0; i < n_paths; i++)
        judge(&run->files[i]);
    run->took_us = clock_mono_us() - began_us;
}

size_t test_run_failed(const struct test_run *run)
{
    size_t n = 0;

    for (size_t i = 0; i < run->n_files; i++)
        n += !run->files[i].ok;
    return n;
}

static void file_done(struct test_file *file)
{
    for (size_t i = 0; file->groups && i < file->file->n_groups; i++)
        unit_report_done(&file->groups[i].report);
    free(file->groups);
    free(file->loaded);
    free(file->rules);
    unit_file_free(file->file);
    str_done(&file->errors);
    str_done(&file->warnings);
}

void test_run_done(struct test_run *run)
{
    for (size_t i = 0; i < run->n_files; i++)
        file_done(&run->files[i]);
    for (size_t i = 0; i < run->n_rules; i++) {
        rule_file_unref(run->rules[i].file);
        free(run->rules[i].path);
        free(run->rules[i].error);
    }
    free(run->files);
    free(run->rules);
    *run = (struct test_run){0};
}
