/*
 * The roster's JSON: what is written reads back the same, and each mistake names its field.
 */

#include "alertd/oncall/spelling.h"
#include "tests/unit/oncall/roster_text.h"

enum {
    MEMORY = 1 << 22
};

static const char everything[] =
    "{'people':[{'name':'ann','full_name':'Ann Lee','zone':'Asia/Tokyo','contacts':[{'method':"
    "'ntfy','address':'topic'}]},{'name':'bob'}],'schedules':[{'name':'s','title':'T','zone':"
    "'Europe/Berlin','layers':[{'name':'a','level':3,'starts_at':'2026-01-01T00:00:00Z','ends_at':"
    "'2027-01-01T00:00:00Z','rotation':{'unit':'weeks','every':2,'first_turn':'2026-01-05T09:00:30'"
    ",'people':['ann',null,'bob']},'windows':[{'weekdays':['sunday','saturday'],'from':'22:00',"
    "'to':'06:00:30'},{}]},{'name':'b','rotation':{'unit':'always','people':['bob']}},{'name':'c',"
    "'shifts':[{'person':'ann','from':'1970-01-01T00:00:00Z','to':'1970-01-02T00:00:00Z'}]}],"
    "'overrides':[{'id':'1','kind':'replace','person':'ann','of':'bob','from':"
    "'2026-01-01T00:00:00Z','to':'2026-01-02T00:00:00Z','note':'n'},{'id':'2','kind':'remove',"
    "'from':'2026-01-01T00:00:00Z','to':'2026-01-02T00:00:00Z'},{'id':'3','kind':'swap','person':"
    "'ann','of':'bob','from':'2026-01-01T00:00:00Z','to':'2026-01-02T00:00:00Z','other_from':"
    "'2026-01-03T00:00:00Z','other_to':'2026-01-04T00:00:00Z'}]}],'shadows':[{'id':'x','person':"
    "'bob','target_kind':'schedule','target':'s','from':'2026-01-01T00:00:00Z','to':"
    "'2026-02-01T00:00:00Z','mode':'reverse','mentor':'ann','after_ms':120000}],'policies':[{'name':'p','title':'P','repeat':2,"
    "'ack_expires_ms':60000,'steps':[{'delay_ms':300000,'targets':[{'schedule':'s'},{'person':"
    "'ann'},{'receiver':'ops'}]}],'fallback':[{'receiver':'ops'}]}]}";

static void test_round_trip(void **state)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str once = STR_INIT(1 << 16), twice = STR_INIT(1 << 16);
    struct json_out out = JSON_OUT(&once);
    struct zones zones = {0};
    struct roster back;
    struct err err = {0};

    arena_init(&arena, MEMORY);
    struct roster roster = roster_of(everything, &zones, &arena);

    roster_print(&roster, &out);
    if (roster_parse(str_text(&once), once.len, &zones, &arena, &back, &err))
        fail_msg("%s", err.text);
    out = JSON_OUT(&twice);
    roster_print(&back, &out);
    assert_string_equal(str_text(&once), str_text(&twice));
    assert_int_equal(back.schedules[0].layers[0].rotation.anchor.second, 30);
    assert_int_equal(back.schedules[0].layers[0].windows[0].weekdays, 0x41);
    assert_int_equal(back.schedules[0].layers[0].windows[1].weekdays, 0x7f);
    assert_true(back.schedules[0].layers[2].shifts[0].from_ms == 0);
    assert_int_equal(back.schedules[0].overrides[2].kind, OVERRIDE_SWAP);
    assert_int_equal(back.shadows[0].mode, SHADOW_REVERSE);
    assert_string_equal(back.shadows[0].mentor, "ann");
    assert_int_equal(back.shadows[0].after_ms, 120000);
    assert_int_equal(back.policies[0].steps[0].targets[2].kind, TARGET_RECEIVER);
    zones_done(&zones);
}

/* One text of everything with one piece put in another's place. */
static const struct {
    const char *from, *to, *words;
} mistakes[] = {
    {"'level':3", "'levle':3", "schedules[0].layers[0].levle: unknown field"},
    {"'level':3", "'level':-1", "schedules[0].layers[0].level: expected 0 to 100"},
    {"Europe/Berlin", "Europe/Bärlin", "schedules[0].zone: 'Europe/Bärlin' is no name"},
    {"Asia/Tokyo", "Asia/Nowhere", "people[0].zone: no time zone 'Asia/Nowhere'"},
    {"'weeks'", "'week'", "layers[0].rotation.unit: 'week' is none of hours, days, weeks"},
    {"'every':2", "'every':0", "layers[0].rotation.every: expected 1 to 104"},
    {"2026-01-05T09:00:30", "2026-02-30T09:00", "rotation.first_turn: '2026-02-30T09:00' is no"},
    {"'22:00'", "'24:00'", "layers[0].windows[0].from: 24:00 is the next day's"},
    {"'22:00'", "'25:00'", "layers[0].windows[0].from: '25:00' is no time of day"},
    {"'sunday','saturday'", "'sun'", "layers[0].windows[0].weekdays[0]: expected sunday"},
    {"'sunday','saturday'", "", "layers[0].windows[0].weekdays: expected one day"},
    {"'ann',null,'bob'", "", "rotation.people: expected the people"},
    {"'ann',null,'bob'", "7", "rotation.people[0]: expected a person's name"},
    {"1970-01-02", "1969-01-02", "layers[2].shifts[0].to: expected an instant after from"},
    {"2027-01-01", "2025-01-01", "layers[0].ends_at: expected an instant after starts_at"},
    {"'kind':'swap','person':'ann'", "'kind':'swap','person':'bob'",
     "overrides[2].of: 'bob' stands"},
    {"'kind':'remove'", "'kind':'add'", "overrides[1].person: missing"},
    {"{'name':'bob'}", "{'name':'ann'}", "people[1].name: 'ann' is there twice"},
    {"{'name':'bob'}", "{'name':'rob'}", "schedules[0]: there is no person 'bob'"},
    {"{'name':'bob'}", "{'name':''}", "people[1].name: expected a name"},
    {"'target':'s'", "'target':'t'", "shadows[0]: there is no schedule 't'"},
    {"'reverse'", "'sideways'", "shadows[0].mode: 'sideways' is none of observe, own copy"},
    {"'mentor':'ann'", "'mentor':'zoe'", "shadows[0]: there is no person 'zoe'"},
    {"'mentor':'ann'", "'mentor':'bob'", "shadows[0].mentor: nobody is their own mentor"},
    {"'after_ms':120000", "'after_ms':900001", "shadows[0].after_ms: expected 0 to 900000"},
    {"'mode':'reverse'", "'mode':'observe'", "shadows[0].after_ms: only a reverse shadow"},
    {"'delay_ms':300000,", "", "policies[0].steps[0].delay_ms: expected 0 to"},
    {"{'person':'ann'},", "{'person':'ann','receiver':'x'},", "targets[1]: expected one of"},
    {"'repeat':2", "'repeat':21", "policies[0].repeat: expected 0 to 20"},
    {"'address':'topic'", "'address':''", "people[0].contacts[0].address: it is empty"},
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str text = STR_INIT(1 << 16);
        struct zones zones = {0};
        struct roster roster;
        struct err err = {0};
        const char *at = strstr(everything, mistakes[i].from);

        row("%s", mistakes[i].words);
        assert_non_null(at);
        str_addn(&text, everything, (size_t)(at - everything));
        str_add(&text, mistakes[i].to);
        str_add(&text, at + strlen(mistakes[i].from));
        MEM_AUTO char *json = quoted(str_text(&text));

        arena_init(&arena, MEMORY);
        assert_true(roster_parse(json, strlen(json), &zones, &arena, &roster, &err) > 0);
        if (!strstr(err.text, mistakes[i].words))
            fail_msg("%s", err.text);
        zones_done(&zones);
    }
}

/* Each part alone, as the database keeps them. */
static void test_parts(void **state)
{
    static const char text[] =
        "{'name':'p','steps':[{'delay_ms':0,'targets':[{'schedule':'gone'}]}]}";
    MEM_AUTO char *json = quoted(text);
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str out_text = STR_INIT(4096);
    struct json_out out = JSON_OUT(&out_text);
    struct policy policy, again;

    arena_init(&arena, MEMORY);
    assert_int_equal(policy_parse(json, strlen(json), &arena, &policy, NULL), 0);
    policy_print(&policy, &out);
    assert_int_equal(policy_parse(str_text(&out_text), out_text.len, &arena, &again, NULL), 0);
    assert_string_equal(again.steps[0].targets[0].name, "gone");
}

static void test_every_ceiling(void **state)
{
    MEM_AUTO char *json = quoted(everything);
    struct zones zones = {0};
    int rc = -1;

    for (size_t limit = 0; rc; limit += 256) {
        ARENA_AUTO struct arena arena;
        struct roster roster;
        struct err err = {0};

        arena_init(&arena, limit);
        rc = roster_parse(json, strlen(json), &zones, &arena, &roster, &err);
        assert_true(rc == 0 || (rc < 0 && err.text[0]));
    }
    zones_done(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_every_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
