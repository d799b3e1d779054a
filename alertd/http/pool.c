/*
 * Workers in lanes. See call.h.
 *
 *   LANE_ACT   acknowledgements, notes, login   any worker, before all others
 *   LANE_PUSH  samples                          all workers but two
 *   LANE_READ  queries                          max_reads, at most half of the workers
 *
 * and pushes and reads together leave one worker free, so that whoever acknowledges a
 * page is served while the dashboard and the agents use all they may. A read that waited
 * longer than its caller will is dropped unread.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/http/call.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    LANE_CALLS_MAX = 256,
    READ_WAIT_MAX_US = 10 * 1000 * 1000,
    POLL_MS = 20,
};

static struct call *take_from(struct pool *pool, struct lane_queue *lane)
{
    struct call *call = lane->first;

    lane->first = call->next;
    if (!lane->first)
        lane->last = &lane->first;
    lane->n--;
    lane->active++;
    pool->active++;
    return call;
}

/* Whether a worker may start on this lane now. */
static bool may_start(const struct pool *pool, enum lane which)
{
    const struct lane_queue *lane = &pool->lanes[which];
    unsigned busy = pool->lanes[LANE_PUSH].active + pool->lanes[LANE_READ].active;

    if (!lane->first || lane->active >= lane->max_active)
        return false;
    return which == LANE_ACT || busy + 1 < pool->size || pool->size == 1;
}

/* The first lane that has a call a worker may start on; LANES: none has. */
static int find_lane(const struct pool *pool)
{
    int lane = 0;

    while (lane < LANES && !may_start(pool, (enum lane)lane))
        lane++;
    return lane;
}

/* A worker that waits, on its own stack. */
struct idle {
    struct idle *next;
    pthread_cond_t wake;
    bool is_called;
};

/* Of those who wait the one who worked last: its stack and its memory are still in the cache, and
 * workers that are not needed are never awake. With the lock. */
static void wake_one(struct pool *pool)
{
    struct idle *idle = pool->idle;

    if (!idle)
        return;
    pool->idle = idle->next;
    idle->is_called = true;
    (void)pthread_cond_signal(&idle->wake);
}

static void wait_for_call(struct pool *pool)
{
    struct idle idle = {.next = pool->idle};

    (void)pthread_cond_init(&idle.wake, NULL);
    pool->idle = &idle;
    while (!idle.is_called)
        (void)pthread_cond_wait(&idle.wake, &pool->lock);
    (void)pthread_cond_destroy(&idle.wake);
}

/* Waits for a call; NULL when the pool stops and nothing is left. One worker is woken for a call,
 * and it wakes the next when there is more to do: all of them for each call would cost more
 * than most calls do. */
static struct call *next_call(struct pool *pool, enum lane *ret_lane)
{
    int lane;

    while ((lane = find_lane(pool)) == LANES) {
        if (pool->stopping)
            return NULL;
        wait_for_call(pool);
    }
    *ret_lane = (enum lane)lane;
    struct call *call = take_from(pool, &pool->lanes[lane]);
    if (find_lane(pool) < LANES)
        wake_one(pool);
    return call;
}

static void *run(void *arg)
{
    struct pool *pool = arg;
    struct call *call;
    enum lane lane;

    (void)pthread_mutex_lock(&pool->lock);
    while ((call = next_call(pool, &lane))) {
        call->request.waited_us = clock_mono_us() - call->queued_us;
        bool late = lane == LANE_READ && call->request.waited_us > READ_WAIT_MAX_US;
        bool drop = pool->stopping || late;

        (void)pthread_mutex_unlock(&pool->lock);
        if (drop)
            pool->drop(call);
        else
            pool->work(call);
        (void)pthread_mutex_lock(&pool->lock);
        pool->lanes[lane].active--;
        pool->active--;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

int pool_start(struct pool *pool,
               unsigned n_threads,
               unsigned max_reads,
               void (*work)(struct call *),
               void (*drop)(struct call *),
               struct err *reterr)
{
    *pool = (struct pool){.size = n_threads, .work = work, .drop = drop};
    (void)pthread_mutex_init(&pool->lock, NULL);
    for (int lane = 0; lane < LANES; lane++)
        pool->lanes[lane].last = &pool->lanes[lane].first;
    pool->lanes[LANE_ACT].max_active = n_threads;
    pool->lanes[LANE_PUSH].max_active = n_threads > 3 ? n_threads - 2 : 1;
    pool->lanes[LANE_READ].max_active = n_threads > 3 ? n_threads / 2 : 1;
    if (max_reads && max_reads < pool->lanes[LANE_READ].max_active)
        pool->lanes[LANE_READ].max_active = max_reads;
    pool->threads = mem_zalloc(n_threads * sizeof(*pool->threads));
    for (; pool->n_threads < n_threads; pool->n_threads++) {
        int code = pthread_create(&pool->threads[pool->n_threads], NULL, run, pool);

        if (code != 0)
            return err_set(reterr, -code, "cannot start a worker thread: %s",
                           strerrordesc_np(code));
    }
    return 0;
}

bool pool_push(struct pool *pool, struct call *call, enum lane which)
{
    struct lane_queue *lane = &pool->lanes[which];
    bool taken;

    (void)pthread_mutex_lock(&pool->lock);
    taken = lane->n < LANE_CALLS_MAX && !pool->stopping;
    if (taken) {
        call->next = NULL;
        call->queued_us = clock_mono_us();
        *lane->last = call;
        lane->last = &call->next;
        lane->n++;
        wake_one(pool);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return taken;
}

static bool is_idle(const struct pool *pool)
{
    bool idle = pool->active == 0;

    for (int lane = 0; lane < LANES; lane++)
        idle &= pool->lanes[lane].n == 0;
    return idle;
}

void pool_stop(struct pool *pool, int64_t wait_ms)
{
    int64_t until_ms = clock_mono_ms() + wait_ms;

    (void)pthread_mutex_lock(&pool->lock);
    while (!is_idle(pool) && clock_mono_ms() < until_ms) {
        (void)pthread_mutex_unlock(&pool->lock);
        clock_sleep_ms(POLL_MS);
        (void)pthread_mutex_lock(&pool->lock);
    }
    pool->stopping = true;
    while (pool->idle)
        wake_one(pool);
    (void)pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->n_threads; i++)
        (void)pthread_join(pool->threads[i], NULL);
    free(pool->threads);
    pool->threads = NULL;
    pool->n_threads = 0;
    (void)pthread_mutex_destroy(&pool->lock);
}
