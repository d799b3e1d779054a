/*
 * Calendars in: what an event means over a span. Calendars out: what a reader is told.
 */

#include "alertd/oncall/calendar.h"
#include "tests/unit/oncall/roster_text.h"

enum {
    MEMORY = 1 << 24
};

struct fixture {
    struct arena arena;
    struct zones zones;
    const struct zone *berlin;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){0};
    arena_init(&f->arena, MEMORY);
    assert_int_equal(zones_get(&f->zones, "Europe/Berlin", &f->berlin, NULL), 0);
}

static void tear_down(struct fixture *f)
{
    arena_reset(&f->arena);
    zones_done(&f->zones);
}

/* Events as one text with | for line breaks. */
static char *calendar_text(const char *inner)
{
    STR_AUTO struct str text = STR_INIT(1 << 20);

    str_add(&text, "BEGIN:VCALENDAR\r\n");
    for (; *inner; inner++)
        if (*inner == '|')
            str_add(&text, "\r\n");
        else
            str_addc(&text, *inner);
    str_add(&text, "\r\nEND:VCALENDAR\r\n");
    return str_take(&text);
}

static const struct {
    const char *name, *inner, *want;
} rows[] = {
    {"an event in UTC",
     "BEGIN:VEVENT|SUMMARY:ann|DTSTART:20260302T080000Z|DTEND:20260302T200000Z|END:VEVENT",
     "ann 03-02T08-03-02T20;"},
    {"a level, folded lines, spaces",
     "BEGIN:VEVENT|SUMMARY: [L3] a| nn |DTSTART:20260302T080000Z|DURATION:PT1H|END:VEVENT",
     "3ann 03-02T08-03-02T09;"},
    {"weekly across the change of clocks",
     "BEGIN:VEVENT|SUMMARY:ann|DTSTART;TZID=Europe/Berlin:20260323T090000|DTEND;TZID="
     "Europe/Berlin:20260323T100000|RRULE:FREQ=WEEKLY;COUNT=2|END:VEVENT",
     "ann 03-23T08-03-23T09; ann 03-30T07-03-30T08;"},
    {"every other week on two days, the week beginning on Sunday",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART:20260303T000000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY;INTERVAL=2;"
     "WKST=SU;BYDAY=TU,SU;UNTIL=20260331T000000Z|END:VEVENT",
     "a 03-03T00-03-03T01; a 03-15T00-03-15T01; a 03-17T00-03-17T01; a 03-29T00-03-29T01; a "
     "03-31T00-03-31T01;"},
    {"the same, the week beginning on Monday",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART:20260303T000000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY;INTERVAL=2;"
     "WKST=MO;BYDAY=TU,SU;COUNT=4|END:VEVENT",
     "a 03-03T00-03-03T01; a 03-08T00-03-08T01; a 03-17T00-03-17T01; a 03-22T00-03-22T01;"},
    {"whole days, of one date each",
     "BEGIN:VEVENT|SUMMARY:bob|DTSTART;VALUE=DATE:20260328|DTEND;VALUE=DATE:20260330|END:VEVENT",
     "bob 03-27T23-03-29T22;"},
    {"the last Friday, and the second Monday",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART:20260227T120000Z|DURATION:PT1H|RRULE:FREQ=MONTHLY;BYDAY=-1FR,"
     "2MO|END:VEVENT",
     "a 03-09T12-03-09T13; a 03-27T12-03-27T13;"},
    {"the last day of the month",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART:20240229T120000Z|DURATION:PT1H|RRULE:FREQ=MONTHLY;BYMONTHDAY="
     "-1|END:VEVENT",
     "a 03-31T12-03-31T13;"},
    {"yearly, from long ago",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART:19700314T000000Z|DURATION:P1D|RRULE:FREQ=YEARLY|END:VEVENT",
     "a 03-14T00-03-15T00;"},
    {"yearly, a weekday of a month",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART:20200308T000000Z|DURATION:PT1H|RRULE:FREQ=YEARLY;BYMONTH=3;"
     "BYDAY=2SU|END:VEVENT",
     "a 03-08T00-03-08T01;"},
    {"daily on weekdays of some days of the month",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART:20260302T000000Z|DURATION:PT1H|RRULE:FREQ=DAILY;BYDAY=MO,TU;"
     "BYMONTHDAY=2,3,4|END:VEVENT",
     "a 03-02T00-03-02T01; a 03-03T00-03-03T01;"},
    {"left out by EXDATE, told anew by RECURRENCE-ID, cancelled",
     "BEGIN:VEVENT|UID:u|SUMMARY:a|DTSTART:20260302T000000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=5|"
     "EXDATE:20260303T000000Z|END:VEVENT|BEGIN:VEVENT|UID:u|RECURRENCE-ID:20260304T000000Z|SUMMARY:"
     "b|DTSTART:20260304T060000Z|DURATION:PT1H|END:VEVENT|BEGIN:VEVENT|UID:u|RECURRENCE-ID:"
     "20260305T000000Z|SUMMARY:a|STATUS:CANCELLED|DTSTART:20260305T000000Z|END:VEVENT",
     "a 03-02T00-03-02T01; b 03-04T06-03-04T07; a 03-06T00-03-06T01;"},
    {"a zone that the calendar brings along",
     "BEGIN:VTIMEZONE|TZID:W. Europe Standard Time|BEGIN:STANDARD|DTSTART:16010101T030000|"
     "TZOFFSETFROM:+0200|TZOFFSETTO:+0100|RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10|END:STANDARD|"
     "BEGIN:DAYLIGHT|DTSTART:16010101T020000|TZOFFSETFROM:+0100|TZOFFSETTO:+0200|RRULE:FREQ=YEARLY;"
     "BYDAY=-1SU;BYMONTH=3|END:DAYLIGHT|END:VTIMEZONE|BEGIN:VEVENT|SUMMARY:a|DTSTART;TZID=\"W. "
     "Europe Standard Time\":20260328T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2|END:VEVENT",
     "a 03-28T08-03-28T09; a 03-29T07-03-29T08;"},
    {"a zone's name behind a vendor's",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART;TZID=/mozilla.org/20050126_1/Asia/Tokyo:20260303T090000|"
     "DURATION:PT1H|END:VEVENT",
     "a 03-03T00-03-03T01;"},
    {"what is not understood is named",
     "BEGIN:VEVENT|SUMMARY:a|DTSTART:20260302T000000Z|DURATION:PT1H|RRULE:FREQ=HOURLY|END:VEVENT|"
     "BEGIN:VEVENT|DTSTART:20260302T000000Z|DURATION:PT1H|END:VEVENT|BEGIN:VTODO|END:VTODO",
     "! line 12: VTODO: only events are read! line 2: a: RRULE has a part or a value that is not "
     "understood! line 8: an event: it has no SUMMARY, which names the person"},
};

static char *hour_text(int64_t at_ms, char *text)
{
    char rfc[CLOCK_TEXT_MAX];

    (void)snprintf(text, CLOCK_TEXT_MAX, "%.8s", clock_rfc3339(at_ms, rfc) + 5);
    return text;
}

static void test_events(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        MEM_AUTO char *text = calendar_text(rows[i].inner);
        STR_AUTO struct str got = STR_INIT(4096);
        struct calendar calendar;
        struct err err = {0};
        struct fixture f;
        char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];

        row("%s", rows[i].name);
        set_up(&f);
        if (calendar_read(text, strlen(text), f.berlin, &f.zones, instant("2026-03-01T00:00:00Z"),
                          instant("2026-04-01T00:00:00Z"), &f.arena, &calendar, &err))
            fail_msg("line %u: %s", err.line, err.text);
        for (size_t j = 0; j < calendar.n_shifts; j++) {
            const struct calendar_shift *shift = &calendar.shifts[j];

            str_addf(&got, "%s", j ? " " : "");
            if (shift->level)
                str_addf(&got, "%d", shift->level);
            str_addf(&got, "%s %s-%s;", shift->title, hour_text(shift->from_ms, from),
                     hour_text(shift->to_ms, to));
        }
        for (size_t j = 0; j < calendar.n_untold; j++)
            str_addf(&got, "! %s", calendar.untold[j]);
        assert_string_equal(str_text(&got), rows[i].want);
        tear_down(&f);
    }
}

static const struct {
    const char *text;
    unsigned line;
} refused[] = {
    {"", 1},
    {"hello", 1},
    {"BEGIN:VEVENT\n", 1},
    {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", 3},
    {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:2026\nEND:VEVENT\nEND:VCALENDAR\n", 3},
    {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260230\nEND:VEVENT\nEND:VCALENDAR\n", 3},
    {"BEGIN:VCALENDAR\n\n\nBEGIN:VEVENT\nSUMMARY:a\n b\nDURATION:never\n", 7},
    {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:a\nDTSTART;TZID=Mars/Base:20260303T000000\n"
     "DURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n",
     2},
    {"BEGIN:VCALENDAR\n", 2},
};

static void test_mistakes_name_their_line(void **state)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct calendar calendar;
        struct err err = {0};
        struct fixture f;

        row("%s", refused[i].text);
        set_up(&f);
        assert_int_equal(calendar_read(refused[i].text, strlen(refused[i].text), f.berlin, &f.zones,
                                       0, INT64_C(4000000000000), &f.arena, &calendar, &err),
                         CALENDAR_E_SYNTAX);
        assert_int_equal(err.line, refused[i].line);
        tear_down(&f);
    }
}

/* A rule that never comes, and one that comes too often: an end, at once. */
static void test_expansion_is_bounded(void **state)
{
    static const char *const never =
        "BEGIN:VEVENT|SUMMARY:a|DTSTART:19700101T000000Z|DURATION:PT1H|RRULE:FREQ=YEARLY;BYMONTH=2;"
        "BYMONTHDAY=31|END:VEVENT";
    static const char *const often =
        "BEGIN:VEVENT|SUMMARY:a|DTSTART:00010101T000000Z|DURATION:PT1H|RRULE:FREQ=DAILY|END:VEVENT";
    struct calendar calendar;
    struct err err = {0};
    struct fixture f;

    for (int i = 0; i < 2; i++) {
        MEM_AUTO char *text = calendar_text(i ? often : never);

        set_up(&f);
        int rc = calendar_read(text, strlen(text), f.berlin, &f.zones,
                               instant("0001-01-01T00:00:00Z"), instant("9999-01-01T00:00:00Z"),
                               &f.arena, &calendar, &err);

        assert_int_equal(rc, i ? CALENDAR_E_LIMIT : 0);
        tear_down(&f);
    }
}

static const char roster_text[] =
    "{'people':[{'name':'ann'},{'name':'böb, the long; one'},{'name':'eve'}],'schedules':[{'name':"
    "'s','title':'Who\\nis on','zone':'Europe/Berlin','layers':[{'name':'l','rotation':{'unit':"
    "'days','every':1,'first_turn':'2026-03-01T09:00','people':['ann','böb, the long; one']}}],"
    "'overrides':[{'id':'o','kind':'replace','person':'ann','from':'2026-03-04T00:00:00Z','to':"
    "'2026-03-04T01:00:00Z','note':'ööööööööööööööööööööööööööööööööööööööööööööööööööööööööööö'}]}],"
    "'shadows':[{'id':'x','person':'eve','target_kind':'person','target':'ann','from':"
    "'2026-03-02T00:00:00Z','to':'2026-03-03T00:00:00Z','mode':'observe'}]}";

static void check_lines(const char *text)
{
    while (*text) {
        const char *stop = strstr(text, "\r\n");

        assert_non_null(stop);
        assert_true(stop - text <= 75);
        assert_null(memchr(text, '\n', (size_t)(stop - text)));
        assert_true((*text & 0xc0) != 0x80); /* no character is cut */
        if (*text == ' ')
            assert_true((text[1] & 0xc0) != 0x80);
        text = stop + 2;
    }
}

/* What was written reads back as the final lane (the shadow aside). */
static void test_out_and_in_again(void **state)
{
    STR_AUTO struct str text = STR_INIT(1 << 20);
    int64_t from_ms = instant("2026-03-01T08:00:00Z"), to_ms = instant("2026-04-01T07:00:00Z");
    struct calendar_settings settings = {"host", from_ms, 7, NULL, 30};
    struct schedule_spans spans;
    struct calendar calendar;
    struct err err = {0};
    struct fixture f;
    size_t n_shadows = 0;

    set_up(&f);
    struct roster roster = roster_of(roster_text, &f.zones, &f.arena);

    assert_int_equal(schedule_spans(roster.schedules, roster.shadows, roster.n_shadows, from_ms,
                                    to_ms, &f.arena, &spans, &err),
                     0);
    calendar_write(roster.schedules, &spans, &settings, &text);
    check_lines(str_text(&text));
    assert_non_null(strstr(str_text(&text), "X-WR-CALNAME:Who\\nis on\r\n"));
    assert_non_null(strstr(str_text(&text), "SEQUENCE:7\r\n"));
    assert_non_null(strstr(str_text(&text), "TRANSP:TRANSPARENT\r\n"));
    assert_non_null(strstr(str_text(&text), "SUMMARY:böb\\, the long\\; one\r\n"));
    assert_int_equal(calendar_read(str_text(&text), text.len, f.berlin, &f.zones, from_ms, to_ms,
                                   &f.arena, &calendar, &err),
                     0);
    assert_int_equal(calendar.n_untold, 0);
    for (size_t i = 0, j = 0; i < calendar.n_shifts; i++) {
        if (strstr(calendar.shifts[i].title, "shadow")) {
            n_shadows++;
            continue;
        }
        assert_string_equal(calendar.shifts[i].title, spans.final.spans[j].on_call.person);
        assert_true(calendar.shifts[i].from_ms == spans.final.spans[j].from_ms);
        assert_true(calendar.shifts[i].to_ms == spans.final.spans[j].to_ms);
        j++;
    }
    assert_int_equal(n_shadows, spans.shadows.n);
    tear_down(&f);
}

/* Asked for again in the middle of the running shift, every identity is an old one. */
static void test_identities_stay(void **state)
{
    STR_AUTO struct str before = STR_INIT(1 << 20), after = STR_INIT(1 << 20);
    int64_t from_ms = instant("2026-03-01T08:00:00Z"), to_ms = instant("2026-04-01T07:00:00Z");
    struct calendar_settings settings = {"host", from_ms, 7, "ann", 30};
    struct schedule_spans spans;
    struct fixture f;
    size_t n = 0;

    set_up(&f);
    struct roster roster = roster_of(roster_text, &f.zones, &f.arena);

    assert_int_equal(
        schedule_spans(roster.schedules, NULL, 0, from_ms, to_ms, &f.arena, &spans, NULL), 0);
    calendar_write(roster.schedules, &spans, &settings, &before);
    assert_int_equal(
        schedule_spans(roster.schedules, NULL, 0, from_ms + 3600000, to_ms, &f.arena, &spans, NULL),
        0);
    calendar_write(roster.schedules, &spans, &settings, &after);
    for (const char *uid = strstr(str_text(&after), "UID:"); uid; uid = strstr(uid + 4, "UID:")) {
        char line[64];

        (void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(uid, "\r"), uid);
        assert_non_null(strstr(str_text(&before), line));
        n++;
    }
    assert_true(n > 10);
    assert_null(strstr(str_text(&after), "böb"));
    tear_down(&f);
}

static void test_shifts_become_layers(void **state)
{
    MEM_AUTO char *text = calendar_text(
        "X-WR-CALNAME:Team|BEGIN:VEVENT|SUMMARY:ann|DTSTART:20260302T000000Z|DURATION:PT8H|"
        "RRULE:FREQ=DAILY;COUNT=3|END:VEVENT|BEGIN:VEVENT|SUMMARY:bob|DTSTART:20260302T040000Z|"
        "DURATION:PT2H|END:VEVENT|BEGIN:VEVENT|SUMMARY:[L1] cat|DTSTART:20260303T000000Z|DURATION:"
        "PT1H|END:VEVENT");
    struct on_call people[ON_CALL_MAX];
    struct schedule schedule;
    struct calendar calendar;
    struct fixture f;

    set_up(&f);
    assert_int_equal(calendar_read(text, strlen(text), f.berlin, &f.zones,
                                   instant("2026-03-01T00:00:00Z"), instant("2026-04-01T00:00:00Z"),
                                   &f.arena, &calendar, NULL),
                     0);
    assert_int_equal(calendar_schedule(&calendar, "team", f.berlin, &f.arena, &schedule, NULL), 0);
    assert_string_equal(schedule.title, "Team");
    assert_int_equal(schedule_at(&schedule, instant("2026-03-02T05:00:00Z"), people, NULL), 2);
    assert_int_equal(schedule_at(&schedule, instant("2026-03-03T00:30:00Z"), people, NULL), 1);
    assert_string_equal(people[0].person, "cat");
    assert_int_equal(schedule_at(&schedule, instant("2026-03-03T01:30:00Z"), people, NULL), 1);
    assert_string_equal(people[0].person, "ann");
    assert_int_equal(schedule_at(&schedule, instant("2026-03-09T01:30:00Z"), people, NULL), 0);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_mistakes_name_their_line),
        cmocka_unit_test(test_expansion_is_bounded),
        cmocka_unit_test(test_out_and_in_again),
        cmocka_unit_test(test_identities_stay),
        cmocka_unit_test(test_shifts_become_layers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
