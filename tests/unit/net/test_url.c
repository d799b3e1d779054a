/*
 * Addresses taken apart, and where redirects lead.
 */

#include "lib/net/url.h"
#include "tests/lib/row.h"

static void test_parts(void **state)
{
    static const struct {
        const char *text, *host, *target;
        int port;
        bool is_https;
    } rows[] = {
        {"http://a.example", "a.example", "/", 80, false},
        {"HTTPS://a.example/x?y=1#z", "a.example", "/x?y=1", 443, true},
        {"http://a:8080?q", "a", "/?q", 8080, false},
        {"http://a:", "a", "/", 80, false},
        {"http://[2001:db8::1]:81/", "2001:db8::1", "/", 81, false},
        {"http://127.0.0.1/a:b@c", "127.0.0.1", "/a:b@c", 80, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct url url;

        row("%s", rows[i].text);
        assert_int_equal(url_parse(rows[i].text, &url, NULL), 0);
        assert_string_equal(url.host, rows[i].host);
        assert_string_equal(url.target, rows[i].target);
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.is_https, rows[i].is_https);
    }
}

static void test_what_is_no_address(void **state)
{
    static const char *const rows[] = {
        "",
        "ftp://a/",
        "http://",
        "http:///x",
        "http://a:0/",
        "http://a:65536/",
        "http://a:80x/",
        "http://[::1/",
        "http://ana:pw@a/",
        "http://a b/",
        "http://a/\r\nX: 1",
        "http://[evil]/",
        "http://a/\xc3\xa9",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct url url;
        struct err err = {0};

        row("%s", rows[i]);
        assert_int_equal(url_parse(rows[i], &url, &err), URL_E_SYNTAX);
        assert_true(err.text[0] == '"');
    }
}

static void test_redirects(void **state)
{
    static const struct {
        const char *base, *location, *expect; /* authority and target */
    } rows[] = {
        {"http://a:81/x/y?q", "/z", "a:81/z"},
        {"http://a:81/x/y?q", "z?r", "a:81/x/z?r"},
        {"http://a", "z", "a/z"},
        {"http://a/x", "https://b/c", "b/c"},
        {"https://a/x", "//b:444/c", "b:444/c"},
        {"http://[::1]:81/x", "/z", "[::1]:81/z"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct url base, url;
        char authority[300], got[3000];

        row("%s -> %s", rows[i].base, rows[i].location);
        assert_int_equal(url_parse(rows[i].base, &base, NULL), 0);
        assert_int_equal(url_resolve(&base, rows[i].location, &url, NULL), 0);
        (void)snprintf(got, sizeof(got), "%s%s",
                       url_authority(&url, false, authority, sizeof(authority)), url.target);
        assert_string_equal(got, rows[i].expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_what_is_no_address),
        cmocka_unit_test(test_redirects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
