#pragma once

/*
 * Random numbers from a seed, so that jitter and drills can be replayed.
 * SplitMix64 (Steele, Lea, Flood 2014). Not for secrets: those come from
 * libsodium.
 */

#include <stdint.h>

struct rng {
    uint64_t state;
};

/* A seed from the kernel; for programs, not for tests. */
uint64_t rng_os_seed(void);
uint64_t rng_next(struct rng *rng);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
