/*
 * Drills, opened at the start. See parts.h.
 */

#include <stdio.h>

#include "alertd/app/parts.h"
#include "alertd/play/play.h"

/* Pages that show a drill read it again. */
static void drill_changed(void *arg, int64_t id)
{
    struct app *app = arg;
    char json[48];

    (void)snprintf(json, sizeof(json), "{\"id\":%lld}", (long long)id);
    http_hub_publish(app->api.hub, "drill", json);
}

/* Without drills when they can't be: what pages does not wait for what practises. */
void boot_play(struct app *app)
{
    const struct settings *settings = &app->settings;
    struct err err = {0};
    int r = play_open(&(struct play_options){.path = settings->drills_path,
                                             .storage_path = settings->storage_path,
                                             .program = settings->drills_program,
                                             .max_sessions = settings->drills_max,
                                             .max_per_person = settings->drills_max_per_person,
                                             .leave_ms = settings->drills_leave_ms,
                                             .end_ms = settings->drills_end_ms,
                                             .log = &app->log,
                                             .changed = drill_changed,
                                             .arg = app},
                      &app->api.play, &err);

    if (r)
        log_error(&app->log, "app", "drills can't be played", "error=\"%s\"", err.text);
}
