/*
 * How fast chunks are read and written, beside what memory gives: reading an array of floats
 * once, and copying it, in the same run. A line of JSON each:
 *
 *     {"bench":"read_packed","data":"counter","ns_a_sample":1.2,"bytes_a_sample":0.5,"of_copying":0.4}
 *
 * of_copying: bytes of columns made a second (16 a sample), as a part of the bytes memcpy()
 * writes a second from memory to memory. The columns are the same ones again and again, as they
 * are for who reads: they stay in the cache.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/chunk/chunk.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"

enum {
    N_CHUNKS = 2000,
    COPY_BYTES = 256 << 20,
    ROUNDS = 20,
};

/* The kinds of series a fleet has. */
static double counter(struct rng *rng, double last)
{
    return last + (double)rng_below(rng, 30);
}

static double idle_counter(struct rng *rng, double last)
{
    return last + (rng_below(rng, 40) == 0);
}

static double tenths(struct rng *rng, double last)
{
    (void)last;
    return 40 + (double)rng_below(rng, 160) / 10;
}

static double pages(struct rng *rng, double last)
{
    (void)last;
    return (double)((UINT64_C(1) << 33) + rng_below(rng, 5000) * 4096);
}

static double constant(struct rng *rng, double last)
{
    (void)rng;
    (void)last;
    return 1;
}

static double noise(struct rng *rng, double last)
{
    (void)last;
    return (double)rng_below(rng, UINT64_C(1) << 53) / (double)(UINT64_C(1) << 53);
}

static const struct kind {
    const char *name;
    double (*next)(struct rng *rng, double last);
} kinds[] = {
    {"counter", counter}, {"idle counter", idle_counter}, {"tenths", tenths},
    {"pages", pages},     {"constant", constant},         {"noise", noise},
};

struct packed {
    unsigned char *bytes;
    size_t len;
    struct chunk_info info;
};

/* From memory to memory, both larger than what a cache keeps. */
struct copying {
    char *from, *to;
    double best; /* bytes a nanosecond */
};

static void copy_once(struct copying *copying, int round)
{
    int64_t began_ns = clock_mono_ns();

    memcpy(copying->to, copying->from, COPY_BYTES);
    double rate = (double)COPY_BYTES / (double)(clock_mono_ns() - began_ns);
    copying->from[round] = copying->to[COPY_BYTES - 1 - round]; /* so that it is done */
    copying->best = fmax(copying->best, rate);
}

static void print_row(
    const char *what, const char *data, double ns, double bytes, double of_copying)
{
    printf("{\"bench\":\"%s\",\"data\":\"%s\",\"ns_a_sample\":%.2f,\"bytes_a_sample\":%.3f,"
           "\"of_copying\":%.2f}\n",
           what, data, ns, bytes, of_copying);
}

/* Best of some rounds over all chunks of the kind, and of as many copies by turns: others may be at work
 * meanwhile, who slow both down. */
static double read_all(
    const struct packed *packed, size_t n, int64_t *t_ms, double *values, struct copying *copying)
{
    double best = INFINITY;

    copying->best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n_samples = 0;

        copy_once(copying, round);
        int64_t began_ns = clock_mono_ns();
        for (size_t i = 0; i < n; i++) {
            const struct chunk_view view = chunk_view_sealed(packed[i].bytes, packed[i].len,
                                                             &packed[i].info);
            if (!chunk_view_decode(&view, t_ms, values))
                abort();
            n_samples += view.n;
        }
        best = fmin(best, (double)(clock_mono_ns() - began_ns) / (double)n_samples);
    }
    return best;
}

static void measure(const struct kind *kind, bool is_long, struct copying *copying)
{
    size_t per_chunk = is_long ? 8640 : 960;
    size_t n = is_long ? N_CHUNKS / 9 : N_CHUNKS;
    struct packed *packed = mem_zalloc(n * sizeof(*packed));
    int64_t *t_ms = mem_alloc(per_chunk * sizeof(*t_ms));
    double *values = mem_alloc(per_chunk * sizeof(*values));
    unsigned char *room = mem_alloc(chunk_long_room(per_chunk));
    struct rng rng = {1};
    size_t n_bytes = 0;
    int64_t written_ns = 0;

    for (size_t i = 0; i < n; i++) {
        double last = 0;
        for (size_t k = 0; k < per_chunk; k++) {
            t_ms[k] = 1700000000000 + (int64_t)k * 10000;
            values[k] = last = kind->next(&rng, last);
        }
        int64_t began_ns = clock_mono_ns();
        packed[i].len = is_long ? chunk_pack_long(t_ms, values, per_chunk, room)
                                : chunk_pack(t_ms, values, per_chunk, room);
        written_ns += clock_mono_ns() - began_ns;
        packed[i].bytes = mem_dup(room, packed[i].len);
        n_bytes += packed[i].len;
        if (chunk_check(packed[i].bytes, packed[i].len, &packed[i].info, NULL) != 0)
            abort();
    }
    double n_samples = (double)(n * per_chunk);
    double ns = read_all(packed, n, t_ms, values, copying);
    double copied = copying->best;
    print_row(is_long ? "write_long" : "write_packed", kind->name, (double)written_ns / n_samples,
              (double)n_bytes / n_samples, 16 / ((double)written_ns / n_samples) / copied);
    print_row(is_long ? "read_long" : "read_packed", kind->name, ns, (double)n_bytes / n_samples,
              16 / ns / copied);
    for (size_t i = 0; i < n; i++)
        free(packed[i].bytes);
    free(packed);
    free(t_ms);
    free(values);
    free(room);
}

int main(void)
{
    struct copying copying = {mem_zalloc(COPY_BYTES), mem_zalloc(COPY_BYTES), 0};
    double most = 0;

    memset(copying.from, 1, COPY_BYTES); /* pages of their own, not all the same one */
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        for (int is_long = 0; is_long < 2; is_long++) {
            measure(&kinds[i], is_long, &copying);
            most = fmax(most, copying.best);
        }
    printf("{\"bench\":\"memcpy\",\"gb_a_second\":%.1f}\n", most);
    free(copying.from);
    free(copying.to);
    return 0;
}
