/*
 * The host probe's collector of network devices: what they are and whether they are up.
 * See host.h.
 *
 * One rtnetlink dump answers for all devices in one go; node_exporter opens nineteen
 * files of /sys per device, which is the slowest thing it does (6 ms here). Only speed
 * and duplex are not in the dump and come from /sys, for devices that are up.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/probe/host.h"
#include "lib/base/mem.h"

enum {
    DUMP_BYTES = 32 * 1024,
    ADDRESS_TEXT = 3 * 32 + 1,
};

/* Of IFLA_OPERSTATE, RFC 2863. */
static const char *const operstates[] = {"unknown", "notpresent", "down", "lowerlayerdown",
                                         "testing", "dormant",    "up"};

static const struct metric_family link_info = {"node_network_info", METRIC_GAUGE,
                                               "What the device is; always 1."};
static const struct metric_family link_up = {"node_network_up", METRIC_GAUGE,
                                             "1 when the device's state is up."};
static const struct metric_family link_speed = {"node_network_speed_bytes", METRIC_GAUGE,
                                                "Speed of the link in bytes a second."};

struct link {
    struct ifinfomsg *info;
    struct rtattr *attributes[IFLA_MAX + 1]; /* by type; NULL: not told */
};

static unsigned link_number(const struct link *link, int type, unsigned fallback)
{
    struct rtattr *attribute = link->attributes[type];
    unsigned value = 0;

    if (!attribute)
        return fallback;
    size_t len = RTA_PAYLOAD(attribute);
    memcpy(&value, RTA_DATA(attribute), len < sizeof(value) ? len : sizeof(value));
    return value;
}

static const char *link_text(const struct link *link, int type)
{
    struct rtattr *attribute = link->attributes[type];

    return attribute ? RTA_DATA(attribute) : "";
}

/* "02:fc:00:00:00:01" */
static const char *link_address(const struct link *link, int type, char text[ADDRESS_TEXT])
{
    struct rtattr *attribute = link->attributes[type];
    size_t len = attribute ? RTA_PAYLOAD(attribute) : 0;
    const unsigned char *bytes = attribute ? RTA_DATA(attribute) : NULL;

    text[0] = '\0';
    for (size_t i = 0; i < len && i < 32; i++)
        (void)snprintf(text + 3 * i, 4, "%02x:", bytes[i]);
    if (len)
        text[3 * (len < 32 ? len : 32) - 1] = '\0';
    return text;
}

/* The first line of /sys/class/net/<device>/<file>; false when the driver has none. */
static bool read_sys(
    const struct host *host, const char *device, const char *file, char *text, size_t size)
{
    char path[128];
    ssize_t len;
    int fd;

    (void)snprintf(path, sizeof(path), "sys/class/net/%.40s/%s", device, file);
    fd = openat(host->root_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    len = read(fd, text, size - 1);
    (void)close(fd);
    if (len <= 0)
        return false;
    text[len] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return true;
}

static void add_numbers(struct samples *out, const struct link *link, const char *device)
{
    static const struct {
        int type;
        struct metric_family family;
    } rows[] = {
        {IFLA_MTU, {"node_network_mtu_bytes", METRIC_GAUGE, "Largest packet of the device."}},
        {IFLA_TXQLEN,
         {"node_network_transmit_queue_length", METRIC_GAUGE, "Packets its queue holds."}},
        {IFLA_LINKMODE, {"node_network_iface_link_mode", METRIC_GAUGE, "Link mode, 1 is dormant."}},
        {IFLA_GROUP, {"node_network_net_dev_group", METRIC_GAUGE, "Device group."}},
        {IFLA_CARRIER_CHANGES,
         {"node_network_carrier_changes_total", METRIC_COUNTER, "Times the carrier came or went."}},
        {IFLA_CARRIER_UP_COUNT,
         {"node_network_carrier_up_changes_total", METRIC_COUNTER, "Times the carrier came."}},
        {IFLA_CARRIER_DOWN_COUNT,
         {"node_network_carrier_down_changes_total", METRIC_COUNTER, "Times the carrier went."}},
    };
    static const struct metric_family id = {"node_network_iface_id", METRIC_GAUGE,
                                            "The device's index."};
    static const struct metric_family over = {"node_network_iface_link", METRIC_GAUGE,
                                              "Index of the device it lies on."};
    static const struct metric_family flags = {"node_network_flags", METRIC_GAUGE,
                                               "The kernel's flags of the device."};
    static const struct metric_family kind = {"node_network_protocol_type", METRIC_GAUGE,
                                              "ARP's number of the device's type."};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (link->attributes[rows[i].type])
            samples_add_one(out, &rows[i].family, link_number(link, rows[i].type, 0), "device",
                            device);
    samples_add_one(out, &id, link->info->ifi_index, "device", device);
    samples_add_one(out, &over, link_number(link, IFLA_LINK, (unsigned)link->info->ifi_index),
                    "device", device);
    /* /sys shows the settings, not the two bits of the moment (running, lower up) */
    samples_add_one(out, &flags,
                    link->info->ifi_flags & ~(unsigned)(IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT),
                    "device", device);
    samples_add_one(out, &kind, link->info->ifi_type, "device", device);
}

/* What only a device that is switched on can say. */
static void add_state(struct samples *out, const struct link *link, const char *device)
{
    static const struct metric_family carrier = {"node_network_carrier", METRIC_GAUGE,
                                                 "1 when there is a carrier."};
    static const struct metric_family dormant = {"node_network_dormant", METRIC_GAUGE,
                                                 "1 when the device waits for something outside."};

    samples_add_one(out, &carrier, link_number(link, IFLA_CARRIER, 0), "device", device);
    samples_add_one(out, &dormant, (link->info->ifi_flags & IFF_DORMANT) != 0, "device", device);
}

static void add_link(const struct host *host, struct samples *out, const struct link *link)
{
    char address[ADDRESS_TEXT];
    char broadcast[ADDRESS_TEXT];
    char duplex[32] = "";
    char speed[32];
    const char *device = link_text(link, IFLA_IFNAME);
    unsigned state = link_number(link, IFLA_OPERSTATE, 0);
    bool is_on = (link->info->ifi_flags & IFF_UP) != 0;

    if (host->device_exclude && regex_matches_within(host->device_exclude, device, strlen(device)))
        return;
    if (is_on && read_sys(host, device, "speed", speed, sizeof(speed)))
        samples_add_one(out, &link_speed, text_number(speed) * 1e6 / 8, "device", device);
    if (is_on)
        (void)read_sys(host, device, "duplex", duplex, sizeof(duplex));
    const struct label labels[] = {
        {"address", link_address(link, IFLA_ADDRESS, address)},
        {"broadcast", link_address(link, IFLA_BROADCAST, broadcast)},
        {"device", device},
        {"duplex", duplex},
        {"ifalias", link_text(link, IFLA_IFALIAS)},
        {"operstate", operstates[state < sizeof(operstates) / sizeof(operstates[0]) ? state : 0]},
    };
    samples_add_with(out, &link_info, 1, labels, sizeof(labels) / sizeof(labels[0]));
    samples_add_one(out, &link_up, strcmp(labels[5].value, "up") == 0, "device", device);
    add_numbers(out, link, device);
    if (is_on)
        add_state(out, link, device);
}

static void take_message(const struct host *host, struct samples *out, struct nlmsghdr *message)
{
    struct link link = {.info = NLMSG_DATA(message)};
    int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(*link.info)));

    for (struct rtattr *at = IFLA_RTA(link.info); RTA_OK(at, left); at = RTA_NEXT(at, left))
        if (at->rta_type <= IFLA_MAX)
            link.attributes[at->rta_type] = at;
    if (link.attributes[IFLA_IFNAME])
        add_link(host, out, &link);
}

static int ask(struct host *host)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
    } question = {
        .header = {.nlmsg_len = sizeof(question),
                   .nlmsg_type = RTM_GETLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .info = {.ifi_family = AF_UNSPEC},
    };

    if (host->netlink_fd < 0)
        host->netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (host->netlink_fd < 0 || send(host->netlink_fd, &question, sizeof(question), 0) < 0)
        return -errno;
    return 0;
}

/* One datagram of the answer; 1 when it was the last. */
static int take_datagram(struct host *host, struct samples *out, char *bytes)
{
    ssize_t got = recv(host->netlink_fd, bytes, DUMP_BYTES, 0);

    if (got < 0)
        return errno == EINTR ? 0 : -errno;
    unsigned left = (unsigned)got;
    for (struct nlmsghdr *at = (void *)bytes; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
        if (at->nlmsg_type == NLMSG_DONE)
            return 1;
        if (at->nlmsg_type == NLMSG_ERROR)
            return -EIO;
        if (at->nlmsg_type == RTM_NEWLINK)
            take_message(host, out, at);
    }
    return 0;
}

int host_netclass(struct host *host, struct samples *out)
{
    int r = ask(host);

    if (host->buffer.capacity < DUMP_BYTES)
        host->buffer.bytes = mem_grow(host->buffer.bytes, &host->buffer.capacity, DUMP_BYTES, 1);
    while (r == 0)
        r = take_datagram(host, out, host->buffer.bytes);
    if (r < 0) { /* a half-read answer would greet the next question */
        (void)close(host->netlink_fd);
        host->netlink_fd = -1;
    }
    return r < 0 ? r : 0;
}
