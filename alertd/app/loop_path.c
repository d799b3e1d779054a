/*
 * Paging-path drills. See loop_path.h.
 */

#include "alertd/app/loop_path.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "alertd/api/paging_drill.h"
#include "alertd/incident/report.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/zone.h"

enum {
    LOOK_MS = 5000,
    GRACE_MS = 10 * 60 * 1000, /* behind its hour: later it is none */
};

struct loop_path {
    struct loop_path_options options;
    struct zone *zone; /* NULL: none begins by itself */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping, woken; /* under lock */
};

static void begin_if_due(struct loop_path *loop)
{
    const struct loop_path_options *options = &loop->options;
    int64_t now_ms = clock_wall_ms();
    int64_t due_ms = loop->zone
                         ? report_weekly_due(loop->zone, options->weekday, options->hour, now_ms)
                         : 0;
    struct err err = {0};
    int64_t id = 0;

    if (!loop->zone || now_ms - due_ms > GRACE_MS ||
        paging_drill_last(options->api, options->policy) >= due_ms)
        return;
    if (paging_drill_begin(options->api, options->policy, "alertd", PAGING_DRILL_WITHIN_MS, &id,
                           &err))
        log_error(options->log, "paging_drill", "the weekly drill could not begin",
                  "policy=\"%s\" error=\"%s\"", options->policy, err.text);
}

/* True: stop. */
static bool wait_for(struct loop_path *loop, int64_t wait_ms)
{
    int64_t until_ms = clock_mono_ms() + wait_ms;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->stopping && !loop->woken && clock_mono_ms() < until_ms)
        (void)pthread_cond_timedwait(&loop->wake, &loop->lock, &until);
    bool stop = loop->stopping;

    loop->woken = false;
    (void)pthread_mutex_unlock(&loop->lock);
    return stop;
}

static void *run(void *arg)
{
    struct loop_path *loop = arg;
    int64_t wait_ms;

    do {
        begin_if_due(loop);
        wait_ms = paging_drill_step(loop->options.api, loop->options.log) ? 0 : LOOK_MS;
    } while (!wait_for(loop, wait_ms));
    return NULL;
}

static void drop(struct loop_path *loop)
{
    (void)pthread_cond_destroy(&loop->wake);
    (void)pthread_mutex_destroy(&loop->lock);
    zone_free(loop->zone);
    free(loop);
}

int loop_path_start(const struct loop_path_options *options,
                    struct loop_path **ret_loop,
                    struct err *reterr)
{
    struct zone *zone = NULL;
    pthread_condattr_t monotonic;
    struct err err = {0};

    if (options->policy[0] && zone_open(options->zone, &zone, &err))
        return err_set(reterr, -EINVAL, "--report.zone: %s", err.text);
    struct loop_path *loop = mem_zalloc(sizeof(*loop));

    *loop = (struct loop_path){.options = *options, .zone = zone};
    (void)pthread_mutex_init(&loop->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&loop->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    int r = -pthread_create(&loop->thread, NULL, run, loop);

    if (r) {
        drop(loop);
        return err_set(reterr, r, "no thread for paging drills");
    }
    *ret_loop = loop;
    return 0;
}

void loop_path_wake(struct loop_path *loop)
{
    if (!loop)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    loop->woken = true;
    (void)pthread_cond_signal(&loop->wake);
    (void)pthread_mutex_unlock(&loop->lock);
}

void loop_path_stop(struct loop_path *loop)
{
    if (!loop)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    (void)pthread_cond_signal(&loop->wake);
    (void)pthread_mutex_unlock(&loop->lock);
    (void)pthread_join(loop->thread, NULL);
    drop(loop);
}
