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

/* A chunk of so many samples, BLOCK_SAMPLES at most. */
static struct block block_of(const int64_t *t_ms, const double *values, size_t n)
{
    const struct chunk_info info = {n, t_ms[0], t_ms[n - 1]};

    assert(n <= BLOCK_SAMPLES);
    MEM_AUTO unsigned char *bytes = mem_alloc(chunk_room(n));
    const struct chunk_view view = chunk_view_sealed(bytes, chunk_pack(t_ms, values, n, bytes),
                                                     &info);
    return (struct block){
        .bits = mem_dup(view.bits, view.n_bytes),
        .t0_ms = view.t0_ms,
        .t1_ms = view.t1_ms,
        .n_bytes = (uint32_t)view.n_bytes,
        .n = (uint16_t)n,
        .format = view.format,
    };
}

static struct chunk_view block_view(const struct block *block)
{
    return (struct chunk_view){
        .bits = block->bits,
        .n_bytes = block->n_bytes,
        .format = block->format,
        .n = block->n,
        .t0_ms = block->t0_ms,
        .t1_ms = block->t1_ms,
    };
}

static void run_done(struct run *run)
{
    for (uint32_t i = 0; i < run->n; i++)
        free(run->blocks[i].bits);
    free(run->blocks);
    chunk_done(&run->open);
    *run = (struct run){0};
}

static int64_t run_last_ms(const struct run *run)
{
    if (run->open)
        return run->open->last.t_ms;
    return run->n ? run->blocks[run->n - 1].t1_ms : INT64_MIN;
}

static bool run_is_empty(const struct run *run)
{
    return run->n == 0 && !run->open;
}

static void add_block(struct run *run, struct block block)
{
    size_t capacity = run->capacity;

    run->blocks = mem_grow(run->blocks, &capacity, run->n + 1U, sizeof(*run->blocks));
    run->capacity = (uint32_t)capacity;
    run->blocks[run->n++] = block;
}

/* The open chunk becomes the last block. */
static void close_open(struct run *run, struct chunk **open)
{
    MEM_UNSET int64_t t_ms[BLOCK_SAMPLES];
    MEM_UNSET double values[BLOCK_SAMPLES];

    assert((*open)->last.n <= BLOCK_SAMPLES);
    chunk_read_open(*open, t_ms, values);
    add_block(run, block_of(t_ms, values, (*open)->last.n));
    chunk_done(open);
}

static bool is_full(const struct chunk *open)
{
    return open && open->last.n == BLOCK_SAMPLES;
}

static void run_append(struct run *run, struct sample sample)
{
    if (is_full(run->open))
        close_open(run, &run->open);
    chunk_append(&run->open, sample);
}

/* Takes the run, which has blocks and nothing open: all of it in one piece of heap. */
static struct blocks *blocks_of(struct run *run)
{
    size_t n_bytes = 0;

    for (uint32_t i = 0; i < run->n; i++)
        n_bytes += run->blocks[i].n_bytes;
    struct blocks *blocks = mem_alloc(sizeof(*blocks) + run->n * sizeof(blocks->at[0]) + n_bytes);
    unsigned char *bits = (unsigned char *)&blocks->at[run->n];

    blocks->n = run->n;
    for (uint32_t i = 0; i < run->n; i++) {
        blocks->at[i] = run->blocks[i];
        blocks->at[i].bits = memcpy(bits, run->blocks[i].bits, run->blocks[i].n_bytes);
        bits += run->blocks[i].n_bytes;
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

/* Our own bits in our own memory: damage here is a bug or broken memory. */
static size_t decode_own(const struct block *block, int64_t *t_ms, double *values)
{
    const struct chunk_view view = block_view(block);

    if (!chunk_view_decode(&view, t_ms, values))
        UNREACHABLE("a chunk in memory does not decode");
    return block->n;
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
    if (t_ms < block->t0_ms || t_ms > block->t1_ms)
        return false;
    return has_time(times, decode_own(block, times, values), t_ms);
}

static bool open_has(const struct chunk *chunk, int64_t t_ms)
{
    MEM_UNSET int64_t times[BLOCK_SAMPLES];
    MEM_UNSET double values[BLOCK_SAMPLES];

    if (!chunk || t_ms < chunk->t0_ms || t_ms > chunk->last.t_ms)
        return false;
    if (t_ms == chunk->last.t_ms || t_ms == chunk->t0_ms)
        return true;
    chunk_read_open(chunk, times, values);
    return has_time(times, chunk->last.n, t_ms);
}

static bool run_has(const struct run *run, int64_t t_ms)
{
    const struct block *block = run_block_at(run, t_ms);

    return block ? block_has(block, t_ms) : open_has(run->open, t_ms);
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
    chunk_done(&segment->open);
    if (segment->late) {
        run_done(&segment->late->live);
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

/* What was sealed last, seen as a run; a loan. */
static struct run recent_run(const struct segment *segment)
{
    struct blocks *recent = segment->recent;

    return recent ? (struct run){.blocks = recent->at, .n = recent->n} : (struct run){0};
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

static struct late *late_of(struct segment *segment)
{
    if (!segment->late)
        segment->late = mem_zalloc(sizeof(*segment->late));
    return segment->late;
}

static void append_late(struct segment *segment, struct sample sample)
{
    struct late *late = late_of(segment);

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
    if (segment->open && sample.t_ms <= segment->open->last.t_ms) {
        append_late(segment, sample);
        return;
    }
    if (is_full(segment->open))
        close_open(&late_of(segment)->live, &segment->open);
    chunk_append(&segment->open, sample);
}

bool segment_has(const struct segment *segment, int64_t t_ms)
{
    const struct run live = segment_live(segment);
    const struct run recent = recent_run(segment);
    const struct late *late = segment->late;

    if (run_has(&live, t_ms) || run_has(&recent, t_ms))
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
    int64_t last_ms = segment->open ? segment->open->last.t_ms : INT64_MIN;

    /* Nothing late is later than the live run: it went there because it was not. But a
     * sealed live run leaves an empty one. */
    return last_ms > segment->sealed_to_ms ? last_ms : segment->sealed_to_ms;
}

bool segment_has_unsealed(const struct segment *segment)
{
    return segment->open || segment->late;
}

static size_t run_n(const struct run *run)
{
    size_t n = run->open ? run->open->last.n : 0;

    for (uint32_t i = 0; i < run->n; i++)
        n += run->blocks[i].n;
    return n;
}

size_t segment_n_unsealed(const struct segment *segment)
{
    const struct run live = segment_live(segment);
    const struct late *late = segment->late;

    return run_n(&live) + (late ? run_n(&late->run) + late->n_strays : 0);
}

/* --- reading --- */

static void read_block(const struct block *block,
                       int64_t from_ms,
                       int64_t to_ms,
                       struct columns *columns)
{
    const struct chunk_view view = block_view(block);

    if (block->t1_ms < from_ms || block->t0_ms > to_ms)
        return;
    if (!columns_add_view(columns, &view, from_ms, to_ms))
        UNREACHABLE("a chunk in memory does not decode");
}

static bool open_overlaps(const struct chunk *open, int64_t from_ms, int64_t to_ms)
{
    return open && open->last.t_ms >= from_ms && open->t0_ms <= to_ms;
}

static bool block_overlaps(const struct block *block, int64_t from_ms, int64_t to_ms)
{
    return block->t1_ms >= from_ms && block->t0_ms <= to_ms;
}

static void read_run(const struct run *run, int64_t from_ms, int64_t to_ms, struct columns *columns)
{
    for (uint32_t i = 0; i < run->n; i++)
        read_block(&run->blocks[i], from_ms, to_ms, columns);
    if (!open_overlaps(run->open, from_ms, to_ms))
        return;
    const struct chunk_view view = chunk_view_open(run->open, from_ms);
    if (!columns_add_view(columns, &view, from_ms, to_ms))
        UNREACHABLE("a chunk in memory does not decode");
}

void segment_read(const struct segment *segment,
                  int64_t from_ms,
                  int64_t to_ms,
                  bool with_recent,
                  struct columns *columns)
{
    const struct run live = segment_live(segment);
    const struct run recent = recent_run(segment);
    const struct late *late = segment->late;

    if (with_recent)
        read_run(&recent, from_ms, to_ms, columns);
    read_run(&live, from_ms, to_ms, columns);
    if (!late)
        return;
    read_run(&late->run, from_ms, to_ms, columns);
    for (size_t i = stray_place(late, from_ms); i < late->n_strays && late->strays[i].t_ms <= to_ms;
         i++)
        columns_add(columns, late->strays[i].t_ms, late->strays[i].value);
}

static bool collect_run(const struct run *run,
                        int64_t from_ms,
                        int64_t to_ms,
                        struct arena *arena,
                        struct pieces *pieces)
{
    for (uint32_t i = 0; i < run->n; i++) {
        const struct chunk_view view = block_view(&run->blocks[i]);

        if (block_overlaps(&run->blocks[i], from_ms, to_ms) &&
            !pieces_add_chunk(pieces, arena, &view))
            return false;
    }
    if (!open_overlaps(run->open, from_ms, to_ms))
        return true;
    const struct chunk_view view = chunk_view_open(run->open, from_ms);
    return pieces_add_chunk(pieces, arena, &view);
}

bool segment_collect(const struct segment *segment,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct arena *arena,
                     struct pieces *pieces)
{
    const struct run live = segment_live(segment);
    const struct run recent = recent_run(segment);
    const struct late *late = segment->late;

    if (!collect_run(&recent, from_ms, to_ms, arena, pieces))
        return false;
    if (!collect_run(&live, from_ms, to_ms, arena, pieces))
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
    if (segment->open)
        prefetch(segment->open, sizeof(*segment->open));
    __builtin_prefetch(segment->recent);
}

void segment_prefetch_samples(const struct segment *segment, int64_t from_ms)
{
    const struct chunk *open = segment->open;

    if (!open || open->last.t_ms < from_ms)
        return;
    const struct chunk_view view = chunk_view_open(open, from_ms);
    prefetch(view.bits, view.n_bytes);
}

void segment_prefetch_end(const struct segment *segment)
{
    const struct chunk *open = segment->open;

    if (open)
        __builtin_prefetch(open->bytes + open->last.at / 8, 1);
}

static bool run_overlaps(const struct run *run, int64_t from_ms, int64_t to_ms)
{
    for (uint32_t i = 0; i < run->n; i++)
        if (block_overlaps(&run->blocks[i], from_ms, to_ms))
            return true;
    return open_overlaps(run->open, from_ms, to_ms);
}

bool segment_overlaps(const struct segment *segment, int64_t from_ms, int64_t to_ms)
{
    const struct run live = segment_live(segment);
    const struct run recent = recent_run(segment);
    const struct late *late = segment->late;

    if (run_overlaps(&live, from_ms, to_ms) || run_overlaps(&recent, from_ms, to_ms))
        return true;
    if (!late)
        return false;
    size_t place = stray_place(late, from_ms);
    return run_overlaps(&late->run, from_ms, to_ms) ||
           (place < late->n_strays && late->strays[place].t_ms <= to_ms);
}

bool segment_newest(const struct segment *segment, struct sample *ret_sample)
{
    const struct chunk *open = segment->open;

    /* Sealed just now, only its copies know; a late one may have come since. */
    if (!open || open->last.t_ms < segment->sealed_to_ms)
        return false;
    *ret_sample = (struct sample){open->last.t_ms, sample_from_bits(open->last.bits)};
    return true;
}

void segment_sealed(struct segment *segment, int64_t keep_after_ms)
{
    struct columns columns = {0};
    int64_t from_ms = keep_after_ms == INT64_MAX ? INT64_MAX : keep_after_ms + 1;

    segment->sealed_to_ms = segment_last_ms(segment);
    segment_read(segment, from_ms, INT64_MAX, true, &columns);
    columns_settle(&columns);
    assert(columns.n == 0 || (columns.t_ms && columns.values));
    forget_unsealed(segment);
    forget_recent(segment);
    struct run kept = {0};
    for (size_t i = 0; i < columns.n; i += BLOCK_SAMPLES) {
        size_t n = columns.n - i < BLOCK_SAMPLES ? columns.n - i : BLOCK_SAMPLES;

        add_block(&kept, block_of(columns.t_ms + i, columns.values + i, n));
    }
    if (kept.n > 0)
        segment->recent = blocks_of(&kept);
    columns_done(&columns);
}
