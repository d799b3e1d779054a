/*
 * The host probe's collectors of disks and file systems. See host.h.
 */

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "agent/probe/host.h"

/* Partitions and RAM disks: their whole disk is counted, or nobody asks. As
 * node_exporter's default `^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`. */
static bool disk_is_part(const char *name)
{
    size_t len = strlen(name);
    size_t stem = len;

    while (stem && name[stem - 1] >= '0' && name[stem - 1] <= '9')
        stem--;
    if (stem == len || stem == 0)
        return false;
    if ((stem == 3 && strncmp(name, "ram", 3) == 0) ||
        (stem == 4 && strncmp(name, "loop", 4) == 0) || (stem == 2 && strncmp(name, "fd", 2) == 0))
        return true;
    if (stem == 3 && strchr("hsv", name[0]) && name[1] == 'd')
        return true;
    if (stem == 4 && strncmp(name, "xvd", 3) == 0)
        return true;
    return strncmp(name, "nvme", 4) == 0 && name[stem - 1] == 'p';
}

struct disk_column {
    double scale;
    struct metric_family family;
};

/* The columns of /proc/diskstats behind the name, in order. */
static const struct disk_column disk_columns[] = {
    {1, {"node_disk_reads_completed_total", METRIC_COUNTER, "Reads completed."}},
    {1, {"node_disk_reads_merged_total", METRIC_COUNTER, "Reads merged with others."}},
    {512, {"node_disk_read_bytes_total", METRIC_COUNTER, "Bytes read."}},
    {0.001, {"node_disk_read_time_seconds_total", METRIC_COUNTER, "Time spent by reads."}},
    {1, {"node_disk_writes_completed_total", METRIC_COUNTER, "Writes completed."}},
    {1, {"node_disk_writes_merged_total", METRIC_COUNTER, "Writes merged with others."}},
    {512, {"node_disk_written_bytes_total", METRIC_COUNTER, "Bytes written."}},
    {0.001, {"node_disk_write_time_seconds_total", METRIC_COUNTER, "Time spent by writes."}},
    {1, {"node_disk_io_now", METRIC_GAUGE, "Requests under way."}},
    {0.001,
     {"node_disk_io_time_seconds_total", METRIC_COUNTER, "Time in which the disk was busy."}},
    {0.001,
     {"node_disk_io_time_weighted_seconds_total", METRIC_COUNTER,
      "Time requests spent waiting and served, all added up."}},
    {1, {"node_disk_discards_completed_total", METRIC_COUNTER, "Discards completed."}},
    {1, {"node_disk_discards_merged_total", METRIC_COUNTER, "Discards merged with others."}},
    {1, {"node_disk_discarded_sectors_total", METRIC_COUNTER, "Sectors discarded."}},
    {0.001, {"node_disk_discard_time_seconds_total", METRIC_COUNTER, "Time spent by discards."}},
    {1, {"node_disk_flush_requests_total", METRIC_COUNTER, "Flushes completed."}},
    {0.001,
     {"node_disk_flush_requests_time_seconds_total", METRIC_COUNTER, "Time spent by flushes."}},
};

/* "254 0 vda 123 ..." */
int host_diskstats(struct host *host, struct samples *out)
{
    char *text;
    char *line;
    int r = host_read(host, HOST_DISKSTATS, &text);

    if (r)
        return r;
    while ((line = text_line(&text))) {
        const char *major = text_word(&line);
        const char *minor = text_word(&line);
        const char *name = text_word(&line);
        const char *word;

        if (!major || !minor || !name || disk_is_part(name))
            continue;
        for (size_t i = 0; i < sizeof(disk_columns) / sizeof(disk_columns[0]); i++) {
            word = text_word(&line);
            if (!word)
                break; /* an older kernel has fewer */
            samples_add_one(out, &disk_columns[i].family, text_number(word) * disk_columns[i].scale,
                            "device", name);
        }
    }
    return 0;
}

/* Kernel interfaces dressed up as file systems: nothing in them fills up. */
static bool fs_is_virtual(const char *type)
{
    static const char *const types[] = {
        "autofs",     "binfmt_misc", "bpf",       "cgroup",   "cgroup2",   "configfs",
        "debugfs",    "devpts",      "devtmpfs",  "fusectl",  "hugetlbfs", "iso9660",
        "mqueue",     "nsfs",        "overlay",   "proc",     "procfs",    "pstore",
        "rpc_pipefs", "securityfs",  "selinuxfs", "squashfs", "sysfs",     "tracefs",
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static bool mount_is_excluded(const struct host *host, const char *mount)
{
    return is_below(mount, "/dev") || is_below(mount, "/proc") || is_below(mount, "/sys") ||
           strncmp(mount, "/run/credentials/", 17) == 0 ||
           strncmp(mount, "/var/lib/docker/", 16) == 0 ||
           strncmp(mount, "/var/lib/containers/storage/", 28) == 0 ||
           (host->mount_exclude && regex_matches_within(host->mount_exclude, mount, strlen(mount)));
}

/* The kernel writes blanks and backslashes in paths as \040 and so on; undone in place. */
static void unescape(char *path)
{
    char *to = path;

    for (const char *from = path; *from;) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
            from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static bool has_option(const char *options, const char *option)
{
    size_t len = strlen(option);

    for (; *options; options += strcspn(options, ","), options += *options == ',')
        if (strncmp(options, option, len) == 0 && (options[len] == ',' || !options[len]))
            return true;
    return false;
}

static const struct metric_family fs_size = {"node_filesystem_size_bytes", METRIC_GAUGE,
                                             "Size of the file system."};
static const struct metric_family fs_free = {"node_filesystem_free_bytes", METRIC_GAUGE,
                                             "Free space, root's reserve included."};
static const struct metric_family fs_avail = {"node_filesystem_avail_bytes", METRIC_GAUGE,
                                              "Free space for everybody."};
static const struct metric_family fs_files = {"node_filesystem_files", METRIC_GAUGE,
                                              "Inodes of the file system."};
static const struct metric_family fs_files_free = {"node_filesystem_files_free", METRIC_GAUGE,
                                                   "Free inodes."};
static const struct metric_family fs_readonly = {"node_filesystem_readonly", METRIC_GAUGE,
                                                 "1 when it is mounted read-only."};
static const struct metric_family fs_error = {"node_filesystem_device_error", METRIC_GAUGE,
                                              "1 when the file system gives no numbers."};

static void add_filesystem(struct samples *out, const struct label labels[3], const char *options)
{
    struct statvfs info;
    bool is_readonly = has_option(options, "ro");

    if (statvfs(labels[2].value, &info) < 0) {
        samples_add_with(out, &fs_error, 1, labels, 3);
        samples_add_with(out, &fs_readonly, is_readonly, labels, 3);
        return;
    }

    double block = (double)info.f_frsize;

    samples_add_with(out, &fs_size, (double)info.f_blocks * block, labels, 3);
    samples_add_with(out, &fs_free, (double)info.f_bfree * block, labels, 3);
    samples_add_with(out, &fs_avail, (double)info.f_bavail * block, labels, 3);
    samples_add_with(out, &fs_files, (double)info.f_files, labels, 3);
    samples_add_with(out, &fs_files_free, (double)info.f_ffree, labels, 3);
    samples_add_with(out, &fs_readonly, is_readonly, labels, 3);
    samples_add_with(out, &fs_error, 0, labels, 3);
}

/* True when a row of this mount is there already: the one mounted last hides it. */
static bool is_known(const struct samples *out, size_t from, const struct label labels[3])
{
    struct label own[SAMPLES_LABELS_MAX];

    for (size_t i = from; i < out->n; i++) {
        if (out->rows[i].family != &fs_error)
            continue;
        (void)samples_labels(out, i, own);
        if (strcmp(own[0].value, labels[0].value) == 0 &&
            strcmp(own[1].value, labels[1].value) == 0 &&
            strcmp(own[2].value, labels[2].value) == 0)
            return true;
    }
    return false;
}

/* "/dev/vda / ext4 rw,relatime 0 0" */
int host_filesystem(struct host *host, struct samples *out)
{
    size_t from = out->n;
    char *text;
    char *line;
    int r = host_read(host, HOST_MOUNTS, &text);

    if (r == -EACCES || r == -ENOENT) { /* no view of process 1: our own mounts, then */
        host->files[HOST_MOUNTS] = (struct proc_file){"proc/self/mounts", -1};
        r = host_read(host, HOST_MOUNTS, &text);
    }
    if (r)
        return r;
    while ((line = text_line(&text))) {
        char *device = text_word(&line);
        char *mount = text_word(&line);
        char *type = text_word(&line);
        const char *options = text_word(&line);

        if (!device || !mount || !type || !options)
            continue;
        unescape(device);
        unescape(mount);
        const struct label labels[] = {{"device", device}, {"fstype", type}, {"mountpoint", mount}};
        if (!fs_is_virtual(type) && !mount_is_excluded(host, mount) && !is_known(out, from, labels))
            add_filesystem(out, labels, options);
    }
    return 0;
}
