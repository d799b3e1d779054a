/*
 * A drill's files, and its scripts played. See drill.h.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/drill.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"

enum {
    FILE_BYTES_MAX = 64 * 1024 * 1024
};

/* A pack's file: of those everybody has, or of systems. */
static int read_pack(const struct drill_loaded *loaded,
                     const char *pack,
                     const char *file,
                     char **ret_text,
                     size_t *ret_len,
                     struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(DRILL_PATH_MAX);

    str_addf(&path, "%s/%s/%s", loaded->rules, pack, file);
    int r = fs_read(str_text(&path), FILE_BYTES_MAX, ret_text, ret_len, reterr);
    if (r != -ENOENT)
        return r;
    str_cut(&path, 0);
    str_addf(&path, "%s/systems/%s/%s", loaded->rules, pack, file);
    return fs_read(str_text(&path), FILE_BYTES_MAX, ret_text, ret_len, reterr);
}

/* Only what lies beside or below: a drill comes from anybody. */
static bool is_inside(const char *name)
{
    return name[0] != '/' && strncmp(name, "../", 3) != 0 && strstr(name, "/../") == NULL &&
           strcmp(name, "..") != 0;
}

int drill_load_read(void *arg,
                    enum drill_read_what what,
                    const char *name,
                    char **ret_text,
                    size_t *ret_len,
                    struct err *reterr)
{
    const struct drill_loaded *loaded = arg;
    STR_AUTO struct str path = STR_INIT(DRILL_PATH_MAX);

    if (!is_inside(name))
        return err_set(reterr, -EACCES, "a drill's files lie beside it");
    switch (what) {
    case DRILL_READ_PACK: return read_pack(loaded, name, "alerts.yml", ret_text, ret_len, reterr);
    case DRILL_READ_RUNBOOKS:
        return read_pack(loaded, name, "README.md", ret_text, ret_len, reterr);
    case DRILL_READ_BESIDE: break;
    }
    str_addf(&path, "%s/%s", loaded->folder, name);
    return fs_read(str_text(&path), FILE_BYTES_MAX, ret_text, ret_len, reterr);
}

bool drill_load(const char *path, const char *rules, struct drill_loaded *ret_loaded)
{
    const char *slash = strrchr(path, '/');
    MEM_AUTO char *text = NULL;
    struct drill *drill = NULL;
    size_t len = 0;

    *ret_loaded = (struct drill_loaded){.path = path};
    (void)snprintf(ret_loaded->folder, DRILL_PATH_MAX, "%.*s", slash ? (int)(slash - path) : 1,
                   slash ? path : ".");
    if (rules)
        (void)snprintf(ret_loaded->rules, DRILL_PATH_MAX, "%s", rules);
    else
        (void)snprintf(ret_loaded->rules, DRILL_PATH_MAX, "%.*s/../rules", DRILL_PATH_MAX - 20,
                       ret_loaded->folder);
    return fs_read(path, DRILL_BYTES_MAX, &text, &len, &ret_loaded->err) == 0 &&
           drill_parse(text, len, &drill, &ret_loaded->err) == 0 &&
           drill_case_new(drill, drill_load_read, ret_loaded, &ret_loaded->drill_case,
                          &ret_loaded->err) == 0;
}

void drill_loaded_done(struct drill_loaded *loaded)
{
    drill_case_free(loaded->drill_case);
    loaded->drill_case = NULL;
}

static void play_one(void *context, size_t index)
{
    struct drill_job *job = (struct drill_job *)context + index;

    drill_play(job->loaded->drill_case, job->player, job->seed, &job->played);
}

void drill_play_all(struct drill_job *jobs, size_t n)
{
    parallel_each(n, parallel_workers(0), play_one, jobs);
}
