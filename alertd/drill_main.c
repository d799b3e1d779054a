/*
 * alert-drill: the process a drill is played in. alertd starts it with a socket as its input.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alertd/desk/desk.h"
#include "alertd/desk/fence.h"

enum {
    EXIT_USAGE = 2,
    TEXT_BYTES_MAX = 64 * 1024,
};

#if defined(__SANITIZE_ADDRESS__)
/* A sanitizer looks for leaks from a process of its own, which the fence does not let it start; and
 * options can't come by an environment that is empty. */
const char *__asan_default_options(void);
__attribute__((visibility("default"), used)) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

/* Raises the fence and tries to climb it: for tests, and for who wants to see it. */
static int try_fence(void)
{
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);
    struct err err = {0};

    if (fence_prepare(&err) != 0 || fence_raise(&err) != 0) {
        (void)fprintf(stderr, "alert-drill: %s\n", err.text);
        return 1;
    }

    bool all = fence_try(&text);

    return write(STDOUT_FILENO, str_text(&text), text.len) == (ssize_t)text.len && all ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct err err = {0};

    if (argc == 2 && strcmp(argv[1], "--try-fence") == 0)
        return try_fence();
    if (argc != 1) {
        (void)fprintf(stderr, "usage: alert-drill [--try-fence]\n\n"
                              "Plays one drill for alertd, which starts it with a socket as its "
                              "input.\n--try-fence tries what it must not be able to do.\n");
        return EXIT_USAGE;
    }
    if (fence_prepare(&err) != 0)
        return 1;
    return desk_serve(STDIN_FILENO);
}
