#pragma once

/*
 * Schedules as iCalendar (RFC 5545), out and in.
 *
 * Out: one event a shift, UTC, lines folded at 75 octets, with an identity that stays the
 * same when the calendar is asked for again.
 * In: the events of a calendar whose titles are people's names, as Grafana OnCall reads them:
 * "ann", or "[L2] ann" with a level. Repetitions (RRULE), exceptions (EXDATE, RECURRENCE-ID),
 * zones (VTIMEZONE or IANA names) and whole days are expanded to shifts over a span of time.
 *
 * The reader is our own: libical keeps global tables, has no ceiling on memory or expansion
 * and does not say in which line a mistake is, and what we need of the format is small.
 */

#include "alertd/oncall/schedule.h"
#include "lib/base/str.h"

enum {
    CALENDAR_E_SYNTAX = 1, /* reterr->line is the line */
    CALENDAR_E_LIMIT = 2,  /* too many events or shifts, too long a line, no memory left */
    CALENDAR_TEXT_MAX = 4 * 1024 * 1024,
    CALENDAR_EVENTS_MAX = 10000,
    CALENDAR_SHIFTS_MAX = ROSTER_SHIFTS_MAX,
};

struct calendar_settings {
    const char *host;    /* behind the @ of identities: "alertd" */
    int64_t now_ms;      /* DTSTAMP */
    unsigned revision;   /* SEQUENCE: grows with every change of the schedule */
    const char *person;  /* only theirs; NULL: everybody's */
    int refresh_minutes; /* what readers are asked to wait */
};

/* The lanes `final` and `shadows` of a schedule (schedule_spans() over a year, as a rule). */
void calendar_write(const struct schedule *schedule,
                    const struct schedule_spans *spans,
                    const struct calendar_settings *settings,
                    struct str *out);

struct calendar_shift {
    const char *uid;
    const char *title; /* without the level */
    int level;         /* of [L0] … [L9]; 0 when there is none */
    int64_t from_ms, to_ms;
    unsigned line; /* of its event */
};

struct calendar {
    const char *name;                    /* X-WR-CALNAME, or NULL */
    const struct calendar_shift *shifts; /* by from_ms */
    size_t n_shifts;
    const char *const *untold; /* what was not understood, and so left out, for people to read */
    size_t n_untold;
};

/* Expands over [from_ms, to_ms). fallback: the zone of floating times. */
int calendar_read(const char *text,
                  size_t len,
                  const struct zone *fallback,
                  struct zones *zones,
                  int64_t from_ms,
                  int64_t to_ms,
                  struct arena *arena,
                  struct calendar *ret_calendar,
                  struct err *reterr);

/* Shifts become the layers of a schedule, a level's overlapping ones side by side. */
int calendar_schedule(const struct calendar *calendar,
                      const char *name,
                      const struct zone *zone,
                      struct arena *arena,
                      struct schedule *ret_schedule,
                      struct err *reterr);
