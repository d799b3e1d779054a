/*
 * The inverted index. See index.h.
 *
 * All three tables are open-addressed with linear probing. At three quarters they double; that of
 * the series, the large one, grows by a half.
 * Nothing is ever deleted from them: a sweep builds the index anew.
 */

#include "alertd/store/index.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum {
    SLOTS_MIN = 64,
    IDS_MANY = 256, /* from here on a list grows by an eighth */
    IDS_MIN = 6,    /* most pairs have few series; the smallest piece of heap has room for these */
};

/* FNV-1a: of short texts, within one process; collisions are compared in full. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static uint64_t hash_pair(const char *name, const char *value)
{
    uint64_t hash = hash_text(hash_text(UINT64_C(0xcbf29ce484222325), name), value);

    return hash ^ hash >> 32; /* the low bits choose the slot */
}

void index_init(struct index *index)
{
    *index = (struct index){
        .n_slots = SLOTS_MIN, .n_posting_slots = SLOTS_MIN, .n_name_slots = SLOTS_MIN};
    index->names = mem_zalloc(SLOTS_MIN * sizeof(*index->names));
    index->slots = mem_zalloc(SLOTS_MIN * sizeof(*index->slots));
    index->posting_slots = mem_zalloc(SLOTS_MIN * sizeof(*index->posting_slots));
    index->texts = texts_new();
}

static void free_tables(struct index *index)
{
    for (size_t i = 0; i < index->n_postings; i++)
        free(index->postings[i].ids);
    for (size_t i = 0; i < index->n_name_slots; i++)
        free(index->names[i].pairs);
    free(index->postings);
    free(index->posting_slots);
    free(index->names);
    free(index->slots);
    free(index->series);
    texts_unref(index->texts);
}

void index_done(struct index *index)
{
    for (size_t i = 0; i < index->n; i++)
        free(index->series[i]);
    free_tables(index);
    *index = (struct index){0};
}

/* --- pairs --- */

/* The slot of a pair, or the free one where it would be. */
static uint32_t *posting_slot(const struct index *index,
                              uint64_t hash,
                              const char *name,
                              const char *value)
{
    size_t at = hash & (index->n_posting_slots - 1);

    for (;; at = (at + 1) & (index->n_posting_slots - 1)) {
        uint32_t *slot = &index->posting_slots[at];
        const struct posting *posting = *slot ? &index->postings[*slot - 1] : NULL;
        if (!posting || (posting->hash == hash && strcmp(posting->name, name) == 0 &&
                         strcmp(posting->value, value) == 0))
            return slot;
    }
}

/* Puts place + 1 of something new into the first free slot from its own on. */
static void put_slot(uint32_t *slots, size_t n_slots, size_t at, size_t place)
{
    while (slots[at]) /* all are distinct: no need to compare */
        at = at + 1 < n_slots ? at + 1 : 0;
    slots[at] = (uint32_t)place + 1;
}

static void grow_postings(struct index *index)
{
    if (index->n_postings * 4 < index->n_posting_slots * 3)
        return;
    free(index->posting_slots);
    index->n_posting_slots *= 2;
    index->posting_slots = mem_zalloc(index->n_posting_slots * sizeof(*index->posting_slots));
    for (size_t i = 0; i < index->n_postings; i++)
        put_slot(index->posting_slots, index->n_posting_slots,
                 index->postings[i].hash & (index->n_posting_slots - 1), i);
}

/* Its place, or the free one where it would be. */
static struct label_name *name_slot(const struct index *index, const char *name)
{
    size_t at = hash_pair(name, "") & (index->n_name_slots - 1);

    while (index->names[at].name && strcmp(index->names[at].name, name) != 0)
        at = (at + 1) & (index->n_name_slots - 1);
    return &index->names[at];
}

static void grow_names(struct index *index)
{
    struct label_name *old = index->names;
    size_t n_old = index->n_name_slots;

    if (index->n_names * 4 < n_old * 3)
        return;
    index->n_name_slots = n_old * 2;
    index->names = mem_zalloc(index->n_name_slots * sizeof(*index->names));
    for (size_t i = 0; i < n_old; i++)
        if (old[i].name)
            *name_slot(index, old[i].name) = old[i];
    free(old);
}

/* Its text. */
static const char *note_value(struct index *index, const char *name, uint32_t pair)
{
    grow_names(index);
    struct label_name *known = name_slot(index, name);

    if (!known->name) {
        known->name = texts_add(index->texts, name);
        index->n_names++;
    }
    known->pairs = mem_grow(known->pairs, &known->capacity, known->n + 1, sizeof(*known->pairs));
    known->pairs[known->n++] = pair;
    return known->name;
}

/* The pair's number. */
static uint32_t pair_of(struct index *index, const char *name, const char *value)
{
    uint64_t hash = hash_pair(name, value);

    grow_postings(index);
    uint32_t *slot = posting_slot(index, hash, name, value);
    if (*slot)
        return *slot - 1;
    assert(index->n_postings < UINT32_MAX - 1);
    uint32_t pair = (uint32_t)index->n_postings++;
    index->postings = mem_grow(index->postings, &index->postings_capacity, index->n_postings,
                               sizeof(*index->postings));
    *slot = pair + 1;
    index->postings[pair] = (struct posting){.name = note_value(index, name, pair),
                                             .value = texts_add(index->texts, value),
                                             .hash = hash};
    return pair;
}

/* Places only grow, so each list stays sorted. */
static void post(struct posting *posting, uint32_t place)
{
    if (posting->n == posting->capacity) {
        uint32_t more = posting->capacity < IDS_MANY ? posting->capacity / 2
                                                     : posting->capacity / 8;

        posting->capacity = posting->capacity ? posting->capacity + more : IDS_MIN;
        posting->ids = mem_realloc(posting->ids, posting->capacity * sizeof(*posting->ids));
    }
    assert(posting->ids);
    posting->ids[posting->n++] = place;
}

/* --- series --- */

/* Of a label set's hash, whose high bits are as good as its low ones; any number of slots. */
static size_t series_slot(const struct index *index, uint64_t hash)
{
    return (size_t)((unsigned __int128)hash * index->n_slots >> 64);
}

static bool has_labels(const struct index *index,
                       const struct series *series,
                       const struct labels *labels)
{
    if (series->hash != labels->hash || series->n != labels->n)
        return false;
    for (uint32_t i = 0; i < series->n; i++) {
        const struct posting *pair = &index->postings[series->pairs[i]];

        if (strcmp(pair->name, labels->at[i].name) != 0 ||
            strcmp(pair->value, labels->at[i].value) != 0)
            return false;
    }
    return true;
}

struct series *index_find(const struct index *index, const struct labels *labels)
{
    size_t at = series_slot(index, labels->hash);

    for (; index->slots[at]; at = at + 1 < index->n_slots ? at + 1 : 0) {
        struct series *series = index->series[index->slots[at] - 1];

        if (has_labels(index, series, labels))
            return series;
    }
    return NULL;
}

struct series *index_at(const struct index *index, uint32_t number, uint32_t place)
{
    size_t low = 0;
    size_t high = index->n;

    if (place < index->n && index->series[place]->number == number)
        return index->series[place];
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (index->series[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->n && index->series[low]->number == number ? index->series[low] : NULL;
}

const struct labels *index_labels(const struct index *index,
                                  const struct series *series,
                                  struct arena *arena)
{
    struct labels *labels = labels_lend(arena, series->n, series->hash);

    for (uint32_t i = 0; labels && i < series->n; i++) {
        const struct posting *pair = &index->postings[series->pairs[i]];

        labels->at[i] = (struct label){pair->name, pair->value};
    }
    return labels;
}

static void grow_slots(struct index *index)
{
    if (index->n * 4 < index->n_slots * 3)
        return;
    free(index->slots);
    index->n_slots += index->n_slots / 2;
    index->slots = mem_zalloc(index->n_slots * sizeof(*index->slots));
    for (size_t i = 0; i < index->n; i++)
        put_slot(index->slots, index->n_slots, series_slot(index, index->series[i]->hash), i);
}

/* The series knows its pairs. */
static void add(struct index *index, struct series *series)
{
    assert(index->n < UINT32_MAX - 1);
    grow_slots(index);
    index->series = mem_grow(index->series, &index->capacity, index->n + 1,
                             sizeof(struct series *));
    series->place = (uint32_t)index->n;
    put_slot(index->slots, index->n_slots, series_slot(index, series->hash), index->n);
    index->series[index->n++] = series;
    for (uint32_t i = 0; i < series->n; i++)
        post(&index->postings[series->pairs[i]], series->place);
}

struct series *index_add(struct index *index, const struct labels *labels)
{
    struct series *series = mem_zalloc(offsetof(struct series, pairs) +
                                       labels->n * sizeof(series->pairs[0]));

    assert(index->last_number < UINT32_MAX);
    series->hash = labels->hash;
    series->number = ++index->last_number;
    series->n = labels->n;
    for (uint32_t i = 0; i < labels->n; i++)
        series->pairs[i] = pair_of(index, labels->at[i].name, labels->at[i].value);
    add(index, series);
    return series;
}

void index_sweep(struct index *index)
{
    struct index fresh;

    index_init(&fresh);
    fresh.last_number = index->last_number;
    for (size_t i = 0; i < index->n; i++) {
        struct series *series = index->series[i];

        if (!series->segments) {
            texts_keep(index->texts, series); /* a select may be about to look at it */
            continue;
        }
        for (uint32_t k = 0; k < series->n; k++) {
            const struct posting *pair = &index->postings[series->pairs[k]];

            series->pairs[k] = pair_of(&fresh, pair->name, pair->value);
        }
        add(&fresh, series);
    }
    free_tables(index);
    *index = fresh;
}

void index_each_pair(const struct index *index,
                     void (*each)(void *arg, const char *name, const char *value, size_t n_series),
                     void *arg)
{
    for (size_t i = 0; i < index->n_name_slots; i++) {
        for (size_t k = 0; k < index->names[i].n; k++) {
            const struct posting *pair = &index->postings[index->names[i].pairs[k]];

            each(arg, pair->name, pair->value, pair->n);
        }
    }
}

const struct posting *index_posting(const struct index *index, const char *name, const char *value)
{
    uint32_t slot = *posting_slot(index, hash_pair(name, value), name, value);

    return slot ? &index->postings[slot - 1] : NULL;
}

const struct label_name *index_name(const struct index *index, const char *name)
{
    const struct label_name *known = name_slot(index, name);

    return known->name ? known : NULL;
}

size_t index_bytes(const struct index *index)
{
    size_t n_bytes = texts_bytes(index->texts) + index->capacity * sizeof(struct series *) +
                     index->n * offsetof(struct series, pairs) +
                     index->n_slots * sizeof(*index->slots) +
                     index->postings_capacity * sizeof(*index->postings) +
                     index->n_posting_slots * sizeof(*index->posting_slots) +
                     index->n_name_slots * sizeof(*index->names);

    for (size_t i = 0; i < index->n_postings; i++) /* a place in the list, a number in the series */
        n_bytes += (index->postings[i].capacity + index->postings[i].n) * sizeof(uint32_t);
    for (size_t i = 0; i < index->n_name_slots; i++)
        n_bytes += index->names[i].capacity * sizeof(uint32_t);
    return n_bytes;
}
