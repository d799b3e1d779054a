#pragma once

/*
 * A service of the catalogue: what a newcomer on call reads first. Whom it belongs to, what it
 * needs, what happens when it is down, and how good it is to be (SLOs).
 *
 *     {"owner":"shop team","tier":1,"description":"...","match":{"job":"shop"},
 *      "depends_on":["db"],"when_down":"orders are lost",
 *      "runbooks":[{"title","url"}],"dashboards":[{"title","url"}],"rules":["ShopSlow"],
 *      "slos":[{"name":"availability","objective":0.999,"window":"30d",
 *               "good":"sum(rate(http_requests_total{code!~\"5..\"}[$window]))","total":"..."}]}
 *
 * An incident is of a service when the labels of `match` are the incident's or one of its alerts';
 * without `match`, when their label `service` is its name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/json/read.h"
#include "lib/model/labels.h"

enum {
    SERVICE_E_INVALID = 1, /* words say which member */
    SERVICE_E_LIMIT = 2,
    SERVICE_NAME_MAX = 60,
    SERVICE_SLOS_MAX = 20,
    SERVICE_LIST_MAX = 100,
    SERVICE_TEXT_MAX = 8 * 1024,
};

struct service_slo {
    const char *name;
    double objective; /* 0.999 */
    int64_t window_ms;
    const char *good, *total; /* PromQL with $window in it: rates */
};

struct service {
    const char *name;
    const char *owner, *description, *when_down;
    int64_t tier; /* 0: not said */
    const struct labels *match;
    const char **depends_on;
    size_t n_depends_on;
    struct service_slo *slos;
    size_t n_slos;
};

/* "shop", "shop.checkout": letters, digits, dots, dashes and underscores. */
bool service_name_ok(const char *name);

/* Reads and checks a spec; texts are loans of the JSON, the rest is the arena's. */
int service_read(const char *name,
                 const struct json *spec,
                 struct arena *arena,
                 struct service *ret_service,
                 struct err *reterr);

/* Do these labels concern it? */
bool service_concerns(const struct service *service, const struct labels *labels);

/* The query with $window as this long. False past the limit of *out. */
bool service_query(const char *query, int64_t window_ms, struct str *out);

/* A Prometheus rule file that pages when the budgets burn: each of four windows with a short one
 * beside it, so that it ends soon after the burning does. */
void service_rules(const struct service *service, struct str *out);
