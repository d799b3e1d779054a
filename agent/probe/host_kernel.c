/*
 * The host probe's collectors of the kernel at large: processors, load, pressure,
 * clocks, names. See host.h.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/probe/host.h"
#include "lib/base/clock.h"

static const struct metric_family family_cpu = {"node_cpu_seconds_total", METRIC_COUNTER,
                                                "CPU time spent, by processor and mode."};
static const struct metric_family family_cpu_guest = {
    "node_cpu_guest_seconds_total", METRIC_COUNTER,
    "CPU time spent running guests (a part of user and nice)."};

/* The kernel counts in ticks; user space sees 100 of them a second on every
 * architecture (USER_HZ). */
static double ticks(const char *word)
{
    return text_number(word) / 100.0;
}

/* "cpu0 user nice system idle iowait irq softirq steal guest guest_nice" */
static void add_cpu(struct samples *out, const char *cpu, char *rest)
{
    static const char *const modes[] = {"user",   "nice", "system",  "idle",
                                        "iowait", "irq",  "softirq", "steal"};
    static const char *const guest_modes[] = {"user", "nice"};

    for (int i = 0; i < 10; i++) {
        const char *word = text_word(&rest);
        bool is_guest = i >= 8;

        if (!word)
            return; /* an old kernel: fewer columns */
        const struct label labels[] = {{"cpu", cpu},
                                       {"mode", is_guest ? guest_modes[i - 8] : modes[i]}};
        samples_add_with(out, is_guest ? &family_cpu_guest : &family_cpu, ticks(word), labels, 2);
    }
}

int host_cpu(struct host *host, struct samples *out)
{
    char *text;
    char *line;
    int r = host_read(host, HOST_STAT, &text);

    if (r)
        return r;
    while ((line = text_line(&text))) {
        if (strncmp(line, "cpu", 3) != 0)
            break; /* the processors come first */
        const char *name = text_word(&line);
        if (name && isdigit((unsigned char)name[3]))
            add_cpu(out, name + 3, line);
    }
    return 0;
}

int host_stat(struct host *host, struct samples *out)
{
    static const struct {
        const char *word;
        struct metric_family family;
    } rows[] = {
        {"intr", {"node_intr_total", METRIC_COUNTER, "Interrupts serviced."}},
        {"ctxt", {"node_context_switches_total", METRIC_COUNTER, "Context switches."}},
        {"btime", {"node_boot_time_seconds", METRIC_GAUGE, "When the machine started, Unix time."}},
        {"processes", {"node_forks_total", METRIC_COUNTER, "Processes and threads made."}},
        {"procs_running", {"node_procs_running", METRIC_GAUGE, "Processes that could run now."}},
        {"procs_blocked", {"node_procs_blocked", METRIC_GAUGE, "Processes that wait for I/O."}},
    };
    char *text;
    char *line;
    int r = host_read(host, HOST_STAT, &text);

    if (r)
        return r;
    while ((line = text_line(&text))) {
        const char *name = text_word(&line);

        for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
            if (strcmp(name, rows[i].word) == 0) {
                const char *value = text_word(&line);

                samples_add(out, &rows[i].family, value ? text_number(value) : 0);
                break;
            }
    }
    return 0;
}

int host_loadavg(struct host *host, struct samples *out)
{
    static const struct metric_family families[] = {
        {"node_load1", METRIC_GAUGE, "Load average over 1 minute."},
        {"node_load5", METRIC_GAUGE, "Load average over 5 minutes."},
        {"node_load15", METRIC_GAUGE, "Load average over 15 minutes."},
    };
    char *text;
    int r = host_read(host, HOST_LOADAVG, &text);

    for (int i = 0; r == 0 && i < 3; i++) {
        const char *word = text_word(&text);

        if (word)
            samples_add(out, &families[i], text_number(word));
    }
    return r;
}

/* "allocated unused maximum" */
int host_filefd(struct host *host, struct samples *out)
{
    static const struct metric_family allocated = {"node_filefd_allocated", METRIC_GAUGE,
                                                   "Open files of the whole machine."};
    static const struct metric_family maximum = {"node_filefd_maximum", METRIC_GAUGE,
                                                 "The most files that may be open."};
    char *text;
    int r = host_read(host, HOST_FILE_NR, &text);

    if (r)
        return r;
    char *line = text_line(&text);
    const char *now = line ? text_word(&line) : NULL;
    const char *unused = now ? text_word(&line) : NULL;
    const char *most = unused ? text_word(&line) : NULL;
    if (!most)
        return -EBADMSG;
    samples_add(out, &allocated, text_number(now));
    samples_add(out, &maximum, text_number(most));
    return 0;
}

/* A file that holds one number. */
static int add_single(struct host *host,
                      enum host_file file,
                      const struct metric_family *family,
                      struct samples *out)
{
    char *text;
    int r = host_read(host, file, &text);

    if (r)
        return r;
    char *line = text_line(&text);
    samples_add(out, family, line ? text_number(line) : 0);
    return 0;
}

int host_conntrack(struct host *host, struct samples *out)
{
    static const struct metric_family entries = {"node_nf_conntrack_entries", METRIC_GAUGE,
                                                 "Connections being tracked."};
    static const struct metric_family limit = {"node_nf_conntrack_entries_limit", METRIC_GAUGE,
                                               "The most connections that can be tracked."};
    int r = add_single(host, HOST_CONNTRACK_COUNT, &entries, out);

    return r ? r : add_single(host, HOST_CONNTRACK_MAX, &limit, out);
}

int host_entropy(struct host *host, struct samples *out)
{
    static const struct metric_family available = {"node_entropy_available_bits", METRIC_GAUGE,
                                                   "Entropy the kernel has, in bits."};

    return add_single(host, HOST_ENTROPY, &available, out);
}

/* The total= of a line "some avg10=0.00 ... total=1234" (microseconds), in seconds. */
static bool pressure_total(char *line, double *ret_seconds)
{
    const char *total = strstr(line, "total=");

    if (!total)
        return false;
    *ret_seconds = text_number(total + 6) / 1e6;
    return true;
}

static int add_pressure(struct host *host,
                        enum host_file file,
                        const struct metric_family *some,
                        const struct metric_family *full,
                        struct samples *out)
{
    char *text;
    char *line;
    int r = host_read(host, file, &text);

    if (r)
        return r;
    while ((line = text_line(&text))) {
        const struct metric_family *family = strncmp(line, "some", 4) == 0 ? some : full;
        double seconds = 0;

        if (family && pressure_total(line, &seconds))
            samples_add(out, family, seconds);
    }
    return 0;
}

int host_pressure(struct host *host, struct samples *out)
{
    static const struct metric_family cpu = {"node_pressure_cpu_waiting_seconds_total",
                                             METRIC_COUNTER,
                                             "Time in which some process waited for a processor."};
    static const struct metric_family io[] = {
        {"node_pressure_io_waiting_seconds_total", METRIC_COUNTER,
         "Time in which some process waited for I/O."},
        {"node_pressure_io_stalled_seconds_total", METRIC_COUNTER,
         "Time in which every process waited for I/O."},
    };
    static const struct metric_family memory[] = {
        {"node_pressure_memory_waiting_seconds_total", METRIC_COUNTER,
         "Time in which some process waited for memory."},
        {"node_pressure_memory_stalled_seconds_total", METRIC_COUNTER,
         "Time in which every process waited for memory."},
    };
    int r = add_pressure(host, HOST_PRESSURE_CPU, &cpu, NULL, out);

    if (r == 0)
        r = add_pressure(host, HOST_PRESSURE_IO, &io[0], &io[1], out);
    if (r == 0)
        r = add_pressure(host, HOST_PRESSURE_MEMORY, &memory[0], &memory[1], out);
    return r;
}

int host_time(struct host *host, struct samples *out)
{
    static const struct metric_family now = {"node_time_seconds", METRIC_GAUGE,
                                             "The machine's clock, Unix time."};

    samples_add(out, &now, (double)clock_wall_ms() / 1000.0);
    return 0;
}

int host_timex(struct host *host, struct samples *out)
{
    static const struct metric_family offset = {
        "node_timex_offset_seconds", METRIC_GAUGE,
        "How far the clock is from its reference, as the kernel believes."};
    static const struct metric_family maximum = {"node_timex_maxerror_seconds", METRIC_GAUGE,
                                                 "The largest error the clock can have."};
    static const struct metric_family estimated = {"node_timex_estimated_error_seconds",
                                                   METRIC_GAUGE, "The error the clock likely has."};
    static const struct metric_family synced = {"node_timex_sync_status", METRIC_GAUGE,
                                                "1 when something keeps the clock right."};
    static const struct metric_family status = {"node_timex_status", METRIC_GAUGE,
                                                "The kernel's status bits of the clock."};
    struct timex clock = {0};
    int state = adjtimex(&clock);

    if (state < 0)
        return -errno;
    samples_add(out, &offset, (double)clock.offset / (clock.status & STA_NANO ? 1e9 : 1e6));
    samples_add(out, &maximum, (double)clock.maxerror / 1e6);
    samples_add(out, &estimated, (double)clock.esterror / 1e6);
    samples_add(out, &synced, state != TIME_ERROR);
    samples_add(out, &status, clock.status);
    return 0;
}

int host_uname(struct host *host, struct samples *out)
{
    static const struct metric_family info = {"node_uname_info", METRIC_GAUGE,
                                              "What uname says; always 1."};
    struct utsname name;

    if (uname(&name) < 0)
        return -errno;
    const struct label labels[] = {
        {"domainname", name.domainname}, {"machine", name.machine}, {"nodename", name.nodename},
        {"release", name.release},       {"sysname", name.sysname}, {"version", name.version},
    };
    samples_add_with(out, &info, 1, labels, sizeof(labels) / sizeof(labels[0]));
    return 0;
}

/* NAME="Debian GNU/Linux": the value without its quotes, cut in place. */
static char *unquote(char *value)
{
    size_t len = strlen(value);

    if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
        value[len - 1] = '\0';
        value++;
    }
    return value;
}

int host_os(struct host *host, struct samples *out)
{
    static const struct metric_family info = {"node_os_info", METRIC_GAUGE,
                                              "What /etc/os-release says; always 1."};
    static const char *const names[] = {
        "build_id",    "id",      "id_like",    "image_id", "image_version",    "name",
        "pretty_name", "variant", "variant_id", "version",  "version_codename", "version_id"};
    enum {
        N_NAMES = sizeof(names) / sizeof(names[0])
    };
    struct label labels[N_NAMES];
    struct proc_file file = {"etc/os-release", -1};
    char *text;
    char *line;
    int r = proc_read(&file, host->root_fd, &host->buffer, &text);

    proc_close(&file); /* an upgrade replaces it */
    if (r)
        return r;
    for (int i = 0; i < N_NAMES; i++)
        labels[i] = (struct label){names[i], ""};
    while ((line = text_line(&text))) {
        char *equals = strchr(line, '=');

        if (!equals)
            continue;
        *equals = '\0';
        for (int i = 0; i < N_NAMES; i++)
            if (strcasecmp(line, names[i]) == 0)
                labels[i].value = unquote(equals + 1);
    }
    samples_add_with(out, &info, 1, labels, N_NAMES);
    return 0;
}
