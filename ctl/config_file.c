/*
 * alertd's config file, as a command reads it. See config_file.h.
 */

#include "ctl/config_file.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/mem.h"

static const char *environment(void *arg, const char *name)
{
    (void)arg;
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets variables */
}

int config_text_read(const char *text,
                     size_t len,
                     const char *path,
                     const struct route_config **ret_config,
                     struct err *reterr)
{
    const char *slash = strrchr(path, '/');
    MEM_AUTO char *folder = slash ? mem_strndup(path, slash == path ? 1 : (size_t)(slash - path))
                                  : mem_strdup(".");

    const struct route_config *config = NULL;
    int r = route_config_parse(text, len, folder, environment, NULL, &config, reterr);

    if (r == 0)
        r = route_config_read_templates(config, fs_each, reterr);
    if (r)
        route_config_unref(config);
    else
        *ret_config = config;
    return r;
}

int config_file_read(const char *path, const struct route_config **ret_config, struct err *reterr)
{
    MEM_AUTO char *text = NULL;
    struct err err = {0};
    size_t len = 0;
    int r = fs_read(path, ROUTE_CONFIG_BYTES_MAX, &text, &len, reterr);

    if (r)
        return r;
    r = config_text_read(text, len, path, ret_config, &err);
    if (r && err.line)
        return err_set(reterr, r, "%s:%u:%u: %s", path, err.line, err.column, err.text);
    return r ? err_set(reterr, r, "%s: %s", path, err.text) : 0;
}
