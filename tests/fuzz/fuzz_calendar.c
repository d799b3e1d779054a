/*
 * Any text at all as a calendar: refused with a line and words, or shifts within the span, in
 * order, that become a schedule.
 */

#include <stdint.h>
#include <string.h>

#include "alertd/oncall/calendar.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    MEMORY = 64 * 1024 * 1024
};

static const int64_t from_ms = INT64_C(1767225600000), to_ms = INT64_C(1798761600000); /* 2026 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct calendar *calendar)
{
    for (size_t i = 0; i < calendar->n_shifts; i++) {
        const struct calendar_shift *shift = &calendar->shifts[i];

        if (shift->to_ms <= shift->from_ms || shift->to_ms <= from_ms || shift->from_ms >= to_ms)
            UNREACHABLE("a shift outside of the span, or one without length");
        if (i > 0 && shift->from_ms < calendar->shifts[i - 1].from_ms)
            UNREACHABLE("shifts out of order");
        if (!*shift->title || shift->level < 0 || shift->level > 9)
            UNREACHABLE("a shift of nobody");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zones zones; /* read once: files are slow */
    const struct zone *zone = NULL;
    ARENA_AUTO struct arena arena;
    MEM_AUTO char *text = mem_strndup((const char *)data, size);
    struct calendar calendar;
    struct schedule schedule;
    struct err err = {0};

    arena_init(&arena, MEMORY);
    if (zones_get(&zones, "UTC", &zone, NULL))
        UNREACHABLE("UTC needs no file");
    if (calendar_read(text, strlen(text), zone, &zones, from_ms, to_ms, &arena, &calendar, &err)) {
        if (!err.text[0] || !err.line)
            UNREACHABLE("refused without words or a line");
        return 0;
    }
    check(&calendar);
    if (calendar_schedule(&calendar, "s", zone, &arena, &schedule, &err) == 0) {
        struct on_call people[ON_CALL_MAX];

        for (size_t i = 0; i < calendar.n_shifts; i++)
            if (schedule_at(&schedule, calendar.shifts[i].from_ms, people, NULL) == 0)
                UNREACHABLE("a shift nobody has");
    }
    return 0;
}
