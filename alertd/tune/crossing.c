/*
 * See crossing.h.
 */

#include "alertd/tune/crossing.h"

#include <stdlib.h>

#include "lib/base/mem.h"

enum {
    BLOCK_BYTES_MIN = 64,
    BLOCK_BYTES_MAX = 32 << 10,
    ONE_BYTES_MAX = 10, /* two numbers of 32 bits */
};

struct crossing_block {
    struct crossing_block *next;
    size_t n, capacity;
    uint8_t bytes[];
};

static struct crossing_block *add_block(struct surface_crossings *crossings)
{
    struct crossing_block *last = crossings->last;
    size_t capacity = last ? 4 * last->capacity : BLOCK_BYTES_MIN;

    if (capacity > BLOCK_BYTES_MAX)
        capacity = BLOCK_BYTES_MAX;
    struct crossing_block *block = mem_alloc(sizeof(*block) + capacity);
    *block = (struct crossing_block){.capacity = capacity};
    if (last)
        last->next = block;
    else
        crossings->first = block;
    crossings->last = block;
    return block;
}

static uint8_t *put(uint8_t *at, uint32_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

/* Most are of two bytes. */
static uint8_t *put_crossing(uint8_t *at, uint32_t n_steps, uint32_t level)
{
    if ((n_steps | level) >= 0x80)
        return put(put(at, n_steps), level);
    at[0] = (uint8_t)n_steps;
    at[1] = (uint8_t)level;
    return at + 2;
}

/* So many as there is room for in the block, or bytes left. */
static size_t add_some(struct surface_crossings *crossings,
                       struct crossing_block *block,
                       const struct surface_crossing *at,
                       size_t n)
{
    size_t room = block->capacity - block->n < *crossings->left ? block->capacity - block->n
                                                                : *crossings->left;
    uint8_t *begin = block->bytes + block->n;
    uint8_t *end = begin;
    uint32_t step = crossings->step;
    size_t i = 0;

    for (; i < n && (size_t)(end - begin) + ONE_BYTES_MAX <= room; i++) {
        end = put_crossing(end, at[i].step - step, at[i].level);
        step = at[i].step;
    }
    block->n += (size_t)(end - begin);
    *crossings->left -= (size_t)(end - begin);
    crossings->step = step;
    return i;
}

void crossings_add(struct surface_crossings *crossings, const struct surface_crossing *at, size_t n)
{
    for (size_t i = 0; i < n;) {
        struct crossing_block *block = crossings->last;

        if (*crossings->left < ONE_BYTES_MAX) {
            *crossings->left = 0;
            return;
        }
        if (!block || block->capacity - block->n < ONE_BYTES_MAX)
            block = add_block(crossings);
        i += add_some(crossings, block, at + i, n - i);
    }
}

void crossings_done(struct surface_crossings *crossings)
{
    while (crossings->first) {
        struct crossing_block *block = crossings->first;
        crossings->first = block->next;
        free(block);
    }
    crossings->last = NULL;
}

struct crossing_walk crossings_walk(const struct surface_crossings *crossings)
{
    return (struct crossing_walk){.block = crossings->first};
}

static const uint8_t *take(const uint8_t *at, uint32_t *ret)
{
    uint32_t number = 0;
    uint8_t byte = 0x80;

    for (unsigned shift = 0; byte & 0x80; shift += 7) {
        byte = *at++;
        number |= (uint32_t)(byte & 0x7F) << shift;
    }
    *ret = number;
    return at;
}

static inline const uint8_t *take_crossing(const uint8_t *at, struct surface_crossing *crossing)
{
    uint32_t n_steps = at[0];

    if ((at[0] | at[1]) < 0x80) {
        crossing->level = at[1];
        at += 2;
    } else {
        at = take(take(at, &n_steps), &crossing->level);
    }
    crossing->step += n_steps;
    return at;
}

bool crossing_next(struct crossing_walk *walk, struct surface_crossing *ret)
{
    while (walk->block && walk->at == walk->block->n)
        *walk = (struct crossing_walk){walk->block->next, 0, walk->step};
    if (!walk->block)
        return false;
    ret->step = walk->step;
    walk->at = (size_t)(take_crossing(walk->block->bytes + walk->at, ret) - walk->block->bytes);
    walk->step = ret->step;
    return true;
}

bool crossing_find(struct crossing_walk *walk, uint32_t above, bool passes, uint32_t *ret_step)
{
    struct surface_crossing found = {.step = walk->step};

    for (; walk->block; *walk = (struct crossing_walk){walk->block->next, 0, found.step}) {
        const uint8_t *at = walk->block->bytes + walk->at;
        const uint8_t *end = walk->block->bytes + walk->block->n;
        while (at < end) {
            at = take_crossing(at, &found);
            if ((found.level > above) != passes)
                continue;
            walk->at = (size_t)(at - walk->block->bytes);
            *ret_step = walk->step = found.step;
            return true;
        }
    }
    return false;
}
