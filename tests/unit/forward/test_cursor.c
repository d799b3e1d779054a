/*
 * The cursor's file: read back as it was, or known to be damaged.
 */

#include <errno.h>
#include <string.h>

#include "alertd/forward/cursor.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

static void fill(struct cursor *cursor)
{
    *cursor_at(cursor, 1764288000000) = (struct cursor_day){1764288000000, 93, 2000};
    *cursor_at(cursor, -86400000) = (struct cursor_day){-86400000, INT64_MAX, 0};
    *cursor_at(cursor, 1764201600000) = (struct cursor_day){1764201600000, 8211, 0};
}

static void test_it_comes_back_as_it_was(void **state)
{
    struct scratch scratch;
    struct cursor cursor = {0};
    struct cursor again = {0};

    assert_int_equal(scratch_init(&scratch), 0);
    fill(&cursor);
    assert_int_equal(cursor_save(scratch_path(&scratch, "c"), &cursor, NULL), 0);
    assert_int_equal(cursor_load(scratch_path(&scratch, "c"), &again, NULL), 0);
    assert_int_equal(again.n, 3);
    assert_memory_equal(again.days, cursor.days, 3 * sizeof(*again.days));
    assert_int_equal(again.days[0].day_ms, -86400000); /* by day */
    assert_int_equal(cursor_find(&again, 1764288000000)->samples, 2000);
    assert_null(cursor_find(&again, 5));
    cursor_forget(&again, 0);
    assert_int_equal(again.days[0].row, 8211);
    cursor_done(&cursor);
    cursor_done(&again);
    scratch_done(&scratch);
}

static void test_none_is_not_a_damaged_one(void **state)
{
    struct scratch scratch;
    struct cursor cursor = {0};

    assert_int_equal(scratch_init(&scratch), 0);
    assert_int_equal(cursor_load(scratch_path(&scratch, "c"), &cursor, NULL), -ENOENT);
    scratch_done(&scratch);
}

static void test_every_flipped_bit_and_every_cut_is_noticed(void **state)
{
    struct scratch scratch;
    struct cursor cursor = {0};
    struct cursor again = {0};
    MEM_AUTO char *text = NULL;
    size_t len;

    assert_int_equal(scratch_init(&scratch), 0);
    fill(&cursor);
    const char *path = scratch_path(&scratch, "c");
    assert_int_equal(cursor_save(path, &cursor, NULL), 0);
    assert_int_equal(fs_read(path, 1 << 20, &text, &len, NULL), 0);
    for (size_t bit = 0; bit < 8 * (len - 1); bit++) { /* but the last newline's */
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(fs_replace(path, text, len, 0600, NULL), 0);
        int r = cursor_load(path, &again, NULL);
        if (r == 0) /* the checksum's hexadecimal digits in capitals say the same */
            assert_memory_equal(again.days, cursor.days, 3 * sizeof(*again.days));
        else
            assert_int_equal(r, CURSOR_E_DAMAGED);
        cursor_done(&again);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t cut = 0; cut < len - 1; cut++) {
        assert_int_equal(fs_replace(path, text, cut, 0600, NULL), 0);
        assert_int_equal(cursor_load(path, &again, NULL), CURSOR_E_DAMAGED);
    }
    cursor_done(&cursor);
    scratch_done(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_comes_back_as_it_was),
        cmocka_unit_test(test_none_is_not_a_damaged_one),
        cmocka_unit_test(test_every_flipped_bit_and_every_cut_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
