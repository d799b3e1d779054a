#pragma once

/*
 * A rule's flight recorder: its last twenty evaluations. In memory only: a ring that is
 * overwritten, so that watching costs no write.
 */

#include <stddef.h>
#include <stdint.h>

enum {
    RULE_HISTORY_MAX = 20
};

struct rule_past {
    int64_t at_ms; /* the slot */
    int64_t duration_us;
    size_t samples; /* read by the query; 0 when it failed */
    size_t series;  /* they are of */
    size_t results; /* elements the expression gave */
    char *error;    /* NULL: it went well */
};

struct rule_history {
    struct rule_past ring[RULE_HISTORY_MAX];
    size_t n;    /* in it */
    size_t next; /* where the next one goes */
};

/* `past` is copied, its error too. */
void rule_history_add(struct rule_history *history, const struct rule_past *past);
/* 0 is the newest; NULL past the oldest. */
const struct rule_past *rule_history_at(const struct rule_history *history, size_t i);
/* `to` is empty before. */
void rule_history_copy(struct rule_history *to, const struct rule_history *from);
void rule_history_done(struct rule_history *history);
