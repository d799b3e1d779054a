/*
 * One target's thread. See target.h.
 *
 *     refresh ─> fill ─> send ─> 2xx or refused: settle ─> save once a second, or when idle
 *        ^                  └──> failed: wait, the batch stays at hand ─┐
 *        └───────────────── at most a second later ─────────────────────┘
 */

#include "alertd/forward/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    POLL_MS = 1000,
    SAVE_MS = 1000,
    LOG_MS = 60000,
    STOP_MS = 2000,
};

int target_init(struct target *target, struct err *reterr)
{
    struct err err = {0};

    (void)pthread_mutex_init(&target->lock, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&target->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    target->rng.state = rng_os_seed();
    target->queue.store = target->store;
    target->queue.config = target->config;
    target->queue.stopping = &target->is_stopping;
    sender_init(&target->sender, target->config);
    int r = cursor_load(target->path, &target->queue.cursor, &err);
    if (r == CURSOR_E_DAMAGED) {
        log_error(&target->log, "forward", "the cursor is damaged: all that is there is sent again",
                  "target=%s file=\"%s\"", target->config->name, target->path);
        r = 0;
    } else if (r == -ENOENT) {
        queue_begin_now(&target->queue);
        r = cursor_save(target->path, &target->queue.cursor, &err);
    }
    cursor_copy(&target->queue.next, &target->queue.cursor);
    cursor_copy(&target->saved, &target->queue.cursor);
    return r == 0 ? 0 : err_set(reterr, r, "forwarding to %s: %s", target->config->name, err.text);
}

void target_done(struct target *target)
{
    queue_done(&target->queue);
    sender_done(&target->sender);
    cursor_done(&target->saved);
    (void)pthread_cond_destroy(&target->changed);
    (void)pthread_mutex_destroy(&target->lock);
    free(target->path);
}

/* --- what is told --- */

static uint64_t n_dropped(const struct target *target)
{
    const struct queue_stats *queue = &target->queue.stats;
    const struct send_stats *send = &target->sender.stats;

    return queue->dropped_full + queue->dropped_retention + queue->dropped_damaged +
           send->dropped_out_of_order + send->dropped_refused;
}

static int64_t oldest_ms(const struct queue *queue)
{
    int64_t oldest = queue->n > 0 ? queue->batch[0].sample.t_ms : 0;

    for (size_t i = 1; i < queue->n; i++)
        if (queue->batch[i].sample.t_ms < oldest)
            oldest = queue->batch[i].sample.t_ms;
    return oldest;
}

static void show(struct target *target, const char *error)
{
    uint64_t dropped = n_dropped(target);
    int64_t now_ms = clock_wall_ms();
    const struct target_view *view = &target->view;

    (void)pthread_mutex_lock(&target->lock);
    target->view.queue = target->queue.stats;
    target->view.send = target->sender.stats;
    target->view.oldest_ms = oldest_ms(&target->queue);
    if (error)
        (void)snprintf(target->view.last_error, sizeof(view->last_error), "%s", error);
    if (target->n_failures == 0)
        target->view.failing_ms = 0;
    else if (view->failing_ms == 0)
        target->view.failing_ms = now_ms;
    if (dropped > target->logged_dropped)
        target->view.dropped_at_ms = now_ms;
    (void)pthread_mutex_unlock(&target->lock);
    if (dropped == target->logged_dropped || clock_mono_ms() < target->next_log_ms)
        return;
    log_error(&target->log, "forward", "samples were dropped",
              "target=%s since_last=%llu full=%llu retention=%llu out_of_order=%llu refused=%llu "
              "last=\"%s\"",
              target->config->name, (unsigned long long)(dropped - target->logged_dropped),
              (unsigned long long)target->queue.stats.dropped_full,
              (unsigned long long)target->queue.stats.dropped_retention,
              (unsigned long long)target->sender.stats.dropped_out_of_order,
              (unsigned long long)target->sender.stats.dropped_refused, view->last_error);
    target->logged_dropped = dropped;
    target->next_log_ms = clock_mono_ms() + LOG_MS;
}

/* --- the thread --- */

static void save(struct target *target)
{
    struct err err = {0};

    target->is_unsaved = false;
    target->save_ms = clock_mono_ms();
    if (cursor_save(target->path, &target->queue.cursor, &err) != 0) {
        log_error(&target->log, "forward", "the cursor cannot be saved", "target=%s error=\"%s\"",
                  target->config->name, err.text);
        target->is_unsaved = true;
        return;
    }
    (void)pthread_mutex_lock(&target->lock);
    cursor_copy(&target->saved, &target->queue.cursor);
    bool is_stopping = atomic_load(&target->is_stopping);
    (void)pthread_mutex_unlock(&target->lock);
    if (!is_stopping)
        target->has_saved(target->arg);
}

static void settle(struct target *target)
{
    queue_settle(&target->queue);
    target->is_unsaved = true;
}

/* Once per change for the better or worse; the rest is at debug. */
static void log_outcome(const struct target *target, enum send_outcome outcome, const char *words)
{
    const char *name = target->config->name;

    if (outcome == SEND_FAILED && target->n_failures == 1)
        log_warn(&target->log, "forward", "cannot forward; samples wait", "target=%s reason=\"%s\"",
                 name, words);
    else if (outcome == SEND_FAILED)
        log_debug(&target->log, "forward", "still cannot forward", "target=%s reason=\"%s\"", name,
                  words);
    else if (target->n_failures > 0)
        log_info(&target->log, "forward", "forwarding again", "target=%s waiting=%llu", name,
                 (unsigned long long)target->queue.stats.samples);
}

static void note_outcome(struct target *target,
                         enum send_outcome outcome,
                         int64_t retry_after_ms,
                         const char *words)
{
    if (outcome == SEND_FAILED)
        target->n_failures++;
    log_outcome(target, outcome, words);
    if (outcome == SEND_FAILED) {
        target->retry_ms = clock_mono_ms() + retry_pause_ms(&target->config->backoff,
                                                            target->n_failures, retry_after_ms,
                                                            &target->rng);
        return;
    }
    target->n_failures = 0;
    target->retry_ms = 0;
}

/* False: nobody waits for us any more. */
static bool send_one(struct target *target)
{
    struct err words = {0};
    int64_t retry_after_ms;

    (void)pthread_mutex_lock(&target->lock);
    target->is_sending = true;
    (void)pthread_mutex_unlock(&target->lock);
    enum send_outcome outcome = sender_step(&target->sender, target->queue.batch, &retry_after_ms,
                                            &words);
    (void)pthread_mutex_lock(&target->lock);
    target->is_sending = false;
    bool is_abandoned = target->is_abandoned;
    (void)pthread_mutex_unlock(&target->lock);
    if (is_abandoned)
        return false;
    note_outcome(target, outcome, retry_after_ms, words.text);
    show(target, outcome == SEND_ACCEPTED ? NULL : words.text);
    if (sender_left(&target->sender) == 0)
        settle(target);
    return true;
}

static void wait_until(struct target *target, int64_t until_ms)
{
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&target->lock);
    while (!atomic_load(&target->is_stopping) && clock_mono_ms() < until_ms)
        (void)pthread_cond_timedwait(&target->changed, &target->lock, &until);
    (void)pthread_mutex_unlock(&target->lock);
}

/* What came and what is next. False: the store could not be read; later perhaps. */
static bool look(struct target *target)
{
    struct err err = {0};
    size_t n_before = target->queue.n;

    int r = queue_refresh(&target->queue, &err);
    if (n_before > 0 &&
        target->queue.n == 0) { /* it was the oldest, and what was left is dropped */
        target->queue.stats.dropped_full -= n_before - sender_left(&target->sender);
        sender_begin(&target->sender, 0);
        target->is_unsaved = true;
    }
    if (r == 0 && target->queue.n == 0) {
        r = queue_fill(&target->queue, &err);
        sender_begin(&target->sender, target->queue.n);
        target->is_unsaved = target->is_unsaved || target->queue.n == 0;
    }
    if (r != 0)
        log_error(&target->log, "forward", "what waits cannot be read", "target=%s error=\"%s\"",
                  target->config->name, err.text);
    show(target, r != 0 ? err.text : NULL);
    return r == 0;
}

static bool is_moved(const struct target *target)
{
    const struct cursor *a = &target->saved;
    const struct cursor *b = &target->queue.cursor;

    return a->n != b->n || (a->n > 0 && memcmp(a->days, b->days, a->n * sizeof(*a->days)) != 0);
}

static void save_when_due(struct target *target, bool is_idle)
{
    bool is_due = is_idle || clock_mono_ms() - target->save_ms >= SAVE_MS;

    if (target->is_unsaved && is_due && is_moved(target))
        save(target);
}

static void *target_main(void *arg)
{
    struct target *target = arg;

    while (!atomic_load(&target->is_stopping)) {
        bool is_well = look(target);
        int64_t now_ms = clock_mono_ms();
        bool is_idle = !is_well || target->queue.n == 0;

        save_when_due(target, is_idle);
        if (is_idle)
            wait_until(target, now_ms + POLL_MS);
        else if (target->retry_ms > now_ms)
            wait_until(target,
                       target->retry_ms < now_ms + POLL_MS ? target->retry_ms : now_ms + POLL_MS);
        else if (!send_one(target))
            return NULL;
    }
    if (is_moved(target))
        save(target);
    return NULL;
}

int target_start(struct target *target, struct err *reterr)
{
    int r = pthread_create(&target->thread, NULL, target_main, target);

    return r == 0 ? 0 : err_set(reterr, -r, "cannot start forwarding: %s", strerrordesc_np(r));
}

bool target_stop(struct target *target)
{
    int64_t until_ms = clock_mono_ms() + STOP_MS;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&target->lock);
    atomic_store(&target->is_stopping, true);
    (void)pthread_cond_signal(&target->changed);
    (void)pthread_mutex_unlock(&target->lock);
    if (pthread_clockjoin_np(target->thread, NULL, CLOCK_MONOTONIC, &until) == 0)
        return true;
    (void)pthread_mutex_lock(&target->lock);
    target->is_abandoned = target->is_sending;
    bool is_abandoned = target->is_abandoned;
    (void)pthread_mutex_unlock(&target->lock);
    if (!is_abandoned) {
        (void)pthread_join(target->thread, NULL);
        return true;
    }
    (void)pthread_detach(target->thread);
    return false;
}
