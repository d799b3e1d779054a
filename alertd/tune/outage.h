#pragma once

/*
 * The smallest outage a rule catches, as it is asked for: what a fault is put into, how large it
 * has to be to be worth a look, and what came of it in words. The work is detect.h's.
 *
 *     rule, setting --inputs_of()--> errors_total, requests_total   one of them has the fault
 *     a fault of 1 moves what is compared by ...                    so large for the threshold
 *     shares and multiples of that  x  1 min to 3 h  --detect()-->  map
 */

#include <stdbool.h>
#include <stddef.h>

#include "alertd/tune/detect.h"
#include "alertd/tune/input.h"
#include "alertd/tune/tune.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"

#define OUTAGE_ALL "*" /* in place of a selector: everything that the rule reads */

struct outage_ask {
    const struct tune_reader *reader;
    const struct source *source; /* of samples */
    size_t query_bytes;
    int64_t lookback_ms; /* 0: five minutes */
    const struct tune_ask *tune;
    const struct tune_result *result; /* the setting that is looked at is its `now` */
    bool has_kind;                    /* else what suits the rule */
    enum fault_kind kind;
    bool is_compared; /* faults in what is compared, not in an input */
    const char
        *input; /* a selector as inputs_of() words it; OUTAGE_ALL; NULL: what suits the rule */
    size_t n_places;
    bool (*is_enough_fn)(const void *arg); /* detect.h */
    const void *enough_arg;
};

struct outage {
    struct arena arena;
    struct inputs inputs;
    struct input all;
    const struct input *input; /* one of them, or `all`; NULL: what is compared */
    struct str rule_text;      /* where there is no threshold to look at */
    struct detect_ask ask;
    struct detect_map map;
    double magnitudes[DETECT_MAGNITUDES_MAX];
    uint32_t durations[DETECT_DURATIONS_MAX];
    double usual;  /* the middle of what the fault is put into, a counter's a second; NaN: none */
    bool is_moved; /* what is compared moves with it, as far as was seen */
    int64_t interval_ms;
};

/* 0; -EINVAL: it can't be asked so, in words; or a failure. outage_done() in any case; the struct
 * stays where it is. */
int outage_look(const struct outage_ask *ask, struct outage *ret, struct err *reterr);
void outage_done(struct outage *outage);

/* May a fault of that kind be put into it? input NULL: what is compared. */
bool outage_kind_fits(const struct input *input, enum fault_kind kind);

/* "+0.3 a second", "times 2"; nothing of a fault without magnitude. */
void outage_add_magnitude(const struct outage *outage, double magnitude, struct str *out);
/* The least that is caught nine times of ten, for the shortest time that is enough. False: none is. */
bool outage_least(const struct outage *outage, size_t *ret_magnitude, size_t *ret_duration);
/* What was found, in sentences. */
void outage_words(const struct outage *outage, struct str *out);
