/*
 * Pages in virtual time are those of the pager: random lives of alerts are played to the real pager
 * on a real database, whose messages all arrive at once, and to pages_run(); both say the same, to
 * the millisecond.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/report_db.h"
#include "alertd/db/roster_db.h"
#include "alertd/db/silence_db.h"
#include "alertd/oncall/spelling.h"
#include "alertd/pager/pager.h"
#include "alertd/pages/pages.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

#define BASE_MS INT64_C(1767225600000) /* 2026-01-01, a Thursday */

enum {
    N_LABELS = 12,
    N_ALERTS_MAX = 60,
    MINUTE_MS = 60000,
    SPAN_MINUTES = 16 * 60,
    OUT_BYTES = 1 << 20,
};

static const char config_text[] =
    "receivers:\n"
    "  - {name: all, webhook_configs: [{url: 'http://a/'}, {url: 'http://b/', send_resolved: "
    "false}]}\n"
    "  - {name: oncall, oncall_configs: [{policy: shop}]}\n"
    "  - {name: wall, ntfy_configs: [{url: 'http://n/', topic: wall}]}\n"
    "  - {name: screen}\n"
    "inhibit_rules:\n"
    "  - {source_matchers: [severity=page], target_matchers: [severity=warn], equal: [host]}\n"
    "time_intervals:\n"
    "  - {name: early, time_intervals: [{times: [{start_time: '02:00', end_time: '04:30'}]}]}\n"
    "route:\n"
    "  receiver: all\n"
    "  group_by: [alertname]\n"
    "  group_wait: 10s\n"
    "  group_interval: 3m\n"
    "  repeat_interval: 1h\n"
    "  routes:\n"
    "    - {matchers: [team=shop], receiver: oncall, group_by: [host], continue: true}\n"
    "    - {matchers: [team=shop, severity=warn], receiver: wall, mute_time_intervals: [early],"
    " group_wait: 0s}\n"
    "    - {matchers: [team=shop], receiver: screen}\n";

static const char *const people[] = {
    ("{\"name\": \"ana\", \"contacts\": [{\"method\": \"webhook\", \"address\": \"http://a/\"}, "
     "{\"method\": \"email\", \"address\": \"ana@example.org\"}]}"),
    "{\"name\": \"bob\", \"contacts\": [{\"method\": \"webhook\", \"address\": \"http://b/\"}]}",
    "{\"name\": \"cat\"}",
};

static const char policy_text[] =
    "{\"name\": \"shop\", \"repeat\": 1, \"ack_expires_ms\": 1800000, \"steps\": ["
    "{\"delay_ms\": 240000, \"targets\": [{\"person\": \"ana\"}]},"
    "{\"delay_ms\": 60000, \"targets\": [{\"person\": \"cat\"}]},"
    "{\"delay_ms\": 300000, \"targets\": [{\"person\": \"bob\"}, {\"receiver\": \"wall\"}]}],"
    " \"fallback\": [{\"receiver\": \"wall\"}]}";

static struct scratch scratch;
static struct db *db;
static const struct route_config *config;
static struct pager *pager;
static const struct log no_log = {.fd = -1, .level = LOG_ERROR};

static const struct labels *labels[N_LABELS];
static struct arena roster_arena;
static struct roster roster;
static struct silence *silences;
static size_t n_silences;

/* --- the world --- */

static int put_value(struct db_conn *conn, struct roster_value value, struct err *reterr)
{
    struct roster_put put = {.value = value, .by = "test"};

    return roster_db_put(conn, &put, reterr);
}

/* Host b, from three hours on for three hours. */
static int put_silence(struct db_conn *conn, struct err *reterr)
{
    char name[] = "host";
    char value[] = "b";
    const struct matcher matcher = {.type = MATCHER_EQUAL, .name = name, .value = value};
    const struct silence_wish wish = {.matchers = &matcher,
                                      .n_matchers = 1,
                                      .starts_at_ms = BASE_MS + INT64_C(180) * MINUTE_MS,
                                      .ends_at_ms = BASE_MS + INT64_C(360) * MINUTE_MS,
                                      .created_by = "ana",
                                      .comment = "repairs",
                                      .actor = "ana",
                                      .now_ms = BASE_MS - MINUTE_MS};
    char id[SILENCE_ID_TEXT];
    int r = silence_db_set(conn, &wish, id, reterr);

    return r ? r
             : silence_db_load(conn, BASE_MS - MINUTE_MS, &roster_arena, &silences, &n_silences,
                               reterr);
}

static int job_world(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct zones zones = {0};
    struct policy policy;
    struct arena scratch_arena;
    int r = db_run(db_prepare(conn, "INSERT INTO rule_group (id, source, name, position, is_live,"
                                    " interval_ms) VALUES (1, 'host.yml', 'host', 0, 1, 60000)"),
                   reterr);

    (void)arg;
    arena_init(&scratch_arena, 1 << 20);
    if (r == 0)
        r = db_run(db_prepare(conn, "INSERT INTO rule (id, group_id, type, name, ordinal, position,"
                                    " is_live, version, expr, for_ms, keep_firing_for_ms, labels,"
                                    " annotations) VALUES (7, 1, 'alerting', 'Down', 0, 0, 1, 1,"
                                    " 'up == 0', 0, 0, '{}', '{}')"),
                   reterr);
    for (size_t i = 0; r == 0 && i < sizeof(people) / sizeof(people[0]); i++) {
        struct person person;

        r = person_parse(people[i], strlen(people[i]), &scratch_arena, &person, reterr);
        if (r == 0)
            r = put_value(conn, (struct roster_value){.kind = ROSTER_PERSON, .person = &person},
                          reterr);
    }
    if (r == 0)
        r = policy_parse(policy_text, strlen(policy_text), &scratch_arena, &policy, reterr);
    if (r == 0)
        r = put_value(conn, (struct roster_value){.kind = ROSTER_POLICY, .policy = &policy},
                      reterr);
    if (r == 0)
        r = roster_db_load(conn, &zones, &roster_arena, &roster, reterr);
    arena_reset(&scratch_arena);
    return r == 0 ? put_silence(conn, reterr) : r;
}

static void begin(void)
{
    static const char *const hosts[] = {"a", "b", "c"};
    const struct db_options options = {.path = NULL,
                                       .application_id = 0x77617463,
                                       .migrations = db_state_migrations,
                                       .n_migrations = db_n_state_migrations};
    struct db_options here = options;
    struct err err = {0};

    assert_int_equal(scratch_init(&scratch), 0);
    here.path = scratch_path(&scratch, "state.db");
    if (route_config_parse(config_text, strlen(config_text), NULL, NULL, NULL, &config, &err) ||
        db_open(&here, &db, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    arena_init(&roster_arena, 1 << 20);
    if (db_write(db, job_world, NULL, &err))
        fail_msg("%s", err.text);
    pager = pager_new(db, config, &no_log);
    for (size_t i = 0; i < N_LABELS; i++) {
        const struct label pairs[] = {{"alertname", i % 5 == 4 ? "Full" : "Down"},
                                      {"host", hosts[i % 3]},
                                      {"severity", i % 2 ? "warn" : "page"},
                                      {"team", i < 7 ? "shop" : ""},
                                      {"disk", i > 5 ? "x" : "y"}};

        labels[i] = labels_new(pairs, 5);
    }
}

static void end(void)
{
    pager_free(pager);
    db_close(db);
    route_config_unref(config);
    arena_reset(&roster_arena);
    scratch_done(&scratch);
    for (size_t i = 0; i < N_LABELS; i++)
        labels_unref(labels[i]);
}

/* --- a life --- */

struct life {
    struct pages_alert alerts[N_ALERTS_MAX];
    size_t which[N_ALERTS_MAX]; /* of the labels */
    size_t n;
    int64_t ack_after_ms;
};

/* Alerts of one label set never overlap; instants are those of evaluations and not round ones
 * too. */
static void make_life(struct rng *rng, struct life *life)
{
    *life = (struct life){.ack_after_ms = (int64_t)rng_below(rng, 4) * 7 * MINUTE_MS - 1000};
    if (life->ack_after_ms < 0)
        life->ack_after_ms = PAGES_ACK_NEVER;
    for (size_t i = 0; i < N_LABELS; i++) {
        int64_t at_ms = BASE_MS + (int64_t)rng_below(rng, 200) * MINUTE_MS;

        while (life->n < N_ALERTS_MAX && rng_below(rng, 5) > 0 &&
               at_ms < BASE_MS + (int64_t)SPAN_MINUTES * MINUTE_MS) {
            int64_t held_ms = (1 + (int64_t)rng_below(rng, rng_below(rng, 3) ? 12 : 180)) *
                              MINUTE_MS;

            life->which[life->n] = i;
            life->alerts[life->n++] = (struct pages_alert){labels[i], at_ms, at_ms + held_ms, true};
            at_ms += held_ms +
                     (1 + (int64_t)rng_below(rng, rng_below(rng, 2) ? 8 : 200)) * MINUTE_MS;
        }
    }
}

/* --- the pager's --- */

struct step {
    int64_t now_ms;
    const struct life *life;
    struct pager_outcome outcome;
};

static int save_alerts(struct db_conn *conn, const struct step *step, struct err *reterr)
{
    struct alert_set before = {0};
    struct alert_set after = {0};
    int r = alert_db_load(conn, 7, &before, reterr);

    for (size_t i = 0; i < step->life->n; i++) {
        const struct pages_alert *alert = &step->life->alerts[i];
        const struct alert_entry entry = {
            .alert = {.state = ALERT_FIRING,
                      .active_at_ms = alert->fired_ms,
                      .fired_at_ms = alert->fired_ms,
                      .keep_firing_since_ms = ALERT_NEVER,
                      .no_data_since_ms = ALERT_NEVER,
                      .resolved_at_ms = ALERT_NEVER},
            .labels = alert->labels,
            .annotations = labels_empty(),
        };

        if (alert->fired_ms <= step->now_ms && alert->resolved_ms > step->now_ms)
            alert_set_add(&after, &entry);
    }
    if (r == 0)
        r = alert_db_save(conn, 7, &before, &after, reterr);
    alert_set_done(&before);
    alert_set_done(&after);
    return r;
}

static void add_event(const struct step *step, size_t i, bool fires, struct alert_event *event)
{
    const struct pages_alert *alert = &step->life->alerts[i];

    *event = (struct alert_event){
        .kind = fires ? ALERT_EVENT_FIRING : ALERT_EVENT_RESOLVED,
        .at_ms = step->now_ms,
        .rule_id = 7,
        .rule_name = "Down",
        .group_name = "host",
        .expr = "up == 0",
        .fingerprint = alert->labels->hash,
        .labels = alert->labels,
        .annotations = labels_empty(),
        .active_at_ms = alert->fired_ms,
        .fired_at_ms = alert->fired_ms,
        .resolved_at_ms = fires ? 0 : step->now_ms,
    };
}

/* All messages arrive at once. */
static int send_all(struct db_conn *conn, struct err *reterr)
{
    return db_run(db_prepare(conn, "UPDATE outbox SET state = 'sent', sent_ms = due_ms"
                                   " WHERE state = 'waiting'"),
                  reterr);
}

static int job_step(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step *step = arg;
    struct alert_event events[2 * N_ALERTS_MAX];
    size_t n = 0;
    int r = pager_run(pager, conn, step->now_ms, &step->outcome, reterr);

    if (r == 0)
        r = send_all(conn, reterr);
    for (size_t i = 0; i < step->life->n; i++)
        if (step->life->alerts[i].resolved_ms == step->now_ms)
            add_event(step, i, false, &events[n++]);
    for (size_t i = 0; i < step->life->n; i++)
        if (step->life->alerts[i].fired_ms == step->now_ms)
            add_event(step, i, true, &events[n++]);
    if (r || n == 0)
        return r;
    r = save_alerts(conn, step, reterr);
    if (r == 0)
        r = pager_apply(pager, conn, events, n, step->now_ms, &step->outcome, reterr);
    return r == 0 ? send_all(conn, reterr) : r;
}

/* Who answers when: so long behind the first page since nobody had it. */
struct answer {
    int64_t incident_id, at_ms;
    char key[INCIDENT_DB_KEY_MAX];
};

static struct answer answers[500];
static size_t n_answers;
static int64_t seen_row;

static int job_pages(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT o.id, o.incident_id, o.due_ms, i.key, i.status FROM outbox o"
              " JOIN incident i ON i.id = o.incident_id"
              " WHERE o.id > ?1 AND o.kind <> 'dashboard'"
              " AND o.reason NOT IN ('resolved', 'some resolved') ORDER BY o.id");

    db_bind_int(stmt, 1, seen_row);
    while (db_step(stmt)) {
        struct answer *answer = &answers[n_answers];
        bool is_expected = false;

        seen_row = db_int(stmt, 0);
        for (size_t i = 0; i < n_answers; i++)
            is_expected |= answers[i].incident_id == db_int(stmt, 1);
        if (is_expected || step->life->ack_after_ms < 0 || strcmp(db_text(stmt, 4), "triggered"))
            continue;
        assert_in_range(n_answers, 0, sizeof(answers) / sizeof(answers[0]) - 1);
        answer->incident_id = db_int(stmt, 1);
        answer->at_ms = db_int(stmt, 2) + step->life->ack_after_ms;
        (void)snprintf(answer->key, sizeof(answer->key), "%s", db_text(stmt, 3));
        n_answers++;
    }
    return db_done(stmt, reterr);
}

static int job_answer(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step *step = arg;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n_answers; i++) {
        const struct incident_deed deed = {
            .key = answers[i].key, .actor = "", .now_ms = step->now_ms};
        const struct escalation_event event = {
            .kind = ESCALATION_ACKNOWLEDGE, .at_ms = step->now_ms, .person = ""};
        bool changed;

        if (answers[i].at_ms > step->now_ms)
            continue;
        r = incident_db_ack(conn, &deed, &changed, reterr);
        if (r == 0)
            r = pager_deed(pager, conn, answers[i].key, &event, &step->outcome, reterr);
        r = r == INCIDENT_DB_E_NOT_OPEN ? 0 : r;
        answers[i--] = answers[--n_answers];
    }
    if (r == 0)
        r = pager_run(pager, conn, step->now_ms, &step->outcome, reterr);
    return r == 0 ? send_all(conn, reterr) : r;
}

static void run_job(db_job *job, struct step *step)
{
    struct err err = {0};

    if (db_write(db, job, step, &err))
        fail_msg("%s", err.text);
}

static int64_t next_of(const struct life *life, int64_t now_ms, int64_t next_ms)
{
    for (size_t i = 0; i < life->n; i++) {
        if (life->alerts[i].fired_ms > now_ms && life->alerts[i].fired_ms < next_ms)
            next_ms = life->alerts[i].fired_ms;
        if (life->alerts[i].resolved_ms > now_ms && life->alerts[i].resolved_ms < next_ms)
            next_ms = life->alerts[i].resolved_ms;
    }
    for (size_t i = 0; i < n_answers; i++)
        next_ms = answers[i].at_ms < next_ms ? answers[i].at_ms : next_ms;
    return next_ms;
}

static void play(const struct life *life, int64_t until_ms)
{
    struct step step = {.life = life, .outcome = {.next_ms = INT64_MAX}};

    n_answers = 0;
    seen_row = 0;
    for (step.now_ms = next_of(life, 0, INT64_MAX); step.now_ms <= until_ms;
         step.now_ms = next_of(life, step.now_ms, step.outcome.next_ms)) {
        run_job(job_step, &step);
        run_job(job_pages, &step);
        run_job(job_answer, &step);
        run_job(job_pages, &step);
        if (step.outcome.next_ms <= step.now_ms)
            step.outcome.next_ms = step.now_ms + 1;
    }
}

/* --- both in words --- */

static int job_print(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct str *out = arg;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT due_ms - ?1, receiver, kind, slot, reason FROM outbox"
              " WHERE kind <> 'dashboard' AND due_ms <= ?2 ORDER BY 1, 2, 3, 4, 5");

    db_bind_int(stmt, 1, BASE_MS);
    db_bind_int(stmt, 2, INT64_MAX);
    while (db_step(stmt))
        str_addf(out, "%lld %s %s/%lld %s\n", (long long)db_int(stmt, 0), db_text(stmt, 1),
                 db_text(stmt, 2), (long long)db_int(stmt, 3), db_text(stmt, 4));
    return db_done(stmt, reterr);
}

/* What a report of the whole time would count. */
static int job_count(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct report_input input = {.from_ms = BASE_MS, .to_ms = INT64_MAX};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 64 << 20);
    int r = report_db_read(conn, &arena, &input, reterr);

    *(size_t *)arg = input.n_pages;
    return r;
}

static int by_text(const void *a, const void *b)
{
    const struct pages_message *x = a;
    const struct pages_message *y = b;
    int r = x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;

    r = r ? r : strcmp(x->who, y->who);
    r = r ? r : strcmp(x->kind, y->kind);
    r = r ? r : (int)x->slot - (int)y->slot;
    return r ? r : strcmp(route_reason_name(x->reason), route_reason_name(y->reason));
}

static void print_pages(struct pages *pages, struct str *out)
{
    if (pages->n_messages > 0)
        qsort(pages->messages, pages->n_messages, sizeof(*pages->messages), by_text);
    for (size_t i = 0; i < pages->n_messages; i++)
        str_addf(out, "%lld %s %s/%u %s\n", (long long)(pages->messages[i].at_ms - BASE_MS),
                 pages->messages[i].who, pages->messages[i].kind, pages->messages[i].slot,
                 route_reason_name(pages->messages[i].reason));
}

static struct pages_plan plan_of(const struct life *life)
{
    return (struct pages_plan){
        .config = config,
        .silences = silences,
        .n_silences = n_silences,
        .roster = &roster,
        .from_ms = BASE_MS,
        .to_ms = BASE_MS + (int64_t)(SPAN_MINUTES + 600) * MINUTE_MS,
        .ack_after_ms = life->ack_after_ms,
    };
}

static void test_as_the_pager(void **state)
{
    struct rng rng = {20261127};
    size_t n_told = 0;

    for (unsigned round = 0; round < 25; round++) {
        STR_AUTO struct str live = STR_INIT(OUT_BYTES);
        STR_AUTO struct str virtual = STR_INIT(OUT_BYTES);
        struct life life;
        struct pages pages;
        size_t n_reported = 0;
        struct err err = {0};

        begin();
        make_life(&rng, &life);
        const struct pages_plan plan = plan_of(&life);
        row("round %u, %zu alerts, answered after %lld ms", round, life.n,
            (long long)life.ack_after_ms);
        play(&life, plan.to_ms);
        run_job(job_print, (struct step *)&live);
        run_job(job_count, (struct step *)&n_reported);
        assert_int_equal(pages_run(&plan, life.alerts, life.n, &pages, &err), 0);
        n_told += pages.n_messages;
        print_pages(&pages, &virtual);
        assert_string_equal(str_text(&virtual), str_text(&live));
        assert_int_equal(pages.n, n_reported);
        pages_done(&pages);
        end();
    }
    assert_true(n_told > 1000);
}

/* --- sums --- */

static void test_counts(void **state)
{
    static const int64_t hour_ms = 3600000;
    struct life life = {.n = 3, .ack_after_ms = 0};
    struct pages pages;
    struct err err = {0};

    begin();
    /* two alerts of one group, one message after the other; then one at night, alone */
    life.alerts[0] = (struct pages_alert){labels[8], BASE_MS + 12 * hour_ms, BASE_MS + 13 * hour_ms,
                                          true};
    life.alerts[1] = (struct pages_alert){labels[10], BASE_MS + 12 * hour_ms + 5 * MINUTE_MS,
                                          BASE_MS + 13 * hour_ms, true};
    life.alerts[2] = (struct pages_alert){labels[9], BASE_MS + 23 * hour_ms,
                                          BASE_MS + 23 * hour_ms + MINUTE_MS, true};
    const struct pages_plan plan = plan_of(&life);
    assert_int_equal(pages_run(&plan, life.alerts, life.n, &pages, &err), 0);
    assert_int_equal(pages.alerts, 3);
    assert_int_equal(pages.incidents, 2);
    /* of the first: begun (2 ways), news (2), over (1: the other is not told); of the second 3 */
    assert_int_equal(pages.notifications, 8);
    assert_int_equal(pages.n, 3);
    assert_int_equal(pages.at[0].n_ways, 2);
    assert_int_equal(pages.at[0].reason, ROUTE_FIRST);
    assert_int_equal(pages.at[1].reason, ROUTE_NEW_ALERTS);
    assert_int_equal(pages.nights, 1);
    assert_int_equal(pages.weekends, 0);
    assert_int_equal(pages.hours[3 * 24 + 12], 2);
    assert_int_equal(pages.hours[3 * 24 + 23], 1);
    assert_int_equal(pages.n_people, 1);
    assert_string_equal(pages.people[0].who, "all");
    assert_int_equal(pages.most_12h, 3);
    assert_int_equal(pages.quiet_from, BASE_MS);
    pages_done(&pages);
    end();
}

/* Others' alerts inhibit and are not counted. */
static void test_others(void **state)
{
    static const int64_t hour_ms = 3600000;
    struct life life = {.n = 2, .ack_after_ms = PAGES_ACK_NEVER};
    struct pages pages;
    struct err err = {0};

    begin();
    life.alerts[0] = (struct pages_alert){labels[9], BASE_MS + 12 * hour_ms, BASE_MS + 13 * hour_ms,
                                          true};
    life.alerts[1] = (struct pages_alert){labels[0], BASE_MS + 11 * hour_ms, BASE_MS + 14 * hour_ms,
                                          false};
    const struct pages_plan plan = plan_of(&life);
    assert_int_equal(pages_run(&plan, life.alerts, 1, &pages, &err), 0);
    assert_int_equal(pages.n, 1);
    pages_done(&pages);
    assert_int_equal(pages_run(&plan, life.alerts, 2, &pages, &err), 0);
    assert_int_equal(pages.alerts, 1);
    assert_int_equal(pages.notifications, 0);
    assert_int_equal(pages.n, 0);
    pages_done(&pages);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_pager),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
