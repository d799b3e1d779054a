/*
 * What all readers of foreign timelines share: places, and times as people write them. See
 * foreign.h.
 */

#include "alertd/incident/foreign.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "alertd/incident/foreign_private.h"
#include "lib/base/clock.h"

#define HALF_A_DAY_MS (12 * 3600 * INT64_C(1000))
#define FOLD_MS       (3 * 3600 * INT64_C(1000)) /* behind a time, to see whether clocks go back */

static const char *const names[FOREIGN_FORMATS] = {
    [FOREIGN_CSV] = "csv",
    [FOREIGN_CHAT] = "chat",
    [FOREIGN_PAGERDUTY] = "pagerduty",
    [FOREIGN_ALERTMANAGER] = "alertmanager",
};

enum foreign_format foreign_format_parse(const char *name)
{
    unsigned i = 0;

    while (i < FOREIGN_FORMATS && strcmp(names[i], name) != 0)
        i++;
    return (enum foreign_format)i;
}

int foreign_wrong(struct foreign *foreign, const char *words)
{
    return err_at(foreign->reterr, FOREIGN_E_INVALID, foreign->line, 1, "%s", words);
}

const char *foreign_keep(struct foreign *foreign, const char *text, size_t len)
{
    while (len && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    return arena_strndup(foreign->arena, text, len);
}

struct foreign_event *foreign_add(struct foreign *foreign)
{
    if (foreign->n == FOREIGN_EVENTS_MAX)
        return NULL;
    foreign->events[foreign->n] = (struct foreign_event){.kind = "human.note"};
    return &foreign->events[foreign->n++];
}

/* --- times --- */

/* Reads exactly n digits. */
static bool digits(const char **at, const char *end, int n, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (*at + i >= end || !isdigit((unsigned char)(*at)[i]))
            return false;
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += n;
    *ret_value = value;
    return true;
}

static bool sign(const char **at, const char *end, char wanted)
{
    if (*at >= end || **at != wanted)
        return false;
    (*at)++;
    return true;
}

/* "2023-01-25"; *at stays where it was without one. */
static bool read_day(const char **at, const char *end, struct zone_local *local)
{
    const char *from = *at;

    if (digits(at, end, 4, &local->year) && sign(at, end, '-') &&
        digits(at, end, 2, &local->month) && sign(at, end, '-') &&
        digits(at, end, 2, &local->day) && *at < end && (**at == 'T' || **at == ' ')) {
        (*at)++;
        return true;
    }
    *at = from;
    return false;
}

/* " PM", "am". */
static void read_half_day(const char **at, const char *end, struct zone_local *local)
{
    const char *word = *at + (*at < end && **at == ' ');

    if (end - word < 2 || local->hour > 12)
        return;
    if (strncasecmp(word, "pm", 2) == 0)
        local->hour = local->hour % 12 + 12;
    else if (strncasecmp(word, "am", 2) == 0)
        local->hour %= 12;
    else
        return;
    *at = word + 2;
}

/* "14:02", "14:02:33", "14:02:33.250", "2:02 PM". */
static bool read_clock(const char **at,
                       const char *end,
                       struct zone_local *local,
                       const char **ret_precision)
{
    *ret_precision = "min";
    if (!digits(at, end, 2, &local->hour) && !digits(at, end, 1, &local->hour))
        return false;
    if (!sign(at, end, ':') || !digits(at, end, 2, &local->minute))
        return false;
    if (*at < end && **at == ':' && ++*at && digits(at, end, 2, &local->second))
        *ret_precision = "s";
    if (strcmp(*ret_precision, "s") == 0 && sign(at, end, '.')) {
        int scale = 100;

        *ret_precision = NULL;
        for (; *at < end && isdigit((unsigned char)**at); (*at)++, scale /= 10)
            local->millisecond += (**at - '0') * scale;
    }
    read_half_day(at, end, local);
    return local->hour < 24 && local->minute < 60 && local->second < 61;
}

/* "Z", "+01:00", "+0100", " UTC": seconds east, or nothing. */
static bool read_offset(const char **at, const char *end, int *ret_offset_s)
{
    const char *from = *at;
    int hours = 0;
    int minutes = 0;

    if (end - from >= 4 && strncmp(from, " UTC", 4) == 0) {
        *at += 4;
        *ret_offset_s = 0;
        return true;
    }
    if (from < end && *from == 'Z') {
        (*at)++;
        *ret_offset_s = 0;
        return true;
    }
    if (from >= end || (*from != '+' && *from != '-'))
        return false;
    (*at)++;
    if (!digits(at, end, 2, &hours)) {
        *at = from;
        return false;
    }
    (void)sign(at, end, ':');
    if (!digits(at, end, 2, &minutes))
        minutes = 0;
    *ret_offset_s = (hours * 60 + minutes) * 60 * (*from == '-' ? -1 : 1);
    return true;
}

/* Without a day: the caller's, and the next where the clock goes back. */
static int give_day(struct foreign *foreign, struct zone_local *local)
{
    if (!foreign->input->year)
        return foreign_wrong(foreign, "the time says no day: give the date it is of");
    local->year = foreign->input->year;
    local->month = foreign->input->month;
    local->day = foreign->input->day + (int)foreign->shift_days;
    return 0;
}

/* An hour that clocks go through twice: who wrote it behind a later time means the second one. */
static int64_t second_time(const struct zone *zone, int64_t at_ms, int64_t before_ms)
{
    int gone_s = zone_offset_s(zone, at_ms) - zone_offset_s(zone, at_ms + FOLD_MS);
    int64_t again_ms = at_ms + gone_s * 1000LL;

    if (at_ms >= before_ms || gone_s <= 0 ||
        zone_offset_s(zone, again_ms) != zone_offset_s(zone, at_ms) - gone_s)
        return at_ms;
    return again_ms;
}

static int64_t of_zone(struct foreign *foreign, struct zone_local *local, bool has_day)
{
    const struct zone *zone = foreign->input->zone;
    int64_t at_ms = zone_utc(zone, local);

    if (!has_day && foreign->before_ms && at_ms < foreign->before_ms - HALF_A_DAY_MS) {
        foreign->shift_days++;
        local->day++; /* by the clock: that day may have 23 or 25 hours */
        at_ms = zone_utc(zone, local);
    }
    return second_time(zone, at_ms, foreign->before_ms);
}

/* With an offset it is said whole, but for the day. */
static int64_t of_offset(struct foreign *foreign,
                         const struct zone_local *local,
                         int offset_s,
                         bool has_day)
{
    int64_t days = clock_days_from_civil(local->year, local->month, local->day);
    int64_t at_ms = ((days * 24 + local->hour) * 60 + local->minute) * 60 + local->second -
                    offset_s;

    at_ms = at_ms * 1000 + local->millisecond;
    if (!has_day && foreign->before_ms && at_ms < foreign->before_ms - HALF_A_DAY_MS) {
        foreign->shift_days++;
        at_ms += 2 * HALF_A_DAY_MS;
    }
    return at_ms;
}

int foreign_time(struct foreign *foreign,
                 const char *text,
                 size_t len,
                 struct foreign_event *event,
                 size_t *ret_len)
{
    struct zone_local local = {0};
    const char *end = text + len;
    const char *at = text;
    bool has_day = read_day(&at, end, &local);
    int offset_s = 0;

    if (!read_clock(&at, end, &local, &event->precision))
        return foreign_wrong(foreign, "expected a time like 2026-11-23T22:27:00Z, or 22:27");
    int r = has_day ? 0 : give_day(foreign, &local);
    if (r)
        return r;
    bool has_offset = read_offset(&at, end, &offset_s);

    if (!has_offset && !foreign->input->zone)
        return foreign_wrong(foreign, "the time says no zone: give the one it is of");
    event->at_ms = has_offset ? of_offset(foreign, &local, offset_s, has_day)
                              : of_zone(foreign, &local, has_day);
    foreign->before_ms = event->at_ms;
    *ret_len = (size_t)(at - text);
    return 0;
}

int foreign_read(struct arena *arena,
                 enum foreign_format format,
                 const struct foreign_input *input,
                 struct foreign_event **ret_events,
                 size_t *ret_n,
                 struct err *reterr)
{
    static int (*const readers[FOREIGN_FORMATS])(struct foreign * foreign) = {
        [FOREIGN_CSV] = foreign_read_csv,
        [FOREIGN_CHAT] = foreign_read_chat,
        [FOREIGN_PAGERDUTY] = foreign_read_pagerduty,
        [FOREIGN_ALERTMANAGER] = foreign_read_alertmanager,
    };
    struct foreign foreign = {.arena = arena, .input = input, .reterr = reterr};

    foreign.events = arena_array(arena, FOREIGN_EVENTS_MAX, sizeof(*foreign.events));
    if (!foreign.events)
        return err_set(reterr, FOREIGN_E_LIMIT, "the timeline is too large");
    int r = readers[format](&foreign);

    if (r)
        return r;
    if (foreign.n == 0)
        return err_set(reterr, FOREIGN_E_INVALID, "there is no event in it");
    *ret_events = foreign.events;
    *ret_n = foreign.n;
    return 0;
}
