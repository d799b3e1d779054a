/*
 * `alert-agent --once`: every probe once, at the same time, and what would be pushed
 * as text. See agent.h.
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/runner.h"
#include "agent/self.h"
#include "agent/series.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    LATE_MS = 2000 /* past its deadline nobody waits for a probe */
};

struct once {
    const struct log *log;
    struct agent_config *config;
    struct runner *runner;
    int event_fd;
    struct self_probe *counts;
    struct samples *verdicts; /* one per probe */
    struct samples self;
    struct series_source *sources; /* samples and verdict of each, and our own */
    size_t n_sources;
};

static void run_all(const struct once *once)
{
    int64_t start_ms = clock_mono_ms();
    int64_t until_ms = start_ms;

    for (size_t i = 0; i < once->config->n_probes; i++) {
        const struct probe_config *probe = &once->config->probes[i];

        runner_start(once->runner, i, probe->kind, probe->state, probe->timeout_ms);
        if (start_ms + probe->timeout_ms + LATE_MS > until_ms)
            until_ms = start_ms + probe->timeout_ms + LATE_MS;
    }
    while (runner_n_running(once->runner) > 0 && clock_mono_ms() < until_ms) {
        struct pollfd finished = {.fd = once->event_fd, .events = POLLIN};
        uint64_t ignored;

        (void)poll(&finished, 1, 100);
        ssize_t got = read(once->event_fd, &ignored, sizeof(ignored));
        (void)got;
    }
}

static void add_source(struct once *once, const struct samples *samples, const struct labels *base)
{
    once->sources[once->n_sources++] = (struct series_source){samples, base};
}

static void take_results(struct once *once)
{
    struct runner_result result;

    for (size_t i = 0; i < once->config->n_probes; i++) /* unless it says otherwise */
        self_verdict(&once->verdicts[i], false, 0);
    while (runner_next(once->runner, &result)) {
        const struct probe_config *probe = &once->config->probes[result.index];

        add_source(once, result.samples, config_labels_of(probe));
        self_verdict(&once->verdicts[result.index], result.result == 0,
                     (double)result.duration_us / 1e6);
        once->counts[result.index].n_success = result.result == 0;
        once->counts[result.index].n_failed = result.result != 0;
        if (result.result)
            log_warn(once->log, "probe", "fails", "probe=%s reason=\"%s\"", probe->name,
                     result.err.text);
    }
    for (size_t i = 0; i < once->config->n_probes; i++)
        add_source(once, &once->verdicts[i], once->config->probes[i].marked_labels);
}

static void collect_self(struct once *once, struct schedule *schedule)
{
    const struct self_facts facts = {
        .config = once->config,
        .schedule = schedule,
        .probes = once->counts,
        .now_ms = clock_wall_ms(),
        .started_ms = clock_wall_ms(),
        .reloaded_ms = clock_wall_ms(),
        .reload_ok = true,
    };

    self_collect(&facts, &once->self);
    add_source(once, &once->self, once->config->self_labels);
}

static void done(struct once *once)
{
    for (size_t i = 0; i < once->config->n_probes; i++)
        samples_done(&once->verdicts[i]);
    samples_done(&once->self);
    free(once->verdicts);
    free(once->sources);
    free(once->counts);
    (void)close(once->event_fd);
    if (runner_free(once->runner)) /* what hangs keeps its memory until the exit */
        config_unref(once->config);
}

int agent_once(const struct agent_options *options, struct str *out, struct err *reterr)
{
    struct once once = {.log = options->log};
    struct schedule schedule;
    size_t n;
    int r = config_read(options->config_path, options->hostname, &once.config, reterr);

    if (r)
        return r;
    n = once.config->n_probes;
    once.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    once.runner = runner_new(n, once.event_fd, -1);
    once.counts = mem_zalloc(n * sizeof(*once.counts));
    once.verdicts = mem_zalloc(n * sizeof(*once.verdicts));
    once.sources = mem_zalloc((2 * n + 1) * sizeof(*once.sources));
    schedule_init(&schedule, n);
    run_all(&once);
    take_results(&once);
    collect_self(&once, &schedule);
    series_print(once.sources, once.n_sources, out);
    schedule_done(&schedule);
    done(&once);
    return 0;
}
