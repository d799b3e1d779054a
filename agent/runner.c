/*
 * Runs probes in threads. See runner.h.
 */

#include "agent/runner.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    WORKER_STACK = 256 * 1024 /* the deepest probe uses about 60 KiB of it */
};

enum job_state {
    JOB_IDLE,
    JOB_WAITING, /* for a worker */
    JOB_RUNNING,
    JOB_FINISHED, /* main has not looked yet */
    JOB_READ,     /* main looks at the samples */
};

struct job {
    enum job_state state;
    const struct probe_kind *kind;
    void *probe;
    int64_t timeout_ms;
    struct samples samples;
    struct runner_result result;
};

struct runner {
    pthread_mutex_t lock;
    pthread_cond_t work;
    int event_fd, cancel_fd;
    bool is_stopping;
    size_t n, n_workers, n_busy, n_waiting;
    pthread_t *workers;
    struct job jobs[];
};

struct runner *runner_new(size_t n, int event_fd, int cancel_fd)
{
    struct runner *runner = mem_zalloc(sizeof(*runner) + n * sizeof(runner->jobs[0]));

    runner->n = n;
    runner->event_fd = event_fd;
    runner->cancel_fd = cancel_fd;
    runner->workers = mem_zalloc(n * sizeof(*runner->workers));
    (void)pthread_mutex_init(&runner->lock, NULL);
    (void)pthread_cond_init(&runner->work, NULL);
    return runner;
}

static struct job *waiting_job(struct runner *runner)
{
    for (size_t i = 0; i < runner->n; i++)
        if (runner->jobs[i].state == JOB_WAITING)
            return &runner->jobs[i];
    UNREACHABLE("a job is counted as waiting and none is");
}

/* Outside the lock: the job is this worker's alone while it is JOB_RUNNING. */
static void run(const struct runner *runner, struct job *job)
{
    int64_t start_us = clock_mono_us();
    const struct probe_run how = {
        .deadline_ms = start_us / 1000 + job->timeout_ms,
        .wall_ms = clock_wall_ms(),
        .cancel_fd = runner->cancel_fd,
    };

    samples_clear(&job->samples);
    job->result.err.text[0] = '\0';
    job->result.wall_ms = how.wall_ms;
    job->result.result = job->kind->run(job->probe, &how, &job->samples, &job->result.err);
    job->result.duration_us = clock_mono_us() - start_us;
    job->result.samples = &job->samples;
}

static void wake_main(const struct runner *runner)
{
    const uint64_t one = 1;
    ssize_t ignored = write(runner->event_fd, &one, sizeof(one));

    (void)ignored;
}

static void *work(void *of)
{
    struct runner *runner = of;

    (void)pthread_mutex_lock(&runner->lock);
    while (!runner->is_stopping) {
        if (runner->n_waiting == 0) {
            (void)pthread_cond_wait(&runner->work, &runner->lock);
            continue;
        }
        struct job *job = waiting_job(runner);

        job->state = JOB_RUNNING;
        runner->n_waiting--;
        runner->n_busy++;
        (void)pthread_mutex_unlock(&runner->lock);
        run(runner, job);
        (void)pthread_mutex_lock(&runner->lock);
        job->state = JOB_FINISHED;
        runner->n_busy--;
        wake_main(runner);
    }
    (void)pthread_mutex_unlock(&runner->lock);
    return NULL;
}

/* With every signal blocked, so that they all come to main. */
static void add_worker(struct runner *runner)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, WORKER_STACK);
    if (pthread_create(&runner->workers[runner->n_workers], &attributes, work, runner) == 0)
        runner->n_workers++; /* otherwise the others do it, later */
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void runner_start(struct runner *runner,
                  size_t index,
                  const struct probe_kind *kind,
                  void *state,
                  int64_t timeout_ms)
{
    struct job *job = &runner->jobs[index];

    (void)pthread_mutex_lock(&runner->lock);
    assert(job->state == JOB_IDLE);
    job->state = JOB_WAITING;
    job->kind = kind;
    job->probe = state;
    job->timeout_ms = timeout_ms;
    job->result.index = index;
    runner->n_waiting++;
    if (runner->n_busy + runner->n_waiting > runner->n_workers && runner->n_workers < runner->n)
        add_worker(runner);
    (void)pthread_cond_signal(&runner->work);
    (void)pthread_mutex_unlock(&runner->lock);
}

bool runner_next(struct runner *runner, struct runner_result *ret_result)
{
    bool is_found = false;

    (void)pthread_mutex_lock(&runner->lock);
    for (size_t i = 0; i < runner->n && !is_found; i++)
        if (runner->jobs[i].state == JOB_FINISHED) {
            runner->jobs[i].state = JOB_READ;
            *ret_result = runner->jobs[i].result;
            is_found = true;
        }
    (void)pthread_mutex_unlock(&runner->lock);
    return is_found;
}

void runner_release(struct runner *runner, size_t index)
{
    (void)pthread_mutex_lock(&runner->lock);
    assert(runner->jobs[index].state == JOB_READ);
    runner->jobs[index].state = JOB_IDLE;
    (void)pthread_mutex_unlock(&runner->lock);
}

size_t runner_n_running(struct runner *runner)
{
    (void)pthread_mutex_lock(&runner->lock);
    size_t n = runner->n_busy + runner->n_waiting;
    (void)pthread_mutex_unlock(&runner->lock);
    return n;
}

bool runner_free(struct runner *runner)
{
    if (!runner)
        return true;
    if (runner_n_running(runner))
        return false;
    (void)pthread_mutex_lock(&runner->lock);
    runner->is_stopping = true;
    (void)pthread_cond_broadcast(&runner->work);
    (void)pthread_mutex_unlock(&runner->lock);
    for (size_t i = 0; i < runner->n_workers; i++)
        (void)pthread_join(runner->workers[i], NULL);
    for (size_t i = 0; i < runner->n; i++)
        samples_done(&runner->jobs[i].samples);
    (void)pthread_cond_destroy(&runner->work);
    (void)pthread_mutex_destroy(&runner->lock);
    free(runner->workers);
    free(runner);
    return true;
}
