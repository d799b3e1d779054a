/*
 * Rules whose threshold lies within: evaluated anew for each threshold, the rest once, they are
 * what promql_eval() makes of the text with the threshold written into it, in pieces of any size.
 * And the whole of tune_run(), of every way, in every cell beside alert_step().
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/tune/tune.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"
#include "tests/lib/tune_truth.h"

enum {
    STEP_MS = 60000,
    STEPS = 240,
    ARENA_BYTES = 64 << 20,
    ROUNDS = 4,
};

static const char *const within[] = {
    "count(a > 3)",
    "count by (i) (a > 3) > 1",
    "count(a > 3) / count(a) > 0.5",
    "sum by (i) (a > 3)",
    "sum(a > bool 3) >= 2",
    "b unless on (i) (a > 3)",
    "b and on (i) (d > 3)",
    "min by (i) (a > 3)",
    "max_over_time((a > 3)[5m:1m]) and a < 8",
    "count_over_time((a < 2)[10m:2m]) > 3",
    "(a > 3) * on (i) group_left () d > 4",
    "quantile(0.5, a < 4) > -1",
    "topk(1, a > 2)",
    "absent(a > 6)",
    "count(a > 3) == 2",
    "count(2 < a unless b > 1)",
    "(b > 1 or a) unless on (i) d >= 5",
    "sum by (i) (rate(a[5m]) > 0.01) > 0",
    "count(a > 1 + 2 * 0.5)",
    "count(a > (3))",
    "count(a > -(1))",
    "count(avg_over_time(a[5m]) > 3) > scalar(count(b)) - 2",
    "(a > 3 or b > 2) and on (i) count by (i) (a > 1) > 1",
    "sum(a) and on () (count(b > 3) > 0)",
    "label_replace(a > 4, \"k\", \"$1\", \"i\", \"(.*)\")",
    "count(a > 3 and a offset 5m < 6)",
    "min(a > 2) < 5",
};

static const char *const plain[] = {
    "a > 5",
    "a < 1 or b == 3",
    "a > 4 or b > 5",
    "a >= 2 unless b",
    "max by (i) (a > 4)",
    "absent(nothing)",
    "a > clamp(b, 1, 9)",
    "a == 3",
    "rate(a[5m]) > 0.01 and on (i) d > 1",
};

static void load(struct fake_source *fake, struct rng *rng)
{
    static const char *const names[] = {
        "a{i=\"1\",j=\"1\"}", "a{i=\"1\",j=\"2\"}", "a{i=\"2\",j=\"1\"}", "b{i=\"1\",j=\"1\"}",
        "b{i=\"2\",j=\"1\"}", "b{i=\"2\",j=\"3\"}", "d{i=\"1\"}",         "d{i=\"2\"}",
    };

    *fake = (struct fake_source){0};
    for (size_t s = 0; s < sizeof(names) / sizeof(*names); s++) {
        const struct labels *labels = series_text_labels(names[s], &(const char *){NULL}, NULL);
        double value = 0;
        assert_non_null(labels);
        for (int i = 0; i < STEPS; i++) {
            switch (rng_below(rng, 24)) {
            case 0: value = NAN; break;
            case 1: value = INFINITY; break;
            case 2: value = sample_stale(); break;
            case 3:
            case 4: continue; /* lingers */
            case 5:
            case 6:
            case 7: value = (double)rng_below(rng, 9) - 1; break;
            case 8: value = (double)rng_below(rng, 1000000) / 100003; break;
            default: break;
            }
            fake_source_put(fake, labels, (int64_t)i * STEP_MS, value);
        }
        labels_unref(labels);
    }
}

static struct promql_expr *parse(struct arena *arena, const char *text)
{
    struct promql_expr *expr = NULL;
    struct err err = {0};

    if (promql_parse(arena, text, &expr, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return expr;
}

/* --- every threshold beside promql_eval() --- */

enum {
    N_THRESHOLDS = 7,
};
static const double thresholds[N_THRESHOLDS] = {-1, 0, 0.5, 2, 3, 3.3, 7};

struct seen {
    const struct promql_value *truth; /* of each threshold */
    size_t n_values[N_THRESHOLDS];
};

/* Names aside: an alert has none. */
static bool is_same(const struct labels *a, const struct labels *b)
{
    LABELS_BUILDER_AUTO struct labels_builder left = LABELS_BUILDER_INIT;
    LABELS_BUILDER_AUTO struct labels_builder right = LABELS_BUILDER_INIT;

    labels_builder_add_all(&left, a);
    labels_builder_delete(&left, LABEL_NAME);
    labels_builder_add_all(&right, b);
    labels_builder_delete(&right, LABEL_NAME);
    const struct labels *one = labels_builder_finish(&left);
    const struct labels *two = labels_builder_finish(&right);
    bool same = labels_equal(one, two);
    labels_unref(one);
    labels_unref(two);
    return same;
}

static bool is_there(const struct promql_value *truth, const struct labels *labels, int64_t t_ms)
{
    for (size_t s = 0; s < truth->n; s++)
        for (size_t i = 0; i < truth->series[s].n; i++)
            if (truth->series[s].t_ms[i] == t_ms && is_same(truth->series[s].labels, labels))
                return true;
    return false;
}

/* Each value is at a step at which the truth has its series, and there is one for each. */
static int look_at(void *arg,
                   size_t threshold,
                   const struct labels *labels,
                   uint32_t first,
                   const double *values,
                   size_t n,
                   struct err *reterr)
{
    struct seen *seen = arg;

    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i]))
            continue;
        assert_true(is_there(&seen->truth[threshold], labels, (int64_t)(first + i) * STEP_MS));
        seen->n_values[threshold]++;
    }
    return 0;
}

static void evaluate(struct fake_source *fake,
                     struct arena *arena,
                     const struct promql_expr *rule,
                     const struct split_choice *choice,
                     struct promql_value *ret_truth)
{
    const struct promql_query query = {.end_ms = (STEPS - 1) * STEP_MS, .step_ms = STEP_MS};
    struct source source = fake_source_of(fake);
    struct err err = {0};

    for (size_t j = 0; j < N_THRESHOLDS; j++) {
        STR_AUTO struct str text = STR_INIT(PROMQL_TEXT_MAX);
        split_text(rule, choice, thresholds[j], &text);
        char *kept = arena_strndup(arena, str_text(&text), text.len);
        if (promql_eval(parse(arena, kept), &source, &query, arena, &ret_truth[j], &err) != 0)
            fail_msg("%s: %s", kept, err.text);
    }
}

static void check_again(struct fake_source *fake,
                        const struct promql_expr *rule,
                        const struct split_choice *choice,
                        struct rng *rng)
{
    ARENA_AUTO struct arena arena;
    struct promql_value truth[N_THRESHOLDS];
    const struct tune_again again = {rule, choice, thresholds, N_THRESHOLDS};
    const struct tune_span span = {0, STEP_MS, STEPS};
    struct source source = fake_source_of(fake);
    struct err err = {0};

    arena_init(&arena, ARENA_BYTES);
    evaluate(fake, &arena, rule, choice, truth);
    for (int way = 0; way < 3; way++) {
        struct reading_source over = {.source = &source,
                                      .query_bytes = way == 2 ? 24 << 10 : ARENA_BYTES,
                                      .piece_steps = 1 + rng_below(rng, STEPS)};
        struct tune_reader reader = reading_of_source(&over);
        struct seen seen = {.truth = truth};
        if (way == 1)
            reader.read_again = NULL; /* asked for each */
        row("%s by %g, way %d, pieces of %zu", rule->text, choice->now, way, over.piece_steps);
        if (reading_again(&reader, &again, &span, look_at, &seen, &err) != 0)
            fail_msg("%s", err.text);
        for (size_t j = 0; j < N_THRESHOLDS; j++) {
            size_t n = 0;
            for (size_t s = 0; s < truth[j].n; s++)
                n += truth[j].series[s].n;
            row("... at %g", thresholds[j]);
            assert_int_equal(seen.n_values[j], n);
        }
    }
}

static void test_each_threshold_is_the_rule_with_it(void **state)
{
    struct rng rng = {rng_os_seed()};
    size_t n_again = 0;

    for (int round = 0; round < ROUNDS; round++) {
        struct fake_source fake;

        row("seed %llu", (unsigned long long)rng.state);
        load(&fake, &rng);
        for (size_t i = 0; i < sizeof(within) / sizeof(*within); i++) {
            ARENA_AUTO struct arena arena;
            struct split_choice *choices = NULL;
            size_t n = 0;

            arena_init(&arena, ARENA_BYTES);
            const struct promql_expr *rule = parse(&arena, within[i]);
            assert_int_equal(split_expr(rule, &arena, &choices, &n, NULL), 0);
            for (size_t k = 0; k < n; k++)
                if (choices[k].way == SPLIT_AGAIN) {
                    check_again(&fake, rule, &choices[k], &rng);
                    n_again++;
                }
        }
        fake_source_done(&fake);
    }
    assert_true(n_again > ROUNDS * 20);
}

/* --- the whole --- */

static void check_run(struct fake_source *fake, const char *text, struct rng *rng)
{
    ARENA_AUTO struct arena arena;
    struct tune_incident incidents[2] = {{100 * STEP_MS, 120 * STEP_MS, "first", NULL, 0},
                                         {200 * STEP_MS, 203 * STEP_MS, "second", NULL, 0}};
    struct source source = fake_source_of(fake);
    struct err err = {0};

    arena_init(&arena, ARENA_BYTES);
    struct rule rule = {.is_alert = true, .name = "Rule", .expr_text = text};
    rule.expr = parse(&arena, text);
    rule.keep_firing_for_ms = (int64_t)rng_below(rng, 3) * STEP_MS;
    for (size_t choice = 0;; choice++) {
        struct reading_source over = {.source = &source,
                                      .query_bytes = ARENA_BYTES,
                                      .piece_steps = 1 + rng_below(rng, STEPS)};
        const struct tune_reader reader = reading_of_source(&over);
        const struct tune_ask ask = {.rule = &rule,
                                     .interval_ms = STEP_MS,
                                     .from_ms = 70 * STEP_MS,
                                     .to_ms = (STEPS - 1) * STEP_MS,
                                     .choice = choice,
                                     .for_ms = (int64_t)rng_below(rng, 4) * STEP_MS,
                                     .whens = incidents,
                                     .n_incidents = 2};
        struct tune_result result;
        row("%s, choice %zu, pieces of %zu", text, choice, over.piece_steps);
        int r = tune_run(&reader, &ask, &result, &err);
        bool is_last = choice + 1 >= result.n_choices;
        if (r != 0)
            fail_msg("%s", err.text);
        bool is_factor = result.choice->way == SPLIT_TOGETHER ||
                         result.choice->way == SPLIT_VECTORS;
        if (!is_factor && !tune_truth_check(&source, &ask, &result, 7, &err))
            fail_msg("%s", err.text);
        tune_result_done(&result);
        if (is_last)
            break;
    }
}

static void test_each_cell_is_the_rule_with_that_setting(void **state)
{
    struct rng rng = {rng_os_seed()};
    struct fake_source fake;

    row("seed %llu", (unsigned long long)rng.state);
    load(&fake, &rng);
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
        check_run(&fake, plain[i], &rng);
    for (size_t i = 0; i < sizeof(within) / sizeof(*within); i++)
        check_run(&fake, within[i], &rng);
    fake_source_done(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_threshold_is_the_rule_with_it),
        cmocka_unit_test(test_each_cell_is_the_rule_with_that_setting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
