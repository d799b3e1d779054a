/*
 * A consistent copy of everything, while running.
 *
 *   <folder>/state.db  <folder>/samples/YYYY-MM-DD.db ...
 *   <folder>/drills.db <folder>/drills/NAME/...
 *
 * The copy is a storage folder of its own: `alertd --storage.path=<folder>` runs on it.
 */

#include "alertd/api/backup.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "alertd/api/drill_own.h"
#include "alertd/play/play.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    BACKUP_E_FOLDER = 60, /* the caller named one that cannot be: words say */
    NAME_MAX_BYTES = 64,
    NAMES_BYTES_MAX = 4 * 1024 * 1024,
};

/* "2026-11-23T221500Z" */
static void name_by_time(int64_t now_ms, char *name)
{
    struct clock_utc utc = clock_split_utc(now_ms);

    (void)snprintf(name, NAME_MAX_BYTES, "%04d-%02d-%02dT%02d%02d%02dZ", utc.year, utc.month,
                   utc.day, utc.hour, utc.minute, utc.second);
}

/* An absolute path is taken as it is; a plain name is below <storage.path>/backups. */
static int choose_folder(const struct api *api, const char *wanted, char *path, struct err *reterr)
{
    char name[NAME_MAX_BYTES];
    struct stat info;
    int len;

    name_by_time(clock_wall_ms(), name);
    if (wanted && wanted[0] == '/')
        len = snprintf(path, PATH_MAX, "%s", wanted);
    else if (!wanted)
        len = snprintf(path, PATH_MAX, "%s/backups/%s", api->storage_path, name);
    else if (strchr(wanted, '/') || wanted[0] == '.' || !wanted[0])
        return err_set(reterr, BACKUP_E_FOLDER,
                       "folder: expected an absolute path, or a name without slashes");
    else
        len = snprintf(path, PATH_MAX, "%s/backups/%s", api->storage_path, wanted);
    if (len > PATH_MAX - 100)
        return err_set(reterr, BACKUP_E_FOLDER, "folder: too long");
    if (lstat(path, &info) == 0)
        return err_set(reterr, BACKUP_E_FOLDER, "folder: %s is there already", path);
    return 0;
}

/* --- drills: those that were played, and those of one's own --- */

struct copying {
    const char *from, *to;
    struct str *names; /* a line each: "drills/inc-2026-0012/rules.yml" */
};

static int copy_file(void *arg, const char *path, const char *text, size_t len, struct err *reterr)
{
    const struct copying *copying = arg;
    const char *name = path + strlen(copying->from) + 1;
    STR_AUTO struct str to = STR_INIT(PATH_MAX);

    str_addf(&to, "%s/%s", copying->to, name);
    str_cut(&to, (size_t)(strrchr(str_text(&to), '/') - str_text(&to)));

    int r = fs_make_folders(str_text(&to), reterr);

    if (r == 0) {
        str_add(&to, strrchr(name, '/'));
        r = fs_replace(str_text(&to), text, len, 0600, reterr);
    }
    str_addf(copying->names, "%s\n", name);
    return r;
}

static int copy_drills(const struct api *api,
                       const char *folder,
                       struct str *names,
                       struct err *reterr)
{
    static const char *const depths[] = {"drills/*/*", "drills/*/*/*"};
    struct copying copying = {api->storage_path, folder, names};
    STR_AUTO struct str path = STR_INIT(PATH_MAX);
    int r = 0;

    str_addf(&path, "%s/drills.db", folder);
    if (api->play) /* otherwise it is damaged, and its file is where it was */
        r = db_backup(play_database(api->play), str_text(&path), reterr);
    str_add(names, "drills.db\n");
    for (size_t i = 0; r == 0 && i < sizeof(depths) / sizeof(depths[0]); i++) {
        str_cut(&path, 0);
        str_addf(&path, "%s/%s", api->storage_path, depths[i]);
        r = fs_each(str_text(&path), DRILL_OWN_FILE_MAX, copy_file, &copying, reterr);
    }
    return r;
}

static int copy_all(const struct api *api,
                    const char *folder,
                    struct str *names,
                    struct err *reterr)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%.*s/samples", PATH_MAX - 20, folder);
    int r = fs_make_folders(path, reterr);
    /* State first: samples newer than it harm nobody, the reverse would. */
    (void)snprintf(path, sizeof(path), "%.*s/state.db", PATH_MAX - 20, folder);
    if (r == 0)
        r = db_backup(api->state, path, reterr);
    if (r == 0)
        r = copy_drills(api, folder, names, reterr);
    (void)snprintf(path, sizeof(path), "%.*s/samples", PATH_MAX - 20, folder);
    return r ? r : store_backup(api->store, path, reterr);
}

static void write_file(struct json_out *out, const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat info;

    (void)snprintf(path, sizeof(path), "%.*s/%.*s", PATH_MAX - 300, folder, 280, name);
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return;
    json_open(out, '{');
    json_kv_string(out, "name", name);
    json_kv_int(out, "bytes", info.st_size);
    json_close(out, '}');
}

static void write_samples(struct json_out *out, const char *folder)
{
    char path[PATH_MAX];
    char name[300];
    const struct dirent *entry;

    (void)snprintf(path, sizeof(path), "%.*s/samples", PATH_MAX - 20, folder);
    DIR *samples = opendir(path);
    if (!samples)
        return;
    while ((entry = readdir(samples))) { // NOLINT(concurrency-mt-unsafe): the DIR is ours
        (void)snprintf(name, sizeof(name), "samples/%s", entry->d_name);
        write_file(out, folder, name);
    }
    (void)closedir(samples);
}

static void write_named(struct json_out *out, const char *folder, struct str *names)
{
    char *rest = NULL;

    for (char *name = strtok_r(names->text, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
        write_file(out, folder, name);
}

static int read_folder(struct http_request *request, const char **ret_folder, struct err *reterr)
{
    static const char *const known[] = {"folder", NULL};
    struct json *body = NULL;
    const char *folder = NULL;

    *ret_folder = NULL;
    if (request->body_len == 0)
        return 0;
    int r = json_parse(request->body, request->body_len, &body, reterr);
    if (r == 0)
        r = json_only(body, known, reterr);
    if (r == 0)
        r = json_get_string_or(body, "folder", NULL, &folder, reterr);
    if (r == 0 && folder)
        *ret_folder = arena_strndup(request->arena, folder, strlen(folder));
    json_free(body);
    return r;
}

void backup_post(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    STR_AUTO struct str names = STR_INIT(NAMES_BYTES_MAX);
    char folder[PATH_MAX];
    const char *wanted;
    struct err err = {0};
    int r = read_folder(request, &wanted, &err);

    if (r == 0)
        r = choose_folder(api, wanted, folder, &err);
    if (r != 0) {
        http_fail(response, "bad_data", "%s", err.text);
        return;
    }
    r = copy_all(api, folder, &names, &err);
    if (r != 0) {
        log_error(api->log, "backup", "backup failed", "folder=\"%s\" error=\"%s\"", folder,
                  err.text);
        http_fail(response, r == DB_E_FULL || r == -ENOSPC ? "unavailable" : "internal", "%s",
                  err.text);
        return;
    }
    log_info(api->log, "backup", "backup made", "folder=\"%s\" by=\"%s\"", folder,
             request->who.name);
    json_open(&out, '{');
    json_kv_string(&out, "folder", folder);
    json_key(&out, "files");
    json_open(&out, '[');
    write_file(&out, folder, "state.db");
    write_named(&out, folder, &names);
    write_samples(&out, folder);
    json_close(&out, ']');
    json_close(&out, '}');
}
