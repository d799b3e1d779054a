/*
 * Buckets: how they are added up, and their bytes. See buckets.h.
 */

#include "alertd/store/buckets.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/chunk/chunk.h"
#include "lib/base/mem.h"

static const uint64_t count_max = UINT64_C(1) << 53; /* a double is exact up to there */

void buckets_done(struct buckets *buckets)
{
    free(buckets->at);
    *buckets = (struct buckets){0};
}

int64_t buckets_floor(int64_t t_ms, int64_t step_ms)
{
    int64_t within = t_ms % step_ms;

    return t_ms - (within < 0 ? within + step_ms : within);
}

static void begin(struct buckets *buckets, const struct bucket *bucket)
{
    buckets->at = mem_grow(buckets->at, &buckets->capacity, buckets->n + 1, sizeof(*buckets->at));
    buckets->at[buckets->n] = *bucket;
    buckets->at[buckets->n].sum = bucket->sum + 0.0; /* -0: sums begin with 0 */
    buckets->sum = (struct sum){bucket->sum + 0.0, 0};
    buckets->n++;
}

/* What the last bucket has, and more that comes after it. */
static void add_to_last(struct buckets *buckets, const struct bucket *more)
{
    struct bucket *last = &buckets->at[buckets->n - 1];

    if (more->min < last->min)
        last->min = more->min;
    if (more->max > last->max)
        last->max = more->max;
    sum_add(&buckets->sum, more->sum);
    last->sum = buckets->sum.value + buckets->sum.lost;
    last->count += more->count;
}

void buckets_add_step(struct buckets *buckets, int64_t step_ms, const struct bucket *bucket)
{
    struct bucket step = *bucket;

    step.t_ms = buckets_floor(bucket->t_ms, step_ms);
    if (buckets->n > 0 && buckets->at[buckets->n - 1].t_ms == step.t_ms)
        add_to_last(buckets, &step);
    else
        begin(buckets, &step);
}

void buckets_add_samples(struct buckets *buckets,
                         int64_t resolution_ms,
                         const int64_t *t_ms,
                         const double *values,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct bucket one = {t_ms[i], values[i], values[i], values[i], 1};

        if (!isnan(values[i]))
            buckets_add_step(buckets, resolution_ms, &one);
    }
}

/* --- bytes --- */

size_t buckets_room(size_t n)
{
    return chunk_room(n) + chunk_long_room(n);
}

static double column_of(const struct bucket *bucket, enum buckets_column column)
{
    switch (column) {
    case BUCKETS_MIN: return bucket->min;
    case BUCKETS_MAX: return bucket->max;
    case BUCKETS_SUM: return bucket->sum;
    case BUCKETS_COUNT: return (double)bucket->count;
    case BUCKETS_COLUMNS: break;
    }
    return 0;
}

/* What a column that is not there says: a series that does not change is its min and count. */
static double implied(enum buckets_column column, double min, double count)
{
    return column == BUCKETS_SUM ? min * count : min;
}

static bool is_implied(const struct bucket *buckets, size_t n, enum buckets_column column)
{
    if (column == BUCKETS_MIN || column == BUCKETS_COUNT)
        return false;
    for (size_t i = 0; i < n; i++)
        if (sample_bits(column_of(&buckets[i], column)) !=
            sample_bits(implied(column, buckets[i].min, (double)buckets[i].count)))
            return false;
    return true;
}

size_t buckets_pack(const struct bucket *buckets,
                    size_t n,
                    enum buckets_column column,
                    unsigned char *out)
{
    int64_t t_ms[BUCKETS_A_DAY_MAX];
    double values[BUCKETS_A_DAY_MAX];

    if (is_implied(buckets, n, column))
        return 0;
    for (size_t i = 0; i < n; i++) {
        t_ms[i] = buckets[i].t_ms;
        values[i] = column_of(&buckets[i], column);
    }
    size_t len = chunk_pack(t_ms, values, n, out);
    size_t long_len = chunk_pack_long(t_ms, values, n, out + len);
    if (long_len >= len)
        return len;
    memmove(out, out + len, long_len);
    return long_len;
}

bool buckets_read_column(struct buckets_reading *reading,
                         enum buckets_column column,
                         const void *bytes,
                         size_t len)
{
    int64_t t_ms[BUCKETS_A_DAY_MAX];
    struct chunk_info info;
    bool is_first = reading->n == 0;

    if (chunk_check(bytes, len, &info, NULL) != 0 || info.n > BUCKETS_A_DAY_MAX ||
        (!is_first && info.n != reading->n))
        return false;
    const struct chunk_view view = chunk_view_sealed(bytes, len, &info);
    if (!chunk_view_decode(&view, is_first ? reading->t_ms : t_ms, reading->values[column]))
        return false;
    reading->n = info.n;
    reading->has[column] = true;
    return is_first || memcmp(reading->t_ms, t_ms, info.n * sizeof(*t_ms)) == 0;
}

static bool is_bucket(const struct bucket *bucket, double count, int64_t resolution_ms)
{
    return bucket->t_ms == buckets_floor(bucket->t_ms, resolution_ms) && count >= 1 &&
           count <= (double)count_max && count == floor(count) && bucket->min <= bucket->max;
}

bool buckets_read_end(struct buckets_reading *reading,
                      int64_t resolution_ms,
                      struct buckets *buckets)
{
    if (!reading->has[BUCKETS_MIN] || !reading->has[BUCKETS_COUNT])
        return false;
    size_t n_before = buckets->n;
    for (size_t i = 0; i < reading->n; i++) {
        double min = reading->values[BUCKETS_MIN][i];
        double count = reading->values[BUCKETS_COUNT][i];
        struct bucket bucket = {.t_ms = reading->t_ms[i],
                                .min = min,
                                .max = implied(BUCKETS_MAX, min, count),
                                .sum = implied(BUCKETS_SUM, min, count)};

        if (reading->has[BUCKETS_MAX])
            bucket.max = reading->values[BUCKETS_MAX][i];
        if (reading->has[BUCKETS_SUM])
            bucket.sum = reading->values[BUCKETS_SUM][i];
        if (!is_bucket(&bucket, count, resolution_ms)) {
            buckets->n = n_before;
            return false;
        }
        bucket.count = (uint64_t)count;
        begin(buckets, &bucket);
    }
    return true;
}
