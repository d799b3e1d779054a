/*
 * A thread that does rounds. See rounds.h.
 */

#include "lib/base/rounds.h"

#include <string.h>
#include <time.h>

#include "lib/base/clock.h"

static void drop(struct rounds *rounds)
{
    (void)pthread_cond_destroy(&rounds->wake);
    (void)pthread_mutex_destroy(&rounds->lock);
}

int rounds_start(
    struct rounds *rounds, const char *name, void *(*run)(void *), void *arg, struct err *reterr)
{
    pthread_condattr_t monotonic;

    rounds->is_stopping = rounds->is_woken = false;
    (void)pthread_mutex_init(&rounds->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&rounds->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    int r = pthread_create(&rounds->thread, NULL, run, arg);
    if (r) {
        drop(rounds);
        return err_set(reterr, -r, "no thread for %s: %s", name, strerrordesc_np(r));
    }
    (void)pthread_setname_np(rounds->thread, name);
    return 0;
}

bool rounds_rest(struct rounds *rounds, int64_t rest_ms, bool *ret_woken)
{
    int64_t until_ms = clock_mono_ms() + rest_ms;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    (void)pthread_mutex_lock(&rounds->lock);
    while (!rounds->is_stopping && !rounds->is_woken && clock_mono_ms() < until_ms)
        (void)pthread_cond_timedwait(&rounds->wake, &rounds->lock, &until);
    bool must_stop = rounds->is_stopping;
    if (ret_woken)
        *ret_woken = rounds->is_woken;
    rounds->is_woken = false;
    (void)pthread_mutex_unlock(&rounds->lock);
    return must_stop;
}

bool rounds_stopping(struct rounds *rounds)
{
    (void)pthread_mutex_lock(&rounds->lock);
    bool must_stop = rounds->is_stopping;
    (void)pthread_mutex_unlock(&rounds->lock);
    return must_stop;
}

static void tell(struct rounds *rounds, bool *what)
{
    (void)pthread_mutex_lock(&rounds->lock);
    *what = true;
    (void)pthread_cond_signal(&rounds->wake);
    (void)pthread_mutex_unlock(&rounds->lock);
}

void rounds_wake(struct rounds *rounds)
{
    tell(rounds, &rounds->is_woken);
}

void rounds_stop(struct rounds *rounds)
{
    tell(rounds, &rounds->is_stopping);
    (void)pthread_join(rounds->thread, NULL);
    drop(rounds);
}
