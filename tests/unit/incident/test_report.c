/*
 * A report, written as a story: what happened at which minute, and the numbers of it.
 *
 *     "i1@10 a1@12 r1@40"     incident 1 opened at minute 10, acknowledged, resolved by itself
 *     "c1@40"                 a person resolved it
 *     "F1A@10 E1A@40"         an alert of rule A fires in it, ends
 *     "p1x@11"                receiver x was paged about it
 *     "u1A n1A d1A"           somebody says of rule A in it: useful, noise, don't know
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/incident/flap.h"
#include "alertd/incident/report.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"

enum {
    MANY = 64,
    ARENA_BYTES = 1024 * 1024,
    MINUTE_MS = 60000,
};

static const int64_t base_ms = INT64_C(1767571200000); /* Monday 2026-01-05 00:00 UTC */

struct story {
    struct report_incident incidents[MANY];
    struct report_page pages[MANY];
    struct report_change changes[MANY];
    struct report_vote votes[MANY];
    struct report_shift shifts[REPORT_DAYS_MAX];
    char texts[MANY][2];
    size_t n_texts;
    struct report_input input;
    struct zone *zone;
    struct arena arena;
    struct report report;
};

static const char *text_of(struct story *story, char c)
{
    char *text = story->texts[story->n_texts++];

    assert_true(story->n_texts <= MANY);
    text[0] = c;
    text[1] = '\0';
    return text;
}

static enum verdict verdict_of(char c)
{
    return c == 'u' ? VERDICT_USEFUL : c == 'n' ? VERDICT_NOISE : VERDICT_UNKNOWN;
}

static void take_incident(struct story *story, char verb, int64_t id, int64_t at_ms)
{
    struct report_incident *one = &story->incidents[id];

    one->id = id;
    if (verb == 'i') {
        one->opened_at_ms = at_ms;
        story->input.n_incidents++;
    } else if (verb == 'a') {
        one->acknowledged_at_ms = at_ms;
    } else {
        one->resolved_at_ms = at_ms;
        one->resolved_by_person = verb == 'c';
    }
}

static void take(struct story *story, const char *word)
{
    struct report_input *in = &story->input;
    int64_t id = word[1] - '0';
    const char *at = strchr(word, '@');
    int64_t at_ms = base_ms + (at ? strtoll(at + 1, NULL, 10) * MINUTE_MS : 0);

    switch (word[0]) {
    case 'i':
    case 'a':
    case 'r':
    case 'c': take_incident(story, word[0], id, at_ms); break;
    case 'F':
    case 'E':
        in->changes[in->n_changes++] = (struct report_change){
            .incident_id = id,
            .rule_id = word[2],
            .rule = text_of(story, word[2]),
            .instance = "",
            .fingerprint = 1,
            .at_ms = at_ms,
            .fires = word[0] == 'F',
            .step_ms = MINUTE_MS,
        };
        break;
    case 'p':
        in->pages[in->n_pages++] = (struct report_page){id, text_of(story, word[2]), at_ms};
        break;
    default:
        assert_non_null(strchr("und", word[0]));
        in->votes[in->n_votes++] = (struct report_vote){id, word[2], text_of(story, word[2]),
                                                        verdict_of(word[0])};
    }
}

/* The report of minutes [from, to), with its days as shifts; ended with story_done(). */
static void tell(struct story *story, const char *script, int64_t from, int64_t to)
{
    char words[1024];
    char *rest = words;
    struct err err = {0};

    memset(story, 0, sizeof(*story)); /* a copy of it would be more than a stack's frame may be */
    story->input = (struct report_input){
        .from_ms = base_ms + from * MINUTE_MS,
        .to_ms = base_ms + to * MINUTE_MS,
        .incidents = story->incidents + 1, /* numbers begin at 1 */
        .pages = story->pages,
        .changes = story->changes,
        .votes = story->votes,
        .shifts = story->shifts,
    };
    assert_int_equal(zone_open("UTC", &story->zone, &err), 0);
    story->input.zone = story->zone;
    story->input.n_shifts = report_days(story->zone, story->input.from_ms, story->input.to_ms,
                                        story->shifts);
    assert_true(strlen(script) < sizeof(words));
    (void)snprintf(words, sizeof(words), "%s", script);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
        if (*word)
            take(story, word);
    arena_init(&story->arena, ARENA_BYTES);
    if (report_make(&story->input, &story->arena, &story->report, &err))
        fail_msg("%s", err.text);
}

static void story_done(struct story *story)
{
    arena_reset(&story->arena);
    zone_free(story->zone);
}

/* "A i2 p3 night1 u1 n0 d0 -1" for each rule, in the report's order. */
static void rules_text(const struct report *report, struct str *out)
{
    for (size_t i = 0; i < report->n_rules; i++) {
        const struct report_rule_row *row = &report->rules[i];

        str_addf(out, "%s%s i%u p%u night%u u%u n%u d%u -%u", i ? ", " : "", row->rule,
                 row->load.incidents, row->load.pages, row->load.night_pages, row->useful,
                 row->noise, row->unknown, row->unanswered);
    }
}

static void test_rules(void **state)
{
    static const struct {
        const char *name, *script, *rules;
    } rows[] = {
        {"nothing happened", "", ""},
        {"one page, nobody said", "i1@600 F1A@600 p1x@600", "A i1 p1 night0 u0 n0 d0 -1"},
        {"at three in the morning", "i1@180 F1A@180 p1x@180", "A i1 p1 night1 u0 n0 d0 -1"},
        {"seven is day, 22 is night", "i1@420 F1A@420 p1x@420 p1x@1319 p1x@1320",
         "A i1 p3 night1 u0 n0 d0 -1"},
        {"two persons against one", "i1@600 F1A@600 n1A n1A u1A", "A i1 p0 night0 u0 n1 d0 -0"},
        {"one against one: nobody knows", "i1@600 F1A@600 n1A u1A", "A i1 p0 night0 u0 n0 d1 -0"},
        {"a rule that joined after the vote was not judged",
         "i1@600 F1A@600 p1x@600 n1A F1B@660 p1x@660",
         "A i1 p2 night0 u0 n1 d0 -0, B i1 p1 night0 u0 n0 d0 -1"},
        {"noise first, then pages", "i1@600 F1A@600 p1x@600 p1x@610 i2@700 F2B@700 p2x@700 n2B",
         "B i1 p1 night0 u0 n1 d0 -0, A i1 p2 night0 u0 n0 d0 -1"},
        {"opened before the span, paged in it: counted with its page",
         "i1@-60 F1A@-60 p1x@-60 p1x@10", "A i1 p1 night1 u0 n0 d0 -1"},
        {"opened before the span and silent in it: not counted", "i1@-60 F1A@-60 p1x@-60", ""},
        {"a page after the span", "i1@1500 F1A@1500 p1x@1500", ""},
        {"an alert that comes back is one rule in one incident",
         "i1@600 F1A@600 E1A@601 F1A@602 p1x@603", "A i1 p1 night0 u0 n0 d0 -1"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str got = STR_INIT(1024);
        static struct story story;

        row("%s", rows[i].name);
        tell(&story, rows[i].script, 0, 1440);
        rules_text(&story.report, &got);
        assert_string_equal(str_text(&got), rows[i].rules);
        story_done(&story);
    }
}

static void test_times(void **state)
{
    static struct story story;

    tell(&story,
         "i1@600 a1@601 r1@603 i2@600 a2@603 c2@602 i3@600 r3@604 i4@600 r4@605 i5@-5 a5@600", 0,
         1440);
    assert_int_equal(story.report.load.incidents, 4);
    assert_int_equal(story.report.to_acknowledge.n, 2);
    assert_int_equal(story.report.to_acknowledge.median_ms, 1 * MINUTE_MS);
    assert_int_equal(story.report.to_acknowledge.p90_ms, 3 * MINUTE_MS);
    assert_int_equal(story.report.to_acknowledge.max_ms, 3 * MINUTE_MS);
    assert_int_equal(story.report.to_resolve.n, 4);
    assert_int_equal(story.report.to_resolve.median_ms, 3 * MINUTE_MS);
    assert_int_equal(story.report.to_resolve.max_ms, 5 * MINUTE_MS);
    assert_int_equal(story.report.never_acknowledged, 2);
    row("five minutes to the millisecond are not under five; a person's end is not by itself");
    assert_int_equal(story.report.self_resolved_fast, 2);
    story_done(&story);
}

static void test_people_and_shifts(void **state)
{
    static struct story story;

    tell(&story, "i1@600 F1A@600 p1x@600 p1y@600 p1x@700 p1x@1500 i2@1400 F2A@1400 p2y@1400", 0,
         2880);
    assert_int_equal(story.report.n_people, 2);
    assert_string_equal(story.report.people[0].who, "x");
    assert_int_equal(story.report.people[0].load.pages, 3);
    assert_int_equal(story.report.people[0].load.incidents, 1);
    assert_int_equal(story.report.people[1].load.pages, 2);
    assert_int_equal(story.report.people[1].load.incidents, 2);
    assert_int_equal(story.report.people[1].load.night_pages, 1);
    row("days: four pages of two incidents, then one at one in the morning");
    assert_int_equal(story.report.n_shifts, 2);
    assert_int_equal(story.report.shifts[0].load.pages, 4);
    assert_int_equal(story.report.shifts[0].load.incidents, 2);
    assert_int_equal(story.report.shifts[1].load.pages, 1);
    assert_int_equal(story.report.shifts[1].load.night_pages, 1);
    story_done(&story);
}

/* Somebody's shift has only their pages; where they live decides what is night. */
static void test_a_persons_own(void **state)
{
    static const char *const script = "i1@840 F1A@840 p1x@840 p1y@840";
    struct report_shift shift = {"x", base_ms, base_ms + 1440 * MINUTE_MS};
    struct report_home home = {.who = "x"};
    struct zone *tokyo = NULL;
    struct report report;
    static struct story story;
    struct err err = {0};

    if (zone_open("Asia/Tokyo", &tokyo, &err))
        fail_msg("%s", err.text);
    home.zone = tokyo;
    tell(&story, script, 0, 1440);
    assert_int_equal(story.report.load.night_pages, 0);
    story.input.shifts = &shift;
    story.input.n_shifts = 1;
    story.input.homes = &home;
    story.input.n_homes = 1;
    assert_int_equal(report_make(&story.input, &story.arena, &report, &err), 0);
    assert_int_equal(report.load.pages, 2);
    assert_int_equal(report.load.night_pages, 1); /* 14:00 UTC is 23:00 in Tokyo */
    assert_int_equal(report.shifts[0].load.pages, 1);
    assert_int_equal(report.shifts[0].load.night_pages, 1);
    story_done(&story);
    zone_free(tokyo);
}

/* Values from Wilson's formula, worked out by hand to four places. */
static void test_wilson(void **state)
{
    static const struct {
        unsigned hits, n;
        double low, high;
    } rows[] = {
        {0, 10, 0, 0.2775}, {10, 10, 0.7225, 1},      {5, 10, 0.2366, 0.7634},
        {1, 1, 0.2065, 1},  {8, 100, 0.0411, 0.1500},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct report_share got = report_wilson(rows[i].hits, rows[i].n);

        row("%u of %u", rows[i].hits, rows[i].n);
        assert_true(fabs(got.share - (double)rows[i].hits / rows[i].n) < 1e-12);
        assert_true(fabs(got.low - rows[i].low) < 0.00006);
        assert_true(fabs(got.high - rows[i].high) < 0.00006);
    }
    assert_true(isnan(report_wilson(0, 0).share));
}

/* "1011": a look a minute, 1 where the state had changed. */
static void test_flapping(void **state)
{
    static const struct {
        const char *name, *looks;
        double percent;
    } rows[] = {
        {"never", "00000", 0},
        {"once: the newest look's weight", "1", 100 * 1.18 / 20},
        {"an old one weighs less when the next comes", "10000000001", 100 * (1.18 + 0.98) / 20},
        {"at every look of twenty", "11111111111111111111", 100 * (20 * 0.8 + 0.02 * 190) / 20},
        {"and of forty: only twenty are looked at", "1111111111111111111111111111111111111111",
         100 * (20 * 0.8 + 0.02 * 190) / 20},
        {"twenty looks apart: each alone", "100000000000000000001", 100 * 1.18 / 20},
        {"the worst moment counts, not the last", "1110000000000000000000000000001",
         100 * (1.18 + 1.16 + 1.14) / 20},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t at_ms[MANY];
        size_t n = 0;

        for (int64_t look = 0; rows[i].looks[look]; look++)
            if (rows[i].looks[look] == '1')
                at_ms[n++] = base_ms + look * MINUTE_MS;
        row("%s", rows[i].name);
        assert_true(fabs(flap_percent(at_ms, n, MINUTE_MS) - rows[i].percent) < 1e-9);
    }
    row("two changes within one look are one");
    assert_true(fabs(flap_percent((const int64_t[]){1000, 2000}, 2, MINUTE_MS) - 5.9) < 1e-9);
}

static void test_what_flaps_is_named(void **state)
{
    static struct story story;

    tell(&story,
         "i1@600 F1A@600 E1A@601 i2@602 F2A@602 E2A@603 i3@604 F3A@604 E3A@605 i4@606 F4A@606"
         " i5@600 F5B@600 E5B@900",
         0, 1440);
    assert_int_equal(story.report.n_flapping, 1);
    assert_string_equal(story.report.flapping[0].rule, "A");
    assert_int_equal(story.report.flapping[0].changes, 7);
    assert_true(story.report.rules[0].flap_percent >= FLAP_HIGH_PERCENT);
    story_done(&story);
    row("the same change told in two incidents is one");
    tell(&story, "i1@600 F1A@600 E1A@601 i2@600 F2A@600 E2A@601", 0, 1440);
    assert_int_equal(story.report.n_flapping, 0);
    assert_true(fabs(story.report.rules[0].flap_percent - 100 * (1.18 + 1.16) / 20) < 1e-9);
    story_done(&story);
}

static void test_weeks(void **state)
{
    static const struct {
        const char *at, *week;
    } rows[] = {
        {"2026-11-27T12:00:00Z", "2026-W48"}, {"2026-11-22T23:59:59Z", "2026-W47"},
        {"2026-01-01T00:00:00Z", "2026-W01"}, {"2027-01-03T23:00:00Z", "2026-W53"},
        {"2027-01-04T00:00:00Z", "2027-W01"}, {"2024-12-30T00:00:00Z", "2025-W01"},
    };
    static const char *const wrong[] = {"",         "2026",     "2026-W0",  "2026-W00",
                                        "2025-W53", "2026-W54", "2026-w47", "2026-W470"};
    struct zone *utc = NULL;
    int64_t from_ms = 0;
    int64_t to_ms = 0;

    assert_int_equal(zone_open("UTC", &utc, NULL), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char week[REPORT_WEEK_MAX];
        int64_t at_ms = 0;

        row("%s", rows[i].at);
        assert_int_equal(clock_parse_rfc3339(rows[i].at, &at_ms), 0);
        report_week_of(utc, at_ms, week);
        assert_string_equal(week, rows[i].week);
        assert_int_equal(report_week_span(week, utc, &from_ms, &to_ms), 0);
        assert_true(from_ms <= at_ms && at_ms < to_ms);
        assert_int_equal(to_ms - from_ms, 7 * 86400000);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        row("no week: \"%s\"", wrong[i]);
        assert_true(report_week_span(wrong[i], utc, &from_ms, &to_ms) < 0);
    }
    zone_free(utc);
}

static void test_local_weeks_and_days(void **state)
{
    struct report_shift days[REPORT_DAYS_MAX];
    struct zone *berlin = NULL;
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    char text[CLOCK_TEXT_MAX];
    struct err err = {0};

    if (zone_open("Europe/Berlin", &berlin, &err))
        fail_msg("%s", err.text);
    row("the week in which clocks go back is an hour longer");
    assert_int_equal(report_week_span("2026-W43", berlin, &from_ms, &to_ms), 0);
    assert_string_equal(clock_rfc3339(from_ms, text), "2026-10-18T22:00:00.000Z");
    assert_int_equal(to_ms - from_ms, (7 * 24 + 1) * INT64_C(3600000));
    assert_int_equal(report_days(berlin, from_ms, to_ms, days), 7);
    assert_int_equal(days[6].to_ms - days[6].from_ms, 25 * 3600000);
    assert_int_equal(days[6].to_ms, to_ms);
    row("ends that are no midnights cut the first and the last");
    assert_int_equal(report_days(berlin, from_ms + 1000, from_ms + 86400000 + 5, days), 2);
    assert_int_equal(days[1].to_ms - days[1].from_ms, 5);
    row("due on Mondays at nine by the local clock");
    static const struct {
        const char *now, *due;
    } rows[] = {
        {"2026-10-26T08:00:00Z", "2026-10-26T08:00:00.000Z"},
        {"2026-10-26T07:59:59Z", "2026-10-19T07:00:00.000Z"},
        {"2026-11-01T22:00:00Z", "2026-10-26T08:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t now_ms = 0;

        row("%s", rows[i].now);
        assert_int_equal(clock_parse_rfc3339(rows[i].now, &now_ms), 0);
        assert_string_equal(clock_rfc3339(report_weekly_due(berlin, 1, 9, now_ms), text),
                            rows[i].due);
    }
    zone_free(berlin);
}

static void test_words(void **state)
{
    STR_AUTO struct str text = STR_INIT(64 * 1024);
    STR_AUTO struct str html = STR_INIT(64 * 1024);
    STR_AUTO struct str subject = STR_INIT(1024);
    static struct story story;

    tell(&story, "i1@180 a1@182 r1@200 F1A@180 p1x@180 n1A i2@600 F2B@600 p2x@600 u2B", 0,
         7 * 1440);
    story.report.rules[0].rule = "<A&B>";
    report_subject(&story.report, &subject);
    assert_string_equal(str_text(&subject), "2 pages in week 2026-W02, 1 at night, 2 incidents");
    report_text(&story.report, &text);
    assert_non_null(
        strstr(str_text(&text), "2 incidents, 2 pages, 1 of them at night (22 to 07, UTC)."));
    assert_non_null(strstr(str_text(&text), "1 useful, 1 noise, 0 nobody knows, 0 not judged"));
    assert_non_null(strstr(str_text(&text), "  acknowledged in   2 min   2 min    2 min   1\n"));
    assert_non_null(strstr(str_text(&text), "  Mon 2026-01-05      2      1          2\n"));
    assert_non_null(strstr(str_text(&text), "<A&B>"));
    assert_non_null(strstr(str_text(&text), "  receiver x"));
    assert_null(strstr(str_text(&text), "Shifts"));
    row("a person is named without saying so, with their turns");
    struct report_shift shift = {"person:ana", base_ms, base_ms + 1440 * MINUTE_MS, "ops"};
    struct report report;
    struct err err = {0};

    for (size_t i = 0; i < story.input.n_pages; i++)
        story.input.pages[i].who = "person:ana";
    story.input.shifts = &shift;
    story.input.n_shifts = 1;
    assert_int_equal(report_make(&story.input, &story.arena, &report, &err), 0);
    str_cut(&text, 0);
    report_text(&report, &text);
    assert_non_null(strstr(str_text(&text), "  ana      2      1          2\n"));
    assert_non_null(
        strstr(str_text(&text), "  Mon 2026-01-05  ana  ops           2      1          2\n"));
    row("a name is text in a mail, not markup");
    report_html(&story.report, "  Busy: 2 pages, its canary <1>\n",
                "http://w/report?week=2026-W02&a=b", &html);
    assert_non_null(strstr(str_text(&html), "&lt;A&amp;B&gt;"));
    assert_null(strstr(str_text(&html), "<A&B>"));
    assert_non_null(strstr(str_text(&html), "Busy: 2 pages, its canary &lt;1&gt;\n</p>"));
    assert_non_null(strstr(str_text(&html), "href=\"http://w/report?week=2026-W02&amp;a=b\""));
    story_done(&story);
}

/* Every limit from nothing to enough ends with words, or the same numbers. */
static void test_little_memory(void **state)
{
    static const char *const script = "i1@600 F1A@600 E1A@601 F1A@602 p1x@600 n1A";
    size_t used;
    static struct story story;

    tell(&story, script, 0, 1440);
    used = story.arena.used;
    for (size_t limit = 0; limit <= used; limit += 16) {
        ARENA_AUTO struct arena arena;
        struct report report;
        struct err err = {0};

        arena_init(&arena, limit);
        int r = report_make(&story.input, &arena, &report, &err);
        assert_true(r == REPORT_E_LIMIT || r == 0);
        assert_true(r == 0 ? report.n_rules == 1 : err.text[0] != '\0');
        if (limit == used)
            assert_int_equal(r, 0);
    }
    story_done(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_people_and_shifts),
        cmocka_unit_test(test_a_persons_own),
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_flapping),
        cmocka_unit_test(test_what_flaps_is_named),
        cmocka_unit_test(test_weeks),
        cmocka_unit_test(test_local_weeks_and_days),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
