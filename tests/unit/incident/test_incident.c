/*
 * An incident's life, written as two strings: what happened, and what it was after each
 * step. Steps: F an alert fires, e one ends, a somebody acknowledges, r somebody resolves.
 * Status: T triggered, A acknowledged, R resolved, - none; upper row. Change: o opened,
 * O opened again, a acknowledged, v over by itself, c closed by a person, x refused, '.'.
 */

#include <string.h>

#include "alertd/incident/incident.h"
#include "alertd/incident/timeline.h"
#include "tests/lib/row.h"

static enum incident_input input_of(char c)
{
    switch (c) {
    case 'F': return INCIDENT_ALERT_FIRES;
    case 'e': return INCIDENT_ALERT_ENDS;
    case 'a': return INCIDENT_ACK;
    default: assert_int_equal(c, 'r'); return INCIDENT_RESOLVE;
    }
}

static void test_lives(void **state)
{
    static const struct {
        const char *name, *steps, *status, *changes;
    } rows[] = {
        {"one alert, over by itself", "Fe", "TR", "ov"},
        {"a second joins; the last one ends it", "FFee", "TTTR", "o..v"},
        {"acknowledged, then over", "Fae", "TAR", "oav"},
        {"acknowledging twice changes nothing", "Faa", "TAA", "oa."},
        {"another alert keeps the acknowledgement", "FaF", "TAA", "oa."},
        {"fires again after the end: a new incident", "FeF", "TRT", "ovo"},
        {"resolved while firing, ended later: nothing more", "Fre", "TRR", "oc."},
        {"resolved while firing, another fires: opened again", "FrFee", "TRTTR", "ocO.v"},
        {"resolved while firing, ended, fires: a new one", "FreF", "TRRT", "oc.o"},
        {"acknowledged, resolved, opened again: not acknowledged any more", "FarF", "TART", "oacO"},
        {"resolving twice changes nothing", "Frr", "TRR", "oc."},
        {"acknowledging what is over is refused", "Fea", "TRR", "ovx"},
        {"nothing to acknowledge or resolve", "ar", "--", "xx"},
        {"an end without a beginning", "e", "-", "."},
    };
    static const char status_chars[] = "-TAR";
    static const char change_chars[] = ".oOavcx";

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct incident_life life = {0};
        char got_status[16] = "";
        char got_changes[16] = "";

        row("%s", rows[i].name);
        for (size_t at = 0; rows[i].steps[at]; at++) {
            enum incident_change change = incident_step(&life, input_of(rows[i].steps[at]));

            got_status[at] = status_chars[life.status];
            got_changes[at] = change_chars[change];
        }
        assert_string_equal(got_status, rows[i].status);
        assert_string_equal(got_changes, rows[i].changes);
    }
}

static const char *title(const char *summary, const char *instance, struct str *out)
{
    const struct label of_alert[] = {
        {"alertname", "ProbeDown"}, {"instance", instance}, {"job", "web"}};
    const struct label of_note[] = {{"summary", summary}};
    const struct labels *labels = labels_new(of_alert, 3);
    const struct labels *annotations = labels_new(of_note, 1);

    str_cut(out, 0);
    incident_title(labels, annotations, out);
    labels_unref(labels);
    labels_unref(annotations);
    return str_text(out);
}

static void test_titles(void **state)
{
    STR_AUTO struct str text = STR_INIT(1024);
    char much[300];

    assert_string_equal(title("The shop is down", "a:1", &text), "The shop is down");
    assert_string_equal(title(" \n two\nlines", "a:1", &text), "two");
    assert_string_equal(title("", "a:1", &text), "ProbeDown on a:1");
    assert_string_equal(title("  ", "", &text), "ProbeDown on web");
    for (size_t i = 0; i + 2 < sizeof(much); i += 2)
        memcpy(&much[i], "\xc3\xa9", 2);
    much[298] = '\0';
    (void)title(much, "a:1", &text);
    row("a long summary is cut between characters");
    assert_int_equal(text.len, 200 + 3);
    assert_true(labels_text_ok(str_text(&text), text.len));
}

static void test_keys(void **state)
{
    STR_AUTO struct str text = STR_INIT(64);

    incident_key(1767225599999, 12, &text); /* 2025-12-31T23:59:59.999Z */
    assert_string_equal(str_text(&text), "INC-2025-0012");
    str_cut(&text, 0);
    incident_key(1767225600000, 12345, &text);
    assert_string_equal(str_text(&text), "INC-2026-12345");
}

static void test_severities(void **state)
{
    static const struct {
        const char *a, *b, *worse;
    } rows[] = {
        {"warning", "critical", "critical"},
        {"critical", "warning", "critical"},
        {"", "info", "info"},
        {"info", "sev4", "sev4"},
        {"sev4", "warning", "warning"},
        {"Page", "critical", "Page"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s or %s", rows[i].a, rows[i].b);
        assert_string_equal(incident_worse_severity(rows[i].a, rows[i].b), rows[i].worse);
    }
    assert_int_equal(incident_severity_rank("critical"), 3);
    assert_int_equal(incident_severity_rank("warning"), 1);
    assert_int_equal(incident_severity_rank(""), 0);
}

static void test_what_the_timeline_says(void **state)
{
    static const struct label of_alert[] = {{"alertname", "Slow"}, {"instance", "a:1"}};
    static const struct label of_note[] = {{"summary", "p99 is 1.2 s"}};
    STR_AUTO struct str text = STR_INIT(1024);
    struct incident_alert alert = {
        .rule_id = 7,
        .fingerprint = 0xab,
        .name = "Slow",
        .expr = "p99 > 1",
        .for_ms = 120000,
        .labels = labels_new(of_alert, 2),
        .annotations = labels_new(of_note, 1),
        .fired_at_ms = 1000,
        .resolved_at_ms = 61000,
        .value = 1.25,
    };

    timeline_alert_text(TIMELINE_ALERT_PENDING, &alert, &text);
    assert_string_equal(str_text(&text), "Slow on a:1 is true; pages when it holds 2 min");
    str_cut(&text, 0);
    timeline_alert_text(TIMELINE_ALERT_FIRING, &alert, &text);
    assert_string_equal(str_text(&text), "Slow on a:1 fires: p99 is 1.2 s (value 1.25)");
    str_cut(&text, 0);
    timeline_alert_text(TIMELINE_ALERT_RESOLVED, &alert, &text);
    assert_string_equal(str_text(&text), "Slow on a:1 is over after 1 min (value 1.25)");
    str_cut(&text, 0);
    timeline_alert_data(&alert, &text);
    assert_string_equal(str_text(&text),
                        "{\"alertname\":\"Slow\",\"fingerprint\":\"00000000000000ab\","
                        "\"rule_id\":7,\"expr\":\"p99 > 1\",\"value\":1.25,"
                        "\"labels\":{\"alertname\":\"Slow\",\"instance\":\"a:1\"}}");
    labels_unref(alert.labels);
    labels_unref(alert.annotations);
}

static void test_how_much_a_reader_wants_to_see_a_kind(void **state)
{
    static const struct {
        const char *kind, *level;
    } rows[] = {
        {"incident.opened", "key"},
        {"notify.failed", "raw"},
        {"change", "key"},
        {"changes", "normal"},
        {"silence.created", "normal"},
        {"roster.person_changed", "raw"},
        {"alertmanager.notification", "raw"},
        {"of nobody we know", "normal"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].kind);
        assert_string_equal(timeline_kind_level(rows[i].kind), rows[i].level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives),
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_what_the_timeline_says),
        cmocka_unit_test(test_how_much_a_reader_wants_to_see_a_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
