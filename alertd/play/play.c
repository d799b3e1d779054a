/*
 * Drills as people play them: opened, begun, looked at. See play.h.
 */

#include "alertd/play/play.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/play/session.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "lib/model/hash.h"

enum {
    SEED_TEXT_MAX = 24,
    HASH_TEXT_MAX = 40,
};

/* --- open, close -------------------------------------------------------------------------------------- */

static int job_pause_all(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_db_pause_all(conn, clock_wall_ms(), reterr);
}

static void find_program(struct play *play)
{
    char self[LIBRARY_PATH_MAX - 32] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *slash = n > 0 ? strrchr(self, '/') : NULL;

    if (play->options.program && play->options.program[0])
        (void)snprintf(play->program, sizeof(play->program), "%s", play->options.program);
    else
        (void)snprintf(play->program, sizeof(play->program), "%.*s/alert-drill",
                       slash ? (int)(slash - self) : 0, self);
}

static int open_database(struct play *play, struct err *reterr)
{
    char path[LIBRARY_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/drills.db", play->options.storage_path);

    /* not synced at every act: a power cut may cost the last seconds of a drill, and the disk is
     * left to what pages */
    int r = db_open(&(struct db_options){.path = path,
                                         .sync_normal = true,
                                         .application_id = DB_PLAY_APPLICATION_ID,
                                         .migrations = db_play_migrations,
                                         .n_migrations = db_n_play_migrations,
                                         .check = true},
                    &play->db, reterr);

    return r ? r : db_write(play->db, job_pause_all, NULL, reterr);
}

int play_open(const struct play_options *options, struct play **ret_play, struct err *reterr)
{
    struct play *play = mem_zalloc(sizeof(*play));
    struct library *library = &play->library;

    play->options = *options;
    play->real_pages_after = -1;
    (void)pthread_mutex_init(&play->lock, NULL);
    (void)pthread_cond_init(&play->wake, NULL);
    find_program(play);
    (void)snprintf(library->path, sizeof(library->path), "%s", options->path);
    (void)snprintf(library->rules, sizeof(library->rules), "%.4000s/../rules", options->path);
    (void)snprintf(library->own, sizeof(library->own), "%.4000s/drills", options->storage_path);

    int r = fs_make_folders(library->own, reterr);

    if (r == 0)
        r = open_database(play, reterr);
    if (r == 0)
        r = tick_start(play, reterr);
    if (r)
        play_close(play);
    else
        *ret_play = play;
    return r;
}

void play_close(struct play *play)
{
    if (!play)
        return;
    tick_stop(play);
    for (struct session *session = play->sessions, *next; session; session = next) {
        next = session->next;
        session_free(play, session);
    }
    db_close(play->db);
    (void)pthread_cond_destroy(&play->wake);
    (void)pthread_mutex_destroy(&play->lock);
    free(play);
}

const struct library *play_library(const struct play *play)
{
    return &play->library;
}

struct db *play_database(const struct play *play)
{
    return play->db;
}

const char *play_role_name(enum play_role role)
{
    static const char *const names[] = {"watcher", "player", "scribe", "master"};

    return names[role];
}

void play_stats(struct play *play, struct play_stats *ret_stats)
{
    int64_t running = 0;

    (void)pthread_mutex_lock(&play->lock);
    for (const struct session *session = play->sessions; session; session = session->next)
        running += atomic_load(&session->runs);
    (void)pthread_mutex_unlock(&play->lock);
    *ret_stats = (struct play_stats){running, atomic_load(&play->processes),
                                     atomic_load(&play->started), atomic_load(&play->revived),
                                     atomic_load(&play->broken)};
}

/* --- begin ------------------------------------------------------------------------------------------------ */

static bool is_mode(const char *mode)
{
    static const char *const modes[] = {"solo", "pair", "master", "team", "tabletop"};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i], mode) == 0)
            return true;
    return false;
}

static int check_players(const struct play_start *start, struct err *reterr)
{
    for (size_t i = 0; i < start->n_players; i++) {
        if (!start->players[i][0] || strlen(start->players[i]) > 63)
            return err_set(reterr, PLAY_E_INVALID, "players[%zu]: 1 to 63 bytes", i);
        for (size_t k = 0; k < i; k++)
            if (strcmp(start->players[i], start->players[k]) == 0)
                return err_set(reterr, PLAY_E_INVALID, "players[%zu]: %.63s is named twice", i,
                               start->players[i]);
    }
    return 0;
}

/* Nobody named: whoever begins it. */
static bool plays(const struct play_start *start, const char *who)
{
    for (size_t i = 0; i < start->n_players; i++)
        if (strcmp(start->players[i], who) == 0)
            return true;
    return start->n_players == 0 && strcmp(start->by, who) == 0;
}

static int check_start(const struct play_start *start, struct err *reterr)
{
    bool is_team = strcmp(start->mode, "team") == 0;

    if (!is_mode(start->mode))
        return err_set(reterr, PLAY_E_INVALID,
                       "mode: '%.30s' is none of solo, pair, master, team, tabletop", start->mode);
    if (start->speed < 1 || start->speed > PLAY_SPEED_MAX)
        return err_set(reterr, PLAY_E_INVALID, "speed: 1 to %d", PLAY_SPEED_MAX);
    if (start->slow_to < -1 || start->slow_to > PLAY_SPEED_MAX)
        return err_set(reterr, PLAY_E_INVALID, "slow_to: 0 (never) to %d", PLAY_SPEED_MAX);
    if (start->page_me && !plays(start, start->by))
        return err_set(
            reterr, PLAY_E_INVALID,
            "page_me: only whoever plays has their own pages sent; they can choose it at "
            "any time in the drill");
    if (start->n_players > PLAY_PLAYERS_MAX)
        return err_set(reterr, PLAY_E_INVALID, "players: %d at most", PLAY_PLAYERS_MAX);
    if (strcmp(start->mode, "pair") == 0 && start->n_players != 2)
        return err_set(reterr, PLAY_E_INVALID, "players: a pair is who plays and who writes");
    if (strcmp(start->mode, "master") == 0 && start->n_players != 1)
        return err_set(reterr, PLAY_E_INVALID, "players: who plays, for whoever leads it");
    if (strcmp(start->mode, "solo") == 0 && start->n_players > 1)
        return err_set(reterr, PLAY_E_INVALID, "players: alone is one; a team's mode is 'team'");
    if (is_team && start->n_players < 2)
        return err_set(reterr, PLAY_E_INVALID, "players: a team is two at least");
    return check_players(start, reterr);
}

/* Room for all of them: running ones in all, and what each player has open. */
static int check_room(struct play *play,
                      const struct play_start *start,
                      const char *const *players,
                      size_t n,
                      struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(play->db, &conn, reterr);

    if (r)
        return r;
    for (size_t i = 0; r == 0 && i < n; i++) {
        int64_t running = 0, open = 0;

        r = play_db_busy(conn, players[i], &running, &open, reterr);
        if (r == 0 && open >= play->options.max_per_person)
            r = err_set(reterr, PLAY_E_LIMITED,
                        "%.63s has %" PRId64 " drills that are not over: end one of them first",
                        players[i], open);
        if (r == 0 && !start->is_paused && running + (int64_t)n > play->options.max_sessions)
            r = err_set(reterr, PLAY_E_LIMITED,
                        "%" PRId64 " drills run at this moment, and %" PRId64
                        " may: pause or end one first",
                        running, play->options.max_sessions);
    }
    db_read_end(play->db, conn);
    return r;
}

static int job_add(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_db_add(conn, arg, reterr);
}

static size_t members_of(const struct play_start *start,
                         const char *const *players,
                         size_t i,
                         struct play_member_row members[3])
{
    bool is_team = strcmp(start->mode, "team") == 0;
    size_t n = 0;

    members[n++] = (struct play_member_row){players[is_team ? i : 0], "player"};
    if (strcmp(start->mode, "pair") == 0)
        members[n++] = (struct play_member_row){players[1], "scribe"};
    if (!plays(start, start->by)) /* who begins it for others leads it */
        members[n++] = (struct play_member_row){start->by, "master"};
    return n;
}

struct beginning {
    struct play *play;
    const struct play_start *start;
    const char *const *players;
    const struct library_loaded *loaded;
    struct play_new_file files[DRILL_RULE_FILES_MAX * 2 + 64];
    char hashes[DRILL_RULE_FILES_MAX * 2 + 64][HASH_TEXT_MAX];
    char seed[SEED_TEXT_MAX];
    int64_t lead_ms;
};

static void fill_files(struct beginning *beginning)
{
    for (size_t i = 0; i < beginning->loaded->n_files; i++) {
        const struct library_file *file = &beginning->loaded->files[i];
        struct hash128 hash = hash128(file->bytes, file->len, 0);

        (void)snprintf(beginning->hashes[i], HASH_TEXT_MAX, "%016" PRIx64 "%016" PRIx64, hash.high,
                       hash.low);
        beginning->files[i] = (struct play_new_file){.what = file->what,
                                                     .name = file->name,
                                                     .hash = beginning->hashes[i],
                                                     .bytes = file->bytes,
                                                     .len = file->len};
    }
}

static int begin_one(
    struct beginning *beginning, size_t i, int64_t team, int64_t *ret_id, struct err *reterr)
{
    const struct play_start *start = beginning->start;
    const struct drill *drill = beginning->loaded->drill_case->drill;
    struct play_member_row members[3];
    size_t n_members = members_of(start, beginning->players, i, members);
    const struct play_row row = {
        .team = team,
        .drill = start->drill,
        .title = drill->title,
        .mode = start->mode,
        .player = members[0].person,
        .seed = beginning->seed,
        .state = "paused", /* it is set going when its process is there */
        .made_by = start->by,
        .speed = start->speed,
        .at_ms = -beginning->lead_ms,
        .length_ms = drill->length_ms,
        .made_ms = clock_wall_ms(),
        .stops_for_pages = start->stops_for_pages,
        .page_me = start->page_me && strcmp(members[0].person, start->by) == 0,
        .has_rules_of_now = start->rules_of_now.name != NULL,
        .slow_to = start->slow_to >= 0 ? start->slow_to : (plays(start, start->by) ? 1 : 0),
    };
    struct play_new add = {.row = &row,
                           .begins_team = strcmp(start->mode, "team") == 0 && !team,
                           .files = beginning->files,
                           .n_files = beginning->loaded->n_files,
                           .members = members,
                           .n_members = n_members};
    int r = db_write(beginning->play->db, job_add, &add, reterr);

    *ret_id = add.id;
    return r;
}

/* Its process, and its clock. */
static int set_going(struct play *play,
                     const struct play_start *start,
                     int64_t id,
                     struct err *reterr)
{
    STR_AUTO struct str body = STR_INIT(1000);
    struct session *session = NULL;
    int r = session_get(play, id, &session, reterr);

    if (r)
        return r;
    r = session_ask(play, session, "advance", NULL, &body, reterr);
    if (r == 0 && !start->is_paused)
        r = session_change(play, session, "running", start->by, "running", NULL, reterr);
    if (r && !session_is(session, "broken")) { /* it is no use to anybody, and says why */
        (void)snprintf(session->error, sizeof(session->error), "%s", reterr ? reterr->text : "");
        (void)session_change(play, session, "broken", "", "broken", session->error, NULL);
    }
    session_put(play, session);
    return r;
}

static int begin_all(struct beginning *beginning,
                     size_t n,
                     int64_t ret_ids[PLAY_PLAYERS_MAX],
                     size_t *ret_n,
                     struct err *reterr)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = begin_one(beginning, i, i ? ret_ids[0] : 0, &ret_ids[i], reterr);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = set_going(beginning->play, beginning->start, ret_ids[i], reterr);
    if (r == 0)
        *ret_n = n;
    return r;
}

int play_start(struct play *play,
               const struct play_start *start,
               int64_t ret_ids[PLAY_PLAYERS_MAX],
               size_t *ret_n,
               struct err *reterr)
{
    MEM_AUTO struct beginning *beginning = mem_zalloc(sizeof(*beginning));
    const char *const alone[] = {start->by};
    const char *const *players = start->n_players ? start->players : alone;
    size_t n = strcmp(start->mode, "team") == 0 ? start->n_players : 1;
    uint64_t seed = start->has_seed ? start->seed : rng_os_seed() >> 12; /* exact in JavaScript */
    struct library_loaded loaded = {0};
    int r = check_start(start, reterr);

    if (r == 0)
        r = check_room(play, start, players, n, reterr);
    if (r)
        return r;
    r = library_load(&play->library, start->drill, &start->rules_of_now, &loaded, reterr);
    if (r)
        return r == LIBRARY_E_NOT_FOUND ? PLAY_E_NOT_FOUND
               : r == LIBRARY_E_BROKEN  ? PLAY_E_INVALID
                                        : r;
    *beginning = (struct beginning){
        .play = play, .start = start, .players = players, .loaded = &loaded};
    (void)snprintf(beginning->seed, SEED_TEXT_MAX, "%" PRIu64, seed);

    struct drill_world *world = drill_world_new(loaded.drill_case, seed);

    beginning->lead_ms = drill_world_lead_ms(world);
    drill_world_free(world);
    fill_files(beginning);
    r = begin_all(beginning, n, ret_ids, ret_n, reterr);
    library_loaded_done(&loaded);
    return r;
}

/* --- look --------------------------------------------------------------------------------------------------- */

static int read_notes(
    struct play *play, int64_t id, struct arena *arena, struct play_view *view, struct err *reterr)
{
    struct play_note_row *notes = NULL;
    struct db_conn *conn = NULL;
    size_t n = 0;
    int r = db_read_begin(play->db, &conn, reterr);

    if (r)
        return r;
    r = play_db_notes(conn, id, arena, &notes, &n, reterr);
    db_read_end(play->db, conn);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (!notes[i].is_private || view->role == PLAY_MASTER)
            notes[view->n_notes++] = notes[i];
    view->notes = notes;
    return r;
}

static const char *keep(struct arena *arena, const char *text)
{
    const char *kept = arena_strndup(arena, text, strlen(text));

    return kept ? kept : "";
}

/* Copies: the session may be gone when the answer is written. */
static void fill_view(const struct session *session, struct arena *arena, struct play_view *view)
{
    struct play_member_row *members = arena_array(arena, session->n_members + 1, sizeof(*members));

    view->row = session->row;
    view->row.drill = keep(arena, session->row.drill);
    view->row.title = keep(arena, session->row.title);
    view->row.mode = keep(arena, session->row.mode);
    view->row.player = keep(arena, session->row.player);
    view->row.seed = keep(arena, session->row.seed);
    view->row.made_by = keep(arena, session->row.made_by);
    view->row.hash = keep(arena, session->row.hash);
    view->row.state = keep(arena, session->state);
    view->row.error = keep(arena, session->error);
    view->row.speed = session->speed;
    view->row.at_ms = session->is_known ? session->now_ms : session_now_ms(session);
    view->version = session_version(session);
    view->zero_ms = session->zero_ms;
    view->lead_ms = session->lead_ms;
    view->onset_ms = session->onset_ms;
    view->slowed_ms = session->slowed_ms;
    view->banner = session->banner[0] && clock_mono_ms() < session->banner_until_ms
                       ? keep(arena, session->banner)
                       : NULL;
    view->banner_incident = view->banner && session->banner_incident[0]
                                ? keep(arena, session->banner_incident)
                                : NULL;
    view->paused_why = session_is(session, "paused") ? keep(arena, session->paused_why) : "";
    for (size_t i = 0; members && i < session->n_members; i++)
        members[view->n_members++] = (struct play_member_row){
            keep(arena, session->members[i].person), keep(arena, session->members[i].role)};
    view->members = members;
}

static int look(struct play *play,
                struct session *session,
                int64_t since,
                struct arena *arena,
                struct play_view *view,
                struct str *body,
                struct err *reterr)
{
    STR_AUTO struct str nothing = STR_INIT(1000);
    bool unscored = session_is(session, "ended") && !session->row.hash[0];
    const char *why = NULL;
    int r = unscored ? PLAY_E_BROKEN : session_settle(play, session, reterr);

    if (r == 0 && since >= 0)
        r = session_ask(play, session, "advance", NULL, &nothing, reterr);
    view->sees_all = view->role == PLAY_MASTER || session_is(session, "ended");
    view->same = r == 0 && since >= 0 && since == session_version(session);
    if (r == 0 && !view->same)
        r = session_ask(play, session, "state", view->sees_all ? ",\"all\":true" : NULL, body,
                        reterr);
    /* one that is broken is shown all the same: what was done in it is kept */
    if (r == PLAY_E_BROKEN && (session_is(session, "broken") || session_is(session, "ended"))) {
        str_add(body, "{}");
        why = session->error[0] || !reterr ? session->error : reterr->text;
        r = 0;
    }
    fill_view(session, arena, view);
    if (why)
        view->row.error = keep(arena, why);
    return r;
}

int play_look(struct play *play,
              const struct play_asked *asked,
              struct arena *arena,
              struct play_view *ret_view,
              struct str *ret_body,
              struct err *reterr)
{
    struct session *session = NULL;
    struct play_view view = {0};
    int r = session_get(play, asked->id, &session, reterr);

    if (r)
        return r;
    view.role = session_role(session, asked->who);
    if (view.role != PLAY_WATCHER)
        session->looked_ms = clock_mono_ms();
    r = look(play, session, asked->since, arena, &view, ret_body, reterr);
    session_put(play, session);
    if (r == 0 && !view.same)
        r = read_notes(play, asked->id, arena, &view, reterr);
    if (r == 0)
        *ret_view = view;
    return r;
}
