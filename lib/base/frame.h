#pragma once

/*
 * What two of our own processes say to each other over a socket: a line, and bytes behind it.
 *
 *     {"op":"load","bytes":5}\n
 *     hello
 *
 * How many bytes come is said in the line; whoever reads has a ceiling for both, and a time by
 * which the other one has to have answered.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    FRAME_E_CLOSED = 1, /* the other one is gone */
    FRAME_E_LATE = 2,   /* it does not answer in time */
    FRAME_E_LIMIT = 3,  /* it says more than it may */
    FRAME_ROOM = 64 * 1024,
};

struct frame_reader {
    int fd;
    int64_t deadline_ms; /* monotonic; 0: however long it takes */
    size_t at, n;
    char room[FRAME_ROOM];
};

/* Without its newline; line is emptied first, its limit is the ceiling. */
int frame_read_line(struct frame_reader *reader, struct str *line, struct err *reterr);
/* len bytes behind what is in bytes already; its limit is the ceiling. */
int frame_read_bytes(struct frame_reader *reader,
                     size_t len,
                     struct str *bytes,
                     struct err *reterr);
/* All of it, by then. */
int frame_write(int fd, const void *bytes, size_t len, int64_t deadline_ms, struct err *reterr);
