/*
 * The document templates at hand. See postmortem_files.h.
 */

#include "alertd/api/postmortem_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/mem.h"

static int too_much(const char *folder, struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_FILES_E_LIMIT,
                   "%s: too many templates, or too large (%d files, %d KiB each)", folder,
                   POSTMORTEM_FILES_MAX, TEMPLATE_TEXT_MAX / 1024);
}

/* "x.md", nothing hidden, and short enough to be somebody's choice. */
static bool is_template_name(const char *name)
{
    size_t len = strlen(name);

    return len > 3 && len < 100 && name[0] != '.' && strcmp(name + len - 3, ".md") == 0 &&
           strcmp(name, "README.md") != 0;
}

static int read_one(const char *folder,
                    const char *name,
                    struct arena *arena,
                    struct template_file *ret_file,
                    struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(8192);
    MEM_AUTO char *text = NULL;
    size_t len = 0;

    str_addf(&path, "%s/%s", folder, name);
    int r = fs_read(str_text(&path), TEMPLATE_TEXT_MAX, &text, &len, reterr);

    if (r)
        return r == -EFBIG ? too_much(folder, reterr) : r;
    *ret_file = (struct template_file){
        .name = arena_strndup(arena, name, strlen(name)),
        .text = arena_strndup(arena, text, strlen(text)),
    };
    return ret_file->name && ret_file->text ? 0 : too_much(folder, reterr);
}

static int read_folder(const char *folder,
                       DIR *dir,
                       struct arena *arena,
                       struct template_file *files,
                       size_t *n,
                       struct err *reterr)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own dir */

        if (!entry)
            return errno ? err_set(reterr, -errno, "%s: can not be listed", folder) : 0;
        if (!is_template_name(entry->d_name))
            continue;
        if (*n == POSTMORTEM_FILES_MAX)
            return too_much(folder, reterr);
        int r = read_one(folder, entry->d_name, arena, &files[*n], reterr);

        if (r)
            return r;
        (*n)++;
    }
}

int postmortem_files_read(const struct api *api,
                          struct arena *arena,
                          struct template_set *ret_set,
                          struct err *reterr)
{
    size_t room = POSTMORTEM_FILES_MAX + template_n_builtin;
    struct template_file *files = arena_array(arena, room, sizeof(*files));
    STR_AUTO struct str folder = STR_INIT(4096);
    size_t n = 0;
    int r = 0;

    str_addf(&folder, "%s/postmortems", api->storage_path);
    if (!files)
        return too_much(str_text(&folder), reterr);
    DIR *dir = opendir(str_text(&folder));

    if (dir) {
        r = read_folder(str_text(&folder), dir, arena, files, &n, reterr);
        (void)closedir(dir);
    } else if (errno != ENOENT) {
        r = err_set(reterr, -errno, "%s: can not be opened", str_text(&folder));
    }
    if (r)
        return r;
    memcpy(files + n, template_builtin, template_n_builtin * sizeof(*files));
    *ret_set = (struct template_set){files, n + template_n_builtin};
    return 0;
}

const struct template_file *postmortem_files_find(const struct template_set *set, const char *id)
{
    STR_AUTO struct str name = STR_INIT(200);

    if (id[0] == '_')
        return NULL;
    str_addf(&name, "%s.md", id);
    return name.full ? NULL : template_find(set, str_text(&name));
}
