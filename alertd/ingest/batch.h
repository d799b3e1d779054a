#pragma once

/*
 * A body's samples on their way to the store, and what was refused of it. Inside ingest.
 */

#include "alertd/ingest/ingest.h"
#include "alertd/ingest/series_cache.h"
#include "lib/base/arena.h"

/* What the cache is told once the store has said which series it is. */
struct lesson {
    struct hash128 key;
    size_t entry;
};

struct batch {
    const struct ingest_body *body;
    const struct ingest_limits *limits;
    struct series_cache *cache;
    struct families *families;
    bool without_cache; /* every series by its labels */
    uint32_t pusher;
    uint64_t salt;               /* of the rules for this token: series_cache_key() */
    struct store_entry *entries; /* each holds a reference on its labels, if it has them */
    size_t *first_sample;        /* of each entry */
    size_t n_entries, entries_capacity, first_capacity;
    struct lesson *lessons;
    size_t n_lessons, lessons_capacity;
    struct sample *samples;
    size_t n_samples, samples_capacity;
    int64_t newest_ms;
    size_t n_refused; /* samples */
    size_t refused[INGEST_N_REFUSALS];
    char examples[INGEST_N_REFUSALS][120]; /* a series of each */
    size_t n_unsupported;                  /* native histograms */
    char first_refusal[400];
    struct arena scratch; /* of one series */
};

void batch_init(struct batch *batch,
                const struct ingest_body *body,
                const struct ingest_limits *limits,
                struct series_cache *cache,
                uint32_t pusher);
void batch_done(struct batch *batch);
/* Room for so many series of one sample each: before the first. */
void batch_reserve(struct batch *batch, size_t n);

/* Takes the reference on its labels and copies its samples. */
void batch_add(struct batch *batch, const struct store_entry *entry);
/* The entry added last came with label bytes of this fingerprint. */
void batch_learn(struct batch *batch, struct hash128 key);
/* series: some of its labels, as text. */
void batch_refuse(struct batch *batch,
                  size_t n_samples,
                  enum ingest_refusal refusal,
                  const char *series,
                  const char *why);

/* A label set of these pairs if it may be stored; otherwise its n_samples are refused with
 * words, and NULL. */
const struct labels *batch_labels(struct batch *batch,
                                  const struct label *pairs,
                                  size_t n,
                                  size_t n_samples);

/* The entries with their samples; a loan. */
const struct store_entry *batch_entries(struct batch *batch);
