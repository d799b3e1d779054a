/*
 * Debriefs: whoever looked at everything missed nothing, whoever did not gets the graph; what was
 * done stands beside what there was and what was done that day; every section can be filled.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/debrief.h"
#include "alertd/drill/headless.h"
#include "tests/lib/drill_text.h"
#include "tests/lib/row.h"

#define RULES                                         \
    "groups:\n- name: g\n  interval: 15s\n  rules:\n" \
    "  - {alert: Long, expr: queue > 100, annotations: {summary: 'the queue waits'}}\n"

#define DRILL                                                                                               \
    "drill \"The queue\"\n debrief \"it was the deploy\"\n reconstructed \"a report\"\n"                    \
    " source \"https://example.org/one\"\n length 1h\n onset 20m\n rules r.yml\n"                           \
    " oncall ana after 5m ben\n series queue{job=\"a\"} 1 for 20m, 400\n series busy{job=\"a\"} 1\n"        \
    " fault set queue 1 from 20m to 20m15s\n at 19m deploy \"shop 3\"\n at 25m customer \"hello?\"\n"       \
    " graph queue busy\n runbook host#hostdiskfull\n hypothesis h right \"the deploy\"\n"                   \
    " hypothesis w wrong \"ghosts\"\n action b mends \"roll back\"\n limit ack 5m\n limit harm 0\n"         \
    " really ack 9m \"nobody looked\"\n really mitigation 31m\n"                                            \
    " player all\n  at page+1m ack\n  then 1m query \"rate(queue[5m])\"\n  then 1m query \"busy\"\n"        \
    "  then 1m runbook host#hostdiskfull\n  then 1m hypothesis \"the deploy\"\n  at 26m tell \"we know\"\n" \
    "  then 1m do \"roll back\"\n"                                                                          \
    " player little\n  at page+7m ack\n  then 1m hypothesis \"ghosts\"\n"

static const char *rule_url(void *arg, const char *alert)
{
    return strcmp(alert, "Long") == 0 ? "/rules/7/tune?session=3" : NULL;
}

struct told {
    struct arena arena;
    struct debrief debrief;
    struct debrief_section *sections;
    size_t n;
    struct str all;
};

static void tell(const char *player, struct told *ret_told)
{
    const struct template_set set = {template_builtin, template_n_builtin};
    static const struct debrief_compare compare = {.has_past = true,
                                                   .past_ms = {[DRILL_ACK] = 240 * 1000}};
    struct drill_case *made = drill_of_text(DRILL, RULES);
    struct drill_played played;
    struct err err = {0};

    *ret_told = (struct told){.all = STR_INIT(1024 * 1024)};
    arena_init(&ret_told->arena, DEBRIEF_ARENA_BYTES);
    drill_play(made, drill_player_find(made->drill, player), 1, &played);

    const struct debrief_input input = {.drill_case = made,
                                        .world = played.world,
                                        .score = &played.score,
                                        .key = "DRILL-3",
                                        .player = "dora",
                                        .generator = "test",
                                        .compare = &compare,
                                        .rule_url = rule_url,
                                        .next_name = "02-disk",
                                        .next_title = "The disk"};

    if (debrief_facts(&ret_told->arena, &input, &ret_told->debrief, &err) != 0 ||
        debrief_sections(&ret_told->arena, &set, &ret_told->debrief, &ret_told->sections,
                         &ret_told->n, &err) != 0)
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    for (size_t i = 0; i < ret_told->n; i++)
        section_join(ret_told->sections[i].title, ret_told->sections[i].generated,
                     ret_told->sections[i].asks, &ret_told->all);
    drill_played_done(&played);
    drill_case_free(made);
}

static void told_done(struct told *told)
{
    str_done(&told->all);
    arena_reset(&told->arena);
}

static bool says(const struct told *told, const char *words)
{
    return strstr(str_text(&told->all), words) != NULL;
}

static void test_looked_at_everything(void **state)
{
    struct told told;
    tell("all", &told);

    assert_int_equal(told.debrief.n_graphs, 0);
    assert_true(says(&told, "Nothing that the drill names was left out"));
    assert_true(says(&told, "| ack | 1 min | 5 min | met | 4 min |  | 9 min, nobody looked |"));
    assert_true(says(&told, "| mitigation | 6 min "));
    assert_true(says(&told, "it was the deploy"));
    assert_true(says(&told, "[The next drill: The disk](</drills?drill=02-disk>)"));
    assert_true(says(&told, "lack? Mend it while you know"));
    told_done(&told);
}

static void test_missed(void **state)
{
    struct told told;
    tell("little", &told);

    assert_int_equal(told.debrief.n_graphs, 2);
    assert_non_null(strstr(told.debrief.graphs[0].svg, "<svg"));
    assert_true(says(&told, "queue was not looked at"));
    assert_true(says(&told, "(graph:1)"));
    assert_true(says(&told, "customers asked: hello?"));
    assert_true(
        says(&told, "it was there to be seen at +0:08:00, when you wrote your first hypothesis"));
    assert_int_equal(told.debrief.n_misses, 4);

    const struct debrief_miss *miss = &told.debrief.misses[0];

    assert_string_equal(miss->kind, "metric");
    assert_string_equal(miss->query, "queue");
    /* eight minutes behind the page, which is ten seconds behind the first evaluation */
    assert_int_equal(miss->at_ms, (20 + 8) * 60 * 1000 + 25 * 1000);
    assert_non_null(strstr(miss->series, "\"values\":[1"));
    assert_non_null(strstr(miss->series, "400"));
    assert_string_equal(told.debrief.misses[2].kind, "customer");
    assert_int_equal(told.debrief.misses[2].at_ms, 25 * 60 * 1000);
    assert_string_equal(told.debrief.misses[3].runbook, "host#hostdiskfull");
    assert_string_equal(told.debrief.steps[0].kind, "tune");
    assert_string_equal(told.debrief.steps[0].rule, "Long");
    assert_string_equal(told.debrief.steps[told.debrief.n_steps - 1].drill, "02-disk");
    assert_true(says(&told, "it was not opened"));
    assert_true(says(&told, "(</rules/7/tune?session=3>)"));
    told_done(&told);
}

static void test_side_by_side(void **state)
{
    struct told told;
    tell("all", &told);

    assert_true(says(&told, "page to ana"));
    assert_true(says(&told, "ack: nobody looked |"));
    assert_true(says(&told, "| +0:31:00 |  |  | mitigation |"));
    assert_true(says(&told, "+0:01:00"));
    /* three questions are left to the player */
    size_t n = 0;
    for (const char *at = str_text(&told.all); (at = strstr(at, TEMPLATE_PROMPT)) != NULL; at++)
        n++;
    assert_int_equal(n, 3);
    told_done(&told);
}

/* The document of a drill is that of an incident: hypotheses are told with what came of them. */
static void test_response(void **state)
{
    struct told told;
    tell("little", &told);

    assert_true(says(&told, "ghosts"));
    assert_true(says(&told, "refuted"));
    assert_true(says(&told, "dora"));
    told_done(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looked_at_everything), cmocka_unit_test(test_missed),
        cmocka_unit_test(test_side_by_side), cmocka_unit_test(test_response)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
