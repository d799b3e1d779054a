/*
 * What one run of a probe found. See samples.h.
 */

#include "agent/probe/samples.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

void samples_done(struct samples *samples)
{
    if (!samples)
        return;
    free(samples->rows);
    free(samples->pairs);
    free(samples->text);
    *samples = (struct samples){0};
}

void samples_clear(struct samples *samples)
{
    samples->n = 0;
    samples->n_pairs = 0;
    samples->text_len = 0;
    samples->n_refused = 0;
}

/* Bytes of a value to keep: at most SAMPLES_VALUE_MAX, never half a character. */
static size_t kept_len(const char *value)
{
    size_t len = strnlen(value, SAMPLES_VALUE_MAX + 1);

    if (len <= SAMPLES_VALUE_MAX)
        return len;
    len = SAMPLES_VALUE_MAX;
    while (len && ((unsigned char)value[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static uint32_t keep_text(struct samples *samples, const char *value)
{
    size_t len = kept_len(value);
    size_t at = samples->text_len;

    samples->text = mem_grow(samples->text, &samples->text_capacity, at + len + 1, 1);
    memcpy(samples->text + at, value, len);
    samples->text[at + len] = '\0';
    if (!labels_text_ok(samples->text + at, len)) /* not UTF-8: what is not ASCII becomes '?' */
        for (size_t i = at; i < at + len; i++)
            if ((unsigned char)samples->text[i] >= 128)
                samples->text[i] = '?';
    samples->text_len = at + len + 1;
    return (uint32_t)at;
}

void samples_add_with(struct samples *samples,
                      const struct metric_family *family,
                      double value,
                      const struct label *labels,
                      size_t n_labels)
{
    if (samples->n == SAMPLES_MAX || n_labels > SAMPLES_LABELS_MAX ||
        samples->text_len + n_labels * (SAMPLES_VALUE_MAX + 1) > SAMPLES_TEXT_MAX) {
        samples->n_refused++;
        return;
    }
    samples->rows = mem_grow(samples->rows, &samples->rows_capacity, samples->n + 1,
                             sizeof(*samples->rows));
    samples->rows[samples->n++] = (struct samples_row){family, value, (uint32_t)samples->n_pairs,
                                                       (uint32_t)n_labels};
    if (n_labels)
        samples->pairs = mem_grow(samples->pairs, &samples->pairs_capacity,
                                  samples->n_pairs + n_labels, sizeof(*samples->pairs));
    for (size_t i = 0; i < n_labels; i++)
        samples->pairs[samples->n_pairs++] = (struct samples_pair){
            labels[i].name, keep_text(samples, labels[i].value)};
}

void samples_add(struct samples *samples, const struct metric_family *family, double value)
{
    samples_add_with(samples, family, value, NULL, 0);
}

void samples_add_one(struct samples *samples,
                     const struct metric_family *family,
                     double value,
                     const char *name,
                     const char *label_value)
{
    const struct label label = {name, label_value};

    samples_add_with(samples, family, value, &label, 1);
}

size_t samples_labels(const struct samples *samples, size_t row, struct label *pairs)
{
    const struct samples_row *of = &samples->rows[row];

    for (uint32_t i = 0; i < of->n_pairs; i++) {
        const struct samples_pair *pair = &samples->pairs[of->first_pair + i];

        pairs[i] = (struct label){pair->name, samples->text + pair->value_at};
    }
    return of->n_pairs;
}
