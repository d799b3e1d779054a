#pragma once

/*
 * Long chunks of neighbouring series, end to end in one row.
 *
 *     pack 1088  [17.....|18.....|19...]       place 1088  17: 2114 bytes, 18: 1987 bytes, ...
 *
 * A row longer than a quarter of a page goes on in pages of its own; what does not fill one of
 * these lies in the table's page, which has room for nothing else when that is much. Of chunks of
 * 2 KB each, two fifths of the file were lost so. A pack ends where its pages are full.
 *
 * Invariants
 *  (1) a pack is written once. Its id is PACK_IDS x its first series + something, and no chunk
 *      in it is of a series PACK_SPAN or more behind the first: who lies in it can be found.
 *  (2) beside each new one is a row of its places (places.h); who lies in one of older programs has
 *      a row of chunk, and the whole chunk is there, where a new one's are lean.
 *  (3) one that no chunk lies in any more is removed in the transaction that moves the last of
 *      them (pack_sweep()).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/store/places.h"
#include "lib/base/err.h"

enum {
    PACK_IDS = 64,
    PACK_SPAN = 32,         /* series */
    PACK_BYTES = 16 * 1024, /* from then on the next chunk begins another, when pages are full */
    PACK_MAX = 72 * 1024,   /* or whatever they are */
};

/* One under construction. */
struct pack {
    unsigned char *bytes;
    size_t n, capacity;
    uint32_t first_series;
    int64_t id;
    struct places places;
};

/* Where a chunk's bytes lie. */
struct pack_place {
    int64_t pack, at, len;
};

/* Its pages are full, or nearly: it had better end here. */
bool pack_is_full(const struct pack *pack);
/* Takes the long chunk of a series, not less than the series before. One that is there already lies where
 * that does. The pack before it is written when it is full. */
int pack_put(struct pack *pack,
             struct db_conn *conn,
             uint32_t series,
             const unsigned char *chunk,
             size_t len,
             struct err *reterr);
/* Writes what there is. */
int pack_finish(struct pack *pack, struct db_conn *conn, struct err *reterr);
void pack_done(struct pack *pack);

/* The pack read last: chunks of neighbours are asked for one after the other. */
struct pack_reader {
    struct db_conn *conn;
    struct db_stmt *stmt; /* at the pack's row; NULL: none was read */
    const unsigned char *bytes;
    size_t n;
    int64_t id;
    unsigned char *chunk; /* made whole last */
    size_t capacity;
};
/* The bytes at a place, good until the next read; NULL: they are not there. */
int pack_read(struct pack_reader *reader,
              const struct pack_place *place,
              const void **ret_chunk,
              struct err *reterr);
/* The whole of a lean chunk, good until the next one. */
const unsigned char *pack_reader_whole(struct pack_reader *reader,
                                       const struct lean_head *head,
                                       const void *lean,
                                       size_t len);
void pack_reader_done(struct pack_reader *reader);

/* Removes the packs whose first series is one of [first, last] and in which nobody lies. */
int pack_sweep(struct db_conn *conn, uint32_t first, uint32_t last, struct err *reterr);
