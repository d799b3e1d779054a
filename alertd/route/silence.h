#pragma once

/*
 * Silences: which alerts nobody wants to be told of for a while.
 *
 * A silence mutes an alert when all matchers of one of its sets match. A set of silences is
 * made once per change and asked many times: silences that want one label to have one value
 * are found by that value, the rest are tried one by one. Pure; made, then read only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/labels.h"
#include "lib/model/matcher.h"

enum silence_state {
    SILENCE_PENDING,
    SILENCE_ACTIVE,
    SILENCE_EXPIRED,
};

struct silence_matchers {
    const struct matcher *at;
    size_t n; /* never 0: a silence of everything is refused where it is made */
};

struct silence {
    const char *id;
    const struct silence_matchers *sets;
    size_t n_sets;
    int64_t starts_at_ms;
    int64_t ends_at_ms;
};

enum silence_state silence_state(const struct silence *silence, int64_t now_ms);
/* "pending", "active", "expired". */
const char *silence_state_name(enum silence_state state);
/* Whatever its state. */
bool silence_matches(const struct silence *silence, const struct labels *alert);

struct silences;

/* The silences must outlive the set. */
struct silences *silences_new(const struct silence *at, size_t n);
void silences_free(struct silences *silences); /* NULL is fine */

/* Fills ret_found with the active silences that mute the alert, in the order they were
 * given, max at most; returns how many there are. */
size_t silences_find(const struct silences *silences,
                     const struct labels *alert,
                     int64_t now_ms,
                     const struct silence **ret_found,
                     size_t max);
