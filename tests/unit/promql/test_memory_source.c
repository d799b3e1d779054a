/*
 * Samples in memory: what is appended is selected, by matchers and by time.
 */

#include <stdio.h>

#include "alertd/promql/memory_source.h"
#include "tests/lib/row.h"

static const struct labels *numbered(int i)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", i);
    const struct label pairs[] = {{LABEL_NAME, i % 2 ? "odd" : "even"}, {"i", text}};
    return labels_new(pairs, 2);
}

static void fill(struct memory_source *memory, int n_series, int n_samples)
{
    for (int t = 0; t < n_samples; t++)
        for (int i = 0; i < n_series; i++) {
            const struct labels *labels = numbered(i);

            memory_source_add(memory, labels, t * 1000, i + t / 100.0);
            labels_unref(labels);
        }
}

static void test_select(void **state)
{
    struct memory_source memory = {0};
    const struct source source = memory_source_of(&memory);
    struct source_result found;
    struct matcher odd;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1 << 20);
    fill(&memory, 300, 10); /* more series than the first table holds */
    assert_int_equal(matcher_init(&odd, MATCHER_EQUAL, LABEL_NAME, "odd", NULL), 0);
    assert_int_equal(source_read_all(&source, &(struct source_query){&odd, 1, 2000, 5000, false},
                                     10000, &arena, &found, NULL),
                     0);
    assert_int_equal(found.n, 150);
    assert_int_equal(found.n_samples, 600);
    assert_int_equal(found.series[0].n, 4);
    assert_int_equal(found.series[0].t_ms[0], 2000);
    assert_true(found.series[0].values[3] == 1.05);
    assert_int_equal(source_read_all(&source, &(struct source_query){&odd, 1, 20000, 50000, false},
                                     10000, &arena, &found, NULL),
                     0);
    assert_int_equal(found.n, 0);
    assert_int_equal(source_read_all(&source,
                                     &(struct source_query){&odd, 1, INT64_MIN, INT64_MAX, false},
                                     1499, &arena, &found, NULL),
                     SOURCE_E_LIMIT);
    arena_reset(&arena);
    arena.limit = 100;
    assert_int_equal(source_read_all(&source, &(struct source_query){&odd, 1, 0, 1, false}, 10000,
                                     &arena, &found, NULL),
                     SOURCE_E_LIMIT);
    matcher_done(&odd);
    memory_source_done(&memory);
}

static void test_the_same_time_again(void **state)
{
    struct memory_source memory = {0};
    const struct source source = memory_source_of(&memory);
    struct source_result found;
    ARENA_AUTO struct arena arena;
    const struct labels *labels = numbered(1);

    arena_init(&arena, 1 << 20);
    memory_source_add(&memory, labels, 1000, 1);
    memory_source_add(&memory, labels, 1000, 2);
    memory_source_add(&memory, labels, 500, 3);
    labels_unref(labels);
    assert_int_equal(source_read_all(&source, &(struct source_query){NULL, 0, 0, 5000, false}, 10,
                                     &arena, &found, NULL),
                     0);
    assert_int_equal(found.n_samples, 1);
    assert_true(found.series[0].values[0] == 2);
    memory_source_done(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_the_same_time_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
