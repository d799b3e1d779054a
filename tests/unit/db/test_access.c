/*
 * Tokens and sessions: who is known, until when, and what a restart remembers.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/db/access_db.h"
#include "alertd/db/login_guard.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

enum {
    NOON = 1000000,
};

struct house {
    struct scratch scratch;
    struct db *db;
    struct access *access;
};

static void open_house(struct house *house)
{
    struct err err = {0};
    int r = db_open(&(struct db_options){.path = scratch_path(&house->scratch, "state.db"),
                                         .application_id = 7,
                                         .migrations = db_state_migrations,
                                         .n_migrations = db_n_state_migrations},
                    &house->db, &err);

    if (r == 0)
        r = access_open(house->db, &house->access, &err);
    if (r != 0)
        fail_msg("%s", err.text);
}

static void close_house(struct house *house)
{
    access_close(house->access);
    db_close(house->db);
}

static int setup(void **state)
{
    struct house *house = calloc(1, sizeof(*house));

    *state = house;
    if (!house || scratch_init(&house->scratch) != 0)
        return -1;
    open_house(house);
    return 0;
}

static int teardown(void **state)
{
    struct house *house = *state;

    close_house(house);
    scratch_done(&house->scratch);
    free(house);
    return 0;
}

static int64_t make(struct house *house, unsigned scopes, int64_t expires_ms, char *ret_text)
{
    struct access_token token = {.name = "ana", .scopes = scopes, .expires_ms = expires_ms};
    struct err err = {0};

    if (access_create(house->access, &token, "test", NOON, ret_text, &token, &err) != 0)
        fail_msg("%s", err.text);
    return token.id;
}

static void test_a_scope_includes_what_is_below_it(void **state)
{
    static const struct {
        unsigned given, granted;
    } rows[] = {
        {ACCESS_PUSH, ACCESS_PUSH},
        {ACCESS_READ, ACCESS_READ},
        {ACCESS_OPERATE, ACCESS_OPERATE | ACCESS_READ},
        {ACCESS_ADMIN, 15},
        {ACCESS_PUSH | ACCESS_OPERATE, ACCESS_PUSH | ACCESS_OPERATE | ACCESS_READ},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct house *house = *state;
        struct access_grant grant;
        char text[ACCESS_TOKEN_TEXT_MAX];

        row("%u", rows[i].given);
        (void)make(house, rows[i].given, 0, text);
        assert_int_equal(access_check_token(house->access, text, NOON, &grant), 0);
        assert_int_equal(grant.scopes, rows[i].granted);
        assert_string_equal(grant.name, "ana");
    }
}

static void test_texts_that_are_no_token(void **state)
{
    struct house *house = *state;
    char text[ACCESS_TOKEN_TEXT_MAX];
    char other[ACCESS_TOKEN_TEXT_MAX + 2];
    struct access_grant grant;

    (void)make(house, ACCESS_READ, 0, text);
    assert_int_equal(strncmp(text, "wb_1_", 5), 0);
    assert_int_equal(strlen(text), 5 + 43);
    static const char *const broken[] = {"",          "wb_",    "wb_1", "wb_1_",
                                         "xb_1_aaaa", "wb_-1_", "wb_0_"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_equal(access_check_token(house->access, broken[i], NOON, &grant),
                         ACCESS_E_UNKNOWN);
    for (size_t i = 0; i < strlen(text); i++) { /* any other character anywhere */
        (void)snprintf(other, sizeof(other), "%s", text);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        assert_int_equal(access_check_token(house->access, other, NOON, &grant), ACCESS_E_UNKNOWN);
    }
    (void)snprintf(other, sizeof(other), "%sA", text);
    assert_int_equal(access_check_token(house->access, other, NOON, &grant), ACCESS_E_UNKNOWN);
    (void)snprintf(other, sizeof(other), "wb_2_%s", text + 5);
    assert_int_equal(access_check_token(house->access, other, NOON, &grant), ACCESS_E_UNKNOWN);
}

static void test_expiry_and_revocation_end_a_token_and_its_sessions(void **state)
{
    struct house *house = *state;
    char text[ACCESS_TOKEN_TEXT_MAX];
    char cookie[ACCESS_COOKIE_TEXT_MAX];
    struct access_grant grant;

    (void)make(house, ACCESS_ADMIN, NOON + 1000, text);
    assert_int_equal(access_login(house->access, "p", text, NOON, cookie, NULL), 0);
    assert_int_equal(access_check_session(house->access, cookie, NOON + 999, &grant), 0);
    assert_true(access_has_admin(house->access, NOON + 999));
    assert_int_equal(access_check_session(house->access, cookie, NOON + 1000, &grant),
                     ACCESS_E_UNKNOWN);
    assert_int_equal(access_check_token(house->access, text, NOON + 1000, &grant),
                     ACCESS_E_UNKNOWN);
    assert_false(access_has_admin(house->access, NOON + 1000));

    int64_t id = make(house, ACCESS_ADMIN, 0, text);
    assert_int_equal(access_login(house->access, "p", text, NOON, cookie, NULL), 0);
    assert_int_equal(access_revoke(house->access, id, NOON, NULL), 0);
    assert_int_equal(access_check_session(house->access, cookie, NOON, &grant), ACCESS_E_UNKNOWN);
    assert_int_equal(access_check_token(house->access, text, NOON, &grant), ACCESS_E_UNKNOWN);
    assert_int_equal(access_revoke(house->access, id, NOON, NULL), ACCESS_E_UNKNOWN);
}

static void test_a_session_ends_by_silence_and_by_age(void **state)
{
    struct house *house = *state;
    char text[ACCESS_TOKEN_TEXT_MAX];
    char cookie[ACCESS_COOKIE_TEXT_MAX];
    struct access_grant grant;
    int64_t now_ms = NOON;

    (void)make(house, ACCESS_READ, 0, text);
    assert_int_equal(access_login(house->access, "p", text, now_ms, cookie, NULL), 0);
    for (; now_ms + ACCESS_IDLE_MS - 1 < NOON + ACCESS_ABSOLUTE_MS;) {
        now_ms += ACCESS_IDLE_MS - 1;
        assert_int_equal(access_check_session(house->access, cookie, now_ms, &grant), 0);
    }
    assert_int_equal(access_check_session(house->access, cookie, NOON + ACCESS_ABSOLUTE_MS, &grant),
                     ACCESS_E_UNKNOWN);

    assert_int_equal(access_login(house->access, "p", text, NOON, cookie, NULL), 0);
    assert_int_equal(access_check_session(house->access, cookie, NOON + ACCESS_IDLE_MS, &grant),
                     ACCESS_E_UNKNOWN);
}

static void test_a_restart_knows_everybody_and_when_they_came_last(void **state)
{
    struct house *house = *state;
    ARENA_AUTO struct arena arena;
    char text[ACCESS_TOKEN_TEXT_MAX];
    char gone[ACCESS_TOKEN_TEXT_MAX];
    char cookie[ACCESS_COOKIE_TEXT_MAX];
    char csrf[44];
    struct access_grant grant;
    struct access_token *tokens;
    size_t n;

    (void)make(house, ACCESS_READ, 0, text);
    assert_int_equal(access_revoke(house->access, make(house, ACCESS_READ, 0, gone), NOON, NULL),
                     0);
    assert_int_equal(access_login(house->access, "p", text, NOON, cookie, NULL), 0);
    assert_int_equal(access_check_session(house->access, cookie, NOON + 5, &grant), 0);
    (void)snprintf(csrf, sizeof(csrf), "%s", grant.csrf);
    assert_int_equal(access_flush(house->access, NOON + 5, NULL), 0);
    close_house(house);
    open_house(house);
    assert_int_equal(access_check_token(house->access, gone, NOON, &grant), ACCESS_E_UNKNOWN);
    arena_init(&arena, 100000);
    assert_int_equal(access_list(house->access, &arena, &tokens, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(tokens[0].last_used_ms, NOON + 5);
    assert_int_equal(access_check_session(house->access, cookie, NOON + 6, &grant), 0);
    assert_string_equal(grant.csrf, csrf);
    assert_int_equal(access_logout(house->access, cookie, NOON + 6, NULL), 0);
    close_house(house);
    open_house(house);
    assert_int_equal(access_check_session(house->access, cookie, NOON + 6, &grant),
                     ACCESS_E_UNKNOWN);
}

static void test_sessions_that_are_over_leave_the_table(void **state)
{
    struct house *house = *state;
    char text[ACCESS_TOKEN_TEXT_MAX];
    char cookie[ACCESS_COOKIE_TEXT_MAX];
    struct db_conn *conn;

    (void)make(house, ACCESS_READ, 0, text);
    assert_int_equal(access_login(house->access, "p", text, NOON, cookie, NULL), 0);
    assert_int_equal(access_login(house->access, "p", text, NOON + 5000, cookie, NULL), 0);
    assert_int_equal(access_flush(house->access, NOON + ACCESS_IDLE_MS + 1000, NULL), 0);
    assert_int_equal(db_read_begin(house->db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM session");
    assert_true(db_step(stmt));
    assert_int_equal(db_int(stmt, 0), 1);
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(house->db, conn);
}

static void test_one_session_too_many_ends_the_one_unused_longest(void **state)
{
    struct house *house = *state;
    char text[ACCESS_TOKEN_TEXT_MAX];
    char first[ACCESS_COOKIE_TEXT_MAX];
    char second[ACCESS_COOKIE_TEXT_MAX];
    char cookie[ACCESS_COOKIE_TEXT_MAX];
    struct access_grant grant;

    (void)make(house, ACCESS_READ, 0, text);
    assert_int_equal(access_login(house->access, "p", text, NOON, first, NULL), 0);
    assert_int_equal(access_login(house->access, "p", text, NOON + 1, second, NULL), 0);
    for (int i = 2; i < ACCESS_SESSIONS_MAX; i++)
        assert_int_equal(access_login(house->access, "p", text, NOON + i, cookie, NULL), 0);
    assert_int_equal(access_check_session(house->access, first, NOON + 5000, &grant), 0);
    assert_int_equal(access_login(house->access, "p", text, NOON + 5000, cookie, NULL), 0);
    assert_int_equal(access_check_session(house->access, first, NOON + 5000, &grant), 0);
    assert_int_equal(access_check_session(house->access, second, NOON + 5000, &grant),
                     ACCESS_E_UNKNOWN);
}

static void test_guessing(void **state)
{
    struct house *house = *state;
    char text[ACCESS_TOKEN_TEXT_MAX];
    char cookie[ACCESS_COOKIE_TEXT_MAX];
    struct access *access = house->access;

    (void)make(house, ACCESS_READ, 0, text);
    for (int i = 0; i < ACCESS_LOGIN_FAILURES; i++)
        assert_int_equal(access_login(access, "bad", "x", NOON + i, cookie, NULL),
                         ACCESS_E_UNKNOWN);
    assert_int_equal(access_login(access, "bad", text, NOON + 10, cookie, NULL),
                     ACCESS_E_SLOW_DOWN);
    assert_int_equal(access_login(access, "good", text, NOON + 10, cookie, NULL), 0);
    assert_int_equal(access_login(access, "bad", text, NOON + LOGIN_GUARD_WINDOW_MS, cookie, NULL),
                     0);
}

static void test_a_flood_of_peers_pushes_out_the_oldest_only(void **state)
{
    static struct login_guard guard;
    char peer[20];

    for (int i = 0; i < ACCESS_LOGIN_FAILURES; i++)
        login_guard_failed(&guard, "late", NOON + 500);
    for (int i = 0; i < LOGIN_GUARD_PEERS - 1; i++) {
        (void)snprintf(peer, sizeof(peer), "p%d", i);
        login_guard_failed(&guard, peer, NOON + i % 400);
    }
    login_guard_failed(&guard, "one more", NOON + 600);
    assert_true(login_guard_is_shut(&guard, "late", NOON + 600));
    assert_false(login_guard_is_shut(&guard, "one more", NOON + 600));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_scope_includes_what_is_below_it),
        TEST(test_texts_that_are_no_token),
        TEST(test_expiry_and_revocation_end_a_token_and_its_sessions),
        TEST(test_a_session_ends_by_silence_and_by_age),
        TEST(test_a_restart_knows_everybody_and_when_they_came_last),
        TEST(test_sessions_that_are_over_leave_the_table),
        TEST(test_one_session_too_many_ends_the_one_unused_longest),
        TEST(test_guessing),
        cmocka_unit_test(test_a_flood_of_peers_pushes_out_the_oldest_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
