/*
 * What everybody should know about this alertd, and how well it is.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/app/parts.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/roster_db.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"

static void write_banner(struct json_out *out, const char *level, const char *text)
{
    json_open(out, '{');
    json_kv_string(out, "level", level);
    json_kv_string(out, "text", text);
    json_close(out, '}');
}

/* Policies that receivers name and nobody made. */
static void write_policy_banners(struct app *app, struct json_out *out)
{
    const struct route_config *config = atomic_load(&app->api.route);
    struct db_conn *conn = NULL;

    if (db_read_begin(app->api.state, &conn, NULL))
        return;
    for (size_t i = 0; i < config->n_receivers; i++)
        for (size_t j = 0; j < config->receivers[i].n_integrations; j++) {
            const struct route_integration *to = &config->receivers[i].integrations[j];
            STR_AUTO struct str words = STR_INIT(APP_BANNER_MAX);
            struct roster_item item;
            ARENA_AUTO struct arena arena;

            arena_init(&arena, 1024 * 1024);
            if (to->kind != ROUTE_ONCALL ||
                roster_db_get(conn, ROSTER_POLICY, to->oncall.policy, &arena, &item, NULL) !=
                    ROSTER_DB_E_NOT_FOUND)
                continue;
            str_addf(&words,
                     "Receiver \"%s\" pages by the policy \"%s\", which nobody made: "
                     "it pages nobody.",
                     to->receiver, to->oncall.policy);
            write_banner(out, "error", str_text(&words));
        }
    db_read_end(app->api.state, conn);
}

static void write_watch_banners(struct app *app, struct json_out *out)
{
    STR_AUTO struct str words = STR_INIT(APP_BANNER_MAX);
    struct watch_health health;

    loop_watch_health(app->watch, &health);
    if (!health.ok) {
        str_addf(&words, "alertd does not page reliably: %s.", health.why);
        write_banner(out, "error", str_text(&words));
    }
    if (!health.has_dead_man)
        write_banner(
            out, "info",
            "Nobody outside notices when alertd itself is gone: give it a --dead-man.url.");
}

void app_write_banners(void *arg, struct json_out *out)
{
    struct app *app = arg;

    json_open(out, '[');
    if (app->settings.auth_off)
        write_banner(out, "warn",
                     "Authentication is off: everybody on this machine may do everything.");
    if (app->settings.sync_normal)
        write_banner(out, "warn",
                     "--storage.sync=normal: a power cut loses what came since the last "
                     "checkpoint.");
    for (size_t i = 0; i < forward_n_targets(app->forward); i++) {
        STR_AUTO struct str words = STR_INIT(APP_BANNER_MAX);

        if (forward_trouble(app->forward, i, &words))
            write_banner(out, "warn", str_text(&words));
    }
    if (app->watch)
        write_watch_banners(app, out);
    write_policy_banners(app, out);
    (void)pthread_mutex_lock(&app->reload_lock);
    if (app->config_error[0])
        write_banner(out, "error", app->config_error);
    if (app->rules_error[0])
        write_banner(out, "error", app->rules_error);
    (void)pthread_mutex_unlock(&app->reload_lock);
    json_close(out, ']');
}

/* --- /-/deep --- */

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static void write_canary(struct json_out *out, const struct watch_health *health)
{
    json_key(out, "canary");
    json_open(out, '{');
    if (health->age_ms < 0)
        json_kv_string(out, "age_seconds", NULL);
    else
        json_kv_float(out, "age_seconds", seconds(health->age_ms));
    json_kv_float(out, "limit_seconds", seconds(health->limit_ms));
    json_kv_float(out, "trip_seconds", seconds(health->trip_ms));
    json_kv_int(out, "beats", (int64_t)health->beats);
    json_kv_int(out, "trips", (int64_t)health->trips);
    json_close(out, '}');
}

static void write_dead_man(struct json_out *out, const struct watch_health *health)
{
    json_key(out, "dead_man");
    json_open(out, '{');
    json_kv_bool(out, "configured", health->has_dead_man);
    json_kv_bool(out, "systemd", health->has_systemd);
    json_kv_time(out, "pinged_at", health->pinged_ms);
    json_kv_int(out, "sent", (int64_t)health->pings_sent);
    json_kv_int(out, "failed", (int64_t)health->pings_failed);
    json_kv_int(out, "withheld", (int64_t)health->pings_withheld);
    json_close(out, '}');
}

/* False: they can't be read. */
static bool write_unsent(struct app *app, struct json_out *out)
{
    struct db_conn *conn = NULL;
    int64_t owed_ms = 0;
    int64_t n = 0;
    int64_t now_ms = clock_wall_ms();

    if (db_read_begin(app->api.state, &conn, NULL))
        return false;
    int r = outbox_db_oldest_unsent(conn, &owed_ms, &n, NULL);
    db_read_end(app->api.state, conn);
    json_key(out, "pages");
    json_open(out, '{');
    json_kv_int(out, "unsent", n);
    json_kv_float(out, "oldest_unsent_seconds",
                  owed_ms && owed_ms < now_ms ? seconds(now_ms - owed_ms) : 0);
    json_close(out, '}');
    return r == 0;
}

bool app_write_deep(void *arg, struct json_out *out)
{
    struct app *app = arg;
    struct watch_health health;

    loop_watch_health(app->watch, &health);
    json_open(out, '{');
    bool can_read = write_unsent(app, out);
    bool ok = health.ok && can_read;
    json_kv_bool(out, "ok", ok);
    json_kv_string(out, "why",
                   health.why[0] ? health.why
                   : can_read    ? NULL
                                 : "state.db can't be read");
    write_canary(out, &health);
    json_key(out, "writers");
    json_open(out, '{');
    json_kv_float(out, "state_lag_seconds", (double)db_lag_us(app->api.state) / 1e6);
    json_kv_float(out, "samples_lag_seconds", seconds(health.store_ms));
    json_close(out, '}');
    write_dead_man(out, &health);
    json_close(out, '}');
    return ok;
}

/* --- the canary's receiver --- */

bool app_canary_came_back(void *arg, const char *key, const char *idempotency_key)
{
    struct app *app = arg;

    return strcmp(key, loop_watch_key(app->watch)) == 0 &&
           loop_watch_came_back(app->watch, idempotency_key);
}

/* What listens on every address is reached at this machine's own. */
void app_canary_url(const struct app *app, struct str *out)
{
    const char *listen = app->settings.listen.at[0];
    const char *port = strrchr(listen, ':');
    size_t host_len = port ? (size_t)(port - listen) : strlen(listen);

    str_add(out, "http://");
    if (host_len == 0 || strncmp(listen, "0.0.0.0:", 8) == 0)
        str_addf(out, "127.0.0.1%s", port ? port : "");
    else if (strncmp(listen, "[::]:", 5) == 0)
        str_addf(out, "[::1]%s", port);
    else
        str_add(out, listen);
    str_addf(out, "/-/canary?key=%s", loop_watch_key(app->watch));
}
