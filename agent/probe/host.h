#pragma once

/*
 * The host probe's collectors and what they share. Private to agent/probe.
 *
 * A collector reads one corner of /proc or /sys and adds node_exporter's families;
 * what the kernel of this machine does not have (a PSI-less kernel, no conntrack) it
 * says with -ENOENT, which is no failure of the probe but shows as
 * node_scrape_collector_success 0.
 */

#include "agent/probe/proc_file.h"
#include "agent/probe/samples.h"
#include "lib/regex/regex.h"

enum host_file {
    HOST_STAT,
    HOST_LOADAVG,
    HOST_MEMINFO,
    HOST_VMSTAT,
    HOST_DISKSTATS,
    HOST_MOUNTS,
    HOST_NET_DEV,
    HOST_NETSTAT,
    HOST_SNMP,
    HOST_SOCKSTAT,
    HOST_FILE_NR,
    HOST_CONNTRACK_COUNT,
    HOST_CONNTRACK_MAX,
    HOST_ENTROPY,
    HOST_PRESSURE_CPU,
    HOST_PRESSURE_IO,
    HOST_PRESSURE_MEMORY,
    HOST_N_FILES,
};

struct host {
    int root_fd; /* "/", or a folder that holds proc/ and sys/ in tests */
    struct proc_buffer buffer;
    struct regex *mount_exclude;  /* NULL: nothing beyond the usual */
    struct regex *device_exclude; /* network devices; NULL: none */
    struct host_memory *memory;
    int netlink_fd; /* -1: not opened yet */
    struct proc_file files[HOST_N_FILES];
};

/* Heap; made at the first read of meminfo, because its fields are the kernel's. */
struct host_memory;

struct host_collector {
    const char *name; /* as node_exporter names it */
    int (*collect)(struct host *host, struct samples *out);
};

/* Reads one of the files; 0 or negative errno. */
int host_read(struct host *host, enum host_file file, char **ret_text);

int host_cpu(struct host *host, struct samples *out);
int host_stat(struct host *host, struct samples *out);
int host_loadavg(struct host *host, struct samples *out);
int host_filefd(struct host *host, struct samples *out);
int host_conntrack(struct host *host, struct samples *out);
int host_entropy(struct host *host, struct samples *out);
int host_pressure(struct host *host, struct samples *out);
int host_time(struct host *host, struct samples *out);
int host_timex(struct host *host, struct samples *out);
int host_uname(struct host *host, struct samples *out);
int host_os(struct host *host, struct samples *out);
int host_meminfo(struct host *host, struct samples *out);
int host_vmstat(struct host *host, struct samples *out);
int host_diskstats(struct host *host, struct samples *out);
int host_filesystem(struct host *host, struct samples *out);
int host_netdev(struct host *host, struct samples *out);
int host_netclass(struct host *host, struct samples *out);
int host_netstat(struct host *host, struct samples *out);
int host_sockstat(struct host *host, struct samples *out);

void host_memory_free(struct host_memory *memory);
