/*
 * Aggregations that take a sample of the series: limitk the first so many of each group,
 * limit_ratio a share of them by the hash of their labels, so that the same series are
 * taken at every step, by every query, and by Prometheus: limit_ratio(0.3, x) and
 * limit_ratio(-0.7, x) are x in two parts.
 */

#include <math.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "lib/base/float.h"

static int limit_count(struct eval *eval,
                       const struct promql_expr *expr,
                       const double *param,
                       struct value *of)
{
    struct label_filter filter = grouping_filter(expr);
    size_t n = eval->grid.n;
    struct groups groups;
    size_t *wanted = arena_array(eval->arena, n, sizeof(*wanted));
    int r = groups_init(eval, &filter, of->n, &groups);

    for (size_t step = 0; !r && wanted && of->n && step < n; step++)
        r = eval_how_many(eval, param[step], &wanted[step]);
    size_t *taken = arena_array(eval->arena, (of->n ? of->n : 1) * n, sizeof(*taken));
    if (!r && (!wanted || !taken))
        r = eval_out_of_memory(eval);
    for (size_t i = 0; !r && i < of->n; i++) {
        double *values = of->columns[i].values;
        size_t *of_group = taken + groups_put(&groups, &of->columns[i]) * n;

        for (size_t step = 0; step < n; step++) {
            if (is_hole(values[step]))
                continue;
            if (of_group[step] >= wanted[step])
                values[step] = sample_stale();
            else
                of_group[step]++;
        }
        r = eval_tick(eval);
    }
    return r;
}

/* --- XXH64 (Collet), seed 0, of Prometheus' encoding of labels ------------------------- */

static const uint64_t prime_1 = 0x9E3779B185EBCA87U;
static const uint64_t prime_2 = 0xC2B2AE3D27D4EB4FU;
static const uint64_t prime_3 = 0x165667B19E3779F9U;
static const uint64_t prime_4 = 0x85EBCA77C2B2AE63U;
static const uint64_t prime_5 = 0x27D4EB2F165667C5U;

static uint64_t rotated(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static uint64_t read_little(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;

    for (size_t i = n; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t rounded(uint64_t lane, uint64_t input)
{
    return rotated(lane + input * prime_2, 31) * prime_1;
}

static uint64_t hash_stripes(const unsigned char **bytes, const unsigned char *end)
{
    uint64_t lanes[4] = {prime_1 + prime_2, prime_2, 0, 0 - prime_1};
    static const unsigned turns[4] = {1, 7, 12, 18};
    uint64_t hash = 0;

    for (; end - *bytes >= 32; *bytes += 32)
        for (size_t i = 0; i < 4; i++)
            lanes[i] = rounded(lanes[i], read_little(*bytes + 8 * i, 8));
    for (size_t i = 0; i < 4; i++)
        hash += rotated(lanes[i], turns[i]);
    for (size_t i = 0; i < 4; i++)
        hash = (hash ^ rounded(0, lanes[i])) * prime_1 + prime_4;
    return hash;
}

static uint64_t xxhash(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    const unsigned char *end = bytes + len;
    uint64_t hash = (len >= 32 ? hash_stripes(&bytes, end) : prime_5) + len;

    for (; end - bytes >= 8; bytes += 8)
        hash = rotated(hash ^ rounded(0, read_little(bytes, 8)), 27) * prime_1 + prime_4;
    if (end - bytes >= 4) {
        hash = rotated(hash ^ read_little(bytes, 4) * prime_1, 23) * prime_2 + prime_3;
        bytes += 4;
    }
    for (; bytes < end; bytes++)
        hash = rotated(hash ^ *bytes * prime_5, 11) * prime_1;
    hash = (hash ^ hash >> 33) * prime_2;
    hash = (hash ^ hash >> 29) * prime_3;
    return hash ^ hash >> 32;
}

/* A length in a byte, or 255 and three bytes; then the text. */
static void add_sized(struct str *out, const char *text)
{
    size_t len = strlen(text);

    str_addc(out, (char)(len < 255 ? len : 255));
    for (unsigned shift = 0; len >= 255 && shift < 24; shift += 8)
        str_addc(out, (char)(len >> shift & 255));
    str_addn(out, text, len);
}

/* Where the series lies between 0 and 1. */
static double place_of_series(const struct column *column)
{
    STR_AUTO struct str bytes = STR_INIT(1 << 20);

    for (uint32_t i = 0; i < column->labels->n; i++) {
        const struct label *label = &column->labels->at[i];

        if (column->nameless && strcmp(label->name, LABEL_NAME) == 0)
            continue;
        add_sized(&bytes, label->name);
        add_sized(&bytes, label->value);
    }
    return (double)xxhash(str_text(&bytes), bytes.len) / 18446744073709551616.0;
}

/* --- limit_ratio ------------------------------------------------------------------------ */

static void warn_ratio(struct eval *eval, const struct promql_expr *at, double ratio, double most)
{
    char got[FLOAT_TEXT_MAX];

    (void)float_go(ratio, got);
    eval_warn(eval, at, "ratio value should be between -1 and 1, got %s, capping to %g", got, most);
}

/* The ratios of all steps, between -1 and 1. */
static int read_ratios(struct eval *eval,
                       const struct promql_expr *at,
                       const double *param,
                       const double **ret_ratios)
{
    double *ratios = arena_array(eval->arena, eval->grid.n, sizeof(*ratios));
    double greatest = 1;
    double smallest = -1;

    if (!ratios)
        return eval_out_of_memory(eval);
    for (size_t step = 0; step < eval->grid.n; step++) {
        if (isnan(param[step]))
            return EVAL_FAILED(eval, "Ratio value is NaN");
        greatest = fmax(greatest, param[step]);
        smallest = fmin(smallest, param[step]);
        ratios[step] = fmax(-1, fmin(1, param[step]));
    }
    if (greatest > 1)
        warn_ratio(eval, at, greatest, 1);
    if (smallest < -1)
        warn_ratio(eval, at, smallest, -1);
    *ret_ratios = ratios;
    return 0;
}

static int limit_ratio(struct eval *eval,
                       const struct promql_expr *expr,
                       const double *param,
                       struct value *of)
{
    const double *ratios = NULL;
    int r = read_ratios(eval, expr->aggregate.param, param, &ratios);

    for (size_t i = 0; !r && i < of->n; i++) {
        double place = place_of_series(&of->columns[i]);

        for (size_t step = 0; step < eval->grid.n; step++)
            if (ratios[step] >= 0 ? place >= ratios[step] : place < 1 + ratios[step])
                of->columns[i].values[step] = sample_stale();
        r = eval_tick(eval);
    }
    return r;
}

int eval_limit(struct eval *eval,
               const struct promql_expr *expr,
               struct value *of,
               const double *param,
               struct value *ret_value)
{
    int r = expr->aggregate.op == AGGREGATOR_LIMITK ? limit_count(eval, expr, param, of)
                                                    : limit_ratio(eval, expr, param, of);

    if (r)
        return r;
    vector_drop_empty(eval, of);
    *ret_value = *of;
    return 0;
}
