/*
 * From alerts that fire to who is paged. See world_private.h.
 *
 *   an alert fires  --the groups of its routes--> incidents; into the dispatcher
 *   a group is told --oncall--> the incident's escalation opens, once; else the receiver is named
 *   a step is due   --> a page, a moment
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/world_private.h"
#include "lib/base/mem.h"

enum {
    MOVES_BYTES_MAX = 1024 * 1024,
};

/* --- Incidents -------------------------------------------------------------------------------------- */

/* The names of alerts that fire in it, each once. */
static void add_names(const struct world_incident *incident, struct str *out)
{
    for (size_t i = 0; i < incident->n_firing; i++) {
        const char *name = labels_get(incident->firing[i].labels, "alertname");
        bool is_new = name != NULL;

        for (size_t k = 0; k < i && is_new; k++) {
            const char *other = labels_get(incident->firing[k].labels, "alertname");

            is_new = !other || strcmp(other, name) != 0;
        }
        if (is_new)
            str_addf(out, "%s%s", out->len ? ", " : "", name);
    }
}

static void say(struct drill_world *world,
                const struct world_incident *incident,
                enum drill_moment_kind kind,
                int64_t at_ms,
                const char *who)
{
    STR_AUTO struct str names = STR_INIT(4096);

    add_names(incident, &names);
    world_add(world, &(struct drill_moment){.at_ms = at_ms,
                                            .kind = kind,
                                            .who = who,
                                            .what = str_text(&names),
                                            .more = incident->title,
                                            .incident = incident->number});
}

static struct world_incident *incident_of(struct drill_world *world, const char *group_key)
{
    for (size_t i = world->n_incidents; i-- > 0;)
        if (strcmp(world->incidents[i].group_key, group_key) == 0 &&
            incident_takes_alerts(&world->incidents[i].life))
            return &world->incidents[i];
    return NULL;
}

static struct world_incident *open_incident(struct drill_world *world,
                                            const char *group_key,
                                            const struct alert_event *event)
{
    STR_AUTO struct str title = STR_INIT(1000);

    world->incidents = mem_grow(world->incidents, &world->incidents_capacity,
                                world->n_incidents + 1, sizeof(*world->incidents));

    struct world_incident *incident = &world->incidents[world->n_incidents++];

    incident_title(event->labels, event->annotations, &title);
    *incident = (struct world_incident){.number = (unsigned)world->n_incidents,
                                        .group_key = mem_strdup(group_key),
                                        .title = str_take(&title),
                                        .opened_ms = world->now_ms,
                                        .acked_ms = DRILL_NOT_YET,
                                        .over_ms = DRILL_NOT_YET,
                                        .escalation.next_ms = ESCALATION_NEVER};
    if (!incident->title)
        incident->title = mem_strdup("");
    return incident;
}

static size_t place_of(const struct world_incident *incident, const struct labels *labels)
{
    size_t i = 0;

    while (i < incident->n_firing && !labels_equal(incident->firing[i].labels, labels))
        i++;
    return i;
}

static void fires(struct drill_world *world, const char *group_key, const struct alert_event *event)
{
    struct world_incident *incident = incident_of(world, group_key);

    if (!incident)
        incident = open_incident(world, group_key, event);
    if (place_of(incident, event->labels) < incident->n_firing)
        return;

    enum incident_change change = incident_step(&incident->life, INCIDENT_ALERT_FIRES);

    incident->firing = mem_grow(incident->firing, &incident->capacity, incident->n_firing + 1,
                                sizeof(*incident->firing));
    incident->firing[incident->n_firing++].labels = labels_ref(event->labels);
    if (change == INCIDENT_REOPENED)
        incident->over_ms = DRILL_NOT_YET;
    if (change == INCIDENT_OPENED || change == INCIDENT_REOPENED)
        say(world, incident, DRILL_MOMENT_OPENED, world->now_ms, NULL);
}

static void ends(struct drill_world *world, const char *group_key, const struct alert_event *event)
{
    struct world_incident *incident = incident_of(world, group_key);
    size_t place = incident ? place_of(incident, event->labels) : 0;

    if (!incident || place == incident->n_firing)
        return;
    if (incident_step(&incident->life, INCIDENT_ALERT_ENDS) == INCIDENT_OVER) {
        incident->over_ms = world->now_ms;
        say(world, incident, DRILL_MOMENT_OVER, world->now_ms, NULL);
        world_tell_escalation(world, incident, ESCALATION_RESOLVE, "");
    }
    labels_unref(incident->firing[place].labels);
    incident->firing[place] = incident->firing[--incident->n_firing];
}

void world_take_alert(struct drill_world *world, const struct alert_event *event)
{
    int64_t now_ms = world->zero_ms + world->now_ms;
    bool is_over = event->kind == ALERT_EVENT_RESOLVED;
    const struct dispatch_alert alert = {
        .labels = event->labels,
        .annotations = event->annotations,
        .starts_at_ms = event->fired_at_ms,
        .ends_at_ms = is_over ? now_ms : now_ms + 2 * DRILL_LENGTH_MAX_MS,
        .updated_at_ms = now_ms,
    };
    struct route_walk walk;

    route_walk(world->drill_case->config, event->labels, &walk);
    for (size_t i = 0; i < walk.n; i++) {
        STR_AUTO struct str key = STR_INIT(64 * 1024);
        const struct labels *group = route_node_group(walk.at[i], event->labels);

        route_node_group_key(walk.at[i], group, &key);
        labels_unref(group);
        (is_over ? ends : fires)(world, str_text(&key), event);
    }
    dispatch_put(world->dispatch, &alert, now_ms);
}

/* --- Escalation ----------------------------------------------------------------------------------------- */

static void perform(struct drill_world *world,
                    const struct world_incident *incident,
                    const struct escalation_move *move)
{
    const char *you = drill_you(world->drill_case->drill);
    int64_t at_ms = move->at_ms - world->zero_ms;
    bool any = false;

    for (size_t i = 0; i < move->n_pages; i++) {
        const struct escalation_page *page = &move->pages[i];
        const char *who = page->person ? page->person : page->target;

        if (page->unreached)
            continue;
        any = true;
        say(world, incident, DRILL_MOMENT_PAGE, at_ms, who);
        if (world->paged_ms == DRILL_NOT_YET && strcmp(who, you) == 0)
            world->paged_ms = at_ms;
    }
    if (!any && move->kind != ESCALATION_CONTINUED)
        say(world, incident, DRILL_MOMENT_NOBODY, at_ms,
            move->kind == ESCALATION_RAN_OUT ? "everybody was paged" : "nobody is on call");
}

void world_tell_escalation(struct drill_world *world,
                           struct world_incident *incident,
                           enum escalation_event_kind kind,
                           const char *person)
{
    const struct roster *roster = &world->drill_case->roster;
    const struct escalation_event event = {
        .kind = kind, .at_ms = world->zero_ms + world->now_ms, .person = person};
    struct escalation_moves moves = {0};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, MOVES_BYTES_MAX);
    if (!incident->policy)
        return;
    (void)escalation_tell(&incident->escalation, incident->policy, roster, &event, &arena, &moves);
    for (size_t i = 0; i < moves.n; i++)
        perform(world, incident, &moves.at[i]);
}

static void escalate(struct drill_world *world, struct world_incident *incident)
{
    struct escalation_moves moves = {0};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, MOVES_BYTES_MAX);
    (void)escalation_advance(&incident->escalation, incident->policy, &world->drill_case->roster,
                             world->zero_ms + world->now_ms, &arena, &moves);
    for (size_t i = 0; i < moves.n; i++)
        perform(world, incident, &moves.at[i]);
}

/* --- Being told ------------------------------------------------------------------------------------------- */

static const struct policy *policy_of(const struct drill_world *world,
                                      const struct route_integration *to)
{
    const struct drill *drill = world->drill_case->drill;
    const struct policy *policy = roster_policy(&world->drill_case->roster, to->oncall.policy);

    /* a team's own file names its own policies: in a drill they page who is there */
    return policy
               ? policy
               : roster_policy(&world->drill_case->roster, drill->roster ? drill->policy : "drill");
}

static void take(void *arg, const struct dispatch_notification *told)
{
    struct drill_world *world = arg;
    struct world_incident *incident = incident_of(world, told->group_key);

    if (told->n_firing == 0 || !incident)
        return;
    if (told->to->kind != ROUTE_ONCALL) {
        say(world, incident, DRILL_MOMENT_TOLD, told->at_ms - world->zero_ms, told->to->receiver);
        return;
    }
    if (incident->policy)
        return;
    incident->policy = policy_of(world, told->to);
    escalation_open(&incident->escalation, told->at_ms);
    if (incident->life.status == INCIDENT_ACKNOWLEDGED) { /* quicker than the first page */
        incident->escalation.status = ESCALATION_ACKNOWLEDGED;
        incident->escalation.next_ms = ESCALATION_NEVER;
    }
}

void world_page(struct drill_world *world)
{
    int64_t now_ms = world->zero_ms + world->now_ms;

    dispatch_run(world->dispatch, now_ms, take, world);
    for (size_t i = 0; i < world->n_incidents; i++)
        if (world->incidents[i].policy && world->incidents[i].escalation.next_ms <= now_ms)
            escalate(world, &world->incidents[i]);
}

struct world_incident *world_open_incident(struct drill_world *world, bool unacknowledged)
{
    for (size_t i = world->n_incidents; i-- > 0;) {
        enum incident_status status = world->incidents[i].life.status;

        if (status == INCIDENT_TRIGGERED || (status == INCIDENT_ACKNOWLEDGED && !unacknowledged))
            return &world->incidents[i];
    }
    return NULL;
}

void world_incidents_done(struct drill_world *world)
{
    for (size_t i = 0; i < world->n_incidents; i++) {
        struct world_incident *incident = &world->incidents[i];

        for (size_t k = 0; k < incident->n_firing; k++)
            labels_unref(incident->firing[k].labels);
        free(incident->firing);
        free(incident->group_key);
        free(incident->title);
    }
    free(world->incidents);
}
