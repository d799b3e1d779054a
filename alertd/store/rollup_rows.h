#pragma once

/*
 * A day's roll-ups in its file: rows of buckets beside the chunks they were made of.
 *
 *     rollup  id = (series x 2 + resolution) x 4 + column, body
 *
 * They say nothing that the chunks do not: what is damaged or missing is computed again. They
 * are good while every row of `sealed` is rolled and nothing is in the journal (rollup.h).
 */

#include "alertd/db/db.h"
#include "alertd/store/buckets.h"
#include "alertd/store/segment.h"

enum {
    ROLLUP_ROWS_DAMAGED = 30, /* rows that are no buckets */
};

/* Puts the roll-ups of a series' settled samples of a day in place of those that are there;
 * columns NULL: takes them away. In a db_job. */
int rollup_rows_put(struct db_conn *conn,
                    uint32_t local_id,
                    const struct columns *columns,
                    struct err *reterr);
/* Appends the buckets of one series: none when it has no rows. 0, ROLLUP_ROWS_DAMAGED, or as
 * db_done(). */
int rollup_rows_read(struct db_conn *conn,
                     uint32_t local_id,
                     int64_t resolution_ms,
                     struct buckets *buckets,
                     struct err *reterr);
