/*
 * Preloaded into a program: its wall clock goes faster, so that days pass in minutes. What is measured with the
 * monotonic clock (waits, time limits) goes as ever.
 *
 *   FAST_CLOCK    "FROM TO SPEED": at FROM (real ms since 1970) it shows TO (ms), and goes SPEED times as fast
 *   CLOCK_SET     a file of three integers as the machine has them: so many ms are added; whoever writes it sets the
 *                 clock of a running program. The second counts down at every look of an evaluator's thread, and when
 *                 it comes to 0 the third is added to the first: a jump between two certain looks
 *   CLOCK_HOLDS   "NAME MS": a thread of that name is held up so long whenever it looks at a clock, as on a busy machine
 */

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t from_ms, to_ms, speed;
static char held_name[16];
static int64_t held_ms; /* 0: nobody is held up */
struct set {
    _Atomic int64_t ahead_ms, looks, jump_ms;
};
static struct set *set; /* NULL: nobody sets it */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void map_set(void)
{
    const char *path = getenv("CLOCK_SET"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof(*set), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        set = map;
    (void)close(fd);
}

/* The look after the last that is counted is the first to see the jump. */
static void count_look(void)
{
    char name[16] = "";

    if (atomic_load(&set->looks) <= 0)
        return;
    (void)pthread_getname_np(pthread_self(), name, sizeof(name));
    if (strcmp(name, "evaluator") == 0 && atomic_fetch_sub(&set->looks, 1) == 1)
        atomic_fetch_add(&set->ahead_ms, atomic_load(&set->jump_ms));
}

static void hold_up(void)
{
    const struct timespec wait = {held_ms / 1000, held_ms % 1000 * 1000000};
    char name[16] = "";

    (void)pthread_getname_np(pthread_self(), name, sizeof(name));
    if (strcmp(name, held_name) == 0)
        (void)nanosleep(&wait, NULL);
}

static void read_setting(void)
{
    const char *text = getenv("FAST_CLOCK");   // NOLINT(concurrency-mt-unsafe): nobody sets it
    const char *holds = getenv("CLOCK_HOLDS"); // NOLINT(concurrency-mt-unsafe): nobody sets it

    // NOLINTNEXTLINE(cert-err34-c): the number of fields is looked at
    if (!holds || sscanf(holds, "%15s %" SCNd64, held_name, &held_ms) != 2)
        held_ms = 0;
    // NOLINTNEXTLINE(cert-err34-c): the number of fields is looked at
    if (!text || sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &from_ms, &to_ms, &speed) != 3)
        speed = 0;
    map_set();
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the header's are reserved
__attribute__((visibility("default"))) int clock_gettime(clockid_t which, struct timespec *now)
{
    (void)pthread_once(&once, read_setting);
    if (held_ms > 0)
        hold_up();

    int r = (int)syscall(SYS_clock_gettime, which, now);

    if (r != 0 || which != CLOCK_REALTIME)
        return r;
    if (speed > 0) {
        int64_t real_us = (int64_t)now->tv_sec * 1000000 + now->tv_nsec / 1000;
        int64_t us = to_ms * 1000 + (real_us - from_ms * 1000) * speed;

        *now = (struct timespec){us / 1000000, us % 1000000 * 1000};
    }
    if (set) {
        int64_t us = (int64_t)now->tv_sec * 1000000 + now->tv_nsec / 1000 +
                     atomic_load(&set->ahead_ms) * 1000;

        *now = (struct timespec){us / 1000000, us % 1000000 * 1000};
        count_look();
    }
    return r;
}
