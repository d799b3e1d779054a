#pragma once

/*
 * One mail, handed to one server, blocking, with an end.
 *
 * url says the server: smtp://host[:port] (STARTTLS by policy) or
 * smtps://host[:port] (TLS from the first byte). The message is complete, with
 * its headers; lone line feeds are sent as CR LF. It is accepted for every
 * recipient or for none: a server that refuses one address fails the whole.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/net/net_way.h"

enum {
    SMTP_E_REQUEST = 1,   /* an address or the URL can't be sent as it is */
    SMTP_E_CONNECT = 2,   /* no address, nobody listens, or the TLS handshake failed */
    SMTP_E_TIMEOUT = 3,   /* timeout_ms passed, somewhere */
    SMTP_E_LOGIN = 4,     /* the server refuses user and password */
    SMTP_E_TEMPORARY = 5, /* 4xx: later it may work */
    SMTP_E_REFUSED = 6,   /* 5xx: it will not */
    SMTP_E_REPLY = 7,     /* the conversation broke off */
};

enum smtp_starttls {
    SMTP_STARTTLS_REQUIRED, /* fail rather than speak in the clear */
    SMTP_STARTTLS_TRY,      /* if the server offers it */
    SMTP_STARTTLS_OFF,
};

struct smtp_mail {
    const char *url;
    enum smtp_starttls starttls;
    const char *user; /* NULL: no login */
    const char *password;
    const char *identity;      /* whom to act as, when that is not the user; NULL */
    const char *mechanism;     /* "CRAM-MD5": that and no other; NULL: what the server offers */
    const struct net_way *way; /* certificates; NULL: the ordinary ones. No proxies */
    const char *from;          /* bare addresses: ana@example.org */
    const char *const *to;
    size_t n_to;
    const char *message; /* headers, empty line, body */
    size_t message_len;
    int64_t timeout_ms; /* 0: 30 s */
};

/* 0: the server took the mail. Otherwise SMTP_E_* or -ELIBACC, with words that hold the
 * server's last code when it gave one. */
int smtp_send(const struct smtp_mail *mail, struct err *reterr);

const char *smtp_error_name(int code);
