/*
 * GoAlert's people, rotations, schedules and escalation policies. See import.h.
 *
 * A GoAlert schedule has no levels: all of its rules that hold at an instant are on call
 * together. So each target of a schedule becomes a layer of one level, its rules the layer's
 * windows. A temporary schedule takes the place of everything in its span: an override that
 * removes everybody, and ones that add its shifts.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/oncall/import_private.h"
#include "lib/base/clock.h"

enum {
    WEEKDAYS = 7,
    MINUTE_MS = 60000,
};

struct goalert {
    struct importer im;
    const struct json *root;
    struct schedule *schedules;
    size_t n_schedules;
};

/* How GoAlert's kinds of contact are called here; what is not there keeps its own name. */
static const char *method_of(const char *type)
{
    if (strstr(type, "EMAIL") || strstr(type, "email"))
        return "email";
    if (strstr(type, "WEBHOOK") || strstr(type, "webhook"))
        return "webhook";
    return type;
}

static void contacts_of(struct importer *im, const struct json *user, struct person *person)
{
    const struct json *list = import_list(user, "contactMethods");
    const char *email = import_text(user, "email", "");
    struct contact *contacts = import_array(im, ROSTER_CONTACTS_MAX, sizeof(*contacts));
    size_t n = 0;

    for (size_t i = 0; i < json_length(list) && contacts; i++) {
        const struct json *one = json_at(list, i);
        const char *type = import_text(one, "type", NULL);
        const char *value = import_text(one, "value", NULL);

        if (!type || !value || !*value)
            import_note(im, "user", person->name, "a contact method without type and value");
        else if (n == ROSTER_CONTACTS_MAX)
            import_note(im, "user", person->name, "more than %d contact methods", (int)n);
        else
            contacts[n++] = (struct contact){reader_copy(&im->r, method_of(type)),
                                             reader_copy(&im->r, value)};
        if (type && strcmp(method_of(type), type) == 0)
            import_note(im, "user", person->name, "contact method %s needs a receiver of yours",
                        type);
    }
    if (n == 0 && *email && contacts)
        contacts[n++] = (struct contact){"email", reader_copy(&im->r, email)};
    person->contacts = contacts;
    person->n_contacts = n;
}

static bool rotation_unit_of(const char *type, enum rotation_unit *ret_unit)
{
    static const char *const types[] = {"hourly", "daily", "weekly", "monthly"};

    for (int i = 0; i < 4; i++)
        if (strcmp(type, types[i]) == 0) {
            *ret_unit = (enum rotation_unit)i;
            return true;
        }
    return false;
}

/* GoAlert keeps whose turn it is, and tells when it ends: from there the turns go on. */
static void read_turns(struct goalert *go,
                       const struct json *from,
                       const struct zone *zone,
                       struct rotation *rotation)
{
    struct importer *im = &go->im;
    const char *name = import_text(from, "name", "?");
    const struct json *ids = import_list(from, "userIDs");
    const char *next = json_text(json_at(import_list(from, "nextHandoffTimes"), 0));
    size_t n = json_length(ids), first = 0;
    int64_t at_ms = 0;
    const char **people = import_array(im, n, sizeof(*people));

    if (n > ROSTER_TURNS_MAX) {
        import_note(im, "rotation", name, "more than %d users", (int)ROSTER_TURNS_MAX);
        n = ROSTER_TURNS_MAX;
    }
    if (next)
        first = (size_t)(import_int(from, "activeUserIndex", 0) + 1);
    else
        import_note(im, "rotation", name,
                    "whose turn it is is not told (nextHandoffTimes): check it");
    if (clock_parse_rfc3339(next ? next : import_text(from, "start", ""), &at_ms))
        import_note(im, "rotation", name, "its start is no time");
    for (size_t i = 0; i < n && people; i++)
        people[i] = import_person(im, "rotation", json_text(json_at(ids, (first + i) % n)));
    *rotation = (struct rotation){.every = (int)import_int(from, "shiftLength", 1),
                                  .anchor = zone_local(zone, at_ms),
                                  .people = people,
                                  .n_people = people ? n : 0};
    if (rotation->every < 1 || rotation->every > 10000 ||
        !rotation_unit_of(import_text(from, "type", ""), &rotation->unit)) {
        import_note(im, "rotation", name, "its type or shift length is not understood");
        rotation->every = 0;
    }
    if (strcmp(import_text(from, "timeZone", zone_name(zone)), zone_name(zone)) != 0)
        import_note(im, "rotation", name, "it hands over in %s now, that of its schedule",
                    zone_name(zone));
}

static void read_rules(struct goalert *go,
                       const struct json *rules,
                       const char *schedule,
                       struct layer *layer)
{
    size_t n = json_length(rules);
    struct window *windows = import_array(&go->im, n, sizeof(*windows));

    for (size_t i = 0; i < n && windows; i++) {
        const struct json *rule = json_at(rules, i);
        const struct json *days = json_get(rule, "weekdayFilter");
        struct window window = {.to_s = 0};

        for (size_t day = 0; day < WEEKDAYS; day++) {
            bool on = false;

            if (!json_is_array(days))
                window.weekdays = 0x7f;
            else if (json_truth(json_at(days, day), &on) == 0 && on)
                window.weekdays |= 1U << day;
        }
        if (layer->n_windows == ROSTER_WINDOWS_MAX || !window.weekdays ||
            !reader_time_of_day(import_text(rule, "start", "00:00"), &window.from_s) ||
            !reader_time_of_day(import_text(rule, "end", "00:00"), &window.to_s) ||
            window.from_s == 86400)
            import_note(&go->im, "schedule", schedule,
                        "rule %zu is not understood, or one too many", i + 1);
        else
            windows[layer->n_windows++] = window;
    }
    layer->windows = windows;
}

/* False when there is nothing to keep. */
static bool read_target(struct goalert *go,
                        const struct json *from,
                        const char *schedule,
                        const struct zone *zone,
                        struct layer *layer)
{
    struct importer *im = &go->im;
    const struct json *target = json_get(from, "target");
    const struct json *rules = import_list(from, "rules");
    const char *type = import_text(target, "type", "");
    const char *id = import_text(target, "id", "?");
    const struct json *rotation = import_find(import_list(go->root, "rotations"), id);

    if (json_length(rules) == 0)
        return false; /* never on call there either */
    *layer = (struct layer){.from_ms = ROSTER_ALWAYS, .until_ms = ROSTER_FOREVER};
    if (strcmp(type, "rotation") == 0 && rotation) {
        read_turns(go, rotation, zone, &layer->rotation);
        layer->name = import_name(im, "rotation", rotation, "name");
    } else if (strcmp(type, "user") == 0) {
        const char **people = import_array(im, 1, sizeof(*people));
        const char *person = import_person(im, "schedule", id);

        if (!people || !person)
            return false;
        people[0] = person;
        layer->rotation = (struct rotation){.people = people, .n_people = 1};
        layer->name = person;
    } else {
        import_note(im, "schedule", schedule, "a target of type '%s' (%s) is not kept", type, id);
        return false;
    }
    read_rules(go, rules, schedule, layer);
    return layer->n_windows > 0 && layer->rotation.n_people > 0;
}

static void add_override(struct goalert *go,
                         struct schedule *schedule,
                         struct override *room,
                         const struct json *span,
                         struct override made)
{
    char id[40];

    if (clock_parse_rfc3339(import_text(span, "start", ""), &made.from_ms) ||
        clock_parse_rfc3339(import_text(span, "end", ""), &made.to_ms) ||
        made.to_ms <= made.from_ms) {
        import_note(&go->im, "schedule", schedule->name, "an override's times are not understood");
        return;
    }
    if (schedule->n_overrides == ROSTER_OVERRIDES_MAX) {
        import_note(&go->im, "schedule", schedule->name, "more than %d overrides",
                    (int)ROSTER_OVERRIDES_MAX);
        return;
    }
    (void)snprintf(id, sizeof(id), "goalert-%zu", schedule->n_overrides + 1);
    made.id = reader_copy(&go->im.r, id);
    room[schedule->n_overrides++] = made;
}

static void read_overrides(struct goalert *go, const char *id, struct schedule *schedule)
{
    const struct json *list = import_list(go->root, "userOverrides");
    struct override *room = import_array(&go->im, ROSTER_OVERRIDES_MAX, sizeof(*room));

    schedule->overrides = room;
    for (size_t i = 0; i < json_length(list) && room; i++) {
        const struct json *one = json_at(list, i);
        const char *add = import_text(one, "addUserID", "");
        const char *drop = import_text(one, "removeUserID", "");
        struct override made = {.kind = *add && *drop ? OVERRIDE_REPLACE
                                        : *add        ? OVERRIDE_ADD
                                                      : OVERRIDE_REMOVE};

        if (strcmp(import_text(json_get(one, "target"), "id", ""), id) != 0)
            continue;
        made.person = *add ? import_person(&go->im, "override", add) : NULL;
        made.of = *drop ? import_person(&go->im, "override", drop) : NULL;
        if ((!*add || made.person) && (!*drop || made.of) && (*add || *drop))
            add_override(go, schedule, room, one, made);
    }
}

static void read_temporary(struct goalert *go, const struct json *from, struct schedule *schedule)
{
    const struct json *list = import_list(from, "temporarySchedules");
    struct override *room = import_room(schedule->overrides);

    for (size_t i = 0; i < json_length(list) && room; i++) {
        const struct json *one = json_at(list, i);
        const struct json *shifts = import_list(one, "shifts");

        add_override(go, schedule, room, one, (struct override){.kind = OVERRIDE_REMOVE});
        for (size_t j = 0; j < json_length(shifts); j++) {
            const struct json *shift = json_at(shifts, j);
            const char *person = import_person(&go->im, "schedule",
                                               import_text(shift, "userID", NULL));

            if (person)
                add_override(go, schedule, room, shift,
                             (struct override){.kind = OVERRIDE_ADD, .person = person});
        }
    }
}

static void read_go_schedule(struct goalert *go, const struct json *from, struct schedule *schedule)
{
    struct importer *im = &go->im;
    const char *name = import_text(from, "name", "?");
    const struct json *targets = import_list(from, "targets");
    struct layer *layers = import_array(im, ROSTER_LAYERS_MAX, sizeof(*layers));

    *schedule = (struct schedule){
        .name = import_name(im, "schedule", from, "name"),
        .zone = import_zone(im, "schedule", import_text(from, "timeZone", "UTC")),
        .layers = layers};
    if (!layers || !schedule->zone)
        return;
    for (size_t i = 0; i < json_length(targets); i++) {
        if (schedule->n_layers == ROSTER_LAYERS_MAX) {
            import_note(im, "schedule", name, "target %zu is one too many: at most %d are kept",
                        i + 1, (int)ROSTER_LAYERS_MAX);
            break;
        }
        schedule->n_layers += read_target(go, json_at(targets, i), name, schedule->zone,
                                          &layers[schedule->n_layers]);
    }
    read_overrides(go, import_text(from, "id", "?"), schedule);
    read_temporary(go, from, schedule);
}

/* A policy may page a rotation as it is: here through a schedule of its own. */
static void read_bare_rotation(struct goalert *go,
                               const struct json *from,
                               struct schedule *schedule)
{
    struct importer *im = &go->im;
    struct layer *layer = import_array(im, 1, sizeof(*layer));
    char name[ROSTER_NAME_MAX + 1];

    (void)snprintf(name, sizeof(name), "rotation %.80s", import_text(from, "name", "?"));
    *schedule = (struct schedule){
        .name = reader_copy(&im->r, name),
        .zone = import_zone(im, "rotation", import_text(from, "timeZone", "UTC")),
        .layers = layer,
        .n_layers = 1};
    if (!layer || !schedule->zone)
        return;
    *layer = (struct layer){
        .name = schedule->name, .from_ms = ROSTER_ALWAYS, .until_ms = ROSTER_FOREVER};
    read_turns(go, from, schedule->zone, &layer->rotation);
    schedule->n_layers = layer->rotation.n_people > 0;
}

/* The name of the schedule a step's target means, made when it is a rotation. */
static const char *schedule_of(struct goalert *go, const char *type, const char *id)
{
    const struct json *schedule = import_find(import_list(go->root, "schedules"), id);
    const struct json *rotation = import_find(import_list(go->root, "rotations"), id);
    char name[ROSTER_NAME_MAX + 1];

    if (strcmp(type, "schedule") == 0)
        return schedule ? import_name(&go->im, "schedule", schedule, "name") : NULL;
    if (strcmp(type, "rotation") != 0 || !rotation)
        return NULL;
    (void)snprintf(name, sizeof(name), "rotation %.80s", import_text(rotation, "name", "?"));
    for (size_t i = 0; i < go->n_schedules; i++)
        if (strcmp(go->schedules[i].name, name) == 0)
            return go->schedules[i].name;
    read_bare_rotation(go, rotation, &go->schedules[go->n_schedules]);
    return go->im.r.rc ? NULL : go->schedules[go->n_schedules++].name;
}

static void read_step(struct goalert *go,
                      const struct json *from,
                      const char *policy,
                      struct policy_step *step)
{
    struct importer *im = &go->im;
    const struct json *list = import_list(from, "targets");
    struct target *targets = import_array(im, ROSTER_TARGETS_MAX, sizeof(*targets));

    *step = (struct policy_step){.delay_ms = import_int(from, "delayMinutes", 0) * MINUTE_MS,
                                 .targets = targets};
    for (size_t i = 0; i < json_length(list) && targets; i++) {
        const struct json *one = json_at(list, i);
        const char *type = import_text(one, "type", "?");
        const char *id = import_text(one, "id", "?");
        bool is_user = strcmp(type, "user") == 0;
        const char *name = is_user ? import_person(im, "policy", id) : schedule_of(go, type, id);

        if (name && step->n_targets < ROSTER_TARGETS_MAX)
            targets[step->n_targets++] = (struct target){is_user ? TARGET_PERSON : TARGET_SCHEDULE,
                                                         name};
        else
            import_note(im, "policy", policy, "a target of type '%s' (%s) is not kept", type,
                        import_text(one, "name", id));
    }
}

static void read_go_policy(struct goalert *go, const struct json *from, struct policy *policy)
{
    struct importer *im = &go->im;
    const char *name = import_text(from, "name", "?");
    const struct json *list = import_list(from, "steps");
    struct policy_step *steps = import_array(im, ROSTER_STEPS_MAX, sizeof(*steps));
    int64_t repeat = import_int(from, "repeat", 0);

    *policy = (struct policy){.name = import_name(im, "policy", from, "name"), .steps = steps};
    policy->repeat = (int)(repeat < 0                   ? 0
                           : repeat > ROSTER_REPEAT_MAX ? ROSTER_REPEAT_MAX
                                                        : repeat);
    for (size_t i = 0; i < json_length(list) && steps; i++) {
        if (policy->n_steps == ROSTER_STEPS_MAX) {
            import_note(im, "policy", name, "more than %d steps", (int)ROSTER_STEPS_MAX);
            break;
        }
        read_step(go, json_at(list, i), name, &steps[policy->n_steps]);
        if (steps[policy->n_steps].n_targets > 0)
            policy->n_steps++;
        else
            import_note(im, "policy", name, "step %zu pages nobody we know, and is left out",
                        i + 1);
    }
}

static void read_all(struct goalert *go, struct roster *roster)
{
    static const char *const kept[] = {"users",         "rotations",          "schedules",
                                       "userOverrides", "escalationPolicies", NULL};
    const struct json *schedules = import_list(go->root, "schedules");
    const struct json *policies = import_list(go->root, "escalationPolicies");
    size_t n_rotations = json_length(import_list(go->root, "rotations"));
    const char *key = NULL;
    const struct json *value = NULL;

    for (size_t i = 0; json_member(go->root, i, &key, &value); i++) {
        size_t j = 0;

        while (kept[j] && strcmp(kept[j], key) != 0)
            j++;
        if (!kept[j])
            import_note(&go->im, "export", key, "this part is not kept");
    }
    if (json_length(schedules) + n_rotations > ROSTER_SCHEDULES_MAX ||
        json_length(policies) > ROSTER_POLICIES_MAX) {
        go->im.r.rc = json_wrong(go->root, NULL, go->im.r.reterr,
                                 "more than %d schedules and rotations, or policies",
                                 (int)ROSTER_SCHEDULES_MAX);
        return;
    }
    import_people(&go->im, import_list(go->root, "users"), "name", contacts_of);
    go->schedules = import_array(&go->im, json_length(schedules) + n_rotations,
                                 sizeof(*go->schedules));
    for (size_t i = 0; i < json_length(schedules) && !go->im.r.rc; i++)
        read_go_schedule(go, json_at(schedules, i), &go->schedules[go->n_schedules++]);
    struct policy *made = import_array(&go->im, json_length(policies), sizeof(*made));

    for (size_t i = 0; i < json_length(policies) && !go->im.r.rc; i++)
        read_go_policy(go, json_at(policies, i), &made[i]);
    *roster = (struct roster){.schedules = go->schedules,
                              .n_schedules = go->n_schedules,
                              .policies = made,
                              .n_policies = json_length(policies)};
}

int import_goalert(const char *text,
                   size_t len,
                   struct zones *zones,
                   struct arena *arena,
                   struct roster *ret_roster,
                   struct import_notes *ret_notes,
                   struct err *reterr)
{
    struct goalert go = {.im = {.r = {arena, zones, reterr, 0}, .notes = ret_notes}};
    struct json *root = NULL;
    struct roster roster = {0};
    int rc = json_parse_upto(text, len, IMPORT_TEXT_MAX, &root, reterr);

    if (rc)
        return rc;
    go.root = json_is_object(json_get(root, "data")) ? json_get(root, "data") : root;
    if (!import_list(go.root, "users"))
        go.im.r.rc = json_wrong(
            go.root, "users", reterr,
            "expected GoAlert's users: {\"data\": {\"users\": {\"nodes\": […]}}}");
    else
        read_all(&go, &roster);
    json_free(root);
    return import_end(&go.im, &roster, ret_roster);
}
