#pragma once

/*
 * Who lies where in a pack: a row beside it, which says of each chunk what it has left out
 * (chunk/lean.h).
 *
 *     format | series, what, length, [n], [t0], [t1 - t0] | series, what, ... | CRC-32C
 *
 * Neighbours mostly have the same number of samples and the same times: what is as the one
 * before has it is not said again, and a place takes four bytes. Layout: docs/formats/partition.md.
 *
 * Invariants
 *  (1) Places are in the order of the pack's bytes and leave none out; series never descend.
 *  (2) A chunk that moved away leaves its place behind, which is nobody's then.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/lean.h"

struct place {
    uint32_t series;
    bool is_nobodys;
    struct lean_head head;
    uint64_t at, len; /* of the lean chunk */
};

/* Under construction; zeroed at first. */
struct places {
    unsigned char *bytes;
    size_t n, capacity;
    struct place last;
};

/* Of a pack whose first series this is; what was there is forgotten. */
void places_begin(struct places *places, uint32_t first_series);
/* Behind the last one: its `at` is not looked at. */
void places_add(struct places *places, const struct place *place);
/* Puts the checksum behind them. */
void places_finish(struct places *places);
void places_done(struct places *places);

/* The bytes are borrowed, and not believed. */
struct places_reader {
    const unsigned char *at, *end;
    struct place last;
    bool is_damaged;
};
void places_read(struct places_reader *reader,
                 uint32_t first_series,
                 const void *bytes,
                 size_t len);
/* False: there is no further one, or the bytes are no places (is_damaged). */
bool places_next(struct places_reader *reader, struct place *ret_place);
