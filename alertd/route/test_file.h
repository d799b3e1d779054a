#pragma once

/*
 * Tests of a config file: which receivers alerts reach, and who is told what over time.
 *
 *     config: alertd.yml
 *     routes:
 *     - {labels: {alertname: Down, team: db}, receivers: [db]}
 *     histories:
 *     - name: a silence ends
 *       until: 1h
 *       alerts:        [{name: a, labels: {alertname: Down}, at: 0s, until: 40m}]
 *       silences:      [{matchers: [alertname=Down], from: 0s, until: 10m}]
 *       notifications: [{at: 15m, receiver: db, firing: [a]}]
 *       muted:         [{at: 1m, alert: a, by: ["silence 1"]}]
 *
 * Times of a history are durations since its start. Pure; docs/route-tests.md has every key.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/route/silence.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

enum {
    ROUTE_TEST_E_FILE = 1, /* reterr has line, column and what to do */

    ROUTE_TESTS_MAX = 10000,        /* in one file */
    ROUTE_TEST_ITEMS_MAX = 10000,   /* alerts, silences ... of one history */
    ROUTE_TEST_NAMES_MAX = 10000,   /* of one list */
    ROUTE_TEST_STEPS_MAX = 1000000, /* flushes of one group that a history may see */
};

struct route_test_names {
    const char **at;
    size_t n;
    bool given;
};

struct route_test_alert {
    const char *name;
    const struct labels *labels;
    int64_t at_ms, until_ms; /* until_ms INT64_MAX: it fires until the history's end */
    unsigned line;
};

struct route_test_told {
    int64_t at_ms;
    const char *receiver;
    const char *reason;    /* NULL: any */
    const char *group_key; /* NULL: any */
    struct route_test_names firing, resolved;
    struct route_test_names by; /* kinds of integrations; not given: any */
    unsigned line, column;
};

struct route_test_muted {
    int64_t at_ms;
    size_t alert; /* of the history's */
    struct route_test_names by;
    unsigned line, column;
};

struct route_test {
    const char *name; /* "" when it has none */
    unsigned line, column;
    bool is_history;
    /* one alert */
    const struct labels *labels;
    struct route_test_names receivers, group_keys;
    /* a history */
    int64_t start_ms, until_ms;
    struct route_test_alert *alerts;
    size_t n_alerts;
    struct silence *silences; /* id: its name, or its number; times since the start */
    size_t n_silences;
    struct route_test_told *told;
    size_t n_told;
    bool checks_told; /* `notifications:` is there */
    struct route_test_muted *muted;
    size_t n_muted;
};

struct route_test_file {
    const struct yaml_node *config; /* a path, or with lines in it the config itself */
    struct route_test *tests;
    size_t n;
    struct arena arena;
    struct yaml *yaml;
};

int route_test_file_parse(const char *text,
                          size_t len,
                          struct route_test_file **ret_file,
                          struct err *reterr);
void route_test_file_free(struct route_test_file *file); /* NULL is fine */
