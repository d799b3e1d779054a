/*
 * What a start needs besides databases: names, the config file, the first token.
 * See parts.h.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/app/parts.h"
#include "alertd/db/config_db.h"
#include "alertd/route/keep.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

/* --- names --- */

bool boot_is_loopback(const char *listen_address)
{
    return strncmp(listen_address, "127.", 4) == 0 || strncmp(listen_address, "[::1]:", 6) == 0 ||
           strncmp(listen_address, "localhost:", 10) == 0;
}

int boot_check_auth(const struct settings *settings, struct err *reterr)
{
    for (size_t i = 0; settings->auth_off && i < settings->listen.n; i++)
        if (!boot_is_loopback(settings->listen.at[i]))
            return err_set(reterr, -EINVAL,
                           "--auth.mode=off with --web.listen-address=%s: others could reach it; "
                           "listen on 127.0.0.1, or leave authentication on",
                           settings->listen.at[i]);
    return 0;
}

static bool is_everywhere(const char *listen_address)
{
    return listen_address[0] == ':' || strncmp(listen_address, "0.0.0.0:", 8) == 0 ||
           strncmp(listen_address, "[::]:", 5) == 0;
}

/* "https://watch.example:8443/x" -> "watch.example"; false when it is no http URL. */
static bool host_of(const char *url, char *host, size_t size)
{
    const char *from = strstr(url, "://");

    if (!from || strncmp(url, "http", 4) != 0)
        return false;
    from += 3;
    size_t len = strcspn(from, "/:?#");
    if (len == 0 || len >= size)
        return false;
    memcpy(host, from, len);
    host[len] = '\0';
    return true;
}

int boot_names(struct app *app, struct err *reterr)
{
    const struct settings *settings = &app->settings;
    const struct route_config *config = atomic_load(&app->api.route);
    const char *listen = settings->listen.at[0];
    const char *colon = strrchr(listen, ':');
    const char *url = settings->external_url;

    if (gethostname(app->machine_host, sizeof(app->machine_host) - 1) != 0)
        app->machine_host[0] = '\0';
    if (!url[0] && config->external_url)
        url = config->external_url;
    if (url[0])
        (void)snprintf(app->external_url, sizeof(app->external_url), "%s", url);
    else if (is_everywhere(listen))
        (void)snprintf(app->external_url, sizeof(app->external_url), "http://%s%s",
                       app->machine_host, colon);
    else
        (void)snprintf(app->external_url, sizeof(app->external_url), "http://%s", listen);
    for (size_t len = strlen(app->external_url); len && app->external_url[len - 1] == '/'; len--)
        app->external_url[len - 1] = '\0';
    if (!host_of(app->external_url, app->external_host, sizeof(app->external_host)))
        return err_set(reterr, -EINVAL, "--web.external-url: expected http(s)://host, got \"%s\"",
                       app->external_url);

    app->hosts[app->n_hosts++] = app->external_host;
    if (is_everywhere(listen))
        app->hosts[app->n_hosts++] = app->machine_host;
    for (size_t i = 0; i < settings->hosts.n; i++)
        app->hosts[app->n_hosts++] = settings->hosts.at[i];
    return 0;
}

/* --- the config file --- */

static const char *environment(void *arg, const char *name)
{
    (void)arg;
    return getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets variables
}

static int parse_config(const char *path,
                        const char *base_folder,
                        char **ret_text,
                        const struct route_config **ret_config,
                        struct err *reterr)
{
    char *text = NULL;
    size_t len = 0;
    int r = fs_read(path, ROUTE_CONFIG_BYTES_MAX, &text, &len, reterr);

    const struct route_config *config = NULL;

    if (r == 0)
        r = route_config_parse(text, len, base_folder, environment, NULL, &config, reterr);
    if (r == 0)
        r = route_config_read_templates(config, fs_each, reterr);
    if (r == 0)
        *ret_config = config;
    else
        route_config_unref(config);
    if (r > 0 && reterr)
        return err_prefix(reterr, r, "%s:%u:%u", path, reterr->line, reterr->column);
    if (r == 0 && ret_text)
        *ret_text = text;
    else
        free(text);
    return r;
}

/* The folder of the config file: relative paths in it are meant from there. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? mem_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : mem_strdup(".");
}

int boot_read_config(struct app *app, const struct route_config **ret_config, struct err *reterr)
{
    const char *path = app->settings.config_file;
    const char *builtin = route_config_default_text();
    char good[4096];
    char *text = NULL;

    if (!path[0]) {
        free(app->config_text);
        app->config_text = mem_strdup(builtin);
        return route_config_parse(builtin, strlen(builtin), ".", environment, NULL, ret_config,
                                  reterr);
    }
    MEM_AUTO char *folder = folder_of(path);
    int r = parse_config(path, folder, &text, ret_config, reterr);
    if (r != 0)
        return r;
    assert(text);
    (void)snprintf(good, sizeof(good), "%s/config.good.yml", app->settings.storage_path);
    struct err err = {0};
    if (fs_replace(good, text, strlen(text), 0600, &err) != 0) /* not fatal: it is a spare */
        log_warn(&app->log, "app", "cannot keep a copy of the config", "error=\"%s\"", err.text);
    free(app->config_text);
    app->config_text = text;
    return 0;
}

int boot_config(struct app *app, const struct route_config **ret_config, struct err *reterr)
{
    char good[4096];
    struct err err = {0};
    int r = boot_read_config(app, ret_config, &err);

    if (r == 0)
        return 0;
    (void)snprintf(good, sizeof(good), "%s/config.good.yml", app->settings.storage_path);
    MEM_AUTO char *folder = folder_of(app->settings.config_file);
    if (parse_config(good, folder, &app->config_text, ret_config, NULL) != 0)
        return err_set(reterr, -EINVAL, "%s", err.text);
    (void)snprintf(app->config_error, sizeof(app->config_error),
                   "The config file is not valid, the last good one is used: %s", err.text);
    log_error(&app->log, "app", "config file rejected, going on with the last good one",
              "error=\"%s\"", err.text);
    return 0;
}

struct keeping {
    const char *file, *text;
};

static int job_keep(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct keeping *keeping = arg;

    return config_db_keep(conn, keeping->file, keeping->text, clock_wall_ms(), reterr);
}

void boot_keep_config(struct app *app)
{
    STR_AUTO struct str text = STR_INIT(2 * ROUTE_CONFIG_BYTES_MAX);
    struct err err = {0};
    int r = route_config_keep(app->config_text, strlen(app->config_text), &text, &err);

    if (r == 0)
        r = db_write(app->api.state, job_keep, &(struct keeping){app->config_text, str_text(&text)},
                     &err);
    if (r)
        log_warn(&app->log, "app", "the config is not kept for explaining", "error=\"%s\"",
                 err.text);
}

/* --- the first token --- */

int boot_admin_token(struct app *app, struct err *reterr)
{
    char text[ACCESS_TOKEN_TEXT_MAX];
    char path[4096];
    struct access_token token = {.name = "first admin", .scopes = ACCESS_ADMIN};
    int64_t now_ms = clock_wall_ms();

    if (access_has_admin(app->api.access, now_ms))
        return 0;
    int r = access_create(app->api.access, &token, "alertd", now_ms, text, &token, reterr);
    if (r != 0)
        return r;
    (void)snprintf(path, sizeof(path), "%s/admin.token", app->settings.storage_path);
    size_t len = strlen(text);
    text[len] = '\n';
    r = fs_replace(path, text, len + 1, 0600, reterr);
    memset(text, 0, sizeof(text));
    if (r == 0)
        log_info(&app->log, "app", "wrote a token that may do everything", "file=\"%s\"", path);
    return r;
}
