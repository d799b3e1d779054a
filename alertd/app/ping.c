/*
 * Pings outward. See ping.h. systemd's side is sd_notify(3)'s protocol: no library for a
 * datagram.
 */

#include "alertd/app/ping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/net/http_client.h"

enum {
    PING_MS = 10000
};

struct ping {
    struct http_client *client;
};

struct ping *ping_new(void)
{
    struct ping *ping = mem_zalloc(sizeof(*ping));

    ping->client = http_client_new();
    return ping;
}

void ping_free(struct ping *ping)
{
    if (!ping)
        return;
    http_client_free(ping->client);
    free(ping);
}

static const char *words_of(int result)
{
    switch (result) {
    case HTTP_E_REQUEST: return "the URL can't be asked";
    case HTTP_E_RESOLVE: return "its name has no address";
    case HTTP_E_CONNECT: return "nobody listens there";
    case HTTP_E_TLS: return "its certificate is not accepted";
    case HTTP_E_TIMEOUT: return "no answer within 10 s";
    default: return "what came back is not HTTP, or broke off";
    }
}

int ping_send(struct ping *ping, const char *url, struct err *reterr)
{
    const struct http_request request = {.url = url, .timeout_ms = PING_MS};
    struct http_response reply;
    int r = http_client_send(ping->client, &request, &reply, NULL);

    if (r)
        return err_set(reterr, r, "%s", words_of(r));
    int status = reply.status;
    http_response_done(&reply);
    return status / 100 == 2 ? 0 : err_set(reterr, -EPROTO, "HTTP %d", status);
}

void systemd_say(const char *words)
{
    const char *path = getenv("NOTIFY_SOCKET"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (path[0] == '@') /* a name that is in no folder */
        to.sun_path[0] = '\0';

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, words, strlen(words), MSG_NOSIGNAL, (const struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    (void)close(fd);
}

static int64_t number_of(const char *name)
{
    const char *text = getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets it
    char *end = NULL;
    long long value = text ? strtoll(text, &end, 10) : 0;

    return text && end != text && !*end && value > 0 ? value : 0;
}

int64_t systemd_watchdog_ms(void)
{
    int64_t pid = number_of("WATCHDOG_PID");

    return pid && pid != getpid() ? 0 : number_of("WATCHDOG_USEC") / 1000;
}
