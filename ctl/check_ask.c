/*
 * The questions of lint with data, put to a server that speaks Prometheus' API. Each is asked
 * once; what the server doesn't know (older ones, ours) stays unknown. See check.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/check.h"
#include "ctl/client.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"
#include "lib/yaml/yaml.h"

enum {
    PATH_MAX_BYTES = 256 * 1024,
    FANOUT_MAX = 100,
};

struct answer {
    char *question;
    int r;
    bool found;
    double number;
    char *type; /* of a metric */
    int64_t cost_ms, n_samples;
};

static struct answer *find_answer(struct asker *asker, const char *kind, const char *text)
{
    size_t kind_len = strlen(kind);

    for (size_t i = 0; i < asker->n; i++)
        if (strncmp(asker->answers[i].question, kind, kind_len) == 0 &&
            strcmp(asker->answers[i].question + kind_len, text) == 0)
            return &asker->answers[i];
    return NULL;
}

static struct answer *new_answer(struct asker *asker, const char *kind, const char *text)
{
    STR_AUTO struct str question = STR_INIT(PATH_MAX_BYTES);

    str_addf(&question, "%s%s", kind, text);
    asker->answers = mem_grow(asker->answers, &asker->capacity, asker->n + 1,
                              sizeof(*asker->answers));
    asker->answers[asker->n] = (struct answer){.question = str_take(&question), .r = -1};
    return &asker->answers[asker->n++];
}

/* The "data" of GET path; NULL without one. json_free(*ret_root). */
static const struct json *get_data(struct asker *asker,
                                   const char *path,
                                   bool quiet,
                                   struct json **ret_root)
{
    const struct json *data = NULL;
    char *body = NULL;

    *ret_root = NULL;
    if (call_text(asker->ctl, &(struct call){.method = "GET", .path = path, .quiet = quiet},
                  &body) == CTL_OK &&
        json_parse_upto(body, strlen(body), CALL_REPLY_MAX, ret_root, NULL) == 0 &&
        json_is_object(*ret_root)) {
        (void)json_get_object(*ret_root, "data", &data, NULL);
        missing_take(asker->told, json_get(*ret_root, "warnings"));
    }
    free(body);
    return data;
}

/* The number of {"resultType": "vector", "result": [{"value": [t, "1"]}]}, or of a scalar. */
static int read_number(const struct json *data, bool *ret_found, double *ret_number)
{
    const struct json *result = NULL, *value = NULL;
    const char *type = "", *text;

    *ret_found = false;
    if (!data || json_get_string(data, "resultType", &type, NULL) != 0 ||
        json_get_array(data, "result", &result, NULL) != 0)
        return -1;
    if (strcmp(type, "scalar") == 0)
        value = result;
    else if (json_length(result) > 0)
        (void)json_get_array(json_at(result, 0), "value", &value, NULL);
    if (!value)
        return 0;
    text = json_text(json_at(value, 1));
    if (!text)
        return -1;
    *ret_number = strtod(text, NULL);
    *ret_found = true;
    return 0;
}

static int ask_number(void *arg, const char *query, bool *ret_found, double *ret_number)
{
    struct asker *asker = arg;
    struct answer *answer = find_answer(asker, "number ", query);

    if (!answer) {
        STR_AUTO struct str path = STR_INIT(PATH_MAX_BYTES);
        struct json *root = NULL;

        answer = new_answer(asker, "number ", query);
        str_add(&path, "/api/v1/query?query=");
        add_encoded(&path, query);
        answer->r = read_number(get_data(asker, str_text(&path), true, &root), &answer->found,
                                &answer->number);
        asker->n_unanswered += answer->r != 0;
        json_free(root);
    }
    *ret_found = answer->found;
    *ret_number = answer->number;
    return answer->r;
}

static int ask_type(void *arg, const char *metric, const char **ret_type)
{
    struct asker *asker = arg;
    struct answer *answer = find_answer(asker, "type ", metric);

    if (!answer) {
        STR_AUTO struct str path = STR_INIT(PATH_MAX_BYTES);
        const struct json *list = NULL;
        const char *type = "";
        struct json *root = NULL;

        answer = new_answer(asker, "type ", metric);
        str_add(&path, "/api/v1/metadata?limit=1&metric=");
        add_encoded(&path, metric);
        const struct json *data = get_data(asker, str_text(&path), true, &root);
        if (data && json_get_array(data, metric, &list, NULL) == 0 && json_length(list) > 0)
            (void)json_get_string(json_at(list, 0), "type", &type, NULL);
        answer->r = 0;
        answer->type = mem_strdup(type);
        json_free(root);
    }
    *ret_type = answer->type;
    return answer->r;
}

/* Milliseconds and samples from {"stats": {"timings": {...}, "samples": {...}}}, where given. */
static void read_stats(const struct json *data, int64_t *ret_ms, int64_t *ret_samples)
{
    const struct json *stats = NULL, *timings = NULL, *samples = NULL;
    double seconds = 0;

    if (!data || !json_has(data, "stats") || json_get_object(data, "stats", &stats, NULL) != 0)
        return;
    if (json_get_object(stats, "timings", &timings, NULL) == 0 &&
        json_get_float(timings, "evalTotalTime", &seconds, NULL) == 0)
        *ret_ms = (int64_t)(seconds * 1000);
    if (json_get_object(stats, "samples", &samples, NULL) == 0)
        (void)json_get_int(samples, "totalQueryableSamples", ret_samples, NULL);
}

static int ask_cost(void *arg, const char *query, int64_t *ret_ms, int64_t *ret_samples)
{
    struct asker *asker = arg;
    struct answer *answer = find_answer(asker, "cost ", query);

    if (!answer) {
        STR_AUTO struct str path = STR_INIT(PATH_MAX_BYTES);
        struct json *root = NULL;
        int64_t before_ms = clock_mono_ms();

        answer = new_answer(asker, "cost ", query);
        str_add(&path, "/api/v1/query?stats=all&query=");
        add_encoded(&path, query);
        const struct json *data = get_data(asker, str_text(&path), true, &root);
        answer->cost_ms = clock_mono_ms() - before_ms;
        read_stats(data, &answer->cost_ms, &answer->n_samples);
        answer->r = data ? 0 : -1;
        asker->n_unanswered += answer->r != 0;
        json_free(root);
    }
    *ret_ms = answer->cost_ms;
    *ret_samples = answer->n_samples;
    return answer->r;
}

/* --- What the server says of itself ------------------------------------------------------------ */

/* "15d", "15d or 10GiB" */
static int64_t ask_retention_ms(struct asker *asker)
{
    const char *text = "";
    struct json *root = NULL;
    int64_t retention_ms = 0;
    const struct json *data = get_data(asker, "/api/v1/status/runtimeinfo", true, &root);

    if (data && json_get_string(data, "storageRetention", &text, NULL) == 0 &&
        duration_parse(text, strcspn(text, " "), &retention_ms) != 0)
        retention_ms = 0;
    json_free(root);
    return retention_ms;
}

static const struct labels *read_external_labels(const char *config)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct labels *labels = NULL;
    struct yaml *yaml = NULL;

    if (yaml_parse_foreign(config, strlen(config), &yaml, NULL) != 0)
        return NULL;
    const struct yaml_node *root = yaml_root(yaml);
    const struct yaml_node *global = root->kind == YAML_MAP ? yaml_get(root, "global") : NULL;
    const struct yaml_node *map = global && global->kind == YAML_MAP
                                      ? yaml_get(global, "external_labels")
                                      : NULL;
    for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
        if (map->items[i]->kind == YAML_SCALAR)
            labels_builder_set(&builder, map->keys[i]->text, map->items[i]->text);
    labels = labels_builder_finish(&builder);
    yaml_free(yaml);
    return labels;
}

static const struct labels *ask_external_labels(struct asker *asker)
{
    const struct labels *labels = NULL;
    const char *config = "";
    struct json *root = NULL;
    const struct json *data = get_data(asker, "/api/v1/status/config", true, &root);

    if (data && json_get_string(data, "yaml", &config, NULL) == 0)
        labels = read_external_labels(config);
    json_free(root);
    return labels;
}

enum ctl_exit asker_init(struct asker *asker, const struct ctl *ctl, int64_t window_ms)
{
    struct json *root = NULL;

    *asker = (struct asker){.ctl = ctl, .told = told_new()};
    bool answers = get_data(asker, "/api/v1/query?query=1", false, &root) != NULL;
    json_free(root);
    if (!answers)
        return ctl_fail(ctl, "%s can't be asked: the checks with data need it", ctl->url);
    asker->external_labels = ask_external_labels(asker);
    asker->data = (struct rule_data){
        .number = ask_number,
        .metric_type = ask_type,
        .cost = ask_cost,
        .arg = asker,
        .window_ms = window_ms,
        .retention_ms = ask_retention_ms(asker),
        .fanout_max = FANOUT_MAX,
        .external_labels = asker->external_labels,
    };
    return CTL_OK;
}

void asker_done(struct asker *asker)
{
    for (size_t i = 0; i < asker->n; i++) {
        free(asker->answers[i].question);
        free(asker->answers[i].type);
    }
    free(asker->answers);
    labels_unref(asker->external_labels);
    told_free(asker->told);
    *asker = (struct asker){0};
}
