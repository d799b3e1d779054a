/*
 * A thread that does rounds: woken it looks again, stopped it ends, and a wake is told from the
 * end of a rest.
 */

#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/base/rounds.h"
#include "tests/lib/row.h"

enum {
    LONG_MS = 600 * 1000, /* nobody waits that long: a test that hangs has failed */
    SHORT_MS = 1,
};

struct walker {
    struct rounds rounds;
    int64_t rest_ms;
    atomic_int n_looks, n_woken;
};

static void *walk(void *arg)
{
    struct walker *walker = arg;
    bool is_woken = false;

    do {
        atomic_fetch_add(&walker->n_woken, is_woken);
        atomic_fetch_add(&walker->n_looks, 1);
    } while (!rounds_rest(&walker->rounds, walker->rest_ms, &is_woken));
    return NULL;
}

static void start(struct walker *walker, int64_t rest_ms)
{
    *walker = (struct walker){.rest_ms = rest_ms};
    assert_int_equal(rounds_start(&walker->rounds, "walker", walk, walker, NULL), 0);
}

static void wait_until(atomic_int *what, int n)
{
    while (atomic_load(what) < n)
        clock_sleep_ms(1);
}

static void test_life(void **state)
{
    struct walker walker;

    row("a look comes first; a stop ends a long rest");
    start(&walker, LONG_MS);
    wait_until(&walker.n_looks, 1);
    assert_false(rounds_stopping(&walker.rounds));
    rounds_stop(&walker.rounds);
    assert_int_equal(walker.n_looks, 1);

    row("a wake ends it too, and is told");
    start(&walker, LONG_MS);
    rounds_wake(&walker.rounds);
    wait_until(&walker.n_woken, 1);
    rounds_wake(&walker.rounds);
    wait_until(&walker.n_woken, 2);
    rounds_stop(&walker.rounds);
    assert_int_equal(walker.n_looks, 3);

    row("rests end by themselves, which is no wake");
    start(&walker, SHORT_MS);
    wait_until(&walker.n_looks, 5);
    rounds_stop(&walker.rounds);
    assert_int_equal(walker.n_woken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
