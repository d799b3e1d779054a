/*
 * An invented incident that has everything: what a template is checked against, so that
 * a wrong name is found when the template is written, not during an incident.
 */

#include "alertd/postmortem/facts.h"

enum {
    MINUTE_MS = 60 * 1000
};

static const int64_t start_ms = 1700000000000;

static struct timeline_event event(
    int64_t id, const char *kind, const char *actor, const char *text, int minute)
{
    return (struct timeline_event){
        .id = id,
        .kind = kind,
        .event_class = actor ? "human" : "machine",
        .source = actor ? "api" : "rule 7",
        .actor = actor,
        .text = text,
        .occurred_at_ms = start_ms + (int64_t)minute * MINUTE_MS,
        .recorded_at_ms = start_ms + (int64_t)minute * MINUTE_MS,
    };
}

static const struct postmortem_notification page = {
    .id = 4,
    .receiver = "mail",
    .kind = "email",
    .reason = "first",
    .state = "failed",
    .last_error = "timed out",
    .due_at_ms = 1700000060000,
    .sent_at_ms = 1700000060000,
    .attempts = 2,
};

static const struct postmortem_graph_ref graph = {
    .id = 12,
    .title = "probe_success",
    .query = "probe_success",
    .start_ms = 1700000000000,
    .end_ms = 1700003600000,
};

static const struct postmortem_impact impact = {
    .scope = "checkout",
    .start_ms = 1700000000000,
    .end_ms = 1700002400000,
    .measure = "requests that failed",
    .peak = "12 %",
    .source = "ana",
};

static const struct postmortem_action action = {
    .id = 3,
    .text = "Alert when the disk is nearly full",
    .type = "detect",
    .tag = "alerting",
    .owner = "ana",
    .state = "open",
    .done_when = "the rule is live",
    .due_ms = 1700600000000,
};

static struct learnt_way way = {
    .rule = "ProbeDown",
    .rule_id = 7,
    .breach_ms = 1700000000000,
    .pending_ms = 1700000010000,
    .firing_ms = 1700000060000,
    .owed_ms = 1700000070000,
    .sent_ms = 1700000071000,
    .acked_ms = 1700000180000,
};

static struct learnt_burn burn = {
    .service = "shop",
    .slo = "availability",
    .window = "30d",
    .good = "sum(rate(good_total[$window]))",
    .total_query = "sum(rate(all_total[$window]))",
    .objective = 0.999,
    .from_ms = 1700000000000,
    .to_ms = 1700002400000,
    .bad = 120,
    .total = 2400,
    .burnt_ratio = 0.4,
};

static struct learnt_earlier earlier = {
    .rule = "ProbeDown",
    .rule_id = 7,
    .setting = "for 0s instead of 1m",
    .query = "probe_success == 0",
    .fired_ms = 1700000010000,
    .is_counted = true,
    .alerts = 4,
    .alerts_then = 3,
    .is_paged = true,
    .pages = 2,
    .pages_then = 1,
};

static struct learnt_signal signal = {
    .rule = "DiskFills",
    .rule_id = 9,
    .query = "disk_free_ratio < 0.1",
    .for_ms = 3600000,
    .breach_ms = 1700000005000,
};

static struct learnt_similar similar = {
    .key = "INC-2023-0007",
    .title = "ProbeDown on http://shop.example/",
    .why = "one repeats the other",
    .is_linked = true,
    .opened_ms = 1690000000000,
};

static struct learnt_inherited inherited = {
    .id = 2,
    .text = "Probe twice before paging",
    .incident = "INC-2023-0007",
    .owner = "ben",
    .created_ms = 1690000000000,
    .due_ms = 1695000000000,
};

static struct learnt_service service = {
    .name = "shop",
    .owner = "shop team",
    .description = "sells",
    .when_down = "orders are lost",
    .tier = 1,
    .depends_on = "db",
    .links = "[restart](<https://runbooks.example/shop>)",
};

static const struct learnt learnt = {
    .made_ms = 1700005000000,
    .from_ms = 1699998200000,
    .to_ms = 1700002460000,
    .n_rules = 12,
    .why_not = "there was no time to look at all rules",
    .ways = &way,
    .n_ways = 1,
    .burns = &burn,
    .n_burns = 1,
    .earlier = &earlier,
    .n_earlier = 1,
    .signals = &signal,
    .n_signals = 1,
};

static const struct learnt_around around = {
    .similar = &similar,
    .n_similar = 1,
    .inherited = &inherited,
    .n_inherited = 1,
    .services = &service,
    .n_services = 1,
};

static const struct postmortem_drill_clock drill_clock = {"ack",   "3 min", "5 min", "met",
                                                          "4 min", "2 min", "9 min"};
static const struct postmortem_drill_row drill_row = {"22:13", "ProbeDown fires", "acknowledged",
                                                      "nobody looked"};
static const struct postmortem_drill_miss drill_miss = {"probe_success was not looked at",
                                                        "it fell at 22:13", "probe_success", 3};
static const struct postmortem_drill_step drill_step = {"tune ProbeDown", "/rules/7/tune"};
static const char *const drill_source = "https://example.org/report";
static const struct postmortem_drill drill = {
    .player = "ana",
    .from = "the first page",
    .told_last = "the disk was full",
    .reconstructed = "a public report",
    .sources = &drill_source,
    .n_sources = 1,
    .clocks = &drill_clock,
    .n_clocks = 1,
    .rows = &drill_row,
    .n_rows = 1,
    .misses = &drill_miss,
    .n_misses = 1,
    .steps = &drill_step,
    .n_steps = 1,
};

static int make_facts(struct arena *arena,
                      const struct labels *labels,
                      const struct labels *annotations,
                      const struct fact **ret_facts,
                      struct err *reterr)
{
    const struct incident_alert alerts[] = {
        {.rule_id = 7,
         .name = "ProbeDown",
         .labels = labels,
         .annotations = annotations,
         .expr = "probe_success == 0",
         .for_ms = MINUTE_MS,
         .active_at_ms = start_ms,
         .fired_at_ms = start_ms + MINUTE_MS,
         .resolved_at_ms = start_ms + 40 * MINUTE_MS},
        {.rule_id = 8, .name = "NoRunbook", .labels = labels, .annotations = labels_empty()},
    };
    const struct timeline_event events[] = {
        event(1, "alert.firing", NULL, "ProbeDown fires", 1),
        event(2, "ack", "ana", "acknowledged", 3),
        event(3, "human.note", "ana", "restarted the web server", 30),
        event(4, "change.deploy", "ben", "shop 1.2.3 is rolled out", -10),
        event(5, "comms.status_page", "ana", "we look at it", 20),
        event(6, "agent.lost", NULL, "agent web-1 is silent", 5),
        event(7, "cause.identified", "ana", "the disk is full", 25),
    };
    const struct incident incident = {
        .id = 12,
        .key = "INC-2023-0012",
        .title = "ProbeDown on http://shop.example/",
        .severity = "critical",
        .status = INCIDENT_RESOLVED,
        .labels = labels,
        .opened_at_ms = start_ms + MINUTE_MS,
        .resolved_at_ms = start_ms + 41 * MINUTE_MS,
    };
    const struct postmortem_input input = {
        .drill = &drill,
        .template_name = "example",
        .author = "ana",
        .generator = "alertd",
        .now_ms = start_ms + 90 * MINUTE_MS,
        .incident_url = "http://127.0.0.1:9797/i/INC-2023-0012",
        .incident = &incident,
        .alerts = alerts,
        .n_alerts = sizeof(alerts) / sizeof(*alerts),
        .events = events,
        .n_events = sizeof(events) / sizeof(*events),
        .notifications = &page,
        .n_notifications = 1,
        .graphs = &graph,
        .n_graphs = 1,
        .impacts = &impact,
        .n_impacts = 1,
        .actions = &action,
        .n_actions = 1,
        .learnt = &learnt,
        .around = &around,
    };

    return postmortem_facts(arena, &input, ret_facts, reterr);
}

int postmortem_facts_example(struct arena *arena, const struct fact **ret_facts, struct err *reterr)
{
    static const struct label pairs[] = {{"instance", "http://shop.example/"}, {"job", "blackbox"}};
    static const struct label notes[] = {{"runbook_url", "http://runbooks.example/ProbeDown"},
                                         {"summary", "The shop does not answer"}};
    const struct labels *labels = labels_in_arena(arena, pairs, 2);
    const struct labels *annotations = labels_in_arena(arena, notes, 2);

    if (!labels || !annotations)
        return err_set(reterr, FACTS_E_LIMIT, "the arena is too small for an example");
    return make_facts(arena, labels, annotations, ret_facts, reterr);
}
