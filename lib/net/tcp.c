/*
 * TCP with a deadline on every step. See tcp.h.
 */

#include "lib/net/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

/* Waits until the socket may be read or written; 0, NET_E_TIMEOUT or NET_E_CONNECT. */
static int wait_until(int fd, short events, int64_t deadline_ms)
{
    struct pollfd ready = {.fd = fd, .events = events};

    for (;;) {
        int64_t left_ms = deadline_ms - clock_mono_ms();

        if (left_ms <= 0)
            return NET_E_TIMEOUT;
        int r = poll(&ready, 1, left_ms > 60000 ? 60000 : (int)left_ms);
        if (r > 0)
            return 0;
        if (r < 0 && errno != EINTR)
            return NET_E_CONNECT;
    }
}

const char *tcp_address_text(const struct tcp_address *address, char *text)
{
    const void *bytes;

    if (address->at.ss_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)&address->at)->sin_addr;
    else
        bytes = &((const struct sockaddr_in6 *)(const void *)&address->at)->sin6_addr;
    if (!inet_ntop(address->at.ss_family, bytes, text, INET6_ADDRSTRLEN))
        text[0] = '\0';
    return text;
}

static int fail(struct err *reterr, int code, const struct tcp_address *address, const char *what)
{
    char text[INET6_ADDRSTRLEN];

    return err_set(reterr, code, "%s: %s", tcp_address_text(address, text), what);
}

static int connect_one(const struct tcp_address *address,
                       int64_t deadline_ms,
                       int *ret_fd,
                       struct err *reterr)
{
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int failure = 0;
    socklen_t len = sizeof(failure);

    if (fd < 0)
        return fail(reterr, NET_E_CONNECT, address, strerrordesc_np(errno));

    int r = connect(fd, (const struct sockaddr *)&address->at, address->len);

    if (r < 0 && errno == EINPROGRESS) {
        r = wait_until(fd, POLLOUT, deadline_ms);
        if (r == NET_E_TIMEOUT) {
            (void)close(fd);
            return fail(reterr, r, address, "no answer to the connection in time");
        }
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) < 0)
            failure = errno;
    } else if (r < 0) {
        failure = errno;
    }
    if (failure) {
        (void)close(fd);
        return fail(reterr, NET_E_CONNECT, address, strerrordesc_np(failure));
    }
    /* requests are written in two pieces; without this the second waits for an
     * acknowledgement that the other side delays by 40 ms */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    *ret_fd = fd;
    return 0;
}

/* Several addresses share the time that is left: a dead first one must leave some
 * for the next. */
static int connect_first(const struct tcp_address *addresses,
                         size_t n,
                         int64_t deadline_ms,
                         struct tcp_dialled *dialled,
                         struct err *reterr)
{
    int r = err_set(reterr, NET_E_RESOLVE, "the name has no address");

    for (size_t i = 0; i < n; i++) {
        int64_t now_ms = clock_mono_ms();
        int64_t share_ms = (deadline_ms - now_ms) / (int64_t)(n - i);

        r = connect_one(&addresses[i], now_ms + share_ms, &dialled->fd, reterr);
        if (r == 0) {
            dialled->peer = addresses[i];
            return 0;
        }
    }
    return r;
}

int tcp_dial(struct resolver *resolver,
             const char *host,
             uint16_t port,
             int64_t deadline_ms,
             struct tcp_dialled *ret_dialled,
             struct err *reterr)
{
    struct tcp_address addresses[TCP_ADDRESSES_MAX];
    struct tcp_dialled dialled = {.fd = -1};
    int64_t start_us = clock_mono_us();
    size_t n = 0;
    int r = resolver_lookup(resolver, host, port, deadline_ms, addresses, &n, reterr);

    if (r)
        return r;

    int64_t found_us = clock_mono_us();

    r = connect_first(addresses, n, deadline_ms, &dialled, reterr);
    if (r)
        return r;
    dialled.resolve_us = found_us - start_us;
    dialled.connect_us = clock_mono_us() - found_us;
    *ret_dialled = dialled;
    return 0;
}

int tcp_send(int fd, const void *bytes, size_t len, int64_t deadline_ms)
{
    const char *at = bytes;

    while (len) {
        ssize_t put = send(fd, at, len, MSG_NOSIGNAL);

        if (put >= 0) {
            at += put;
            len -= (size_t)put;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return NET_E_CONNECT;

        int r = wait_until(fd, POLLOUT, deadline_ms);

        if (r)
            return r;
    }
    return 0;
}

int tcp_receive(int fd, void *room, size_t size, int64_t deadline_ms, size_t *ret_len)
{
    for (;;) {
        ssize_t got = recv(fd, room, size, 0);

        if (got >= 0) {
            *ret_len = (size_t)got;
            return 0;
        }
        if (errno != EAGAIN && errno != EINTR)
            return NET_E_CONNECT;

        int r = wait_until(fd, POLLIN, deadline_ms);

        if (r)
            return r;
    }
}
