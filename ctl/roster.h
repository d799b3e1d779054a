#pragma once

/*
 * What the commands about people and schedules share: members of answers, and times on the
 * wall clock of a schedule's zone.
 */

#include <stdint.h>

#include "ctl/cmd.h"
#include "lib/json/read.h"
#include "lib/model/zone.h"

enum {
    ROSTER_WHEN_MAX = 64
};

const struct json *roster_list(const struct json *object, const char *key); /* may be NULL */
/* -1 when it is absent or no time. */
int64_t roster_instant(const struct json *object, const char *key);

/* "Mon 30 Nov 09:00", with the year when it is not now_ms's; ROSTER_WHEN_MAX bytes. */
const char *roster_when(const struct zone *zone, int64_t at_ms, int64_t now_ms, char *text);

/* An instant to come: RFC 3339, "now", "2026-12-01T09:00" on the zone's wall clock, or "+8h"
 * behind base_ms. A complaint on stderr otherwise. */
bool roster_read_when(const struct ctl *ctl,
                      const char *option,
                      const struct zone *zone,
                      int64_t base_ms,
                      int64_t *ret_at_ms);

/* A zone of an answer; UTC when this machine does not know it. */
struct zone *roster_zone(const char *name);

/* --from and --to as parameters of a query; false: a complaint is out. */
struct str;
bool roster_add_span(const struct ctl *ctl,
                     const struct zone *zone,
                     int64_t from_ms,
                     int64_t days,
                     struct str *path);
