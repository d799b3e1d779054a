/*
 * Drills played: who is paged when, what faults do to series, and that the same seed and the
 * same deeds give the same moments, in one go or second by second.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/drill/check.h"
#include "alertd/drill/headless.h"
#include "lib/base/mem.h"
#include "lib/model/sample.h"
#include "tests/lib/row.h"

#define RULES                                                                                          \
    "groups:\n- name: g\n  interval: 15s\n  rules:\n"                                                  \
    "  - {alert: Down, expr: up == 0, for: 1m, annotations: {summary: '{{ $labels.job }} is down'}}\n" \
    "  - {alert: Note, expr: up == 0, labels: {severity: info}}\n"                                     \
    "  - {alert: Never, expr: vector(1) == 0}\n"

#define TABLE "at,\"q{job=\"\"a\"\"}\",r\n0s,1,5\n30s,,6\n1m,3,7\n"

#define DRILL                                                                         \
    "drill \"d\"\n length 30m\n onset 10m\n rules r.yml\n oncall ana after 5m ben\n"  \
    "series up{job=\"a\"} 1\nfault set up 0 from 10m until mended after 1m\n"         \
    "action fix mends \"fix it\"\naction blow harm \"blow it up\"\n"                  \
    "hypothesis h right \"cable\" accept ~\"cable\"\nhypothesis i wrong \"ghosts\"\n" \
    "question q \"which?\" accept \"a\"\nhint cost 2 \"look at the cable\"\nlimit ack 3m\nlimit mitigation 8m\n"

/* A minute each: 60 or 600 are counted in it. */
static const char *recorded(void)
{
    static char text[4096];
    struct str out = STR_INIT(sizeof(text) - 1);
    int64_t counted = 0;

    str_add(&out, "at,q,c_total,gone\n");
    for (int minute = 0; minute <= 20; minute++) {
        bool bad = minute > 5 && minute <= 10;

        counted += minute == 0 ? 0 : bad ? 600 : 60;
        str_addf(&out, "%dm,%d,%lld,%s\n", minute, bad ? 90 : 1, (long long)counted,
                 minute < 3 ? "1" : "");
    }
    memcpy(text, str_text(&out), out.len + 1);
    str_done(&out);
    return text;
}

static int read_file(void *arg,
                     enum drill_read_what what,
                     const char *name,
                     char **ret_text,
                     size_t *ret_len,
                     struct err *reterr)
{
    const char *text = strcmp(name, "r.yml") == 0   ? RULES
                       : strcmp(name, "t.csv") == 0 ? TABLE
                       : strcmp(name, "u.csv") == 0 ? recorded()
                                                    : NULL;

    if (!text)
        return err_set(reterr, 1, "no such file");
    *ret_text = mem_strdup(text);
    *ret_len = strlen(text);
    return 0;
}

static struct drill_case *make(const char *text)
{
    struct drill *drill = NULL;
    struct drill_case *made = NULL;
    struct err err = {0};

    if (drill_parse(text, strlen(text), &drill, &err) != 0 ||
        drill_case_new(drill, read_file, NULL, &made, &err) != 0)
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return made;
}

/* "" when everything expected of the first player came. */
static const char *play(const char *text, struct str *out)
{
    struct drill_case *made = make(text);
    struct drill_played played;

    drill_play(made, made->drill->players, 1, &played);
    str_cut(out, 0);
    str_add(out, str_text(&played.failures));
    drill_played_done(&played);
    drill_case_free(made);
    return str_text(out);
}

static const struct {
    const char *name, *text, *want;
} rows[] = {
    {"who is quick is paged alone, and mending ends it",
     DRILL
     "player p\nat page+1m ack\nthen 1m do \"fix it\"\nexpect ack = 1m\nexpect mitigation = 2m\n"
     "expect no page to ben\nby 15m expect resolved Down\nby 11m10s expect page ana Down\n",
     ""},
    {"who is slow has the next one paged",
     DRILL "player p\nat page+6m ack\nby 16m10s expect page ben Down\nexpect ack > 3m\n", ""},
    {"states at instants",
     DRILL
     "player p\nat 9m see\nat 9m59s expect state Down inactive\nat 10m expect state Down pending\n"
     "at 11m expect state Down firing\n",
     ""},
    {"what is for information pages nobody", DRILL "player p\nat 1m see\nexpect no page for Note\n",
     ""},
    {"an expectation that is not met says where",
     DRILL "player p\nat 1m see\nexpect page ben Never\nat 11m expect state Down pending\n",
     "19: at 11m Down is firing, not pending\n18: no page for Never\n"},
    {"what was paged and should not be", DRILL "player p\nat 1m see\nexpect no page\n",
     "18: ana was paged for Down at 11m10s\n"},
    {"counts",
     DRILL
     "player p\nat page hint\nthen 1s hint\nthen 1s hypothesis \"ghosts\"\n"
     "then 1s hypothesis \"a cable\"\nthen 1s do \"blow it up\"\nthen 1s answer q \"b\"\nthen 1s answer q \"A\"\n"
     "expect hints = 1\nexpect cost = 2\nexpect wrong = 1\nexpect right = 3s\nexpect harm = 1\n"
     "expect misses = 1\nexpect answers = 1\nexpect tell never\n",
     ""},
    {"nobody paged the player",
     "drill \"d\"\nlength 5m\noncall ana\nplayer p\nat page ack\nexpect ack never\n",
     "5: ack is never done: nobody paged the player\n"},
};

static void test_plays(void **state)
{
    STR_AUTO struct str out = STR_INIT(64 * 1024);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].name);
        assert_string_equal(play(rows[i].text, &out), rows[i].want);
    }
}

/* --- The same again ---------------------------------------------------------------------------------- */

#define NOISY DRILL "lead 10m\nseries load{job=\"a\"} 4 noise 20%\n"

static uint64_t play_by(int64_t step_ms, uint64_t seed)
{
    struct drill_case *made = make(NOISY);
    struct drill_world *world = drill_world_new(made, seed);

    for (int64_t at_ms = -drill_world_lead_ms(world); at_ms <= 12 * 60 * 1000; at_ms += step_ms)
        drill_world_advance(world, at_ms);
    drill_world_advance(world, 12 * 60 * 1000);
    (void)drill_world_act(world, DRILL_ACT_ACK, NULL, NULL);
    (void)drill_world_act(world, DRILL_ACT_DO, NULL, "fix it");
    for (int64_t at_ms = 12 * 60 * 1000; at_ms <= 30 * 60 * 1000; at_ms += step_ms)
        drill_world_advance(world, at_ms);
    drill_world_advance(world, 30 * 60 * 1000);

    uint64_t hash = drill_world_hash(world);

    assert_int_equal(drill_world_state(world, "Down"), ALERT_INACTIVE);
    drill_world_free(world);
    drill_case_free(made);
    return hash;
}

static void test_same_again(void **state)
{
    uint64_t hash = play_by(1000, 3);

    assert_int_equal(hash, play_by(1000, 3));
    assert_int_equal(hash, play_by(7 * 1000, 3));
    assert_int_equal(hash, play_by(30 * 60 * 1000, 3));
}

/* The lead is drawn from the seed, and moves nothing of the drill's own time. */
/* At each second in which something calls it stands, and what comes of it is the same as in one go. */
static void test_called(void **state)
{
    struct drill_case *made = make(DRILL "at 20m customer \"where is my order?\"\n");
    struct drill_world *world = drill_world_new(made, 1);
    struct drill_world *whole = drill_world_new(made, 1);
    const int64_t end_ms = made->drill->length_ms;
    int64_t page_ms = 0, heed_ms = 0;
    size_t n = 0;

    drill_world_advance(whole, end_ms);
    page_ms = drill_world_paged_ms(whole);
    assert_true(page_ms > made->drill->onset_ms);
    assert_true(drill_world_advance_until_called(world, 0, end_ms));
    assert_int_equal(drill_world_now_ms(world), page_ms);
    /* what came until heed_ms was heeded already: a process that is made again passes it by */
    heed_ms = drill_world_now_ms(world);
    assert_true(drill_world_advance_until_called(world, heed_ms, end_ms));
    assert_string_equal(drill_world_moments(world, &n)[n - 1].who, "customer");
    assert_int_equal(drill_world_now_ms(world), 20 * 60 * 1000);
    assert_false(drill_world_advance_until_called(world, 20 * 60 * 1000, end_ms));
    assert_int_equal(drill_world_now_ms(world), end_ms);
    assert_int_equal(drill_world_hash(world), drill_world_hash(whole));
    drill_world_free(world);

    world = drill_world_new(made, 1);
    assert_true(drill_world_advance_until_called(world, page_ms, end_ms));
    assert_int_equal(drill_world_now_ms(world), 20 * 60 * 1000);
    drill_world_free(world);
    drill_world_free(whole);
    drill_case_free(made);
}

static void test_lead(void **state)
{
    bool differs = false;
    struct drill_case *made = make(NOISY);

    for (uint64_t seed = 0; seed < 10; seed++) {
        struct drill_world *world = drill_world_new(made, seed);

        drill_world_advance(world, 15 * 60 * 1000);
        assert_int_equal(drill_world_paged_ms(world), 11 * 60 * 1000 + 10 * 1000);
        assert_in_range(drill_world_lead_ms(world), 0, 10 * 60 * 1000);
        differs |= drill_world_lead_ms(world) != 0;
        drill_world_free(world);
    }
    assert_true(differs);
    drill_case_free(made);
}

/* --- Series -------------------------------------------------------------------------------------------- */

/* Samples of `name` as text: "1 1 - S 5", a gap as -, a staleness marker as S. */
static const char *samples(const char *text, const char *name, struct str *out)
{
    struct drill_case *made = make(text);
    struct drill_world *world = drill_world_new(made, 0);
    ARENA_AUTO struct arena arena;
    struct source_result found;
    struct matcher matcher;
    struct err err;

    arena_init(&arena, 1 << 20);
    str_cut(out, 0);
    assert_int_equal(matcher_init(&matcher, MATCHER_EQUAL, LABEL_NAME, name, &err), 0);
    drill_world_advance(world, made->drill->length_ms);

    const struct source source = drill_world_source(world);
    const struct source_query query = {&matcher, 1, INT64_MIN, INT64_MAX, false};
    int64_t zero_ms = drill_world_zero_ms(world);

    assert_int_equal(source_read_all(&source, &query, 10000, &arena, &found, &err), 0);
    for (int64_t at_ms = 0; found.n == 1 && at_ms <= made->drill->length_ms; at_ms += 15000) {
        size_t i = 0;

        while (i < found.series[0].n && found.series[0].t_ms[i] != zero_ms + at_ms)
            i++;
        if (i == found.series[0].n)
            str_add(out, "- ");
        else if (sample_is_stale(found.series[0].values[i]))
            str_add(out, "S ");
        else
            str_addf(out, "%g ", found.series[0].values[i]);
    }
    matcher_done(&matcher);
    drill_world_free(world);
    drill_case_free(made);
    return str_text(out);
}

#define SHORT "drill \"d\"\nlength 2m\noncall ana\n"

static void test_series(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } series[] = {
        {"the last value goes on", "series a 1x2 5\n", "1 1 1 5 5 5 5 5 5 "},
        {"pieces", "series a 1 for 30s, 0 to 4 for 1m, 4\n", "1 1 0 1 2 3 4 4 4 "},
        {"gap and staleness", "series a 1 _ stale 1\n", "1 - S 1 1 1 1 1 1 "},
        {"a counter counts, since an hour before", "counter a 2 for 1m, 0\n",
         "7230 7260 7290 7320 7320 7320 7320 7320 7320 "},
        {"set", "series a 1\nfault set a 5 from 30s to 1m\n", "1 1 5 5 1 1 1 1 1 "},
        {"add, then scale",
         "series a 1\nfault add a 1 from 30s to 1m\nfault scale a 3 from 30s to 1m\n",
         "1 1 6 6 1 1 1 1 1 "},
        {"ramp", "series a 1\nfault ramp a 4 from 15s over 1m\n", "1 1 2 3 4 5 5 5 5 "},
        {"spike", "series a 1\nfault spike a 9 from 0s every 45s\n", "9 1 1 9 1 1 9 1 1 "},
        {"freeze", "series a 1x1 2x1 3x1 4\nfault freeze a from 30s to 1m30s\n",
         "1 1 1 1 1 1 4 4 4 "},
        {"a frozen counter stands", "counter a 1\nfault freeze a from 30s to 1m\n",
         "3615 3630 3630 3630 3645 3660 3675 3690 3705 "},
        {"drop ends the series", "series a 1\nfault drop a from 30s to 1m\n", "1 1 S - 1 1 1 1 1 "},
        {"gap does not", "series a 1\nfault gap a from 30s to 1m\n", "1 1 - - 1 1 1 1 1 "},
        {"a counter is reset", "counter a 1\nfault reset a from 30s\n",
         "3615 3630 15 30 45 60 75 90 105 "},
        {"another series is left alone", "series a 1\nseries b 1\nfault set b 5 from 0s\n",
         "1 1 1 1 1 1 1 1 1 "},
    };
    STR_AUTO struct str text = STR_INIT(4096), out = STR_INIT(4096);

    for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++) {
        row("%s", series[i].name);
        str_cut(&text, 0);
        str_addf(&text, SHORT "%s", series[i].text);
        assert_string_equal(samples(str_text(&text), "a", &out), series[i].want);
    }
    row("%s", "a table beside the drill");
    assert_string_equal(samples(SHORT "samples t.csv at 30s\n", "q", &out), "- - 1 - - - 3 - - ");
    assert_string_equal(samples(SHORT "samples t.csv at 30s\n", "r", &out), "- - 5 - 6 - 7 - - ");
    row("%s", "faults on what was recorded");
    assert_string_equal(samples(SHORT "samples t.csv at 30s\nfault scale r 2 from 1m\n", "r", &out),
                        "- - 5 - 12 - 14 - - ");
}

/* --- check ----------------------------------------------------------------------------------------------- */

/* Queue and counter as recorded: trouble from 5m on, mended at 10m that day, calm to 20m. */
static void until_mended(int64_t do_ms, double *ret_q, double *ret_c, int64_t at_ms)
{
    struct drill_case *made = make("drill \"d\"\n length 2h\n onset 5m\n oncall ana\n"
                                   "samples u.csv mended 10m until mended\n"
                                   "action fix mends \"fix it\"\n");
    struct drill_world *world = drill_world_new(made, 1);
    struct source source = drill_world_source(world);
    const struct source_query query = {.from_ms = INT64_MIN, .to_ms = INT64_MAX};
    struct source_result result = {0};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 4 * 1024 * 1024);
    if (do_ms) {
        drill_world_advance(world, do_ms);
        (void)drill_world_act(world, DRILL_ACT_DO, NULL, "fix it");
    }
    drill_world_advance(world, at_ms);
    source = drill_world_source(world);
    assert_int_equal(source_read_all(&source, &query, 100000, &arena, &result, NULL), 0);
    assert_int_equal(result.n, 3);
    for (size_t i = 0; i < result.n; i++) {
        const struct source_series *series = &result.series[i];

        if (strcmp(labels_get(series->labels, LABEL_NAME), "gone") == 0) {
            assert_int_equal(series->n, 3); /* what ended by itself does not come back */
            continue;
        }
        bool is_queue = strcmp(labels_get(series->labels, LABEL_NAME), "q") == 0;

        for (size_t k = 1; k < series->n; k++) {
            assert_true(series->t_ms[k] > series->t_ms[k - 1]);
            if (!is_queue)
                assert_true(series->values[k] >= series->values[k - 1]);
        }
        assert_in_range(at_ms - (series->t_ms[series->n - 1] - drill_world_zero_ms(world)), 0,
                        60000);
        *(is_queue ? ret_q : ret_c) = series->values[series->n - 1];
    }
    drill_world_free(world);
    drill_case_free(made);
}

static void test_until_mended(void **state)
{
    double q = 0, c = 0;

    until_mended(0, &q, &c, 9 * 60 * 1000); /* as it was recorded */
    assert_true(q == 90 && c == 5 * 60 + 4 * 600);
    until_mended(10 * 60 * 1000, &q, &c, 15 * 60 * 1000); /* mended as that day */
    assert_true(q == 1 && c == 5 * 60 + 5 * 600 + 5 * 60);
    until_mended(0, &q, &c, 60 * 60 * 1000); /* nobody mends it: it goes on */
    assert_true(q == 90 && fabs(c - (5 * 60 + 55 * 600)) <= 1200);
    until_mended(40 * 60 * 1000, &q, &c, 45 * 60 * 1000); /* half an hour later than that day */
    assert_true(q == 1 && fabs(c - (5 * 60 + 35 * 600 + 5 * 60)) <= 1200);
    until_mended(7 * 60 * 1000, &q, &c, 12 * 60 * 1000); /* earlier */
    assert_true(q == 1 && fabs(c - (5 * 60 + 2 * 600 + 5 * 60)) <= 600);
    until_mended(7 * 60 * 1000, &q, &c, 110 * 60 * 1000); /* behind what was recorded it is calm */
    assert_true(q == 1 && fabs(c - (5 * 60 + 2 * 600 + 103 * 60)) <= 1200);
}

static void test_check(void **state)
{
    static const struct {
        const char *name, *text, *want; /* a part of what is said */
    } doubts[] = {
        {"an alert nobody wrote", DRILL "by 12m expect page ana Dwon\n",
         "error: no rule of this drill is called Dwon: did you mean Down?"},
        {"never pending", DRILL "at 12m expect state Note pending\n", "error: Note has no `for`"},
        {"pages nobody", DRILL "by 12m expect page ana Note\n",
         "error: the route of Note pages nobody"},
        {"not on call", DRILL "by 12m expect page zoe Down\n", "error: zoe is not on call here"},
        {"behind the end", DRILL "by 31m expect page ana Down\n",
         "error: the drill is over by then"},
        {"a metric no rule reads", DRILL "series lonely 1\n", "warning: no rule reads lonely"},
        {"a fault about nothing", DRILL "fault set nothing 1 from 1m\n",
         "error: this fault is about no series"},
        {"a graph of nothing", DRILL "graph nothing\n", "error: there is no series nothing"},
        {"an unknown question", DRILL "player p\nat 1m answer z \"a\"\n",
         "error: there is no question 'z'"},
        {"words nothing recognises", DRILL "player p\nat 1m do \"dance\"\n",
         "warning: no action of the drill"},
        {"a brief that tells it all",
         DRILL "brief \"a disk is full\"\nhypothesis f right \"it fills\" accept ~\"full\"\n",
         "warning: its brief gives away the hypothesis 'f'"},
        {"no runbooks", DRILL "runbook shop#x\n", "error: there are no runbooks shop"},
    };

    for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
        STR_AUTO struct str out = STR_INIT(64 * 1024);
        struct drill_case *made = make(doubts[i].text);
        struct drill_findings findings = {0};

        row("%s", doubts[i].name);
        drill_check(made, read_file, NULL, &findings);
        for (size_t k = 0; k < findings.n; k++)
            str_addf(&out, "%s: %s\n", findings.at[k].is_error ? "error" : "warning",
                     findings.at[k].text);
        if (!strstr(str_text(&out), doubts[i].want))
            fail_msg("%s: %s", doubts[i].name, str_text(&out));
        drill_findings_done(&findings);
        drill_case_free(made);
    }
}

static void test_missing_file(void **state)
{
    static const char text[] = SHORT "rules r.yml gone.yml\n";
    struct drill *drill = NULL;
    struct drill_case *made = NULL;
    struct err err = {0};

    assert_int_equal(drill_parse(text, strlen(text), &drill, &err), 0);
    assert_int_equal(drill_case_new(drill, read_file, NULL, &made, &err), DRILL_E_FILE);
    assert_int_equal(err.line, 4);
    assert_int_equal(err.column, 13);
    assert_string_equal(err.text, "gone.yml: no such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plays),  cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_lead),   cmocka_unit_test(test_series),
        cmocka_unit_test(test_check),  cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_called), cmocka_unit_test(test_until_mended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
