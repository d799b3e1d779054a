/*
 * A drill being played: time, samples, rules. See world.h.
 */

#include "alertd/drill/world.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/world_private.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"

enum {
    TICK_MS = 1000,
    WORDS_BYTES_MAX = 64 * 1024 * 1024,
    MINUTE_MS = 60 * 1000,
    PAST_MS = 60 * MINUTE_MS,
};

/* --- Moments -------------------------------------------------------------------------------------- */

const char *world_keep(struct drill_world *world, const char *text)
{
    const char *kept = text ? arena_strndup(&world->words, text, strlen(text)) : NULL;

    return kept || !text ? kept : ""; /* the ceiling: what a player writes is cut */
}

struct drill_moment *world_add(struct drill_world *world, const struct drill_moment *moment)
{
    world->moments = mem_grow(world->moments, &world->moments_capacity, world->n_moments + 1,
                              sizeof(*moment));
    world->moments[world->n_moments] = *moment;
    world->moments[world->n_moments].who = world_keep(world, moment->who);
    world->moments[world->n_moments].what = world_keep(world, moment->what);
    world->moments[world->n_moments].more = world_keep(world, moment->more);
    return &world->moments[world->n_moments++];
}

const struct drill_moment *drill_world_moments(const struct drill_world *world, size_t *ret_n)
{
    *ret_n = world->n_moments;
    return world->moments;
}

/* --- Rules ------------------------------------------------------------------------------------------ */

static void tell_alert(struct drill_world *world, const struct alert_event *event)
{
    STR_AUTO struct str labels = STR_INIT(4096);
    struct drill_moment moment = {
        .at_ms = world->now_ms, .what = event->rule_name, .more = "", .kind = DRILL_MOMENT_PENDING};

    switch (event->kind) {
    case ALERT_EVENT_PENDING: break;
    case ALERT_EVENT_FIRING: moment.kind = DRILL_MOMENT_FIRING; break;
    case ALERT_EVENT_RESOLVED: moment.kind = DRILL_MOMENT_RESOLVED; break;
    case ALERT_EVENT_CLEARED: return;
    }
    labels_print(event->labels, &labels);
    moment.more = str_text(&labels);
    world_add(world, &moment);
    if (event->kind != ALERT_EVENT_PENDING)
        world_take_alert(world, event);
}

static void adopt(struct world_rule *running, struct rule_eval_result *result)
{
    struct alert_set before = running->alerts;
    struct rule_output output = running->output;

    running->alerts = result->alerts.after;
    running->output = result->output;
    result->alerts.after = before; /* both old ones are freed with the result */
    result->output = output;
}

static void eval_rule(struct drill_world *world, struct world_rule *running)
{
    const struct promql_limits limits = {.subquery_step_ms = MINUTE_MS};
    const struct source source = memory_source_of(&world->memory);
    int64_t now_ms = world->zero_ms + world->now_ms;
    const struct rule_eval eval = {.group = running->group,
                                   .rule = running->rule,
                                   .source = &source,
                                   .now_ms = now_ms,
                                   .limits = &limits,
                                   .external_url = "",
                                   .alerts = &running->alerts,
                                   .output = &running->output};
    struct rule_eval_result result = {0};
    struct err err = {0};

    if (rule_eval(&eval, &result, &err) != 0) {
        if (!running->is_broken)
            world_add(world, &(struct drill_moment){.at_ms = world->now_ms,
                                                    .kind = DRILL_MOMENT_BROKEN,
                                                    .what = running->rule->name,
                                                    .more = err.text});
        running->is_broken = true;
        return;
    }
    for (size_t i = 0; i < result.series.n; i++)
        memory_source_add(&world->memory, result.series.at[i].labels,
                          now_ms - running->group->query_offset_ms, result.series.at[i].value);
    for (size_t i = 0; i < result.alerts.n_events; i++)
        tell_alert(world, &result.alerts.events[i]);
    adopt(running, &result);
    rule_eval_result_done(&result);
}

static void add_rules(struct drill_world *world)
{
    const struct drill_case *drill_case = world->drill_case;
    size_t capacity = 0;

    for (size_t i = 0; i < drill_case->n_files; i++) {
        const struct rule_file *file = drill_case->files[i];

        for (size_t k = 0; k < file->n_groups; k++) {
            const struct rule_group *group = &file->groups[k];

            world->rules = mem_grow(world->rules, &capacity, world->n_rules + group->n_rules + 1,
                                    sizeof(*world->rules));
            for (size_t m = 0; m < group->n_rules; m++)
                world->rules[world->n_rules++] = (struct world_rule){.group = group,
                                                                     .rule = &group->rules[m]};
        }
    }
}

enum alert_state drill_world_state(const struct drill_world *world, const char *alert)
{
    enum alert_state furthest = ALERT_INACTIVE;

    for (size_t i = 0; i < world->n_rules; i++) {
        if (!world->rules[i].rule->is_alert || strcmp(world->rules[i].rule->name, alert) != 0)
            continue;
        for (size_t k = 0; k < world->rules[i].alerts.n; k++)
            if (world->rules[i].alerts.at[k].alert.state > furthest)
                furthest = world->rules[i].alerts.at[k].alert.state;
    }
    return furthest;
}

/* --- Time ------------------------------------------------------------------------------------------- */

static void happen(struct drill_world *world)
{
    static const char *const names[] = {"deploy", "chat", "log", "customer", "note"};
    const struct drill *drill = world->drill_case->drill;

    for (size_t i = 0; i < drill->n_events; i++) {
        const struct drill_event *event = &drill->events[i];

        if (event->at_ms > world->now_ms - TICK_MS && event->at_ms <= world->now_ms)
            world_add(world, &(struct drill_moment){.at_ms = world->now_ms,
                                                    .kind = DRILL_MOMENT_HAPPENED,
                                                    .who = names[event->kind],
                                                    .what = event->text});
    }
}

static bool is_due(const struct drill_world *world, int64_t every_ms)
{
    int64_t since_ms = world->now_ms + world->lead_ms;

    return since_ms / every_ms != (since_ms - TICK_MS) / every_ms || since_ms == 0;
}

/* What was measured before anybody looked, so that the rules' windows are full from the start. */
static void remember(struct drill_world *world)
{
    int64_t interval_ms = world->drill_case->drill->interval_ms;

    for (int64_t n = PAST_MS / interval_ms; n > 0; n--)
        drill_signal_sample(world->signal, -world->lead_ms - n * interval_ms, world->zero_ms,
                            DRILL_NOT_YET, &world->memory);
}

static void instant(struct drill_world *world)
{
    const struct drill *drill = world->drill_case->drill;

    if (is_due(world, drill->interval_ms))
        drill_signal_sample(world->signal, world->now_ms, world->zero_ms, world->mended_ms,
                            &world->memory);
    for (size_t i = 0; i < world->n_rules; i++)
        if (is_due(world, world->rules[i].group->interval_ms))
            eval_rule(world, &world->rules[i]);
    world_page(world);
    happen(world);
}

void drill_world_heed(struct drill_world *world, const struct drill_patience *patience)
{
    world->patience = patience ? *patience : (struct drill_patience){0};
}

bool drill_world_is_given_up(const struct drill_world *world)
{
    return world->is_given_up;
}

/* A minute of a drill is some milliseconds of work; to ask whether somebody has left is a call of the system. */
static bool goes_on(struct drill_world *world)
{
    const struct drill_patience *patience = &world->patience;

    if (patience->is_over_fn && world->now_ms % MINUTE_MS == 0)
        world->is_given_up |= patience->is_over_fn(patience->arg);
    return !world->is_given_up;
}

void drill_world_advance(struct drill_world *world, int64_t to_ms)
{
    int64_t length_ms = world->drill_case->drill->length_ms;

    to_ms = to_ms < length_ms ? to_ms : length_ms;
    if (!world->has_begun && to_ms >= -world->lead_ms) {
        world->has_begun = true;
        remember(world);
        instant(world);
    }
    while (world->now_ms + TICK_MS <= to_ms && goes_on(world)) {
        world->now_ms += TICK_MS;
        instant(world);
    }
}

static bool calls(const struct drill_world *world, const struct drill_moment *moment)
{
    switch (moment->kind) {
    case DRILL_MOMENT_PAGE: return strcmp(moment->who, drill_you(world->drill_case->drill)) == 0;
    case DRILL_MOMENT_HAPPENED: return strcmp(moment->who, "customer") == 0;
    case DRILL_MOMENT_OVER: return true;
    case DRILL_MOMENT_PENDING:
    case DRILL_MOMENT_FIRING:
    case DRILL_MOMENT_RESOLVED:
    case DRILL_MOMENT_OPENED:
    case DRILL_MOMENT_NOBODY:
    case DRILL_MOMENT_TOLD:
    case DRILL_MOMENT_ACT:
    case DRILL_MOMENT_HINT:
    case DRILL_MOMENT_BROKEN: return false;
    }
    return false;
}

bool drill_world_advance_until_called(struct drill_world *world, int64_t heed_ms, int64_t to_ms)
{
    int64_t length_ms = world->drill_case->drill->length_ms;
    bool called = false;

    to_ms = to_ms < length_ms ? to_ms : length_ms;
    drill_world_advance(world, heed_ms < to_ms ? heed_ms : to_ms);
    while (!called && world->now_ms + TICK_MS <= to_ms && !world->is_given_up) {
        size_t n = world->n_moments;

        drill_world_advance(world, world->now_ms + TICK_MS);
        for (; n < world->n_moments && !called; n++)
            called = calls(world, &world->moments[n]);
    }
    return called;
}

/* --- Its own life -------------------------------------------------------------------------------------- */

struct drill_world *drill_world_new(const struct drill_case *drill_case, uint64_t seed)
{
    struct drill_world *world = mem_zalloc(sizeof(*world));
    const struct drill *drill = drill_case->drill;
    struct rng rng = {.state = seed};

    world->drill_case = drill_case;
    /* whole minutes, so that rules keep their distance to what happens */
    world->lead_ms = (int64_t)rng_below(&rng, (uint64_t)(drill->lead_ms / MINUTE_MS) + 1) *
                     MINUTE_MS;
    world->zero_ms = drill->start_ms;
    world->now_ms = -world->lead_ms;
    world->paged_ms = world->mended_ms = DRILL_NOT_YET;
    arena_init(&world->words, WORDS_BYTES_MAX);
    world->signal = drill_signal_new(drill_case, rng_next(&rng));
    add_rules(world);
    world->dispatch = dispatch_new(drill_case->config, world->zero_ms - world->lead_ms);
    return world;
}

void drill_world_free(struct drill_world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->n_rules; i++) {
        alert_set_done(&world->rules[i].alerts);
        rule_output_done(&world->rules[i].output);
    }
    free(world->rules);
    world_incidents_done(world);
    dispatch_free(world->dispatch);
    drill_signal_free(world->signal);
    memory_source_done(&world->memory);
    free(world->moments);
    arena_reset(&world->words);
    free(world);
}

int64_t drill_world_now_ms(const struct drill_world *world)
{
    return world->now_ms;
}

int64_t drill_world_lead_ms(const struct drill_world *world)
{
    return world->lead_ms;
}

int64_t drill_world_zero_ms(const struct drill_world *world)
{
    return world->zero_ms;
}

int64_t drill_world_paged_ms(const struct drill_world *world)
{
    return world->paged_ms;
}

int64_t drill_world_mended_ms(const struct drill_world *world)
{
    return world->mended_ms;
}

struct source drill_world_source(struct drill_world *world)
{
    return memory_source_of(&world->memory);
}

int64_t drill_world_onset_ms(const struct drill_world *world)
{
    return world->drill_case->drill->onset_ms;
}
