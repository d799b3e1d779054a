/*
 * Who is on call at an instant. See schedule.h.
 */

#include "alertd/oncall/schedule.h"

#include <string.h>

#include "alertd/oncall/turn.h"

/* People on call while they are worked out; nobody is in it twice. */
struct set {
    struct on_call *people;
    size_t n;
};

static size_t find(const struct set *set, const char *person)
{
    size_t i = 0;

    while (i < set->n && strcmp(set->people[i].person, person) != 0)
        i++;
    return i;
}

static void drop(struct set *set, size_t i)
{
    memmove(&set->people[i], &set->people[i + 1], (set->n - i - 1) * sizeof(*set->people));
    set->n--;
}

static void add(struct set *set, struct on_call one)
{
    if (find(set, one.person) == set->n && set->n < ON_CALL_MAX)
        set->people[set->n++] = one;
}

static void earlier(int64_t *until_ms, int64_t other_ms)
{
    if (other_ms < *until_ms)
        *until_ms = other_ms;
}

size_t schedule_rotation_at(const struct schedule *schedule,
                            int64_t at_ms,
                            struct on_call *ret_people,
                            int64_t *ret_until_ms)
{
    struct set set = {ret_people, 0};
    int64_t until_ms = ROSTER_FOREVER;
    int level = INT32_MIN;

    for (size_t i = 0; i < schedule->n_layers; i++) {
        const struct layer *layer = &schedule->layers[i];
        struct turn turn = layer_turn(layer, schedule->zone, at_ms);

        earlier(&until_ms, turn.until_ms);
        if (!turn.person || (set.n > 0 && layer->level < level))
            continue;
        if (layer->level > level)
            set.n = 0;
        level = layer->level;
        add(&set, (struct on_call){turn.person, ON_CALL_LAYER, layer, NULL});
    }
    if (ret_until_ms)
        *ret_until_ms = until_ms;
    return set.n;
}

/* person stands in for all of them, or for the one named. */
static void replace(struct set *set,
                    const struct override *override,
                    const char *person,
                    const char *of,
                    enum on_call_why why)
{
    size_t i = of ? find(set, of) : 0;

    if (i == set->n && (of || set->n > 0))
        return;
    struct on_call one = {person, why, set->n ? set->people[i].layer : NULL, override};

    if (!of) {
        set->n = 0;
        add(set, one);
        return;
    }
    size_t already = find(set, person);

    if (already < set->n && already != i)
        drop(set, i);
    else
        set->people[i] = one;
}

static bool holds(int64_t from_ms, int64_t to_ms, int64_t at_ms)
{
    return from_ms <= at_ms && at_ms < to_ms;
}

static void apply(struct set *set, const struct override *override, int64_t at_ms)
{
    bool now = holds(override->from_ms, override->to_ms, at_ms);

    switch (override->kind) {
    case OVERRIDE_REPLACE:
        if (now)
            replace(set, override, override->person, override->of, ON_CALL_OVERRIDE);
        break;
    case OVERRIDE_ADD:
        if (now)
            add(set, (struct on_call){override->person, ON_CALL_OVERRIDE, NULL, override});
        break;
    case OVERRIDE_REMOVE:
        if (now && !override->of)
            set->n = 0;
        else if (now && find(set, override->of) < set->n)
            drop(set, find(set, override->of));
        break;
    case OVERRIDE_SWAP:
        if (now)
            replace(set, override, override->person, override->of, ON_CALL_SWAP);
        if (holds(override->other_from_ms, override->other_to_ms, at_ms))
            replace(set, override, override->of, override->person, ON_CALL_SWAP);
        break;
    }
}

static void edge(int64_t edge_ms, int64_t at_ms, int64_t *until_ms)
{
    if (edge_ms > at_ms)
        earlier(until_ms, edge_ms);
}

size_t schedule_at(const struct schedule *schedule,
                   int64_t at_ms,
                   struct on_call *ret_people,
                   int64_t *ret_until_ms)
{
    int64_t until_ms = ROSTER_FOREVER;
    struct set set = {ret_people, schedule_rotation_at(schedule, at_ms, ret_people, &until_ms)};

    for (size_t i = 0; i < schedule->n_overrides; i++) {
        const struct override *override = &schedule->overrides[i];

        apply(&set, override, at_ms);
        edge(override->from_ms, at_ms, &until_ms);
        edge(override->to_ms, at_ms, &until_ms);
        if (override->kind == OVERRIDE_SWAP) {
            edge(override->other_from_ms, at_ms, &until_ms);
            edge(override->other_to_ms, at_ms, &until_ms);
        }
    }
    if (ret_until_ms)
        *ret_until_ms = until_ms;
    return set.n;
}

int64_t schedule_until(const struct schedule *schedule,
                       const char *person,
                       int64_t at_ms,
                       int64_t limit_ms)
{
    struct on_call people[ON_CALL_MAX];

    for (int i = 0; i < SPANS_MAX && at_ms < limit_ms; i++) {
        int64_t until_ms = 0;
        struct set set = {people, schedule_at(schedule, at_ms, people, &until_ms)};

        if (find(&set, person) == set.n)
            return at_ms;
        at_ms = until_ms;
    }
    return at_ms < limit_ms ? at_ms : limit_ms;
}
