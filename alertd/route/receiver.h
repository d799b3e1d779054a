#pragma once

/*
 * The receivers of the config file. Private to route/.
 */

#include "alertd/route/field.h"

/* What `global:` says, for receivers that say nothing themselves. */
struct receiver_defaults {
    const char *smarthost;
    const char *from;
    const char *hello;
    const char *auth_username;
    const char *auth_identity;
    struct route_secret auth_password;
    struct route_secret auth_secret;
    bool require_tls;
    bool implicit_tls;
    struct route_tls mail_tls;
    struct route_http http;
    struct route_secret slack_api_url;
    struct route_secret slack_app_token;
    const char *slack_app_url;
    const char *telegram_api_url;
    struct route_secret telegram_bot_token;
    const char *pagerduty_url;
};

struct receiver_kind {
    const char *key; /* "webhook_configs"; NULL ends the table */
    enum route_kind kind;
    bool send_resolved;
    const struct field *rows;
};

extern const struct receiver_kind receiver_kinds[];
extern const struct field receiver_http_rows[];
extern const struct field receiver_tls_rows[];

/* Reads `receivers:` of the file's root into config. */
int receiver_read_all(const struct field_reader *reader,
                      const struct yaml_node *root,
                      const struct receiver_defaults *global,
                      struct route_config *config,
                      struct err *reterr);

/* The keys of a receiver and of each kind of integration. */
void receiver_manual(struct str *out);
