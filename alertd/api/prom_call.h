#pragma once

/*
 * One PromQL query of the API: its parameters, its arena, its limits, its errors. What
 * query, query_range and explain share.
 *
 *   read_instant() or read_range() -> evaluate() -> the caller renders -> done()
 *
 * Each answers false when the reply is an error already.
 */

#include <stdbool.h>
#include <stddef.h>

#include "alertd/api/api.h"
#include "alertd/api/prom_parts.h"
#include "alertd/promql/explain.h"
#include "alertd/promql/promql.h"
#include "lib/base/arena.h"
#include "lib/json/write.h"

enum {
    PROM_CALL_BYTES_MAX = 512 << 20, /* what one query may hold: 5,000 series of 11,000 points */
};

struct prom_call {
    const struct api *api;
    const struct http_request *request;
    struct http_response *response;
    struct arena arena;
    struct prom_parts parts; /* with the value, when it was made in parts */
    struct promql_query query;
    size_t limit; /* series in the reply; 0: all */
    struct promql_expr *expr;
    int64_t parse_ns, eval_ns;
    struct promql_explain explain; /* when asked for */
};

/* "" when it is not there. */
const char *prom_call_parameter(const struct prom_call *call, const char *name);

/* query at `time`, or at now. */
bool prom_call_read_instant(struct prom_call *call);
/* from `start` to `end` by `step`. */
bool prom_call_read_range(struct prom_call *call);

/* Parses and evaluates, with a record of every node when asked. In any case done() is due. */
bool prom_call_evaluate(struct prom_call *call, bool explained, struct promql_value *ret_value);
void prom_call_done(struct prom_call *call);

/* A parameter that can't be: always false. */
bool prom_call_refuse(struct http_response *response, const char *name, const char *words);
/* A text that is no expression. */
void prom_call_fail_parse(const struct prom_call *call,
                          const char *name,
                          const char *text,
                          const struct err *err);

/* --- What replies have in common ------------------------------------------------------------ */

/* "vector", ... */
const char *prom_call_type_name(enum promql_type type);
/* name: [...] with at most ten of the texts, as in Prometheus; `extra` (NULL: none) in front. */
void prom_call_add_notes(
    struct json_out *out, const char *name, const char *const *texts, size_t n, const char *extra);

/* explain.c */
http_handler explain_query;
