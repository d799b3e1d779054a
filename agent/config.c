/*
 * The agent's configuration. See config.h.
 */

#include "agent/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"
#include "lib/net/url.h"

enum {
    DAY_MS = 24 * 3600 * 1000,
    LABELS_MAX = 32,
};

static int wrong(const struct yaml_node *node,
                 struct err *reterr,
                 const char *field,
                 const char *expected)
{
    return err_at(reterr, YAML_E_TYPE, node->line, node->column,
                  "field \"%s\": expected %s, got \"%.100s\"", field, expected,
                  node->kind == YAML_SCALAR ? node->text : "a list or map");
}

/* A string copied to the heap; absent leaves *text as it is. */
static int read_text(const struct yaml_node *map, const char *key, char **text, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *found;
    int r = node ? yaml_string(node, &found, reterr) : 0;

    if (node && r == 0) {
        free(*text);
        *text = mem_strdup(found);
    }
    return r;
}

static int read_duration(const struct yaml_node *map,
                         const char *key,
                         int64_t least_ms,
                         int64_t *duration_ms,
                         struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text;
    int64_t value_ms;
    int r = node ? yaml_string(node, &text, reterr) : 0;

    if (!node || r)
        return r;
    if (duration_parse(text, strlen(text), &value_ms) < 0)
        return wrong(node, reterr, key, "a duration such as 10s or 1m30s");
    if (value_ms < least_ms || value_ms > 30LL * DAY_MS)
        return err_at(reterr, YAML_E_TYPE, node->line, node->column,
                      "field \"%s\": expected from %lldms to 30d, got \"%s\"", key,
                      (long long)least_ms, text);
    *duration_ms = value_ms;
    return 0;
}

/* "64MiB", "100MB", "1048576": binary prefixes mean 1024, decimal ones 1000. */
static int read_size(const struct yaml_node *map,
                     const char *key,
                     uint64_t *bytes,
                     struct err *reterr)
{
    static const struct {
        const char *unit;
        uint64_t scale;
    } units[] = {{"", 1},          {"B", 1},           {"kB", 1000},
                 {"MB", 1000000},  {"GB", 1000000000}, {"KiB", 1 << 10},
                 {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    const struct yaml_node *node = yaml_get(map, key);
    const char *text;
    char *end;
    int r = node ? yaml_string(node, &text, reterr) : 0;

    if (!node || r)
        return r;

    unsigned long long value = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;

    for (size_t i = 0; value && value < 1000000000 && i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(end + strspn(end, " "), units[i].unit) == 0) {
            *bytes = value * units[i].scale;
            return 0;
        }
    return wrong(node, reterr, key, "a size such as 64MiB");
}

static int read_headers(const struct yaml_node *map, struct push_config *push, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "headers");
    int r = node ? yaml_expect(node, YAML_MAP, "headers", reterr) : 0;

    if (!node || r)
        return r;
    if (node->n > CONFIG_HEADERS_MAX)
        return err_at(reterr, YAML_E_TYPE, node->line, node->column,
                      "field \"headers\": more than %d", CONFIG_HEADERS_MAX);
    for (size_t i = 0; i < node->n; i++) {
        const char *value;

        r = yaml_string(node->items[i], &value, reterr);
        if (r)
            return r;
        char **texts = &push->header_texts[2 * push->n_headers];

        texts[0] = mem_strdup(node->keys[i]->text);
        texts[1] = mem_strdup(value);
        push->headers[push->n_headers++] = (struct http_header){texts[0], texts[1]};
    }
    return 0;
}

static int read_push_url(const struct yaml_node *map, struct push_config *push, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "url");
    struct url url;
    struct err why = {0};
    int r = read_text(map, "url", &push->url, reterr);

    if (r)
        return r;
    if (!node)
        return err_at(reterr, YAML_E_TYPE, map->line, map->column,
                      "field \"push\": needs `url`, such as http://127.0.0.1:9797/api/v1/write");
    if (url_parse(push->url, &url, &why))
        return err_at(reterr, YAML_E_TYPE, node->line, node->column, "field \"url\": %s", why.text);
    return 0;
}

static int read_push(const struct yaml_node *root, struct push_config *push, struct err *reterr)
{
    static const char *const keys[] = {"url",     "token",    "token_file", "ca_file",
                                       "headers", "interval", "timeout",    NULL};
    const struct yaml_node *map = yaml_get(root, "push");
    int r;

    push->interval_ms = 5000;
    push->timeout_ms = 10000;
    if (!map)
        return err_at(reterr, YAML_E_TYPE, root->line, root->column, "field \"push\" is missing");
    r = yaml_expect(map, YAML_MAP, "push", reterr);
    if (r == 0)
        r = yaml_only(map, keys, reterr);
    if (r == 0)
        r = read_push_url(map, push, reterr);
    if (r == 0)
        r = read_text(map, "token", &push->token, reterr);
    if (r == 0)
        r = read_text(map, "token_file", &push->token_file, reterr);
    if (r == 0)
        r = read_text(map, "ca_file", &push->ca_file, reterr);
    if (r == 0)
        r = read_headers(map, push, reterr);
    if (r == 0)
        r = read_duration(map, "interval", 100, &push->interval_ms, reterr);
    if (r == 0)
        r = read_duration(map, "timeout", 100, &push->timeout_ms, reterr);
    if (r == 0 && push->token && push->token_file)
        return err_at(reterr, YAML_E_TYPE, map->line, map->column,
                      "field \"push\": either token or token_file, not both");
    return r;
}

static int read_spool(const struct yaml_node *root, struct agent_config *config, struct err *reterr)
{
    static const char *const keys[] = {"path", "size", "age", NULL};
    const struct yaml_node *map = yaml_get(root, "spool");
    int r = 0;

    config->spool_path = mem_strdup("/var/lib/alert-agent/spool");
    config->spool_bytes = 64ULL << 20;
    config->spool_age_ms = DAY_MS;
    if (!map)
        return 0;
    r = yaml_expect(map, YAML_MAP, "spool", reterr);
    if (r == 0)
        r = yaml_only(map, keys, reterr);
    if (r == 0)
        r = read_text(map, "path", &config->spool_path, reterr);
    if (r == 0)
        r = read_size(map, "size", &config->spool_bytes, reterr);
    if (r == 0)
        r = read_duration(map, "age", 1000, &config->spool_age_ms, reterr);
    if (r == 0 && config->spool_bytes < (1 << 18))
        return wrong(yaml_get(map, "size"), reterr, "size", "at least 256KiB");
    return r;
}

/* The pairs of a `labels` map into the builder; strings are loans of the YAML tree. */
static int read_labels(const struct yaml_node *map,
                       struct labels_builder *builder,
                       struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "labels");
    int r = node ? yaml_expect(node, YAML_MAP, "labels", reterr) : 0;

    if (!node || r)
        return r;
    if (node->n > LABELS_MAX)
        return err_at(reterr, YAML_E_TYPE, node->line, node->column,
                      "field \"labels\": more than %d", LABELS_MAX);
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_node *key = node->keys[i];
        const char *value;

        r = yaml_string(node->items[i], &value, reterr);
        if (r)
            return r;
        if (!labels_name_is_classic(key->text) || strchr(key->text, ':') ||
            strncmp(key->text, "__", 2) == 0)
            return err_at(reterr, YAML_E_TYPE, key->line, key->column,
                          "\"%.100s\" is no label name: letters, digits and _, not __ in front",
                          key->text);
        labels_builder_set(builder, key->text, value);
    }
    return 0;
}

static int read_id(const struct yaml_node *root,
                   const char *hostname,
                   struct agent_config *config,
                   struct err *reterr)
{
    const struct yaml_node *node = yaml_get(root, "agent");
    size_t len;
    int r;

    config->id = mem_strdup(hostname);
    r = read_text(root, "agent", &config->id, reterr);
    if (r)
        return r;
    len = strlen(config->id);
    if (len == 0 || len > CONFIG_ID_MAX ||
        strspn(config->id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
            len)
        return err_at(reterr, YAML_E_TYPE, node ? node->line : root->line,
                      node ? node->column : root->column,
                      "field \"agent\": expected 1 to 64 of letters, digits, '.', '_' and '-', got "
                      "\"%.100s\"",
                      config->id);
    return 0;
}

/* What all probes inherit. */
struct defaults {
    const struct yaml_node *root;
    const char *id;
    const char *instance;
};

static int make_labels(const struct yaml_node *map,
                       const struct defaults *defaults,
                       struct probe_config *probe,
                       struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct yaml_node *module = yaml_get(map, "module");
    const char *module_text = "";
    int r = module ? yaml_string(module, &module_text, reterr) : 0;

    labels_builder_set(&builder, "job", probe->kind->job);
    labels_builder_set(&builder, "instance", probe->target ? probe->target : defaults->instance);
    if (r == 0)
        r = read_labels(defaults->root, &builder, reterr);
    if (r == 0)
        r = read_labels(map, &builder, reterr);
    if (r)
        return r;
    probe->labels = labels_builder_finish(&builder);
    labels_builder_set(&builder, "agent", defaults->id);
    labels_builder_set(&builder, "probe", probe->name);
    labels_builder_set(&builder, "module", module_text);
    probe->marked_labels = labels_builder_finish(&builder);
    return 0;
}

/* Only the keys that every probe has and those of its kind. */
static int check_keys(const struct yaml_node *map,
                      const struct probe_kind *kind,
                      struct err *reterr)
{
    const char *known[32] = {"name", "kind", "interval", "timeout", "labels", "module", NULL};
    size_t n = 6;

    if (kind->target_key)
        known[n++] = kind->target_key;
    for (size_t i = 0; kind->keys[i]; i++)
        known[n++] = kind->keys[i];
    known[n] = NULL;
    return yaml_only(map, known, reterr);
}

static int read_kind(const struct yaml_node *map, struct probe_config *probe, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "kind");
    const char *text;
    int r;

    if (!node)
        return err_at(reterr, YAML_E_TYPE, map->line, map->column, "the probe has no `kind`");
    r = yaml_string(node, &text, reterr);
    if (r)
        return r;
    probe->kind = probe_kind_find(text);
    if (!probe->kind)
        return wrong(node, reterr, "kind", "host, http, tcp or exec");
    return 0;
}

static int read_times(const struct yaml_node *map, struct probe_config *probe, struct err *reterr)
{
    int r;

    probe->interval_ms = 10000;
    r = read_duration(map, "interval", 100, &probe->interval_ms, reterr);
    if (r)
        return r;
    probe->timeout_ms = probe->interval_ms < 5000 ? probe->interval_ms : 5000;
    r = read_duration(map, "timeout", 10, &probe->timeout_ms, reterr);
    if (r == 0 && probe->timeout_ms > probe->interval_ms)
        return err_at(reterr, YAML_E_TYPE, map->line, map->column,
                      "the probe's timeout is longer than its interval");
    return r;
}

static int read_probe(const struct yaml_node *map,
                      const struct defaults *defaults,
                      struct probe_config *probe,
                      struct err *reterr)
{
    int r = yaml_expect(map, YAML_MAP, "probes", reterr);

    if (r == 0)
        r = read_kind(map, probe, reterr);
    if (r == 0)
        r = check_keys(map, probe->kind, reterr);
    if (r == 0)
        r = read_text(map, "name", &probe->name, reterr);
    if (r)
        return r;
    if (!probe->name)
        return err_at(reterr, YAML_E_TYPE, map->line, map->column, "the probe has no `name`");
    if (probe->kind->target_key && !yaml_get(map, probe->kind->target_key))
        return err_at(reterr, YAML_E_TYPE, map->line, map->column, "the probe has no `%s`",
                      probe->kind->target_key);
    if (probe->kind->target_key)
        r = read_text(map, probe->kind->target_key, &probe->target, reterr);
    if (r == 0)
        r = read_times(map, probe, reterr);
    if (r == 0)
        r = probe->kind->configure(map, &probe->state, reterr);
    return r ? r : make_labels(map, defaults, probe, reterr);
}

static int check_unique(const struct agent_config *config,
                        const struct yaml_node *map,
                        struct err *reterr)
{
    const char *last = config->probes[config->n_probes - 1].name;

    for (size_t i = 0; i + 1 < config->n_probes; i++)
        if (strcmp(config->probes[i].name, last) == 0)
            return err_at(reterr, YAML_E_TYPE, map->line, map->column,
                          "a second probe with the name \"%.100s\"", last);
    return 0;
}

static int read_probes(const struct defaults *defaults,
                       struct agent_config *config,
                       struct err *reterr)
{
    const struct yaml_node *list = yaml_get(defaults->root, "probes");
    int r = list ? yaml_expect(list, YAML_LIST, "probes", reterr) : 0;

    if (!list || r)
        return r;
    if (list->n > CONFIG_PROBES_MAX)
        return err_at(reterr, YAML_E_TYPE, list->line, list->column,
                      "field \"probes\": more than %d", CONFIG_PROBES_MAX);
    config->probes = mem_zalloc(list->n * sizeof(*config->probes));
    for (size_t i = 0; i < list->n && r == 0; i++) {
        config->n_probes++;
        r = read_probe(list->items[i], defaults, &config->probes[i], reterr);
        if (r == 0)
            r = check_unique(config, list->items[i], reterr);
    }
    return r;
}

static int make_self_labels(const struct defaults *defaults,
                            struct agent_config *config,
                            struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    int r;

    labels_builder_set(&builder, "job", "alert-agent");
    labels_builder_set(&builder, "instance", defaults->instance);
    labels_builder_set(&builder, "agent", config->id);
    r = read_labels(defaults->root, &builder, reterr);
    if (r == 0)
        config->self_labels = labels_builder_finish(&builder);
    return r;
}

static int read_root(const struct yaml_node *root,
                     const char *hostname,
                     struct agent_config *config,
                     struct err *reterr)
{
    static const char *const keys[] = {"agent", "instance", "labels", "push",
                                       "spool", "probes",   NULL};
    const struct yaml_node *instance = yaml_get(root, "instance");
    struct defaults defaults = {.root = root};
    int r = yaml_expect(root, YAML_MAP, "the config", reterr);

    if (r == 0)
        r = yaml_only(root, keys, reterr);
    if (r == 0)
        r = read_id(root, hostname, config, reterr);
    defaults.id = defaults.instance = config->id;
    if (r == 0 && instance)
        r = yaml_string(instance, &defaults.instance, reterr);
    if (r == 0)
        r = read_push(root, &config->push, reterr);
    if (r == 0)
        r = read_spool(root, config, reterr);
    if (r == 0)
        r = make_self_labels(&defaults, config, reterr);
    return r ? r : read_probes(&defaults, config, reterr);
}

int config_parse(const char *text,
                 size_t len,
                 const char *hostname,
                 struct agent_config **ret_config,
                 struct err *reterr)
{
    struct agent_config *config;
    struct yaml *yaml;
    int r = yaml_parse(text, len, &yaml, reterr);

    if (r)
        return r;
    config = mem_zalloc(sizeof(*config));
    config->refs = 1;
    r = read_root(yaml_root(yaml), hostname, config, reterr);
    yaml_free(yaml);
    if (r) {
        config_unref(config);
        return r;
    }
    *ret_config = config;
    return 0;
}

int config_read(const char *path,
                const char *hostname,
                struct agent_config **ret_config,
                struct err *reterr)
{
    struct err why = {0};
    char *text;
    size_t len;
    int r = fs_read(path, CONFIG_BYTES_MAX, &text, &len, reterr);

    if (r)
        return r;
    r = config_parse(text, len, hostname, ret_config, &why);
    free(text);
    if (r)
        (void)err_at(reterr, r, why.line, why.column, "%s:%u:%u: %s", path, why.line, why.column,
                     why.text);
    return r;
}

static void push_config_done(struct push_config *push)
{
    for (size_t i = 0; i < 2 * push->n_headers; i++)
        free(push->header_texts[i]);
    free(push->url);
    free(push->token);
    free(push->token_file);
    free(push->ca_file);
}

const struct labels *config_labels_of(const struct probe_config *probe)
{
    return probe->kind == &probe_host ? probe->labels : probe->marked_labels;
}

struct agent_config *config_ref(struct agent_config *config)
{
    __atomic_add_fetch(&config->refs, 1, __ATOMIC_RELAXED);
    return config;
}

void config_unref(struct agent_config *config)
{
    if (!config || __atomic_sub_fetch(&config->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < config->n_probes; i++) {
        struct probe_config *probe = &config->probes[i];

        if (probe->state)
            probe->kind->done(probe->state);
        free(probe->name);
        free(probe->target);
        labels_unref(probe->labels);
        labels_unref(probe->marked_labels);
    }
    push_config_done(&config->push);
    labels_unref(config->self_labels);
    free(config->probes);
    free(config->id);
    free(config->spool_path);
    free(config);
}
