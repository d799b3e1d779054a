#pragma once

/*
 * What one run of a probe found: numbers with their own labels, in one place that
 * is used again for every run.
 *
 *     rows   [family, value, first pair, n pairs] ...
 *     pairs  [label name, where its value is in text] ...
 *     text   "eth0\0cpu0\0..."
 *
 * Families and label names are loans that must outlive the samples: tables of
 * the probe. Label values are copied. After the first run the arrays have their
 * size and nothing is allocated any more.
 *
 * Ceilings: SAMPLES_MAX rows and SAMPLES_TEXT_MAX bytes of label values; what goes
 * over them is counted in n_refused, and every value is cut at SAMPLES_VALUE_MAX
 * bytes and made valid UTF-8.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/labels.h"
#include "lib/model/metric.h"

enum {
    SAMPLES_MAX = 20000,
    SAMPLES_TEXT_MAX = 1024 * 1024,
    SAMPLES_VALUE_MAX = 1024,
    SAMPLES_LABELS_MAX = 16, /* own labels of one sample */
};

struct metric_family {
    const char *name;
    enum metric_type type;
    const char *help;
};

struct samples_row {
    const struct metric_family *family;
    double value;
    uint32_t first_pair;
    uint32_t n_pairs;
};

struct samples_pair {
    const char *name;
    uint32_t value_at;
};

struct samples {
    struct samples_row *rows;
    size_t n, rows_capacity;
    struct samples_pair *pairs;
    size_t n_pairs, pairs_capacity;
    char *text;
    size_t text_len, text_capacity;
    size_t n_refused;
};

void samples_done(struct samples *samples);
void samples_clear(struct samples *samples);

void samples_add(struct samples *samples, const struct metric_family *family, double value);
void samples_add_with(struct samples *samples,
                      const struct metric_family *family,
                      double value,
                      const struct label *labels,
                      size_t n_labels);
/* The most common case: one label of its own. */
void samples_add_one(struct samples *samples,
                     const struct metric_family *family,
                     double value,
                     const char *name,
                     const char *label_value);

/* The labels of one row into pairs[SAMPLES_LABELS_MAX]; returns how many. Loans until
 * the next add. */
size_t samples_labels(const struct samples *samples, size_t row, struct label *pairs);
