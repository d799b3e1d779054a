/*
 * Bodies in, answers out: what is stored, what is refused and in which words, and who
 * pushed it.
 */

#include "alertd/ingest/ingest.h"
#include "lib/wire/remote_write_encode.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

enum {
    VALUE_MAX = 1024,
    LABELS_MAX = 64,
};

struct desk {
    struct fixture fixture;
    struct ingest *ingest;
};

static void desk_init(struct desk *desk)
{
    fixture_init(&desk->fixture, INT64_C(15) * 86400000);
    desk->ingest = ingest_new(desk->fixture.store, NULL);
}

static void desk_done(struct desk *desk)
{
    ingest_free(desk->ingest);
    fixture_done(&desk->fixture);
}

static int push_text(struct desk *desk,
                     const char *text,
                     struct ingest_answer *answer,
                     struct err *err)
{
    const struct ingest_body body = {.format = INGEST_TEXT,
                                     .bytes = text,
                                     .len = strlen(text),
                                     .now_ms = NOON,
                                     .default_t_ms = NOON + 1};

    *err = (struct err){0};
    return ingest_push(desk->ingest, &body, answer, err);
}

static void test_text(void **state)
{
    struct ingest_answer answer;
    struct desk desk;
    struct err err;

    desk_init(&desk);
    assert_int_equal(
        push_text(&desk, "m{i=\"1\",job=\"test\"} 5\nm{job=\"test\",i=\"1\"} 6 1700049600000\n",
                  &answer, &err),
        0);
    assert_int_equal(answer.outcome.stored, 2);
    assert_int_equal(answer.n_refused, 0);
    assert_string_equal(answer.partial, "");
    expect(&desk.fixture, 1, -10, 10, "6@0 5@1");
    assert_int_equal(push_text(&desk, "m 1\nm{ 2\n", &answer, &err), INGEST_E_MALFORMED);
    assert_non_null(strstr(err.text, "line 2, column 4"));
    desk_done(&desk);
}

static void test_part_of_a_body_is_refused_in_words(void **state)
{
    STR_AUTO struct str text = STR_INIT(10000);
    struct ingest_answer answer;
    struct desk desk;
    struct err err;

    desk_init(&desk);
    str_add(&text, "m{i=\"1\",job=\"test\"} 1\nm{i=\"1\",job=\"test\"} 1 1\nm{i=\"2\",x=\"");
    for (int i = 0; i < VALUE_MAX + 1; i++)
        str_addc(&text, 'x');
    str_add(&text, "\"} 1\nm{");
    for (int i = 0; i < LABELS_MAX; i++)
        str_addf(&text, "l%d=\"1\",", i);
    str_add(&text, "} 1\n");
    assert_int_equal(push_text(&desk, str_text(&text), &answer, &err), 0);
    assert_int_equal(answer.outcome.stored, 1);
    assert_int_equal(answer.n_refused, 3);
    row("%s", answer.partial);
    assert_non_null(strstr(answer.partial,
                           "3 of 4 samples refused (1 too old, 2 invalid), the others are "
                           "stored; first: "));
    assert_non_null(strstr(answer.partial, "label \"x\" has a value of 1025 bytes, 1024 at most "
                                           "(--limit.label-value-bytes): m{i=\"2\", x=\"xxx"));
    desk_done(&desk);
}

/* Each limit by its flag, each refusal by its reason. */
static void test_limits_are_told_one_by_one(void **state)
{
    static const struct {
        const char *text, *flag, *series;
        enum ingest_refusal refusal;
    } rows[] = {
        {"m{a=\"1\",b=\"2\",c=\"3\"} 1\n", "--limit.labels-per-series",
         "m{a=\"1\", b=\"2\", c=", INGEST_TOO_MANY_LABELS},
        {"m{abcdefghi=\"1\"} 1\n", "--limit.label-name-bytes", "m{abcdefghi=\"1\"}",
         INGEST_LONG_NAME},
        {"m{a=\"123456\"} 1\n", "--limit.label-value-bytes", "m{a=\"123456\"}", INGEST_LONG_VALUE},
    };
    struct ingest_answer answer;
    struct ingest_stats stats;
    struct desk desk;
    struct err err;

    desk_init(&desk);
    ingest_free(desk.ingest);
    desk.ingest = ingest_new(desk.fixture.store,
                             &(struct ingest_limits){3, 8, 5, 4, 200}); /* __name__ is a name */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str text = STR_INIT(200);

        str_addf(&text, "good 1\n%s", rows[i].text);
        assert_int_equal(push_text(&desk, str_text(&text), &answer, &err), 0);
        row("%s", answer.partial);
        assert_int_equal(answer.n_refused, 1);
        assert_non_null(strstr(answer.partial, rows[i].flag));
        assert_non_null(strstr(answer.partial, rows[i].series));
        ingest_stats(desk.ingest, &stats);
        assert_int_equal(stats.samples_refused[rows[i].refusal], 1);
    }
    assert_int_equal(push_text(&desk, "a 1\nb 1\nc 1\nd 1\ne 1\n", &answer, &err),
                     INGEST_E_TOO_LARGE);
    assert_non_null(strstr(err.text, "--limit.samples-per-body"));
    STR_AUTO struct str long_text = STR_INIT(400);
    for (int i = 0; i < 201; i++)
        str_addc(&long_text, '#');
    assert_int_equal(push_text(&desk, str_text(&long_text), &answer, &err), INGEST_E_TOO_LARGE);
    assert_non_null(strstr(err.text, "--limit.body-bytes"));
    desk_done(&desk);
}

static void test_new_series_are_bounded_by_the_hour_and_the_pusher(void **state)
{
    static struct offender seen[OFFENDERS_MAX];
    struct ingest_answer answer;
    struct desk desk;
    struct err err;

    desk_init(&desk);
    ingest_free(desk.ingest);
    desk.fixture.options.max_new_series_an_hour = 3;
    desk.fixture.options.max_new_series_an_hour_a_pusher = 2;
    fixture_reopen(&desk.fixture);
    desk.ingest = ingest_new(desk.fixture.store, NULL);
    assert_int_equal(push_text(&desk, "a 1\nb 1\nc 1\n", &answer, &err), 0);
    assert_int_equal(answer.outcome.stored, 2);
    row("%s", answer.partial);
    assert_non_null(strstr(answer.partial, "--limit.new-series-per-hour-per-pusher"));
    assert_int_equal(push_text(&desk, "c 1\n", &answer, &err), INGEST_E_LIMIT);
    row("%s", err.text);
    assert_int_equal(offenders_list(ingest_offenders(desk.ingest), seen), 1);
    assert_string_equal(seen[0].reason, "new_series_limit");
    assert_string_equal(seen[0].series, "c");
    assert_int_equal(seen[0].n, 2);
    fixture_now_ms = NOON + HOUR + HOUR / 12; /* the hour has slid past them */
    assert_int_equal(push_text(&desk, "a 2 1700049600009\nc 1\n", &answer, &err), 0);
    assert_int_equal(answer.outcome.stored, 2);
    desk_done(&desk);
}

/* --- remote write --- */

struct rows {
    const char *name, *agent_label;
    double value;
};

static int push_body(struct desk *desk,
                     const struct rows *rows,
                     size_t n,
                     struct ingest_body body,
                     struct ingest_answer *answer,
                     struct err *err)
{
    struct remote_write writer;

    *err = (struct err){0};
    remote_write_init(&writer, 1 << 16);
    for (size_t i = 0; i < n; i++) {
        const struct label labels[] = {
            {LABEL_NAME, rows[i].name}, {"agent", rows[i].agent_label}, {"job", "test"}};
        assert_true(
            remote_write_add(&writer, labels, 3, (struct sample){body.now_ms, rows[i].value}));
    }
    remote_write_seal(&writer, &body.bytes, &body.len);
    int r = ingest_push(desk->ingest, &body, answer, err);
    remote_write_done(&writer);
    return r;
}

static void test_a_bound_token_writes_as_its_agent_only(void **state)
{
    static const struct rows rows[] = {
        {"cpu", "web-1", 1}, {"cpu", "web-2", 1}, {"up", "web-1", 1}, {"ALERTS", "web-1", 1}};
    struct ingest_answer answer;
    struct desk desk;
    struct err err;
    struct ingest_body body = {.now_ms = NOON, .agent = "web-1", .bound_agent = "web-1"};

    desk_init(&desk);
    for (int k = 0; k < 2; k++) { /* the second time from the cache */
        body.now_ms = NOON + k;
        assert_int_equal(push_body(&desk, rows, 4, body, &answer, &err), 0);
        assert_int_equal(answer.outcome.stored, 1);
        assert_int_equal(answer.n_refused, 3);
    }
    body.agent = "web-2";
    assert_int_equal(push_body(&desk, rows, 4, body, &answer, &err), INGEST_E_FORBIDDEN);
    assert_non_null(strstr(err.text, "\"web-1\" only"));
    body.agent = NULL;
    assert_int_equal(push_body(&desk, rows, 4, body, &answer, &err), INGEST_E_FORBIDDEN);
    body.agent = "web-2";
    body.bound_agent = "web-2"; /* what web-1's cache allowed is not allowed here */
    body.now_ms = NOON + 2;
    assert_int_equal(push_body(&desk, rows, 4, body, &answer, &err), 0);
    assert_int_equal(answer.outcome.stored, 1);
    body.bound_agent = ""; /* a token for any: a Prometheus that sends its own up */
    body.now_ms = NOON + 3;
    assert_int_equal(push_body(&desk, rows, 4, body, &answer, &err), 0);
    assert_int_equal(answer.outcome.stored, 4);
    desk_done(&desk);
}

static void test_broken_bodies_store_nothing(void **state)
{
    struct ingest_answer answer;
    struct store_stats stats;
    struct desk desk;
    struct err err = {0};
    struct ingest_body body = {.now_ms = NOON, .bytes = "\xff\xff\xff\xff\x0f", .len = 5};

    desk_init(&desk);
    assert_int_equal(ingest_push(desk.ingest, &body, &answer, &err), INGEST_E_TOO_LARGE);
    body.bytes = "\x03\x08garbage";
    body.len = 9;
    assert_int_equal(ingest_push(desk.ingest, &body, &answer, &err), INGEST_E_MALFORMED);
    body.agent = "no spaces please";
    assert_int_equal(ingest_push(desk.ingest, &body, &answer, &err), INGEST_E_MALFORMED);
    store_stats(desk.fixture.store, &stats);
    assert_int_equal(stats.samples_stored_total, 0);
    desk_done(&desk);
}

static void test_the_same_batch_with_another_body_is_a_conflict(void **state)
{
    static const struct rows rows[] = {{"cpu", "a", 1}, {"cpu", "b", 2}};
    struct ingest_answer answer;
    struct desk desk;
    struct err err;
    const struct ingest_body body = {
        .now_ms = NOON, .agent = "web-1", .epoch = 1, .sequence = 9, .interval_ms = 10000};

    desk_init(&desk);
    assert_int_equal(push_body(&desk, rows, 1, body, &answer, &err), 0);
    assert_int_equal(push_body(&desk, rows, 1, body, &answer, &err), 0);
    assert_true(answer.outcome.replayed);
    assert_int_equal(push_body(&desk, rows, 2, body, &answer, &err), INGEST_E_CONFLICT);
    desk_done(&desk);
}

static void test_a_lost_agents_series_end(void **state)
{
    static const struct rows rows[] = {{"m", "web-1", 1}};
    struct ingest_answer answer;
    struct desk desk;
    struct err err;
    struct ingest_body body = {.now_ms = NOON, .agent = "web-1", .interval_ms = 10000};
    struct source_result result;
    struct matcher matcher;
    ARENA_AUTO struct arena arena;

    desk_init(&desk);
    assert_int_equal(push_body(&desk, rows, 1, body, &answer, &err), 0);
    body.now_ms += 10000;
    assert_int_equal(push_body(&desk, rows, 1, body, &answer, &err),
                     0); /* from the cache: its own */
    assert_int_equal(ingest_count_series(desk.ingest, "web-1"), 1);
    assert_int_equal(ingest_count_series(desk.ingest, "web-2"), 0);
    assert_int_equal(ingest_mark_stale(desk.ingest, "web-1", NOON + 60000, &err), 0);
    const struct source source = store_source(desk.fixture.store);
    arena_init(&arena, 1 << 20);
    assert_int_equal(matcher_init(&matcher, MATCHER_EQUAL, LABEL_NAME, "m", NULL), 0);
    assert_int_equal(source_read_all(&source,
                                     &(struct source_query){&matcher, 1, NOON, NOON + 60000, false},
                                     10, &arena, &result, NULL),
                     0);
    assert_int_equal(result.series[0].n, 3);
    assert_true(sample_is_stale(result.series[0].values[2]));
    matcher_done(&matcher);
    desk_done(&desk);
}

/* The cache remembers a series by a number that the store has forgotten. */
static void test_a_series_forgotten_comes_again(void **state)
{
    static const struct rows rows[] = {{"m", "web-1", 1}, {"m", "web-2", 2}};
    STR_AUTO struct str text = STR_INIT(1 << 20);
    struct ingest_answer answer;
    struct desk desk;
    struct err err;
    struct ingest_body body = {.now_ms = NOON};

    desk_init(&desk);
    assert_int_equal(push_body(&desk, rows, 2, body, &answer, &err), 0);
    for (int i = 0; i < 1300; i++) /* as many as a sweep waits for */
        str_addf(&text, "gone{i=\"%d\"} 1 %lld\n", i, (long long)NOON);
    assert_int_equal(push_text(&desk, str_text(&text), &answer, &err), 0);
    assert_int_equal(answer.outcome.stored, 1300);
    fixture_now_ms = NOON + 20 * DAY;
    assert_int_equal(store_maintain(desk.fixture.store, fixture_now_ms, NULL), 0);
    for (int k = 0; k < 2; k++) {
        body.now_ms = fixture_now_ms + k;
        assert_int_equal(push_body(&desk, rows, 2, body, &answer, &err), 0);
        assert_int_equal(answer.outcome.stored, 2);
        assert_string_equal(answer.partial, "");
    }
    desk_done(&desk);
}

/* --- agents --- */

static void test_history_is_nobodys(void **state)
{
    const struct ingest_body live = {.now_ms = NOON, .agent = "web-1", .interval_ms = 10000};
    const struct ingest_body history = {
        .now_ms = NOON - 5 * DAY, .agent = "import", .sequence = 1, .is_history = true};
    struct ingest_answer answer;
    struct desk desk;
    struct err err;
    size_t n;

    desk_init(&desk);
    for (int i = 0; i < 2; i++) /* the number is known from the second on */
        assert_int_equal(push_body(&desk, &(struct rows){"m", "web-1", 1}, 1, live, &answer, &err),
                         0);
    assert_int_equal(ingest_count_series(desk.ingest, "web-1"), 1);
    assert_int_equal(push_body(&desk, &(struct rows){"m", "web-1", 1}, 1, history, &answer, &err),
                     0);
    assert_int_equal(answer.outcome.stored, 1);
    assert_int_equal(ingest_count_series(desk.ingest, "web-1"), 1);
    free(agents_all(ingest_agents(desk.ingest), &n));
    assert_int_equal(n, 1);
    desk_done(&desk);
}

static void test_how_long_an_agent_may_be_silent(void **state)
{
    enum {
        MONO = 50000000, /* the monotonic clock, now */
        NOT_SINCE = -1,
    };
    static const struct {
        const char *name;
        /* since its push by the monotonic clock, by the wall clock, and since we listen */
        int64_t interval_ms, silent_ms, wall_ms, awake_ms;
        enum agent_state expected;
    } rows[] = {
        {"just pushed", 10000, 0, 0, 1000000, AGENT_FRESH},
        {"one interval and a half", 10000, 15000, 15000, 1000000, AGENT_FRESH},
        {"a little later", 10000, 15001, 15001, 1000000, AGENT_LATE},
        {"short intervals have 30 s", 1000, 29999, 29999, 1000000, AGENT_LATE},
        {"and no more", 1000, 30000, 30000, 1000000, AGENT_LOST},
        {"three intervals", 60000, 179999, 179999, 1000000, AGENT_LATE},
        {"past three", 60000, 180000, 180000, 1000000, AGENT_LOST},
        {"we have just started", 60000, NOT_SINCE, 9000000, 119999, AGENT_LATE},
        {"grace is over", 60000, NOT_SINCE, 9000000, 120000, AGENT_LOST},
        {"it pushed since our start", 60000, 200000, 200000, 210000, AGENT_LOST},
        {"the wall clock was set an hour ahead", 10000, 5000, 3605000, 1000000, AGENT_FRESH},
        {"an hour back", 10000, 40000, -3560000, 1000000, AGENT_LOST},
        {"an hour back, not seen since our start", 10000, NOT_SINCE, -3500000, 50000, AGENT_LOST},
        {"we stood still for longer than it may", 10000, 300000, 300000, 1000, AGENT_LATE},
        {"and it did not come back", 10000, 319000, 319000, 20000, AGENT_LOST},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct agent agent = {.interval_ms = rows[i].interval_ms,
                                    .last_push_ms = NOON,
                                    .pushed_mono_ms = rows[i].silent_ms == NOT_SINCE
                                                          ? AGENT_NOT_YET
                                                          : MONO - rows[i].silent_ms};
        const struct agents_now now = {NOON + rows[i].wall_ms, MONO, MONO - rows[i].awake_ms};

        row("%s", rows[i].name);
        assert_int_equal(agent_state_at(&agent, &now), rows[i].expected);
    }
}

static void note(struct agents *agents, const char *id, int64_t newest_ms, int64_t now_ms)
{
    agents_note(agents, &(struct agent_push){.id = id,
                                             .interval_ms = 5000,
                                             .newest_ms = newest_ms,
                                             .wall_ms = now_ms,
                                             .mono_ms = now_ms - NOON});
}

static int64_t skew_of(struct agents *agents)
{
    size_t n;
    MEM_AUTO struct agent *all = agents_all(agents, &n);

    assert_int_equal(n, 1);
    return all[0].clock_skew_ms;
}

/* Set two hours ahead and put right again: what it pushes then is no backlog. */
static void test_how_far_an_agents_clock_is_off(void **state)
{
    enum {
        HOURS = 2 * 3600 * 1000,
    };
    struct agents *agents = agents_new();

    note(agents, "web-1", NOON - 100, NOON);
    assert_int_equal(skew_of(agents), -100);
    note(agents, "web-1", NOON + HOURS, NOON + 5000);
    assert_int_equal(skew_of(agents), HOURS - 5000);
    note(agents, "web-1", NOON - 60000, NOON + 6000); /* backlog */
    assert_int_equal(skew_of(agents), HOURS - 5000);
    note(agents, "web-1", NOON + 9900, NOON + 10000);
    assert_int_equal(skew_of(agents), -100);
    note(agents, "web-1", NOON + 5000, NOON + 10500); /* backlog */
    assert_int_equal(skew_of(agents), -100);
    agents_free(agents);
}

static void test_agents_are_kept_by_name(void **state)
{
    struct agents *agents = agents_new();
    size_t n;

    note(agents, "web-2", NOON + 40, NOON);
    note(agents, "web-1", NOON, NOON);
    note(agents, "web-2", NOON - 5000, NOON + 1000); /* backlog */
    struct agent *all = agents_all(agents, &n);
    assert_int_equal(n, 2);
    assert_string_equal(all[0].id, "web-1");
    assert_int_equal(all[1].clock_skew_ms, 40);
    assert_int_equal(all[1].last_push_ms, NOON + 1000);
    free(all);
    free(agents_take_dirty(agents, &n));
    assert_int_equal(n, 2);
    free(agents_take_dirty(agents, &n));
    assert_int_equal(n, 0);
    assert_int_not_equal(agents_number(agents, "web-1"), agents_number(agents, "web-2"));
    agents_free(agents);
    assert_true(agent_id_ok("a.B-9_"));
    assert_false(agent_id_ok(""));
    assert_false(agent_id_ok("a b"));
    assert_false(agent_id_ok("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_part_of_a_body_is_refused_in_words),
        cmocka_unit_test(test_limits_are_told_one_by_one),
        cmocka_unit_test(test_new_series_are_bounded_by_the_hour_and_the_pusher),
        cmocka_unit_test(test_a_bound_token_writes_as_its_agent_only),
        cmocka_unit_test(test_broken_bodies_store_nothing),
        cmocka_unit_test(test_the_same_batch_with_another_body_is_a_conflict),
        cmocka_unit_test(test_a_lost_agents_series_end),
        cmocka_unit_test(test_a_series_forgotten_comes_again),
        cmocka_unit_test(test_history_is_nobodys),
        cmocka_unit_test(test_how_long_an_agent_may_be_silent),
        cmocka_unit_test(test_how_far_an_agents_clock_is_off),
        cmocka_unit_test(test_agents_are_kept_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
