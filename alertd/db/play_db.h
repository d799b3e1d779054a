#pragma once

/*
 * drills.db: sessions of drills as rows. A database of its own, with a writer of its own: nothing
 * of a drill is in state.db. What is returned lives in the arena.
 */

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    PLAY_DB_E_NOT_FOUND = 40,
    PLAY_DB_E_LIMIT = 41,

    DB_PLAY_APPLICATION_ID = 0x57424452, /* "WBDR" */
    PLAY_DB_ACTS_MAX = 5000,             /* of a session */
    PLAY_DB_NOTES_MAX = 1000,
    PLAY_DB_LIST_MAX = 500,
};

extern const struct db_migration db_play_migrations[];
extern const size_t db_n_play_migrations;

struct play_row {
    int64_t id, team; /* team: the first session of a team's event; 0: none */
    const char *drill, *title, *mode, *player, *seed, *state, *made_by;
    const char *hash, *error; /* "" */
    int64_t speed, slow_to, at_ms, length_ms, made_ms, seen_ms, ended_ms;
    bool stops_for_pages, page_me, has_rules_of_now;
};

struct play_file_row {
    const char *what, *name;
    const void *bytes;
    size_t len;
};

struct play_member_row {
    const char *person, *role;
};

struct play_act_row {
    int64_t n, at_ms;
    bool is_inject;
    const char *who, *kind, *id, *text; /* id, text: NULL when there is none */
};

struct play_note_row {
    int64_t at_ms, made_ms;
    const char *who, *text;
    bool is_private; /* the game master's alone */
};

struct play_change_row {
    int64_t at_ms, made_ms;
    const char *who, *what, *words;
};

/* --- reading --- */

int play_db_get(struct db_conn *conn,
                int64_t id,
                struct arena *arena,
                struct play_row *ret_row,
                struct err *reterr);
/* The newest first; who, drill, state NULL: any. */
struct play_filter {
    const char *who, *drill, *state;
    int64_t seen_before_ms; /* 0: any */
    int64_t team;           /* 0: any */
};
int play_db_list(struct db_conn *conn,
                 const struct play_filter *filter,
                 struct arena *arena,
                 struct play_row **ret_rows,
                 size_t *ret_n,
                 struct err *reterr);
int play_db_files(struct db_conn *conn,
                  int64_t id,
                  struct arena *arena,
                  struct play_file_row **ret_rows,
                  size_t *ret_n,
                  struct err *reterr);
int play_db_members(struct db_conn *conn,
                    int64_t id,
                    struct arena *arena,
                    struct play_member_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr);
int play_db_acts(struct db_conn *conn,
                 int64_t id,
                 struct arena *arena,
                 struct play_act_row **ret_rows,
                 size_t *ret_n,
                 struct err *reterr);
int play_db_notes(struct db_conn *conn,
                  int64_t id,
                  struct arena *arena,
                  struct play_note_row **ret_rows,
                  size_t *ret_n,
                  struct err *reterr);
int play_db_changes(struct db_conn *conn,
                    int64_t id,
                    struct arena *arena,
                    struct play_change_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr);
struct play_counts {
    int64_t acts, changes, notes;
};
int play_db_counts(struct db_conn *conn,
                   int64_t id,
                   struct play_counts *ret_counts,
                   struct err *reterr);

/* How many sessions run, and how many of a person's are not over. */
int play_db_busy(struct db_conn *conn,
                 const char *person,
                 int64_t *ret_running,
                 int64_t *ret_open,
                 struct err *reterr);

/* What ended sessions of a drill came to, the oldest first. */
struct play_result_row {
    int64_t session, ended_ms;
    const char *player, *name; /* a clock's or a count's */
    bool is_clock, never;
    int64_t value;
};
int play_db_results(struct db_conn *conn,
                    const char *drill,
                    struct arena *arena,
                    struct play_result_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr);

/* The same of sessions from_id to to_id that somebody played or began; the newest first. */
struct play_scores_of {
    const char *person;
    int64_t from_id, to_id;
};
int play_db_scores(struct db_conn *conn,
                   const struct play_scores_of *of,
                   struct arena *arena,
                   struct play_result_row **ret_rows,
                   size_t *ret_n,
                   struct err *reterr);

/* The quickest of somebody's runs of each drill, by each clock. */
struct play_best_row {
    const char *drill, *clock;
    bool never;
    int64_t value_ms;
};
int play_db_best(struct db_conn *conn,
                 const char *person,
                 struct arena *arena,
                 struct play_best_row **ret_rows,
                 size_t *ret_n,
                 struct err *reterr);

/* How often somebody played each drill to its end, and when last. */
struct play_played_row {
    const char *drill;
    int64_t n, last_ms, last_id;
};
int play_db_played(struct db_conn *conn,
                   const char *person,
                   struct arena *arena,
                   struct play_played_row **ret_rows,
                   size_t *ret_n,
                   struct err *reterr);

/* --- jobs --- */

struct play_new_file {
    const char *what, *name, *hash;
    const void *bytes;
    size_t len;
};

struct play_new {
    const struct play_row *row; /* its id is made */
    bool begins_team;           /* its team is itself */
    const struct play_new_file *files;
    size_t n_files;
    const struct play_member_row *members;
    size_t n_members;
    int64_t id; /* out */
};
int play_db_add(struct db_conn *conn, struct play_new *add, struct err *reterr);

/* An act is there once: the same person's key again answers the row that is there. */
struct play_add_act {
    int64_t session;
    struct play_act_row act; /* n is made, and with at_ms taken from the row that was there */
    const char *key;
    int64_t made_ms;
    bool was_there; /* out */
};
int play_db_add_act(struct db_conn *conn, struct play_add_act *add, struct err *reterr);

struct play_add_note {
    int64_t session;
    struct play_note_row note;
};
int play_db_add_note(struct db_conn *conn, struct play_add_note *add, struct err *reterr);
/* None of the session's notes is private any more. */
int play_db_share_notes(struct db_conn *conn, int64_t session, struct err *reterr);

/* What happened to the session itself: its clock, its end. The row follows. */
struct play_change {
    int64_t session;
    struct play_change_row change;
    const char *state;
    int64_t speed;
    const char *error; /* NULL: none */
};
int play_db_change(struct db_conn *conn, struct play_change *change, struct err *reterr);

/* The same, with what people choose. */
struct play_set {
    struct play_change change;
    int64_t slow_to;
    bool stops_for_pages, page_me;
};
int play_db_set(struct db_conn *conn, struct play_set *set, struct err *reterr);

struct play_time {
    int64_t session, at_ms, seen_ms;
};
struct play_times {
    const struct play_time *at;
    size_t n;
};
int play_db_save_times(struct db_conn *conn, struct play_times *times, struct err *reterr);

struct play_result {
    const char *name;
    bool is_clock, never;
    int64_t value;
};
struct play_end {
    struct play_change change; /* its state is "ended" */
    const char *hash;
    const struct play_result *results;
    size_t n_results;
};
int play_db_end(struct db_conn *conn, struct play_end *end, struct err *reterr);

/* After a start: what ran is paused, at the last time that is known of it. */
int play_db_pause_all(struct db_conn *conn, int64_t now_ms, struct err *reterr);
