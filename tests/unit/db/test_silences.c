/*
 * Silences as rows: what is refused, when an id stays, what ends by itself, what the log says.
 */

#include <string.h>

#include "alertd/db/alert_db.h"
#include "alertd/db/incident_db.h"
#include "alertd/db/silence_db.h"
#include "alertd/route/window.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

enum {
    MINUTE = 60 * 1000,
    HOUR = 60 * MINUTE,
    NOON = 1000 * 1000 * 1000,
};

struct house {
    struct scratch scratch;
    struct db *db;
    struct matcher db1, any, team;
};

static int setup(void **state)
{
    struct house *house = calloc(1, sizeof(*house));
    struct err err = {0};

    *state = house;
    if (!house || scratch_init(&house->scratch) != 0 ||
        matcher_init(&house->db1, MATCHER_EQUAL, "instance", "db1", &err) ||
        matcher_init(&house->any, MATCHER_REGEX, "instance", ".*", &err) ||
        matcher_init(&house->team, MATCHER_NOT_REGEX, "team", "web|api", &err))
        return -1;
    return db_open(&(struct db_options){.path = scratch_path(&house->scratch, "state.db"),
                                        .application_id = 7,
                                        .migrations = db_state_migrations,
                                        .n_migrations = db_n_state_migrations},
                   &house->db, &err);
}

static int teardown(void **state)
{
    struct house *house = *state;

    db_close(house->db);
    matcher_done(&house->db1);
    matcher_done(&house->any);
    matcher_done(&house->team);
    scratch_done(&house->scratch);
    free(house);
    return 0;
}

/* --- jobs --- */

struct step {
    struct silence_wish wish;
    const char *id;
    int64_t at_ms, ends_ms;
    bool fires; /* db1 */
    bool changed;
    char made[SILENCE_ID_TEXT];
};

static int job_set(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct step *step = arg;

    return silence_db_set(conn, &step->wish, step->made, reterr);
}

static int job_expire(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;

    return silence_db_expire(conn, step->id, "ana", step->at_ms, reterr);
}

static int job_extend(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct step *step = arg;

    return silence_db_extend(conn, step->id, step->ends_ms, "ana", step->at_ms, reterr);
}

/* db1's alert as it is said to be, then a sweep. */
static int job_sweep(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct label pair = {"instance", "db1"};
    const struct labels *labels = labels_new(&pair, 1);
    struct step *step = arg;
    const struct alert_db_external alert = {.labels = labels,
                                            .annotations = labels_empty(),
                                            .source = "alertmanager",
                                            .generator_url = "",
                                            .starts_ms = NOON,
                                            .ends_ms = step->fires ? NOON + 100 * HOUR
                                                                   : step->at_ms,
                                            .is_firing = step->fires,
                                            .now_ms = step->at_ms};
    int r = alert_db_put_external(conn, &alert, reterr);

    labels_unref(labels);
    return r ? r : silence_db_sweep(conn, step->at_ms, &step->changed, reterr);
}

static int run(struct house *house, db_job *job, struct step *step)
{
    struct err err = {0};

    return db_write(house->db, job, step, &err);
}

static struct silence_wish wish_of(const struct matcher *matcher, int64_t from_ms, int64_t to_ms)
{
    return (struct silence_wish){.matchers = matcher,
                                 .n_matchers = 1,
                                 .starts_at_ms = from_ms,
                                 .ends_at_ms = to_ms,
                                 .created_by = "ana",
                                 .comment = "disk swap",
                                 .actor = "ana",
                                 .now_ms = NOON};
}

static struct silence_row get(struct house *house, const char *id, struct arena *arena)
{
    struct silence_row row = {0};
    struct db_conn *conn = NULL;
    struct err err = {0};

    assert_int_equal(0, db_read_begin(house->db, &conn, &err));
    if (silence_db_get(conn, id, arena, &row, &err) != 0)
        fail_msg("%s", err.text);
    db_read_end(house->db, conn);
    return row;
}

static size_t count_standing(struct house *house, int64_t now_ms)
{
    struct silence *rows = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, 1 << 20);
    assert_int_equal(0, db_read_begin(house->db, &conn, &err));
    assert_int_equal(0, silence_db_load(conn, now_ms, &arena, &rows, &n, &err));
    db_read_end(house->db, conn);
    return n;
}

/* --- tests --- */

static void test_what_is_refused(void **state)
{
    struct house *house = *state;
    const struct {
        const char *name;
        struct silence_wish wish;
        int result;
    } rows[] = {
        {"ends as it starts", wish_of(&house->db1, NOON, NOON), SILENCE_DB_E_INVALID},
        {"ends before it starts", wish_of(&house->db1, NOON + HOUR, NOON + 1),
         SILENCE_DB_E_INVALID},
        {"is over already", wish_of(&house->db1, NOON - HOUR, NOON - 1), SILENCE_DB_E_INVALID},
        {"mutes everything", wish_of(&house->any, NOON, NOON + HOUR), SILENCE_DB_E_INVALID},
        {"what most alerts have not", wish_of(&house->team, NOON, NOON + HOUR),
         SILENCE_DB_E_INVALID},
        {"fine", wish_of(&house->db1, NOON, NOON + HOUR), 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct step step = {.wish = rows[i].wish};
        int r = run(house, job_set, &step);

        if (r != rows[i].result)
            fail_msg("%s: %d", rows[i].name, r);
    }

    struct step none = {.wish = wish_of(&house->db1, NOON, NOON + HOUR)};
    none.wish.n_matchers = 0;
    assert_int_equal(SILENCE_DB_E_INVALID, run(house, job_set, &none));
    none.wish = wish_of(&house->db1, NOON, NOON + HOUR);
    none.wish.id = "11111111-2222-3333-4444-555555555555";
    assert_int_equal(SILENCE_DB_E_NOT_FOUND, run(house, job_set, &none));
}

static void test_the_past_is_not_rewritten(void **state)
{
    struct house *house = *state;
    struct step made = {.wish = wish_of(&house->db1, NOON - HOUR, NOON + HOUR)};
    struct step longer = {.wish = wish_of(&house->db1, NOON, NOON + 2 * HOUR)};
    struct step other = {.wish = wish_of(&house->team, NOON, NOON + 2 * HOUR)};
    struct matcher both[2] = {house->db1, house->team};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1 << 20);
    assert_int_equal(0, run(house, job_set, &made));
    assert_int_equal(NOON, get(house, made.made, &arena).silence.starts_at_ms);

    longer.wish.id = made.made;
    longer.wish.now_ms = NOON + MINUTE;
    assert_int_equal(0, run(house, job_set, &longer));
    assert_string_equal(made.made, longer.made);
    assert_int_equal(NOON + 2 * HOUR, get(house, made.made, &arena).silence.ends_at_ms);

    other.wish.id = made.made;
    other.wish.matchers = both;
    other.wish.n_matchers = 2;
    other.wish.now_ms = NOON + 2 * MINUTE;
    assert_int_equal(0, run(house, job_set, &other));
    assert_string_not_equal(made.made, other.made);
    assert_int_equal(NOON + 2 * MINUTE, get(house, made.made, &arena).silence.ends_at_ms);
    assert_int_equal(2, get(house, other.made, &arena).n_matchers);
    assert_int_equal(1, count_standing(house, NOON + 3 * MINUTE));
}

static void test_expired_is_expired(void **state)
{
    struct house *house = *state;
    struct step made = {.wish = wish_of(&house->db1, NOON + HOUR, NOON + 2 * HOUR)};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1 << 20);
    assert_int_equal(0, run(house, job_set, &made));
    assert_int_equal(1, count_standing(house, NOON));

    struct step step = {.id = made.made, .at_ms = NOON + 1, .ends_ms = NOON + 3 * HOUR};
    assert_int_equal(0, run(house, job_extend, &step));
    assert_int_equal(NOON + 3 * HOUR, get(house, made.made, &arena).silence.ends_at_ms);
    assert_int_equal(0, run(house, job_expire, &step));
    assert_int_equal(0, count_standing(house, NOON + 2));
    step.at_ms = NOON + 2;
    assert_int_equal(SILENCE_DB_E_EXPIRED, run(house, job_expire, &step));
    assert_int_equal(SILENCE_DB_E_EXPIRED, run(house, job_extend, &step));
    step.id = "nobody";
    assert_int_equal(SILENCE_DB_E_NOT_FOUND, run(house, job_expire, &step));
}

static void test_until_resolved(void **state)
{
    struct house *house = *state;
    static const struct {
        int minute;
        bool fires, changed, stands;
    } life[] = {
        {1, false, false, true},  /* nothing of it has fired yet: it waits */
        {30, true, false, true},  /* */
        {40, false, false, true}, /* a gap, how long is not known: no sweep saw it fire later */
        {41, true, false, true},  /* it flaps */
        {43, false, false, true}, /* less than five minutes */
        {47, false, true, false}, /* over */
    };
    struct step made = {.wish = wish_of(&house->db1, NOON, NOON + 10 * HOUR)};

    made.wish.until_resolved = true;
    assert_int_equal(0, run(house, job_set, &made));
    for (size_t i = 0; i < sizeof(life) / sizeof(life[0]); i++) {
        struct step step = {.at_ms = NOON + life[i].minute * MINUTE, .fires = life[i].fires};

        if (i == 2) /* swept meanwhile, as it is every few seconds */
            assert_int_equal(0, run(house, job_sweep,
                                    &(struct step){.at_ms = step.at_ms - MINUTE, .fires = true}));
        assert_int_equal(0, run(house, job_sweep, &step));
        if (step.changed != life[i].changed ||
            (count_standing(house, step.at_ms) == 1) != life[i].stands)
            fail_msg("minute %d", life[i].minute);
    }
}

/* NOON is a Monday's 13:46:40 in UTC. */
static void test_windows(void **state)
{
    struct house *house = *state;
    struct step made = {.wish = wish_of(&house->db1, NOON, SILENCE_NO_END_MS)};
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};
    struct route_interval weekly, daily, past;

    arena_init(&arena, 1 << 20);
    assert_int_equal(0, route_window_parse("mon 14:00-15:00", &arena, &zones, &weekly, NULL));
    assert_int_equal(0, route_window_parse("14:00-15:00", &arena, &zones, &daily, NULL));
    assert_int_equal(0, route_window_parse("years=1969", &arena, &zones, &past, NULL));
    made.wish.window = &past;
    assert_int_equal(SILENCE_DB_E_INVALID, run(house, job_set, &made));
    made.wish.window = &weekly;
    assert_int_equal(0, run(house, job_set, &made));

    row("it is kept, and mutes within its times only");
    struct silence_row kept = get(house, made.made, &arena);
    assert_int_equal(SILENCE_PENDING, silence_state(&kept.silence, NOON));
    assert_int_equal(SILENCE_ACTIVE, silence_state(&kept.silence, NOON + 30 * MINUTE));
    assert_int_equal(SILENCE_PENDING, silence_state(&kept.silence, NOON + 24 * HOUR));
    assert_int_equal(SILENCE_ACTIVE, silence_state(&kept.silence, NOON + (7 * 24 + 1) * HOUR));

    row("who changes it names what was seen; two changes of one millisecond differ");
    struct step again = {.wish = made.wish};
    again.wish.id = made.made;
    again.wish.comment = "longer";
    again.wish.base_revision = kept.updated_ms - 1;
    assert_int_equal(SILENCE_DB_E_STALE, run(house, job_set, &again));
    again.wish.base_revision = kept.updated_ms;
    assert_int_equal(0, run(house, job_set, &again));
    assert_string_equal(made.made, again.made);
    assert_int_equal(kept.updated_ms + 1, get(house, made.made, &arena).updated_ms);
    assert_int_equal(SILENCE_DB_E_STALE, run(house, job_set, &again));

    row("who knows of no windows keeps it; other times are another silence");
    again.wish.base_revision = 0;
    again.wish.window = NULL;
    again.wish.keeps_window = true;
    again.wish.now_ms = NOON + HOUR;
    assert_int_equal(0, run(house, job_set, &again));
    assert_string_equal(made.made, again.made);
    assert_string_equal(kept.window, get(house, made.made, &arena).window);
    again.wish.window = &daily;
    assert_int_equal(0, run(house, job_set, &again));
    assert_string_not_equal(made.made, again.made);
    assert_int_equal(1, count_standing(house, NOON + HOUR + 1));

    row("what has no end has none to move");
    struct step step = {.id = again.made, .at_ms = NOON + HOUR, .ends_ms = NOON + 3 * HOUR};
    assert_int_equal(SILENCE_DB_E_INVALID, run(house, job_extend, &step));
    assert_int_equal(0, run(house, job_expire, &step));
    assert_int_equal(0, count_standing(house, NOON + HOUR + 1));
    zones_done(&zones);
}

static int job_lose_zone(struct db_conn *conn, void *arg, struct err *reterr)
{
    (void)arg;
    return db_run(
        db_prepare(conn, "UPDATE silence SET window = replace(window, 'UTC', 'Mars/Base')"),
        reterr);
}

static void test_a_time_zone_that_is_gone(void **state)
{
    struct house *house = *state;
    struct step made = {.wish = wish_of(&house->db1, NOON, NOON + 48 * HOUR)};
    ARENA_AUTO struct arena arena;
    struct zones zones = {0};
    struct route_interval always;
    struct silence_row kept;

    arena_init(&arena, 1 << 20);
    assert_int_equal(0, route_window_parse("sun-sat", &arena, &zones, &always, NULL));
    made.wish.window = &always;
    assert_int_equal(0, run(house, job_set, &made));
    kept = get(house, made.made, &arena);
    assert_int_equal(SILENCE_ACTIVE, silence_state(&kept.silence, NOON + HOUR));
    assert_int_equal(0, run(house, job_lose_zone, &made));
    row("it stops nothing else from being read, and mutes nothing");
    assert_int_equal(1, count_standing(house, NOON + HOUR));
    kept = get(house, made.made, &arena);
    assert_int_equal(SILENCE_PENDING, silence_state(&kept.silence, NOON + HOUR));
    zones_done(&zones);
}

static int count_events(struct db_conn *conn, const char *kind)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM event WHERE kind = ?1");

    db_bind_text(stmt, 1, kind);
    int n = db_step(stmt) ? (int)db_int(stmt, 0) : -1;
    assert_int_equal(0, db_done(stmt, NULL));
    return n;
}

static void test_the_log_tells_of_every_change_once(void **state)
{
    struct house *house = *state;
    struct step made = {.wish = wish_of(&house->db1, NOON, NOON + HOUR)};
    struct db_conn *conn = NULL;

    assert_int_equal(0, run(house, job_set, &made));
    for (int i = 0; i < 3; i++)
        assert_int_equal(0, run(house, job_sweep, &(struct step){.at_ms = NOON + HOUR + i}));
    assert_int_equal(0, db_read_begin(house->db, &conn, NULL));
    assert_int_equal(1, count_events(conn, "silence.created"));
    assert_int_equal(1, count_events(conn, "silence.expired"));
    assert_int_equal(0, event_db_verify(conn, NULL, NULL));
    db_read_end(house->db, conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_past_is_not_rewritten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expired_is_expired, setup, teardown),
        cmocka_unit_test_setup_teardown(test_until_resolved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_time_zone_that_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_log_tells_of_every_change_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
