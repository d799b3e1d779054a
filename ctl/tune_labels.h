#pragma once

/*
 * When it was bad, by which alerts are told from noise: --incidents=FILE, a line each,
 *
 *     2026-11-03T02:10:00Z,2026-11-03T02:55:00Z                 # begin, end
 *     2026-11-09T14:00:00Z,2026-11-09T14:20:00Z,{job="shop"}    # of alerts with these labels only
 *
 * or --incidents=server, alertd's records; --incident=KEY, whose time is also the one to look at; and the
 * trouble of the drill that is looked at.
 */

#include "ctl/tune.h"

struct tune_labels {
    struct arena arena;
    char *text;
    struct tune_incident *at;
    size_t n, capacity;
};

void tune_labels_init(struct tune_labels *labels);
void tune_labels_done(struct tune_labels *labels);

/* By the options, for the times of `ask` (that of --incident is put there) and its rule (NULL: any);
 * ask's incidents are those then. */
enum ctl_exit tune_labels_read(struct tune_labels *labels,
                               const struct ctl *ctl,
                               const struct tune_past *past,
                               struct tune_ask *ask);
