#pragma once

/*
 * A drill as the past that a rule is tuned over, and its trouble as what should have been found.
 *
 *     --drill=FILE    played here: by nobody, unless --player names one of its scripts
 *     --session=ID    one that somebody played on alertd, as it went; its samples stay there
 */

#include "alertd/drill/past.h"
#include "ctl/drill.h"

struct tune_drill {
    struct drill_past past;
    char *title;
    /* of a file */
    struct drill_loaded loaded;
    struct drill_played played;
    /* of a session: where its samples are asked for, by Prometheus' API */
    char *url;
};

/* Heap; tune_drill_free(). */
enum ctl_exit tune_drill_play(const struct ctl *ctl,
                              const char *path,
                              struct tune_drill **ret_drill);
enum ctl_exit tune_drill_session(const struct ctl *ctl,
                                 const char *text,
                                 struct tune_drill **ret_drill);
void tune_drill_free(struct tune_drill *drill); /* NULL is fine */
