/*
 * Own metrics under Alertmanager's names: what its mixin's dashboard and rules read, so that they
 * work here as they are. A single alertd is a cluster of one.
 */

#include <inttypes.h>
#include <string.h>

#include "alertd/app/parts.h"
#include "alertd/db/silence_db.h"
#include "alertd/db/standing_db.h"
#include "lib/base/clock.h"
#include "lib/model/hash.h"

static void add_head(struct str *out, const char *name, const char *type, const char *help)
{
    str_addf(out, "# HELP alertmanager_%s %s\n# TYPE alertmanager_%s %s\n", name, help, name, type);
}

static void add_config(struct app *app, struct str *out)
{
    (void)pthread_mutex_lock(&app->reload_lock);
    bool is_used = app->config_error[0] == '\0';
    /* a float holds 48 bits exactly, which is what Alertmanager gives */
    uint64_t hash = app->config_text ? hash64(app->config_text, strlen(app->config_text)) &
                                           UINT64_C(0xFFFFFFFFFFFF)
                                     : 0;
    (void)pthread_mutex_unlock(&app->reload_lock);
    add_head(out, "config_last_reload_successful", "gauge",
             "1: the config file on disk is the one that is used.");
    str_addf(out, "alertmanager_config_last_reload_successful %d\n", is_used);
    add_head(out, "config_last_reload_success_timestamp_seconds", "gauge",
             "When a config was taken over last.");
    str_addf(out, "alertmanager_config_last_reload_success_timestamp_seconds %.3f\n",
             (double)atomic_load(&app->config_loaded_ms) / 1000);
    add_head(out, "config_hash", "gauge", "Of the config that is used.");
    str_addf(out, "alertmanager_config_hash %" PRIu64 "\n", hash);
    add_head(out, "cluster_members", "gauge", "A single alertd is all of them.");
    str_add(out, "alertmanager_cluster_members 1\n");
}

static void add_posted(const struct api *api, struct str *out)
{
    add_head(out, "alerts_received_total", "counter", "Alerts posted to /api/v2/alerts.");
    str_addf(out,
             "alertmanager_alerts_received_total{status=\"firing\",version=\"v2\"} %" PRIu64 "\n"
             "alertmanager_alerts_received_total{status=\"resolved\",version=\"v2\"} %" PRIu64 "\n",
             (uint64_t)atomic_load(&api->posted_firing), (uint64_t)atomic_load(&api->posted_over));
    add_head(out, "alerts_invalid_total", "counter", "Those that were not taken.");
    str_addf(out, "alertmanager_alerts_invalid_total{version=\"v2\"} %" PRIu64 "\n",
             (uint64_t)atomic_load(&api->posted_invalid));
}

static void add_rows(const struct api *api, struct str *out)
{
    struct silence_counts silences = {0};
    struct db_conn *conn = NULL;
    int64_t n_firing = 0;

    if (db_read_begin(api->state, &conn, NULL))
        return;
    int r = standing_db_count(conn, &n_firing, NULL);

    if (r == 0)
        r = silence_db_count(conn, clock_wall_ms(), &silences, NULL);
    db_read_end(api->state, conn);
    if (r)
        return;
    add_head(out, "alerts", "gauge", "Alerts that fire, muted ones among them.");
    str_addf(out, "alertmanager_alerts{state=\"active\"} %" PRId64 "\n", n_firing);
    add_head(out, "silences", "gauge", "Silences by state; expired ones are kept.");
    str_addf(out,
             "alertmanager_silences{state=\"active\"} %" PRId64 "\n"
             "alertmanager_silences{state=\"pending\"} %" PRId64 "\n"
             "alertmanager_silences{state=\"expired\"} %" PRId64 "\n",
             silences.active, silences.pending, silences.expired);
}

void app_alertmanager_metrics(struct app *app, struct str *out)
{
    add_head(out, "build_info", "gauge",
             "Always 1; the version of Alertmanager whose API v2 is spoken here.");
    str_add(out, "alertmanager_build_info{version=\"" API_ALERTMANAGER_VERSION "\"} 1\n");
    add_config(app, out);
    add_posted(&app->api, out);
    add_rows(&app->api, out);
    loop_notify_alertmanager(app->notify, out);
}
