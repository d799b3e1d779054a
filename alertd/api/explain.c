/*
 * What a query cost, node by node: the query API's parameters, answered with a tree.
 *
 *   without `start` an instant query, with it a range query -> evaluate, recorded -> JSON
 */

#include "alertd/api/prom_call.h"
#include "lib/json/write.h"

enum {
    EXPR_BYTES_MAX = 1024 * 1024,
};

static void kv_ms(struct json_out *out, const char *name, int64_t duration_ns)
{
    json_kv_float(out, name, (double)duration_ns / 1e6);
}

static void kv_count(struct json_out *out, const char *name, size_t n)
{
    json_kv_int(out, name, (int64_t)n);
}

/* What the node is: its own part of the expression, and where that stands in the text. */
static void add_words(struct json_out *out, const struct promql_expr *expr)
{
    STR_AUTO struct str label = STR_INIT(EXPR_BYTES_MAX);
    size_t start;
    size_t end;

    promql_print_own(expr, &label);
    promql_span(expr, &start, &end);
    json_kv_string(out, "label", str_text(&label));
    json_kv_string(out, "kind", promql_kind_name(expr));
    json_kv_string(out, "type", prom_call_type_name(promql_expr_type(expr)));
    kv_count(out, "start", start);
    kv_count(out, "end", end);
    out->text->full |= label.full; /* half an expression is none: the reply is an error then */
}

static void add_node(struct json_out *out, const struct promql_explain *explain, size_t at)
{
    const struct promql_explain_node *node = &explain->nodes[at];
    int64_t whole_ns = explain->nodes[0].total_ns;

    json_open(out, '{');
    add_words(out, node->expr);
    kv_count(out, "evaluations", node->evaluations);
    kv_count(out, "steps", node->steps);
    kv_count(out, "series", node->series);
    kv_count(out, "points", node->points);
    kv_count(out, "samples", node->samples);
    kv_count(out, "bytes", node->bytes);
    kv_ms(out, "total_ms", node->total_ns);
    kv_ms(out, "self_ms", node->self_ns);
    json_kv_float(out, "share", whole_ns > 0 ? (double)node->self_ns / (double)whole_ns : 0);
    json_kv_bool(out, "hottest", at == explain->hottest);
    json_key(out, "children");
    json_open(out, '[');
    for (size_t child = at + 1; child <= at + node->n_below;
         child += explain->nodes[child].n_below + 1)
        add_node(out, explain, child);
    json_close(out, ']');
    json_close(out, '}');
}

static void reply(const struct prom_call *call, const struct promql_value *value)
{
    STR_AUTO struct str printed = STR_INIT(EXPR_BYTES_MAX);
    struct json_out out = JSON_OUT(&call->response->body);
    const struct promql_query *query = &call->query;
    size_t points = 0;

    promql_print(call->expr, &printed);
    for (size_t i = 0; i < value->n; i++)
        points += value->series[i].n;
    json_open(&out, '{');
    json_kv_string(&out, "expr", str_text(&printed));
    json_kv_string(&out, "type", prom_call_type_name(value->type));
    json_kv_time(&out, "start", query->start_ms);
    json_kv_time(&out, "end", query->end_ms);
    json_key(&out, "step_ms");
    if (query->step_ms)
        json_int(&out, query->step_ms);
    else
        json_null(&out);
    kv_count(&out, "steps", call->explain.steps);
    kv_count(&out, "series", value->n);
    kv_count(&out, "points", points);
    kv_count(&out, "samples", value->n_samples);
    kv_count(&out, "bytes", call->arena.used);
    kv_ms(&out, "parse_ms", call->parse_ns);
    kv_ms(&out, "total_ms", call->explain.nodes[0].total_ns);
    prom_call_add_notes(&out, "warnings", value->warnings, value->n_warnings, NULL);
    prom_call_add_notes(&out, "infos", value->infos, value->n_infos, NULL);
    json_key(&out, "tree");
    add_node(&out, &call->explain, 0);
    json_close(&out, '}');
    out.text->full |= printed.full;
}

void explain_query(void *context, struct http_request *request, struct http_response *response)
{
    struct prom_call call = {.api = context, .request = request, .response = response};
    struct promql_value value = {0};
    bool is_range = prom_call_parameter(&call, "start")[0] != 0;

    if (!(is_range ? prom_call_read_range(&call) : prom_call_read_instant(&call)))
        return;
    if (prom_call_evaluate(&call, true, &value))
        reply(&call, &value);
    prom_call_done(&call);
}
