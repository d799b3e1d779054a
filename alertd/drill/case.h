#pragma once

/*
 * A drill with all that it names: rules, routes, people, data. Pure: whoever has files
 * reads them.
 *
 *     rules host             a pack            -> read(DRILL_READ_PACK, "host")
 *     rules shop.yml         beside the drill  -> read(DRILL_READ_BESIDE, "shop.yml")
 *
 * Invariants
 *  (1) a case never changes after it is made: worlds of several players share it.
 *  (2) its routes reach nobody: a case has no way to send, only to say what would be sent.
 */

#include "alertd/drill/drill.h"
#include "alertd/oncall/roster.h"
#include "alertd/route/config.h"
#include "alertd/rule/group.h"

enum {
    DRILL_RULE_FILES_MAX = 32,
    DRILL_POLICY_DEFAULT_DELAY_MS = 5 * 60 * 1000,
};

enum drill_read_what {
    DRILL_READ_PACK,     /* the alerts of a pack of rules */
    DRILL_READ_BESIDE,   /* a file beside the drill */
    DRILL_READ_RUNBOOKS, /* the README.md of a pack */
};

/* Heap text; 0, or anything else with words. */
typedef int drill_read(void *arg,
                       enum drill_read_what what,
                       const char *name,
                       char **ret_text,
                       size_t *ret_len,
                       struct err *reterr);

/* A series out of a data file. */
struct drill_points {
    const struct labels *labels;
    int64_t *t_ms; /* since the drill's start, ascending */
    double *values;
    size_t n, capacity, times_capacity;
    int64_t mended_ms; /* of its file; 0: none */
    int64_t last_ms;   /* of its file: the last sample of all */
    bool until_mended; /* of its file */
};

struct drill_case {
    struct drill *drill;
    struct rule_file *files[DRILL_RULE_FILES_MAX];
    size_t n_files;
    const struct route_config *config;
    struct roster roster;
    struct zones zones;
    struct arena arena; /* of the roster */
    struct drill_points *points;
    size_t n_points, points_capacity;
    size_t n_samples; /* of the points */
};

/* Takes the drill over, also when it fails: 0 or DRILL_E_FILE (line and column are the
 * drill's; words name the file otherwise). */
int drill_case_new(struct drill *drill,
                   drill_read *read,
                   void *arg,
                   struct drill_case **ret_case,
                   struct err *reterr);
void drill_case_free(struct drill_case *drill_case); /* NULL is fine */

/* The alert's rule; NULL when no rule has that name. */
const struct rule *drill_case_rule(const struct drill_case *drill_case, const char *alert);

/* data.c: the samples of a file, a CSV table when its name ends so, OpenMetrics otherwise. */
int drill_data_read(struct drill_case *drill_case,
                    const struct drill_file *file,
                    const char *text,
                    size_t len,
                    struct err *reterr);
