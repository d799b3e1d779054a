/*
 * The agent's own health as metrics. See self.h.
 */

#include "agent/self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

static void add(struct samples *out, const struct metric_family *family, double value)
{
    samples_add(out, family, value);
}

/* The second number of /proc/self/statm, pages. */
static double resident_bytes(void)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    char *end = NULL;
    double pages = 0;

    if (!file)
        return 0;
    if (fgets(text, sizeof(text), file)) {
        (void)strtoul(text, &end, 10);
        pages = (double)strtoul(end, NULL, 10);
    }
    (void)fclose(file);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

static void add_process(const struct self_facts *facts, struct samples *out)
{
    static const struct metric_family build = {"alert_agent_build_info", METRIC_GAUGE,
                                               "Which build this is; always 1."};
    static const struct metric_family start = {"process_start_time_seconds", METRIC_GAUGE,
                                               "When the process started, Unix time."};
    static const struct metric_family cpu = {"process_cpu_seconds_total", METRIC_COUNTER,
                                             "CPU time the process used."};
    static const struct metric_family rss = {"process_resident_memory_bytes", METRIC_GAUGE,
                                             "Memory the process has in RAM."};
    static const struct metric_family reload_ok = {"alert_agent_config_last_reload_successful",
                                                   METRIC_GAUGE,
                                                   "1 when the last reload was good."};
    static const struct metric_family reloaded = {
        "alert_agent_config_last_reload_success_timestamp_seconds", METRIC_GAUGE,
        "When the config in use was read, Unix time."};

    samples_add_one(out, &build, 1, "version", WATCHBILL_VERSION);
    add(out, &start, (double)facts->started_ms / 1000);
    add(out, &cpu, (double)clock_cpu_us() / 1e6);
    add(out, &rss, resident_bytes());
    add(out, &reload_ok, facts->reload_ok);
    add(out, &reloaded, (double)facts->reloaded_ms / 1000);
}

static void add_probes(const struct self_facts *facts, struct samples *out)
{
    static const struct metric_family info = {
        "alert_agent_probe_info", METRIC_GAUGE,
        "A probe of the config: its kind, target and interval; always 1."};
    static const struct metric_family runs = {"alert_agent_probe_runs_total", METRIC_COUNTER,
                                              "Runs of the probe by outcome."};
    static const struct metric_family skipped = {
        "alert_agent_probe_skipped_total", METRIC_COUNTER,
        "Runs left out because the one before had not ended."};
    static const char *const outcomes[] = {"success", "failed", "late"};

    for (size_t i = 0; i < facts->config->n_probes; i++) {
        const struct probe_config *probe = &facts->config->probes[i];
        const uint64_t counts[] = {facts->probes[i].n_success, facts->probes[i].n_failed,
                                   facts->probes[i].n_late};
        char interval[32];

        (void)snprintf(interval, sizeof(interval), "%lld", (long long)probe->interval_ms);
        const struct label labels[] = {{"interval_ms", interval},
                                       {"kind", probe->kind->name},
                                       {"probe", probe->name},
                                       {"target", probe->target ? probe->target : ""}};
        samples_add_with(out, &info, 1, labels, 4);
        for (size_t k = 0; k < 3; k++) {
            const struct label pair[] = {{"outcome", outcomes[k]}, {"probe", probe->name}};

            samples_add_with(out, &runs, (double)counts[k], pair, 2);
        }
        samples_add_one(out, &skipped, (double)facts->schedule->entries[i].n_skipped, "probe",
                        probe->name);
    }
}

static void add_spool(const struct self_facts *facts, struct samples *out)
{
    static const struct metric_family bytes = {"alert_agent_spool_bytes", METRIC_GAUGE,
                                               "Bytes of the spool on disk."};
    static const struct metric_family records = {"alert_agent_spool_batches", METRIC_GAUGE,
                                                 "Batches that wait for the server."};
    static const struct metric_family age = {"alert_agent_spool_oldest_age_seconds", METRIC_GAUGE,
                                             "How long the oldest batch has waited."};
    static const struct metric_family dropped = {"alert_agent_spool_dropped_batches_total",
                                                 METRIC_COUNTER,
                                                 "Batches that were lost, by reason."};
    static const struct metric_family errors = {"alert_agent_spool_write_errors_total",
                                                METRIC_COUNTER, "Batches the disk did not take."};
    static const struct metric_family torn = {"alert_agent_spool_torn_tails_total", METRIC_COUNTER,
                                              "Files whose half-written end was cut at start."};
    const struct spool_stats *spool = &facts->push.spool;
    double waited_ms = spool->oldest_ms ? (double)(facts->now_ms - spool->oldest_ms) : 0;

    add(out, &bytes, (double)spool->bytes);
    add(out, &records, (double)spool->n_records);
    add(out, &age, waited_ms > 0 ? waited_ms / 1000 : 0);
    samples_add_one(out, &dropped, (double)spool->n_dropped_size, "reason", "size");
    samples_add_one(out, &dropped, (double)spool->n_dropped_age, "reason", "age");
    samples_add_one(out, &dropped, (double)spool->n_dropped_disk, "reason", "disk");
    samples_add_one(out, &dropped, (double)spool->n_corrupt, "reason", "corrupt");
    samples_add_one(out, &dropped, (double)facts->push.n_rejected, "reason", "rejected");
    add(out, &errors, (double)spool->n_write_errors);
    add(out, &torn, (double)spool->n_torn);
}

static void add_push(const struct self_facts *facts, struct samples *out)
{
    static const struct metric_family requests = {"alert_agent_push_requests_total", METRIC_COUNTER,
                                                  "Pushes by outcome."};
    static const struct metric_family backlog = {"alert_agent_push_backlog_total", METRIC_COUNTER,
                                                 "Batches accepted that had waited."};
    static const struct metric_family bytes = {"alert_agent_push_bytes_total", METRIC_COUNTER,
                                               "Bytes of bodies accepted."};
    static const struct metric_family last = {"alert_agent_push_last_success_timestamp_seconds",
                                              METRIC_GAUGE,
                                              "When a push was last accepted, Unix time."};
    static const struct metric_family duration = {"alert_agent_push_duration_seconds", METRIC_GAUGE,
                                                  "How long the last push took."};
    static const struct metric_family failures = {"alert_agent_push_failures_in_a_row",
                                                  METRIC_GAUGE,
                                                  "Pushes failed since one was accepted."};
    static const struct metric_family samples = {"alert_agent_samples_total", METRIC_COUNTER,
                                                 "Samples put into batches."};
    static const struct metric_family refused = {"alert_agent_samples_dropped_total",
                                                 METRIC_COUNTER,
                                                 "Samples over a limit, never in a batch."};

    samples_add_one(out, &requests, (double)facts->push.n_accepted, "outcome", "accepted");
    samples_add_one(out, &requests, (double)facts->push.n_rejected, "outcome", "rejected");
    samples_add_one(out, &requests, (double)facts->push.n_failed, "outcome", "failed");
    add(out, &backlog, (double)facts->push.n_backlog);
    add(out, &bytes, (double)facts->push.n_bytes);
    add(out, &last, (double)facts->push.last_success_ms / 1000);
    add(out, &duration, (double)facts->push.last_duration_us / 1e6);
    add(out, &failures, facts->push.n_failures_in_a_row);
    add(out, &samples, (double)facts->n_samples);
    add(out, &refused, (double)facts->n_samples_refused);
}

void self_verdict(struct samples *out, bool is_success, double seconds)
{
    static const struct metric_family success = {"probe_success", METRIC_GAUGE,
                                                 "1 when what the probe watches is well."};
    static const struct metric_family duration = {"probe_duration_seconds", METRIC_GAUGE,
                                                  "How long the probe took."};

    samples_clear(out);
    add(out, &success, is_success);
    add(out, &duration, seconds);
}

void self_collect(const struct self_facts *facts, struct samples *out)
{
    samples_clear(out);
    add_process(facts, out);
    add_probes(facts, out);
    add_spool(facts, out);
    add_push(facts, out);
}
