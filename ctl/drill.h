#pragma once

/*
 * alertctl's drills, in three files:
 *
 *   cmd_drill.c    options, exit status
 *   drill_load.c   a drill's files, and all scripts of many drills played at once
 *   drill_show.c   what was played, for people and for programs
 */

#include "alertd/drill/check.h"
#include "alertd/drill/headless.h"
#include "ctl/cmd.h"
#include "lib/json/write.h"

enum {
    DRILL_PATH_MAX = 4096
};

/* A drill's file; what went wrong instead of a case. */
struct drill_loaded {
    const char *path;
    char folder[DRILL_PATH_MAX];
    char rules[DRILL_PATH_MAX]; /* where packs are */
    struct drill_case *drill_case;
    struct err err; /* its place is in this file */
};

/* rules NULL: the folder `rules` beside the drill's folder. False: see err. */
bool drill_load(const char *path, const char *rules, struct drill_loaded *ret_loaded);
void drill_loaded_done(struct drill_loaded *loaded);
/* For drill_case_new() and drill_check(): arg is a struct drill_loaded. */
drill_read drill_load_read;

/* One script of one drill. */
struct drill_job {
    const struct drill_loaded *loaded;
    const struct drill_player *player; /* NULL: nobody plays */
    uint64_t seed;
    struct drill_played played;
};
void drill_play_all(struct drill_job *jobs, size_t n);

void drill_show_played(const struct drill_job *job,
                       bool color,
                       bool with_timeline,
                       struct str *out);
void drill_show_line(const struct drill_job *job, bool color, struct str *out);
void drill_show_json(const struct drill_job *jobs, size_t n, struct json_out *out);
