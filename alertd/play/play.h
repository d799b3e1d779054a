#pragma once

/*
 * Drills as people play them: sessions, who may do what in them, their clocks.
 *
 *   api/drills*.c --play_act()--> session: the act to drills.db --> its alert-drill --> the moment
 *                                    ^ its clock: so much drill time a second of ours
 *   a thread of its own moves what runs, once a second, pauses what nobody looks at, ends what
 *   was left, and stops processes that nobody asks
 *
 * Invariants
 *  (1) a session is its files, its seed and its acts with their times, all of them in drills.db. An
 *      act is there before it is answered. The process is made again from them whenever it is
 *      gone, and says the same.
 *  (2) nothing here reads or writes state.db. That a real page reached somebody who plays is told
 *      from outside, and pages of a drill to people who asked for them are handed outside, as words.
 *  (3) only this side knows a clock. After a start of alertd every session is paused where it was
 *      last known to be.
 *  (4) what one person's drill costs has ceilings: sessions, acts, bytes, time to answer, waiting.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/db/play_db.h"
#include "alertd/drill/practice.h"
#include "alertd/play/library.h"
#include "lib/base/log.h"

enum {
    PLAY_E_NOT_FOUND = 60,
    PLAY_E_FORBIDDEN = 61,
    PLAY_E_INVALID = 62,
    PLAY_E_CONFLICT = 63, /* not in this state */
    PLAY_E_LIMITED = 64,  /* too many of them: words say what to end */
    PLAY_E_BROKEN = 65,   /* the drill can't be played: words say why */
    PLAY_E_BUSY = 66,
    PLAY_E_EXECUTION = 67, /* of a query */
    PLAY_E_TIMEOUT = 68,
    PLAY_E_LARGE = 69,

    PLAY_SPEED_MAX = 60,
    PLAY_PLAYERS_MAX = 20,
    PLAY_TEXT_MAX = 4000,
    PLAY_KEY_MAX = 100,
    PLAY_INCIDENT_MAX = 40,                   /* a key of an incident, and a NUL */
    PLAY_LINE_BYTES_MAX = 500 * 1024,         /* of a query */
    PLAY_ANSWER_BYTES_MAX = 32 * 1024 * 1024, /* of a drill's process */
};

struct play;

/* A page of the drill to who plays it. */
struct play_page {
    int64_t session, moment;
    const char *person, *drill, *alerts, *title;
};

/* A page that somebody really got. */
struct play_real_page {
    const char *person;
    const char *incident, *title; /* "" when there is none */
};
typedef void play_each_page(void *arg, const struct play_real_page *page);

struct play_options {
    const char *path; /* of the drills that came along; "": none */
    const char *storage_path;
    const char *program; /* alert-drill; NULL: beside this program */
    int64_t max_sessions, max_per_person;
    int64_t leave_ms; /* nobody looks: it is paused */
    int64_t end_ms;   /* nobody looks: it ends */
    const struct log *log;
    /* Something in a session changed: from any thread, must not block. */
    void (*changed)(void *arg, int64_t id);
    /* Calls each() for every page that people really got behind *inout_after, and moves that on;
     * -1: from now on. NULL: nobody is told of them. */
    int (*real_pages)(
        void *arg, int64_t *inout_after, play_each_page *each, void *each_arg, struct err *reterr);
    /* Somebody who plays wants a drill's pages like real ones. Must not block; NULL: can't be. */
    void (*page)(void *arg, const struct play_page *page);
    void *arg;
};

int play_open(const struct play_options *options, struct play **ret_play, struct err *reterr);
void play_close(struct play *play); /* NULL is fine */

const struct library *play_library(const struct play *play);
/* For lists and debriefs: drills.db is this folder's alone to change. */
struct db *play_database(const struct play *play);

struct play_stats {
    int64_t running, processes, started, revived, broken;
};
void play_stats(struct play *play, struct play_stats *ret_stats);

/* --- beginning --- */

struct play_start {
    const char *drill, *by;
    const char *mode; /* solo, pair, master, team, tabletop */
    int64_t speed;
    bool has_seed;
    uint64_t seed;
    const char *const *players; /* none: who starts it */
    size_t n_players;
    bool is_paused, stops_for_pages;
    bool page_me;    /* of whoever begins it, and plays it */
    int64_t slow_to; /* when something calls for the player; 0: never, -1: as is usual */
    struct library_instead
        rules_of_now; /* of an incident's drill: played instead of those of then */
};
/* One session, or of a team one for each player: the first is the team's number. */
int play_start(struct play *play,
               const struct play_start *start,
               int64_t ret_ids[PLAY_PLAYERS_MAX],
               size_t *ret_n,
               struct err *reterr);

/* --- within --- */

enum play_role {
    PLAY_WATCHER,
    PLAY_PLAYER,
    PLAY_SCRIBE,
    PLAY_MASTER,
};
const char *play_role_name(enum play_role role);

/* What a session is at this moment; texts in the arena of the call. */
struct play_view {
    struct play_row row; /* state, speed and at_ms are of now */
    enum play_role role;
    int64_t version; /* rises with everything but the passing of time */
    int64_t zero_ms, lead_ms, onset_ms;
    bool sees_all, same; /* same: the version asked for is this one, nothing else is read */
    const struct play_note_row *notes;
    size_t n_notes;
    const struct play_member_row *members;
    size_t n_members;
    int64_t slowed_ms;  /* drill time at which it last slowed by itself; INT64_MIN: not yet */
    const char *banner; /* NULL: none */
    const char *banner_incident; /* the real one's key; NULL: none is known */
    const char *paused_why;      /* "": nobody but a person paused it */
};
struct play_asked {
    int64_t id;
    const char *who;
    int64_t since; /* the version that is known already; -1: none */
};
/* ret_body: the drill's own part, a JSON object. */
int play_look(struct play *play,
              const struct play_asked *asked,
              struct arena *arena,
              struct play_view *ret_view,
              struct str *ret_body,
              struct err *reterr);

struct play_clock {
    const char *state; /* "running", "paused"; NULL: as it is */
    int64_t speed;     /* 0: as it is */
    bool to_onset;
};
int play_clock(struct play *play,
               int64_t id,
               const char *who,
               const struct play_clock *clock,
               struct err *reterr);

/* What people choose for a session. */
struct play_settings {
    const bool *page_me, *stops_for_pages; /* NULL: as it is */
    int64_t slow_to;                       /* -1: as it is; 0: never */
};
int play_set(struct play *play,
             int64_t id,
             const char *who,
             const struct play_settings *settings,
             struct err *reterr);

struct play_deed {
    bool is_inject;
    const char *kind, *id, *text; /* id, text: NULL when there is none */
    const char *key;              /* of the act: once again is the same act; NULL: none was given */
};
/* ret_moment: what came of it, JSON. */
int play_act(struct play *play,
             int64_t id,
             const char *who,
             const struct play_deed *deed,
             struct str *ret_moment,
             struct err *reterr);
/* is_private: of a game master, who alone sees it until they share it. */
int play_note(struct play *play,
              int64_t id,
              const char *who,
              const char *text,
              bool is_private,
              struct err *reterr);
/* When it is over: what the game master wrote for themselves is shown to all who see the session. */
int play_share_notes(struct play *play, int64_t id, const char *who, struct err *reterr);

/* One that is broken: its process is tried again, and when that is there it is paused where it was.
 * PLAY_E_BROKEN when it is not. */
int play_retry(struct play *play, int64_t id, const char *who, struct err *reterr);

/* Ends it; once more is fine. One that is broken ends without a score: PLAY_E_BROKEN with words
 * where there is none. */
int play_end(struct play *play, int64_t id, const char *who, struct err *reterr);
/* JSON: when it is over, or for a game master. */
int play_score(
    struct play *play, int64_t id, const char *who, struct str *ret_score, struct err *reterr);

/* Prometheus' API: line is the request for the process but for op and to_ms, with a comma in
 * front. */
int play_prom(struct play *play,
              int64_t id,
              const char *who,
              const char *line,
              struct str *ret_body,
              struct err *reterr);

/* --- afterwards --- */

/* What the clocks of a drill said each time somebody played it to its end: everybody's runs, the
 * oldest first; in the arena. */
int play_runs(struct play *play,
              const char *drill,
              struct arena *arena,
              struct practice_run **ret_runs,
              size_t *ret_n,
              struct err *reterr);

/* A session played again in this process, up to where it is: its case, its world with every
 * moment, its score. What debriefs and comparisons are made of. play_replayed_done(). */
struct play_replayed {
    struct drill_case *drill_case;
    struct drill_world *world;
    struct drill_score score;
};
/* patience: of who waits; NULL: endless. Over: -ECANCELED. */
int play_replay(struct play *play,
                int64_t id,
                const struct drill_patience *patience,
                struct play_replayed *ret_replayed,
                struct err *reterr);
void play_replayed_done(struct play_replayed *replayed);
