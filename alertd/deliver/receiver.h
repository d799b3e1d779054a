#pragma once

/*
 * Telling somebody: one page, one integration, one attempt.
 *
 *   page --render.c--> words --webhook.c email.c slack.c ...--> outcome
 *
 * A new kind of receiver is a file and a row in table.c. An attempt ends within the
 * integration's timeout whatever the other side does; whether and when there is another
 * is deliver_retry_at()'s to say and the outbox' to remember.
 */

#include <stdint.h>

#include "alertd/incident/page.h"
#include "alertd/route/config.h"
#include "lib/base/err.h"
#include "lib/base/rng.h"

enum deliver_verdict {
    DELIVER_ACCEPTED,
    DELIVER_LATER,   /* busy, away, broken off: soon again */
    DELIVER_REFUSED, /* it says no (401, 404, unknown address ...): rarely again */
};

struct deliver_outcome {
    enum deliver_verdict verdict;
    int64_t retry_after_ms;   /* -1: the receiver did not say */
    char words[ERR_TEXT_MAX]; /* "HTTP 429"; holds no secret */
    /* Why a template of the config file gave nothing, so that our own words stand in its place;
     * "": none failed. Told at the end of `words` too. */
    char template_error[ERR_TEXT_MAX];
};

/* What one worker keeps between attempts: connections. One thread at a time. */
struct deliver;

struct deliver *deliver_new(void);
void deliver_free(struct deliver *deliver); /* NULL is fine */

void deliver_send(struct deliver *deliver,
                  const struct route_integration *to,
                  const struct page *page,
                  struct deliver_outcome *ret_outcome);

/* When to try again after the attempts-th attempt ended so: full jitter over
 * min(60 s, 2^attempts s), not before what the receiver asked for (5 min at most); a
 * refusal 5 min later. Full jitter: Brooker, "Exponential Backoff And Jitter", 2015. */
int64_t deliver_retry_at(const struct deliver_outcome *outcome,
                         unsigned attempts,
                         int64_t now_ms,
                         struct rng *rng);
