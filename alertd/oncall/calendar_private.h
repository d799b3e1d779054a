#pragma once

/*
 * What the files that read iCalendar share.
 *
 *     text --lines--> properties --components--> events --rules, zones--> shifts
 */

#include "alertd/oncall/calendar.h"
#include "lib/base/arena.h"

/* One unfolded line: NAME;PARAM=value;…:value. */
struct property {
    const char *name;   /* upper case */
    const char *params; /* what stands between, upper-case names: "TZID=Europe/Berlin;VALUE=DATE" */
    const char *value;
    unsigned line; /* where it begins */
};

/* What reads them: the next line's place in the text. */
struct lines {
    const char *at, *end;
    unsigned line;
    struct arena *arena;
    struct err *reterr;
};

/* 1: a property; 0: the end; negative: an error with words (-CALENDAR_E_*). */
int lines_next(struct lines *lines, struct property *ret);
/* A parameter's value without its quotes, copied; NULL when it is absent or memory is. */
const char *property_param(const struct property *property, const char *name, struct arena *arena);

/* A date or a date-time as written: a place on some wall. */
struct written {
    struct zone_local local;
    bool is_date, is_utc;
    const char *tzid; /* NULL: floating (or UTC) */
    bool is_known;    /* at_ms was worked out */
    int64_t at_ms;
};

bool written_parse(const char *text, size_t len, struct written *ret);

enum repeat_unit {
    REPEAT_NEVER,
    REPEAT_DAILY,
    REPEAT_WEEKLY,
    REPEAT_MONTHLY,
    REPEAT_YEARLY,
};

enum {
    REPEAT_BYDAY_MAX = 32
};

struct repeat {
    enum repeat_unit unit;
    int interval;
    int count; /* 0: no end by number */
    bool has_until;
    struct written until;
    int week_start;     /* 0 = Sunday */
    unsigned months;    /* bit 1 … 12; 0: any */
    uint64_t days;      /* of the month: bit 1 … 31 */
    uint64_t last_days; /* from its end: bit 1 = the last */
    struct {
        int nth; /* 0: every */
        int weekday;
    } weekdays[REPEAT_BYDAY_MAX];
    size_t n_weekdays;
};

/* 0, or words for what is wrong or not understood. */
const char *repeat_parse(const char *text, struct repeat *ret);
/* Whether a day (since 1970) of its period is one of the rule's, for an event that began on
 * first_day. */
bool repeat_has(const struct repeat *repeat, int64_t first_day, int64_t day);
/* The days of the index-th period since first_day's: [*ret_from, *ret_to). */
void repeat_period(const struct repeat *repeat,
                   int64_t first_day,
                   int64_t index,
                   int64_t *ret_from,
                   int64_t *ret_to);
/* A period that surely ends before day, as late as can be told at once; 0 at least. */
int64_t repeat_skip(const struct repeat *repeat, int64_t first_day, int64_t day);

/* STANDARD or DAYLIGHT of a VTIMEZONE. */
struct observance {
    bool is_set;
    int from_s, to_s; /* offsets */
    struct written start;
    struct repeat repeat;
};

struct own_zone {
    const char *tzid;
    const char *location; /* X-LIC-LOCATION, or NULL */
    struct observance standard, daylight;
    unsigned line;
    struct zone *zone; /* when it had to be built */
    struct own_zone *next;
};

/* The zone of a TZID: an IANA name, one that ends in one, or what VTIMEZONE says. NULL with
 * words. */
const struct zone *own_zone_find(struct own_zone *own,
                                 const char *tzid,
                                 struct zones *zones,
                                 struct err *reterr);
