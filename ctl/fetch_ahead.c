/*
 * Answers asked for ahead. See fetch_ahead.h.
 */

#include "ctl/fetch_ahead.h"

#include <errno.h>
#include <string.h>

enum {
    STOPPED = -ECANCELED,
};

/* False: nobody takes it any more. */
static bool put(struct fetch_ahead *ahead, const struct fetched *fetched)
{
    (void)pthread_mutex_lock(&ahead->lock);
    while (ahead->is_full && !ahead->stopping)
        (void)pthread_cond_wait(&ahead->turn, &ahead->lock);
    bool is_wanted = !ahead->stopping;
    if (is_wanted) {
        ahead->place = *fetched;
        ahead->is_full = true;
        (void)pthread_cond_signal(&ahead->turn);
    }
    (void)pthread_mutex_unlock(&ahead->lock);
    return is_wanted;
}

static int put_answer(void *arg, struct origin_answer *answer, struct err *reterr)
{
    const struct fetched fetched = {.kind = FETCHED_ANSWER, .answer = *answer};

    (void)reterr;
    if (put(arg, &fetched))
        return 0;
    origin_answer_done(answer);
    return STOPPED;
}

static int fetch_window(struct fetch_ahead *ahead, int64_t from_ms, int64_t to_ms, struct err *err)
{
    const struct fetch_plan *plan = &ahead->plan;
    const struct fetched whole = {.kind = FETCHED_WINDOW, .at_ms = to_ms};
    int r = 0;

    for (size_t i = 0; r == 0 && i < plan->n_selectors; i++)
        r = origin_ask(ahead->origin, plan->selectors[i], from_ms, to_ms, put_answer, ahead, err);
    return r == 0 && !put(ahead, &whole) ? STOPPED : r;
}

static void *fetch_all(void *arg)
{
    struct fetch_ahead *ahead = arg;
    const struct fetch_plan *plan = &ahead->plan;
    struct fetched end = {.kind = FETCHED_END};

    for (int64_t at_ms = plan->from_ms; end.r == 0 && at_ms < plan->to_ms;) {
        int64_t within_ms = (at_ms % plan->step_ms + plan->step_ms) % plan->step_ms;
        int64_t next_ms = at_ms - within_ms + plan->step_ms;

        next_ms = next_ms < plan->to_ms ? next_ms : plan->to_ms;
        end.r = fetch_window(ahead, at_ms + 1, next_ms, &end.err);
        at_ms = next_ms;
    }
    (void)put(ahead, &end);
    return NULL;
}

int fetch_ahead_start(struct fetch_ahead *ahead,
                      struct origin *origin,
                      const struct fetch_plan *plan,
                      struct err *reterr)
{
    *ahead = (struct fetch_ahead){.origin = origin, .plan = *plan};
    (void)pthread_mutex_init(&ahead->lock, NULL);
    (void)pthread_cond_init(&ahead->turn, NULL);
    int r = pthread_create(&ahead->thread, NULL, fetch_all, ahead);
    return r == 0 ? 0 : err_set(reterr, -r, "cannot start a thread: %s", strerrordesc_np(r));
}

void fetch_ahead_next(struct fetch_ahead *ahead, struct fetched *ret_fetched)
{
    (void)pthread_mutex_lock(&ahead->lock);
    while (!ahead->is_full)
        (void)pthread_cond_wait(&ahead->turn, &ahead->lock);
    *ret_fetched = ahead->place;
    ahead->is_full = false;
    (void)pthread_cond_signal(&ahead->turn);
    (void)pthread_mutex_unlock(&ahead->lock);
}

void fetch_ahead_stop(struct fetch_ahead *ahead)
{
    (void)pthread_mutex_lock(&ahead->lock);
    ahead->stopping = true;
    (void)pthread_cond_signal(&ahead->turn);
    (void)pthread_mutex_unlock(&ahead->lock);
    (void)pthread_join(ahead->thread, NULL);
    if (ahead->is_full && ahead->place.kind == FETCHED_ANSWER)
        origin_answer_done(&ahead->place.answer);
    (void)pthread_cond_destroy(&ahead->turn);
    (void)pthread_mutex_destroy(&ahead->lock);
}
