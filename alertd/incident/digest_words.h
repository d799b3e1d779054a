#pragma once

/*
 * What a digest counts, and its words. Private to incident/digest*.c.
 */

#include "alertd/incident/digest.h"

enum {
    DIGEST_NAMES_SHOWN_MAX = 10,
    DIGEST_LABELS_SHOWN_MAX = 5,
    DIGEST_SEVERITIES_MAX = 16, /* different words; the rest is one more */
};

/* An incident among the pages, as the last of them says. */
struct digest_incident {
    const struct page *page;
    size_t n_pages;
};

/* How often a word is there. */
struct digest_tally {
    const char *name; /* of a label; NULL: `word` says it all */
    const char *word;
    size_t n;
};

struct digest_counts {
    struct digest_incident *incidents; /* worst first, over last */
    size_t n_incidents;
    size_t n_over;                        /* of them */
    const struct incident_alert **alerts; /* each once, firing first */
    size_t n_alerts, n_firing;
    size_t n_not_carried; /* alerts that the pages only count */
    struct digest_tally *names;
    size_t n_names;
    struct digest_tally *severities; /* worst first */
    size_t n_severities;
    struct digest_tally *labels; /* pairs that more than one alert has, most first */
    size_t n_labels;
    size_t n_pages;
    int64_t oldest_ms; /* when the first of the pages should have gone out */
    int64_t now_ms;
};

/* False when the arena is spent. */
bool digest_words(const struct digest_counts *counts,
                  const char *url,
                  struct arena *arena,
                  struct page_digest **ret_digest);
