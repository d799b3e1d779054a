/*
 * What of the past could not be read. See told.h.
 */

#include "alertd/promql/told.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

/* Filled from the front and never emptied: two who add the same at once meet in the same place. */
struct told {
    _Atomic(char *) at[TOLD_WORDS_MAX];
    _Atomic(char *) notes[TOLD_NOTES_MAX];
    atomic_bool has_more, has_more_notes;
};

struct told *told_new(void)
{
    return mem_zalloc(sizeof(struct told));
}

static void free_all(_Atomic(char *) *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(atomic_load(&at[i]));
}

void told_free(struct told *told)
{
    if (!told)
        return;
    free_all(told->at, TOLD_WORDS_MAX);
    free_all(told->notes, TOLD_NOTES_MAX);
    free(told);
}

/* Copied only where there is nothing yet: most has been said before. False: there is no room. */
static bool add(_Atomic(char *) *at, size_t n, const char *words)
{
    char *own = NULL;

    for (size_t i = 0; i < n; i++) {
        char *there = atomic_load(&at[i]);
        if (!there) {
            own = own ? own : mem_strdup(words);
            if (atomic_compare_exchange_strong(&at[i], &there, own))
                return true;
        }
        if (strcmp(there, words) == 0) {
            free(own);
            return true;
        }
    }
    free(own);
    return false;
}

void told_add(struct told *told, const char *words)
{
    if (told && !add(told->at, TOLD_WORDS_MAX, words))
        atomic_store(&told->has_more, true);
}

void told_add_note(struct told *told, const char *words)
{
    if (told && !add(told->notes, TOLD_NOTES_MAX, words))
        atomic_store(&told->has_more_notes, true);
}

static int by_words(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

static size_t list(const _Atomic(char *) *at, size_t n_max, const char **ret_words)
{
    size_t n = 0;

    while (n < n_max && (ret_words[n] = atomic_load(&at[n])))
        n++;
    if (n > 0)
        qsort(ret_words, n, sizeof(*ret_words), by_words);
    return n;
}

size_t told_list(const struct told *told, const char **ret_words)
{
    if (!told)
        return 0;
    size_t n = list(told->at, TOLD_WORDS_MAX, ret_words);

    if (atomic_load(&told->has_more))
        ret_words[n++] = "more of it could not be read than is named here";
    n += list(told->notes, TOLD_NOTES_MAX, ret_words + n);
    if (atomic_load(&told->has_more_notes))
        ret_words[n++] = "PromQL warns of more than is named here";
    return n;
}

void told_say(const struct told *told, const char *before, const char *behind, struct str *out)
{
    const char *words[TOLD_LIST_MAX];
    size_t n = told_list(told, words);

    if (n > 0)
        str_addf(out, "%s%.300s", before, words[0]);
    if (n > 1)
        str_addf(out, ", and %zu more", n - 1);
    if (n > 0)
        str_add(out, behind);
}

static int select_told(void *self,
                       const struct source_query *query,
                       struct arena *arena,
                       struct source_selection *ret_selection,
                       struct err *reterr)
{
    const struct told_of *of = self;
    int r = of->source->select(of->source->self, query, arena, ret_selection, reterr);

    for (size_t i = 0; r == 0 && i < ret_selection->n_warnings; i++)
        told_add(of->told, ret_selection->warnings[i]);
    return r;
}

static int read_told(void *self,
                     const struct source_query *query,
                     const struct source_match *match,
                     struct arena *arena,
                     struct source_columns *columns,
                     struct err *reterr)
{
    const struct told_of *of = self;

    return of->source->read(of->source->self, query, match, arena, columns, reterr);
}

struct source told_source(struct told_of *of)
{
    return (struct source){.select = select_told, .read = read_told, .self = of};
}
