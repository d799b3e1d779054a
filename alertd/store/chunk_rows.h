#pragma once

/*
 * A series' chunks in a day's file, wherever they lie:
 *
 *     chunk   17 | t0, t1, n | body                a sealed one in its own row
 *     chunk   17 | t0, t1, n | pack, at, length    a long one of older programs, whole in a pack
 *     place   pack 1088 | 17 ... 18 ...            long ones, lean in the pack: places.h
 *
 * A series lies in packs that begin with one of the PACK_SPAN series up to it (pack.h), so that
 * two or three rows of places are looked through.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/store/pack.h"
#include "alertd/store/places.h"

struct chunk_rows {
    struct pack_reader *packs; /* with its connection */
    uint32_t series;
    int64_t from_ms, to_ms;
    struct db_stmt *rows, *shelf; /* of chunk; then of place */
    struct places_reader places;
    int64_t pack;
    int r;
};

/* One of them, good until the next. */
struct chunk_row {
    bool is_damaged; /* it cannot be told what is there */
    bool is_lean;
    size_t n;                /* samples */
    struct pack_place place; /* pack 0: in its own row */
    struct lean_head head;
};

/* Of those that overlap [from, to]. Errors are kept for chunk_rows_done(). */
void chunk_rows_begin(struct chunk_rows *rows,
                      struct pack_reader *packs,
                      uint32_t series,
                      int64_t from_ms,
                      int64_t to_ms);
bool chunk_rows_next(struct chunk_rows *rows, struct chunk_row *ret_row, struct err *reterr);
int chunk_rows_done(struct chunk_rows *rows, struct err *reterr);

/* The bytes of a chunk, good until the next step or read; NULL: they are not there. */
int chunk_row_bytes(struct chunk_rows *rows,
                    const struct chunk_row *row,
                    const void **ret_bytes,
                    size_t *ret_len,
                    struct err *reterr);

/* Takes a series' chunks away; packs that nobody lies in go with pack_sweep(). In a db_job. */
int chunk_rows_drop(struct db_conn *conn, uint32_t series, struct err *reterr);

struct chunk_sums {
    uint64_t n_chunks, bytes, samples;
    uint64_t packed_bytes; /* of bytes: in packs */
};
/* Of the whole file. What is damaged counts nothing. */
int chunk_rows_sum(struct db_conn *conn, struct chunk_sums *ret_sums, struct err *reterr);
