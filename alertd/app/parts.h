#pragma once

/*
 * Inside app: what its files share. Nobody else includes this.
 *
 *   app.c       start, run, stop
 *   boot_rules.c  --rules.import
 *   boot_play.c   drills
 *   boot.c      folder, config file, admin token: what a first start makes
 *   routes.c    the tables of api/, and --dump-routes
 *   metrics.c   /metrics
 *   banners.c   what everybody should know, and /-/deep
 *   settings.c  flags
 */

#include <pthread.h>
#include <stdatomic.h>

#include "alertd/api/api.h"
#include "alertd/app/loop_drill.h"
#include "alertd/app/loop_eval.h"
#include "alertd/app/loop_keep.h"
#include "alertd/app/loop_letter.h"
#include "alertd/app/loop_notify.h"
#include "alertd/app/loop_path.h"
#include "alertd/app/loop_review.h"
#include "alertd/app/loop_watch.h"
#include "alertd/app/settings.h"
#include "alertd/db/access_db.h"
#include "alertd/forward/forward.h"
#include "alertd/route/config.h"

enum {
    APP_CONFIGS_MAX = 256, /* reloads that changed something: old configs stay valid */
    APP_BANNER_MAX = 500,
    APP_TABLES_MAX = 64,
};

struct app {
    struct api api; /* first: handlers get a pointer to it as their context */
    struct settings settings;
    struct log log;
    struct http_server *server;
    struct loop_notify *notify; /* drains the outbox */
    struct loop_path *path;     /* sends paging drills */
    struct loop_letter *letter; /* reports and reminders; NULL: nobody wants any */
    struct loop_drill *drill;   /* sends drills' pages to who asked for them; NULL: nobody */
    struct loop_eval *eval;     /* evaluates the rules */
    struct loop_review *review; /* looks at their past */
    struct loop_watch *watch;   /* is alertd itself well */
    struct loop_keep *keep;     /* up, own metrics, maintenance */
    struct forward *forward;    /* passes on what is stored; NULL: to nobody */
    char external_url[300];
    char external_host[256]; /* its host name */
    char machine_host[256];  /* ours, when we listen on all addresses */
    const char *hosts[SETTINGS_LIST_MAX + 2];
    size_t n_hosts;

    const struct http_route *route_tables[APP_TABLES_MAX + 1];
    size_t route_counts[APP_TABLES_MAX];

    /* Held while the config is read again and swapped. */
    pthread_mutex_t reload_lock;
    const struct route_config *configs[APP_CONFIGS_MAX];
    size_t n_configs;
    _Atomic int64_t config_loaded_ms;  /* when a config was last taken over */
    char *config_text;                 /* of the newest, as it was read */
    char rules_error[APP_BANNER_MAX];  /* why --rules.import was not taken over; "" */
    char config_error[APP_BANNER_MAX]; /* why the file on disk is not what is used; "" */
};

/* --- boot.c --- */

/* Reads the config file (or the built-in text). What was good is kept beside the data, so
 * that a file broken later does not stop a start: then that copy is used, and *ret_words
 * says why. -EINVAL when there is no good copy either. */
int boot_config(struct app *app, const struct route_config **ret_config, struct err *reterr);
/* The file as it is now, or an error: for a reload. */
int boot_read_config(struct app *app, const struct route_config **ret_config, struct err *reterr);
/* The newest config becomes a row, for explaining later: when it can't, that is logged. */
void boot_keep_config(struct app *app);
/* external_url, hosts. -EINVAL when a URL is none. */
int boot_names(struct app *app, struct err *reterr);
/* Refuses --auth.mode=off on addresses that others reach. */
int boot_check_auth(const struct settings *settings, struct err *reterr);
/* Makes a token that may do everything and writes it to <storage.path>/admin.token when
 * nobody could administer otherwise. */
int boot_admin_token(struct app *app, struct err *reterr);
bool boot_is_loopback(const char *listen_address);

/* --- boot_rules.c --- */

/* --rules.import: all of it or nothing; what is wrong goes to the log and the banner. */
void boot_import_rules(struct app *app);
/* Begins to look at the rules' past. */
int boot_review(struct app *app, struct err *reterr);

/* --- boot_play.c --- */

/* drills.db and the thread that moves what is played. When it can't be, that is logged and
 * app->api.play stays NULL: alertd pages all the same. */
void boot_play(struct app *app);
void boot_play_stop(struct app *app);
void boot_play_metrics(const struct app *app, struct str *out);

/* --- routes.c --- */

/* Arrays of APP_TABLES_MAX + 1 and APP_TABLES_MAX. */
void app_init_routes(const struct http_route **ret_tables, size_t *ret_counts);
void app_dump_routes(struct str *out);

/* --- metrics.c --- */

void app_render_metrics(void *arg, struct str *out);

/* --- metrics_alertmanager.c --- */

/* What Alertmanager's own dashboards and rules read, under its names. */
void app_alertmanager_metrics(struct app *app, struct str *out);

/* --- banners.c --- */

void app_write_banners(void *arg, struct json_out *out);
/* {"ok":...}: see docs/api.md. False: not well. */
bool app_write_deep(void *arg, struct json_out *out);
bool app_canary_came_back(void *arg, const char *key, const char *idempotency_key);
/* Where the canary's receiver is reached: the first listen address, from here. */
void app_canary_url(const struct app *app, struct str *out);
