/*
 * Independent pieces of work, done by a few threads at once. See parallel.h.
 */

#include "lib/base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct pool {
    atomic_size_t next; /* the first piece nobody took */
    size_t n;
    void (*each)(void *context, size_t index);
    void *context;
};

unsigned parallel_workers(unsigned wanted)
{
    long processors = wanted ? (long)wanted : sysconf(_SC_NPROCESSORS_ONLN);

    if (processors < 1)
        return 1;
    return processors > PARALLEL_WORKERS_MAX ? PARALLEL_WORKERS_MAX : (unsigned)processors;
}

static void *work(void *arg)
{
    struct pool *pool = arg;

    for (;;) {
        size_t index = atomic_fetch_add(&pool->next, 1);

        if (index >= pool->n)
            return NULL;
        pool->each(pool->context, index);
    }
}

void parallel_each(size_t n,
                   unsigned workers,
                   void (*each)(void *context, size_t index),
                   void *context)
{
    struct pool pool = {.n = n, .each = each, .context = context};
    pthread_t threads[PARALLEL_WORKERS_MAX];
    unsigned started = 0;

    while (started + 1 < workers && started + 1 < n && started < PARALLEL_WORKERS_MAX &&
           pthread_create(&threads[started], NULL, work, &pool) == 0)
        started++;
    (void)work(&pool);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
}
