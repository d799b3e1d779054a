/*
 * alertd's config file: the top of it, the route, and the config's life. See config.h;
 * receivers are read in receiver.c.
 */

#include "alertd/route/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/route/field.h"
#include "alertd/route/receiver.h"
#include "lib/base/mem.h"

enum {
    ARENA_BYTES_MAX = 8 * 1024 * 1024
};

/* The config and the memory under it. */
struct held {
    struct route_config config; /* first: a config pointer is a held pointer */
    struct arena arena;
    unsigned refs;
};

static const char *const kind_names[] = {
    [ROUTE_DASHBOARD] = "dashboard", [ROUTE_WEBHOOK] = "webhook",     [ROUTE_EMAIL] = "email",
    [ROUTE_NTFY] = "ntfy",           [ROUTE_COMMAND] = "command",     [ROUTE_SLACK] = "slack",
    [ROUTE_TELEGRAM] = "telegram",   [ROUTE_PAGERDUTY] = "pagerduty",
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
           "  receiver: dashboard\n";
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
    {"smtp_auth_password", FIELD_SECRET, offsetof(struct top, mail.auth_password), "its password",
     NULL},
    {"smtp_auth_password_file", FIELD_SECRET_FILE, offsetof(struct top, mail.auth_password),
     "the same, from a file", NULL},
    {"smtp_require_tls", FIELD_BOOL, offsetof(struct top, mail.require_tls),
     "refuse a mail server without TLS; true unless said otherwise", NULL},
    {NULL, FIELD_TEXT, 0, NULL, NULL},
};

struct way {
    const char *receiver;
    struct route_names group_by;
    struct route_times times;
};

static const struct field route_rows[] = {
    {"receiver", FIELD_TEXT, offsetof(struct way, receiver), "who is told", NULL},
    {"group_by", FIELD_LABEL_NAMES, offsetof(struct way, group_by),
     "alerts with the same values of these labels make one incident; [alertname, job]", NULL},
    {"group_wait", FIELD_DURATION, offsetof(struct way, times.group_wait_ms),
     "how long a first page waits for alerts of the same group; 30s", NULL},
    {"group_interval", FIELD_DURATION, offsetof(struct way, times.group_interval_ms),
     "between pages about new alerts of one group; 5m", NULL},
    {"repeat_interval", FIELD_DURATION, offsetof(struct way, times.repeat_interval_ms),
     "between reminders, until acknowledged; 4h", NULL},
    {NULL, FIELD_TEXT, 0, NULL, NULL},
};

/* Keys that a file from elsewhere may hold: said by name, because a page that a child
 * route or a mute would have changed must not change silently. */
static int refuse_later(const struct yaml_node *map,
                        const char *const *keys,
                        const char *instead,
                        struct err *reterr)
{
    for (; *keys; keys++) {
        const struct yaml_node *key = yaml_key(map, *keys);

        if (key)
            return err_at(reterr, ROUTE_E_CONFIG, key->line, key->column,
                          "\"%s\" is not supported yet: %s", *keys, instead);
    }
    return 0;
}

static int check_times(const struct yaml_node *route,
                       const struct route_times *times,
                       struct err *reterr)
{
    const char *field = times->group_interval_ms == 0    ? "group_interval"
                        : times->repeat_interval_ms == 0 ? "repeat_interval"
                                                         : NULL;

    if (!field)
        return 0;

    const struct yaml_node *node = yaml_get(route, field);

    return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column, "%s must be longer than zero",
                  field);
}

static int read_route(const struct field_reader *reader,
                      const struct yaml_node *root,
                      struct route_config *config,
                      struct err *reterr)
{
    static const char *const later[] = {"routes",
                                        "matchers",
                                        "match",
                                        "match_re",
                                        "continue",
                                        "mute_time_intervals",
                                        "active_time_intervals",
                                        NULL};
    const struct yaml_node *route = yaml_get(root, "route");
    struct way way = {.group_by = config->group_by, .times = config->times};

    if (!route)
        return err_at(reterr, ROUTE_E_CONFIG, root->line, root->column,
                      "a \"route:\" with a \"receiver:\" is missing");
    if (yaml_expect(route, YAML_MAP, "a map", reterr))
        return ROUTE_E_CONFIG;
    if (refuse_later(route, later,
                     "one route reaches one receiver; list all integrations under that receiver",
                     reterr) ||
        field_read_map(reader, route, route_rows, &way, reterr) ||
        check_times(route, &way.times, reterr))
        return ROUTE_E_CONFIG;
    if (!way.receiver)
        return err_at(reterr, ROUTE_E_CONFIG, route->line, route->column,
                      "the route needs a \"receiver:\"");
    config->times = way.times;
    config->group_by = way.group_by;
    if (way.group_by.n == 1 && strcmp(way.group_by.at[0], "...") == 0) {
        config->group_by_all = true;
        config->group_by.n = 0;
    }
    for (size_t i = 0; i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, way.receiver) == 0)
            config->receiver = &config->receivers[i];
    if (config->receiver)
        return 0;

    const struct yaml_node *name = yaml_get(route, "receiver");

    return err_at(reterr, ROUTE_E_CONFIG, name->line, name->column, "no receiver is named \"%s\"",
                  way.receiver);
}

static int read_root(const struct field_reader *reader,
                     const struct yaml_node *root,
                     struct route_config *config,
                     struct err *reterr)
{
    static const char *const known[] = {"global", "receivers", "route", NULL};
    static const char *const later[] = {"inhibit_rules", "time_intervals", "mute_time_intervals",
                                        "templates",     "tracing",        NULL};
    struct top top = {.resolve_timeout_ms = config->resolve_timeout_ms, .mail.require_tls = true};

    if (yaml_expect(root, YAML_MAP, "a map", reterr) ||
        refuse_later(root, later, "take it out of the file", reterr) ||
        yaml_only(root, known, reterr))
        return ROUTE_E_CONFIG;

    const struct yaml_node *global = yaml_get(root, "global");

    if (global && field_read_map(reader, global, global_rows, &top, reterr))
        return ROUTE_E_CONFIG;
    config->external_url = top.external_url;
    config->resolve_timeout_ms = top.resolve_timeout_ms;
    if (receiver_read_all(reader, root, &top.mail, config, reterr))
        return ROUTE_E_CONFIG;
    return read_route(reader, root, config, reterr);
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

    struct field_reader reader = {&held->arena, base_folder, environment, environment_arg};
    const char **group_by = arena_array(&held->arena, 2, sizeof(*group_by));

    assert(group_by); /* the first bytes of a fresh arena */
    set_defaults(&held->config, group_by);

    int r = read_root(&reader, yaml_root(yaml), &held->config, reterr);

    yaml_free(yaml);
    if (r) {
        route_config_unref(&held->config);
        return r;
    }
    *ret_config = &held->config;
    return 0;
}

void route_config_manual(struct str *out)
{
    field_manual("global", global_rows, out);
    field_manual("route", route_rows, out);
    receiver_manual(out);
}
