/*
 * The components of a calendar: events and zones; what else there is is named and left out.
 * See calendar_event.h.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/oncall/calendar_event.h"
#include "lib/base/mem.h"

enum {
    EXCEPTIONS_MAX = 2000, /* of an event */
    ZONES_MAX = 500,
    NOTES_MAX = 1000,
    DURATION_MAX = 10000,
};

enum place {
    OUTSIDE,
    CALENDAR,
    EVENT,
    ZONE,
    OBSERVANCE,
};

struct parts {
    struct raw_calendar *raw;
    enum place place;
    unsigned skipped; /* depth of components that are left out */
    struct event *event;
    struct own_zone *zone;
    size_t n_zones;
    struct observance observance;
    bool is_daylight;
};

void raw_calendar_note(struct raw_calendar *raw, unsigned line, const char *what, const char *why)
{
    struct str text = STR_INIT(400);

    if (raw->n_untold == NOTES_MAX)
        return;
    str_addf(&text, "line %u: %.100s: %s", line, what ? what : "an event", why);
    const char *kept = arena_strndup(raw->arena, str_text(&text), text.len);

    str_done(&text);
    if (!kept)
        return;
    raw->untold = mem_grow(raw->untold, &raw->untold_capacity, raw->n_untold + 1, sizeof(char *));
    raw->untold[raw->n_untold++] = kept;
}

void raw_calendar_done(struct raw_calendar *raw)
{
    for (struct own_zone *own = raw->zones; own; own = own->next)
        zone_free(own->zone);
    free(raw->events);
    free(raw->untold);
}

static int fail(const struct parts *parts, const struct property *p, const char *words)
{
    return -err_at(parts->raw->reterr, CALENDAR_E_SYNTAX, p->line, 1, "%s: %s", p->name, words);
}

static int spent(const struct parts *parts, const struct property *p)
{
    return -err_at(parts->raw->reterr, CALENDAR_E_LIMIT, p->line, 1,
                   "more than the memory set aside for a calendar holds");
}

/* TEXT: \n \, \; \\ mean what stands behind the backslash. */
static char *unescape(struct arena *arena, const char *text)
{
    char *copy = arena_strndup(arena, text, strlen(text));
    char *to = copy;

    if (!copy)
        return NULL;
    for (const char *c = text; *c; c++) {
        if (*c == '\\' && c[1])
            c++, *to++ = (char)(*c == 'n' || *c == 'N' ? ' ' : *c);
        else
            *to++ = *c;
    }
    *to = '\0';
    return copy;
}

/* "[L2] ann" */
static void read_title(struct event *event, char *text)
{
    size_t len = 0;

    while (isspace((unsigned char)*text))
        text++;
    if (strncasecmp(text, "[L", 2) == 0 && isdigit((unsigned char)text[2]) && text[3] == ']') {
        event->level = text[2] - '0';
        text += 4;
        while (isspace((unsigned char)*text))
            text++;
    }
    len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    event->title = text;
}

static int read_written(struct parts *parts,
                        const struct property *p,
                        const char *text,
                        size_t len,
                        struct written *ret)
{
    if (!written_parse(text, len, ret))
        return fail(parts, p, "expected a date (20260105) or a time (20260105T090000[Z])");
    if (!ret->is_utc && !ret->is_date)
        ret->tzid = property_param(p, "TZID", parts->raw->arena);
    return 0;
}

/* P1W, P1DT2H30M, -PT5M (refused) */
static bool read_duration(const char *text, int64_t *ret_days, int64_t *ret_s)
{
    bool in_time = false;

    text += *text == '+';
    if (*text++ != 'P' || !*text)
        return false;
    for (; *text; text++) {
        char *end = NULL;

        if (*text == 'T' && !in_time) {
            in_time = true;
            continue;
        }
        if (!isdigit((unsigned char)*text))
            return false;
        long value = strtol(text, &end, 10);

        if (value > DURATION_MAX * (in_time ? 360L : 1L))
            return false;
        switch (*end) {
        case 'W': *ret_days += value * 7; break;
        case 'D': *ret_days += value; break;
        case 'H': *ret_s += value * 3600; break;
        case 'M': *ret_s += value * 60; break;
        case 'S': *ret_s += value; break;
        default: return false;
        }
        if (in_time != (*end == 'H' || *end == 'M' || *end == 'S'))
            return false;
        text = end;
    }
    return true;
}

static int read_exceptions(struct parts *parts, const struct property *p, struct exception **list)
{
    const char *at = p->value;

    for (;;) {
        size_t len = strcspn(at, ",");
        struct exception *one = arena_array(parts->raw->arena, 1, sizeof(*one));

        if (!one)
            return spent(parts, p);
        if (++parts->event->n_exceptions > EXCEPTIONS_MAX)
            return fail(parts, p, "more than 2000 dates in one event");
        int rc = read_written(parts, p, at, len, &one->at);

        if (rc)
            return rc;
        one->next = *list;
        *list = one;
        if (!at[len])
            return 0;
        at += len + 1;
    }
}

static int read_when(struct parts *parts, const struct property *p)
{
    struct event *event = parts->event;

    if (strcmp(p->name, "DTSTART") == 0) {
        event->has_start = true;
        return read_written(parts, p, p->value, strlen(p->value), &event->start);
    }
    if (strcmp(p->name, "DTEND") == 0) {
        event->has_end = true;
        return read_written(parts, p, p->value, strlen(p->value), &event->end);
    }
    if (strcmp(p->name, "RECURRENCE-ID") == 0) {
        event->has_recurrence = true;
        if (property_param(p, "RANGE", parts->raw->arena))
            event->odd = "RECURRENCE-ID with RANGE is not understood";
        return read_written(parts, p, p->value, strlen(p->value), &event->recurrence);
    }
    if (strcmp(p->name, "EXDATE") == 0)
        return read_exceptions(parts, p, &event->exceptions);
    if (strcmp(p->name, "RDATE") == 0 && !strchr(p->value, '/'))
        return read_exceptions(parts, p, &event->more);
    if (strcmp(p->name, "RDATE") == 0)
        event->odd = "RDATE of periods is not understood";
    return 0;
}

static int read_event(struct parts *parts, const struct property *p)
{
    struct event *event = parts->event;
    char *text = NULL;

    if (strcmp(p->name, "UID") == 0) {
        event->uid = p->value;
    } else if (strcmp(p->name, "SUMMARY") == 0) {
        text = unescape(parts->raw->arena, p->value);
        if (!text)
            return spent(parts, p);
        read_title(event, text);
    } else if (strcmp(p->name, "DURATION") == 0) {
        event->has_duration = true;
        if (!read_duration(p->value, &event->duration_days, &event->duration_s))
            return fail(parts, p, "expected a duration such as PT8H or P7D");
    } else if (strcmp(p->name, "STATUS") == 0) {
        event->is_cancelled = strcasecmp(p->value, "CANCELLED") == 0;
    } else if (strcmp(p->name, "RRULE") == 0) {
        const char *odd = event->repeat.unit ? "more than one RRULE" : NULL;
        event->odd = odd ? odd : repeat_parse(p->value, &event->repeat);
    } else if (strcmp(p->name, "EXRULE") == 0) {
        event->odd = "EXRULE is not understood";
    } else {
        return read_when(parts, p);
    }
    return 0;
}

/* +0100, -023000 */
static bool read_offset(const char *text, int *ret_s)
{
    size_t len = strlen(text);
    int parts[3] = {0};

    if ((len != 5 && len != 7) || (*text != '+' && *text != '-'))
        return false;
    for (size_t i = 0; i < (len - 1) / 2; i++) {
        if (!isdigit((unsigned char)text[1 + 2 * i]) || !isdigit((unsigned char)text[2 + 2 * i]))
            return false;
        parts[i] = (text[1 + 2 * i] - '0') * 10 + text[2 + 2 * i] - '0';
    }
    *ret_s = (*text == '-' ? -1 : 1) * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return parts[0] < 24 && parts[1] < 60 && parts[2] < 60;
}

static int read_observance(struct parts *parts, const struct property *p)
{
    struct observance *one = &parts->observance;

    if (strcmp(p->name, "DTSTART") == 0)
        return read_written(parts, p, p->value, strlen(p->value), &one->start);
    if (strcmp(p->name, "TZOFFSETFROM") == 0 && !read_offset(p->value, &one->from_s))
        return fail(parts, p, "expected an offset such as +0100");
    if (strcmp(p->name, "TZOFFSETTO") == 0 && !read_offset(p->value, &one->to_s))
        return fail(parts, p, "expected an offset such as +0100");
    if (strcmp(p->name, "RRULE") == 0 && repeat_parse(p->value, &one->repeat))
        one->repeat.unit = REPEAT_DAILY; /* no yearly change: said when the zone is used */
    return 0;
}

static int begin_event(struct parts *parts, const struct property *p)
{
    struct raw_calendar *raw = parts->raw;

    if (raw->n_events == CALENDAR_EVENTS_MAX)
        return -err_at(raw->reterr, CALENDAR_E_LIMIT, p->line, 1, "more than %d events",
                       (int)CALENDAR_EVENTS_MAX);
    raw->events = mem_grow(raw->events, &raw->capacity, raw->n_events + 1, sizeof(*raw->events));
    parts->event = &raw->events[raw->n_events++];
    *parts->event = (struct event){.line = p->line};
    parts->place = EVENT;
    return 0;
}

static int begin_zone(struct parts *parts, const struct property *p)
{
    struct own_zone *own = arena_array(parts->raw->arena, 1, sizeof(*own));

    if (!own)
        return spent(parts, p);
    if (++parts->n_zones > ZONES_MAX)
        return fail(parts, p, "more than 500 time zones");
    own->line = p->line;
    own->next = parts->raw->zones;
    parts->raw->zones = parts->zone = own;
    parts->place = ZONE;
    return 0;
}

static int begin(struct parts *parts, const struct property *p)
{
    bool daylight = strcasecmp(p->value, "DAYLIGHT") == 0;

    if (parts->place == OUTSIDE && strcasecmp(p->value, "VCALENDAR") == 0) {
        parts->place = CALENDAR;
    } else if (parts->place == CALENDAR && strcasecmp(p->value, "VEVENT") == 0) {
        return begin_event(parts, p);
    } else if (parts->place == CALENDAR && strcasecmp(p->value, "VTIMEZONE") == 0) {
        return begin_zone(parts, p);
    } else if (parts->place == ZONE && (daylight || strcasecmp(p->value, "STANDARD") == 0)) {
        parts->place = OBSERVANCE;
        parts->is_daylight = daylight;
        parts->observance = (struct observance){.is_set = true};
    } else if (parts->place == OUTSIDE) {
        return fail(parts, p, "expected BEGIN:VCALENDAR first");
    } else {
        if (parts->place == CALENDAR)
            raw_calendar_note(parts->raw, p->line, p->value, "only events are read");
        parts->skipped = 1;
    }
    return 0;
}

/* Of several STANDARDs (or DAYLIGHTs) the newest is what goes on. */
static void keep_observance(struct parts *parts)
{
    struct observance *kept = parts->is_daylight ? &parts->zone->daylight : &parts->zone->standard;

    if (!kept->is_set || kept->start.local.year <= parts->observance.start.local.year)
        *kept = parts->observance;
}

static int end(struct parts *parts, const struct property *p)
{
    static const char *const names[] = {"", "VCALENDAR", "VEVENT", "VTIMEZONE", ""};
    bool fits = parts->place == OBSERVANCE
                    ? strcasecmp(p->value, parts->is_daylight ? "DAYLIGHT" : "STANDARD") == 0
                    : strcasecmp(p->value, names[parts->place]) == 0;

    if (!fits)
        return fail(parts, p, "it ends something that has not begun");
    if (parts->place == OBSERVANCE)
        keep_observance(parts);
    parts->place = parts->place == OBSERVANCE ? ZONE
                   : parts->place == CALENDAR ? OUTSIDE
                                              : CALENDAR;
    return 0;
}

static int take(struct parts *parts, const struct property *p)
{
    bool begins = strcmp(p->name, "BEGIN") == 0;
    bool ends = strcmp(p->name, "END") == 0;

    if (parts->skipped) {
        parts->skipped += begins;
        parts->skipped -= ends;
        return 0;
    }
    if (begins)
        return begin(parts, p);
    if (ends)
        return end(parts, p);
    switch (parts->place) {
    case OUTSIDE: return fail(parts, p, "expected BEGIN:VCALENDAR first");
    case CALENDAR:
        if (strcmp(p->name, "X-WR-CALNAME") == 0)
            parts->raw->name = unescape(parts->raw->arena, p->value);
        return 0;
    case EVENT: return read_event(parts, p);
    case ZONE:
        if (strcmp(p->name, "TZID") == 0)
            parts->zone->tzid = p->value;
        if (strcmp(p->name, "X-LIC-LOCATION") == 0)
            parts->zone->location = p->value;
        return 0;
    case OBSERVANCE: return read_observance(parts, p);
    }
    return 0;
}

int raw_calendar_read(const char *text, size_t len, struct raw_calendar *raw)
{
    struct lines lines = {text, text + len, 1, raw->arena, raw->reterr};
    struct parts parts = {.raw = raw};
    struct property property = {0};
    bool any = false;

    for (;;) {
        int rc = lines_next(&lines, &property);

        if (rc == 0)
            break;
        any = true;
        if (rc > 0)
            rc = take(&parts, &property);
        if (rc < 0)
            return rc;
    }
    if (!any || parts.place != OUTSIDE || parts.skipped)
        return -err_at(raw->reterr, CALENDAR_E_SYNTAX, lines.line, 1,
                       "the calendar is cut off: expected END:VCALENDAR");
    return 0;
}
