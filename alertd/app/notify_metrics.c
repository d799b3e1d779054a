/*
 * The notifier's counts under Alertmanager's names. See loop_notify.h.
 */

#include <inttypes.h>
#include <string.h>

#include "alertd/app/notify.h"

enum {
    KINDS_MAX = 16,
};

/* Of all workers of a kind: Alertmanager's `integration`. People's contacts are one. */
struct told {
    const char *integration;
    uint64_t accepted, failed, refused, us;
    uint64_t attempts[NOTIFY_LATENCIES + 1];
};

static struct told *find(struct told *all, size_t *n, const char *integration)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(all[i].integration, integration) == 0)
            return &all[i];
    if (*n == KINDS_MAX)
        return NULL;
    all[*n] = (struct told){.integration = integration};
    return &all[(*n)++];
}

static void add(struct told *sum, struct notify_worker *worker)
{
    sum->accepted += atomic_load(&worker->accepted);
    sum->failed += atomic_load(&worker->failed);
    sum->refused += atomic_load(&worker->refused);
    sum->us += atomic_load(&worker->attempt_us);
    for (size_t i = 0; i <= NOTIFY_LATENCIES; i++)
        sum->attempts[i] += atomic_load(&worker->attempts[i]);
}

static size_t collect(struct loop_notify *loop, struct told *all)
{
    size_t n = 0;

    (void)pthread_mutex_lock(&loop->workers_lock);
    for (size_t i = 0; i < loop->n_workers; i++) {
        struct notify_worker *worker = &loop->workers[i];
        struct told *sum = worker->is_canary || worker->shadows
                               ? NULL
                               : find(all, &n,
                                      worker->to ? route_kind_name(worker->to->kind) : "oncall");

        if (sum)
            add(sum, worker);
    }
    (void)pthread_mutex_unlock(&loop->workers_lock);
    return n;
}

static void write_counts(const struct told *all, size_t n, struct str *out)
{
    str_add(out, "# HELP alertmanager_notifications_total Attempts to tell somebody.\n"
                 "# TYPE alertmanager_notifications_total counter\n");
    for (size_t i = 0; i < n; i++)
        str_addf(out, "alertmanager_notifications_total{integration=\"%s\"} %" PRIu64 "\n",
                 all[i].integration, all[i].accepted + all[i].failed + all[i].refused);
    str_add(out, "# HELP alertmanager_notifications_failed_total Those that failed: refused, or "
                 "tried again.\n# TYPE alertmanager_notifications_failed_total counter\n");
    for (size_t i = 0; i < n; i++)
        str_addf(
            out,
            "alertmanager_notifications_failed_total{integration=\"%s\",reason=\"clientError\"}"
            " %" PRIu64 "\nalertmanager_notifications_failed_total{integration=\"%s\",reason="
            "\"other\"} %" PRIu64 "\n",
            all[i].integration, all[i].refused, all[i].integration, all[i].failed);
}

static void write_latency(const struct told *one, struct str *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < NOTIFY_LATENCIES; i++) {
        n += one->attempts[i];
        str_addf(out,
                 "alertmanager_notification_latency_seconds_bucket{integration=\"%s\",le=\"%g\"}"
                 " %" PRIu64 "\n",
                 one->integration, notify_latencies_s[i], n);
    }
    n += one->attempts[NOTIFY_LATENCIES];
    str_addf(out,
             "alertmanager_notification_latency_seconds_bucket{integration=\"%s\",le=\"+Inf\"}"
             " %" PRIu64 "\n"
             "alertmanager_notification_latency_seconds_sum{integration=\"%s\"} %.6f\n"
             "alertmanager_notification_latency_seconds_count{integration=\"%s\"} %" PRIu64 "\n",
             one->integration, n, one->integration, (double)one->us / 1e6, one->integration, n);
}

void loop_notify_alertmanager(struct loop_notify *loop, struct str *out)
{
    struct told all[KINDS_MAX];
    size_t n = collect(loop, all);

    write_counts(all, n, out);
    str_add(out, "# HELP alertmanager_notification_latency_seconds How long an attempt took.\n"
                 "# TYPE alertmanager_notification_latency_seconds histogram\n");
    for (size_t i = 0; i < n; i++)
        write_latency(&all[i], out);
}
