#pragma once

/*
 * One batch to one target, in as many requests as it takes.
 *
 *     [ . . . . . . . . ]  400
 *     [ . . . . ][ . . . . ]      the halves, the left one first
 *       204      [ . . ][ x . ]   and so on: only what is refused alone is dropped
 *
 * A target that answers 400 to a body has stored none of it (Prometheus, when one sample is out
 * of order), so the rest of it is sent again without what it refuses.
 *
 * Not thread-safe; one request at a time keeps each series' samples in order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/forward/queue.h"
#include "lib/wire/remote_write_encode.h"

enum {
    SEND_RANGES_MAX = 64, /* halves of halves of a batch that wait for their turn */
};

struct send_range {
    size_t from, to;
};

enum send_outcome {
    SEND_ACCEPTED,
    SEND_REFUSED, /* for good, by its own fault */
    SEND_FAILED,  /* later perhaps */
};

struct send_stats {
    uint64_t sent, requests, failed, bytes;
    uint64_t dropped_out_of_order, dropped_refused;
};

struct sender {
    const struct forward_config *config;
    struct http_client *client;
    struct remote_write writer;
    struct send_range ranges[SEND_RANGES_MAX]; /* of the batch, the next one last */
    size_t n_ranges;
    size_t n_refused; /* one after the other, of this batch */
    struct send_stats stats;
};

void sender_init(struct sender *sender, const struct forward_config *config);
void sender_done(struct sender *sender);
/* A new batch: all of it is to be sent. */
void sender_begin(struct sender *sender, size_t n);
/* How many samples of the batch are left. */
size_t sender_left(const struct sender *sender);

/* The next request; words in *ret_words unless it was accepted, the server's when it said
 * something. Touches only the sender and the batch. */
enum send_outcome sender_step(struct sender *sender,
                              const struct queue_sample *batch,
                              int64_t *ret_retry_after_ms,
                              struct err *ret_words);
