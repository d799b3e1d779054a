/*
 * Range queries in parts. See prom_parts.h.
 */

#include "alertd/api/prom_parts.h"

#include <assert.h>
#include <string.h>

#include "lib/base/parallel.h"

enum {
    SMALL_SAMPLES = 100 * 1000, /* what is read in less than a thread costs many times over */
    PART_STEPS_MIN = 32,
};

/* One part, with what came of it. */
struct part {
    struct promql_query query;
    struct promql_value value;
    struct arena *arena;
    int result;
    struct err err;
};

struct work {
    const struct promql_expr *expr;
    const struct source *source;
    struct part at[PROM_PARTS_MAX];
    size_t n;
};

static void eval_part(void *context, size_t index)
{
    struct work *work = context;
    struct part *part = &work->at[index];

    part->result = promql_eval(work->expr, work->source, &part->query, part->arena, &part->value,
                               &part->err);
}

static size_t count_steps(const struct promql_query *query)
{
    if (query->step_ms <= 0 || query->end_ms < query->start_ms)
        return 1;
    return (size_t)((query->end_ms - query->start_ms) / query->step_ms) + 1;
}

static void divide(struct prom_parts *parts,
                   struct work *work,
                   const struct promql_query *query,
                   size_t bytes_max)
{
    size_t n_steps = count_steps(query);
    size_t done = 0;

    for (size_t i = 0; i < work->n; i++) {
        struct part *part = &work->at[i];

        arena_init(&parts->arenas[i], bytes_max / work->n);
        parts->n = i + 1;
        part->arena = &parts->arenas[i];
        part->query = *query;
        part->query.first_step = done;
        part->query.n_steps = n_steps * (i + 1) / work->n - done;
        done += part->query.n_steps;
    }
}

/* --- putting together ----------------------------------------------------------------------- */

/* The least labels among the parts' next series, which are sorted; NULL: all are through. */
static const struct labels *least_labels(const struct work *work, const size_t *next)
{
    const struct labels *least = NULL;

    for (size_t i = 0; i < work->n; i++) {
        if (next[i] == work->at[i].value.n)
            continue;
        const struct labels *labels = work->at[i].value.series[next[i]].labels;
        if (!least || labels_compare(labels, least) < 0)
            least = labels;
    }
    return least;
}

/* The parts' points of one series behind each other; `next` moves past it. False: out of
 * memory. */
static bool join_series(const struct work *work,
                        size_t *next,
                        struct arena *arena,
                        struct promql_series *ret)
{
    const struct promql_series *found[PROM_PARTS_MAX] = {0};
    const struct labels *labels = least_labels(work, next);
    size_t n_found = 0;
    size_t n = 0;

    for (size_t i = 0; i < work->n; i++) {
        const struct promql_value *value = &work->at[i].value;

        if (next[i] == value->n || labels_compare(value->series[next[i]].labels, labels) != 0)
            continue;
        found[n_found] = &value->series[next[i]++];
        n += found[n_found++]->n;
    }
    assert(found[0]); /* whose labels are the least */
    *ret = *found[0];
    if (n_found == 1)
        return true;
    int64_t *t_ms = arena_room(arena, n, sizeof(*t_ms));
    double *values = arena_room(arena, n, sizeof(*values));
    if (!t_ms || !values)
        return false;
    *ret = (struct promql_series){labels, 0, t_ms, values};
    for (size_t i = 0; i < n_found; i++) {
        memcpy(t_ms + ret->n, found[i]->t_ms, found[i]->n * sizeof(*t_ms));
        memcpy(values + ret->n, found[i]->values, found[i]->n * sizeof(*values));
        ret->n += found[i]->n;
    }
    return true;
}

/* Adds those texts that are not there yet. */
static void join_texts(const char **texts, size_t *n, const char *const *more, size_t n_more)
{
    for (size_t i = 0; i < n_more; i++) {
        size_t k = 0;

        while (k < *n && strcmp(texts[k], more[i]) != 0)
            k++;
        if (k == *n)
            texts[(*n)++] = more[i];
    }
}

static bool join_notes(const struct work *work, struct arena *arena, struct promql_value *value)
{
    size_t n_warnings = 0;
    size_t n_infos = 0;

    for (size_t i = 0; i < work->n; i++) {
        n_warnings += work->at[i].value.n_warnings;
        n_infos += work->at[i].value.n_infos;
    }
    value->warnings = arena_array(arena, n_warnings + 1, sizeof(*value->warnings));
    value->infos = arena_array(arena, n_infos + 1, sizeof(*value->infos));
    if (!value->warnings || !value->infos)
        return false;
    for (size_t i = 0; i < work->n; i++) {
        const struct promql_value *part = &work->at[i].value;

        join_texts(value->warnings, &value->n_warnings, part->warnings, part->n_warnings);
        join_texts(value->infos, &value->n_infos, part->infos, part->n_infos);
    }
    return true;
}

static size_t samples_read(const struct work *work)
{
    size_t n = 0;

    for (size_t i = 0; i < work->n; i++)
        n += work->at[i].value.n_samples;
    return n;
}

static bool join(const struct work *work, struct arena *arena, struct promql_value *value)
{
    size_t next[PROM_PARTS_MAX] = {0};
    size_t n_max = 0;

    value->n_samples = samples_read(work);
    for (size_t i = 0; i < work->n; i++) {
        n_max += work->at[i].value.n;
        value->n_series_read += work->at[i].value.n_series_read;
    }
    value->type = work->at[0].value.type;
    value->series = arena_array(arena, n_max + 1, sizeof(*value->series));
    if (!value->series || !join_notes(work, arena, value))
        return false;
    while (least_labels(work, next))
        if (!join_series(work, next, arena, &value->series[value->n++]))
            return false;
    return true;
}

static int eval_in_parts(struct prom_parts *parts,
                         struct work *work,
                         const struct promql_query *query,
                         struct arena *arena,
                         struct promql_value *ret_value,
                         struct err *reterr)
{
    struct promql_value value = {0};

    divide(parts, work, query, arena->limit);
    parallel_each(work->n, (unsigned)work->n, eval_part, work);
    for (size_t i = 0; i < work->n; i++)
        if (work->at[i].result != 0) {
            *reterr = work->at[i].err;
            return work->at[i].result;
        }
    if (query->limits.max_samples && samples_read(work) > query->limits.max_samples)
        return err_set(reterr, PROMQL_E_LIMIT,
                       "the query reads more than %zu samples; select fewer series or a shorter "
                       "time",
                       query->limits.max_samples);
    if (!join(work, arena, &value))
        return err_set(reterr, PROMQL_E_LIMIT,
                       "the query needs more memory than it may use: ask for less time");
    *ret_value = value;
    return 0;
}

int prom_parts_eval(struct prom_parts *parts,
                    const struct promql_expr *expr,
                    const struct source *source,
                    const struct promql_query *query,
                    struct arena *arena,
                    struct promql_value *ret_value,
                    struct err *reterr)
{
    struct work work = {.expr = expr, .source = source};
    struct promql_query small = *query;

    if (query->explain || count_steps(query) < 2 * PART_STEPS_MIN ||
        (query->limits.max_samples && query->limits.max_samples < SMALL_SAMPLES) ||
        !promql_steps_are_apart(expr))
        return promql_eval(expr, source, query, arena, ret_value, reterr);
    work.n = parallel_workers(parts->workers); /* asks the kernel: not for every small query */
    if (work.n > PROM_PARTS_MAX)
        work.n = PROM_PARTS_MAX;
    if (work.n < 2)
        return promql_eval(expr, source, query, arena, ret_value, reterr);
    /* Whether it is small is seen by trying: a big one is given up after little. */
    small.limits.max_samples = SMALL_SAMPLES;
    int r = promql_eval(expr, source, &small, arena, ret_value, reterr);
    if (r != PROMQL_E_LIMIT)
        return r;
    return eval_in_parts(parts, &work, query, arena, ret_value, reterr);
}

void prom_parts_done(struct prom_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++)
        arena_reset(&parts->arenas[i]);
    parts->n = 0;
}
