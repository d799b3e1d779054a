#pragma once

/*
 * Silences: which alerts nobody wants to be told of for a while.
 *
 * A silence mutes an alert when all matchers of one of its sets match. A set of silences is
 * made once per change and asked many times: silences that want one label to have one value
 * are found by that value, the rest are tried one by one. Pure; made, then read only.
 *
 *     starts_at |--pending--[ window ]--pending--[ window ]----| ends_at --expired
 *                           active               active
 *
 * One with a window mutes only while that holds; between times it is as pending as before.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/route/interval.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"

/* Ends when somebody ends it: a year that every clock and every client can write. */
#define SILENCE_NO_END_MS INT64_C(253402214400000) /* 9999-12-31T00:00:00Z */

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
    const struct route_interval *window; /* NULL: the whole span */
};

/* Active: it mutes at that instant. */
enum silence_state silence_state(const struct silence *silence, int64_t now_ms);
/* By its start and its end alone, whatever its window. */
enum silence_state silence_span_state(const struct silence *silence, int64_t now_ms);
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
