#pragma once

/*
 * Runs probes in threads, so that one that hangs holds up nobody else.
 *
 *   main                         workers (made when all others are busy)
 *   runner_start(job) ---------> run() until its deadline
 *   eventfd  <------------------ finished
 *   runner_next() reads the samples, runner_release() gives the job back
 *
 * Threads, and not one loop of non-blocking sockets, because two things a probe does
 * cannot be made non-blocking at all: getaddrinfo() and statvfs() of a dead NFS server.
 * There are as many workers as probes ever ran at once: for most machines one or two.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/probe/probe.h"

struct runner;

struct runner_result {
    size_t index;
    int result;      /* of run(): 0 is success */
    struct err err;  /* when it is not */
    int64_t wall_ms; /* when it started */
    int64_t duration_us;
    const struct samples *samples; /* a loan until runner_release() */
};

/* Jobs 0..n-1; results make event_fd (an eventfd) readable, cancel_fd is passed on. */
struct runner *runner_new(size_t n, int event_fd, int cancel_fd);

/* Frees it when nothing runs any more; false (and nothing done) while something does. */
bool runner_free(struct runner *runner);

void runner_start(struct runner *runner,
                  size_t index,
                  const struct probe_kind *kind,
                  void *state,
                  int64_t timeout_ms);

/* A finished run; false: none. */
bool runner_next(struct runner *runner, struct runner_result *ret_result);
void runner_release(struct runner *runner, size_t index);

size_t runner_n_running(struct runner *runner);
