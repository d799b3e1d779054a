/*
 * The roster as JSON. See spelling.h.
 */

#include "alertd/oncall/schedule.h"
#include "alertd/oncall/spelling.h"
#include "alertd/oncall/spelling_private.h"
#include "lib/base/clock.h"

static void kv_optional(struct json_out *out, const char *key, const char *text)
{
    if (text)
        json_kv_string(out, key, text);
}

/* json_kv_time() writes null for the instant 0; here it is one like any other. */
static void kv_time(struct json_out *out, const char *key, int64_t at_ms)
{
    char text[CLOCK_TEXT_MAX];

    if (at_ms != ROSTER_ALWAYS && at_ms != ROSTER_FOREVER)
        json_kv_string(out, key, clock_rfc3339(at_ms, text));
}

static void kv_time_of_day(struct json_out *out, const char *key, int time_s)
{
    STR_AUTO struct str text = STR_INIT(16);

    str_addf(&text, "%02d:%02d", time_s / 3600, time_s / 60 % 60);
    if (time_s % 60)
        str_addf(&text, ":%02d", time_s % 60);
    json_kv_string(out, key, str_text(&text));
}

void person_print(const struct person *person, struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "name", person->name);
    kv_optional(out, "full_name", person->full_name);
    kv_optional(out, "zone", person->zone);
    json_key(out, "contacts");
    json_open(out, '[');
    for (size_t i = 0; i < person->n_contacts; i++) {
        json_open(out, '{');
        json_kv_string(out, "method", person->contacts[i].method);
        json_kv_string(out, "address", person->contacts[i].address);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

static void print_rotation(const struct rotation *rotation, struct json_out *out)
{
    const struct zone_local *first = &rotation->anchor;

    json_key(out, "rotation");
    json_open(out, '{');
    json_kv_string(out, "unit",
                   rotation_units[rotation->every ? (int)rotation->unit : UNIT_ALWAYS]);
    if (rotation->every) {
        STR_AUTO struct str text = STR_INIT(64);

        json_kv_int(out, "every", rotation->every);
        str_addf(&text, "%04d-%02d-%02dT%02d:%02d:%02d", first->year, first->month, first->day,
                 first->hour, first->minute, first->second);
        json_kv_string(out, "first_turn", str_text(&text));
    }
    json_key(out, "people");
    json_open(out, '[');
    for (size_t i = 0; i < rotation->n_people; i++)
        json_string(out, rotation->people[i]);
    json_close(out, ']');
    json_close(out, '}');
}

static void print_window(const struct window *window, struct json_out *out)
{
    json_open(out, '{');
    json_key(out, "weekdays");
    json_open(out, '[');
    for (int day = 0; weekday_names[day]; day++)
        if (window->weekdays & 1U << day)
            json_string(out, weekday_names[day]);
    json_close(out, ']');
    kv_time_of_day(out, "from", window->from_s);
    kv_time_of_day(out, "to", window->to_s);
    json_close(out, '}');
}

static void print_shifts(const struct layer *layer, struct json_out *out)
{
    json_key(out, "shifts");
    json_open(out, '[');
    for (size_t i = 0; i < layer->n_shifts; i++) {
        json_open(out, '{');
        json_kv_string(out, "person", layer->shifts[i].person);
        kv_time(out, "from", layer->shifts[i].from_ms);
        kv_time(out, "to", layer->shifts[i].to_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void print_layer(const struct layer *layer, struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "name", layer->name);
    json_kv_int(out, "level", layer->level);
    kv_time(out, "starts_at", layer->from_ms);
    kv_time(out, "ends_at", layer->until_ms);
    if (layer->rotation.n_people)
        print_rotation(&layer->rotation, out);
    else
        print_shifts(layer, out);
    json_key(out, "windows");
    json_open(out, '[');
    for (size_t i = 0; i < layer->n_windows; i++)
        print_window(&layer->windows[i], out);
    json_close(out, ']');
    json_close(out, '}');
}

void override_print(const struct override *override, struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "id", override->id);
    json_kv_string(out, "kind", override_kinds[override->kind]);
    kv_optional(out, "person", override->person);
    kv_optional(out, "of", override->of);
    kv_time(out, "from", override->from_ms);
    kv_time(out, "to", override->to_ms);
    if (override->kind == OVERRIDE_SWAP) {
        kv_time(out, "other_from", override->other_from_ms);
        kv_time(out, "other_to", override->other_to_ms);
    }
    kv_optional(out, "note", override->note);
    json_close(out, '}');
}

void schedule_print(const struct schedule *schedule, struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "name", schedule->name);
    kv_optional(out, "title", schedule->title);
    json_kv_string(out, "zone", zone_name(schedule->zone));
    json_key(out, "layers");
    json_open(out, '[');
    for (size_t i = 0; i < schedule->n_layers; i++)
        print_layer(&schedule->layers[i], out);
    json_close(out, ']');
    json_key(out, "overrides");
    json_open(out, '[');
    for (size_t i = 0; i < schedule->n_overrides; i++)
        override_print(&schedule->overrides[i], out);
    json_close(out, ']');
    json_close(out, '}');
}

void shadow_print(const struct shadow *shadow, struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "id", shadow->id);
    json_kv_string(out, "person", shadow->person);
    json_kv_string(out, "target_kind", shadow_targets[shadow->target_kind]);
    json_kv_string(out, "target", shadow->target);
    kv_time(out, "from", shadow->from_ms);
    kv_time(out, "to", shadow->to_ms);
    json_kv_string(out, "mode", shadow_modes[shadow->mode]);
    if (shadow->mentor)
        json_kv_string(out, "mentor", shadow->mentor);
    if (shadow->after_ms)
        json_kv_int(out, "after_ms", shadow->after_ms);
    json_close(out, '}');
}

static void print_targets(const struct target *targets, size_t n, struct json_out *out)
{
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, target_kinds[targets[i].kind], targets[i].name);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void policy_print(const struct policy *policy, struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "name", policy->name);
    kv_optional(out, "title", policy->title);
    json_kv_int(out, "repeat", policy->repeat);
    json_kv_int(out, "ack_expires_ms", policy->ack_expires_ms);
    json_key(out, "steps");
    json_open(out, '[');
    for (size_t i = 0; i < policy->n_steps; i++) {
        json_open(out, '{');
        json_kv_int(out, "delay_ms", policy->steps[i].delay_ms);
        json_key(out, "targets");
        print_targets(policy->steps[i].targets, policy->steps[i].n_targets, out);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_key(out, "fallback");
    print_targets(policy->fallback, policy->n_fallback, out);
    json_close(out, '}');
}

void roster_print(const struct roster *roster, struct json_out *out)
{
    json_open(out, '{');
    json_key(out, "people");
    json_open(out, '[');
    for (size_t i = 0; i < roster->n_people; i++)
        person_print(&roster->people[i], out);
    json_close(out, ']');
    json_key(out, "schedules");
    json_open(out, '[');
    for (size_t i = 0; i < roster->n_schedules; i++)
        schedule_print(&roster->schedules[i], out);
    json_close(out, ']');
    json_key(out, "shadows");
    json_open(out, '[');
    for (size_t i = 0; i < roster->n_shadows; i++)
        shadow_print(&roster->shadows[i], out);
    json_close(out, ']');
    json_key(out, "policies");
    json_open(out, '[');
    for (size_t i = 0; i < roster->n_policies; i++)
        policy_print(&roster->policies[i], out);
    json_close(out, ']');
    json_close(out, '}');
}

void lane_print(const struct lane *lane, struct json_out *out)
{
    static const char *const whys[] = {"layer", "override", "swap"};

    json_open(out, '[');
    for (size_t i = 0; i < lane->n; i++) {
        const struct span *span = &lane->spans[i];
        const struct on_call *one = &span->on_call;

        json_open(out, '{');
        json_kv_string(out, "person", one->person);
        kv_time(out, "from", span->from_ms);
        kv_time(out, "to", span->to_ms);
        if (one->person || one->override)
            json_kv_string(out, "why", whys[one->why]);
        kv_optional(out, "layer", one->layer ? one->layer->name : NULL);
        kv_optional(out, "override", one->override ? one->override->id : NULL);
        if (span->shadow) {
            json_kv_string(out, "shadow", span->shadow->person);
            json_kv_string(out, "mode", shadow_modes[span->shadow->mode]);
        }
        json_close(out, '}');
    }
    json_close(out, ']');
}
