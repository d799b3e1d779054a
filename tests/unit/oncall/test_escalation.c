/*
 * Escalations as scenarios: a policy, events, and what was paged when, in minutes.
 *
 *     0 ann; 5 bob        at minute 0 ann is paged, at minute 5 bob
 *     !                   a step that reached nobody     *  the fallback     X  it ran out
 *     ~                   it went on after an acknowledgement or a snooze
 */

#include "alertd/oncall/escalation.h"
#include "lib/base/rng.h"
#include "tests/unit/oncall/roster_text.h"

enum {
    MINUTE_MS = 60 * 1000,
    MEMORY = 1 << 22,
};

static const char roster_text[] =
    "{'people': [{'name':'ann','contacts':[{'method':'email','address':'a@x'}]},"
    "{'name':'bob','contacts':[{'method':'email','address':'b@x'}]},"
    "{'name':'cat','contacts':[{'method':'email','address':'c@x'}]},{'name':'mute'}],"
    "'schedules': [{'name':'first','zone':'UTC','layers':[{'name':'l','rotation':{'unit':'hours',"
    "'every':1,'first_turn':'1970-01-01T00:00','people':['ann','bob']}}]},"
    "{'name':'empty','zone':'UTC'},{'name':'silent','zone':'UTC','layers':[{'name':'l',"
    "'rotation':{'unit':'always','people':['mute']}}]}],'policies':["
    "{'name':'two','steps':[{'delay_ms':300000,'targets':[{'schedule':'first'}]},"
    "{'delay_ms':600000,'targets':[{'person':'cat'}]}],'fallback':[{'receiver':'ops'}]},"
    "{'name':'again','repeat':1,'ack_expires_ms':1800000,'steps':[{'delay_ms':1800000,'targets':["
    "{'schedule':'first'}]},{'delay_ms':900000,'targets':[{'person':'cat'},{'person':'cat'}]}]},"
    "{'name':'holes','steps':[{'delay_ms':300000,'targets':[{'schedule':'empty'}]},{'delay_ms':"
    "300000,'targets':[{'schedule':'silent'},{'person':'mute'}]},{'delay_ms':300000,'targets':["
    "{'schedule':'silent'},{'person':'bob'}]}]},"
    "{'name':'nobody','repeat':2,'steps':[{'delay_ms':300000,'targets':[{'schedule':'empty'}]}],"
    "'fallback':[{'schedule':'silent'}]}]}";

struct happening {
    int minute;
    enum escalation_event_kind kind;
    int until_minute;
};

static const struct {
    const char *name, *policy;
    struct happening events[4];
    size_t n_events;
    int until_minute;
    const char *want;
    enum escalation_status status;
} rows[] = {
    {"nobody answers", "two", {{0}}, 0, 999, "0 ann; 5 cat; 15 *ops;", ESCALATION_EXHAUSTED},
    {"acknowledged",
     "two",
     {{3, ESCALATION_ACKNOWLEDGE}},
     1,
     999,
     "0 ann;",
     ESCALATION_ACKNOWLEDGED},
    {"a step is due before an event of its instant",
     "two",
     {{5, ESCALATION_ACKNOWLEDGE}},
     1,
     999,
     "0 ann; 5 cat;",
     ESCALATION_ACKNOWLEDGED},
    {"taken over", "two", {{1, ESCALATION_TAKE_OVER}}, 1, 999, "0 ann;", ESCALATION_TAKEN},
    {"resolved, and nothing wakes it",
     "two",
     {{1, ESCALATION_RESOLVE}, {2, ESCALATION_ESCALATE}},
     2,
     999,
     "0 ann;",
     ESCALATION_RESOLVED},
    {"snoozed: from the first step",
     "two",
     {{6, ESCALATION_SNOOZE, 70}},
     1,
     72,
     "0 ann; 5 cat; 70 ~; 70 bob;",
     ESCALATION_RUNNING},
    {"somebody asks for the next step",
     "two",
     {{1, ESCALATION_ESCALATE}},
     1,
     999,
     "0 ann; 1 cat; 11 *ops;",
     ESCALATION_EXHAUSTED},
    {"two rounds; who is on call at the time, nobody twice in a step",
     "again",
     {{0}},
     0,
     999,
     "0 ann; 30 cat; 45 ann; 75 cat; 90 X;",
     ESCALATION_EXHAUSTED},
    {"the acknowledgement expires, and it goes on with what was next",
     "again",
     {{10, ESCALATION_ACKNOWLEDGE}},
     1,
     60,
     "0 ann; 40 ~; 40 cat; 55 ann;",
     ESCALATION_RUNNING},
    {"acknowledged before the fallback",
     "again",
     {{80, ESCALATION_ACKNOWLEDGE}},
     1,
     999,
     "0 ann; 30 cat; 45 ann; 75 cat; 110 ~; 110 X;",
     ESCALATION_EXHAUSTED},
    {"acknowledged when all was over: from the start",
     "again",
     {{100, ESCALATION_ACKNOWLEDGE}},
     1,
     131,
     "0 ann; 30 cat; 45 ann; 75 cat; 90 X; 130 ~; 130 ann;",
     ESCALATION_RUNNING},
    {"nobody on call, nobody reachable: at once further",
     "holes",
     {{0}},
     0,
     4,
     "0 !; 0 !; 0 bob;",
     ESCALATION_RUNNING},
    {"nobody anywhere", "nobody", {{0}}, 0, 1, "0 !; 0 !; 0 !; 0 X;", ESCALATION_EXHAUSTED},
};

static void add_move(struct str *text, const struct escalation_move *move)
{
    static const char *const marks[] = {"", "!", "*", "X", "~"};

    str_addf(text, "%s%d %s", text->len ? " " : "", (int)(move->at_ms / MINUTE_MS),
             marks[move->kind]);
    for (size_t i = 0, n = 0; i < move->n_pages; i++)
        if (!move->pages[i].unreached)
            str_addf(text, "%s%s", n++ ? "," : "",
                     move->pages[i].person ? move->pages[i].person : move->pages[i].target);
        else
            assert_true(move->pages[i].unreached[0]);
    str_add(text, ";");
}

static struct escalation_event event_of(const struct happening *one)
{
    return (struct escalation_event){one->kind, one->minute * (int64_t)MINUTE_MS, "dan",
                                     one->until_minute * (int64_t)MINUTE_MS};
}

/* Stored and read back, as at a restart. */
static void restart(struct escalation *escalation)
{
    STR_AUTO struct str text = STR_INIT(4096);
    struct escalation back = {0};

    escalation_print(escalation, &text);
    assert_int_equal(escalation_parse(str_text(&text), text.len, &back, NULL), 0);
    assert_int_equal(back.status, escalation->status);
    assert_true(back.next_ms == escalation->next_ms);
    assert_string_equal(back.person, escalation->person);
    *escalation = back;
}

/* One life; rng: advanced and restarted at random instants between the events. */
static enum escalation_status live(
    size_t i, const struct roster *roster, struct arena *arena, struct rng *rng, struct str *told)
{
    const struct policy *policy = roster_policy(roster, rows[i].policy);
    struct escalation_moves moves = {0};
    struct escalation escalation;
    int64_t now_ms = 0;
    int64_t end_ms = rows[i].until_minute * (int64_t)MINUTE_MS;

    escalation_open(&escalation, 0);
    for (size_t next = 0; next <= rows[i].n_events; next++) {
        bool is_end = next == rows[i].n_events;
        struct escalation_event event = event_of(&rows[i].events[is_end ? 0 : next]);
        int64_t until_ms = is_end ? end_ms : event.at_ms;

        while (rng && rng_below(rng, 8) && now_ms < until_ms) {
            now_ms += (int64_t)rng_below(rng, (uint64_t)(until_ms - now_ms));
            assert_true(escalation_advance(&escalation, policy, roster, now_ms, arena, &moves));
            restart(&escalation);
        }
        assert_true(is_end
                        ? escalation_advance(&escalation, policy, roster, until_ms, arena, &moves)
                        : escalation_tell(&escalation, policy, roster, &event, arena, &moves));
        now_ms = until_ms;
    }
    assert_true(escalation.next_ms > now_ms);
    for (size_t j = 0; j < moves.n; j++)
        add_move(told, &moves.at[j]);
    return escalation.status;
}

static void test_scenarios(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str told = STR_INIT(4096);
        struct zones zones = {0};

        row("%s", rows[i].name);
        arena_init(&arena, MEMORY);
        struct roster roster = roster_of(roster_text, &zones, &arena);
        enum escalation_status status = live(i, &roster, &arena, NULL, &told);

        assert_string_equal(str_text(&told), rows[i].want);
        assert_string_equal(escalation_status_name(status), escalation_status_name(rows[i].status));
        zones_done(&zones);
    }
}

/* Invariant: it does not matter when, or how often, it is advanced. */
static void test_a_restart_changes_no_page(void **state)
{
    struct rng rng = {20261127};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct zones zones = {0};

        row("%s", rows[i].name);
        for (int run = 0; run < 200; run++) {
            ARENA_AUTO struct arena arena;
            STR_AUTO struct str told = STR_INIT(4096);

            arena_init(&arena, MEMORY);
            struct roster roster = roster_of(roster_text, &zones, &arena);

            assert_int_equal(live(i, &roster, &arena, &rng, &told), rows[i].status);
            assert_string_equal(str_text(&told), rows[i].want);
        }
        zones_done(&zones);
    }
}

/* Out of memory at any point: nothing was told, and the state is as before. */
static void test_every_ceiling(void **state)
{
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};

    arena_init(&arena, MEMORY);
    struct roster roster = roster_of(roster_text, &zones, &arena);
    const struct policy *policy = roster_policy(&roster, "again");
    bool done = false;

    for (size_t limit = 0; !done; limit += 64) {
        ARENA_AUTO struct arena small;
        struct escalation_moves moves = {0};
        struct escalation escalation;

        arena_init(&small, limit);
        escalation_open(&escalation, 0);
        done = escalation_advance(&escalation, policy, &roster, INT64_MAX, &small, &moves);
        assert_int_equal(moves.n, done ? 5 : 0);
        assert_int_equal(escalation.status, done ? ESCALATION_EXHAUSTED : ESCALATION_RUNNING);
        assert_true(done || moves.cut);
    }
    zones_done(&zones);
}

static void test_states_that_are_refused(void **state)
{
    static const char *const bad[] = {"", "{}",
                                      "{'status':'asleep','opened_ms':0,'round':0,'step':0}",
                                      "{'status':'running','opened_ms':0,'round':-1,'step':0}",
                                      "{'status':'running','opened_ms':0,'round':0,'step':1000}"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        MEM_AUTO char *json = quoted(bad[i]);
        struct escalation escalation;
        struct err err = {0};

        row("%s", bad[i]);
        assert_true(escalation_parse(json, strlen(json), &escalation, &err) > 0);
        assert_true(err.text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenarios),
        cmocka_unit_test(test_a_restart_changes_no_page),
        cmocka_unit_test(test_every_ceiling),
        cmocka_unit_test(test_states_that_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
