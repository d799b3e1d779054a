/*
 * Faults put into what a rule reads: which series that is, that copies of a few come to the same as all, and
 * what an outage must be to be caught, by rules whose answer is known beforehand.
 */

#include <errno.h>
#include <math.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "alertd/tune/outage.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000,
    STEPS = 1500,
    ARENA_BYTES = 64 << 20,
};

/* --- what it reads --- */

static void test_what_a_rule_reads(void **state)
{
    static const struct {
        const char *expr, *text;
        int64_t minutes; /* of range */
        bool is_counter;
    } table[] = {
        {"a > 1", "a", 0, false},
        {"rate(a{job=\"x\"}[5m]) > 1", "a{job=\"x\"}", 5, true},
        {"avg_over_time(a[1h] offset 1d) > 1", "a", 60, false},
        {"max_over_time(rate(a[5m])[30m:1m]) > 1", "a", 35, true},
        {"a > 2 * avg_over_time(a[1h])", "a", 60, false}, /* once, as far back as any */
        {"absent(a)", "a", 0, false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        ARENA_AUTO struct arena arena;
        struct promql_expr *expr = NULL;
        struct inputs inputs;
        arena_init(&arena, ARENA_BYTES);
        row("%s", table[i].expr);
        assert_int_equal(promql_parse(&arena, table[i].expr, &expr, NULL), 0);
        assert_int_equal(inputs_of(expr, &arena, &inputs, NULL), 0);
        assert_int_equal(inputs.n, 1);
        assert_string_equal(inputs.at[0].text, table[i].text);
        assert_int_equal(inputs.at[0].range_ms, table[i].minutes * 60000);
        assert_true(inputs.at[0].back_ms >= table[i].minutes * 60000);
        assert_int_equal(inputs.at[0].is_counter, table[i].is_counter);
    }
}

static void test_what_stands_still_is_refused(void **state)
{
    static const char *const table[] = {"a @ 1000 > 1", "a offset -5m > 1", "rate(a[step()]) > 1"};

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        ARENA_AUTO struct arena arena;
        struct promql_expr *expr = NULL;
        struct inputs inputs;
        struct err err = {0};
        arena_init(&arena, ARENA_BYTES);
        row("%s", table[i]);
        if (promql_parse(&arena, table[i], &expr, NULL) != 0)
            continue; /* this spelling is none yet */
        assert_int_equal(inputs_of(expr, &arena, &inputs, &err), -EINVAL);
        assert_non_null(strstr(err.text, "can't be copied"));
    }
}

/* --- a rule over a past --- */

struct world {
    struct fake_source fake;
    struct source source;
    struct reading_source over;
    struct tune_reader reader;
    struct arena arena;
    struct rule rule;
    struct tune_ask tune;
    struct tune_result result;
    struct outage outage;
};

static void put(struct world *world, const char *series, int i, double value)
{
    const struct labels *labels = series_text_labels(series, &(const char *){NULL}, NULL);

    fake_source_put(&world->fake, labels, (int64_t)i * STEP_MS, value);
    labels_unref(labels);
}

/* Two jobs of two machines: a gauge of 1, a counter of 2 a second each, one of 1 in 100 of that. */
static void begin(struct world *world, const char *expr, int64_t for_ms)
{
    struct promql_expr *parsed = NULL;

    *world = (struct world){.over = {.source = &world->source, .query_bytes = ARENA_BYTES}};
    for (int i = 0; i < STEPS; i++) {
        static const char *const of[] = {"{job=\"a\",m=\"1\"}", "{job=\"a\",m=\"2\"}",
                                         "{job=\"b\",m=\"1\"}", "{job=\"b\",m=\"2\"}"};
        for (size_t k = 0; k < 4; k++) {
            char name[64];
            (void)snprintf(name, sizeof(name), "gauge%s", of[k]);
            put(world, name, i, 1);
            (void)snprintf(name, sizeof(name), "all_total%s", of[k]);
            put(world, name, i, i * 120.0);
            (void)snprintf(name, sizeof(name), "bad_total%s", of[k]);
            put(world, name, i, i * 1.2);
        }
    }
    world->source = fake_source_of(&world->fake);
    world->reader = reading_of_source(&world->over);
    arena_init(&world->arena, ARENA_BYTES);
    assert_int_equal(promql_parse(&world->arena, expr, &parsed, NULL), 0);
    world->rule = (struct rule){.name = "R", .expr_text = expr, .expr = parsed, .is_alert = true};
    world->tune = (struct tune_ask){.rule = &world->rule,
                                    .interval_ms = STEP_MS,
                                    .from_ms = 200 * STEP_MS,
                                    .to_ms = (STEPS - 1) * INT64_C(60000),
                                    .for_ms = for_ms,
                                    .is_alone = true};
    struct err err = {0};
    if (tune_run(&world->reader, &world->tune, &world->result, &err) != 0)
        fail_msg("%s", err.text);
}

static void end(struct world *world)
{
    outage_done(&world->outage);
    tune_result_done(&world->result);
    arena_reset(&world->arena);
    fake_source_done(&world->fake);
}

static void look(struct world *world, const char *kind, const char *input)
{
    struct outage_ask ask = {.reader = &world->reader,
                             .source = &world->source,
                             .query_bytes = ARENA_BYTES,
                             .tune = &world->tune,
                             .result = &world->result,
                             .has_kind = kind != NULL,
                             .input = input,
                             .n_places = 20};
    struct err err = {0};

    if (kind)
        assert_true(fault_kind_find(kind, &ask.kind));
    outage_done(&world->outage);
    if (outage_look(&ask, &world->outage, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(world->outage.map.n_offsets, 20);
}

/* Of the smallest that is caught: how large, and for how many minutes. */
static void assert_least(const struct world *world, double magnitude, uint32_t minutes)
{
    size_t j = 99;
    size_t k = 99;

    assert_true(outage_least(&world->outage, &j, &k));
    if (fabs(world->outage.magnitudes[j] - magnitude) > 0.011 * fabs(magnitude) ||
        world->outage.durations[k] != minutes)
        fail_msg("%g for %u, not %g for %u", world->outage.magnitudes[j],
                 world->outage.durations[k], magnitude, minutes);
}

static void test_gauges(void **state)
{
    struct world world;
    STR_AUTO struct str words = STR_INIT(4096);

    begin(&world, "gauge >= 3", 300000); /* five minutes are six evaluations */
    look(&world, NULL, NULL);
    assert_int_equal(world.outage.ask.kind, FAULT_ADD);
    assert_least(&world, 2, 8);
    look(&world, "scale", NULL);
    assert_least(&world, 3, 8);
    outage_words(&world.outage, &words);
    assert_string_equal(str_text(&words),
                        "The smallest that is caught nine times of ten: times 3 for 8 min, half of "
                        "them within 5 min. None shorter than 8 min is, however large.");
    look(&world, "set", NULL);
    assert_least(&world, 3, 8);
    look(&world, "freeze", NULL); /* it stands still as it is */
    assert_false(outage_least(&world.outage, &(size_t){0}, &(size_t){0}));
    end(&world);
}

/* Half of them fail, of one job: 1 in 100 is usual, so a share of 0.05 is 4 in 100 of 4 a second more, and each
 * machine of the job has that fault. */
static void test_counters(void **state)
{
    struct world world;

    begin(&world,
          "sum by (job) (rate(bad_total[5m])) / sum by (job) (rate(all_total[5m])) > 0.0499", 0);
    look(&world, NULL, NULL);
    assert_string_equal(world.outage.input->text, "bad_total");
    assert_true(world.outage.ask.is_counter);
    assert_least(&world, 0.08,
                 5); /* of each machine, which has 2 a second, as its window is full of it */
    look(&world, "scale", NULL);
    assert_least(&world, 5, 5);
    look(&world, "scale", "all_total"); /* fewer of all, then */
    assert_least(&world, 0.1, 5);
    look(&world, "scale", OUTAGE_ALL); /* the share stays */
    assert_false(outage_least(&world.outage, &(size_t){0}, &(size_t){0}));
    end(&world);
}

static void test_what_is_gone(void **state)
{
    struct world world;

    begin(&world, "absent(gauge{job=\"a\"})", 60000);
    look(&world, NULL, NULL);
    assert_int_equal(world.outage.ask.kind, FAULT_DROP);
    assert_least(&world, 0, 2);
    look(&world, "gap", NULL); /* without a marker it lingers five minutes */
    assert_least(&world, 0, 8);
    end(&world);
    begin(&world, "gauge == 0", 60000);
    look(&world, NULL, NULL);
    assert_int_equal(world.outage.ask.kind, FAULT_SET);
    assert_least(&world, 0, 2);
    end(&world);
}

/* Labels that are made anew: what is like the alert in its labels is not what it is made of, so everything
 * has the fault. */
static void test_labels_made_anew(void **state)
{
    static const char *const table[] = {
        "sum by (job) (gauge) >= 5",
        "sum by (m) (label_replace(label_replace(gauge, \"own\", \"$1\", \"m\", \"(.*)\"), "
        "\"m\", \"$1\", \"job\", \"(.*)\")) >= 5",
    };

    for (size_t i = 0; i < 2; i++) {
        struct world world;
        row("%s", table[i]);
        begin(&world, table[i], 120000);
        look(&world, NULL, NULL);
        assert_least(&world, 1.5, 3);
        end(&world);
    }
}

static void test_what_cannot_be_put_in(void **state)
{
    struct world world;
    struct err err = {0};

    begin(&world, "rate(all_total[5m]) > 5", 0);
    struct outage_ask ask = {.reader = &world.reader,
                             .source = &world.source,
                             .query_bytes = ARENA_BYTES,
                             .tune = &world.tune,
                             .result = &world.result,
                             .has_kind = true,
                             .kind = FAULT_SET,
                             .n_places = 5};
    assert_int_equal(outage_look(&ask, &world.outage, &err), -EINVAL);
    assert_non_null(strstr(err.text, "is a counter"));
    ask.input = "nobody";
    outage_done(&world.outage);
    assert_int_equal(outage_look(&ask, &world.outage, &err), -EINVAL);
    assert_non_null(strstr(err.text, "reads no nobody"));
    end(&world);
    begin(&world, "absent(gauge)", 0);
    ask.is_compared = true;
    ask.input = NULL;
    assert_int_equal(outage_look(&ask, &world.outage, &err), -EINVAL);
    assert_non_null(strstr(err.text, "takes a rule of one threshold"));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_rule_reads),
        cmocka_unit_test(test_what_stands_still_is_refused),
        cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_what_is_gone),
        cmocka_unit_test(test_labels_made_anew),
        cmocka_unit_test(test_what_cannot_be_put_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
