/*
 * People, shadows, policies and whole rosters from JSON. See spelling.h.
 */

#include "alertd/oncall/spelling.h"

#include <string.h>

#include "alertd/oncall/spelling_private.h"

enum {
    DELAY_MAX_MS = 7 * 24 * 3600 * 1000
};

void read_person(struct reader *r, const struct json *object, struct person *person)
{
    static const char *const known[] = {"name", "full_name", "zone", "contacts", NULL};
    static const char *const known_contact[] = {"method", "address", NULL};
    struct err err = {0};
    const struct zone *zone = NULL;

    reader_only(r, object, known);
    person->name = reader_name(r, object, "name", true);
    person->full_name = reader_text(r, object, "full_name", false);
    person->zone = reader_text(r, object, "zone", false);
    if (person->zone && zones_get(r->zones, person->zone, &zone, &err))
        reader_wrong(r, object, "zone", "%s", err.text);
    const struct json *list = reader_list(r, object, "contacts", ROSTER_CONTACTS_MAX);
    struct contact *contacts = reader_array(r, json_length(list), sizeof(*contacts));

    for (size_t i = 0; i < json_length(list) && !r->rc; i++) {
        reader_only(r, json_at(list, i), known_contact);
        contacts[i].method = reader_name(r, json_at(list, i), "method", true);
        contacts[i].address = reader_text(r, json_at(list, i), "address", true);
        if (contacts[i].address && !*contacts[i].address)
            reader_wrong(r, json_at(list, i), "address", "it is empty");
    }
    person->contacts = contacts;
    person->n_contacts = json_length(list);
}

void read_shadow(struct reader *r, const struct json *object, struct shadow *shadow)
{
    static const char *const known[] = {"id", "person", "target_kind", "target",   "from",
                                        "to", "mode",   "mentor",      "after_ms", NULL};

    reader_only(r, object, known);
    shadow->id = reader_name(r, object, "id", true);
    shadow->person = reader_name(r, object, "person", true);
    shadow->target_kind = (enum shadow_target)reader_choice(r, object, "target_kind",
                                                            shadow_targets, -1);
    shadow->target = reader_name(r, object, "target", true);
    shadow->from_ms = reader_time(r, object, "from", 0);
    shadow->to_ms = reader_time(r, object, "to", 0);
    shadow->mode = (enum shadow_mode)reader_choice(r, object, "mode", shadow_modes, -1);
    shadow->mentor = json_has(object, "mentor") ? reader_name(r, object, "mentor", true) : NULL;
    shadow->after_ms = reader_int(r, object, "after_ms", 0, 0, ROSTER_SHADOW_AFTER_MS_MAX);
    if (shadow->to_ms <= shadow->from_ms)
        reader_wrong(r, object, "to", "expected an instant after from");
    if (!r->rc && shadow->mentor && strcmp(shadow->person, shadow->mentor) == 0)
        reader_wrong(r, object, "mentor", "nobody is their own mentor");
    if (shadow->after_ms && shadow->mode != SHADOW_REVERSE)
        reader_wrong(r, object, "after_ms", "only a reverse shadow is paged before others");
    if (!r->rc && shadow->target_kind == SHADOW_OF_PERSON &&
        strcmp(shadow->person, shadow->target) == 0)
        reader_wrong(r, object, "target", "nobody is their own shadow");
}

const char *shadow_mode_name(enum shadow_mode mode)
{
    return shadow_modes[mode];
}

static const struct target *read_targets(struct reader *r,
                                         const struct json *object,
                                         const char *key,
                                         size_t *ret_n)
{
    const struct json *list = reader_list(r, object, key, ROSTER_TARGETS_MAX);
    struct target *targets = reader_array(r, json_length(list), sizeof(*targets));

    for (size_t i = 0; i < json_length(list) && !r->rc; i++) {
        const struct json *one = json_at(list, i);
        int kind = 0;

        reader_only(r, one, target_kinds);
        if (!r->rc && json_length(one) != 1)
            reader_wrong(r, one, NULL, "expected one of person, schedule, receiver");
        while (target_kinds[kind + 1] && !json_has(one, target_kinds[kind]))
            kind++;
        targets[i].kind = (enum target_kind)kind;
        targets[i].name = reader_name(r, one, target_kinds[kind], true);
    }
    *ret_n = json_length(list);
    return targets;
}

void read_policy(struct reader *r, const struct json *object, struct policy *policy)
{
    static const char *const known[] = {"name",  "title",    "repeat", "ack_expires_ms",
                                        "steps", "fallback", NULL};
    static const char *const known_step[] = {"delay_ms", "targets", NULL};

    reader_only(r, object, known);
    policy->name = reader_name(r, object, "name", true);
    policy->title = reader_text(r, object, "title", false);
    policy->repeat = (int)reader_int(r, object, "repeat", 0, 0, ROSTER_REPEAT_MAX);
    policy->ack_expires_ms = reader_int(r, object, "ack_expires_ms", 0, 0, DELAY_MAX_MS);
    const struct json *list = reader_list(r, object, "steps", ROSTER_STEPS_MAX);
    struct policy_step *steps = reader_array(r, json_length(list), sizeof(*steps));

    if (json_length(list) == 0)
        reader_wrong(r, object, "steps", "expected one step at least");
    for (size_t i = 0; i < json_length(list) && !r->rc; i++) {
        const struct json *step = json_at(list, i);

        reader_only(r, step, known_step);
        steps[i].delay_ms = reader_int(r, step, "delay_ms", -1, 0, DELAY_MAX_MS);
        steps[i].targets = read_targets(r, step, "targets", &steps[i].n_targets);
        if (!r->rc && steps[i].n_targets == 0)
            reader_wrong(r, step, "targets", "expected one target at least");
    }
    policy->steps = steps;
    policy->n_steps = json_length(list);
    policy->fallback = read_targets(r, object, "fallback", &policy->n_fallback);
}

/* The four lists of a roster have one shape: count, room, read each, no name twice. */
#define READ_LIST(r, root, key, max, type, field, count, read_one, id)              \
    do {                                                                            \
        const struct json *list_ = reader_list(r, root, key, max);                  \
        struct type *items_ = reader_array(r, json_length(list_), sizeof(*items_)); \
        for (size_t i_ = 0; i_ < json_length(list_) && !(r)->rc; i_++) {            \
            read_one(r, json_at(list_, i_), &items_[i_]);                           \
            for (size_t j_ = 0; j_ < i_ && !(r)->rc; j_++)                          \
                if (strcmp(items_[j_].id, items_[i_].id) == 0)                      \
                    reader_wrong(r, json_at(list_, i_), #id, "'%s' is there twice", \
                                 items_[i_].id);                                    \
        }                                                                           \
        (field) = items_;                                                           \
        (count) = json_length(list_);                                               \
    } while (0)

static void need_person(struct reader *r,
                        const struct roster *roster,
                        const struct json *place,
                        const char *name)
{
    if (!r->rc && name && !roster_person(roster, name))
        reader_wrong(r, place, NULL, "there is no person '%s'", name);
}

static void need_of_schedule(struct reader *r,
                             const struct roster *roster,
                             const struct json *place,
                             const struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->n_layers; i++) {
        const struct layer *layer = &schedule->layers[i];

        for (size_t j = 0; j < layer->rotation.n_people; j++)
            need_person(r, roster, place, layer->rotation.people[j]);
        for (size_t j = 0; j < layer->n_shifts; j++)
            need_person(r, roster, place, layer->shifts[j].person);
    }
    for (size_t i = 0; i < schedule->n_overrides; i++) {
        need_person(r, roster, place, schedule->overrides[i].person);
        need_person(r, roster, place, schedule->overrides[i].of);
    }
}

static void need_target(struct reader *r,
                        const struct roster *roster,
                        const struct json *place,
                        const struct target *target)
{
    switch (target->kind) {
    case TARGET_PERSON: need_person(r, roster, place, target->name); break;
    case TARGET_SCHEDULE:
        if (!r->rc && !roster_schedule(roster, target->name))
            reader_wrong(r, place, NULL, "there is no schedule '%s'", target->name);
        break;
    case TARGET_RECEIVER: break; /* of the configuration file */
    }
}

static void need_all(struct reader *r, const struct json *root, const struct roster *roster)
{
    for (size_t i = 0; i < roster->n_schedules && !r->rc; i++)
        need_of_schedule(r, roster, json_at(json_get(root, "schedules"), i), &roster->schedules[i]);
    for (size_t i = 0; i < roster->n_shadows && !r->rc; i++) {
        const struct shadow *shadow = &roster->shadows[i];
        const struct json *place = json_at(json_get(root, "shadows"), i);
        struct target target = {shadow->target_kind == SHADOW_OF_PERSON ? TARGET_PERSON
                                                                        : TARGET_SCHEDULE,
                                shadow->target};

        need_person(r, roster, place, shadow->person);
        need_person(r, roster, place, shadow->mentor);
        need_target(r, roster, place, &target);
    }
    for (size_t i = 0; i < roster->n_policies && !r->rc; i++) {
        const struct policy *policy = &roster->policies[i];
        const struct json *place = json_at(json_get(root, "policies"), i);

        for (size_t j = 0; j < policy->n_steps; j++)
            for (size_t k = 0; k < policy->steps[j].n_targets; k++)
                need_target(r, roster, place, &policy->steps[j].targets[k]);
        for (size_t j = 0; j < policy->n_fallback; j++)
            need_target(r, roster, place, &policy->fallback[j]);
    }
}

// NOLINTNEXTLINE(readability-function-size): one check after another
static void read_roster(struct reader *r, const struct json *root, struct roster *roster)
{
    static const char *const known[] = {"people", "schedules", "shadows", "policies", NULL};

    reader_only(r, root, known);
    READ_LIST(r, root, "people", ROSTER_PEOPLE_MAX, person, roster->people, roster->n_people,
              read_person, name);
    READ_LIST(r, root, "schedules", ROSTER_SCHEDULES_MAX, schedule, roster->schedules,
              roster->n_schedules, read_schedule, name);
    READ_LIST(r, root, "shadows", ROSTER_SHADOWS_MAX, shadow, roster->shadows, roster->n_shadows,
              read_shadow, id);
    READ_LIST(r, root, "policies", ROSTER_POLICIES_MAX, policy, roster->policies,
              roster->n_policies, read_policy, name);
    need_all(r, root, roster);
}

/* parse(text) = read_one(its JSON) into *ret: the same five lines for each. */
#define PARSE(type, max_bytes, zones_, read_one)                          \
    do {                                                                  \
        struct json *root = NULL;                                         \
        struct type made = {0};                                           \
        struct zones own = {0};                                           \
        struct reader r = {arena, (zones_) ? (zones_) : &own, reterr, 0}; \
        int rc = json_parse_upto(text, len, max_bytes, &root, reterr);    \
                                                                          \
        if (rc)                                                           \
            return rc;                                                    \
        read_one(&r, root, &made);                                        \
        json_free(root);                                                  \
        zones_done(&own);                                                 \
        if (!r.rc)                                                        \
            *ret = made;                                                  \
        return r.rc;                                                      \
    } while (0)

int person_parse(
    const char *text, size_t len, struct arena *arena, struct person *ret, struct err *reterr)
{
    PARSE(person, JSON_BODY_MAX, (struct zones *)NULL, read_person);
}

int schedule_parse(const char *text,
                   size_t len,
                   struct zones *zones,
                   struct arena *arena,
                   struct schedule *ret,
                   struct err *reterr)
{
    PARSE(schedule, ROSTER_TEXT_MAX, zones, read_schedule);
}

int override_parse(
    const char *text, size_t len, struct arena *arena, struct override *ret, struct err *reterr)
{
    PARSE(override, JSON_BODY_MAX, (struct zones *)NULL, read_override);
}

int shadow_parse(
    const char *text, size_t len, struct arena *arena, struct shadow *ret, struct err *reterr)
{
    PARSE(shadow, JSON_BODY_MAX, (struct zones *)NULL, read_shadow);
}

int policy_parse(
    const char *text, size_t len, struct arena *arena, struct policy *ret, struct err *reterr)
{
    PARSE(policy, JSON_BODY_MAX, (struct zones *)NULL, read_policy);
}

int roster_parse(const char *text,
                 size_t len,
                 struct zones *zones,
                 struct arena *arena,
                 struct roster *ret,
                 struct err *reterr)
{
    PARSE(roster, ROSTER_TEXT_MAX, zones, read_roster);
}
