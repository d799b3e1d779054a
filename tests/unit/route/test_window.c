/*
 * Windows of silences: lines and JSON in and out, what is refused, and when they come, also in
 * the nights in which clocks are changed.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/silence.h"
#include "alertd/route/window.h"
#include "lib/base/clock.h"
#include "tests/lib/row.h"

static int64_t instant(const char *text)
{
    int64_t at_ms = 0;

    assert_int_equal(clock_parse_rfc3339(text, &at_ms), 0);
    return at_ms;
}

static void test_a_line_is_read_and_printed(void **state)
{
    static const struct {
        const char *line, *printed, *json;
    } rows[] = {
        {"sat,sun 02:00-04:00 Europe/Berlin", "sat,sun 02:00-04:00 Europe/Berlin",
         "[{\"times\":[{\"start_time\":\"02:00\",\"end_time\":\"04:00\"}],\"weekdays\":[\"saturday"
         "\",\"sunday\"],\"location\":\"Europe/Berlin\"}]"},
        {"02:00-04:00", "02:00-04:00 UTC",
         "[{\"times\":[{\"start_time\":\"02:00\",\"end_time\":\"04:00\"}],\"location\":\"UTC\"}]"},
        {"  Europe/Berlin Monday-FRIDAY  ", "mon-fri Europe/Berlin",
         "[{\"weekdays\":[\"monday:friday\"],\"location\":\"Europe/Berlin\"}]"},
        {"fri-mon", "fri-sat,sun-mon UTC",
         "[{\"weekdays\":[\"friday:saturday\",\"sunday:monday\"],\"location\":\"UTC\"}]"},
        {"mon-fri 12:00-13:00,15:00-15:30; sat 09:00-11:00 CET",
         "mon-fri 12:00-13:00,15:00-15:30 UTC; sat 09:00-11:00 CET", NULL},
        {"days=1:7,-1 months=jan:mar,12 years=2026:2027 20:00-00:00",
         "20:00-24:00 days=1:7,-1 months=january:march,december years=2026:2027 UTC", NULL},
        /* over midnight: the second part is on the day after */
        {"sat 22:00-02:00", "sat 22:00-24:00 UTC; sun 00:00-02:00 UTC", NULL},
        {"mon-fri 22:00-02:00", "mon-fri 22:00-24:00 UTC; tue-sat 00:00-02:00 UTC", NULL},
        {"sat-sun 22:00-02:00", "sat,sun 22:00-24:00 UTC; sun-mon 00:00-02:00 UTC", NULL},
        {"22:00-02:00", "22:00-24:00,00:00-02:00 UTC", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str printed = STR_INIT(4096);
        STR_AUTO struct str again = STR_INIT(4096);
        STR_AUTO struct str json = STR_INIT(4096);
        ARENA_AUTO struct arena arena;
        struct zones zones = {0};
        struct route_interval window;
        struct err err = {0};

        row("%s", rows[i].line);
        arena_init(&arena, 256 * 1024);
        int r = route_window_parse(rows[i].line, &arena, &zones, &window, &err);
        if (r)
            row("%s", err.text);
        assert_int_equal(r, 0);
        route_window_print(&window, &printed);
        assert_string_equal(str_text(&printed), rows[i].printed);
        route_window_json(&window, &json);
        if (rows[i].json)
            assert_string_equal(str_text(&json), rows[i].json);

        row("what was printed reads as what it was printed from, as a line and as JSON");
        assert_int_equal(route_window_parse(str_text(&printed), &arena, &zones, &window, &err), 0);
        route_window_json(&window, &again);
        assert_string_equal(str_text(&again), str_text(&json));
        assert_int_equal(route_window_read(str_text(&json), &arena, &zones, &window, &err), 0);
        str_cut(&again, 0);
        route_window_print(&window, &again);
        assert_string_equal(str_text(&again), str_text(&printed));
        zones_done(&zones);
    }
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *text;
        bool is_json;
        const char *words; /* some of them */
    } rows[] = {
        {"", false, "say when"},
        {"Europe/Berlin", false, "say when"},
        {"sat 02:00", false, "\"02:00\": expected a time of day"},
        {"sat 02:00-02:00", false, "it ends when it begins"},
        {"sat 02:00-25:00", false, "00:00 to 24:00"},
        {"someday 02:00-04:00", false, "\"someday\": expected weekdays"},
        {"sat,,sun", false, "between two commas"},
        {"sat 02:00-04:00 Europe/Nowhere", false, "Europe/Nowhere"},
        {"sat 02:00-04:00 UTC CET", false, "one time zone"},
        {"days=0", false, "day of the month"},
        {"days=1 22:00-02:00", false, "write two"},
        {"months=soon", false, "expected a month"},
        {"sat 'x': 1", false, "no word"},
        {"{}", true, "window: say when"},
        {"[]", true, "window: expected"},
        {"\"x\"", true, "window: expected"},
        {"[{\"weekdays\":[\"saturday\"]},{\"weekdays\":[\"sat\"]}]", true,
         "window[1].weekdays: \"sat\" is no weekday"},
        {"{\"times\":[{\"start_time\":\"17:00\",\"end_time\":\"09:00\"}]}", true, "window.times: "},
        {"{\"weekdays\":[]}", true, "window: say when"},
        {"{\"hours\":[1]}", true, "window.hours: "},
        {"{\"days_of_month\":[32]}", true, "window.days_of_month: "},
        {"{\"weekdays\":[\"monday\"],\"location\":\"Mars/Olympus\"}", true, "window.location: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ARENA_AUTO struct arena arena;
        struct zones zones = {0};
        struct route_interval window;
        struct err err = {0};

        row("%s", rows[i].text);
        arena_init(&arena, 256 * 1024);
        int r = rows[i].is_json ? route_window_read(rows[i].text, &arena, &zones, &window, &err)
                                : route_window_parse(rows[i].text, &arena, &zones, &window, &err);

        assert_true(r != 0);
        if (!strstr(err.text, rows[i].words))
            row("said: %s", err.text);
        assert_non_null(strstr(err.text, rows[i].words));
        assert_int_equal(err.line, 0);
        zones_done(&zones);
    }
}

/* "from/to" of what comes, with blanks between. */
static void ahead(const struct route_interval *window,
                  int64_t at_ms,
                  int64_t until_ms,
                  size_t max,
                  struct str *out)
{
    struct route_stretch stretches[4];
    size_t n = route_interval_ahead(window, at_ms, until_ms, stretches, max);
    char text[CLOCK_TEXT_MAX];

    for (size_t i = 0; i < n; i++) {
        str_addf(out, "%s%.16s", i ? " " : "", clock_rfc3339(stretches[i].from_ms, text));
        str_addf(out, "/%.16s", clock_rfc3339(stretches[i].to_ms, text));
    }
}

static void test_when_it_comes(void **state)
{
    static const struct {
        const char *line, *at, *until, *comes;
    } rows[] = {
        {"sat,sun 02:00-04:00 Europe/Berlin", "2026-11-27T12:00:00Z", "2030-01-01T00:00:00Z",
         "2026-11-28T01:00/2026-11-28T03:00 2026-11-29T01:00/2026-11-29T03:00"},
        /* inside of one: the next ones */
        {"sat,sun 02:00-04:00 Europe/Berlin", "2026-11-28T01:30:30Z", "2030-01-01T00:00:00Z",
         "2026-11-29T01:00/2026-11-29T03:00 2026-12-05T01:00/2026-12-05T03:00"},
        /* clocks go forward at 01:00Z: what is left of it is an hour */
        {"sun 02:00-04:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-04-01T00:00:00Z",
         "2026-03-29T01:00/2026-03-29T02:00"},
        /* 02:00-03:00 does not come that night */
        {"02:00-03:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-31T12:00:00Z",
         "2026-03-30T00:00/2026-03-30T01:00 2026-03-31T00:00/2026-03-31T01:00"},
        /* clocks go back at 01:00Z: it lasts for three hours */
        {"sun 02:00-04:00 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T00:00:00Z",
         "2026-10-25T00:00/2026-10-25T03:00"},
        /* 02:30 comes twice, and so does it */
        {"02:30-03:00 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T00:00:00Z",
         "2026-10-25T00:30/2026-10-25T01:00 2026-10-25T01:30/2026-10-25T02:00"},
        /* an hour and a half that begins before the change and ends behind it */
        {"01:30-02:30 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z",
         "2026-10-24T23:30/2026-10-25T00:30 2026-10-25T01:00/2026-10-25T01:30"},
        /* over midnight it is one stretch */
        {"sat 22:00-02:00", "2026-11-27T00:00:00Z", "2026-12-10T00:00:00Z",
         "2026-11-28T22:00/2026-11-29T02:00 2026-12-05T22:00/2026-12-06T02:00"},
        /* half an hour of offset */
        {"09:00-10:00 Asia/Kolkata", "2026-11-27T00:00:00Z", "2026-11-27T23:00:00Z",
         "2026-11-27T03:30/2026-11-27T04:30"},
        {"days=29 months=feb", "2026-11-27T00:00:00Z", "2040-01-01T00:00:00Z",
         "2028-02-29T00:00/2028-03-01T00:00 2032-02-29T00:00/2032-03-01T00:00"},
        {"days=-1", "2026-11-27T00:00:00Z", "2026-12-31T12:00:00Z",
         "2026-11-30T00:00/2026-12-01T00:00 2026-12-31T00:00/2026-12-31T12:00"},
        {"years=2025", "2026-11-27T00:00:00Z", "9999-12-31T00:00:00Z", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str out = STR_INIT(4096);
        ARENA_AUTO struct arena arena;
        struct zones zones = {0};
        struct route_interval window;

        row("%s from %s", rows[i].line, rows[i].at);
        arena_init(&arena, 256 * 1024);
        assert_int_equal(route_window_parse(rows[i].line, &arena, &zones, &window, NULL), 0);
        ahead(&window, instant(rows[i].at), instant(rows[i].until), 2, &out);
        assert_string_equal(str_text(&out), rows[i].comes);
        zones_done(&zones);
    }
}

/* Minute by minute through both changes of clocks: no edge is missed, and none is made up. */
static void test_edges_are_where_it_changes(void **state)
{
    static const char *const lines[] = {
        "01:30-02:30 Europe/Berlin", "sun 02:00-03:00 Europe/Berlin",
        "mon-fri 09:00-17:00 Australia/Lord_Howe", "sat 22:00-02:00 America/New_York; days=29 UTC"};
    static const char *const from[] = {"2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z",
                                       "2026-04-03T00:00:00Z", "2026-10-30T00:00:00Z"};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        for (size_t k = 0; k < sizeof(from) / sizeof(*from); k++) {
            int64_t at_ms = instant(from[k]);
            int64_t until_ms = at_ms + 4 * INT64_C(86400000);
            ARENA_AUTO struct arena arena;
            struct zones zones = {0};
            struct route_interval window;

            row("%s from %s", lines[i], from[k]);
            arena_init(&arena, 256 * 1024);
            assert_int_equal(route_window_parse(lines[i], &arena, &zones, &window, NULL), 0);
            int64_t edge_ms = route_interval_edge(&window, at_ms, until_ms);
            for (int64_t t = at_ms + 60000; t <= until_ms; t += 60000)
                if (route_interval_holds(&window, t) != route_interval_holds(&window, t - 60000)) {
                    assert_int_equal(edge_ms, t);
                    edge_ms = route_interval_edge(&window, t, until_ms);
                }
            assert_int_equal(edge_ms, INT64_MAX);
            zones_done(&zones);
        }
}

static void test_a_silence_with_one(void **state)
{
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};
    struct route_interval window;
    struct silence silence = {.id = "x",
                              .starts_at_ms = instant("2026-11-28T03:00:00Z"),
                              .ends_at_ms = instant("2026-12-05T03:30:00Z"),
                              .window = &window};

    (void)state;
    arena_init(&arena, 256 * 1024);
    assert_int_equal(route_window_parse("sat 02:00-04:00", &arena, &zones, &window, NULL), 0);
    row("it mutes within both only");
    assert_int_equal(silence_state(&silence, instant("2026-11-28T02:59:59Z")), SILENCE_PENDING);
    assert_int_equal(silence_state(&silence, instant("2026-11-28T03:00:00Z")), SILENCE_ACTIVE);
    assert_int_equal(silence_state(&silence, instant("2026-11-28T03:59:59Z")), SILENCE_ACTIVE);
    assert_int_equal(silence_state(&silence, instant("2026-11-28T04:00:00Z")), SILENCE_PENDING);
    assert_int_equal(silence_state(&silence, instant("2026-12-05T02:30:00Z")), SILENCE_ACTIVE);
    assert_int_equal(silence_state(&silence, instant("2026-12-05T03:30:00Z")), SILENCE_EXPIRED);
    row("its span by itself does not end between them");
    assert_int_equal(silence_span_state(&silence, instant("2026-11-30T00:00:00Z")), SILENCE_ACTIVE);
    zones_done(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_read_and_printed),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_when_it_comes),
        cmocka_unit_test(test_edges_are_where_it_changes),
        cmocka_unit_test(test_a_silence_with_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
