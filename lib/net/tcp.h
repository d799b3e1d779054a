#pragma once

/*
 * TCP with a deadline on every step, the name included.
 *
 * getaddrinfo() cannot be told to stop: when the name server is a black hole it
 * takes 10 to 30 s, which is when probes matter most. So each lookup runs in a
 * thread of its own, and when the deadline passes nobody waits for it any more;
 * it ends by itself and frees what it holds. A resolver lets at most
 * RESOLVER_LOOKUPS_MAX of its lookups be under way, so that a dead name server
 * costs each user two sleeping threads and not one per attempt.
 *
 * Deadlines are instants of clock_mono_ms(). Sockets come back non-blocking and
 * close-on-exec.
 */

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/err.h"

enum {
    NET_E_RESOLVE = 1, /* the name has no address */
    NET_E_CONNECT = 2, /* refused, unreachable, reset */
    NET_E_TIMEOUT = 3, /* the deadline passed */
};

enum {
    RESOLVER_LOOKUPS_MAX = 2,
    TCP_ADDRESSES_MAX = 8, /* of one name that are tried */
};

struct resolver;

struct resolver *resolver_new(void);
void resolver_free(struct resolver *resolver); /* NULL is fine; lookups may outlive it */

struct tcp_address {
    struct sockaddr_storage at;
    socklen_t len;
};

/* The addresses of host (a name or a literal) in the system's order of preference.
 * 0, NET_E_RESOLVE or NET_E_TIMEOUT. */
int resolver_lookup(struct resolver *resolver,
                    const char *host,
                    uint16_t port,
                    int64_t deadline_ms,
                    struct tcp_address ret_addresses[TCP_ADDRESSES_MAX],
                    size_t *ret_n,
                    struct err *reterr);

/* What dialling found out; microseconds. */
struct tcp_dialled {
    int fd;
    int64_t resolve_us;
    int64_t connect_us;
    struct tcp_address peer;
};

/* Looks host up and connects to the first address that answers. 0 or NET_E_*. */
int tcp_dial(struct resolver *resolver,
             const char *host,
             uint16_t port,
             int64_t deadline_ms,
             struct tcp_dialled *ret_dialled,
             struct err *reterr);

/* All of bytes. 0, NET_E_CONNECT or NET_E_TIMEOUT. */
int tcp_send(int fd, const void *bytes, size_t len, int64_t deadline_ms);

/* At least one byte, or *ret_len = 0 at the end of the stream. 0, NET_E_CONNECT or
 * NET_E_TIMEOUT. */
int tcp_receive(int fd, void *room, size_t size, int64_t deadline_ms, size_t *ret_len);

/* "192.0.2.1" or "2001:db8::1" into text (INET6_ADDRSTRLEN bytes). */
const char *tcp_address_text(const struct tcp_address *address, char *text);
