/*
 * A past read as it was known then. See late.h.
 */

#include "alertd/tune/late.h"

#include <errno.h>

#include "alertd/promql/memory_source.h"
#include "alertd/promql/promql.h"
#include "alertd/tune/input.h"

enum {
    ARENA_BYTES = 128 << 20,
    CHUNK_STEPS = 10000, /* of all series at once, in memory */
    CHUNK_SAMPLES_MAX = 2 * 1000 * 1000,
    LOOK_STEPS = 64, /* between two looks at the deadline */
};

static struct source_query known(const struct late *late, const struct source_query *query)
{
    struct source_query cut = *query;

    if (cut.to_ms > late->known_until_ms)
        cut.to_ms = late->known_until_ms;
    return cut;
}

static int select_known(void *self,
                        const struct source_query *query,
                        struct arena *arena,
                        struct source_selection *ret_selection,
                        struct err *reterr)
{
    const struct late *late = self;
    const struct source_query cut = known(late, query);

    return late->source->select(late->source->self, &cut, arena, ret_selection, reterr);
}

static int read_known(void *self,
                      const struct source_query *query,
                      const struct source_match *match,
                      struct arena *arena,
                      struct source_columns *columns,
                      struct err *reterr)
{
    const struct late *late = self;
    const struct source_query cut = known(late, query);

    if (cut.from_ms > cut.to_ms) {
        columns->n = 0;
        return 0;
    }
    return late->source->read(late->source->self, &cut, match, arena, columns, reterr);
}

/* Evaluations one by one, told as a series' values in order of time, as any other reading's. */
struct chunk {
    struct memory_source values;
    size_t n;
    int64_t at_ms;
};

static int on_step(void *arg,
                   const struct labels *labels,
                   uint32_t first,
                   const double *values,
                   size_t n,
                   struct err *reterr)
{
    struct chunk *chunk = arg;

    const struct labels *own = labels_new(labels->at, labels->n);

    chunk->n++;
    memory_source_add(&chunk->values, own, chunk->at_ms, values[0]);
    labels_unref(own);
    return 0;
}

static int visit_chunk(struct chunk *chunk, struct reading_piece *piece, struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    const struct source source = memory_source_of(&chunk->values);
    const struct source_query all = {.from_ms = INT64_MIN / 2, .to_ms = INT64_MAX / 2};
    struct source_selection selection = {0};
    struct source_columns columns = {0};

    arena_init(&arena, ARENA_BYTES);
    int r = source.select(source.self, &all, &arena, &selection, reterr);
    for (size_t i = 0; i < selection.n && r == 0; i++) {
        const struct source_match *match = &selection.matches[i];
        r = source.read(source.self, &all, match, &arena, &columns, reterr);
        if (r == 0)
            r = reading_visit(piece, match->labels, columns.t_ms, columns.values, columns.n,
                              reterr);
    }
    memory_source_done(&chunk->values);
    chunk->values = (struct memory_source){0};
    chunk->n = 0;
    return r;
}

static int look_at(const char *expression, bool *ret_may_lag, struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct promql_expr *expr = NULL;
    struct inputs inputs;

    arena_init(&arena, ARENA_BYTES);
    int r = promql_parse(&arena, expression, &expr, reterr);
    if (r == 0)
        r = inputs_of(expr, &arena, &inputs, reterr);
    if (r == 0)
        *ret_may_lag = promql_steps_may_lag(expr);
    return r;
}

struct source late_source(struct late *late)
{
    return (struct source){select_known, read_known, late};
}

static int is_over(const struct reading_source *limits, struct err *reterr)
{
    if (limits->is_given_up_fn && limits->is_given_up_fn(limits->given_up_arg))
        return err_set(reterr, -ECANCELED, "nobody waits for it any more");
    if (limits->now_fn && limits->now_fn() >= limits->deadline_ms)
        return err_set(reterr, -ETIMEDOUT, "it takes too long");
    return 0;
}

/* Each step over what had come by then. */
static int read_one_by_one(struct late *late,
                           const char *expression,
                           struct reading_piece *piece,
                           bool as_presence,
                           struct err *reterr)
{
    const struct tune_span *span = piece->span;
    const struct source source = late_source(late);
    struct reading_source over = late->limits;
    struct tune_reader each;
    struct chunk chunk = {.at_ms = 0};
    int r = 0;

    over.source = &source;
    over.at_once_fn = NULL;
    each = reading_of_source(&over);
    for (uint32_t i = 0; i < span->n_steps && r == 0; i++) {
        const struct tune_span step = {span->start_ms + i * span->step_ms, span->step_ms, 1};
        chunk.at_ms = step.start_ms;
        late->known_until_ms = step.start_ms - late->lag_ms;
        r = each.read(each.reader, expression, &step, as_presence, on_step, &chunk, reterr);
        if (r == 0 &&
            ((i + 1) % CHUNK_STEPS == 0 || i + 1 == span->n_steps || chunk.n >= CHUNK_SAMPLES_MAX))
            r = visit_chunk(&chunk, piece, reterr);
        if (r == 0 && i % LOOK_STEPS == 0)
            r = is_over(&over, reterr);
    }
    memory_source_done(&chunk.values);
    return r;
}

static int read_late(void *reader,
                     const char *expression,
                     const struct tune_span *span,
                     bool as_presence,
                     tune_visit *visit,
                     void *arg,
                     struct err *reterr)
{
    struct late *late = reader;
    struct reading_source over = late->limits;
    struct reading_piece piece = {span, false, visit, arg, NULL, 0};
    bool may_lag = false;
    int r = look_at(expression, &may_lag, reterr);

    if (r == 0)
        r = is_over(&over, reterr);
    over.source = late->source;
    over.lag_ms = late->lag_ms;
    if (r == 0 && may_lag) {
        const struct tune_reader all = reading_of_source(&over);
        return all.read(all.reader, expression, span, as_presence, visit, arg, reterr);
    }
    if (r == 0)
        r = read_one_by_one(late, expression, &piece, as_presence, reterr);
    reading_done(&piece);
    return r;
}

struct tune_reader late_reader(struct late *late)
{
    return (struct tune_reader){.read = read_late, .reader = late};
}
