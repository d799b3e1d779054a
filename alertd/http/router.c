/*
 * From a path to a route. See router.h.
 */

#include "alertd/http/router.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    SEGMENTS_MAX = 15,
    ARGS_MAX = 4,
};

struct path {
    const char *segments[SEGMENTS_MAX]; /* decoded */
    size_t n;
};

struct router router_of(const struct http_route *const *tables, const size_t *n_rows)
{
    struct router router = {tables, n_rows, 0};

    while (tables[router.n_tables])
        router.n_tables++;
    return router;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *router_unescape(
    struct arena *arena, const char *text, size_t len, bool plus_is_space, int *ret_code)
{
    char *copy = arena_alloc(arena, len + 1);
    size_t n = 0;

    *ret_code = ROUTER_E_LIMIT;
    if (!copy)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '%') {
            int high = i + 2 < len ? hex(text[i + 1]) : -1;
            int low = high >= 0 ? hex(text[i + 2]) : -1;

            *ret_code = ROUTER_E_MALFORMED;
            if (low < 0 || (high == 0 && low == 0))
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        copy[n++] = c;
    }
    *ret_code = 0;
    return copy;
}

/* No dot segments, not even behind an escaped slash, and nothing that is not text. */
static bool is_clean_segment(const char *segment)
{
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0 ||
        strncmp(segment, "../", 3) == 0 || strstr(segment, "/.."))
        return false;
    for (; *segment; segment++)
        if ((unsigned char)*segment < ' ' || *segment == 127 || *segment == '\\')
            return false;
    return true;
}

/* ROUTER_E_PATH when it has more segments than any route. */
static int split(struct arena *arena, const char *raw_path, struct path *ret_path)
{
    const char *at = raw_path;
    int code = 0;

    ret_path->n = 0;
    while (*at == '/') {
        size_t len = strcspn(++at, "/");
        const char *segment = router_unescape(arena, at, len, false, &code);

        if (!segment)
            return code;
        if (!is_clean_segment(segment))
            return ROUTER_E_MALFORMED;
        if (ret_path->n == SEGMENTS_MAX)
            return ROUTER_E_PATH;
        ret_path->segments[ret_path->n++] = segment;
        at += len;
    }
    return ret_path->n ? 0 : ROUTER_E_MALFORMED;
}

static char *join(struct arena *arena, const struct path *path, size_t from)
{
    size_t size = 1;
    char *text;
    char *at;

    for (size_t i = from; i < path->n; i++)
        size += strlen(path->segments[i]) + 1;
    text = arena_alloc(arena, size);
    if (!text)
        return NULL;
    at = text;
    for (size_t i = from; i < path->n; i++) {
        size_t len = strlen(path->segments[i]);

        if (i > from || from == 0)
            *at++ = '/';
        memcpy(at, path->segments[i], len);
        at += len;
    }
    return text;
}

/* Whether a path's first segment belongs to the API whatever follows: an argument in a
 * pattern's first place ("/{page}") does not stand for it, so that an unknown API path is
 * never a page. */
static bool is_reserved(const char *segment)
{
    static const char *const names[] = {"api", "v2", "-", "a", "c", "ical", "assets", "metrics"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(segment, names[i]) == 0)
            return true;
    return false;
}

/* The length of a literal segment, which the pattern's at hand must be; 0: it is another. Most routes
 * end at their first letter that differs. */
static size_t same_literal(const char *pattern, const char *segment)
{
    size_t len = 0;

    while (segment[len] && pattern[len] == segment[len])
        len++;
    return segment[len] || (pattern[len] && pattern[len] != '/') ? 0 : len;
}

/* How well a pattern fits, higher is better: two bits for each segment, the first the
 * most significant: 3 literal, 2 argument, 1 "all below". 0: not at all. The segments
 * that {…} took go to args; the first of "all below" to *ret_rest. */
static unsigned fit(const char *pattern,
                    const struct path *path,
                    const char **args,
                    size_t *ret_rest)
{
    unsigned score = 0;
    size_t n_args = 0;
    size_t i = 0;

    *ret_rest = 0;
    for (; *pattern == '/'; i++) {
        bool is_empty = *++pattern == '/' || !*pattern;
        unsigned value = 3;

        if (i == path->n)
            return 0;
        if (is_empty && i > 0) {
            *ret_rest = i;
            return (score << 2 | 1) << 2 * (SEGMENTS_MAX - i - 1);
        }
        if (pattern[0] == '{') {
            if (!path->segments[i][0] || n_args == ARGS_MAX ||
                (i == 0 && is_reserved(path->segments[i])))
                return 0;
            args[n_args++] = path->segments[i];
            value = 2;
            pattern += strcspn(pattern, "/");
        } else {
            size_t len = same_literal(pattern, path->segments[i]);

            if (len == 0 && !(is_empty && !path->segments[i][0]))
                return 0;
            pattern += len;
        }
        score = score << 2 | value;
    }
    return i == path->n ? score << 2 * (SEGMENTS_MAX - i) : 0;
}

static void add_allowed(char *allow, const char *method)
{
    size_t len = strlen(allow);

    if (strstr(allow, method))
        return;
    (void)snprintf(allow + len, ROUTER_ALLOW_MAX - len, "%s%s%s", len ? ", " : "", method,
                   strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

int router_find(const struct router *router,
                struct arena *arena,
                const char *method,
                const char *raw_path,
                struct router_hit *ret_hit,
                char *ret_allow)
{
    struct path path;
    struct router_hit hit = {0};
    unsigned best = 0;
    size_t rest = 0;
    size_t index = 0;
    int r = split(arena, raw_path, &path);

    if (r != 0)
        return r;
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    ret_allow[0] = '\0';
    for (size_t t = 0; t < router->n_tables; t++) {
        for (size_t i = 0; i < router->n_rows[t]; i++, index++) {
            const struct http_route *route = &router->tables[t][i];
            const char *args[ARGS_MAX] = {0};
            size_t below;
            unsigned score = fit(route->pattern, &path, args, &below);

            if (score)
                add_allowed(ret_allow, route->method);
            if (score <= best || strcmp(route->method, method) != 0)
                continue;
            best = score;
            rest = below;
            hit.route = route;
            hit.index = index;
            memcpy(hit.args, args, sizeof(args));
        }
    }
    if (!hit.route)
        return ret_allow[0] ? ROUTER_E_METHOD : ROUTER_E_PATH;
    hit.path = join(arena, &path, 0);
    if (rest)
        hit.args[0] = join(arena, &path, rest);
    if (!hit.path || (rest && !hit.args[0]))
        return ROUTER_E_LIMIT;
    *ret_hit = hit;
    return 0;
}

static int check_row(const struct http_route *route, struct err *reterr)
{
    if (route->pattern[0] != '/' || !route->handler || !route->doc)
        return err_set(reterr, -EINVAL, "route %s %s: pattern, handler or doc is missing",
                       route->method, route->pattern);
    return 0;
}

static const struct http_route *row_at(const struct router *router, size_t index)
{
    for (size_t t = 0; t < router->n_tables; t++) {
        if (index < router->n_rows[t])
            return &router->tables[t][index];
        index -= router->n_rows[t];
    }
    return NULL;
}

int router_check(const struct router *router, struct err *reterr)
{
    const struct http_route *a;
    const struct http_route *b;

    for (size_t i = 0; (a = row_at(router, i)); i++) {
        int r = check_row(a, reterr);

        if (r != 0)
            return r;
        for (size_t j = 0; j < i && (b = row_at(router, j)); j++)
            if (strcmp(a->method, b->method) == 0 && strcmp(a->pattern, b->pattern) == 0)
                return err_set(reterr, -EINVAL, "two routes for %s %s", a->method, a->pattern);
    }
    return 0;
}
