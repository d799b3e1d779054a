/*
 * The `remote_write:` list: YAML to targets. See config.h.
 */

#include "alertd/forward/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/forward/config_value.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/net/url.h"

enum {
    FILE_BYTES_MAX = 1 << 20,
    FILTERS_MAX = 100,
    LABELS_MAX = 32,
    JOINED_BYTES_MAX = 64 * 1024,
    SAMPLES_PER_SEND = 2000,
    SAMPLES_PER_SEND_MAX = 50000,
    TIMEOUT_MS = 30000,
    BACKOFF_MIN_MS = 30,
    BACKOFF_MAX_MS = 5000,
};

static const uint64_t queue_bytes_initial = UINT64_C(1) << 30;
static const uint64_t queue_bytes_min = UINT64_C(1) << 20;

/* --- filters --- */

static int read_source_labels(const struct yaml_node *map,
                              struct forward_filter *filter,
                              struct err *reterr)
{
    const struct yaml_node *list = yaml_get(map, "source_labels");

    if (!list)
        return err_at(reterr, FORWARD_E_CONFIG, map->line, map->column,
                      "source_labels: say which labels the regex is about");
    int r = yaml_expect(list, YAML_LIST, "a list of label names", reterr);
    if (r == 0 && list->n > LABELS_MAX)
        r = err_at(reterr, FORWARD_E_CONFIG, list->line, list->column, "source_labels: at most %d",
                   LABELS_MAX);
    if (r != 0)
        return r;
    filter->labels = mem_zalloc((list->n + 1) * sizeof(char *));
    for (size_t i = 0; i < list->n && r == 0; i++) {
        const char *name;

        r = yaml_string(list->items[i], &name, reterr);
        if (r == 0)
            filter->labels[filter->n_labels++] = mem_strdup(name);
    }
    return r;
}

static int read_action(const struct yaml_node *map,
                       struct forward_filter *filter,
                       struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "action");
    const char *action = "replace";

    int r = node ? yaml_string(node, &action, reterr) : 0;
    if (r != 0)
        return r;
    filter->keeps = strcmp(action, "keep") == 0;
    if (filter->keeps || strcmp(action, "drop") == 0)
        return 0;
    if (!node)
        node = map;
    return err_at(reterr, FORWARD_E_CONFIG, node->line, node->column,
                  "write_relabel_configs: action \"%.40s\" is not supported, only keep and drop; "
                  "samples are forwarded with the labels they have",
                  action);
}

static int read_filter(const struct yaml_node *map,
                       struct forward_filter *filter,
                       struct err *reterr)
{
    static const char *const known[] = {"source_labels", "separator", "regex", "action", NULL};
    char *regex = NULL;

    int r = read_action(map, filter, reterr);
    if (r == 0)
        r = yaml_only(map, known, reterr);
    if (r == 0)
        r = read_source_labels(map, filter, reterr);
    if (r == 0)
        r = config_text(map, "separator", &filter->separator, reterr);
    if (r == 0)
        r = config_text(map, "regex", &regex, reterr);
    if (r == 0) {
        struct err err = {0};

        if (matcher_init(&filter->regex, MATCHER_REGEX, "joined", regex ? regex : ".*", &err) != 0)
            r = err_at(reterr, FORWARD_E_CONFIG, map->line, map->column, "regex: %s", err.text);
    }
    free(regex);
    return r;
}

static int read_filters(const struct yaml_node *map,
                        struct forward_config *config,
                        struct err *reterr)
{
    const struct yaml_node *list = yaml_get(map, "write_relabel_configs");

    if (!list)
        return 0;
    int r = yaml_expect(list, YAML_LIST, "a list of rules", reterr);
    if (r == 0 && list->n > FILTERS_MAX)
        r = err_at(reterr, FORWARD_E_CONFIG, list->line, list->column,
                   "write_relabel_configs: at most %d", FILTERS_MAX);
    if (r != 0)
        return r;
    config->filters = mem_zalloc((list->n + 1) * sizeof(*config->filters));
    for (size_t i = 0; i < list->n && r == 0; i++) {
        config->n_filters++;
        r = yaml_expect(list->items[i], YAML_MAP, "a rule", reterr);
        if (r == 0)
            r = read_filter(list->items[i], &config->filters[i], reterr);
    }
    return r;
}

bool forward_config_wants(const struct forward_config *config, const struct labels *labels)
{
    STR_AUTO struct str joined = STR_INIT(JOINED_BYTES_MAX);

    for (size_t i = 0; i < config->n_filters; i++) {
        const struct forward_filter *filter = &config->filters[i];

        str_cut(&joined, 0);
        for (size_t k = 0; k < filter->n_labels; k++) {
            const char *value = labels_get(labels, filter->labels[k]);

            str_add(&joined, k == 0 ? "" : filter->separator ? filter->separator : ";");
            str_add(&joined, value ? value : "");
        }
        if (matcher_matches(&filter->regex, str_text(&joined)) != filter->keeps)
            return false;
    }
    return true;
}

/* --- one target --- */

static int read_headers(const struct yaml_node *map,
                        struct forward_config *config,
                        struct err *reterr)
{
    const struct yaml_node *headers = yaml_get(map, "headers");

    if (!headers)
        return 0;
    int r = yaml_expect(headers, YAML_MAP, "a map of headers", reterr);
    for (size_t i = 0; r == 0 && i < headers->n; i++) {
        const char *value;

        if (i == FORWARD_HEADERS_MAX)
            return err_at(reterr, FORWARD_E_CONFIG, headers->line, headers->column,
                          "headers: at most %d", FORWARD_HEADERS_MAX);
        r = yaml_string(headers->items[i], &value, reterr);
        if (r != 0)
            break;
        config->headers[2 * i] = mem_strdup(headers->keys[i]->text);
        config->headers[2 * i + 1] = mem_strdup(value);
        config->n_headers++;
    }
    return r;
}

static int read_queue(const struct yaml_node *map,
                      struct forward_config *config,
                      struct err *reterr)
{
    static const struct config_refusal refused[] = {
        {"capacity", "the queue is on disk; queue_bytes beside queue_config bounds it"},
        {"max_shards", "one connection keeps each series' samples in order"},
        {"min_shards", "one connection keeps each series' samples in order"},
        {"batch_send_deadline", "what waits is sent within a second"},
        {"retry_on_http_429", "429 is always sent again"},
        {"sample_age_limit", "queue_bytes beside queue_config bounds what waits"},
        {NULL, NULL},
    };
    static const char *const known[] = {"max_samples_per_send", "min_backoff", "max_backoff", NULL};
    const struct yaml_node *queue = yaml_get(map, "queue_config");
    int64_t n = SAMPLES_PER_SEND;

    if (queue) {
        int r = config_only(queue, known, refused, reterr);
        if (r == 0)
            r = config_count(queue, "max_samples_per_send", SAMPLES_PER_SEND_MAX, &n, reterr);
        if (r == 0)
            r = config_duration(queue, "min_backoff", &config->backoff.min_ms, reterr);
        if (r == 0)
            r = config_duration(queue, "max_backoff", &config->backoff.max_ms, reterr);
        if (r == 0 && config->backoff.min_ms > config->backoff.max_ms)
            r = err_at(reterr, FORWARD_E_CONFIG, queue->line, queue->column,
                       "queue_config: min_backoff is above max_backoff");
        if (r != 0)
            return r;
    }
    config->max_samples_per_send = (size_t)n;
    return 0;
}

static int read_own(const struct yaml_node *map, struct forward_config *config, struct err *reterr)
{
    const struct yaml_node *bytes = yaml_get(map, "queue_bytes");
    const struct yaml_node *history = yaml_get(map, "send_history");

    int r = config_size(map, "queue_bytes", &config->queue_bytes, reterr);
    if (r == 0 && config->queue_bytes < queue_bytes_min)
        r = err_at(reterr, FORWARD_E_CONFIG, bytes->line, bytes->column,
                   "queue_bytes: at least 1MiB");
    if (r == 0 && history)
        r = yaml_bool(history, &config->send_history, reterr);
    return r;
}

/* Without a name of its own: the host, and a number that tells two addresses there apart. */
static int read_name(const struct yaml_node *map, struct forward_config *config, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "name");
    struct url url;
    const char *name;

    int r = url_parse(config->url, &url, reterr);
    if (r != 0) {
        node = yaml_get(map, "url");
        return err_at(reterr, FORWARD_E_CONFIG, node->line, node->column, "url: \"%.200s\" is none",
                      config->url);
    }
    if (!node) {
        (void)snprintf(config->name, sizeof(config->name), "%.40s-%08x", url.host,
                       (unsigned)(labels_hash_text(0, config->url) & UINT32_MAX));
        for (char *c = config->name; *c; c++)
            *c = (char)(isalnum((unsigned char)*c) || *c == '.' || *c == '-' ? *c : '_');
        return 0;
    }
    r = yaml_string(node, &name, reterr);
    if (r != 0)
        return r;
    if (strlen(name) >= sizeof(config->name) || !*name || name[0] == '.' ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
        return err_at(reterr, FORWARD_E_CONFIG, node->line, node->column,
                      "name: up to %d letters, digits, dots, dashes and underscores: a file is "
                      "named so",
                      FORWARD_NAME_MAX - 1);
    (void)snprintf(config->name, sizeof(config->name), "%s", name);
    return 0;
}

static int read_keys(const struct yaml_node *map, struct err *reterr)
{
    static const struct config_refusal refused[] = {
        {"sigv4", "requests are not signed"},
        {"azuread", "requests are not signed"},
        {"google_iam", "requests are not signed"},
        {"oauth2", "use authorization with credentials_file"},
        {"proxy_url", "targets are reached directly"},
        {"proxy_from_environment", "targets are reached directly"},
        {"no_proxy", "targets are reached directly"},
        {"proxy_connect_header", "targets are reached directly"},
        {"protobuf_message", "remote write 1.0 is what is sent"},
        {"send_exemplars", "there are none here"},
        {"send_native_histograms", "there are none here"},
        {"metadata_config", "metadata is not forwarded"},
        {"follow_redirects", "redirects are never followed: a token goes with the request"},
        {"enable_http2", "HTTP/1.1 is what is spoken"},
        {"round_robin_dns", "one connection keeps each series' samples in order"},
        {NULL, NULL},
    };
    static const char *const known[] = {"url",
                                        "name",
                                        "headers",
                                        "basic_auth",
                                        "authorization",
                                        "bearer_token",
                                        "bearer_token_file",
                                        "tls_config",
                                        "remote_timeout",
                                        "write_relabel_configs",
                                        "queue_config",
                                        "queue_bytes",
                                        "send_history",
                                        NULL};

    return config_only(map, known, refused, reterr);
}

static int read_target(const struct yaml_node *map,
                       struct forward_config *config,
                       struct err *reterr)
{
    config->timeout_ms = TIMEOUT_MS;
    config->backoff = (struct retry_bounds){BACKOFF_MIN_MS, BACKOFF_MAX_MS};
    config->queue_bytes = queue_bytes_initial;
    int r = yaml_expect(map, YAML_MAP, "a target", reterr);
    if (r == 0)
        r = read_keys(map, reterr);
    if (r == 0)
        r = config_text(map, "url", &config->url, reterr);
    if (r == 0 && !config->url)
        r = err_at(reterr, FORWARD_E_CONFIG, map->line, map->column, "a target needs a url");
    if (r == 0)
        r = read_name(map, config, reterr);
    if (r == 0)
        r = read_headers(map, config, reterr);
    if (r == 0)
        r = config_auth(map, config, reterr);
    if (r == 0)
        r = config_duration(map, "remote_timeout", &config->timeout_ms, reterr);
    if (r == 0)
        r = read_filters(map, config, reterr);
    if (r == 0)
        r = read_queue(map, config, reterr);
    return r == 0 ? read_own(map, config, reterr) : r;
}

/* --- the list --- */

static int read_list(const struct yaml_node *root,
                     struct forward_configs *configs,
                     struct err *reterr)
{
    static const char *const known[] = {"remote_write", NULL};
    const struct yaml_node *list = yaml_get(root, "remote_write");

    int r = yaml_only(root, known, reterr);
    if (r != 0)
        return r;
    if (!list)
        return err_at(reterr, FORWARD_E_CONFIG, 1, 1, "remote_write: a list of targets is needed");
    r = yaml_expect(list, YAML_LIST, "a list of targets", reterr);
    if (r == 0 && list->n > FORWARD_TARGETS_MAX)
        r = err_at(reterr, FORWARD_E_CONFIG, list->line, list->column,
                   "remote_write: at most %d targets", FORWARD_TARGETS_MAX);
    if (r != 0)
        return r;
    configs->at = mem_zalloc((list->n + 1) * sizeof(*configs->at));
    for (size_t i = 0; i < list->n && r == 0; i++) {
        configs->n++;
        r = read_target(list->items[i], &configs->at[i], reterr);
        for (size_t k = 0; k < i && r == 0; k++)
            if (strcmp(configs->at[k].name, configs->at[i].name) == 0)
                r = err_at(reterr, FORWARD_E_CONFIG, list->items[i]->line, list->items[i]->column,
                           "two targets are named \"%s\"", configs->at[i].name);
    }
    return r;
}

int forward_config_parse(const char *text,
                         size_t len,
                         struct forward_configs *ret_configs,
                         struct err *reterr)
{
    struct forward_configs configs = {0};
    struct yaml *yaml = NULL;

    int r = yaml_parse(text, len, &yaml, reterr);
    if (r == 0)
        r = read_list(yaml_root(yaml), &configs, reterr);
    yaml_free(yaml);
    if (r != 0) {
        forward_configs_done(&configs);
        return r < 0 ? r : FORWARD_E_CONFIG;
    }
    *ret_configs = configs;
    return 0;
}

int forward_config_read(const char *path, struct forward_configs *ret_configs, struct err *reterr)
{
    MEM_AUTO char *text = NULL;
    size_t len = 0;

    int r = fs_read(path, FILE_BYTES_MAX, &text, &len, reterr);
    if (r != 0)
        return r;
    struct err err = {0};
    r = forward_config_parse(text, len, ret_configs, &err);
    if (r != 0)
        return err_set(reterr, r, "%s:%u:%u: %s", path, err.line, err.column, err.text);
    return 0;
}

static void target_done(struct forward_config *config)
{
    for (size_t i = 0; i < 2 * config->n_headers; i++)
        free(config->headers[i]);
    for (size_t i = 0; i < config->n_filters; i++) {
        for (size_t k = 0; k < config->filters[i].n_labels; k++)
            free(config->filters[i].labels[k]);
        free(config->filters[i].labels);
        free(config->filters[i].separator);
        matcher_done(&config->filters[i].regex);
    }
    free(config->filters);
    free(config->url);
    free(config->username);
    free(config->password);
    free(config->password_file);
    free(config->auth_type);
    free(config->credentials);
    free(config->credentials_file);
    free(config->ca_file);
}

void forward_configs_done(struct forward_configs *configs)
{
    for (size_t i = 0; i < configs->n; i++)
        target_done(&configs->at[i]);
    free(configs->at);
    *configs = (struct forward_configs){0};
}
