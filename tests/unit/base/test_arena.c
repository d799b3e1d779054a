/*
 * Memory with one lifetime and a ceiling.
 */

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/arena.h"
#include "tests/lib/row.h"

static void test_every_piece_is_aligned_zeroed_and_apart(void **state)
{
    ARENA_AUTO struct arena arena;
    unsigned char *pieces[200];

    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < 200; i++) {
        static const unsigned char zeros[200];
        unsigned char *piece = arena_alloc(&arena, i);

        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
        assert_memory_equal(piece, zeros, i);
        memset(piece, (int)i, i);
        pieces[i] = piece;
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t at = 0; at < i; at++)
            assert_int_equal(pieces[i][at], i);
}

static void test_the_limit_is_exact(void **state)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 96);
    assert_non_null(arena_alloc(&arena, 64));
    assert_null(arena_alloc(&arena, 33));
    assert_non_null(arena_alloc(&arena, 17)); /* takes 32 */
    assert_null(arena_alloc(&arena, 1));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 96));
}

static void test_sizes_that_overflow_are_refused(void **state)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_strndup(&arena, "x", SIZE_MAX));
    assert_string_equal(arena_strndup(&arena, "firing, still", 6), "firing");
}

static void count_down(void *object)
{
    (*(int *)object)--;
}

static void test_farewells_are_called_once(void **state)
{
    ARENA_AUTO struct arena arena;
    int held = 3;

    arena_init(&arena, 100);
    while (arena_on_reset(&arena, count_down, &held))
        held++;
    held -= 3; /* what is left is the number of farewells taken */
    assert_true(held > 0);
    arena_reset(&arena);
    assert_int_equal(held, 0);
    arena_reset(&arena);
    assert_int_equal(held, 0);
}

static void test_big_pieces_leave_the_shared_block_in_use(void **state)
{
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1 << 20);
    char *before = arena_alloc(&arena, 16);
    memset(arena_alloc(&arena, 100000), 1, 100000);
    char *after = arena_alloc(&arena, 16);
    before[15] = 'x';
    after[15] = 'y';
    assert_int_equal(before[15], 'x');
}

static void test_what_is_adopted_lives_on(void **state)
{
    ARENA_AUTO struct arena into;
    int held = 2;

    arena_init(&into, 1 << 20);
    for (int has_own = 0; has_own < 2; has_own++) {
        ARENA_AUTO struct arena from;
        arena_init(&from, 1 << 20);
        char *own = has_own ? arena_strndup(&into, "own", 3) : NULL;
        char *big = arena_room(&from, 100000, 1);
        memset(big, 'b', 100000);
        char *small = arena_strndup(&from, "small", 5);
        assert_true(arena_on_reset(&from, count_down, &held));
        size_t used = from.used + into.used;
        arena_adopt(&into, &from);
        assert_int_equal(into.used, used);
        assert_int_equal(from.used, 0);
        arena_reset(&from);
        assert_int_equal(held, 2);
        assert_string_equal(small, "small");
        assert_int_equal(big[99999], 'b');
        if (own)
            assert_string_equal(own, "own");
    }
    arena_reset(&into);
    assert_int_equal(held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_piece_is_aligned_zeroed_and_apart),
        cmocka_unit_test(test_the_limit_is_exact),
        cmocka_unit_test(test_sizes_that_overflow_are_refused),
        cmocka_unit_test(test_farewells_are_called_once),
        cmocka_unit_test(test_big_pieces_leave_the_shared_block_in_use),
        cmocka_unit_test(test_what_is_adopted_lives_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
