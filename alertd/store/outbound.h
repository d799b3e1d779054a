#pragma once

/*
 * What was acknowledged, in the order of its commits, for whoever passes it on.
 *
 *     journal    ........ 5 6 7 8 9      one row a commit, written with the commit's own sync
 *     sealing    drops rows up to 8      but what is still wanted goes to
 *     outbound   . . 7 8                 in transactions of its own before, so that no push waits
 *                    ^ held: rows above it are wanted
 *
 * So passing on costs nothing on the push's path, and nothing at all while it keeps up: then
 * sealing finds no row above `held`. Rows of a day are numbered from 1 and no number is used
 * twice, over restarts too: the last number sealed stays behind as an empty row.
 *
 * Only with store_options.keeps_outbound; without it outbound rows are dropped.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/store/store.h"

struct store_outbound_day {
    int64_t day_ms;
    int64_t last_row; /* 0: none yet */
};

/* Every day, oldest first. What lies in a day up to its last row was acknowledged with or
 * before what lies in later days. Heap, free(). */
struct store_outbound_day *store_outbound_days(struct store *store, size_t *ret_n);

struct store_outbound_row {
    int64_t number;
    size_t bytes;
    size_t n_samples;
    bool is_history; /* an import: store_batch.history */
    bool is_damaged; /* its samples cannot be told */
};

struct store_outbound_query {
    struct store_outbound_day after; /* the first row behind it */
    size_t first, most;              /* of the row's samples */
    /* labels are a loan for the call */
    void (*each)(void *arg, const struct labels *labels, struct sample sample);
    void *arg;
};

/* Each series' samples in the order in which they came. most == 0: only what the row is.
 * 0; -ENOENT: no such row, or no such day any more; other negative errno with words. */
int store_outbound_read(struct store *store,
                        const struct store_outbound_query *query,
                        struct store_outbound_row *ret_row,
                        struct err *reterr);

/* Nobody wants rows up to this one any more. */
void store_outbound_hold(struct store *store, const struct store_outbound_day *held);
