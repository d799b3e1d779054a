#pragma once

/*
 * A rule judged by its past: what is wrong with it, and the one change that would help most.
 *
 *     tune_result --review_make()--> a kind and a sentence
 *     two rules' times of firing --review_jaccard()--> fires always with another
 *     pages, nights, votes --review_cost()--> what it costs people
 */

#include "alertd/tune/tune.h"
#include "lib/base/str.h"

enum review_kind {
    REVIEW_FINE,
    REVIEW_CHANGE,      /* a setting to try */
    REVIEW_REDUNDANT,   /* fires whenever another does */
    REVIEW_NEVER_FIRED, /* could have, and did not */
    REVIEW_CANT_FIRE,
    REVIEW_NOT_KNOWN, /* it could not be looked at: words say why */
};

const char *review_kind_name(enum review_kind kind); /* "fine" ... */

struct review {
    enum review_kind kind;
    uint64_t alerts;
    bool has_setting;
    double threshold;
    int64_t for_ms, keep_ms;
    struct str words; /* str_done() */
};

/* blind: why it can't fire, by its text alone (lint); NULL: it can. days: what was looked at. */
void review_make(const struct tune_ask *ask,
                 const struct tune_result *result,
                 const char *blind,
                 struct review *ret);

/* When any alert of a rule fired, one span behind the other. */
struct review_spans {
    int64_t (*at)[2];
    size_t n;
};
struct review_spans review_spans_of(const struct tune_result *result);
void review_spans_done(struct review_spans *spans);
/* Shared time by time of either, 0 to 1. */
double review_jaccard(const struct review_spans *a, const struct review_spans *b);

enum {
    REVIEW_NIGHT_WEIGHT = 3, /* a page at night costs as much as so many by day */
};
#define REVIEW_SAME 0.9 /* of jaccard: more is the same */

/* What people said of its incidents, and what it woke them. Of a rule nobody judged half is
 * taken for noise; the more votes the less that guess weighs. */
double review_noise(unsigned useful, unsigned noise);
double review_cost(unsigned pages, unsigned nights, unsigned useful, unsigned noise);
