/*
 * The tcp probe: connects, says something if told to, and waits for an answer that
 * matches. Under blackbox_exporter's names.
 */

#include "lib/net/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/probe/net_target.h"
#include "agent/probe/probe.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/regex/regex.h"

enum {
    ANSWER_MAX = 8 * 1024 /* bytes of the answer that are looked at */
};

struct tcp_probe {
    struct resolver *resolver;
    char *host;
    uint16_t port;
    char *send;
    struct regex *expect;
};

static const struct metric_family family_regex = {
    "probe_failed_due_to_regex", METRIC_GAUGE,
    "1 when the answer did not match what was expected."};

static void tcp_done(void *state)
{
    struct tcp_probe *probe = state;

    if (!probe)
        return;
    resolver_free(probe->resolver);
    free(probe->host);
    free(probe->send);
    regex_free(probe->expect);
    free(probe);
}

static int read_expect(const struct yaml_node *map, struct tcp_probe *probe, struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, "expect");
    const char *pattern;
    struct err why = {0};
    int r = node ? yaml_string(node, &pattern, reterr) : 0;

    if (node && r == 0 && regex_new(pattern, &probe->expect, &why))
        r = err_at(reterr, YAML_E_TYPE, node->line, node->column, "field \"expect\": %s", why.text);
    return r;
}

static int tcp_configure(const struct yaml_node *map, void **ret_state, struct err *reterr)
{
    struct tcp_probe *probe = mem_zalloc(sizeof(*probe));
    const struct yaml_node *send = yaml_get(map, "send");
    const char *text = NULL;
    int r = net_target_host_port(yaml_get(map, "address"), &probe->host, &probe->port, reterr);

    if (r == 0 && send)
        r = yaml_string(send, &text, reterr);
    if (r == 0)
        r = read_expect(map, probe, reterr);
    if (r) {
        tcp_done(probe);
        return r;
    }
    probe->send = text ? mem_strdup(text) : NULL;
    probe->resolver = resolver_new();
    *ret_state = probe;
    return 0;
}

static int fail(int code, struct err *reterr)
{
    const char *what = code == NET_E_TIMEOUT ? "no answer in time" : "the connection was reset";

    return err_set(reterr, PROBE_E_FAILED, "%s", what);
}

/* Reads until what came matches; the end of the stream or of the room is a mismatch. */
static int await(const struct tcp_probe *probe,
                 int fd,
                 int64_t deadline_ms,
                 struct samples *out,
                 struct err *reterr)
{
    char answer[ANSWER_MAX];
    size_t len = 0;
    size_t got = 1;
    int r = 0;

    while (r == 0 && got && len < sizeof(answer)) {
        r = tcp_receive(fd, answer + len, sizeof(answer) - len, deadline_ms, &got);
        if (r == 0)
            len += got;
        if (r == 0 && regex_matches_within(probe->expect, answer, len)) {
            samples_add(out, &family_regex, 0);
            return 0;
        }
    }
    samples_add(out, &family_regex, 1);
    if (r)
        return fail(r, reterr);
    return err_set(reterr, PROBE_E_FAILED, "the answer (%zu bytes) does not match", len);
}

static int tcp_run(void *state,
                   const struct probe_run *run,
                   struct samples *out,
                   struct err *reterr)
{
    struct tcp_probe *probe = state;
    struct tcp_dialled dialled;
    char peer[INET6_ADDRSTRLEN];
    int64_t start_us = clock_mono_us();
    int r = tcp_dial(probe->resolver, probe->host, probe->port, run->deadline_ms, &dialled, reterr);

    if (r) {
        net_target_add(out, NULL, (double)(clock_mono_us() - start_us) / 1e6);
        return PROBE_E_FAILED;
    }
    net_target_add(out, tcp_address_text(&dialled.peer, peer), (double)dialled.resolve_us / 1e6);
    if (probe->send) {
        r = tcp_send(dialled.fd, probe->send, strlen(probe->send), run->deadline_ms);
        if (r)
            r = fail(r, reterr);
    }
    if (r == 0 && probe->expect)
        r = await(probe, dialled.fd, run->deadline_ms, out, reterr);
    (void)close(dialled.fd);
    return r;
}

static const char *const keys[] = {"send", "expect", NULL};

const struct probe_kind probe_tcp = {
    .name = "tcp",
    .help = "a TCP connection, what to say on it and what to expect",
    .job = "blackbox",
    .target_key = "address",
    .keys = keys,
    .configure = tcp_configure,
    .run = tcp_run,
    .done = tcp_done,
};
