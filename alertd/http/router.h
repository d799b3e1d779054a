#pragma once

/*
 * From a request's path to the row of a route table. Pure.
 *
 *   "/api/v1/label/{name}/values"   {…} takes one segment
 *   "/assets/"                      a trailing slash matches everything below it
 *   "/"                             only the root
 *   "/{page}"                       any first segment but api v2 - a c ical assets metrics
 *
 * A path is cut at its slashes first and unescaped after, so that %2F within a segment
 * stays within it. Of several rows that match, the one with the earlier literal wins:
 * /postmortems/templates before /postmortems/{id}.
 */

#include <stddef.h>

#include "alertd/http/http.h"

enum {
    ROUTER_E_PATH = 1,      /* no row has this path */
    ROUTER_E_METHOD = 2,    /* rows do, for other methods: ret_allow lists them */
    ROUTER_E_MALFORMED = 3, /* broken escapes, NUL, control characters, . or .. */
    ROUTER_E_LIMIT = 4,     /* the arena is spent */
    ROUTER_ALLOW_MAX = 64,
};

struct router {
    const struct http_route *const *tables;
    const size_t *n_rows;
    size_t n_tables;
};

/* NULL-terminated list of tables with their lengths, as in http_options. */
struct router router_of(const struct http_route *const *tables, const size_t *n_rows);
/* Rows that contradict each other (same method and pattern) or are malformed: -EINVAL. */
int router_check(const struct router *router, struct err *reterr);

struct router_hit {
    const struct http_route *route;
    size_t index;     /* of the row, counted over all tables */
    const char *path; /* decoded */
    const char *args[4];
};

/* raw_path is as it came, without the query. HEAD asks for GET. */
int router_find(const struct router *router,
                struct arena *arena,
                const char *method,
                const char *raw_path,
                struct router_hit *ret_hit,
                char *ret_allow);

/* Undoes %XX in text[0..len) (and + when plus_is_space): a NUL-terminated copy from the
 * arena, or NULL with *ret_code ROUTER_E_MALFORMED or ROUTER_E_LIMIT. */
char *router_unescape(
    struct arena *arena, const char *text, size_t len, bool plus_is_space, int *ret_code);
