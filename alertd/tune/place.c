/*
 * Where it was bad. See place.h.
 */

#include "alertd/tune/place.h"

#include <errno.h>
#include <string.h>

#include "lib/base/str.h"

enum {
    PATTERN_BYTES_MAX = 64 * 1024,
};

static void free_matcher(void *matcher)
{
    matcher_done(matcher);
}

int place_matcher(struct arena *arena,
                  const char *name,
                  const char *value,
                  struct matcher *ret,
                  struct err *reterr)
{
    STR_AUTO struct str pattern = STR_INIT(PATTERN_BYTES_MAX);

    for (; *value; value++) {
        if (strchr("\\.+*?()|[]{}^$", *value))
            str_addc(&pattern, '\\');
        str_addc(&pattern, *value);
    }
    str_addc(&pattern, '|');
    int r = matcher_init(ret, MATCHER_REGEX, name, str_text(&pattern), reterr);

    if (r == 0 && !arena_on_reset(arena, free_matcher, ret)) {
        matcher_done(ret);
        r = err_set(reterr, -ENOMEM, "too many incidents");
    }
    return r;
}
