/*
 * A series' day in memory. See segment.h.
 */

#include "alertd/store/segment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    BLOCK_SAMPLES = 240, /* what one look-up decodes; 40 minutes of a sample every 10 s */
    CACHE_LINE_BYTES = 64,
};

/* --- blocks and runs --- */

static struct block block_of(const struct chunk *chunk)
{
    MEM_UNSET int64_t t_ms[BLOCK_SAMPLES];
    MEM_UNSET double values[BLOCK_SAMPLES];
    struct block block = {.n = chunk->last.n, .t0_ms = chunk->t0_ms, .t1_ms = chunk->last.t_ms};

    assert(chunk->last.n <= BLOCK_SAMPLES);
    chunk_read_open(chunk, t_ms, values);
    MEM_AUTO unsigned char *bytes = mem_alloc(chunk_room(chunk->last.n));
    block.len = (uint32_t)chunk_pack(t_ms, values, chunk->last.n, bytes);
    block.bytes = mem_dup(bytes, block.len);
    return block;
}

static void run_done(struct run *run)
{
    for (uint32_t i = 0; i < run->n; i++)
        free(run->blocks[i].bytes);
    free(run->blocks);
    chunk_done(&run->open);
    *run = (struct run){.open = CHUNK_INIT};
}

static int64_t run_last_ms(const struct run *run)
{
    if (run->open.last.n > 0)
        return run->open.last.t_ms;
    return run->n ? run->blocks[run->n - 1].t1_ms : INT64_MIN;
}

static bool run_is_empty(const struct run *run)
{
    return run->n == 0 && run->open.last.n == 0;
}

/* The open chunk becomes the last block. */
static void close_open(struct run *run)
{
    size_t capacity = run->capacity;

    run->blocks = mem_grow(run->blocks, &capacity, run->n + 1U, sizeof(*run->blocks));
    run->capacity = (uint32_t)capacity;
    run->blocks[run->n++] = block_of(&run->open);
    chunk_done(&run->open);
}

static void run_append(struct run *run, struct sample sample)
{
    if (run->open.last.n == BLOCK_SAMPLES)
        close_open(run);
    chunk_append(&run->open, sample);
}

/* Takes the run, which is not empty: all of it in one piece of heap. */
static struct blocks *blocks_of(struct run *run)
{
    size_t n_bytes = 0;

    if (run->open.last.n > 0)
        close_open(run);
    for (uint32_t i = 0; i < run->n; i++)
        n_bytes += run->blocks[i].len;
    struct blocks *blocks = mem_alloc(sizeof(*blocks) + run->n * sizeof(blocks->at[0]) + n_bytes);
    unsigned char *bytes = (unsigned char *)&blocks->at[run->n];

    blocks->n = run->n;
    for (uint32_t i = 0; i < run->n; i++) {
        blocks->at[i] = run->blocks[i];
        blocks->at[i].bytes = memcpy(bytes, run->blocks[i].bytes, run->blocks[i].len);
        bytes += run->blocks[i].len;
    }
    run_done(run);
    return blocks;
}

/* The block whose span holds t_ms, or NULL. */
static const struct block *run_block_at(const struct run *run, int64_t t_ms)
{
    size_t low = 0;
    size_t high = run->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->blocks[middle].t1_ms < t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low < run->n && run->blocks[low].t0_ms <= t_ms ? &run->blocks[low] : NULL;
}

/* Our own bytes in our own memory: damage here is a bug or broken memory. */
static size_t decode_own(const struct block *block, int64_t *t_ms, double *values)
{
    size_t n;

    if (chunk_decode(block->bytes, block->len, t_ms, values, &n, NULL) != 0)
        UNREACHABLE("a chunk in memory does not decode");
    return n;
}

static bool has_time(const int64_t *t_ms, size_t n, int64_t wanted_ms)
{
    size_t place = times_lower_bound(t_ms, n, wanted_ms);

    return place < n && t_ms[place] == wanted_ms;
}

static bool block_has(const struct block *block, int64_t t_ms)
{
    MEM_UNSET int64_t times[BLOCK_SAMPLES];
    MEM_UNSET double values[BLOCK_SAMPLES];

    assert(block->n <= BLOCK_SAMPLES);
    if (!block->bytes || t_ms < block->t0_ms || t_ms > block->t1_ms)
        return false;
    return has_time(times, decode_own(block, times, values), t_ms);
}

static bool open_has(const struct chunk *chunk, int64_t t_ms)
{
    MEM_UNSET int64_t times[BLOCK_SAMPLES];
    MEM_UNSET double values[BLOCK_SAMPLES];

    if (chunk->last.n == 0 || t_ms < chunk->t0_ms || t_ms > chunk->last.t_ms)
        return false;
    if (t_ms == chunk->last.t_ms || t_ms == chunk->t0_ms)
        return true;
    chunk_read_open(chunk, times, values);
    return has_time(times, chunk->last.n, t_ms);
}

static bool run_has(const struct run *run, int64_t t_ms)
{
    const struct block *block = run_block_at(run, t_ms);

    return block ? block_has(block, t_ms) : open_has(&run->open, t_ms);
}

/* --- segments --- */

void segment_init(struct segment *segment,
                  struct series *series,
                  struct partition *partition,
                  uint32_t local_id,
                  bool is_named)
{
    *segment = (struct segment){
        .series = series,
        .partition = partition,
        .local_id = local_id,
        .sealed_to_ms = INT64_MIN,
        .next = series->segments,
    };
    segment_set_named(segment, is_named);
    series->segments = segment;
}

static void forget_unsealed(struct segment *segment)
{
    if (segment->live) {
        run_done(segment->live);
        free(segment->live);
        segment->live = NULL;
    }
    if (segment->late) {
        run_done(&segment->late->run);
        free(segment->late->strays);
        free(segment->late);
        segment->late = NULL;
    }
}

static void forget_recent(struct segment *segment)
{
    free(segment->recent);
    segment->recent = NULL;
}

static const struct run *live_run(const struct segment *segment)
{
    static const struct run empty = {.open = {.last.leading = 255}}; /* CHUNK_INIT */

    return segment->live ? segment->live : &empty;
}

/* What was sealed last, seen as a run; a loan. */
static struct run recent_run(const struct segment *segment)
{
    struct blocks *recent = segment->recent;

    return recent ? (struct run){.blocks = recent->at, .n = recent->n, .open = CHUNK_INIT}
                  : (struct run){.open = CHUNK_INIT};
}

void segment_done(struct segment *segment)
{
    struct segment **link = &segment->series->segments;

    while (*link != segment)
        link = &(*link)->next;
    *link = segment->next;
    forget_unsealed(segment);
    forget_recent(segment);
}

static size_t stray_place(const struct late *late, int64_t t_ms)
{
    size_t low = 0;
    size_t high = late->n_strays;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (late->strays[middle].t_ms < t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void append_late(struct segment *segment, struct sample sample)
{
    if (!segment->late) {
        segment->late = mem_zalloc(sizeof(*segment->late));
        segment->late->run.open = CHUNK_INIT;
    }
    struct late *late = segment->late;
    if (run_is_empty(&late->run) || sample.t_ms > run_last_ms(&late->run)) {
        run_append(&late->run, sample);
        return;
    }
    size_t place = stray_place(late, sample.t_ms);
    late->strays = mem_grow(late->strays, &late->capacity, late->n_strays + 1,
                            sizeof(*late->strays));
    memmove(&late->strays[place + 1], &late->strays[place],
            (late->n_strays - place) * sizeof(*late->strays));
    late->strays[place] = sample;
    late->n_strays++;
}

void segment_append(struct segment *segment, struct sample sample)
{
    if (!segment->live) {
        segment->live = mem_zalloc(sizeof(*segment->live));
        segment->live->open = CHUNK_INIT;
    }
    if (run_is_empty(segment->live) || sample.t_ms > run_last_ms(segment->live))
        run_append(segment->live, sample);
    else
        append_late(segment, sample);
}

bool segment_has(const struct segment *segment, int64_t t_ms)
{
    const struct run recent = recent_run(segment);
    const struct late *late = segment->late;

    if (run_has(live_run(segment), t_ms) || run_has(&recent, t_ms))
        return true;
    if (!late)
        return false;
    if (run_has(&late->run, t_ms))
        return true;
    size_t place = stray_place(late, t_ms);
    return place < late->n_strays && late->strays[place].t_ms == t_ms;
}

int64_t segment_last_ms(const struct segment *segment)
{
    int64_t last_ms = run_last_ms(live_run(segment));

    /* Nothing late is later than the live run: it went there because it was not. But a
     * sealed live run leaves an empty one. */
    return last_ms > segment->sealed_to_ms ? last_ms : segment->sealed_to_ms;
}

bool segment_has_unsealed(const struct segment *segment)
{
    return segment->live || segment->late;
}

static size_t run_n(const struct run *run)
{
    size_t n = run->open.last.n;

    for (uint32_t i = 0; i < run->n; i++)
        n += run->blocks[i].n;
    return n;
}

size_t segment_n_unsealed(const struct segment *segment)
{
    const struct late *late = segment->late;

    return run_n(live_run(segment)) + (late ? run_n(&late->run) + late->n_strays : 0);
}

/* --- reading --- */

static void read_block(const struct block *block,
                       int64_t from_ms,
                       int64_t to_ms,
                       struct columns *columns)
{
    if (!block->bytes || block->t1_ms < from_ms || block->t0_ms > to_ms)
        return;
    if (columns_add_chunk(columns, block->bytes, block->len, from_ms, to_ms, NULL) != 0)
        UNREACHABLE("a chunk in memory does not decode");
}

static void read_run(const struct run *run, int64_t from_ms, int64_t to_ms, struct columns *columns)
{
    for (uint32_t i = 0; i < run->n; i++)
        read_block(&run->blocks[i], from_ms, to_ms, columns);
    if (run->open.last.n == 0 || run->open.last.t_ms < from_ms || run->open.t0_ms > to_ms)
        return;
    columns_add_open(columns, &run->open, from_ms, to_ms);
}

void segment_read(const struct segment *segment,
                  int64_t from_ms,
                  int64_t to_ms,
                  bool with_recent,
                  struct columns *columns)
{
    const struct run recent = recent_run(segment);
    const struct late *late = segment->late;

    if (with_recent)
        read_run(&recent, from_ms, to_ms, columns);
    read_run(live_run(segment), from_ms, to_ms, columns);
    if (!late)
        return;
    read_run(&late->run, from_ms, to_ms, columns);
    for (size_t i = stray_place(late, from_ms); i < late->n_strays && late->strays[i].t_ms <= to_ms;
         i++)
        columns_add(columns, late->strays[i].t_ms, late->strays[i].value);
}

/* Our own bytes: their checksum is not asked again. */
static bool collect_block(const struct block *block, struct arena *arena, struct pieces *pieces)
{
    const struct chunk_info info = {block->n, block->t0_ms, block->t1_ms};
    const struct chunk_view view = chunk_view_sealed(block->bytes, block->len, &info);

    return pieces_add_chunk(pieces, arena, &view);
}

static bool collect_run(const struct run *run,
                        int64_t from_ms,
                        int64_t to_ms,
                        struct arena *arena,
                        struct pieces *pieces)
{
    for (uint32_t i = 0; i < run->n; i++) {
        const struct block *block = &run->blocks[i];

        if (!block->bytes || block->t1_ms < from_ms || block->t0_ms > to_ms)
            continue;
        if (!collect_block(block, arena, pieces))
            return false;
    }
    if (run->open.last.n == 0 || run->open.last.t_ms < from_ms || run->open.t0_ms > to_ms)
        return true;
    const struct chunk_view view = chunk_view_open(&run->open, from_ms);
    return pieces_add_chunk(pieces, arena, &view);
}

bool segment_collect(const struct segment *segment,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct arena *arena,
                     struct pieces *pieces)
{
    const struct run recent = recent_run(segment);
    const struct late *late = segment->late;

    if (!collect_run(&recent, from_ms, to_ms, arena, pieces))
        return false;
    if (!collect_run(live_run(segment), from_ms, to_ms, arena, pieces))
        return false;
    if (!late)
        return true;
    size_t first = stray_place(late, from_ms);
    size_t end = first;
    while (end < late->n_strays && late->strays[end].t_ms <= to_ms)
        end++;
    return collect_run(&late->run, from_ms, to_ms, arena, pieces) &&
           (end == first || pieces_add_samples(pieces, arena, late->strays + first, end - first));
}

static void prefetch(const void *object, size_t size)
{
    for (size_t i = 0; i < size; i += CACHE_LINE_BYTES)
        __builtin_prefetch((const char *)object + i);
}

void segment_prefetch(const struct segment *segment)
{
    prefetch(segment, sizeof(*segment));
}

void segment_prefetch_runs(const struct segment *segment)
{
    if (segment->live)
        prefetch(segment->live, sizeof(*segment->live));
    __builtin_prefetch(segment->recent);
}

void segment_prefetch_samples(const struct segment *segment, int64_t from_ms)
{
    const struct chunk *open = &live_run(segment)->open;

    if (open->last.n == 0 || open->last.t_ms < from_ms)
        return;
    const struct chunk_view view = chunk_view_open(open, from_ms);
    prefetch(view.bits, view.n_bytes);
}

void segment_prefetch_end(const struct segment *segment)
{
    const struct chunk *open = &live_run(segment)->open;

    if (open->bytes)
        __builtin_prefetch(open->bytes + open->last.at / 8, 1);
}

static bool run_overlaps(const struct run *run, int64_t from_ms, int64_t to_ms)
{
    for (uint32_t i = 0; i < run->n; i++)
        if (run->blocks[i].bytes && run->blocks[i].t1_ms >= from_ms &&
            run->blocks[i].t0_ms <= to_ms)
            return true;
    return run->open.last.n > 0 && run->open.last.t_ms >= from_ms && run->open.t0_ms <= to_ms;
}

bool segment_overlaps(const struct segment *segment, int64_t from_ms, int64_t to_ms)
{
    const struct run recent = recent_run(segment);
    const struct late *late = segment->late;

    if (run_overlaps(live_run(segment), from_ms, to_ms) || run_overlaps(&recent, from_ms, to_ms))
        return true;
    if (!late)
        return false;
    size_t place = stray_place(late, from_ms);
    return run_overlaps(&late->run, from_ms, to_ms) ||
           (place < late->n_strays && late->strays[place].t_ms <= to_ms);
}

bool segment_newest(const struct segment *segment, struct sample *ret_sample)
{
    const struct chunk *open = &live_run(segment)->open;

    /* Sealed just now, only its copies know; a late one may have come since. */
    if (open->last.n == 0 || open->last.t_ms < segment->sealed_to_ms)
        return false;
    *ret_sample = (struct sample){open->last.t_ms, sample_from_bits(open->last.bits)};
    return true;
}

void segment_sealed(struct segment *segment, int64_t keep_after_ms)
{
    struct columns columns = {0};
    int64_t from_ms = keep_after_ms == INT64_MAX ? INT64_MAX : keep_after_ms + 1;
    int64_t last_ms = run_last_ms(live_run(segment));

    if (last_ms > segment->sealed_to_ms)
        segment->sealed_to_ms = last_ms;
    segment_read(segment, from_ms, INT64_MAX, true, &columns);
    columns_settle(&columns);
    assert(columns.n == 0 || (columns.t_ms && columns.values));
    forget_unsealed(segment);
    forget_recent(segment);
    struct run kept = {.open = CHUNK_INIT};
    for (size_t i = 0; i < columns.n; i++)
        run_append(&kept, (struct sample){columns.t_ms[i], columns.values[i]});
    if (columns.n > 0)
        segment->recent = blocks_of(&kept);
    columns_done(&columns);
}
