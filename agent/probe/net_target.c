/*
 * What the probes of the network share. See net_target.h.
 */

#include "agent/probe/net_target.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

static int fail(const struct yaml_node *node, struct err *reterr)
{
    return err_at(reterr, YAML_E_TYPE, node->line, node->column,
                  "field \"address\": expected host:port, got \"%.100s\"", node->text);
}

int net_target_host_port(const struct yaml_node *node,
                         char **ret_host,
                         uint16_t *ret_port,
                         struct err *reterr)
{
    const char *text;
    int r = yaml_string(node, &text, reterr);

    if (r)
        return r;

    const char *colon = strrchr(text, ':');
    bool in_brackets = colon && text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    size_t port = 0;

    if (!colon || colon == text || (!in_brackets && memchr(text, ':', (size_t)(colon - text))))
        return fail(node, reterr);
    for (const char *at = colon + 1; *at; at++) {
        if (*at < '0' || *at > '9' || port > 65535)
            return fail(node, reterr);
        port = port * 10 + (size_t)(*at - '0');
    }
    if (port == 0 || port > 65535)
        return fail(node, reterr);
    *ret_host = in_brackets ? mem_strndup(text + 1, (size_t)(colon - text) - 2)
                            : mem_strndup(text, (size_t)(colon - text));
    *ret_port = (uint16_t)port;
    return 0;
}

/* FNV-1a, 32 bits (Fowler, Noll, Vo): a number that changes when the address does. */
static double hash_address(const char *peer)
{
    uint32_t hash = 2166136261U;

    for (; *peer; peer++)
        hash = (hash ^ (unsigned char)*peer) * 16777619U;
    return hash;
}

void net_target_add(struct samples *out, const char *peer, double lookup_seconds)
{
    static const struct metric_family lookup = {"probe_dns_lookup_time_seconds", METRIC_GAUGE,
                                                "How long the name took to look up."};
    static const struct metric_family protocol = {"probe_ip_protocol", METRIC_GAUGE,
                                                  "4 or 6: what the target was reached over."};
    static const struct metric_family address = {"probe_ip_addr_hash", METRIC_GAUGE,
                                                 "Changes when the target's address does."};

    samples_add(out, &lookup, lookup_seconds);
    if (!peer)
        return;
    samples_add(out, &protocol, strchr(peer, ':') ? 6 : 4);
    samples_add(out, &address, hash_address(peer));
}
