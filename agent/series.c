/*
 * Samples made into series. See series.h.
 */

#include "agent/series.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/wire/exposition_write.h"

/* Inserts in order; an equal name replaces what is there. */
static size_t insert(struct label *out, size_t n, const struct label *label)
{
    size_t at = n;

    while (at > 0 && strcmp(out[at - 1].name, label->name) > 0)
        at--;
    if (at > 0 && strcmp(out[at - 1].name, label->name) == 0) {
        out[at - 1] = *label;
        return n;
    }
    memmove(&out[at + 1], &out[at], (n - at) * sizeof(out[0]));
    out[at] = *label;
    return n + 1;
}

size_t series_labels(const struct samples *samples,
                     size_t row,
                     const struct labels *base,
                     struct label out[SERIES_LABELS_MAX])
{
    const struct label name = {LABEL_NAME, samples->rows[row].family->name};
    struct label own[SAMPLES_LABELS_MAX];
    size_t n_own = samples_labels(samples, row, own);
    size_t n = base->n < SERIES_LABELS_MAX / 2 ? base->n : SERIES_LABELS_MAX / 2;
    size_t kept = 0;

    memcpy(out, base->at, n * sizeof(out[0]));
    n = insert(out, n, &name);
    for (size_t i = 0; i < n_own; i++)
        n = insert(out, n, &own[i]);
    for (size_t i = 0; i < n; i++) /* an empty value means the label is absent */
        if (out[i].value[0])
            out[kept++] = out[i];
    return kept;
}

bool series_write(const struct samples *samples,
                  const struct labels *base,
                  int64_t t_ms,
                  struct remote_write *body)
{
    struct label labels[SERIES_LABELS_MAX];
    bool all = true;

    for (size_t i = 0; i < samples->n; i++) {
        size_t n = series_labels(samples, i, base, labels);

        all = remote_write_add(body, labels, n, (struct sample){t_ms, samples->rows[i].value}) &&
              all;
    }
    return all;
}

/* True when the family of this row has not come before. */
static bool is_first_of_family(const struct samples *samples, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (samples->rows[i].family == samples->rows[row].family)
            return false;
    return true;
}

bool series_write_metadata(const struct samples *samples, struct remote_write *body)
{
    bool all = true;

    for (size_t i = 0; i < samples->n; i++) {
        const struct metric_family *family = samples->rows[i].family;

        if (is_first_of_family(samples, i))
            all = remote_write_add_metadata(body, family->name, family->type, family->help) && all;
    }
    return all;
}

/* One row of one source, for sorting by name; ties keep the order they came in. */
struct line {
    const struct series_source *source;
    size_t row;
    size_t order;
};

static const struct metric_family *family_of(const struct line *line)
{
    return line->source->samples->rows[line->row].family;
}

static int by_family(const void *a, const void *b)
{
    const struct line *left = a;
    const struct line *right = b;
    int order = strcmp(family_of(left)->name, family_of(right)->name);

    return order ? order : (left->order > right->order) - (left->order < right->order);
}

void series_print(const struct series_source *sources, size_t n, struct str *out)
{
    struct line *lines = NULL;
    size_t capacity = 0;
    size_t n_lines = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t row = 0; row < sources[i].samples->n; row++) {
            lines = mem_grow(lines, &capacity, n_lines + 1, sizeof(*lines));
            lines[n_lines] = (struct line){&sources[i], row, n_lines};
            n_lines++;
        }
    if (n_lines)
        qsort(lines, n_lines, sizeof(*lines), by_family);
    for (size_t i = 0; i < n_lines; i++) {
        const struct metric_family *family = family_of(&lines[i]);
        struct label labels[SERIES_LABELS_MAX];
        size_t n_labels = series_labels(lines[i].source->samples, lines[i].row,
                                        lines[i].source->base, labels);

        if (i == 0 || strcmp(family_of(&lines[i - 1])->name, family->name) != 0)
            exposition_family(out, family->name, family->type, family->help);
        exposition_sample(out, labels, n_labels,
                          lines[i].source->samples->rows[lines[i].row].value);
    }
    free(lines);
}
