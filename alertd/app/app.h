#pragma once

/*
 * Everything alertd is made of, built and taken down in one order:
 *
 *   lock the folder -> config -> state.db -> samples -> access, admin token -> hub
 *     -> HTTP (answers /-/healthy; /-/ready says 503) -> rules imported -> loops -> ready
 *
 * and back. Nothing is only saved at the end: SIGKILL at any moment is as safe as SIGTERM.
 */

#include "alertd/app/settings.h"
#include "lib/base/err.h"

enum app_exit { /* the program's exit status */
    APP_OK = 0,
    APP_FAILURE = 1,
    APP_USAGE = 2,
    APP_LOCKED = 3,  /* another alertd holds the folder */
    APP_DAMAGED = 4, /* state.db is damaged, or it or a day is of a newer alertd */
};

/* From the command line to the exit status. */
enum app_exit app_main(int argc, char **argv);

/* Until a signal ends it. */
enum app_exit app_serve(const struct settings *settings);
