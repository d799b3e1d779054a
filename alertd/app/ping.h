#pragma once

/*
 * One GET to the dead-man's URL, and words to systemd: what alertd says of itself to others.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct ping;

struct ping *ping_new(void);
void ping_free(struct ping *ping); /* NULL is fine */
/* 0 when it answered 2xx; it ends within 10 s. The words hold no part of the URL. */
int ping_send(struct ping *ping, const char *url, struct err *reterr);

/* A datagram to $NOTIFY_SOCKET: "READY=1". Nothing when systemd did not start us. */
void systemd_say(const char *words);
/* How often it wants WATCHDOG=1; 0: not at all. */
int64_t systemd_watchdog_ms(void);
