#pragma once

/*
 * Independent pieces of work, done by a few threads at once.
 *
 *     parallel_each(n, parallel_workers(0), &each, context)
 *       each(context, 0) ... each(context, n - 1), in any order, each exactly once
 *
 * It returns when all are done. The pieces share nothing but what `context` says they do;
 * whoever wants an order puts results into places of their own and reads them afterwards.
 */

#include <stddef.h>

enum {
    PARALLEL_WORKERS_MAX = 64
};

/* How many threads to use: `wanted`, or one for each processor when it is 0. */
unsigned parallel_workers(unsigned wanted);

/* The caller works too; where a thread can't be had there is one less. */
void parallel_each(size_t n,
                   unsigned workers,
                   void (*each)(void *context, size_t index),
                   void *context);
