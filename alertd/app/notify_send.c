/*
 * How a worker sends what it claimed: see notify.h.
 *
 *   few pages      one after the other, over the worker's connection
 *   many           helpers take part, each with a connection of its own that it keeps
 *
 * Helpers are threads that are made when the first large batch comes, and end with the worker.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alertd/app/notify.h"
#include "alertd/route/tree.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    HELPERS = 3,
    HELPED_FROM = 8, /* pages: fewer are sent while a thread wakes */
};

struct helper {
    struct notify_senders *senders;
    pthread_t thread;
};

struct notify_senders {
    struct notify_worker *worker;
    struct deliver *deliver;
    struct rng rng;
    struct helper helpers[HELPERS];
    size_t n_helpers;
    bool has_helpers; /* they were asked for */

    /* the batch: set before it begins, read by all who send it */
    const struct outbox_claims *claims;
    struct notify_mark *marks;
    atomic_size_t next;
    atomic_bool goes_on;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t begins, ended;
    uint64_t batch;
    size_t n_busy; /* helpers that are at it */
    bool ends;
};

static void count(struct notify_worker *worker,
                  const struct deliver_outcome *outcome,
                  int64_t now_ms)
{
    if (outcome->template_error[0])
        atomic_fetch_add(&worker->template_errors, 1);
    switch (outcome->verdict) {
    case DELIVER_ACCEPTED:
        atomic_fetch_add(&worker->accepted, 1);
        atomic_store(&worker->sent_last_ms, now_ms);
        break;
    case DELIVER_LATER: atomic_fetch_add(&worker->failed, 1); break;
    case DELIVER_REFUSED: atomic_fetch_add(&worker->refused, 1); break;
    }
}

const double notify_latencies_s[NOTIFY_LATENCIES] = {0.01, 0.1, 1, 5, 10, 15, 20};

static void count_time(struct notify_worker *worker, int64_t us)
{
    size_t i = 0;

    while (i < NOTIFY_LATENCIES && (double)us > notify_latencies_s[i] * 1e6)
        i++;
    atomic_fetch_add(&worker->attempts[i], 1);
    atomic_fetch_add(&worker->attempt_us, (uint64_t)us);
}

static void log_outcome(struct notify_worker *worker,
                        const struct page *page,
                        const struct deliver_outcome *outcome)
{
    const struct log *log = worker->loop->log;

    if (outcome->template_error[0])
        log_warn(log, "notify", "a template failed",
                 "incident=%s receiver=\"%s\" kind=%s error=\"%s\"", page->incident.key,
                 page->receiver, page->kind, outcome->template_error);
    if (outcome->verdict == DELIVER_ACCEPTED)
        log_info(log, "notify", "sent",
                 "incident=%s receiver=\"%s\" kind=%s reason=\"%s\" late_ms=%" PRId64,
                 page->incident.key, page->receiver, page->kind, page->reason,
                 page->now_ms - page->owed_at_ms);
    else
        log_warn(log, "notify", outcome->verdict == DELIVER_REFUSED ? "refused" : "failed",
                 "incident=%s receiver=\"%s\" kind=%s attempt=%u error=\"%s\"", page->incident.key,
                 page->receiver, page->kind, page->attempts + 1, outcome->words);
}

/* What became of a page to a person is in notify_person.c. */
static void send_page(struct notify_worker *worker,
                      struct deliver *deliver,
                      const struct page *page,
                      struct notify_mark *mark)
{
    const struct route_node *node = page->group_key && worker->loop->config
                                        ? route_node_of_key(worker->loop->config, page->group_key)
                                        : NULL;
    struct page told = *page;

    told.route = node ? route_node_labels(node) : NULL;
    if (worker->to)
        deliver_send(deliver, worker->to, &told, &mark->outcome);
    else
        mark->is_hopeless = !notify_person_send(worker->loop, deliver, &told, &mark->outcome);
    labels_unref(told.route);
}

static struct notify_mark send_one(struct notify_worker *worker,
                                   struct deliver *deliver,
                                   const struct page *page,
                                   struct rng *rng)
{
    struct notify_mark mark = {.outbox_id = page->outbox_id, .was_tried = true};
    int64_t began_us = clock_mono_us();

    (void)snprintf(mark.incident, sizeof(mark.incident), "%s", page->incident.key);
    send_page(worker, deliver, page, &mark);
    count_time(worker, clock_mono_us() - began_us);
    mark.now_ms = worker->loop->now_wall_ms();
    mark.retry_at_ms = deliver_retry_at(&mark.outcome, page->attempts + 1, mark.now_ms, rng);
    count(worker, &mark.outcome, mark.now_ms);
    if (!worker->is_canary || mark.outcome.verdict != DELIVER_ACCEPTED)
        log_outcome(worker, page, &mark.outcome);
    atomic_store(&worker->busy_since_ms, clock_mono_ms());
    atomic_store(&worker->looked_ms, clock_mono_ms());
    return mark;
}

/* Sends pages of the batch until none is left. */
static void send_rest(struct notify_senders *senders, struct deliver *deliver, struct rng *rng)
{
    const struct outbox_claims *claims = senders->claims;

    for (size_t i; (i = atomic_fetch_add(&senders->next, 1)) < claims->n;) {
        if (atomic_load(&senders->goes_on) && notify_must_stop(senders->worker->loop))
            atomic_store(&senders->goes_on, false);
        senders->marks[i] = atomic_load(&senders->goes_on)
                                ? send_one(senders->worker, deliver, &claims->pages[i], rng)
                                : (struct notify_mark){.outbox_id = claims->pages[i].outbox_id};
    }
}

static void *helper_run(void *arg)
{
    struct notify_senders *senders = ((struct helper *)arg)->senders;
    struct deliver *deliver = deliver_new();
    struct rng rng = {.state = rng_os_seed()};
    uint64_t seen = 0;

    (void)pthread_setname_np(pthread_self(), "sender");
    (void)pthread_mutex_lock(&senders->lock);
    for (;;) {
        while (!senders->ends && senders->batch == seen)
            (void)pthread_cond_wait(&senders->begins, &senders->lock);
        if (senders->ends)
            break;
        seen = senders->batch;
        (void)pthread_mutex_unlock(&senders->lock);
        send_rest(senders, deliver, &rng);
        (void)pthread_mutex_lock(&senders->lock);
        if (--senders->n_busy == 0)
            (void)pthread_cond_signal(&senders->ended);
    }
    (void)pthread_mutex_unlock(&senders->lock);
    deliver_free(deliver);
    return NULL;
}

/* Where a thread can't be had there is one less. */
static void start_helpers(struct notify_senders *senders)
{
    senders->has_helpers = true;
    for (size_t i = 0; i < HELPERS; i++) {
        struct helper *helper = &senders->helpers[senders->n_helpers];

        helper->senders = senders;
        if (pthread_create(&helper->thread, NULL, helper_run, helper) == 0)
            senders->n_helpers++;
    }
}

bool notify_send(struct notify_senders *senders,
                 const struct outbox_claims *claims,
                 struct notify_mark *ret_marks)
{
    bool is_large = claims->n >= HELPED_FROM;

    senders->claims = claims;
    senders->marks = ret_marks;
    atomic_store(&senders->next, 0);
    atomic_store(&senders->goes_on, true);
    if (is_large && !senders->has_helpers)
        start_helpers(senders);
    (void)pthread_mutex_lock(&senders->lock);
    if (is_large) {
        senders->batch++;
        senders->n_busy = senders->n_helpers;
        (void)pthread_cond_broadcast(&senders->begins);
    }
    (void)pthread_mutex_unlock(&senders->lock);
    send_rest(senders, senders->deliver, &senders->rng);
    (void)pthread_mutex_lock(&senders->lock);
    while (senders->n_busy > 0)
        (void)pthread_cond_wait(&senders->ended, &senders->lock);
    (void)pthread_mutex_unlock(&senders->lock);
    return atomic_load(&senders->goes_on);
}

struct notify_senders *notify_senders_new(struct notify_worker *worker)
{
    struct notify_senders *senders = mem_zalloc(sizeof(*senders));

    senders->worker = worker;
    senders->deliver = deliver_new();
    senders->rng = (struct rng){.state = rng_os_seed()};
    (void)pthread_mutex_init(&senders->lock, NULL);
    (void)pthread_cond_init(&senders->begins, NULL);
    (void)pthread_cond_init(&senders->ended, NULL);
    return senders;
}

void notify_senders_free(struct notify_senders *senders)
{
    (void)pthread_mutex_lock(&senders->lock);
    senders->ends = true;
    (void)pthread_cond_broadcast(&senders->begins);
    (void)pthread_mutex_unlock(&senders->lock);
    for (size_t i = 0; i < senders->n_helpers; i++)
        (void)pthread_join(senders->helpers[i].thread, NULL);
    (void)pthread_cond_destroy(&senders->begins);
    (void)pthread_cond_destroy(&senders->ended);
    (void)pthread_mutex_destroy(&senders->lock);
    deliver_free(senders->deliver);
    free(senders);
}
