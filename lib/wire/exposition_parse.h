#pragma once

/*
 * The text format in: Prometheus' 0.0.4 and what of OpenMetrics 1.0 a sender of samples
 * uses. One pass over the bytes, one sample at a time.
 *
 *     # HELP http_requests_total Requests answered.
 *     # TYPE http_requests_total counter
 *     http_requests_total{code="200",path="C:\\x"} 1027 1395066363000
 *     {"any utf-8 name",job="a"} 1
 *
 * As Prometheus 3 reads it: blanks before and between are fine, '\r' is not a blank, a
 * trailing comma is fine, names may be quoted, numbers are decimal, NaN or Inf. What is
 * not an error there but is one here: a NUL inside a label value (nothing of ours can
 * store it).
 *
 * OpenMetrics differs: time stamps are seconds with a fraction, no blank lines, the text
 * ends with "# EOF" and nothing after it, exemplars may follow a sample (skipped).
 *
 * A text larger than memory is read in pieces of whole lines:
 *
 *     reader = exposition_reader_new(&visitor, 0);
 *     while (more) exposition_read(reader, lines, len, &err);
 *     exposition_end(reader, &err);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/model/labels.h"

enum {
    EXPOSITION_E_SYNTAX = 1, /* words with line and column */
    EXPOSITION_E_LIMIT = 2,  /* more labels or bytes on one line than one sample may have */
};

enum {
    EXPOSITION_LABELS_MAX = 256,       /* with __name__ */
    EXPOSITION_LINE_MAX = 1024 * 1024, /* bytes of one line */
};

struct exposition_sample {
    const struct label *labels; /* __name__ first, then as written; loans */
    size_t n;
    double value;
    bool has_time;
    int64_t t_ms;
    unsigned line;
};

/* A callback's non-zero result ends the reading and is returned. */
struct exposition_visitor {
    int (*sample)(void *arg, const struct exposition_sample *sample, struct err *reterr);
    /* `# TYPE` and `# HELP`; NULL: skipped. what is "TYPE", "HELP" or "UNIT". */
    int (*metadata)(
        void *arg, const char *what, const char *family, const char *text, struct err *reterr);
    void *arg;
    bool openmetrics;
};

/* 0, EXPOSITION_E_*, or a callback's. Text need not be NUL-terminated. Nothing is known
 * to be right before it returned 0: collect first, store after. */
int exposition_parse(const char *text,
                     size_t len,
                     const struct exposition_visitor *visitor,
                     struct err *reterr);

struct exposition_reader;
/* lines_before: what an earlier reader has read of the text, for the places in words. The
 * visitor must outlive it. */
struct exposition_reader *exposition_reader_new(const struct exposition_visitor *visitor,
                                                unsigned lines_before);
void exposition_reader_free(struct exposition_reader *in); /* NULL is fine */
/* Whole lines; as exposition_parse(). After a failure only _free() makes sense. */
int exposition_read(struct exposition_reader *in,
                    const char *lines,
                    size_t len,
                    struct err *reterr);
/* Nothing more comes: is the text complete? */
int exposition_end(struct exposition_reader *in, struct err *reterr);
unsigned exposition_lines(const struct exposition_reader *in);
