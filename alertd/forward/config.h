#pragma once

/*
 * Where samples are forwarded to: the `remote_write:` list of prometheus.yml, read from a file
 * of its own. What we do not have is refused by its name, never ignored.
 *
 *     remote_write:
 *       - url: https://prometheus.example/api/v1/write
 *         name: central
 *         authorization: {credentials_file: /etc/watchbill/token}
 *         write_relabel_configs:
 *           - {source_labels: [__name__], regex: 'ALERTS.*', action: keep}
 *         queue_bytes: 1GiB          our own keys: what waits on disk, and whether
 *         send_history: false        imports of history go out too
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"
#include "lib/net/retry.h"

enum {
    FORWARD_E_CONFIG = 1, /* words say where and what */
    FORWARD_TARGETS_MAX = 16,
    FORWARD_HEADERS_MAX = 32,
    FORWARD_NAME_MAX = 64,
};

/* Keep or drop what matches, on labels joined by the separator. */
struct forward_filter {
    char **labels;
    size_t n_labels;
    char *separator;
    struct matcher regex;
    bool keeps;
};

struct forward_config {
    char name[FORWARD_NAME_MAX]; /* of the target in metrics, and of its cursor's file */
    char *url;
    char *headers[2 * FORWARD_HEADERS_MAX]; /* name, value, name, value */
    size_t n_headers;
    /* basic_auth when username is there, else the type and credentials; files are read anew
     * for each attempt. NULL: none. */
    char *username, *password, *password_file;
    char *auth_type, *credentials, *credentials_file;
    char *ca_file;
    int64_t timeout_ms;
    struct forward_filter *filters;
    size_t n_filters;
    size_t max_samples_per_send;
    struct retry_bounds backoff;
    uint64_t queue_bytes;
    bool send_history;
};

struct forward_configs {
    struct forward_config *at;
    size_t n;
};

/* 0, FORWARD_E_CONFIG with line and column. */
int forward_config_parse(const char *text,
                         size_t len,
                         struct forward_configs *ret_configs,
                         struct err *reterr);
/* The same of a file; the words begin with its name. Negative errno: it cannot be read. */
int forward_config_read(const char *path, struct forward_configs *ret_configs, struct err *reterr);
void forward_configs_done(struct forward_configs *configs);

/* Whether a series goes to the target. */
bool forward_config_wants(const struct forward_config *config, const struct labels *labels);
