/*
 * --rules.import at start: the files that the patterns name, taken over together or not at
 * all. A file that does not parse stops nothing: the rules stored before go on, and the
 * banner says what is wrong.
 */

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "alertd/api/rules_import.h"
#include "alertd/app/parts.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    RULE_FILE_MAX = 16 * 1024 * 1024
};

struct rule_texts {
    struct rules_import_file *files;
    char **owned; /* each file's name and text */
    size_t n, capacity, owned_capacity;
};

static int add_file(struct rule_texts *texts, const char *path, struct err *reterr)
{
    char *text = NULL;
    size_t len = 0;
    int r = fs_read(path, RULE_FILE_MAX, &text, &len, reterr);

    if (r)
        return r;
    texts->files = mem_grow(texts->files, &texts->capacity, texts->n + 1, sizeof(*texts->files));
    texts->owned = mem_grow(texts->owned, &texts->owned_capacity, 2 * (texts->n + 1),
                            sizeof(*texts->owned));
    char *source = mem_strdup(path);
    texts->owned[2 * texts->n] = source;
    texts->owned[2 * texts->n + 1] = text;
    texts->files[texts->n++] = (struct rules_import_file){source, text, len};
    return 0;
}

static int add_pattern(struct rule_texts *texts, const char *pattern, struct err *reterr)
{
    glob_t found;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): only for ~ and the environment, not used here */
    int r = glob(pattern, 0, NULL, &found);

    if (r == GLOB_NOMATCH)
        return err_set(reterr, -ENOENT, "--rules.import=%s matches no file", pattern);
    if (r)
        return err_set(reterr, -EIO, "--rules.import=%s: cannot read a folder", pattern);
    for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
        r = add_file(texts, found.gl_pathv[i], reterr);
    globfree(&found);
    return r;
}

static void texts_done(struct rule_texts *texts)
{
    for (size_t i = 0; i < 2 * texts->n; i++)
        free(texts->owned[i]);
    free(texts->owned);
    free(texts->files);
}

void boot_import_rules(struct app *app)
{
    const struct settings_list *patterns = &app->settings.rules_import;
    struct rule_texts texts = {0};
    struct rule_db_counts counts = {0};
    struct err err = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < patterns->n; i++)
        r = add_pattern(&texts, patterns->at[i], &err);
    if (r == 0 && texts.n)
        r = rules_import(app->api.state, texts.files, texts.n, "start", clock_wall_ms(), &counts,
                         &err);
    texts_done(&texts);
    if (r) {
        (void)snprintf(app->rules_error, sizeof(app->rules_error),
                       "The rule files were rejected, the rules stored before go on: %s", err.text);
        log_error(&app->log, "app", "rule files rejected, the stored rules go on", "error=\"%s\"",
                  err.text);
    } else if (texts.n) {
        log_info(&app->log, "app", "rule files taken over", "rules=%zu changed=%zu removed=%zu",
                 counts.rules, counts.changed, counts.removed);
    }
}

int boot_review(struct app *app, struct err *reterr)
{
    return loop_review_start(&(struct loop_review_options){.state = app->api.state,
                                                           .store = app->api.store,
                                                           .log = &app->log},
                             &app->review, reterr);
}
