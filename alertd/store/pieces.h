#pragma once

/*
 * The samples of one series as a query found them: compressed, in the query's arena.
 *
 *     memory, files ──copy──> piece ─ piece ─ piece ──decode──> one pair of columns
 *
 * Compressed bits are a tenth of the columns, so the store's lock is held for a copy and not
 * for a computation, and a query holds the columns of one series at a time.
 *
 * Pieces may come in any order and overlap: what memory and a file both know is the same
 * sample.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/chunk.h"
#include "alertd/promql/source.h"
#include "lib/base/arena.h"
#include "lib/model/sample.h"

struct piece;

struct pieces {
    struct piece *first, *last;
    size_t n, n_samples;
    int64_t last_ms; /* of the last piece */
    bool disordered; /* one begins before the one in front of it ends */
};

/* Copies; false past the arena's limit. */
bool pieces_add_chunk(struct pieces *pieces, struct arena *arena, const struct chunk_view *view);
/* Ascending, n at least 1. */
bool pieces_add_samples(struct pieces *pieces,
                        struct arena *arena,
                        const struct sample *samples,
                        size_t n);
/* What `from` has, too; it is not looked at any more. In one arena, or one as long as the other. */
void pieces_join(struct pieces *into, const struct pieces *from);
/* All samples within the query's time, once each, in time order. 0, SOURCE_E_LIMIT (the arena), or
 * -EIO: bits that are no samples although their checksum is right. */
int pieces_read(const struct pieces *pieces,
                const struct source_query *query,
                struct arena *arena,
                struct source_columns *columns,
                struct err *reterr);

/* The place of the first of n ascending times at or after t_ms; n: there is none. */
size_t times_lower_bound(const int64_t *times, size_t n, int64_t t_ms);
