#pragma once

/*
 * --drill=FILE: a drill as the past that a rule is tuned over, and its trouble as what should have been
 * found. Nobody plays it unless --player names one of its scripts.
 */

#include "alertd/drill/past.h"
#include "ctl/drill.h"

struct tune_drill {
    struct drill_loaded loaded;
    struct drill_played played;
    struct drill_past past;
};

/* Heap; tune_drill_free(). */
enum ctl_exit tune_drill_play(const struct ctl *ctl,
                              const char *path,
                              struct tune_drill **ret_drill);
void tune_drill_free(struct tune_drill *drill); /* NULL is fine */
