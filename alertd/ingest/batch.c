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
                const struct ingest_limits *limits,
                struct series_cache *cache,
                uint32_t pusher)
{
    const char *bound = body->bound_agent;

    *batch = (struct batch){
        .body = body, .limits = limits, .cache = cache, .pusher = pusher, .newest_ms = INT64_MIN};
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

void batch_reserve(struct batch *batch, size_t n)
{
    batch->entries = mem_grow(batch->entries, &batch->entries_capacity, n, sizeof(*batch->entries));
    batch->first_sample = mem_grow(batch->first_sample, &batch->first_capacity, n,
                                   sizeof(*batch->first_sample));
    batch->lessons = mem_grow(batch->lessons, &batch->lessons_capacity, n, sizeof(*batch->lessons));
    batch->samples = mem_grow(batch->samples, &batch->samples_capacity, n, sizeof(*batch->samples));
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

const char *ingest_refusal_name(enum ingest_refusal refusal)
{
    switch (refusal) {
    case INGEST_TOO_MANY_LABELS: return "labels_limit";
    case INGEST_LONG_NAME: return "label_name_limit";
    case INGEST_LONG_VALUE: return "label_value_limit";
    case INGEST_WRONG_LABELS:
    case INGEST_N_REFUSALS: break;
    }
    return "labels";
}

void batch_refuse(struct batch *batch,
                  size_t n_samples,
                  enum ingest_refusal refusal,
                  const char *series,
                  const char *why)
{
    if (batch->n_refused == 0)
        (void)snprintf(batch->first_refusal, sizeof(batch->first_refusal), "%s%s%s", why,
                       series[0] ? ": " : "", series);
    if (batch->refused[refusal] == 0)
        (void)snprintf(batch->examples[refusal], sizeof(batch->examples[refusal]), "%s", series);
    batch->n_refused += n_samples;
    batch->refused[refusal] += n_samples;
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

/* What is wrong about a series, if there is something. */
struct fault {
    enum ingest_refusal refusal;
    struct str words;
};

static bool check_label(const struct batch *batch, const struct label *label, struct fault *fault)
{
    const struct ingest_limits *limits = batch->limits;
    size_t name_len = strlen(label->name);
    size_t value_len = strlen(label->value);
    const char *words = forged(batch, label);

    if (words) {
        str_addf(&fault->words, "%.60s=\"%.60s\" %s", label->name, label->value, words);
    } else if (name_len > limits->name_bytes) {
        fault->refusal = INGEST_LONG_NAME;
        str_addf(&fault->words,
                 "label \"%.60s...\" has a name of %zu bytes, %zu at most "
                 "(--limit.label-name-bytes)",
                 label->name, name_len, limits->name_bytes);
    } else if (value_len > limits->value_bytes) {
        fault->refusal = INGEST_LONG_VALUE;
        str_addf(&fault->words,
                 "label \"%.60s\" has a value of %zu bytes, %zu at most "
                 "(--limit.label-value-bytes)",
                 label->name, value_len, limits->value_bytes);
    }
    return fault->words.len == 0;
}

/* The beginning of it, for whoever looks for it: m{a="b", c="d", ...} */
static void print_series(const struct label *pairs, size_t n, struct str *out)
{
    size_t n_printed = 0;

    for (size_t i = 0; i < n; i++)
        if (strcmp(pairs[i].name, LABEL_NAME) == 0)
            str_addf(out, "%.40s", pairs[i].value);
    str_addc(out, '{');
    for (size_t i = 0; i < n && n_printed < 3; i++)
        if (strcmp(pairs[i].name, LABEL_NAME) != 0)
            str_addf(out, "%s%.20s=\"%.20s\"", n_printed++ ? ", " : "", pairs[i].name,
                     pairs[i].value);
    str_addf(out, "%s}", n_printed == 3 ? ", ..." : "");
}

const struct labels *batch_labels(struct batch *batch,
                                  const struct label *pairs,
                                  size_t n,
                                  size_t n_samples)
{
    STR_AUTO struct str series = STR_INIT(400);
    MEM_UNSET struct label all[INGEST_LABELS_MAX * 2];
    const struct ingest_body *body = batch->body;
    struct fault fault = {INGEST_WRONG_LABELS, STR_INIT(300)};
    const struct labels *labels = NULL;
    bool has_name = false;
    size_t n_all = 0;

    if (n > batch->limits->labels || body->n_own_labels > INGEST_LABELS_MAX) {
        fault.refusal = INGEST_TOO_MANY_LABELS;
        str_addf(&fault.words, "a series of %zu labels, %zu at most (--limit.labels-per-series)", n,
                 batch->limits->labels);
    }
    for (size_t i = 0; i < body->n_own_labels && fault.words.len == 0; i++)
        all[n_all++] = body->own_labels[i]; /* later ones win: what is said stays */
    for (size_t i = 0; i < n && fault.words.len == 0; i++) {
        has_name = has_name || strcmp(pairs[i].name, LABEL_NAME) == 0;
        if (check_label(batch, &pairs[i], &fault))
            all[n_all++] = pairs[i];
    }
    if (fault.words.len == 0 && !has_name)
        str_add(&fault.words, "a series without a metric name");
    if (fault.words.len == 0) {
        labels = labels_new(all, n_all);
    } else {
        print_series(pairs, n, &series);
        batch_refuse(batch, n_samples, fault.refusal, str_text(&series), str_text(&fault.words));
    }
    str_done(&fault.words);
    return labels;
}
