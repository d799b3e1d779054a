/*
 * Single keys of the `remote_write:` list. See config_value.h.
 */

#include "alertd/forward/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/model/duration.h"

int config_only(const struct yaml_node *map,
                const char *const *known,
                const struct config_refusal *refused,
                struct err *reterr)
{
    int r = yaml_expect(map, YAML_MAP, "a map", reterr);

    for (size_t i = 0; r == 0 && refused[i].key; i++) {
        const struct yaml_node *key = yaml_key(map, refused[i].key);
        if (key)
            return err_at(reterr, FORWARD_E_CONFIG, key->line, key->column,
                          "%s is not supported, leave it out: %s", refused[i].key, refused[i].why);
    }
    return r == 0 ? yaml_only(map, known, reterr) : r;
}

int config_text(const struct yaml_node *map, const char *key, char **text, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *value;

    if (!node)
        return 0;
    int r = yaml_string(node, &value, reterr);
    if (r == 0) {
        free(*text);
        *text = mem_strdup(value);
    }
    return r;
}

int config_duration(const struct yaml_node *map,
                    const char *key,
                    int64_t *duration_ms,
                    struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text;
    int64_t value_ms;

    if (!node)
        return 0;
    int r = yaml_string(node, &text, reterr);
    if (r != 0)
        return r;
    if (duration_parse(text, strlen(text), &value_ms) != 0 || value_ms <= 0)
        return err_at(reterr, FORWARD_E_CONFIG, node->line, node->column,
                      "%s: expected a duration such as 30s or 5m, got \"%.60s\"", key, text);
    *duration_ms = value_ms;
    return 0;
}

int config_count(
    const struct yaml_node *map, const char *key, int64_t most, int64_t *count, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);

    if (!node)
        return 0;
    int64_t value;
    int r = yaml_int(node, &value, reterr);
    if (r == 0 && (value < 1 || value > most))
        r = err_at(reterr, FORWARD_E_CONFIG, node->line, node->column,
                   "%s: from 1 to %lld, got %lld", key, (long long)most, (long long)value);
    if (r == 0)
        *count = value;
    return r;
}

int config_size(const struct yaml_node *map, const char *key, uint64_t *bytes, struct err *reterr)
{
    static const char *const units[] = {"B", "KB",  "MB",  "GB",  "TB",
                                        "",  "KiB", "MiB", "GiB", "TiB"};
    const struct yaml_node *node = yaml_get(map, key);
    const char *text;
    char *end;
    size_t unit = 0;

    if (!node)
        return 0;
    int r = yaml_string(node, &text, reterr);
    if (r != 0)
        return r;
    unsigned long long value = strtoull(text, &end, 10);
    while (unit < 10 && (!*units[unit] || strcmp(end, units[unit]) != 0))
        unit++;
    if (text[0] < '0' || text[0] > '9' || unit == 10 || value >> 20)
        return err_at(reterr, FORWARD_E_CONFIG, node->line, node->column,
                      "%s: expected a size such as 512MiB or 1GiB, got \"%.60s\"", key, text);
    *bytes = (uint64_t)value << (10 * (unit % 5));
    return 0;
}

/* The value or its file, not both. */
static int text_or_file(
    const struct yaml_node *map, const char *key, char **text, char **file, struct err *reterr)
{
    char file_key[64];

    (void)snprintf(file_key, sizeof(file_key), "%s_file", key);
    int r = config_text(map, key, text, reterr);
    if (r == 0)
        r = config_text(map, file_key, file, reterr);
    if (r == 0 && *text && *file)
        r = err_at(reterr, FORWARD_E_CONFIG, map->line, map->column, "%s and %s: one of them", key,
                   file_key);
    return r;
}

static int read_basic(const struct yaml_node *basic,
                      struct forward_config *config,
                      struct err *reterr)
{
    static const char *const known[] = {"username", "password", "password_file", NULL};

    int r = yaml_only(basic, known, reterr);
    if (r == 0)
        r = config_text(basic, "username", &config->username, reterr);
    if (r == 0)
        r = text_or_file(basic, "password", &config->password, &config->password_file, reterr);
    if (r == 0 && !config->username)
        r = err_at(reterr, FORWARD_E_CONFIG, basic->line, basic->column,
                   "basic_auth needs a username");
    return r;
}

static int read_authorization(const struct yaml_node *map,
                              struct forward_config *config,
                              struct err *reterr)
{
    static const char *const known[] = {"type", "credentials", "credentials_file", NULL};

    int r = yaml_only(map, known, reterr);
    if (r == 0)
        r = config_text(map, "type", &config->auth_type, reterr);
    if (r == 0)
        r = text_or_file(map, "credentials", &config->credentials, &config->credentials_file,
                         reterr);
    if (r == 0 && !config->credentials && !config->credentials_file)
        r = err_at(reterr, FORWARD_E_CONFIG, map->line, map->column,
                   "authorization needs credentials or credentials_file");
    return r;
}

static int read_tls(const struct yaml_node *map, struct forward_config *config, struct err *reterr)
{
    static const struct config_refusal refused[] = {
        {"insecure_skip_verify", "certificates are always checked; ca_file trusts one of your own"},
        {"cert_file", "there are no client certificates"},
        {"key_file", "there are no client certificates"},
        {"cert", "there are no client certificates"},
        {"key", "there are no client certificates"},
        {"ca", "name a ca_file"},
        {"server_name", "the certificate must be of the url's host"},
        {"min_version", "the system decides"},
        {"max_version", "the system decides"},
        {NULL, NULL},
    };
    static const char *const known[] = {"ca_file", NULL};

    int r = config_only(map, known, refused, reterr);
    return r == 0 ? config_text(map, "ca_file", &config->ca_file, reterr) : r;
}

int config_auth(const struct yaml_node *map, struct forward_config *config, struct err *reterr)
{
    const struct yaml_node *basic = yaml_get(map, "basic_auth");
    const struct yaml_node *authorization = yaml_get(map, "authorization");
    const struct yaml_node *tls = yaml_get(map, "tls_config");
    bool has_bearer = yaml_get(map, "bearer_token") || yaml_get(map, "bearer_token_file");
    int r = 0;

    if ((basic != NULL) + (authorization != NULL) + has_bearer > 1)
        return err_at(reterr, FORWARD_E_CONFIG, map->line, map->column,
                      "basic_auth, authorization, bearer_token: one of them");
    if (basic)
        r = read_basic(basic, config, reterr);
    else if (authorization)
        r = read_authorization(authorization, config, reterr);
    else
        r = text_or_file(map, "bearer_token", &config->credentials, &config->credentials_file,
                         reterr);
    return r == 0 && tls ? read_tls(tls, config, reterr) : r;
}
