/*
 * Values of an expression on a rule's own grid. See reading.h.
 */

#include "alertd/tune/reading.h"

#include <math.h>
#include <stdlib.h>

#include "alertd/promql/promql.h"
#include "lib/base/arena.h"
#include "lib/base/mem.h"

enum {
    PIECE_STEPS = 20000, /* evaluated at once; fewer when that is too much */
};

int reading_visit(struct reading_piece *piece,
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

void reading_done(struct reading_piece *piece)
{
    free(piece->values);
}

static int read_piece(const struct reading_source *reading,
                      const struct promql_expr *expr,
                      const struct tune_span *span,
                      size_t first,
                      size_t n,
                      struct reading_piece *piece,
                      struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct promql_value value;

    arena_init(&arena, reading->query_bytes);
    const struct promql_query query = {
        .start_ms = span->start_ms,
        .end_ms = span->start_ms + (span->n_steps - 1) * span->step_ms,
        .step_ms = span->step_ms,
        .first_step = first,
        .n_steps = n,
        .limits = {.max_points = span->n_steps,
                   .lookback_ms = reading->lookback_ms,
                   .now_fn = reading->now_fn,
                   .deadline_ms = reading->deadline_ms},
    };
    int r = promql_eval(expr, reading->source, &query, &arena, &value, reterr);
    for (size_t i = 0; i < value.n && r == 0; i++)
        r = reading_visit(piece, value.series[i].labels, value.series[i].t_ms,
                          value.series[i].values, value.series[i].n, reterr);
    return r;
}

static int read_source(const struct reading_source *reading,
                       const char *expression,
                       const struct tune_span *span,
                       struct reading_piece *piece,
                       struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct promql_expr *expr = NULL;

    arena_init(&arena, reading->query_bytes);
    int r = promql_parse(&arena, expression, &expr, reterr);
    size_t most = r == 0 && promql_steps_are_apart(expr) ? PIECE_STEPS : span->n_steps;
    for (size_t at = 0; at < span->n_steps && r == 0;) {
        size_t n = span->n_steps - at < most ? span->n_steps - at : most;
        r = read_piece(reading, expr, span, at, n, piece, reterr);
        bool is_late = reading->now_fn && reading->now_fn() >= reading->deadline_ms;
        if (r == PROMQL_E_LIMIT && n > 1 && !is_late && promql_steps_are_apart(expr)) {
            most = n / 2;
            r = 0;
            continue;
        }
        at += n;
    }
    return r;
}

static int read_over_source(void *reader,
                            const char *expression,
                            const struct tune_span *span,
                            bool as_presence,
                            tune_visit *visit,
                            void *arg,
                            struct err *reterr)
{
    struct reading_piece piece = {span, as_presence, visit, arg, NULL, 0};

    int r = read_source(reader, expression, span, &piece, reterr);
    reading_done(&piece);
    return r;
}

struct tune_reader reading_of_source(struct reading_source *reading)
{
    return (struct tune_reader){read_over_source, reading};
}
