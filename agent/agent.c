/*
 * The agent at work. See agent.h.
 */

#include "agent/agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/push.h"
#include "agent/runner.h"
#include "agent/schedule.h"
#include "agent/self.h"
#include "agent/series.h"
#include "agent/spool.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"

enum {
    BATCH_BYTES_MAX = 12 * 1024 * 1024, /* of protobuf; alertd takes 32 MiB */
    BATCH_BYTES_SOON = 4 * 1024 * 1024, /* past this it is flushed early */
    LATE_MS = 2000,                     /* past its deadline a run is reported as failed */
    FIRST_FLUSH_MS = SCHEDULE_SPREAD_MS + 500,
    METADATA_EVERY_MS = 600000,
    RELOAD_WAIT_MS = 30000, /* for runs under way, before a new config takes over */
    STOP_PROBES_MS = 700,
    STOP_PUSH_MS = 1200,
};

/* What the loop remembers of each probe. */
struct watch {
    struct self_probe counts;
    int64_t late_ms; /* when the run under way is reported as late; 0: none runs */
    int64_t started_ms;
    bool was_late;   /* this run was reported already */
    bool is_failing; /* for the log: only changes are worth a line */
    bool owes_metadata;
};

struct agent {
    const struct agent_options *options;
    const struct log *log;
    struct agent_config *config;
    struct agent_config *next_config; /* read, waiting for runs under way */
    int64_t next_config_ms;
    struct schedule schedule;
    struct watch *watches;
    struct self_probe *self_probes;
    struct runner *runner;
    struct push *push;
    struct remote_write batch;
    struct samples verdict, self;
    struct rng rng;
    int event_fd, cancel_fd, signal_fd;
    int64_t flush_ms, metadata_ms;
    int64_t started_wall_ms, reloaded_wall_ms;
    bool reload_ok;
    bool is_stopping;
    uint64_t n_samples, n_refused;
};

static void flush(struct agent *agent);

/* Puts a config to work: nothing runs now. */
static void begin(struct agent *agent, struct agent_config *config)
{
    int64_t now_ms = clock_mono_ms();

    agent->config = config;
    agent->runner = runner_new(config->n_probes, agent->event_fd, agent->cancel_fd);
    agent->watches = mem_zalloc(config->n_probes * sizeof(*agent->watches));
    agent->self_probes = mem_zalloc(config->n_probes * sizeof(*agent->self_probes));
    schedule_init(&agent->schedule, config->n_probes);
    for (size_t i = 0; i < config->n_probes; i++)
        schedule_set(&agent->schedule, i, config->probes[i].interval_ms,
                     config->probes[i].marked_labels->hash, &agent->rng, now_ms);
    agent->reloaded_wall_ms = clock_wall_ms();
    agent->metadata_ms = now_ms;
}

/* The end of a config's work. What hangs keeps its memory: it may wake up again. */
static void end(struct agent *agent)
{
    if (runner_free(agent->runner))
        config_unref(agent->config);
    schedule_done(&agent->schedule);
    free(agent->watches);
    free(agent->self_probes);
    agent->config = NULL;
    agent->runner = NULL;
}

static int open_fds(struct agent *agent, bool with_signals)
{
    sigset_t ours;

    agent->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    agent->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    agent->signal_fd = -1;
    if (agent->event_fd < 0 || agent->cancel_fd < 0)
        return -errno;
    if (!with_signals)
        return 0;
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGINT);
    (void)sigaddset(&ours, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
    agent->signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    return agent->signal_fd < 0 ? -errno : 0;
}

static void close_fds(const struct agent *agent)
{
    (void)close(agent->event_fd);
    (void)close(agent->cancel_fd);
    if (agent->signal_fd >= 0)
        (void)close(agent->signal_fd);
}

static void start_due(struct agent *agent, int64_t now_ms)
{
    size_t i;

    while (schedule_take(&agent->schedule, now_ms, &i)) {
        const struct probe_config *probe = &agent->config->probes[i];

        agent->watches[i].started_ms = now_ms;
        agent->watches[i].late_ms = now_ms + probe->timeout_ms + LATE_MS;
        agent->watches[i].was_late = false;
        runner_start(agent->runner, i, probe->kind, probe->state, probe->timeout_ms);
    }
}

static void add_samples(struct agent *agent,
                        const struct samples *samples,
                        const struct labels *base,
                        int64_t t_ms)
{
    size_t before = agent->batch.n_samples;

    if (agent->batch.body.len > BATCH_BYTES_SOON)
        flush(agent);
    (void)series_write(samples, base, t_ms, &agent->batch);
    agent->n_samples += samples->n;
    agent->n_refused += samples->n_refused;
    if (agent->batch.n_samples - before < samples->n && agent->batch.n_samples >= before)
        agent->n_refused += samples->n - (agent->batch.n_samples - before);
}

static void log_change(struct agent *agent, size_t i, bool is_failing, const char *why)
{
    const char *name = agent->config->probes[i].name;

    if (is_failing && !agent->watches[i].is_failing)
        log_warn(agent->log, "probe", "fails", "probe=%s reason=\"%s\"", name, why);
    else if (!is_failing && agent->watches[i].is_failing)
        log_info(agent->log, "probe", "is well again", "probe=%s", name);
    else if (is_failing)
        log_debug(agent->log, "probe", "still fails", "probe=%s reason=\"%s\"", name, why);
    agent->watches[i].is_failing = is_failing;
}

static void take_result(struct agent *agent, const struct runner_result *result)
{
    const struct probe_config *probe = &agent->config->probes[result->index];
    struct watch *watch = &agent->watches[result->index];

    if (!watch->was_late) { /* otherwise the answer came when nobody asked any more */
        add_samples(agent, result->samples, config_labels_of(probe), result->wall_ms);
        if (watch->owes_metadata)
            (void)series_write_metadata(result->samples, &agent->batch);
        watch->owes_metadata = false;
        self_verdict(&agent->verdict, result->result == 0, (double)result->duration_us / 1e6);
        add_samples(agent, &agent->verdict, probe->marked_labels, result->wall_ms);
        watch->counts.n_success += result->result == 0;
        watch->counts.n_failed += result->result != 0;
        log_change(agent, result->index, result->result != 0, result->err.text);
    }
    watch->late_ms = 0;
    schedule_finish(&agent->schedule, result->index);
}

static void take_results(struct agent *agent)
{
    struct runner_result result;
    uint64_t ignored;
    ssize_t got = read(agent->event_fd, &ignored, sizeof(ignored));

    (void)got;
    while (runner_next(agent->runner, &result)) {
        take_result(agent, &result);
        runner_release(agent->runner, result.index);
    }
}

/* A run that does not end is a failure, now and at every interval until it does. */
static void report_late(struct agent *agent, int64_t now_ms)
{
    for (size_t i = 0; i < agent->config->n_probes; i++) {
        struct watch *watch = &agent->watches[i];
        const struct probe_config *probe = &agent->config->probes[i];

        if (!watch->late_ms || watch->late_ms > now_ms)
            continue;
        self_verdict(&agent->verdict, false, (double)(now_ms - watch->started_ms) / 1000);
        add_samples(agent, &agent->verdict, probe->marked_labels, clock_wall_ms());
        watch->late_ms = now_ms + probe->interval_ms;
        watch->was_late = true;
        watch->counts.n_late++;
        log_change(agent, i, true, "it does not end");
    }
}

static void collect_self(struct agent *agent, int64_t wall_ms)
{
    struct self_facts facts = {
        .config = agent->config,
        .schedule = &agent->schedule,
        .probes = agent->self_probes,
        .now_ms = wall_ms,
        .started_ms = agent->started_wall_ms,
        .reloaded_ms = agent->reloaded_wall_ms,
        .reload_ok = agent->reload_ok,
        .n_samples = agent->n_samples,
        .n_samples_refused = agent->n_refused,
    };

    push_get_stats(agent->push, &facts.push);
    for (size_t i = 0; i < agent->config->n_probes; i++)
        agent->self_probes[i] = agent->watches[i].counts;
    self_collect(&facts, &agent->self);
}

/* Families are told at the start, after a reload and every ten minutes: a server that
 * lost them has them again soon. Those of a probe follow with its next result. */
static void add_metadata(struct agent *agent)
{
    int64_t now_ms = clock_mono_ms();

    if (agent->metadata_ms > now_ms)
        return;
    self_verdict(&agent->verdict, true, 0);
    (void)series_write_metadata(&agent->verdict, &agent->batch);
    (void)series_write_metadata(&agent->self, &agent->batch);
    for (size_t i = 0; i < agent->config->n_probes; i++)
        agent->watches[i].owes_metadata = true;
    agent->metadata_ms = now_ms + METADATA_EVERY_MS;
}

/* The batch so far goes to the spool, never empty: our own health is in it. */
static void flush(struct agent *agent)
{
    int64_t wall_ms = clock_wall_ms();
    struct err err = {0};
    const char *body;
    size_t len;

    collect_self(agent, wall_ms);
    agent->n_samples += agent->self.n;
    (void)series_write(&agent->self, agent->config->self_labels, wall_ms, &agent->batch);
    add_metadata(agent);
    remote_write_seal(&agent->batch, &body, &len);
    if (push_append(agent->push, body, len, wall_ms, &err) < 0)
        log_error(agent->log, "spool", "a batch is not on disk", "reason=\"%s\"", err.text);
    remote_write_clear(&agent->batch);
}

/* Reads the config again; what runs goes on with the old one until it has ended. */
static void reload(struct agent *agent)
{
    struct agent_config *config;
    struct err err = {0};

    if (config_read(agent->options->config_path, agent->options->hostname, &config, &err)) {
        agent->reload_ok = false;
        log_error(agent->log, "config", "the new config is wrong; the old one stays",
                  "reason=\"%s\"", err.text);
        return;
    }
    if (strcmp(config->spool_path, agent->config->spool_path) != 0 ||
        config->spool_bytes != agent->config->spool_bytes ||
        config->spool_age_ms != agent->config->spool_age_ms)
        log_warn(agent->log, "config", "a change of the spool takes effect at the next start", "%s",
                 "");
    config_unref(agent->next_config);
    agent->next_config = config;
    agent->next_config_ms = clock_mono_ms();
}

static void take_next_config(struct agent *agent, int64_t now_ms)
{
    struct agent_config *config = agent->next_config;

    if (!config ||
        (runner_n_running(agent->runner) > 0 && now_ms - agent->next_config_ms < RELOAD_WAIT_MS))
        return;
    agent->next_config = NULL;
    take_results(agent);
    end(agent);
    begin(agent, config);
    agent->reload_ok = true;
    push_configure(agent->push, config);
    log_info(agent->log, "config", "reloaded", "probes=%zu", config->n_probes);
}

static void take_signals(struct agent *agent)
{
    struct signalfd_siginfo info;

    while (read(agent->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            reload(agent);
        else
            agent->is_stopping = true;
    }
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* Milliseconds until something has to be done. */
static int sleep_ms(const struct agent *agent)
{
    int64_t now_ms = clock_mono_ms();
    int64_t next_ms = earlier(agent->flush_ms, agent->next_config ? now_ms + 100 : INT64_MAX);

    if (!agent->next_config)
        next_ms = earlier(next_ms, schedule_next_ms(&agent->schedule));
    for (size_t i = 0; i < agent->config->n_probes; i++)
        if (agent->watches[i].late_ms)
            next_ms = earlier(next_ms, agent->watches[i].late_ms);
    return next_ms <= now_ms ? 0 : (int)earlier(next_ms - now_ms, 60000);
}

static void wait_for_events(const struct agent *agent, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = agent->event_fd, .events = POLLIN},
                           {.fd = agent->signal_fd, .events = POLLIN}};

    (void)poll(fds, 2, timeout_ms);
}

static void loop(struct agent *agent)
{
    agent->flush_ms = clock_mono_ms() + FIRST_FLUSH_MS;
    while (!agent->is_stopping) {
        int64_t now_ms = clock_mono_ms();

        take_next_config(agent, now_ms);
        if (!agent->next_config)
            start_due(agent, now_ms);
        take_results(agent);
        report_late(agent, now_ms);
        if (now_ms >= agent->flush_ms) {
            flush(agent);
            agent->flush_ms = now_ms + agent->config->push.interval_ms;
        }
        wait_for_events(agent, sleep_ms(agent));
        take_signals(agent);
    }
}

/* Kills programs under way, gives the rest a moment, and puts what is there on disk. */
static void stop(struct agent *agent)
{
    const uint64_t one = 1;
    int64_t until_ms = clock_mono_ms() + STOP_PROBES_MS;
    ssize_t put = write(agent->cancel_fd, &one, sizeof(one));

    (void)put;
    while (runner_n_running(agent->runner) && clock_mono_ms() < until_ms)
        clock_sleep_ms(10);
    take_results(agent);
    flush(agent);
    push_stop(agent->push, STOP_PUSH_MS);
    log_info(agent->log, "agent", "stopped", "%s", "");
}

static void agent_init(struct agent *agent, const struct agent_options *options)
{
    *agent = (struct agent){
        .options = options,
        .log = options->log,
        .rng = {rng_os_seed()},
        .started_wall_ms = clock_wall_ms(),
        .reload_ok = true,
    };
    remote_write_init(&agent->batch, BATCH_BYTES_MAX);
}

static void agent_done(struct agent *agent)
{
    remote_write_done(&agent->batch);
    samples_done(&agent->verdict);
    samples_done(&agent->self);
    config_unref(agent->next_config);
    close_fds(agent);
}

static int open_push(struct agent *agent, struct agent_config *config, struct err *reterr)
{
    const struct spool_limits limits = {config->spool_bytes, config->spool_age_ms};
    struct spool *spool;
    struct spool_stats stats;
    int r = spool_open(config->spool_path, &limits, (uint64_t)clock_wall_ms(), &spool, reterr);

    if (r)
        return r;
    spool_get_stats(spool, &stats);
    log_info(agent->log, "spool", "open", "path=%s waiting=%llu torn=%llu corrupt=%llu",
             config->spool_path, (unsigned long long)stats.n_records,
             (unsigned long long)stats.n_torn, (unsigned long long)stats.n_corrupt);
    agent->push = push_new(spool, config, rng_next(&agent->rng), agent->log);
    if (!agent->push) {
        spool_close(spool);
        return err_set(reterr, -EAGAIN, "no thread to push with");
    }
    return 0;
}

int agent_run(const struct agent_options *options, struct err *reterr)
{
    struct agent_config *config;
    struct agent agent;
    int r = config_read(options->config_path, options->hostname, &config, reterr);

    if (r)
        return r;
    agent_init(&agent, options);
    r = open_fds(&agent, true);
    if (r == 0)
        r = open_push(&agent, config, reterr);
    if (r == 0) {
        begin(&agent, config);
        log_info(agent.log, "agent", "started", "id=%s probes=%zu push=%s", config->id,
                 config->n_probes, config->push.url);
        loop(&agent);
        stop(&agent);
        end(&agent);
    } else {
        config_unref(config);
    }
    agent_done(&agent);
    return r;
}
