/*
 * Drills, opened at the start. See parts.h.
 */

#include <stdio.h>

#include "alertd/app/parts.h"
#include "alertd/db/outbox_db.h"
#include "alertd/play/play.h"

/* Pages that show a drill read it again. */
static void drill_changed(void *arg, int64_t id)
{
    struct app *app = arg;
    char json[48];

    (void)snprintf(json, sizeof(json), "{\"id\":%lld}", (long long)id);
    http_hub_publish(app->api.hub, "drill", json);
}

/* --- what is real, for those who practise --- */

enum {
    PAGES_BYTES_MAX = 1024 * 1024,
};

static int read_pages(struct db_conn *conn,
                      int64_t *inout_after,
                      struct arena *arena,
                      struct outbox_person_row **ret_rows,
                      size_t *ret_n,
                      struct err *reterr)
{
    if (*inout_after < 0)
        return outbox_db_newest(conn, inout_after, reterr);
    return outbox_db_people_after(conn, *inout_after, arena, ret_rows, ret_n, reterr);
}

/* Of state.db this is all that drills see: who was paged, for what. */
static int real_pages(
    void *arg, int64_t *inout_after, play_each_page *each, void *each_arg, struct err *reterr)
{
    const struct app *app = arg;
    struct outbox_person_row *rows = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, PAGES_BYTES_MAX);

    int r = db_read_begin(app->api.state, &conn, reterr);

    if (r)
        return r;
    r = read_pages(conn, inout_after, &arena, &rows, &n, reterr);
    db_read_end(app->api.state, conn);
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct play_real_page real = {rows[i].person, rows[i].incident, rows[i].title};

        each(each_arg, &real);
        *inout_after = rows[i].id;
    }
    return r;
}

static void page(void *arg, const struct play_page *told)
{
    struct app *app = arg;

    if (app->drill)
        loop_drill_page(app->drill, told);
}

static void start_pages(struct app *app)
{
    struct err err = {0};

    if (loop_drill_start(&(struct loop_drill_options){.state = app->api.state,
                                                      .config = &app->api.route,
                                                      .log = &app->log,
                                                      .external_url = app->external_url},
                         &app->drill, &err))
        log_error(&app->log, "app", "drills page nobody", "error=\"%s\"", err.text);
}

void boot_play_stop(struct app *app)
{
    play_close(app->api.play);
    loop_drill_stop(app->drill);
}

/* Without drills when they can't be: what pages does not wait for what practises. */
void boot_play(struct app *app)
{
    const struct settings *settings = &app->settings;
    struct err err = {0};

    start_pages(app);

    int r = play_open(&(struct play_options){.path = settings->drills_path,
                                             .storage_path = settings->storage_path,
                                             .program = settings->drills_program,
                                             .max_sessions = settings->drills_max,
                                             .max_per_person = settings->drills_max_per_person,
                                             .leave_ms = settings->drills_leave_ms,
                                             .end_ms = settings->drills_end_ms,
                                             .log = &app->log,
                                             .changed = drill_changed,
                                             .real_pages = real_pages,
                                             .page = page,
                                             .arg = app},
                      &app->api.play, &err);

    if (r)
        log_error(&app->log, "app", "drills can't be played", "error=\"%s\"", err.text);
}

void boot_play_metrics(const struct app *app, struct str *out)
{
    struct play_stats stats = {0};

    if (!app->api.play)
        return;
    play_stats(app->api.play, &stats);

    const struct {
        const char *name, *type, *help;
        int64_t value;
    } values[] = {
        {"alertd_drills_running", "gauge", "Drills that run at this moment.", stats.running},
        {"alertd_drill_processes", "gauge", "Processes of drills.", stats.processes},
        {"alertd_drills_started_total", "counter", "Drills whose process was started.",
         stats.started},
        {"alertd_drills_revived_total", "counter", "Processes of drills that were started again.",
         stats.revived},
        {"alertd_drills_broken_total", "counter", "Drills that could not be played on.",
         stats.broken},
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        str_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", values[i].name, values[i].help,
                 values[i].name, values[i].type, values[i].name, (long long)values[i].value);
}
