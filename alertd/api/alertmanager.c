/*
 * Alertmanager's API v2: its routes, and what is small of it. See am.h.
 *
 * Where Prometheus has a path of the same name under /api/v1, Prometheus' is answered; the
 * rest of Alertmanager's API v1 is gone, as it is there.
 */

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "alertd/api/am.h"
#include "alertd/api/rules.h"
#include "lib/base/clock.h"

enum {
    WORDS_BYTES_MAX = 4096
};

/* --- what its files share --- */

void am_say(struct http_response *response, int status, const char *fmt, ...)
{
    STR_AUTO struct str words = STR_INIT(WORDS_BYTES_MAX);
    struct json_out out = JSON_OUT(&response->body);
    va_list ap;

    va_start(ap, fmt);
    str_addv(&words, fmt, ap);
    va_end(ap);
    str_cut(&response->body, 0);
    response->status = status;
    json_string(&out, str_text(&words));
}

void am_refuse(struct http_response *response, int status, int code, const char *fmt, ...)
{
    STR_AUTO struct str words = STR_INIT(WORDS_BYTES_MAX);
    struct json_out out = JSON_OUT(&response->body);
    va_list ap;

    va_start(ap, fmt);
    str_addv(&words, fmt, ap);
    va_end(ap);
    str_cut(&response->body, 0);
    response->status = status;
    json_open(&out, '{');
    json_kv_int(&out, "code", code);
    json_kv_string(&out, "message", str_text(&words));
    json_close(&out, '}');
}

bool am_read_filter(const struct http_request *request,
                    const char *name,
                    struct route_matchers *matchers,
                    struct http_response *response)
{
    const char *text = http_query_at(request, name, 0);

    for (size_t i = 1; text; i++) {
        size_t len = strlen(text);
        size_t before = matchers->n;
        struct err err = {0};

        if (len > 0 && (text[0] == '{' || text[len - 1] == '}')) {
            am_say(response, 400, "unexpected open or close brace: %s", text);
            return false;
        }
        int r = route_matchers_parse(text, ROUTE_GRAMMAR_BOTH, matchers, NULL, &err);

        if (r == 0 && matchers->n != before + 1)
            r = err_set(&err, ROUTE_MATCHERS_E_SYNTAX, "one matcher each");
        if (r) {
            bool no_matcher = strstr(err.text, "expected a matcher") != NULL;

            if (no_matcher)
                am_say(response, 400, "bad matcher format: %s", text);
            else
                am_say(response, 400, "%s: %s", err.text, text);
            return false;
        }
        text = http_query_at(request, name, i);
    }
    return true;
}

bool am_read_flag(const struct http_request *request, const char *name)
{
    static const char *const truths[] = {"true", "1",        "yes",     "ok", "y",
                                         "on",   "selected", "checked", "t",  "enabled"};
    const char *text = http_query(request, name);

    if (!text || !*text)
        return true;
    for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
        if (strcasecmp(text, truths[i]) == 0)
            return true;
    return false;
}

/* --- status, receivers --- */

/* Of the config only the tree's shape is told: the file has secrets. */
static void add_route(const struct route_node *node, unsigned depth, struct str *out)
{
    static const char blanks[] = "                                                            ";
    int indent = (int)(depth * 2 < sizeof(blanks) - 1 ? depth * 2 : sizeof(blanks) - 1);

    str_addf(out, "%.*s%sreceiver: %s\n", indent, blanks, depth > 1 ? "- " : "",
             node->receiver->name);
    if (depth > 1)
        indent += 2;
    if (node->n_matchers) {
        str_addf(out, "%.*smatchers:\n", indent, blanks);
        for (size_t i = 0; i < node->n_matchers; i++) {
            str_addf(out, "%.*s- ", indent, blanks);
            matcher_print(&node->matchers[i], out);
            str_addc(out, '\n');
        }
    }
    if (node->goes_on)
        str_addf(out, "%.*scontinue: true\n", indent, blanks);
    if (node->n_children)
        str_addf(out, "%.*sroutes:\n", indent, blanks);
    for (size_t i = 0; i < node->n_children; i++)
        add_route(&node->children[i], depth + 1 + (depth > 1), out);
}

static void write_config(struct json_out *out, const struct route_config *config)
{
    STR_AUTO struct str text = STR_INIT(1024 * 1024);

    str_addf(&text, "global:\n  resolve_timeout: %llds\nroute:\n",
             (long long)(config->resolve_timeout_ms / 1000));
    add_route(config->root, 1, &text);
    str_add(&text, "receivers:\n");
    for (size_t i = 0; i < config->n_receivers; i++)
        str_addf(&text, "- name: %s\n", config->receivers[i].name);
    json_key(out, "config");
    json_open(out, '{');
    json_kv_string(out, "original", str_text(&text));
    json_close(out, '}');
}

static void get_status(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);

    (void)request;
    json_open(&out, '{');
    json_key(&out, "cluster");
    json_raw(&out, "{\"peers\":[],\"status\":\"disabled\"}");
    write_config(&out, api->route);
    json_kv_time(&out, "uptime", api->started_ms);
    json_key(&out, "versionInfo");
    json_open(&out, '{');
    json_kv_string(&out, "version", API_ALERTMANAGER_VERSION);
    json_kv_string(&out, "revision", api->version);
    json_kv_string(&out, "branch", "watchbill");
    json_kv_string(&out, "buildUser", "");
    json_kv_string(&out, "buildDate", "");
    json_kv_string(&out, "goVersion", "");
    json_close(&out, '}');
    json_close(&out, '}');
}

static void get_receivers(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const struct api *api = context;
    const struct route_config *config = api->route;
    struct json_out out = JSON_OUT(&response->body);
    struct route_matchers filter = {0};

    if (am_read_filter(request, "receiver_matchers", &filter, response)) {
        json_open(&out, '[');
        for (size_t i = 0; i < config->n_receivers; i++) {
            const struct label name = {"name", config->receivers[i].name};
            const struct labels *labels = labels_new(&name, 1);

            if (matchers_match(filter.at, filter.n, labels)) {
                json_open(&out, '{');
                rules_json_labels(&out, "labels", labels);
                json_kv_string(&out, "name", config->receivers[i].name);
                json_close(&out, '}');
            }
            labels_unref(labels);
        }
        json_close(&out, ']');
    }
    route_matchers_done(&filter);
}

/* --- what is not there --- */

static void get_v1(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    (void)context;
    (void)request;
    response->status = 410;
    json_open(&out, '{');
    json_kv_string(&out, "status", "deprecated");
    json_kv_string(&out, "error",
                   "Alertmanager's API v1 is gone since its version 0.27.0: use /api/v2");
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"GET", "/api/v2/status", HTTP_SCOPE_READ, 0, get_status, "as Alertmanager"},
    {"GET", "/api/v2/receivers", HTTP_SCOPE_READ, 0, get_receivers, "as Alertmanager"},
    {"GET", "/api/v2/alerts", HTTP_SCOPE_READ, 0, am_get_alerts,
     "what fires, by fingerprint, as Alertmanager"},
    {"GET", "/api/v2/alerts/groups", HTTP_SCOPE_READ, 0, am_get_groups,
     "what fires, by notification group, as Alertmanager"},
    {"POST", "/api/v2/alerts", HTTP_SCOPE_PUSH, HTTP_BIG_BODY, am_post_alerts,
     "alerts of Prometheus and others, as Alertmanager takes them"},
    {"GET", "/api/v2/silences", HTTP_SCOPE_READ, 0, am_get_silences, "as Alertmanager"},
    {"POST", "/api/v2/silences", HTTP_SCOPE_OPERATE, 0, am_post_silences,
     "make or change a silence, as Alertmanager"},
    {"GET", "/api/v2/silence/{id}", HTTP_SCOPE_READ, 0, am_get_silence, "as Alertmanager"},
    {"DELETE", "/api/v2/silence/{id}", HTTP_SCOPE_OPERATE, 0, am_delete_silence,
     "expire a silence, as Alertmanager"},
    {"POST", "/api/v1/alerts", HTTP_SCOPE_NONE, HTTP_INLINE, get_v1,
     "410: Alertmanager's API v1 is gone"},
    {"GET", "/api/v1/alerts/groups", HTTP_SCOPE_NONE, HTTP_INLINE, get_v1, "410: the same"},
    {"GET", "/api/v1/silences", HTTP_SCOPE_NONE, HTTP_INLINE, get_v1, "410: the same"},
    {"POST", "/api/v1/silences", HTTP_SCOPE_NONE, HTTP_INLINE, get_v1, "410: the same"},
    {"GET", "/api/v1/silence/{id}", HTTP_SCOPE_NONE, HTTP_INLINE, get_v1, "410: the same"},
    {"DELETE", "/api/v1/silence/{id}", HTTP_SCOPE_NONE, HTTP_INLINE, get_v1, "410: the same"},
    {"GET", "/api/v1/receivers", HTTP_SCOPE_NONE, HTTP_INLINE, get_v1, "410: the same"},
};

const struct api_table api_alertmanager_routes = {routes, sizeof(routes) / sizeof(routes[0])};
