/*
 * Lines and bytes between two processes: whole, cut short, too long, too late.
 */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/frame.h"
#include "tests/lib/row.h"

struct wire {
    int there;
    struct frame_reader here;
};

static void open_wire(struct wire *wire)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    memset(wire, 0, sizeof(*wire));
    wire->there = ends[1];
    wire->here.fd = ends[0];
}

static void close_wire(struct wire *wire)
{
    (void)close(wire->here.fd);
    if (wire->there >= 0)
        (void)close(wire->there);
}

static void say(struct wire *wire, const char *text)
{
    assert_int_equal(frame_write(wire->there, text, strlen(text), 0, NULL), 0);
}

static void test_lines_and_bytes_come_in_their_order(void **state)
{
    STR_AUTO struct str line = STR_INIT(100);
    STR_AUTO struct str bytes = STR_INIT(100);
    static struct wire wire;

    open_wire(&wire);
    say(&wire, "one 5\nab\ncdtwo\n\n");
    assert_int_equal(frame_read_line(&wire.here, &line, NULL), 0);
    assert_string_equal(str_text(&line), "one 5");
    assert_int_equal(frame_read_bytes(&wire.here, 5, &bytes, NULL), 0);
    assert_string_equal(str_text(&bytes), "ab\ncd");
    assert_int_equal(frame_read_line(&wire.here, &line, NULL), 0);
    assert_string_equal(str_text(&line), "two");
    assert_int_equal(frame_read_line(&wire.here, &line, NULL), 0);
    assert_string_equal(str_text(&line), "");
    close_wire(&wire);
}

static void test_the_other_side_ends_in_the_middle(void **state)
{
    STR_AUTO struct str line = STR_INIT(100);
    static struct wire wire;
    struct err err = {0};

    open_wire(&wire);
    say(&wire, "half a li");
    (void)close(wire.there);
    wire.there = -1;
    assert_int_equal(frame_read_line(&wire.here, &line, &err), FRAME_E_CLOSED);
    assert_string_equal(err.text, "the other process ended");
    assert_int_equal(frame_write(wire.here.fd, "x", 1, 0, NULL), FRAME_E_CLOSED);
    close_wire(&wire);
}

static void test_more_than_is_allowed_is_refused(void **state)
{
    STR_AUTO struct str line = STR_INIT(4);
    STR_AUTO struct str bytes = STR_INIT(4);
    static struct wire wire;

    open_wire(&wire);
    say(&wire, "12345\n");
    assert_int_equal(frame_read_line(&wire.here, &line, NULL), FRAME_E_LIMIT);
    assert_int_equal(frame_read_bytes(&wire.here, 5, &bytes, NULL), FRAME_E_LIMIT);
    assert_int_equal(frame_read_bytes(&wire.here, SIZE_MAX, &bytes, NULL), FRAME_E_LIMIT);
    close_wire(&wire);
}

static void test_nobody_waits_for_ever(void **state)
{
    STR_AUTO struct str line = STR_INIT(100);
    static char much[1024 * 1024];
    static struct wire wire;

    open_wire(&wire);
    wire.here.deadline_ms = clock_mono_ms() + 20;
    assert_int_equal(frame_read_line(&wire.here, &line, NULL), FRAME_E_LATE);
    assert_int_equal(frame_write(wire.here.fd, much, sizeof(much), clock_mono_ms() + 20, NULL),
                     FRAME_E_LATE);
    close_wire(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_and_bytes_come_in_their_order),
        cmocka_unit_test(test_the_other_side_ends_in_the_middle),
        cmocka_unit_test(test_more_than_is_allowed_is_refused),
        cmocka_unit_test(test_nobody_waits_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
