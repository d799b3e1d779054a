#pragma once

/*
 * alertd's flags, Prometheus' spelling: ONE table from which the parser, --help and
 * docs/alertd.md come. The config file is about people (receivers, grouping) and is
 * route/config.h's; what concerns this machine is a flag.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

enum {
    SETTINGS_E_USAGE = 1, /* exit 2; words say */
    SETTINGS_LIST_MAX = 32,
    SETTINGS_QUERIES_MAX = 128,
};

enum settings_action {
    SETTINGS_RUN,
    SETTINGS_HELP,
    SETTINGS_HELP_MARKDOWN, /* the same as docs/alertd.md has it */
    SETTINGS_VERSION,
    SETTINGS_CONFIG_MARKDOWN, /* the config file's keys, as docs/receivers.md has them */
    SETTINGS_ROUTES,          /* the route table as JSON: tests walk it */
};

struct settings_list {
    const char *at[SETTINGS_LIST_MAX];
    size_t n;
};

/* Texts are loans of argv or of the table. */
struct settings {
    enum settings_action action;
    bool sync_normal, auth_off;
    bool experimental_functions; /* of PromQL */
    const char *config_file;     /* "": the built-in default */
    const char *storage_path;
    int64_t retention_ms;     /* 0: everything is kept */
    uint64_t retention_bytes; /* 0: however much that is */
    int64_t max_series, max_new_series_an_hour, max_new_series_an_hour_a_pusher;
    int64_t max_labels, max_label_name_bytes, max_label_value_bytes, max_body_samples;
    uint64_t max_body_bytes;
    struct settings_list listen;
    const char *external_url; /* "": from the first listen address */
    struct settings_list hosts;
    const char *web_dir; /* "": the built-in dashboard */
    struct settings_list rules_import;
    const char *remote_write_file; /* "": nothing is forwarded */
    enum log_level log_level;
    enum log_format log_format;
    int64_t query_timeout_ms;
    int64_t query_max_samples;
    int64_t query_max_concurrency; /* at most SETTINGS_QUERIES_MAX */
    int64_t query_lookback_ms;
    const char *remind_to;   /* a receiver's name; "": nobody is reminded of actions */
    const char *path_policy; /* "": no paging drill by itself */
    int path_weekday;        /* 0: Sunday */
    int64_t path_hour;       /* 1 to 23 */
    const char *report_to;   /* a receiver's name; "": no weekly report */
    int report_weekday;      /* 0: Sunday */
    int64_t report_hour;     /* 1 to 23 */
    const char *report_zone;
    uint64_t max_wire_bytes;
    const char *dead_man_url;      /* "": nobody outside is told that we are well */
    const char *dead_man_url_file; /* a file that holds it; "" */
    int64_t dead_man_ms;
    const char *drills_path;    /* "": only own ones */
    const char *drills_program; /* "": alert-drill beside alertd */
    int64_t drills_max, drills_max_per_person;
    int64_t drills_leave_ms, drills_end_ms; /* nobody looks: paused, ended */
    int64_t canary_ms;
};

int settings_parse(int argc, char **argv, struct settings *ret_settings, struct err *reterr);
void settings_help(struct str *out);
void settings_help_markdown(struct str *out);
