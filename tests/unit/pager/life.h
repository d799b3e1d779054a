#pragma once

/*
 * A life of alerts on a real database file: a script of steps at seconds, and what is in
 * the outbox and the incidents afterwards, in words.
 *
 *     "0 F1, 30 send, 60 E1, 60 send"
 *     F1 E1   alert 1 fires, ends          ack close   a person acknowledges, resolves
 *     send    groups whose time has come are flushed, every integration takes what is due and
 *             accepts it
 *     busy    takes what is due and is told "later, in 60 s"        no    is refused
 *     keep    flushes, and the day's limit
 *     hush    everything is silenced for 300 s
 *     crash   taken, then killed           start       alertd starts again, knowing rows only
 *
 * Two integrations: hook (told the end too) and mail (not told the end).
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/silence_db.h"
#include "alertd/pager/pager.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

enum {
    BASE_S = 1767225600, /* 2026-01-01 */
    N_ALERTS = 3,
};

static const char config_text[] = "receivers:\n"
                                  "  - name: oncall\n"
                                  "    webhook_configs:\n"
                                  "      - url: http://127.0.0.1:1/hook\n"
                                  "    email_configs:\n"
                                  "      - to: ana@example.org\n"
                                  "        from: watch@example.org\n"
                                  "        smarthost: 127.0.0.1:25\n"
                                  "route:\n"
                                  "  receiver: oncall\n"
                                  "  group_by: [alertname]\n"
                                  "  group_wait: 30s\n"
                                  "  group_interval: 5m\n"
                                  "  repeat_interval: 1h\n";

static struct scratch scratch;
static struct db *db;
static const struct route_config *config;
static struct pager *pager;
static const struct log no_log = {.fd = -1, .level = LOG_ERROR};
static const unsigned char ack_key[OUTBOX_ACK_KEY_BYTES] = "not a secret";

static inline struct db *open_state(void)
{
    const struct db_options options = {.path = scratch_path(&scratch, "state.db"),
                                       .application_id = 0x77617463,
                                       .migrations = db_state_migrations,
                                       .n_migrations = db_n_state_migrations};
    struct db *opened = NULL;
    struct err err = {0};

    if (db_open(&options, &opened, &err))
        fail_msg("%s", err.text);
    return opened;
}

enum standing {
    STANDING_NEVER,
    STANDING_FIRES,
    STANDING_OVER,
};

static enum standing standing[N_ALERTS + 1];

/* The rule of all alerts. */
static inline int job_rule(struct db_conn *conn, void *arg, struct err *reterr)
{
    (void)arg;
    int r = db_run(db_prepare(conn, "INSERT INTO rule_group (id, source, name, position, is_live,"
                                    " interval_ms) VALUES (1, 'host.yml', 'host', 0, 1, 15000)"),
                   reterr);

    if (r)
        return r;
    return db_run(db_prepare(conn, "INSERT INTO rule (id, group_id, type, name, ordinal, position,"
                                   " is_live, version, expr, for_ms, keep_firing_for_ms, labels,"
                                   " annotations) VALUES (7, 1, 'alerting', 'Down', 0, 0, 1, 1,"
                                   " 'up == 0', 60000, 0, '{}', '{}')"),
                  reterr);
}

static inline void begin(void)
{
    struct err err = {0};

    assert_int_equal(scratch_init(&scratch), 0);
    if (route_config_parse(config_text, strlen(config_text), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    db = open_state();
    memset(standing, 0, sizeof(standing));
    assert_int_equal(db_write(db, job_rule, NULL, NULL), 0);
    pager = pager_new(db, config, &no_log);
}

static inline void end(void)
{
    pager_free(pager);
    db_close(db);
    route_config_unref(config);
    scratch_done(&scratch);
}

/* --- steps --- */

struct step {
    int64_t now_ms;
    struct alert_event event;
    char verb[16];
    int alert;
    const char *key; /* of the newest incident */
    char key_text[32];
};

static int64_t fired_ms[N_ALERTS + 1];

static inline const struct labels *labels_of(int alert);

static inline void fill_event(struct step *step)
{
    bool fires = step->verb[0] == 'F';

    step->event = (struct alert_event){
        .kind = fires ? ALERT_EVENT_FIRING : ALERT_EVENT_RESOLVED,
        .at_ms = step->now_ms,
        .rule_id = 7,
        .rule_name = "Down",
        .group_name = "host",
        .expr = "up == 0",
        .for_ms = 60000,
        .labels = labels_of(step->alert),
        .annotations = labels_empty(),
        .value = 0,
    };
    if (fires)
        fired_ms[step->alert] = step->now_ms;
    step->event.fingerprint = step->event.labels->hash;
    step->event.active_at_ms = fired_ms[step->alert] - 60000;
    step->event.fired_at_ms = fired_ms[step->alert];
    step->event.resolved_at_ms = fires ? 0 : step->now_ms;
}

static inline const struct labels *labels_of(int alert)
{
    static const char *const instances[] = {"", "a:1", "b:2", "c:3"};
    const struct label labels[] = {{"alertname", "Down"},
                                   {"instance", instances[alert]},
                                   {"severity", alert == 2 ? "critical" : "warning"}};

    return labels_new(labels, 3);
}

/* The rule's alerts as rows, as an evaluation stores them before it pages. */
static inline int save_alerts(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct alert_set before = {0};
    struct alert_set after = {0};
    int r = alert_db_load(conn, 7, &before, reterr);

    for (int i = 1; i <= N_ALERTS; i++) {
        bool fires = standing[i] == STANDING_FIRES;
        const struct alert_entry entry = {
            .alert = {.state = fires ? ALERT_FIRING : ALERT_INACTIVE,
                      .active_at_ms = fired_ms[i] - 60000,
                      .fired_at_ms = fired_ms[i],
                      .keep_firing_since_ms = ALERT_NEVER,
                      .no_data_since_ms = ALERT_NEVER,
                      .resolved_at_ms = fires ? ALERT_NEVER : now_ms},
            .labels = labels_of(i),
            .annotations = labels_empty(),
        };

        if (standing[i] != STANDING_NEVER)
            alert_set_add(&after, &entry);
        labels_unref(entry.labels);
    }
    if (r == 0)
        r = alert_db_save(conn, 7, &before, &after, reterr);
    alert_set_done(&before);
    alert_set_done(&after);
    return r;
}

static inline int job_alert(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step *step = arg;
    struct pager_outcome outcome;

    standing[step->alert] = step->verb[0] == 'F' ? STANDING_FIRES : STANDING_OVER;
    int r = save_alerts(conn, step->now_ms, reterr);

    return r == 0 ? pager_apply(pager, conn, &step->event, 1, step->now_ms, &outcome, reterr) : r;
}

static inline int job_flush(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;
    struct pager_outcome outcome;

    return pager_run(pager, conn, step->now_ms, &outcome, reterr);
}

static inline int take(struct db_conn *conn,
                       struct step *step,
                       size_t which,
                       struct arena *arena,
                       struct outbox_claims *claims,
                       struct err *reterr)
{
    const struct route_integration *to = &config->receiver->integrations[which];
    const struct outbox_claim_options options = {.receiver = to->receiver,
                                                 .kind = route_kind_name(to->kind),
                                                 .slot = to->slot,
                                                 .external_url = "http://w",
                                                 .ack_key = ack_key,
                                                 .now_ms = step->now_ms,
                                                 .max = 1};

    return outbox_db_claim(conn, &options, arena, claims, reterr);
}

static inline int job_deliver(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step *step = arg;
    int r = 0;

    for (size_t i = 0; r == 0 && i < config->receiver->n_integrations; i++) {
        ARENA_AUTO struct arena arena;
        struct outbox_claims claims = {0};

        arena_init(&arena, 1 << 20);
        r = take(conn, step, i, &arena, &claims, reterr);
        if (r || claims.n == 0 || strcmp(step->verb, "crash") == 0)
            continue;
        if (strcmp(step->verb, "send") == 0)
            r = outbox_db_sent(conn, claims.pages[0].outbox_id, "", step->now_ms, reterr);
        else
            r = outbox_db_failed(conn, claims.pages[0].outbox_id, "HTTP 429", step->verb[0] == 'n',
                                 step->now_ms + 60000, step->now_ms, reterr);
    }
    return r;
}

static inline int job_person(struct db_conn *conn, void *arg, struct err *reterr)
{
    static const struct incident_query query = {.limit = 1};
    struct step *step = arg;
    ARENA_AUTO struct arena arena;
    struct incident *newest = NULL;
    struct pager_outcome outcome;
    size_t n = 0;
    bool changed;

    arena_init(&arena, 1 << 20);
    int r = incident_db_list(conn, &query, &arena, &newest, &n, reterr);
    if (r || n == 0)
        return r;

    const struct incident_deed deed = {.key = newest->key, .actor = "ana", .now_ms = step->now_ms};

    if (strcmp(step->verb, "ack") == 0)
        r = incident_db_ack(conn, &deed, &changed, reterr);
    else
        r = incident_db_resolve(conn, config, &deed, &changed, reterr);
    if (r == 0)
        r = pager_deed(pager, conn, newest->key,
                       &(struct escalation_event){.kind = strcmp(step->verb, "ack") == 0
                                                              ? ESCALATION_ACKNOWLEDGE
                                                              : ESCALATION_RESOLVE,
                                                  .at_ms = step->now_ms,
                                                  .person = "ana"},
                       &outcome, reterr);
    return r == INCIDENT_DB_E_NOT_OPEN ? 0 : r;
}

static inline int job_keep(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;

    return outbox_db_give_up(conn, config, step->now_ms, reterr);
}

static inline int job_recover(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;

    return outbox_db_recover(conn, step->now_ms, reterr);
}

static inline int job_hush(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;
    char id[SILENCE_ID_TEXT];
    struct matcher all;

    assert_int_equal(matcher_init(&all, MATCHER_EQUAL, "alertname", "Down", NULL), 0);
    pager_silences_changed(pager);
    int r = silence_db_set(conn,
                           &(struct silence_wish){.matchers = &all,
                                                  .n_matchers = 1,
                                                  .starts_at_ms = step->now_ms,
                                                  .ends_at_ms = step->now_ms + 300000,
                                                  .created_by = "ana",
                                                  .comment = "a disk is changed",
                                                  .actor = "ana",
                                                  .now_ms = step->now_ms},
                           id, reterr);
    matcher_done(&all);
    return r;
}

static inline void run_job(db_job *job, struct step *step)
{
    struct err err = {0};

    if (db_write(db, job, step, &err))
        fail_msg("%s: %s", step->verb, err.text);
}

static inline void run_step(struct step *step)
{
    if ((step->verb[0] == 'F' || step->verb[0] == 'E') && step->verb[2] == '\0') {
        step->alert = step->verb[1] - '0';
        fill_event(step);
        run_job(job_alert, step);
        labels_unref(step->event.labels);
    } else if (strcmp(step->verb, "ack") == 0 || strcmp(step->verb, "close") == 0) {
        run_job(job_person, step);
    } else if (strcmp(step->verb, "hush") == 0) {
        run_job(job_hush, step);
    } else if (strcmp(step->verb, "keep") == 0) {
        run_job(job_flush, step);
        run_job(job_keep, step);
    } else if (strcmp(step->verb, "start") == 0) {
        pager_free(pager);
        pager = pager_new(db, config, &no_log);
        run_job(job_recover, step);
    } else {
        run_job(job_flush, step);
        run_job(job_deliver, step);
    }
}

static inline void play(const char *script)
{
    while (*script) {
        struct step step = {0};
        char *rest = NULL;

        step.now_ms = (BASE_S + strtol(script, &rest, 10)) * (int64_t)1000;
        rest += strspn(rest, " ");
        size_t len = strcspn(rest, ",");
        assert_in_range(len, 1, sizeof(step.verb) - 1);
        memcpy(step.verb, rest, len);
        run_step(&step);
        script = rest + len;
        script += strspn(script, ", ");
    }
}

/* --- what is there afterwards --- */

static inline void print_outbox(const char *kind, struct str *out)
{
    struct outbox_row *rows = NULL;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn;
    size_t n = 0;

    arena_init(&arena, 1 << 20);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(outbox_db_list(conn, NULL, 100, &arena, &rows, &n, NULL), 0);
    db_read_end(db, conn);
    for (size_t i = n; i > 0; i--) {
        const struct outbox_row *row = &rows[i - 1];

        if (strcmp(row->kind, kind) != 0)
            continue;
        str_addf(out, "%s%s %s", out->len ? "; " : "", row->reason, row->state);
        if (strcmp(row->state, "waiting") == 0)
            str_addf(out, "@%lld", (long long)(row->due_at_ms / 1000 - BASE_S));
    }
}

static inline void print_incidents(struct str *out)
{
    static const struct incident_query query = {.limit = 9};
    struct incident *incidents = NULL;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn;
    size_t n = 0;

    arena_init(&arena, 1 << 20);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(incident_db_list(conn, &query, &arena, &incidents, &n, NULL), 0);
    db_read_end(db, conn);
    for (size_t i = n; i > 0; i--)
        str_addf(out, "%s%s %s %u/%u", out->len ? "; " : "", incidents[i - 1].key,
                 incident_status_name(incidents[i - 1].status), incidents[i - 1].n_firing,
                 incidents[i - 1].n_alerts);
}
