/*
 * Escalations on a real database file: who is paged, in which order, and what stops it. The
 * scripts are those of life.h; one more config, a roster of rows, and a restart between steps.
 */

#include "alertd/db/escalation_db.h"
#include "alertd/db/roster_db.h"
#include "alertd/oncall/spelling.h"
#include "tests/unit/pager/life.h"

static const char oncall_config[] = "receivers:\n"
                                    "  - name: oncall\n"
                                    "    oncall_configs:\n"
                                    "      - policy: shop\n"
                                    "  - name: wall\n"
                                    "    webhook_configs:\n"
                                    "      - url: http://127.0.0.1:1/wall\n"
                                    "route:\n"
                                    "  receiver: oncall\n"
                                    "  group_by: [alertname]\n"
                                    "  group_wait: 0s\n"
                                    "  group_interval: 5m\n"
                                    "  repeat_interval: 1h\n";

static const char *const people[] = {
    ("{\"name\": \"ana\", \"contacts\": [{\"method\": \"webhook\", \"address\": \"http://a/\"}, "
     "{\"method\": \"email\", \"address\": \"ana@example.org\"}]}"),
    "{\"name\": \"bob\", \"contacts\": [{\"method\": \"webhook\", \"address\": \"http://b/\"}]}",
    "{\"name\": \"cat\"}",
};

/* ana at 0, cat (nobody can reach her) and so bob at 60; once more; the wall at the end. An
 * acknowledgement holds for ten minutes. */
static const char policy_text[] =
    "{\"name\": \"shop\", \"repeat\": 1, \"ack_expires_ms\": 600000, \"steps\": ["
    "{\"delay_ms\": 60000, \"targets\": [{\"person\": \"ana\"}]},"
    "{\"delay_ms\": 60000, \"targets\": [{\"person\": \"cat\"}]},"
    "{\"delay_ms\": 60000, \"targets\": [{\"person\": \"bob\"}]}],"
    " \"fallback\": [{\"receiver\": \"wall\"}]}";

static int job_roster(struct db_conn *conn, void *arg, struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct policy policy;
    int r = 0;

    arena_init(&arena, 1 << 20);
    for (size_t i = 0; r == 0 && i < sizeof(people) / sizeof(people[0]); i++) {
        struct person person;

        r = person_parse(people[i], strlen(people[i]), &arena, &person, reterr);
        struct roster_put put = {.value = {.kind = ROSTER_PERSON, .person = &person}, .by = "test"};
        if (r == 0)
            r = roster_db_put(conn, &put, reterr);
    }
    if (r == 0 && !*(const bool *)arg)
        return 0;
    if (r == 0)
        r = policy_parse(policy_text, strlen(policy_text), &arena, &policy, reterr);
    struct roster_put put = {.value = {.kind = ROSTER_POLICY, .policy = &policy}, .by = "test"};
    return r == 0 ? roster_db_put(conn, &put, reterr) : r;
}

static void begin_oncall(bool with_policy)
{
    struct err err = {0};

    begin();
    pager_free(pager);
    route_config_unref(config);
    if (route_config_parse(oncall_config, strlen(oncall_config), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    pager = pager_new(db, config, &no_log);
    if (db_write(db, job_roster, &with_policy, &err))
        fail_msg("%s", err.text);
}

/* Every row: "0 ana webhook escalation waiting". */
static void print_pages(struct str *out)
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
        bool is_person = strncmp(row->receiver, OUTBOX_PERSON, strlen(OUTBOX_PERSON)) == 0;

        str_addf(out, "%s%lld %s/%s", out->len ? ", " : "",
                 (long long)(row->due_at_ms / 1000 - BASE_S),
                 is_person ? row->receiver + strlen(OUTBOX_PERSON) : row->receiver, row->kind);
        if (strcmp(row->reason, "escalation") != 0)
            str_addf(out, " %s", row->reason);
        if (strcmp(row->state, "waiting") != 0)
            str_addf(out, " %s", row->state);
    }
}

/* The events of the escalation: "60 step 2 of shop ...". */
static void print_story(struct str *out)
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
        if (strcmp(events[i].kind, "escalation") == 0)
            str_addf(out, "%s%lld %s", out->len ? "\n" : "",
                     (long long)(events[i].occurred_at_ms / 1000 - BASE_S), events[i].text);
}

static const struct {
    const char *name, *script, *incidents, *pages;
} lives[] = {
    {"the first step pages every contact at once", "0 F1", "INC-2026-0001 triggered 1/1",
     "0 ana/webhook, 0 ana/email"},
    {"the second in its time, and who can't be reached costs none", "0 F1, 59 keep, 60 keep",
     "INC-2026-0001 triggered 1/1", "0 ana/webhook, 0 ana/email, 60 bob/webhook"},
    {"who was not told yet is not paged twice", "0 F1, 120 keep", "INC-2026-0001 triggered 1/1",
     "0 ana/webhook, 0 ana/email, 60 bob/webhook"},
    {"nobody woke at the right time: every page was due when it was due", "0 F1, 1000 keep",
     "INC-2026-0001 triggered 1/1", "0 ana/webhook, 0 ana/email, 60 bob/webhook, 240 wall/webhook"},
    {"acknowledged: nobody else, and what was not sent is not sent", "0 F1, 30 ack, 60 keep",
     "INC-2026-0001 acknowledged 1/1", "0 ana/webhook superseded, 0 ana/email superseded"},
    {"it expires, and goes on with who is next", "0 F1, 30 ack, 629 keep, 630 keep",
     "INC-2026-0001 triggered 1/1",
     "0 ana/webhook superseded, 0 ana/email superseded, 630 bob/webhook"},
    {"more alerts of the incident page nobody again", "0 F1, 10 F2, 300 keep",
     "INC-2026-0001 triggered 2/2", "0 ana/webhook, 0 ana/email, 60 bob/webhook, 240 wall/webhook"},
    {"over: who was paged is told, nobody else is paged", "0 F1, 30 E1, 60 keep, 300 keep",
     "INC-2026-0001 resolved 0/1",
     "0 ana/webhook superseded, 0 ana/email superseded, 60 ana/webhook resolved, "
     "60 ana/email resolved"},
    {"over, and fires again before the next step: it goes on", "0 F1, 30 E1, 40 F1, 60 keep",
     "INC-2026-0001 triggered 1/1", "0 ana/webhook, 0 ana/email, 60 bob/webhook"},
    {"closed by a person, and another alert fires: it begins anew", "0 F1, 30 close, 90 F2",
     "INC-2026-0001 triggered 2/2",
     "0 ana/webhook superseded, 0 ana/email superseded, 30 ana/webhook resolved superseded, "
     "30 ana/email resolved superseded, 90 ana/webhook, 90 ana/email"},
};

static void play_and_print(const char *script, struct str *incidents, struct str *pages)
{
    begin_oncall(true);
    play(script);
    print_incidents(incidents);
    print_pages(pages);
    end();
}

static void test_lives(void **state)
{
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        STR_AUTO struct str incidents = STR_INIT(1000);
        STR_AUTO struct str pages = STR_INIT(2000);

        row("%s", lives[i].name);
        play_and_print(lives[i].script, &incidents, &pages);
        assert_string_equal(str_text(&incidents), lives[i].incidents);
        assert_string_equal(str_text(&pages), lives[i].pages);
    }
}

/* The same script, killed and started again after each of its steps. */
static void test_restart(void **state)
{
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        STR_AUTO struct str script = STR_INIT(1000);
        STR_AUTO struct str incidents = STR_INIT(1000);
        STR_AUTO struct str pages = STR_INIT(2000);

        row("%s", lives[i].name);
        for (const char *at = lives[i].script; *at;) {
            size_t len = strcspn(at, ",");

            str_addf(&script, "%s%.*s, %ld start", script.len ? ", " : "", (int)len, at,
                     strtol(at, NULL, 10));
            at += len;
            at += strspn(at, ", ");
        }
        play_and_print(str_text(&script), &incidents, &pages);
        assert_string_equal(str_text(&incidents), lives[i].incidents);
        assert_string_equal(str_text(&pages), lives[i].pages);
    }
}

static void test_story(void **state)
{
    STR_AUTO struct str story = STR_INIT(4000);

    begin_oncall(true);
    play("0 F1, 300 keep");
    print_story(&story);
    end();
    assert_string_equal(
        str_text(&story),
        "0 step 1 of shop pages ana by webhook and email\n"
        "60 step 2 of shop reaches nobody: cat has no contact to be told by\n"
        "60 step 3 of shop pages bob by webhook\n"
        "120 step 1 of shop, round 2, pages ana by webhook and email\n"
        "180 step 2 of shop, round 2, reaches nobody: cat has no contact to be told by\n"
        "180 step 3 of shop, round 2, pages bob by webhook\n"
        "240 every step of shop is over: its fallback pages receiver wall");
}

static void test_unknown_policy(void **state)
{
    STR_AUTO struct str story = STR_INIT(4000);

    begin_oncall(false);
    play("0 F1, 300 keep");
    print_story(&story);
    end();
    assert_string_equal(str_text(&story),
                        "0 there is no policy of that name: nobody is paged by it");
}

/* --- what people do --- */

struct deed {
    struct escalation_event event;
    int result;
};

static int job_deed(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct deed *deed = arg;
    struct pager_outcome outcome;

    deed->result = pager_deed(pager, conn, "INC-2026-0001", &deed->event, &outcome, reterr);
    return deed->result;
}

static int do_deed(enum escalation_event_kind kind, int at_s, int until_s)
{
    struct deed deed = {.event = {.kind = kind,
                                  .at_ms = (BASE_S + at_s) * (int64_t)1000,
                                  .person = "bob",
                                  .until_ms = (BASE_S + until_s) * (int64_t)1000}};

    (void)db_write(db, job_deed, &deed, NULL);
    return deed.result;
}

static void test_deeds(void **state)
{
    static const struct {
        const char *name;
        enum escalation_event_kind kind;
        const char *incidents, *pages;
    } deeds[] = {
        {"snoozed until 500: from the first step again", ESCALATION_SNOOZE,
         "INC-2026-0001 triggered 1/1",
         "0 ana/webhook superseded, 0 ana/email superseded, 500 ana/webhook, 500 ana/email"},
        {"taken over: for good", ESCALATION_TAKE_OVER, "INC-2026-0001 acknowledged 1/1",
         "0 ana/webhook superseded, 0 ana/email superseded"},
        {"escalated: the next step now, those behind it from there", ESCALATION_ESCALATE,
         "INC-2026-0001 triggered 1/1",
         "0 ana/webhook, 0 ana/email, 30 bob/webhook, 210 wall/webhook"},
    };

    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        STR_AUTO struct str incidents = STR_INIT(1000);
        STR_AUTO struct str pages = STR_INIT(2000);

        row("%s", deeds[i].name);
        begin_oncall(true);
        play("0 F1");
        assert_int_equal(do_deed(deeds[i].kind, 30, 500), 0);
        play("499 keep, 500 keep");
        print_incidents(&incidents);
        print_pages(&pages);
        end();
        assert_string_equal(str_text(&incidents), deeds[i].incidents);
        assert_string_equal(str_text(&pages), deeds[i].pages);
    }
}

static void test_deeds_refused(void **state)
{
    begin_oncall(false);
    play("0 F1");
    assert_int_equal(do_deed(ESCALATION_ESCALATE, 1, 0), PAGER_E_NO_POLICY);
    play("2 close");
    assert_int_equal(do_deed(ESCALATION_TAKE_OVER, 3, 0), INCIDENT_DB_E_NOT_OPEN);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives), cmocka_unit_test(test_restart),
        cmocka_unit_test(test_story), cmocka_unit_test(test_unknown_policy),
        cmocka_unit_test(test_deeds), cmocka_unit_test(test_deeds_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
