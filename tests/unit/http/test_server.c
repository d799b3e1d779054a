/*
 * The server with real sockets and handlers of our own: lanes, waiting for a stop,
 * event streams, bodies.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "alertd/http/http.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "tests/lib/row.h"

enum {
    WORKERS = 4,
    ANSWER_MAX = 1024 * 1024,
};

struct house {
    struct http_server *server;
    struct http_hub *hub;
    atomic_bool closed; /* slow handlers wait while it is */
    atomic_int n_inside, n_inside_max;
};

static void slow(void *context, struct http_request *request, struct http_response *response)
{
    struct house *house = context;
    int inside = atomic_fetch_add(&house->n_inside, 1) + 1;

    (void)request;
    if (inside > atomic_load(&house->n_inside_max))
        atomic_store(&house->n_inside_max, inside);
    while (atomic_load(&house->closed))
        clock_sleep_ms(1);
    atomic_fetch_sub(&house->n_inside, 1);
    str_add(&response->body, "slow");
}

static void quick(void *context, struct http_request *request, struct http_response *response)
{
    (void)context;
    str_addf(&response->body, "quick %s %s %zu", request->who.name, request->path_args[0],
             request->body_len);
}

static void echo(void *context, struct http_request *request, struct http_response *response)
{
    const char *value;

    (void)context;
    for (size_t i = 0; (value = http_query_at(request, "match[]", i)); i++)
        str_addf(&response->body, "[%s]", value);
    str_addf(&response->body, "%s", http_query(request, "none") ? "?" : ".");
}

static void large(void *context, struct http_request *request, struct http_response *response)
{
    (void)context, (void)request;
    response->body.limit = 1000;
    for (int i = 0; i < 1001; i++)
        str_addc(&response->body, 'x');
}

static void events(void *context, struct http_request *request, struct http_response *response)
{
    struct house *house = context;

    http_sse_join(house->hub, request, response);
}

static const struct http_route routes[] = {
    {"GET", "/slow", HTTP_SCOPE_READ, 0, slow, "waits"},
    {"POST", "/act/{what}", HTTP_SCOPE_OPERATE, 0, quick, "an acknowledgement"},
    {"POST", "/push/{what}", HTTP_SCOPE_PUSH, HTTP_BIG_BODY, quick, "samples"},
    {"GET", "/echo", HTTP_SCOPE_NONE, HTTP_INLINE, echo, "parameters"},
    {"POST", "/echo", HTTP_SCOPE_NONE, HTTP_SAFE_POST, echo, "parameters in a form"},
    {"GET", "/large", HTTP_SCOPE_NONE, 0, large, "past its ceiling"},
    {"GET", "/events", HTTP_SCOPE_NONE, 0, events, "a stream"},
};

static int start(void **state, unsigned max_reads)
{
    static const char *const listen[] = {"127.0.0.1:0", "127.0.0.1:0"};
    static const struct http_route *const tables[] = {routes, NULL};
    static const size_t n_routes[] = {sizeof(routes) / sizeof(routes[0])};
    static const struct log log = {.fd = 2, .level = LOG_WARN};
    struct house *house = mem_zalloc(sizeof(*house));
    struct err err = {0};

    house->hub = http_hub_new();
    int r = http_server_start(&(struct http_options){.listen = listen,
                                                     .n_listen = 2,
                                                     .auth_off = true,
                                                     .routes = tables,
                                                     .n_routes = n_routes,
                                                     .context = house,
                                                     .max_connections = 200,
                                                     .max_connections_per_peer = 100,
                                                     .n_workers = WORKERS,
                                                     .max_reads = max_reads,
                                                     .log = &log},
                              &house->server, &err);
    if (r != 0)
        fail_msg("%s", err.text);
    *state = house;
    return 0;
}

static int setup(void **state)
{
    return start(state, 0);
}

static int setup_one_read(void **state)
{
    return start(state, 1);
}

static int teardown(void **state)
{
    struct house *house = *state;

    atomic_store(&house->closed, false);
    http_server_stop(house->server);
    http_hub_free(house->hub);
    free(house);
    return 0;
}

/* --- a client --- */

static int connect_to(const struct house *house, size_t listener)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)http_server_port(house->server, listener))};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void ask(int fd, const char *line, const char *body)
{
    STR_AUTO struct str text = STR_INIT(ANSWER_MAX);

    str_addf(&text, "%s HTTP/1.1\r\nHost: localhost\r\n", line);
    if (body)
        str_addf(&text, "Content-Length: %zu\r\n", strlen(body));
    str_addf(&text, "\r\n%s", body ? body : "");
    send_text(fd, str_text(&text));
}

/* Until `wanted` is in what came; fails at the end of the stream or after 10 s. */
static void expect(int fd, struct str *got, const char *wanted)
{
    while (!strstr(str_text(got), wanted)) {
        char some[4096];
        ssize_t n = recv(fd, some, sizeof(some), 0);

        if (n <= 0)
            fail_msg("expected %s, got %s", wanted, str_text(got));
        str_addn(got, some, (size_t)n);
    }
}

static void expect_answer(int fd, const char *wanted)
{
    STR_AUTO struct str got = STR_INIT(ANSWER_MAX);

    expect(fd, &got, wanted);
}

static void wait_inside(struct house *house, int n)
{
    for (int i = 0; i < 5000 && atomic_load(&house->n_inside) < n; i++)
        clock_sleep_ms(1);
    assert_int_equal(atomic_load(&house->n_inside), n);
}

/* --- tests --- */

static void test_a_pile_of_queries_does_not_hold_up_an_acknowledgement(void **state)
{
    struct house *house = *state;
    int reads[20];
    int act = connect_to(house, 1);
    int push = connect_to(house, 0);

    atomic_store(&house->closed, true);
    for (int i = 0; i < 20; i++) {
        reads[i] = connect_to(house, 0);
        ask(reads[i], "GET /slow", NULL);
    }
    wait_inside(house, WORKERS / 2);
    ask(act, "POST /act/ack", "{}");
    expect_answer(act, "quick anyone ack 2");
    ask(push, "POST /push/a", "samples");
    expect_answer(push, "quick anyone a 7");
    atomic_store(&house->closed, false);
    for (int i = 0; i < 20; i++) {
        expect_answer(reads[i], "\r\n\r\nslow");
        (void)close(reads[i]);
    }
    assert_int_equal(atomic_load(&house->n_inside_max), WORKERS / 2);
    (void)close(act);
    (void)close(push);
}

static void test_reads_wait_for_their_turn(void **state)
{
    struct house *house = *state;
    int reads[5];

    atomic_store(&house->closed, true);
    for (int i = 0; i < 5; i++) {
        reads[i] = connect_to(house, 0);
        ask(reads[i], "GET /slow", NULL);
    }
    wait_inside(house, 1);
    atomic_store(&house->closed, false);
    for (int i = 0; i < 5; i++) {
        expect_answer(reads[i], "\r\n\r\nslow");
        (void)close(reads[i]);
    }
    assert_int_equal(atomic_load(&house->n_inside_max), 1);
}

static void *stop_server(void *arg)
{
    struct house *house = arg;

    http_server_stop(house->server);
    house->server = NULL;
    return NULL;
}

static void test_a_stop_waits_for_who_is_inside_and_answers_them(void **state)
{
    struct house *house = *state;
    int inside = connect_to(house, 0);
    int idle = connect_to(house, 0);
    pthread_t stopper;
    char byte;

    atomic_store(&house->closed, true);
    ask(inside, "GET /slow", NULL);
    wait_inside(house, 1);
    assert_int_equal(pthread_create(&stopper, NULL, stop_server, house), 0);
    clock_sleep_ms(100);
    atomic_store(&house->closed, false);
    expect_answer(inside, "\r\n\r\nslow");
    assert_int_equal(pthread_join(stopper, NULL), 0);
    assert_int_equal(recv(idle, &byte, 1, 0), 0);
    (void)close(inside);
    (void)close(idle);
}

static void test_who_hangs_up_while_a_worker_has_the_request_harms_nobody(void **state)
{
    struct house *house = *state;

    atomic_store(&house->closed, true);
    for (int i = 0; i < 2; i++) {
        int fd = connect_to(house, 0);

        ask(fd, "GET /slow", NULL);
        wait_inside(house, i + 1);
        (void)close(fd);
    }
    atomic_store(&house->closed, false);
    int fd = connect_to(house, 0);
    ask(fd, "GET /slow", NULL);
    expect_answer(fd, "\r\n\r\nslow");
    (void)close(fd);
}

static void test_parameters(void **state)
{
    struct house *house = *state;
    int fd = connect_to(house, 0);

    ask(fd, "GET /echo?match[]=a%20b&x&match%5B%5D=c+d&match[]", NULL);
    expect_answer(fd, "[a b][c d][].");
    send_text(fd, "POST /echo?match[]=url HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n"
                  "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n\r\n"
                  "match[]=%7Bb%7D");
    expect_answer(fd, "[url][{b}].");
    (void)close(fd);
}

static void test_an_answer_past_its_ceiling_says_so(void **state)
{
    struct house *house = *state;
    int fd = connect_to(house, 0);

    ask(fd, "GET /large", NULL);
    expect_answer(fd, "the answer is larger than 1000 bytes");
    (void)close(fd);
}

/* The number behind the last "id: " in the text. */
static unsigned long long last_id(const struct str *got)
{
    const char *found = NULL;

    for (const char *at = str_text(got); (at = strstr(at, "id: ")); at++)
        found = at;
    return found ? strtoull(found + 4, NULL, 10) : 0;
}

static void test_a_stream_gets_every_event_and_goes_on_where_it_broke_off(void **state)
{
    struct house *house = *state;
    STR_AUTO struct str got = STR_INIT(ANSWER_MAX);
    char line[100];
    int fd = connect_to(house, 0);

    http_hub_publish(house->hub, "alerts", "{\"n\":0}");
    ask(fd, "GET /events", NULL);
    expect(fd, &got, "retry: 2000");
    for (int i = 1; i <= 50; i++) {
        (void)snprintf(line, sizeof(line), "{\"n\":%d}", i);
        http_hub_publish(house->hub, "alerts", line);
    }
    expect(fd, &got, "data: {\"n\":50}\n\n");
    assert_null(strstr(str_text(&got), "{\"n\":0}")); /* before it came */
    (void)close(fd);

    http_hub_publish(house->hub, "incident", "{\"n\":51}");
    http_hub_publish(house->hub, "incident", "{\"n\":52}");
    (void)snprintf(line, sizeof(line), "GET /events?last_event_id=%llu", last_id(&got));
    str_cut(&got, 0);
    fd = connect_to(house, 1);
    ask(fd, line, NULL);
    expect(fd, &got, "event: incident\ndata: {\"n\":52}\n\n");
    assert_non_null(strstr(str_text(&got), "data: {\"n\":51}"));
    assert_null(strstr(str_text(&got), "data: {\"n\":50}"));
    assert_null(strstr(str_text(&got), "event: lost"));

    for (int i = 0; i < 2000; i++) /* more than the ring holds, faster than we read */
        http_hub_publish(house->hub, "alerts", "{}");
    (void)snprintf(line, sizeof(line), "id: %llu\n", last_id(&got) + 2000);
    expect(fd, &got, line);
    (void)close(fd);
}

static void test_who_asks_for_more_than_the_ring_has_is_told(void **state)
{
    struct house *house = *state;
    STR_AUTO struct str got = STR_INIT(ANSWER_MAX);
    int fd = connect_to(house, 0);
    char line[100];

    ask(fd, "GET /events", NULL);
    expect(fd, &got, "retry: 2000");
    http_hub_publish(house->hub, "alerts", "{}");
    expect(fd, &got, "event: alerts");
    (void)close(fd);
    for (int i = 0; i < 1500; i++)
        http_hub_publish(house->hub, "alerts", "{}");
    fd = connect_to(house, 0);
    (void)snprintf(line, sizeof(line), "GET /events?last_event_id=%llu", last_id(&got));
    ask(fd, line, NULL);
    expect_answer(fd, "event: lost\ndata: {}\n\n");
    (void)close(fd);
}

static void *publish(void *arg)
{
    for (int i = 0; i < 3000; i++)
        http_hub_publish(arg, "alerts", "{\"some\":\"words\"}");
    return NULL;
}

static void test_publishers_and_readers_who_come_and_go(void **state)
{
    struct house *house = *state;
    pthread_t publishers[2];

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&publishers[i], NULL, publish, house->hub), 0);
    for (int i = 0; i < 60; i++) {
        int fd = connect_to(house, i % 2);

        ask(fd, "GET /events?last_event_id=1", NULL);
        expect_answer(fd, "event: ");
        (void)close(fd);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(publishers[i], NULL), 0);
}

static void test_counters(void **state)
{
    struct house *house = *state;
    struct http_stats stats;
    struct http_route_stats route;
    int fd = connect_to(house, 0);

    ask(fd, "GET /echo", NULL);
    expect_answer(fd, "\r\n\r\n.");
    ask(fd, "GET /nowhere", NULL);
    expect_answer(fd, "no such path");
    ask(fd, "FROB /echo", NULL);
    expect_answer(fd, "unknown method");
    (void)close(fd);
    http_server_stats(house->server, &stats);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.refused_by_gate, 1);
    for (int i = 0; i < 1000; i++) { /* counted when the answer has left */
        assert_true(http_server_route_stats(house->server, 3, &route));
        if (route.by_class[2])
            break;
        clock_sleep_ms(1);
    }
    assert_string_equal(route.pattern, "/echo");
    assert_int_equal(route.by_class[2], 1);
    assert_true(http_server_route_stats(house->server, 7, &route));
    assert_string_equal(route.pattern, "(none)");
    assert_false(http_server_route_stats(house->server, 8, &route));
}

static void test_what_does_not_start_says_why(void **state)
{
    static const char *const listens[] = {"127.0.0.1", "127.0.0.1:99999", "no.such.host.test:1",
                                          "192.0.2.1:1"};
    static const struct http_route *const tables[] = {routes, NULL};
    static const size_t n_routes[] = {1};

    for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++) {
        struct http_server *server = NULL;
        struct err err = {0};

        row("%s", listens[i]);
        int r = http_server_start(&(struct http_options){.listen = &listens[i],
                                                         .n_listen = 1,
                                                         .routes = tables,
                                                         .n_routes = n_routes,
                                                         .n_workers = 1},
                                  &server, &err);
        assert_true(r < 0);
        assert_null(server);
        assert_non_null(strstr(err.text, listens[i]));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_pile_of_queries_does_not_hold_up_an_acknowledgement),
        cmocka_unit_test_setup_teardown(test_reads_wait_for_their_turn, setup_one_read, teardown),
        TEST(test_a_stop_waits_for_who_is_inside_and_answers_them),
        TEST(test_who_hangs_up_while_a_worker_has_the_request_harms_nobody),
        TEST(test_parameters),
        TEST(test_an_answer_past_its_ceiling_says_so),
        TEST(test_a_stream_gets_every_event_and_goes_on_where_it_broke_off),
        TEST(test_who_asks_for_more_than_the_ring_has_is_told),
        TEST(test_publishers_and_readers_who_come_and_go),
        TEST(test_counters),
        cmocka_unit_test(test_what_does_not_start_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
