/*
 * Wall clocks and instants: gaps, overlaps, rules far in the future, and files that lie.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/model/zone.h"
#include "tests/lib/row.h"

static int64_t instant(const char *text)
{
    int64_t at_ms = 0;

    assert_int_equal(clock_parse_rfc3339(text, &at_ms), 0);
    return at_ms;
}

static struct zone *open_zone(const char *name)
{
    struct zone *zone = NULL;
    struct err err = {0};

    if (zone_open(name, &zone, &err))
        fail_msg("%s", err.text);
    return zone;
}

/* "2026-03-29 02:30:00" */
static struct zone_local wall(const char *text)
{
    struct clock_utc utc;
    char rfc[CLOCK_TEXT_MAX];

    (void)snprintf(rfc, sizeof(rfc), "%.10sT%.8sZ", text, text + 11);
    utc = clock_split_utc(instant(rfc));
    return (struct zone_local){utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second};
}

static const struct {
    const char *name, *zone, *local, *instant;
} rows[] = {
    {"UTC", "UTC", "2026-07-01 12:00:00", "2026-07-01T12:00:00Z"},
    {"winter", "Europe/Berlin", "2026-01-05 09:00:00", "2026-01-05T08:00:00Z"},
    {"summer", "Europe/Berlin", "2026-07-05 09:00:00", "2026-07-05T07:00:00Z"},
    {"a gap: the first instant behind it", "Europe/Berlin", "2026-03-29 02:30:00",
     "2026-03-29T01:00:00Z"},
    {"behind the gap", "Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00Z"},
    {"an overlap: the first of both", "Europe/Berlin", "2026-10-25 02:30:00",
     "2026-10-25T00:30:00Z"},
    {"behind the overlap", "Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z"},
    {"behind the file's last transition", "Europe/Berlin", "2150-07-01 12:00:00",
     "2150-07-01T10:00:00Z"},
    {"a gap of the far future", "Europe/Berlin", "2150-03-29 02:59:59", "2150-03-29T01:00:00Z"},
    {"half an hour", "Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:30:00Z"},
    {"summer time lies in winter", "Europe/Dublin", "2060-07-01 12:00:00", "2060-07-01T11:00:00Z"},
    {"the south", "America/Santiago", "2050-01-15 12:00:00", "2050-01-15T15:00:00Z"},
    {"a whole day left out", "Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30T10:00:00Z"},
    {"before there were zones", "Europe/Berlin", "1880-01-01 00:53:28", "1880-01-01T00:00:00Z"},
    {"no summer time", "Asia/Kolkata", "2026-02-28 05:30:00", "2026-02-28T00:00:00Z"},
    {"a leap day", "America/New_York", "2028-02-29 23:00:00", "2028-03-01T04:00:00Z"},
};

static void test_what_a_local_time_means(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct zone *zone = open_zone(rows[i].zone);
        struct zone_local local = wall(rows[i].local);
        char got[CLOCK_TEXT_MAX], want[CLOCK_TEXT_MAX];

        row("%s", rows[i].name);
        assert_string_equal(clock_rfc3339(zone_utc(zone, &local), got),
                            clock_rfc3339(instant(rows[i].instant), want));
        zone_free(zone);
    }
}

static void test_what_the_wall_shows(void **state)
{
    struct zone *zone = open_zone("Europe/Berlin");
    struct zone_local local = zone_local(zone, instant("2026-10-25T01:30:00.250Z"));

    assert_int_equal(local.hour, 2);
    assert_int_equal(local.millisecond, 250);
    assert_int_equal(local.offset_s, 3600);
    assert_false(local.is_dst);
    assert_int_equal(local.weekday, 0);
    assert_string_equal(local.abbreviation, "CET");
    assert_true(zone_next_change(zone, instant("2026-10-25T00:59:59Z")) ==
                instant("2026-10-25T01:00:00Z"));
    assert_true(zone_next_change(zone, instant("2100-10-25T00:59:59Z")) ==
                instant("2100-10-31T01:00:00Z"));
    zone_free(zone);
}

/* Invariant (4): whatever the clock does, later local times never name earlier instants. */
static void test_local_times_never_go_back(void **state)
{
    static const char *const names[] = {"Europe/Berlin", "Pacific/Apia", "Africa/Casablanca",
                                        "America/Nuuk", "Australia/Lord_Howe"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct zone *zone = open_zone(names[i]);
        int64_t before_ms = INT64_MIN;

        row("%s", names[i]);
        for (int minute = 0; minute < 3 * 366 * 24 * 60; minute += 7) {
            struct zone_local local = {.year = 2010, .month = 12, .day = 1, .minute = minute};
            int64_t at_ms = zone_utc(zone, &local);

            assert_true(at_ms >= before_ms);
            before_ms = at_ms;
        }
        zone_free(zone);
    }
}

static void test_fields_may_be_out_of_range(void **state)
{
    struct zone *zone = open_zone("Europe/Berlin");
    struct zone_local local = {.year = 2027, .month = 14, .day = 30, .hour = 24, .minute = -1};

    assert_true(zone_utc(zone, &local) == instant("2028-03-01T22:59:00Z"));
    local = (struct zone_local){.year = INT32_MAX, .month = 1, .day = INT32_MAX};
    assert_true(zone_utc(zone, &local) > 0);
    (void)zone_local(zone, INT64_MAX);
    (void)zone_local(zone, INT64_MIN);
    zone_free(zone);
}

static void test_names_that_are_refused(void **state)
{
    static const char *const names[] = {"",        "/etc/passwd", "../../etc/passwd",
                                        "Europe/", "Mars/Base",   "Europe",
                                        "a//b",    "tzdata.zi"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct zone *zone = NULL;
        struct err err = {0};

        row("'%s'", names[i]);
        assert_true(zone_open(names[i], &zone, &err) > 0);
        assert_null(zone);
        assert_true(err.text[0]);
    }
}

/* Every prefix of a good file, and every byte of it turned, is refused or read safely. */
static void test_broken_files(void **state)
{
    static const char tail[] = "\n<+02>-2<+03>,M3.5.0/-1,J300/30\n";
    unsigned char file[256] = {0};
    size_t len = 0;
    struct zone *zone = NULL;
    struct err err;

    for (int part = 0; part < 2; part++) {
        memcpy(file + len, "TZif2", 5);
        file[len + 39] = 1; /* one type */
        file[len + 43] = 4; /* its name */
        len += 44 + 6;
        memcpy(file + len, "+02", 4);
        len += 4;
    }
    memcpy(file + len, tail, sizeof(tail) - 1);
    len += sizeof(tail) - 1;
    assert_int_equal(zone_read(file, len, "Good", &zone, &err), 0);
    assert_int_equal(zone_offset_s(zone, instant("2026-07-01T00:00:00Z")), 3 * 3600);
    zone_free(zone);
    for (size_t cut = 0; cut < len; cut++) {
        row("cut at %zu", cut);
        assert_int_equal(zone_read(file, cut, "Cut", &zone, &err), ZONE_E_DATA);
    }
    for (size_t i = 0; i < len; i++)
        for (int bit = 0; bit < 8; bit++) {
            file[i] ^= (unsigned char)(1 << bit);
            if (zone_read(file, len, "Turned", &zone, &err) == 0) {
                (void)zone_next_change(zone, 0);
                zone_free(zone);
            }
            file[i] ^= (unsigned char)(1 << bit);
        }
}

static void test_zones_are_read_once(void **state)
{
    struct zones zones = {0};
    const struct zone *one = NULL, *two = NULL;

    assert_int_equal(zones_get(&zones, "Asia/Tokyo", &one, NULL), 0);
    assert_int_equal(zones_get(&zones, "Asia/Tokyo", &two, NULL), 0);
    assert_ptr_equal(one, two);
    assert_string_equal(zone_name(one), "Asia/Tokyo");
    assert_int_equal(zones_get(&zones, "Asia/Nowhere", &two, NULL), ZONE_E_NAME);
    zones_done(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_local_time_means),
        cmocka_unit_test(test_what_the_wall_shows),
        cmocka_unit_test(test_local_times_never_go_back),
        cmocka_unit_test(test_fields_may_be_out_of_range),
        cmocka_unit_test(test_names_that_are_refused),
        cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_zones_are_read_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
