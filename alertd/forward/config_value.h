#pragma once

/*
 * Single keys of the `remote_write:` list. Private to config.c.
 *
 * Each leaves what it would set alone when the key is absent.
 */

#include "alertd/forward/config.h"
#include "lib/yaml/yaml.h"

/* A key that Prometheus has and we do not. */
struct config_refusal {
    const char *key, *why;
};

/* Only `known` keys; of `refused` ones the words say why. Both end with NULL. */
int config_only(const struct yaml_node *map,
                const char *const *known,
                const struct config_refusal *refused,
                struct err *reterr);
int config_text(const struct yaml_node *map, const char *key, char **text, struct err *reterr);
/* Longer than nothing. */
int config_duration(const struct yaml_node *map,
                    const char *key,
                    int64_t *duration_ms,
                    struct err *reterr);
int config_count(
    const struct yaml_node *map, const char *key, int64_t most, int64_t *count, struct err *reterr);
/* "512MiB", "1GB": units of 1024. */
int config_size(const struct yaml_node *map, const char *key, uint64_t *bytes, struct err *reterr);
/* basic_auth, authorization, bearer_token(_file) and tls_config. */
int config_auth(const struct yaml_node *map, struct forward_config *config, struct err *reterr);
