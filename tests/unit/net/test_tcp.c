/*
 * Dialling: literals, names, refusals, deadlines.
 */

#include "lib/base/clock.h"
#include "lib/net/tcp.h"
#include "tests/lib/local_server.h"
#include "tests/lib/row.h"

static void serve(int connection, void *state)
{
    char line[100];

    if (local_server_read_until(connection, "\n", line, sizeof(line)))
        local_server_write(connection, "pong\n");
}

static void test_dial_and_speak(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    struct resolver *resolver = resolver_new();
    struct local_server server;

    local_server_start(&server, serve, NULL);
    for (size_t i = 0; i < 2; i++) {
        int64_t deadline_ms = clock_mono_ms() + 2000;
        struct tcp_dialled dialled;
        char text[INET6_ADDRSTRLEN];
        char room[20] = "";
        size_t len = 0;
        struct err err = {0};

        row("%s", hosts[i]);
        assert_int_equal(
            tcp_dial(resolver, hosts[i], (uint16_t)server.port, deadline_ms, &dialled, &err), 0);
        assert_string_equal(tcp_address_text(&dialled.peer, text), "127.0.0.1");
        assert_int_equal(tcp_send(dialled.fd, "ping\n", 5, deadline_ms), 0);
        assert_int_equal(tcp_receive(dialled.fd, room, sizeof(room) - 1, deadline_ms, &len), 0);
        assert_string_equal(room, "pong\n");
        assert_int_equal(tcp_receive(dialled.fd, room, sizeof(room), deadline_ms, &len), 0);
        assert_int_equal(len, 0); /* the end */
        (void)close(dialled.fd);
    }
    local_server_stop(&server);
    resolver_free(resolver);
}

static void test_nobody_there(void **state)
{
    struct resolver *resolver = resolver_new();
    struct tcp_dialled dialled;
    struct err err = {0};

    assert_int_equal(tcp_dial(resolver, "127.0.0.1", 1, clock_mono_ms() + 1000, &dialled, &err),
                     NET_E_CONNECT);
    assert_string_equal(err.text, "127.0.0.1: Connection refused");
    assert_int_equal(
        tcp_dial(resolver, "no-such-name.invalid", 1, clock_mono_ms() + 5000, &dialled, &err),
        NET_E_RESOLVE);
    assert_non_null(strstr(err.text, "no-such-name.invalid"));
    resolver_free(resolver);
}

/* A listener whose queue is full answers no more connections: the handshake hangs. */
static void test_a_handshake_that_hangs(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    struct resolver *resolver = resolver_new();
    struct tcp_dialled dialled;
    int kept[8];
    int n = 0;
    int r = 0;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    while (r == 0 && n < 8) {
        int64_t start_ms = clock_mono_ms();

        r = tcp_dial(resolver, "127.0.0.1", ntohs(address.sin_port), start_ms + 200, &dialled,
                     NULL);
        assert_true(clock_mono_ms() - start_ms < 1000);
        if (r == 0)
            kept[n++] = dialled.fd;
    }
    assert_int_equal(r, NET_E_TIMEOUT);
    while (n)
        (void)close(kept[--n]);
    (void)close(listener);
    resolver_free(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dial_and_speak),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_a_handshake_that_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
