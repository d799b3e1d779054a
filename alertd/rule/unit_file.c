/*
 * promtool's unit test files, read. See unit_file.h.
 */

#include "alertd/rule/unit_file.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    FILE_BYTES_MAX = 512 * 1024 * 1024,
    POSITIONS_MAX = 20 * 1000 * 1000, /* samples and gaps of all series of a file */
    INTERVAL_DEFAULT_MS = 60 * 1000,
};

/* As long as promtool's durations go, int64 nanoseconds (292 years): a line's last sample is
 * then still within int64 milliseconds. */
#define LONGEST_MS (INT64_MAX / 1000000)

static int fail_at(const struct yaml_node *node, struct err *reterr, const char *words)
{
    return err_at(reterr, UNIT_E_FILE, node->line, node->column, "%s", words);
}

static int fail_memory(struct err *reterr)
{
    return err_set(reterr, UNIT_E_FILE, "the file needs too much memory");
}

/* The items of a list field; 0 items when it is absent. */
static int get_list(const struct yaml_node *map,
                    const char *key,
                    const struct yaml_node **ret_list,
                    struct err *reterr)
{
    const struct yaml_node *list = yaml_get(map, key);

    *ret_list = list;
    return list ? yaml_expect(list, YAML_LIST, "a list", reterr) : 0;
}

static int get_text(const struct yaml_node *map,
                    const char *key,
                    const char **ret_text,
                    struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);

    return node ? yaml_string(node, ret_text, reterr) : 0;
}

static int get_duration(const struct yaml_node *map,
                        const char *key,
                        int64_t *ret_ms,
                        struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = NULL;
    int r = node ? yaml_string(node, &text, reterr) : 0;

    if (r || !node)
        return r;
    if (duration_parse(text, strlen(text), ret_ms) != 0 || *ret_ms > LONGEST_MS)
        return err_at(reterr, UNIT_E_FILE, node->line, node->column,
                      "field \"%s\": not a valid duration: \"%.40s\"", key, text);
    return 0;
}

/* Makes room for n elements in the arena: NULL with words when it is spent. */
static void *array_of(struct unit_file *file, size_t n, size_t size, struct err *reterr)
{
    void *array = arena_array(&file->arena, n ? n : 1, size);

    if (!array)
        (void)fail_memory(reterr);
    return array;
}

/* A map of texts into the builder. */
static int get_pairs(const struct yaml_node *map,
                     const char *key,
                     struct labels_builder *builder,
                     struct err *reterr)
{
    const struct yaml_node *pairs = yaml_get(map, key);
    int r = pairs ? yaml_expect(pairs, YAML_MAP, "a map of names to texts", reterr) : 0;

    for (size_t i = 0; pairs && i < pairs->n && !r; i++) {
        const char *text = "";

        if (yaml_get(pairs, pairs->keys[i]->text))
            r = yaml_string(pairs->items[i], &text, reterr);
        if (!r)
            labels_builder_set(builder, pairs->keys[i]->text, text);
    }
    return r;
}

static int get_labels(const struct yaml_node *map,
                      const char *key,
                      const struct labels **ret_labels,
                      struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    int r = get_pairs(map, key, &builder, reterr);

    if (!r)
        *ret_labels = labels_builder_finish(&builder);
    return r;
}

/* What is expected of an alert: an empty text is not an absent one. */
static int get_expected(const struct yaml_node *map,
                        const char *key,
                        const char *alertname,
                        const struct labels **ret_labels,
                        struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    int r = get_pairs(map, key, &builder, reterr);

    if (r)
        return r;
    if (alertname)
        labels_builder_set(&builder, "alertname", alertname);
    *ret_labels = labels_of_texts(builder.pairs, builder.n);
    return 0;
}

/* --- Input series -------------------------------------------------------------------------- */

static int read_input(struct unit_file *file,
                      struct unit_group *group,
                      const struct yaml_node *node,
                      struct unit_input *input,
                      struct err *reterr)
{
    static const char *const known[] = {"series", "values", NULL};
    const char *series = "", *values = "", *rest = "";
    struct err err = {0};
    int r = yaml_only(node, known, reterr);

    if (!r)
        r = get_text(node, "series", &series, reterr);
    if (!r)
        r = get_text(node, "values", &values, reterr);
    if (r)
        return r;
    if (strstr(values, "{{")) {
        group->refusal = "its input has native histograms, which are not supported";
        return 0;
    }
    input->labels = series_text_labels(series, &rest, &err);
    if (!input->labels || rest[strspn(rest, " \t\r\n")])
        return err_at(reterr, UNIT_E_FILE, node->line, node->column, "invalid series \"%.80s\": %s",
                      series, input->labels ? "unexpected text behind it" : err.text);
    if (!series_text_values(values, &input->positions, &input->n, &err))
        return err_at(reterr, UNIT_E_FILE, node->line, node->column, "values of \"%.80s\": %s",
                      series, err.text);
    file->n_positions += input->n;
    if (file->n_positions > POSITIONS_MAX)
        return err_at(reterr, UNIT_E_FILE, node->line, node->column,
                      "more than %d input samples in one file: split it", (int)POSITIONS_MAX);
    return 0;
}

static int read_inputs(struct unit_file *file,
                       struct unit_group *group,
                       const struct yaml_node *node,
                       struct err *reterr)
{
    const struct yaml_node *list = NULL;
    int r = get_list(node, "input_series", &list, reterr);

    if (r || !list)
        return r;
    group->inputs = array_of(file, list->n, sizeof(*group->inputs), reterr);
    if (!group->inputs)
        return UNIT_E_FILE;
    for (size_t i = 0; i < list->n && !r; i++) {
        group->n_inputs++; /* also when it fails: what it holds is freed with the file */
        r = read_input(file, group, list->items[i], &group->inputs[i], reterr);
    }
    return r;
}

/* --- Checks -------------------------------------------------------------------------------- */

static int read_exp_alerts(struct unit_file *file,
                           struct unit_alert_test *test,
                           const struct yaml_node *node,
                           struct err *reterr)
{
    static const char *const known[] = {"exp_labels", "exp_annotations", NULL};
    const struct yaml_node *list = NULL;
    int r = get_list(node, "exp_alerts", &list, reterr);

    if (r || !list)
        return r;
    test->alerts = array_of(file, list->n, sizeof(*test->alerts), reterr);
    if (!test->alerts)
        return UNIT_E_FILE;
    for (size_t i = 0; i < list->n && !r; i++) {
        struct unit_alert *alert = &test->alerts[test->n_alerts++];

        r = yaml_only(list->items[i], known, reterr);
        if (!r)
            r = get_expected(list->items[i], "exp_labels", test->alertname, &alert->labels, reterr);
        if (!r)
            r = get_expected(list->items[i], "exp_annotations", NULL, &alert->annotations, reterr);
    }
    return r;
}

static int read_alert_test(struct unit_file *file,
                           const struct yaml_node *node,
                           struct unit_alert_test *test,
                           struct err *reterr)
{
    static const char *const known[] = {"eval_time", "alertname", "exp_alerts", NULL};
    int r = yaml_only(node, known, reterr);

    test->node = node;
    test->alertname = "";
    if (!r)
        r = get_duration(node, "eval_time", &test->eval_ms, reterr);
    if (!r)
        r = get_text(node, "alertname", &test->alertname, reterr);
    if (!r && !test->alertname[0])
        return fail_at(node, reterr, "an alert_rule_test needs an alertname");
    return r ? r : read_exp_alerts(file, test, node, reterr);
}

static int read_sample_labels(const struct yaml_node *node,
                              struct unit_sample *sample,
                              struct err *reterr)
{
    const char *text = "{}", *rest = "";
    struct err err = {0};
    int r = get_text(node, "labels", &text, reterr);

    if (r)
        return r;
    sample->labels = series_text_labels(text[0] ? text : "{}", &rest, &err);
    if (!sample->labels)
        return err_at(reterr, UNIT_E_FILE, node->line, node->column, "labels \"%.80s\": %s", text,
                      err.text);
    return 0;
}

static int read_sample(const struct yaml_node *node, struct unit_sample *sample, struct err *reterr)
{
    static const char *const known[] = {"labels", "value", "histogram", NULL};
    const struct yaml_node *value = yaml_get(node, "value");
    int r = yaml_only(node, known, reterr);

    if (!r)
        r = read_sample_labels(node, sample, reterr);
    if (r)
        return r;
    sample->is_histogram = yaml_get(node, "histogram") != NULL;
    if (!value)
        return 0;
    if (value->kind == YAML_SCALAR && value->text[0] == '.') { /* YAML's .inf and .nan */
        if (float_parse(value->text + 1, value->len - 1, &sample->value) == 0 &&
            strpbrk(value->text, "iInN"))
            return 0;
    }
    return yaml_float(value, &sample->value, reterr);
}

static int read_expr_test(struct unit_file *file,
                          const struct yaml_node *node,
                          struct unit_expr_test *test,
                          struct err *reterr)
{
    static const char *const known[] = {"expr", "eval_time", "exp_samples", NULL};
    const struct yaml_node *list = NULL;
    int r = yaml_only(node, known, reterr);

    test->node = node;
    test->text = "";
    if (!r)
        r = get_text(node, "expr", &test->text, reterr);
    if (!r)
        r = get_duration(node, "eval_time", &test->eval_ms, reterr);
    if (!r)
        r = get_list(node, "exp_samples", &list, reterr);
    if (r || !list)
        return r;
    test->samples = array_of(file, list->n, sizeof(*test->samples), reterr);
    if (!test->samples)
        return UNIT_E_FILE;
    for (size_t i = 0; i < list->n && !r; i++)
        r = read_sample(list->items[i], &test->samples[test->n_samples++], reterr);
    return r;
}

static int read_checks(struct unit_file *file,
                       struct unit_group *group,
                       const struct yaml_node *node,
                       struct err *reterr)
{
    const struct yaml_node *alerts = NULL, *exprs = NULL;
    int r = get_list(node, "alert_rule_test", &alerts, reterr);

    if (!r)
        r = get_list(node, "promql_expr_test", &exprs, reterr);
    if (r)
        return r;
    group->alert_tests = array_of(file, alerts ? alerts->n : 0, sizeof(*group->alert_tests),
                                  reterr);
    group->expr_tests = array_of(file, exprs ? exprs->n : 0, sizeof(*group->expr_tests), reterr);
    if (!group->alert_tests || !group->expr_tests)
        return UNIT_E_FILE;
    for (size_t i = 0; alerts && i < alerts->n && !r; i++)
        r = read_alert_test(file, alerts->items[i], &group->alert_tests[group->n_alert_tests++],
                            reterr);
    for (size_t i = 0; exprs && i < exprs->n && !r; i++)
        r = read_expr_test(file, exprs->items[i], &group->expr_tests[group->n_expr_tests++],
                           reterr);
    return r;
}

/* --- Groups and files ------------------------------------------------------------------------ */

/* RFC 3339, or Unix seconds. */
static int read_start(const struct yaml_node *node, int64_t *ret_ms, struct err *reterr)
{
    const struct yaml_node *start = yaml_get(node, "start_timestamp");
    const char *text = NULL;
    double seconds;
    int r = start ? yaml_string(start, &text, reterr) : 0;

    if (r || !start || clock_parse_rfc3339(text, ret_ms) == 0)
        return r;
    if (float_parse(text, strlen(text), &seconds) != 0 || !(seconds > -1e12 && seconds < 1e12))
        return fail_at(start, reterr, "start_timestamp: expected RFC 3339 or Unix seconds");
    *ret_ms = (int64_t)(seconds * 1000);
    return 0;
}

static int read_group(struct unit_file *file,
                      const struct yaml_node *node,
                      struct unit_group *group,
                      struct err *reterr)
{
    static const char *const known[] = {"name",
                                        "interval",
                                        "start_timestamp",
                                        "input_series",
                                        "external_labels",
                                        "external_url",
                                        "alert_rule_test",
                                        "promql_expr_test",
                                        NULL};
    int r = yaml_only(node, known, reterr);

    group->node = node;
    group->name = "";
    group->interval_ms = file->evaluation_interval_ms;
    if (!r)
        r = get_text(node, "name", &group->name, reterr);
    if (!r)
        r = get_duration(node, "interval", &group->interval_ms, reterr);
    if (!r && group->interval_ms <= 0)
        group->interval_ms = file->evaluation_interval_ms;
    if (!r)
        r = read_start(node, &group->start_ms, reterr);
    if (!r)
        r = get_labels(node, "external_labels", &group->external_labels, reterr);
    if (!r)
        r = get_text(node, "external_url", &group->external_url, reterr);
    if (!r)
        r = read_inputs(file, group, node, reterr);
    return r ? r : read_checks(file, group, node, reterr);
}

/* A list of texts. */
static int read_texts(struct unit_file *file,
                      const struct yaml_node *root,
                      const char *key,
                      const char ***ret_texts,
                      size_t *ret_n,
                      struct err *reterr)
{
    const struct yaml_node *list = NULL;
    int r = get_list(root, key, &list, reterr);

    if (r || !list)
        return r;
    const char **texts = array_of(file, list->n, sizeof(*texts), reterr);
    if (!texts)
        return UNIT_E_FILE;
    for (size_t i = 0; i < list->n && !r; i++)
        r = yaml_string(list->items[i], &texts[i], reterr);
    *ret_texts = texts;
    *ret_n = list->n;
    return r;
}

static int check_order(const struct unit_file *file,
                       const struct yaml_node *root,
                       struct err *reterr)
{
    for (size_t i = 1; i < file->n_group_order; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(file->group_order[i], file->group_order[k]) == 0)
                return fail_at(yaml_get(root, "group_eval_order")->items[i], reterr,
                               "group name repeated in group_eval_order");
    return 0;
}

static int read_file(struct unit_file *file, struct err *reterr)
{
    static const char *const known[] = {
        "rule_files", "evaluation_interval", "group_eval_order", "fuzzy_compare", "tests", NULL};
    const struct yaml_node *root = yaml_root(file->yaml), *tests = NULL;
    int r = yaml_only(root, known, reterr);

    file->evaluation_interval_ms = INTERVAL_DEFAULT_MS;
    if (!r)
        r = read_texts(file, root, "rule_files", &file->rule_files, &file->n_rule_files, reterr);
    if (!r)
        r = get_duration(root, "evaluation_interval", &file->evaluation_interval_ms, reterr);
    if (!r && file->evaluation_interval_ms <= 0)
        file->evaluation_interval_ms = INTERVAL_DEFAULT_MS;
    if (!r)
        r = read_texts(file, root, "group_eval_order", &file->group_order, &file->n_group_order,
                       reterr);
    if (!r)
        r = check_order(file, root, reterr);
    if (!r && yaml_get(root, "fuzzy_compare"))
        r = yaml_bool(yaml_get(root, "fuzzy_compare"), &file->fuzzy, reterr);
    if (!r)
        r = get_list(root, "tests", &tests, reterr);
    if (r || !tests)
        return r;
    file->groups = array_of(file, tests->n, sizeof(*file->groups), reterr);
    for (size_t i = 0; file->groups && i < tests->n && !r; i++)
        r = read_group(file, tests->items[i], &file->groups[file->n_groups++], reterr);
    return file->groups ? r : UNIT_E_FILE;
}

int unit_file_parse(const char *text, size_t len, struct unit_file **ret_file, struct err *reterr)
{
    struct unit_file *file = mem_zalloc(sizeof(*file));

    arena_init(&file->arena, FILE_BYTES_MAX);
    int r = yaml_parse_foreign(text, len, &file->yaml, reterr);
    if (!r)
        r = read_file(file, reterr);
    if (r) {
        unit_file_free(file);
        return UNIT_E_FILE;
    }
    *ret_file = file;
    return 0;
}

static void free_group(struct unit_group *group)
{
    for (size_t i = 0; i < group->n_inputs; i++) {
        labels_unref(group->inputs[i].labels);
        free(group->inputs[i].positions);
    }
    for (size_t i = 0; i < group->n_alert_tests; i++)
        for (size_t k = 0; k < group->alert_tests[i].n_alerts; k++) {
            labels_unref(group->alert_tests[i].alerts[k].labels);
            labels_unref(group->alert_tests[i].alerts[k].annotations);
        }
    for (size_t i = 0; i < group->n_expr_tests; i++)
        for (size_t k = 0; k < group->expr_tests[i].n_samples; k++)
            labels_unref(group->expr_tests[i].samples[k].labels);
    labels_unref(group->external_labels);
}

void unit_file_free(struct unit_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->n_groups; i++)
        free_group(&file->groups[i]);
    yaml_free(file->yaml);
    arena_reset(&file->arena);
    free(file);
}
