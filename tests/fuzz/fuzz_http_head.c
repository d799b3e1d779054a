/*
 * Any request head at all: "METHOD target version" and header lines. What passes the gate
 * and the router has no dot segments, no control characters and no NUL in its path, and
 * agreed lengths.
 */

#include <stdint.h>
#include <string.h>

#include "alertd/http/gate.h"
#include "alertd/http/router.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nothing(void *context, struct http_request *request, struct http_response *response)
{
    (void)context, (void)request, (void)response;
}

static const struct http_route routes[] = {
    {"GET", "/", 0, 0, nothing, "root"},
    {"GET", "/{page}", 0, 0, nothing, "one"},
    {"GET", "/{a}/{b}/{c}/{d}", 0, 0, nothing, "four"},
    {"POST", "/api/v1/label/{name}/values", 0, 0, nothing, "within"},
    {"GET", "/assets/", 0, 0, nothing, "all below"},
};

static void check_path(const char *path)
{
    if (path[0] != '/')
        UNREACHABLE("a path without a slash");
    if (strstr(path, "/../") || strstr(path, "/./"))
        UNREACHABLE("a path with dot segments");
    for (; *path; path++)
        if ((unsigned char)*path < ' ' || *path == '\\')
            UNREACHABLE("a path with what is no text");
}

static void find(const char *method, const char *target)
{
    static const struct http_route *const tables[] = {routes, NULL};
    static const size_t n_rows[] = {sizeof(routes) / sizeof(routes[0])};
    struct router router = router_of(tables, n_rows);
    ARENA_AUTO struct arena arena;
    struct router_hit hit;
    char allow[ROUTER_ALLOW_MAX];
    size_t len = strcspn(target, "?");

    arena_init(&arena, 64UL * 1024);
    const char *raw_path = arena_strndup(&arena, target, len);
    if (raw_path && router_find(&router, &arena, method, raw_path, &hit, allow) == 0)
        check_path(hit.path);
}

/* Takes the next word up to `end` from *at; its end becomes a NUL. */
static char *word(char **at, const char *end)
{
    char *from = *at;
    size_t len = strcspn(from, end);

    *at = from + len + (from[len] != '\0');
    from[len] = '\0';
    return from;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MEM_AUTO char *text = mem_strndup((const char *)data, size);
    char *at = text;
    const char *method = word(&at, " ");
    const char *target = word(&at, " ");
    const char *version = word(&at, "\n");
    struct gate gate;

    gate_start(&gate, method, version, target);
    while (*at) {
        const char *name = word(&at, ":");
        const char *value = word(&at, "\n");

        gate_header(&gate, name, strlen(name), value, strlen(value));
        (void)gate_host_is_ours(value, &name, 1);
        (void)gate_origin_is_ours(value, name, target);
    }
    if (gate_finish(&gate) == 0) {
        if (gate.n_hosts != 1 || gate.n_lengths + gate.n_encodings > 1)
            UNREACHABLE("a head that two readers read differently");
        find(method, target);
    }
    return 0;
}
