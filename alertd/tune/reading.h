#pragma once

/*
 * An expression's values on a rule's own grid, series by series, piece by piece of time.
 *
 *     a source (alertd's store, a folder, a file)  --reading_of_source()-->  visit(labels, first step, values)
 *     a server by HTTP                              --alertctl's own------->
 *
 * and, of a rule whose threshold lies within, where it has a value with each of some thresholds.
 *
 * Invariants
 *  (1) the pieces of one series come in order of time.
 *  (2) how the time is cut into pieces changes no value; an expression that looks at its own
 *      range (@ end()) is read in one piece.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/source.h"
#include "alertd/tune/split.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"

struct tune_span {
    int64_t start_ms, step_ms;
    uint32_t n_steps;
};

/* Values of one series from step `first` on, NaN where there is none. A non-zero result ends
 * the reading. */
typedef int tune_visit(void *arg,
                       const struct labels *labels,
                       uint32_t first,
                       const double *values,
                       size_t n,
                       struct err *reterr);

/* A rule that is evaluated anew for each of n thresholds in place of one. */
struct tune_again {
    const struct promql_expr *rule;
    const struct split_choice *choice; /* SPLIT_AGAIN */
    const double *thresholds;
    size_t n;
};
/* Where the rule with threshold number `threshold` has a value: 1, NaN where it has none. */
typedef int tune_visit_at(void *arg,
                          size_t threshold,
                          const struct labels *labels,
                          uint32_t first,
                          const double *values,
                          size_t n,
                          struct err *reterr);

struct tune_reader {
    /* 0, visit()'s, or a failure in words. as_presence: any value is a 1. */
    int (*read)(void *reader,
                const char *expression,
                const struct tune_span *span,
                bool as_presence,
                tune_visit *visit,
                void *arg,
                struct err *reterr);
    void *reader;
    /* The same of n_parts parts of the series, whose calls may come at the same time: those of part i go
     * to visit(args[i]). All of them to args[0] where an expression makes one of several series. NULL:
     * there are no parts. */
    int (*read_parts)(void *reader,
                      const char *expression,
                      const struct tune_span *span,
                      bool as_presence,
                      tune_visit *visit,
                      void *const *args,
                      struct err *reterr);
    size_t n_parts;
    /* True: what one read_parts() finds is kept for the next one of the same expression, in finer steps of the
     * same span. False: it is let go. NULL: nothing is kept. */
    void (*keep)(void *reader, bool keeps);
    /* NULL: read() is asked once per threshold. */
    int (*read_again)(void *reader,
                      const struct tune_again *again,
                      const struct tune_span *span,
                      tune_visit_at *visit,
                      void *arg,
                      struct err *reterr);
};

/* By parts where the reader has them; args: reading_n_parts() of them. */
size_t reading_n_parts(const struct tune_reader *reader);
int reading_parts(const struct tune_reader *reader,
                  const char *expression,
                  const struct tune_span *span,
                  bool as_presence,
                  tune_visit *visit,
                  void *const *args,
                  struct err *reterr);

/* As the reader's keep(). */
void reading_keep(const struct tune_reader *reader, bool keeps);

/* Where the expression has any value: true in is_there[], which has span->n_steps places; others stay. */
int reading_there(const struct tune_reader *reader,
                  const char *expression,
                  const struct tune_span *span,
                  bool *is_there,
                  struct err *reterr);

/* By the reader's own way, or by asking it for the rule with each threshold. The order of the
 * thresholds is not defined; of one, pieces of a series come in order of time. */
int reading_again(const struct tune_reader *reader,
                  const struct tune_again *again,
                  const struct tune_span *span,
                  tune_visit_at *visit,
                  void *arg,
                  struct err *reterr);

/* Reads by evaluating over `source`, a loan; query_bytes: the memory one piece may take. */
struct reading_source {
    const struct source *source;
    size_t query_bytes;
    size_t piece_steps; /* evaluated at once, fewer when that is too much; 0: a number of its own */
    int64_t lookback_ms; /* 0: five minutes */
    int64_t lag_ms; /* so late samples come, where the expression may lag (promql.h); 0: at once */
    int64_t (*now_fn)(void); /* a monotonic clock, for the deadline; NULL: there is none */
    int64_t deadline_ms;
    /* Looked at between two series: true ends the reading, -ECANCELED. NULL: nobody gives up. */
    bool (*is_given_up_fn)(const void *arg);
    const void *given_up_arg;
    /* Runs each(context, 0) to each(context, n - 1), perhaps at the same time (parallel_each()): the
     * series are read in so many parts. The parts share query_bytes. NULL: they are not. */
    void (*at_once_fn)(size_t n,
                       unsigned workers,
                       void (*each)(void *context, size_t index),
                       void *context);
    struct told *told;         /* what PromQL warns of (told.h); NULL: nobody asks */
    struct reading_kept *kept; /* its own: reading_keep() */
};
struct tune_reader reading_of_source(struct reading_source *reading);

/* --- for those who make a reader --- */

/* One series after another, spread over its steps. */
struct reading_piece {
    const struct tune_span *span;
    bool as_presence;
    tune_visit *visit;
    void *arg;
    double *values; /* its own, between two series */
    size_t capacity;
};
/* Samples in order of time, each on a step. 0, or visit()'s. */
int reading_visit(struct reading_piece *piece,
                  const struct labels *labels,
                  const int64_t *t_ms,
                  const double *values,
                  size_t n,
                  struct err *reterr);
void reading_done(struct reading_piece *piece);
