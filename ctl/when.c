/*
 * An instant as people write it. See when.h.
 */

#include "ctl/when.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

int when_parse(
    const char *option, const char *text, int64_t now_ms, int64_t *ret_t_ms, struct err *reterr)
{
    int64_t ago_ms;
    double seconds;

    if (clock_parse_rfc3339(text, ret_t_ms) == 0)
        return 0;
    if (strcmp(text, "now") == 0) {
        *ret_t_ms = now_ms;
        return 0;
    }
    if (float_parse(text, strlen(text), &seconds) == 0 && fabs(seconds) < 253402300800.0) {
        *ret_t_ms = (int64_t)llround(seconds * 1000);
        return 0;
    }
    if (duration_parse(text, strlen(text), &ago_ms) == 0) {
        *ret_t_ms = now_ms - ago_ms;
        return 0;
    }
    return err_set(reterr, -EINVAL,
                   "--%s: expected 2026-11-23T22:00:00Z, Unix seconds, or how long ago (30d), "
                   "got \"%.60s\"",
                   option, text);
}
