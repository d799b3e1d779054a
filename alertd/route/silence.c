/*
 * Which silences mute an alert. See silence.h.
 */

#include "alertd/route/silence.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/route/chain.h"
#include "lib/base/mem.h"

/* One set of one silence. */
struct entry {
    struct chain link; /* first: by the label and value it wants */
    size_t place;      /* of the silence */
    size_t set;
    const struct matcher *want; /* NULL: none that names one value */
};

struct silences {
    const struct silence *at;
    size_t n;
    struct entry *entries;
    struct chains by_value;
    struct entry **rest; /* without such a matcher */
    size_t n_rest;
    const char **names; /* labels that some entry wants a value of */
    size_t n_names;
};

static const char *const state_names[] = {
    [SILENCE_PENDING] = "pending",
    [SILENCE_ACTIVE] = "active",
    [SILENCE_EXPIRED] = "expired",
};

const char *silence_state_name(enum silence_state state)
{
    return state_names[state];
}

enum silence_state silence_span_state(const struct silence *silence, int64_t now_ms)
{
    if (now_ms < silence->starts_at_ms)
        return SILENCE_PENDING;
    return now_ms < silence->ends_at_ms ? SILENCE_ACTIVE : SILENCE_EXPIRED;
}

enum silence_state silence_state(const struct silence *silence, int64_t now_ms)
{
    enum silence_state state = silence_span_state(silence, now_ms);

    if (state == SILENCE_ACTIVE && silence->window &&
        !route_interval_holds(silence->window, now_ms))
        return SILENCE_PENDING;
    return state;
}

/* The first set that matches; n_sets: none does. */
static size_t matching_set(const struct silence *silence, const struct labels *alert)
{
    size_t i = 0;

    while (i < silence->n_sets && (silence->sets[i].n == 0 ||
                                   !matchers_match(silence->sets[i].at, silence->sets[i].n, alert)))
        i++;
    return i;
}

bool silence_matches(const struct silence *silence, const struct labels *alert)
{
    return matching_set(silence, alert) < silence->n_sets;
}

static uint64_t value_hash(const char *name, const char *value)
{
    return labels_hash_text(labels_hash_text(0, name), value);
}

static const struct matcher *wanted(const struct silence_matchers *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->at[i].type == MATCHER_EQUAL && *set->at[i].value)
            return &set->at[i];
    return NULL;
}

static void add_name(struct silences *silences, const char *name)
{
    for (size_t i = 0; i < silences->n_names; i++)
        if (strcmp(silences->names[i], name) == 0)
            return;
    silences->names[silences->n_names++] = name;
}

struct silences *silences_new(const struct silence *at, size_t n)
{
    struct silences *silences = mem_zalloc(sizeof(*silences));
    size_t n_sets = 0;
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        n_sets += at[i].n_sets;
    silences->at = at;
    silences->n = n;
    silences->entries = mem_zalloc((n_sets + 1) * sizeof(*silences->entries));
    silences->rest = mem_zalloc((n_sets + 1) * sizeof(struct entry *));
    silences->names = mem_zalloc((n_sets + 1) * sizeof(char *));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < at[i].n_sets; j++) {
            struct entry *entry = &silences->entries[used++];

            entry->place = i;
            entry->set = j;
            entry->want = wanted(&at[i].sets[j]);
            if (!entry->want) {
                silences->rest[silences->n_rest++] = entry;
                continue;
            }
            add_name(silences, entry->want->name);
            chains_add(&silences->by_value, &entry->link,
                       value_hash(entry->want->name, entry->want->value));
        }
    return silences;
}

void silences_free(struct silences *silences)
{
    if (!silences)
        return;
    chains_done(&silences->by_value);
    free(silences->entries);
    free(silences->rest);
    free(silences->names);
    free(silences);
}

struct found {
    const struct silence **at;
    size_t n, max;
};

/* Keeps the order in which they were given. */
static void add_found(struct found *found, const struct silence *silence)
{
    size_t kept = found->n < found->max ? found->n : found->max;
    size_t place = kept;

    while (place > 0 && found->at[place - 1] > silence)
        place--;
    found->n++;
    if (kept == found->max) {
        if (place == kept)
            return;
        kept--;
    }
    memmove(&found->at[place + 1], &found->at[place], (kept - place) * sizeof(*found->at));
    found->at[place] = silence;
}

static void try_one(const struct silences *silences,
                    const struct entry *entry,
                    const struct labels *alert,
                    int64_t now_ms,
                    struct found *found)
{
    const struct silence *silence = &silences->at[entry->place];

    /* a silence that several of its sets find counts once */
    if (silence_span_state(silence, now_ms) == SILENCE_ACTIVE &&
        matching_set(silence, alert) == entry->set &&
        silence_state(silence, now_ms) == SILENCE_ACTIVE)
        add_found(found, silence);
}

size_t silences_find(const struct silences *silences,
                     const struct labels *alert,
                     int64_t now_ms,
                     const struct silence **ret_found,
                     size_t max)
{
    struct found found = {ret_found, 0, max};

    for (size_t i = 0; i < silences->n_names; i++) {
        const char *name = silences->names[i];
        const char *value = labels_get(alert, name);
        struct chain *at = value ? chains_find(&silences->by_value, value_hash(name, value)) : NULL;

        for (; at; at = chains_next(at))
            try_one(silences, (const struct entry *)at, alert, now_ms, &found);
    }
    for (size_t i = 0; i < silences->n_rest; i++)
        try_one(silences, silences->rest[i], alert, now_ms, &found);
    return found.n;
}
