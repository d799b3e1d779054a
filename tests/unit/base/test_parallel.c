/*
 * Pieces of work by several threads: each is done once, whatever the numbers are.
 */

#include <stdatomic.h>

#include "lib/base/parallel.h"
#include "tests/lib/row.h"

enum {
    PIECES_MAX = 1000
};

struct tally {
    atomic_int done[PIECES_MAX];
};

static void count(void *context, size_t index)
{
    struct tally *tally = context;

    atomic_fetch_add(&tally->done[index], 1);
}

static void test_each_piece_once(void **state)
{
    static const struct {
        size_t n;
        unsigned workers;
    } rows[] = {{0, 4}, {1, 4}, {3, 8}, {PIECES_MAX, 1}, {PIECES_MAX, 0}, {PIECES_MAX, 7}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct tally tally = {0};

        row("%zu pieces, %u workers", rows[i].n, rows[i].workers);
        parallel_each(rows[i].n, rows[i].workers, count, &tally);
        for (size_t k = 0; k < PIECES_MAX; k++)
            assert_int_equal(atomic_load(&tally.done[k]), k < rows[i].n);
    }
}

static void test_how_many_workers(void **state)
{
    assert_int_equal(parallel_workers(3), 3);
    assert_int_equal(parallel_workers(100000), PARALLEL_WORKERS_MAX);
    assert_true(parallel_workers(0) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_piece_once),
        cmocka_unit_test(test_how_many_workers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
