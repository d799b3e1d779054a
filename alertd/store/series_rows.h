#pragma once

/*
 * Who a day's series are, as rows of its file.
 *
 *     series   17 | http_requests_total | __name__ http_requests_total code 200 instance web-1
 *     brief    17 | 4                   | 4 9 12          of a day that is over
 *     label     4 | __name__ http_requests_total          its pairs, once each
 *
 * A series is written whole when its first sample comes, and made brief when its day is
 * compacted: a hundred bytes of text become a dozen. It keeps its number.
 *
 * Invariants
 *  (1) A number is in one of the two tables, never in both: series_make_brief() moves it.
 *  (2) A row of label is never changed nor removed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"

/* --- in a db_job --- */

int series_put(struct db_conn *conn,
               uint32_t local_id,
               const struct labels *labels,
               struct err *reterr);
/* One that is not in `series` stays as it is. */
int series_make_brief(struct db_conn *conn, uint32_t local_id, struct err *reterr);

/* --- read --- */

/* Of the series that may match, to be stepped and given to series_reader_labels(). */
struct db_stmt *series_rows(struct db_conn *conn,
                            const struct matcher *matchers,
                            size_t n_matchers);
/* Of all, by number; of one. */
struct db_stmt *series_rows_all(struct db_conn *conn);
struct db_stmt *series_row_of(struct db_conn *conn, uint32_t local_id);

/* Puts rows into words; remembers the pairs it met. */
struct series_reader {
    struct db_conn *conn;
    struct arena texts;
    struct label *pairs; /* by number; no name: not met */
    size_t n, capacity;
};
void series_reader_init(struct series_reader *reader, struct db_conn *conn);
void series_reader_done(struct series_reader *reader);
#define SERIES_READER_AUTO __attribute__((cleanup(series_reader_done)))

static inline uint32_t series_row_id(struct db_stmt *stmt)
{
    return (uint32_t)db_int(stmt, 0);
}
/* Of the row at hand, in the arena; NULL: its limit, or a row that is not labels. */
const struct labels *series_reader_labels(struct series_reader *reader,
                                          struct db_stmt *stmt,
                                          struct arena *arena,
                                          bool *ret_corrupt);
