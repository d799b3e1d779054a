/*
 * A rule taken apart: which way it goes, what is evaluated, and that at every threshold the
 * values pass it just where the rule with that threshold has a result.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/tune/split.h"
#include "lib/base/rng.h"
#include "lib/base/str.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 15000,
    STEPS = 60,
    ARENA_BYTES = 64 << 20,
};

static const struct {
    const char *rule, *way, *expr; /* of the first choice; expr NULL: not looked at */
} table[] = {
    {"a > 5", "one", "(a)"},
    {"5 < a", "one", "(a)"},
    {"a >= 2.5", "one", "(a)"},
    {"a < -1", "one", "(a)"},
    {"a <= 1 + 2 * 0.5", "one", "(a)"},
    {"(sum by (i) (a) / sum by (i) (b)) > 0.5", "one", "((sum by (i) (a) / sum by (i) (b)))"},
    {"a > 5 and b == 3", "one", "((a)) and b == 3"},
    {"a > 5 and on (i) d > 0", "one", "((a)) and on (i) d > 0"},
    {"a > 5 unless b", "one", "((a)) unless b"},
    {"b > 0 and a > 4", "one", "((a)) and (b > 0)"},
    {"b == 1 and (a > 4 unless b > 6)", "one", NULL},
    {"b == 1 or a > 4", "one", "(b == 1) ^ 0 * Inf or ((a))"},
    {"a < 1 or b == 3", "one", "(b == 3) ^ 0 * -Inf or ((a))"},
    {"(a > 4 or b == 1) and b != 2", "one", NULL},
    {"max by (i) (a > 4)", "one", "max by (i) ((a))"},
    {"min by (i) (a < 4 and b != 3)", "one", NULL},
    {"max by (i) (b == 2 or a > 3)", "one", NULL},
    {"count by (i) (a > 3) > 1", "one", "(count by (i) (a > 3))"},
    {"rate(a[1m]) > 0", "one", "(rate(a[1m]))"},
    {"a > clamp(b, 1, 9)", "vectors", "(a) / ((clamp(b, 1, 9)) > 0)"},
    {"a < on (i, j) clamp(b, 1, 9)", "vectors", NULL},
    {"a > on (i) group_left () clamp(d, 1, 9)", "vectors", NULL},
    {"a > on (i) group_left clamp(d, 1, 9)", "vectors", NULL},
    {"b > 1 and a > 3", "together", NULL},
    {"b > 1 and a > 3 and a > 2", "together", NULL},
    {"(b > 1 and a > 3) or a > 6", "together", NULL},
    {"b < 6 and a < 3", "together", NULL},
    {"b < 2 or a < 3", "together", NULL},
    {"max by (i) (a > 2) and max by (i) (b > 3)", "together", NULL},
    {"a > 2 or b > 3", "together", NULL},
    {"a == 3", "presence", "a == 3"},
    {"absent(nothing)", "presence", "absent(nothing)"},
    {"a > bool 3", "presence", "a > bool 3"},
    {"a", "presence", "a"},
    {"vector(1) > 0", "one", NULL},
    {"count(a > 3)", "again", NULL},
    {"sum by (i) (a > 3)", "again", NULL},
    {"b unless on (i) (a > 3)", "again", NULL},
    {"b and on (i) (d > 3)", "again", NULL},
    {"min by (i) (a > 3)", "again", NULL},
};

/* --- data --- */

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
            switch (rng_below(rng, 16)) {
            case 0: value = NAN; break;
            case 1: value = INFINITY; break;
            case 2: value = -INFINITY; break;
            case 3: value = sample_stale(); break;
            case 4:
            case 5:
            case 6: value = (double)rng_below(rng, 9) - 1; break;
            case 7: value = (double)rng_below(rng, 100) / 10; break;
            default: break;
            }
            fake_source_put(fake, labels, i * STEP_MS, value);
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

static struct promql_value evaluate(struct fake_source *fake, struct arena *arena, const char *text)
{
    const struct promql_query query = {.end_ms = (STEPS - 1) * STEP_MS, .step_ms = STEP_MS};
    struct source source = fake_source_of(fake);
    struct promql_value value;
    struct err err = {0};

    if (promql_eval(parse(arena, text), &source, &query, arena, &value, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return value;
}

/* --- where something is, by labels without the name --- */

static bool is_same(const struct labels *a, const struct labels *b)
{
    size_t i = 0;
    size_t k = 0;

    for (;;) {
        while (i < a->n && strcmp(a->at[i].name, LABEL_NAME) == 0)
            i++;
        while (k < b->n && strcmp(b->at[k].name, LABEL_NAME) == 0)
            k++;
        if (i == a->n || k == b->n)
            return i == a->n && k == b->n;
        if (strcmp(a->at[i].name, b->at[k].name) != 0 ||
            strcmp(a->at[i].value, b->at[k].value) != 0)
            return false;
        i++;
        k++;
    }
}

static bool passes(enum surface_op op, double value, double threshold)
{
    switch (op) {
    case SURFACE_ABOVE: return value > threshold;
    case SURFACE_AT_LEAST: return value >= threshold;
    case SURFACE_BELOW: return value < threshold;
    default: return value <= threshold;
    }
}

/* The steps at which a series with these labels has a value (that passes). */
static uint64_t steps_of(const struct promql_value *value,
                         const struct labels *labels,
                         const struct split_choice *choice,
                         double threshold)
{
    uint64_t steps = 0;

    for (size_t s = 0; s < value->n; s++) {
        const struct promql_series *series = &value->series[s];
        for (size_t i = 0; is_same(series->labels, labels) && i < series->n; i++)
            if (!choice || choice->way == SPLIT_PRESENCE ||
                passes(choice->op, series->values[i], threshold))
                steps |= UINT64_C(1) << series->t_ms[i] / STEP_MS;
    }
    return steps;
}

static void check_threshold(struct fake_source *fake,
                            const struct promql_expr *rule,
                            const struct split_choice *choice,
                            double threshold)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str text = STR_INIT(PROMQL_TEXT_MAX);

    arena_init(&arena, ARENA_BYTES);
    split_text(rule, choice, threshold, &text);
    row("%s by %s at %g: %s | %s", rule->text, split_way_name(choice->way), threshold,
        str_text(&text), choice->expr);
    struct promql_value truth = evaluate(fake, &arena, str_text(&text));
    struct promql_value values = evaluate(fake, &arena, choice->expr);
    for (size_t s = 0; s < truth.n; s++)
        assert_int_equal(steps_of(&values, truth.series[s].labels, choice, threshold),
                         steps_of(&truth, truth.series[s].labels, NULL, 0));
    for (size_t s = 0; s < values.n; s++)
        assert_int_equal(steps_of(&values, values.series[s].labels, choice, threshold),
                         steps_of(&truth, values.series[s].labels, NULL, 0));
}

static void check_choice(struct fake_source *fake,
                         const struct promql_expr *rule,
                         const struct split_choice *choice)
{
    /* factors are powers of two, so that dividing and multiplying round alike */
    static const double thresholds[] = {-1, 0, 0.5, 2, 3.3, 8};
    static const double factors[] = {0.25, 0.5, 1, 2, 4};
    bool is_factor = choice->way == SPLIT_TOGETHER || choice->way == SPLIT_VECTORS;

    if (choice->way == SPLIT_AGAIN)
        return;
    check_threshold(fake, rule, choice, choice->now);
    if (is_factor)
        for (size_t i = 0; i < sizeof(factors) / sizeof(*factors); i++)
            check_threshold(fake, rule, choice, factors[i]);
    if (choice->way == SPLIT_ONE)
        for (size_t i = 0; i < sizeof(thresholds) / sizeof(*thresholds); i++)
            check_threshold(fake, rule, choice, thresholds[i]);
}

static void test_ways(void **state)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        ARENA_AUTO struct arena arena;
        struct split_choice *choices = NULL;
        size_t n = 0;

        arena_init(&arena, ARENA_BYTES);
        row("%s", table[i].rule);
        assert_int_equal(split_expr(parse(&arena, table[i].rule), &arena, &choices, &n, NULL), 0);
        assert_true(n > 0);
        row("... %s", choices[0].expr ? choices[0].expr : "(again)");
        assert_string_equal(split_way_name(choices[0].way), table[i].way);
        if (table[i].expr)
            assert_string_equal(choices[0].expr, table[i].expr);
        assert_string_equal(split_way_name(choices[n - 1].way), "presence");
    }
}

static void test_values_pass_where_the_rule_has_a_result(void **state)
{
    struct rng rng = {rng_os_seed()};

    for (int round = 0; round < 20; round++) {
        struct fake_source fake;

        row("seed %llu", (unsigned long long)rng.state);
        load(&fake, &rng);
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
            ARENA_AUTO struct arena arena;
            struct split_choice *choices = NULL;
            size_t n = 0;

            arena_init(&arena, ARENA_BYTES);
            const struct promql_expr *rule = parse(&arena, table[i].rule);
            assert_int_equal(split_expr(rule, &arena, &choices, &n, NULL), 0);
            for (size_t k = 0; k < n; k++)
                check_choice(&fake, rule, &choices[k]);
        }
        fake_source_done(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_values_pass_where_the_rule_has_a_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
