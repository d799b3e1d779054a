/*
 * A real command: what it is given, how its end is read, that nothing of it outlives its
 * time.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alertd/deliver/receiver.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "tests/lib/scratch.h"
#include "tests/unit/deliver/some_page.h"

static struct deliver_outcome run(const char *script, const char *argument, int64_t timeout_ms)
{
    const char *argv[] = {"/bin/sh", "-c", script, "sh", argument, NULL};
    const struct route_integration to = {
        .kind = ROUTE_COMMAND, .timeout_ms = timeout_ms, .command = {argv}};
    struct deliver *deliver = deliver_new();
    struct deliver_outcome outcome;
    struct some_page some;

    some_page_init(&some);
    deliver_send(deliver, &to, &some.page, &outcome);
    some_page_done(&some);
    deliver_free(deliver);
    return outcome;
}

static char *read_file(const char *path)
{
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;

    if (fs_read(path, 1 << 20, &text, &len, &err))
        fail_msg("%s", err.text);
    return text;
}

static void test_what_it_is_given(void **state)
{
    struct scratch scratch;

    assert_int_equal(scratch_init(&scratch), 0);
    const char *path = scratch_path(&scratch, "out");
    struct deliver_outcome outcome = run("cat > \"$1\"; env | sort >> \"$1\"", path, 5000);
    char *text = read_file(path);

    assert_int_equal(outcome.verdict, DELIVER_ACCEPTED);
    assert_memory_equal(text, "{\"version\":\"4\"", 14);
    assert_non_null(strstr(text, "WATCHBILL_INCIDENT=INC-2026-0012\n"));
    assert_non_null(strstr(text, "WATCHBILL_ACKNOWLEDGE_URL=http://watch/a/TOKEN\n"));
    assert_non_null(strstr(text, "WATCHBILL_STATUS=firing\n"));
    row("and nothing of our own environment");
    assert_null(strstr(text, "CMOCKA"));
    free(text);
    scratch_done(&scratch);
}

static void test_how_it_ends(void **state)
{
    static const struct {
        const char *name, *script;
        enum deliver_verdict verdict;
        const char *words;
    } rows[] = {
        {"well", "cat >/dev/null", DELIVER_ACCEPTED, "/bin/sh ended with 0"},
        {"without reading", "exit 0", DELIVER_ACCEPTED, "/bin/sh ended with 0"},
        {"badly, with words", "echo no modem >&2; exit 3", DELIVER_LATER,
         "/bin/sh ended with 3: no modem"},
        {"it refuses", "exit 100", DELIVER_REFUSED, "/bin/sh ended with 100"},
        {"by a signal", "kill -9 $$", DELIVER_LATER, "/bin/sh was ended by signal 9"},
        {"much output is read and dropped", "head -c 300000 /dev/zero | tr '\\0' x; exit 0",
         DELIVER_ACCEPTED, "/bin/sh ended with 0: x"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct deliver_outcome outcome = run(rows[i].script, "", 5000);

        row("%s", rows[i].name);
        assert_int_equal(outcome.verdict, rows[i].verdict);
        assert_memory_equal(outcome.words, rows[i].words, strlen(rows[i].words));
    }
}

static void test_it_ends_in_time_with_all_it_started(void **state)
{
    struct scratch scratch;
    int64_t began_ms = clock_mono_ms();

    assert_int_equal(scratch_init(&scratch), 0);
    const char *path = scratch_path(&scratch, "pid");
    struct deliver_outcome outcome = run("sleep 60 & echo $! > \"$1\"; sleep 60", path, 400);

    assert_int_equal(outcome.verdict, DELIVER_LATER);
    assert_string_equal(outcome.words, "/bin/sh did not end within 400 ms");
    assert_in_range(clock_mono_ms() - began_ms, 400, 3000);
    char *text = read_file(path);
    pid_t sleeper = (pid_t)strtol(text, NULL, 10);
    for (int i = 0; i < 100 && kill(sleeper, 0) == 0; i++)
        clock_sleep_ms(20); /* the kernel tells its new parent first */
    row("what it left in the background is gone");
    if (kill(sleeper, 0) == 0) { /* or nobody reaps it here: then it is dead all the same */
        char proc[64];

        (void)snprintf(proc, sizeof(proc), "/proc/%d/stat", (int)sleeper);
        char *stat_text = read_file(proc);
        assert_non_null(strstr(stat_text, ") Z "));
        free(stat_text);
    }
    free(text);
    scratch_done(&scratch);
}

static void test_one_that_does_not_exist(void **state)
{
    const char *argv[] = {"/nonexistent/pager", NULL};
    const struct route_integration to = {
        .kind = ROUTE_COMMAND, .timeout_ms = 1000, .command = {argv}};
    struct deliver *deliver = deliver_new();
    struct deliver_outcome outcome;
    struct some_page some;

    some_page_init(&some);
    deliver_send(deliver, &to, &some.page, &outcome);
    assert_int_equal(outcome.verdict, DELIVER_REFUSED);
    assert_string_equal(outcome.words,
                        "/nonexistent/pager can't be started: No such file or directory");
    some_page_done(&some);
    deliver_free(deliver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_is_given),
        cmocka_unit_test(test_how_it_ends),
        cmocka_unit_test(test_it_ends_in_time_with_all_it_started),
        cmocka_unit_test(test_one_that_does_not_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
