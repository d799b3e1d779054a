/*
 * Why an alert was sent by an instant, or was not: each row is what was known, the verdict, and
 * what the sentence or a step must say. Instants are seconds behind midnight of 2026-11-27.
 */

#include <string.h>

#include "alertd/why/why.h"
#include "tests/lib/row.h"

enum {
    DAY_S = 1795737600, /* 2026-11-27 */
};

#define AT(seconds) (((int64_t)DAY_S + (seconds)) * 1000)

static const char config_text[] = "time_intervals:\n"
                                  "  - name: night\n"
                                  "    time_intervals: [{times: [{start_time: '20:00', end_time: "
                                  "'24:00'}]}]\n"
                                  "  - name: day\n"
                                  "    time_intervals: [{times: [{start_time: '08:00', end_time: "
                                  "'20:00'}]}]\n"
                                  "receivers:\n"
                                  "  - name: ops\n"
                                  "    webhook_configs: [{url: 'http://a/'}]\n"
                                  "  - name: people\n"
                                  "    oncall_configs: [{policy: shop}]\n"
                                  "  - name: wall\n"
                                  "inhibit_rules:\n"
                                  "  - source_matchers: [alertname=Node]\n"
                                  "    target_matchers: [alertname=Down]\n"
                                  "    equal: [node]\n"
                                  "route:\n"
                                  "  receiver: ops\n"
                                  "  group_by: [alertname]\n"
                                  "  group_wait: 30s\n"
                                  "  group_interval: 5m\n"
                                  "  repeat_interval: 1h\n"
                                  "  routes:\n"
                                  "    - matchers: [team=night]\n"
                                  "      mute_time_intervals: [night]\n"
                                  "    - matchers: [team=day]\n"
                                  "      active_time_intervals: [day]\n"
                                  "    - matchers: [team=people]\n"
                                  "      receiver: people\n"
                                  "    - matchers: [team=wall]\n"
                                  "      receiver: wall\n"
                                  "    - matchers: [team=both]\n"
                                  "      mute_time_intervals: [night]\n"
                                  "      continue: true\n"
                                  "    - matchers: [team=both]\n";

/* What was known, one bit each. */
enum {
    SILENCED = 1,
    SILENCED_BEFORE = 2,
    NODE_FIRES = 4,       /* of the same node */
    OTHER_NODE_FIRES = 8, /* of another */
    GROUP_WAITS = 16,     /* its first flush is at 630 */
    GROUP_GOES_ON = 32,   /* the next flush is at 900 */
    SENT = 64,            /* made at 601, accepted at 602 */
    ROW_WAITS = 128,      /* made at 601 */
    ROW_REFUSED = 256,
    ROW_GIVEN_UP = 512,
    ACKNOWLEDGED = 1024, /* at 650 by ana */
    REACHES_NOBODY = 2048,
    PERSON_SENT = 4096,
    PAST = 8192,
    TOLD_OTHERS = 16384, /* the group was told at 500, of others */
    POLICY_PAGES = 32768,
    POLICY_REACHES_NOBODY = 65536,
    CONFIG_UNKNOWN = 131072,
};

static const struct {
    const char *name;
    const char *team;
    int at_s;
    enum why_state state;
    unsigned known;
    const char *receiver;
    enum why_verdict verdict;
    const char *words; /* part of the sentence */
    const char *step;  /* "kind/result" that is there; NULL: not asked */
    const char *because;
} rows[] = {
    {"sent, the reminder ahead", NULL, 700, WHY_FIRING, SENT | GROUP_GOES_ON, NULL, WHY_SENT,
     "Down was sent to ops by webhook at 00:10:02 UTC; the next reminder is due at 01:10:01 UTC.",
     "told/told", "a reminder is due repeat_interval 1h later, at 01:10:01 UTC"},
    {"sent, then acknowledged", NULL, 700, WHY_FIRING, SENT | GROUP_GOES_ON | ACKNOWLEDGED, NULL,
     WHY_SENT, "ana acknowledged it at 00:10:50 UTC, so there are no reminders", "told/told",
     "reminders are off, it is acknowledged"},
    {"acknowledged later than asked about", NULL, 640, WHY_FIRING, SENT | ACKNOWLEDGED | PAST, NULL,
     WHY_SENT, "the next reminder is due", "acknowledgement/not acknowledged", "nobody held it"},
    {"silenced", NULL, 700, WHY_FIRING, SILENCED | GROUP_GOES_ON, NULL, WHY_NOT_SENT,
     "Down was not sent: ana silenced it (\"the move\") until 01:00:00 UTC.", "silence/silenced",
     "silence 5f by ana (\"the move\") mutes it until 01:00:00 UTC"},
    {"silenced behind the first page", NULL, 700, WHY_FIRING, SILENCED | SENT | GROUP_GOES_ON, NULL,
     WHY_SENT, "; no more of it now: ana silenced it", "silence/silenced", "mutes it"},
    {"a silence that is over is told of", NULL, 700, WHY_FIRING, SILENCED_BEFORE | SENT, NULL,
     WHY_SENT, "was sent", "silence/silenced before", "is over since 00:11:00 UTC"},
    {"and mutes before its end", NULL, 650, WHY_FIRING, SILENCED_BEFORE | PAST, NULL, WHY_NOT_SENT,
     "silenced it", "silence/silenced", "until 00:11:00 UTC"},
    {"inhibited", NULL, 700, WHY_FIRING, NODE_FIRES, NULL, WHY_NOT_SENT,
     "it is inhibited while {alertname=\"Node\", node=\"a\"} fires", "inhibition/inhibited",
     "inhibit rule 1 mutes it while {alertname=\"Node\", node=\"a\"} fires, since 00:01:40 UTC"},
    {"not by another node's", NULL, 700, WHY_FIRING, OTHER_NODE_FIRES | SENT, NULL, WHY_SENT,
     "was sent", "inhibition/not inhibited", "no alert that fires inhibits it"},
    {"at night", "night", 75600, WHY_FIRING, 0, NULL, WHY_NOT_SENT,
     "the interval night mutes its route", "interval/muted",
     "mute_time_intervals: night holds; the route tells again at 2026-11-28 00:00:00 UTC"},
    {"outside of the day", "day", 700, WHY_FIRING, 0, NULL, WHY_NOT_SENT,
     "its route is not active at that time", "interval/not active",
     "none of its active_time_intervals holds: day; the route tells again at 08:00:00 UTC"},
    {"one of two routes is quiet", "both", 75600, WHY_FIRING, SENT, NULL, WHY_SENT, "was sent",
     "interval/muted", "night holds"},
    {"its group waits", NULL, 610, WHY_FIRING, GROUP_WAITS, NULL, WHY_WAITING,
     "Down waits for its group: it is told first at 00:10:30 UTC.", "group/waits",
     "group {alertname=\"Down\"}: it waits group_wait 30s for company, until 00:10:30 UTC"},
    {"its group is looked at later", NULL, 700, WHY_FIRING, GROUP_GOES_ON | TOLD_OTHERS, NULL,
     WHY_WAITING, "which is looked at next at 00:15:00 UTC", "told/told without it",
     "when this alert was not among those that fired"},
    {"made, not sent", NULL, 602, WHY_FIRING, ROW_WAITS, NULL, WHY_WAITING,
     "Down waits to be sent to ops by webhook", "delivery/waiting", "made, not sent yet"},
    {"refused", NULL, 700, WHY_FIRING, ROW_REFUSED, NULL, WHY_REFUSED,
     "Down was refused by ops by webhook: HTTP 403; it is tried again.", "delivery/refused",
     "refused by the receiver, tried again: HTTP 403"},
    {"given up", NULL, 700, WHY_FIRING, ROW_GIVEN_UP, NULL, WHY_NOT_SENT,
     "given up for ops by webhook", "delivery/given up", "given up: tried for 24 h"},
    {"sent later than asked about", NULL, 601, WHY_FIRING, SENT | PAST, NULL, WHY_WAITING,
     "waits to be sent", "delivery/waiting", "made, not sent yet"},
    {"before it was made", NULL, 600, WHY_FIRING, SENT | PAST, NULL, WHY_WAITING,
     "it is told first at 00:10:01 UTC", "group/waits", "the next notification of it was made at"},
    {"pending", NULL, 700, WHY_PENDING, 0, NULL, WHY_WAITING, "it is true, but not for long enough",
     "rule/pending", "Down is true since 00:09:00 UTC and must hold for 5m: it fires at 00:14:00"},
    {"over", NULL, 2000, WHY_OVER, SENT, NULL, WHY_SENT, "; it is over since 00:30:00 UTC",
     "rule/over", "Down is over since 00:30:00 UTC, it had fired for 20 min"},
    {"over before anybody was told", NULL, 2000, WHY_OVER, 0, NULL, WHY_NOT_SENT,
     "it was over before anybody was told", "incident/none", "it was in no incident then"},
    {"never true", NULL, 700, WHY_INACTIVE, 0, NULL, WHY_NOT_SENT, "it did not fire then",
     "rule/not true", "its rule did not find these labels true"},
    {"nothing is known", NULL, 700, WHY_NOT_KNOWN, PAST, NULL, WHY_VERDICT_NOT_KNOWN,
     "Down: not known: the samples are gone.", "rule/not known", "not known: the samples are gone"},
    {"by today's config", NULL, 700, WHY_FIRING, PAST | CONFIG_UNKNOWN | SENT, NULL, WHY_SENT, "",
     "config/not known", "not known: it is older"},
    {"a policy paged ana", "people", 700, WHY_FIRING, PERSON_SENT, NULL, WHY_SENT,
     "Down was sent to ana by webhook", "escalation/pages", "step 1 of shop pages ana"},
    {"a policy reached nobody", "people", 700, WHY_FIRING, REACHES_NOBODY, NULL, WHY_NOT_SENT,
     "step 1 of shop reaches nobody: schedule web: nobody is on call", "escalation/reaches nobody",
     "nobody is on call"},
    {"nobody behind the receiver", "wall", 700, WHY_FIRING, 0, NULL, WHY_NOT_SENT,
     "it is on the dashboard only", "route/taken", "receiver wall"},
    {"what would happen", NULL, 700, WHY_SUPPOSED, 0, NULL, WHY_WOULD_BE_SENT,
     "Down would be sent to ops.", "group/would begin", "be told after group_wait 30s"},
    {"what would happen to whom", "people", 700, WHY_SUPPOSED, POLICY_PAGES, NULL,
     WHY_WOULD_BE_SENT, "Down would be sent to people.", "escalation/would page", "pages ana"},
    {"nobody would be", "people", 700, WHY_SUPPOSED, POLICY_REACHES_NOBODY, NULL,
     WHY_WOULD_NOT_BE_SENT, "would not be sent: nobody is on call", "escalation/reaches nobody",
     "nobody"},
    {"it would be silenced", NULL, 700, WHY_SUPPOSED, SILENCED, NULL, WHY_WOULD_NOT_BE_SENT,
     "would not be sent: ana silenced it", NULL, NULL},
    {"a receiver it does not reach", NULL, 700, WHY_FIRING, SENT, "wall", WHY_NOT_SENT,
     "no route of it leads to receiver wall", NULL, NULL},
    {"the first matcher that keeps it out", "night", 700, WHY_FIRING, SENT, NULL, WHY_SENT, "",
     "route/not asked", "one before it took the alert, without continue"},
    {"a label it has not", NULL, 700, WHY_FIRING, SENT, NULL, WHY_SENT, "", "route/does not match",
     "team=\"night\" does not match: the alert has no label team"},
};

static const struct route_config *config;

static struct why_alert alert_of(enum why_state state, const struct labels *labels)
{
    struct why_alert alert = {.labels = labels,
                              .source = "rule",
                              .state = state,
                              .words = "the samples are gone",
                              .rule_name = "Down",
                              .rule_group = "host",
                              .expr = "up == 0",
                              .for_ms = 300000};

    if (state == WHY_PENDING)
        alert.active_ms = AT(540);
    if (state == WHY_FIRING || state == WHY_OVER)
        alert.fired_ms = AT(600);
    if (state == WHY_OVER)
        alert.resolved_ms = AT(1800);
    return alert;
}

static const struct labels *labels_for(const char *name, const char *label, const char *value)
{
    const struct label pairs[] = {{"alertname", name}, {"node", "a"}, {label, value}};

    return labels_new(pairs, value ? 3 : 2);
}

/* The row of the outbox that `known` says. */
static struct why_delivery delivery_of(unsigned known)
{
    bool is_person = known & PERSON_SENT;
    struct why_delivery row = {.id = 7,
                               .receiver = is_person ? "person:ana" : "ops",
                               .kind = "webhook",
                               .reason = is_person ? "escalation" : "first",
                               .lane = "page",
                               .group_key = is_person ? "" : "{}:{alertname=\"Down\"}",
                               .state = "waiting",
                               .created_ms = AT(601),
                               .owed_ms = AT(601),
                               .due_ms = AT(601)};

    if (known & (SENT | PERSON_SENT)) {
        row.state = "sent";
        row.sent_ms = AT(602);
        row.attempts = 1;
    }
    if (known & ROW_REFUSED) {
        row.attempts = 2;
        row.refused = true;
        row.last_error = "HTTP 403";
    }
    if (known & ROW_GIVEN_UP) {
        row.state = "failed";
        row.last_error = "tried for 24 h";
    }
    return row;
}

static size_t events_of(unsigned known, struct timeline_event *events)
{
    size_t n = 0;

    if (known & (SENT | ROW_WAITS | ROW_REFUSED | ROW_GIVEN_UP | PERSON_SENT | REACHES_NOBODY))
        events[n++] = (struct timeline_event){.kind = "incident.opened",
                                              .source = "alertd",
                                              .text = "Down",
                                              .occurred_at_ms = AT(600),
                                              .recorded_at_ms = AT(600)};
    if (known & (PERSON_SENT | REACHES_NOBODY))
        events[n++] = (struct timeline_event){
            .kind = "escalation",
            .source = "policy shop",
            .text = known & PERSON_SENT
                        ? "step 1 of shop pages ana (schedule web) by webhook"
                        : "step 1 of shop reaches nobody: schedule web: nobody is on call",
            .occurred_at_ms = AT(601),
            .recorded_at_ms = AT(601)};
    if (known & ACKNOWLEDGED)
        events[n++] = (struct timeline_event){.kind = "ack",
                                              .source = "api",
                                              .actor = "ana",
                                              .text = "acknowledged",
                                              .occurred_at_ms = AT(650),
                                              .recorded_at_ms = AT(650)};
    return n;
}

static void assert_step(const struct why *why, const char *step, const char *because)
{
    STR_AUTO struct str seen = STR_INIT(1 << 16);

    for (size_t i = 0; i < why->n; i++) {
        STR_AUTO struct str name = STR_INIT(200);

        str_addf(&name, "%s/%s", why->steps[i].step, why->steps[i].result);
        str_addf(&seen, "%s: %s\n", str_text(&name), why->steps[i].because);
        if (strcmp(str_text(&name), step) == 0 && strstr(why->steps[i].because, because))
            return;
    }
    fail_msg("no step %s \"%s\" in:\n%s", step, because, str_text(&seen));
}

/* Everything that a row knows. */
struct world {
    const struct labels *labels, *node, *other, *group;
    struct matcher matcher;
    struct silence_matchers set;
    struct why_alert alert;
    struct why_silence silence;
    struct why_source source;
    struct why_clock clock;
    struct why_told told;
    struct why_delivery delivery;
    struct timeline_event events[4];
    struct why_policy policy;
    struct why_input input;
};

static void add_mutes(struct world *world, unsigned known)
{
    if (known & (SILENCED | SILENCED_BEFORE)) {
        world->silence = (struct why_silence){
            .silence = {.id = "5f",
                        .sets = &world->set,
                        .n_sets = 1,
                        .starts_at_ms = AT(0),
                        .ends_at_ms = known & SILENCED ? AT(3600) : AT(660)},
            .comment = "the move",
            .created_by = "ana",
            .created_ms = AT(0)};
        world->input.silences = &world->silence;
        world->input.n_silences = 1;
    }
    if (known & (NODE_FIRES | OTHER_NODE_FIRES)) {
        world->source = (struct why_source){known & NODE_FIRES ? world->node : world->other,
                                            AT(100)};
        world->input.sources = &world->source;
        world->input.n_sources = 1;
    }
}

static void add_group(struct world *world, unsigned known)
{
    if (known & (GROUP_WAITS | GROUP_GOES_ON)) {
        world->clock = (struct why_clock){.route_id = config->root->id,
                                          .group = world->group,
                                          .next_flush_ms = known & GROUP_WAITS ? AT(630) : AT(900),
                                          .has_flushed = known & GROUP_GOES_ON};
        world->input.clocks = &world->clock;
        world->input.n_clocks = 1;
    }
    if (known & (SENT | TOLD_OTHERS)) {
        world->told = (struct why_told){"{}:{alertname=\"Down\"}",        "ops",       "webhook", 0,
                                        known & SENT ? AT(601) : AT(500), known & SENT};
        world->input.told = &world->told;
        world->input.n_told = 1;
    }
}

static void add_pages(struct world *world, unsigned known)
{
    world->input.n_events = events_of(known, world->events);
    world->input.events = world->events;
    world->input.incident = world->input.n_events ? "INC-2026-0001" : NULL;
    if (known & (SENT | ROW_WAITS | ROW_REFUSED | ROW_GIVEN_UP | PERSON_SENT)) {
        world->delivery = delivery_of(known);
        world->input.deliveries = &world->delivery;
        world->input.n_deliveries = 1;
    }
    if (known & (POLICY_PAGES | POLICY_REACHES_NOBODY)) {
        world->policy = (struct why_policy){
            "shop", known & POLICY_PAGES ? "step 1 of shop pages ana" : "nobody is on call",
            known & POLICY_PAGES};
        world->input.policies = &world->policy;
        world->input.n_policies = 1;
    }
}

static void begin(struct world *world, size_t i)
{
    const struct label of_other[] = {{"alertname", "Node"}, {"node", "b"}};
    const struct label of_group[] = {{"alertname", "Down"}};

    *world = (struct world){.labels = labels_for("Down", "team", rows[i].team),
                            .node = labels_for("Node", "", NULL),
                            .other = labels_new(of_other, 2),
                            .group = labels_new(of_group, 1)};
    assert_int_equal(matcher_init(&world->matcher, MATCHER_EQUAL, "alertname", "Down", NULL), 0);
    world->set = (struct silence_matchers){&world->matcher, 1};
    world->alert = alert_of(rows[i].state, world->labels);
    world->input = (struct why_input){.at_ms = AT(rows[i].at_s),
                                      .is_past = rows[i].known & PAST,
                                      .alert = &world->alert,
                                      .config = config,
                                      .receiver = rows[i].receiver};
    if (rows[i].known & CONFIG_UNKNOWN)
        world->input.config_words = "it is older";
    add_mutes(world, rows[i].known);
    add_group(world, rows[i].known);
    add_pages(world, rows[i].known);
}

static void end(struct world *world)
{
    matcher_done(&world->matcher);
    labels_unref(world->labels);
    labels_unref(world->node);
    labels_unref(world->other);
    labels_unref(world->group);
}

static void test_rows(void **state)
{
    struct err err = {0};

    if (route_config_parse(config_text, strlen(config_text), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct world world;
        struct why why;

        row("%s", rows[i].name);
        arena_init(&arena, 1 << 20);
        begin(&world, i);
        assert_int_equal(why_decide(&world.input, &arena, &why, NULL), 0);
        end(&world);
        if (!strstr(why.words, rows[i].words))
            fail_msg("\"%s\" is not in \"%s\"", rows[i].words, why.words);
        assert_string_equal(why_verdict_name(why.verdict), why_verdict_name(rows[i].verdict));
        if (rows[i].step)
            assert_step(&why, rows[i].step, rows[i].because);
    }
    route_config_unref(config);
}

/* Whatever room there is: an answer, or an error with words. */
static void test_without_room(void **state)
{
    struct err err = {0};

    assert_int_equal(
        route_config_parse(config_text, strlen(config_text), NULL, NULL, NULL, &config, NULL), 0);
    for (size_t limit = 0; limit < 40000; limit += 97) {
        ARENA_AUTO struct arena arena;
        struct world world;
        struct why why;

        arena_init(&arena, limit);
        begin(&world, 0);
        if (why_decide(&world.input, &arena, &why, &err))
            assert_string_equal(err.text, "too much to explain at once");
        else
            assert_int_equal(why.verdict, WHY_SENT);
        end(&world);
    }
    route_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
