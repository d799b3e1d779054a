/*
 * The host probe's collectors of the network's counters. See host.h.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/probe/host.h"

static bool device_is_excluded(const struct host *host, const char *device)
{
    return host->device_exclude &&
           regex_matches_within(host->device_exclude, device, strlen(device));
}

/* The sixteen columns of /proc/net/dev, receiving first. */
static const struct metric_family device_columns[] = {
    {"node_network_receive_bytes_total", METRIC_COUNTER, "Bytes received."},
    {"node_network_receive_packets_total", METRIC_COUNTER, "Packets received."},
    {"node_network_receive_errs_total", METRIC_COUNTER, "Packets received broken."},
    {"node_network_receive_drop_total", METRIC_COUNTER, "Packets received and dropped."},
    {"node_network_receive_fifo_total", METRIC_COUNTER, "Packets lost to a full buffer."},
    {"node_network_receive_frame_total", METRIC_COUNTER, "Frames received misaligned."},
    {"node_network_receive_compressed_total", METRIC_COUNTER, "Compressed packets received."},
    {"node_network_receive_multicast_total", METRIC_COUNTER, "Multicast packets received."},
    {"node_network_transmit_bytes_total", METRIC_COUNTER, "Bytes sent."},
    {"node_network_transmit_packets_total", METRIC_COUNTER, "Packets sent."},
    {"node_network_transmit_errs_total", METRIC_COUNTER, "Packets that could not be sent."},
    {"node_network_transmit_drop_total", METRIC_COUNTER, "Packets dropped before sending."},
    {"node_network_transmit_fifo_total", METRIC_COUNTER, "Packets lost to an empty buffer."},
    {"node_network_transmit_colls_total", METRIC_COUNTER, "Collisions."},
    {"node_network_transmit_carrier_total", METRIC_COUNTER, "Losses of the carrier in sending."},
    {"node_network_transmit_compressed_total", METRIC_COUNTER, "Compressed packets sent."},
};

/* "  eth0: 1234 12 0 ..." below two lines of headings */
int host_netdev(struct host *host, struct samples *out)
{
    char *text;
    char *line;
    int r = host_read(host, HOST_NET_DEV, &text);

    if (r)
        return r;
    while ((line = text_line(&text))) {
        char *colon = strrchr(line, ':'); /* an alias has one in its name */
        const char *device;

        if (!colon || strchr(line, '|'))
            continue;
        *colon = '\0';
        device = text_word(&line);
        line = colon + 1;
        if (!device || device_is_excluded(host, device))
            continue;
        for (size_t i = 0; i < sizeof(device_columns) / sizeof(device_columns[0]); i++) {
            const char *word = text_word(&line);

            if (word)
                samples_add_one(out, &device_columns[i], text_number(word), "device", device);
        }
    }
    return 0;
}

/* What node_exporter keeps of /proc/net/{snmp,netstat} by default. */
static const struct {
    const char *protocol, *field;
    struct metric_family family;
} netstat_rows[] = {
#define ROW(protocol, field, help)                                     \
    {                                                                  \
#protocol, #field,                                             \
        {                                                              \
            "node_netstat_" #protocol "_" #field, METRIC_UNKNOWN, help \
        }                                                              \
    }
    ROW(Ip, Forwarding, "1 when this machine forwards packets, 2 when not."),
    ROW(Icmp, InMsgs, "ICMP messages received."),
    ROW(Icmp, InErrors, "ICMP messages received broken."),
    ROW(Icmp, OutMsgs, "ICMP messages sent."),
    ROW(Tcp, ActiveOpens, "Connections opened from here."),
    ROW(Tcp, PassiveOpens, "Connections accepted."),
    ROW(Tcp, CurrEstab, "Connections open now."),
    ROW(Tcp, InSegs, "Segments received."),
    ROW(Tcp, OutSegs, "Segments sent."),
    ROW(Tcp, RetransSegs, "Segments sent again."),
    ROW(Tcp, InErrs, "Segments received broken."),
    ROW(Tcp, OutRsts, "Resets sent."),
    ROW(Udp, InDatagrams, "Datagrams received."),
    ROW(Udp, NoPorts, "Datagrams for ports nobody has."),
    ROW(Udp, InErrors, "Datagrams not delivered."),
    ROW(Udp, OutDatagrams, "Datagrams sent."),
    ROW(Udp, RcvbufErrors, "Datagrams lost to a full receive buffer."),
    ROW(Udp, SndbufErrors, "Datagrams lost to a full send buffer."),
    ROW(UdpLite, InErrors, "UDP-Lite datagrams not delivered."),
    ROW(TcpExt, SyncookiesSent, "SYN cookies sent."),
    ROW(TcpExt, SyncookiesRecv, "SYN cookies come back."),
    ROW(TcpExt, SyncookiesFailed, "SYN cookies come back wrong."),
    ROW(TcpExt, ListenOverflows, "Connections refused: a listener's queue was full."),
    ROW(TcpExt, ListenDrops, "Connections dropped at a listener."),
    ROW(TcpExt, TCPSynRetrans, "SYNs sent again."),
    ROW(TcpExt, TCPTimeouts, "Retransmission timeouts."),
    ROW(IpExt, InOctets, "Bytes received over IP."),
    ROW(IpExt, OutOctets, "Bytes sent over IP."),
#undef ROW
};

static void add_netstat(struct samples *out,
                        const char *protocol,
                        const char *field,
                        const char *value)
{
    for (size_t i = 0; i < sizeof(netstat_rows) / sizeof(netstat_rows[0]); i++)
        if (strcmp(netstat_rows[i].protocol, protocol) == 0 &&
            strcmp(netstat_rows[i].field, field) == 0) {
            samples_add(out, &netstat_rows[i].family, text_number(value));
            return;
        }
}

static bool protocol_is_wanted(const char *protocol)
{
    for (size_t i = 0; i < sizeof(netstat_rows) / sizeof(netstat_rows[0]); i++)
        if (strcmp(netstat_rows[i].protocol, protocol) == 0)
            return true;
    return false;
}

/* Pairs of lines: "Tcp: RtoAlgorithm ..." and "Tcp: 1 ..." */
static int add_pairs_of_lines(struct host *host, enum host_file file, struct samples *out)
{
    char *text;
    char *names;
    int r = host_read(host, file, &text);

    if (r)
        return r;
    while ((names = text_line(&text))) {
        char *values = text_line(&text);
        char *protocol = text_word(&names);
        const char *field;

        if (!values || !protocol || !text_word(&values))
            return -EBADMSG;
        protocol[strcspn(protocol, ":")] = '\0';
        if (!protocol_is_wanted(protocol))
            continue;
        while ((field = text_word(&names))) {
            const char *value = text_word(&values);

            if (!value)
                return -EBADMSG;
            add_netstat(out, protocol, field, value);
        }
    }
    return 0;
}

int host_netstat(struct host *host, struct samples *out)
{
    int r = add_pairs_of_lines(host, HOST_SNMP, out);

    return r ? r : add_pairs_of_lines(host, HOST_NETSTAT, out);
}

static const struct {
    const char *protocol, *field;
    struct metric_family family;
} sockstat_rows[] = {
#define ROW(protocol, field, help)                                    \
    {                                                                 \
#protocol, #field,                                            \
        {                                                             \
            "node_sockstat_" #protocol "_" #field, METRIC_GAUGE, help \
        }                                                             \
    }
    ROW(sockets, used, "Sockets of the whole machine."),
    ROW(TCP, inuse, "TCP sockets in use."),
    ROW(TCP, orphan, "TCP sockets without a process."),
    ROW(TCP, tw, "TCP sockets in TIME_WAIT."),
    ROW(TCP, alloc, "TCP sockets allocated."),
    ROW(TCP, mem, "Pages TCP holds."),
    ROW(UDP, inuse, "UDP sockets in use."),
    ROW(UDP, mem, "Pages UDP holds."),
    ROW(UDPLITE, inuse, "UDP-Lite sockets in use."),
    ROW(RAW, inuse, "Raw sockets in use."),
    ROW(FRAG, inuse, "Fragment queues in use."),
    ROW(FRAG, memory, "Bytes in fragment queues."),
#undef ROW
};

static const struct metric_family tcp_mem_bytes = {"node_sockstat_TCP_mem_bytes", METRIC_GAUGE,
                                                   "Bytes TCP holds."};
static const struct metric_family udp_mem_bytes = {"node_sockstat_UDP_mem_bytes", METRIC_GAUGE,
                                                   "Bytes UDP holds."};

static void add_sockstat(struct samples *out,
                         const char *protocol,
                         const char *field,
                         const char *value)
{
    const double page_bytes = 4096; /* as node_exporter on every machine with such pages */

    for (size_t i = 0; i < sizeof(sockstat_rows) / sizeof(sockstat_rows[0]); i++)
        if (strcmp(sockstat_rows[i].protocol, protocol) == 0 &&
            strcmp(sockstat_rows[i].field, field) == 0)
            samples_add(out, &sockstat_rows[i].family, text_number(value));
    if (strcmp(field, "mem") == 0)
        samples_add(out, protocol[0] == 'T' ? &tcp_mem_bytes : &udp_mem_bytes,
                    text_number(value) * page_bytes);
}

/* "TCP: inuse 4 orphan 0 tw 1 alloc 4 mem 0" */
int host_sockstat(struct host *host, struct samples *out)
{
    char *text;
    char *line;
    int r = host_read(host, HOST_SOCKSTAT, &text);

    if (r)
        return r;
    while ((line = text_line(&text))) {
        char *protocol = text_word(&line);
        const char *field;

        if (!protocol)
            continue;
        protocol[strcspn(protocol, ":")] = '\0';
        while ((field = text_word(&line))) {
            const char *value = text_word(&line);

            if (value)
                add_sockstat(out, protocol, field, value);
        }
    }
    return 0;
}
