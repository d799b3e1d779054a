/*
 * The inverted index. See index.h.
 *
 * All three tables are open-addressed with linear probing and double at three quarters.
 * Nothing is ever deleted from them: a sweep builds the index anew.
 */

#include "alertd/store/index.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

struct posting {              /* one pair and who has it */
    const char *name, *value; /* of the first series that has it */
    uint64_t hash;
    uint32_t *ids;
    uint32_t n, capacity;
};

struct label_name {
    const char *name;
    uint64_t *values; /* hashes of this name's pairs */
    size_t n, capacity;
};

enum {
    SLOTS_MIN = 64
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
    index->postings = mem_zalloc(SLOTS_MIN * sizeof(*index->postings));
}

static void free_tables(struct index *index)
{
    for (size_t i = 0; i < index->n_posting_slots; i++)
        free(index->postings[i].ids);
    for (size_t i = 0; i < index->n_name_slots; i++)
        free(index->names[i].values);
    free(index->postings);
    free(index->names);
    free(index->slots);
    free(index->series);
}

void index_done(struct index *index)
{
    for (size_t i = 0; i < index->n; i++) {
        labels_unref(index->series[i]->labels);
        free(index->series[i]);
    }
    free_tables(index);
    *index = (struct index){0};
}

static uint32_t *series_slot(const struct index *index, const struct labels *labels)
{
    size_t at = labels->hash & (index->n_slots - 1);

    while (index->slots[at] && !labels_equal(index->series[index->slots[at] - 1]->labels, labels))
        at = (at + 1) & (index->n_slots - 1);
    return &index->slots[at];
}

struct series *index_find(const struct index *index, const struct labels *labels)
{
    const uint32_t *slot = series_slot(index, labels);

    return *slot ? index->series[*slot - 1] : NULL;
}

static struct posting *posting_slot(const struct index *index,
                                    uint64_t hash,
                                    const char *name,
                                    const char *value)
{
    size_t at = hash & (index->n_posting_slots - 1);

    for (;; at = (at + 1) & (index->n_posting_slots - 1)) {
        struct posting *posting = &index->postings[at];
        if (!posting->ids || (posting->hash == hash && strcmp(posting->name, name) == 0 &&
                              strcmp(posting->value, value) == 0))
            return posting;
    }
}

static void grow_slots(struct index *index)
{
    if (index->n * 4 < index->n_slots * 3)
        return;
    free(index->slots);
    index->n_slots *= 2;
    index->slots = mem_zalloc(index->n_slots * sizeof(*index->slots));
    for (size_t i = 0; i < index->n; i++) {
        size_t at = index->series[i]->labels->hash & (index->n_slots - 1);

        while (index->slots[at]) /* all are distinct: no need to compare */
            at = (at + 1) & (index->n_slots - 1);
        index->slots[at] = (uint32_t)i + 1;
    }
}

static void grow_postings(struct index *index)
{
    struct posting *old = index->postings;
    size_t n_old = index->n_posting_slots;

    if (index->n_postings * 4 < n_old * 3)
        return;
    index->n_posting_slots = n_old * 2;
    index->postings = mem_zalloc(index->n_posting_slots * sizeof(*index->postings));
    for (size_t i = 0; i < n_old; i++)
        if (old[i].ids)
            *posting_slot(index, old[i].hash, old[i].name, old[i].value) = old[i];
    free(old);
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

static void note_value(struct index *index, const char *name, uint64_t hash)
{
    grow_names(index);
    struct label_name *known = name_slot(index, name);

    if (!known->name) {
        known->name = name;
        index->n_names++;
    }
    known->values = mem_grow(known->values, &known->capacity, known->n + 1, sizeof(*known->values));
    known->values[known->n++] = hash;
}

/* Ids only grow, so each list stays sorted. */
static void post(struct index *index, const struct label *label, uint32_t id)
{
    uint64_t hash = hash_pair(label->name, label->value);

    grow_postings(index);
    struct posting *posting = posting_slot(index, hash, label->name, label->value);
    if (!posting->ids) {
        *posting = (struct posting){.name = label->name, .value = label->value, .hash = hash};
        index->n_postings++;
        note_value(index, label->name, hash);
    }
    if (posting->n == posting->capacity) { /* most pairs have one series: begin with one */
        posting->capacity = posting->capacity ? posting->capacity + posting->capacity / 2 + 1 : 1;
        posting->ids = mem_realloc(posting->ids, posting->capacity * sizeof(*posting->ids));
    }
    assert(posting->ids);
    posting->ids[posting->n++] = id;
}

static void add(struct index *index, struct series *series)
{
    assert(index->n < UINT32_MAX - 1);
    grow_slots(index);
    index->series = mem_grow(index->series, &index->capacity, index->n + 1,
                             sizeof(struct series *));
    series->id = (uint32_t)index->n;
    *series_slot(index, series->labels) = series->id + 1;
    index->series[index->n++] = series;
    for (size_t i = 0; i < series->labels->n; i++)
        post(index, &series->labels->at[i], series->id);
}

struct series *index_add(struct index *index, const struct labels *labels)
{
    struct series *series = mem_zalloc(sizeof(*series));

    series->labels = labels_ref(labels);
    add(index, series);
    return series;
}

void index_sweep(struct index *index)
{
    struct index fresh;

    index_init(&fresh);
    for (size_t i = 0; i < index->n; i++) {
        struct series *series = index->series[i];
        if (series->segments) {
            add(&fresh, series);
        } else {
            labels_unref(series->labels);
            free(series);
        }
    }
    free_tables(index);
    *index = fresh;
}

/* --- selecting --- */

static bool names_a_list(const struct matcher *matcher)
{
    return matcher->type == MATCHER_EQUAL && matcher->value[0];
}

static const struct posting *list_of(const struct index *index, const struct matcher *matcher)
{
    return posting_slot(index, hash_pair(matcher->name, matcher->value), matcher->name,
                        matcher->value);
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* All series that have the name with a value the matcher likes. A pair's lists are
 * disjoint (a series has one value a name), so nothing is there twice. */
static uint32_t *union_lists(const struct index *index,
                             const struct matcher *matcher,
                             size_t *ret_n)
{
    const struct label_name *name = name_slot(index, matcher->name);
    uint32_t *ids = NULL;
    size_t capacity = 0;
    size_t n = 0;

    for (size_t i = 0; i < name->n; i++) {
        size_t at = name->values[i] & (index->n_posting_slots - 1);
        /* every pair of this name with this hash: two could share it */
        for (; index->postings[at].ids; at = (at + 1) & (index->n_posting_slots - 1)) {
            const struct posting *posting = &index->postings[at];
            if (posting->hash != name->values[i] || strcmp(posting->name, name->name) != 0)
                continue;
            if (matcher_matches(matcher, posting->value)) {
                ids = mem_grow(ids, &capacity, n + posting->n, sizeof(*ids));
                memcpy(ids + n, posting->ids, posting->n * sizeof(*ids));
                n += posting->n;
            }
        }
    }
    if (n > 1)
        qsort(ids, n, sizeof(*ids), compare_ids);
    /* two values of one hash were both visited twice */
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    *ret_n = kept;
    return ids;
}

/* The first place at or behind `from` whose id is not less: steps that double, then halves. */
static size_t skip_to(const struct posting *list, size_t from, uint32_t id)
{
    size_t step = 1;
    size_t low = from;
    size_t high = from;

    while (high < list->n && list->ids[high] < id) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = high < list->n ? high : list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Keeps of the ids those that the list has too. */
static size_t intersect(uint32_t *ids, size_t n, const struct posting *list)
{
    size_t kept = 0;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        at = skip_to(list, at, ids[i]);
        if (at == list->n)
            break;
        if (list->ids[at] == ids[i])
            ids[kept++] = ids[i];
    }
    return kept;
}

/* The series that all lists have which matchers name exactly; NULL when none is named. */
static uint32_t *named_by_lists(const struct index *index,
                                const struct matcher *matchers,
                                size_t n_matchers,
                                size_t *ret_n)
{
    const struct posting *shortest = NULL;

    for (size_t i = 0; i < n_matchers; i++) {
        const struct posting *list = names_a_list(&matchers[i]) ? list_of(index, &matchers[i])
                                                                : NULL;

        if (list && (!shortest || list->n < shortest->n))
            shortest = list;
    }
    if (!shortest)
        return NULL;
    size_t n = shortest->n;
    uint32_t *ids = mem_alloc((n ? n : 1) * sizeof(*ids));
    if (n)
        memcpy(ids, shortest->ids, n * sizeof(*ids));
    for (size_t i = 0; i < n_matchers && n; i++)
        if (names_a_list(&matchers[i]) && list_of(index, &matchers[i]) != shortest)
            n = intersect(ids, n, list_of(index, &matchers[i]));
    *ret_n = n;
    return ids;
}

/* A superset of the series that match. */
static uint32_t *candidates(const struct index *index,
                            const struct matcher *matchers,
                            size_t n_matchers,
                            size_t *ret_n)
{
    uint32_t *ids = named_by_lists(index, matchers, n_matchers, ret_n);

    if (ids)
        return ids;
    for (size_t i = 0; i < n_matchers; i++)
        if (!matcher_matches(&matchers[i], ""))
            return union_lists(index, &matchers[i], ret_n);
    ids = mem_alloc((index->n ? index->n : 1) * sizeof(*ids));
    for (uint32_t i = 0; i < index->n; i++)
        ids[i] = i;
    *ret_n = index->n;
    return ids;
}

/* Whether the matchers that name no list like the series. */
static bool rest_matches(const struct matcher *matchers,
                         size_t n_matchers,
                         const struct labels *labels)
{
    for (size_t i = 0; i < n_matchers; i++)
        if (!names_a_list(&matchers[i]) && !matchers_match(&matchers[i], 1, labels))
            return false;
    return true;
}

struct series **index_select(const struct index *index,
                             const struct matcher *matchers,
                             size_t n_matchers,
                             size_t *ret_n)
{
    size_t n_candidates = 0;
    MEM_AUTO uint32_t *ids = candidates(index, matchers, n_matchers, &n_candidates);
    struct series **found = mem_alloc((n_candidates ? n_candidates : 1) * sizeof(struct series *));
    size_t n = 0;

    for (size_t i = 0; i < n_candidates; i++) {
        struct series *series = index->series[ids[i]];

        if (rest_matches(matchers, n_matchers, series->labels))
            found[n++] = series;
    }
    *ret_n = n;
    return found;
}
