/*
 * alertctl test routes: who is told, and when, with the daemon's own dispatcher.
 *
 *   arguments --read--> tests and the configs they name --route_test_run()--> verdicts
 *
 * Tests run on all processors; the output is in the order of the arguments. Exit status: 1
 * when a test failed or a file could not be run.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmd.h"
#include "ctl/config_file.h"
#include "ctl/test_routes.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"

enum {
    OUTPUT_BYTES_MAX = 256 * 1024 * 1024,
    DIFF_BYTES_MAX = 256 * 1024,
    ERRORS_BYTES_MAX = 64 * 1024,
    PATH_BYTES_MAX = 8192,
};

static void inline_config(struct route_tested *file)
{
    const struct yaml_node *node = file->file->config;
    unsigned line = 0, column = 0;
    struct err err = {0};
    size_t offset = 0;

    if (config_text_read(node->text, node->len, file->path, &file->config, &err) == 0)
        return;
    for (unsigned i = 1; i < err.line && offset < node->len; i++)
        offset += strcspn(node->text + offset, "\n") + 1;
    offset += err.column ? err.column - 1 : 0;
    yaml_place(node, offset < node->len ? offset : 0, &line, &column);
    str_addf(&file->errors, "%s:%u:%u: %s\n", file->path, line, column, err.text);
}

static void read_config(struct route_tested *file)
{
    STR_AUTO struct str path = STR_INIT(PATH_BYTES_MAX);
    const struct yaml_node *node = file->file->config;
    const char *slash = strrchr(file->path, '/');
    struct err err = {0};

    if (strchr(node->text, '\n')) {
        inline_config(file);
        return;
    }
    if (node->text[0] != '/' && slash)
        str_addn(&path, file->path, (size_t)(slash - file->path + 1));
    str_add(&path, node->text);
    if (config_file_read(str_text(&path), &file->config, &err))
        str_addf(&file->errors, "%s\n", err.text);
}

static void read_file(void *context, size_t index)
{
    struct route_tested *file = &((struct routes_run *)context)->files[index];
    MEM_AUTO char *text = NULL;
    struct err err = {0};
    size_t len = 0;

    if (fs_read(file->path, YAML_BYTES_MAX, &text, &len, &err))
        str_addf(&file->errors, "%s\n", err.text);
    else if (route_test_file_parse(text, len, &file->file, &err))
        str_addf(&file->errors, "%s:%u:%u: %s\n", file->path, err.line, err.column, err.text);
    else
        read_config(file);
}

struct piece {
    const struct route_tested *file;
    struct route_result *result;
};

struct pieces {
    struct piece *at;
    size_t n, capacity;
};

static void choose(const struct routes_run *run, struct route_tested *file, struct pieces *pieces)
{
    file->results = mem_zalloc((file->file->n + 1) * sizeof(*file->results));
    for (size_t i = 0; i < file->file->n; i++) {
        struct route_result *result = &file->results[i];
        const char *name = file->file->tests[i].name;

        *result = (struct route_result){.test = &file->file->tests[i],
                                        .diff = STR_INIT(DIFF_BYTES_MAX)};
        result->chosen = !run->only || regex_matches_within(run->only, name, strlen(name));
        if (!result->chosen)
            continue;
        file->n_chosen++;
        file->n_checks += route_test_checks(result->test);
        pieces->at = mem_grow(pieces->at, &pieces->capacity, pieces->n + 1, sizeof(*pieces->at));
        pieces->at[pieces->n++] = (struct piece){file, result};
    }
}

static void run_one(void *context, size_t index)
{
    const struct piece *piece = &((const struct pieces *)context)->at[index];
    int64_t began_us = clock_mono_us();

    piece->result->ok = route_test_run(piece->file->config, piece->result->test,
                                       &piece->result->diff);
    piece->result->took_us = clock_mono_us() - began_us;
}

static void run_all(struct routes_run *run)
{
    int64_t began_us = clock_mono_us();
    unsigned workers = parallel_workers(0);
    struct pieces pieces = {0};

    parallel_each(run->n_files, workers, read_file, run);
    for (size_t i = 0; i < run->n_files; i++)
        if (run->files[i].errors.len == 0)
            choose(run, &run->files[i], &pieces);
    parallel_each(pieces.n, workers, run_one, &pieces);
    free(pieces.at);
    for (size_t i = 0; i < run->n_files; i++) {
        struct route_tested *file = &run->files[i];

        for (size_t j = 0; file->results && j < file->file->n; j++)
            file->n_failed += file->results[j].chosen && !file->results[j].ok;
        file->ok = file->errors.len == 0 && file->n_failed == 0;
    }
    run->took_us = clock_mono_us() - began_us;
}

static void run_done(struct routes_run *run)
{
    for (size_t i = 0; i < run->n_files; i++) {
        struct route_tested *file = &run->files[i];

        for (size_t j = 0; file->results && j < file->file->n; j++)
            str_done(&file->results[j].diff);
        free(file->results);
        route_config_unref(file->config);
        route_test_file_free(file->file);
        str_done(&file->errors);
    }
    free(run->files);
}

static enum ctl_exit tell(const struct ctl *ctl,
                          const struct routes_run *run,
                          enum test_format format)
{
    STR_AUTO struct str out = STR_INIT(OUTPUT_BYTES_MAX);
    const char *path = ctl_option(ctl, "output");
    struct err err = {0};
    size_t n_chosen = 0;
    bool ok = true;

    test_routes_report(run, format, ctl->color && !path, &out);
    if (out.full)
        return ctl_fail(ctl, "the report is larger than 256 MiB: test fewer files at a time");
    if (path && fs_replace(path, str_text(&out), out.len, 0644, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    if (path) {
        str_cut(&out, 0);
        test_routes_report(run, TEST_FORMAT_HUMAN, ctl->color, &out);
    }
    (void)fputs(str_text(&out), stdout);
    for (size_t i = 0; i < run->n_files; i++) {
        ok &= run->files[i].ok;
        n_chosen += run->files[i].n_chosen;
    }
    /* nothing was tested: that is no success */
    if (ok && n_chosen == 0)
        return ctl_fail(ctl, "no test's name matches --run=%s", ctl_option(ctl, "run"));
    return ok ? CTL_OK : CTL_FAILURE;
}

enum ctl_exit cmd_test_routes(struct ctl *ctl)
{
    const char *format_name = ctl_option(ctl, "format"), *only = ctl_option(ctl, "run");
    enum test_format format = ctl->json ? TEST_FORMAT_JSON : TEST_FORMAT_HUMAN;
    struct regex *regex = NULL;
    struct err err = {0};

    if (format_name && !test_format_of(format_name, &format)) {
        (void)ctl_fail(ctl, "--format is human, json or junit, not \"%s\"", format_name);
        return CTL_USAGE;
    }
    if (only && regex_new(only, &regex, &err) != 0) {
        (void)ctl_fail(ctl, "--run=%s: %s", only, err.text);
        return CTL_USAGE;
    }

    struct routes_run run = {.n_files = (size_t)ctl->n_arguments, .only = regex};

    run.files = mem_zalloc(run.n_files * sizeof(*run.files));
    for (size_t i = 0; i < run.n_files; i++)
        run.files[i] = (struct route_tested){.path = ctl->arguments[i],
                                             .errors = STR_INIT(ERRORS_BYTES_MAX)};
    run_all(&run);

    enum ctl_exit status = tell(ctl, &run, format);

    run_done(&run);
    regex_free(regex);
    return status;
}
