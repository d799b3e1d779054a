/*
 * Grafana OnCall's users, schedules, shifts and escalation chains. See import.h.
 *
 *     single_event      one shift of everybody named
 *     recurrent_event   always the same people, in windows
 *     rolling_users     people take turns, in windows when a turn is not whole
 *     override          instead of whoever is on call
 *
 * Several people of one turn become layers side by side of the shift's level.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/oncall/import_private.h"
#include "lib/base/clock.h"

enum {
    DAY_S = 86400,
    WEEKDAYS = 7,
    TOGETHER_MAX = 8, /* people of one turn */
    REPEAT_TIMES = 5, /* what repeat_escalation does */
};

struct oncall {
    struct importer im;
    const struct json *root;
};

/* A shift being read: everything about it but its people. */
struct event {
    const struct json *from;
    const char *name;
    const struct zone *zone; /* of the schedule */
    struct zone_local start;
    int64_t start_ms, duration_s;
    const char *frequency; /* NULL: once */
    int interval;
};

static void contacts_of(struct importer *im, const struct json *user, struct person *person)
{
    const char *email = import_text(user, "email", "");
    struct contact *contacts = import_array(im, 1, sizeof(*contacts));

    if (*email && contacts) {
        contacts[0] = (struct contact){"email", reader_copy(&im->r, email)};
        person->n_contacts = 1;
    }
    person->contacts = contacts;
    if (json_has(user, "slack"))
        import_note(im, "user", person->name, "how Slack reaches them is not kept");
}

/* "2020-09-10T08:00:00" of the shift's own zone, as the schedule's wall shows it. */
static bool read_start(struct oncall *oc, struct event *event)
{
    const char *zone_text = import_text(event->from, "time_zone", NULL);
    const char *text = import_text(event->from, "start", "");
    const struct zone *own = zone_text ? import_zone(&oc->im, "shift", zone_text) : event->zone;
    char plain[20];

    (void)snprintf(plain, sizeof(plain), "%.19s", text);
    if (!own || !reader_local(plain, &event->start))
        return false;
    event->start_ms = zone_utc(own, &event->start);
    if (strcmp(zone_name(own), zone_name(event->zone)) != 0) {
        event->start = zone_local(event->zone, event->start_ms);
        if (event->frequency)
            import_note(&oc->im, "shift", event->name, "it is kept in %s now, that of its schedule",
                        zone_name(event->zone));
    }
    return true;
}

static int period_s(const struct event *event)
{
    if (strcmp(event->frequency, "hourly") == 0)
        return 3600;
    if (strcmp(event->frequency, "daily") == 0)
        return DAY_S;
    return strcmp(event->frequency, "weekly") == 0 ? WEEKDAYS * DAY_S : 28 * DAY_S;
}

static int weekday_of(const struct event *event)
{
    int64_t day = clock_days_from_civil(event->start.year, event->start.month, event->start.day);

    return (int)(((day + 4) % WEEKDAYS + WEEKDAYS) % WEEKDAYS);
}

static unsigned by_day(const struct event *event)
{
    static const char *const names[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
    const struct json *list = import_list(event->from, "by_day");
    unsigned days = 0;

    for (size_t i = 0; i < json_length(list); i++)
        for (int day = 0; day < WEEKDAYS; day++)
            if (json_text(json_at(list, i)) && strcmp(json_text(json_at(list, i)), names[day]) == 0)
                days |= 1U << day;
    return days;
}

/* One window a day of the duration, beginning on the event's weekdays. */
static bool read_windows(struct oncall *oc, const struct event *event, struct layer *layer)
{
    unsigned days = by_day(event);
    bool is_daily = strcmp(event->frequency, "daily") == 0;
    int64_t whole_s = period_s(event) * (int64_t)event->interval;
    int from_s = event->start.hour * 3600 + event->start.minute * 60 + event->start.second;
    int64_t left_s = event->duration_s;
    struct window *windows = import_array(&oc->im, WEEKDAYS, sizeof(*windows));

    if (json_length(import_list(event->from, "by_month")) ||
        json_length(import_list(event->from, "by_monthday")) || !windows)
        return false;
    layer->windows = windows;
    if (!days && left_s >= whole_s)
        return true; /* without a break */
    if (event->interval != 1 || period_s(event) < DAY_S || period_s(event) > WEEKDAYS * DAY_S)
        return false;
    if (!days)
        days = is_daily ? 0x7f : 1U << weekday_of(event);
    for (; left_s > 0 && layer->n_windows < WEEKDAYS; left_s -= DAY_S) {
        int64_t to_s = from_s + (left_s < DAY_S ? left_s : DAY_S);

        windows[layer->n_windows++] = (struct window){days, from_s,
                                                      (int)(to_s > DAY_S ? to_s - DAY_S : to_s)};
        days = (days << 1 | days >> (WEEKDAYS - 1)) & 0x7f;
    }
    return true;
}

static bool unit_of(const struct event *event, enum rotation_unit *ret)
{
    static const char *const names[] = {"hourly", "daily", "weekly", "monthly"};

    for (int i = 0; i < 4; i++)
        if (strcmp(event->frequency, names[i]) == 0) {
            *ret = (enum rotation_unit)i;
            return true;
        }
    return false;
}

/* Weeks turn over on their first day, whatever day the first shift is on. */
static struct zone_local first_turn(const struct event *event)
{
    struct zone_local first = event->start;
    const char *start = import_text(event->from, "week_start", "SU");
    int back = weekday_of(event) - (strcmp(start, "MO") == 0);

    if (strcmp(event->frequency, "weekly") != 0 || !by_day(event))
        return first;
    struct clock_utc date = clock_split_utc(
        (clock_days_from_civil(first.year, first.month, first.day) - (back + WEEKDAYS) % WEEKDAYS) *
        DAY_S * 1000);

    first.year = date.year;
    first.month = date.month;
    first.day = date.day;
    return first;
}

/* The people of place `together` of each turn. */
static void read_turns(struct oncall *oc,
                       const struct event *event,
                       size_t together,
                       struct rotation *rotation)
{
    const struct json *groups = import_list(event->from, "rolling_users");
    size_t n = json_length(groups);
    size_t first = (size_t)import_int(event->from, "start_rotation_from_user_index", 0);
    const char **people = import_array(&oc->im, n, sizeof(*people));

    for (size_t i = 0; i < n && people; i++) {
        const struct json *group = json_at(groups, (first % n + i) % n);

        if (together < json_length(group))
            people[i] = import_person(&oc->im, "shift", json_text(json_at(group, together)));
    }
    rotation->people = people;
    rotation->n_people = people ? n : 0;
    rotation->every = event->interval;
    rotation->anchor = first_turn(event);
    if (!unit_of(event, &rotation->unit))
        rotation->n_people = 0;
}

/* How many layers a shift needs, and whose the i-th is. */
static size_t layers_of(const struct event *event, bool rolls)
{
    const struct json *groups = import_list(event->from, rolls ? "rolling_users" : "users");
    size_t n = rolls ? 0 : json_length(groups);

    for (size_t i = 0; rolls && i < json_length(groups); i++)
        if (json_length(json_at(groups, i)) > n)
            n = json_length(json_at(groups, i));
    return n < TOGETHER_MAX ? n : TOGETHER_MAX;
}

static bool read_layer(
    struct oncall *oc, const struct event *event, bool rolls, size_t together, struct layer *layer)
{
    struct importer *im = &oc->im;
    struct zone_local until;
    const char *until_text = import_text(event->from, "until", NULL);
    const char **people = import_array(im, 1, sizeof(*people));
    struct shift *shift = import_array(im, 1, sizeof(*shift));

    *layer = (struct layer){.name = event->name,
                            .level = (int)import_int(event->from, "level", 0),
                            .from_ms = event->start_ms,
                            .until_ms = ROSTER_FOREVER};
    layer->level = layer->level < 0 ? 0 : layer->level > 100 ? 100 : layer->level;
    if (until_text && reader_local(until_text, &until))
        layer->until_ms = zone_utc(event->zone, &until);
    if (rolls) {
        read_turns(oc, event, together, &layer->rotation);
    } else if (people && shift) {
        people[0] = import_person(im, "shift",
                                  json_text(json_at(import_list(event->from, "users"), together)));
        if (!people[0])
            return true; /* said already */
        layer->rotation = (struct rotation){.people = people, .n_people = 1};
    }
    if (event->frequency)
        return layer->rotation.n_people && layer->until_ms > layer->from_ms &&
               read_windows(oc, event, layer);
    layer->until_ms = event->start_ms + event->duration_s * 1000;
    return layer->rotation.n_people > 0;
}

static void read_stand_in(struct oncall *oc, const struct event *event, struct schedule *schedule)
{
    const struct json *users = import_list(event->from, "users");
    const struct json *groups = import_list(event->from, "rolling_users");
    struct override *room = import_room(schedule->overrides);

    if (json_length(users) == 0)
        users = json_at(groups, 0);
    for (size_t i = 0; i < json_length(users) && !oc->im.r.rc; i++) {
        const char *person = import_person(&oc->im, "override", json_text(json_at(users, i)));
        char id[40];

        if (!person || schedule->n_overrides == ROSTER_OVERRIDES_MAX)
            continue;
        (void)snprintf(id, sizeof(id), "oncall-%zu", schedule->n_overrides + 1);
        room[schedule->n_overrides++] = (struct override){
            .id = reader_copy(&oc->im.r, id),
            .kind = i ? OVERRIDE_ADD : OVERRIDE_REPLACE,
            .person = person,
            .from_ms = event->start_ms,
            .to_ms = event->start_ms + event->duration_s * 1000};
    }
}

static void read_shift(struct oncall *oc, const struct json *from, struct schedule *schedule)
{
    struct importer *im = &oc->im;
    const char *type = import_text(from, "type", "?");
    bool rolls = strcmp(type, "rolling_users") == 0;
    bool known = rolls || strcmp(type, "single_event") == 0 ||
                 strcmp(type, "recurrent_event") == 0 || strcmp(type, "override") == 0;
    struct event event = {.from = from,
                          .name = import_name(im, "shift", from, "name"),
                          .zone = schedule->zone,
                          .duration_s = import_int(from, "duration", 0),
                          .frequency = import_text(from, "frequency", NULL),
                          .interval = (int)import_int(from, "interval", 1)};
    struct layer *layers = import_room(schedule->layers);

    if (!known || event.duration_s <= 0 || event.duration_s > 366 * DAY_S || event.interval < 1 ||
        event.interval > 1000 || (rolls && !event.frequency) || !read_start(oc, &event)) {
        import_note(im, "shift", event.name,
                    "its type (%s), start, duration or interval is not understood", type);
        return;
    }
    if (strcmp(type, "override") == 0) {
        read_stand_in(oc, &event, schedule);
        return;
    }
    for (size_t i = 0; i < layers_of(&event, rolls) && !im->r.rc; i++) {
        if (schedule->n_layers == ROSTER_LAYERS_MAX) {
            import_note(im, "shift", event.name, "its schedule has %d layers already: not kept",
                        (int)ROSTER_LAYERS_MAX);
            return;
        }
        struct layer layer = {0};

        if (!read_layer(oc, &event, rolls, i, &layer)) {
            import_note(im, "shift", event.name, "how it repeats cannot be kept");
            return;
        }
        if (layer.rotation.n_people)
            layers[schedule->n_layers++] = layer;
    }
    if (layers_of(&event, rolls) == TOGETHER_MAX)
        import_note(im, "shift", event.name, "of a turn at most %d people are kept",
                    (int)TOGETHER_MAX);
}

static void read_schedule_of(struct oncall *oc, const struct json *from, struct schedule *schedule)
{
    static const char *const urls[] = {"ical_url_primary", "ical_url_overrides"};
    struct importer *im = &oc->im;
    const struct json *ids = import_list(from, "shifts");
    const struct json *all = import_list(oc->root, "on_call_shifts");

    if (!ids)
        ids = import_list(from, "on_call_shifts");
    *schedule = (struct schedule){
        .name = import_name(im, "schedule", from, "name"),
        .zone = import_zone(im, "schedule", import_text(from, "time_zone", "UTC")),
        .layers = import_array(im, ROSTER_LAYERS_MAX, sizeof(struct layer)),
        .overrides = import_array(im, ROSTER_OVERRIDES_MAX, sizeof(struct override))};
    for (size_t i = 0; i < 2; i++)
        if (json_has(from, urls[i]))
            import_note(im, "schedule", schedule->name,
                        "%s is a calendar elsewhere: import it as iCalendar", urls[i]);
    for (size_t i = 0; i < json_length(ids) && !im->r.rc; i++) {
        const char *id = json_text(json_at(ids, i));
        const struct json *shift = import_find(all, id);

        if (shift)
            read_shift(oc, shift, schedule);
        else
            import_note(im, "schedule", schedule->name, "its shift %s is not in the export",
                        id ? id : "?");
    }
}

static void add_people(struct oncall *oc, const struct json *ids, struct policy_step *step)
{
    struct target *targets = import_room(step->targets);

    for (size_t i = 0; i < json_length(ids); i++) {
        const char *name = import_person(&oc->im, "policy", json_text(json_at(ids, i)));

        if (name && step->n_targets < ROSTER_TARGETS_MAX)
            targets[step->n_targets++] = (struct target){TARGET_PERSON, name};
    }
}

/* One of OnCall's steps: a wait makes the step before it wait. */
static void read_step(struct oncall *oc, const struct json *from, struct policy *policy)
{
    struct importer *im = &oc->im;
    const char *type = import_text(from, "type", "?");
    struct policy_step *steps = import_room(policy->steps);
    struct target *targets = import_array(im, ROSTER_TARGETS_MAX, sizeof(*targets));
    struct policy_step step = {.targets = targets};
    const struct json *schedule = import_find(
        import_list(oc->root, "schedules"),
        import_text(from, "notify_on_call_from_schedule", NULL));

    if (strcmp(type, "wait") == 0 && policy->n_steps > 0) {
        steps[policy->n_steps - 1].delay_ms += import_int(from, "duration", 0) * 1000;
        return;
    }
    if (strcmp(type, "repeat_escalation") == 0) {
        policy->repeat = REPEAT_TIMES;
        return;
    }
    if (strcmp(type, "notify_persons") == 0) {
        add_people(oc, import_list(from, "persons_to_notify"), &step);
    } else if (strcmp(type, "notify_person_next_each_time") == 0) {
        add_people(oc, import_list(from, "persons_to_notify_next_each_time"), &step);
        import_note(im, "policy", policy->name,
                    "its step '%s' pages all of them now, not one after the other", type);
    } else if (strcmp(type, "notify_on_call_from_schedule") == 0 && schedule && targets) {
        targets[step.n_targets++] = (struct target){TARGET_SCHEDULE,
                                                    import_name(im, "schedule", schedule, "name")};
    }
    if (step.n_targets > 0 && policy->n_steps < ROSTER_STEPS_MAX)
        steps[policy->n_steps++] = step;
    else
        import_note(im, "policy", policy->name, "its step '%s' (position %lld) is not kept", type,
                    (long long)import_int(from, "position", -1));
}

/* The steps of a chain stand in one list of all, in any order. */
static void read_chain(struct oncall *oc, const struct json *chain, struct policy *policy)
{
    const struct json *list = import_list(oc->root, "escalation_policies");
    const char *id = import_text(chain, "id", "?");
    int64_t done = -1;

    *policy = (struct policy){
        .name = import_name(&oc->im, "policy", chain, "name"),
        .steps = import_array(&oc->im, ROSTER_STEPS_MAX, sizeof(struct policy_step))};
    for (int rounds = 0; rounds < 1000 && !oc->im.r.rc; rounds++) {
        const struct json *next = NULL;
        int64_t next_position = INT64_MAX;

        for (size_t i = 0; i < json_length(list); i++) {
            const struct json *one = json_at(list, i);
            int64_t position = import_int(one, "position", 0);

            if (position > done && position < next_position &&
                strcmp(import_text(one, "escalation_chain_id", ""), id) == 0) {
                next = one;
                next_position = position;
            }
        }
        if (!next)
            return;
        read_step(oc, next, policy);
        done = next_position;
    }
}

static void read_all(struct oncall *oc, struct roster *roster)
{
    const struct json *schedules = import_list(oc->root, "schedules");
    const struct json *chains = import_list(oc->root, "escalation_chains");
    static const char *const kept[] = {
        "users", "schedules", "on_call_shifts", "escalation_chains", "escalation_policies", NULL};
    const char *key = NULL;
    const struct json *value = NULL;

    for (size_t i = 0; json_member(oc->root, i, &key, &value); i++) {
        size_t j = 0;

        while (kept[j] && strcmp(kept[j], key) != 0)
            j++;
        if (!kept[j])
            import_note(&oc->im, "export", key, "this part is not kept");
        else if (json_has(value, "next"))
            import_note(&oc->im, "export", key, "only a page of it: more follows at its `next`");
    }
    if (json_length(schedules) > ROSTER_SCHEDULES_MAX ||
        json_length(chains) > ROSTER_POLICIES_MAX) {
        oc->im.r.rc = json_wrong(oc->root, NULL, oc->im.r.reterr,
                                 "more than %d schedules or escalation chains",
                                 (int)ROSTER_SCHEDULES_MAX);
        return;
    }
    import_people(&oc->im, import_list(oc->root, "users"), "username", contacts_of);
    struct schedule *made = import_array(&oc->im, json_length(schedules), sizeof(*made));

    for (size_t i = 0; i < json_length(schedules) && !oc->im.r.rc; i++)
        read_schedule_of(oc, json_at(schedules, i), &made[i]);
    struct policy *policies = import_array(&oc->im, json_length(chains), sizeof(*policies));

    for (size_t i = 0; i < json_length(chains) && !oc->im.r.rc; i++)
        read_chain(oc, json_at(chains, i), &policies[i]);
    *roster = (struct roster){.schedules = made,
                              .n_schedules = json_length(schedules),
                              .policies = policies,
                              .n_policies = json_length(chains)};
}

int import_oncall(const char *text,
                  size_t len,
                  struct zones *zones,
                  struct arena *arena,
                  struct roster *ret_roster,
                  struct import_notes *ret_notes,
                  struct err *reterr)
{
    struct oncall oc = {.im = {.r = {arena, zones, reterr, 0}, .notes = ret_notes}};
    struct json *root = NULL;
    struct roster roster = {0};
    int rc = json_parse_upto(text, len, IMPORT_TEXT_MAX, &root, reterr);

    if (rc)
        return rc;
    oc.root = root;
    if (!import_list(root, "users"))
        oc.im.r.rc = json_wrong(root, "users", reterr, "expected the list of OnCall's users");
    else
        read_all(&oc, &roster);
    json_free(root);
    return import_end(&oc.im, &roster, ret_roster);
}
