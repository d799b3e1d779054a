/*
 * Whoever says in other words what people found out that day is right, and whoever says what the
 * alert says is not.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/from_incident.h"
#include "tests/lib/row.h"

#define MINUTE INT64_C(60000)
#define FIRED  INT64_C(1763633520000)

/* What people wrote when it was found, what others say for it, and what it is not. */
static const struct {
    const char *name, *summary, *title, *wrote, *refuted, *mended;
    const char *causes[4], *others[4], *mends[3], *title_shown;
} told[] = {
    {"a full disk",
     "the site is down",
     "site down: root partition full",
     "The maintainer sees that the root partition is full.",
     "the CDN fails",
     "The directory is deleted.",
     {"the disk is full", "no space left on the root volume", "it ran out of disk space"},
     {"the site is down", "the CDN", "the partition table", "a full rollback"},
     {"remove the folder", "delete that directory"},
     "QueueLong"},
    {"what was ruled out",
     "502 everywhere",
     "WAF rule exhausts the CPU",
     "The WAF is named as the failing component; an attack is ruled out.",
     "a bad release",
     "The WAF is switched off globally.",
     {"the firewall's new rule", "it is the waf"},
     {"an attack on some component", "502 everywhere", "the release"},
     {"turn the firewall off", "disable the WAF"},
     "QueueLong"},
    {"a lock",
     "queue_length is high",
     "shop slow on Tuesday",
     "v42 locks the order table",
     "network packets are lost",
     "rolled back to v41",
     {"a deadlock on orders since v42", "the table of orders is blocked"},
     {"the queue is long", "queue_length is high", "network", "orders"},
     {"revert to v41", "roll the release back"},
     "shop slow on Tuesday"},
};

static struct timeline_event event(int64_t id, const char *kind, const char *text)
{
    return (struct timeline_event){id,    kind, "human", "api",
                                   "ana", text, "{}",    .occurred_at_ms = FIRED + id * MINUTE};
}

static const struct drill_idea *find(const struct drill_idea *ideas, size_t n, const char *said)
{
    const struct drill_idea *idea = drill_idea_find(ideas, n, said);

    return idea && idea->worth == DRILL_WORTH_RIGHT ? idea : NULL;
}

/* An alert without samples; one idea that was refuted, one that was confirmed, and what ended it. */
static void make(size_t i,
                 const struct labels *labels,
                 const struct labels *words,
                 struct drill_made *made)
{
    static const struct postmortem_curation curation[3] = {{.hypothesis = "refuted"},
                                                           {.hypothesis = "confirmed"}};
    const struct timeline_event events[] = {event(1, "human.hypothesis", told[i].refuted),
                                            event(2, "human.hypothesis", told[i].wrote),
                                            event(3, "mitigation.applied", told[i].mended)};
    const struct incident incident = {.id = 4,
                                      .key = "INC-2025-0004",
                                      .title = told[i].title,
                                      .severity = "page",
                                      .opened_at_ms = FIRED,
                                      .resolved_at_ms = FIRED + 30 * MINUTE,
                                      .origin = "real"};
    const struct incident_alert alert = {.rule_id = 7,
                                         .name = "QueueLong",
                                         .expr = "queue_length > 100",
                                         .labels = labels,
                                         .annotations = words,
                                         .active_at_ms = FIRED,
                                         .fired_at_ms = FIRED,
                                         .resolved_at_ms = FIRED + 30 * MINUTE};
    const struct postmortem_input record = {.incident = &incident,
                                            .alerts = &alert,
                                            .n_alerts = 1,
                                            .events = events,
                                            .n_events = 3,
                                            .curation = curation,
                                            .now_ms = FIRED + 100 * MINUTE};
    const struct drill_from from = {.record = &record,
                                    .route = {NULL, 0, 10 * 1000, MINUTE, 240 * MINUTE}};
    struct err err = {0};

    if (drill_from_incident(&from, made, &err) != 0)
        fail_msg("%s", err.text);
}

static void judge(size_t i, struct drill_made *made)
{
    struct drill *drill = NULL;
    struct err err = {0};

    if (drill_parse(str_text(&made->text), made->text.len, &drill, &err) != 0)
        fail_msg("%u:%u: %s\n%s", err.line, err.column, err.text, str_text(&made->text));
    assert_string_equal(drill->title, told[i].title_shown);
    for (size_t k = 0; k < 4 && told[i].causes[k]; k++)
        if (!find(drill->hypotheses, drill->n_hypotheses, told[i].causes[k]))
            fail_msg("'%s' is not right in\n%s", told[i].causes[k], str_text(&made->text));
    for (size_t k = 0; k < 4 && told[i].others[k]; k++)
        if (find(drill->hypotheses, drill->n_hypotheses, told[i].others[k]))
            fail_msg("'%s' is right in\n%s", told[i].others[k], str_text(&made->text));
    for (size_t k = 0; k < 3 && told[i].mends[k]; k++)
        if (!find(drill->actions, drill->n_actions, told[i].mends[k]))
            fail_msg("'%s' does not mend in\n%s", told[i].mends[k], str_text(&made->text));
    drill_free(drill);
}

static void test_other_words(void **state)
{
    const struct label labels[] = {
        {"alertname", "QueueLong"}, {"instance", "web-7:80"}, {"job", "shop"}};

    for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
        const struct label summary = {"summary", told[i].summary};
        const struct labels *of_alert = labels_new(labels, 3);
        const struct labels *words = labels_new(&summary, 1);
        struct drill_made made;

        row("%s", told[i].name);
        make(i, of_alert, words, &made);
        judge(i, &made);
        drill_made_done(&made);
        labels_unref(of_alert);
        labels_unref(words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
