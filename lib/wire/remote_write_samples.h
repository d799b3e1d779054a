#pragma once

/*
 * The samples of one series of a remote write body, which both versions spell alike:
 * Sample = 1 {double value = 1, int64 timestamp = 2}. Inside lib/wire.
 */

#include "lib/base/err.h"
#include "lib/model/sample.h"
#include "lib/wire/protobuf.h"

struct remote_write_samples {
    struct sample *at; /* of the series at hand; free() */
    size_t capacity;
    size_t n_total; /* so far, of the whole body */
};

/* Reads a sample into place i. Returns 0, or REMOTE_WRITE_E_LIMIT past max of them; what is
 * malformed at *in is told in *ret_what instead (NULL: nothing). */
int remote_write_samples_read(struct remote_write_samples *samples,
                              size_t max,
                              struct cursor *in,
                              size_t i,
                              const char **ret_what,
                              struct err *reterr);
