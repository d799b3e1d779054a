/*
 * Time goes by: alerts begin and end, incidents open and close. See pages.h.
 *
 *     next instant = the next alert's, the next flush's, the next step's, the next answer's
 *     at it: what was due, then the alerts of that instant, then what they made due
 *
 * Incidents follow db/page_db.c: an alert that nobody is told of opens none; one whose end was not
 * told within the group's interval goes on.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/pages/private.h"
#include "alertd/route/tree.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

enum {
    KEY_BYTES_MAX = 64 * 1024,
    SCRATCH_BYTES_MAX = 64 << 20,
    RESULT_BYTES_MAX = 64 << 20,
};

const char *pages_plain_config(void)
{
    return "receivers:\n"
           "  - {name: somebody, webhook_configs: [{url: 'http://127.0.0.1/'}]}\n"
           "route: {receiver: somebody, group_by: [alertname]}\n";
}

/* --- who is who --- */

static int by_labels(const void *a, const void *b)
{
    const struct world_alert *x = a;
    const struct world_alert *y = b;

    if (x->labels->hash != y->labels->hash)
        return x->labels->hash < y->labels->hash ? -1 : 1;
    return labels_compare(x->labels, y->labels);
}

struct world_alert *world_known(struct world *world, const struct labels *labels)
{
    const struct world_alert key = {.labels = labels};

    return world->n_known
               ? bsearch(&key, world->known, world->n_known, sizeof(*world->known), by_labels)
               : NULL;
}

static void know_alerts(struct world *world)
{
    size_t n = 0;

    world->known = mem_alloc((world->n_alerts + 1) * sizeof(*world->known));
    world->known_of = mem_alloc((world->n_alerts + 1) * sizeof(*world->known_of));
    for (size_t i = 0; i < world->n_alerts; i++)
        world->known[i] = (struct world_alert){.labels = world->alerts[i].labels,
                                               .incident = PAGES_NONE,
                                               .counts = world->alerts[i].counts};
    if (world->n_alerts > 0)
        qsort(world->known, world->n_alerts, sizeof(*world->known), by_labels);
    for (size_t i = 0; i < world->n_alerts; i++) {
        bool counts = world->known[i].counts;

        if (n == 0 || by_labels(&world->known[n - 1], &world->known[i]) != 0)
            world->known[n++] = world->known[i];
        world->known[n - 1].counts |= counts;
    }
    world->n_known = n;
    for (size_t i = 0; i < world->n_alerts; i++)
        world->known_of[i] = (uint32_t)(world_known(world, world->alerts[i].labels) - world->known);
}

struct keyed {
    char *key;
    int64_t interval_ms;
    uint32_t known;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

static struct keyed key_of(const struct world *world, uint32_t known)
{
    STR_AUTO struct str key = STR_INIT(KEY_BYTES_MAX);
    const struct labels *labels = world->known[known].labels;
    struct route_walk walk;

    route_walk(world->plan->config, labels, &walk);
    const struct labels *group = route_node_group(walk.at[0], labels);

    route_node_group_key(walk.at[0], group, &key);
    labels_unref(group);
    return (struct keyed){mem_strdup(str_text(&key)), walk.at[0]->times.group_interval_ms, known};
}

static void know_groups(struct world *world)
{
    MEM_AUTO struct keyed *keys = mem_alloc((world->n_known + 1) * sizeof(*keys));

    world->groups = mem_alloc((world->n_known + 1) * sizeof(*world->groups));
    for (uint32_t i = 0; i < world->n_known; i++)
        keys[i] = key_of(world, i);
    if (world->n_known > 0)
        qsort(keys, world->n_known, sizeof(*keys), by_key);
    for (size_t i = 0; i < world->n_known; i++) {
        struct world_group *last = world->n_groups ? &world->groups[world->n_groups - 1] : NULL;

        if (last && strcmp(last->key, keys[i].key) == 0)
            free(keys[i].key);
        else
            world->groups[world->n_groups++] = (struct world_group){
                keys[i].key, keys[i].interval_ms, PAGES_NONE};
        world->known[keys[i].known].group = (uint32_t)world->n_groups - 1;
    }
}

/* --- incidents --- */

void world_watch(struct world *world, uint32_t incident)
{
    if (world->incidents[incident].is_watched)
        return;
    world->incidents[incident].is_watched = true;
    world->watched = mem_grow(world->watched, &world->watched_capacity, world->n_watched + 1,
                              sizeof(*world->watched));
    world->watched[world->n_watched++] = incident;
}

/* The group's incident that takes the alert in; PAGES_NONE. */
static uint32_t find_incident(const struct world *world, const struct world_group *group)
{
    if (group->incident == PAGES_NONE)
        return PAGES_NONE;

    const struct world_incident *incident = &world->incidents[group->incident];
    bool goes_on = !incident->told_resolved &&
                   incident->resolved_ms > world->now_ms - group->interval_ms;

    return incident_takes_alerts(&incident->life) || goes_on ? group->incident : PAGES_NONE;
}

static uint32_t new_incident(struct world *world, const struct world_alert *alert)
{
    uint32_t at = (uint32_t)world->n_incidents;

    world->incidents = mem_grow(world->incidents, &world->incidents_capacity,
                                world->n_incidents + 1, sizeof(*world->incidents));
    world->incidents[world->n_incidents++] = (struct world_incident){
        .group = alert->group,
        .alert = alert->alert,
        .opened_ms = world->now_ms,
        .began_ms = world->now_ms,
        .ack_ms = INT64_MAX,
    };
    world->groups[alert->group].incident = at;
    return at;
}

static void reopen(struct world *world, struct world_incident *incident)
{
    incident->began_ms = world->now_ms;
    incident->resolved_ms = 0;
    incident->is_acked = false;
    incident->told_resolved = false;
    incident->ack_ms = INT64_MAX;
    incident->n_people = 0;
}

void world_open(struct world *world, struct world_alert *alert)
{
    struct incident_life none = {INCIDENT_NONE, 0};
    uint32_t at = find_incident(world, &world->groups[alert->group]);

    if (at != PAGES_NONE && alert->in_incident && alert->incident == at)
        return;
    struct incident_life *life = at == PAGES_NONE ? &none : &world->incidents[at].life;
    bool goes_on = at != PAGES_NONE && !incident_takes_alerts(life);

    if (goes_on) { /* it fires again before its end was told */
        world->incidents[at].resolved_ms = 0;
        life->status = world->incidents[at].is_acked ? INCIDENT_ACKNOWLEDGED : INCIDENT_TRIGGERED;
    }
    enum incident_change change = incident_step(life, INCIDENT_ALERT_FIRES);

    if (at == PAGES_NONE) {
        at = new_incident(world, alert);
        world->incidents[at].life = none;
    } else if (change == INCIDENT_REOPENED) {
        reopen(world, &world->incidents[at]);
    }
    world->incidents[at].counts |= alert->counts;
    alert->incident = at;
    alert->in_incident = true;
    world_escalate_again(world, at);
}

static void leave(struct world *world, struct world_alert *alert)
{
    if (!alert->in_incident)
        return;
    struct world_incident *incident = &world->incidents[alert->incident];

    alert->in_incident = false;
    if (incident_step(&incident->life, INCIDENT_ALERT_ENDS) == INCIDENT_OVER)
        incident->resolved_ms = world->now_ms;
}

/* --- alerts --- */

static bool is_muted(const struct world *world, const struct labels *labels)
{
    struct dispatch_mute why;
    struct route_walk walk;
    bool muted = true;

    route_walk(world->plan->config, labels, &walk);
    for (size_t i = 0; muted && i < walk.n; i++)
        muted = dispatch_mutes(world->dispatch, labels, walk.at[i], world->now_ms, &why);
    return muted;
}

struct event {
    int64_t at_ms;
    bool begins;
    uint32_t alert;
};

/* Of one instant: an end before the beginning of the same labels' next alert. */
static int by_time(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->begins != y->begins)
        return x->begins ? 1 : -1;
    return x->alert < y->alert ? -1 : x->alert > y->alert;
}

static struct event *make_events(const struct world *world, size_t *ret_n)
{
    struct event *events = mem_alloc((2 * world->n_alerts + 1) * sizeof(*events));
    size_t n = 0;

    for (uint32_t i = 0; i < world->n_alerts; i++) {
        events[n++] = (struct event){world->alerts[i].fired_ms, true, i};
        if (world->alerts[i].resolved_ms <= world->plan->to_ms)
            events[n++] = (struct event){world->alerts[i].resolved_ms, false, i};
    }
    if (n > 0)
        qsort(events, n, sizeof(*events), by_time);
    *ret_n = n;
    return events;
}

static void put(struct world *world, const struct event *event)
{
    const struct pages_alert *alert = &world->alerts[event->alert];
    struct world_alert *known = &world->known[world->known_of[event->alert]];

    known->fires = event->begins;
    if (event->begins)
        known->alert = event->alert;
    dispatch_put(
        world->dispatch,
        &(struct dispatch_alert){.labels = known->labels,
                                 .annotations = labels_empty(),
                                 .starts_at_ms = alert->fired_ms,
                                 .ends_at_ms = event->begins ? INT64_MAX : alert->resolved_ms,
                                 .updated_at_ms = world->now_ms},
        world->now_ms);
}

/* All are put before any is judged: one may inhibit another. */
static void take_in(struct world *world, const struct event *events, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(world, &events[i]);
    for (size_t i = 0; i < n; i++) {
        struct world_alert *known = &world->known[world->known_of[events[i].alert]];

        if (!events[i].begins)
            leave(world, known);
        else if (!is_muted(world, known->labels))
            world_open(world, known);
    }
}

/* --- time --- */

static void run_due(struct world *world)
{
    dispatch_run(world->dispatch, world->now_ms, world_tell, world);
    world_escalate_due(world);
    world_ack_due(world);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void run(struct world *world)
{
    size_t n = 0;
    MEM_AUTO struct event *events = make_events(world, &n);
    size_t at = 0;

    while (!world->too_many) {
        int64_t event_ms = at < n ? events[at].at_ms : INT64_MAX;
        size_t n_now = 0;

        world->now_ms = sooner(event_ms, world_next_ms(world));
        if (world->now_ms > world->plan->to_ms)
            return;
        run_due(world);
        while (at + n_now < n && events[at + n_now].at_ms <= world->now_ms)
            n_now++;
        if (n_now == 0)
            continue;
        take_in(world, &events[at], n_now);
        at += n_now;
        run_due(world);
    }
}

static void world_done(struct world *world)
{
    for (size_t i = 0; i < world->n_groups; i++)
        free(world->groups[i].key);
    for (size_t i = 0; i < world->n_incidents; i++) {
        free(world->incidents[i].told);
        free(world->incidents[i].escalations);
        free(world->incidents[i].people);
    }
    free(world->known);
    free(world->known_of);
    free(world->groups);
    free(world->incidents);
    free(world->watched);
    dispatch_free(world->dispatch);
    silences_free(world->silences);
    arena_reset(&world->scratch);
}

static void count(const struct world *world, struct pages *pages)
{
    const struct pages_plan *plan = world->plan;

    for (size_t i = 0; i < world->n_alerts; i++)
        pages->alerts += world->alerts[i].counts && world->alerts[i].fired_ms >= plan->from_ms &&
                         world->alerts[i].fired_ms <= plan->to_ms;
    for (size_t i = 0; i < world->n_incidents; i++)
        pages->incidents += world->incidents[i].counts &&
                            world->incidents[i].opened_ms >= plan->from_ms;
}

/* The group keys that pages name outlive the world. */
static bool keep_keys(const struct world *world, struct pages *pages)
{
    MEM_AUTO const char **kept = mem_zalloc((world->n_groups + 1) * sizeof(*kept));

    for (size_t i = 0; i < pages->n; i++) {
        uint32_t group = world->incidents[pages->at[i].incident].group;
        const char *key = world->groups[group].key;

        if (!kept[group])
            kept[group] = arena_strndup(&pages->arena, key, strlen(key));
        if (!kept[group])
            return false;
        const struct world_incident *incident = &world->incidents[pages->at[i].incident];

        pages->at[i].group_key = kept[group];
        pages->at[i].opened_ms = incident->opened_ms;
        pages->at[i].over_ms = incident->life.status == INCIDENT_RESOLVED ? incident->resolved_ms
                                                                          : INT64_MAX;
    }
    return true;
}

static int64_t first_ms(const struct pages_alert *alerts, size_t n, int64_t from_ms)
{
    for (size_t i = 0; i < n; i++)
        from_ms = sooner(from_ms, alerts[i].fired_ms);
    return from_ms;
}

int pages_run(const struct pages_plan *plan,
              const struct pages_alert *alerts,
              size_t n_alerts,
              struct pages *ret_pages,
              struct err *reterr)
{
    struct world world = {.plan = plan, .alerts = alerts, .n_alerts = n_alerts, .out = ret_pages};

    *ret_pages = (struct pages){0};
    arena_init(&ret_pages->arena, RESULT_BYTES_MAX);
    if (n_alerts > PAGES_ALERTS_MAX)
        return err_set(reterr, PAGES_E_LIMIT,
                       "%zu alerts: at most %d can be followed to their pages", n_alerts,
                       PAGES_ALERTS_MAX);
    arena_init(&world.scratch, SCRATCH_BYTES_MAX);
    know_alerts(&world);
    know_groups(&world);
    world.silences = silences_new(plan->silences, plan->n_silences);
    world.dispatch = dispatch_new(plan->config, first_ms(alerts, n_alerts, plan->from_ms));
    dispatch_silence(world.dispatch, world.silences);
    run(&world);
    count(&world, ret_pages);
    bool fits = keep_keys(&world, ret_pages) && !world.too_many;

    world_done(&world);
    if (!fits)
        return err_set(reterr, PAGES_E_LIMIT, "more than %d messages: ask for a shorter time",
                       PAGES_MESSAGES_MAX);
    pages_sum(plan, ret_pages);
    return 0;
}

void pages_done(struct pages *pages)
{
    free(pages->messages);
    free(pages->at);
    free(pages->people);
    arena_reset(&pages->arena);
    *pages = (struct pages){0};
}
