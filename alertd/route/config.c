/*
 * alertd's config file: the top of it, the route, and the config's life. See config.h;
 * receivers are read in receiver.c.
 */

#include "alertd/route/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/route/field.h"
#include "alertd/route/node.h"
#include "alertd/route/receiver.h"
#include "alertd/route/texts.h"
#include "alertd/route/way.h"
#include "alertd/template/notice.h"
#include "lib/base/mem.h"

enum {
    ARENA_BYTES_MAX = 8 * 1024 * 1024
};

/* The config and the memory under it. */
struct held {
    struct route_config config; /* first: a config pointer is a held pointer */
    struct arena arena;
    struct zones zones;
    unsigned refs;
};

static const char *const kind_names[] = {
    [ROUTE_DASHBOARD] = "dashboard", [ROUTE_WEBHOOK] = "webhook",     [ROUTE_EMAIL] = "email",
    [ROUTE_NTFY] = "ntfy",           [ROUTE_COMMAND] = "command",     [ROUTE_SLACK] = "slack",
    [ROUTE_TELEGRAM] = "telegram",   [ROUTE_PAGERDUTY] = "pagerduty", [ROUTE_ONCALL] = "oncall",
};

const char *route_kind_name(enum route_kind kind)
{
    return kind_names[kind];
}

const char *route_config_default_text(void)
{
    return "# Pages stay on the dashboard until a receiver is named here.\n"
           "receivers:\n"
           "  - name: dashboard\n"
           "route:\n"
           "  receiver: dashboard\n"
           "  group_by: [alertname, job]\n";
}

static struct held *held_of(const struct route_config *config)
{
    union {
        const struct route_config *config;
        struct held *held;
    } same = {.config = config};

    return same.held;
}

const struct route_config *route_config_ref(const struct route_config *config)
{
    __atomic_add_fetch(&held_of(config)->refs, 1, __ATOMIC_RELAXED);
    return config;
}

void route_config_unref(const struct route_config *config)
{
    if (!config || __atomic_sub_fetch(&held_of(config)->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    arena_reset(&held_of(config)->arena);
    zones_done(&held_of(config)->zones);
    free(held_of(config));
}

const struct route_integration *route_config_find(const struct route_config *config,
                                                  const char *receiver,
                                                  const char *kind,
                                                  unsigned slot)
{
    for (size_t i = 0; i < config->n_receivers; i++) {
        const struct route_receiver *at = &config->receivers[i];

        if (strcmp(at->name, receiver) != 0)
            continue;
        for (size_t j = 0; j < at->n_integrations; j++)
            if (at->integrations[j].slot == slot &&
                strcmp(route_kind_name(at->integrations[j].kind), kind) == 0)
                return &at->integrations[j];
    }
    return NULL;
}

struct top {
    const char *external_url;
    int64_t resolve_timeout_ms;
    struct receiver_defaults mail;
};

/* Of a kind that nobody here delivers: without effect, since no receiver can be of it. */
#define UNUSED(key)                                                         \
    {                                                                       \
        key, FIELD_UNUSED, 0, "no receiver of this kind is delivered", NULL \
    }

static const struct field global_rows[] = {
    {"external_url", FIELD_URL, offsetof(struct top, external_url),
     "the address that links in pages begin with", NULL},
    {"resolve_timeout", FIELD_DURATION, offsetof(struct top, resolve_timeout_ms),
     "after which an alert pushed by others, without an end, is over; 5m", NULL},
    {"smtp_smarthost", FIELD_HOST_PORT, offsetof(struct top, mail.smarthost),
     "the mail server: 465 speaks TLS at once, others by STARTTLS", NULL},
    {"smtp_from", FIELD_ADDRESSES, offsetof(struct top, mail.from), "the sender's address", NULL},
    {"smtp_hello", FIELD_TEXT, offsetof(struct top, mail.hello), "our name in EHLO", NULL},
    {"smtp_auth_username", FIELD_TEXT, offsetof(struct top, mail.auth_username),
     "login, when the server wants one", NULL},
    {"smtp_auth_password", FIELD_PASSWORD, offsetof(struct top, mail.auth_password), "its password",
     NULL},
    {"smtp_auth_password_file", FIELD_SECRET_FILE, offsetof(struct top, mail.auth_password),
     "the same, from a file", NULL},
    {"smtp_require_tls", FIELD_BOOL, offsetof(struct top, mail.require_tls),
     "refuse a mail server without TLS; true unless said otherwise", NULL},
    {"smtp_force_implicit_tls", FIELD_BOOL, offsetof(struct top, mail.implicit_tls),
     "TLS at once; on port 465 anyway", NULL},
    {"smtp_auth_identity", FIELD_TEXT, offsetof(struct top, mail.auth_identity),
     "who to act as, for PLAIN", NULL},
    {"smtp_auth_secret", FIELD_PASSWORD, offsetof(struct top, mail.auth_secret), "for CRAM-MD5",
     NULL},
    {"smtp_auth_secret_file", FIELD_SECRET_FILE, offsetof(struct top, mail.auth_secret),
     "the same, from a file", NULL},
    {"smtp_tls_config", FIELD_MAP, offsetof(struct top, mail.mail_tls), "", receiver_tls_rows},
    {"http_config", FIELD_MAP, offsetof(struct top, mail.http),
     "of receivers without one of their own", receiver_http_rows},
    {"slack_api_url", FIELD_SECRET_URL, offsetof(struct top, mail.slack_api_url),
     "Slack's incoming webhook", NULL},
    {"slack_api_url_file", FIELD_SECRET_FILE, offsetof(struct top, mail.slack_api_url),
     "a file that holds it", NULL},
    {"slack_app_token", FIELD_SECRET, offsetof(struct top, mail.slack_app_token),
     "the token of a Slack bot", NULL},
    {"slack_app_token_file", FIELD_SECRET_FILE, offsetof(struct top, mail.slack_app_token),
     "the same, from a file", NULL},
    {"slack_app_url", FIELD_URL, offsetof(struct top, mail.slack_app_url), "where the bot posts",
     NULL},
    {"telegram_api_url", FIELD_URL, offsetof(struct top, mail.telegram_api_url),
     "https://api.telegram.org", NULL},
    {"telegram_bot_token", FIELD_SECRET, offsetof(struct top, mail.telegram_bot_token),
     "the token of a Telegram bot", NULL},
    {"telegram_bot_token_file", FIELD_SECRET_FILE, offsetof(struct top, mail.telegram_bot_token),
     "the same, from a file", NULL},
    {"pagerduty_url", FIELD_URL, offsetof(struct top, mail.pagerduty_url),
     "https://events.pagerduty.com/v2/enqueue", NULL},
    UNUSED("jira_api_url"),
    UNUSED("opsgenie_api_url"),
    UNUSED("opsgenie_api_key"),
    UNUSED("opsgenie_api_key_file"),
    UNUSED("wechat_api_url"),
    UNUSED("wechat_api_secret"),
    UNUSED("wechat_api_secret_file"),
    UNUSED("wechat_api_corp_id"),
    UNUSED("victorops_api_url"),
    UNUSED("victorops_api_key"),
    UNUSED("victorops_api_key_file"),
    UNUSED("webex_api_url"),
    UNUSED("rocketchat_api_url"),
    UNUSED("rocketchat_token"),
    UNUSED("rocketchat_token_file"),
    UNUSED("rocketchat_token_id"),
    UNUSED("rocketchat_token_id_file"),
    UNUSED("mattermost_webhook_url"),
    UNUSED("mattermost_webhook_url_file"),
    {NULL, FIELD_TEXT, 0, NULL, NULL},
};

static int read_templates(const struct field_reader *reader,
                          const struct yaml_node *root,
                          struct route_config *config,
                          struct err *reterr)
{
    const struct yaml_node *list = yaml_get(root, "templates");

    if (!list)
        return 0;
    config->templates_line = list->line;
    config->templates_column = list->column;
    if (field_texts(reader, list, &config->templates, reterr))
        return ROUTE_E_CONFIG;
    for (size_t i = 0; i < config->templates.n; i++) {
        STR_AUTO struct str path = STR_INIT(8192);

        if (config->templates.at[i][0] == '/' || !reader->base_folder)
            continue;
        str_addf(&path, "%s/%s", reader->base_folder, config->templates.at[i]);
        config->templates.at[i] = field_copy(reader, str_text(&path));
        if (path.full || !config->templates.at[i])
            return field_too_large(list, reterr);
    }
    return 0;
}

static int check_ways(const struct field_reader *reader,
                      const struct yaml_node *global,
                      const struct receiver_defaults *defaults,
                      struct err *reterr)
{
    bool has_password = defaults->auth_password.value || defaults->auth_password.file;
    bool has_secret = defaults->auth_secret.value || defaults->auth_secret.file;

    if (has_password && has_secret)
        field_warn(reader, global,
                   "smtp_auth_secret has no effect beside smtp_auth_password: mail that names "
                   "neither logs in with the password");
    if (way_check_http(yaml_get(global, "http_config"), &defaults->http, reterr))
        return ROUTE_E_CONFIG;
    return way_check_tls(yaml_get(global, "smtp_tls_config"), &defaults->mail_tls, reterr);
}

static int check_slack(const struct yaml_node *global,
                       const struct receiver_defaults *defaults,
                       struct err *reterr)
{
    const char *url = defaults->slack_api_url.value;
    bool has_token = defaults->slack_app_token.value || defaults->slack_app_token.file;

    /* a bot's own address is no incoming webhook */
    if (!has_token || !(url || defaults->slack_api_url.file) ||
        (url && strstr(url, "/api/chat.postMessage")))
        return 0;
    return err_at(reterr, ROUTE_E_CONFIG, global->line, global->column,
                  "give slack_api_url or slack_app_token, not both");
}

static int read_root(const struct field_reader *reader,
                     struct zones *zones,
                     const struct yaml_node *root,
                     struct route_config *config,
                     struct err *reterr)
{
    static const char *const known[] = {"global",        "receivers",           "route",
                                        "inhibit_rules", "templates",           "time_intervals",
                                        "tracing",       "mute_time_intervals", NULL};
    struct top top = {
        .resolve_timeout_ms = config->resolve_timeout_ms,
        .mail = {.require_tls = true,
                 .slack_app_url = "https://slack.com/api/chat.postMessage",
                 .telegram_api_url = "https://api.telegram.org",
                 .pagerduty_url = "https://events.pagerduty.com/v2/enqueue"},
    };
    const struct yaml_node *global = yaml_get(root, "global");
    const struct yaml_node *route = yaml_get(root, "route");
    struct node_reader nodes = {reader, config, zones, 0, reterr};

    if (yaml_expect(root, YAML_MAP, "a map", reterr) || yaml_only(root, known, reterr))
        return ROUTE_E_CONFIG;
    if (global &&
        (field_read_map(reader, global, global_rows, &top, reterr) ||
         check_slack(global, &top.mail, reterr) || check_ways(reader, global, &top.mail, reterr)))
        return ROUTE_E_CONFIG;
    config->external_url = top.external_url;
    config->resolve_timeout_ms = top.resolve_timeout_ms;
    if (yaml_get(root, "tracing"))
        field_note_unused(reader, yaml_get(root, "tracing"), "alertd traces nothing");
    if (read_templates(reader, root, config, reterr) ||
        receiver_read_all(reader, root, &top.mail, config, reterr))
        return ROUTE_E_CONFIG;
    if (!route)
        return err_at(reterr, ROUTE_E_CONFIG, root->line, root->column,
                      "a \"route:\" with a \"receiver:\" is missing");
    if (yaml_expect(route, YAML_MAP, "a map", reterr) || node_read_intervals(&nodes, root) ||
        node_read_inhibit_rules(&nodes, root))
        return ROUTE_E_CONFIG;
    return node_read_tree(&nodes, route);
}

static void set_defaults(struct route_config *config, const char **group_by)
{
    group_by[0] = "alertname";
    group_by[1] = "job";
    config->group_by = (struct route_names){.at = group_by, .n = 2};
    config->resolve_timeout_ms = 300000;
    config->times = (struct route_times){
        .group_wait_ms = 30000,
        .group_interval_ms = 300000,
        .repeat_interval_ms = INT64_C(4) * 3600000,
    };
}

int route_config_parse(const char *text,
                       size_t len,
                       const char *base_folder,
                       route_environment *environment,
                       void *environment_arg,
                       const struct route_config **ret_config,
                       struct err *reterr)
{
    struct yaml *yaml = NULL;

    if (len > ROUTE_CONFIG_BYTES_MAX)
        return err_set(reterr, ROUTE_E_CONFIG, "the config is larger than 1 MiB");
    if (yaml_parse(text, len, &yaml, reterr))
        return ROUTE_E_CONFIG;

    struct held *held = mem_zalloc(sizeof(*held));

    held->refs = 1;
    arena_init(&held->arena, ARENA_BYTES_MAX);

    struct field_reader reader = {&held->arena,          base_folder,          environment,
                                  environment_arg,       &held->config.unused, &held->config.texts,
                                  &held->config.warnings};
    const char **group_by = arena_array(&held->arena, 2, sizeof(*group_by));

    assert(group_by); /* the first bytes of a fresh arena */
    set_defaults(&held->config, group_by);

    int r = notice_library_make(&held->arena, &held->config.texts.library, reterr)
                ? ROUTE_E_CONFIG
                : read_root(&reader, &held->zones, yaml_root(yaml), &held->config, reterr);

    yaml_free(yaml);
    if (r) {
        route_config_unref(&held->config);
        return r;
    }
    *ret_config = &held->config;
    return 0;
}

int route_config_read_templates(const struct route_config *config,
                                route_files *files,
                                struct err *reterr)
{
    struct held *held = held_of(config);

    return texts_read_files(&held->config, &held->arena, files, reterr);
}

void route_config_manual(struct str *out)
{
    field_manual("global", global_rows, out);
    node_manual(out);
    receiver_manual(out);
}
