/*
 * A body's samples on their way to the store. See batch.h.
 */

#include "alertd/ingest/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum {
    SCRATCH_BYTES = 1 << 20 /* labels of one series, as sent */
};

void batch_init(struct batch *batch,
                const struct ingest_body *body,
                struct series_cache *cache,
                uint32_t pusher)
{
    const char *bound = body->bound_agent;

    *batch = (struct batch){.body = body, .cache = cache, .pusher = pusher, .newest_ms = INT64_MIN};
    if (bound && bound[0])
        batch->salt = hash64(bound, strlen(bound)) | 1;
    arena_init(&batch->scratch, SCRATCH_BYTES);
}

void batch_done(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_entries; i++)
        labels_unref(batch->entries[i].labels);
    free(batch->entries);
    free(batch->first_sample);
    free(batch->lessons);
    free(batch->samples);
    arena_reset(&batch->scratch);
}

void batch_add(struct batch *batch, const struct store_entry *entry)
{
    const struct sample *samples = entry->samples;
    size_t i = batch->n_entries;
    size_t n = entry->n;

    batch->entries = mem_grow(batch->entries, &batch->entries_capacity, i + 1,
                              sizeof(*batch->entries));
    batch->first_sample = mem_grow(batch->first_sample, &batch->first_capacity, i + 1,
                                   sizeof(*batch->first_sample));
    batch->samples = mem_grow(batch->samples, &batch->samples_capacity, batch->n_samples + n,
                              sizeof(*batch->samples));
    batch->entries[i] = *entry;
    batch->first_sample[i] = batch->n_samples;
    for (size_t k = 0; k < n; k++) {
        batch->samples[batch->n_samples + k] = samples[k];
        if (samples[k].t_ms > batch->newest_ms)
            batch->newest_ms = samples[k].t_ms;
    }
    batch->n_samples += n;
    batch->n_entries++;
}

void batch_learn(struct batch *batch, struct hash128 key)
{
    batch->lessons = mem_grow(batch->lessons, &batch->lessons_capacity, batch->n_lessons + 1,
                              sizeof(*batch->lessons));
    batch->lessons[batch->n_lessons++] = (struct lesson){key, batch->n_entries - 1};
}

void batch_refuse(struct batch *batch, size_t n_samples, const char *why)
{
    if (batch->n_refused == 0)
        (void)snprintf(batch->first_refusal, sizeof(batch->first_refusal), "%s", why);
    batch->n_refused += n_samples;
}

const struct store_entry *batch_entries(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_entries; i++)
        batch->entries[i].samples = batch->samples + batch->first_sample[i];
    return batch->entries;
}

/* Why this label may not be pushed with this token; NULL: it may. */
static const char *forged(const struct batch *batch, const struct label *label)
{
    static const char *const ours[] = {"ALERTS", "ALERTS_FOR_STATE", "up"};
    const char *bound = batch->body->bound_agent;

    if (!bound || !bound[0])
        return NULL;
    if (strcmp(label->name, LABEL_NAME) == 0)
        for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
            if (strcmp(label->value, ours[i]) == 0)
                return "is written by alertd alone";
    if (strcmp(label->name, "alertname") == 0)
        return "names alerts, which are made by rules alone";
    if (strcmp(label->name, "agent") == 0 && strcmp(label->value, bound) != 0)
        return "is another agent";
    return NULL;
}

static bool check_label(struct batch *batch, const struct label *label, struct str *why)
{
    size_t name_len = strlen(label->name);
    size_t value_len = strlen(label->value);
    const char *words = forged(batch, label);

    if (words)
        str_addf(why, "%.60s=\"%.60s\" %s", label->name, label->value, words);
    else if (name_len > INGEST_NAME_MAX)
        str_addf(why, "label \"%.60s...\" has a name of %zu bytes, %d at most", label->name,
                 name_len, INGEST_NAME_MAX);
    else if (value_len > INGEST_VALUE_MAX)
        str_addf(why, "label \"%.60s\" has a value of %zu bytes, %d at most", label->name,
                 value_len, INGEST_VALUE_MAX);
    return why->len == 0;
}

const struct labels *batch_labels(struct batch *batch,
                                  const struct label *pairs,
                                  size_t n,
                                  size_t n_samples)
{
    STR_AUTO struct str why = STR_INIT(190);
    MEM_UNSET struct label all[INGEST_LABELS_MAX * 2];
    const struct ingest_body *body = batch->body;
    bool has_name = false;
    size_t n_all = 0;

    if (n > INGEST_LABELS_MAX || body->n_own_labels > INGEST_LABELS_MAX)
        str_addf(&why, "a series of %zu labels, %d at most", n, INGEST_LABELS_MAX);
    for (size_t i = 0; i < body->n_own_labels && why.len == 0; i++)
        all[n_all++] = body->own_labels[i]; /* later ones win: what is said stays */
    for (size_t i = 0; i < n && why.len == 0; i++) {
        has_name = has_name || strcmp(pairs[i].name, LABEL_NAME) == 0;
        if (check_label(batch, &pairs[i], &why))
            all[n_all++] = pairs[i];
    }
    if (why.len == 0 && !has_name)
        str_add(&why, "a series without a metric name");
    if (why.len > 0) {
        batch_refuse(batch, n_samples, str_text(&why));
        return NULL;
    }
    return labels_new(all, n_all);
}
