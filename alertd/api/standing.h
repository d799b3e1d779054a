#pragma once

/*
 * What fires and who is told of it, computed from one snapshot of rows by the same pure
 * functions as the pager's: routes, silences, inhibition, times.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/api/api.h"
#include "alertd/db/standing_db.h"
#include "alertd/route/inhibit.h"
#include "alertd/route/silence.h"
#include "alertd/route/tree.h"
#include "lib/model/fingerprint.h"

struct standing_view {
    const struct standing_alert *row;
    char fingerprint[FINGERPRINT_TEXT];
    const struct route_node **nodes; /* the routes it takes; one at least */
    size_t n_nodes;
    const struct silence **silenced_by;
    size_t n_silenced_by;
    char inhibited_by[FINGERPRINT_TEXT]; /* ""; the alert that does */
    const char *inhibit_rule;            /* its name; NULL: it has none */
};

struct standing {
    const struct route_config *config; /* a loan: configs stay valid */
    int64_t now_ms;
    struct arena arena;
    struct standing_view *at; /* by fingerprint */
    size_t n;
};

/* False when the reply is an error already; in any case standing_done(). */
bool standing_load(const struct api *api, struct standing *ret, struct http_response *response);
void standing_done(struct standing *standing);

/* The state that silences and inhibition give it. */
bool standing_is_suppressed(const struct standing_view *view);
/* The receivers' names, each once, in the routes' order; at most ROUTE_WALK_MAX. */
size_t standing_receivers(const struct standing_view *view, const char **ret_names);
/* How many of what fires the matchers match. */
size_t standing_count(const struct standing *standing, const struct matcher *matchers, size_t n);
