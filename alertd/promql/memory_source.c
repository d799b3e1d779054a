/*
 * Samples in memory. See memory_source.h.
 */

#include "alertd/promql/memory_source.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

struct memory_series {
    const struct labels *labels;
    int64_t *t_ms;
    double *values;
    size_t n;
    size_t t_capacity, values_capacity;
    size_t next_of_name; /* index + 1 of another series of the same name, 0: none */
};

struct memory_name {
    const char *text; /* NULL: a free place */
    uint64_t hash;
    size_t first, last; /* index + 1 into series, in the order they came */
    size_t n;           /* series of this name */
};

enum {
    BUCKETS_MIN = 64
};

static const char *name_of(const struct labels *labels)
{
    const char *name = labels_get(labels, LABEL_NAME);

    return name ? name : "";
}

/* Where a name is, or the free place where it would be. There are never more names than
 * half the places: they grow with the buckets, and every name has a series. */
static struct memory_name *place_of_name(const struct memory_source *memory,
                                         const char *text,
                                         uint64_t hash)
{
    size_t at = hash & (memory->n_buckets - 1);

    while (memory->names[at].text &&
           (memory->names[at].hash != hash || strcmp(memory->names[at].text, text) != 0))
        at = (at + 1) & (memory->n_buckets - 1);
    return &memory->names[at];
}

static void add_to_name(struct memory_source *memory, size_t index)
{
    struct memory_series *series = &memory->series[index];
    const char *text = name_of(series->labels);
    uint64_t hash = labels_hash_text(0, text);
    struct memory_name *name = place_of_name(memory, text, hash);

    name->text = text;
    name->hash = hash;
    series->next_of_name = 0;
    if (name->last)
        memory->series[name->last - 1].next_of_name = index + 1;
    else
        name->first = index + 1;
    name->last = index + 1;
    name->n++;
}

static size_t bucket_of(const struct memory_source *memory, const struct labels *labels)
{
    size_t at = labels->hash & (memory->n_buckets - 1);

    while (memory->buckets[at] &&
           !labels_equal(memory->series[memory->buckets[at] - 1].labels, labels))
        at = (at + 1) & (memory->n_buckets - 1);
    return at;
}

static void grow_buckets(struct memory_source *memory)
{
    free(memory->buckets);
    free(memory->names);
    memory->n_buckets = memory->n_buckets ? memory->n_buckets * 2 : BUCKETS_MIN;
    memory->buckets = mem_zalloc(memory->n_buckets * sizeof(*memory->buckets));
    for (size_t i = 0; i < memory->n; i++)
        memory->buckets[bucket_of(memory, memory->series[i].labels)] = i + 1;
    memory->names = mem_zalloc(memory->n_buckets * sizeof(*memory->names));
    for (size_t i = 0; i < memory->n; i++)
        add_to_name(memory, i);
}

static struct memory_series *find_series(struct memory_source *memory, const struct labels *labels)
{
    if (memory->n * 2 >= memory->n_buckets)
        grow_buckets(memory);
    size_t bucket = bucket_of(memory, labels);
    if (memory->buckets[bucket])
        return &memory->series[memory->buckets[bucket] - 1];
    memory->series = mem_grow(memory->series, &memory->capacity, memory->n + 1,
                              sizeof(*memory->series));
    memory->series[memory->n] = (struct memory_series){.labels = labels_ref(labels)};
    memory->buckets[bucket] = ++memory->n;
    add_to_name(memory, memory->n - 1);
    return &memory->series[memory->n - 1];
}

void memory_source_add(struct memory_source *memory,
                       const struct labels *labels,
                       int64_t t_ms,
                       double value)
{
    struct memory_series *series = find_series(memory, labels);

    if (series->n && series->t_ms[series->n - 1] >= t_ms) {
        if (series->t_ms[series->n - 1] == t_ms)
            series->values[series->n - 1] = value;
        return;
    }
    series->t_ms = mem_grow(series->t_ms, &series->t_capacity, series->n + 1, sizeof(int64_t));
    series->values = mem_grow(series->values, &series->values_capacity, series->n + 1,
                              sizeof(double));
    series->t_ms[series->n] = t_ms;
    series->values[series->n++] = value;
}

/* The first sample at or after t_ms. */
static size_t lower_bound(const struct memory_series *series, int64_t t_ms)
{
    size_t low = 0, high = series->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (series->t_ms[middle] < t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The series a select has to look at. */
struct candidates {
    size_t next; /* index + 1; 0: no more */
    size_t n;
    bool of_one_name;
};

static struct candidates candidates_of(const struct memory_source *memory,
                                       const struct matcher *matchers,
                                       size_t n_matchers)
{
    for (size_t i = 0; i < n_matchers && memory->n; i++) {
        if (matchers[i].type != MATCHER_EQUAL || strcmp(matchers[i].name, LABEL_NAME) != 0)
            continue;
        const struct memory_name *name = place_of_name(memory, matchers[i].value,
                                                       labels_hash_text(0, matchers[i].value));

        return (struct candidates){name->first, name->n, true};
    }
    return (struct candidates){memory->n > 0, memory->n, false};
}

static const struct memory_series *next_candidate(const struct memory_source *memory,
                                                  struct candidates *candidates)
{
    if (candidates->next == 0)
        return NULL;
    const struct memory_series *series = &memory->series[candidates->next - 1];
    if (candidates->of_one_name)
        candidates->next = series->next_of_name;
    else
        candidates->next = candidates->next < memory->n ? candidates->next + 1 : 0;
    return series;
}

static int select_series(void *self,
                         const struct source_query *query,
                         struct arena *arena,
                         struct source_selection *ret_selection,
                         struct err *reterr)
{
    const struct memory_source *memory = self;
    struct candidates candidates = candidates_of(memory, query->matchers, query->n_matchers);
    const struct memory_series *series;
    struct source_selection selection = {0};

    selection.matches = arena_array(arena, candidates.n + 1, sizeof(*selection.matches));
    if (!selection.matches)
        return err_set(reterr, SOURCE_E_LIMIT, "the query needs too much memory");
    while ((series = next_candidate(memory, &candidates)) != NULL)
        if (matchers_match(query->matchers, query->n_matchers, series->labels))
            selection.matches[selection.n++] = (struct source_match){series->labels, series};
    *ret_selection = selection;
    return 0;
}

static int read_series(void *self,
                       const struct source_query *query,
                       const struct source_match *match,
                       struct arena *arena,
                       struct source_columns *columns,
                       struct err *reterr)
{
    const struct memory_series *series = match->of;
    size_t first = lower_bound(series, query->from_ms);
    size_t end = query->to_ms == INT64_MAX ? series->n : lower_bound(series, query->to_ms + 1);

    (void)self;
    (void)arena;
    (void)reterr;
    columns->n = end > first ? end - first : 0;
    columns->t_ms = series->t_ms + first;
    columns->values = series->values + first;
    return 0;
}

struct source memory_source_of(struct memory_source *memory)
{
    return (struct source){.select = select_series, .read = read_series, .self = memory};
}

void memory_source_done(struct memory_source *memory)
{
    for (size_t i = 0; i < memory->n; i++) {
        labels_unref(memory->series[i].labels);
        free(memory->series[i].t_ms);
        free(memory->series[i].values);
    }
    free(memory->series);
    free(memory->buckets);
    free(memory->names);
    *memory = (struct memory_source){0};
}
