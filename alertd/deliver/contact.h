#pragma once

/*
 * A person's contact as something a page can be sent to.
 *
 *   method, address --contact_integration()--> struct route_integration --> deliver_send()
 *
 * The methods are a table (contact.c): how an address is written, which part of it is a
 * secret, and how an integration is made of it. What needs more than an address (a mail
 * server, a command) is taken from the config file: who may edit people does not choose what
 * this machine runs or which mail server it trusts.
 */

#include <stddef.h>

#include "alertd/route/config.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    CONTACT_E_METHOD = 1,  /* no such method: words name those there are */
    CONTACT_E_ADDRESS = 2, /* not an address of that method */
    CONTACT_E_CONFIG = 3,  /* the config file lacks what it takes */
    CONTACT_TIMEOUT_MS = 10000,
};

/* Can this be a contact? 0, CONTACT_E_METHOD or CONTACT_E_ADDRESS. */
int contact_valid(const char *method, const char *address, struct err *reterr);

/* What may be shown of an address: all of a mail address, no secret part of the rest. */
void contact_show(const char *method, const char *address, struct str *out);

/* Is part of such an address a secret (and so never shown)? */
bool contact_is_secret(const char *method);

/* Loans from config, method and address; what is made beside them is in the arena. receiver
 * is `person`, so that a page says whom it is for. */
int contact_integration(const struct route_config *config,
                        const char *person,
                        const char *method,
                        const char *address,
                        struct arena *arena,
                        struct route_integration *ret_integration,
                        struct err *reterr);
