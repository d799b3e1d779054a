/*
 * Who is on call and why: the rules one by one. (tests/conformance/oncall_schedules.py compares
 * hundreds of schedules with another calculation, minute by minute.)
 */

#include "alertd/oncall/schedule.h"
#include "alertd/oncall/turn.h"
#include "tests/unit/oncall/roster_text.h"

enum {
    MEMORY = 1 << 24
};

#define PEOPLE                                                                       \
    "'people':[{'name':'ann','contacts':[{'method':'email','address':'a@x'}]},"      \
    "{'name':'bob'},{'name':'cat','contacts':[{'method':'email','address':'c@x'}]}," \
    "{'name':'eve'}]"
#define DAILY                                                           \
    "{'name':'daily','rotation':{'unit':'days','every':1,'first_turn':" \
    "'2026-03-02T09:00','people':['ann','bob']}}"
#define ONE(layers, overrides)                                                           \
    "{" PEOPLE ",'schedules':[{'name':'s','zone':'Europe/Berlin','layers':[" layers "]," \
    "'overrides':[" overrides "]}]}"
#define OVERRIDE(kind_and_people) \
    "{'id':'o'," kind_and_people ",'from':'2026-03-02T10:00:00Z','to':'2026-03-02T12:00:00Z'}"

static const struct {
    const char *name, *roster, *at, *want;
} rows[] = {
    {"the first turn", ONE(DAILY, ""), "2026-03-02T08:00:00Z", "ann by daily"},
    {"a second before the next", ONE(DAILY, ""), "2026-03-03T07:59:59Z", "ann by daily"},
    {"the next", ONE(DAILY, ""), "2026-03-03T08:00:00Z", "bob by daily"},
    {"before the first turn it turned too", ONE(DAILY, ""), "2026-03-01T12:00:00Z", "bob by daily"},
    {"forty years later, at 09:00 on that wall", ONE(DAILY, ""), "2066-07-01T07:00:00Z",
     "bob by daily"},
    {"nobody before the year 1", ONE(DAILY, ""), "0000-06-01T00:00:00Z", ""},
    {"replaced", ONE(DAILY, OVERRIDE("'kind':'replace','person':'cat','of':'ann'")),
     "2026-03-02T11:00:00Z", "cat by override o"},
    {"not hers to replace", ONE(DAILY, OVERRIDE("'kind':'replace','person':'cat','of':'bob'")),
     "2026-03-02T11:00:00Z", "ann by daily"},
    {"instead of everybody", ONE(DAILY, OVERRIDE("'kind':'replace','person':'cat'")),
     "2026-03-02T11:00:00Z", "cat by override o"},
    {"instead of nobody", ONE("", OVERRIDE("'kind':'replace','person':'cat'")),
     "2026-03-02T11:00:00Z", "cat by override o"},
    {"beside", ONE(DAILY, OVERRIDE("'kind':'add','person':'cat'")), "2026-03-02T11:00:00Z",
     "ann by daily, cat by override o"},
    {"nobody", ONE(DAILY, OVERRIDE("'kind':'remove'")), "2026-03-02T11:00:00Z", ""},
    {"over at its end", ONE(DAILY, OVERRIDE("'kind':'remove'")), "2026-03-02T12:00:00Z",
     "ann by daily"},
    {"a swap, there",
     ONE(DAILY,
         "{'id':'o','kind':'swap','person':'bob','of':'ann','from':'2026-03-02T10:00:00Z',"
         "'to':'2026-03-02T12:00:00Z','other_from':'2026-03-03T10:00:00Z','other_to':"
         "'2026-03-03T12:00:00Z'}"),
     "2026-03-02T11:00:00Z", "bob by swap o"},
    {"and back",
     ONE(DAILY,
         "{'id':'o','kind':'swap','person':'bob','of':'ann','from':'2026-03-02T10:00:00Z',"
         "'to':'2026-03-02T12:00:00Z','other_from':'2026-03-03T10:00:00Z','other_to':"
         "'2026-03-03T12:00:00Z'}"),
     "2026-03-03T11:00:00Z", "ann by swap o"},
    {"the higher level wins where it has somebody",
     ONE(DAILY ",{'name':'night','level':1,'rotation':{'unit':'always','people':['cat']},'windows':"
               "[{'from':'22:00','to':'06:00'}]}",
         ""),
     "2026-03-03T04:59:59Z", "cat by night"},
    {"and leaves the rest to the lower",
     ONE(DAILY ",{'name':'night','level':1,'rotation':{'unit':'always','people':['cat']},'windows':"
               "[{'from':'22:00','to':'06:00'}]}",
         ""),
     "2026-03-03T05:00:00Z", "ann by daily"},
    {"one level, two people",
     ONE(DAILY ",{'name':'too','rotation':{'unit':'always','people':['cat']}}", ""),
     "2026-03-02T11:00:00Z", "ann by daily, cat by too"},
    {"a window belongs to the day on which it begins",
     ONE("{'name':'w','rotation':{'unit':'always','people':['cat']},'windows':[{'weekdays':["
         "'friday'],'from':'22:00','to':'06:00'}]}",
         ""),
     "2026-03-07T04:00:00Z", "cat by w"},
    {"a 12 hour turn begins when the gap ends",
     ONE("{'name':'h','rotation':{'unit':'hours','every':12,'first_turn':'2026-03-01T02:30',"
         "'people':['ann','bob']}}",
         ""),
     "2026-03-29T01:00:00Z", "ann by h"},
    {"the 31st of months: the last day there is",
     ONE("{'name':'m','rotation':{'unit':'months','every':1,'first_turn':'2026-01-31T00:00',"
         "'people':['ann','bob','cat']}}",
         ""),
     "2026-02-27T23:00:00Z", "bob by m"},
    {"nobody's turn",
     ONE("{'name':'n','rotation':{'unit':'days','first_turn':'2026-03-02T00:00','people':['ann',"
         "null]}}",
         ""),
     "2026-03-03T12:00:00Z", ""},
    {"outside of a layer's life",
     ONE("{'name':'n','ends_at':'2026-03-02T12:00:00Z','rotation':{'unit':'always','people':["
         "'ann']}}",
         ""),
     "2026-03-02T12:00:00Z", ""},
};

static void test_who_and_why(void **state)
{
    static const char *const whys[] = {"", "override ", "swap "};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str got = STR_INIT(1000);
        struct zones zones = {0};
        struct on_call people[ON_CALL_MAX];

        row("%s", rows[i].name);
        arena_init(&arena, MEMORY);
        struct roster roster = roster_of(rows[i].roster, &zones, &arena);
        size_t n = schedule_at(roster.schedules, instant(rows[i].at), people, NULL);

        for (size_t j = 0; j < n; j++)
            str_addf(&got, "%s%s by %s%s", j ? ", " : "", people[j].person, whys[people[j].why],
                     people[j].override ? people[j].override->id : people[j].layer->name);
        assert_string_equal(str_text(&got), rows[i].want);
        zones_done(&zones);
    }
}

/* Until the instant told, and not longer, the answer stays; hour by hour for a year. */
static void test_until(void **state)
{
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};
    struct on_call people[ON_CALL_MAX];
    int64_t from_ms = instant("2026-01-01T00:00:00Z"), end_ms = instant("2027-01-01T00:00:00Z");

    arena_init(&arena, MEMORY);
    struct roster roster = roster_of(ONE(DAILY, OVERRIDE("'kind':'replace','person':'cat'")),
                                     &zones, &arena);
    size_t changes = 0;

    while (from_ms < end_ms) {
        int64_t until_ms = 0, again_ms = 0;
        size_t n = schedule_at(roster.schedules, from_ms, people, &until_ms);
        const char *before = people[0].person;

        assert_int_equal(n, 1);
        assert_true(until_ms > from_ms);
        (void)schedule_at(roster.schedules, until_ms - 1, people, &again_ms);
        assert_ptr_equal(people[0].person, before);
        assert_true(again_ms == until_ms);
        from_ms = until_ms;
        changes++;
    }
    assert_int_equal(changes, 365 + 1 + 2);
    assert_true(schedule_until(roster.schedules, "ann", instant("2026-03-02T08:00:00Z"), end_ms) ==
                instant("2026-03-02T10:00:00Z"));
    assert_true(schedule_until(roster.schedules, "bob", instant("2026-03-02T08:00:00Z"), end_ms) ==
                instant("2026-03-02T08:00:00Z"));
    zones_done(&zones);
}

static void test_lanes(void **state)
{
    static const char text[] =
        "{" PEOPLE ",'schedules':[{'name':'s','zone':'UTC','layers':[{'name':'l','rotation':{"
        "'unit':'days','first_turn':'2026-03-02T00:00','people':['ann','bob']},'windows':[{'from':"
        "'08:00','to':'20:00'}]}],'overrides':[{'id':'o','kind':'add','person':'cat','from':"
        "'2026-03-02T19:00:00Z','to':'2026-03-02T21:00:00Z'}]}],'shadows':[{'id':'x','person':"
        "'eve','target_kind':'person','target':'bob','from':'2026-03-02T00:00:00Z','to':"
        "'2026-03-03T10:00:00Z','mode':'own copy'},{'id':'y','person':'eve','target_kind':"
        "'schedule','target':'s','from':'2026-03-01T00:00:00Z','to':'2026-03-02T09:00:00Z','mode':"
        "'observe'},{'id':'z','person':'eve','target_kind':'schedule','target':'s','from':"
        "'2026-04-01T00:00:00Z','to':'2026-04-02T09:00:00Z','mode':'observe'}]}";
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str got = STR_INIT(1 << 16);
    struct json_out out = JSON_OUT(&got);
    struct zones zones = {0};
    struct schedule_spans spans;
    const struct warning *warnings = NULL;
    size_t n = 0;

    arena_init(&arena, MEMORY);
    struct roster roster = roster_of(text, &zones, &arena);

    assert_int_equal(schedule_spans(roster.schedules, roster.shadows, roster.n_shadows,
                                    instant("2026-03-02T00:00:00Z"),
                                    instant("2026-03-04T00:00:00Z"), &arena, &spans, NULL),
                     0);
    assert_int_equal(spans.final.n, 3);
    assert_string_equal(spans.final.spans[1].on_call.person, "cat");
    assert_int_equal(spans.rotation.n, 2);
    assert_int_equal(spans.overrides.n, 1);
    assert_int_equal(spans.gaps.n, 3);
    assert_true(spans.gaps.spans[1].from_ms == instant("2026-03-02T21:00:00Z"));
    lane_print(&spans.shadows, &out);
    MEM_AUTO char *want = quoted(
        "[{'person':null,'from':'2026-03-02T00:00:00.000Z','to':'2026-03-02T09:00:00.000Z',"
        "'shadow':'eve','mode':'observe'},{'person':'bob','from':'2026-03-03T08:00:00.000Z','to':"
        "'2026-03-03T10:00:00.000Z','why':'layer','layer':'l','shadow':'eve','mode':'own copy'}]");

    assert_string_equal(str_text(&got), want);
    assert_int_equal(schedule_warnings(roster.schedules, &roster, instant("2026-03-02T00:00:00Z"),
                                       instant("2026-03-04T00:00:00Z"), &arena, &warnings, &n,
                                       NULL),
                     0);
    assert_int_equal(n, 4);
    assert_int_equal(warnings[3].kind, WARNING_UNREACHABLE);
    assert_string_equal(warnings[3].person, "bob");
    assert_true(warnings[3].from_ms == instant("2026-03-03T08:00:00Z"));
    zones_done(&zones);
}

/* Millennia of hourly turns: refused with words, at once; an instant in them is not. */
static void test_spans_are_bounded(void **state)
{
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};
    struct schedule_spans spans;
    struct err err = {0};
    struct on_call people[ON_CALL_MAX];

    arena_init(&arena, MEMORY);
    struct roster roster = roster_of(
        ONE("{'name':'h','rotation':{'unit':'hours','first_turn':'2026-03-01T02:30','people':["
            "'ann','bob']}}",
            ""),
        &zones, &arena);

    assert_int_equal(
        schedule_spans(roster.schedules, NULL, 0, INT64_MIN, INT64_MAX, &arena, &spans, &err),
        SCHEDULE_E_TOO_MANY);
    assert_true(err.text[0]);
    assert_int_equal(schedule_at(roster.schedules, instant("9998-01-01T00:00:00Z"), people, NULL),
                     1);
    assert_int_equal(schedule_at(roster.schedules, INT64_MAX, people, NULL), 0);
    assert_int_equal(schedule_at(roster.schedules, INT64_MIN, people, NULL), 0);
    zones_done(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_and_why),
        cmocka_unit_test(test_until),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_spans_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
