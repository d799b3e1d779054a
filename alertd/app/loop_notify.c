/*
 * The notifier's life: the keeper's thread, its workers, waking, a changed config. See
 * loop_notify.h; one integration's thread is in notify_worker.c.
 *
 *   keeper: start workers of the config -> flush groups when due, give up every minute
 *           -> another config waits? workers end, all of them, and start anew
 */

#include "alertd/app/loop_notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alertd/app/notify.h"
#include "alertd/db/silence_db.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

/* --- waiting --- */

/* The keeper's, until woken or until_mono_ms; *seen follows the generation. True when it must end. */
static bool wait_as_keeper(struct loop_notify *loop, uint64_t *seen, int64_t until_mono_ms)
{
    const struct timespec until = {until_mono_ms / 1000, until_mono_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->stopping && loop->generation == *seen && clock_mono_ms() < until_mono_ms)
        (void)pthread_cond_timedwait(&loop->wake, &loop->lock, &until);
    *seen = loop->generation;
    bool ends = loop->stopping;
    (void)pthread_mutex_unlock(&loop->lock);
    return ends;
}

bool notify_must_stop(struct loop_notify *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    bool ends = loop->stopping || loop->workers_stop;
    (void)pthread_mutex_unlock(&loop->lock);
    return ends;
}

/* With the lock. */
static void wake_keeper(struct loop_notify *loop)
{
    loop->generation++;
    (void)pthread_cond_broadcast(&loop->wake);
}

static void wake_all(struct loop_notify *loop)
{
    wake_keeper(loop);
    db_ring_outside(loop->state, OUTBOX_BELL_ALL);
}

void loop_notify_wake(struct loop_notify *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    wake_all(loop);
    (void)pthread_mutex_unlock(&loop->lock);
}

/* Whoever sends was called by the rows themselves. */
void loop_notify_told(struct loop_notify *loop, const struct pager_outcome *outcome)
{
    (void)pthread_mutex_lock(&loop->lock);
    if (outcome->next_ms < loop->keeps_at_ms)
        wake_keeper(loop);
    (void)pthread_mutex_unlock(&loop->lock);
}

/* --- the keeper --- */

static void start_worker(struct loop_notify *loop, struct notify_worker *worker)
{
    worker->loop = loop;
    worker->bell.names = worker->to
                             ? outbox_bell(worker->to->receiver, route_kind_name(worker->to->kind),
                                           worker->to->slot)
                         : worker->shadows ? OUTBOX_BELL_SHADOWS
                                           : OUTBOX_BELL_PEOPLE;
    db_bell_hang(loop->state, &worker->bell);
    atomic_store(&worker->looked_ms, clock_mono_ms());
    worker->is_running = pthread_create(&worker->thread, NULL, notify_worker_run, worker) == 0;
    if (!worker->is_running)
        log_error(loop->log, "notify", "no thread for a receiver: it is told nothing",
                  "receiver=\"%s\"", notify_worker_name(worker));
}

static void start_workers(struct loop_notify *loop)
{
    const struct route_config *config = loop->config;
    size_t n = 0;

    for (size_t i = 0; i < config->n_receivers; i++)
        n += config->receivers[i].n_integrations;
    (void)pthread_mutex_lock(&loop->workers_lock);
    loop->workers = mem_zalloc((n + NOTIFY_PEOPLE_WORKERS + NOTIFY_SHADOW_WORKERS + 1) *
                               sizeof(*loop->workers));
    loop->n_workers = 0;
    for (size_t i = 0; i < config->n_receivers; i++)
        for (size_t j = 0; j < config->receivers[i].n_integrations; j++) {
            if (config->receivers[i].integrations[j].kind == ROUTE_ONCALL)
                continue; /* the pager makes pages of it, for people */
            struct notify_worker *worker = &loop->workers[loop->n_workers++];

            worker->to = &config->receivers[i].integrations[j];
            start_worker(loop, worker);
        }
    for (size_t i = 0; i < NOTIFY_PEOPLE_WORKERS + NOTIFY_SHADOW_WORKERS; i++) {
        struct notify_worker *worker = &loop->workers[loop->n_workers++];

        worker->shadows = i >= NOTIFY_PEOPLE_WORKERS;
        start_worker(loop, worker);
    }
    if (loop->canary_url) {
        struct notify_worker *worker = &loop->workers[loop->n_workers++];

        worker->to = &loop->canary_to;
        worker->is_canary = true;
        start_worker(loop, worker);
    }
    (void)pthread_mutex_unlock(&loop->workers_lock);
}

static void stop_workers(struct loop_notify *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    loop->workers_stop = true;
    wake_all(loop);
    (void)pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < loop->n_workers; i++) {
        if (loop->workers[i].is_running)
            (void)pthread_join(loop->workers[i].thread, NULL);
        db_bell_take_down(loop->state, &loop->workers[i].bell);
    }
    (void)pthread_mutex_lock(&loop->workers_lock);
    free(loop->workers);
    loop->workers = NULL;
    loop->n_workers = 0;
    (void)pthread_mutex_unlock(&loop->workers_lock);
    (void)pthread_mutex_lock(&loop->lock);
    loop->workers_stop = false;
    (void)pthread_mutex_unlock(&loop->lock);
}

static void take_config(struct loop_notify *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    const struct route_config *next = loop->next_config;
    loop->next_config = NULL;
    (void)pthread_mutex_unlock(&loop->lock);

    if (!next)
        return;
    stop_workers(loop);
    route_config_unref(loop->config);
    loop->config = next;
    start_workers(loop);
    log_info(loop->log, "notify", "receivers changed", "receivers=%zu", next->n_receivers);
}

struct keep_job {
    struct pager *pager;
    const struct route_config *config;
    int64_t now_ms;
    bool gives_up; /* look for hopeless ones too, and for silences that end */
    struct pager_outcome outcome;
};

static int job_keep(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct keep_job *job = arg;
    bool silences_changed = false;
    int r = job->gives_up ? silence_db_sweep(conn, job->now_ms, &silences_changed, reterr) : 0;

    if (silences_changed)
        pager_silences_changed(job->pager);
    if (r == 0)
        r = pager_run(job->pager, conn, job->now_ms, &job->outcome, reterr);
    if (r == 0 && job->gives_up)
        r = alert_db_forget_external(conn, job->now_ms - EXTERNAL_KEPT_MS, reterr);
    return r == 0 && job->gives_up ? outbox_db_give_up(conn, job->config, job->now_ms, reterr) : r;
}

/* How long until there is something to keep. */
static int64_t keep(struct loop_notify *loop, int64_t *next_give_up_ms)
{
    struct keep_job job = {
        .pager = loop->pager, .config = loop->config, .now_ms = loop->now_wall_ms()};
    struct err err = {0};

    job.gives_up = clock_mono_ms() >= *next_give_up_ms;
    if (db_write(loop->state, job_keep, &job, &err)) {
        log_error(loop->log, "notify", "groups can't be flushed", "error=\"%s\"", err.text);
        return NOTIFY_PAUSE_MS;
    }
    if (job.gives_up)
        *next_give_up_ms = clock_mono_ms() + GIVE_UP_EVERY_MS;

    int64_t wait_ms = job.outcome.next_ms - job.now_ms;

    if (wait_ms < 0)
        return 0;
    return wait_ms < GIVE_UP_EVERY_MS ? wait_ms : GIVE_UP_EVERY_MS;
}

static void look_again_at(struct loop_notify *loop, int64_t at_ms)
{
    (void)pthread_mutex_lock(&loop->lock);
    loop->keeps_at_ms = at_ms;
    (void)pthread_mutex_unlock(&loop->lock);
}

static void *keeper_run(void *arg)
{
    struct loop_notify *loop = arg;
    int64_t next_give_up_ms = 0;
    int64_t until_ms = 0;
    uint64_t seen = 0;

    (void)pthread_setname_np(pthread_self(), "pager");
    start_workers(loop);
    while (!wait_as_keeper(loop, &seen, until_ms)) {
        atomic_store(&loop->keeper_since_ms, clock_mono_ms());
        take_config(loop);
        look_again_at(loop, INT64_MAX); /* what is told from now on it may not have seen */
        until_ms = clock_mono_ms() + keep(loop, &next_give_up_ms);
        look_again_at(loop, loop->now_wall_ms() + until_ms - clock_mono_ms());
        atomic_store(&loop->keeper_since_ms, 0);
    }
    stop_workers(loop);
    return NULL;
}

/* --- life --- */

static int job_recover(struct db_conn *conn, void *arg, struct err *reterr)
{
    const int64_t *now_ms = arg;

    return outbox_db_recover(conn, *now_ms, reterr);
}

static void init_locks(struct loop_notify *loop)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&loop->wake, &attributes);
    loop->generation = 1;
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&loop->lock, NULL);
    (void)pthread_mutex_init(&loop->workers_lock, NULL);
    notify_paces_init(&loop->paces);
}

/* A webhook that is alertd itself: so the senders and the server are on the way, too. */
static void init_canary(struct loop_notify *loop, const char *url)
{
    if (!url)
        return;
    loop->canary_url = mem_strdup(url);
    loop->canary_to = (struct route_integration){.kind = ROUTE_WEBHOOK,
                                                 .receiver = OUTBOX_CANARY,
                                                 .send_resolved = true,
                                                 .timeout_ms = CANARY_TIMEOUT_MS,
                                                 .webhook.url.value = loop->canary_url};
}

static void drop(struct loop_notify *loop)
{
    route_config_unref(loop->config);
    route_config_unref(loop->next_config);
    (void)pthread_cond_destroy(&loop->wake);
    (void)pthread_mutex_destroy(&loop->lock);
    (void)pthread_mutex_destroy(&loop->workers_lock);
    notify_paces_done(&loop->paces);
    free(loop->external_url);
    free(loop->canary_url);
    free(loop);
}

int loop_notify_start(const struct loop_notify_options *options,
                      struct loop_notify **ret_loop,
                      struct err *reterr)
{
    STR_AUTO struct str key_path = STR_INIT(4096);
    int64_t now_ms = options->now_wall_ms();
    struct loop_notify *loop = mem_zalloc(sizeof(*loop));

    *loop = (struct loop_notify){
        .state = options->state,
        .pager = options->pager,
        .hub = options->hub,
        .log = options->log,
        .now_wall_ms = options->now_wall_ms,
        .external_url = mem_strdup(options->external_url),
        .config = route_config_ref(options->config),
    };
    init_locks(loop);
    init_canary(loop, options->canary_url);
    str_addf(&key_path, "%s/ack.key", options->storage_path);
    int r = ack_link_db_key(str_text(&key_path), loop->ack_key, reterr);
    if (r == 0)
        r = db_write(loop->state, job_recover, &now_ms, reterr);
    if (r == 0) {
        r = -pthread_create(&loop->keeper, NULL, keeper_run, loop);
        if (r)
            (void)err_set(reterr, r, "no thread for the notifier");
    }
    if (r) {
        drop(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void loop_notify_stop(struct loop_notify *loop)
{
    if (!loop)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    wake_all(loop);
    (void)pthread_mutex_unlock(&loop->lock);
    (void)pthread_join(loop->keeper, NULL);
    drop(loop);
}

void loop_notify_configure(struct loop_notify *loop, const struct route_config *config)
{
    (void)pthread_mutex_lock(&loop->lock);
    const struct route_config *passed_over = loop->next_config;
    loop->next_config = route_config_ref(config);
    wake_all(loop);
    (void)pthread_mutex_unlock(&loop->lock);
    route_config_unref(passed_over);
}

/* --- is it alive --- */

/* How long an attempt may take. */
static int64_t attempt_ms(const struct notify_worker *worker)
{
    return worker->to ? worker->to->timeout_ms : NOTIFY_PERSON_MS;
}

int64_t loop_notify_busy_ms(struct loop_notify *loop, char *ret_receiver, size_t size)
{
    int64_t now_ms = clock_mono_ms();
    int64_t keeper_ms = atomic_load(&loop->keeper_since_ms);
    int64_t longest_ms = keeper_ms ? now_ms - keeper_ms : 0;

    (void)snprintf(ret_receiver, size, "everybody");
    (void)pthread_mutex_lock(&loop->workers_lock);
    for (size_t i = 0; i < loop->n_workers; i++) {
        const struct notify_worker *worker = &loop->workers[i];
        int64_t since_ms = atomic_load(&worker->busy_since_ms);

        if (!since_ms || now_ms - since_ms - attempt_ms(worker) <= longest_ms)
            continue;
        longest_ms = now_ms - since_ms - attempt_ms(worker);
        (void)snprintf(ret_receiver, size, "%s", worker->to ? worker->to->receiver : "people");
    }
    (void)pthread_mutex_unlock(&loop->workers_lock);
    return longest_ms;
}

static bool tells(const struct notify_worker *worker,
                  const char *receiver,
                  const char *kind,
                  unsigned slot)
{
    if (!worker->to)
        return strncmp(receiver, OUTBOX_PERSON, strlen(OUTBOX_PERSON)) == 0;
    return worker->to->slot == slot && strcmp(worker->to->receiver, receiver) == 0 &&
           strcmp(route_kind_name(worker->to->kind), kind) == 0;
}

int64_t loop_notify_idle_ms(struct loop_notify *loop,
                            const char *receiver,
                            const char *kind,
                            unsigned slot)
{
    int64_t now_ms = clock_mono_ms();
    int64_t idle_ms = -1;

    (void)pthread_mutex_lock(&loop->workers_lock);
    for (size_t i = 0; i < loop->n_workers; i++) {
        const struct notify_worker *worker = &loop->workers[i];
        int64_t since_ms = now_ms - atomic_load(&worker->looked_ms) - attempt_ms(worker);

        since_ms = since_ms < 0 ? 0 : since_ms;
        if (tells(worker, receiver, kind, slot) && (idle_ms < 0 || since_ms < idle_ms))
            idle_ms = since_ms;
    }
    (void)pthread_mutex_unlock(&loop->workers_lock);
    return idle_ms;
}

/* --- metrics --- */

/* How attempts went. */
struct attempts {
    uint64_t accepted, failed, refused;
};

static void add_attempts(struct attempts *sum, struct notify_worker *worker)
{
    sum->accepted += atomic_load(&worker->accepted);
    sum->failed += atomic_load(&worker->failed);
    sum->refused += atomic_load(&worker->refused);
}

static void write_one(const char *receiver,
                      const char *kind,
                      const struct attempts *attempts,
                      struct str *out)
{
    const struct {
        const char *name;
        uint64_t n;
    } outcomes[] = {{"accepted", attempts->accepted},
                    {"failed", attempts->failed},
                    {"refused", attempts->refused}};

    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        const struct label pairs[] = {{LABEL_NAME, "alertd_notifications_total"},
                                      {"receiver", receiver},
                                      {"kind", kind},
                                      {"outcome", outcomes[i].name}};
        const struct labels *labels = labels_new(pairs, 4);

        labels_print(labels, out);
        str_addf(out, " %" PRIu64 "\n", outcomes[i].n);
        labels_unref(labels);
    }
}

static void write_attempts(struct loop_notify *loop, struct str *out)
{
    struct attempts people = {0};
    struct attempts shadows = {0};

    str_add(out, "# HELP alertd_notifications_total Attempts to tell a receiver, by outcome.\n"
                 "# TYPE alertd_notifications_total counter\n");
    (void)pthread_mutex_lock(&loop->workers_lock);
    for (size_t i = 0; i < loop->n_workers; i++) {
        struct notify_worker *worker = &loop->workers[i];
        struct attempts attempts = {0};

        if (worker->is_canary)
            continue;
        add_attempts(worker->to ? &attempts : worker->shadows ? &shadows : &people, worker);
        if (worker->to)
            write_one(worker->to->receiver, route_kind_name(worker->to->kind), &attempts, out);
    }
    (void)pthread_mutex_unlock(&loop->workers_lock);
    write_one("", "people", &people, out);
    write_one("", "shadows", &shadows, out);
}

/* Only receivers have templates: people's contacts have none. */
static void write_template_errors(struct loop_notify *loop, struct str *out)
{
    str_add(out, "# HELP alertd_notification_template_errors_total Attempts in which a template of "
                 "the config file failed, so that our own words stood in its place.\n"
                 "# TYPE alertd_notification_template_errors_total counter\n");
    (void)pthread_mutex_lock(&loop->workers_lock);
    for (size_t i = 0; i < loop->n_workers; i++) {
        struct notify_worker *worker = &loop->workers[i];

        if (!worker->to)
            continue;
        const struct label pairs[] = {{LABEL_NAME, "alertd_notification_template_errors_total"},
                                      {"receiver", worker->to->receiver},
                                      {"kind", route_kind_name(worker->to->kind)}};
        const struct labels *labels = labels_new(pairs, 3);

        labels_print(labels, out);
        str_addf(out, " %" PRIu64 "\n", (uint64_t)atomic_load(&worker->template_errors));
        labels_unref(labels);
    }
    (void)pthread_mutex_unlock(&loop->workers_lock);
}

static void write_floods(struct loop_notify *loop, struct str *out)
{
    const struct {
        const char *name, *help;
        uint64_t n;
    } rows[] = {
        {"alertd_digests_total", "Digests made of notifications that were too many.",
         atomic_load(&loop->digests)},
        {"alertd_notifications_folded_total", "Notifications that digests told.",
         atomic_load(&loop->folded)},
        {"alertd_notifications_held_total",
         "Times a receiver's due notifications waited for its limit.", atomic_load(&loop->held)},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        str_addf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", rows[i].name,
                 rows[i].help, rows[i].name, rows[i].name, rows[i].n);
}

void loop_notify_metrics(struct loop_notify *loop, struct str *out)
{
    struct outbox_counts counts = {0};
    struct db_conn *conn = NULL;
    int64_t now_ms = loop->now_wall_ms();

    write_attempts(loop, out);
    write_template_errors(loop, out);
    write_floods(loop, out);
    if (db_read_begin(loop->state, &conn, NULL))
        return;
    int r = outbox_db_counts(conn, &counts, NULL);
    db_read_end(loop->state, conn);
    if (r)
        return;

    int64_t overdue_ms = counts.oldest_due_ms && counts.oldest_due_ms < now_ms
                             ? now_ms - counts.oldest_due_ms
                             : 0;

    str_add(out, "# HELP alertd_outbox_notifications Notifications by state.\n"
                 "# TYPE alertd_outbox_notifications gauge\n");
    str_addf(out, "alertd_outbox_notifications{state=\"waiting\"} %" PRIu64 "\n", counts.waiting);
    str_addf(out, "alertd_outbox_notifications{state=\"sending\"} %" PRIu64 "\n", counts.sending);
    str_addf(out, "alertd_outbox_notifications{state=\"sent\"} %" PRIu64 "\n", counts.sent);
    str_addf(out, "alertd_outbox_notifications{state=\"failed\"} %" PRIu64 "\n", counts.failed);
    str_addf(
        out,
        "# HELP alertd_outbox_oldest_age_seconds How long the oldest notification is overdue.\n"
        "# TYPE alertd_outbox_oldest_age_seconds gauge\n"
        "alertd_outbox_oldest_age_seconds %.3f\n",
        (double)overdue_ms / 1000);
}
