/*
 * alertd as a whole. See app.h for the order.
 */

#include "alertd/app/app.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alertd/app/own_alerts.h"
#include "alertd/app/parts.h"
#include "alertd/app/ping.h"
#include "alertd/ingest/ingest.h"
#include "alertd/pager/pager.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

enum {
    FLUSH_MS = 60000,
    STOP_S = 10,
    WORKERS_MIN = 24, /* of which most wait for a commit that they share */
    STATE_RESERVE_BYTES = 1 << 20,
    FILES_WANTED = 16384,
    CANARY_LOOKS = 3, /* of its rule between two beats: a beat waits a third of them at most */
};

/* --- what handlers ask of us --- */

static void wake(void *arg, enum api_wake what)
{
    struct app *app = arg;
    switch (what) {
    case API_WAKE_RULES: loop_eval_wake(app->eval); break;
    case API_WAKE_OUTBOX: loop_notify_wake(app->notify); break;
    case API_WAKE_REVIEW: loop_review_wake(app->review); break;
    case API_WAKE_PATHS: loop_path_wake(app->path); break;
    }
}

static void told(void *arg, const struct pager_outcome *outcome)
{
    struct app *app = arg;

    loop_notify_told(app->notify, outcome);
}

/* The config file, with the lock held: read and checked first, then swapped. */
static int reload_config(struct app *app, struct err *reterr)
{
    const struct route_config *config = NULL;
    struct err err = {0};
    int r = boot_read_config(app, &config, &err);

    if (r == 0 && app->n_configs == APP_CONFIGS_MAX) {
        route_config_unref(config);
        r = err_set(&err, -ENOSPC, "%d reloads since the start: restart alertd", APP_CONFIGS_MAX);
    }
    if (r == 0) {
        app->configs[app->n_configs++] = config;
        atomic_store(&app->api.route, config);
        pager_configure(app->api.pager, config);
        loop_notify_configure(app->notify, config);
        boot_keep_config(app);
        app->config_error[0] = '\0';
        atomic_store(&app->config_loaded_ms, clock_wall_ms());
        log_info(&app->log, "app", "config reloaded", "file=\"%s\"", app->settings.config_file);
        return 0;
    }
    (void)snprintf(app->config_error, sizeof(app->config_error),
                   "The config file was rejected, the one before is used: %s", err.text);
    log_error(&app->log, "app", "config file rejected, nothing changed", "error=\"%s\"", err.text);
    return err_set(reterr, r, "%s", err.text);
}

/* The config file or a rule file on disk is not what is used: whoever is told anything is told
 * that. With the lock held. */
static void tell_rejected(struct app *app)
{
    const char *words = app->config_error[0] ? app->config_error : app->rules_error;
    struct err err = {0};

    if (own_alert_tell(&app->api,
                       &(struct own_alert){.name = "ConfigRejected",
                                           .severity = "warning",
                                           .summary = "alertd does not use a file as it is on disk",
                                           .description = words,
                                           .is_firing = words[0] != '\0'},
                       clock_wall_ms(), &err))
        log_error(&app->log, "app", "ConfigRejected can't be told", "error=\"%s\"", err.text);
}

/* Rule files and config file, each all of it or nothing; both are tried, and the answer
 * tells of the first that was rejected. */
static int reload(void *arg, struct err *reterr)
{
    struct app *app = arg;

    (void)pthread_mutex_lock(&app->reload_lock);
    app->rules_error[0] = '\0';
    boot_import_rules(app);
    loop_eval_wake(app->eval);
    int r = reload_config(app, reterr);
    if (r == 0 && app->rules_error[0])
        r = err_set(reterr, -EINVAL, "%s", app->rules_error);
    tell_rejected(app);
    (void)pthread_mutex_unlock(&app->reload_lock);
    return r;
}

static bool rule_history(void *arg, int64_t rule_id, struct rule_history *ret_history)
{
    struct app *app = arg;

    return loop_eval_history(app->eval, rule_id, ret_history);
}

static int authenticate(void *context,
                        const char *bearer,
                        const char *cookie,
                        struct http_identity *ret_who)
{
    const struct api *api = context;
    struct access_grant grant;
    int64_t now_ms = clock_wall_ms();
    int r = bearer ? access_check_token(api->access, bearer, now_ms, &grant)
                   : access_check_session(api->access, cookie, now_ms, &grant);

    if (r != 0)
        return HTTP_E_UNKNOWN;
    *ret_who = (struct http_identity){
        .scopes = grant.scopes, .token_id = grant.token_id, .by_cookie = !bearer};
    (void)snprintf(ret_who->name, sizeof(ret_who->name), "%s", grant.name);
    (void)snprintf(ret_who->agent, sizeof(ret_who->agent), "%s", grant.agent);
    (void)snprintf(ret_who->csrf, sizeof(ret_who->csrf), "%s", grant.csrf);
    return 0;
}

/* --- start --- */

static int open_state(struct app *app, struct err *reterr)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/state.db", app->settings.storage_path);
    return db_open(&(struct db_options){.path = path,
                                        .sync_normal = app->settings.sync_normal,
                                        .application_id = DB_STATE_APPLICATION_ID,
                                        .migrations = db_state_migrations,
                                        .n_migrations = db_n_state_migrations,
                                        .check = true,
                                        .reserve_bytes = STATE_RESERVE_BYTES},
                   &app->api.state, reterr);
}

static int open_store(struct app *app, struct err *reterr)
{
    char folder[4096];

    (void)snprintf(folder, sizeof(folder), "%s/samples", app->settings.storage_path);
    int r = fs_make_folders(folder, reterr);
    if (r != 0)
        return r;
    r = store_open(
        &(struct store_options){
            .folder = folder,
            .retention_ms = app->settings.retention_ms,
            .retention_bytes = app->settings.retention_bytes,
            .sync_normal = app->settings.sync_normal,
            .keeps_outbound = app->settings.remote_write_file[0] != 0,
            .max_series = (size_t)app->settings.max_series,
            .max_new_series_an_hour = (size_t)app->settings.max_new_series_an_hour,
            .max_new_series_an_hour_a_pusher = (size_t)
                                                   app->settings.max_new_series_an_hour_a_pusher,
            .now_wall_ms = clock_wall_ms,
            .log = &app->log},
        &app->api.store, reterr);
    return r == 0 || r == DB_E_NEWER ? r : -EIO; /* its other codes mean other things here */
}

/* Before anything is stored: what comes from now on is forwarded. */
static int start_forward(struct app *app, struct err *reterr)
{
    struct forward_configs configs = {0};
    char folder[4096];

    if (!app->settings.remote_write_file[0])
        return 0;
    if (forward_config_read(app->settings.remote_write_file, &configs, reterr) != 0)
        return -EINVAL; /* its own codes mean other things here */
    (void)snprintf(folder, sizeof(folder), "%s/forward", app->settings.storage_path);
    return forward_start(
        &(struct forward_options){.store = app->api.store, .folder = folder, .log = &app->log},
        &configs, &app->forward, reterr);
}

static int start_notify(struct app *app, struct err *reterr)
{
    STR_AUTO struct str canary_url = STR_INIT(500);

    app_canary_url(app, &canary_url);
    return loop_notify_start(
        &(struct loop_notify_options){.state = app->api.state,
                                      .pager = app->api.pager,
                                      .config = app->api.route,
                                      .hub = app->api.hub,
                                      .log = &app->log,
                                      .external_url = app->external_url,
                                      .storage_path = app->settings.storage_path,
                                      .canary_url = str_text(&canary_url),
                                      .now_wall_ms = clock_wall_ms},
        &app->notify, reterr);
}

static int start_letter(struct app *app, struct err *reterr)
{
    const struct settings *settings = &app->settings;

    return loop_letter_start(&(struct loop_letter_options){.state = app->api.state,
                                                           .config = &app->api.route,
                                                           .log = &app->log,
                                                           .external_url = app->external_url,
                                                           .report_to = settings->report_to,
                                                           .zone = settings->report_zone,
                                                           .weekday = settings->report_weekday,
                                                           .hour = (int)settings->report_hour,
                                                           .remind_to = settings->remind_to,
                                                           .now_wall_ms = clock_wall_ms},
                             &app->letter, reterr);
}

static int start_path(struct app *app, struct err *reterr)
{
    const struct settings *settings = &app->settings;

    return loop_path_start(&(struct loop_path_options){.api = &app->api,
                                                       .log = &app->log,
                                                       .policy = settings->path_policy,
                                                       .zone = settings->report_zone,
                                                       .weekday = settings->path_weekday,
                                                       .hour = (int)settings->path_hour},
                           &app->path, reterr);
}

static void alerts_changed(void *arg)
{
    struct app *app = arg;

    loop_notify_wake(app->notify);
}

static int start_eval(struct app *app, struct err *reterr)
{
    const struct settings *settings = &app->settings;
    return loop_eval_start(
        &(struct loop_eval_options){
            .state = app->api.state,
            .store = app->api.store,
            .pager = app->api.pager,
            .hub = app->api.hub,
            .log = &app->log,
            .external_url = app->external_url,
            .limits = {.max_samples = (size_t)settings->query_max_samples,
                       .lookback_ms = settings->query_lookback_ms},
            .timeout_ms = settings->query_timeout_ms,
            .canary_ms = settings->canary_ms / CANARY_LOOKS,
            .alerts_changed = alerts_changed,
            .arg = app,
        },
        &app->eval, reterr);
}

static int start_http(struct app *app, struct err *reterr)
{
    const struct settings *settings = &app->settings;
    unsigned n_queries = (unsigned)settings->query_max_concurrency;

    app_init_routes(app->route_tables, app->route_counts);
    return http_server_start(
        &(struct http_options){.listen = settings->listen.at,
                               .n_listen = settings->listen.n,
                               .hosts = app->hosts,
                               .n_hosts = app->n_hosts,
                               .external_url = app->external_url,
                               .auth_off = settings->auth_off,
                               .routes = app->route_tables,
                               .n_routes = app->route_counts,
                               .context = &app->api,
                               .authenticate = authenticate,
                               .max_connections = 1024,
                               .max_connections_per_peer = 64,
                               .n_workers = n_queries > WORKERS_MIN / 2 ? 2 * n_queries
                                                                        : WORKERS_MIN,
                               .max_body = (size_t)app->settings.max_wire_bytes,
                               .max_reads = n_queries,
                               .log = &app->log},
        &app->server, reterr);
}

static int start_config(struct app *app, struct err *reterr)
{
    const struct route_config *config = NULL;
    int r = boot_config(app, &config, reterr);

    if (r != 0)
        return r;
    app->configs[app->n_configs++] = config;
    atomic_store(&app->config_loaded_ms, clock_wall_ms());
    atomic_store(&app->api.route, config);
    return boot_names(app, reterr);
}

static void fill_api(struct app *app)
{
    const struct settings *settings = &app->settings;
    struct api *api = &app->api;

    api->log = &app->log;
    api->external_url = app->external_url;
    api->storage_path = settings->storage_path;
    api->version = ALERTD_VERSION;
    api->web_dir = settings->web_dir[0] ? settings->web_dir : NULL;
    api->auth_off = settings->auth_off;
    api->started_ms = clock_wall_ms();
    api->retention_ms = settings->retention_ms;
    api->query_timeout_ms = settings->query_timeout_ms;
    api->query_lookback_ms = settings->query_lookback_ms;
    api->query_max_samples = (size_t)settings->query_max_samples;
    api->wake = wake;
    api->told = told;
    api->reload = reload;
    api->rule_history = rule_history;
    api->render_metrics = app_render_metrics;
    api->write_banners = app_write_banners;
    api->write_deep = app_write_deep;
    api->canary_came_back = app_canary_came_back;
    api->app = app;
}

/* What is on disk. */
static int open_all(struct app *app, struct err *reterr)
{
    const char *folder = app->settings.storage_path;
    int r = fs_make_folders(folder, reterr);

    if (r == 0)
        r = db_lock_folder(folder, reterr);
    if (r == 0)
        r = start_config(app, reterr);
    if (r == 0)
        r = open_state(app, reterr);
    if (r == 0)
        boot_keep_config(app);
    if (r == 0)
        app->api.pager = pager_new(app->api.state, atomic_load(&app->api.route), &app->log);
    if (r == 0)
        r = open_store(app, reterr);
    if (r == 0)
        app->api.ingest = ingest_new(
            app->api.store,
            &(struct ingest_limits){.labels = (size_t)app->settings.max_labels,
                                    .name_bytes = (size_t)app->settings.max_label_name_bytes,
                                    .value_bytes = (size_t)app->settings.max_label_value_bytes,
                                    .samples = (size_t)app->settings.max_body_samples,
                                    .body_bytes = (size_t)app->settings.max_body_bytes});
    if (r == 0)
        r = access_open(app->api.state, &app->api.access, reterr);
    return r ? r : boot_admin_token(app, reterr);
}

static void make_watch(struct app *app)
{
    const struct settings *settings = &app->settings;

    app->watch = loop_watch_new(&(struct loop_watch_options){
        .state = app->api.state,
        .ingest = app->api.ingest,
        .log = &app->log,
        .interval_ms = settings->canary_ms,
        .dead_man_url = settings->dead_man_url,
        .dead_man_url_file = settings->dead_man_url_file,
        .dead_man_ms = settings->dead_man_ms,
    });
}

/* What runs. */
static int start_all(struct app *app, struct err *reterr)
{
    int r = start_forward(app, reterr);

    make_watch(app);
    if (r == 0)
        r = start_notify(app, reterr);
    if (r == 0)
        r = start_letter(app, reterr);
    if (r == 0)
        r = start_path(app, reterr);
    if (r == 0) {
        boot_import_rules(app);
        r = start_eval(app, reterr);
        r = r == 0 ? boot_review(app, reterr) : r;
    }
    if (r == 0)
        boot_play(app);
    if (r == 0)
        r = start_http(app, reterr);
    if (r == 0)
        r = loop_keep_start(&app->api, &app->keep, reterr);
    return r ? r : loop_watch_start(app->watch, app->eval, app->notify, reterr);
}

static int start(struct app *app, struct err *reterr)
{
    int r = boot_check_auth(&app->settings, reterr);

    fill_api(app);
    app->api.hub = http_hub_new();
    if (r == 0)
        r = open_all(app, reterr);
    if (r == 0)
        r = start_all(app, reterr);
    if (r != 0)
        return r;
    tell_rejected(app);
    atomic_store(&app->api.ready, true);
    systemd_say("READY=1");
    log_info(&app->log, "app", "ready", "version=%s url=%s storage=\"%s\" auth=%s", ALERTD_VERSION,
             app->external_url, app->settings.storage_path,
             app->settings.auth_off ? "off" : "required");
    for (size_t i = 0; i < app->settings.listen.n; i++)
        if (!boot_is_loopback(app->settings.listen.at[i]))
            log_warn(&app->log, "app", "tokens cross the network in the clear without TLS in front",
                     "listen=%s", app->settings.listen.at[i]);
    return 0;
}

static void stop(struct app *app)
{
    struct err err = {0};

    atomic_store(&app->api.ready, false);
    systemd_say("STOPPING=1");
    loop_watch_stop(app->watch);
    loop_keep_stop(app->keep);
    http_server_stop(app->server);
    boot_play_stop(app);
    loop_review_stop(app->review);
    loop_eval_stop(app->eval);
    loop_path_stop(app->path);
    loop_letter_stop(app->letter);
    loop_notify_stop(app->notify);
    loop_watch_free(app->watch);
    if (app->api.access && access_flush(app->api.access, clock_wall_ms(), &err) != 0)
        log_warn(&app->log, "app", "cannot write when tokens were used", "error=\"%s\"", err.text);
    access_close(app->api.access);
    forward_stop(app->forward);
    ingest_free(app->api.ingest);
    store_close(app->api.store);
    pager_free(app->api.pager);
    db_close(app->api.state);
    http_hub_free(app->api.hub);
    for (size_t i = 0; i < app->n_configs; i++)
        route_config_unref(app->configs[i]);
    free(app->config_text);
    (void)pthread_mutex_destroy(&app->reload_lock);
}

/* --- run --- */

/* Once a second: what must be noticed or written now and then. */
static bool tick(struct app *app, int64_t now_ms, int64_t *flushed_ms)
{
    struct db_stats state;
    struct store_stats store;
    struct err err = {0};

    db_stats(app->api.state, &state);
    store_stats(app->api.store, &store);
    if (state.broken || store.broken) {
        log_error(&app->log, "app", "the disk refused a sync: ending, so that a start reads back",
                  "what=%s", state.broken ? "state.db" : "samples");
        return false;
    }
    if (now_ms - *flushed_ms < FLUSH_MS)
        return true;
    *flushed_ms = now_ms;
    (void)pthread_mutex_lock(&app->reload_lock);
    tell_rejected(app); /* so that it goes on */
    (void)pthread_mutex_unlock(&app->reload_lock);
    if (access_flush(app->api.access, clock_wall_ms(), &err) != 0)
        log_warn(&app->log, "app", "cannot write when tokens were used", "error=\"%s\"", err.text);
    return true;
}

static enum app_exit run(struct app *app, const sigset_t *signals)
{
    int64_t flushed_ms = clock_mono_ms();

    for (;;) {
        struct timespec second = {.tv_sec = 1};
        int signal = sigtimedwait(signals, NULL, &second);

        if (signal == SIGHUP)
            (void)reload(app, NULL); /* it logs */
        if (signal == SIGTERM || signal == SIGINT) {
            log_info(&app->log, "app", "stopping", "signal=%s", sigabbrev_np(signal));
            return APP_OK;
        }
        if (!tick(app, clock_mono_ms(), &flushed_ms))
            return APP_FAILURE;
    }
}

/* A thousand connections beside the databases' files need more than the usual 1,024. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Before any thread starts, so that all inherit it: signals are waited for, not caught. */
static void hold_signals(sigset_t *signals)
{
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that left is an error of write() */
}

static enum app_exit exit_of(int code)
{
    if (code == DB_E_LOCKED)
        return APP_LOCKED;
    return code == DB_E_CORRUPT || code == DB_E_NEWER ? APP_DAMAGED : APP_FAILURE;
}

enum app_exit app_serve(const struct settings *settings)
{
    struct app *app = calloc(1, sizeof(*app));
    sigset_t signals;
    struct err err = {0};
    enum app_exit result;

    if (!app)
        return APP_FAILURE;
    app->settings = *settings;
    app->log = (struct log){STDERR_FILENO, settings->log_level, settings->log_format};
    if (settings->experimental_functions)
        promql_allow_experimental();
    (void)pthread_mutex_init(&app->reload_lock, NULL);
    hold_signals(&signals);
    raise_file_limit();
    (void)umask(077);
    int r = start(app, &err);
    if (r == 0) {
        result = run(app, &signals);
        (void)alarm(STOP_S); /* a stop that hangs ends as a kill, which is as safe */
    } else {
        log_error(&app->log, "app", "cannot start", "error=\"%s\"", err.text);
        result = exit_of(r);
    }
    stop(app);
    if (r == 0)
        log_info(&app->log, "app", "stopped", "storage=\"%s\"", settings->storage_path);
    free(app);
    return result;
}
