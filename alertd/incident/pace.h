#pragma once

/*
 * How fast one integration may be told: two buckets that fill again with time.
 *
 *     per_second  filled by so many a second, holds as many: what may go out now
 *     per_minute  filled by so many a minute, holds as many: how many of those that wait go
 *                 out one by one; when more wait, they are told together, in a digest
 *
 * So a receiver gets at most per_second + per_second * t notifications within t seconds, and at
 * most per_minute + per_minute * t / 60: whatever number is owed.
 *
 * Time is an argument, of a clock that never goes back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACE_PER_SECOND = 2, /* for people, and where the config says nothing */
    PACE_PER_MINUTE = 20,
};

struct pace_limits {
    int64_t per_second; /* 0: no limit */
    int64_t per_minute; /* 0: no limit: never a digest */
};

struct pace {
    double second, minute; /* left */
    int64_t at_ms;         /* of that; 0: both are full */
};

/* What may go out now. */
struct pace_room {
    int64_t wait_ms; /* 0: one may; else until one may */
    size_t singly;   /* this many one by one; SIZE_MAX: any number */
};

struct pace_room pace_look(struct pace *pace, const struct pace_limits *limits, int64_t now_ms);
/* One goes out. */
void pace_take(struct pace *pace, const struct pace_limits *limits, int64_t now_ms);
