/*
 * Preloaded into a program: its wall clock goes faster, so that days pass in minutes. What is measured with the
 * monotonic clock (waits, time limits) goes as ever.
 *
 *   FAST_CLOCK    "FROM TO SPEED": at FROM (real ms since 1970) it shows TO (ms), and goes SPEED times as fast
 *   CLOCK_SET     a file of eight bytes, an integer as the machine has it: so many ms are added; whoever writes it
 *                 sets the clock of a running program
 */

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t from_ms, to_ms, speed;
static const _Atomic int64_t *set_ms; /* NULL: nobody sets it */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void map_set(void)
{
    const char *path = getenv("CLOCK_SET"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof(*set_ms), PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        set_ms = map;
    (void)close(fd);
}

static void read_setting(void)
{
    const char *text = getenv("FAST_CLOCK"); // NOLINT(concurrency-mt-unsafe): nobody sets it

    // NOLINTNEXTLINE(cert-err34-c): the number of fields is looked at
    if (!text || sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &from_ms, &to_ms, &speed) != 3)
        speed = 0;
    map_set();
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the header's are reserved
__attribute__((visibility("default"))) int clock_gettime(clockid_t which, struct timespec *now)
{
    int r = (int)syscall(SYS_clock_gettime, which, now);

    if (r != 0 || which != CLOCK_REALTIME)
        return r;
    (void)pthread_once(&once, read_setting);
    if (speed > 0) {
        int64_t real_us = (int64_t)now->tv_sec * 1000000 + now->tv_nsec / 1000;
        int64_t us = to_ms * 1000 + (real_us - from_ms * 1000) * speed;

        *now = (struct timespec){us / 1000000, us % 1000000 * 1000};
    }
    if (set_ms) {
        int64_t us = (int64_t)now->tv_sec * 1000000 + now->tv_nsec / 1000 +
                     atomic_load(set_ms) * 1000;

        *now = (struct timespec){us / 1000000, us % 1000000 * 1000};
    }
    return r;
}
