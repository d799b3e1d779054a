/*
 * alertctl query: PromQL, at an instant or over a range.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/explain.h"
#include "ctl/table.h"
#include "lib/base/clock.h"
#include "lib/model/labels.h"

enum {
    SERIES_TEXT_MAX = 16 * 1024
};

static void add_parameter(struct str *path, const char *name, const char *value)
{
    if (!value)
        return;
    str_addf(path, "&%s=", name);
    add_encoded(path, value);
}

/* The label object of a result as Prometheus prints a series. */
static void print_series(const struct json *metric, struct str *out)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const char *name;
    const struct json *value;

    for (size_t i = 0; json_member(metric, i, &name, &value); i++)
        labels_builder_set(&builder, name, json_text(value) ? json_text(value) : "");

    const struct labels *labels = labels_builder_finish(&builder);
    str_cut(out, 0);
    labels_print(labels, out);
    labels_unref(labels);
}

/* [1700000000.123, "0.5"]: the value's text. */
static const char *value_of(const struct json *point)
{
    return json_length(point) == 2 ? json_text(json_at(point, 1)) : NULL;
}

static void print_vector(const struct json *result)
{
    STR_AUTO struct str series = STR_INIT(SERIES_TEXT_MAX);
    struct table table = TABLE("VALUE", "SERIES");

    for (size_t i = 0; i < json_length(result); i++) {
        const struct json *metric = NULL;
        const struct json *point = NULL;

        (void)json_get_object(json_at(result, i), "metric", &metric, NULL);
        (void)json_get_array(json_at(result, i), "value", &point, NULL);
        if (!metric || !point)
            continue;
        print_series(metric, &series);
        TABLE_ROW(&table, value_of(point), str_text(&series));
    }
    table_print(&table);
}

static void print_matrix(const struct json *result)
{
    STR_AUTO struct str series = STR_INIT(SERIES_TEXT_MAX);

    for (size_t i = 0; i < json_length(result); i++) {
        const struct json *metric = NULL;
        const struct json *points = NULL;

        (void)json_get_object(json_at(result, i), "metric", &metric, NULL);
        (void)json_get_array(json_at(result, i), "values", &points, NULL);
        if (!metric || !points)
            continue;
        print_series(metric, &series);
        (void)printf("%s%s\n", i ? "\n" : "", str_text(&series));
        for (size_t at = 0; at < json_length(points); at++) {
            const struct json *point = json_at(points, at);
            char when[CLOCK_TEXT_MAX];
            double seconds = 0;

            if (json_number(json_at(point, 0), &seconds) == 0)
                (void)printf("  %s  %s\n", clock_rfc3339((int64_t)(seconds * 1000 + 0.5), when),
                             value_of(point));
        }
    }
}

static void print_notes(const struct json *root, const char *key)
{
    const struct json *notes = NULL;

    if (!json_has(root, key) || json_get_array(root, key, &notes, NULL) != 0)
        return;
    for (size_t i = 0; i < json_length(notes); i++)
        (void)fprintf(stderr, "note: %s\n", json_text(json_at(notes, i)));
}

static enum ctl_exit print_result(const struct ctl *ctl, const struct json *root)
{
    const struct json *data = NULL;
    const struct json *result = NULL;
    const char *type = "";

    if (json_get_object(root, "data", &data, NULL) != 0 ||
        json_get_string(data, "resultType", &type, NULL) != 0 ||
        json_get_array(data, "result", &result, NULL) != 0)
        return ctl_fail(ctl, "the answer has another shape than Prometheus'");
    if (strcmp(type, "vector") == 0 && json_length(result) == 0)
        (void)puts("Nothing matches now.");
    else if (strcmp(type, "vector") == 0)
        print_vector(result);
    else if (strcmp(type, "matrix") == 0)
        print_matrix(result);
    else
        (void)printf("%s\n", value_of(result)); /* scalar or string */
    return CTL_OK;
}

enum ctl_exit cmd_query(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(256 * 1024);
    const char *start = ctl_option(ctl, "start");
    const char *step = ctl_option(ctl, "step");
    const char *end = ctl_option(ctl, "end");
    bool explain = ctl_option(ctl, "explain") != NULL;
    struct json *root;
    char now[CLOCK_TEXT_MAX];

    if (!start && (step || end))
        return ctl_fail(ctl, "--step and --end belong to a range: give --start too");
    str_addf(&path, "/api/%s?query=",
             explain ? "alertd/v1/explain"
             : start ? "v1/query_range"
                     : "v1/query");
    add_encoded(&path, ctl->arguments[0]);
    add_parameter(&path, "time", ctl_option(ctl, "time"));
    if (start) {
        add_parameter(&path, "start", start);
        add_parameter(&path, "end", end ? end : clock_rfc3339(clock_wall_ms(), now));
        add_parameter(&path, "step", step ? step : "60s");
    }

    enum ctl_exit r = call_json(
        ctl,
        &(struct call){.method = "GET", .path = str_text(&path), .expression = ctl->arguments[0]},
        &root);
    if (r == CTL_OK && root && explain)
        r = print_explain(ctl, root);
    else if (r == CTL_OK && root)
        r = print_result(ctl, root);
    if (r == CTL_OK && root) {
        print_notes(root, "warnings");
        print_notes(root, "infos");
    }
    json_free(root);
    return r;
}
