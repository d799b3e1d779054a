/*
 * Letters: each is owed once, sent until somebody took it or a day is over, and a message keeps
 * its name over attempts and starts.
 */

#include "alertd/db/db.h"
#include "alertd/db/letter_db.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

static const struct letter_to mail = {"team", "email", 0};
static const struct letter_to ntfy = {"team", "ntfy", 0};
static struct scratch scratch;
static struct db *db;

struct step {
    const char *topic, *about, *round, *error;
    const struct letter_to *to;
    struct letter_claim claim;
    int64_t now_ms, retry_at_ms;
    bool given_up;
};

static int set_up(void **state)
{
    if (scratch_init(&scratch))
        return -1;
    return db_open(&(struct db_options){.path = scratch_path(&scratch, "state.db"),
                                        .migrations = db_state_migrations,
                                        .n_migrations = db_n_state_migrations},
                   &db, NULL);
}

static int tear_down(void **state)
{
    db_close(db);
    scratch_done(&scratch);
    return 0;
}

static int run_owe(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;

    return letter_db_owe(conn, step->topic, step->about, step->round, step->to, step->now_ms,
                         reterr);
}

static int run_claim(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step *step = arg;

    return letter_db_claim(conn, step->topic, step->to, step->now_ms, &step->claim, reterr);
}

static int run_sent(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;

    return letter_db_sent(conn, step->claim.id, step->now_ms, reterr);
}

static int run_failed(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step *step = arg;

    return letter_db_failed(conn, step->claim.id, step->error, step->retry_at_ms, &step->given_up,
                            reterr);
}

static int run_recover(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;

    return letter_db_recover(conn, step->now_ms, reterr);
}

static void job(db_job *run, struct step *step)
{
    struct err err = {0};

    if (db_write(db, run, step, &err))
        fail_msg("%s", err.text);
}

static void test_once(void **state)
{
    struct step week = {
        .topic = "report", .about = "2026-W47", .round = "", .to = &mail, .now_ms = 1000};
    struct step other = week;

    row("owed twice is owed once; to each address and of each topic by itself");
    job(run_owe, &week);
    job(run_owe, &week);
    other.to = &ntfy;
    job(run_claim, &other);
    assert_false(other.claim.found);
    assert_true(other.claim.next_due_ms == INT64_MAX);
    other = week;
    other.topic = "remind";
    job(run_claim, &other);
    assert_false(other.claim.found);

    row("claimed once, sent, never owed again");
    job(run_claim, &week);
    assert_true(week.claim.found);
    assert_string_equal(week.claim.about, "2026-W47");
    assert_int_equal(week.claim.owed_ms, 1000);
    other = week;
    job(run_claim, &other);
    assert_false(other.claim.found);
    job(run_sent, &week);
    job(run_owe, &week);
    job(run_recover, &week);
    job(run_claim, &other);
    assert_false(other.claim.found);

    row("another round of the same is another letter");
    other.round = "2026-11-27";
    job(run_owe, &other);
    job(run_claim, &other);
    assert_true(other.claim.found);
    assert_string_not_equal(other.claim.key, week.claim.key);
}

static void test_again(void **state)
{
    struct step step = {
        .topic = "remind", .about = "7", .round = "2026-11-27", .to = &mail, .now_ms = 5000};
    char key[LETTER_KEY_MAX];

    job(run_owe, &step);
    job(run_claim, &step);
    assert_int_equal(step.claim.attempts, 0);
    (void)snprintf(key, sizeof(key), "%s", step.claim.key);

    row("a failure is tried again at its time, under the same name");
    step.error = "refused";
    step.retry_at_ms = 9000;
    job(run_failed, &step);
    assert_false(step.given_up);
    step.now_ms = 8999;
    job(run_claim, &step);
    assert_false(step.claim.found);
    assert_int_equal(step.claim.next_due_ms, 9000);
    step.now_ms = 9000;
    job(run_claim, &step);
    assert_true(step.claim.found);
    assert_int_equal(step.claim.attempts, 1);
    assert_string_equal(step.claim.key, key);

    row("a start finds it on its way: it goes again");
    job(run_recover, &step);
    job(run_claim, &step);
    assert_true(step.claim.found);
    assert_string_equal(step.claim.key, key);

    row("a day after it was owed it is given up");
    step.retry_at_ms = 5000 + 24 * 3600 * 1000 + 1;
    job(run_failed, &step);
    assert_true(step.given_up);
    step.now_ms = INT64_MAX / 2;
    job(run_claim, &step);
    assert_false(step.claim.found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
