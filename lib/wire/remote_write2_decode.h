#pragma once

/*
 * A remote write 2.0 body, told to the visitor of 1.0 (remote_write_decode.h).
 *
 *     io.prometheus.write.v2.Request { repeated string symbols = 4; repeated TimeSeries = 5 }
 *     TimeSeries { packed labels_refs = 1; repeated Sample = 2 {double value = 1, int64 t_ms = 2};
 *                  Histogram = 3; Exemplar = 4; Metadata = 5 {type = 1, help_ref = 3, unit_ref = 4} }
 *
 * Texts are in one table, series name them by number. A series' labels are written out as 1.0
 * would send them, so the receiver knows one kind of label bytes only and finds those of a
 * series again, whatever version its sender speaks.
 *
 * Few references can stand for much text: what is written out is bounded.
 */

#include "lib/wire/remote_write_decode.h"

#define REMOTE_WRITE2_PROTO "io.prometheus.write.v2.Request"

enum {
    REMOTE_WRITE2_SYMBOLS_MAX = 1000000,
    REMOTE_WRITE2_SERIES_BYTES_MAX = 1024 * 1024,      /* labels of one series, written out */
    REMOTE_WRITE2_LABEL_BYTES_MAX = 256 * 1024 * 1024, /* of the body */
};

/* 0, REMOTE_WRITE_E_MALFORMED, REMOTE_WRITE_E_LIMIT, or a callback's. Metadata comes once for
 * each series that has any, with the family its metric belongs to. */
int remote_write2_decode(const char *bytes,
                         size_t len,
                         const struct remote_write_visitor *visitor,
                         struct err *reterr);
