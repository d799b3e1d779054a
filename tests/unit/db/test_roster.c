/*
 * The roster's rows: revisions that do not overwrite each other, names and references that
 * hold, what is loaded again, and links that are only known to who has them.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/db/contact_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/roster_db.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

enum {
    BYTES_MAX = 16 * 1024 * 1024
};

static const int64_t t0_ms = 1767225600000; /* 2026-01-01 */
static struct db *db;

static int job_put(struct db_conn *conn, void *arg, struct err *reterr)
{
    return roster_db_put(conn, arg, reterr);
}

static int job_delete(struct db_conn *conn, void *arg, struct err *reterr)
{
    return roster_db_delete(conn, arg, reterr);
}

static int put(struct roster_put *what, struct err *err)
{
    what->by = what->by ? what->by : "ana";
    what->now_ms = what->now_ms ? what->now_ms : t0_ms;
    *err = (struct err){0};
    return db_write(db, job_put, what, err);
}

static int put_person(const char *name, const char *old_name, int64_t base, struct err *err)
{
    const struct contact contacts[] = {{"email", "ana@example.org"}};
    const struct person person = {.name = name, .contacts = contacts, .n_contacts = 1};

    return put(&(struct roster_put){.value = {.kind = ROSTER_PERSON, .person = &person},
                                    .name = old_name,
                                    .base_revision = base},
               err);
}

static int put_schedule(const char *name, const char *who, struct err *err)
{
    struct zone *utc = NULL;
    const char *people[] = {who};
    const struct layer layer = {
        .name = "turns",
        .from_ms = ROSTER_ALWAYS,
        .until_ms = ROSTER_FOREVER,
        .rotation = {.unit = ROTATION_DAYS,
                     .every = 1,
                     .anchor = {.year = 2026, .month = 1, .day = 1},
                     .people = people,
                     .n_people = 1},
    };

    assert_true(zone_open("UTC", &utc, NULL) == 0);
    const struct schedule schedule = {.name = name, .zone = utc, .layers = &layer, .n_layers = 1};
    int r = put(&(struct roster_put){.value = {.kind = ROSTER_SCHEDULE, .schedule = &schedule}},
                err);

    zone_free(utc);
    return r;
}

static int put_override(
    const char *schedule, const char *who, int64_t from_ms, char *ret_id, struct err *err)
{
    const struct override override = {.id = "x",
                                      .kind = OVERRIDE_ADD,
                                      .person = who,
                                      .from_ms = from_ms,
                                      .to_ms = from_ms + 1000};
    struct roster_put what = {
        .value = {.kind = ROSTER_OVERRIDE, .override = &override, .owner = schedule}};
    int r = put(&what, err);

    (void)snprintf(ret_id, ROSTER_DB_ID_MAX, "%s", what.id);
    return r;
}

static int drop(enum roster_kind kind, const char *name, int64_t base, struct err *err)
{
    struct roster_delete what = {
        .kind = kind, .name = name, .base_revision = base, .by = "bob", .now_ms = t0_ms};

    *err = (struct err){0};
    return db_write(db, job_delete, &what, err);
}

static int64_t revision(void)
{
    struct db_conn *conn = NULL;
    int64_t now = -1;

    assert_true(db_read_begin(db, &conn, NULL) == 0);
    assert_true(roster_db_revision(conn, &now, NULL) == 0);
    db_read_end(db, conn);
    return now;
}

static void check_revisions(void)
{
    struct err err;
    int64_t before = revision();

    assert_true(put_person("ana", NULL, 0, &err) == 0);
    assert_true(put_person("ana", NULL, 0, &err) == ROSTER_DB_E_EXISTS);
    assert_true(revision() == before + 1);
    assert_true(put_person("ana", "ana", 1, &err) == 0);
    assert_true(put_person("ana", "ana", 1, &err) == ROSTER_DB_E_STALE);
    assert_true(strstr(err.text, "ana made revision 2"));
    assert_true(put_person("ana", "ana", 0, &err) == 0); /* whatever it is */
    assert_true(put_person("anna", "ana", 3, &err) == ROSTER_DB_E_REFERENCE);
    assert_true(put_person("eve", "eve", 0, &err) == ROSTER_DB_E_NOT_FOUND);
    assert_true(revision() == before + 3);
    assert_true(drop(ROSTER_PERSON, "ana", 2, &err) == ROSTER_DB_E_STALE);
}

static void check_references(void)
{
    char id[ROSTER_DB_ID_MAX];
    char later_id[ROSTER_DB_ID_MAX];
    struct err err;

    assert_true(put_person("bob", NULL, 0, &err) == 0);
    assert_true(put_schedule("web", "nobody", &err) == ROSTER_DB_E_REFERENCE);
    assert_true(strcmp(err.text, "layers[0].rotation.people[0]: there is no person 'nobody'") == 0);
    assert_true(put_schedule("web", "ana", &err) == 0);
    assert_true(put_override("db", "ana", t0_ms, id, &err) == ROSTER_DB_E_REFERENCE);
    assert_true(put_override("web", "bob", t0_ms - 5000, id, &err) == 0);
    assert_true(put_override("web", "bob", t0_ms + 5000, later_id, &err) == 0);
    assert_true(strcmp(id, later_id) != 0);
    assert_true(drop(ROSTER_PERSON, "ana", 0, &err) == ROSTER_DB_E_IN_USE);
    assert_true(strstr(err.text, "needed by schedule 'web'"));
    assert_true(drop(ROSTER_PERSON, "bob", 0, &err) == ROSTER_DB_E_IN_USE);
    assert_true(drop(ROSTER_OVERRIDE, later_id, 0, &err) == 0);
    assert_true(drop(ROSTER_PERSON, "bob", 0, &err) == 0); /* the other one is over */
}

static void check_load(void)
{
    struct zones zones = {0};
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct roster roster;
    struct err err = {0};

    arena_init(&arena, BYTES_MAX);
    assert_true(db_read_begin(db, &conn, NULL) == 0);
    assert_true(roster_db_load(conn, &zones, &arena, &roster, &err) == 0);
    db_read_end(db, conn);
    assert_true(err.text[0] == '\0');
    assert_true(roster.n_people == 1 && roster.n_schedules == 1);
    const struct schedule *web = roster_schedule(&roster, "web");

    if (!web) {
        fail_msg("there is no web");
        return;
    }
    assert_true(web->n_layers == 1 && web->n_overrides == 1);
    assert_true(strcmp(web->overrides[0].person, "bob") == 0);
    zones_done(&zones);
}

/* Every limit of memory ends in words, never in half a roster. */
static void check_load_in_any_room(void)
{
    struct db_conn *conn = NULL;
    bool fitted = false;

    assert_true(db_read_begin(db, &conn, NULL) == 0);
    for (size_t limit = 0; !fitted; limit += 64) {
        struct zones zones = {0};
        struct arena arena;
        struct roster roster = {0};
        struct err err = {0};

        arena_init(&arena, limit);
        int r = roster_db_load(conn, &zones, &arena, &roster, &err);

        assert_true(r == 0 || (r == ROSTER_DB_E_LIMIT && err.text[0] && !roster.people));
        fitted = r == 0 && roster.n_schedules == 1 && !err.text[0];
        arena_reset(&arena);
        zones_done(&zones);
        assert_true(limit < BYTES_MAX);
    }
    db_read_end(db, conn);
}

static int job_rewrite_history(struct db_conn *conn, void *arg, struct err *reterr)
{
    return db_run(db_prepare(conn, "UPDATE roster_change SET by = 'nobody'"), reterr);
}

static void check_history(void)
{
    struct db_conn *conn = NULL;
    int64_t n_events = 0;
    struct err err = {0};

    assert_true(db_write(db, job_rewrite_history, NULL, &err) != 0);
    assert_true(db_read_begin(db, &conn, NULL) == 0);
    assert_true(event_db_verify(conn, &n_events, &err) == 0);
    db_read_end(db, conn);
    assert_true(n_events == revision()); /* each change is an event */
}

static char secret[ROSTER_SECRET_MAX];
static char token[CONTACT_TOKEN_MAX];

static int job_ical(struct db_conn *conn, void *arg, struct err *reterr)
{
    return roster_db_make_ical(conn, "web", "ana", t0_ms, secret, reterr);
}

static int find_ical(const char *text)
{
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    const char *name = NULL;

    arena_init(&arena, BYTES_MAX);
    assert_true(db_read_begin(db, &conn, NULL) == 0);
    int r = roster_db_find_ical(conn, text, &arena, &name, NULL);

    db_read_end(db, conn);
    assert_true(r || strcmp(name, "web") == 0);
    return r;
}

static void check_calendar_link(void)
{
    char old[ROSTER_SECRET_MAX];
    struct err err = {0};

    assert_true(db_write(db, job_ical, NULL, &err) == 0);
    assert_true(find_ical(secret) == 0);
    memcpy(old, secret, sizeof(old));
    assert_true(db_write(db, job_ical, NULL, &err) == 0);
    assert_true(find_ical(secret) == 0);
    assert_true(find_ical(old) == ROSTER_DB_E_NOT_FOUND);
    assert_true(find_ical("") == ROSTER_DB_E_NOT_FOUND);
    assert_true(find_ical("short") == ROSTER_DB_E_NOT_FOUND);
}

static int job_begin(struct db_conn *conn, void *arg, struct err *reterr)
{
    return contact_db_begin(conn, arg, token, reterr);
}

static int job_confirm(struct db_conn *conn, void *arg, struct err *reterr)
{
    const int64_t *at_ms = arg;

    return contact_db_confirm(conn, token, *at_ms, reterr);
}

static struct contact_state state_of(const char *address, struct arena *arena)
{
    struct contact_state state;
    struct db_conn *conn = NULL;

    assert_true(db_read_begin(db, &conn, NULL) == 0);
    assert_true(contact_db_state(conn, "ana", "email", address, arena, &state, NULL) == 0);
    db_read_end(db, conn);
    return state;
}

static void check_contact_link(void)
{
    struct contact_check check = {
        .person = "ana", .method = "email", .address = "a@b.c", .by = "bob", .made_ms = t0_ms};
    int64_t late_ms = t0_ms + 8 * 24 * 3600 * 1000LL;
    int64_t soon_ms = t0_ms + 60000;
    int64_t again_ms = t0_ms + 90000;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, BYTES_MAX);
    assert_true(db_write(db, job_begin, &check, &err) == 0);
    assert_true(db_write(db, job_confirm, &late_ms, &err) == CONTACT_DB_E_NOT_FOUND);
    assert_true(state_of("a@b.c", &arena).confirmed_ms == 0);
    assert_true(db_write(db, job_confirm, &soon_ms, &err) == 0);
    assert_true(db_write(db, job_confirm, &again_ms, &err) == 0);
    check.made_ms = t0_ms + 1; /* a newer test that nobody confirmed takes nothing away */
    assert_true(db_write(db, job_begin, &check, &err) == 0);
    assert_true(state_of("a@b.c", &arena).confirmed_ms == soon_ms);
    assert_true(state_of("a@b.c", &arena).tested_ms == t0_ms + 1);
    assert_true(state_of("other@b.c", &arena).confirmed_ms == 0);
    for (int i = 2; i < CONTACT_TESTS_MAX; i++)
        assert_true(db_write(db, job_begin, &check, &err) == 0);
    assert_true(db_write(db, job_begin, &check, &err) == CONTACT_DB_E_LIMIT);
}

static void test_the_roster(void **state)
{
    struct scratch scratch;
    struct err err = {0};

    assert_int_equal(scratch_init(&scratch), 0);
    const struct db_options options = {
        .path = scratch_path(&scratch, "state.db"),
        .application_id = DB_STATE_APPLICATION_ID,
        .migrations = db_state_migrations,
        .n_migrations = db_n_state_migrations,
    };

    if (db_open(&options, &db, &err))
        fail_msg("%s", err.text);
    check_revisions();
    check_references();
    check_load();
    check_load_in_any_room();
    check_history();
    check_calendar_link();
    check_contact_link();
    db_close(db);
    scratch_done(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_roster)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
