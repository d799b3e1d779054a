/*
 * The lanes of a schedule over a span of time. See schedule.h.
 *
 * A lane is built by a walk from change to change: at each, spans that go on are made longer
 * and the others closed. What a walk holds is who is on call in the newest stretch.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/oncall/schedule.h"
#include "lib/base/mem.h"

struct builder {
    struct span *spans;
    size_t n, capacity;
    size_t open[ON_CALL_MAX]; /* spans that may go on */
    size_t n_open;
};

typedef size_t people_at(const struct schedule *schedule,
                         int64_t at_ms,
                         struct on_call *ret_people,
                         int64_t *ret_until_ms);

static int too_many(struct err *reterr, const char *name)
{
    return err_set(reterr, SCHEDULE_E_TOO_MANY,
                   "schedule '%.100s' changes more than %d times in this span: ask for a shorter "
                   "one",
                   name, SPANS_MAX);
}

static bool same(const struct on_call *one, const struct on_call *other)
{
    if (!one->person || !other->person)
        return one->person == other->person;
    return strcmp(one->person, other->person) == 0 && one->why == other->why &&
           one->layer == other->layer && one->override == other->override;
}

static size_t put(struct builder *builder, struct span span)
{
    builder->spans = mem_grow(builder->spans, &builder->capacity, builder->n + 1,
                              sizeof(struct span));
    builder->spans[builder->n] = span;
    return builder->n++;
}

/* The stretch [from_ms, to_ms) with these people. */
static void stretch(
    struct builder *builder, const struct on_call *people, size_t n, int64_t from_ms, int64_t to_ms)
{
    size_t open[ON_CALL_MAX];

    for (size_t i = 0; i < n; i++) {
        size_t j = 0;

        while (j < builder->n_open && !same(&builder->spans[builder->open[j]].on_call, &people[i]))
            j++;
        open[i] = j < builder->n_open
                      ? builder->open[j]
                      : put(builder, (struct span){from_ms, to_ms, people[i], NULL});
        builder->spans[open[i]].to_ms = to_ms;
    }
    memcpy(builder->open, open, n * sizeof(*open));
    builder->n_open = n;
}

static int walk(const struct schedule *schedule,
                people_at *ask,
                int64_t from_ms,
                int64_t to_ms,
                struct builder *lane,
                struct builder *gaps)
{
    struct on_call people[ON_CALL_MAX];
    static const struct on_call nobody;

    for (size_t steps = 0; from_ms < to_ms; steps++) {
        int64_t until_ms = 0;
        size_t n = ask(schedule, from_ms, people, &until_ms);

        if (steps == SPANS_MAX)
            return SCHEDULE_E_TOO_MANY;
        if (until_ms > to_ms)
            until_ms = to_ms;
        stretch(lane, people, n, from_ms, until_ms);
        if (gaps)
            stretch(gaps, &nobody, n == 0, from_ms, until_ms);
        from_ms = until_ms;
    }
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct span *one = a, *other = b;

    if (one->from_ms != other->from_ms)
        return one->from_ms < other->from_ms ? -1 : 1;
    if (one->on_call.person && other->on_call.person)
        return strcmp(one->on_call.person, other->on_call.person);
    return 0;
}

static bool keep(struct builder *builder, struct arena *arena, struct lane *ret_lane)
{
    struct span *spans = arena_array(arena, builder->n ? builder->n : 1, sizeof(*spans));

    if (!spans)
        return false;
    if (builder->n)
        memcpy(spans, builder->spans, builder->n * sizeof(*spans));
    qsort(spans, builder->n, sizeof(*spans), by_time);
    *ret_lane = (struct lane){spans, builder->n};
    return true;
}

static void put_clipped(struct builder *builder, struct span span, int64_t from_ms, int64_t to_ms)
{
    if (span.from_ms < from_ms)
        span.from_ms = from_ms;
    if (span.to_ms > to_ms)
        span.to_ms = to_ms;
    if (span.from_ms < span.to_ms)
        put(builder, span);
}

static void put_overrides(const struct schedule *schedule,
                          int64_t from_ms,
                          int64_t to_ms,
                          struct builder *lane)
{
    for (size_t i = 0; i < schedule->n_overrides; i++) {
        const struct override *override = &schedule->overrides[i];
        bool is_swap = override->kind == OVERRIDE_SWAP;
        struct on_call one = {override->person, is_swap ? ON_CALL_SWAP : ON_CALL_OVERRIDE, NULL,
                              override};

        put_clipped(lane, (struct span){override->from_ms, override->to_ms, one, NULL}, from_ms,
                    to_ms);
        one.person = override->of;
        if (is_swap)
            put_clipped(lane,
                        (struct span){override->other_from_ms, override->other_to_ms, one, NULL},
                        from_ms, to_ms);
    }
}

/* Where the shadow has something to look at: while their person is on call here, or as long
 * as it lasts. */
static int put_shadow(const struct schedule *schedule,
                      const struct shadow *shadow,
                      const struct builder *final,
                      int64_t from_ms,
                      int64_t to_ms,
                      struct builder *lane)
{
    int64_t begin_ms = shadow->from_ms > from_ms ? shadow->from_ms : from_ms;
    int64_t end_ms = shadow->to_ms < to_ms ? shadow->to_ms : to_ms;

    if (shadow->target_kind == SHADOW_OF_SCHEDULE) {
        if (strcmp(shadow->target, schedule->name) == 0)
            put_clipped(lane, (struct span){begin_ms, end_ms, {NULL}, shadow}, begin_ms, end_ms);
        return 0;
    }
    for (size_t i = 0; i < final->n; i++) {
        struct span span = final->spans[i];

        if (strcmp(span.on_call.person, shadow->target) != 0)
            continue;
        span.shadow = shadow;
        put_clipped(lane, span, begin_ms, end_ms);
        if (lane->n > SPANS_MAX)
            return SCHEDULE_E_TOO_MANY;
    }
    return 0;
}

enum lane_index {
    FINAL,
    ROTATION,
    OVERRIDES,
    SHADOWS,
    GAPS,
    LANES,
};

static int build(const struct schedule *schedule,
                 const struct shadow *shadows,
                 size_t n_shadows,
                 int64_t from_ms,
                 int64_t to_ms,
                 struct builder *lanes)
{
    int rc = walk(schedule, schedule_at, from_ms, to_ms, &lanes[FINAL], &lanes[GAPS]);

    if (!rc)
        rc = walk(schedule, schedule_rotation_at, from_ms, to_ms, &lanes[ROTATION], NULL);
    put_overrides(schedule, from_ms, to_ms, &lanes[OVERRIDES]);
    for (size_t i = 0; i < n_shadows && !rc; i++)
        rc = put_shadow(schedule, &shadows[i], &lanes[FINAL], from_ms, to_ms, &lanes[SHADOWS]);
    return rc;
}

// NOLINTNEXTLINE(readability-function-size): eight things that have no common name
int schedule_spans(const struct schedule *schedule,
                   const struct shadow *shadows,
                   size_t n_shadows,
                   int64_t from_ms,
                   int64_t to_ms,
                   struct arena *arena,
                   struct schedule_spans *ret_spans,
                   struct err *reterr)
{
    struct builder lanes[LANES] = {0};
    struct schedule_spans spans;
    struct lane *kept[LANES] = {&spans.final, &spans.rotation, &spans.overrides, &spans.shadows,
                                &spans.gaps};
    int rc = build(schedule, shadows, n_shadows, from_ms, to_ms, lanes);

    if (rc)
        rc = too_many(reterr, schedule->name);
    for (int i = 0; i < LANES; i++) {
        if (!rc && !keep(&lanes[i], arena, kept[i]))
            rc = err_set(reterr, SCHEDULE_E_TOO_MANY, "no memory left for so many spans");
        free(lanes[i].spans);
    }
    if (!rc)
        *ret_spans = spans;
    return rc;
}

static bool is_told(const struct warning *warnings, size_t n, const char *person)
{
    for (size_t i = 0; i < n; i++)
        if (warnings[i].person && strcmp(warnings[i].person, person) == 0)
            return true;
    return false;
}

// NOLINTNEXTLINE(readability-function-size): eight things that have no common name
int schedule_warnings(const struct schedule *schedule,
                      const struct roster *roster,
                      int64_t from_ms,
                      int64_t to_ms,
                      struct arena *arena,
                      const struct warning **ret_warnings,
                      size_t *ret_n,
                      struct err *reterr)
{
    struct schedule_spans spans;
    size_t n = 0;
    int rc = schedule_spans(schedule, NULL, 0, from_ms, to_ms, arena, &spans, reterr);

    if (rc)
        return rc;
    struct warning *warnings = arena_array(arena, spans.gaps.n + spans.final.n + 1,
                                           sizeof(*warnings));
    if (!warnings)
        return err_set(reterr, SCHEDULE_E_TOO_MANY, "no memory left for so many warnings");
    for (size_t i = 0; i < spans.gaps.n; i++)
        warnings[n++] = (struct warning){WARNING_NOBODY, NULL, spans.gaps.spans[i].from_ms,
                                         spans.gaps.spans[i].to_ms};
    for (size_t i = 0; i < spans.final.n; i++) {
        const struct span *span = &spans.final.spans[i];
        const struct person *person = roster_person(roster, span->on_call.person);

        if ((person && person->n_contacts > 0) || is_told(warnings, n, span->on_call.person))
            continue;
        warnings[n++] = (struct warning){person ? WARNING_UNREACHABLE : WARNING_UNKNOWN,
                                         span->on_call.person, span->from_ms, span->to_ms};
    }
    *ret_warnings = warnings;
    *ret_n = n;
    return 0;
}
