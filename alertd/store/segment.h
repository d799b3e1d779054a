#pragma once

/*
 * One series' samples of one day, as far as they are in memory.
 *
 *     live    | block | block | open ->      in time order, appended to
 *     late    | block | open ->              a second run: a spool being drained after an outage
 *     strays  . . .                          what fits behind neither: sorted pairs
 *     recent  | block | block |              copies of what was sealed to disk last
 *
 * A sample goes behind the first run that ends before it. `recent` is on disk already; the
 * rest is in the partition's journal until it is sealed.
 *
 * Not thread-safe: the store's lock stands around it. Only the store's thread changes it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/chunk.h"
#include "alertd/store/columns.h"
#include "alertd/store/index.h"
#include "alertd/store/pieces.h"
#include "lib/model/sample.h"

struct partition;

struct block {           /* a sealed chunk, without head and checksum: those are for disks */
    unsigned char *bits; /* as chunk_view has them */
    int64_t t0_ms, t1_ms;
    uint32_t n_bytes;
    uint16_t n;
    uint8_t format;
};

struct run {
    struct block *blocks;
    struct chunk *open; /* NULL: empty */
    uint32_t n, capacity;
};

struct late {        /* rarely there */
    struct run live; /* the live run's blocks, without its open chunk */
    struct run run;
    struct sample *strays;
    size_t n_strays, capacity;
};

struct blocks { /* which nothing is appended to; their bits lie behind them */
    uint32_t n;
    struct block at[];
};

/* There is one for each series and day: what is not needed all the time is elsewhere. */
struct segment {
    struct segment *next; /* of the same series, an older day */
    struct series *series;
    struct partition *partition;
    struct chunk *open; /* the live run's; NULL: all is sealed, as of the day before */
    struct late *late;  /* and its blocks; NULL: neither */
    struct blocks *recent;
    int64_t sealed_to_ms; /* nothing later is in the partition's chunks; INT64_MIN: none is */
    uint32_t local_id;    /* the series' number within the partition's file */
    /* Selects look at it while it changes, so in one piece: the lowest bit is is_named, the rest is
     * `touch`. One thread at a time changes it: the store's, or the writer that it waits for. */
    _Atomic uint32_t touch_and_named;
};

/* The live run as one; a loan. */
static inline struct run segment_live(const struct segment *segment)
{
    struct run live = segment->late ? segment->late->live : (struct run){0};

    live.open = segment->open;
    return live;
}

/* Its row in the partition's series table is committed, or is in the transaction under way. */
static inline bool segment_is_named(const struct segment *segment)
{
    return atomic_load_explicit(&segment->touch_and_named, memory_order_relaxed) & 1;
}

static inline void segment_set_named(struct segment *segment, bool is_named)
{
    uint32_t both = atomic_load_explicit(&segment->touch_and_named, memory_order_relaxed);

    atomic_store_explicit(&segment->touch_and_named, (both & ~1U) | is_named, memory_order_relaxed);
}

/* Where the group that stages keeps what it knows of it: stage.c. 31 bits. */
static inline uint32_t segment_touch(const struct segment *segment)
{
    return atomic_load_explicit(&segment->touch_and_named, memory_order_relaxed) >> 1;
}

static inline void segment_set_touch(struct segment *segment, uint32_t touch)
{
    uint32_t both = atomic_load_explicit(&segment->touch_and_named, memory_order_relaxed);

    atomic_store_explicit(&segment->touch_and_named, touch << 1 | (both & 1), memory_order_relaxed);
}

/* Put in front of the series' list. */
void segment_init(struct segment *segment,
                  struct series *series,
                  struct partition *partition,
                  uint32_t local_id,
                  bool is_named);
/* Takes it out of its series' list and frees what it holds. */
void segment_done(struct segment *segment);

/* t_ms must not be in it. */
void segment_append(struct segment *segment, struct sample sample);
/* Is there a sample at t_ms in memory? (The disk is asked by the caller.) */
bool segment_has(const struct segment *segment, int64_t t_ms);
/* The latest time known, in memory or sealed; INT64_MIN: none. */
int64_t segment_last_ms(const struct segment *segment);
bool segment_has_unsealed(const struct segment *segment);
size_t segment_n_unsealed(const struct segment *segment);

/* Adds what is in memory within [from, to]; settle afterwards. */
void segment_read(const struct segment *segment,
                  int64_t from_ms,
                  int64_t to_ms,
                  bool with_recent,
                  struct columns *columns);

/* Copies what may hold samples within [from, to] to the pieces. False past the arena's
 * limit. */
bool segment_collect(const struct segment *segment,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct arena *arena,
                     struct pieces *pieces);
/* Ask the memory for a segment that is read soon, then for its runs, and then for its samples
 * from from_ms on; or for where the next sample goes. */
void segment_prefetch(const struct segment *segment);
void segment_prefetch_runs(const struct segment *segment);
void segment_prefetch_samples(const struct segment *segment, int64_t from_ms);
void segment_prefetch_end(const struct segment *segment);
/* Whether memory may have samples of it within [from, to]. */
bool segment_overlaps(const struct segment *segment, int64_t from_ms, int64_t to_ms);
/* Its newest sample, when that is at hand; false: look for it (or there is none). */
bool segment_newest(const struct segment *segment, struct sample *ret_sample);

/* After its unsealed samples went to disk: keep copies of those later than keep_after_ms,
 * and of earlier copies likewise; forget the rest. */
void segment_sealed(struct segment *segment, int64_t keep_after_ms);
