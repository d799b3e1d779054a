/*
 * What pages are for shadows, on a real database file: copies and their lane, reverse and its
 * delay, and that the real pages are those that there would have been without any shadow. The
 * scripts are those of life.h.
 */

#include "alertd/db/roster_db.h"
#include "alertd/db/shadow_db.h"
#include "alertd/oncall/spelling.h"
#include "tests/unit/pager/life.h"

enum {
    SHADOWS_MAX = 3
};

static const char oncall_config[] = "receivers:\n"
                                    "  - name: oncall\n"
                                    "    oncall_configs:\n"
                                    "      - policy: shop\n"
                                    "route:\n"
                                    "  receiver: oncall\n"
                                    "  group_by: [alertname]\n"
                                    "  group_wait: 0s\n"
                                    "  group_interval: 5m\n";

static const char *const people[] = {
    ("{\"name\": \"ana\", \"contacts\": [{\"method\": \"webhook\", \"address\": \"http://a/\"}, "
     "{\"method\": \"email\", \"address\": \"ana@example.org\"}]}"),
    "{\"name\": \"bob\", \"contacts\": [{\"method\": \"webhook\", \"address\": \"http://b/\"}]}",
    "{\"name\": \"cat\"}",
    ("{\"name\": \"dan\", \"contacts\": [{\"method\": \"webhook\", \"address\": \"http://d/\"}, "
     "{\"method\": \"email\", \"address\": \"dan@example.org\"}]}"),
};

static const char schedule_text[] =
    "{\"name\": \"web\", \"zone\": \"UTC\", \"layers\": [{\"name\": \"all\", \"rotation\": "
    "{\"unit\": \"always\", \"people\": [\"ana\"]}}]}";

/* ana through the schedule at 0, bob at 60, ana herself at 120. */
static const char policy_text[] = "{\"name\": \"shop\", \"steps\": ["
                                  "{\"delay_ms\": 60000, \"targets\": [{\"schedule\": \"web\"}]},"
                                  "{\"delay_ms\": 60000, \"targets\": [{\"person\": \"bob\"}]},"
                                  "{\"delay_ms\": 60000, \"targets\": [{\"person\": \"ana\"}]}]}";

/* Who, of whom ("web" is the schedule), how; and how long behind in reverse. */
struct looker {
    const char *person, *of, *mode, *mentor;
    int after_s;
};

static int put(struct db_conn *conn, struct roster_value value, struct err *reterr)
{
    struct roster_put one = {.value = value, .by = "test"};

    return roster_db_put(conn, &one, reterr);
}

static int put_looker(struct db_conn *conn,
                      const struct looker *looker,
                      struct arena *arena,
                      struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(1000);
    struct shadow shadow;

    str_addf(&text,
             "{\"id\": \"new\", \"person\": \"%s\", \"target_kind\": \"%s\", \"target\": \"%s\","
             " \"mode\": \"%s\", \"from\": \"2025-01-01T00:00:00Z\","
             " \"to\": \"2026-06-01T00:00:00Z\"",
             looker->person, strcmp(looker->of, "web") == 0 ? "schedule" : "person", looker->of,
             looker->mode);
    if (looker->mentor)
        str_addf(&text, ", \"mentor\": \"%s\"", looker->mentor);
    if (looker->after_s)
        str_addf(&text, ", \"after_ms\": %d", looker->after_s * 1000);
    str_add(&text, "}");
    int r = shadow_parse(str_text(&text), text.len, arena, &shadow, reterr);

    return r == 0
               ? put(conn, (struct roster_value){.kind = ROSTER_SHADOW, .shadow = &shadow}, reterr)
               : r;
}

static int job_roster(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct looker *lookers = *(const struct looker *const *)arg;
    struct schedule schedule;
    struct zones zones = {0};
    ARENA_AUTO struct arena arena;
    struct policy policy;
    int r = 0;

    arena_init(&arena, 1 << 20);
    for (size_t i = 0; r == 0 && i < sizeof(people) / sizeof(people[0]); i++) {
        struct person person;

        r = person_parse(people[i], strlen(people[i]), &arena, &person, reterr);
        if (r == 0)
            r = put(conn, (struct roster_value){.kind = ROSTER_PERSON, .person = &person}, reterr);
    }
    if (r == 0)
        r = schedule_parse(schedule_text, strlen(schedule_text), &zones, &arena, &schedule, reterr);
    if (r == 0)
        r = put(conn, (struct roster_value){.kind = ROSTER_SCHEDULE, .schedule = &schedule},
                reterr);
    if (r == 0)
        r = policy_parse(policy_text, strlen(policy_text), &arena, &policy, reterr);
    if (r == 0)
        r = put(conn, (struct roster_value){.kind = ROSTER_POLICY, .policy = &policy}, reterr);
    for (size_t i = 0; r == 0 && lookers && i < SHADOWS_MAX && lookers[i].person; i++)
        r = put_looker(conn, &lookers[i], &arena, reterr);
    zones_done(&zones);
    return r;
}

static void begin_oncall(const struct looker *lookers)
{
    struct err err = {0};

    begin();
    pager_free(pager);
    route_config_unref(config);
    if (route_config_parse(oncall_config, strlen(oncall_config), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    pager = pager_new(db, config, &no_log);
    if (db_write(db, job_roster, &lookers, &err))
        fail_msg("%s", err.text);
}

/* Rows of the outbox, real ones or copies: "0 ana/webhook, 0 ana/email resolved". */
static void print_rows(bool copies, struct str *out)
{
    struct db_conn *conn;

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT due_ms, substr(receiver, 8), kind, reason, state FROM outbox"
              " WHERE (lane = 'shadow') = ?1 ORDER BY id");

    db_bind_int(stmt, 1, copies);
    while (db_step(stmt)) {
        str_addf(out, "%s%lld %s/%s", out->len ? ", " : "",
                 (long long)(db_int(stmt, 0) / 1000 - BASE_S), db_text(stmt, 1), db_text(stmt, 2));
        if (strcmp(db_text(stmt, 3), "escalation") != 0)
            str_addf(out, " %s", db_text(stmt, 3));
        if (strcmp(db_text(stmt, 4), "waiting") != 0)
            str_addf(out, " %s", db_text(stmt, 4));
    }
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(db, conn);
}

/* Pages of shadows: "0 dan own copy of ana, shop 1.1, mentor ana". */
static void print_copies(struct str *out)
{
    struct db_conn *conn;

    assert_int_equal(db_read_begin(db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT made_ms, person, mode, of_name, step, mentor,"
                                      " outbox_id IS NULL, is_night FROM shadow_page ORDER BY id");

    while (db_step(stmt)) {
        str_addf(out, "%s%lld %s %s of %s, %s", out->len ? "; " : "",
                 (long long)(db_int(stmt, 0) / 1000 - BASE_S), db_text(stmt, 1), db_text(stmt, 2),
                 db_text(stmt, 3), db_text(stmt, 4));
        if (strcmp(db_text(stmt, 5), "ana") != 0)
            str_addf(out, ", mentor %s", db_text(stmt, 5));
        if (db_int(stmt, 6) || !db_int(stmt, 7)) /* it is midnight */
            str_add(out, ", WRONG");
    }
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(db, conn);
}

static const struct {
    const char *name;
    struct looker lookers[SHADOWS_MAX];
    const char *script, *real, *copies, *pages;
} lives[] = {
    {"of a schedule: only what was found through it",
     {{"dan", "web", "own copy"}},
     "0 F1, 130 keep",
     "0 ana/webhook, 0 ana/email, 60 bob/webhook",
     "0 dan/webhook, 0 dan/email",
     "0 dan own copy of web, shop 1.1"},
    {"of a person: whichever way they are found",
     {{"dan", "ana", "observe"}},
     "0 F1, 130 keep",
     "0 ana/webhook, 0 ana/email, 60 bob/webhook",
     "0 dan/webhook, 0 dan/email, 120 dan/webhook, 120 dan/email",
     "0 dan observe of ana, shop 1.1; 120 dan observe of ana, shop 1.3"},
    {"two of one and the same are two pages",
     {{"dan", "ana", "observe", "bob"}, {"dan", "web", "own copy"}},
     "0 F1, 10 keep",
     "0 ana/webhook, 0 ana/email",
     "0 dan/webhook, 0 dan/email, 0 dan/webhook, 0 dan/email",
     "0 dan observe of ana, shop 1.1, mentor bob; 0 dan own copy of web, shop 1.1"},
    {"an acknowledgement stops real pages, and no copy",
     {{"dan", "web", "own copy"}},
     "0 F1, 30 ack, 130 keep",
     "0 ana/webhook superseded, 0 ana/email superseded",
     "0 dan/webhook, 0 dan/email",
     "0 dan own copy of web, shop 1.1"},
    {"the end is told to who was really paged",
     {{"dan", "web", "own copy"}},
     "0 F1, 30 close",
     "0 ana/webhook superseded, 0 ana/email superseded, 30 ana/webhook resolved, "
     "30 ana/email resolved",
     "0 dan/webhook, 0 dan/email",
     "0 dan own copy of web, shop 1.1"},
    {"a copy is tried for an hour",
     {{"dan", "web", "own copy"}},
     "0 F1, 3600 keep",
     "0 ana/webhook, 0 ana/email, 60 bob/webhook",
     "0 dan/webhook failed, 0 dan/email failed",
     "0 dan own copy of web, shop 1.1"},
    {"without a contact: a page to look at, and nothing sent",
     {{"cat", "web", "own copy"}},
     "0 F1, 10 keep",
     "0 ana/webhook, 0 ana/email",
     "",
     "0 cat own copy of web, shop 1.1"},
    {"reverse: first, and the one behind a while later",
     {{"dan", "web", "reverse", NULL, 30}},
     "0 F1, 10 keep",
     "0 dan/webhook, 0 dan/email, 30 ana/webhook, 30 ana/email",
     "",
     "0 dan reverse of web, shop 1.1"},
    {"reverse, at the same time",
     {{"dan", "web", "reverse"}},
     "0 F1, 10 keep",
     "0 dan/webhook, 0 dan/email, 0 ana/webhook, 0 ana/email",
     "",
     "0 dan reverse of web, shop 1.1"},
    {"reverse: a mentor of their own beside who is on call",
     {{"dan", "web", "reverse", "bob", 30}},
     "0 F1, 10 keep",
     "0 dan/webhook, 0 dan/email, 30 bob/webhook, 30 ana/webhook, 30 ana/email",
     "",
     "0 dan reverse of web, shop 1.1, mentor bob"},
    {"reverse: who answers in time spares the one behind",
     {{"dan", "web", "reverse", NULL, 30}},
     "0 F1, 10 ack, 130 keep",
     "0 dan/webhook superseded, 0 dan/email superseded, 30 ana/webhook superseded, "
     "30 ana/email superseded",
     "",
     "0 dan reverse of web, shop 1.1"},
    {"reverse: a step that pages the one behind itself does not wait",
     {{"dan", "web", "reverse", NULL, 600}},
     "0 F1, 130 keep",
     "0 dan/webhook, 0 dan/email, 120 ana/webhook, 120 ana/email, 60 bob/webhook",
     "",
     "0 dan reverse of web, shop 1.1"},
    {"reverse: without a contact they are left out, and nobody waits for them",
     {{"cat", "web", "reverse", NULL, 600}},
     "0 F1, 10 keep",
     "0 ana/webhook, 0 ana/email",
     "",
     ""},
    {"reverse, and a copy for somebody else",
     {{"dan", "web", "reverse", NULL, 30}, {"cat", "ana", "observe"}},
     "0 F1, 10 keep",
     "0 dan/webhook, 0 dan/email, 30 ana/webhook, 30 ana/email",
     "",
     "0 dan reverse of web, shop 1.1; 0 cat observe of ana, shop 1.1"},
};

static void check_life(size_t at, const char *script)
{
    STR_AUTO struct str real = STR_INIT(2000);
    STR_AUTO struct str copies = STR_INIT(2000);
    STR_AUTO struct str pages = STR_INIT(2000);
    struct looker lookers[SHADOWS_MAX + 1] = {{0}};

    row("%s", lives[at].name);
    memcpy(lookers, lives[at].lookers, sizeof(lives[at].lookers));
    begin_oncall(lookers);
    play(script);
    print_rows(false, &real);
    print_rows(true, &copies);
    print_copies(&pages);
    end();
    assert_string_equal(str_text(&real), lives[at].real);
    assert_string_equal(str_text(&copies), lives[at].copies);
    assert_string_equal(str_text(&pages), lives[at].pages);
}

static void test_lives(void **state)
{
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
        check_life(i, lives[i].script);
}

/* Killed and started again after each step. */
static void test_restart(void **state)
{
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        STR_AUTO struct str script = STR_INIT(1000);

        for (const char *at = lives[i].script; *at;) {
            size_t len = strcspn(at, ",");

            str_addf(&script, "%s%.*s, %ld start", script.len ? ", " : "", (int)len, at,
                     strtol(at, NULL, 10));
            at += len;
            at += strspn(at, ", ");
        }
        check_life(i, str_text(&script));
    }
}

/* Copies change no real page, whatever the life. */
static void test_real_pages_are_as_without(void **state)
{
    static const char *const scripts[] = {
        "0 F1, 70 keep",        "0 F1, 70 keep, 80 ack",    "0 F1, 30 E1, 400 keep",
        "0 F1, 5 F2, 130 keep", "0 F1, 10 close, 20 F2",    "0 F1, 10 ack, 20 close, 30 F3",
        "0 F1, 90000 keep",     "0 F1, 30 start, 60 start",
    };
    static const struct looker everybody[SHADOWS_MAX + 1] = {
        {"dan", "web", "own copy"}, {"dan", "ana", "observe"}, {"ana", "bob", "own copy"}};

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        STR_AUTO struct str without = STR_INIT(4000);
        STR_AUTO struct str with = STR_INIT(4000);
        STR_AUTO struct str copies = STR_INIT(4000);

        row("%s", scripts[i]);
        begin_oncall(NULL);
        play(scripts[i]);
        print_rows(false, &without);
        end();
        begin_oncall(everybody);
        play(scripts[i]);
        print_rows(false, &with);
        print_rows(true, &copies);
        end();
        assert_string_equal(str_text(&with), str_text(&without));
        assert_true(copies.len > 0);
    }
}

/* --- two lanes to the same person --- */

static int job_claim(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct outbox_claim_options *options = arg;
    ARENA_AUTO struct arena arena;
    struct outbox_claims claims = {0};

    arena_init(&arena, 1 << 20);
    int r = outbox_db_claim(conn, options, &arena, &claims, reterr);
    if (r)
        return r;
    assert_int_equal(claims.n, options->max);
    for (size_t i = 0; i < claims.n; i++) {
        const struct page *page = &claims.pages[i];

        assert_int_equal(strcmp(page->lane, "shadow") == 0, options->shadows);
        assert_int_equal(strstr(page->incident_url, "/s/") != NULL, options->shadows);
        if (options->shadows)
            r = outbox_db_failed(conn, page->outbox_id, "HTTP 403", true, page->now_ms + 60000,
                                 page->now_ms, reterr);
        if (r)
            return r;
    }
    return 0;
}

/* ana looks over bob's shoulder and is on call herself: her copies and her own pages go by
 * each other, whatever becomes of either. */
static void test_lanes(void **state)
{
    static const struct looker ana[SHADOWS_MAX + 1] = {{"ana", "bob", "own copy"}};
    struct outbox_claim_options options = {.people = true,
                                           .shadows = true,
                                           .external_url = "http://w",
                                           .ack_key = ack_key,
                                           .now_ms = (BASE_S + 70) * (int64_t)1000,
                                           .max = 2};
    STR_AUTO struct str real = STR_INIT(2000);
    STR_AUTO struct str copies = STR_INIT(2000);
    struct err err = {0};

    begin_oncall(ana);
    play("0 F1, 70 keep");
    if (db_write(db, job_claim, &options, &err)) /* the copies are refused */
        fail_msg("%s", err.text);
    options.shadows = false;
    options.max = 3;
    if (db_write(db, job_claim, &options, &err)) /* real ones wait for none of them */
        fail_msg("%s", err.text);
    print_rows(false, &real);
    print_rows(true, &copies);
    end();
    assert_string_equal(str_text(&real),
                        "0 ana/webhook sending, 0 ana/email sending, 60 bob/webhook sending");
    assert_string_equal(str_text(&copies), "130 ana/webhook, 130 ana/email");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_real_pages_are_as_without),
        cmocka_unit_test(test_lanes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
