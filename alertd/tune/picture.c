/*
 * A rule's past, to be drawn. See picture.h.
 */

#include "alertd/tune/picture.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "alertd/tune/level.h"
#include "lib/base/mem.h"

enum {
    STEPS_AT_ONCE = 256,
    STEPS_A_BYTE = 1 << 7,
};

struct series {
    const struct labels *labels;
    uint8_t *bytes;
    size_t n_bytes, capacity;
    float *columns; /* the least ones, then the greatest */
    uint32_t step;  /* the next one it has not seen */
    uint32_t run;   /* so many steps of its level are not written yet */
    uint8_t level, peak;
    uint32_t *above; /* by threshold: steps that pass it and not the next one */
};

struct picture {
    struct surface_grid grid;
    struct levels levels;
    uint32_t n_steps, n_columns;
    struct series *series;
    size_t n, capacity;
    size_t n_uncounted; /* came too late to be kept */
    size_t n_bytes;
    float *columns; /* of all */
};

static float *columns_new(uint32_t n_columns)
{
    float *columns = mem_alloc(2 * (size_t)n_columns * sizeof(*columns));

    for (size_t i = 0; i < 2 * (size_t)n_columns; i++)
        columns[i] = NAN;
    return columns;
}

struct picture *picture_new(const struct surface_grid *grid, uint32_t n_steps, uint32_t columns)
{
    if (grid->n_thresholds == 0 || grid->n_thresholds > PICTURE_THRESHOLDS_MAX || columns == 0 ||
        columns > PICTURE_COLUMNS_MAX || n_steps <= grid->first_step)
        return NULL;
    struct picture *picture = mem_zalloc(sizeof(*picture));

    *picture = (struct picture){
        .grid = *grid,
        .n_steps = n_steps,
        .n_columns = columns,
        .columns = columns_new(columns),
    };
    levels_init(&picture->levels, grid->op, grid->thresholds, grid->n_thresholds);
    return picture;
}

void picture_free(struct picture *picture)
{
    if (!picture)
        return;
    for (size_t i = 0; i < picture->n; i++) {
        free(picture->series[i].bytes);
        free(picture->series[i].columns);
        free(picture->series[i].above);
    }
    free(picture->series);
    levels_done(&picture->levels);
    free(picture->columns);
    free(picture);
}

/* --- levels --- */

static void put_byte(struct picture *picture, struct series *series, uint8_t byte)
{
    series->bytes = mem_grow(series->bytes, &series->capacity, series->n_bytes + 1, 1);
    series->bytes[series->n_bytes++] = byte;
    picture->n_bytes++;
}

static void end_run(struct picture *picture, struct series *series)
{
    uint32_t left = series->run;

    if (left == 0)
        return;
    put_byte(picture, series, series->level);
    for (; left >= STEPS_A_BYTE; left /= STEPS_A_BYTE)
        put_byte(picture, series, (uint8_t)(left % STEPS_A_BYTE | STEPS_A_BYTE));
    put_byte(picture, series, (uint8_t)left);
    if (series->level > 0)
        series->above[series->level - 1] += series->run;
    series->run = 0;
}

static void go_on(struct picture *picture, struct series *series, uint8_t level, uint32_t n_steps)
{
    if (level != series->level)
        end_run(picture, series);
    series->level = level;
    series->peak = level > series->peak ? level : series->peak;
    series->run += n_steps;
    series->step += n_steps;
}

/* --- columns --- */

static void widen(float *columns, uint32_t n_columns, uint32_t column, float value)
{
    float *least = &columns[column];
    float *greatest = &columns[n_columns + column];

    if (isnan(*least) || value < *least)
        *least = value;
    if (isnan(*greatest) || value > *greatest)
        *greatest = value;
}

static void see(const struct picture *picture, float *own, uint32_t step, double value)
{
    uint32_t first = picture->grid.first_step;

    if (step < first || isnan(value))
        return;
    uint32_t column = (uint32_t)((uint64_t)(step - first) * picture->n_columns /
                                 (picture->n_steps - first));

    widen(picture->columns, picture->n_columns, column, (float)value);
    if (own)
        widen(own, picture->n_columns, column, (float)value);
}

/* --- series --- */

static struct series *series_at(struct picture *picture, size_t index, const struct labels *labels)
{
    if (index < picture->n)
        return &picture->series[index];
    if (index > picture->n || picture->n_bytes >= PICTURE_BYTES_MAX) {
        size_t n_late = index - picture->n + 1;
        picture->n_uncounted = n_late > picture->n_uncounted ? n_late : picture->n_uncounted;
        return NULL;
    }
    picture->series = mem_grow(picture->series, &picture->capacity, picture->n + 1,
                               sizeof(*picture->series));
    struct series *series = &picture->series[picture->n++];

    *series = (struct series){
        .labels = labels,
        .columns = columns_new(picture->n_columns),
        .above = mem_zalloc(picture->grid.n_thresholds * sizeof(*series->above)),
    };
    picture->n_bytes += sizeof(*series) + 2 * picture->n_columns * sizeof(float) +
                        picture->grid.n_thresholds * sizeof(*series->above);
    return series;
}

void picture_add(struct picture *picture,
                 size_t index,
                 const struct labels *labels,
                 uint32_t first_step,
                 const double *values,
                 size_t n)
{
    struct series *series = series_at(picture, index, labels);
    MEM_UNSET uint16_t levels[STEPS_AT_ONCE];

    if (series && first_step > series->step)
        go_on(picture, series, 0, first_step - series->step);
    for (size_t at = 0; at < n; at += STEPS_AT_ONCE) {
        size_t n_now = n - at < STEPS_AT_ONCE ? n - at : STEPS_AT_ONCE;
        if (series)
            levels_find(&picture->levels, values + at, n_now, levels);
        for (size_t i = 0; i < n_now; i++) {
            see(picture, series ? series->columns : NULL, first_step + (uint32_t)(at + i),
                values[at + i]);
            if (series)
                go_on(picture, series, (uint8_t)levels[i], 1);
        }
    }
}

void picture_merge(struct picture *into, struct picture *from)
{
    for (uint32_t i = 0; i < 2 * into->n_columns; i++)
        if (!isnan(from->columns[i]))
            widen(into->columns, into->n_columns, i % into->n_columns, from->columns[i]);
    into->n_bytes += from->n_bytes;
    into->series = mem_grow(into->series, &into->capacity, into->n + from->n + 1,
                            sizeof(*into->series));
    for (size_t i = 0; i < from->n; i++)
        into->series[into->n++] = from->series[i];
    into->n_uncounted += from->n_uncounted;
    from->n = 0;
}

void picture_finish(struct picture *picture)
{
    for (size_t i = 0; i < picture->n; i++) {
        struct series *series = &picture->series[i];

        assert(series->step <= picture->n_steps);
        if (series->step < picture->n_steps)
            go_on(picture, series, 0, picture->n_steps - series->step);
        end_run(picture, series);
        /* from "this one and not the next" to "this one" */
        for (size_t j = picture->grid.n_thresholds - 1; j-- > 0;)
            series->above[j] += series->above[j + 1];
    }
}

size_t picture_n_series(const struct picture *picture)
{
    return picture->n + picture->n_uncounted;
}

static int louder(const void *a, const void *b, void *at)
{
    const struct series *left = a;
    const struct series *right = b;
    size_t threshold = *(const size_t *)at;

    if (left->above[threshold] != right->above[threshold])
        return left->above[threshold] > right->above[threshold] ? -1 : 1;
    if (left->peak != right->peak)
        return left->peak > right->peak ? -1 : 1;
    return labels_compare(left->labels, right->labels);
}

size_t picture_sort(struct picture *picture, size_t at)
{
    if (picture->n > 0)
        qsort_r(picture->series, picture->n, sizeof(*picture->series), louder, &at);
    return picture->n;
}

struct picture_series picture_series(const struct picture *picture, size_t i)
{
    const struct series *series = &picture->series[i];

    return (struct picture_series){series->labels, series->bytes, series->n_bytes, series->columns,
                                   series->columns + picture->n_columns};
}

struct picture_series picture_all(const struct picture *picture)
{
    return (struct picture_series){NULL, NULL, 0, picture->columns,
                                   picture->columns + picture->n_columns};
}
