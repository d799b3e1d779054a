/*
 * The zones a calendar brings along. See calendar_private.h.
 *
 * Where a TZID is, or ends in, an IANA name, that zone is meant and tzdata knows it better.
 * What is left (Outlook's "W. Europe Standard Time") is built from its newest STANDARD and
 * DAYLIGHT, by writing the TZif file that says the same.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/oncall/calendar_private.h"
#include "lib/base/str.h"

enum {
    TZIF_MAX = 512
};

static void add_offset(struct str *text, const char *name, int offset_s)
{
    int west_s = -offset_s;
    int size_s = west_s < 0 ? -west_s : west_s;

    str_addf(text, "%s%s%d:%02d:%02d", name, west_s < 0 ? "-" : "", size_s / 3600, size_s / 60 % 60,
             size_s % 60);
}

/* ",M3.5.0/2:00:00"; false when the observance's rule is no such thing. */
static bool add_yearly(struct str *text, const struct observance *one)
{
    const struct repeat *repeat = &one->repeat;
    const struct zone_local *at = &one->start.local;
    int month = repeat->months ? __builtin_ctz(repeat->months) : at->month;

    if (repeat->unit != REPEAT_YEARLY || repeat->n_weekdays != 1 || repeat->interval != 1 ||
        repeat->days || repeat->last_days || repeat->months & (repeat->months - 1))
        return false;
    int nth = repeat->weekdays[0].nth == -1 ? 5 : repeat->weekdays[0].nth;

    if (nth < 1 || nth > 5)
        return false;
    str_addf(text, ",M%d.%d.%d/%d:%02d:%02d", month, nth, repeat->weekdays[0].weekday, at->hour,
             at->minute, at->second);
    return true;
}

static bool add_rule(struct str *text, const struct own_zone *own)
{
    const struct observance *standard = &own->standard, *daylight = &own->daylight;

    add_offset(text, "<STD>", standard->to_s);
    if (!daylight->is_set || daylight->repeat.unit == REPEAT_NEVER)
        return standard->repeat.unit == REPEAT_NEVER || !daylight->is_set;
    add_offset(text, "<DST>", daylight->to_s);
    return add_yearly(text, daylight) && add_yearly(text, standard);
}

/* Twice a header with one type and no transition, then the footer. */
static size_t write_tzif(const struct own_zone *own, const char *rule, char *file)
{
    uint32_t offset = (uint32_t)own->standard.to_s;
    size_t len = 0;

    memset(file, 0, TZIF_MAX);
    for (int part = 0; part < 2; part++) {
        memcpy(file + len, (const char[]){'T', 'Z', 'i', 'f', '2'}, 5);
        file[len + 39] = 1;
        file[len + 43] = 4;
        for (int i = 0; i < 4; i++)
            file[len + 44 + (size_t)i] = (char)(offset >> (24 - 8 * i));
        memcpy(file + len + 50, "STD", 4);
        len += 54;
    }
    file[len++] = '\n';
    while (*rule)
        file[len++] = *rule++;
    file[len++] = '\n';
    return len;
}

static const struct zone *make(struct own_zone *own, struct err *reterr)
{
    STR_AUTO struct str rule = STR_INIT(128);
    char file[TZIF_MAX];

    if (own->zone)
        return own->zone;
    if (!own->standard.is_set || !add_rule(&rule, own) || rule.full) {
        (void)err_at(reterr, CALENDAR_E_SYNTAX, own->line, 1,
                     "the VTIMEZONE '%.64s' changes its clocks in a way that is not understood: "
                     "an IANA name such as Europe/Berlin is",
                     own->tzid);
        return NULL;
    }
    size_t len = write_tzif(own, str_text(&rule), file);

    return zone_read(file, len, own->tzid, &own->zone, reterr) ? NULL : own->zone;
}

/* The zone of a name, or of what stands behind one of its slashes. */
static const struct zone *iana(const char *name, struct zones *zones)
{
    const struct zone *zone = NULL;

    for (int i = 0; name && i < 8; i++) {
        while (*name == '/')
            name++;
        if (*name && zones_get(zones, name, &zone, NULL) == 0)
            return zone;
        name = strchr(name, '/');
    }
    return NULL;
}

const struct zone *own_zone_find(struct own_zone *own,
                                 const char *tzid,
                                 struct zones *zones,
                                 struct err *reterr)
{
    const struct zone *zone = iana(tzid, zones);

    if (zone)
        return zone;
    for (; own; own = own->next)
        if (own->tzid && strcmp(own->tzid, tzid) == 0) {
            zone = iana(own->location, zones);
            return zone ? zone : make(own, reterr);
        }
    (void)err_set(reterr, CALENDAR_E_SYNTAX, "no VTIMEZONE and no IANA zone is called '%.64s'",
                  tzid);
    return NULL;
}
