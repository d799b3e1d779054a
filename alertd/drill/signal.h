#pragma once

/*
 * What the series of a drill measure, instant by instant, faults applied.
 *
 *     value of the file --noise (seed, series, place)--> --faults, in their order--> sample
 *     of a counter: the rate; what was counted so far is kept here
 *
 * A fault that lasts `until mended` ends when the player does what mends: that is why
 * samples are made as time goes on, and why a drill answers to what is done.
 * Before 0 (the lead) everything is as in its first instant.
 */

#include "alertd/drill/case.h"
#include "alertd/promql/memory_source.h"

#define DRILL_NOT_YET INT64_MIN

struct drill_signal;

struct drill_signal *drill_signal_new(const struct drill_case *drill_case, uint64_t seed);
void drill_signal_free(struct drill_signal *signal); /* NULL is fine */

/* Adds the samples of one instant; to be called once for each interval, in order. at_ms is
 * since the drill's start, zero_ms that start in the memory's time. mended_ms: DRILL_NOT_YET,
 * or when it was mended. */
void drill_signal_sample(struct drill_signal *signal,
                         int64_t at_ms,
                         int64_t zero_ms,
                         int64_t mended_ms,
                         struct memory_source *memory);
