#pragma once

/*
 * Who lies where in a pack: a row beside it, which says of each chunk what it has left out
 * (chunk/lean.h).
 *
 *     format | series, what, length, [n], [t0], [t1 - t0] | series, what, ... | CRC-32C
 *
 * Neighbours mostly have the same number of samples and the same times: what is as the one
 * before has it is not said again, and a place takes four bytes. Some are the same altogether (the
 * upper buckets of a histogram, its last one and its count): their bytes are in the pack once.
 * Layout: docs/formats/partition.md.
 *
 * Invariants
 *  (1) Places are in the order of the pack's bytes and leave none out, but for bytes that an
 *      earlier one has; series never descend.
 *  (2) A chunk that moved away leaves its place behind, which is nobody's then.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/lean.h"

enum {
    PLACES_BACK = 64, /* so many before it are looked at */
};

struct place {
    uint32_t series;
    bool is_nobodys;
    struct lean_head head;
    uint64_t at, len; /* of the lean chunk */
    bool is_again;    /* these bytes are an earlier one's: told when it is read */
};

/* Under construction; zeroed at first. */
struct places {
    unsigned char *bytes;
    size_t n, capacity;
    struct place last;
    uint64_t end;                     /* of the bytes that have a place */
    struct place recent[PLACES_BACK]; /* a ring: the newest is at n_all - 1 */
    size_t n_all;
};

/* Of a pack whose first series this is; what was there is forgotten. */
void places_begin(struct places *places, uint32_t first_series);
/* It lies at the end of what has a place, or where one of the recent ones does. */
void places_add(struct places *places, const struct place *place);
/* Puts the checksum behind them. */
void places_finish(struct places *places);
void places_done(struct places *places);

/* The bytes are borrowed, and not believed. */
struct places_reader {
    const unsigned char *at, *end;
    struct place last;
    uint64_t end_of_bytes;
    struct {
        uint32_t at, len;
    } recent[PLACES_BACK];
    size_t n_all;
    bool is_damaged;
};
void places_read(struct places_reader *reader,
                 uint32_t first_series,
                 const void *bytes,
                 size_t len);
/* False: there is no further one, or the bytes are no places (is_damaged). */
bool places_next(struct places_reader *reader, struct place *ret_place);
