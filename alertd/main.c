/*
 * alertd: takes samples, evaluates rules kept in SQLite, pages, keeps incidents, serves
 * the dashboard and the API. All of it is in app/.
 */

#include <malloc.h>

#include "alertd/app/app.h"

enum {
    KEPT_BYTES = 32 << 20,
    ALLOCATORS = 2,
};

/* Each query and each evaluation frees all it took: given back to the kernel, that would be
 * faulted in again by the next, which cost a fifth of a query's time. So each allocator keeps
 * what a large query takes, and there are two of them: what one thread takes and another gives back
 * would lie free in each of many. Every two minutes all give back what is free (app's housekeeping). */
static void keep_some_memory(void)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread yet */
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_ARENA_MAX, ALLOCATORS);
    /* NOLINTEND(concurrency-mt-unsafe) */
}

int main(int argc, char **argv)
{
    keep_some_memory();
    return (int)app_main(argc, argv);
}
