/*
 * Drills of one's own as files, and a look at what they do. See drill_own.h.
 */

#include "alertd/api/drill_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/runbooks.h"
#include "alertd/db/rule_db.h"
#include "alertd/drill/headless.h"
#include "alertd/play/play.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    RULES_BYTES_MAX = 64 * 1024 * 1024,
    PREVIEW_MOMENTS_MAX = 2000,
    WORDS_MAX = 64 * 1024,
};

bool drill_own_at(const struct api *api, const char *name, struct drill_own *ret_own)
{
    size_t len = strlen(name);

    if (len == 0 || len > DRILL_OWN_NAME_MAX || name[0] == '-' ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
        return false;
    ret_own->api = api;
    int n = snprintf(ret_own->folder, sizeof(ret_own->folder), "%s/drills/%s", api->storage_path,
                     name);

    return n > 0 && (size_t)n < sizeof(ret_own->folder);
}

bool drill_own_file_ok(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= DRILL_OWN_NAME_MAX && name[0] != '.' &&
           name[strspn(
               name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

/* --- Reading ------------------------------------------------------------------------------------------------ */

/* As it is played; or else the file that alertd has taken over under that name:
 * `rules/host/alerts.yml`. */
static int read_pack(const struct drill_own *own,
                     const char *pack,
                     char **ret_text,
                     size_t *ret_len,
                     struct err *reterr)
{
    STR_AUTO struct str ending = STR_INIT(200);
    struct rule_db_file *files = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, RULES_BYTES_MAX);
    if (own->api->play &&
        library_read_pack(play_library(own->api->play), pack, ret_text, ret_len, NULL) == 0)
        return 0;

    int r = db_read_begin(own->api->state, &conn, reterr);

    if (r)
        return r;
    r = rule_db_files(conn, &arena, &files, &n, reterr);
    db_read_end(own->api->state, conn);
    str_addf(&ending, "%.80s/alerts.yml", pack);
    for (size_t i = 0; !r && i < n; i++) {
        size_t len = strlen(files[i].source);

        if (len < ending.len || strcmp(files[i].source + len - ending.len, str_text(&ending)) != 0)
            continue;
        *ret_len = strlen(files[i].yaml);
        *ret_text = mem_strdup(files[i].yaml);
        return 0;
    }
    return r ? r : err_set(reterr, -ENOENT, "alertd has no rules of a pack %.80s", pack);
}

static int read_runbooks(const char *pack, char **ret_text, size_t *ret_len, struct err *reterr)
{
    for (size_t i = 0; i < n_runbooks; i++) {
        if (strcmp(runbooks[i].pack, pack) != 0)
            continue;
        *ret_len = strlen(runbooks[i].markdown);
        *ret_text = mem_strdup(runbooks[i].markdown);
        return 0;
    }
    return err_set(reterr, -ENOENT, "there is no pack %.80s", pack);
}

int drill_own_read(void *arg,
                   enum drill_read_what what,
                   const char *name,
                   char **ret_text,
                   size_t *ret_len,
                   struct err *reterr)
{
    const struct drill_own *own = arg;
    STR_AUTO struct str path = STR_INIT(DRILL_OWN_PATH_MAX);

    switch (what) {
    case DRILL_READ_PACK: return read_pack(own, name, ret_text, ret_len, reterr);
    case DRILL_READ_RUNBOOKS: return read_runbooks(name, ret_text, ret_len, reterr);
    case DRILL_READ_BESIDE: break;
    }
    if (!drill_own_file_ok(name))
        return err_set(reterr, -EACCES, "a drill's files lie beside it");
    str_addf(&path, "%s/%s", own->folder, name);
    return fs_read(str_text(&path), DRILL_OWN_FILE_MAX, ret_text, ret_len, reterr);
}

bool drill_own_exists(struct drill_own *own)
{
    MEM_AUTO char *text = NULL;
    size_t len = 0;

    return drill_own_read(own, DRILL_READ_BESIDE, DRILL_FROM_TEXT, &text, &len, NULL) == 0;
}

int drill_own_write(
    const struct drill_own *own, const char *file, const char *text, size_t len, struct err *reterr)
{
    STR_AUTO struct str path = STR_INIT(DRILL_OWN_PATH_MAX + DRILL_OWN_NAME_MAX + 1);
    int r = fs_make_folders(own->folder, reterr);

    if (r)
        return r;
    str_addf(&path, "%s/%s", own->folder, file);
    return fs_replace(str_text(&path), text, len, 0600, reterr);
}

int drill_own_load(const char *text,
                   size_t len,
                   drill_read *read,
                   void *arg,
                   struct drill_case **ret_case,
                   struct err *reterr)
{
    struct drill *drill = NULL;
    struct err err = {0};
    int r = drill_parse(text, len, &drill, &err);

    if (!r)
        r = drill_case_new(drill, read, arg, ret_case, &err);
    if (!r)
        return 0;
    return err_set(reterr, r, "%u:%u: %s", err.line ? err.line : 1, err.column ? err.column : 1,
                   err.text);
}

/* --- A look at it --------------------------------------------------------------------------------------------- */

static void write_moment(const struct drill_moment *moment, struct json_out *out)
{
    STR_AUTO struct str words = STR_INIT(WORDS_MAX);

    drill_moment_print(moment, &words);
    json_open(out, '{');
    json_kv_int(out, "at_ms", moment->at_ms);
    json_kv_string(out, "kind", drill_moment_name(moment->kind));
    json_kv_string(out, "who", moment->who);
    json_kv_string(out, "what", moment->what);
    json_kv_string(out, "more", moment->more);
    if (moment->incident)
        json_kv_int(out, "incident", moment->incident);
    json_kv_string(out, "text", str_text(&words));
    json_close(out, '}');
}

static void write_moments(const struct drill_world *world, struct json_out *out)
{
    size_t n = 0;
    const struct drill_moment *moments = drill_world_moments(world, &n);

    json_key(out, "moments");
    json_open(out, '[');
    for (size_t i = 0; i < n && i < PREVIEW_MOMENTS_MAX; i++)
        write_moment(&moments[i], out);
    json_close(out, ']');
    json_kv_int(out, "n_moments", (int64_t)n);
}

static void write_failures(const struct drill_played *played,
                           const char *player,
                           struct json_out *out)
{
    const char *line = str_text(&played->failures);

    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        STR_AUTO struct str words = STR_INIT(WORDS_MAX);

        str_addf(&words, "%s: %.*s", player, (int)(end - line), line);
        json_string(out, str_text(&words));
    }
}

/* Nobody first, whose moments are shown; then each script. */
static void play_all(const struct drill_case *drill_case, struct json_out *out)
{
    const struct drill *drill = drill_case->drill;
    int64_t n_checks = 0;

    for (size_t i = 0; i <= drill->n_players; i++) {
        const struct drill_player *player = i ? &drill->players[i - 1] : NULL;
        struct drill_played played;

        drill_play(drill_case, player, 1, &played);
        if (i == 0) {
            write_moments(played.world, out);
            json_key(out, "failures");
            json_open(out, '[');
        }
        n_checks += (int64_t)played.n_checks;
        write_failures(&played, player ? player->name : "nobody", out);
        drill_played_done(&played);
    }
    json_close(out, ']');
    json_kv_int(out, "checks", n_checks);
}

static void write_findings(const struct drill_case *drill_case,
                           drill_read *read,
                           void *arg,
                           struct json_out *out)
{
    struct drill_findings findings = {0};

    drill_check(drill_case, read, arg, &findings);
    json_key(out, "findings");
    json_open(out, '[');
    for (size_t i = 0; i < findings.n; i++) {
        json_open(out, '{');
        json_kv_int(out, "line", findings.at[i].line);
        json_kv_int(out, "column", findings.at[i].column);
        json_kv_string(out, "severity", findings.at[i].is_error ? "error" : "warning");
        json_kv_string(out, "text", findings.at[i].text);
        json_close(out, '}');
    }
    json_close(out, ']');
    drill_findings_done(&findings);
}

void drill_own_preview(const struct drill_case *drill_case,
                       drill_read *read,
                       void *arg,
                       struct json_out *out)
{
    json_kv_string(out, "title", drill_case->drill->title);
    json_kv_int(out, "length_ms", drill_case->drill->length_ms);
    if (drill_case->drill->length_ms <= DRILL_OWN_PREVIEW_MAX_MS)
        play_all(drill_case, out);
    else
        json_kv_string(out, "not_played",
                       "it is longer than two days: alertctl drill run plays it");
    write_findings(drill_case, read, arg, out);
}
