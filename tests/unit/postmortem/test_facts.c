/*
 * From rows to facts: each row of a table is an incident as a story, and what a template
 * then prints about it.
 */

#include <string.h>

#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/template.h"
#include "tests/lib/row.h"

enum {
    EVENTS_MAX = 16
};

/* 2026-11-23 22:00:00 UTC; minutes below count from here. */
static const int64_t base_ms = 1795471200000;

static int64_t at(int minute)
{
    return base_ms + (int64_t)minute * 60000;
}

struct story {
    struct timeline_event events[EVENTS_MAX];
    size_t n_events;
    struct incident_alert alert;
    struct incident incident;
    struct postmortem_notification page;
    struct postmortem_input input;
};

static void happens(struct story *story, int minute, const char *kind, const char *actor)
{
    struct timeline_event *event = &story->events[story->n_events++];

    *event = (struct timeline_event){
        .id = (int64_t)story->n_events,
        .kind = kind,
        .event_class = actor ? "human" : "machine",
        .source = actor                              ? "api"
                  : strcmp(kind, "notify.sent") == 0 ? "outbox 4"
                                                     : "rule 7",
        .actor = actor,
        .text = kind,
        .occurred_at_ms = at(minute),
        .recorded_at_ms = at(minute),
    };
}

/* Breach at 0, fires at 2, paged at 3. */
static void begin(struct story *story)
{
    *story = (struct story){
        .alert = {.rule_id = 7,
                  .name = "ProbeDown",
                  .labels = labels_empty(),
                  .expr = "up == 0",
                  .for_ms = 120000,
                  .active_at_ms = at(0),
                  .fired_at_ms = at(2)},
        .incident = {.id = 1,
                     .key = "INC-2026-0001",
                     .title = "Shop | down",
                     .severity = "critical",
                     .status = INCIDENT_TRIGGERED,
                     .labels = labels_empty(),
                     .opened_at_ms = at(2),
                     .origin = "real"},
        .page = {.id = 4,
                 .receiver = "mail",
                 .kind = "email",
                 .reason = "first",
                 .state = "sent",
                 .sent_at_ms = at(3),
                 .attempts = 1},
    };
    story->input = (struct postmortem_input){
        .template_name = "test",
        .now_ms = at(600),
        .incident_url = "http://w/i/INC-2026-0001",
        .incident = &story->incident,
        .alerts = &story->alert,
        .n_alerts = 1,
        .events = story->events,
        .notifications = &story->page,
        .n_notifications = 1,
    };
    happens(story, 2, "alert.firing", NULL);
    happens(story, 3, "notify.sent", NULL);
}

static void resolve(struct story *story, int minute)
{
    story->incident.resolved_at_ms = at(minute);
    story->incident.status = INCIDENT_RESOLVED;
    happens(story, minute, "incident.resolved", NULL);
}

static void expect(struct story *story, const char *text, const char *want)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str out = STR_INIT(64 * 1024);
    const struct template_set none = {NULL, 0};
    const struct template_file file = {"test.md", text};
    struct template *template;
    const struct fact *facts;
    struct err err = {0};

    arena_init(&arena, 1024 * 1024);
    story->input.n_events = story->n_events;
    assert_int_equal(postmortem_facts(&arena, &story->input, &facts, &err), 0);
    int r = template_parse(&arena, &none, &file, &template, &err);
    if (!r)
        r = template_render(template, facts, &out, &err);
    if (r)
        (void)fprintf(stderr, "# %s\n", err.text);
    assert_int_equal(r, 0);
    assert_string_equal(str_text(&out), want);
}

static void test_marks_and_metrics(void **state)
{
    struct story story;

    begin(&story);
    happens(&story, 9, "ack", "ana");
    resolve(&story, 30);
    expect(
        &story,
        "{{mark.impact_start.utc}}, {{mark.detected.hms}}, {{mark.paged.hm}}, {{mark.acked.text}}",
        "2026-11-23 22:00:00 UTC, 22:02:00, 22:03, 2026-11-23 22:09:00 UTC");
    expect(&story,
           "{{metric.ttd.text}}; {{metric.tta.text}}; {{metric.ttr.text}}; {{metric.ttr.s}}",
           "2 min; 6 min; 30 min; 1800");
    expect(&story, "{{metric.ttd.formula}}", "detected \xe2\x88\x92 impact_start");
    expect(&story, "{{&mark.paged.evidence}}", "[e2](http://w/i/INC-2026-0001#e2)");
    expect(&story, "{{&mark.acked.evidence}}", "[e3](http://w/i/INC-2026-0001#e3)");
    expect(&story, "{{mark.impact_start.source}}/{{mark.detected.source}}", "ProbeDown/rule 7");
}

static void test_unknown_is_a_fact(void **state)
{
    struct story story;

    row("never acknowledged, still open");
    begin(&story);
    expect(&story, "{{mark.acked.text}}. {{mark.resolved.text}}.",
           "not known (nobody acknowledged). not known (it is still open).");
    expect(&story, "{{metric.tta.text}}; {{metric.ttr.text}}; {{metric.ttr.why}}",
           "not known (mark acked is not set: nobody acknowledged); not known (mark resolved is not"
           " set: it is still open); mark resolved is not set: it is still open");
    expect(&story, "{{#mark.acked}}x{{/mark.acked}}{{^mark.acked}}y{{/mark.acked}}", "y");

    row("nobody was told: firing is not detecting");
    begin(&story);
    story.n_events = 1;
    story.page.sent_at_ms = 0;
    expect(&story, "{{mark.detected.text}}",
           "not known (no alert was sent or shown, and nobody reported it)");

    row("shown on the dashboard only: detected, but nobody was paged");
    begin(&story);
    story.page.kind = "dashboard";
    expect(&story, "{{mark.paged.text}}; {{mark.detected.hm}}",
           "not known (no page was sent); 22:02");

    row("a person reported it before the page");
    begin(&story);
    happens(&story, 1, "human.report", "user");
    expect(&story, "{{mark.detected.hm}} {{metric.ttd.text}}", "22:01 1 min");

    row("no alert at all");
    begin(&story);
    story.input.n_alerts = 0;
    expect(&story, "{{mark.impact_start.text}}; {{detection.known}}; {{detection.rule.name}}",
           "not known (no alert is attached to this incident); no; ");

    row("marks in the wrong order are shown, not clipped");
    begin(&story);
    story.alert.active_at_ms = at(5);
    expect(&story, "{{metric.ttd.text}}", "-3 min (negative: look at the marks)");
}

static void test_detection(void **state)
{
    struct story story;

    begin(&story);
    happens(&story, 9, "ack", "ana");
    expect(
        &story,
        "{{detection.d_for.text}} {{detection.d_send.text}} {{detection.d_ack.text}} {{detection.biggest_part}}",
        "2 min 1 min 6 min acknowledged");
    expect(&story, "{{&detection.rule.code}} {{detection.rule.for}}", "`up == 0` 2m");
    story.alert.expr = "a`b``c";
    expect(&story, "{{&detection.rule.code}}", "```a`b``c```");
}

/* What was looked up in samples: each part of the way with its share, and what is not known says why. */
static void test_learnt(void **state)
{
    struct learnt_way way = {.rule = "ProbeDown",
                             .pending_ms = at(0),
                             .firing_ms = at(2),
                             .owed_ms = at(2) + 30000,
                             .sent_ms = at(3),
                             .why_no_breach = "its samples are gone"};
    struct learnt_earlier earlier = {.rule = "ProbeDown",
                                     .setting = "for 0s instead of 2m",
                                     .query = "up == 0",
                                     .fired_ms = at(0)};
    struct learnt_signal signal = {
        .rule = "Slow", .query = "x > 1", .for_ms = 60000, .breach_ms = at(1)};
    struct learnt_burn burn = {.service = "shop",
                               .slo = "availability",
                               .window = "30d",
                               .objective = 0.999,
                               .from_ms = at(0),
                               .to_ms = at(9),
                               .bad = 120,
                               .total = 2400,
                               .burnt_ratio = 0.25};
    struct learnt learnt = {.made_ms = at(60), .ways = &way, .n_ways = 1};
    struct story story;

    begin(&story);
    expect(&story,
           "{{look.known}} {{#detections}}x{{/detections}}{{^would_have}}none{{/would_have}}",
           "no none");
    story.input.learnt = &learnt;
    expect(
        &story,
        "{{#detections}}{{rule}}{{#parts}}; {{took.text}} {{share}}{{/parts}}: {{biggest_part}}{{/detections}}",
        "ProbeDown; not known (its samples are gone) ; 2 min 67 %; 30 s 17 %; 30 s 17 %; not known "
        "(nobody acknowledged) : Its for was over, it fired");
    learnt.earlier = &earlier;
    learnt.n_earlier = 1;
    expect(
        &story,
        "{{#would_have}}{{setting}}: {{earlier.text}}{{^is_counted}}, not counted{{/is_counted}}{{/would_have}}",
        "for 0s instead of 2m: 2 min, not counted");
    learnt.signals = &signal;
    learnt.n_signals = 1;
    expect(&story, "{{#missed}}{{rule}} {{breach.hm}} {{for}} {{&code}}{{/missed}}",
           "Slow 22:01 1m `x > 1`");
    learnt.burns = &burn;
    learnt.n_burns = 1;
    expect(&story, "{{#slos}}{{objective}} {{bad}} {{total}} {{burnt}}{{/slos}}",
           "99.9 % 120 2400 25 %");
    burn.why_not = "its queries have no answer for that time";
    expect(&story, "{{#slos}}{{burnt}}{{/slos}}",
           "not known (its queries have no answer for that time)");
}

/* Only what a person linked is told as such; the others are asked about. */
static void test_around(void **state)
{
    struct learnt_similar similar[] = {
        {.key = "INC-2026-0002",
         .title = "x",
         .why = "the same rule fired in both",
         .same_rule = true},
        {.key = "INC-2026-0003", .title = "y", .why = "one repeats the other", .is_linked = true},
    };
    struct learnt_inherited inherited = {.id = 4,
                                         .text = "Add a disk",
                                         .incident = "INC-2026-0003",
                                         .owner = "ben",
                                         .created_ms = at(-60)};
    struct learnt_around around = {
        .similar = similar, .n_similar = 2, .inherited = &inherited, .n_inherited = 1};
    struct story story;

    begin(&story);
    resolve(&story, 10);
    story.input.around = &around;
    expect(
        &story,
        "{{#similar}}{{key}} {{/similar}}{{#inherited_actions}}{{text}}, {{age.text}}{{/inherited_actions}}",
        "INC-2026-0003 Add a disk, 11 h");
    expect(&story, "{{#people}}{{name}} {{/people}}", "ben ");
    expect(
        &story, "{{#questions}}{{#answer}}{{/answer}}{{why}};{{/questions}}",
        "the mark mitigated is not set;resolved before any note;no runbook_url on the rule;an incident like this one that nobody linked with it;");
}

static void test_timeline(void **state)
{
    struct story story;

    row("order by when it happened, letters for what matters");
    begin(&story);
    happens(&story, 12, "human.note", "ana");
    happens(&story, 2, "alert.pending", NULL);
    happens(&story, 10, "alert.firing", NULL);
    happens(&story, 1500, "human.note", "ben");
    story.events[2].recorded_at_ms = at(60);
    expect(
        &story,
        "{{#timeline}}{{letter}}|{{time.short}}|{{kind}}|{{actor}}|{{added_later}}\n{{/timeline}}",
        "A|22:02:00|alert.firing||no\nB|22:02:00|alert.pending||no\nC|22:03:00|notify.sent||no\n"
        "|22:10:00|alert.firing||no\nD|22:12:00|human.note|ana|yes\n"
        "E|11-24 23:00:00|human.note|ben|no\n");
    expect(&story, "{{#responders}}{{name}} {{rows}} {{first.hm}}; {{/responders}}",
           "ana 1 22:12; ben 1 23:00; ");

    row("hundreds of rows: those with letters stay, the rest is counted");
    static struct timeline_event many[300];

    for (size_t i = 0; i < 300; i++)
        many[i] = (struct timeline_event){.id = (int64_t)i + 1,
                                          .kind = i == 299 ? "ack" : "alert.resolved",
                                          .event_class = "machine",
                                          .occurred_at_ms = at((int)i)};
    begin(&story);
    story.input.events = many;
    story.n_events = 300;
    expect(&story, "{{timeline_left_out}}{{#timeline}}{{letter}}{{/timeline}}", "99A");
}

static void test_questions(void **state)
{
    static const char questions[] = "{{#questions}}{{text}}\n{{/questions}}";
    static const struct label runbook[] = {{"runbook_url", "/r"}};
    const struct labels *annotations = labels_new(runbook, 1);
    struct story story;

    row("all is told: none");
    begin(&story);
    story.alert.annotations = annotations;
    story.alert.resolved_at_ms = at(30);
    happens(&story, 9, "ack", "ana");
    happens(&story, 15, "human.note", "ana");
    resolve(&story, 30);
    expect(&story, questions, "");

    row("a gap, a silence after the acknowledgement, an end without a word");
    begin(&story);
    story.alert.annotations = annotations;
    happens(&story, 4, "ack", "ana");
    resolve(&story, 30);
    expect(&story, questions,
           "When was the impact over?\n"
           "22:04 to 22:30 UTC has no event for 26 min. What was tried?\n"
           "Acknowledged at 22:04 UTC; nothing a person did is recorded in the 26 min after. "
           "What was looked at first?\n"
           "Resolved at 22:30 UTC; no note says what was done. Did it end by itself?\n");

    row("a rule without a runbook, a page that was given up");
    begin(&story);
    story.page.state = "failed";
    story.page.attempts = 9;
    story.input.now_ms = at(10);
    expect(&story, questions,
           "Rule ProbeDown has no runbook. What should the next person look at first?\n"
           "A page to mail was given up after 9 attempts. Who learned of it, and how?\n");

    row("still open: silence until now counts");
    begin(&story);
    story.alert.annotations = annotations;
    expect(&story, questions,
           "22:03 to 11-24 08:00 UTC has no event for 9 h 57 min. What was tried?\n");
    labels_unref(annotations);
}

static void test_story(void **state)
{
    static const struct postmortem_mark marks[] = {
        {.name = "mitigated",
         .scope = "",
         .precision = "approx",
         .source = "ana",
         .rule = "set by ana"},
        {.name = "cause_identified", .scope = "site", .at_ms = 1},
    };
    static const struct postmortem_impact impacts[] = {
        {.scope = "site", .start_ms = 1795471200000, .end_ms = 1795471200000 + 28 * 60000},
        {.scope = "builds", .start_ms = 1795471200000},
    };
    struct story story;

    row("kinds of rows find their tables");
    begin(&story);
    happens(&story, -30, "change.deploy", "ci");
    happens(&story, 5, "human.hypothesis", "ana");
    happens(&story, 6, "comms.status_page", "ben");
    happens(&story, 7, "cause.identified", "ana");
    happens(&story, 8, "agent.lost", NULL);
    expect(&story, "{{#changes}}{{kind}} {{before_impact.text}}{{/changes}}",
           "change.deploy 30 min");
    expect(&story, "{{#response}}{{what}} {{actor}};{{/response}}", "hypothesis ana;cause ana;");
    expect(&story, "{{#comms}}{{channel}} {{after_impact.text}}{{/comms}}", "status_page 6 min");
    expect(&story, "{{#blind}}{{kind}}{{/blind}}", "agent.lost");
    expect(&story, "{{metric.diagnose.text}}", "5 min");
    expect(&story, "{{#people}}{{name}} {{/people}}", "ci ana ben ");
    expect(&story, "{{#questions}}{{text}}\n{{/questions}}",
           "22:08 to 11-24 08:00 UTC has no event for 9 h 52 min. What was tried?\n"
           "21:30 UTC, 30 min before the impact: change.deploy Did it play a part?\n"
           "Rule ProbeDown has no runbook. What should the next person look at first?\n"
           "22:08 UTC: agent.lost Who knew of it, and what was not seen for it?\n");

    row("what the record has set counts, for the whole incident; approximate is said");
    struct postmortem_mark set[2] = {marks[0], marks[1]};

    begin(&story);
    set[0].at_ms = at(40);
    story.input.marks = set;
    story.input.n_marks = 2;
    expect(&story, "{{mark.mitigated.hm}} {{mark.mitigated.approx}} {{mark.mitigated.rule}}",
           "22:40 yes set by ana");
    expect(&story, "{{metric.ttm.text}} {{metric.ttm.approx}}", "38 min yes");
    expect(&story, "{{mark.cause_identified.known}}", "no");

    row("each scope has its own end, or none");
    story.input.impacts = impacts;
    story.input.n_impacts = 2;
    expect(&story, "{{#impacts}}{{scope}} {{duration.text}};{{/impacts}}",
           "site 28 min;builds not known (no end is recorded);");

    row("an answer is told with its question");
    static const struct postmortem_answer answer = {FACTS_ASK_IMPACT_START, "at noon", "ben"};

    begin(&story);
    story.input.n_alerts = 0;
    story.input.answers = &answer;
    story.input.n_answers = 1;
    expect(
        &story,
        "{{#questions}}{{#answer}}{{text}} {{answer}} ({{answered_by}}){{/answer}}{{/questions}}",
        "When did the impact begin? at noon (ben)");
}

static void test_no_cause_words(void **state)
{
    static const char *const causes[] = {"because", "due to", "caused", "root cause", "failed to"};
    const struct template_set set = {template_builtin, template_n_builtin};

    for (size_t i = 0; i < set.n; i++)
        for (size_t k = 0; k < sizeof(causes) / sizeof(*causes); k++) {
            row("%s: %s", set.files[i].name, causes[k]);
            assert_null(strstr(set.files[i].text, causes[k]));
        }
}

static void test_memory(void **state)
{
    struct story story;
    size_t limit = 0;
    int r;

    begin(&story);
    story.input.n_events = story.n_events;
    do {
        ARENA_AUTO struct arena arena;
        const struct fact *facts;
        struct err err;

        arena_init(&arena, limit);
        r = postmortem_facts(&arena, &story.input, &facts, &err);
        assert_true(r == 0 || r == FACTS_E_LIMIT);
        limit += 64;
    } while (r);
}

static void test_json(void **state)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str text = STR_INIT(64 * 1024);
    struct json_out out = JSON_OUT(&text);
    const struct fact *facts;
    struct story story;
    struct err err;

    begin(&story);
    arena_init(&arena, 1024 * 1024);
    story.input.n_events = story.n_events;
    assert_int_equal(postmortem_facts(&arena, &story.input, &facts, &err), 0);
    fact_json(facts, &out);
    assert_non_null(strstr(str_text(&text), "\"ttd\":{\"known\":true,\"formula\":"));
    assert_non_null(strstr(str_text(&text), "\"title\":\"Shop | down\""));
    assert_non_null(strstr(str_text(&text), "\"labels\":[]"));
    assert_non_null(strstr(str_text(&text), "\"rule_id\":7,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks_and_metrics),
        cmocka_unit_test(test_unknown_is_a_fact),
        cmocka_unit_test(test_detection),
        cmocka_unit_test(test_learnt),
        cmocka_unit_test(test_around),
        cmocka_unit_test(test_timeline),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_no_cause_words),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
