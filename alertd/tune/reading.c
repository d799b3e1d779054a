/*
 * Values of an expression on a rule's own grid. See reading.h.
 */

#include "alertd/tune/reading.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/hole.h"
#include "alertd/promql/promql.h"
#include "alertd/tune/shared.h"
#include "alertd/tune/unnamed.h"
#include "lib/base/arena.h"
#include "lib/base/mem.h"
#include "lib/model/sample.h"

enum {
    PIECE_STEPS = 200000, /* evaluated at once; fewer when that is too much */
    /* Of the series, read at once: always as many, so that the same question is answered in the same way
     * whatever the machine. */
    PARTS = 2,
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

/* --- pieces --- */

static int look_whether_given_up(const struct reading_source *reading, struct err *reterr)
{
    return reading->is_given_up_fn && reading->is_given_up_fn(reading->given_up_arg)
               ? err_set(reterr, -ECANCELED, "nobody waits for the answer any more")
               : 0;
}

/* A part of the span's steps, and of the series. */
struct part {
    size_t first, n;
    uint32_t of_series, n_of_series; /* the second 0: all */
};

static struct promql_query query_of(const struct reading_source *reading,
                                    const struct tune_span *span,
                                    struct part part,
                                    struct promql_hole *hole)
{
    return (struct promql_query){
        .start_ms = span->start_ms,
        .end_ms = span->start_ms + (span->n_steps - 1) * span->step_ms,
        .step_ms = span->step_ms,
        .first_step = part.first,
        .n_steps = part.n,
        .part = part.of_series,
        .n_parts = part.n_of_series,
        .limits = {.max_points = span->n_steps,
                   .lookback_ms = reading->lookback_ms,
                   .lag_ms = reading->lag_ms,
                   .now_fn = reading->now_fn,
                   .deadline_ms = reading->deadline_ms},
        .hole = hole,
        .told = reading->told,
    };
}

static int read_piece(const struct reading_source *reading,
                      const struct promql_expr *expr,
                      struct promql_hole *hole,
                      struct part part,
                      struct reading_piece *piece,
                      struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    const struct promql_query query = query_of(reading, piece->span, part, hole);
    struct promql_value value = {0};

    arena_init(&arena, reading->query_bytes);
    int r = promql_eval(expr, reading->source, &query, &arena, &value, reterr);
    if (r == 0)
        r = unnamed_merge(&arena, &value, reterr);
    for (size_t i = 0; i < value.n && r == 0; i++) {
        r = look_whether_given_up(reading, reterr);
        if (r == 0)
            r = reading_visit(piece, value.series[i].labels, value.series[i].t_ms,
                              value.series[i].values, value.series[i].n, reterr);
    }
    return r;
}

/* A series as soon as it is made: a marker where there is no value is a NaN as it is. */
struct stream {
    const struct reading_source *reading;
    struct reading_piece *piece;
    struct part part;
    bool has_begun; /* something was given: it can't be given again */
    struct err *reterr;
};

static int stream_on(void *arg, const struct labels *labels, size_t first, double *values, size_t n)
{
    struct stream *stream = arg;
    const struct reading_piece *piece = stream->piece;

    int r = look_whether_given_up(stream->reading, stream->reterr);

    if (r != 0)
        return r;
    stream->has_begun = true;
    for (size_t i = 0; piece->as_presence && i < n; i++)
        if (!sample_is_stale(values[i]))
            values[i] = 1;
    return piece->visit(piece->arg, labels, (uint32_t)(stream->part.first + first), values, n,
                        stream->reterr);
}

/* *ret_has_begun: it failed in the middle, where fewer steps are no way out. Samples are not counted: those
 * of one series at a time are there. */
static int stream_piece(const struct reading_source *reading,
                        const struct promql_expr *expr,
                        struct part part,
                        struct reading_piece *piece,
                        bool *ret_has_begun,
                        struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct promql_query query = query_of(reading, piece->span, part, NULL);
    struct stream stream = {reading, piece, part, false, reterr};

    query.limits.max_samples = SIZE_MAX;
    arena_init(&arena, reading->query_bytes / (part.n_of_series ? part.n_of_series : 1));
    int r = promql_eval_each(expr, reading->source, &query, &arena, stream_on, &stream, reterr);
    *ret_has_begun = stream.has_begun;
    return r == PROMQL_E_SEVERAL ? read_piece(reading, expr, NULL, part, piece, reterr) : r;
}

/* Fewer steps do not help any more. */
static bool is_late(const struct reading_source *reading)
{
    return reading->now_fn && reading->now_fn() >= reading->deadline_ms;
}

static size_t most_steps(const struct reading_source *reading,
                         const struct promql_expr *expr,
                         const struct tune_span *span)
{
    if (!promql_steps_are_apart(expr))
        return span->n_steps;
    return reading->piece_steps ? reading->piece_steps : PIECE_STEPS;
}

/* --- parts of the series --- */

/* What is made once for all parts of a reading, and perhaps for the next reading. */
struct reading_kept {
    struct arena arena; /* the expression is in it, and its text */
    const char *text;
    struct promql_expr *expr;
    struct shared shared; /* what was found for all */
};

static void forget(struct reading_kept *kept)
{
    shared_done(&kept->shared);
    arena_reset(&kept->arena);
    *kept = (struct reading_kept){0};
}

/* The expression, parsed; what was found for another one is forgotten. What is found may have half of the memory,
 * the parts' evaluations the other half. */
static int prepare(struct reading_kept *kept,
                   const struct reading_source *reading,
                   const char *expression,
                   struct err *reterr)
{
    if (kept->text && strcmp(kept->text, expression) == 0)
        return 0;
    forget(kept);
    arena_init(&kept->arena, reading->query_bytes);
    shared_init(&kept->shared, reading->source, PARTS, reading->query_bytes / 2);
    int r = promql_parse(&kept->arena, expression, &kept->expr, reterr);
    if (r == 0)
        kept->text = arena_strndup(&kept->arena, expression, strlen(expression));
    return r;
}

/* What the parts of a reading share, and how each of them goes. */
struct parts {
    const struct reading_source *reading;
    struct shared *shared;
    int64_t ahead_ms; /* found beyond what is asked, for the next reading */
    const struct promql_expr *expr;
    struct part part; /* the steps they are at, of n_of_series */
    struct reading_piece pieces[PARTS];
    bool have_begun[PARTS];
    int results[PARTS];
    struct err errs[PARTS];
};

static void read_part(void *context, size_t i)
{
    struct parts *parts = context;
    const struct source source = shared_source(parts->shared);
    struct reading_source own = *parts->reading;
    struct part part = parts->part;

    own.source = &source;
    own.query_bytes /= 2;
    part.of_series = (uint32_t)i;
    parts->results[i] = stream_piece(&own, parts->expr, part, &parts->pieces[i],
                                     &parts->have_begun[i], &parts->errs[i]);
}

static int see_nothing(void *arg,
                       const struct labels *labels,
                       uint32_t first,
                       const double *values,
                       size_t n,
                       struct err *reterr)
{
    return 0;
}

/* Evaluated over a source in which there is nothing, the expression asks for what it will need. */
static int find_for_all(struct parts *parts, struct err *reterr)
{
    const struct source finder = shared_finder(parts->shared);
    const struct part all = {.first = parts->part.first, .n = parts->part.n};
    struct reading_source finding = *parts->reading;
    struct reading_piece none = {.span = parts->pieces[0].span, .visit = see_nothing};
    bool has_begun = false;

    finding.source = &finder;
    return stream_piece(&finding, parts->expr, all, &none, &has_begun, reterr);
}

static int read_found(struct parts *parts, bool *ret_has_begun, struct err *reterr)
{
    uint32_t n = parts->part.n_of_series;
    int r = 0;

    parts->reading->at_once_fn(n, n, read_part, parts);
    for (size_t i = 0; i < n; i++) {
        *ret_has_begun |= parts->have_begun[i];
        if (r == 0 && parts->results[i] != 0 && reterr)
            *reterr = parts->errs[i];
        r = r ? r : parts->results[i];
    }
    return r;
}

/* The steps of parts->part, of all series. */
static int read_at_once(struct parts *parts, bool *ret_has_begun, struct err *reterr)
{
    const struct reading_source *reading = parts->reading;
    uint32_t n = parts->part.n_of_series;

    if (n == 0)
        return stream_piece(reading, parts->expr, parts->part, &parts->pieces[0], ret_has_begun,
                            reterr);
    shared_begin(parts->shared, parts->ahead_ms);
    int r = find_for_all(parts, reterr);
    return r ? r : read_found(parts, ret_has_begun, reterr);
}

/* All steps, fewer at a time where that is too much. */
static int read_steps(struct parts *parts, const struct tune_span *span, struct err *reterr)
{
    const struct reading_source *reading = parts->reading;
    size_t most = most_steps(reading, parts->expr, span);
    struct part *part = &parts->part;
    int r = 0;

    for (part->first = 0; part->first < span->n_steps && r == 0;) {
        bool has_begun = false;
        part->n = span->n_steps - part->first < most ? span->n_steps - part->first : most;
        r = read_at_once(parts, &has_begun, reterr);
        if (r == PROMQL_E_LIMIT && part->n > 1 && !has_begun && !is_late(reading) &&
            promql_steps_are_apart(parts->expr)) {
            most = part->n / 2;
            r = 0;
            continue;
        }
        part->first += part->n;
    }
    return r;
}

static int read_parts(void *reader,
                      const char *expression,
                      const struct tune_span *span,
                      bool as_presence,
                      tune_visit *visit,
                      void *const *args,
                      struct err *reterr)
{
    const struct reading_source *reading = reader;
    struct reading_kept own = {0};
    struct reading_kept *kept = reading->kept ? reading->kept : &own;
    struct parts parts = {.reading = reading, .shared = &kept->shared};

    int r = prepare(kept, reading, expression, reterr);
    if (r == 0) {
        parts.expr = kept->expr;
        parts.ahead_ms = reading->kept ? span->step_ms : 0;
        if (reading->at_once_fn && promql_series_are_apart(kept->expr))
            parts.part.n_of_series = PARTS;
        for (size_t i = 0; i < (parts.part.n_of_series ? PARTS : 1); i++)
            parts.pieces[i] = (struct reading_piece){
                .span = span, .as_presence = as_presence, .visit = visit, .arg = args[i]};
        r = read_steps(&parts, span, reterr);
    }
    for (size_t i = 0; i < PARTS; i++)
        reading_done(&parts.pieces[i]);
    forget(&own);
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
    struct reading_source alone = *(const struct reading_source *)reader;

    alone.at_once_fn = NULL;
    alone.kept = NULL;
    return read_parts(&alone, expression, span, as_presence, visit, &arg, reterr);
}

static void keep(void *reader, bool keeps)
{
    struct reading_source *reading = reader;

    if (reading->kept)
        forget(reading->kept);
    free(reading->kept);
    reading->kept = keeps ? mem_zalloc(sizeof(*reading->kept)) : NULL;
}

void reading_keep(const struct tune_reader *reader, bool keeps)
{
    if (reader->keep)
        reader->keep(reader->reader, keeps);
}

size_t reading_n_parts(const struct tune_reader *reader)
{
    return reader->read_parts ? reader->n_parts : 1;
}

int reading_parts(const struct tune_reader *reader,
                  const char *expression,
                  const struct tune_span *span,
                  bool as_presence,
                  tune_visit *visit,
                  void *const *args,
                  struct err *reterr)
{
    return reader->read_parts ? reader->read_parts(reader->reader, expression, span, as_presence,
                                                   visit, args, reterr)
                              : reader->read(reader->reader, expression, span, as_presence, visit,
                                             args[0], reterr);
}

/* --- a rule evaluated anew for each threshold --- */

/* Between a reading that knows no thresholds and who wants to know which it was. */
struct relay {
    tune_visit_at *visit;
    void *arg;
    size_t threshold;
};

static int pass_on(void *arg,
                   const struct labels *labels,
                   uint32_t first,
                   const double *values,
                   size_t n,
                   struct err *reterr)
{
    const struct relay *relay = arg;

    return relay->visit(relay->arg, relay->threshold, labels, first, values, n, reterr);
}

struct rereading {
    const struct reading_source *reading;
    const struct tune_again *again;
    struct promql_hole *hole;
    struct relay relay;
    struct reading_piece piece;
};

/* Thresholds [from, again->n) over a part. Where that is too much the rest of them goes over its
 * halves: each threshold goes over each step once. */
static int reread_part(struct rereading *reread, size_t from, struct part part, struct err *reterr)
{
    const struct tune_again *again = reread->again;

    promql_hole_forget(reread->hole);
    for (size_t j = from; j < again->n; j++) {
        reread->relay.threshold = j;
        promql_hole_fill(reread->hole, again->thresholds[j]);
        int r = read_piece(reread->reading, again->rule, reread->hole, part, &reread->piece,
                           reterr);
        if (r == PROMQL_E_LIMIT && part.n > 1 && !is_late(reread->reading) &&
            promql_steps_are_apart(again->rule)) {
            struct part left = {.first = part.first, .n = part.n / 2};
            struct part right = {.first = part.first + left.n, .n = part.n - left.n};
            r = reread_part(reread, j, left, reterr);
            return r ? r : reread_part(reread, j, right, reterr);
        }
        if (r != 0)
            return r;
    }
    return 0;
}

static int reread_source(void *reader,
                         const struct tune_again *again,
                         const struct tune_span *span,
                         tune_visit_at *visit,
                         void *arg,
                         struct err *reterr)
{
    const struct reading_source *reading = reader;
    struct rereading reread = {
        .reading = reading,
        .again = again,
        .hole = promql_hole_new(again->choice->hole, reading->query_bytes),
        .relay = {visit, arg, 0},
        .piece = {.span = span, .as_presence = true, .visit = pass_on},
    };
    size_t most = most_steps(reading, again->rule, span);
    int r = 0;

    reread.piece.arg = &reread.relay;
    for (size_t at = 0; at < span->n_steps && r == 0; at += most)
        r = reread_part(
            &reread, 0,
            (struct part){.first = at, .n = span->n_steps - at < most ? span->n_steps - at : most},
            reterr);
    promql_hole_free(reread.hole);
    reading_done(&reread.piece);
    return r;
}

static int mark_there(void *arg,
                      const struct labels *labels,
                      uint32_t first,
                      const double *values,
                      size_t n,
                      struct err *reterr)
{
    bool *is_there = arg;

    for (size_t i = 0; i < n; i++)
        is_there[first + i] |= !isnan(values[i]);
    return 0;
}

int reading_there(const struct tune_reader *reader,
                  const char *expression,
                  const struct tune_span *span,
                  bool *is_there,
                  struct err *reterr)
{
    return reader->read(reader->reader, expression, span, true, mark_there, is_there, reterr);
}

int reading_again(const struct tune_reader *reader,
                  const struct tune_again *again,
                  const struct tune_span *span,
                  tune_visit_at *visit,
                  void *arg,
                  struct err *reterr)
{
    struct relay relay = {visit, arg, 0};
    int r = 0;

    if (reader->read_again)
        return reader->read_again(reader->reader, again, span, visit, arg, reterr);
    for (; relay.threshold < again->n && r == 0; relay.threshold++) {
        STR_AUTO struct str text = STR_INIT(PROMQL_TEXT_MAX);
        split_text(again->rule, again->choice, again->thresholds[relay.threshold], &text);
        if (text.full)
            return err_set(reterr, SPLIT_E_LIMIT, "the expression would be longer than %d bytes",
                           PROMQL_TEXT_MAX);
        r = reader->read(reader->reader, str_text(&text), span, true, pass_on, &relay, reterr);
    }
    return r;
}

struct tune_reader reading_of_source(struct reading_source *reading)
{
    return (struct tune_reader){.read = read_over_source,
                                .reader = reading,
                                .read_parts = reading->at_once_fn ? read_parts : NULL,
                                .n_parts = PARTS,
                                .keep = keep,
                                .read_again = reread_source};
}
