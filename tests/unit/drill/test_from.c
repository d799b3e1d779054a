/*
 * Incidents made drills: what was measured fires what it fired, what people found out becomes
 * what is right, nobody is named, and nothing that is told gives the answer away.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/check.h"
#include "alertd/drill/from_incident.h"
#include "alertd/drill/headless.h"
#include "lib/base/mem.h"
#include "tests/lib/row.h"

#define T0     INT64_C(1763633520250) /* rules have a phase of their own: no round instant */
#define MINUTE INT64_C(60000)
#define RULE                                                                                     \
    "- alert: QueueLong\n  expr: queue_length > 100\n  for: 1m\n  labels:\n    severity: page\n" \
    "    owner: ana\n  annotations:\n    summary: '{{ $labels.instance }} of Ana waits'\n"       \
    "    runbook_url: http://127.0.0.1/runbooks/host#hostdiskfull\n"

enum {
    N_SAMPLES = 400,
    STEP_MS = 15 * 1000,
    ONSET = 200, /* the sample from which the queue is long */
    OVER = 320,
};

static int64_t times[N_SAMPLES];
static double values[N_SAMPLES];

/* On the rule's grid: first true, fired after a minute, over. */
#define ACTIVE (T0 + ONSET * STEP_MS)
#define FIRED  (ACTIVE + MINUTE)
#define ENDED  (T0 + OVER * STEP_MS)

static const struct timeline_event events[] = {
    {1, "change.deploy", "human", "api", "carl", "shop 1.42 by carl", "{}",
     .occurred_at_ms = ACTIVE - 2 * MINUTE},
    {2, "chat.message", "human", "api", "carl", "is web-7 slow?", "{}",
     .occurred_at_ms = FIRED + MINUTE},
    {3, "ack", "human", "api", "ana", "ana looks", "{}", .occurred_at_ms = FIRED + 3 * MINUTE},
    {4, "human.hypothesis", "human", "api", "ana", "more visitors than ever", "{}",
     .occurred_at_ms = FIRED + 4 * MINUTE},
    {5, "human.observation", "human", "api", "ana", "workers of web-7 sleep", "{}",
     .occurred_at_ms = FIRED + 5 * MINUTE},
    {6, "human.hypothesis", "human", "api", "ben", "the deploy of \"1.42\" locks the workers", "{}",
     .occurred_at_ms = FIRED + 8 * MINUTE},
    {7, "chat.message", "human", "api", "ben", "it is 1.42, I am sure", "{}",
     .occurred_at_ms = FIRED + 9 * MINUTE},
    {8, "comms.internal", "human", "api", "ana", "orders are late", "{}",
     .occurred_at_ms = FIRED + 10 * MINUTE},
    {9, "mitigation.applied", "human", "api", "ben", "rolled back to 1.41", "{}",
     .occurred_at_ms = FIRED + 12 * MINUTE},
};

enum {
    N_EVENTS = sizeof(events) / sizeof(events[0])
};

static const struct postmortem_curation curation[N_EVENTS] = {
    [3] = {.hypothesis = "refuted"}, [5] = {.hypothesis = "confirmed"}};

static const struct postmortem_mark marks[] = {
    {.name = "paged", .scope = "", .at_ms = FIRED + 10 * 1000},
    {.name = "acked", .scope = "", .at_ms = FIRED + 3 * MINUTE, .event_id = 3},
    {.name = "cause", .scope = "", .at_ms = FIRED + 8 * MINUTE, .event_id = 6},
    {.name = "mitigated", .scope = "", .at_ms = FIRED + 12 * MINUTE, .event_id = 9},
};

struct day {
    struct incident incident;
    struct incident_alert alert;
    struct postmortem_input record;
    struct drill_from_rule rule;
    struct source_series series[2];
    struct drill_from from;
    const struct labels *labels, *series_labels, *annotations;
};

static void begin(struct day *day)
{
    static const char *const group_by[] = {"alertname"};
    const struct label labels[] = {
        {"alertname", "QueueLong"}, {"instance", "web-7:80"}, {"job", "shop"}};
    const struct label names[] = {
        {"__name__", "queue_length"}, {"instance", "web-7:80"}, {"job", "shop"}};
    const struct label texts[] = {{"summary", "web-7:80 of Ana waits"},
                                  {"runbook_url", "http://127.0.0.1/runbooks/host#hostdiskfull"}};

    for (int i = 0; i < N_SAMPLES; i++) {
        times[i] = T0 + i * (int64_t)STEP_MS - 700;
        values[i] = i >= ONSET && i < OVER ? 400 : 20;
    }
    *day = (struct day){.labels = labels_new(labels, 3),
                        .series_labels = labels_new(names, 3),
                        .annotations = labels_new(texts, 2)};
    day->incident = (struct incident){.id = 4,
                                      .key = "INC-2025-0004",
                                      .title = "web-7:80 of Ana waits",
                                      .severity = "page",
                                      .opened_at_ms = FIRED,
                                      .resolved_at_ms = ENDED,
                                      .acknowledged_by = "ana",
                                      .origin = "real"};
    day->alert = (struct incident_alert){.rule_id = 7,
                                         .name = "QueueLong",
                                         .expr = "queue_length > 100",
                                         .for_ms = MINUTE,
                                         .labels = day->labels,
                                         .annotations = day->annotations,
                                         .active_at_ms = ACTIVE,
                                         .fired_at_ms = FIRED,
                                         .resolved_at_ms = ENDED};
    day->record = (struct postmortem_input){.incident = &day->incident,
                                            .alerts = &day->alert,
                                            .n_alerts = 1,
                                            .events = events,
                                            .n_events = N_EVENTS,
                                            .curation = curation,
                                            .marks = marks,
                                            .n_marks = sizeof(marks) / sizeof(marks[0]),
                                            .now_ms = ENDED + 100 * MINUTE};
    day->rule = (struct drill_from_rule){7, "shop", RULE, STEP_MS};
    day->series[0] = (struct source_series){day->series_labels, N_SAMPLES, times, values};
    day->from = (struct drill_from){.record = &day->record,
                                    .rules = &day->rule,
                                    .n_rules = 1,
                                    .series = day->series,
                                    .n_series = 1,
                                    .route = {group_by, 1, 10 * 1000, MINUTE, 240 * MINUTE}};
}

static void end(struct day *day)
{
    labels_unref(day->labels);
    labels_unref(day->series_labels);
    labels_unref(day->annotations);
}

static struct drill_made make(const struct day *day)
{
    struct drill_made made;
    struct err err = {0};

    if (drill_from_incident(&day->from, &made, &err) != 0)
        fail_msg("%s", err.text);
    return made;
}

static struct drill_case *load(struct drill_made *made)
{
    struct drill *drill = NULL;
    struct drill_case *loaded = NULL;
    struct err err = {0};

    if (drill_parse(str_text(&made->text), made->text.len, &drill, &err) != 0 ||
        drill_case_new(drill, drill_made_read, made, &loaded, &err) != 0)
        fail_msg("%u:%u: %s\n%s", err.line, err.column, err.text, str_text(&made->text));
    return loaded;
}

/* Every script and nobody: what was expected and did not come. */
static void play_all(struct drill_made *made)
{
    struct drill_case *loaded = load(made);

    for (size_t i = 0; i <= loaded->drill->n_players; i++) {
        const struct drill_player *player = i ? &loaded->drill->players[i - 1] : NULL;
        struct drill_played played;

        drill_play(loaded, player, 1, &played);
        if (played.n_failed)
            fail_msg("%s: %s\n%s\n%s", player ? player->name : "nobody", str_text(&played.failures),
                     str_text(&made->text), str_text(&made->rules));
        drill_played_done(&played);
    }
    drill_case_free(loaded);
}

/* When a moment of that kind came first, on that day's clock; 0: never. */
static int64_t came_to(struct drill_made *made, const char *player, enum drill_moment_kind kind)
{
    struct drill_case *loaded = load(made);
    struct drill_played played;
    int64_t at_ms = 0;
    size_t n = 0;

    drill_play(loaded, player ? drill_player_find(loaded->drill, player) : NULL, 1, &played);

    const struct drill_moment *moments = drill_world_moments(played.world, &n);

    for (size_t i = 0; i < n && !at_ms; i++)
        if (moments[i].kind == kind)
            at_ms = loaded->drill->start_ms + moments[i].at_ms;
    drill_played_done(&played);
    drill_case_free(loaded);
    return at_ms;
}

static int64_t came(struct drill_made *made, enum drill_moment_kind kind)
{
    return came_to(made, NULL, kind);
}

static bool says(const struct str *text, const char *words)
{
    return strstr(str_text(text), words) != NULL;
}

static void test_same_pages(void **state)
{
    struct day day;
    begin(&day);
    struct drill_made made = make(&day);

    play_all(&made);
    assert_int_equal(came(&made, DRILL_MOMENT_PENDING), ACTIVE);
    assert_int_equal(came(&made, DRILL_MOMENT_FIRING), FIRED);
    assert_int_equal(came(&made, DRILL_MOMENT_PAGE), FIRED + 10 * 1000);
    /* what they did that day ends it when it did; without it, it goes on */
    assert_int_equal(came_to(&made, "as-it-was", DRILL_MOMENT_RESOLVED), ENDED);
    assert_int_equal(came(&made, DRILL_MOMENT_RESOLVED), 0);
    drill_made_done(&made);
    end(&day);
}

/* It begins earlier by the seed, over what was measured then, and fires when it did. */
static void test_begins_earlier(void **state)
{
    struct day day;
    begin(&day);
    struct drill_made made = make(&day);
    struct drill_case *loaded = load(&made);
    bool differs = false;

    /* fifty minutes were measured before it: half are quiet, half of the rest is the lead */
    assert_int_equal(loaded->drill->lead_ms, 12 * MINUTE);
    assert_int_equal(loaded->drill->onset_ms, 25 * MINUTE + STEP_MS); /* on the grid of the rule */
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct drill_played played;
        size_t n = 0;

        drill_play(loaded, NULL, seed, &played);

        const struct drill_moment *moments = drill_world_moments(played.world, &n);

        assert_int_equal(moments[1].kind, DRILL_MOMENT_PENDING); /* behind the deploy */
        assert_int_equal(loaded->drill->start_ms + moments[1].at_ms, ACTIVE);
        differs |= drill_world_lead_ms(played.world) > 5 * MINUTE;
        drill_played_done(&played);
    }
    assert_true(differs);
    drill_case_free(loaded);
    drill_made_done(&made);
    end(&day);
}

static void test_what_is_right(void **state)
{
    struct day day;
    begin(&day);
    struct drill_made made = make(&day);
    struct drill_case *loaded = load(&made);
    const struct drill *drill = loaded->drill;
    const struct drill_idea *idea;

    idea = drill_idea_find(drill->hypotheses, drill->n_hypotheses, "I think 1.42 locks something");
    assert_non_null(idea);
    assert_int_equal(idea->worth, DRILL_WORTH_RIGHT);
    idea = drill_idea_find(drill->hypotheses, drill->n_hypotheses, "far more visitors");
    assert_non_null(idea);
    assert_int_equal(idea->worth, DRILL_WORTH_WRONG);
    assert_null(drill_idea_find(drill->hypotheses, drill->n_hypotheses, "the disk"));
    idea = drill_idea_find(drill->actions, drill->n_actions, "have it rolled back to 1.41");
    assert_non_null(idea);
    assert_int_equal(idea->worth, DRILL_WORTH_RIGHT);
    assert_int_equal(drill->n_questions, 2);
    assert_true(
        drill_accepts(drill->questions[0].accepts, drill->questions[0].n_accepts, "web-7:80"));
    assert_true(
        drill_accepts(drill->questions[1].accepts, drill->questions[1].n_accepts, "shop 1.42"));
    assert_int_equal(drill->really[DRILL_ACK].after_ms / 1000, 170);
    assert_int_equal(drill->really[DRILL_MITIGATION].after_ms / 1000, 710);
    assert_false(drill->really[DRILL_ESCALATE].given);
    assert_true(drill->n_hints >= 3);
    drill_case_free(loaded);
    drill_made_done(&made);
    end(&day);
}

/* What a player is told: what it says of itself first, what pages, what happens. */
static void test_hides_the_answer(void **state)
{
    struct day day;
    begin(&day);
    struct drill_made made = make(&day);
    struct drill_case *loaded = load(&made);
    const struct drill *drill = loaded->drill;

    assert_int_equal(drill->n_events, 2); /* the deploy, and the chat before it was known */
    for (size_t i = 0; i < drill->n_events; i++)
        assert_null(strstr(drill->events[i].text, "I am sure"));
    assert_null(strstr(drill->brief, "1.41"));
    assert_null(strstr(drill->teaches, "1.4"));
    assert_non_null(strstr(drill->debrief, "rolled back to 1.41"));
    drill_case_free(loaded);
    drill_made_done(&made);
    end(&day);
}

static void test_names_nobody(void **state)
{
    static const char *const names[] = {"ana", "Ana", "ben", "carl"};
    static const struct drill_from_person people[] = {{"dora", NULL}};
    struct day day;
    begin(&day);
    day.from.people = people;
    day.from.n_people = 1;
    day.from.scrub_hosts = true;
    struct drill_made made = make(&day);
    const char *name = NULL;
    const struct str *text = NULL;

    for (size_t f = 0; drill_made_file(&made, f, &name, &text); f++) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            STR_AUTO struct str words = STR_INIT(100);
            str_addf(&words, " %s ", names[i]);
            assert_false(says(text, str_text(&words)));
            str_cut(&words, 0);
            str_addf(&words, " %s\n", names[i]);
            assert_false(says(text, str_text(&words)));
        }
        assert_false(says(text, "web-7"));
    }
    assert_true(says(&made.samples, "instance=\"host-1:80\""));
    assert_true(says(&made.rules, "owner: responder"));
    play_all(&made);
    drill_made_done(&made);
    end(&day);
}

/* Read as whoever leads an exercise would: what each line does to who plays. */
static void test_reads_well(void **state)
{
    static const struct drill_from_person people[] = {{"ben", "Ben Okoro"}};
    static const struct timeline_event more[] = {
        {1, "human.hypothesis", "human", "api", "ana", "web-7 is out of CPU", "{}",
         .occurred_at_ms = FIRED + MINUTE},
        {2, "human.hypothesis", "human", "api", "ben", "workers of web-7 hold a lock", "{}",
         .occurred_at_ms = FIRED + 2 * MINUTE},
        {3, "chat.message", "human", "api", "ana", "Ben Okoro, do you see it?", "{}",
         .occurred_at_ms = FIRED + MINUTE / 2},
        {4, "chat.message", "human", "api", "ana", "hm, could workers hold some lock", "{}",
         .occurred_at_ms = FIRED + MINUTE},
        {5, "comms.customer", "human", "api", "ana", "Status page: we are on it", "{}",
         .occurred_at_ms = FIRED + MINUTE},
        {6, "human.action", "human", "api", "ben", "ben restarted web-7, nothing changed", "{}",
         .occurred_at_ms = FIRED + 2 * MINUTE},
        {7, "mitigation.applied", "human", "api", "ben", "more memory", "{\"outcome\":\"failed\"}",
         .occurred_at_ms = FIRED + 3 * MINUTE},
        {8, "mitigation.applied", "human", "api", "ben", "ben: set queue.max to 9", "{}",
         .occurred_at_ms = FIRED + 5 * MINUTE},
    };
    static const struct postmortem_curation thought[] = {[0] = {.hypothesis = "refuted"},
                                                         [1] = {.hypothesis = "confirmed"},
                                                         [7] = {.pinned = false}};
    struct day day;
    begin(&day);
    day.record.events = more;
    day.record.n_events = sizeof(more) / sizeof(more[0]);
    day.record.curation = thought;
    day.record.n_marks = 1;
    day.from.people = people;
    day.from.n_people = 1;
    day.from.factors =
        "> To answer: why?\n\n- Nobody **tested** it, says Ben Okoro.\n- A `lock` without a limit\n";
    day.from.lessons = "1. Look at locks first\n";
    struct drill_made made = make(&day);
    struct drill_case *loaded = load(&made);
    const struct drill *drill = loaded->drill;
    const struct drill_idea *idea;

    /* one chat with who says it: the other gives it away, and a status page is no customer */
    assert_int_equal(drill->n_events, 1);
    assert_string_equal(drill->events[0].text, "responder 1: responder 2, do you see it?");
    /* what alerts is in every idea and tells none of them */
    idea = drill_idea_find(drill->hypotheses, drill->n_hypotheses, "a lock stops workers of web-7");
    assert_non_null(idea);
    assert_int_equal(idea->worth, DRILL_WORTH_RIGHT);
    idea = drill_idea_find(drill->hypotheses, drill->n_hypotheses, "its CPU is busy");
    assert_non_null(idea);
    assert_int_equal(idea->worth, DRILL_WORTH_WRONG);
    /* who did it is not what was done; what did not help leads astray */
    assert_string_equal(drill->actions[0].text, "more memory");
    assert_int_equal(drill->actions[0].worth, DRILL_WORTH_HERRING);
    assert_string_equal(drill->actions[1].text, "set queue.max to 9");
    idea = drill_idea_find(drill->actions, drill->n_actions, "make the queue longer: max 9");
    assert_true(idea == NULL || idea->worth == DRILL_WORTH_RIGHT);
    assert_int_equal(drill->actions[2].worth, DRILL_WORTH_HERRING);
    assert_string_equal(drill->hints[drill->n_hints - 1].text,
                        "This made it possible: Nobody tested it, says responder 2.");
    assert_non_null(strstr(drill->debrief,
                           "What made it possible: Nobody tested it, says responder 2. "
                           "A lock without a limit. "));
    assert_non_null(strstr(drill->debrief, "What was learnt: Look at locks first."));
    /* an hour to find it, and it goes on until then */
    assert_true(drill->length_ms >= drill->onset_ms + 60 * MINUTE);
    assert_true(drill->files[0].until_mended);
    drill_case_free(loaded);
    play_all(&made);
    drill_made_done(&made);
    end(&day);
}

/* What a team wants to know: would the new rule have helped? */
static void test_another_rule(void **state)
{
    struct day day;
    begin(&day);
    struct drill_made made = make(&day);
    char *at = strstr(made.rules.text, "for: 1m");

    assert_non_null(at);
    memcpy(at, "for: 5m", 7);
    assert_int_equal(came(&made, DRILL_MOMENT_PAGE), ACTIVE + 5 * MINUTE + 10 * 1000);
    at = strstr(made.rules.text, "> 100");
    memcpy(at, "> 900", 5);
    assert_int_equal(came(&made, DRILL_MOMENT_PAGE), 0);
    drill_made_done(&made);
    end(&day);
}

static void test_without_samples(void **state)
{
    struct day day;
    begin(&day);
    day.from.n_series = 0;
    struct drill_made made = make(&day);

    assert_true(says(&made.rules, "drill_alert"));
    play_all(&made);
    assert_in_range(came(&made, DRILL_MOMENT_FIRING), FIRED, FIRED + 2 * STEP_MS);
    drill_made_done(&made);
    end(&day);
}

static void test_without_alerts(void **state)
{
    struct day day;
    begin(&day);
    day.record.n_alerts = 0;
    day.from.n_series = 0;
    struct drill_made made = make(&day);

    assert_int_equal(made.rules.len, 0);
    assert_int_equal(made.samples.len, 0);
    play_all(&made);
    drill_made_done(&made);

    struct err err = {0};

    day.record.n_events = 0;
    assert_int_equal(drill_from_incident(&day.from, &made, &err), DRILL_FROM_E_NOTHING);
    end(&day);
}

/* Who ends it earlier than they did that day has it over earlier. */
static void test_mended_earlier(void **state)
{
    struct day day;
    struct timeline_event late[N_EVENTS];
    struct postmortem_mark late_marks[sizeof(marks) / sizeof(marks[0])];
    begin(&day);
    memcpy(late, events, sizeof(events));
    memcpy(late_marks, marks, sizeof(marks));
    late[N_EVENTS - 1].occurred_at_ms = late_marks[3].at_ms = ENDED - STEP_MS;
    day.record.events = late;
    day.record.marks = late_marks;
    struct drill_made made = make(&day);
    struct drill_case *loaded = load(&made);
    struct drill_played played;
    int64_t over_ms = 0;
    size_t n = 0;

    assert_true(says(&made.text, " mended "));
    play_all(&made);
    drill_play(loaded, drill_player_find(loaded->drill, "perfect"), 1, &played);

    const struct drill_moment *moments = drill_world_moments(played.world, &n);

    for (size_t i = 0; i < n; i++)
        if (moments[i].kind == DRILL_MOMENT_RESOLVED && !over_ms)
            over_ms = moments[i].at_ms;
    assert_in_range(over_ms - drill_world_mended_ms(played.world), 1, 3 * STEP_MS);
    drill_played_done(&played);
    drill_case_free(loaded);
    assert_int_equal(came_to(&made, "as-it-was", DRILL_MOMENT_RESOLVED), ENDED);
    drill_made_done(&made);
    end(&day);
}

/* A policy's second step is paged when the first waits as long as it did that day. */
static void test_steps(void **state)
{
    static const int64_t steps_ms[] = {2 * MINUTE, 5 * MINUTE};
    struct day day;
    begin(&day);
    day.from.steps_ms = steps_ms;
    day.from.n_steps = 2;
    struct drill_made made = make(&day);
    struct drill_case *loaded = load(&made);
    struct drill_played played;
    bool second = false;
    size_t n = 0;

    drill_play(loaded, drill_player_find(loaded->drill, "as-it-was"), 1, &played);

    const struct drill_moment *moments = drill_world_moments(played.world, &n);

    for (size_t i = 0; i < n; i++)
        second |= moments[i].kind == DRILL_MOMENT_PAGE && strcmp(moments[i].who, "secondary") == 0;
    assert_true(second); /* it was acknowledged after 170 s */
    drill_played_done(&played);
    drill_case_free(loaded);
    drill_made_done(&made);
    end(&day);
}

/* A series that ended is gone at once, in the drill as that day. */
static void test_stale(void **state)
{
    struct day day;
    begin(&day);
    values[OVER] = sample_stale();
    day.series[0].n = OVER + 1;
    struct drill_made made = make(&day);

    play_all(&made);
    assert_int_equal(came_to(&made, "as-it-was", DRILL_MOMENT_RESOLVED), ENDED);
    drill_made_done(&made);
    end(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_pages),
        cmocka_unit_test(test_begins_earlier),
        cmocka_unit_test(test_reads_well),
        cmocka_unit_test(test_what_is_right),
        cmocka_unit_test(test_hides_the_answer),
        cmocka_unit_test(test_names_nobody),
        cmocka_unit_test(test_another_rule),
        cmocka_unit_test(test_without_samples),
        cmocka_unit_test(test_without_alerts),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_mended_earlier),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
