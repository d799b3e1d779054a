/*
 * Any bytes at all as a TZif file: refused with words, or a zone whose local times never go
 * back and that answers for every instant there is.
 */

#include <stdint.h>

#include "lib/base/bug.h"
#include "lib/model/zone.h"

enum {
    STEPS = 64
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct zone *zone, int64_t at_ms)
{
    struct zone_local local = zone_local(zone, at_ms);
    int64_t back_ms = zone_utc(zone, &local);
    int64_t next_ms = zone_next_change(zone, at_ms);

    if (next_ms <= at_ms)
        UNREACHABLE("a change of clocks ahead that lies behind");
    if (local.year > -100000 && local.year < 100000 && back_ms > at_ms)
        UNREACHABLE("a time on the wall names an instant after it was shown");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1};
    struct zone *zone = NULL;
    struct err err = {0};
    int64_t before_ms = INT64_MIN;

    if (zone_read(data, size, "fuzz", &zone, &err)) {
        if (!err.text[0])
            UNREACHABLE("refused without words");
        return 0;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        check(zone, ends[i]);
    for (int i = 0; i < STEPS; i++) {
        struct zone_local local = {.year = 1890 + 5 * i, .month = 1 + i % 12, .day = 31, .hour = 2};
        int64_t at_ms = zone_utc(zone, &local);

        if (at_ms < before_ms)
            UNREACHABLE("a later local time names an earlier instant");
        before_ms = at_ms;
        check(zone, at_ms);
        check(zone, at_ms - 1);
    }
    zone_free(zone);
    return 0;
}
