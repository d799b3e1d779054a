#pragma once

/*
 * Raw samples out of a server that speaks Prometheus' query API.
 *
 *     (a, b]   ->  POST /api/v1/query  query=SELECTOR[b-a]  time=b   ->  every sample in it
 *              ->  refused as too much, or too large an answer: the half of it, and so on
 *
 * A range selector is open at its left end, so consecutive questions neither lose nor double
 * the sample on a border; older servers that close it are cut to the same. Questions end at
 * whole seconds, which every server reads alike.
 *
 * Not seen this way: staleness markers, and native histograms (counted).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/told.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"
#include "lib/net/http_client.h"

enum {
    ORIGIN_E_ASK = 1,      /* it can't be asked, or refuses: the words are its own */
    ORIGIN_E_TOO_MUCH = 2, /* too much at once: only inside, a reader asks for less */
};

struct origin {
    const char *url;
    struct str bearer; /* the Authorization header; "" none */
    struct http_client *client;
    int64_t piece_s, piece_max_s; /* what is asked at once */
    unsigned n_good;              /* questions answered since piece_s changed */
    uint64_t n_questions;
    uint64_t n_histograms; /* told by the answers read */
    struct told *told;     /* what the server warns of, a loan; NULL: nobody asks */
};

/* token NULL: none. piece_max_ms: at most so much in one question. */
void origin_init(struct origin *origin, const char *url, const char *token, int64_t piece_max_ms);
void origin_done(struct origin *origin);

/* One series of one question, in order of time within it. A non-zero result ends the reading. */
typedef int origin_visit(void *arg,
                         const struct labels *labels,
                         const struct sample *samples,
                         size_t n,
                         struct err *reterr);

/* What came of one question. */
struct origin_answer {
    struct http_response reply;
    int64_t from_ms, to_ms; /* it is asked for what lies within */
};
void origin_answer_done(struct origin_answer *answer);

/* Takes the answer over. A non-zero result ends the asking. */
typedef int origin_take(void *arg, struct origin_answer *answer, struct err *reterr);

/* Every sample of the selector's series in [from_ms, to_ms], question by question in order
 * of time. 0, ORIGIN_E_ASK, or take()'s. */
int origin_ask(struct origin *origin,
               const char *selector,
               int64_t from_ms,
               int64_t to_ms,
               origin_take *take,
               void *arg,
               struct err *reterr);
/* Reads and ends an answer; another thread may be asking meanwhile. 0, ORIGIN_E_ASK, or visit()'s. */
int origin_answer_read(struct origin *origin,
                       struct origin_answer *answer,
                       origin_visit *visit,
                       void *arg,
                       struct err *reterr);

/* Both, one after the other. */
int origin_read(struct origin *origin,
                const char *selector,
                int64_t from_ms,
                int64_t to_ms,
                origin_visit *visit,
                void *arg,
                struct err *reterr);

struct origin_steps {
    int64_t start_ms, end_ms, step_ms;
};

/* What the expression is at start_ms, start_ms + step_ms, ... up to end_ms, in as many questions as it
 * takes, in order of time; how they are cut changes nothing, unless the expression looks at its
 * own range (@ end()). */
int origin_range(struct origin *origin,
                 const char *expression,
                 const struct origin_steps *steps,
                 origin_visit *visit,
                 void *arg,
                 struct err *reterr);

/* The series of the selector within that time: visit() without samples, perhaps of some more. */
int origin_series(struct origin *origin,
                  const char *selector,
                  int64_t from_ms,
                  int64_t to_ms,
                  origin_visit *visit,
                  void *arg,
                  struct err *reterr);
