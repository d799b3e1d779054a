/*
 * From paths to routes.
 */

#include <errno.h>
#include <string.h>

#include "alertd/http/router.h"
#include "tests/lib/row.h"

static void nothing(void *context, struct http_request *request, struct http_response *response)
{
}

#define ROW(method, pattern)                                       \
    {                                                              \
        method, pattern, HTTP_SCOPE_NONE, 0, nothing, "for a test" \
    }

static const struct http_route first[] = {
    ROW("GET", "/"),
    ROW("GET", "/api/v1/label/{name}/values"),
    ROW("GET", "/postmortems/{id}"),
    ROW("GET", "/postmortems/templates"),
    ROW("POST", "/postmortems/{id}"),
};
static const struct http_route second[] = {
    ROW("GET", "/assets/"),
    ROW("GET", "/assets/{name}"),
    ROW("POST", "/push"),
    ROW("GET", "/{page}/{key}"),
};
static const struct http_route *const tables[] = {first, second, NULL};
static const size_t n_rows[] = {5, 4};

static const struct {
    const char *method, *path;
    int code;
    int index;
    const char *arg;
    const char *decoded;
} path_rows[] = {
    {"GET", "/", 0, 0, NULL, "/"},
    {"HEAD", "/", 0, 0, NULL, "/"},
    {"GET", "/api/v1/label/job/values", 0, 1, "job", "/api/v1/label/job/values"},
    {"GET", "/api/v1/label/a%2Fb/values", 0, 1, "a/b", "/api/v1/label/a/b/values"},
    {"GET", "/api/v1/label//values", ROUTER_E_PATH, 0, NULL, NULL},
    {"GET", "/api/v1/label/job/values/", ROUTER_E_PATH, 0, NULL, NULL},
    {"GET", "/postmortems/7", 0, 2, "7", "/postmortems/7"},
    {"GET", "/postmortems/templates", 0, 3, NULL, "/postmortems/templates"},
    {"POST", "/postmortems/templates", 0, 4, "templates", "/postmortems/templates"},
    {"GET", "/assets/js/app.js", 0, 5, "js/app.js", "/assets/js/app.js"},
    {"GET", "/assets/app.js", 0, 6, "app.js", "/assets/app.js"},
    {"GET", "/assets/", 0, 5, "", "/assets/"},
    {"GET", "/assets", ROUTER_E_PATH, 0, NULL, NULL},
    {"GET", "/i/INC-1", 0, 8, "i", "/i/INC-1"},
    {"GET", "/api/x", ROUTER_E_PATH, 0, NULL, NULL},
    {"POST", "/-/x", ROUTER_E_PATH, 0, NULL, NULL},
    {"GET", "/nowhere", ROUTER_E_PATH, 0, NULL, NULL},
    {"GET", "/postmortems", ROUTER_E_PATH, 0, NULL, NULL},
    {"GET", "/push", ROUTER_E_METHOD, 0, NULL, NULL},
    {"GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", ROUTER_E_PATH, 0, NULL, NULL},
    {"GET", "/../etc/passwd", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/%2e%2e/x", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/%2e%2e%2fx", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/x%2f..", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/./x", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/x%5cy", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/x%00", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/x%0a", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/x%4", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/x%4g", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/x%", ROUTER_E_MALFORMED, 0, NULL, NULL},
    {"GET", "/assets/%41", 0, 6, "A", "/assets/A"},
};

static void test_paths(void **state)
{
    struct router router = router_of(tables, n_rows);

    for (size_t i = 0; i < sizeof(path_rows) / sizeof(path_rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct router_hit hit = {0};
        char allow[ROUTER_ALLOW_MAX];

        row("%s %s", path_rows[i].method, path_rows[i].path);
        arena_init(&arena, 4096);
        assert_int_equal(
            router_find(&router, &arena, path_rows[i].method, path_rows[i].path, &hit, allow),
            path_rows[i].code);
        if (path_rows[i].code)
            continue;
        assert_int_equal(hit.index, path_rows[i].index);
        assert_string_equal(hit.path, path_rows[i].decoded);
        if (path_rows[i].arg)
            assert_string_equal(hit.args[0], path_rows[i].arg);
        else
            assert_null(hit.args[0]);
    }
}

static void test_another_method_lists_what_is_allowed(void **state)
{
    struct router router = router_of(tables, n_rows);
    ARENA_AUTO struct arena arena;
    struct router_hit hit;
    char allow[ROUTER_ALLOW_MAX];

    arena_init(&arena, 4096);
    assert_int_equal(router_find(&router, &arena, "DELETE", "/postmortems/7", &hit, allow),
                     ROUTER_E_METHOD);
    assert_string_equal(allow, "GET, HEAD, POST");
}

static void test_no_memory_is_an_answer_at_every_limit(void **state)
{
    struct router router = router_of(tables, n_rows);
    char allow[ROUTER_ALLOW_MAX];
    size_t limit = 0;
    int r = ROUTER_E_LIMIT;

    for (; r != 0 && limit < 4096; limit++) {
        ARENA_AUTO struct arena arena;
        struct router_hit hit = {0};

        arena_init(&arena, limit);
        r = router_find(&router, &arena, "GET", "/assets/js/app.js", &hit, allow);
        assert_true(r == 0 || r == ROUTER_E_LIMIT);
    }
    assert_int_equal(r, 0);
    assert_true(limit > 32);
}

static void test_tables_that_contradict_themselves_do_not_start(void **state)
{
    static const struct http_route *const twice[] = {first, first, NULL};
    static const size_t lengths[] = {5, 1};
    static const struct http_route broken[] = {{"GET", "/x", 0, 0, NULL, "no handler"}};
    static const struct http_route *const without[] = {broken, NULL};
    static const size_t one[] = {1};
    struct router router = router_of(tables, n_rows);
    struct err err = {0};

    assert_int_equal(router_check(&router, &err), 0);
    router = router_of(twice, lengths);
    assert_int_equal(router_check(&router, &err), -EINVAL);
    assert_string_equal(err.text, "two routes for GET /");
    router = router_of(without, one);
    assert_int_equal(router_check(&router, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_another_method_lists_what_is_allowed),
        cmocka_unit_test(test_no_memory_is_an_answer_at_every_limit),
        cmocka_unit_test(test_tables_that_contradict_themselves_do_not_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
