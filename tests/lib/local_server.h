#pragma once

/*
 * A server for tests on 127.0.0.1: one thread, one connection at a time, a real
 * socket. It accepts, hands the connection to `serve`, closes it, and goes on
 * until local_server_stop().
 *
 *     struct local_server server;
 *     local_server_start(&server, answer_503, &state);
 *     ... http://127.0.0.1:%d/, server.port ...
 *     local_server_stop(&server);
 */

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct local_server {
    int listener;
    int port;
    pthread_t thread;
    void (*serve)(int connection, void *state);
    void *state;
    int n_connections;
};

static inline void *local_server_run(void *of)
{
    struct local_server *server = of;

    for (;;) {
        int connection = accept(server->listener, NULL, NULL);

        if (connection < 0)
            return NULL;
        __atomic_add_fetch(&server->n_connections, 1, __ATOMIC_SEQ_CST);
        server->serve(connection, server->state);
        (void)close(connection);
    }
}

/* Port 0 lets the kernel choose a free one: nothing here can clash. */
static inline void local_server_start(struct local_server *server,
                                      void (*serve)(int, void *),
                                      void *state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    *server = (struct local_server){.serve = serve, .state = state};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(server->listener, 16) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &len) < 0 ||
        pthread_create(&server->thread, NULL, local_server_run, server) != 0) {
        (void)fprintf(stderr, "local server does not start\n");
        abort();
    }
    server->port = ntohs(address.sin_port);
}

static inline void local_server_stop(struct local_server *server)
{
    (void)shutdown(server->listener, SHUT_RDWR);
    (void)pthread_join(server->thread, NULL);
    (void)close(server->listener);
}

/* Reads up to and with `stop` into text (NUL-terminated); false at end of stream. */
static inline bool local_server_read_until(int connection,
                                           const char *stop,
                                           char *text,
                                           size_t size)
{
    size_t len = 0;

    while (len + 1 < size) {
        if (recv(connection, text + len, 1, 0) != 1)
            return false;
        text[++len] = '\0';
        if (strstr(text, stop))
            return true;
    }
    return false;
}

static inline void local_server_write(int connection, const char *text)
{
    size_t len = strlen(text);

    while (len) {
        ssize_t put = send(connection, text, len, MSG_NOSIGNAL);

        if (put <= 0)
            return;
        text += put;
        len -= (size_t)put;
    }
}
