#pragma once

/*
 * What the probes of the network share: reading targets, and the families every one
 * of them has. Private to agent/probe.
 */

#include <stdint.h>

#include "agent/probe/samples.h"
#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

/* "host:port", "[2001:db8::1]:port". *ret_host is heap. 0 or YAML_E_TYPE. */
int net_target_host_port(const struct yaml_node *node,
                         char **ret_host,
                         uint16_t *ret_port,
                         struct err *reterr);

/* probe_dns_lookup_time_seconds, and with a peer's address (NULL: none was reached)
 * probe_ip_protocol and probe_ip_addr_hash. */
void net_target_add(struct samples *out, const char *peer, double lookup_seconds);
