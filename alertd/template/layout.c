/*
 * Times by Go's layouts: a layout spells one instant, Mon Jan 2 15:04:05 2006 in a zone
 * called MST seven hours behind, the way all others are to be spelled. What is no part of it
 * stands for itself.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alertd/template/time.h"
#include "lib/base/clock.h"

enum part_kind {
    PART_YEAR,
    PART_YEAR_SHORT,
    PART_MONTH,
    PART_DAY,
    PART_YEAR_DAY,
    PART_HOUR,
    PART_HOUR_12,
    PART_MINUTE,
    PART_SECOND,
    PART_FRACTION,
    PART_MONTH_NAME,
    PART_DAY_NAME,
    PART_NOON, /* AM, PM */
    PART_OFFSET,
    PART_ZONE,
};

/* Longer spellings come before those they begin with. `width`: digits, negative: blanks in
 * front; of a name the letters, 0: all; of an offset the digits, negative: with colons. */
static const struct part {
    const char *example;
    enum part_kind kind;
    int width;
    bool with_z; /* UTC is a Z */
} parts[] = {
    {"January", PART_MONTH_NAME, 0, false},
    {"Jan", PART_MONTH_NAME, 3, false},
    {"Monday", PART_DAY_NAME, 0, false},
    {"Mon", PART_DAY_NAME, 3, false},
    {"MST", PART_ZONE, 0, false},
    {"__2", PART_YEAR_DAY, -3, false},
    {"_2", PART_DAY, -2, false},
    {"2006", PART_YEAR, 4, false},
    {"002", PART_YEAR_DAY, 3, false},
    {"15", PART_HOUR, 2, false},
    {"01", PART_MONTH, 2, false},
    {"02", PART_DAY, 2, false},
    {"03", PART_HOUR_12, 2, false},
    {"04", PART_MINUTE, 2, false},
    {"05", PART_SECOND, 2, false},
    {"06", PART_YEAR_SHORT, 2, false},
    {"PM", PART_NOON, 0, false},
    {"pm", PART_NOON, 1, false},
    {"-07:00", PART_OFFSET, -4, false},
    {"-0700", PART_OFFSET, 4, false},
    {"-07", PART_OFFSET, 2, false},
    {"Z07:00", PART_OFFSET, -4, true},
    {"Z0700", PART_OFFSET, 4, true},
    {"Z07", PART_OFFSET, 2, true},
    {"1", PART_MONTH, 1, false},
    {"2", PART_DAY, 1, false},
    {"3", PART_HOUR_12, 1, false},
    {"4", PART_MINUTE, 1, false},
    {"5", PART_SECOND, 1, false},
};

/* ".000" and ",999" behind seconds: as many places; nines leave zeros at the end out. */
static size_t fraction_length(const char *at)
{
    size_t n;

    if ((*at != '.' && *at != ',') || (at[1] != '0' && at[1] != '9'))
        return 0;
    n = strspn(at + 1, at[1] == '0' ? "0" : "9");
    return isdigit((unsigned char)at[1 + n]) || n > 9 ? 0 : n + 1;
}

/* The part at the head of a layout; its length, 0: none. */
static size_t find_part(const char *layout, struct part *ret_part)
{
    size_t fraction = fraction_length(layout);

    if (fraction) {
        *ret_part = (struct part){layout, PART_FRACTION, (int)fraction - 1, layout[1] == '9'};
        return fraction;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t len = strlen(parts[i].example);
        bool is_cut = parts[i].width == 3 && isupper((unsigned char)parts[i].example[0]);

        if (strncmp(layout, parts[i].example, len) != 0 ||
            (is_cut && islower((unsigned char)layout[len])))
            continue; /* "Jan" of "Janus" is no month */
        *ret_part = parts[i];
        return len;
    }
    return 0;
}

/* --- Writing --------------------------------------------------------------------------- */

static void add_offset(const struct part *part, int offset_s, struct str *out)
{
    int size = offset_s < 0 ? -offset_s : offset_s;

    if (part->with_z && offset_s == 0) {
        str_addc(out, 'Z');
        return;
    }
    str_addf(out, "%c%02d", offset_s < 0 ? '-' : '+', size / 3600);
    if (part->width != 2)
        str_addf(out, "%s%02d", part->width < 0 ? ":" : "", size / 60 % 60);
}

static void add_fraction(const struct part *part, int ns, struct str *out)
{
    char digits[16];
    int len = part->width;

    (void)snprintf(digits, sizeof(digits), "%09d", ns);
    while (part->with_z && len > 0 && digits[len - 1] == '0')
        len--;
    if (len > 0)
        str_addf(out, "%c%.*s", part->example[0], len, digits);
}

static int number_of(enum part_kind kind, const struct tmpl_time *time)
{
    switch (kind) {
    case PART_YEAR: return time->local.year;
    case PART_YEAR_SHORT: return time->local.year % 100;
    case PART_MONTH: return time->local.month;
    case PART_DAY: return time->local.day;
    case PART_YEAR_DAY: return time->year_day;
    case PART_HOUR: return time->local.hour;
    case PART_HOUR_12: return time->local.hour % 12 ? time->local.hour % 12 : 12;
    case PART_MINUTE: return time->local.minute;
    case PART_SECOND: return time->local.second;
    case PART_FRACTION:
    case PART_MONTH_NAME:
    case PART_DAY_NAME:
    case PART_NOON:
    case PART_OFFSET:
    case PART_ZONE: break;
    }
    return 0;
}

static void add_part(const struct part *part, const struct tmpl_time *time, struct str *out)
{
    static const char *const noon[] = {"AM", "PM", "am", "pm"};
    int cut = part->width ? part->width : 100;

    if (part->kind == PART_FRACTION)
        add_fraction(part, time->ns, out);
    else if (part->kind == PART_MONTH_NAME)
        str_addf(out, "%.*s", cut, tmpl_month_names[time->local.month - 1]);
    else if (part->kind == PART_DAY_NAME)
        str_addf(out, "%.*s", cut, tmpl_day_names[time->local.weekday]);
    else if (part->kind == PART_NOON)
        str_add(out, noon[(time->local.hour >= 12) + 2 * (part->width == 1)]);
    else if (part->kind == PART_OFFSET)
        add_offset(part, time->local.offset_s, out);
    else if (part->kind == PART_ZONE)
        str_add(out, time->local.abbreviation);
    else if (part->width < 0)
        str_addf(out, "%*d", -part->width, number_of(part->kind, time));
    else
        str_addf(out, "%0*d", part->width, number_of(part->kind, time));
}

void tmpl_format_time(const struct value *time, const char *layout, struct str *out)
{
    struct tmpl_time split = tmpl_time_of(time);
    struct part part;

    while (*layout) {
        size_t used = find_part(layout, &part);

        if (used)
            add_part(&part, &split, out);
        else
            str_addc(out, *layout);
        layout += used ? used : 1;
    }
}

/* --- Reading --------------------------------------------------------------------------- */

struct reading {
    const char *at;
    int year, month, day, hour, minute, second, ns, offset_s;
    bool is_pm, has_noon;
};

/* 1 to `most` digits, exactly `most` when `whole`. */
static bool read_number(struct reading *reading, int most, bool whole, int *ret_number)
{
    int n = 0;

    *ret_number = 0;
    for (; n < most && isdigit((unsigned char)*reading->at); n++)
        *ret_number = *ret_number * 10 + (*reading->at++ - '0');
    return n > 0 && (!whole || n == most);
}

static bool read_name(
    struct reading *reading, const char *const *names, int n_names, size_t cut, int *ret_index)
{
    for (int i = 0; i < n_names; i++) {
        size_t len = cut ? cut : strlen(names[i]);

        if (strncasecmp(reading->at, names[i], len) != 0)
            continue;
        reading->at += len;
        *ret_index = i;
        return true;
    }
    return false;
}

static bool read_offset(struct reading *reading, const struct part *part)
{
    int hours, minutes = 0;
    bool is_behind = *reading->at == '-';

    if (part->with_z && *reading->at == 'Z') {
        reading->at++;
        reading->offset_s = 0;
        return true;
    }
    if (*reading->at != '-' && *reading->at != '+')
        return false;
    reading->at++;
    if (!read_number(reading, 2, true, &hours))
        return false;
    if (part->width < 0 && *reading->at++ != ':')
        return false;
    if (part->width != 2 && !read_number(reading, 2, true, &minutes))
        return false;
    reading->offset_s = (hours * 60 + minutes) * 60 * (is_behind ? -1 : 1);
    return hours <= 24 && minutes < 60;
}

/* The places behind a point. */
static bool read_fraction(struct reading *reading)
{
    int unit = 100000000;

    if (*reading->at != '.' && *reading->at != ',')
        return false;
    reading->at++;
    for (; isdigit((unsigned char)*reading->at); unit /= 10)
        reading->ns += (*reading->at++ - '0') * unit;
    return true;
}

static bool read_noon(struct reading *reading)
{
    reading->has_noon = true;
    reading->is_pm = toupper((unsigned char)reading->at[0]) == 'P';
    if ((!reading->is_pm && toupper((unsigned char)reading->at[0]) != 'A') ||
        toupper((unsigned char)reading->at[1]) != 'M')
        return false;
    reading->at += 2;
    return true;
}

/* A name of a zone says nothing that could be relied on: only UTC and GMT are known. */
static bool read_zone(struct reading *reading)
{
    size_t len = strspn(reading->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    reading->at += len;
    return len >= 3 && len <= 5;
}

static bool read_part(struct reading *reading, const struct part *part)
{
    int most = part->width == 1 ? 2 : part->width < 0 ? -part->width : part->width;
    bool whole = part->width > 1;
    int ignored;

    if (part->width < 0 && part->kind != PART_OFFSET)
        for (; *reading->at == ' '; reading->at++)
            continue;
    switch (part->kind) {
    case PART_YEAR: return read_number(reading, 4, true, &reading->year);
    case PART_YEAR_SHORT:
        if (!read_number(reading, 2, true, &reading->year))
            return false;
        reading->year += reading->year >= 69 ? 1900 : 2000;
        return true;
    case PART_MONTH: return read_number(reading, most, whole, &reading->month);
    case PART_DAY: return read_number(reading, most, whole, &reading->day);
    case PART_YEAR_DAY: return false; /* without a month nobody writes one */
    case PART_HOUR:
    case PART_HOUR_12: return read_number(reading, most, whole, &reading->hour);
    case PART_MINUTE: return read_number(reading, most, whole, &reading->minute);
    case PART_SECOND: return read_number(reading, most, whole, &reading->second);
    case PART_FRACTION: return read_fraction(reading);
    case PART_MONTH_NAME:
        if (!read_name(reading, tmpl_month_names, 12, (size_t)part->width, &reading->month))
            return false;
        reading->month++;
        return true;
    case PART_DAY_NAME: return read_name(reading, tmpl_day_names, 7, (size_t)part->width, &ignored);
    case PART_NOON: return read_noon(reading);
    case PART_OFFSET: return read_offset(reading, part);
    case PART_ZONE: return read_zone(reading);
    }
    return false;
}

static bool is_date(const struct reading *reading)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = reading->year;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return reading->month >= 1 && reading->month <= 12 && reading->day >= 1 &&
           reading->day <= days[reading->month - 1] + (reading->month == 2 && is_leap) &&
           reading->hour < 24 && reading->minute < 60 && reading->second < 60;
}

bool tmpl_parse_time(const char *layout, const char *text, struct value *ret_time)
{
    struct reading reading = {.at = text, .month = 1, .day = 1};
    struct part part;

    while (*layout) {
        size_t used = find_part(layout, &part);

        if (used ? !read_part(&reading, &part) : *reading.at++ != *layout)
            return false;
        layout += used ? used : 1;
    }
    if (*reading.at || !is_date(&reading) || reading.year < 1678 || reading.year > 2261)
        return false; /* beyond what nanoseconds hold */
    if (reading.has_noon)
        reading.hour = reading.hour % 12 + (reading.is_pm ? 12 : 0);

    int64_t seconds = clock_days_from_civil(reading.year, reading.month, reading.day) * 86400 +
                      reading.hour * 3600 + reading.minute * 60 + reading.second - reading.offset_s;

    *ret_time = (struct value){.kind = VALUE_TIME, .number = seconds * 1000000000 + reading.ns};
    return true;
}
