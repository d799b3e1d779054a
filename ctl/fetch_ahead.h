#pragma once

/*
 * An import's answers, asked for ahead: while one is written, the next is under way.
 *
 *     its thread   window by window, each selector: origin_ask()  ->  one place
 *     the import   fetch_ahead_next(): an answer, "that window is whole", the end   <-
 *
 * What is held is bounded by three answers: one that comes, one in its place, one in use.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/origin.h"
#include "lib/base/err.h"

enum fetched_kind {
    FETCHED_ANSWER, /* the answer is the taker's */
    FETCHED_WINDOW, /* all answers up to at_ms were told */
    FETCHED_END,    /* r: 0, or what went wrong, with words */
};

struct fetched {
    enum fetched_kind kind;
    struct origin_answer answer;
    int64_t at_ms;
    int r;
    struct err err;
};

/* What is to be asked: the samples of the selectors in (from_ms, to_ms], in windows that end at whole
 * multiples of step_ms. */
struct fetch_plan {
    const char *const *selectors;
    size_t n_selectors;
    int64_t from_ms, to_ms, step_ms;
};

struct fetch_ahead {
    struct origin *origin; /* the thread's, from start to stop */
    struct fetch_plan plan;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    struct fetched place;
    bool is_full, stopping;
};

int fetch_ahead_start(struct fetch_ahead *ahead,
                      struct origin *origin,
                      const struct fetch_plan *plan,
                      struct err *reterr);
/* Waits for it. Not again behind FETCHED_END. */
void fetch_ahead_next(struct fetch_ahead *ahead, struct fetched *ret_fetched);
/* The question under way is waited for, its answer dropped. */
void fetch_ahead_stop(struct fetch_ahead *ahead);
