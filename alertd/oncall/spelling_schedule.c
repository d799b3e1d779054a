/*
 * Schedules from JSON. See spelling.h.
 */

#include <string.h>

#include "alertd/oncall/spelling.h"
#include "alertd/oncall/spelling_private.h"

enum {
    HOURS_MAX = 24 * 366,
    DAYS_MAX = 366,
    WEEKS_MAX = 104,
    MONTHS_MAX = 24,
    LEVEL_MAX = 100,
    ALL_WEEKDAYS = 0x7f,
    DAY_S = 86400,
};

static void read_turns(struct reader *r, const struct json *object, struct rotation *rotation)
{
    const struct json *list = reader_list(r, object, "people", ROSTER_TURNS_MAX);
    size_t n = json_length(list);
    const char **people = reader_array(r, n, sizeof(*people));

    if (n == 0)
        reader_wrong(r, object, "people", "expected the people who take turns, one at least");
    for (size_t i = 0; i < n && !r->rc; i++) {
        const char *name = json_text(json_at(list, i));

        if (name && *name && strlen(name) <= ROSTER_NAME_MAX)
            people[i] = reader_copy(r, name);
        else if (!json_is_null(json_at(list, i)))
            reader_wrong(r, json_at(list, i), NULL, "expected a person's name, or null for nobody");
    }
    rotation->people = people;
    rotation->n_people = n;
}

static void read_rotation(struct reader *r, const struct json *object, struct rotation *rotation)
{
    static const char *const known[] = {"unit", "every", "first_turn", "people", NULL};
    static const int64_t every_max[] = {HOURS_MAX, DAYS_MAX, WEEKS_MAX, MONTHS_MAX, 1};

    reader_only(r, object, known);
    int unit = reader_choice(r, object, "unit", rotation_units, -1);

    read_turns(r, object, rotation);
    if (r->rc || unit == UNIT_ALWAYS)
        return;
    rotation->unit = (enum rotation_unit)unit;
    rotation->every = (int)reader_int(r, object, "every", 1, 1, every_max[unit]);
    const char *first = reader_text(r, object, "first_turn", true);

    if (first && !reader_local(first, &rotation->anchor))
        reader_wrong(r, object, "first_turn",
                     "'%.40s' is no local date and time such as 2026-01-05T09:00", first);
}

static unsigned read_weekdays(struct reader *r, const struct json *object)
{
    const struct json *list = reader_list(r, object, "weekdays", 7);
    unsigned weekdays = 0;

    if (!list)
        return ALL_WEEKDAYS;
    for (size_t i = 0; i < json_length(list); i++) {
        const char *name = json_text(json_at(list, i));
        int day = 0;

        while (name && weekday_names[day] && strcmp(weekday_names[day], name) != 0)
            day++;
        if (!name || !weekday_names[day])
            reader_wrong(r, json_at(list, i), NULL, "expected sunday, monday, … or saturday");
        weekdays |= 1U << day;
    }
    if (!weekdays)
        reader_wrong(r, object, "weekdays",
                     "expected one day at least; without it, it is every day");
    return weekdays;
}

static int read_time_of_day(struct reader *r,
                            const struct json *object,
                            const char *key,
                            int fallback_s)
{
    int time_s = fallback_s;
    const char *text = reader_text(r, object, key, false);

    if (text && !reader_time_of_day(text, &time_s))
        reader_wrong(r, object, key, "'%.20s' is no time of day such as 09:00", text);
    return time_s;
}

static void read_window(struct reader *r, const struct json *object, struct window *window)
{
    static const char *const known[] = {"weekdays", "from", "to", NULL};

    reader_only(r, object, known);
    window->weekdays = read_weekdays(r, object);
    window->from_s = read_time_of_day(r, object, "from", 0);
    window->to_s = read_time_of_day(r, object, "to", DAY_S);
    if (window->from_s == DAY_S)
        reader_wrong(r, object, "from", "24:00 is the next day's 00:00");
}

static void read_shift(struct reader *r, const struct json *object, struct shift *shift)
{
    static const char *const known[] = {"person", "from", "to", NULL};

    reader_only(r, object, known);
    shift->person = reader_name(r, object, "person", true);
    shift->from_ms = reader_time(r, object, "from", 0);
    shift->to_ms = reader_time(r, object, "to", 0);
    if (shift->to_ms <= shift->from_ms)
        reader_wrong(r, object, "to", "expected an instant after from");
}

static void read_shifts(struct reader *r, const struct json *object, struct layer *layer)
{
    const struct json *list = reader_list(r, object, "shifts", ROSTER_SHIFTS_MAX);
    size_t n = json_length(list);
    struct shift *shifts = reader_array(r, n, sizeof(*shifts));

    for (size_t i = 0; i < n && !r->rc; i++) {
        read_shift(r, json_at(list, i), &shifts[i]);
        if (i > 0 && shifts[i].from_ms < shifts[i - 1].to_ms)
            reader_wrong(r, json_at(list, i), "from",
                         "it begins before the shift above ends: shifts of a layer come in order, "
                         "overlapping ones need layers of their own");
    }
    layer->shifts = shifts;
    layer->n_shifts = n;
}

static void read_layer(struct reader *r, const struct json *object, struct layer *layer)
{
    static const char *const known[] = {"name",     "level",   "starts_at", "ends_at",
                                        "rotation", "windows", "shifts",    NULL};
    const struct json *list = NULL;

    reader_only(r, object, known);
    layer->name = reader_name(r, object, "name", true);
    layer->level = (int)reader_int(r, object, "level", 0, 0, LEVEL_MAX);
    layer->from_ms = reader_time(r, object, "starts_at", ROSTER_ALWAYS);
    layer->until_ms = reader_time(r, object, "ends_at", ROSTER_FOREVER);
    if (layer->until_ms <= layer->from_ms)
        reader_wrong(r, object, "ends_at", "expected an instant after starts_at");
    if (!r->rc && json_has(object, "rotation") == json_has(object, "shifts"))
        reader_wrong(r, object, NULL, "expected either rotation or shifts");
    if (!r->rc && json_has(object, "rotation"))
        read_rotation(r, json_get(object, "rotation"), &layer->rotation);
    else
        read_shifts(r, object, layer);
    list = reader_list(r, object, "windows", ROSTER_WINDOWS_MAX);
    struct window *windows = reader_array(r, json_length(list), sizeof(*windows));

    for (size_t i = 0; i < json_length(list) && !r->rc; i++)
        read_window(r, json_at(list, i), &windows[i]);
    layer->windows = windows;
    layer->n_windows = json_length(list);
}

static void read_span(struct reader *r,
                      const struct json *object,
                      const char *from,
                      const char *to,
                      int64_t *ret_span_ms)
{
    ret_span_ms[0] = reader_time(r, object, from, 0);
    ret_span_ms[1] = reader_time(r, object, to, 0);
    if (ret_span_ms[1] <= ret_span_ms[0])
        reader_wrong(r, object, to, "expected an instant after %s", from);
}

void read_override(struct reader *r, const struct json *object, struct override *override)
{
    static const char *const known[] = {"id", "kind",       "person",   "of",   "from",
                                        "to", "other_from", "other_to", "note", NULL};
    int64_t span_ms[2] = {0};

    reader_only(r, object, known);
    override->id = reader_name(r, object, "id", true);
    override->kind = (enum override_kind)reader_choice(r, object, "kind", override_kinds, -1);
    override->person = reader_name(r, object, "person", override->kind != OVERRIDE_REMOVE);
    override->of = reader_name(r, object, "of", override->kind == OVERRIDE_SWAP);
    override->note = reader_text(r, object, "note", false);
    if (override->kind == OVERRIDE_ADD && override->of)
        reader_wrong(r, object, "of", "somebody added stands in for nobody");
    if (override->kind == OVERRIDE_REMOVE && override->person)
        reader_wrong(r, object, "person", "who is removed stands under of");
    if (override->person && override->of && strcmp(override->person, override->of) == 0)
        reader_wrong(r, object, "of", "'%s' stands in for themselves", override->of);
    read_span(r, object, "from", "to", span_ms);
    override->from_ms = span_ms[0];
    override->to_ms = span_ms[1];
    if (override->kind == OVERRIDE_SWAP) {
        read_span(r, object, "other_from", "other_to", span_ms);
        override->other_from_ms = span_ms[0];
        override->other_to_ms = span_ms[1];
    } else if (!r->rc && (json_has(object, "other_from") || json_has(object, "other_to"))) {
        reader_wrong(r, object, NULL, "only a swap has other_from and other_to");
    }
}

void read_schedule(struct reader *r, const struct json *object, struct schedule *schedule)
{
    static const char *const known[] = {"name", "title", "zone", "layers", "overrides", NULL};
    struct err err = {0};

    reader_only(r, object, known);
    schedule->name = reader_name(r, object, "name", true);
    schedule->title = reader_text(r, object, "title", false);
    const char *zone = reader_text(r, object, "zone", true);

    if (zone && zones_get(r->zones, zone, &schedule->zone, &err))
        reader_wrong(r, object, "zone", "%s", err.text);
    const struct json *list = reader_list(r, object, "layers", ROSTER_LAYERS_MAX);
    struct layer *layers = reader_array(r, json_length(list), sizeof(*layers));

    for (size_t i = 0; i < json_length(list) && !r->rc; i++)
        read_layer(r, json_at(list, i), &layers[i]);
    schedule->layers = layers;
    schedule->n_layers = json_length(list);
    list = reader_list(r, object, "overrides", ROSTER_OVERRIDES_MAX);
    struct override *overrides = reader_array(r, json_length(list), sizeof(*overrides));

    for (size_t i = 0; i < json_length(list) && !r->rc; i++)
        read_override(r, json_at(list, i), &overrides[i]);
    schedule->overrides = overrides;
    schedule->n_overrides = json_length(list);
}
