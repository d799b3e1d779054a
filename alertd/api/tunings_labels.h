#pragma once

/*
 * When it was bad, by our own records: the one answer for the page, the command line and the review. See
 * tunings_labels.c for what counts.
 */

#include "alertd/api/api.h"
#include "alertd/incident/verdict.h"
#include "alertd/tune/tune.h"

struct tunings_label {
    const char *key, *title; /* the incident's */
    int64_t begin_ms, end_ms;
    enum verdict verdict;
    bool counts;                 /* alerts are held against it */
    bool is_noise;               /* alerts within are known to be noise */
    const struct labels *labels; /* where: alerts with other values are of something else */
    const char *words;           /* why it counts, or does not */
};

struct tunings_labels_query {
    const char *rule; /* the name of the one that is asked about; NULL: none */
    int64_t from_ms, to_ms;
};

/* Newest first; everything in the arena. */
int tunings_labels_read(struct db_conn *conn,
                        const struct tunings_labels_query *query,
                        struct arena *arena,
                        struct tunings_label **ret_labels,
                        size_t *ret_n,
                        struct err *reterr);

/* Those that count, as the tuner takes them: SURFACE_INCIDENTS_MAX of them, the newest. */
int tunings_labels_whens(const struct tunings_label *labels,
                         size_t n,
                         struct arena *arena,
                         struct tune_incident **ret_whens,
                         size_t *ret_n,
                         struct err *reterr);
/* One of them, counting or not. */
int tunings_label_when(const struct tunings_label *label,
                       struct arena *arena,
                       struct tune_incident *ret,
                       struct err *reterr);

http_handler tunings_labels_get;
