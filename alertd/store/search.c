/*
 * Looking for series. See search.h.
 */

#include "alertd/store/search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum { /* a step looks at no more */
    STEP_VALUES = 200,
    STEP_IDS = 16384,
    STEP_SERIES = 1024,
};

void search_done(struct search *search)
{
    free(search->ids);
    free(search->found);
}

static bool names_a_list(const struct matcher *matcher)
{
    return matcher->type == MATCHER_EQUAL && matcher->value[0];
}

static const struct posting *list_of(const struct index *index, const struct matcher *matcher)
{
    static const struct posting nobody = {0};
    const struct posting *list = index_posting(index, matcher->name, matcher->value);

    return list ? list : &nobody;
}

/* --- candidates --- */

static void add_list(struct search *search, const struct posting *list)
{
    if (list->n == 0)
        return;
    search->ids = mem_grow(search->ids, &search->ids_capacity, search->n_ids + list->n,
                           sizeof(*search->ids));
    memcpy(search->ids + search->n_ids, list->ids, list->n * sizeof(*list->ids));
    search->n_ids += list->n;
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
        assert(list->ids); /* it has so many */
        if (list->ids[at] == ids[i])
            ids[kept++] = ids[i];
    }
    return kept;
}

static const struct posting *shortest_list(const struct search *search, const struct index *index)
{
    const struct posting *shortest = NULL;

    for (size_t i = 0; i < search->n_matchers; i++) {
        const struct posting *list = names_a_list(&search->matchers[i])
                                         ? list_of(index, &search->matchers[i])
                                         : NULL;

        if (list && (!shortest || list->n < shortest->n))
            shortest = list;
    }
    return shortest;
}

/* The series that all lists have which matchers name exactly; false when none is named. */
static bool take_named(struct search *search, const struct index *index)
{
    const struct posting *shortest = shortest_list(search, index);

    if (!shortest)
        return false;
    add_list(search, shortest);
    for (size_t i = 0; i < search->n_matchers; i++)
        if (search->n_ids && names_a_list(&search->matchers[i]) &&
            list_of(index, &search->matchers[i]) != shortest)
            search->n_ids = intersect(search->ids, search->n_ids,
                                      list_of(index, &search->matchers[i]));
    return true;
}

static void take_all(struct search *search, const struct index *index)
{
    search->ids = mem_grow(search->ids, &search->ids_capacity, index->n + 1, sizeof(*search->ids));
    for (uint32_t i = 0; i < index->n; i++)
        search->ids[i] = i;
    search->n_ids = index->n;
}

static void begin(struct search *search, const struct index *index)
{
    search->texts = index->texts;
    search->by = NULL;
    search->at_value = search->n_ids = search->at_id = search->n = 0;
    search->is_sorted = true;
    search->state = SEARCH_SERIES;
    if (take_named(search, index))
        return;
    for (size_t i = 0; i < search->n_matchers && !search->by; i++)
        if (!matcher_matches(&search->matchers[i], ""))
            search->by = &search->matchers[i];
    if (!search->by) {
        take_all(search, index);
        return;
    }
    search->is_sorted = false;
    search->state = SEARCH_VALUES;
}

/* All series that have the name with a value the matcher likes. A pair's lists are
 * disjoint (a series has one value a name), so nothing is there twice. */
static void take_values(struct search *search, const struct index *index)
{
    const struct label_name *name = index_name(index, search->by->name);
    size_t n_before = search->n_ids;
    size_t end = search->at_value + STEP_VALUES;

    for (; name && search->at_value < name->n && search->at_value < end; search->at_value++) {
        const struct posting *list = &index->postings[name->pairs[search->at_value]];

        if (matcher_matches(search->by, list->value))
            add_list(search, list);
        if (search->n_ids - n_before > STEP_IDS)
            end = search->at_value;
    }
    if (!name || search->at_value >= name->n)
        search->state = SEARCH_SERIES;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

void search_rest(struct search *search)
{
    if (search->is_sorted || search->state != SEARCH_SERIES)
        return;
    if (search->n_ids > 1)
        qsort(search->ids, search->n_ids, sizeof(*search->ids), compare_ids);
    search->is_sorted = true;
}

/* --- series --- */

/* The value of a name that is a text of the index; "" when absent. */
static const char *value_of(const struct index *index,
                            const struct series *series,
                            const char *name)
{
    for (uint32_t i = 0; name && i < series->n; i++)
        if (index->postings[series->pairs[i]].name == name)
            return index->postings[series->pairs[i]].value;
    return "";
}

/* A matcher that names no list, and its label's name as the index knows it, NULL: not. */
struct test {
    const struct matcher *matcher;
    const char *name;
};

static size_t find_tests(const struct search *search, const struct index *index, struct test *tests)
{
    size_t n = 0;

    for (size_t i = 0; i < search->n_matchers; i++) {
        const struct matcher *matcher = &search->matchers[i];
        const struct label_name *known = index_name(index, matcher->name);

        if (!names_a_list(matcher))
            tests[n++] = (struct test){matcher, known ? known->name : NULL};
    }
    return n;
}

static bool passes(const struct index *index,
                   const struct series *series,
                   const struct test *tests,
                   size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!matcher_matches(tests[i].matcher, value_of(index, series, tests[i].name)))
            return false;
    return true;
}

static void take_series(struct search *search, const struct index *index)
{
    MEM_AUTO struct test *tests = mem_alloc((search->n_matchers + 1) * sizeof(*tests));
    size_t n_tests = find_tests(search, index, tests);
    size_t end = search->at_id + STEP_SERIES;

    end = end < search->n_ids ? end : search->n_ids;
    search->found = mem_grow(search->found, &search->capacity, search->n + STEP_SERIES,
                             sizeof(struct series *));
    for (; search->at_id < end; search->at_id++) {
        struct series *series = index->series[search->ids[search->at_id]];

        if (passes(index, series, tests, n_tests))
            search->found[search->n++] = series;
    }
    if (search->at_id == search->n_ids)
        search->state = SEARCH_ENDED;
}

bool search_step(struct search *search, const struct index *index)
{
    if (search->texts != index->texts)
        search->state = SEARCH_BEGINS;
    switch (search->state) {
    case SEARCH_BEGINS: begin(search, index); break;
    case SEARCH_VALUES: take_values(search, index); break;
    case SEARCH_SERIES: take_series(search, index); break;
    case SEARCH_ENDED: break;
    }
    return search->state != SEARCH_ENDED;
}
