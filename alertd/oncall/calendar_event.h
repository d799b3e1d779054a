#pragma once

/*
 * An event as it stands in a calendar, before it is expanded. See calendar_private.h.
 */

#include "alertd/oncall/calendar_private.h"

struct exception {
    struct written at;
    struct exception *next;
};

struct event {
    const char *uid, *title;
    int level;
    unsigned line;
    bool has_start, has_end, has_duration, has_recurrence, is_cancelled;
    struct written start, end, recurrence;
    int64_t duration_days, duration_s;
    struct repeat repeat;
    struct exception *exceptions, *more; /* EXDATE, RDATE */
    size_t n_exceptions;
    const char *odd; /* why it cannot be kept; NULL: it can */
};

struct raw_calendar {
    const char *name;
    struct event *events;
    size_t n_events, capacity;
    struct own_zone *zones;
    const char **untold;
    size_t n_untold, untold_capacity;
    struct arena *arena;
    struct err *reterr;
};

/* The components of a text; 0 or negative with words. */
int raw_calendar_read(const char *text, size_t len, struct raw_calendar *raw);
/* Frees what is not the arena's. */
void raw_calendar_done(struct raw_calendar *raw);
/* A line of what was left out. */
void raw_calendar_note(struct raw_calendar *raw, unsigned line, const char *what, const char *why);
