/*
 * How far an import came. See resume.h.
 */

#include "ctl/resume.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"
#include "lib/json/write.h"
#include "lib/model/hash.h"

enum {
    FILE_MAX = 128 * 1024,
};

/* NULL when there is no place for it. */
static char *default_path(const char *job)
{
    const char *state = getenv("XDG_STATE_HOME"); /* NOLINT(concurrency-mt-unsafe): one thread */
    const char *home = getenv("HOME");            /* NOLINT(concurrency-mt-unsafe): one thread */
    char folder[PATH_MAX - 64];
    char path[PATH_MAX];
    int len = state && state[0] == '/'
                  ? snprintf(folder, sizeof(folder), "%s/alertctl", state)
                  : snprintf(folder, sizeof(folder), "%s/.local/state/alertctl", home ? home : "");

    if ((!home || home[0] != '/') && (!state || state[0] != '/'))
        return NULL;
    if (len < 0 || (size_t)len >= sizeof(folder) || fs_make_folders(folder, NULL) != 0)
        return NULL;
    (void)snprintf(path, sizeof(path), "%s/import-%016llx.json", folder,
                   (unsigned long long)hash64(job, strlen(job)));
    return mem_strdup(path);
}

static int read_fields(struct resume *resume, const struct json *root, struct err *reterr)
{
    struct resume read = *resume;
    const struct {
        const char *name;
        int64_t *place;
    } fields[] = {
        {"begin", &read.begin},
        {"end", &read.end},
        {"position", &read.position},
        {"lines", &read.lines},
        {"stored", &read.counts.stored},
        {"duplicate", &read.counts.duplicate},
        {"refused", &read.counts.refused},
    };
    const char *job;
    int r = json_get_string(root, "job", &job, reterr);

    for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(*fields); i++)
        r = json_get_int(root, fields[i].name, fields[i].place, reterr);
    if (r != 0)
        return err_prefix(reterr, RESUME_E_OTHER, "%s", resume->path);
    if (strcmp(job, resume->job) != 0)
        return err_set(reterr, RESUME_E_OTHER,
                       "%s is of another import (%.150s): remove it, or name another file",
                       resume->path, job);
    *resume = read;
    return 0;
}

int resume_open(struct resume *resume, const char *path, bool *ret_found, struct err *reterr)
{
    struct json *root = NULL;
    char *text;
    size_t len;

    *ret_found = false;
    resume->path = path ? mem_strdup(path) : default_path(resume->job);
    if (!resume->path)
        return 0;
    int r = fs_read(resume->path, FILE_MAX, &text, &len, reterr);
    if (r == -ENOENT)
        return 0;
    if (r != 0)
        return r;
    r = json_parse(text, len, &root, reterr);
    if (r == 0)
        r = read_fields(resume, root, reterr);
    else
        r = err_prefix(reterr, r, "%s", resume->path);
    *ret_found = r == 0;
    json_free(root);
    free(text);
    return r;
}

int resume_save(const struct resume *resume, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(FILE_MAX);
    struct json_out out = JSON_OUT(&text);

    if (!resume->path)
        return 0;
    json_open(&out, '{');
    json_kv_string(&out, "job", resume->job);
    json_kv_int(&out, "begin", resume->begin);
    json_kv_int(&out, "end", resume->end);
    json_kv_int(&out, "position", resume->position);
    json_kv_int(&out, "lines", resume->lines);
    json_kv_int(&out, "stored", resume->counts.stored);
    json_kv_int(&out, "duplicate", resume->counts.duplicate);
    json_kv_int(&out, "refused", resume->counts.refused);
    json_close(&out, '}');
    return fs_replace(resume->path, str_text(&text), text.len, 0600, reterr);
}

void resume_finish(const struct resume *resume)
{
    if (resume->path)
        (void)unlink(resume->path);
}

void resume_done(struct resume *resume)
{
    free(resume->path);
}
