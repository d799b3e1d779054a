#pragma once

/*
 * A timeline of elsewhere, read into events: what another tool logged, what a chat says.
 *
 *     csv           a line of column names, then a row an event
 *     chat          "[14:02] ana: turned it off": a time, a name, words; what begins without a
 *                   time goes on with the message before
 *     pagerduty     log entries, {"log_entries":[...]} or a list
 *     alertmanager  its event recorder: one object a line, or a list
 *
 * A time must say its zone, or the caller does. A time without a day is of the caller's day, and
 * goes on to the next one where the clock goes back by more than half a day.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/zone.h"

enum foreign_format {
    FOREIGN_CSV,
    FOREIGN_CHAT,
    FOREIGN_PAGERDUTY,
    FOREIGN_ALERTMANAGER,
    FOREIGN_FORMATS,
};

enum {
    FOREIGN_E_INVALID = 1, /* reterr has the line */
    FOREIGN_E_LIMIT = 2,
    FOREIGN_EVENTS_MAX = 5000,
    FOREIGN_WORDS_MAX = 16 * 1024,
};

/* FOREIGN_FORMATS for anything else. */
enum foreign_format foreign_format_parse(const char *name);

struct foreign_event {
    int64_t at_ms;
    const char *kind;  /* "human.note" where it says none */
    const char *actor; /* NULL: it does not say who */
    const char *text;
    const char *precision; /* "min", "s"; NULL: to the millisecond */
    const char *scope;     /* NULL */
    const char *reference; /* its name where it comes from; NULL */
};

struct foreign_input {
    const char *text;
    size_t len;
    const struct zone *zone; /* of times that name none; NULL: those are errors */
    int year, month, day;    /* of times that name none; year 0: those are errors */
};

/* Texts are the arena's. */
int foreign_read(struct arena *arena,
                 enum foreign_format format,
                 const struct foreign_input *input,
                 struct foreign_event **ret_events,
                 size_t *ret_n,
                 struct err *reterr);
