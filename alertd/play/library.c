/*
 * The drills there are. See library.h.
 */

#include "alertd/play/library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/desk/desk.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    DRILLS_MAX = 1000,
};

bool library_name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    return n > 0 && n < LIBRARY_NAME_MAX && name[n] == '\0';
}

/* --- A list ------------------------------------------------------------------------------------- */

struct listing {
    struct arena *arena;
    struct library_drill *at;
    size_t n, capacity;
    bool is_own, spent;
};

static const char *keep(struct listing *listing, const char *text)
{
    const char *kept = text ? arena_strndup(listing->arena, text, strlen(text)) : NULL;

    if (text && !kept)
        listing->spent = true;
    return kept;
}

/* "08-retry-storm" of .../08-retry-storm.drill, "ours" of .../drills/ours/drill.drill. */
static const char *name_of(struct listing *listing, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *from = slash ? slash + 1 : path;
    size_t len = strlen(from) - strlen(".drill");

    if (listing->is_own && slash) {
        const char *end = slash;

        from = end;
        while (from > path && from[-1] != '/')
            from--;
        len = (size_t)(end - from);
    }

    const char *name = arena_strndup(listing->arena, from, len);

    listing->spent = listing->spent || !name;
    return name ? name : "";
}

static void add_alerts(struct listing *listing,
                       const struct drill_expect *expects,
                       size_t n,
                       struct library_drill *to)
{
    for (size_t i = 0; i < n && to->alerts; i++) {
        bool is_known = expects[i].alert == NULL;

        for (size_t k = 0; k < to->n_alerts && !is_known; k++)
            is_known = strcmp(to->alerts[k], expects[i].alert) == 0;
        if (!is_known && (to->alerts[to->n_alerts] = keep(listing, expects[i].alert)))
            to->n_alerts++;
    }
}

/* What it expects of alerts, and what its players do. */
static void tell_alerts(struct listing *listing,
                        const struct drill *drill,
                        struct library_drill *to)
{
    size_t n = drill->n_expects;

    for (size_t i = 0; i < drill->n_players; i++)
        n += drill->players[i].n_expects;
    to->alerts = arena_array(listing->arena, n + 1, sizeof(*to->alerts));
    listing->spent = listing->spent || !to->alerts;
    add_alerts(listing, drill->expects, drill->n_expects, to);
    for (size_t i = 0; i < drill->n_players; i++)
        add_alerts(listing, drill->players[i].expects, drill->players[i].n_expects, to);
}

static void describe(struct listing *listing, const struct drill *drill, struct library_drill *to)
{
    to->title = keep(listing, drill->title);
    to->level = keep(listing, drill->level);
    to->teaches = keep(listing, drill->teaches);
    to->brief = keep(listing, drill->brief);
    to->reconstructed = keep(listing, drill->reconstructed);
    to->path = drill->path;
    to->length_ms = drill->length_ms;
    memcpy(to->clock_limits, drill->clock_limits, sizeof(to->clock_limits));
    to->is_tabletop = drill->n_series == 0 && drill->n_files == 0;
    to->sources = arena_array(listing->arena, drill->n_sources + 1, sizeof(*to->sources));
    for (size_t i = 0; to->sources && i < drill->n_sources; i++)
        to->sources[to->n_sources++] = keep(listing, drill->sources[i]);
    tell_alerts(listing, drill, to);
}

static int take_file(void *arg, const char *path, const char *text, size_t len, struct err *reterr)
{
    struct listing *listing = arg;
    struct library_drill found = {.is_own = listing->is_own, .name = name_of(listing, path)};
    struct drill *drill = NULL;
    struct err err = {0};

    if (listing->n == DRILLS_MAX)
        return 0;
    if (drill_parse(text, len, &drill, &err) == 0) {
        describe(listing, drill, &found);
        drill_free(drill);
    } else {
        STR_AUTO struct str words = STR_INIT(1000);

        str_addf(&words, "%s:%u:%u: %s", found.name, err.line, err.column, err.text);
        found.error = keep(listing, str_text(&words));
        found.title = found.name;
    }
    listing->at = mem_grow(listing->at, &listing->capacity, listing->n + 1, sizeof(*listing->at));
    listing->at[listing->n++] = found;
    return listing->spent ? err_set(reterr, -ENOMEM, "too many drills to show at once") : 0;
}

static int by_path(const void *a, const void *b)
{
    const struct library_drill *one = a, *other = b;
    int64_t one_path = one->path ? one->path : INT64_MAX;
    int64_t other_path = other->path ? other->path : INT64_MAX;

    if (one_path != other_path)
        return one_path < other_path ? -1 : 1;
    return strcmp(one->name, other->name);
}

int library_list(const struct library *library,
                 struct arena *arena,
                 struct library_drill **ret_drills,
                 size_t *ret_n,
                 struct err *reterr)
{
    struct listing listing = {.arena = arena};
    STR_AUTO struct str pattern = STR_INIT(LIBRARY_PATH_MAX);
    int r = 0;

    if (library->path[0]) {
        str_addf(&pattern, "%s/*.drill", library->path);
        r = fs_each(str_text(&pattern), DRILL_BYTES_MAX, take_file, &listing, reterr);
    }
    if (r == 0) {
        listing.is_own = true;
        str_cut(&pattern, 0);
        str_addf(&pattern, "%s/*/drill.drill", library->own);
        r = fs_each(str_text(&pattern), DRILL_BYTES_MAX, take_file, &listing, reterr);
    }
    if (r == 0) {
        if (listing.n)
            qsort(listing.at, listing.n, sizeof(*listing.at), by_path);
        *ret_drills = arena_array(arena, listing.n + 1, sizeof(**ret_drills));
        if (!*ret_drills)
            r = err_set(reterr, -ENOMEM, "too many drills to show at once");
        else if (listing.n)
            memcpy(*ret_drills, listing.at, listing.n * sizeof(*listing.at));
        *ret_n = listing.n;
    }
    free(listing.at);
    return r;
}

/* --- One, with everything ------------------------------------------------------------------------- */

struct reading {
    const struct library *library;
    const struct library_instead *instead;
    const char *folder;
    struct library_loaded *loaded;
};

/* Only what lies beside or below: a drill comes from anybody. */
static bool is_inside(const char *name)
{
    return name[0] != '/' && strncmp(name, "../", 3) != 0 && strstr(name, "/../") == NULL &&
           strcmp(name, "..") != 0;
}

static int add_file(struct library_loaded *loaded,
                    const char *what,
                    const char *name,
                    const char *bytes,
                    size_t len,
                    struct err *reterr)
{
    if (loaded->n_files == DESK_FILES_MAX)
        return err_set(reterr, -EMFILE, "a drill names more than %d files", DESK_FILES_MAX - 1);
    if (len > DESK_LOAD_BYTES_MAX || loaded->n_bytes + len > DESK_LOAD_BYTES_MAX)
        return err_set(reterr, -EFBIG, "a drill and its files are larger than %d MiB",
                       DESK_LOAD_BYTES_MAX >> 20);
    loaded->files = mem_grow(loaded->files, &loaded->capacity, loaded->n_files + 1,
                             sizeof(*loaded->files));
    loaded->files[loaded->n_files++] = (struct library_file){
        .what = what, .name = mem_strdup(name), .bytes = mem_dup(bytes, len + 1), .len = len};
    loaded->n_bytes += len;
    return 0;
}

int library_read_pack(const struct library *library,
                      const char *name,
                      char **ret_text,
                      size_t *ret_len,
                      struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(LIBRARY_PATH_MAX);

    if (!library_name_ok(name))
        return err_set(reterr, -ENOENT, "there is no pack %.60s", name);
    str_addf(&path, "%s/%s/alerts.yml", library->rules, name);

    int r = fs_read(str_text(&path), DESK_LOAD_BYTES_MAX, ret_text, ret_len, reterr);

    if (r != -ENOENT)
        return r;
    str_cut(&path, 0);
    str_addf(&path, "%s/systems/%s/alerts.yml", library->rules, name);
    return fs_read(str_text(&path), DESK_LOAD_BYTES_MAX, ret_text, ret_len, reterr);
}

static int read_named(void *arg,
                      enum drill_read_what what,
                      const char *name,
                      char **ret_text,
                      size_t *ret_len,
                      struct err *reterr)
{
    const struct reading *reading = arg;
    STR_AUTO struct str path = STR_INIT(LIBRARY_PATH_MAX);
    int r = 0;

    if (!is_inside(name))
        return err_set(reterr, -EACCES, "a drill's files lie beside it");
    if (what == DRILL_READ_BESIDE && reading->instead->name &&
        strcmp(reading->instead->name, name) == 0) {
        *ret_text = mem_strndup(reading->instead->text, reading->instead->len);
        *ret_len = reading->instead->len;
    } else if (what == DRILL_READ_BESIDE) {
        str_addf(&path, "%s/%s", reading->folder, name);
        r = fs_read(str_text(&path), DESK_LOAD_BYTES_MAX, ret_text, ret_len, reterr);
    } else {
        r = library_read_pack(reading->library, name, ret_text, ret_len, reterr);
    }
    if (r == 0) {
        r = add_file(reading->loaded, what == DRILL_READ_BESIDE ? "beside" : "pack", name,
                     *ret_text, *ret_len, reterr);
        if (r) {
            free(*ret_text);
            *ret_text = NULL;
        }
    }
    return r;
}

/* Where it lies: its own folder first. */
static int read_drill(const struct library *library,
                      const char *name,
                      struct str *folder,
                      char **ret_text,
                      size_t *ret_len,
                      struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(LIBRARY_PATH_MAX);

    str_addf(folder, "%s/%s", library->own, name);
    str_addf(&path, "%s/drill.drill", str_text(folder));

    int r = fs_read(str_text(&path), DRILL_BYTES_MAX, ret_text, ret_len, reterr);

    if (r == -ENOENT && library->path[0]) {
        str_cut(folder, 0);
        str_add(folder, library->path);
        str_cut(&path, 0);
        str_addf(&path, "%s/%s.drill", library->path, name);
        r = fs_read(str_text(&path), DRILL_BYTES_MAX, ret_text, ret_len, reterr);
    }
    return r == -ENOENT ? err_set(reterr, LIBRARY_E_NOT_FOUND, "there is no drill '%.60s'", name)
                        : r;
}

static int broken(const char *name, const struct err *err, struct err *reterr)
{
    struct err inner = *err;

    return err_set(reterr, LIBRARY_E_BROKEN, "%.60s.drill:%u:%u: %.280s", name, inner.line,
                   inner.column, inner.text);
}

int library_load(const struct library *library,
                 const char *name,
                 const struct library_instead *instead,
                 struct library_loaded *ret_loaded,
                 struct err *reterr)
{
    STR_AUTO struct str folder = STR_INIT(LIBRARY_PATH_MAX);
    struct library_loaded loaded = {0};
    struct reading reading = {.library = library, .instead = instead, .loaded = &loaded};
    MEM_AUTO char *text = NULL;
    struct drill *drill = NULL;
    struct err err = {0};
    size_t len = 0;

    if (!library_name_ok(name))
        return err_set(reterr, LIBRARY_E_NOT_FOUND, "there is no drill '%.60s'", name);

    int r = read_drill(library, name, &folder, &text, &len, reterr);

    if (r == 0)
        r = add_file(&loaded, "drill", name, text, len, reterr);
    if (r)
        return r;
    reading.folder = str_text(&folder);
    if (drill_parse(text, len, &drill, &err) != 0 ||
        drill_case_new(drill, read_named, &reading, &loaded.drill_case, &err) != 0) {
        library_loaded_done(&loaded);
        return broken(name, &err, reterr);
    }
    *ret_loaded = loaded;
    return 0;
}

void library_loaded_done(struct library_loaded *loaded)
{
    drill_case_free(loaded->drill_case);
    for (size_t i = 0; i < loaded->n_files; i++) {
        free(loaded->files[i].name);
        free(loaded->files[i].bytes);
    }
    free(loaded->files);
    *loaded = (struct library_loaded){0};
}
