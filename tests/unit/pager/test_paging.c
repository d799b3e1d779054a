/*
 * From alert events to what receivers are told, on a real database file; the scripts are
 * read by life.h.
 */

#include "tests/unit/pager/life.h"

static const struct {
    const char *name, *script, *incidents, *hook, *mail;
} lives[] = {
    {"one alert, told when its group is flushed", "0 F1, 29 send", "INC-2026-0001 triggered 1/1",
     "", ""},
    {"and then", "0 F1, 30 send", "INC-2026-0001 triggered 1/1", "first sent", "first sent"},
    {"told, over, told the end at the next flush", "0 F1, 30 send, 60 E1, 329 send, 330 send",
     "INC-2026-0001 resolved 0/1", "first sent; resolved sent", "first sent"},
    {"the same event twice is one", "0 F1, 0 F1, 30 send, 60 E1, 60 E1, 330 keep",
     "INC-2026-0001 resolved 0/1", "first sent; resolved waiting@330", "first sent"},
    {"company within the wait comes along", "0 F1, 10 F2, 30 send", "INC-2026-0001 triggered 2/2",
     "first sent", "first sent"},
    {"company later waits for the interval", "0 F1, 30 send, 60 F2, 70 F3, 329 keep, 330 keep",
     "INC-2026-0001 triggered 3/3", "first sent; new alerts waiting@330",
     "first sent; new alerts waiting@330"},
    {"over before the first flush: nobody is told", "0 F1, 10 E1, 30 send, 330 send",
     "INC-2026-0001 resolved 0/1", "", ""},
    {"a new group waits anew", "0 F1, 30 send, 60 E1, 330 send, 700 F2",
     "INC-2026-0001 resolved 0/1; INC-2026-0002 triggered 1/1", "first sent; resolved sent",
     "first sent"},
    {"the receiver is busy for longer than the outage", "0 F1, 30 busy, 45 E1, 45 send",
     "INC-2026-0001 resolved 0/1", "first waiting@90", "first waiting@90"},
    {"and gets it when it is not busy any more", "0 F1, 30 busy, 45 E1, 90 send, 330 send",
     "INC-2026-0001 resolved 0/1", "first sent; resolved sent", "first sent"},
    {"busy past the next flush: one that tells both", "0 F1, 30 busy, 45 E1, 330 busy, 400 send",
     "INC-2026-0001 resolved 0/1", "first superseded; resolved sent", "first sent"},
    {"news after a failed try has a key of its own", "0 F1, 30 busy, 40 F2, 330 keep",
     "INC-2026-0001 triggered 2/2", "first superseded; new alerts waiting@330",
     "first superseded; new alerts waiting@330"},
    {"fires again before its end was told: the same incident, no second page",
     "0 F1, 30 send, 60 E1, 60 send, 70 F1, 330 send", "INC-2026-0001 triggered 1/1", "first sent",
     "first sent"},
    {"fires again after the end was told: another incident",
     "0 F1, 30 send, 60 E1, 330 send, 400 F1, 630 send",
     "INC-2026-0001 resolved 0/1; INC-2026-0002 triggered 1/1",
     "first sent; resolved sent; first sent", "first sent; first sent"},
    {"its end was silenced: told with the end of one that nobody knew",
     "0 F1, 30 send, 40 hush, 50 F2, 60 E1, 330 send, 400 E2, 630 send",
     "INC-2026-0001 resolved 0/1", "first sent; resolved sent", "first sent"},
    {"killed while sending: sent again", "0 F1, 30 crash, 31 start, 31 send",
     "INC-2026-0001 triggered 1/1", "first sent", "first sent"},
    {"started again before the flush: told at its time, once",
     "0 F1, 10 start, 29 send, 30 send, 31 start, 330 send", "INC-2026-0001 triggered 1/1",
     "first sent", "first sent"},
    {"started again after the flush time passed: told once",
     "0 F1, 10 start, 5000 send, 5001 start, 5300 send", "INC-2026-0001 triggered 1/1",
     "first sent", "first sent"},
    {"ended while nobody ran after its rows were gone: told the end",
     "0 F1, 30 send, 60 E1, 3000 start, 3000 send", "INC-2026-0001 resolved 0/1",
     "first sent; resolved sent", "first sent"},
    {"ended while sending: the end waits its turn", "0 F1, 30 crash, 31 E1, 330 send",
     "INC-2026-0001 resolved 0/1", "first sending; resolved waiting@330", "first sending"},
    {"a reminder an hour later, at a flush",
     "0 F1, 30 send, 3630 send, 3930 send, 7529 send, 7530 send", "INC-2026-0001 triggered 1/1",
     "first sent; repeat sent", "first sent; repeat sent"},
    {"acknowledged: no reminder, and one that waits goes",
     "0 F1, 30 send, 3930 keep, 3931 ack, 9000 keep", "INC-2026-0001 acknowledged 1/1",
     "first sent; repeat superseded", "first sent; repeat superseded"},
    {"news while a reminder waits is told though it was acknowledged",
     "0 F1, 30 send, 3930 keep, 3931 F2, 4230 keep, 4231 ack", "INC-2026-0001 acknowledged 2/2",
     "first sent; repeat superseded; new alerts waiting@4230",
     "first sent; repeat superseded; new alerts waiting@4230"},
    {"no reminder of a page that is still being tried", "0 F1, 30 busy, 3930 keep",
     "INC-2026-0001 triggered 1/1", "first waiting@90", "first waiting@90"},
    {"closed by a person while it fires", "0 F1, 30 send, 60 close, 60 send, 90 E1, 330 send",
     "INC-2026-0001 resolved 0/1", "first sent; resolved sent", "first sent"},
    {"closed, then another alert of it fires", "0 F1, 30 send, 60 close, 60 send, 90 F2, 330 keep",
     "INC-2026-0001 triggered 2/2", "first sent; resolved sent; first waiting@330",
     "first sent; first waiting@330"},
    {"closed, opened again before the end was told", "0 F1, 30 send, 60 close, 61 F2, 330 keep",
     "INC-2026-0001 triggered 2/2", "first sent; resolved superseded; first waiting@330",
     "first sent; first waiting@330"},
    {"refused for a day: given up", "0 F1, 30 no, 86429 keep, 86430 keep",
     "INC-2026-0001 triggered 1/1", "first failed", "first failed"},
    {"two of three over: still open, and who wants to know is told",
     "0 F1, 0 F2, 0 F3, 30 send, 60 E1, 60 E3, 330 send", "INC-2026-0001 triggered 1/3",
     "first sent; some resolved sent", "first sent"},
    {"one comes back while another fires, within the interval: nothing new",
     "0 F1, 0 F2, 30 send, 60 E1, 200 F1, 330 keep", "INC-2026-0001 triggered 2/2", "first sent",
     "first sent"},
    {"one comes back after its end was told",
     "0 F1, 0 F2, 30 send, 60 E1, 330 send, 400 F1, 630 keep", "INC-2026-0001 triggered 2/2",
     "first sent; some resolved sent; new alerts waiting@630", "first sent"},
};

static void test_lives(void **state)
{
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        STR_AUTO struct str incidents = STR_INIT(1000);
        STR_AUTO struct str hook = STR_INIT(1000);
        STR_AUTO struct str mail = STR_INIT(1000);

        row("%s", lives[i].name);
        begin();
        play(lives[i].script);
        print_incidents(&incidents);
        print_outbox("webhook", &hook);
        print_outbox("email", &mail);
        end();
        assert_string_equal(str_text(&incidents), lives[i].incidents);
        assert_string_equal(str_text(&hook), lives[i].hook);
        assert_string_equal(str_text(&mail), lives[i].mail);
    }
}

static void print_timeline(struct str *out)
{
    struct timeline_event *events = NULL;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn;
    size_t n = 0;

    arena_init(&arena, 1 << 20);
    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    assert_int_equal(incident_db_timeline(conn, 1, &arena, &events, &n, NULL), 0);
    db_read_end(db, conn);
    for (size_t i = 0; i < n; i++)
        str_addf(out, "%lld %s %s%s%s\n", (long long)(events[i].occurred_at_ms / 1000 - BASE_S),
                 events[i].kind, events[i].actor ? events[i].actor : "",
                 events[i].actor ? ": " : "", events[i].text);
}

static void test_the_timeline_tells_it_all(void **state)
{
    STR_AUTO struct str text = STR_INIT(8000);

    begin();
    play("0 F1, 30 busy, 90 send, 100 ack, 110 ack, 120 F2, 130 close, 200 E2");
    print_timeline(&text);
    end();
    assert_string_equal(
        str_text(&text),
        "-60 alert.pending Down on a:1 is true; pages when it holds 1 min\n"
        "0 incident.opened Down on a:1\n"
        "0 alert.firing Down on a:1 fires (value 0)\n"
        "30 notify.failed oncall not told by webhook (first): HTTP 429; tried again\n"
        "30 notify.failed oncall not told by email (first): HTTP 429; tried again\n"
        "60 alert.pending Down on b:2 is true; pages when it holds 1 min\n"
        "90 notify.sent oncall told by webhook (first), 1 min late: HTTP 429\n"
        "90 notify.sent oncall told by email (first), 1 min late: HTTP 429\n"
        "100 ack ana: acknowledged\n"
        "120 alert.firing Down on b:2 fires (value 0)\n"
        "130 incident.resolved ana: resolved; still firing: Down on b:2, Down on a:1\n"
        "200 alert.resolved Down on b:2 is over after 1 min 20 s (value 0)\n");
}

/* The first route is quiet all year, the second is not. */
static const char two_routes[] = "receivers:\n"
                                 "  - name: oncall\n"
                                 "    webhook_configs:\n"
                                 "      - url: http://127.0.0.1:1/hook\n"
                                 "time_intervals:\n"
                                 "  - name: always\n"
                                 "    time_intervals:\n"
                                 "      - months: ['1:12']\n"
                                 "route:\n"
                                 "  receiver: oncall\n"
                                 "  group_by: [alertname]\n"
                                 "  group_wait: 30s\n"
                                 "  routes:\n"
                                 "    - mute_time_intervals: [always]\n"
                                 "      continue: true\n"
                                 "    - matchers: ['alertname=\"Down\"']\n";

static void test_quiet_in_the_first_route_is_not_muted(void **state)
{
    STR_AUTO struct str text = STR_INIT(8000);
    struct err err = {0};

    begin();
    route_config_unref(config);
    if (route_config_parse(two_routes, strlen(two_routes), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    pager_configure(pager, config);
    play("0 F1, 30 send");
    print_timeline(&text);
    end();
    assert_string_equal(str_text(&text),
                        "-60 alert.pending Down on a:1 is true; pages when it holds 1 min\n"
                        "0 incident.opened Down on a:1\n"
                        "0 alert.firing Down on a:1 fires (value 0)\n"
                        "30 notify.sent oncall told by webhook (first)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives),
        cmocka_unit_test(test_the_timeline_tells_it_all),
        cmocka_unit_test(test_quiet_in_the_first_route_is_not_muted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
