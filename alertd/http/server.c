/*
 * The server: sockets, libmicrohttpd's daemons, their callbacks, start and stop.
 * See http.h for the picture and call.h for who owns what.
 *
 * The poll back end, not epoll: with one epoll thread and exactly 128 or 256 busy
 * connections libmicrohttpd 0.9.75 falls to a few requests a second, because the loop
 * that drains epoll repeats, blocking, while it got exactly its array's length.
 */

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alertd/http/stages.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    SILENCE_S = 90,
    TICK_MS = 250,
    STOP_MS = 10000,
    REPLIES_MS = 2000,
    BACKLOG = 512,
    MHD_MEMORY = 40 * 1024, /* for one connection: header and upload block */
};

/* --- callbacks, on the network thread --- */

static enum MHD_Result on_accept(void *arg, const struct sockaddr *address, socklen_t len)
{
    struct http_server *server = arg;

    (void)len;
    return peers_may_connect(&server->peers, address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *arg,
                          struct MHD_Connection *connection,
                          void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = arg;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        const struct sockaddr *address =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;

        *context = peers_add(&server->peers, fd, address, clock_mono_ms());
    } else if (*context) {
        peers_remove(&server->peers, *context);
        *context = NULL;
    }
}

static void *on_request_line(void *arg, const char *target, struct MHD_Connection *connection)
{
    return call_new(arg, connection, target);
}

// NOLINTNEXTLINE(readability-function-size): libmicrohttpd's eight parameters
static enum MHD_Result on_request(void *arg,
                                  struct MHD_Connection *connection,
                                  const char *url,
                                  const char *method,
                                  const char *version,
                                  const char *bytes,
                                  size_t *len,
                                  void **context)
{
    struct call *call = *context;
    enum MHD_Result result = MHD_NO;

    (void)arg;
    (void)connection;
    (void)url; /* unescaped in place: the raw target says more */
    switch (call->stage) {
    case CALL_HEAD: return call_head(call, method, version);
    case CALL_BODY:
        if (*len == 0)
            return call_dispatch(call);
        result = call_take_body(call, bytes, *len);
        *len = 0;
        return result;
    case CALL_ANSWER: return call_answer(call);
    case CALL_WORK:
    case CALL_SENT: break;
    }
    return result;
}

static void on_completed(void *arg,
                         struct MHD_Connection *connection,
                         void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)code;
    if (*context)
        call_free(*context);
    *context = NULL;
}

__attribute__((format(printf, 2, 0))) static void on_log(void *arg, const char *fmt, va_list ap)
{
    const struct http_server *server = arg;
    char words[300];

    (void)vsnprintf(words, sizeof(words), fmt, ap);
    words[strcspn(words, "\n")] = '\0';
    log_debug(server->options.log, "http", "libmicrohttpd", "detail=\"%s\"", words);
}

/* --- deadlines and heartbeats --- */

static void *keep(void *arg)
{
    struct http_server *server = arg;

    while (!atomic_load(&server->stopping)) {
        struct http_hub *hub = atomic_load(&server->hub);
        int64_t now_ms = clock_mono_ms();

        peers_reap(&server->peers, now_ms);
        if (hub)
            hub_beat(hub, now_ms);
        clock_sleep_ms(TICK_MS);
    }
    return NULL;
}

/* --- start --- */

/* "127.0.0.1:9797", "[::1]:9797", ":9797": a listening socket, or negative errno. */
static int listen_at(const char *text, unsigned *ret_port, struct err *reterr)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM,
                             .ai_family = len ? AF_UNSPEC : AF_INET};
    struct addrinfo *found = NULL;
    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof(bound);
    char port[8];

    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtoul(colon + 1, NULL, 10) > UINT16_MAX)
        return err_set(reterr, -EINVAL, "listen address %s: expected host:port", text);
    MEM_AUTO char *host = mem_strndup(text + bracketed, len - 2U * bracketed);
    int code = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found);
    if (code != 0)
        return err_set(reterr, -EINVAL, "listen address %s: %s", text, gai_strerror(code));

    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0 &&
              getsockname(fd, (struct sockaddr *)&bound, &bound_len) == 0;
    code = ok ? 0 : errno;
    freeaddrinfo(found);
    if (ok && getnameinfo((struct sockaddr *)&bound, bound_len, NULL, 0, port, sizeof(port),
                          NI_NUMERICSERV) == 0) {
        *ret_port = (unsigned)strtoul(port, NULL, 10);
        return fd;
    }
    if (fd >= 0)
        (void)close(fd);
    return err_set(reterr, code ? -code : -EIO, "cannot listen on %s: %s", text,
                   strerrordesc_np(code ? code : EIO));
}

static int start_daemon(struct http_server *server, size_t i, struct err *reterr)
{
    const char *address = server->options.listen[i];
    int fd = listen_at(address, &server->ports[i], reterr);

    if (fd < 0)
        return fd;
    server->daemons[i] = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, on_accept,
        server, on_request, server,                 /* */
        MHD_OPTION_EXTERNAL_LOGGER, on_log, server, /* first: errors use it */
        MHD_OPTION_LISTEN_SOCKET, fd,               /* */
        MHD_OPTION_STRICT_FOR_CLIENT, 0, /* our gate is stricter, and its answer better formed */
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, server,              /* */
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,                 /* */
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,               /* */
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,                /* */
        MHD_OPTION_CONNECTION_LIMIT, server->options.max_connections + 16, /* we refuse first */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MHD_MEMORY,            /* */
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                              /* */
        MHD_OPTION_END);
    if (server->daemons[i])
        return 0;
    (void)close(fd);
    return err_set(reterr, -EIO, "cannot serve on %s: libmicrohttpd does not start", address);
}

static void count_routes(struct http_server *server)
{
    for (size_t t = 0; t < server->router.n_tables; t++)
        server->n_routes += server->router.n_rows[t];
    server->counts = mem_zalloc((server->n_routes + 1) * sizeof(*server->counts));
}

int http_server_start(const struct http_options *options,
                      struct http_server **ret_server,
                      struct err *reterr)
{
    struct http_server *server = mem_zalloc(sizeof(*server));
    size_t n = options->n_listen;
    int r;

    server->options = *options;
    if (!server->options.max_body)
        server->options.max_body = HTTP_BODY_DEFAULT;
    server->router = router_of(options->routes, options->n_routes);
    count_routes(server);
    server->daemons = mem_zalloc(n * sizeof(struct MHD_Daemon *));
    server->ports = mem_zalloc(n * sizeof(*server->ports));
    peers_init(&server->peers, options->max_connections, options->max_connections_per_peer);
    r = pool_start(&server->pool, options->n_workers, options->max_reads, call_work, call_drop,
                   reterr);
    if (r == 0)
        r = router_check(&server->router, reterr);
    if (r == 0) {
        r = -pthread_create(&server->keeper, NULL, keep, server);
        if (r != 0)
            (void)err_set(reterr, r, "cannot start a thread: %s", strerrordesc_np(-r));
        server->keeps = r == 0;
    }
    for (size_t i = 0; i < n && r == 0; i++)
        r = start_daemon(server, i, reterr);
    if (r != 0) {
        http_server_stop(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

/* --- stop --- */

static void stop_accepting(struct http_server *server)
{
    for (size_t i = 0; i < server->options.n_listen; i++) {
        int fd = server->daemons[i] ? MHD_quiesce_daemon(server->daemons[i]) : -1;

        if (fd >= 0)
            (void)close(fd);
    }
}

/* Everything suspended must have been resumed when a daemon stops: the pool ends first
 * and gives each of its connections back, then the streams end, and the replies get a
 * moment to leave. */
void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    stop_accepting(server);
    atomic_store(&server->stopping, true);
    pool_stop(&server->pool, STOP_MS);
    struct http_hub *hub = atomic_load(&server->hub);
    if (hub)
        hub_close_streams(hub);
    for (int64_t until_ms = clock_mono_ms() + REPLIES_MS;
         atomic_load(&server->n_calls) && clock_mono_ms() < until_ms;)
        clock_sleep_ms(5);
    if (server->keeps)
        (void)pthread_join(server->keeper, NULL);
    for (size_t i = 0; i < server->options.n_listen; i++)
        if (server->daemons[i])
            MHD_stop_daemon(server->daemons[i]);
    peers_done(&server->peers);
    free(server->daemons);
    free(server->ports);
    free(server->counts);
    free(server);
}

unsigned http_server_port(const struct http_server *server, size_t i)
{
    return i < server->options.n_listen ? server->ports[i] : 0;
}

void http_server_stats(struct http_server *server, struct http_stats *ret_stats)
{
    struct http_hub *hub = atomic_load(&server->hub);
    struct peers *peers = &server->peers;

    (void)pthread_mutex_lock(&peers->lock);
    unsigned n = peers->n;
    (void)pthread_mutex_unlock(&peers->lock);
    *ret_stats = (struct http_stats){
        .requests = atomic_load(&server->requests),
        .refused_by_gate = atomic_load(&server->refused_by_gate),
        .refused_by_limit = atomic_load(&server->refused_by_limit) + atomic_load(&peers->refused),
        .unauthorized = atomic_load(&server->unauthorized),
        .connections = n,
        .sse_clients = hub ? hub_streams(hub) : 0,
    };
}

static const struct http_route *route_at(const struct http_server *server, size_t index)
{
    for (size_t t = 0; t < server->router.n_tables; t++) {
        if (index < server->router.n_rows[t])
            return &server->router.tables[t][index];
        index -= server->router.n_rows[t];
    }
    return NULL;
}

bool http_server_route_stats(struct http_server *server,
                             size_t index,
                             struct http_route_stats *ret_stats)
{
    if (index > server->n_routes)
        return false;
    const struct http_route *route = route_at(server, index);
    *ret_stats = (struct http_route_stats){
        .method = route ? route->method : "",
        .pattern = route ? route->pattern : "(none)",
        .duration_us = atomic_load(&server->counts[index].duration_us),
    };
    for (int i = 0; i < 6; i++)
        ret_stats->by_class[i] = atomic_load(&server->counts[index].by_class[i]);
    return true;
}
