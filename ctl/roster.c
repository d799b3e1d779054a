/*
 * Shared by the commands about people and schedules. See roster.h.
 */

#include "ctl/roster.h"

#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "lib/base/clock.h"
#include "lib/model/duration.h"

const struct json *roster_list(const struct json *object, const char *key)
{
    const struct json *list = NULL;

    (void)json_get_array(object, key, &list, NULL);
    return list;
}

int64_t roster_instant(const struct json *object, const char *key)
{
    const char *text = answer_text(object, key);
    int64_t at_ms = -1;

    if (text)
        (void)clock_parse_rfc3339(text, &at_ms);
    return at_ms;
}

const char *roster_when(const struct zone *zone, int64_t at_ms, int64_t now_ms, char *text)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct zone_local at = zone_local(zone, at_ms);
    char year[16] = "";

    if (at.year != zone_local(zone, now_ms).year)
        (void)snprintf(year, sizeof(year), " %d", at.year);
    (void)snprintf(text, ROSTER_WHEN_MAX, "%s %d %s%s %02d:%02d", days[at.weekday], at.day,
                   months[at.month - 1], year, at.hour, at.minute);
    return text;
}

static bool read_local(const char *text, struct zone_local *ret_local)
{
    struct zone_local local = {0};
    char rest = 0;

    /* NOLINTNEXTLINE(cert-err34-c): what does not fit an int is no date, and refused below */
    int n = sscanf(text, "%4d-%2d-%2dT%2d:%2d%c", &local.year, &local.month, &local.day,
                   &local.hour, &local.minute, &rest);

    if (n != 5 || local.month < 1 || local.month > 12 || local.day < 1 || local.day > 31 ||
        local.hour > 24 || local.minute > 59)
        return false;
    *ret_local = local;
    return true;
}

bool roster_read_when(const struct ctl *ctl,
                      const char *option,
                      const struct zone *zone,
                      int64_t base_ms,
                      int64_t *ret_at_ms)
{
    const char *text = ctl_option(ctl, option);
    struct zone_local local;
    int64_t span_ms = 0;

    if (!text) {
        *ret_at_ms = base_ms;
        return true;
    }
    if (clock_parse_rfc3339(text, ret_at_ms) == 0)
        return true;
    if (strcmp(text, "now") == 0) {
        *ret_at_ms = clock_wall_ms();
        return true;
    }
    if (*text == '+' && duration_parse(text + 1, strlen(text + 1), &span_ms) == 0) {
        *ret_at_ms = base_ms + span_ms;
        return true;
    }
    if (read_local(text, &local)) {
        *ret_at_ms = zone_utc(zone, &local);
        return true;
    }
    (void)ctl_fail(ctl,
                   "--%s: expected 2026-12-01T09:00 (in %s), the same with Z or +01:00 behind it, "
                   "now, or +8h, got \"%.60s\"",
                   option, zone_name(zone), text);
    return false;
}

struct zone *roster_zone(const char *name)
{
    struct zone *zone = NULL;

    if (name && zone_open(name, &zone, NULL) == 0)
        return zone;
    return zone_open("UTC", &zone, NULL) == 0 ? zone : NULL;
}

bool roster_add_span(
    const struct ctl *ctl, const struct zone *zone, int64_t from_ms, int64_t days, struct str *path)
{
    char text[CLOCK_TEXT_MAX];
    int64_t to_ms = 0;

    if (!roster_read_when(ctl, "from", zone, from_ms, &from_ms) ||
        !roster_read_when(ctl, "to", zone, from_ms, &to_ms))
        return false;
    if (!ctl_option(ctl, "to"))
        to_ms = from_ms + days * 86400000;
    str_add(path, "?from=");
    add_encoded(path, clock_rfc3339(from_ms, text));
    str_add(path, "&to=");
    add_encoded(path, clock_rfc3339(to_ms, text));
    return true;
}
