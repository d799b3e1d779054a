/*
 * The gate: heads as they come over the wire, one row each, and the status they get.
 */

#include <string.h>

#include "alertd/http/gate.h"
#include "tests/lib/row.h"

/* "name: value" lines; a line without a colon is all name. */
static int judge(const char *method, const char *version, const char *target, const char *lines)
{
    struct gate gate;

    gate_start(&gate, method, version, target);
    while (*lines) {
        size_t len = strcspn(lines, "\n");
        const char *colon = memchr(lines, ':', len);
        size_t name_len = colon ? (size_t)(colon - lines) : len;
        const char *value = colon ? colon + 2 : lines + len;

        gate_header(&gate, lines, name_len, value, (size_t)(lines + len - value));
        lines += len + (lines[len] == '\n');
    }
    return gate_finish(&gate);
}

static void test_heads(void **state)
{
    static const struct {
        const char *name, *method, *version, *target, *lines;
        int status;
    } rows[] = {
        {"a plain one", "GET", "HTTP/1.1", "/a?b=%20c&d={\"x\"}", "Host: a", 0},
        {"HTTP/1.0 with a host", "GET", "HTTP/1.0", "/", "Host: a", 0},
        {"a body with a length", "POST", "HTTP/1.1", "/", "Host: a\nContent-Length: 3", 0},
        {"a chunked body", "PUT", "HTTP/1.1", "/", "Host: a\nTransfer-Encoding: chunked", 0},
        {"a length of nothing on a GET", "GET", "HTTP/1.1", "/", "Host: a\nContent-Length: 0", 0},
        {"no host", "GET", "HTTP/1.1", "/", "X: a", 400},
        {"two hosts", "GET", "HTTP/1.1", "/", "Host: a\nHost: a", 400},
        {"two equal lengths", "POST", "HTTP/1.1", "/",
         "Host: a\nContent-Length: 3\nContent-Length: 3", 400},
        {"a list of lengths", "POST", "HTTP/1.1", "/", "Host: a\nContent-Length: 3, 3", 400},
        {"a negative length", "POST", "HTTP/1.1", "/", "Host: a\nContent-Length: -1", 400},
        {"a length with a sign", "POST", "HTTP/1.1", "/", "Host: a\nContent-Length: +3", 400},
        {"a length in hex", "POST", "HTTP/1.1", "/", "Host: a\nContent-Length: 0x3", 400},
        {"a length past all numbers", "POST", "HTTP/1.1", "/",
         "Host: a\nContent-Length: 9999999999999999999", 400},
        {"an empty length", "POST", "HTTP/1.1", "/", "Host: a\nContent-Length: ", 400},
        {"a length beside chunking", "POST", "HTTP/1.1", "/",
         "Host: a\nContent-Length: 3\nTransfer-Encoding: chunked", 400},
        {"two encodings", "POST", "HTTP/1.1", "/",
         "Host: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked", 400},
        {"an unknown encoding", "POST", "HTTP/1.1", "/", "Host: a\nTransfer-Encoding: xchunked",
         400},
        {"a chain of encodings", "POST", "HTTP/1.1", "/",
         "Host: a\nTransfer-Encoding: gzip, chunked", 400},
        {"chunking in HTTP/1.0", "POST", "HTTP/1.0", "/", "Host: a\nTransfer-Encoding: chunked",
         400},
        {"a name with a space", "GET", "HTTP/1.1", "/", "Host: a\nX : b", 400},
        {"a name with a control character", "GET", "HTTP/1.1", "/", "Host: a\nX\tY: b", 400},
        {"no name", "GET", "HTTP/1.1", "/", "Host: a\n: b", 400},
        {"a carriage return in a value", "GET", "HTTP/1.1", "/", "Host: a\nX: b\rc", 400},
        {"a tab in a value", "GET", "HTTP/1.1", "/", "Host: a\nX: b\tc", 0},
        {"a body on a GET", "GET", "HTTP/1.1", "/", "Host: a\nContent-Length: 3", 400},
        {"a chunked GET", "GET", "HTTP/1.1", "/", "Host: a\nTransfer-Encoding: chunked", 400},
        {"an invented method", "FROB", "HTTP/1.1", "/", "Host: a", 400},
        {"a method in small letters", "get", "HTTP/1.1", "/", "Host: a", 400},
        {"another version", "GET", "HTTP/9.9", "/", "Host: a", 400},
        {"no version", "GET", "", "/", "Host: a", 400},
        {"a proxy's target", "GET", "HTTP/1.1", "http://evil/x", "Host: a", 400},
        {"a space in the target", "GET", "HTTP/1.1", "/a b", "Host: a", 400},
        {"a fragment", "GET", "HTTP/1.1", "/a#b", "Host: a", 400},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].name);
        assert_int_equal(judge(rows[i].method, rows[i].version, rows[i].target, rows[i].lines),
                         rows[i].status);
    }
}

static void test_ceilings(void **state)
{
    static char target[GATE_TARGET_MAX + 2];
    static char value[GATE_HEAD_MAX];
    struct gate gate;

    memset(target, 'a', sizeof(target) - 1);
    target[0] = '/';
    assert_int_equal(judge("GET", "HTTP/1.1", target, "Host: a"), 414);
    target[GATE_TARGET_MAX] = '\0';
    assert_int_equal(judge("GET", "HTTP/1.1", target, "Host: a"), 0);

    gate_start(&gate, "GET", "HTTP/1.1", "/");
    gate_header(&gate, "Host", 4, "a", 1);
    for (int i = 1; i < GATE_HEADERS_MAX; i++)
        gate_header(&gate, "a", 1, "b", 1);
    assert_int_equal(gate_finish(&gate), 0);
    gate_header(&gate, "a", 1, "b", 1);
    assert_int_equal(gate_finish(&gate), 431);

    memset(value, 'x', sizeof(value));
    gate_start(&gate, "GET", "HTTP/1.1", "/");
    gate_header(&gate, "Host", 4, "a", 1);
    gate_header(&gate, "X", 1, value, sizeof(value));
    assert_int_equal(gate_finish(&gate), 431);
}

static void test_hosts(void **state)
{
    static const char *const names[] = {"monitor.example"};
    static const struct {
        const char *host;
        bool ours;
    } rows[] = {
        {"localhost", true},       {"LocalHost:9797", true},      {"127.0.0.1:1", true},
        {"192.0.2.7:9797", true},  {"[::1]:9797", true},          {"[fe80::1]", true},
        {"monitor.example", true}, {"monitor.example:443", true}, {"evil.example", false},
        {"127.0.0.1.evil", false}, {"localhost.evil", false},     {"", false},
        {":9797", false},          {"localhost:", true},          {"localhost:x", false},
        {"[::1", false},           {"[localhost]", false},        {"monitor.example:1:2", false},
        {"2130706433", false},     {"monitor.example.", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].host);
        assert_int_equal(gate_host_is_ours(rows[i].host, names, 1), rows[i].ours);
    }
}

static void test_origins(void **state)
{
    static const struct {
        const char *origin, *host, *external;
        bool ours;
    } rows[] = {
        {"http://127.0.0.1:9797", "127.0.0.1:9797", NULL, true},
        {"http://127.0.0.1:9798", "127.0.0.1:9797", NULL, false},
        {"https://watch.example", "10.0.0.1:9797", "https://watch.example/bill", true},
        {"https://watch.example.evil", "10.0.0.1:9797", "https://watch.example/bill", false},
        {"https://watch", "10.0.0.1:9797", "https://watch.example", false},
        {"null", "127.0.0.1:9797", NULL, false},
        {"", "127.0.0.1:9797", "", false},
        {"file://127.0.0.1:9797", "127.0.0.1:9797", NULL, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s at %s", rows[i].origin, rows[i].host);
        assert_int_equal(gate_origin_is_ours(rows[i].origin, rows[i].host, rows[i].external),
                         rows[i].ours);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
