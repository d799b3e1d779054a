/*
 * The http probe: one request to one address, judged and timed. Under
 * blackbox_exporter's names.
 *
 *   target --GET--> 302 --GET--> 200      durations add up over the hops,
 *                                         the last answer is judged
 *
 * Success is: a status that is expected (any 2xx unless the config says which), a body
 * that matches body_regex and does not match body_regex_not, and for https a
 * certificate that holds.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/probe/net_target.h"
#include "agent/probe/probe.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/net/http_exchange.h"
#include "lib/net/url.h"
#include "lib/regex/regex.h"

enum {
    REDIRECTS_MAX = 10,
    HEADERS_MAX = 32,
    STATUSES_MAX = 32,
    BODY_KEPT_MAX = 256 * 1024, /* what the patterns see */
};

struct http_probe {
    struct http_transport *transport;
    char *target;
    char *method;
    char *body;
    char *ca_file;
    bool follow_redirects;
    struct http_header headers[HEADERS_MAX]; /* texts are header_texts' */
    char *header_texts[2 * HEADERS_MAX];
    size_t n_headers;
    int statuses[STATUSES_MAX];
    size_t n_statuses; /* 0: any 2xx */
    struct regex *match, *match_not;
};

static void http_done(void *state)
{
    struct http_probe *probe = state;

    if (!probe)
        return;
    http_transport_free(probe->transport);
    for (size_t i = 0; i < 2 * probe->n_headers; i++)
        free(probe->header_texts[i]);
    free(probe->target);
    free(probe->method);
    free(probe->body);
    free(probe->ca_file);
    regex_free(probe->match);
    regex_free(probe->match_not);
    free(probe);
}

/* A string field copied to the heap; absent leaves NULL. */
static int read_text(const struct yaml_node *map,
                     const char *key,
                     char **ret_text,
                     struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text;
    int r = node ? yaml_string(node, &text, reterr) : 0;

    if (node && r == 0)
        *ret_text = mem_strdup(text);
    return r;
}

static int read_regex(const struct yaml_node *map,
                      const char *key,
                      struct regex **ret_regex,
                      struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *pattern;
    struct err why = {0};
    int r = node ? yaml_string(node, &pattern, reterr) : 0;

    if (node && r == 0 && regex_new(pattern, ret_regex, &why))
        r = err_at(reterr, YAML_E_TYPE, node->line, node->column, "field \"%s\": %s", key,
                   why.text);
    return r;
}

static int read_headers(const struct yaml_node *map, struct http_probe *probe, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "headers");
    int r = node ? yaml_expect(node, YAML_MAP, "headers", reterr) : 0;

    if (!node || r)
        return r;
    if (node->n > HEADERS_MAX)
        return err_at(reterr, YAML_E_TYPE, node->line, node->column, "more than %d headers",
                      HEADERS_MAX);
    for (size_t i = 0; i < node->n; i++) {
        const char *value;

        r = yaml_string(node->items[i], &value, reterr);
        if (r)
            return r;
        char **texts = &probe->header_texts[2 * probe->n_headers];

        texts[0] = mem_strdup(node->keys[i]->text);
        texts[1] = mem_strdup(value);
        probe->headers[probe->n_headers++] = (struct http_header){texts[0], texts[1]};
    }
    return 0;
}

static int read_statuses(const struct yaml_node *map, struct http_probe *probe, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "expect_status");
    int r = node ? yaml_expect(node, YAML_LIST, "expect_status", reterr) : 0;

    if (!node || r)
        return r;
    for (size_t i = 0; i < node->n && i < STATUSES_MAX; i++) {
        int64_t status;

        r = yaml_int(node->items[i], &status, reterr);
        if (r)
            return r;
        if (status < 100 || status > 599)
            return err_at(reterr, YAML_E_TYPE, node->items[i]->line, node->items[i]->column,
                          "field \"expect_status\": a status is from 100 to 599");
        probe->statuses[probe->n_statuses++] = (int)status;
    }
    return 0;
}

static int read_target(const struct yaml_node *map, struct http_probe *probe, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "url");
    const char *text;
    struct url url;
    struct err why = {0};
    int r = yaml_string(node, &text, reterr);

    if (r)
        return r;
    if (url_parse(text, &url, &why))
        return err_at(reterr, YAML_E_TYPE, node->line, node->column, "field \"url\": %s", why.text);
    probe->target = mem_strdup(text);
    return 0;
}

static int read_all(const struct yaml_node *map, struct http_probe *probe, struct err *reterr)
{
    const struct yaml_node *follow = yaml_get(map, "follow_redirects");
    int r = read_target(map, probe, reterr);

    if (r == 0)
        r = read_text(map, "method", &probe->method, reterr);
    if (r == 0)
        r = read_text(map, "body", &probe->body, reterr);
    if (r == 0)
        r = read_text(map, "ca_file", &probe->ca_file, reterr);
    if (r == 0)
        r = read_headers(map, probe, reterr);
    if (r == 0)
        r = read_statuses(map, probe, reterr);
    if (r == 0)
        r = read_regex(map, "body_regex", &probe->match, reterr);
    if (r == 0)
        r = read_regex(map, "body_regex_not", &probe->match_not, reterr);
    if (r == 0 && follow)
        r = yaml_bool(follow, &probe->follow_redirects, reterr);
    return r;
}

static int http_configure(const struct yaml_node *map, void **ret_state, struct err *reterr)
{
    struct http_probe *probe = mem_zalloc(sizeof(*probe));
    int r;

    probe->follow_redirects = true;
    r = read_all(map, probe, reterr);
    if (r) {
        http_done(probe);
        return r;
    }
    probe->transport = http_transport_new(false);
    *ret_state = probe;
    return 0;
}

/* All hops of one run, added up. */
struct journey {
    double resolve, connect, tls, processing, transfer;
    int n_redirects;
    char url[URL_TARGET_MAX + URL_HOST_MAX + 32];
};

static void add_up(struct journey *journey, const struct http_exchange *exchange)
{
    journey->resolve += (double)exchange->resolve_us / 1e6;
    journey->connect += (double)exchange->connect_us / 1e6;
    journey->tls += (double)exchange->tls_us / 1e6;
    journey->processing += (double)exchange->processing_us / 1e6;
    journey->transfer += (double)exchange->transfer_us / 1e6;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The next hop's address into journey->url; *ret_is_elsewhere when it is another
 * server, which must not be shown our headers (they may hold a token). */
static int turn(struct journey *journey,
                const char *location,
                bool *ret_is_elsewhere,
                struct err *reterr)
{
    char authority[URL_HOST_MAX + 16];
    struct url here;
    struct url next;

    if (journey->n_redirects == REDIRECTS_MAX)
        return err_set(reterr, PROBE_E_FAILED, "more than %d redirects", REDIRECTS_MAX);
    if (url_parse(journey->url, &here, reterr) || url_resolve(&here, location, &next, reterr))
        return PROBE_E_FAILED;
    (void)snprintf(journey->url, sizeof(journey->url), "%s://%s%s",
                   next.is_https ? "https" : "http",
                   url_authority(&next, false, authority, sizeof(authority)), next.target);
    journey->n_redirects++;
    *ret_is_elsewhere = strcmp(here.host, next.host) != 0 || here.port != next.port;
    return 0;
}

/* Requests until something other than a redirect comes back. */
static int travel(const struct http_probe *probe,
                  int64_t deadline_ms,
                  struct journey *journey,
                  struct http_exchange *ret_last,
                  struct err *reterr)
{
    struct http_request request = {
        .method = probe->method,
        .headers = probe->headers,
        .n_headers = probe->n_headers,
        .body = probe->body,
        .body_len = probe->body ? strlen(probe->body) : 0,
        .response_max = probe->match || probe->match_not ? BODY_KEPT_MAX : 1,
        .ca_file = probe->ca_file,
    };

    (void)snprintf(journey->url, sizeof(journey->url), "%s", probe->target);
    for (;;) {
        struct http_exchange exchange;
        int64_t left_ms = deadline_ms - clock_mono_ms();
        int r;

        request.url = journey->url;
        request.timeout_ms = left_ms > 1 ? left_ms : 1;
        r = http_transport_send(probe->transport, &request, &exchange, reterr);
        if (r)
            return PROBE_E_FAILED;
        add_up(journey, &exchange);
        if (!probe->follow_redirects || !is_redirect(exchange.status) || !exchange.location[0]) {
            *ret_last = exchange;
            return 0;
        }

        bool is_elsewhere = false;

        r = turn(journey, exchange.location, &is_elsewhere, reterr);
        if (is_elsewhere)
            request.n_headers = 0;
        if (exchange.status == 303 || (exchange.status != 307 && exchange.status != 308)) {
            request.method = request.method && strcmp(request.method, "HEAD") == 0 ? "HEAD" : "GET";
            request.body = NULL;
            request.body_len = 0;
        }
        http_exchange_done(&exchange);
        if (r)
            return r;
    }
}

static const struct metric_family family_status = {"probe_http_status_code", METRIC_GAUGE,
                                                   "Status of the answer; 0: there was none."};
static const struct metric_family family_phases = {"probe_http_duration_seconds", METRIC_GAUGE,
                                                   "Time of each phase, all redirects added up."};
static const struct metric_family family_length = {
    "probe_http_content_length", METRIC_GAUGE, "Content-Length of the answer; -1: it had none."};
static const struct metric_family family_body = {"probe_http_uncompressed_body_length",
                                                 METRIC_GAUGE, "Bytes of the answer's body."};
static const struct metric_family family_redirects = {"probe_http_redirects", METRIC_GAUGE,
                                                      "Redirects that were followed."};
static const struct metric_family family_ssl = {"probe_http_ssl", METRIC_GAUGE,
                                                "1 when the last hop was over TLS."};
static const struct metric_family family_version = {"probe_http_version", METRIC_GAUGE,
                                                    "HTTP version of the answer."};
static const struct metric_family family_expiry = {
    "probe_ssl_earliest_cert_expiry", METRIC_GAUGE,
    "When the first certificate of the chain ends, Unix time."};
static const struct metric_family family_regex = {"probe_failed_due_to_regex", METRIC_GAUGE,
                                                  "1 when the body did not match as it should."};

static void report(const struct journey *journey,
                   const struct http_exchange *last,
                   struct samples *out)
{
    const struct {
        const char *name;
        double seconds;
    } phases[] = {
        {"resolve", journey->resolve},       {"connect", journey->connect},   {"tls", journey->tls},
        {"processing", journey->processing}, {"transfer", journey->transfer},
    };

    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
        samples_add_one(out, &family_phases, phases[i].seconds, "phase", phases[i].name);
    samples_add(out, &family_redirects, journey->n_redirects);
    samples_add(out, &family_status, last ? last->status : 0);
    net_target_add(out, last ? last->peer : NULL, journey->resolve);
    samples_add(out, &family_ssl, last && last->is_tls);
    if (!last)
        return;
    samples_add(out, &family_length, (double)last->content_length);
    samples_add(out, &family_body, (double)last->body_total);
    samples_add(out, &family_version, last->version);
    if (last->cert_expiry_ms)
        samples_add(out, &family_expiry, (double)last->cert_expiry_ms / 1000);
}

static bool status_is_good(const struct http_probe *probe, int status)
{
    for (size_t i = 0; i < probe->n_statuses; i++)
        if (probe->statuses[i] == status)
            return true;
    return probe->n_statuses == 0 && status >= 200 && status <= 299;
}

static int judge(const struct http_probe *probe,
                 const struct http_exchange *last,
                 struct samples *out,
                 struct err *reterr)
{
    bool misses = probe->match && !regex_matches_within(probe->match, last->body, last->body_len);
    bool hits = probe->match_not &&
                regex_matches_within(probe->match_not, last->body, last->body_len);

    samples_add(out, &family_regex, misses || hits);
    if (!status_is_good(probe, last->status))
        return err_set(reterr, PROBE_E_FAILED, "status %d", last->status);
    if (misses)
        return err_set(reterr, PROBE_E_FAILED, "the body does not match body_regex");
    if (hits)
        return err_set(reterr, PROBE_E_FAILED, "the body matches body_regex_not");
    return 0;
}

static int http_run(void *state,
                    const struct probe_run *run,
                    struct samples *out,
                    struct err *reterr)
{
    const struct http_probe *probe = state;
    struct journey journey = {0};
    struct http_exchange last = {0};
    int r = travel(probe, run->deadline_ms, &journey, &last, reterr);

    report(&journey, r == 0 ? &last : NULL, out);
    if (r)
        return r;
    r = judge(probe, &last, out, reterr);
    http_exchange_done(&last);
    return r;
}

static const char *const keys[] = {"method",           "headers",    "body",
                                   "expect_status",    "body_regex", "body_regex_not",
                                   "follow_redirects", "ca_file",    NULL};

const struct probe_kind probe_http = {
    .name = "http",
    .help = "a web address: status, body, certificate and the time of each phase",
    .job = "blackbox",
    .target_key = "url",
    .keys = keys,
    .configure = http_configure,
    .run = http_run,
    .done = http_done,
};
