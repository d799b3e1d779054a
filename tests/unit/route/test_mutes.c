/*
 * Silences and inhibition: tables, and both against code that tries everything.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/inhibit.h"
#include "alertd/route/silence.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

enum {
    N_NAMES = 5,
    N_VALUES = 4,
    N_SILENCES = 1000,
    N_ALERTS = 2000,
};

static const char *const names[N_NAMES] = {"alertname", "team", "host", "env", "severity"};
static const char *const values[N_VALUES] = {"a", "b", "c", ""};
static const char *const patterns[] = {"a|b", ".*", "[^a]+", ""};

static const struct labels *random_labels(struct rng *rng)
{
    struct label pairs[N_NAMES];

    for (size_t i = 0; i < N_NAMES; i++)
        pairs[i] = (struct label){names[i], values[rng_below(rng, N_VALUES)]};
    return labels_new(pairs, N_NAMES);
}

static void random_matcher(struct rng *rng, struct matcher *ret_matcher)
{
    enum matcher_type type = (enum matcher_type)rng_below(rng, 4);
    bool is_pattern = type == MATCHER_REGEX || type == MATCHER_NOT_REGEX;
    const char *value = is_pattern ? patterns[rng_below(rng, 4)] : values[rng_below(rng, N_VALUES)];

    assert_int_equal(matcher_init(ret_matcher, type, names[rng_below(rng, N_NAMES)], value, NULL),
                     0);
}

/* --- Silences -------------------------------------------------------------------------------- */

struct made {
    struct silence silences[N_SILENCES];
    struct silence_matchers sets[N_SILENCES * 2];
    struct matcher matchers[N_SILENCES * 6];
    size_t n_sets, n_matchers;
};

static void make_silences(struct rng *rng, struct made *made)
{
    for (size_t i = 0; i < N_SILENCES; i++) {
        struct silence *silence = &made->silences[i];

        silence->id = "id";
        silence->sets = &made->sets[made->n_sets];
        silence->n_sets = 1 + rng_below(rng, 2);
        silence->starts_at_ms = (int64_t)rng_below(rng, 100);
        silence->ends_at_ms = silence->starts_at_ms + (int64_t)rng_below(rng, 100);
        for (size_t j = 0; j < silence->n_sets; j++) {
            struct silence_matchers *set = &made->sets[made->n_sets++];

            set->at = &made->matchers[made->n_matchers];
            set->n = 1 + rng_below(rng, 3);
            for (size_t k = 0; k < set->n; k++)
                random_matcher(rng, &made->matchers[made->n_matchers++]);
        }
    }
}

/* Every matcher of every set of every silence, by the definition. */
static bool mutes(const struct silence *silence, const struct labels *alert, int64_t now_ms)
{
    bool matches = false;

    for (size_t i = 0; i < silence->n_sets; i++) {
        bool all = true;

        for (size_t j = 0; j < silence->sets[i].n; j++) {
            const char *value = labels_get(alert, silence->sets[i].at[j].name);

            all = all && matcher_matches(&silence->sets[i].at[j], value ? value : "");
        }
        matches = matches || all;
    }
    return matches && silence->starts_at_ms <= now_ms && now_ms < silence->ends_at_ms;
}

static void test_silences_against_trying_all(void **state)
{
    MEM_AUTO struct made *made = mem_zalloc(sizeof(*made));
    MEM_AUTO const struct silence **found = mem_alloc(N_SILENCES * sizeof(*found));
    struct rng rng = {7};
    struct silences *silences;
    size_t n_muted = 0;
    size_t n_told = 0;

    (void)state;
    make_silences(&rng, made);
    silences = silences_new(made->silences, N_SILENCES);
    for (size_t i = 0; i < N_ALERTS; i++) {
        const struct labels *alert = random_labels(&rng);
        int64_t now_ms = (int64_t)rng_below(&rng, 220);
        size_t n = silences_find(silences, alert, now_ms, found, N_SILENCES);
        size_t at = 0;
        const struct silence *first = NULL;

        for (size_t j = 0; j < N_SILENCES; j++)
            if (mutes(&made->silences[j], alert, now_ms)) {
                assert_true(at < n && found[at] == &made->silences[j]);
                at++;
            }
        assert_int_equal(at, n);
        assert_int_equal(silences_find(silences, alert, now_ms, &first, 1), n);
        assert_true(n == 0 || first == found[0]);
        n_muted += n > 0;
        n_told += n == 0;
        labels_unref(alert);
    }
    row("%zu muted, %zu told", n_muted, n_told);
    assert_true(n_muted > 100 && n_told > 100);
    silences_free(silences);
    for (size_t i = 0; i < made->n_matchers; i++)
        matcher_done(&made->matchers[i]);
}

static void test_a_silence_begins_and_ends(void **state)
{
    const struct silence silence = {.id = "x", .starts_at_ms = 10, .ends_at_ms = 20};

    (void)state;
    assert_int_equal(silence_state(&silence, 9), SILENCE_PENDING);
    assert_int_equal(silence_state(&silence, 10), SILENCE_ACTIVE);
    assert_int_equal(silence_state(&silence, 19), SILENCE_ACTIVE);
    assert_int_equal(silence_state(&silence, 20), SILENCE_EXPIRED);
    row("one without matchers mutes nothing");
    assert_false(silence_matches(&silence, labels_empty()));
}

/* --- Inhibition ------------------------------------------------------------------------------ */

static const char rules[] =
    "receivers: [{name: r}]\n"
    "route: {receiver: r}\n"
    "inhibit_rules:\n"
    "- {source_matchers: [severity=a], target_matchers: [severity=b], equal: [host]}\n"
    "- {source_matchers: [team=a], target_matchers: ['team=~\"a|b\"'], equal: [host, env]}\n"
    "- {source_matchers: ['alertname!=c', env=a], target_matchers: [alertname=c]}\n";

static const struct route_config *read_rules(void)
{
    const struct route_config *config = NULL;
    struct err err = {0};

    if (route_config_parse(rules, strlen(rules), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return config;
}

struct source {
    const struct labels *labels;
    int64_t ends_at_ms;
};

static const char *value_of(const struct labels *labels, const char *name)
{
    const char *value = labels_get(labels, name);

    return value ? value : "";
}

static bool inhibits(const struct route_inhibit_rule *rule,
                     const struct labels *source,
                     const struct labels *target)
{
    bool target_is_source = matchers_match(rule->sources, rule->n_sources, target);
    bool source_is_target = matchers_match(rule->targets, rule->n_targets, source);

    if (!matchers_match(rule->sources, rule->n_sources, source) ||
        !matchers_match(rule->targets, rule->n_targets, target) ||
        (target_is_source && source_is_target))
        return false;
    for (size_t i = 0; i < rule->equal.n; i++)
        if (strcmp(value_of(source, rule->equal.at[i]), value_of(target, rule->equal.at[i])) != 0)
            return false;
    return true;
}

static bool any_inhibits(const struct route_config *config,
                         const struct source *sources,
                         size_t n,
                         const struct labels *target,
                         int64_t now_ms)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < config->n_inhibit_rules; j++)
            if (sources[i].ends_at_ms > now_ms &&
                inhibits(&config->inhibit_rules[j], sources[i].labels, target))
                return true;
    return false;
}

/* Remembers the alert's newest end, as the inhibitor does. */
static size_t remember(struct source *sources,
                       size_t n,
                       const struct labels *labels,
                       int64_t end_ms)
{
    for (size_t i = 0; i < n; i++)
        if (labels_equal(sources[i].labels, labels)) {
            sources[i].ends_at_ms = end_ms;
            return n;
        }
    sources[n] = (struct source){labels_ref(labels), end_ms};
    return n + 1;
}

static void test_inhibition_against_trying_all(void **state)
{
    const struct route_config *config = read_rules();
    size_t n_inhibited = 0;
    size_t n_told = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct inhibitor *inhibitor = inhibitor_new(config);
        struct source sources[60];
        struct rng rng = {seed};
        size_t n = 0;

        for (int64_t now_ms = 0; now_ms < 60; now_ms++) {
            const struct labels *alert = random_labels(&rng);
            int64_t end_ms = now_ms + (int64_t)rng_below(&rng, 12);
            const struct labels *target = random_labels(&rng);

            inhibitor_put(inhibitor, alert, end_ms);
            n = remember(sources, n, alert, end_ms);
            if (rng_below(&rng, 5) == 0)
                inhibitor_prune(inhibitor, now_ms);

            struct inhibition got = inhibitor_check(inhibitor, target, now_ms);
            bool expected = any_inhibits(config, sources, n, target, now_ms);

            row("seed %d, at %d", (int)seed, (int)now_ms);
            assert_int_equal(got.source != NULL, expected);
            assert_true(!got.source || inhibits(got.rule, got.source, target));
            n_inhibited += expected;
            n_told += !expected;
            labels_unref(alert);
            labels_unref(target);
        }
        for (size_t i = 0; i < n; i++)
            labels_unref(sources[i].labels);
        inhibitor_free(inhibitor);
    }
    assert_true(n_inhibited > 100 && n_told > 100);
    route_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silences_against_trying_all),
        cmocka_unit_test(test_a_silence_begins_and_ends),
        cmocka_unit_test(test_inhibition_against_trying_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
