/*
 * What the rows of paging promise whatever happens: an append-only log, one transaction
 * or none, killed anywhere, secrets only as hashes. Scripts are read by life.h.
 */

#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/pager/life.h"

/* --- the log --- */

static int job_forge(struct db_conn *conn, void *arg, struct err *reterr)
{
    return db_run(db_prepare(conn, "UPDATE event SET text = 'nothing happened' WHERE id = 2"),
                  reterr);
}

static int job_forget(struct db_conn *conn, void *arg, struct err *reterr)
{
    return db_run(db_prepare(conn, "DELETE FROM event WHERE id = 2"), reterr);
}

static int job_unguard(struct db_conn *conn, void *arg, struct err *reterr)
{
    return db_run(db_prepare(conn, "DROP TRIGGER event_is_never_changed"), reterr);
}

static void test_the_log_is_append_only(void **state)
{
    struct db_conn *conn;
    struct err err = {0};
    int64_t n = 0;

    begin();
    play("0 F1, 30 send");
    assert_int_not_equal(db_write(db, job_forge, NULL, &err), 0);
    assert_non_null(strstr(err.text, "append-only"));
    assert_int_not_equal(db_write(db, job_forget, NULL, NULL), 0);

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(event_db_verify(conn, &n, NULL), 0);
    db_read_end(db, conn);
    assert_int_equal(n, 5);

    row("whoever takes the guard away is found by the chain");
    assert_int_equal(db_write(db, job_unguard, NULL, NULL), 0);
    assert_int_equal(db_write(db, job_forge, NULL, NULL), 0);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(event_db_verify(conn, NULL, &err), INCIDENT_DB_E_CHAIN);
    db_read_end(db, conn);
    assert_non_null(strstr(err.text, "event 2"));
    end();
}

/* --- one transaction or none --- */

static int job_alert_then_fail(struct db_conn *conn, void *arg, struct err *reterr)
{
    int r = job_alert(conn, arg, reterr);

    return r ? r : err_set(reterr, 99, "the alerts' own state could not be stored");
}

static void test_a_failed_evaluation_leaves_nothing(void **state)
{
    STR_AUTO struct str incidents = STR_INIT(200);
    STR_AUTO struct str hook = STR_INIT(200);
    struct step step = {.now_ms = BASE_S * (int64_t)1000, .verb = "F1", .alert = 1};

    begin();
    fill_event(&step);
    assert_int_equal(db_write(db, job_alert_then_fail, &step, NULL), 99);
    labels_unref(step.event.labels);
    print_incidents(&incidents);
    print_outbox("webhook", &hook);
    assert_string_equal(str_text(&incidents), "");
    assert_string_equal(str_text(&hook), "");

    row("and the same event later is told once, under the first number");
    play("15 F1");
    print_incidents(&incidents);
    assert_string_equal(str_text(&incidents), "INC-2026-0001 triggered 1/1");
    end();
}

/* Fires and ends alerts for ever; says when it is under way, dies by a signal. */
static void fire_for_ever(int say_fd, long from_s)
{
    db = open_state();
    pager = pager_new(db, config, &no_log);
    for (long i = 0;; i++) {
        char script[128];
        long at_s = from_s + 700 * i;

        (void)snprintf(script, sizeof(script), "%ld F1, %ld keep, %ld E1, %ld keep", at_s,
                       at_s + 30, at_s + 60, at_s + 330);
        play(script);
        if (i == 0)
            assert_int_equal(write(say_fd, "!", 1), 1);
    }
}

static int64_t count_of(const char *sql_literal)
{
    struct db_conn *conn;

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, sql_literal);
    assert_true(db_step(stmt));
    int64_t n = db_int(stmt, 0);
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(db, conn);
    return n;
}

static void test_killed_between_any_two_commits(void **state)
{
    begin();
    for (int round = 0; round < 5; round++) {
        long from_s = 1000000L * round;
        char script[64];
        char said;
        int say[2];

        pager_free(pager);
        db_close(db);
        assert_int_equal(pipe(say), 0);
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
            fire_for_ever(say[1], from_s);
        assert_int_equal(read(say[0], &said, 1), 1);
        (void)usleep(17000 * (unsigned)(round + 1));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        (void)close(say[0]);
        (void)close(say[1]);
        db = open_state();
        pager = pager_new(db, config, &no_log);
        from_s = (long)(count_of("SELECT max(opened_ms) / 1000 FROM incident") - BASE_S);
        (void)snprintf(script, sizeof(script), "%ld keep", from_s + 900);
        play(script);

        row("round %d: every incident has its page, every page its incident", round);
        assert_true(count_of("SELECT count(*) FROM incident") > 0);
        assert_int_equal(count_of("SELECT count(*) FROM incident i WHERE NOT EXISTS (SELECT 1"
                                  " FROM outbox o WHERE o.incident_id = i.id"
                                  " AND o.reason = 'first')"),
                         0);
        assert_int_equal(count_of("SELECT count(*) FROM incident i WHERE i.status = 'resolved'"
                                  " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE"
                                  " o.incident_id = i.id AND o.reason = 'resolved')"),
                         0);
        assert_int_equal(count_of("SELECT count(*) FROM incident i WHERE i.n_firing <> (SELECT"
                                  " count(*) FROM incident_alert a WHERE a.incident_id = i.id"
                                  " AND a.firing)"),
                         0);
    }
    end();
}

/* --- the phone page's secret --- */

static int job_find_link(struct db_conn *conn, void *arg, struct err *reterr)
{
    char *token = arg;
    int64_t incident_id = 0;

    return ack_link_db_find(conn, token, (BASE_S + 100) * (int64_t)1000, &incident_id, reterr);
}

static int job_find_link_late(struct db_conn *conn, void *arg, struct err *reterr)
{
    char *token = arg;
    int64_t incident_id = 0;

    return ack_link_db_find(conn, token, (BASE_S + 60 + 7 * 86400) * (int64_t)1000, &incident_id,
                            reterr);
}

static char link_token[64];

static int job_take_link(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step *step = arg;
    ARENA_AUTO struct arena arena;
    struct outbox_claims claims = {0};

    arena_init(&arena, 1 << 20);
    int r = take(conn, step, 0, &arena, &claims, reterr);
    if (r)
        return r;
    assert_int_equal(claims.n, 1);
    assert_true(strncmp(claims.pages[0].acknowledge_url, "http://w/a/", 11) == 0);
    assert_string_equal(claims.pages[0].incident_url, "http://w/i/INC-2026-0001");
    assert_int_equal(strlen(claims.pages[0].idempotency_key), 64);
    assert_int_equal(claims.pages[0].n_alerts, 1);
    (void)snprintf(link_token, sizeof(link_token), "%s", claims.pages[0].acknowledge_url + 11);
    return 0;
}

static void test_the_link_of_a_page(void **state)
{
    struct step step = {.now_ms = (BASE_S + 30) * (int64_t)1000};
    char other[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    char forged[] = "AAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; /* names the incident */

    begin();
    play("0 F1, 30 keep");
    run_job(job_take_link, &step);
    assert_int_equal(strlen(link_token), 40);
    assert_int_equal(db_write(db, job_find_link, link_token, NULL), 0);
    assert_int_equal(db_write(db, job_find_link, other, NULL), INCIDENT_DB_E_NOT_FOUND);
    assert_int_equal(db_write(db, job_find_link, forged, NULL), INCIDENT_DB_E_NOT_FOUND);
    assert_int_equal(count_of("SELECT count(*) FROM ack_token WHERE length(token_hash) = 32"), 1);
    row("a week after the end it is over");
    play("60 E1");
    assert_int_equal(db_write(db, job_find_link, link_token, NULL), 0);
    assert_int_equal(db_write(db, job_find_link_late, link_token, NULL), INCIDENT_DB_E_NOT_FOUND);
    end();
}

static void test_a_receiver_that_left_the_config(void **state)
{
    static const char other[] = "receivers: [{name: other}]\nroute: {receiver: other}\n";
    const struct route_config *before = NULL;
    STR_AUTO struct str hook = STR_INIT(200);
    struct err err = {0};

    begin();
    play("0 F1, 30 keep");
    before = config;
    assert_int_equal(route_config_parse(other, strlen(other), NULL, NULL, NULL, &config, &err), 0);
    row("a minute's grace: a reload reaches us and the evaluation at two moments");
    play("89 keep");
    print_outbox("webhook", &hook);
    assert_string_equal(str_text(&hook), "first waiting@30");
    play("90 keep");
    str_cut(&hook, 0);
    print_outbox("webhook", &hook);
    assert_string_equal(str_text(&hook), "first failed");
    row("and the timeline says that nobody was told");
    assert_int_equal(count_of("SELECT count(*) FROM event WHERE kind = 'notify.undelivered'"
                              " AND text LIKE '%no longer in the config'"),
                     2);
    route_config_unref(before);
    end();
}

/* --- what others sent, and what was taken back --- */

static int job_others(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct label pairs[] = {{"alertname", "Disk"}};
    const struct label words[] = {{"summary", arg}};
    const int64_t now_ms = BASE_S * (int64_t)1000;
    struct alert_db_external alert = {.labels = labels_new(pairs, 1),
                                      .annotations = labels_new(words, 1),
                                      .source = "alertmanager",
                                      .generator_url = "",
                                      .starts_ms = now_ms,
                                      .ends_ms = now_ms + 3600000,
                                      .is_firing = true,
                                      .was_firing = strcmp(arg, "90 %") != 0,
                                      .now_ms = now_ms};
    struct pager_outcome outcome;
    int r = pager_apply_external(pager, conn, &alert, 1, now_ms, &outcome, reterr);

    labels_unref(alert.labels);
    labels_unref(alert.annotations);
    return r;
}

static int job_fails(struct db_conn *conn, void *arg, struct err *reterr)
{
    int r = job_flush(conn, arg, reterr);

    return r ? r : 42;
}

/* "alerts summary" of what the webhook is to be told. */
static int job_read_page(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step step = {.now_ms = (BASE_S + 700) * (int64_t)1000};
    struct outbox_claims claims = {0};
    struct str *out = arg;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1 << 20);
    int r = take(conn, &step, 0, &arena, &claims, reterr);
    if (r || claims.n == 0)
        return r;

    const char *words = labels_get(claims.pages[0].alerts[0].annotations, "summary");

    str_addf(out, "%zu %s", claims.pages[0].n_alerts, words ? words : "");
    return 0;
}

static void test_a_renewed_alert_is_told_in_its_last_words(void **state)
{
    STR_AUTO struct str page = STR_INIT(200);
    int64_t n = 0;

    begin();
    assert_int_equal(db_write(db, job_others, (char[]){"90 %"}, NULL), 0);
    assert_int_equal(db_write(db, job_others, (char[]){"95 %"}, NULL), 0);
    play("30 keep");
    assert_int_equal(db_write(db, job_read_page, &page, NULL), 0);
    assert_string_equal(str_text(&page), "1 95 %");
    n = count_of("SELECT count(*) FROM external_alert WHERE is_firing");
    assert_int_equal(n, 1);
    end();
}

static void test_what_was_told_as_over_stays_over_when_a_job_is_taken_back(void **state)
{
    struct step failing = {.now_ms = (BASE_S + 331) * (int64_t)1000};
    STR_AUTO struct str page = STR_INIT(200);

    begin();
    play("0 F1, 0 F2, 30 send, 60 E1, 330 send");
    assert_int_equal(db_write(db, job_fails, &failing, NULL), 42);
    play("400 E2, 630 keep");
    assert_int_equal(db_write(db, job_read_page, &page, NULL), 0);
    assert_string_equal(str_text(&page), "1 ");
    end();
}

static void test_what_the_overview_counts(void **state)
{
    struct outbox_counts counts;
    unsigned fired[24];
    struct db_conn *conn;
    int64_t start_ms = 0;
    int64_t sent_ms = 0;
    int64_t waiting_ms = 0;

    begin();
    play("0 F1, 30 send, 60 E1, 330 keep, 3700 F1, 3710 F2, 3730 keep");
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(
        incident_db_hours(conn, (BASE_S + 4000) * (int64_t)1000, &start_ms, fired, NULL), 0);
    assert_int_equal(start_ms, (BASE_S - 22 * 3600) * (int64_t)1000);
    assert_int_equal(fired[22], 1);
    assert_int_equal(fired[23], 2);
    assert_int_equal(fired[0], 0);
    assert_int_equal(outbox_db_told(conn, &config->receiver->integrations[0],
                                    (BASE_S + 4000) * (int64_t)1000, &sent_ms, &waiting_ms, NULL),
                     0);
    assert_int_equal(sent_ms / 1000, BASE_S + 30);
    assert_int_equal(waiting_ms / 1000, BASE_S + 330);
    assert_int_equal(outbox_db_counts(conn, &counts, NULL), 0);
    assert_int_equal(counts.sent, 2);
    assert_int_equal(counts.waiting, 3);
    db_read_end(db, conn);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_log_is_append_only),
        cmocka_unit_test(test_a_failed_evaluation_leaves_nothing),
        cmocka_unit_test(test_killed_between_any_two_commits),
        cmocka_unit_test(test_the_link_of_a_page),
        cmocka_unit_test(test_a_receiver_that_left_the_config),
        cmocka_unit_test(test_a_renewed_alert_is_told_in_its_last_words),
        cmocka_unit_test(test_what_was_told_as_over_stays_over_when_a_job_is_taken_back),
        cmocka_unit_test(test_what_the_overview_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
