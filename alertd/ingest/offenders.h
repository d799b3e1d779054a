#pragma once

/*
 * Who was refused what lately: one row for each pusher and reason, the newest OFFENDERS_MAX of
 * them, each with its newest example. Bounded, thread-safe.
 */

#include <stddef.h>
#include <stdint.h>

enum {
    OFFENDERS_MAX = 64,
};

struct offender {
    char pusher[72];
    char series[120];   /* the newest example */
    const char *reason; /* a literal */
    int64_t first_ms, last_ms;
    uint64_t n; /* samples */
};

struct offenders;
struct offenders *offenders_new(void);
void offenders_free(struct offenders *offenders);
/* The one unheard of for longest makes room. */
void offenders_note(struct offenders *offenders, const struct offender *seen);
/* Copies into ret_offenders, which has room for OFFENDERS_MAX, the newest first; how many. */
size_t offenders_list(struct offenders *offenders, struct offender *ret_offenders);
