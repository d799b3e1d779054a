/*
 * Timelines that are kept: found by their stamp alone, replaced by newer ones of their incident,
 * alive as long as somebody has rows of them.
 */

#include <string.h>

#include "alertd/db/folds.h"
#include "tests/lib/row.h"

static const struct timeline_event events[] = {
    {.id = 1, .kind = "alert.firing", .event_class = "machine", .text = "fires", .data = "{}"},
    {.id = 2, .kind = "human.note", .event_class = "human", .text = "seen", .data = "{}"},
};

static struct fold_stamp stamp_of(int64_t incident_id, int64_t n_events, int64_t n_revs)
{
    return (struct fold_stamp){incident_id, n_events, n_events, n_revs, n_revs};
}

/* A fold of the events, whose rows lend from its own arena. */
static struct fold *made(const struct fold_stamp *stamp)
{
    struct fold *fold = fold_new(stamp);

    fold->n = 2;
    assert_int_equal(record_fold(&fold->arena, events, 2, NULL, 0, &fold->rows, NULL), 0);
    return fold;
}

static void keep(struct folds *folds, const struct fold_stamp *stamp)
{
    struct fold *fold = made(stamp);

    folds_keep(folds, fold);
    fold_unref(fold);
}

static bool is_kept(struct folds *folds, const struct fold_stamp *stamp)
{
    struct fold *fold = folds_find(folds, stamp);

    fold_unref(fold);
    return fold != NULL;
}

static void test_only_its_own_stamp_finds_it(void **state)
{
    const struct fold_stamp asked = stamp_of(7, 2, 0);
    const struct fold_stamp others[] = {
        stamp_of(8, 2, 0), stamp_of(7, 3, 0), stamp_of(7, 2, 1), {7, 2, 9, 0, 0}, {7, 2, 2, 0, 9},
    };
    struct folds folds;

    folds_init(&folds);
    assert_false(is_kept(&folds, &asked));
    keep(&folds, &asked);
    assert_true(is_kept(&folds, &asked));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(is_kept(&folds, &others[i]));
    folds_done(&folds);
}

static void test_a_newer_one_takes_its_place_and_the_least_asked_for_goes(void **state)
{
    const struct fold_stamp old = stamp_of(1, 2, 0);
    const struct fold_stamp newer = stamp_of(1, 3, 0);
    struct folds folds;

    folds_init(&folds);
    keep(&folds, &old);
    keep(&folds, &newer);
    assert_false(is_kept(&folds, &old));
    for (int64_t id = 2; id <= FOLDS_MAX; id++) {
        const struct fold_stamp stamp = stamp_of(id, 2, 0);

        keep(&folds, &stamp);
    }
    assert_true(
        is_kept(&folds, &newer)); /* asked for: 2 is now the one that nobody wanted longest */
    const struct fold_stamp another = stamp_of(99, 2, 0);
    const struct fold_stamp second = stamp_of(2, 2, 0);

    keep(&folds, &another);
    assert_true(is_kept(&folds, &newer));
    assert_false(is_kept(&folds, &second));
    folds_done(&folds);
}

static void test_rows_outlive_their_place(void **state)
{
    const struct fold_stamp stamp = stamp_of(1, 2, 0);
    const struct fold_stamp newer = stamp_of(1, 3, 0);
    struct record_event *rows = NULL;
    ARENA_AUTO struct arena arena;
    struct folds folds;

    arena_init(&arena, 65536);
    folds_init(&folds);
    keep(&folds, &stamp);
    assert_true(fold_lend(folds_find(&folds, &stamp), &arena, &rows));
    rows[0].pinned = true; /* rows are the caller's own */
    keep(&folds, &newer);
    folds_done(&folds);
    assert_string_equal(rows[1].event->text, "seen");
}

static void test_a_spent_arena_is_told(void **state)
{
    const struct fold_stamp stamp = stamp_of(1, 2, 0);
    struct record_event *rows = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 16);
    assert_false(fold_lend(made(&stamp), &arena, &rows));
    assert_null(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_its_own_stamp_finds_it),
        cmocka_unit_test(test_a_newer_one_takes_its_place_and_the_least_asked_for_goes),
        cmocka_unit_test(test_rows_outlive_their_place),
        cmocka_unit_test(test_a_spent_arena_is_told),
    };

    return cmocka_run_group_tests_name("folds", tests, NULL, NULL);
}
