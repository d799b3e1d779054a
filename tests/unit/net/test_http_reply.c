/*
 * Replies as servers send them, and as bad ones do: the whole exchange over a real
 * socket, one canned reply per row.
 */

#include "lib/base/clock.h"
#include "lib/net/http_exchange.h"
#include "tests/lib/local_server.h"
#include "tests/lib/row.h"

struct canned {
    const char *reply;
    size_t chop; /* send in pieces of this many bytes; 0: at once */
};

static void serve(int connection, void *state)
{
    const struct canned *canned = state;
    char request[4096];

    if (!local_server_read_until(connection, "\r\n\r\n", request, sizeof(request)))
        return;
    if (!canned->chop) {
        local_server_write(connection, canned->reply);
        return;
    }
    for (const char *at = canned->reply; *at;) {
        char piece[16];
        int n = snprintf(piece, sizeof(piece), "%.*s", (int)canned->chop, at);

        local_server_write(connection, piece);
        at += n < (int)canned->chop ? n : (int)canned->chop;
    }
}

static int get(const struct canned *canned,
               const char *method,
               struct http_exchange *ret_exchange,
               struct err *err)
{
    struct canned copy = *canned;
    struct local_server server;
    char url[64];
    struct http_transport *transport = http_transport_new(false);

    local_server_start(&server, serve, &copy);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);

    const struct http_request request = {
        .url = url, .method = method, .timeout_ms = 2000, .response_max = 20};
    int r = http_transport_send(transport, &request, ret_exchange, err);

    http_transport_free(transport);
    local_server_stop(&server);
    return r;
}

static void test_good_replies(void **state)
{
    static const struct {
        const char *name, *method, *reply;
        int status;
        int64_t content_length;
        const char *body;
        size_t total;
    } rows[] = {
        {"by length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, 2, "hi", 2},
        {"by length, line feeds alone", "GET", "HTTP/1.1 200 OK\ncontent-length:2\n\nhi", 200, 2,
         "hi", 2},
        {"to the end", "GET", "HTTP/1.0 404 No\r\n\r\ngone", 404, -1, "gone", 4},
        {"no words behind the status", "GET", "HTTP/1.1 204 \r\n\r\n", 204, -1, "", 0},
        {"chunks, an extension, a trailer", "GET",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
         200, -1, "abc0123456789", 13},
        {"more than is kept", "GET",
         "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n012345678901234567890123456789", 200, 30,
         "01234567890123456789", 30},
        {"an early hint first", "GET",
         "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200,
         2, "hi", 2},
        {"HEAD has a length and no body", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
         200, 9, "", 0},
        {"the same length twice", "GET",
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 200, 2, "hi", 2},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t chop = 0; chop < 3; chop++) {
            const struct canned canned = {rows[i].reply, chop};
            struct http_exchange exchange;
            struct err err = {0};

            row("%s, in pieces of %zu", rows[i].name, chop);
            assert_int_equal(get(&canned, rows[i].method, &exchange, &err), 0);
            assert_int_equal(exchange.status, rows[i].status);
            assert_int_equal(exchange.content_length, rows[i].content_length);
            assert_string_equal(exchange.body, rows[i].body);
            assert_int_equal(exchange.body_total, rows[i].total);
            assert_string_equal(exchange.peer, "127.0.0.1");
            http_exchange_done(&exchange);
        }
}

static void test_bad_replies(void **state)
{
    static const struct {
        const char *name, *reply, *words;
    } rows[] = {
        {"nothing", "", "ended before a reply"},
        {"not HTTP", "SSH-2.0-OpenSSH\r\n", "not an HTTP reply"},
        {"HTTP/2 without being asked", "HTTP/2 200\r\n\r\n", "not an HTTP reply"},
        {"no status", "HTTP/1.1 abc\r\n\r\n", "no status"},
        {"a status that is none", "HTTP/1.1 999 X\r\n\r\n", "no status"},
        {"the header breaks off", "HTTP/1.1 200 OK\r\nA: b\r\n", "broke off"},
        {"the body breaks off", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "broke off"},
        {"a chunk breaks off", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhi",
         "broke off"},
        {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
         "Content-Length"},
        {"a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi",
         "Content-Length"},
        {"a length and chunks",
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "both"},
        {"an encoding not asked for", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
         "not spoken"},
        {"a chunk's size that is none",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "chunk"},
        {"a chunk's size past all sense",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "chunk"},
        {"a line that is no field", "HTTP/1.1 200 OK\r\nhello\r\n\r\n", "header line"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct canned canned = {rows[i].reply, 0};
        struct http_exchange exchange;
        struct err err = {0};

        row("%s", rows[i].name);
        assert_int_equal(get(&canned, "GET", &exchange, &err), HTTP_E_REPLY);
        assert_non_null(strstr(err.text, rows[i].words));
        assert_non_null(strstr(err.text, "http://127.0.0.1:"));
    }
}

/* Sends header lines without end. */
static void flood(int connection, void *state)
{
    char request[4096];

    if (!local_server_read_until(connection, "\r\n\r\n", request, sizeof(request)))
        return;
    local_server_write(connection, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 5000; i++)
        local_server_write(connection, state
                                           ? "X-Flood: 0123456789012345678901234567890123456789\r\n"
                                           : "X0123456789012345678901234567890123456789");
}

static void test_a_header_without_end(void **state)
{
    for (int by_lines = 0; by_lines < 2; by_lines++) {
        struct local_server server;
        struct http_exchange exchange;
        struct http_transport *transport = http_transport_new(false);
        char url[64];
        struct err err = {0};

        row(by_lines ? "many lines" : "one line");
        local_server_start(&server, flood, by_lines ? &server : NULL);
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);

        const struct http_request request = {.url = url, .timeout_ms = 2000};

        assert_int_equal(http_transport_send(transport, &request, &exchange, &err), HTTP_E_REPLY);
        assert_non_null(strstr(err.text, "KiB"));
        http_transport_free(transport);
        local_server_stop(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_replies),
        cmocka_unit_test(test_bad_replies),
        cmocka_unit_test(test_a_header_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
