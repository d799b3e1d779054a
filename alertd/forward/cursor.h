#pragma once

/*
 * How far a target has got: for each day the last row of store/outbound.h that it has whole, and
 * how many samples of the next one.
 *
 *     watchbill forward 1
 *     1764201600000 8211 0          day in Unix ms, row, samples
 *     1764288000000 93 2000
 *     crc32c 5be1aa03
 *
 * It is written after an answer, so a crash leaves it behind what the target has, never before:
 * what lies between is sent again.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum {
    CURSOR_E_DAMAGED = 1, /* not what cursor_save() wrote */
};

struct cursor_day {
    int64_t day_ms;
    int64_t row;
    uint64_t samples;
};

struct cursor {
    struct cursor_day *days; /* ascending */
    size_t n, capacity;
};

void cursor_done(struct cursor *cursor);
void cursor_copy(struct cursor *to, const struct cursor *from);
/* The day's place, a new one at its beginning. A loan until another day is asked for. */
struct cursor_day *cursor_at(struct cursor *cursor, int64_t day_ms);
/* NULL when it has none. */
const struct cursor_day *cursor_find(const struct cursor *cursor, int64_t day_ms);
void cursor_forget(struct cursor *cursor, size_t i);

/* 0; -ENOENT: there is none; CURSOR_E_DAMAGED; other negative errno. */
int cursor_load(const char *path, struct cursor *ret_cursor, struct err *reterr);
/* As a whole, synced. */
int cursor_save(const char *path, const struct cursor *cursor, struct err *reterr);
