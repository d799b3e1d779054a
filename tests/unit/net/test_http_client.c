/*
 * One HTTP request with an end, against a real server that misbehaves in every
 * way the header promises to survive.
 */

#include <poll.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/net/http_client.h"
#include "tests/lib/local_server.h"
#include "tests/lib/row.h"

/* What the server says to every request, and the last request it read. */
struct script {
    const char *reply;
    size_t padding; /* bytes of 'x' behind the reply */
    bool is_silent; /* answer nothing until the client goes */
    char request[4096];
    char body[4096];
};

static void read_body(int connection, struct script *script)
{
    const char *field = strcasestr(script->request, "content-length:");
    size_t len = field ? strtoul(field + 15, NULL, 10) : 0;
    size_t got = 0;

    while (got < len && got + 1 < sizeof(script->body)) {
        ssize_t n = recv(connection, script->body + got, len - got, 0);

        if (n <= 0)
            break;
        got += (size_t)n;
    }
    script->body[got] = '\0';
}

static void serve(int connection, void *state)
{
    struct script *script = state;

    while (
        local_server_read_until(connection, "\r\n\r\n", script->request, sizeof(script->request))) {
        read_body(connection, script);
        if (script->is_silent) {
            struct pollfd gone = {.fd = connection, .events = POLLRDHUP};

            (void)poll(&gone, 1, 10000);
            return;
        }
        local_server_write(connection, script->reply);
        for (size_t i = 0; i < script->padding; i++)
            local_server_write(connection, "x");
        if (!strstr(script->reply, "Content-Length"))
            return; /* the end of the connection is the end of the reply */
    }
}

static int ask(struct http_client *client,
               const struct http_request *how,
               int port,
               const char *path,
               struct http_response *ret_response,
               struct err *err)
{
    char url[200];
    struct http_request request = *how;

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
    request.url = url;
    return http_client_send(client, &request, ret_response, err);
}

static void test_a_post_and_its_answer(void **state)
{
    struct script script = {.reply = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n"
                                     "Content-Length: 5\r\n\r\nlater"};
    static const struct http_header headers[] = {{"Authorization", "Bearer abc"},
                                                 {"Content-Type", "application/json"}};
    const struct http_request request = {
        .headers = headers, .n_headers = 2, .body = "{\"a\":1}", .body_len = 7};
    struct http_client *client = http_client_new();
    struct http_response reply;
    struct local_server server;

    local_server_start(&server, serve, &script);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(client, &request, server.port, "/hook?x=1", &reply, NULL), 0);
        assert_int_equal(reply.status, 503);
        assert_int_equal(reply.retry_after_ms, 7000);
        assert_string_equal(reply.body, "later");
        assert_int_equal(reply.body_len, 5);
        assert_false(reply.body_cut);
        assert_non_null(strstr(script.request, "POST /hook?x=1 HTTP/1.1\r\n"));
        assert_non_null(strstr(script.request, "Authorization: Bearer abc\r\n"));
        assert_string_equal(script.body, "{\"a\":1}");
        http_response_done(&reply);
    }
    assert_int_equal(server.n_connections, 1); /* kept open between the three */
    http_client_free(client);
    local_server_stop(&server);
}

static void test_a_redirect_is_an_answer_not_an_order(void **state)
{
    struct script script = {.reply = "HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\n"
                                     "Content-Length: 0\r\n\r\n"};
    struct http_client *client = http_client_new();
    struct http_response reply;
    struct local_server server;

    local_server_start(&server, serve, &script);
    assert_int_equal(ask(client, &(struct http_request){0}, server.port, "/", &reply, NULL), 0);
    assert_int_equal(reply.status, 302);
    assert_int_equal(reply.retry_after_ms, -1);
    http_response_done(&reply);
    http_client_free(client);
    local_server_stop(&server);
}

static void test_a_large_reply_is_cut(void **state)
{
    struct script script = {.reply = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
                            .padding = 70000};
    struct http_client *client = http_client_new();
    struct http_response reply;
    struct local_server server;

    local_server_start(&server, serve, &script);
    assert_int_equal(ask(client, &(struct http_request){0}, server.port, "/", &reply, NULL), 0);
    assert_int_equal(reply.body_len, HTTP_RESPONSE_MAX);
    assert_true(reply.body_cut);
    http_response_done(&reply);

    const struct http_request little = {.response_max = 10};

    assert_int_equal(ask(client, &little, server.port, "/", &reply, NULL), 0);
    assert_string_equal(reply.body, "xxxxxxxxxx");
    assert_true(reply.body_cut);
    http_response_done(&reply);
    http_client_free(client);
    local_server_stop(&server);
}

static void test_a_silent_server_costs_the_timeout_and_no_more(void **state)
{
    struct script script = {.is_silent = true};
    const struct http_request request = {.timeout_ms = 200};
    struct http_client *client = http_client_new();
    struct http_response reply;
    struct local_server server;
    struct err err;

    local_server_start(&server, serve, &script);
    int64_t start_ms = clock_mono_ms();
    assert_int_equal(ask(client, &request, server.port, "/", &reply, &err), HTTP_E_TIMEOUT);
    int64_t spent_ms = clock_mono_ms() - start_ms;
    assert_in_range(spent_ms, 190, 1000);
    http_client_free(client);
    local_server_stop(&server);
}

static void test_what_is_no_http_and_who_is_not_there(void **state)
{
    struct script script = {.reply = "220 mail.example ready\r\n"};
    struct http_client *client = http_client_new();
    struct http_response reply;
    struct local_server server;
    struct err err;

    local_server_start(&server, serve, &script);
    assert_int_equal(ask(client, &(struct http_request){0}, server.port, "/", &reply, &err),
                     HTTP_E_REPLY);
    assert_non_null(strstr(err.text, "127.0.0.1"));
    local_server_stop(&server);

    assert_int_equal(ask(client, &(struct http_request){0}, 1, "/", &reply, &err), HTTP_E_CONNECT);
    assert_string_equal(http_error_name(HTTP_E_CONNECT), "connect");
    http_client_free(client);
}

static void test_requests_that_are_refused_before_they_leave(void **state)
{
    static const struct http_header split[] = {{"X-Name", "a\r\nX-Evil: 1"}};
    static const struct {
        const char *name;
        struct http_request request;
    } rows[] = {
        {"another protocol", {.url = "file:///etc/passwd"}},
        {"no protocol", {.url = "example.org"}},
        {"a blank in the URL", {.url = "http://127.0.0.1:1/a b"}},
        {"a header that starts another",
         {.url = "http://127.0.0.1:1/", .headers = split, .n_headers = 1}},
    };
    struct http_client *client = http_client_new();
    struct http_response reply;
    struct err err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].name);
        assert_int_equal(http_client_send(client, &rows[i].request, &reply, &err), HTTP_E_REQUEST);
        assert_true(strlen(err.text) > 10);
    }
    http_client_free(client);
}

/* A TLS handshake with a server that speaks plain HTTP: the way through libcurl. */
static void test_https_to_a_plain_server_is_a_tls_error(void **state)
{
    struct script script = {.reply = "HTTP/1.1 400 Bad\r\n\r\n"};
    struct http_client *client = http_client_new();
    struct http_response reply;
    struct local_server server;
    char url[100];
    struct err err;

    local_server_start(&server, serve, &script);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server.port);

    const struct http_request request = {.url = url, .timeout_ms = 500};
    int r = http_client_send(client, &request, &reply, &err);

    assert_true(r == HTTP_E_TLS || r == HTTP_E_TIMEOUT); /* it waits for the end of a line */
    http_client_free(client);
    local_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_post_and_its_answer),
        cmocka_unit_test(test_a_redirect_is_an_answer_not_an_order),
        cmocka_unit_test(test_a_large_reply_is_cut),
        cmocka_unit_test(test_a_silent_server_costs_the_timeout_and_no_more),
        cmocka_unit_test(test_what_is_no_http_and_who_is_not_there),
        cmocka_unit_test(test_requests_that_are_refused_before_they_leave),
        cmocka_unit_test(test_https_to_a_plain_server_is_a_tls_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
