/*
 * Its groups: of each route that takes the alert when its group is looked at, whether the route
 * is quiet, and what each integration was told of the group last. See private.h.
 */

#include <string.h>

#include "alertd/route/interval.h"
#include "alertd/why/private.h"
#include "lib/model/duration.h"

enum {
    KEY_BYTES_MAX = 64 * 1024,
};

/* One route that takes it. */
struct place {
    const struct route_node *node;
    const struct labels *labels; /* the group's; a reference */
    struct str key;
    const struct why_clock *clock; /* NULL: not known */
};

static const struct why_clock *clock_of(const struct why_input *in,
                                        const struct route_node *node,
                                        const struct labels *labels)
{
    for (size_t i = 0; i < in->n_clocks; i++)
        if (strcmp(in->clocks[i].route_id, node->id) == 0 &&
            labels_equal(in->clocks[i].group, labels))
            return &in->clocks[i];
    return NULL;
}

static bool is_told_of(const struct place *place, const char *group_key)
{
    return strcmp(str_text(&place->key), group_key) == 0;
}

/* --- what was told last --- */

struct last {
    int64_t told_ms; /* 0: nothing */
    bool has_alert;
};

static struct last last_told(const struct why_input *in,
                             const struct place *place,
                             const struct route_integration *to)
{
    const char *kind = route_kind_name(to->kind);
    struct last last = {0};

    for (size_t i = 0; !in->is_past && i < in->n_told; i++) {
        const struct why_told *told = &in->told[i];

        if (is_told_of(place, told->group_key) && strcmp(told->receiver, to->receiver) == 0 &&
            strcmp(told->kind, kind) == 0 && told->slot == to->slot)
            last = (struct last){told->told_ms, told->has_alert};
    }
    for (size_t i = 0; in->is_past && i < in->n_deliveries; i++) {
        const struct why_delivery *row = &in->deliveries[i];

        if (row->created_ms <= in->at_ms && is_told_of(place, row->group_key) &&
            strcmp(row->receiver, to->receiver) == 0 && strcmp(row->kind, kind) == 0 &&
            row->slot == to->slot)
            last = (struct last){row->created_ms, strcmp(row->reason, "resolved") != 0};
    }
    return last;
}

/* Whoever the group tells knows of the alert: its next look is no news of it. */
static bool was_told_to_all(const struct why_input *in, const struct place *place)
{
    const struct route_receiver *receiver = place->node->receiver;

    for (size_t i = 0; i < receiver->n_integrations; i++)
        if (receiver->integrations[i].kind != ROUTE_DASHBOARD &&
            !last_told(in, place, &receiver->integrations[i]).has_alert)
            return false;
    return true;
}

/* --- the group's clock --- */

static void flush_at(struct why_writer *writer, int64_t at_ms, bool is_first)
{
    if (at_ms >= writer->found.flush_ms)
        return;
    writer->found.flush_ms = at_ms;
    writer->found.first_flush = is_first;
}

/* The first notification of the group behind an instant: what became of the wait. */
static const struct why_delivery *later(const struct why_writer *writer, const struct place *place)
{
    const struct why_input *in = writer->in;

    for (size_t i = 0; i < in->n_deliveries; i++)
        if (in->deliveries[i].created_ms > in->at_ms &&
            is_told_of(place, in->deliveries[i].group_key))
            return &in->deliveries[i];
    return NULL;
}

static const char *past_clock(struct why_writer *writer, const struct place *place)
{
    const struct why_alert *alert = writer->in->alert;
    const struct why_delivery *next = later(writer, place);
    int64_t first_ms = alert->fired_ms + place->node->times.group_wait_ms;

    if (next && writer->in->at_ms < next->created_ms) {
        str_add(&writer->words, "the next notification of it was made at ");
        why_add_time(writer, next->created_ms);
        flush_at(writer, next->created_ms, strcmp(next->reason, "first") == 0);
        return "waits";
    }
    if (alert->fired_ms && writer->in->at_ms < first_ms) {
        str_add(&writer->words, "when nothing else of it fired, it was looked at first at ");
        why_add_time(writer, first_ms);
        flush_at(writer, first_ms, true);
        return "waits";
    }
    str_add(&writer->words, "not known: when it was looked at next, of clocks only the present "
                            "is kept");
    return "not known";
}

static const char *clock_words(struct why_writer *writer, const struct place *place)
{
    const struct route_times *times = &place->node->times;
    char span[DURATION_TEXT_MAX];

    if (place->clock && !place->clock->has_flushed) {
        str_addf(&writer->words, "it waits group_wait %s for company, until ",
                 duration_print(times->group_wait_ms, span));
        why_add_time(writer, place->clock->next_flush_ms);
        flush_at(writer, place->clock->next_flush_ms, true);
        return "waits";
    }
    if (place->clock) {
        str_addf(&writer->words, "it is looked at every group_interval %s, next at ",
                 duration_print(times->group_interval_ms, span));
        why_add_time(writer, place->clock->next_flush_ms);
        if (!was_told_to_all(writer->in, place))
            flush_at(writer, place->clock->next_flush_ms, false);
        return "goes on";
    }
    if (writer->in->alert->state == WHY_SUPPOSED) {
        str_addf(&writer->words, "it would begin, and be told after group_wait %s",
                 duration_print(times->group_wait_ms, span));
        return "would begin";
    }
    if (writer->in->is_past)
        return past_clock(writer, place);
    str_add(&writer->words, "nothing of it fires");
    return "not there";
}

static void group_step(struct why_writer *writer, const struct place *place)
{
    struct str *words = why_begin(writer);

    str_add(words, "group ");
    labels_print(place->labels, words);
    str_add(words, ": ");
    const char *result = clock_words(writer, place);

    json_kv_string(&writer->json, "key", str_text(&place->key));
    json_kv_int(&writer->json, "group_wait_ms", place->node->times.group_wait_ms);
    json_kv_int(&writer->json, "group_interval_ms", place->node->times.group_interval_ms);
    json_kv_int(&writer->json, "repeat_interval_ms", place->node->times.repeat_interval_ms);
    if (place->clock)
        json_kv_time(&writer->json, "next_at", place->clock->next_flush_ms);
    why_end(writer, "group", result, place->node->receiver->name);
}

/* --- times --- */

enum {
    QUIET_STEP_MS = 60 * 1000,
    QUIET_LOOK_MS = 8 * 24 * 3600 * 1000, /* how far ahead for the end of a quiet time */
};

/* When it tells again, to the minute: intervals begin and end on one. 0: not within that. */
static int64_t quiet_until(const struct route_node *node, int64_t at_ms)
{
    const char *interval = NULL;
    int64_t minute_ms = at_ms - at_ms % QUIET_STEP_MS;

    for (int64_t t = minute_ms + QUIET_STEP_MS; t < at_ms + QUIET_LOOK_MS; t += QUIET_STEP_MS)
        if (route_node_quiet(node, t, &interval) == ROUTE_TELLS)
            return t;
    return 0;
}

static void interval_step(struct why_writer *writer,
                          const struct place *place,
                          enum route_quiet quiet,
                          const char *interval)
{
    const struct route_node *node = place->node;
    int64_t until_ms = quiet_until(node, writer->in->at_ms);
    struct str *words = why_begin(writer);

    if (quiet == ROUTE_MUTED) {
        str_addf(words, "mute_time_intervals: %s holds", interval);
        json_kv_string(&writer->json, "interval", interval);
    } else {
        str_add(words, "none of its active_time_intervals holds:");
        for (size_t i = 0; i < node->n_active; i++)
            str_addf(words, "%s %s", i ? "," : "", node->active[i]->name);
    }
    if (until_ms) {
        str_add(words, "; the route tells again at ");
        why_add_time(writer, until_ms);
    } else {
        str_add(words, "; it tells nobody for the next 8 days");
    }
    json_kv_time(&writer->json, "until", until_ms);
    why_end(writer, "interval", quiet == ROUTE_MUTED ? "muted" : "not active",
            node->receiver->name);
    writer->found.n_quiet++;
    writer->found.interval = quiet == ROUTE_MUTED ? interval : NULL;
    writer->found.quiet = quiet;
}

/* --- what was told last, in words --- */

static const char *told_words(struct why_writer *writer,
                              const struct place *place,
                              const struct route_integration *to,
                              const struct last *last)
{
    int64_t repeat_ms = place->node->times.repeat_interval_ms;
    struct str *words = &writer->words;
    char span[DURATION_TEXT_MAX];

    str_addf(words, "%s by %s ", to->receiver, route_kind_name(to->kind));
    if (!last->told_ms) {
        str_add(words, writer->in->is_past ? "had been told nothing of this group and incident"
                                           : "was told nothing of this group");
        return "not told";
    }
    str_add(words, "was told of this group last at ");
    why_add_time(writer, last->told_ms);
    if (!last->has_alert) {
        str_add(words, ", when this alert was not among those that fired");
        return "told without it";
    }
    if (writer->found.acknowledged_ms) {
        str_add(words, ", this alert among them; reminders are off, it is acknowledged");
        return "told";
    }
    str_addf(words, ", this alert among them; a reminder is due repeat_interval %s later, at ",
             duration_print(repeat_ms, span));
    why_add_time(writer, last->told_ms + repeat_ms);
    if (last->told_ms + repeat_ms < writer->found.repeat_ms)
        writer->found.repeat_ms = last->told_ms + repeat_ms;
    return "told";
}

static void told_step(struct why_writer *writer,
                      const struct place *place,
                      const struct route_integration *to)
{
    const struct last last = last_told(writer->in, place, to);

    if (!last.told_ms && writer->in->alert->state == WHY_SUPPOSED)
        return; /* its route says it */
    (void)why_begin(writer);
    const char *result = told_words(writer, place, to, &last);

    json_kv_string(&writer->json, "kind", route_kind_name(to->kind));
    json_kv_int(&writer->json, "slot", to->slot);
    json_kv_time(&writer->json, "told_at", last.told_ms);
    if (last.told_ms && last.has_alert && !writer->found.acknowledged_ms)
        json_kv_time(&writer->json, "reminder_at",
                     last.told_ms + place->node->times.repeat_interval_ms);
    why_end(writer, "told", result, to->receiver);
}

static void policy_step(struct why_writer *writer, const struct route_integration *to)
{
    const struct why_input *in = writer->in;

    for (size_t i = 0; i < in->n_policies; i++) {
        if (strcmp(in->policies[i].name, to->oncall.policy) != 0)
            continue;
        str_add(why_begin(writer), in->policies[i].words);
        json_kv_string(&writer->json, "policy", to->oncall.policy);
        why_end(writer, "escalation",
                in->policies[i].reaches_somebody ? "would page" : "reaches nobody", to->receiver);
        if (!in->policies[i].reaches_somebody)
            writer->found.nobody = in->policies[i].words;
    }
}

static bool tells_somebody(const struct why_input *in, const struct route_integration *to)
{
    if (to->kind == ROUTE_DASHBOARD)
        return false;
    for (size_t i = 0; to->kind == ROUTE_ONCALL && i < in->n_policies; i++)
        if (strcmp(in->policies[i].name, to->oncall.policy) == 0)
            return in->policies[i].reaches_somebody;
    return true;
}

static void place_steps(struct why_writer *writer, const struct place *place)
{
    const struct route_receiver *receiver = place->node->receiver;
    const char *interval = NULL;
    enum route_quiet quiet = route_node_quiet(place->node, writer->in->at_ms, &interval);

    group_step(writer, place);
    if (quiet != ROUTE_TELLS)
        interval_step(writer, place, quiet, interval);
    for (size_t i = 0; i < receiver->n_integrations; i++) {
        const struct route_integration *to = &receiver->integrations[i];

        if (quiet == ROUTE_TELLS)
            writer->found.n_tell += tells_somebody(writer->in, to);
        writer->found.shown_only |= to->kind == ROUTE_DASHBOARD;
        if (to->kind == ROUTE_ONCALL)
            policy_step(writer, to);
        else
            told_step(writer, place, to);
    }
}

void why_groups(struct why_writer *writer)
{
    const struct labels *alert = writer->in->alert->labels;

    for (size_t i = 0; i < writer->walk.n; i++) {
        const struct route_node *node = writer->walk.at[i];
        struct place place = {.node = node, .key = STR_INIT(KEY_BYTES_MAX)};

        if (!why_is_wanted(writer, node->receiver->name))
            continue;
        writer->found.n_routes++;
        place.labels = route_node_group(node, alert);
        place.clock = clock_of(writer->in, node, place.labels);
        route_node_group_key(node, place.labels, &place.key);
        place_steps(writer, &place);
        labels_unref(place.labels);
        str_done(&place.key);
    }
}
