/*
 * The incident record: revisions over events, marks read off rows or set by people, spans
 * between them. Scenarios are scripts: one row of the timeline a line, "MINUTE KIND [scope]".
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/incident/record.h"
#include "tests/lib/row.h"

enum {
    MINUTE_MS = 60000,
    EVENTS_MAX = 40,
};

static struct arena arena;
static struct timeline_event events[EVENTS_MAX];
static size_t n_events;
static struct record_event *rows;

static int64_t at(int minute)
{
    return (int64_t)minute * MINUTE_MS;
}

/* "5 impact.start builds; 7 ~notify.sent": ~ is approximate, ! is a machine's. */
static void write_script(const char *script)
{
    n_events = 0;
    arena_reset(&arena);
    while (*script) {
        char kind[40] = "";
        char scope[40] = "";
        size_t len = strcspn(script, ";");
        char *after = NULL;
        int minute = (int)strtol(script, &after, 10);
        int n = sscanf(after, " %39[^ ;] %39[^ ;]", kind, scope);
        const char *name = kind + (*kind == '~' || *kind == '!');

        assert_true(n >= 1 && n_events < EVENTS_MAX);
        events[n_events] = (struct timeline_event){
            .id = (int64_t)n_events + 1,
            .kind = arena_strndup(&arena, name, strlen(name)),
            .event_class = *kind == '!' ? "machine" : "human",
            .source = "test",
            .text = name,
            .data = "{}",
            .occurred_at_ms = at(minute),
            .precision = *kind == '~' ? "approx" : NULL,
            .scope = *scope ? arena_strndup(&arena, scope, strlen(scope)) : NULL,
        };
        events[n_events].text = events[n_events].kind;
        n_events++;
        script += len + (script[len] == ';');
        script += strspn(script, " ");
    }
}

static void fold(const struct record_rev *revs, size_t n)
{
    assert_int_equal(record_fold(&arena, events, n_events, revs, n, &rows, NULL), 0);
}

static struct record read_marks(enum incident_status status,
                                const struct record_setting *settings,
                                size_t n)
{
    static struct incident incident;
    struct record record = {0};

    incident = (struct incident){.status = status};
    const struct record_input input = {.incident = &incident,
                                       .rows = rows,
                                       .n_rows = n_events,
                                       .settings = settings,
                                       .n_settings = n};

    assert_int_equal(record_read(&arena, &input, &record, NULL), 0);
    return record;
}

/* The marks as minutes, in their order: "- 5 7 - - - - - -". */
static const char *marks_text(const struct record *record, struct str *out)
{
    str_cut(out, 0);
    for (unsigned i = 0; i < RECORD_MARKS; i++) {
        str_add(out, i ? " " : "");
        if (record->marks[i].at_ms)
            str_addf(out, "%d", (int)(record->marks[i].at_ms / MINUTE_MS));
        else
            str_addc(out, '-');
    }
    return str_text(out);
}

static void test_rules_read(void **state)
{
    static const struct {
        const char *name, *script, *marks;
    } scripts[] = {
        /* trigger impact detected paged acked response cause mitigated resolved */
        {"nothing happened", "", "- - - - - - - - -"},
        {"an alert nobody is told of is not detected", "5 !alert.firing", "- - - - - - - - -"},
        {"an alert that is told", "5 !alert.firing; 6 !notify.sent", "- - 5 6 - - - - -"},
        {"a page alone", "6 notify.sent", "- - 6 6 - - - - -"},
        {"a customer was faster", "3 human.report; 5 !alert.firing; 6 !notify.sent",
         "- - 3 6 - - - - -"},
        {"who looks at it engages", "1 !ack", "- - - - 1 1 - - -"},
        {"a decision is no beginning, an action is", "1 human.decision; 2 human.action",
         "- - - - - 2 - - -"},
        {"a confirmed hypothesis names a cause", "4 human.hypothesis; 6 hypothesis.confirmed",
         "- - - - - - 6 - -"},
        {"a refuted one does not", "4 human.hypothesis; 6 hypothesis.refuted", "- - - - - - - - -"},
        {"the end behind the last mitigation",
         "1 impact.start builds; 2 impact.start site; 3 mitigation.applied; 5 impact.end site;"
         " 9 impact.end builds; 10 incident.status",
         "- 1 - - - - - 5 10"},
        {"a mitigation that did not help",
         "1 impact.start; 2 mitigation.applied; 8 mitigation.applied; 9 impact.end",
         "- 1 - - - - - 9 -"},
        {"no mitigation: the last end", "1 impact.start a; 3 impact.end a; 7 impact.end b",
         "- 1 - - - - - 7 -"},
        {"rows come in any order", "6 !notify.sent; 5 !alert.firing", "- - 5 6 - - - - -"},
    };
    STR_AUTO struct str text = STR_INIT(1000);

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        row("%s", scripts[i].name);
        write_script(scripts[i].script);
        fold(NULL, 0);
        struct record record = read_marks(INCIDENT_RESOLVED, NULL, 0);

        assert_string_equal(marks_text(&record, &text), scripts[i].marks);
    }
    row("an open incident is not resolved, whatever its rows say");
    write_script("10 incident.status");
    fold(NULL, 0);
    struct record record = read_marks(INCIDENT_TRIGGERED, NULL, 0);

    assert_string_equal(marks_text(&record, &text), "- - - - - - - - -");
}

static void test_who_detected_it(void **state)
{
    static const struct {
        const char *script, *by;
    } scripts[] = {
        {"5 !alert.firing; 5 !notify.sent", "alert"},
        {"5 notify.sent", "alert"},
        {"5 human.report", "customer"},
        {"5 human.observation", NULL},
        {"5 impact.start", NULL},
    };
    static const struct record_setting person[] = {{.name = RECORD_DETECTED,
                                                    .scope = "",
                                                    .state = RECORD_MARK_AT,
                                                    .at_ms = 5 * MINUTE_MS,
                                                    .editor = "ana",
                                                    .reason = ""}};

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        row("%s", scripts[i].script);
        write_script(scripts[i].script);
        fold(NULL, 0);
        struct record record = read_marks(INCIDENT_RESOLVED, NULL, 0);

        if (scripts[i].by)
            assert_string_equal(record.detected_by, scripts[i].by);
        else
            assert_null(record.detected_by);
    }
    row("a person says when: the rows of that instant say who");
    write_script("5 human.observation; 9 human.report");
    fold(NULL, 0);
    struct record record = read_marks(INCIDENT_RESOLVED, person, 1);

    assert_string_equal(record.detected_by, "human");
}

static void test_people_set_marks(void **state)
{
    const struct record_setting settings[] = {
        {.id = 1,
         .name = RECORD_DETECTED,
         .scope = "",
         .state = RECORD_MARK_AT,
         .at_ms = at(4),
         .precision = "approx",
         .reason = "",
         .editor = "ana"},
        {.id = 2,
         .name = RECORD_IMPACT_END,
         .scope = "site",
         .state = RECORD_MARK_AT,
         .at_ms = at(8),
         .reason = "",
         .editor = "ana"},
        {.id = 3,
         .name = RECORD_DETECTED,
         .scope = "",
         .state = RECORD_MARK_UNKNOWN,
         .reason = "nobody is sure",
         .editor = "ben"},
        {.id = 4,
         .name = RECORD_DETECTED,
         .scope = "",
         .state = RECORD_MARK_AUTO,
         .reason = "",
         .editor = "ana"},
    };
    STR_AUTO struct str text = STR_INIT(1000);

    write_script("1 impact.start site; 5 !alert.firing; 6 !notify.sent; 7 impact.end site");
    fold(NULL, 0);

    row("set: both the person's and the rule's are there");
    struct record record = read_marks(INCIDENT_RESOLVED, settings, 1);
    const struct record_mark *detected = &record.marks[RECORD_DETECTED];

    assert_int_equal(detected->at_ms, at(4));
    assert_int_equal(detected->machine.at_ms, at(5));
    assert_true(detected->approx && record.metrics[RECORD_TTD].approx);
    record_metric_text(&record.metrics[RECORD_TTD], &text);
    assert_string_equal(str_text(&text), "\xe2\x89\x88 3 min");

    row("of a scope alone");
    record = read_marks(INCIDENT_RESOLVED, settings, 2);
    assert_int_equal(record.n_impacts, 1);
    assert_int_equal(record.impacts[0].end.at_ms, at(8));
    assert_int_equal(record.impacts[0].end.machine.at_ms, at(7));

    row("given back");
    record = read_marks(INCIDENT_RESOLVED, settings, 4);
    assert_int_equal(record.marks[RECORD_DETECTED].at_ms, at(5));
    assert_null(record.marks[RECORD_DETECTED].set);
}

static void test_not_known_is_a_value(void **state)
{
    static const struct record_setting settings[] = {
        {.id = 1,
         .name = RECORD_DETECTED,
         .scope = "",
         .state = RECORD_MARK_UNKNOWN,
         .reason = "nobody is sure",
         .editor = "ben"},
    };
    STR_AUTO struct str text = STR_INIT(1000);

    write_script("1 impact.start site; 5 !alert.firing; 6 !notify.sent");
    fold(NULL, 0);
    struct record record = read_marks(INCIDENT_RESOLVED, settings, 1);
    assert_int_equal(record.marks[RECORD_DETECTED].at_ms, 0);
    assert_false(record.metrics[RECORD_TTD].known);
    record_metric_text(&record.metrics[RECORD_TTD], &text);
    assert_string_equal(str_text(&text), "not known (mark detected is not set)");
}

static void test_alerts_are_an_impact_of_their_own(void **state)
{
    static struct incident incident = {.status = INCIDENT_RESOLVED};
    struct incident_alert alerts[] = {
        {.name = "A",
         .active_at_ms = 3 * MINUTE_MS,
         .fired_at_ms = 5 * MINUTE_MS,
         .resolved_at_ms = 9 * MINUTE_MS},
        {.name = "B",
         .active_at_ms = 2 * MINUTE_MS,
         .fired_at_ms = 6 * MINUTE_MS,
         .resolved_at_ms = 8 * MINUTE_MS},
    };
    struct record_input input = {.incident = &incident, .alerts = alerts, .n_alerts = 2};
    struct record record;

    write_script("");
    fold(NULL, 0);
    input.rows = rows;
    assert_int_equal(record_read(&arena, &input, &record, NULL), 0);
    assert_int_equal(record.n_impacts, 1);
    assert_string_equal(record.impacts[0].scope, RECORD_SCOPE);
    assert_int_equal(record.impacts[0].start.at_ms, at(2));
    assert_int_equal(record.impacts[0].end.at_ms, at(9));
    assert_int_equal(record.marks[RECORD_MITIGATED].at_ms, at(9));

    row("one fires still: nothing is over");
    alerts[0].firing = true;
    alerts[0].resolved_at_ms = 0;
    assert_int_equal(record_read(&arena, &input, &record, NULL), 0);
    assert_int_equal(record.impacts[0].end.at_ms, 0);
    assert_int_equal(record.marks[RECORD_MITIGATED].at_ms, 0);
}

static void test_revisions(void **state)
{
    const struct record_rev revs[] = {
        {.event_id = 1, .op = RECORD_PIN},
        {.event_id = 2, .op = RECORD_RETIME, .value = "60000", .precision = "approx"},
        {.event_id = 2, .op = RECORD_RETEXT, .value = "better"},
        {.event_id = 2, .op = RECORD_ANNOTATE, .value = "see the log"},
        {.event_id = 3, .op = RECORD_HIDE},
        {.event_id = 3, .op = RECORD_UNHIDE},
        {.event_id = 3, .op = RECORD_RETRACT},
        {.event_id = 3, .op = RECORD_MERGE, .value = "1"},
        {.event_id = 99, .op = RECORD_HIDE}, /* of another incident */
    };

    write_script("5 !alert.firing; 7 human.note; 8 human.report");
    fold(revs, sizeof(revs) / sizeof(revs[0]));
    row("in order of when it happened, as it is known now");
    assert_int_equal(rows[0].event->id, 2);
    assert_int_equal(rows[0].at_ms, at(1));
    assert_string_equal(rows[0].precision, "approx");
    assert_string_equal(rows[0].text, "better");
    assert_string_equal(rows[0].note, "see the log");
    assert_int_equal(rows[0].event->occurred_at_ms, at(7)); /* the log is as it was */
    assert_true(rows[1].pinned && rows[1].n_revs == 1);
    assert_true(rows[2].retracted && !rows[2].hidden && rows[2].merged_into == 1);
    assert_int_equal(rows[2].n_revs, 4);

    row("what was taken back counts for nothing");
    struct record record = read_marks(INCIDENT_RESOLVED, NULL, 0);

    assert_int_equal(record.marks[RECORD_DETECTED].at_ms, 0);
}

static void test_what_a_row_takes(void **state)
{
    static const struct {
        const char *name, *kind, *op, *value, *reason;
        bool is_taken;
    } tries[] = {
        {"a machine's row is pinned", "!ack", "pin", NULL, "", true},
        {"and hidden", "!ack", "hide", NULL, "", true},
        {"and annotated", "!ack", "annotate", "x", "", true},
        {"and merged", "!ack", "merge", "2", "", true},
        {"but not into itself", "!ack", "merge", "1", "", false},
        {"its time stays", "!ack", "retime", "5", "why", false},
        {"its words stay", "!ack", "retext", "x", "why", false},
        {"it is not taken back", "!ack", "retract", NULL, "why", false},
        {"a person's row moves, with a reason", "human.note", "retime", "5", "why", true},
        {"not without", "human.note", "retime", "5", " ", false},
        {"is said better", "human.note", "retext", "x", "why", true},
        {"not emptied", "human.note", "retext", " ", "why", false},
        {"is of another kind", "human.note", "retag", "human.report", "why", true},
        {"of one that there is", "human.note", "retag", "human.dream", "why", false},
    };

    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        char script[60];
        struct err err = {0};

        row("%s", tries[i].name);
        (void)snprintf(script, sizeof(script), "5 %s", tries[i].kind);
        write_script(script);
        fold(NULL, 0);
        const struct record_rev rev = {.event_id = 1,
                                       .op = record_op_parse(tries[i].op),
                                       .value = tries[i].value,
                                       .reason = tries[i].reason};

        assert_int_equal(record_check(&rows[0], &rev, &err),
                         tries[i].is_taken ? 0 : RECORD_E_REFUSED);
        assert_int_equal(err.text[0] == '\0', tries[i].is_taken);
    }
}

static void test_names(void **state)
{
    for (unsigned i = 0; i < RECORD_OPS; i++)
        assert_int_equal(record_op_parse(record_op_name((enum record_op)i)), i);
    for (unsigned i = 0; i < RECORD_MARK_NAMES; i++)
        assert_int_equal(record_mark_parse(record_mark_name((enum record_mark_name)i)), i);
    assert_int_equal(record_op_parse("frame"), RECORD_OPS);
    assert_int_equal(record_mark_parse("found"), RECORD_MARK_NAMES);
    assert_true(timeline_kind_known("human.hypothesis") && timeline_kind_known("ack"));
    assert_false(timeline_kind_known("human"));
    assert_string_equal(timeline_kind_level("change.deploy"), "key");
    assert_string_equal(timeline_kind_level("query.run"), "raw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_read),
        cmocka_unit_test(test_who_detected_it),
        cmocka_unit_test(test_people_set_marks),
        cmocka_unit_test(test_not_known_is_a_value),
        cmocka_unit_test(test_alerts_are_an_impact_of_their_own),
        cmocka_unit_test(test_revisions),
        cmocka_unit_test(test_what_a_row_takes),
        cmocka_unit_test(test_names),
    };

    arena_init(&arena, (size_t)4 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    arena_reset(&arena);
    return failed;
}
