/*
 * Events become shifts. See calendar.h.
 *
 * A repetition is stepped from the period the span begins in, not from its own beginning,
 * unless it counts. Everything looked at is paid from one budget, so that no calendar keeps
 * us busy for long.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/oncall/calendar_event.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    BUDGET = 4 * 1000 * 1000, /* days looked at in one calendar */
    DAY_MS = 86400 * 1000,
};

struct expansion {
    struct raw_calendar *raw;
    const struct zone *fallback;
    struct zones *zones;
    int64_t from_ms, to_ms;
    struct calendar_shift *shifts;
    size_t n, capacity;
    int64_t budget;
    int rc;
};

static int64_t day_of(const struct zone_local *local)
{
    return clock_days_from_civil(local->year, local->month, local->day);
}

static void set_day(struct zone_local *local, int64_t day)
{
    struct clock_utc date = clock_split_utc(day * DAY_MS);

    local->year = date.year;
    local->month = date.month;
    local->day = date.day;
}

static void limit(struct expansion *x, unsigned line, const char *words)
{
    if (!x->rc)
        x->rc = err_at(x->raw->reterr, CALENDAR_E_LIMIT, line, 1, "%s", words);
}

/* The zone a time is written in; NULL with the calendar's error set. */
static const struct zone *zone_of(struct expansion *x, const struct written *at, unsigned line)
{
    const struct zone *zone = x->fallback;
    struct err err = {0};

    if (at->is_utc && zones_get(x->zones, "UTC", &zone, &err) == 0)
        return zone;
    if (!at->tzid)
        return zone;
    zone = own_zone_find(x->raw->zones, at->tzid, x->zones, &err);
    if (!zone && !x->rc)
        x->rc = err_at(x->raw->reterr, CALENDAR_E_SYNTAX, err.line ? err.line : line, 1, "%s",
                       err.text);
    return zone;
}

/* Worked out once: exceptions are asked for again with each occurrence. */
static int64_t instant(struct expansion *x, struct written *at, unsigned line)
{
    const struct zone *zone = at->is_known ? NULL : zone_of(x, at, line);

    if (zone) {
        at->at_ms = zone_utc(zone, &at->local);
        at->is_known = true;
    }
    return at->at_ms;
}

static bool is_at(struct expansion *x, struct event *event, struct written *at, int64_t from_ms)
{
    struct zone_local local;
    const struct zone *zone = NULL;

    if (!at->is_date || event->start.is_date)
        return instant(x, at, event->line) == from_ms;
    zone = zone_of(x, &event->start, event->line);
    if (!zone)
        return false;
    local = zone_local(zone, from_ms);
    return day_of(&local) == day_of(&at->local);
}

/* Left out by EXDATE, or told anew by an event with RECURRENCE-ID. */
static bool is_excepted(struct expansion *x, struct event *event, int64_t from_ms)
{
    for (struct exception *one = event->exceptions; one; one = one->next)
        if (is_at(x, event, &one->at, from_ms))
            return true;
    if (event->has_recurrence || !event->uid)
        return false;
    for (size_t i = 0; i < x->raw->n_events; i++) {
        struct event *other = &x->raw->events[i];

        if (other->has_recurrence && other->uid && strcmp(other->uid, event->uid) == 0 &&
            is_at(x, event, &other->recurrence, from_ms))
            return true;
    }
    return false;
}

/* When an occurrence that begins at from_ms (local) is over. */
static int64_t end_of(struct expansion *x,
                      struct event *event,
                      const struct zone *zone,
                      struct zone_local local,
                      int64_t from_ms)
{
    int64_t days = event->duration_days;

    if (event->has_end && !event->start.is_date)
        return from_ms + instant(x, &event->end, event->line) -
               instant(x, &event->start, event->line);
    if (event->has_end)
        days = day_of(&event->end.local) - day_of(&event->start.local);
    else if (!event->has_duration)
        days = event->start.is_date;
    if (days)
        set_day(&local, day_of(&local) + days);
    return (days ? zone_utc(zone, &local) : from_ms) + event->duration_s * 1000;
}

static void put(struct expansion *x, struct event *event, int64_t from_ms, int64_t to_ms)
{
    if (to_ms <= x->from_ms || from_ms >= x->to_ms || is_excepted(x, event, from_ms) || x->rc)
        return;
    if (x->n == CALENDAR_SHIFTS_MAX) {
        limit(x, event->line, "the calendar has more than 5000 shifts in this span");
        return;
    }
    x->shifts = mem_grow(x->shifts, &x->capacity, x->n + 1, sizeof(*x->shifts));
    x->shifts[x->n++] = (struct calendar_shift){.uid = event->uid,
                                                .title = event->title,
                                                .level = event->level,
                                                .from_ms = from_ms,
                                                .to_ms = to_ms,
                                                .line = event->line};
}

static bool is_past_until(struct expansion *x, struct event *event, int64_t day, int64_t from_ms)
{
    const struct repeat *repeat = &event->repeat;
    struct written until = repeat->until;

    if (!repeat->has_until)
        return false;
    if (until.is_date)
        return day > day_of(&until.local);
    until.tzid = event->start.tzid;
    return from_ms > instant(x, &until, event->line);
}

/* The occurrence of one day; false when none comes behind it. */
static bool occur(struct expansion *x, struct event *event, const struct zone *zone, int64_t day)
{
    struct zone_local local = event->start.local;

    set_day(&local, day);
    int64_t from_ms = zone_utc(zone, &local);

    if (from_ms >= x->to_ms || is_past_until(x, event, day, from_ms))
        return false;
    put(x, event, from_ms, end_of(x, event, zone, local, from_ms));
    return !x->rc;
}

static void repeat_all(struct expansion *x, struct event *event, const struct zone *zone)
{
    const struct repeat *repeat = &event->repeat;
    struct zone_local begin = zone_local(zone, x->from_ms);
    struct zone_local end = zone_local(zone, x->to_ms);
    int64_t first_day = day_of(&event->start.local);
    int64_t last_day = day_of(&end) + 2;
    int64_t start_ms = zone_utc(zone, &event->start.local);
    int64_t length_days = (end_of(x, event, zone, event->start.local, start_ms) - start_ms) /
                          DAY_MS;
    int64_t index = repeat->count
                        ? 0
                        : repeat_skip(repeat, first_day, day_of(&begin) - length_days - 2);
    int n = 0;

    for (;; index++) {
        int64_t day = 0, behind = 0;

        repeat_period(repeat, first_day, index, &day, &behind);
        for (; day < behind; day++) {
            if (--x->budget < 0) {
                limit(x, event->line, "its repetitions take too long to expand");
                return;
            }
            if (day < first_day || (day != first_day && !repeat_has(repeat, first_day, day)))
                continue;
            if (!occur(x, event, zone, day) || ++n == repeat->count)
                return;
        }
        if (behind > last_day) /* no day of the rule need be there to stop at */
            return;
    }
}

/* Why an event cannot be kept; NULL when it can. */
static const char *reason(const struct event *event)
{
    if (event->odd)
        return event->odd;
    if (!event->has_start)
        return "it has no DTSTART";
    if (!event->title || !*event->title)
        return "it has no SUMMARY, which names the person";
    if (event->has_end && event->end.is_date != event->start.is_date)
        return "one of DTSTART and DTEND is a date and the other a time";
    return NULL;
}

static void expand(struct expansion *x, struct event *event)
{
    const char *why = reason(event);
    const struct zone *zone = NULL;

    if (event->is_cancelled)
        return;
    if (why) {
        raw_calendar_note(x->raw, event->line, event->title, why);
        return;
    }
    zone = zone_of(x, &event->start, event->line);
    if (!zone)
        return;
    int64_t from_ms = zone_utc(zone, &event->start.local);

    if (end_of(x, event, zone, event->start.local, from_ms) <= from_ms) {
        raw_calendar_note(x->raw, event->line, event->title, "it ends before it has begun");
        return;
    }
    if (event->repeat.unit != REPEAT_NEVER && !event->has_recurrence)
        repeat_all(x, event, zone);
    else
        put(x, event, from_ms, end_of(x, event, zone, event->start.local, from_ms));
    for (struct exception *one = event->more; one && !x->rc; one = one->next) {
        zone = zone_of(x, &one->at, event->line);
        if (zone)
            put(x, event, zone_utc(zone, &one->at.local),
                end_of(x, event, zone, one->at.local, zone_utc(zone, &one->at.local)));
    }
}

static int by_time(const void *a, const void *b)
{
    const struct calendar_shift *one = a, *other = b;

    if (one->from_ms != other->from_ms)
        return one->from_ms < other->from_ms ? -1 : 1;
    return one->line < other->line ? -1 : one->line > other->line;
}

/* Into the arena, what is told to outlive the reading. */
static int hand_over(struct expansion *x, struct calendar *ret)
{
    struct raw_calendar *raw = x->raw;
    struct calendar_shift *shifts = arena_array(raw->arena, x->n ? x->n : 1, sizeof(*shifts));
    const char **untold = arena_array(raw->arena, raw->n_untold ? raw->n_untold : 1,
                                      sizeof(char *));

    if (!shifts || !untold)
        return err_set(raw->reterr, CALENDAR_E_LIMIT,
                       "more shifts than the memory set aside holds");
    if (x->n)
        memcpy(shifts, x->shifts, x->n * sizeof(*shifts));
    for (size_t i = 0; i < raw->n_untold; i++)
        untold[i] = raw->untold[i];
    qsort(shifts, x->n, sizeof(*shifts), by_time);
    *ret = (struct calendar){raw->name, shifts, x->n, untold, raw->n_untold};
    return 0;
}

// NOLINTNEXTLINE(readability-function-size): nine things that have no common name
int calendar_read(const char *text,
                  size_t len,
                  const struct zone *fallback,
                  struct zones *zones,
                  int64_t from_ms,
                  int64_t to_ms,
                  struct arena *arena,
                  struct calendar *ret_calendar,
                  struct err *reterr)
{
    struct raw_calendar raw = {.arena = arena, .reterr = reterr};
    struct expansion x = {&raw, fallback, zones, from_ms, to_ms, .budget = BUDGET};

    if (len > CALENDAR_TEXT_MAX)
        return err_set(reterr, CALENDAR_E_LIMIT, "a calendar of %zu bytes: at most %d are read",
                       len, (int)CALENDAR_TEXT_MAX);
    x.rc = -raw_calendar_read(text, len, &raw);
    for (size_t i = 0; i < raw.n_events && !x.rc; i++)
        expand(&x, &raw.events[i]);
    if (!x.rc)
        x.rc = hand_over(&x, ret_calendar);
    free(x.shifts);
    raw_calendar_done(&raw);
    return x.rc;
}

/* The first layer of this level that is free at from_ms; a new one when there is none. */
static struct layer *free_layer(struct layer *layers, size_t *n, const struct calendar_shift *shift)
{
    for (size_t i = 0; i < *n; i++)
        if (layers[i].level == shift->level &&
            (layers[i].n_shifts == 0 ||
             layers[i].shifts[layers[i].n_shifts - 1].to_ms <= shift->from_ms))
            return &layers[i];
    return *n < ROSTER_LAYERS_MAX ? &layers[(*n)++] : NULL;
}

static int no_memory(struct err *reterr)
{
    return err_set(reterr, CALENDAR_E_LIMIT, "more shifts than the memory set aside holds");
}

int calendar_schedule(const struct calendar *calendar,
                      const char *name,
                      const struct zone *zone,
                      struct arena *arena,
                      struct schedule *ret_schedule,
                      struct err *reterr)
{
    struct layer *layers = arena_array(arena, ROSTER_LAYERS_MAX, sizeof(*layers));
    struct shift *rooms[ROSTER_LAYERS_MAX] = {0}; /* of the layers' shifts */
    size_t n = 0;

    if (!layers)
        return no_memory(reterr);
    for (size_t i = 0; i < calendar->n_shifts; i++) {
        const struct calendar_shift *from = &calendar->shifts[i];
        struct layer *layer = free_layer(layers, &n, from);

        if (!layer)
            return err_at(reterr, CALENDAR_E_LIMIT, from->line, 1,
                          "more than %d people are on call at once, or on too many levels",
                          (int)ROSTER_LAYERS_MAX);
        if (!rooms[layer - layers]) {
            STR_AUTO struct str text = STR_INIT(64);

            str_addf(&text, "calendar %zu", n);
            layer->name = arena_strndup(arena, str_text(&text), text.len);
            layer->level = from->level;
            layer->from_ms = ROSTER_ALWAYS;
            layer->until_ms = ROSTER_FOREVER;
            rooms[layer - layers] = arena_array(arena, calendar->n_shifts, sizeof(struct shift));
            layer->shifts = rooms[layer - layers];
            if (!layer->name || !layer->shifts)
                return no_memory(reterr);
        }
        rooms[layer - layers][layer->n_shifts++] = (struct shift){from->title, from->from_ms,
                                                                  from->to_ms};
    }
    *ret_schedule = (struct schedule){
        .name = name, .title = calendar->name, .zone = zone, .layers = layers, .n_layers = n};
    return 0;
}
