/*
 * Who pushes. See agents.h.
 */

#include "alertd/ingest/agents.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

struct agents {
    pthread_mutex_t lock;
    int64_t awake_mono_ms;
    struct agent *at; /* by id */
    size_t n, capacity;
};

bool agent_id_ok(const char *id)
{
    size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return len > 0 && len <= AGENT_ID_MAX && id[len] == '\0';
}

int64_t agent_patience_ms(const struct agent *agent)
{
    int64_t patience_ms = 3 * agent->interval_ms;

    return patience_ms > AGENT_SILENCE_MIN_MS ? patience_ms : AGENT_SILENCE_MIN_MS;
}

int64_t agent_silence_ms(const struct agent *agent, const struct agents_now *now)
{
    int64_t listened_ms = now->mono_ms - now->awake_mono_ms;

    if (agent->pushed_mono_ms != AGENT_NOT_YET)
        return now->mono_ms - agent->pushed_mono_ms;
    if (agent->last_push_ms == AGENT_NOT_YET)
        return listened_ms;

    int64_t silent_ms = now->wall_ms - agent->last_push_ms;
    return silent_ms > listened_ms ? silent_ms : listened_ms; /* the wall clock was set back */
}

enum agent_state agent_state_at(const struct agent *agent, const struct agents_now *now)
{
    int64_t silent_ms = agent_silence_ms(agent, now);
    bool in_grace = agent->pushed_mono_ms < now->awake_mono_ms &&
                    now->mono_ms - now->awake_mono_ms < 2 * agent->interval_ms;

    if (silent_ms <= agent->interval_ms + agent->interval_ms / 2)
        return AGENT_FRESH;
    return silent_ms < agent_patience_ms(agent) || in_grace ? AGENT_LATE : AGENT_LOST;
}

const char *agent_state_name(enum agent_state state)
{
    switch (state) {
    case AGENT_FRESH: return "fresh";
    case AGENT_LATE: return "late";
    case AGENT_LOST: return "lost";
    }
    return "lost";
}

struct agents *agents_new(void)
{
    struct agents *agents = mem_zalloc(sizeof(*agents));

    (void)pthread_mutex_init(&agents->lock, NULL);
    return agents;
}

void agents_free(struct agents *agents)
{
    if (!agents)
        return;
    (void)pthread_mutex_destroy(&agents->lock);
    free(agents->at);
    free(agents);
}

/* Its place, or where it would be. */
static size_t place_of(const struct agents *agents, const char *id, bool *ret_found)
{
    size_t low = 0;
    size_t high = agents->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(agents->at[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < agents->n && strcmp(agents->at[low].id, id) == 0;
    return low;
}

/* NULL past AGENTS_MAX: then it is not watched, but its samples are kept. */
static struct agent *find_or_add(struct agents *agents, const char *id)
{
    bool found;
    size_t place = place_of(agents, id, &found);

    if (found)
        return &agents->at[place];
    if (agents->n >= AGENTS_MAX)
        return NULL;
    agents->at = mem_grow(agents->at, &agents->capacity, agents->n + 1, sizeof(*agents->at));
    memmove(&agents->at[place + 1], &agents->at[place], (agents->n - place) * sizeof(*agents->at));
    agents->n++;
    agents->at[place] = (struct agent){.interval_ms = AGENT_INTERVAL_DEFAULT_MS,
                                       .pushed_mono_ms = AGENT_NOT_YET,
                                       .newest_ms = INT64_MIN,
                                       .is_dirty = true,
                                       .number = (uint32_t)agents->n};
    (void)snprintf(agents->at[place].id, sizeof(agents->at[place].id), "%s", id);
    return &agents->at[place];
}

void agents_awake(struct agents *agents, int64_t mono_ms)
{
    (void)pthread_mutex_lock(&agents->lock);
    agents->awake_mono_ms = mono_ms;
    (void)pthread_mutex_unlock(&agents->lock);
}

struct agents_now agents_now(struct agents *agents, int64_t wall_ms, int64_t mono_ms)
{
    (void)pthread_mutex_lock(&agents->lock);
    struct agents_now now = {wall_ms, mono_ms, agents->awake_mono_ms};
    (void)pthread_mutex_unlock(&agents->lock);
    return now;
}

/* A backlog tells nothing of its clock. What is older than the newest and about now is none: the
 * clock was ahead and has been put right. */
static void note_skew(struct agent *agent, const struct agent_push *push)
{
    int64_t skew_ms = push->newest_ms - push->wall_ms;
    bool is_right = push->newest_ms != INT64_MIN && agent->newest_ms > push->wall_ms &&
                    skew_ms > -2 * agent->interval_ms && skew_ms <= 0;

    if (push->newest_ms <= agent->newest_ms && !is_right)
        return;
    agent->newest_ms = push->newest_ms;
    agent->clock_skew_ms = skew_ms;
}

void agents_note(struct agents *agents, const struct agent_push *push)
{
    (void)pthread_mutex_lock(&agents->lock);
    struct agent *agent = find_or_add(agents, push->id);
    if (agent) {
        if (agent->first_seen_ms == 0)
            agent->first_seen_ms = push->wall_ms;
        agent->last_push_ms = push->wall_ms;
        if (agent->pushed_mono_ms < push->mono_ms)
            agent->pushed_mono_ms = push->mono_ms;
        if (push->interval_ms > 0)
            agent->interval_ms = push->interval_ms;
        note_skew(agent, push);
        agent->is_dirty = true;
    }
    (void)pthread_mutex_unlock(&agents->lock);
}

void agents_put(struct agents *agents, const struct agent *from)
{
    (void)pthread_mutex_lock(&agents->lock);
    struct agent *agent = find_or_add(agents, from->id);
    /* not over a push that came meanwhile */
    if (agent && agent->last_push_ms <= from->last_push_ms) {
        uint32_t number = agent->number;

        *agent = *from;
        agent->number = number;
    } else if (agent) {
        agent->is_dirty = true;
    }
    (void)pthread_mutex_unlock(&agents->lock);
}

struct agent *agents_all(struct agents *agents, size_t *ret_n)
{
    (void)pthread_mutex_lock(&agents->lock);
    struct agent *copy = mem_dup(agents->at, agents->n * sizeof(*copy));
    *ret_n = agents->n;
    (void)pthread_mutex_unlock(&agents->lock);
    return copy;
}

struct agent *agents_take_dirty(struct agents *agents, size_t *ret_n)
{
    size_t n = 0;

    (void)pthread_mutex_lock(&agents->lock);
    struct agent *taken = mem_alloc((agents->n ? agents->n : 1) * sizeof(*taken));
    for (size_t i = 0; i < agents->n; i++) {
        if (agents->at[i].is_dirty)
            taken[n++] = agents->at[i];
        agents->at[i].is_dirty = false;
    }
    (void)pthread_mutex_unlock(&agents->lock);
    *ret_n = n;
    return taken;
}

uint32_t agents_number(struct agents *agents, const char *id)
{
    bool found;

    (void)pthread_mutex_lock(&agents->lock);
    size_t place = place_of(agents, id, &found);
    uint32_t number = found ? agents->at[place].number : 0;
    (void)pthread_mutex_unlock(&agents->lock);
    return number;
}

void agents_set_marked(struct agents *agents, const char *id, bool is_marked)
{
    bool found;

    (void)pthread_mutex_lock(&agents->lock);
    size_t place = place_of(agents, id, &found);
    if (found)
        agents->at[place].is_marked = is_marked;
    (void)pthread_mutex_unlock(&agents->lock);
}
