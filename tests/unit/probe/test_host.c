/*
 * The host probe on a /proc of our own making: what it finds in files of other kernels,
 * and what it says when they are missing.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/probe/probe.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

static void put(struct scratch *scratch, const char *path, const char *text)
{
    char folder[256];

    (void)snprintf(folder, sizeof(folder), "%s", scratch_path(scratch, path));
    *strrchr(folder, '/') = '\0';
    assert_int_equal(fs_make_folders(folder, NULL), 0);
    assert_int_equal(fs_replace(scratch_path(scratch, path), text, strlen(text), 0600, NULL), 0);
}

static void *configured(struct scratch *scratch, const char *more)
{
    STR_AUTO struct str text = STR_INIT(1000);
    struct yaml *yaml;
    void *state = NULL;

    str_addf(&text, "{root: \"%s\"%s}", scratch->folder, more);
    assert_int_equal(yaml_parse(str_text(&text), text.len, &yaml, NULL), 0);
    assert_int_equal(probe_host.configure(yaml_root(yaml), &state, NULL), 0);
    yaml_free(yaml);
    return state;
}

/* `name{a="b"}` as found: "1 2" when it is there twice, "" when not at all. */
static const char *value_of(const struct samples *samples, const char *series, struct str *out)
{
    str_cut(out, 0);
    for (size_t i = 0; i < samples->n; i++) {
        STR_AUTO struct str text = STR_INIT(2000);
        struct label pairs[SAMPLES_LABELS_MAX + 1] = {{LABEL_NAME, samples->rows[i].family->name}};
        size_t n = samples_labels(samples, i, pairs + 1);
        const struct labels *labels = labels_new(pairs, n + 1);
        char number[FLOAT_TEXT_MAX];

        labels_print(labels, &text);
        labels_unref(labels);
        if (strcmp(str_text(&text), series) != 0)
            continue;
        if (out->len)
            str_addc(out, ' ');
        str_addn(out, number, float_short(samples->rows[i].value, number));
    }
    return str_text(out);
}

struct found {
    const char *series, *value;
};

static void assert_found(const struct samples *samples, const struct found *rows, size_t n)
{
    STR_AUTO struct str out = STR_INIT(1000);

    for (size_t i = 0; i < n; i++) {
        row("%s", rows[i].series);
        assert_string_equal(value_of(samples, rows[i].series, &out), rows[i].value);
    }
}

static const struct found expect[] = {
    {"node_cpu_seconds_total{cpu=\"0\", mode=\"user\"}", "1"},
    {"node_cpu_seconds_total{cpu=\"0\", mode=\"steal\"}", "8"},
    {"node_cpu_guest_seconds_total{cpu=\"0\", mode=\"user\"}", "9"},
    {"node_cpu_seconds_total{cpu=\"1\", mode=\"softirq\"}", "0.07"}, /* an old kernel's line */
    {"node_cpu_seconds_total{cpu=\"1\", mode=\"steal\"}", ""},
    {"node_boot_time_seconds", "1700000000"},
    {"node_intr_total", "5"},
    {"node_procs_blocked", "2"},
    {"node_load1", "0.25"},
    {"node_load15", "0.75"},
    {"node_memory_MemTotal_bytes", "1048576"},
    {"node_memory_Active_anon_bytes", "2048"},
    {"node_memory_HugePages_Total", "3"},
    {"node_vmstat_oom_kill", "1"},
    {"node_vmstat_nr_free_pages", ""},
    {"node_disk_read_bytes_total{device=\"sda\"}", "1536"},
    {"node_disk_io_time_seconds_total{device=\"sda\"}", "0.01"},
    {"node_disk_flush_requests_total{device=\"sda\"}", ""},
    {"node_disk_flush_requests_total{device=\"nvme0n1\"}", "16"},
    {"node_disk_reads_completed_total{device=\"sda1\"}", ""},
    {"node_disk_reads_completed_total{device=\"nvme0n1p2\"}", ""},
    {"node_disk_reads_completed_total{device=\"loop0\"}", ""},
    {"node_network_receive_bytes_total{device=\"eth0\"}", "100"},
    {"node_network_transmit_compressed_total{device=\"eth0\"}", "8"},
    {"node_network_receive_bytes_total{device=\"eth0:1\"}", "7"},
    {"node_network_receive_bytes_total{device=\"veth12\"}", ""}, /* excluded */
    {"node_netstat_Tcp_CurrEstab", "4"},
    {"node_netstat_TcpExt_ListenDrops", "6"},
    {"node_netstat_Tcp_MaxConn", ""},
    {"node_sockstat_TCP_mem_bytes", "8192"},
    {"node_filefd_maximum", "9000"},
    {"node_pressure_io_stalled_seconds_total", "0.5"},
    {"node_os_info{id=\"debian\", name=\"Debian GNU/Linux\", version_id=\"12\"}", "1"},
    {"node_scrape_collector_success{collector=\"cpu\"}", "1"},
    {"node_scrape_collector_success{collector=\"conntrack\"}", "0"}, /* this one has none */
};

/* A machine as its kernel shows it; the second processor's line is an old kernel's. */
static void put_kernel(struct scratch *scratch)
{
    put(scratch, "proc/stat",
        "cpu  1 2 3\ncpu0 100 200 300 400 500 600 700 800 900 1000\ncpu1 1 2 3 4 5 6 7\n"
        "intr 5 1 2 3\nctxt 6\nbtime 1700000000\nprocesses 7\nprocs_running 1\nprocs_blocked 2\n");
    put(scratch, "proc/loadavg", "0.25 0.50 0.75 1/100 12345\n");
    put(scratch, "proc/meminfo",
        "MemTotal:        1024 kB\nActive(anon):    2 kB\nHugePages_Total: 3\n");
    put(scratch, "proc/vmstat", "nr_free_pages 1\npgpgin 2\noom_kill 1\n");
    put(scratch, "proc/diskstats",
        "   8  0 sda 1 2 3 4 5 6 7 8 9 10 11\n   8  1 sda1 1 2 3 4 5 6 7 8 9 10 11\n"
        " 259  0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
        " 259  2 nvme0n1p2 1 2 3 4 5 6 7 8 9 10 11\n   7  0 loop0 1 2 3 4 5 6 7 8 9 10 11\n");
    put(scratch, "proc/1/mounts", "proc /proc proc rw 0 0\n");
    put(scratch, "proc/net/dev",
        "Inter-|   Receive  | Transmit\n face |bytes packets|bytes\n"
        "  eth0: 100 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8\neth0:1:7 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8\n"
        "veth12: 9 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8\n");
    put(scratch, "proc/net/snmp", "Tcp: MaxConn CurrEstab\nTcp: -1 4\nFoo: Bar\nFoo: 1\n");
    put(scratch, "proc/net/netstat", "TcpExt: ListenDrops\nTcpExt: 6\n");
    put(scratch, "proc/net/sockstat",
        "sockets: used 9\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 2\n");
    put(scratch, "proc/sys/fs/file-nr", "800\t0\t9000\n");
    put(scratch, "proc/sys/kernel/random/entropy_avail", "256\n");
    put(scratch, "proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n");
    put(scratch, "proc/pressure/io",
        "some avg10=0.00 total=1000000\nfull avg10=0.00 total=500000\n");
    put(scratch, "proc/pressure/memory", "some avg10=0.00 total=1\nfull avg10=0.00 total=0\n");
    put(scratch, "etc/os-release",
        "NAME=\"Debian GNU/Linux\"\n# a comment\nVERSION_ID='12'\nID=debian\n");
}

static void test_files_of_many_kernels(void **state)
{
    struct scratch scratch;
    struct samples samples = {0};
    struct err err = {0};
    const struct probe_run run = {.deadline_ms = clock_mono_ms() + 5000, .cancel_fd = -1};

    assert_int_equal(scratch_init(&scratch), 0);
    put_kernel(&scratch);
    void *host = configured(&scratch, ", device_exclude: \"^veth\"");

    if (probe_host.run(host, &run, &samples, &err) != 0)
        fail_msg("%s", err.text);
    assert_found(&samples, expect, sizeof(expect) / sizeof(expect[0]));

    /* a second round reads the open files anew; meminfo has changed its fields */
    int fd = open(scratch_path(&scratch, "proc/meminfo"), O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "New:     5 kB\nMemTotal:  7 kB\n", 31), 31);
    (void)close(fd);
    samples_clear(&samples);
    assert_int_equal(probe_host.run(host, &run, &samples, &err), 0);
    static const struct found changed[] = {{"node_memory_New_bytes", "5120"},
                                           {"node_memory_MemTotal_bytes", "7168"},
                                           {"node_load1", "0.25"}};
    assert_found(&samples, changed, 3);

    probe_host.done(host);
    samples_done(&samples);
    scratch_done(&scratch);
}

static void test_mounts(void **state)
{
    STR_AUTO struct str mounts = STR_INIT(4000);
    STR_AUTO struct str out = STR_INIT(1000);
    STR_AUTO struct str blank = STR_INIT(500);
    struct scratch scratch;
    struct samples samples = {0};
    const struct probe_run run = {.deadline_ms = clock_mono_ms() + 5000, .cancel_fd = -1};

    assert_int_equal(scratch_init_under(&scratch, "/tmp"), 0); /* nothing below /dev is a disk */
    assert_int_equal(mkdir(scratch_path(&scratch, "a b"), 0700), 0);
    str_addf(&mounts,
             "/dev/sda1 %s ext4 rw,errors=remount-ro 0 0\n/dev/sda1 %s ext4 rw 0 0\n"
             "/dev/sdb1 %s/a\\040b xfs ro,noatime 0 0\nnone /sys/x ext4 rw 0 0\n"
             "cgroup %s cgroup2 rw 0 0\n/dev/sdc1 %s/none ext4 rw 0 0\nshort line\n",
             scratch.folder, scratch.folder, scratch.folder, scratch.folder, scratch.folder);
    put(&scratch, "proc/1/mounts", str_text(&mounts));
    void *host = configured(&scratch, "");

    (void)probe_host.run(host, &run, &samples, NULL);
    str_addf(
        &blank,
        "node_filesystem_readonly{device=\"/dev/sdb1\", fstype=\"xfs\", mountpoint=\"%s/a b\"}",
        scratch.folder);
    assert_string_equal(value_of(&samples, str_text(&blank), &out), "1");
    str_cut(&blank, 0);
    str_addf(&blank,
             "node_filesystem_readonly{device=\"/dev/sda1\", fstype=\"ext4\", mountpoint=\"%s\"}",
             scratch.folder);
    assert_string_equal(value_of(&samples, str_text(&blank), &out), "0"); /* once, not twice */
    str_cut(&blank, 0);
    str_addf(
        &blank,
        "node_filesystem_device_error{device=\"/dev/sdc1\", fstype=\"ext4\", mountpoint=\"%s/none\"}",
        scratch.folder);
    assert_string_equal(value_of(&samples, str_text(&blank), &out), "1");
    assert_string_equal(
        value_of(
            &samples,
            "node_filesystem_readonly{device=\"none\", fstype=\"ext4\", mountpoint=\"/sys/x\"}",
            &out),
        "");
    probe_host.done(host);
    samples_done(&samples);
    scratch_done(&scratch);
}

static void test_damage_fails_the_probe_and_says_where(void **state)
{
    STR_AUTO struct str out = STR_INIT(1000);
    struct scratch scratch;
    struct samples samples = {0};
    struct err err = {0};
    const struct probe_run run = {.deadline_ms = clock_mono_ms() + 5000, .cancel_fd = -1};

    assert_int_equal(scratch_init(&scratch), 0);
    put(&scratch, "proc/net/snmp", "Tcp: A B C\nTcp: 1\n");
    put(&scratch, "proc/net/netstat", "");
    put(&scratch, "proc/sys/fs/file-nr", "1\n");
    void *host = configured(&scratch, "");

    (void)mkdir(scratch_path(&scratch, "proc/loadavg"), 0700); /* a folder cannot be read */
    assert_int_equal(probe_host.run(host, &run, &samples, &err), PROBE_E_FAILED);
    assert_string_equal(err.text, "collector loadavg: Is a directory");
    assert_string_equal(
        value_of(&samples, "node_scrape_collector_success{collector=\"loadavg\"}", &out), "0");
    assert_string_equal(
        value_of(&samples, "node_scrape_collector_success{collector=\"filefd\"}", &out), "0");
    assert_string_equal(
        value_of(&samples, "node_scrape_collector_success{collector=\"netstat\"}", &out), "0");
    probe_host.done(host);
    samples_done(&samples);
    scratch_done(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_many_kernels),
        cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_damage_fails_the_probe_and_says_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
