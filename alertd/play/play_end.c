/*
 * A session's end: what it came to, beside what was before; and a session played again. See play.h.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/desk/desk.h"
#include "alertd/play/session.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

enum {
    PAST_BYTES_MAX = 256 * 1024,
    RUNS_MAX = 100, /* of one's own, the last ones */
    RESULTS_BYTES_MAX = 64 * 1024 * 1024,
};

/* --- what was before ----------------------------------------------------------------------------------- */

int play_runs(struct play *play,
              const char *drill,
              struct arena *arena,
              struct practice_run **ret_runs,
              size_t *ret_n,
              struct err *reterr)
{
    struct play_result_row *results = NULL;
    struct db_conn *conn = NULL;
    size_t n = 0, n_rows = 0;
    int r = db_read_begin(play->db, &conn, reterr);

    if (r)
        return r;
    r = play_db_results(conn, drill, arena, &results, &n, reterr);
    db_read_end(play->db, conn);
    if (r)
        return r;

    struct practice_row *rows = arena_array(arena, n + 1, sizeof(*rows));

    for (size_t i = 0; rows && i < n; i++)
        if (results[i].is_clock)
            rows[n_rows++] = (struct practice_row){
                results[i].session, results[i].ended_ms, results[i].player, results[i].name,
                results[i].never ? DRILL_NEVER : results[i].value};
    if (!rows || !practice_runs(arena, rows, n_rows, ret_runs, ret_n))
        return err_set(reterr, PLAY_E_LARGE, "it was played too often to show it at once");
    return 0;
}

static void write_own(struct json_out *out,
                      const struct session *session,
                      const struct practice_run *runs,
                      size_t n,
                      enum drill_clock clock)
{
    size_t told = 0;

    json_key(out, drill_clock_name(clock));
    json_open(out, '[');
    for (size_t i = 0; i < n && told < RUNS_MAX; i++) {
        if (runs[i].session == session->id || strcmp(runs[i].player, session->row.player) != 0 ||
            runs[i].clocks[clock] == PRACTICE_UNKNOWN)
            continue;
        told++;
        if (runs[i].clocks[clock] == DRILL_NEVER)
            json_null(out);
        else
            json_int(out, runs[i].clocks[clock]);
    }
    json_close(out, ']');
}

static int write_past(struct play *play,
                      const struct session *session,
                      struct str *more,
                      struct err *reterr)
{
    struct json_out out = JSON_OUT(more);
    struct practice_run *runs = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, RESULTS_BYTES_MAX);

    int r = play_runs(play, session->row.drill, &arena, &runs, &n, reterr);

    if (r)
        return r;
    str_addc(more, ',');
    json_key(&out, "past");
    json_open(&out, '{');
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++)
        write_own(&out, session, runs, n, (enum drill_clock)i);
    json_close(&out, '}');
    json_key(&out, "median");
    json_open(&out, '{');
    for (size_t i = 0; i < DRILL_N_CLOCKS; i++) {
        int64_t median_ms = practice_median(runs, n, (enum drill_clock)i);

        if (median_ms != PRACTICE_UNKNOWN && median_ms != DRILL_NEVER)
            json_kv_int(&out, drill_clock_name((enum drill_clock)i), median_ms);
    }
    json_close(&out, '}');
    return 0;
}

/* --- the end ---------------------------------------------------------------------------------------------- */

static size_t take_results(const struct json *score,
                           const char *list,
                           const char *name,
                           const char *value,
                           struct play_result *results)
{
    const struct json *items = NULL;
    size_t n = 0;

    if (json_get_array(score, list, &items, NULL) != 0)
        return 0;
    for (size_t i = 0; i < json_length(items) && n < DRILL_N_CLOCKS + DRILL_N_COUNTS; i++) {
        const struct json *item = json_at(items, i);
        struct play_result result = {.is_clock = strcmp(list, "clocks") == 0};

        if (json_get_string(item, name, &result.name, NULL) != 0)
            continue;
        result.never = json_get_int(item, value, &result.value, NULL) != 0;
        results[n++] = result;
    }
    return n;
}

static int job_end(struct db_conn *conn, void *arg, struct err *reterr)
{
    return play_db_end(conn, arg, reterr);
}

/* score NULL: it is broken, and there is none. */
static int store_end(struct play *play,
                     struct session *session,
                     const struct json *score,
                     const char *who,
                     const char *words,
                     struct err *reterr)
{
    struct play_result results[2 * (DRILL_N_CLOCKS + DRILL_N_COUNTS)];
    int64_t now_ms = session->now_ms;
    struct play_end end = {.change = {.session = session->id,
                                      .change = {now_ms, clock_wall_ms(), who, "ended", words},
                                      .state = "ended",
                                      .speed = session->speed},
                           .results = results};

    if (score) {
        (void)json_get_string(score, "hash", &end.hash, NULL);
        end.n_results = take_results(score, "clocks", "clock", "after_ms", results);
        end.n_results += take_results(score, "counts", "count", "n", results + end.n_results);
    } else {
        end.change.error = session->error;
    }

    int r = db_write(play->db, job_end, &end, reterr);

    if (r)
        return r;
    session->base_ms = now_ms;
    session->row.ended_ms = end.change.change.made_ms;
    session->counts.changes++;
    memcpy(session->state, "ended", sizeof("ended"));
    atomic_store(&session->runs, false);
    if (end.hash) {
        const char *kept = arena_strndup(&session->arena, end.hash, strlen(end.hash));

        session->row.hash = kept ? kept : "";
    }
    session_told(play, session);
    return 0;
}

int session_end(struct play *play,
                struct session *session,
                const char *who,
                const char *words,
                struct err *reterr)
{
    STR_AUTO struct str body = STR_INIT(DESK_BODY_BYTES_MAX);
    struct json *score = NULL;
    int r = session_ask(play, session, "score", NULL, &body, reterr);

    if (r == 0)
        r = json_parse_upto(str_text(&body), body.len, DESK_BODY_BYTES_MAX, &score, reterr);
    if (r == 0)
        r = store_end(play, session, score, who, words, reterr);
    json_free(score);
    return r;
}

int session_settle(struct play *play, struct session *session, struct err *reterr)
{
    STR_AUTO struct str nothing = STR_INIT(1000);

    if (!session_is(session, "running") || session_now_ms(session) < session->row.length_ms)
        return 0;

    int r = session_ask(play, session, "advance", NULL, &nothing, reterr);

    if (r || session->now_ms < session->row.length_ms) /* something called for the player first */
        return r;
    return session_end(play, session, "", "its time is over", reterr);
}

int play_end(struct play *play, int64_t id, const char *who, struct err *reterr)
{
    struct session *session = NULL;
    int r = session_get(play, id, &session, reterr);

    if (r)
        return r;

    enum play_role role = session_role(session, who);

    r = session_settle(play, session, reterr);
    if (r == 0 && role != PLAY_PLAYER && role != PLAY_MASTER)
        r = err_set(reterr, PLAY_E_FORBIDDEN, "only %s ends this drill, or who leads it",
                    session->row.player);
    if (r == 0 && session_is(session, "broken"))
        r = store_end(play, session, NULL, who, "it could not be played on", reterr);
    else if (r == 0 && !session_is(session, "ended"))
        r = session_end(play, session, who, NULL, reterr);
    session_put(play, session);
    return r;
}

/* Its state is as it was when that does not help. */
static int try_again(struct play *play,
                     struct session *session,
                     const char *who,
                     struct err *reterr)
{
    STR_AUTO struct str nothing = STR_INIT(1000);
    char error[ERR_TEXT_MAX];

    memcpy(error, session->error, sizeof(error));
    memcpy(session->state, "paused", sizeof("paused"));
    session->error[0] = '\0';

    int r = session_ask(play, session, "advance", NULL, &nothing, reterr);

    if (r == 0)
        r = session_change(play, session, "paused", who, "retried", NULL, reterr);
    if (r && !session_is(session, "broken")) {
        memcpy(session->state, "broken", sizeof("broken"));
        memcpy(session->error, error, sizeof(error));
    }
    return r;
}

int play_retry(struct play *play, int64_t id, const char *who, struct err *reterr)
{
    struct session *session = NULL;
    int r = session_get(play, id, &session, reterr);

    if (r)
        return r;
    if (session_role(session, who) == PLAY_WATCHER)
        r = err_set(reterr, PLAY_E_FORBIDDEN, "only who takes part tries it again");
    else if (!session_is(session, "broken"))
        r = err_set(reterr, PLAY_E_CONFLICT, "this drill is not broken");
    else
        r = try_again(play, session, who, reterr);
    session_put(play, session);
    return r;
}

int play_score(
    struct play *play, int64_t id, const char *who, struct str *ret_score, struct err *reterr)
{
    STR_AUTO struct str more = STR_INIT(PAST_BYTES_MAX);
    struct session *session = NULL;
    int r = session_get(play, id, &session, reterr);

    if (r)
        return r;
    r = session_settle(play, session, reterr);
    if (r == 0 && !session_is(session, "ended") && session_role(session, who) != PLAY_MASTER)
        r = err_set(reterr, PLAY_E_CONFLICT, "the score is told when the drill is over");
    if (r == 0 && session_is(session, "ended") && !session->row.hash[0])
        r = err_set(reterr, PLAY_E_CONFLICT, "it has no score: %s", session->error);
    if (r == 0)
        r = write_past(play, session, &more, reterr);
    if (r == 0)
        r = session_ask(play, session, "score", str_text(&more), ret_score, reterr);
    session_put(play, session);
    return r;
}

/* --- played again -------------------------------------------------------------------------------------------- */

struct kept {
    const struct play_file_row *files;
    size_t n;
};

static int read_kept(void *arg,
                     enum drill_read_what what,
                     const char *name,
                     char **ret_text,
                     size_t *ret_len,
                     struct err *reterr)
{
    const struct kept *kept = arg;
    const char *kind = what == DRILL_READ_BESIDE ? "beside" : "pack";

    for (size_t i = 1; i < kept->n; i++)
        if (strcmp(kept->files[i].what, kind) == 0 && strcmp(kept->files[i].name, name) == 0) {
            *ret_text = mem_dup(kept->files[i].bytes, kept->files[i].len + 1);
            *ret_len = kept->files[i].len;
            return 0;
        }
    return err_set(reterr, -ENOENT, "was not kept");
}

static void do_again(struct drill_world *world, const struct play_act_row *act)
{
    drill_world_advance(world, act->at_ms);
    if (act->is_inject) {
        (void)drill_world_inject(world, act->kind, act->text);
        return;
    }
    for (int kind = DRILL_ACT_SEE; kind <= DRILL_ACT_NOTE; kind++)
        if (strcmp(drill_act_name((enum drill_act_kind)kind), act->kind) == 0)
            (void)drill_world_act(world, (enum drill_act_kind)kind, act->id, act->text);
}

struct reading {
    struct arena arena;
    struct play_row row;
    struct play_file_row *files;
    struct play_act_row *acts;
    size_t n_files, n_acts;
};

static int read_all(struct play *play, int64_t id, struct reading *reading, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(play->db, &conn, reterr);

    if (r)
        return r;
    r = play_db_get(conn, id, &reading->arena, &reading->row, reterr);
    if (r == 0)
        r = play_db_files(conn, id, &reading->arena, &reading->files, &reading->n_files, reterr);
    if (r == 0)
        r = play_db_acts(conn, id, &reading->arena, &reading->acts, &reading->n_acts, reterr);
    db_read_end(play->db, conn);
    return r == PLAY_DB_E_NOT_FOUND ? PLAY_E_NOT_FOUND : r;
}

static int replay(const struct reading *reading,
                  const struct drill_patience *patience,
                  struct play_replayed *ret,
                  struct err *reterr)
{
    struct kept kept = {reading->files, reading->n_files};
    struct drill *drill = NULL;

    if (reading->n_files == 0 ||
        drill_parse(reading->files[0].bytes, reading->files[0].len, &drill, reterr) != 0 ||
        drill_case_new(drill, read_kept, &kept, &ret->drill_case, reterr) != 0)
        return PLAY_E_BROKEN;
    ret->world = drill_world_new(ret->drill_case, strtoull(reading->row.seed, NULL, 10));
    drill_world_heed(ret->world, patience);
    drill_world_advance(ret->world, -drill_world_lead_ms(ret->world));
    for (size_t i = 0; i < reading->n_acts; i++)
        do_again(ret->world, &reading->acts[i]);
    drill_world_advance(ret->world, reading->row.at_ms);
    if (drill_world_is_given_up(ret->world))
        return err_set(reterr, -ECANCELED, "nobody waits for the drill any more");
    drill_score(ret->world, &ret->score);
    return 0;
}

int play_replay(struct play *play,
                int64_t id,
                const struct drill_patience *patience,
                struct play_replayed *ret_replayed,
                struct err *reterr)
{
    struct reading reading = {.n_files = 0};
    struct play_replayed replayed = {0};

    arena_init(&reading.arena, 2 * DESK_LOAD_BYTES_MAX);

    int r = read_all(play, id, &reading, reterr);

    if (r == 0)
        r = replay(&reading, patience, &replayed, reterr);
    arena_reset(&reading.arena);
    if (r == 0)
        *ret_replayed = replayed;
    else
        play_replayed_done(&replayed);
    return r;
}

void play_replayed_done(struct play_replayed *replayed)
{
    drill_world_free(replayed->world);
    drill_case_free(replayed->drill_case);
    *replayed = (struct play_replayed){0};
}
