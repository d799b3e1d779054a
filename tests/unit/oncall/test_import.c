/*
 * Exports of GoAlert and Grafana OnCall, as their APIs give them: what is kept is on call at
 * the right instants, what is not is named, and all of it can be written down and read back.
 */

#include "alertd/oncall/import.h"
#include "alertd/oncall/schedule.h"
#include "tests/unit/oncall/roster_text.h"

enum {
    MEMORY = 1 << 24
};

static const char goalert[] =
    "{'data':{'users':{'nodes':[{'id':'u1','name':'Ann Lee','email':'ann@x','contactMethods':[{"
    "'id':'c','type':'SMS','value':'+15550100'},{'id':'d','type':'EMAIL','value':'a@x'}]},{'id':"
    "'u2','name':'Bob','email':'bob@x','contactMethods':[]},{'id':'u3','name':'Bob','email':''}]},"
    "'rotations':{'nodes':[{'id':'r1','name':'Weekly','start':'2026-01-05T09:00:00Z','timeZone':"
    "'Europe/Berlin','type':'weekly','shiftLength':1,'activeUserIndex':0,'userIDs':['u1','u2'],"
    "'nextHandoffTimes':['2026-03-02T08:00:00Z']}]},"
    "'schedules':{'nodes':[{'id':'s1','name':'Primary','timeZone':'Europe/Berlin','targets':[{"
    "'target':{'id':'r1','type':'rotation'},'rules':[{'start':'09:00','end':'17:00',"
    "'weekdayFilter':[false,true,true,true,true,true,false]}]},{'target':{'id':'u3','type':'user'},"
    "'rules':[{'start':'22:00','end':'06:00','weekdayFilter':[true,true,true,true,true,true,true]}]"
    "},{'target':{'id':'x','type':'slackChannel'},'rules':[{'start':'00:00','end':'00:00'}]}],"
    "'temporarySchedules':[{'start':'2026-03-11T00:00:00Z','end':'2026-03-12T00:00:00Z','shifts':[{"
    "'userID':'u1','start':'2026-03-11T10:00:00Z','end':'2026-03-11T11:00:00Z'}]}]}]},"
    "'userOverrides':{'nodes':[{'id':'o','start':'2026-03-03T00:00:00Z','end':"
    "'2026-03-04T00:00:00Z','addUserID':'u1','removeUserID':'u2','target':{'id':'s1','type':"
    "'schedule'}}]},'escalationPolicies':{'nodes':[{'id':'p','name':'Default','repeat':3,'steps':[{"
    "'delayMinutes':5,'targets':[{'id':'s1','type':'schedule','name':'Primary'},{'id':'r1','type':"
    "'rotation','name':'Weekly'}]},{'delayMinutes':15,'targets':[{'id':'u1','type':'user','name':"
    "'Ann'},{'id':'C','type':'slackChannel','name':'#ops'}]}]}]},'services':{'nodes':[]}}}";

static const char oncall[] =
    "{'users':{'count':2,'next':null,'results':[{'id':'U1','email':'ann@x','username':'ann','role':"
    "'admin'},{'id':'U2','email':'bob@x','username':'bob'},{'id':'U3','email':'','username':'cat'}]"
    "},'schedules':[{'id':'S1','name':'Web','type':'calendar','time_zone':'America/New_York',"
    "'shifts':['H1','H2','H3','H4','H5','gone'],'ical_url_overrides':'https://x/y.ics'}],"
    "'on_call_shifts':[{'id':'H1','name':'rolls','type':'rolling_users','level':0,'start':"
    "'2026-03-02T09:00:00','duration':86400,'frequency':'daily','interval':1,'rolling_users':[["
    "'U1','U2'],['U3']],'start_rotation_from_user_index':1},{'id':'H2','name':'office','type':"
    "'recurrent_event','level':2,'start':'2026-03-02T09:00:00','duration':28800,'frequency':"
    "'weekly','interval':1,'week_start':'MO','by_day':['MO','WE'],'users':['U2']},{'id':'H3',"
    "'name':'once','type':'single_event','level':5,'start':'2026-03-10T08:00:00','duration':3600,"
    "'users':['U1','U3']},{'id':'H4','name':'odd','type':'recurrent_event','level':0,'start':"
    "'2026-03-02T09:00:00','duration':3600,'frequency':'monthly','by_monthday':[1],'users':['U1']},"
    "{'id':'H5','name':'instead','type':'override','start':'2026-03-12T12:00:00','duration':3600,"
    "'users':['U3'],'time_zone':'UTC'}],'escalation_chains':[{'id':'F1','name':'Chain'}],"
    "'escalation_policies':[{'id':'E3','escalation_chain_id':'F1','position':2,'type':"
    "'notify_persons','persons_to_notify':['U1','U2']},{'id':'E1','escalation_chain_id':'F1',"
    "'position':0,'type':'notify_on_call_from_schedule','notify_on_call_from_schedule':'S1'},{'id':"
    "'E2','escalation_chain_id':'F1','position':1,'type':'wait','duration':300},{'id':'E4',"
    "'escalation_chain_id':'F1','position':3,'type':'trigger_webhook'},{'id':'E5',"
    "'escalation_chain_id':'F1','position':4,'type':'repeat_escalation'}]}";

typedef int importer(const char *text,
                     size_t len,
                     struct zones *zones,
                     struct arena *arena,
                     struct roster *ret_roster,
                     struct import_notes *ret_notes,
                     struct err *reterr);

static struct roster import_of(importer *import,
                               const char *text,
                               struct zones *zones,
                               struct arena *arena,
                               struct import_notes *notes)
{
    MEM_AUTO char *json = quoted(text);
    struct roster roster = {0};
    struct err err = {0};

    if (import(json, strlen(json), zones, arena, &roster, notes, &err))
        fail_msg("%s", err.text);
    return roster;
}

/* "ann,bob" */
static const char *names_at(const struct schedule *schedule, const char *at, struct str *names)
{
    struct on_call people[ON_CALL_MAX];
    size_t n = schedule_at(schedule, instant(at), people, NULL);

    str_cut(names, 0);
    for (size_t i = 0; i < n; i++)
        str_addf(names, "%s%s", i ? "," : "", people[i].person);
    return str_text(names);
}

static bool is_noted(const struct import_notes *notes, const char *words)
{
    for (size_t i = 0; i < notes->n; i++)
        if (strstr(notes->at[i], words))
            return true;
    return false;
}

static void check_round_trip(const struct roster *roster, struct zones *zones, struct arena *arena)
{
    STR_AUTO struct str once = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);
    struct json_out out = JSON_OUT(&once);
    struct roster back;
    struct err err = {0};

    roster_print(roster, &out);
    if (roster_parse(str_text(&once), once.len, zones, arena, &back, &err))
        fail_msg("%s", err.text);
    out = JSON_OUT(&twice);
    roster_print(&back, &out);
    assert_string_equal(str_text(&once), str_text(&twice));
}

struct check {
    const char *at, *want;
};

static void check_schedule(const struct schedule *schedule, const struct check *checks, size_t n)
{
    STR_AUTO struct str names = STR_INIT(1000);

    for (size_t i = 0; i < n; i++) {
        row("%s", checks[i].at);
        assert_string_equal(names_at(schedule, checks[i].at, &names), checks[i].want);
    }
}

static void check_notes(const struct import_notes *notes, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        row("noted: %s", words[i]);
        assert_true(is_noted(notes, words[i]));
    }
    assert_int_equal(notes->n, n);
}

static void test_goalert(void **state)
{
    static const struct check checks[] = {
        {"2026-03-02T12:00:00Z", "Bob"},     /* the second one's turn began at 08:00 */
        {"2026-03-03T12:00:00Z", "Ann Lee"}, /* overridden */
        {"2026-03-07T12:00:00Z", ""},        /* a Saturday */
        {"2026-03-09T12:00:00Z", "Ann Lee"}, {"2026-03-09T23:00:00Z", "Bob u3"},
        {"2026-03-11T12:00:00Z", ""}, /* the temporary schedule */
        {"2026-03-11T10:30:00Z", "Ann Lee"},
    };
    static const char *const words[] = {"contact method SMS", "two have this name",
                                        "slackChannel' (x)", "slackChannel' (#ops)", "services"};
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};
    struct import_notes notes = {0};

    arena_init(&arena, MEMORY);
    struct roster roster = import_of(import_goalert, goalert, &zones, &arena, &notes);

    assert_int_equal(roster.n_people, 3);
    assert_int_equal(roster.people[0].n_contacts, 2);
    assert_string_equal(roster.people[1].contacts[0].address, "bob@x");
    check_schedule(roster_schedule(&roster, "Primary"), checks, sizeof(checks) / sizeof(*checks));
    assert_non_null(roster_schedule(&roster, "rotation Weekly"));
    assert_int_equal(roster.policies[0].repeat, 3);
    assert_int_equal(roster.policies[0].steps[0].n_targets, 2);
    assert_int_equal(roster.policies[0].steps[0].delay_ms, 300000);
    check_notes(&notes, words, sizeof(words) / sizeof(*words));
    check_round_trip(&roster, &zones, &arena);
    zones_done(&zones);
}

static void test_oncall(void **state)
{
    static const struct check checks[] = {
        {"2026-03-03T13:00:00Z", "cat"}, /* 08:00 in New York */
        {"2026-03-03T15:00:00Z", "ann,bob"},
        {"2026-03-02T15:00:00Z", "bob"},     /* the office, on Monday */
        {"2026-03-10T12:30:00Z", "ann,cat"}, /* once; the clock has changed */
        {"2026-03-12T12:30:00Z", "cat"},     /* instead */
    };
    static const char *const words[] = {"ical_url_overrides", "gone is not in the export",
                                        "'odd': how it repeats", "trigger_webhook"};
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};
    struct import_notes notes = {0};

    arena_init(&arena, MEMORY);
    struct roster roster = import_of(import_oncall, oncall, &zones, &arena, &notes);

    check_schedule(&roster.schedules[0], checks, sizeof(checks) / sizeof(*checks));
    assert_int_equal(roster.policies[0].n_steps, 2);
    assert_int_equal(roster.policies[0].steps[0].delay_ms, 300000);
    assert_int_equal(roster.policies[0].steps[1].n_targets, 2);
    assert_int_equal(roster.policies[0].repeat, 5);
    check_notes(&notes, words, sizeof(words) / sizeof(*words));
    check_round_trip(&roster, &zones, &arena);
    zones_done(&zones);
}

/* Any ceiling on memory: an error, never half an import. */
static void test_every_ceiling(void **state)
{
    MEM_AUTO char *json = quoted(goalert);
    struct zones zones = {0};
    int rc = -1;

    for (size_t limit = 1000; rc; limit += 20 * 1000) {
        ARENA_AUTO struct arena arena;
        struct import_notes notes = {0};
        struct roster roster = {0};
        struct err err = {0};

        arena_init(&arena, limit);
        rc = import_goalert(json, strlen(json), &zones, &arena, &roster, &notes, &err);
        assert_true(rc == 0 || err.text[0]);
        assert_true(rc == 0 || roster.n_people == 0);
    }
    zones_done(&zones);
}

static void test_no_export(void **state)
{
    static const char *const texts[] = {"", "[]", "{}", "{'data':null}", "{'users':7}"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        MEM_AUTO char *json = quoted(texts[i]);
        ARENA_AUTO struct arena arena;
        struct zones zones = {0};
        struct import_notes notes = {0};
        struct roster roster;
        struct err err = {0};

        row("%s", texts[i]);
        arena_init(&arena, MEMORY);
        assert_true(import_goalert(json, strlen(json), &zones, &arena, &roster, &notes, &err) > 0);
        assert_true(import_oncall(json, strlen(json), &zones, &arena, &roster, &notes, &err) > 0);
        assert_true(err.text[0]);
        zones_done(&zones);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goalert),
        cmocka_unit_test(test_oncall),
        cmocka_unit_test(test_every_ceiling),
        cmocka_unit_test(test_no_export),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
