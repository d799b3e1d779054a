/*
 * A drill and all that it names, out of the bytes behind a request.
 *
 *   {"op":"load","seed":"7","files":[{"what":"drill","name":"08-retry-storm","bytes":900},
 *     {"what":"pack","name":"host","bytes":4000},{"what":"beside","name":"data.csv","bytes":80}]}
 *   <900 bytes><4000 bytes><80 bytes>
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/desk/desk.h"
#include "alertd/desk/private.h"
#include "lib/base/mem.h"

struct load_file {
    const char *what, *name;
    const char *bytes;
    size_t len;
};

struct loading {
    struct load_file files[DESK_FILES_MAX];
    size_t n;
    uint64_t seed;
};

/* What stands in the line; the bytes are not there yet. */
static bool read_list(const struct json *request,
                      struct loading *loading,
                      size_t *ret_bytes,
                      struct desk_reply *reply)
{
    const struct json *files = NULL;
    const char *seed = NULL, *op = NULL;
    size_t all = 0;

    if (json_get_string(request, "op", &op, &reply->err) ||
        json_get_string(request, "seed", &seed, &reply->err) ||
        json_get_array(request, "files", &files, &reply->err)) {
        reply->error_type = "bad_data";
        return false;
    }
    if (strcmp(op, "load") != 0 || json_length(files) < 1 || json_length(files) > DESK_FILES_MAX)
        return desk_fail(reply, "bad_data", "a drill is loaded first, of 1 to %d files",
                         DESK_FILES_MAX);
    loading->seed = strtoull(seed, NULL, 10);
    loading->n = json_length(files);
    for (size_t i = 0; i < loading->n; i++) {
        const struct json *file = json_at(files, i);
        struct load_file *to = &loading->files[i];
        int64_t bytes = 0;

        if (json_get_string(file, "what", &to->what, &reply->err) ||
            json_get_string(file, "name", &to->name, &reply->err) ||
            json_get_int(file, "bytes", &bytes, &reply->err)) {
            reply->error_type = "bad_data";
            return false;
        }
        if (bytes < 0 || bytes > DESK_LOAD_BYTES_MAX || all + (size_t)bytes > DESK_LOAD_BYTES_MAX)
            return desk_fail(reply, "too_large", "a drill and its files are larger than %d MiB",
                             DESK_LOAD_BYTES_MAX >> 20);
        to->len = (size_t)bytes;
        all += to->len;
    }
    *ret_bytes = all;
    return true;
}

bool desk_load_bytes(const struct json *request, size_t *ret_bytes, struct desk_reply *reply)
{
    struct loading loading = {0};

    return read_list(request, &loading, ret_bytes, reply);
}

static int read_sent(void *arg,
                     enum drill_read_what what,
                     const char *name,
                     char **ret_text,
                     size_t *ret_len,
                     struct err *reterr)
{
    const struct loading *loading = arg;
    const char *kind = what == DRILL_READ_BESIDE ? "beside" : "pack";

    for (size_t i = 1; i < loading->n; i++) {
        const struct load_file *file = &loading->files[i];

        if (strcmp(file->what, kind) == 0 && strcmp(file->name, name) == 0) {
            *ret_text = mem_zalloc(file->len + 1);
            memcpy(*ret_text, file->bytes, file->len);
            *ret_len = file->len;
            return 0;
        }
    }
    return err_set(reterr, -ENOENT, "was not sent along");
}

bool desk_load(struct desk *desk,
               const struct json *request,
               const struct str *bytes,
               struct desk_reply *reply)
{
    struct loading loading = {0};
    struct drill *drill = NULL;
    size_t n = 0;
    size_t at = 0;

    if (!read_list(request, &loading, &n, reply))
        return false;
    for (size_t i = 0; i < loading.n; at += loading.files[i++].len)
        loading.files[i].bytes = str_text(bytes) + at;
    if (drill_parse(loading.files[0].bytes, loading.files[0].len, &drill, &reply->err) != 0 ||
        drill_case_new(drill, read_sent, &loading, &desk->drill_case, &reply->err) != 0) {
        reply->error_type = "bad_data";
        return false;
    }
    desk->world = drill_world_new(desk->drill_case, loading.seed);
    drill_world_advance(desk->world, -drill_world_lead_ms(desk->world));
    str_add(&reply->body, "{}");
    return true;
}
