#pragma once

/*
 * alertctl tune diff: two rule files beside each other, in pages.
 *
 *     OLD, NEW --group and name--> pairs: same, changed, new, gone
 *     a pair   --tune, pages-----> two lists of pages --alertd/pages/diff.h--> kept, moved, gained, lost
 *
 * An incident is lost when a page of an old rule fell into it and no page of any rule of NEW does.
 */

#include "alertd/pages/diff.h"
#include "alertd/pages/tuned.h"
#include "ctl/tune_labels.h"

enum pair_state {
    PAIR_SAME,
    PAIR_CHANGED,
    PAIR_NEW,
    PAIR_GONE,
};

struct pair_side {
    const struct rule *rule; /* NULL: none */
    int64_t interval_ms;
    bool is_reckoned;
    struct tuned_alerts alerts;
    struct pages pages;
};

struct pair {
    enum pair_state state;
    const char *group, *name;
    struct pair_side old, new;
    struct diff diff; /* when it is not the same */
};

struct tune_diff {
    struct pair *pairs; /* as NEW has them, then those that are gone */
    size_t n, capacity;
    size_t n_recording; /* recording rules that changed: not reckoned */
    int64_t from_ms, to_ms;
    const struct tune_labels *labels;
    const struct told *told; /* what of the past could not be read */
    size_t *lost;            /* of the labels: those no rule finds any more */
    size_t n_lost;
};

/* "changed: for 5m -> 10m; expr"; "new"; "gone" */
void tune_diff_change(const struct pair *pair, struct str *out);
bool tune_diff_is_lost(const struct tune_diff *diff, const struct tune_incident *incident);

/* text, github, json, junit; false for another word */
bool tune_diff_show(const char *format, const struct tune_diff *diff, bool color, struct str *out);
