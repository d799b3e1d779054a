#pragma once

/*
 * Unit tests of rules, in promtool's format.
 *
 *     rule_files: [alerts.yml]
 *     evaluation_interval: 1m
 *     tests:
 *     - interval: 1m
 *       input_series: [{series: 'up{job="a"}', values: '1x5 0x10'}]
 *       alert_rule_test:
 *       - {eval_time: 10m, alertname: Down, exp_alerts: [{exp_labels: {job: a}}]}
 *       promql_expr_test:
 *       - {expr: sum(up), eval_time: 3m, exp_samples: [{labels: '{}', value: 1}]}
 *
 * This is the file alone; eval/unit_run.h runs it. Strict: an unknown field is an error
 * with its place. Everything lives in the file's arena.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/promql.h"
#include "alertd/promql/series_text.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/yaml/yaml.h"

enum {
    UNIT_E_FILE = 1
};

struct unit_input {
    const struct labels *labels; /* counted */
    struct series_position *positions;
    size_t n;
};

struct unit_alert {
    const struct labels *labels; /* with alertname */
    const struct labels *annotations;
};

struct unit_alert_test {
    int64_t eval_ms; /* since the start */
    const char *alertname;
    struct unit_alert *alerts;
    size_t n_alerts;
    const struct yaml_node *node;
};

struct unit_sample {
    const struct labels *labels;
    double value;
    bool is_histogram; /* expected to be a native histogram, which there are none here */
};

struct unit_expr_test {
    int64_t eval_ms;
    const char *text;
    struct unit_sample *samples;
    size_t n_samples;
    const struct yaml_node *node;
};

struct unit_group {
    const char *name; /* "" when it has none */
    int64_t interval_ms;
    int64_t start_ms;
    struct unit_input *inputs;
    size_t n_inputs;
    const struct labels *external_labels;
    const char *external_url; /* NULL: none */
    struct unit_alert_test *alert_tests;
    size_t n_alert_tests;
    struct unit_expr_test *expr_tests;
    size_t n_expr_tests;
    const char *refusal; /* why it can't be run here: native histograms; NULL: it can */
    const struct yaml_node *node;
};

struct unit_file {
    const char **rule_files; /* as written: globs, relative to the test file */
    size_t n_rule_files;
    int64_t evaluation_interval_ms;
    const char **group_order;
    size_t n_group_order;
    bool fuzzy; /* one unit in the last place may differ */
    struct unit_group *groups;
    size_t n_groups;
    size_t n_positions; /* of all inputs */
    struct yaml *yaml;
    struct arena arena;
};

/* 0, or UNIT_E_FILE with place and words. unit_file_free(). */
int unit_file_parse(const char *text, size_t len, struct unit_file **ret_file, struct err *reterr);
void unit_file_free(struct unit_file *file); /* NULL is fine */
