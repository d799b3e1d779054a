/*
 * Alerts by POST /api/v2/alerts, and the webhook that is told of them: how long each took, how many a second.
 *
 *   page_load PORT HOOK_PORT N PER_POST CONNECTIONS [RATE]
 *
 *     RATE    alerts a second, each at its time whatever became of those before it; without it as fast as they are taken
 *
 * Every alert is a group of its own when the config groups by `seq`. Listens on 127.0.0.1:HOOK_PORT before it sends. One line
 * of JSON when every alert arrived, or none did for 30 s:
 *
 *   {"n": 5000, "delivered": 5000, "hooks": 5000, "accepted_s": 0.5, "delivered_s": 0.6, "median_ms": 0.2, "p99_ms": 1.2, "max_ms": 3}
 *
 * times from the POST's beginning to the webhook's last byte.
 */

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/net/http_client.h"

enum {
    CONNECTIONS_MAX = 64,
    HOOKS_MAX = 4096,
    PER_POST_MAX = 1000,
    ALERT_BYTES_MAX = 700,
    READ_BYTES = 8192,
    SILENCE_US = 30 * 1000000,
};

static int n_alerts, per_post, n_connections, port, run_id;
static double rate;
static int64_t began_us;
static int64_t *sent_us;            /* of each alert */
static _Atomic int64_t *arrived_us; /* 0: not yet */
static atomic_int n_arrived, n_hooks;
static _Atomic int64_t last_us; /* when the last one arrived */

/* --- the webhook --- */

struct hook {
    int fd;
    struct str in;
};

static void note(const char *body, int64_t now_us)
{
    static const char mark[] = "\"seq\":\"";

    for (const char *at = body; (at = strstr(at, mark)); at += sizeof(mark)) {
        char *end = NULL;
        long id = strtol(at + sizeof(mark) - 1, &end, 10);
        long i = *end == '-' ? strtol(end + 1, NULL, 10) : -1;
        int64_t none = 0;

        if (id != run_id || i < 0 || i >= n_alerts)
            continue;
        if (atomic_compare_exchange_strong(&arrived_us[i], &none, now_us)) {
            atomic_store(&last_us, now_us);
            atomic_fetch_add(&n_arrived, 1);
        }
    }
}

/* A whole request at the beginning of what came; its length, 0 when it is not whole yet. */
static size_t request_length(const struct str *in)
{
    const char *text = str_text(in);
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = end ? strcasestr(text, "content-length:") : NULL;
    size_t whole = end ? (size_t)(end - text) + 4 : 0;

    if (length && length < end)
        whole += strtoul(length + sizeof("content-length:") - 1, NULL, 10);
    return whole <= in->len ? whole : 0;
}

/* False: the other side is gone. */
static bool serve(struct hook *hook)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char bytes[READ_BYTES];
    ssize_t n = recv(hook->fd, bytes, sizeof(bytes), 0);
    size_t len;

    if (n <= 0)
        return false;
    str_addn(&hook->in, bytes, (size_t)n);
    while ((len = request_length(&hook->in)) > 0) {
        STR_AUTO struct str rest = STR_INIT(SIZE_MAX);

        str_addn(&rest, str_text(&hook->in) + len, hook->in.len - len);
        str_cut(&hook->in, len);
        atomic_fetch_add(&n_hooks, 1);
        note(str_text(&hook->in), clock_mono_us());
        str_cut(&hook->in, 0);
        str_addn(&hook->in, str_text(&rest), rest.len);
        if (send(hook->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
            return false;
    }
    return true;
}

static void *listen_for_hooks(void *arg)
{
    static struct hook hooks[HOOKS_MAX];
    struct epoll_event events[64];
    int listener = *(int *)arg;
    int poll = epoll_create1(EPOLL_CLOEXEC);

    (void)epoll_ctl(poll, EPOLL_CTL_ADD, listener,
                    &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        int n = epoll_wait(poll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (fd == listener) {
                int new = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

                if (new < 0 || new >= HOOKS_MAX)
                    abort();
                hooks[new] = (struct hook){.fd = new, .in = STR_INIT(64 * 1024 * 1024)};
                (void)epoll_ctl(poll, EPOLL_CTL_ADD, new,
                                &(struct epoll_event){.events = EPOLLIN, .data.fd = new});
            } else if (!serve(&hooks[fd])) {
                str_done(&hooks[fd].in);
                (void)close(fd);
            }
        }
    }
    return NULL;
}

static void start_hook(int hook_port)
{
    static int listener;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)hook_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    pthread_t thread;
    int on = 1;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 512) ||
        pthread_create(&thread, NULL, listen_for_hooks, &listener)) {
        perror("page_load: no webhook");
        exit(2);
    }
}

/* --- alerts --- */

static void add_alert(struct str *body, int i)
{
    str_addf(
        body,
        "%s{\"labels\":{\"alertname\":\"Load%d\",\"seq\":\"%d-%d\",\"instance\":\"host-%05d:9100\","
        "\"service\":\"svc-%03d\",\"severity\":\"page\"},\"annotations\":{\"summary\":\"queue of "
        "host-%05d is at %d\",\"runbook\":\"https://runbooks.example/%d\"},"
        "\"generatorURL\":\"http://127.0.0.1:9090/graph\"}",
        body->len > 1 ? "," : "", i % 50, run_id, i, i, i % 100, i, i % 1000, i % 50);
}

static void post(struct http_client *client, const char *url, int from, int n)
{
    STR_AUTO struct str body = STR_INIT(PER_POST_MAX * ALERT_BYTES_MAX);
    static const struct http_header json = {"Content-Type", "application/json"};
    struct http_response reply;
    struct err err = {0};

    str_add(&body, "[");
    for (int i = from; i < from + n; i++)
        add_alert(&body, i);
    str_add(&body, "]");

    struct http_request request = {.url = url,
                                   .headers = &json,
                                   .n_headers = 1,
                                   .body = str_text(&body),
                                   .body_len = body.len,
                                   .timeout_ms = 60000};
    int64_t now_us = clock_mono_us();

    for (int i = from; i < from + n; i++)
        sent_us[i] = now_us;
    int r = http_client_send(client, &request, &reply, &err);
    if (r || reply.status != 200) {
        (void)fprintf(stderr, "page_load: refused: %s %d %s\n", r ? err.text : "",
                      r ? 0 : reply.status, r || !reply.body ? "" : (const char *)reply.body);
        exit(1);
    }
    http_response_done(&reply);
}

static void wait_for_turn(int i)
{
    int64_t due_us = rate > 0 ? began_us + (int64_t)(i / rate * 1e6) : 0;
    int64_t now_us = clock_mono_us();

    if (due_us > now_us)
        (void)usleep((useconds_t)(due_us - now_us));
}

static void *poster(void *arg)
{
    int number = *(int *)arg;
    struct http_client *client = http_client_new();
    char url[80];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/v2/alerts", port);
    for (int i = number * per_post; i < n_alerts; i += n_connections * per_post) {
        wait_for_turn(i);
        post(client, url, i, i + per_post > n_alerts ? n_alerts - i : per_post);
    }
    http_client_free(client);
    return NULL;
}

/* --- what became of them --- */

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void wait_for_all(void)
{
    int64_t quiet_since_us = clock_mono_us();
    int seen = 0;

    while (atomic_load(&n_arrived) < n_alerts && clock_mono_us() - quiet_since_us < SILENCE_US) {
        int now = atomic_load(&n_arrived);

        if (now != seen)
            quiet_since_us = clock_mono_us();
        seen = now;
        (void)usleep(1000);
    }
}

static void report(int64_t accepted_us)
{
    int64_t *took_us = mem_zalloc((size_t)n_alerts * sizeof(*took_us));
    int n = 0;

    for (int i = 0; i < n_alerts; i++)
        if (arrived_us[i])
            took_us[n++] = arrived_us[i] - sent_us[i];
    qsort(took_us, (size_t)n, sizeof(*took_us), compare);
    printf(
        "{\"n\": %d, \"delivered\": %d, \"hooks\": %d, \"accepted_s\": %.4f, \"delivered_s\": %.4f, \"median_ms\": %.3f, "
        "\"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
        n_alerts, n, atomic_load(&n_hooks), (double)accepted_us / 1e6,
        (double)(atomic_load(&last_us) - began_us) / 1e6, n ? (double)took_us[n / 2] / 1e3 : 0,
        n ? (double)took_us[(size_t)n * 99 / 100] / 1e3 : 0, n ? (double)took_us[n - 1] / 1e3 : 0);
    free(took_us);
}

int main(int argc, char **argv)
{
    pthread_t threads[CONNECTIONS_MAX];
    int numbers[CONNECTIONS_MAX];

    if (argc < 6) {
        (void)fprintf(stderr, "usage: page_load PORT HOOK_PORT N PER_POST CONNECTIONS [RATE]\n");
        return 2;
    }
    port = (int)strtol(argv[1], NULL, 10);
    n_alerts = (int)strtol(argv[3], NULL, 10);
    per_post = (int)strtol(argv[4], NULL, 10);
    n_connections = (int)strtol(argv[5], NULL, 10);
    rate = argc > 6 ? strtod(argv[6], NULL) : 0;
    if (n_alerts < 1 || per_post < 1 || per_post > PER_POST_MAX || n_connections < 1 ||
        n_connections > CONNECTIONS_MAX)
        return 2;
    run_id = (int)getpid();
    sent_us = mem_zalloc((size_t)n_alerts * sizeof(*sent_us));
    arrived_us = mem_zalloc((size_t)n_alerts * sizeof(*arrived_us));
    start_hook((int)strtol(argv[2], NULL, 10));
    began_us = clock_mono_us();
    for (int i = 0; i < n_connections; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, poster, &numbers[i]))
            return 2;
    }
    for (int i = 0; i < n_connections; i++)
        (void)pthread_join(threads[i], NULL);

    int64_t accepted_us = clock_mono_us() - began_us;

    wait_for_all();
    report(accepted_us);
    return atomic_load(&n_arrived) == n_alerts ? 0 : 1;
}
