/*
 * The index by itself: what matchers find, beside asking every series; label sets that come
 * back; a sweep; and series told by their numbers, through the store.
 */

#include "alertd/store/index.h"
#include "alertd/store/search.h"
#include "alertd/store/segment.h"
#include "lib/base/rng.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

enum {
    SERIES = 600,
    MANY = 1300, /* more than a sweep waits for */
};

static struct segment alive; /* stands for something in memory */

/* Some labels of a few names with a few values, m{n="<i>"} among them so that no two are alike. */
static const struct labels *random_labels(struct rng *rng, int i)
{
    static const char *const names[] = {"a", "b", "job", "zone"};
    static const char *const values[] = {"", "x", "xy", "y", "10"};
    char number[16];
    struct label pairs[6] = {{LABEL_NAME, i % 3 ? "m" : "other"}, {"n", number}};

    (void)snprintf(number, sizeof(number), "%d", i);
    for (size_t k = 0; k < 4; k++)
        pairs[2 + k] = (struct label){names[k], values[rng_below(rng, 5)]};
    return labels_new(pairs, 6);
}

static void fill(struct index *index, const struct labels **labels)
{
    struct rng rng = {7};

    index_init(index);
    for (int i = 0; i < SERIES; i++) {
        labels[i] = random_labels(&rng, i);
        assert_null(index_find(index, labels[i]));
        index_add(index, labels[i])->segments = i % 4 ? &alive : NULL;
    }
}

static void done(struct index *index, const struct labels **labels)
{
    for (int i = 0; i < SERIES; i++)
        labels_unref(labels[i]);
    index_done(index);
}

static void check_select(const struct index *index,
                         const struct labels *const *labels,
                         const struct matcher *matchers,
                         size_t n_matchers)
{
    struct search search = {.matchers = matchers, .n_matchers = n_matchers};
    size_t k = 0;

    while (search_step(&search, index))
        search_rest(&search);

    for (int i = 0; i < SERIES; i++) {
        const struct series *series = index_find(index, labels[i]);

        if (!series || !matchers_match(matchers, n_matchers, labels[i]))
            continue;
        assert_true(k < search.n && search.found[k] == series); /* in the order they came */
        k++;
    }
    assert_int_equal(k, search.n);
    search_done(&search);
}

static void check_matchers(const struct index *index, const struct labels *const *labels)
{
    static const struct {
        enum matcher_type type;
        const char *name, *value;
    } rows[] = {
        {MATCHER_EQUAL, LABEL_NAME, "m"},   {MATCHER_EQUAL, "job", "x"},
        {MATCHER_EQUAL, "job", ""},         {MATCHER_EQUAL, "job", "nowhere"},
        {MATCHER_EQUAL, "nowhere", "x"},    {MATCHER_EQUAL, "nowhere", ""},
        {MATCHER_NOT_EQUAL, "a", "x"},      {MATCHER_NOT_EQUAL, "a", ""},
        {MATCHER_NOT_EQUAL, "nowhere", ""}, {MATCHER_REGEX, "b", "x.*"},
        {MATCHER_REGEX, "b", "|10"},        {MATCHER_REGEX, "zone", ".+"},
        {MATCHER_NOT_REGEX, "zone", "x|y"}, {MATCHER_NOT_REGEX, "nowhere", "x"},
    };
    enum {
        N = sizeof(rows) / sizeof(rows[0])
    };
    struct matcher all[N];

    for (size_t i = 0; i < N; i++)
        assert_int_equal(matcher_init(&all[i], rows[i].type, rows[i].name, rows[i].value, NULL), 0);
    check_select(index, labels, NULL, 0);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < N; k++)
            check_select(index, labels, (struct matcher[]){all[i], all[k], all[(i + k) % N]},
                         1 + (i + k) % 3);
    for (size_t i = 0; i < N; i++)
        matcher_done(&all[i]);
}

static void test_what_matchers_find(void **state)
{
    const struct labels *labels[SERIES];
    struct index index;

    fill(&index, labels);
    check_matchers(&index, labels);
    index_sweep(&index);
    check_matchers(&index, labels);
    done(&index, labels);
}

static void test_label_sets_come_back(void **state)
{
    const struct labels *labels[SERIES];
    const struct labels *back[SERIES];
    struct index index;
    struct arena arena;

    fill(&index, labels);
    arena_init(&arena, 1 << 20);
    struct texts *texts = texts_ref(index.texts);
    for (int i = 0; i < SERIES; i++) {
        back[i] = index_labels(&index, index_find(&index, labels[i]), &arena);
        assert_non_null(back[i]);
    }
    index_sweep(&index); /* their texts stay */
    for (int i = 0; i < SERIES; i++)
        assert_true(labels_equal(back[i], labels[i]));
    texts_unref(texts);
    arena_reset(&arena);
    arena_init(&arena, 64);
    assert_null(index_labels(&index, index_find(&index, labels[1]), &arena)); /* spent */
    done(&index, labels);
}

static void test_a_sweep_keeps_numbers(void **state)
{
    const struct labels *labels[SERIES];
    struct index index;
    uint32_t numbers[SERIES];

    fill(&index, labels);
    for (int i = 0; i < SERIES; i++)
        numbers[i] = index_find(&index, labels[i])->number;
    index_sweep(&index);
    assert_int_equal(index.n, SERIES - SERIES / 4);
    for (uint32_t i = 0; i < SERIES; i++) {
        struct series *series = index_find(&index, labels[i]);

        assert_true((series != NULL) == (i % 4 != 0));
        assert_ptr_equal(index_at(&index, numbers[i], i), series); /* an old place */
        if (series)
            assert_ptr_equal(index_at(&index, numbers[i], series->place), series);
    }
    assert_null(index_at(&index, 0, 0));
    assert_null(index_at(&index, UINT32_MAX, UINT32_MAX));
    assert_true(index_add(&index, labels[0])->number > numbers[SERIES - 1]); /* nobody's before */
    done(&index, labels);
}

/* One sample of series i, by its labels or by its number. */
static int push_one(struct fixture *fixture,
                    int i,
                    int64_t t_ms,
                    struct store_series *series,
                    bool internal,
                    struct store_outcome *ret_outcome)
{
    const struct labels *labels = series->number ? NULL : series_of(i);
    const struct sample sample = {t_ms, i};
    const struct store_entry entry = {labels, &sample, 1, *series};
    const struct store_batch batch = {
        .entries = &entry, .n = 1, .internal = internal, .ret_series = series};
    int r = store_append(fixture->store, &batch, ret_outcome, NULL);

    labels_unref(labels);
    return r;
}

static void test_samples_by_number(void **state)
{
    struct store_series series[3] = {{0}};
    struct store_outcome outcome;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    for (int i = 0; i < 3; i++)
        assert_int_equal(push_one(&fixture, i, NOON, &series[i], false, &outcome), 0);
    assert_true(series[0].number && series[1].number > series[0].number);
    fixture_now_ms = NOON + DAY;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(push_one(&fixture, i, NOON + DAY, &series[i], false, &outcome), 0);
        assert_int_equal(outcome.stored, 1); /* in a day the series was not in */
        assert_int_equal(push_one(&fixture, i, NOON + DAY, &series[i], false, &outcome), 0);
        assert_int_equal(outcome.duplicate, 1);
    }
    assert_int_equal(push_one(&fixture, 1, NOON - 2 * DAY, &series[1], false, &outcome), 0);
    assert_int_equal(outcome.rejected_too_old, 1);
    assert_string_equal(
        outcome.first_rejection,
        "too old (more than 24 h): m{i=\"1\", job=\"test\"} at 2023-11-13T12:00:00.000Z");
    expect(&fixture, 1, -DAY, 2 * DAY, "1@0 1@86400000");
    fixture_done(&fixture);
}

static void test_a_number_that_is_no_more(void **state)
{
    struct store_series first = {0};
    struct store_outcome outcome;
    struct fixture fixture;

    fixture_init(&fixture, 2 * DAY);
    assert_int_equal(push_one(&fixture, 0, NOON, &first, false, &outcome), 0);
    for (int i = 1; i < MANY; i++)
        assert_int_equal(push_one(&fixture, i, NOON, &(struct store_series){0}, false, &outcome),
                         0);
    fixture_now_ms = NOON + 4 * DAY;
    assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0); /* all are gone */
    struct store_series again = {0};
    assert_int_equal(push_one(&fixture, 1, fixture_now_ms, &again, false, &outcome), 0);
    assert_int_equal(push_one(&fixture, 0, fixture_now_ms, &first, false, &outcome),
                     STORE_E_UNKNOWN);
    assert_int_equal(push_one(&fixture, 0, fixture_now_ms, &first, true, &outcome), 0);
    assert_int_equal(outcome.stored, 0);
    assert_int_equal(push_one(&fixture, 1, fixture_now_ms + 1, &again, false, &outcome), 0);
    expect(&fixture, 0, 0, 5 * DAY, "");
    expect(&fixture, 1, 0, 5 * DAY, "1@345600000 1@345600001");
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_matchers_find),
        cmocka_unit_test(test_label_sets_come_back),
        cmocka_unit_test(test_a_sweep_keeps_numbers),
        cmocka_unit_test(test_samples_by_number),
        cmocka_unit_test(test_a_number_that_is_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
