/*
 * What bench_tune.py needs to know of the samples that the shared generator (series.h, compiled with it) gave
 * everybody: node_load1 of so many hosts, one sample every so many seconds, each host's at a moment of its own.
 *
 *   tune_fleet count SERIES STEPS STEP_S START_S FROM_S TO_S THRESHOLD FOR_S   how often the alert begins to fire: the
 *                                              state machine once more, in its plainest words
 *   tune_fleet values SERIES STEPS STEP_S START_S FROM_S TO_S   a line for each host: its value at each evaluation
 */

#include <stdlib.h>
#include <string.h>

#include "series.h"

enum {
    SERIES_A_HOST = 100,
    LOAD1 = 58, /* the number of node_load1 among them */
    SEED = 1,
};

struct fleet {
    long series, steps;
    int64_t step_ms, start_ms, from_ms, to_ms;
};

/* The host's value at each evaluation from from_ms on: the newest sample at or before it. */
static long values_of(const struct fleet *fleet, long host, double *values)
{
    long id = host * SERIES_A_HOST + LOAD1;
    int64_t sampled_ms = fleet->start_ms + host * 37 % fleet->step_ms;
    int64_t at_ms = fleet->from_ms;
    double value = 0;
    sstate state;
    long n = 0;

    series_init(&state, id, SEED);
    for (long k = 0; k < fleet->steps; k++, sampled_ms += fleet->step_ms) {
        for (; at_ms < sampled_ms && at_ms <= fleet->to_ms && k > 0; at_ms += fleet->step_ms)
            values[n++] = value;
        value = series_next(&state, id);
    }
    for (; at_ms <= fleet->to_ms; at_ms += fleet->step_ms)
        values[n++] = value;
    return n;
}

static long count_fired(const double *values, long n, double threshold, long for_steps, long first)
{
    long fired = 0;
    long held = 0;

    for (long i = 0; i < n; i++) {
        held = values[i] > threshold ? held + 1 : 0;
        fired += held == for_steps + 1 && i >= first;
    }
    return fired;
}

int main(int argc, char **argv)
{
    if (argc < 8 || (strcmp(argv[1], "count") == 0) != (argc == 10)) {
        (void)fprintf(stderr, "usage: see the top of tune_fleet.c\n");
        return 2;
    }
    struct fleet fleet = {strtol(argv[2], NULL, 10),
                          strtol(argv[3], NULL, 10),
                          strtol(argv[4], NULL, 10) * 1000,
                          strtoll(argv[5], NULL, 10) * 1000,
                          0,
                          strtoll(argv[7], NULL, 10) * 1000};
    long for_steps = argc == 10 ? strtol(argv[9], NULL, 10) * 1000 / fleet.step_ms : 0;
    double *values = calloc((size_t)fleet.steps + 2 * (size_t)for_steps, sizeof(*values));
    long fired = 0;

    fleet.from_ms = strtoll(argv[6], NULL, 10) * 1000 - 2 * for_steps * fleet.step_ms;
    for (long host = 0; host < fleet.series; host++) {
        long n = values_of(&fleet, host, values);
        if (argc == 10)
            fired += count_fired(values, n, strtod(argv[8], NULL), for_steps, 2 * for_steps);
        for (long i = 0; argc != 10 && i < n; i++)
            printf("%.17g%c", values[i], i + 1 < n ? ' ' : '\n');
    }
    if (argc == 10)
        printf("%ld\n", fired);
    free(values);
    return 0;
}
