#pragma once

/*
 * The receivers of the config file. Private to route/.
 */

#include "alertd/route/field.h"

/* What `global:` says about mail, for receivers that say nothing themselves. */
struct receiver_defaults {
    const char *smarthost;
    const char *from;
    const char *hello;
    const char *auth_username;
    struct route_secret auth_password;
    bool require_tls;
};

/* Reads `receivers:` of the file's root into config. */
int receiver_read_all(const struct field_reader *reader,
                      const struct yaml_node *root,
                      const struct receiver_defaults *mail,
                      struct route_config *config,
                      struct err *reterr);

/* The keys of a receiver and of each kind of integration. */
void receiver_manual(struct str *out);
