#pragma once

/*
 * A thread that does rounds: a look, a rest, a look ... until it is stopped.
 *
 *     rounds_start --> run(arg): do look(); while (!rounds_rest(rounds, 60000));
 *                         ^ rounds_wake: the rest is over at once
 *                         ^ rounds_stop: so is the run; joined
 *
 * Rests are measured by the steady clock: a step of the wall clock makes none longer.
 * run() is called once and looks at rounds_stopping() where a round takes long.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct rounds {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping, is_woken; /* under lock */
};

/* name: of the thread, 15 bytes at most. After an error there is nothing to stop. */
int rounds_start(
    struct rounds *rounds, const char *name, void *(*run)(void *), void *arg, struct err *reterr);
/* True: stop. ret_woken (NULL is fine): somebody asked for this round. */
bool rounds_rest(struct rounds *rounds, int64_t rest_ms, bool *ret_woken);
bool rounds_stopping(struct rounds *rounds);
void rounds_wake(struct rounds *rounds);
/* Waits for the round to end. Once, after a start that was one. */
void rounds_stop(struct rounds *rounds);
