/*
 * Values of an expression on a rule's own grid. See tune.h.
 */

#include <math.h>
#include <stdlib.h>

#include "alertd/store/store.h"
#include "ctl/tune.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    QUERY_BYTES_MAX = 512 << 20,
    PIECE_STEPS = 20000, /* evaluated at once; fewer when that is too much */
    PIECE_MAX_MS = 86400000,
};

enum ctl_exit tune_reader_init(struct tune_reader *reader, const struct ctl *ctl)
{
    const char *folder = ctl_option(ctl, "store");

    *reader = (struct tune_reader){.ctl = ctl, .is_store = folder != NULL};
    if (folder) {
        enum ctl_exit status = store_asker_init(&reader->store, ctl, folder, PIECE_MAX_MS);
        reader->now_ms = reader->store.now_ms;
        return status;
    }
    origin_init(&reader->origin, ctl->url, ctl->token, PIECE_MAX_MS);
    reader->now_ms = clock_wall_ms();
    return CTL_OK;
}

void tune_reader_done(struct tune_reader *reader)
{
    if (reader->is_store)
        store_asker_done(&reader->store);
    else
        origin_done(&reader->origin);
}

/* --- one series of one piece --- */

struct piece {
    const struct tune_span *span;
    bool as_presence;
    tune_visit *visit;
    void *arg;
    double *values;
    size_t capacity;
};

static int visit_samples(struct piece *piece,
                         const struct labels *labels,
                         const int64_t *t_ms,
                         const double *values,
                         size_t n,
                         struct err *reterr)
{
    if (n == 0)
        return 0;
    int64_t first = (t_ms[0] - piece->span->start_ms) / piece->span->step_ms;
    size_t n_steps = (size_t)((t_ms[n - 1] - t_ms[0]) / piece->span->step_ms) + 1;

    piece->values = mem_grow(piece->values, &piece->capacity, n_steps, sizeof(double));
    for (size_t i = 0; i < n_steps; i++)
        piece->values[i] = NAN;
    for (size_t i = 0; i < n; i++)
        piece->values[(t_ms[i] - t_ms[0]) / piece->span->step_ms] = piece->as_presence ? 1
                                                                                       : values[i];
    return piece->visit(piece->arg, labels, (uint32_t)first, piece->values, n_steps, reterr);
}

/* --- from a server --- */

static int on_samples(void *arg,
                      const struct labels *labels,
                      const struct sample *samples,
                      size_t n,
                      struct err *reterr)
{
    struct piece *piece = arg;
    MEM_AUTO int64_t *t_ms = mem_alloc((n + 1) * sizeof(*t_ms));
    MEM_AUTO double *values = mem_alloc((n + 1) * sizeof(*values));

    for (size_t i = 0; i < n; i++) {
        t_ms[i] = samples[i].t_ms;
        values[i] = samples[i].value;
    }
    return visit_samples(piece, labels, t_ms, values, n, reterr);
}

/* --- from a folder --- */

static int read_piece(struct tune_reader *reader,
                      const struct promql_expr *expr,
                      const struct tune_span *span,
                      size_t first,
                      size_t n,
                      struct piece *piece,
                      struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    const struct source source = store_source(reader->store.store);
    struct promql_value value;

    arena_init(&arena, QUERY_BYTES_MAX);
    const struct promql_query query = {
        .start_ms = span->start_ms,
        .end_ms = span->start_ms + (span->n_steps - 1) * span->step_ms,
        .step_ms = span->step_ms,
        .first_step = first,
        .n_steps = n,
        .limits = {.max_points = span->n_steps},
    };
    int r = promql_eval(expr, &source, &query, &arena, &value, reterr);
    for (size_t i = 0; i < value.n && r == 0; i++)
        r = visit_samples(piece, value.series[i].labels, value.series[i].t_ms,
                          value.series[i].values, value.series[i].n, reterr);
    return r;
}

static int read_store(struct tune_reader *reader,
                      const char *expression,
                      const struct tune_span *span,
                      struct piece *piece,
                      struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct promql_expr *expr = NULL;

    arena_init(&arena, QUERY_BYTES_MAX);
    int r = promql_parse(&arena, expression, &expr, reterr);
    size_t most = r == 0 && promql_steps_are_apart(expr) ? PIECE_STEPS : span->n_steps;
    for (size_t at = 0; at < span->n_steps && r == 0;) {
        size_t n = span->n_steps - at < most ? span->n_steps - at : most;
        r = read_piece(reader, expr, span, at, n, piece, reterr);
        if (r == PROMQL_E_LIMIT && n > 1 && promql_steps_are_apart(expr)) {
            most = n / 2;
            r = 0;
            continue;
        }
        at += n;
    }
    return r;
}

int tune_read(struct tune_reader *reader,
              const char *expression,
              const struct tune_span *span,
              bool as_presence,
              tune_visit *visit,
              void *arg,
              struct err *reterr)
{
    struct piece piece = {span, as_presence, visit, arg, NULL, 0};
    const struct origin_steps steps = {
        span->start_ms, span->start_ms + (span->n_steps - 1) * span->step_ms, span->step_ms};

    int r = reader->is_store
                ? read_store(reader, expression, span, &piece, reterr)
                : origin_range(&reader->origin, expression, &steps, on_samples, &piece, reterr);
    free(piece.values);
    return r;
}
