/*
 * The part of a select that holds the lock: which series match, and what memory has of them.
 * See select.c.
 */

#include <stdlib.h>

#include "alertd/store/search.h"
#include "alertd/store/selection.h"
#include "lib/base/mem.h"

enum { /* the lock is held for no more at a time: a fraction of a millisecond */
    SLICE_SERIES = 256,
    SLICE_SAMPLES = 1 << 16,
};

enum { /* series that are asked for while one is read */
    AHEAD_FOR_SERIES = 16,
    AHEAD_FOR_SEGMENT = 12,
    AHEAD_FOR_RUNS = 8,
    AHEAD_FOR_SAMPLES = 4,
};

/* The newest day of a series: a late sample may have begun an older one since. */
static const struct segment *newest_day(const struct series *series)
{
    const struct segment *newest = series->segments;

    for (const struct segment *segment = newest; segment; segment = segment->next)
        if (segment->partition->day_ms > newest->partition->day_ms)
            newest = segment;
    return newest;
}

/* The newest sample of all, when it is at hand and not after the time asked for: then it is
 * what a selector at an instant sees (or too old). False: it must be looked for. */
static bool newest_is_known(const struct selection *selection,
                            const struct series *series,
                            struct sample *ret_sample)
{
    const struct segment *segment = selection->query->newest_only ? newest_day(series) : NULL;

    return segment && segment_newest(segment, ret_sample) &&
           ret_sample->t_ms <= selection->query->to_ms;
}

/* The oldest day first; the list begins with the newest. */
static bool collect_days(const struct selection *selection,
                         const struct segment *segment,
                         struct pieces *pieces)
{
    const struct source_query *query = selection->query;

    if (!segment)
        return true;
    if (!collect_days(selection, segment->next, pieces))
        return false;
    return !selection_overlaps(selection, segment->partition->day_ms) ||
           segment_collect(segment, query->from_ms, query->to_ms, selection->arena, pieces);
}

static bool has_samples(const struct selection *selection, const struct series *series)
{
    for (const struct segment *segment = series->segments; segment; segment = segment->next)
        if (selection_overlaps(selection, segment->partition->day_ms) &&
            segment_overlaps(segment, selection->query->from_ms, selection->query->to_ms))
            return true;
    return false;
}

/* Notes the series' numbers in the files that know more of it; whether there is one. */
static bool note_rows(struct selection *selection, const struct series *series, size_t found)
{
    bool noted = false;

    for (size_t i = 0; i < selection->n_held; i++) {
        struct held *held = &selection->held[i];
        const struct segment *segment = series->segments;

        while (segment && segment->partition != held->partition)
            segment = segment->next;
        if (!held->knows_more || !segment || !segment_is_named(segment))
            continue;
        held->rows = mem_grow(held->rows, &held->capacity, held->n + 1, sizeof(*held->rows));
        held->rows[held->n++] = (struct row){(uint32_t)found, segment->local_id};
        noted = true;
    }
    return noted;
}

/* What memory has of it; *ret_whole: the files need not be asked. False past the arena's
 * limit. */
static bool collect_memory(const struct selection *selection,
                           const struct series *series,
                           struct found *found,
                           bool *ret_whole)
{
    struct sample newest;

    if (selection->names_only) {
        found->is_sure = has_samples(selection, series);
        *ret_whole = found->is_sure;
        return true;
    }
    *ret_whole = newest_is_known(selection, series, &newest);
    bool fits = true;
    if (!*ret_whole)
        fits = collect_days(selection, series->segments, found->pieces);
    else if (newest.t_ms >= selection->query->from_ms)
        fits = pieces_add_samples(found->pieces, selection->arena, &newest, 1);
    found->is_sure = found->pieces->n_samples > 0;
    return fits;
}

/* The series is found when memory or a file may have something of it. */
static int read_series(struct selection *selection, const struct series *series)
{
    size_t n = selection->n;

    if (!source_query_counts(selection->query, series->hash))
        return 0;
    struct found *found = selection_add(selection, NULL);
    bool whole = false;

    if (!found || !collect_memory(selection, series, found, &whole))
        return selection_spent(selection);
    bool in_file = !whole && note_rows(selection, series, n);
    if (!found->is_sure && !in_file) {
        selection->n = n;
        return 0;
    }
    found->labels = index_labels(&selection->store->index, series, selection->arena);
    return found->labels ? 0 : selection_spent(selection);
}

/* Whether the file has something of the time asked for that memory may not have. */
static bool knows_more(const struct selection *selection, const struct partition *partition)
{
    const struct source_query *query = selection->query;

    return partition->has_chunks && query->from_ms < partition->memory_from_ms &&
           partition->chunk_min_ms <= query->to_ms && partition->chunk_max_ms >= query->from_ms;
}

/* The files that know more than memory, and those that may before it is read. */
static void hold_partitions(struct selection *selection)
{
    struct store *store = selection->store;

    (void)pthread_rwlock_rdlock(&store->lock);
    selection->held = mem_zalloc((store->n_partitions + 1) * sizeof(*selection->held));
    for (size_t i = 0; i < store->n_partitions; i++) {
        struct partition *partition = store->partitions[i];
        bool is_warm = partition->is_warm;

        if (!(is_warm ? selection_overlaps(selection, partition->day_ms)
                      : knows_more(selection, partition)))
            continue;
        atomic_fetch_add(&partition->n_uses, 1);
        selection->held[selection->n_held++] = (struct held){.partition = partition,
                                                             .is_warm = is_warm};
    }
    (void)pthread_rwlock_unlock(&store->lock);
}

/* Asks the memory for what the series some places ahead will need, link by link: nearly all of
 * it is not in the cache, and waiting for one after the other was a quarter of a rule. */
static void look_ahead(const struct source_query *query, struct series *const *series, size_t n)
{
    if (n > AHEAD_FOR_SERIES)
        __builtin_prefetch(series[AHEAD_FOR_SERIES]);
    if (n > AHEAD_FOR_SEGMENT && series[AHEAD_FOR_SEGMENT]->segments)
        segment_prefetch(series[AHEAD_FOR_SEGMENT]->segments);
    if (n > AHEAD_FOR_RUNS && series[AHEAD_FOR_RUNS]->segments)
        segment_prefetch_runs(series[AHEAD_FOR_RUNS]->segments);
    if (n > AHEAD_FOR_SAMPLES && series[AHEAD_FOR_SAMPLES]->segments && !query->newest_only)
        segment_prefetch_samples(series[AHEAD_FOR_SAMPLES]->segments, query->from_ms);
}

/* The index's texts that an answer refers to: let go with the arena. */
static void give_back(void *object)
{
    texts_unref(object);
}

/* Holds what the index refers to now: a sweep may have begun other texts. With the lock. */
static bool hold_texts(struct selection *selection)
{
    struct texts *texts = selection->store->index.texts;

    if (selection->texts == texts)
        return true;
    if (!arena_on_reset(selection->arena, give_back, texts))
        return false;
    selection->texts = texts_ref(texts);
    return true;
}

static int find_series(struct selection *selection, struct search *search)
{
    struct store *store = selection->store;
    bool fits = true;
    bool more = true;

    while (fits && more) {
        (void)pthread_rwlock_rdlock(&store->lock);
        fits = hold_texts(selection);
        more = fits && search_step(search, &store->index);
        (void)pthread_rwlock_unlock(&store->lock);
        search_rest(search);
    }
    return fits ? 0 : selection_spent(selection);
}

/* Some of the series from *at on, with the lock; then others have their turn. */
static int read_slice(struct selection *selection, const struct search *search, size_t *at)
{
    struct store *store = selection->store;
    size_t end = *at + SLICE_SERIES < search->n ? *at + SLICE_SERIES : search->n;
    size_t n_samples = 0;

    (void)pthread_rwlock_rdlock(&store->lock);
    int r = hold_texts(selection) ? 0 : selection_spent(selection);
    for (size_t i = 0; i < selection->n_held; i++)
        selection->held[i].knows_more = selection->held[i].is_warm &&
                                        knows_more(selection, selection->held[i].partition);
    for (; r == 0 && *at < end && n_samples < SLICE_SAMPLES; ++*at) {
        size_t n = selection->n;

        look_ahead(selection->query, search->found + *at, end - *at);
        r = read_series(selection, search->found[*at]);
        if (selection->n > n && selection->found[n].pieces)
            n_samples += selection->found[n].pieces->n_samples;
    }
    (void)pthread_rwlock_unlock(&store->lock);
    return r;
}

static int read_warnings(struct selection *selection)
{
    struct store *store = selection->store;
    int r = 0;

    (void)pthread_rwlock_rdlock(&store->lock);
    for (size_t i = 0; i < store->n_quarantined && r == 0; i++)
        if (selection_overlaps(selection, store->quarantined[i].day_ms))
            r = selection_warn(selection, store->quarantined[i].words);
    (void)pthread_rwlock_unlock(&store->lock);
    return r;
}

int selection_read_memory(struct selection *selection)
{
    struct search search = {.matchers = selection->query->matchers,
                            .n_matchers = selection->query->n_matchers};

    hold_partitions(selection);
    int r = find_series(selection, &search);
    for (size_t at = 0; r == 0 && at < search.n;)
        r = read_slice(selection, &search, &at);
    search_done(&search);
    return r ? r : read_warnings(selection);
}
