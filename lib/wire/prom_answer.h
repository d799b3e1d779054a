#pragma once

/*
 * What Prometheus' HTTP API answers with series in it, read where it lies: a matrix of
 * `query`, or the label sets of `series`. One series at a time, of any number of them.
 *
 *     {"status":"success","data":{"resultType":"matrix","result":[
 *       {"metric":{"__name__":"up","job":"a"},"values":[[1700000000.123,"1"], ...]}]}}
 *     {"status":"success","data":[{"__name__":"up","job":"a"}, ...]}
 *
 * Members may come in any order, unknown ones are skipped, native histograms are counted.
 * A value of null is the staleness marker: servers that show it at all write it so, or as
 * a NaN like any other.
 */

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"

enum {
    PROM_ANSWER_E_SYNTAX = 1, /* not such an answer: words with the byte */
};

struct prom_answer_series {
    const struct label *labels; /* as written; loans until the callback returns */
    size_t n_labels;
    const struct sample *samples;
    size_t n_samples;
    size_t n_histograms;
};

/* A non-zero result ends the reading and is returned. */
typedef int prom_answer_visit(void *arg,
                              const struct prom_answer_series *series,
                              struct err *reterr);

/* Each of the answer's "warnings", in the server's words: before the series or behind them. */
typedef void prom_answer_warn(void *arg, const char *words);

/* 0, PROM_ANSWER_E_SYNTAX, or visit()'s. warn NULL: they are skipped. Texts are unescaped in place: text is
 * spoilt. */
int prom_answer_read(char *text,
                     size_t len,
                     prom_answer_visit *visit,
                     prom_answer_warn *warn,
                     void *arg,
                     struct err *reterr);
