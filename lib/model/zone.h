#pragma once

/*
 * Time zones: what a clock on the wall says, and which instant it means.
 *
 *   UTC     ----|--------------|--------------|----->   one instant after the other
 *   local   ...01:59 03:00 ... 02:59 02:00 ...          a gap in spring, an overlap in autumn
 *
 * Read from TZif files (RFC 8536, versions 1 to 4), far future included: behind the last
 * transition of a file its footer's rule goes on. No globals: a zone is read once, never
 * changes, and may be asked from any thread.
 *
 * A local time names the FIRST instant at which the wall clock shows it or something later:
 *  (1) usual: the one instant that shows it;
 *  (2) in a gap (02:30 on the night clocks go forward): the first instant behind the gap;
 *  (3) in an overlap (02:30 on the night they go back): the first of both;
 *  (4) so later local times never name earlier instants.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define ZONE_FOLDER "/usr/share/zoneinfo" /* Debian's tzdata */

enum {
    ZONE_E_NAME = 1, /* no such zone, or no name of one */
    ZONE_E_DATA = 2, /* the file is no TZif file, or one that we do not read */
    ZONE_NAME_MAX = 64,
    ZONE_ABBREVIATION_MAX = 16,
};

/* Beyond every date there is: no change of clocks ahead. */
#define ZONE_NEVER INT64_MAX

struct zone;

/* An IANA name ("Europe/Berlin"); "UTC" needs no file. zone_free(). */
int zone_open(const char *name, struct zone **ret_zone, struct err *reterr);
int zone_open_in(const char *folder, const char *name, struct zone **ret_zone, struct err *reterr);
/* The bytes of a TZif file. */
int zone_read(
    const void *bytes, size_t len, const char *name, struct zone **ret_zone, struct err *reterr);
void zone_free(struct zone *zone);
const char *zone_name(const struct zone *zone);

struct zone_local {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second, millisecond;
    int weekday;  /* 0 = Sunday */
    int offset_s; /* east of UTC */
    bool is_dst;
    char abbreviation[ZONE_ABBREVIATION_MAX];
};

struct zone_local zone_local(const struct zone *zone, int64_t at_ms);

/* The instant of year … millisecond (the other fields are not read). Fields may be out of
 * their range: day 32 of January is 1 February, hour 24 is the next day's midnight. Years
 * outside ±1,000,000 are taken as those ends. */
int64_t zone_utc(const struct zone *zone, const struct zone_local *local);

/* Seconds east of UTC at an instant. */
int zone_offset_s(const struct zone *zone, int64_t at_ms);

/* The first instant after at_ms at which clocks are changed, or ZONE_NEVER. */
int64_t zone_next_change(const struct zone *zone, int64_t at_ms);

/*
 * Zones by name, each read once: for what holds many of them (a file of schedules). The
 * zones handed out are loans until zones_done(). Not for two threads at once.
 */
struct zones {
    const char *folder; /* NULL: ZONE_FOLDER */
    struct zone **at;
    size_t n, capacity;
};

int zones_get(struct zones *zones,
              const char *name,
              const struct zone **ret_zone,
              struct err *reterr);
void zones_done(struct zones *zones);
